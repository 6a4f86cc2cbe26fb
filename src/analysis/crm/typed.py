"""All exports of a table → one typed table, its rows counted as they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from analysis.columns import SQL_TYPES
from analysis.crm import mapping, own_maps, parse
from analysis.crm.engine import identifier
from analysis.schema import TABLES, OwnMapError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.columns import Kind
    from analysis.crm import evidence, read
    from analysis.crm.reading import Reading


def sources(intake: read.Intake, table: str) -> list[tuple[read.Export, mapping.Export]]:
    """Return the exports that fill `table`, fallbacks only where nothing else does."""
    found = [(e, layout) for e in intake.exports for layout in e.layouts if layout.table == table]
    first_hand = [pair for pair in found if not pair[1].is_fallback and pair[0].n_rows]
    return first_hand or found


def lookups(connection: duckdb.DuckDBPyConnection, intake: read.Intake, known: list[mapping.Export]) -> None:
    """Make each lookup of the maps a table of texts, empty where no file fills it.

    What an export calls by an id of its own, such as a stage, is looked up by the SQL of another export's columns.
    """
    names = {layout.lookup: layout.fields for layout in known if layout.lookup}
    for name, fields in names.items():
        nothing = ", ".join(f"null::varchar as {identifier(f.name)}" for f in fields)
        selects = [f"select {nothing} where false"]
        for export in intake.exports:
            cells = {column.strip().casefold(): f"c{i}" for i, column in enumerate(export.header)}
            selects += [
                "select "
                + ", ".join(f"({parse.text_sql(f, cells)})::varchar as {identifier(f.name)}" for f in layout.fields)
                + f" from {identifier(export.text_table)}"
                for layout in export.layouts
                if layout.lookup == name
            ]
        connection.execute(f"create or replace temp table {identifier(name)} as {' union all by name '.join(selects)}")


def table(
    connection: duckdb.DuckDBPyConnection,
    intake: read.Intake,
    name: str,
    work: dict[str, Kind],
    readings: Mapping[str, Mapping[evidence.Key, Reading]],
) -> int:
    """Make the typed table ``parsed_<name>`` of all its exports; return its number of rows in.

    `readings` says by file what `evidence.study` decided.
    """
    kept = TABLES[name]
    columns = {c.name: c.kind for c in kept.columns if c.name not in ("source_file", "source_row", "flagged_by")} | work
    required = {c.name for c in kept.columns if c.is_required}
    selects, n_in = [], 0
    for export, layout in sources(intake, name):
        unknown = [f.name for f in layout.fields if f.name not in columns]
        if unknown:
            raise OwnMapError(
                f"{name}: the map {layout.map_name} fills {', '.join(unknown)}, which neither the table nor its rules know. "
                f"Name a column of data/README.md, or add it under [work] in rules/{name}.toml."
            )
        selects.append((_select(export, layout.fields, columns, required, readings), export, layout))
        n_in += export.n_rows
        for line in intake.broken_lines:
            if line.file == export.file:
                connection.execute(
                    "insert into set_aside values (?, ?, ?, ?, null, null, ?, null, null)",
                    [name, line.rule, line.file, line.line, line.problem],
                )
    empty = ", ".join(f"null::{SQL_TYPES[kind]} as {identifier(n)}" for n, kind in columns.items())
    nothing = (
        f"select {empty}, ''::varchar as source_file, 0::bigint as source_row, 0::ubigint as row_hash, "
        '[]::struct("column" varchar, rule varchar, "text" varchar)[] as unreadable where false'
    )
    parsed = identifier("parsed_" + name)
    connection.execute(f"create or replace temp table {parsed} as {nothing}")
    for (
        select,
        export,
        layout,
    ) in selects:  # one export after another: memory stays that of the largest, however many there are
        try:
            connection.execute(f"insert into {parsed} by name {select}")
        except duckdb.Error as error:
            if not layout.is_own:
                raise
            given = [f for f in layout.fields if f.sql is None]
            trials = [
                (f.name, _select(export, (*given, f), columns, required, readings))
                for f in layout.fields
                if f.sql is not None
            ]
            column, why = own_maps.sql_at_fault(connection, trials, error)
            raise OwnMapError(
                f"{mapping.OWN_MAP}: export {layout.object_name}: {f'column {column}: its sql' if column else 'it'} "
                f"cannot be run on {export.file}: {why}. SQL may use the columns of the export that are mapped with from, "
                "and the lookups of the maps."
            ) from None
    return n_in


def _select(
    export: read.Export,
    fields: tuple[mapping.Field, ...],
    columns: dict[str, Kind],
    required: set[str],
    readings: Mapping[str, Mapping[evidence.Key, Reading]],
) -> str:
    """Return the SELECT that types one export by `fields` of its layout."""
    known = tuple(f for f in fields if f.name in columns)
    return parse.table_sql(
        export.text_table, export.file, export.header, known, columns, required, readings[export.file]
    )
