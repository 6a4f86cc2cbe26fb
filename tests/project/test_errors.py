"""The canonical tables keep their promises, and an error names its rows."""

import re

import pandas as pd
import pytest

from analysis.project import errors
from analysis.project.errors import CrmDataError
from analysis.tables import canonical, columns
from analysis.tables.canonical import TABLES
from analysis.tables.panel_tables import PANELS

EVERY = [*TABLES.values(), *PANELS.values()]


@pytest.mark.parametrize("table", EVERY, ids=lambda t: t.name)
def test_a_table_knows_its_key_and_its_columns(table):
    names = [c.name for c in table.columns]
    assert len(names) == len(set(names))
    assert set(table.key) <= set(names)
    assert {table.money, table.minutes} - {None} <= set(names)
    assert all(c.kind in columns.SQL_TYPES and c.meaning for c in table.columns)


@pytest.mark.parametrize("table", EVERY, ids=lambda t: t.name)
def test_names_follow_the_glossary(table):
    """Suffixes say the kind: _id an id, _at a timestamp, is_ a boolean, n_ a count, _amount a number."""
    endings = {
        "_id": "id",
        "_at": "timestamp",
        "_amount": "number",
        "_hours": "number",
        "_rate": "number",
    }
    for column in table.columns:
        for ending, kind in endings.items():
            assert not column.name.endswith(ending) or column.kind == kind, column
        assert not column.name.startswith("is_") or column.kind == "boolean", column
        assert not column.name.startswith("n_") or column.kind == "count", column


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_no_table_keeps_what_tells_a_person(table):
    """No column for an e-mail address, a person's name, a subject or a title."""
    told = re.compile(r"mail|phone|subject|title|notes|description|(first|last|rep|user)_name")
    assert not [c.name for c in table.columns if told.search(c.name)]


def test_each_definition_of_selling_holds_the_one_before():
    sets = [set(classes) for classes in canonical.SELLING_DEFINITIONS.values()]
    assert sets[0] < sets[1] < sets[2] < set(canonical.ACTIVITY_CLASSES)
    assert list(canonical.DEFINITION_LABELS) == list(canonical.SELLING_DEFINITIONS)


def test_a_column_is_found_by_its_name():
    assert TABLES["reps"].column("fte").kind == "number"


REPS = pd.DataFrame(
    {"hours": [1.0, 0.0, float("nan"), -1.0, 0.0]}, index=pd.Index([7, 8, 9, 10, 11], name="rep_id")
)


def test_values_not_above_zero_are_counted_and_three_named():
    message = r"reps: hours must be above 0, but 4 of 5 rows are not \(rep_id 8, 9, 10\)\."
    with pytest.raises(CrmDataError, match=message):
        errors.require_positive(REPS["hours"], "reps")


def test_values_above_zero_pass():
    assert errors.require_positive(REPS["hours"].iloc[:1], "reps") is None


def test_a_missing_column_is_named_beside_those_there():
    assert errors.require_columns(REPS, ["hours"], "reps") is None
    with pytest.raises(
        CrmDataError, match=r"reps: needs pay, fte, but has hours\. Map the export's columns"
    ):
        errors.require_columns(REPS, ["hours", "pay", "fte"], "reps")


def test_an_empty_table_is_refused_with_what_was_sought():
    assert errors.require_rows(REPS, "reps", "in 2026Q3") is None
    with pytest.raises(CrmDataError, match="reps: no row in 2026Q3"):
        errors.require_rows(REPS.iloc[:0], "reps", "in 2026Q3")
