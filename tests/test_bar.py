"""Every test that the bar of report engines names exists, and each row says what it lacks or has one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = tomllib.loads((ROOT / "benchmarks" / "bar.toml").read_text(encoding="utf-8"))["row"]


def test_the_bar_has_28_rows_each_once():
    assert len({row["capability"] for row in ROWS}) == len(ROWS) == 28


@pytest.mark.parametrize("row", ROWS, ids=[row["capability"] for row in ROWS])
def test_a_row_names_tests_that_exist_or_says_what_is_lacking(row):
    assert row["tests"] or row["lacks"]
    for test in row["tests"]:
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, test
