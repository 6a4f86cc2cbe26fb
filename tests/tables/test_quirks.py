"""Every known quirk of CRM exports has a test named for it, and the table of them is in data/README.md.

A test is named for a quirk by ``quirk_<number>`` in its name; the cases of `rule_cases` are named by the
quirk their rule cites, and each fails when its rule is switched off.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from rule_cases import CASES as FIRST_CASES
from rule_cases_more import MORE_CASES
from rule_cases_practice import PRACTICE_CASES

from analysis.cleaning import rules
from analysis.project import claims
from analysis.tables.canonical import TABLES
from analysis.tables.quirks import QUIRKS, named_tests, quirk_numbers

CASES = [*FIRST_CASES, *MORE_CASES, *PRACTICE_CASES]
TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "data" / "README.md"


def rules_by_quirk(raw) -> dict[int, set[tuple[str, str]]]:
    """Return the rules that cite each quirk, by table and name."""
    found = defaultdict(set)
    for table in TABLES:
        for rule in rules.read_rulebook(table, "here").rules:
            if rule.quirk is not None:
                found[rule.quirk].add((table, rule.name))
    return found


def test_a_name_tells_its_quirks():
    assert quirk_numbers("test_a_thing_quirk_7") == {7}
    assert quirk_numbers("test_quirk_7_is_read") == {7}
    assert quirk_numbers("test_a_thing_quirks_7_and_8") == {7, 8}
    assert quirk_numbers("test_a_thing_of_9") == set()


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_has_a_test_named_for_it(raw, quirk):
    """Of its own, or the case of a rule that cites it."""
    cited = rules_by_quirk(raw)[quirk]
    assert named_tests(TESTS)[quirk] or cited & {(c.table, c.rule) for c in CASES}, QUIRKS[quirk]


def test_every_rule_that_cites_a_quirk_has_a_case_that_fails_without_it(raw):
    """`test_rules.test_a_rule_takes_its_rows_and_no_others` switches each off in turn."""
    cited = {pair for pairs in rules_by_quirk(raw).values() for pair in pairs}
    assert cited <= {(c.table, c.rule) for c in CASES}


def test_no_test_is_named_for_a_quirk_there_is_not():
    assert set(named_tests(TESTS)) <= set(QUIRKS) == set(range(1, 55))


def test_the_page_prints_the_table_of_quirks(raw):
    """Each quirk with what it is, the rules that answer it and the files that test it."""
    section = PAGE.read_text(encoding="utf-8").split("## Quirks of CRM exports")[1]
    lines = {
        int(m[1]): line for line in section.splitlines() if (m := re.match(r"\| (\d+) \|", line))
    }
    assert set(lines) == set(QUIRKS)
    cited = rules_by_quirk(raw)
    for quirk, line in lines.items():
        assert QUIRKS[quirk] in line
        assert all(f"`{name}`" in line for _, name in cited[quirk])
        assert all(f"`{test.split('::')[0]}`" in line for test in named_tests(TESTS)[quirk])


def test_two_millions_over_48_weeks_of_11_hours_is_rounded_at_display_only_quirk_33():
    """3,787.88 an hour; the article prints 3,788."""
    got = claims.EXAMPLE_QUOTA_USD / (claims.WEEKS_PER_YEAR * claims.SELLING_HOURS_PER_WEEK)
    assert round(got, 2) == 3_787.88
    assert f"{got:,.0f}" == "3,788"
