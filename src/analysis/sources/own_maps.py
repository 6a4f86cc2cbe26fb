"""Checks of a dataset's own map that need its files and the rules.

They find columns that a file lacks, and values that a column cannot hold.

The form of a map is checked where it is read (`recognise`); here it is held against the exports it
maps and the tables it fills, before a row is typed.  SQL is tried where it fails: the message names
its key.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING

import duckdb

from analysis.project.errors import OwnMapError
from analysis.project.nearest_name import did_you_mean
from analysis.sources import field_maps, recognise
from analysis.sources.composed_sql import query_text
from analysis.sources.field_maps import OWN_MAP, require_known
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from analysis.sources import intake
    from analysis.sources.cells import reading
    from analysis.tables import rulebook

DECISIONS = "names.csv"
_OF_CELLS = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
)
# Columns that hold one of a few words, whatever a CRM calls them.
WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("opportunities", "status"): ("open", "won", "lost"),
    ("opportunities", "opportunity_type"): ("new", "expansion", "renewal", "credit"),
    ("activities", "kind"): ("event", "call", "email", "task"),
    ("reps", "role"): ("rep", "manager", "marketing", "queue", "integration"),
    ("leads", "lead_stage"): ("open", "mql", "sal", "sql", "nurture", "disqualified", "converted"),
    ("lead_status_history", "lead_stage"): (
        "open",
        "mql",
        "sal",
        "sql",
        "nurture",
        "disqualified",
        "converted",
    ),
    ("lead_status_history", "previous_stage"): (
        "open",
        "mql",
        "sal",
        "sql",
        "nurture",
        "disqualified",
        "converted",
    ),
    ("attendees", "side"): ("customer", "sales", "marketing", "other"),
    ("compensation", "base_period"): ("year", "month"),
    ("record_merges", "table_name"): ("accounts", "leads", "opportunities"),
}


def _is(kind: str) -> Callable[[str], object]:
    readers: dict[str, Callable[[str], object]] = {
        "number": float,
        "count": int,
        "date": dt.date.fromisoformat,
        "timestamp": dt.datetime.fromisoformat,
        "boolean": lambda text: ("true", "false").index(text.lower()),
    }
    return readers.get(kind, str)


def _require_value(
    layout: field_maps.ExportLayout, field: reading.MappedColumn, value: str, kind: str, key: str
) -> None:
    where = f"{OWN_MAP}: export {layout.object_name}: column {field.name}: {key}: a value"
    words = WORDS.get((layout.table or "", field.name))
    if words:
        require_known(value, words, where)
        return
    try:
        _is(kind)(value)
    except ValueError:
        form = {
            "boolean": "true or false",
            "count": "a whole number",
            "date": "a day such as 2026-09-30",
        }
        raise OwnMapError(
            f"{where} is {value!r}; {field.name} holds {form.get(kind, 'a ' + kind)}."
        ) from None


def _inputs(column: str, derive: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Return the columns of an export that a computed column goes back to, itself among them where
    it does.

    A column computed before it stands for its own inputs; one computed later, or itself, for what a
    map says.
    """
    before = dict(itertools.takewhile(lambda item: item[0] != column, derive.items()))

    def reads(sql: str, name: str) -> bool:
        """Whether the expression reads a column of its own row, plainly or as one of ``this``."""
        return re.search(rf"(?:(?<=\bthis\.)|(?<![.\w])){re.escape(name)}\b", sql) is not None

    inputs: set[str] = set()
    visited: set[str] = set()
    waiting = [derive[column]] if column in derive else []
    while waiting:
        sql = waiting.pop()
        for name in names:
            if name in visited or not reads(sql, name):
                continue
            visited.add(name)
            if name in before and not reads(before[name], name):
                waiting.append(before[name])
            else:
                inputs.add(name)
    return [name for name in names if name in inputs]


def _require_columns(layout: field_maps.ExportLayout, book: rulebook.Rulebook) -> None:
    """Refuse a column of ours that is none, or that is computed from others whatever the map says."""
    kinds = {c.name: c.kind for c in TABLES[layout.table or ""].columns} | book.work
    where = f"{OWN_MAP}: export {layout.object_name}"
    names = [n for n in kinds if n not in ("source_file", "source_row", "flagged_by")]
    for field in layout.fields:
        require_known(field.name, names, f"{where}: a column of {layout.table}")
        inputs = _inputs(field.name, book.derive, names)
        if field.name in book.derive and field.name not in inputs:
            raise OwnMapError(
                f"{where}: column {field.name} is computed and cannot be mapped; "
                f"map what it is computed from: {', '.join(inputs) or 'nothing'}."
            )
        values = [(value, "values") for _, value in field.values]
        for value, key in [
            *values,
            *([(field.constant, "value")] if field.constant is not None else []),
        ]:
            _require_value(layout, field, value, kinds[field.name], key)


def _require_sources(export: intake.Export, layout: field_maps.ExportLayout) -> None:
    """Refuse a column that the map reads and the file does not have."""
    header = [cell for cell in export.header if cell.strip()]
    cells = recognise.Header(header)
    for field in layout.fields:
        if field.source is None or cells.matching_cell(field.source, layout) is not None:
            continue
        hint = did_you_mean(field.source, header, cutoff=0.5)
        raise OwnMapError(
            f"{OWN_MAP}: export {layout.object_name}: column {field.name}: from is "
            f"{field.source!r}, which is no column "
            f"of {export.file}; its columns are {', '.join(header)}." + hint
        )


def require_sound(
    intake: intake.Intake,
    layouts: Iterable[field_maps.ExportLayout],
    books: Mapping[str, rulebook.Rulebook],
) -> None:
    """Raise `OwnMapError` where a dataset's own map does not fit its files or the tables it fills.

    That an analyst's decisions on names cannot be read is said the same way: without them other
    figures come out.
    """
    for layout in layouts:
        if layout.is_own and layout.table:
            _require_columns(layout, books[layout.table])
    for export in intake.exports:
        for layout in export.layouts:
            if layout.is_own:
                _require_sources(export, layout)
    for refusal in intake.refusals:
        if refusal.file.casefold() == DECISIONS:
            raise OwnMapError(
                f"{DECISIONS}: {refusal.reason}. It has the columns table, variant and canonical."
            )


def first_line(error: duckdb.Error, sql: str = "") -> str:
    """Return the database's error on a statement it cannot run, in one line.

    A cell of the data that it quotes is left out: it may be anybody's name or pay.  What stands in
    `sql` itself stays.

    Examples
    --------
    >>> say = "Conversion Error: Could not convert string 'O'Hara' to INT32 when casting"
    >>> first_line(duckdb.ConversionException(say))
    "Conversion Error: Could not convert string '[a cell]' to INT32 when casting"
    """
    line = str(error).splitlines()[0]
    if not isinstance(error, _OF_CELLS):
        return line
    line = re.sub(r"(with value ).*( can't be cast)", r"\1[of a cell]\2", line)
    for quote in "'\"":
        start, end = line.find(quote) + 1, line.rfind(quote)
        if start and line[start:end] not in sql:
            line = f"{line[:start]}[a cell]{line[max(start, end) :] if end >= start else quote}"
    return line


def sql_at_fault(
    connection: duckdb.DuckDBPyConnection, trials: Sequence[tuple[str, str]], error: duckdb.Error
) -> tuple[str, str]:
    """Return the name of the first statement that fails on its own, and why.

    No name where each can.

    `trials`: name and statement.
    """
    for name, statement in trials:
        try:
            connection.execute(query_text(["max(hash(whole))"], f"({statement}) whole")).fetchall()
        except duckdb.Error as problem:
            return name, first_line(problem, statement)
    return "", first_line(error)
