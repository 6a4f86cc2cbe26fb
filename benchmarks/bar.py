"""What a report engine has to do, in 28 rows: the tests that show each, and what came of them.

    python benchmarks/bar.py [--account FILE ...]

`--account` names what runs of all tests, and of the studies, wrote by ``--junit-xml``: nothing is
run again then.
Rows and their tests stand in ``bar.toml``.  A row *passes* where all its tests pass, and what takes
longer than a test has a section of its script in ``RESULTS.md``; *in part* where that is missing;
*fails* where a test fails or is not found; *not shown* where the row has no test.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent


def run_tests(names: list[str]) -> dict[str, str]:
    """Run tests by name; return of each test case, by file and name, how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        account = Path(folder) / "account.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile"]
        command += ["-m", ""]  # studies, too
        subprocess.run(
            [*command, f"--junit-xml={account}", "--continue-on-collection-errors", *names],
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return read_account(account) if account.is_file() else {}


def read_account(account: Path) -> dict[str, str]:
    """Return of each test case of a run, by file and name, how it ended."""
    cases = ET.parse(account).getroot().iter("testcase")  # noqa: S314 - pytest wrote it
    return {f"{_file(c)}::{c.get('name', '')}": _ending(c) for c in cases}


def _file(case: ET.Element) -> str:
    name = case.get("classname", "").replace(".", "/")
    return name.removesuffix("/ipynb") + ".ipynb" * name.endswith("/ipynb")


def _ending(case: ET.Element) -> str:
    tags = {child.tag for child in case}
    return "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"


def row_result(row: dict[str, Any], endings: dict[str, str]) -> str:
    """Return what came of a row."""
    of_row = [
        [e for case, e in endings.items() if _is_of(case, test)] for test in row.get("tests", ())
    ]
    if not of_row:
        return "not shown"
    if any(not e or "failed" in e for e in of_row):
        return "fails"
    if any("passed" not in e for e in of_row):
        return "not shown"
    return "passes" if is_measured(row) else "in part"


def is_measured(row: dict[str, Any]) -> bool:
    """Return whether what a row leaves to a script stands in ``RESULTS.md``."""
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    return "measured" not in row or f"\n## {row['measured']['by']}:" in results


def _is_of(case: str, test: str) -> bool:
    file, _, name = test.partition("::")
    case_file, _, case_name = case.partition("::")
    is_file = case_file == file.removesuffix(".py") or file in (case_file, f"{case_file}.ipynb")
    return is_file and (not name or case_name.partition("[")[0] == name)


def main() -> None:
    """Run the tests of every row and print row, result and what is lacking."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--account", type=Path, nargs="+", default=[])
    options = parser.parse_args()
    rows = tomllib.loads((ROOT / "benchmarks" / "bar.toml").read_text(encoding="utf-8"))["row"]
    names = list(dict.fromkeys(test for row in rows for test in row["tests"]))
    endings = {} if options.account else run_tests(names)
    for account in options.account:
        endings |= read_account(account)
    for n, row in enumerate(rows, 1):
        by_script = row.get("measured")
        measured = f", {by_script['by']}: {by_script['what']}" if by_script else ""
        shown = f"{row_result(row, endings):<10} {len(row['tests'])} tests{measured}"
        print(f"{n:>2} {row['capability']:<48} {shown}")


if __name__ == "__main__":
    main()
