"""A report grouped by a column: its cell is filled in the group's first row and blank below it.

Filled down where the report shows that it is one: by totals, by titles and arrows of a formatted
export, or by groups that come sorted, each once.  Where it looks grouped and does not show it, the
file is refused: what a blank cell means is not for us to guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analysis.sources import field_maps, recognise
from analysis.sources.database import quote_identifier
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

ARROWS = "\u2191\u2193\u25b2\u25bc\u2b06\u2b07\U0001f53c\U0001f53d"
SQL = read_statements(__name__)
GROUPED = (
    "owner_rep_id",
    "rep_id",
    "team_id",
    "account_id",
    "stage",
)  # what reports are grouped by
FEWEST_SORTED = 3  # groups whose order could hardly be chance
FEWEST_ROWS = 5
MOST_ROWS = 200_000  # a formatted report ends at 100,000


class _Column(NamedTuple):
    """What the cells of a column say of groups."""

    n_rows: int
    n_filled: int
    n_distinct: int
    n_begun: int  # filled cells with a blank one right below
    is_first_filled: bool
    is_sorted: bool


def _cells_of(
    connection: duckdb.DuckDBPyConnection, table: str, cell: str, parent: str | None
) -> _Column:
    """Look at a column; `parent` is the column of the groups around it, filled already."""
    row = connection.execute(
        SQL["column_of_groups"], {"table": table, "cell": cell, "parent": parent or cell}
    ).fetchone()
    return _Column(*row) if row else _Column(0, 0, 0, 0, is_first_filled=False, is_sorted=False)


def _has_blanks(connection: duckdb.DuckDBPyConnection, table: str, cells: list[str]) -> list[str]:
    """Return those of some columns that have blank cells, by one look at the table."""
    n_rows, *filled = connection.execute(
        SQL["filled_cells"], {"table": table, "cells": cells}
    ).fetchone() or (0,)
    return [c for c, n in zip(cells, filled, strict=True) if 0 < n < n_rows <= MOST_ROWS]


def _candidates(header: Sequence[str], layouts: Sequence[field_maps.ExportLayout]) -> list[str]:
    """Return the columns a report may be grouped by, in the order of the file."""
    names = {recognise.normalise_header(g) for e in layouts for g in e.groups}
    names |= {
        recognise.normalise_header(f.source)
        for e in layouts
        for f in e.fields
        if f.source and f.name in GROUPED
    }
    return [
        c for c in header if recognise.normalise_header(c) in names or any(a in c for a in ARROWS)
    ]


def fill_groups(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    header: Sequence[str],
    layouts: Sequence[field_maps.ExportLayout],
    *,
    has_title: bool = False,
    has_totals: bool = False,
) -> list[str]:
    """Fill the blank cells of a grouped report's group columns from above; say how many.

    Raises
    ------
    ValueError
        If a column looks like a group's and nothing shows that it is one.
    """
    places = {c: f"c{list(header).index(c)}" for c in _candidates(header, layouts)}
    declared = {g for e in layouts for g in e.groups}
    notes: list[str] = []
    parent: str | None = None
    blank = set(_has_blanks(connection, table, list(places.values()))) if places else set()
    for column, cell in places.items():
        if cell not in blank:
            continue
        cell_values = _cells_of(connection, table, cell, parent)
        has_arrow = any(a in column for a in ARROWS)
        is_once = (
            cell_values.is_first_filled
            and cell_values.n_filled == cell_values.n_distinct
            and cell_values.n_begun > 0
        )
        shows_groups = is_once and (
            (has_arrow and (cell_values.n_begun > 1 or cell_values.n_filled == 1))
            or (
                has_title
                and (cell_values.n_begun > 1 or cell_values.n_filled == 1)
                and 2 * cell_values.n_filled <= cell_values.n_rows
            )
            or (
                cell_values.is_sorted
                and cell_values.n_begun >= FEWEST_SORTED
                and 2 * cell_values.n_filled <= cell_values.n_rows
            )
        )
        if shows_groups or (has_totals and column in declared):
            n = _fill_down(connection, table, cell)
            name = re.sub(rf"[\s{ARROWS}]+$", "", column)
            notes.append(
                f"{n:,} merged cells of {name} were filled from the row above (a summary report)"
            )
            parent = cell
        elif (
            is_once
            and cell_values.n_rows >= FEWEST_ROWS
            and 2 * cell_values.n_filled <= cell_values.n_rows
            and cell_values.n_begun > 1
        ):
            raise ValueError(
                f"it looks like a report grouped by {column.strip()} (filled in "
                f"{cell_values.n_filled:,} of {cell_values.n_rows:,} rows, "
                "each value once): export details only"
            )
    return notes


def _fill_down(connection: duckdb.DuckDBPyConnection, table: str, cell: str) -> int:
    """Fill a column's blank cells from the nearest filled one above; return how many."""
    connection.execute(SQL["cells_above"], {"table": table, "cell": cell})
    filled = connection.execute(
        f"update {quote_identifier(table)} as t set {quote_identifier(cell)} = n.above "
        "from cells_above as n where n.source_row = t.source_row"
    ).fetchone()
    return int(filled[0]) if filled else 0
