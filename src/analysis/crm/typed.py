"""All exports of a table → one typed table, its rows counted as they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.crm import parse
from analysis.crm.engine import identifier
from analysis.schema import SQL_TYPES, TABLES, CrmDataError

if TYPE_CHECKING:
    import duckdb

    from analysis.crm import mapping, read
    from analysis.schema import Kind


def sources(intake: read.Intake, table: str) -> list[tuple[read.Export, mapping.Export]]:
    """Return the exports that fill `table`, fallbacks only where nothing else does."""
    found = [(e, layout) for e in intake.exports for layout in e.layouts if layout.table == table]
    first_hand = [pair for pair in found if not pair[1].is_fallback and pair[0].n_rows]
    return first_hand or found


def table(connection: duckdb.DuckDBPyConnection, intake: read.Intake, name: str, work: dict[str, Kind]) -> int:
    """Make the typed table ``parsed_<name>`` of all its exports; return its number of rows in."""
    kept = TABLES[name]
    columns = {c.name: c.kind for c in kept.columns if c.name not in ("source_file", "source_row", "flagged_by")} | work
    required = {c.name for c in kept.columns if c.is_required}
    selects, n_in = [], 0
    for export, layout in sources(intake, name):
        unknown = [f.name for f in layout.fields if f.name not in columns]
        if unknown:
            raise CrmDataError(
                f"{name}: the map {layout.map_name} fills {', '.join(unknown)}, which neither the table nor its rules know. "
                f"Name a column of data/README.md, or add it under [work] in rules/{name}.toml."
            )
        selects.append(parse.table_sql(export.text_table, export.file, export.header, layout.fields, columns, required))
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
    connection.execute(
        f"create or replace temp table {identifier('parsed_' + name)} as {' union all by name '.join([nothing, *selects])}"
    )
    return n_in
