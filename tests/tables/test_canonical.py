"""Each table's one file holds all that is said of it."""

from pathlib import Path
from typing import get_args

import pytest

from analysis.tables import canonical
from analysis.tables.columns import SOURCE, Kind

FILES = Path(canonical.__file__).parent / "canonical_tables"
PARTS = {"row", "key", "money", "minutes", "columns", "work", "derive", "rule"}


def test_every_file_is_a_table_in_the_order_of_judging():
    assert {f.stem for f in FILES.glob("*.toml")} == set(canonical.BUILD_ORDER)
    assert len(set(canonical.BUILD_ORDER)) == len(canonical.BUILD_ORDER)


@pytest.mark.parametrize("name", canonical.BUILD_ORDER)
def test_a_table_is_whole(name):
    table, parts = canonical.TABLES[name], canonical.read_declaration(name)
    columns = [c.name for c in table.columns]
    assert set(parts) <= PARTS
    assert columns[-len(SOURCE) :] == [c.name for c in SOURCE]
    assert {c.kind for c in table.columns} <= set(get_args(Kind))
    assert set(table.key) <= set(columns)
    assert {table.money, table.minutes} - {None} <= set(columns)
    assert set(parts.get("work", {})).isdisjoint(columns)
    assert set(parts.get("derive", {})) <= {*columns, *parts.get("work", {})}
    assert all(c.meaning for c in table.columns)


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "string", "meaning": "why"},
        {"kind": "text"},
        {"kind": "text", "meaning": "why", "required": True},
    ],
)
def test_a_column_of_no_kind_without_meaning_or_with_another_key_is_named(facts):
    with pytest.raises(ValueError, match=r"leads\.toml: column note needs a kind \(id, text"):
        canonical.read_column("leads", "note", facts)
