"""Empty cells that a program wrote out as a word, and lookup columns that a file names twice.

``null`` in a column of ids, numbers or days is an empty cell.  In a column of names it may be a
name: there it counts as empty only where the same file writes other columns' empty cells so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.sources.cells import notation, parsers
from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier, quote_literal
from analysis.sources.files.text_table import Refusal
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analysis.sources import intake
    from analysis.sources.cells import reading

WORDS = (
    "null",
    "none",
    "nan",
    "nat",
    "undefined",
    "select",
    "not set",
)  # each may be somebody's name
MARKS = (
    "[null]",
    "(null)",
    "<null>",
    "<na>",
    "<none>",
    "(none)",
    "[none]",
    "\\n",
    "-none-",
    "- none -",
    "--none--",
    "-- none --",
    "-select-",
    "- select -",
    "--select--",
    "-- select --",
    "(not set)",
    "[not set]",
    "(blank)",
    "[blank]",
    "(empty)",
    "n/a",
    "#null",
)
FEW_ROWS = 10_000  # up to here one statement over all cells is cheaper than one over each column
LONGEST = 20  # characters of a token with all that may stand around it
# Their rule `placeholder` flags what a person left unchosen; read as missing there, and counted.
JUDGED_BY_RULE = ("lead_source", "industry", "country")
FEWEST_QUOTED = 3  # texts that all begin with an apostrophe before it is taken for a guard


class _Column(NamedTuple):
    """One column of an export that is read.

    Its cell, and whether it holds names of people or things.
    """

    cell: str
    is_name: bool


def _is_name(field: reading.MappedColumn, table: str | None) -> bool:
    if field.parser in ("person", "name_key", "email_domain"):
        return True
    kinds = {c.name: c.kind for c in TABLES[table].columns} if table else {}
    return field.parser == "text" and kinds.get(field.name, "text") == "text"


def _columns(export: intake.Export) -> dict[str, _Column]:
    """Return the columns of an export that any of its layouts reads, by name as columns are
    compared.
    """
    places = {name.strip().casefold(): f"c{i}" for i, name in enumerate(export.header)}
    by_name: dict[str, _Column] = {}
    for layout in export.layouts:
        for field in layout.fields:
            for source in filter(None, (field.source, *field.also)):
                name = source.strip().casefold()
                if name in places:
                    before = by_name.get(name, _Column(places[name], is_name=False))
                    by_name[name] = _Column(
                        places[name], before.is_name or _is_name(field, layout.table)
                    )
    return by_name


def _tokens(
    connection: duckdb.DuckDBPyConnection,
    export: intake.Export,
    columns: Mapping[str, _Column],
    wanted: list[str],
    bare: frozenset[str],
) -> dict[str, dict[str, int]]:
    """Return by column which of the tokens `wanted` its cells hold, as they are spelled, and how
    many.
    """
    if not columns or not wanted:
        return {}
    listed = ", ".join(map(quote_literal, wanted))
    longest = max(len(word.encode()) for word in wanted) + 2  # what `lower` may shorten a sign by
    holds = _counted(
        connection, export, columns, f"strlen({{x}}) <= {longest} and lower({{x}}) in ({listed})"
    )
    columns = {name: column for name, column in columns.items() if holds[name] or name not in bare}
    if not columns:
        return {}
    parts = [  # each text once: most cells are long, or begin as numbers and days do
        query_text(
            [f"{quote_literal(name)} as name", f"{column.cell} as cell", "count(*) as n"],
            quote_identifier(export.text_table),
            where=f"length({column.cell}) <= {LONGEST} and not ({column.cell}[1] between '0' and '9')",
        )
        + " group by cell"
        for name, column in columns.items()
    ]
    counts: dict[str, dict[str, int]] = {}
    tokens = query_text(
        ["name", "cell_text(cell) as token", "sum(n)::bigint"],
        f"({' union all '.join(parts)})",
        where=f"lower(cell_text(cell)) in ({listed})",
    )
    counted = connection.execute(tokens + " group by name, token").fetchall()
    for name, token, n in counted:
        counts.setdefault(name, {})[token] = n
    return counts


class _Around(NamedTuple):
    """What stands around the texts of an export's columns."""

    quoted: frozenset[
        str
    ]  # columns whose every text begins with an apostrophe, which guards it from a spreadsheet
    bare: frozenset[
        str
    ]  # columns of which no cell has a blank, an apostrophe or a formula around its text


UNPIVOTED = "(unpivot query_table($table) on columns($cells) into name place value cell)"
_IS_QUOTED = "starts_with({x}, '''')"
# cheap to ask of millions of cells; a letter of another alphabet only means a closer look
_IS_ODD = (
    "strlen({x}) <> length({x}) or {x} < '!' and {x} <> '' or starts_with({x}, '=') or "
    "starts_with({x}, '''') or ends_with({x}, ' ') or ends_with({x}, chr(9)) or ends_with({x}, "
    "chr(10)) or ends_with({x}, chr(13))"
)


def _counted(
    connection: duckdb.DuckDBPyConnection,
    export: intake.Export,
    columns: Mapping[str, _Column],
    when: str,
) -> dict[str, int]:
    """Return how many cells `x` of each column fulfil the SQL `when`."""
    if not columns:
        return {}
    if export.n_rows <= FEW_ROWS:  # the statement is then what takes the time: ask it once
        cells = list(dict.fromkeys(column.cell for column in columns.values()))
        counted = dict(
            connection.execute(
                query_text(["place", "count(*)"], UNPIVOTED, where=when.replace("{x}", "cell"))
                + " group by place",
                {"table": export.text_table, "cells": cells},
            ).fetchall()
        )
        return {name: counted.get(column.cell, 0) for name, column in columns.items()}
    counts = [
        f"count(*) filter (where {when.replace('{x}', column.cell)})" for column in columns.values()
    ]
    query = query_text(counts, quote_identifier(export.text_table))
    row = connection.execute(query).fetchone()
    return dict(zip(columns, row or (), strict=True))


def _around(
    connection: duckdb.DuckDBPyConnection, export: intake.Export, columns: Mapping[str, _Column]
) -> _Around:
    """Return which columns are guarded, and which are bare.

    Most are, and are then read without a closer look.
    """
    odd = _counted(connection, export, columns, _IS_ODD)
    likely = {name: columns[name] for name, n in odd.items() if n >= FEWEST_QUOTED}
    guarded = _counted(connection, export, likely, _IS_QUOTED)
    likely = {name: columns[name] for name, n in guarded.items() if n >= FEWEST_QUOTED}
    filled = _counted(connection, export, likely, "trim({x}) <> ''")
    return _Around(
        frozenset(name for name, n in filled.items() if n == guarded[name]),
        frozenset(name for name, n in odd.items() if not n),
    )


def _emptied(
    counts: dict[str, dict[str, int]], columns: Mapping[str, _Column], always: frozenset[str]
) -> dict[str, dict[str, int]]:
    """Return the tokens that empty cells.

    In a column of names no bare word but one that empties others.
    """
    words = {
        token for name, tokens in counts.items() if not columns[name].is_name for token in tokens
    }

    def is_empty(name: str, token: str) -> bool:
        plain = token.lower()
        return not columns[name].is_name or plain in always or plain not in WORDS or token in words

    return {
        name: {t: n for t, n in tokens.items() if is_empty(name, t)}
        for name, tokens in counts.items()
    }


def _applied(
    field: reading.MappedColumn, emptied: Mapping[str, Mapping[str, int]], around: _Around
) -> reading.MappedColumn:
    names = [s.strip().casefold() for s in filter(None, (field.source, *field.also))]
    if not names:
        return field
    field = field._replace(is_bare=around.bare.issuperset(names))
    if field.name in JUDGED_BY_RULE:
        return field
    values = dict(field.values)
    tokens = dict.fromkeys(t for name in names for t in emptied.get(name, {}) if t not in values)
    return field._replace(blanks=tuple(tokens), is_quoted=bool(around.quoted.intersection(names)))


def _notes(export: intake.Export, emptied: Mapping[str, Mapping[str, int]]) -> list[str]:
    columns: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for cell in export.header:
        for token, n in emptied.get(cell.strip().casefold(), {}).items():
            columns.setdefault(token, []).append(cell)
            counts[token] = counts.get(token, 0) + n
    return [
        f"{token}: {counts[token]:,} cells are missing ({', '.join(columns[token])})"
        for token in columns
    ]


DIFFERENCES = (
    "count(*) filter (a is not null and b is not null)",
    "count(*) filter (a <> b)",
    "min_by(source_row, source_row, 3) filter (a <> b)",
)


def _disagreement(connection: duckdb.DuckDBPyConnection, export: intake.Export) -> str | None:
    """Say where a lookup and its parent's Id name two different records.

    Nothing where they agree.
    """
    places = {name.strip().casefold(): f"t.c{i}" for i, name in enumerate(export.header)}
    for layout in export.layouts:
        for field in layout.fields:
            for other in field.also:
                sql = [
                    parsers.PARSERS[field.parser].sql.replace(
                        "{x}", parsers.text_sql(single, places)
                    )
                    for single in (field._replace(also=()), field._replace(source=other, also=()))
                ]
                pairs = query_text(
                    ["source_row", f"{sql[0]} as a", f"{sql[1]} as b"],
                    f"{quote_identifier(export.text_table)} t",
                )
                row = connection.execute(query_text(DIFFERENCES, f"({pairs})")).fetchone()
                if row and row[1]:
                    return (
                        f"its columns {field.source} and {other} name the same record, but differ "
                        f"in {row[1]:,} of "
                        f"{row[0]:,} rows (rows {', '.join(map(str, row[2]))}): remove the one that is wrong"
                    )
    return None


def without_blanks(
    connection: duckdb.DuckDBPyConnection, intake: intake.Intake, own: Mapping[str, Any]
) -> intake.Intake:
    """Return the intake in which each column's words for an empty cell count as empty.

    `own`: what the dataset's field map says under ``[reading]``, where ``missing`` lists further
    texts and ``not_missing`` those that are values after all.  A file whose lookups contradict each
    other is refused.
    """
    exports, refusals = [], list(intake.refusals)
    for export in intake.exports:
        own_hints = notation.reading_hints(own, export.file, "fields.toml")
        always = frozenset(text.strip().lower() for text in own_hints.missing)
        words_that_mean = {text.strip().lower() for text in own_hints.not_missing}
        wanted = sorted({*WORDS, *MARKS, *always} - words_that_mean)
        columns = _columns(export)
        around = _around(connection, export, columns)
        emptied = _emptied(
            _tokens(connection, export, columns, wanted, around.bare), columns, always
        )
        layouts = tuple(
            e._replace(fields=tuple(_applied(f, emptied, around) for f in e.fields))
            for e in export.layouts
        )
        studied = export._replace(layouts=layouts, notes=(*export.notes, *_notes(export, emptied)))
        if problem := _disagreement(connection, studied):
            refusals.append(Refusal(export.file, problem, export.tables))
            connection.execute(f"drop table {quote_identifier(export.text_table)}")
            continue
        exports.append(studied)
    files = {export.file for export in exports}
    broken = [line for line in intake.broken_lines if line.file in files]
    return intake._replace(exports=exports, refusals=refusals, broken_lines=broken)
