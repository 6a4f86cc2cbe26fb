"""Every test that the bar of report engines names exists, and what a script measures has its section."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = tomllib.loads((ROOT / "benchmarks" / "bar.toml").read_text(encoding="utf-8"))["row"]


def test_the_bar_has_28_rows_each_once():
    assert len({row["capability"] for row in ROWS}) == len(ROWS) == 28


@pytest.mark.parametrize("row", ROWS, ids=[row["capability"] for row in ROWS])
def test_a_row_names_tests_that_exist(row):
    assert row["tests"]
    for test in row["tests"]:
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, test


def test_what_a_script_measures_stands_in_the_results():
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    scripts = {row["measured"]["by"] for row in ROWS if "measured" in row}
    assert scripts == {"kills.py", "packs.py", "report.py"}
    assert not [s for s in scripts if f"\n## {s}:" not in results]
