"""The trial: folders of exports as companies have them, each with what is right, run as a new user would.

``python tests/trial.py`` prints a table: case, expected, got, verdict.  A case is a folder under
``tests/cases`` with its files and an ``expect.toml``, or one of the folders of cases in
``ALIGNMENT_ROI_REFERENCE``, whose expectations stand in ``trial_expectations.toml``.  An expectation
lists outcomes; the first that fits is the verdict, and where none does the case is WRONG IN SILENCE.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pikepdf
from report_text import pages

from analysis.cleaning import pipeline
from analysis.panels import build
from analysis.project import paths, settings
from analysis.project.errors import CrmDataError
from analysis.project.settings import SettingsError
from analysis.report import audit_lines
from analysis.sources import database, intake
from analysis.store import processed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parent
OWN_CASES = TESTS / "cases"
SHARED_EXPECTATIONS = TESTS / "trial_expectations.toml"
SILENT = "WRONG IN SILENCE"
FACTS = {
    "won": "select count(*), coalesce(sum(deal_amount), 0) from opportunities where status = 'won'",
    "lost": "select count(*) from opportunities where status = 'lost'",
    "open": "select count(*) from opportunities where status = 'open'",
    "opportunities": "select count(*) from opportunities",
    "reps": "select count(*) from reps",
    "activities": "select count(*) from activities",
    "hours": "select coalesce(sum(minutes), 0) / 60 from activities where not is_all_day",
    "owned": "select count(*) from opportunities where owner_rep_id in (select rep_id from reps)",
}


class Case(NamedTuple):
    """A folder of exports and the outcomes that are right for it."""

    name: str
    files: Path
    outcomes: list[dict[str, Any]]
    settings: dict[str, Any]


class Verdict(NamedTuple):
    """What came of a case."""

    case: str
    expected: str
    got: str
    verdict: str


def own_cases() -> list[Case]:
    """Return the cases of this repository, by name."""
    return [
        _case(
            folder.name,
            folder / "files",
            tomllib.loads((folder / "expect.toml").read_text(encoding="utf-8")),
        )
        for folder in sorted(OWN_CASES.iterdir())
        if (folder / "expect.toml").is_file()
    ]


def shared_cases() -> list[Case]:
    """Return the cases of the reference folder, by name; none where that is not here."""
    reference = os.environ.get("ALIGNMENT_ROI_REFERENCE")
    folder = Path(reference) / "cases" if reference else None
    if folder is None or not folder.is_dir():
        return []
    expectations = tomllib.loads(SHARED_EXPECTATIONS.read_text(encoding="utf-8"))
    return [
        _case(f.name, f / "files", expectations.get(f.name, {}))
        for f in sorted(folder.iterdir())
        if f.is_dir()
    ]


def _case(name: str, files: Path, expectation: dict[str, Any]) -> Case:
    rest = {k: v for k, v in expectation.items() if k != "outcome"}
    return Case(name, files, expectation.get("outcome", []), rest)


def _project(root: Path, case: Case) -> None:
    """Lay out a project whose dataset ``trial`` holds the case's files."""
    raw = root / "data" / "raw" / "trial"
    raw.mkdir(parents=True)
    shutil.copy(REPOSITORY / "alignment.toml", root)
    for file in sorted(case.files.iterdir()) if case.files.is_dir() else []:
        (shutil.copytree if file.is_dir() else shutil.copy)(file, raw / file.name)
    if size := case.settings.get("simulate"):
        from analysis.simulate.exports import write
        from analysis.simulate.world.company_parameters import SimulatedCompany

        write.write_exports(SimulatedCompany(n_teams=size[0], n_quarters=size[1]), raw)
        if n_paid := case.settings.get("n_paid"):
            _cut_pay(raw, n_paid)


def _cut_pay(raw: Path, n_paid: int) -> None:
    """Leave the pay of a few active reps only."""
    with (raw / "User.csv").open(encoding="utf-8") as stream:
        active = {user["Id"][:15] for user in csv.DictReader(stream) if user["IsActive"] == "true"}
    with (raw / "compensation.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    few = list(dict.fromkeys(r["rep_id"] for r in rows if r["rep_id"][:15] in active))[:n_paid]
    with (raw / "compensation.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(r for r in rows if r["rep_id"] in few)


def _fits(connection: duckdb.DuckDBPyConnection | None, outcome: dict[str, Any], said: str) -> bool:
    """Return whether what a pass gave is this outcome: its numbers, and all the words it must say."""
    if not all(
        re.search(words, said, re.IGNORECASE | re.DOTALL) for words in outcome.get("says", [])
    ):
        return False
    asked = {FACTS[k]: v for k, v in outcome.items() if k in FACTS} | outcome.get("facts", {})
    if connection is None:
        return outcome["verdict"] == "refused"
    if outcome["verdict"] == "refused" and not outcome.get("goes_on", False):
        return False
    return all(_answer(connection, sql) == value for sql, value in asked.items())


def _answer(connection: duckdb.DuckDBPyConnection, sql: str) -> object:
    row = connection.execute(sql).fetchone() or ()
    cells = [
        round(float(c), 2) if isinstance(c, int | float) or hasattr(c, "as_tuple") else str(c)
        for c in row
    ]
    return cells[0] if len(cells) == 1 else cells


def _shown(outcome: dict[str, Any]) -> str:
    facts = ", ".join(f"{k} {v}" for k, v in outcome.items() if k in FACTS)
    return " ".join(filter(None, [outcome["verdict"], facts]))


def clean_verdict(case: Case) -> Verdict:
    """Clean a case's files in a project of its own and judge what came of it."""
    expected = " or ".join(_shown(o) for o in case.outcomes)
    day = case.settings.get("as_of")
    before = os.environ.get(paths.ROOT_VARIABLE)
    with (
        tempfile.TemporaryDirectory(prefix="trial-") as folder,
        database.open_session() as connection,
    ):
        _project(Path(folder), case)
        os.environ[paths.ROOT_VARIABLE] = folder
        try:
            house = settings.load_dataset_settings("trial")
            account = pipeline.clean_tables(
                connection,
                intake.files_of(paths.raw_folder("trial")),
                "trial",
                house,
                dataset_key="key",
                as_of=dt.date.fromisoformat(day) if day else None,
            )
            if case.settings.get("panels"):
                build.make_panels(connection, account.first_day, account.as_of, house)
            said = "\n".join(audit_lines.audit_lines(processed._plain(account)))
            table: duckdb.DuckDBPyConnection | None = connection
            got = ", ".join(
                f"{k} {_answer(connection, FACTS[k])}" for k in ("won", "lost", "open", "hours")
            )
        except (CrmDataError, SettingsError) as error:
            said, table, got = str(error), None, f"refused: {error}"
        except Exception as error:  # noqa: BLE001 - a crash is a verdict of its own
            return Verdict(case.name, expected, f"{type(error).__name__}: {error}"[:200], "CRASH")
        finally:
            os.environ.pop(paths.ROOT_VARIABLE)
            if before is not None:
                os.environ[paths.ROOT_VARIABLE] = before
        verdict = next((o["verdict"] for o in case.outcomes if _fits(table, o, said)), SILENT)
    return Verdict(case.name, expected, " ".join(got.split()), verdict)


def report_verdict(case: Case) -> Verdict:
    """Write the report of a case, or run the notebook it names, and judge exit code and words."""
    wanted = case.settings["report"]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        root = Path(folder)
        _project(root, case)
        for name in ("notebooks", "src"):
            (root / name).symlink_to(REPOSITORY / name)
        environment[paths.ROOT_VARIABLE] = folder
        command = [sys.executable, "-c", "from analysis.cli import main; main()", "report", "trial"]
        if notebook := wanted.get("notebook"):
            given = [x for k, v in wanted["parameters"].items() for x in ("-p", k, v)]
            command = [
                *(sys.executable, "-m", "papermill", f"notebooks/{notebook}.ipynb", "out.ipynb"),
                *("-p", "dataset", "trial", *given),
            ]
        ran = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        text = ran.stdout + ran.stderr
        pdfs = sorted((root / "reports").rglob("*.pdf")) if (root / "reports").is_dir() else []
        for pdf in pdfs:
            with pikepdf.open(pdf) as opened:
                text += "\n".join(pages(opened))
    is_right = (ran.returncode == 0) == wanted.get("succeeds", True) and bool(pdfs) == wanted.get(
        "pdf", True
    )
    is_right = is_right and all(
        re.search(w, text, re.IGNORECASE | re.DOTALL) for w in wanted.get("says", [])
    )
    is_right = is_right and not any(re.search(w, text) for w in wanted.get("never_says", []))
    last = " ".join(ran.stderr.split())[-160:]
    return Verdict(
        f"{case.name} (report)",
        str(wanted),
        f"exit {ran.returncode}, {len(pdfs)} PDF; {last}",
        "right" if is_right else SILENT,
    )


def verdicts(cases: list[Case], *, with_reports: bool) -> Iterator[Verdict]:
    """Yield what came of each case."""
    for case in cases:
        if case.outcomes:
            yield clean_verdict(case)
        if with_reports and "report" in case.settings:
            yield report_verdict(case)
        if not case.outcomes and "report" not in case.settings:
            yield Verdict(case.name, "nothing: no expectation is written down", "", "NOT ASKED")


def main() -> None:
    """Print the table of all cases; exit 1 where one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="beginnings of cases' names")
    parser.add_argument("--no-reports", action="store_true", help="clean only")
    given = parser.parse_args()
    chosen = [
        c
        for c in [*shared_cases(), *own_cases()]
        if not given.only or any(c.name.startswith(o) for o in given.only)
    ]
    n, wrong = 0, []
    for got in verdicts(chosen, with_reports=not given.no_reports):
        n += 1
        print(  # noqa: T201 - the table is what this is for
            f"{got.case:<48} {got.verdict:<17} expected {got.expected[:90]:<92} got {got.got[:150]}",
            flush=True,
        )
        if got.verdict not in {"right", "refused", "warned"}:
            wrong.append(got.case)
    print(f"{n - len(wrong)} of {n} right or clearly refused; wrong: {', '.join(wrong) or 'none'}")  # noqa: T201
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
