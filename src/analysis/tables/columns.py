"""What a table and a column of it are; the tables themselves are in `canonical`."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["id", "text", "category", "boolean", "date", "timestamp", "number", "count"]

SQL_TYPES: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "category": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "count": "BIGINT",
}


class Column(NamedTuple):
    """A column of a table; a row whose `is_required` column cannot be read is quarantined."""

    name: str
    kind: Kind
    meaning: str
    is_required: bool = False


class Table(NamedTuple):
    """A canonical table: what a row is, its key and its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    money: str | None = None  # the column whose sum tells what a rule moved
    minutes: str | None = None  # the same for time

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(c for c in self.columns if c.name == name)


SOURCE = (
    Column("source_file", "text", "export the row came from"),
    Column("source_row", "count", "line of that export, the header being line 1"),
    Column(
        "flagged_by",
        "text",
        "names of the rules that marked the row and kept it, separated by blanks",
    ),
)
