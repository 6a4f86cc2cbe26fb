"""All exports of a table → one typed table, its rows counted as they came in."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from analysis.project.errors import OwnMapError
from analysis.sources import field_maps, own_maps, own_sql
from analysis.sources.cells import parsers, reading
from analysis.sources.composed_sql import (
    create_empty_table,
    create_table,
    named_columns,
    query_text,
)
from analysis.sources.database import quote_identifier
from analysis.sources.files.text_table import Refusal
from analysis.sources.sql_files import read_statements
from analysis.tables.canonical import TABLES
from analysis.tables.columns import SQL_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.sources import intake
    from analysis.sources.cells import notation
    from analysis.sources.cells.reading import Reading
    from analysis.tables import rulebook
    from analysis.tables.columns import Kind

SQL = read_statements(__name__)
OF_EACH_ROW = {
    "source_file": "varchar",
    "source_row": "bigint",
    "row_hash": "ubigint",
    "unreadable": 'struct("column" varchar, rule varchar, "text" varchar)[]',
}
# Tables into whose columns a later step writes what no export says.
WRITTEN_LATER = (
    "opportunities",
    "rep_team_history",
    "compensation",
    "leads",
    "lead_status_history",
)
FEWEST_UNREAD = 3  # fewer cells that nothing reads are slips, whatever their share
# A larger share of cells that nothing reads says that the column's notation is not known: what is
# lost with them is no sample of the rows, but a month, a country or a currency.  Slips in dates,
# which machines write, are rarer.
MOST_UNREAD = {"unreadable_date": 0.01, "unreadable_timestamp": 0.01, "unreadable_number": 0.05}
LONGEST_DATE = 50


def table_sources(
    intake: intake.Intake, table: str
) -> list[tuple[intake.Export, field_maps.ExportLayout]]:
    """Return the exports that fill `table`, fallbacks only where nothing else does."""
    pairs = [(e, layout) for e in intake.exports for layout in e.layouts if layout.table == table]
    first_hand = [pair for pair in pairs if not pair[1].is_fallback and pair[0].n_rows]
    return first_hand or pairs


def make_lookups(
    connection: duckdb.DuckDBPyConnection,
    intake: intake.Intake,
    layouts: list[field_maps.ExportLayout],
) -> None:
    """Make each lookup of the maps a table of texts, empty where no file fills it.

    What an export calls by an id of its own, such as a stage, is looked up by the SQL of another
    export's columns.
    """
    names = {layout.lookup: layout.fields for layout in layouts if layout.lookup}
    of_house = {layout.lookup for layout in layouts if not layout.is_own}
    for name, fields in names.items():
        table = name if name in of_house else f"lookup {name}"
        nothing = [f"null::varchar as {quote_identifier(f.name)}" for f in fields]
        selects = [query_text(nothing, "range(0)")]
        for export in intake.exports:
            cells = {column.strip().casefold(): f"c{i}" for i, column in enumerate(export.header)}
            source = quote_identifier(export.text_table)
            for layout in export.layouts:
                if layout.lookup == name:
                    texts = {
                        f.name: f"{parsers.text_sql(f, cells)}::varchar" for f in layout.fields
                    }
                    selects.append(query_text(named_columns(texts), source))
        create_table(connection, table, " union all by name ".join(selects), is_temporary=True)
        first, *others = fields
        for field in others:  # names with blanks: no column of an export's own can be meant by them
            function = own_sql.look_up_function(name, field.name)
            connection.execute(
                f'create or replace temp macro {quote_identifier(function)}("looked up") as (select max("its value") '
                f'from (select {quote_identifier(first.name)} as "its key", {quote_identifier(field.name)} as "its value" '
                f'from {quote_identifier(table)}) where "its key" = "looked up")'
            )


def make_typed_table(
    connection: duckdb.DuckDBPyConnection,
    intake: intake.Intake,
    name: str,
    work: dict[str, Kind],
    readings: Mapping[str, Mapping[notation.Key, Reading]],
) -> int:
    """Make the typed table ``parsed_<name>`` of all its exports; return its number of rows in.

    `readings` says by file what `notation.study_columns` decided.
    """
    canonical = TABLES[name]
    columns = {
        c.name: c.kind
        for c in canonical.columns
        if c.name not in ("source_file", "source_row", "flagged_by")
    } | work
    required = {c.name for c in canonical.columns if c.is_required}
    filled = _filled_columns(intake, name, columns)
    selects, n_in = [], 0
    for export, layout in table_sources(intake, name):
        unknown = [f.name for f in layout.fields if f.name not in columns]
        if unknown:
            raise OwnMapError(  # of a map of the house: a dataset's own was looked through before
                f"{name}: the map {layout.map_name} fills {', '.join(unknown)}, which neither the table nor its rules know. "
                f"Name a column of data/README.md, or add it under [work] in canonical_tables/{name}.toml."
            )
        selects.append((_select(export, layout.fields, filled, required, readings), export, layout))
        n_in += export.n_rows
        for line in intake.broken_lines:
            if line.file == export.file:
                connection.execute(
                    "insert into set_aside values (?, ?, ?, ?, null, null, ?, null, null)",
                    [name, line.rule, line.file, line.line, line.problem],
                )
    parsed = "parsed_" + name
    types = {name: SQL_TYPES[kind] for name, kind in columns.items()}
    create_empty_table(
        connection,
        parsed,
        types | OF_EACH_ROW,
        is_temporary=True,
        blank=columns.keys() - filled.keys(),
    )
    for (
        select,
        export,
        layout,
    ) in (
        selects
    ):  # one export after another: memory stays that of the largest, however many there are
        try:
            connection.execute(f"insert into {quote_identifier(parsed)} by name " + select)
        except duckdb.Error as error:
            if not layout.is_own:
                raise
            mapped = [f for f in layout.fields if f.sql is None]
            trials = [
                (f.name, _select(export, (*mapped, f), filled, required, readings))
                for f in layout.fields
                if f.sql is not None
            ]
            column, why = own_maps.sql_at_fault(connection, trials, error)
            raise OwnMapError(
                f"{field_maps.OWN_MAP}: export {layout.object_name}: "
                f"{f'column {column}: its sql' if column else 'it'} cannot be run on "
                f"{export.file}: {why}. SQL may use the columns of the export that are mapped with "
                "from, and the lookups of the maps."
            ) from None
    return n_in


def _filled_columns(intake: intake.Intake, name: str, columns: dict[str, Kind]) -> dict[str, Kind]:
    """Return the columns of a table that an export or a later step may write to."""
    sources = table_sources(intake, name)
    if name in WRITTEN_LATER or not sources:
        return columns
    mapped = {f.name for _, layout in sources for f in layout.fields} | {"currency"}
    return {column: kind for column, kind in columns.items() if column in mapped}


def _select(
    export: intake.Export,
    fields: tuple[reading.MappedColumn, ...],
    columns: dict[str, Kind],
    required: set[str],
    readings: Mapping[str, Mapping[notation.Key, Reading]],
) -> str:
    """Return the SELECT that types one export by `fields` of its layout."""
    present = tuple(f for f in fields if f.name in columns)
    return parsers.table_sql(
        export.text_table,
        export.file,
        export.header,
        present,
        columns,
        required,
        readings[export.file],
    )


def all_tables(
    connection: duckdb.DuckDBPyConnection,
    intake: intake.Intake,
    layouts: list[field_maps.ExportLayout],
    books: Mapping[str, rulebook.Rulebook],
    readings: Mapping[str, Mapping[notation.Key, Reading]],
) -> tuple[intake.Intake, dict[str, int]]:
    """Make every typed table and count its rows in.

    Files with a column that is largely unread are refused.
    """
    while True:
        connection.execute("delete from set_aside")  # so far it holds broken lines alone
        make_lookups(connection, intake, layouts)
        n_in = {
            name: make_typed_table(connection, intake, name, book.work, readings)
            for name, book in books.items()
        }
        refused = _unread_files(connection, intake, [name for name in books if n_in[name]])
        if not refused:
            _teams_of_users(connection, intake, books["rep_team_history"].work, readings)
            return intake, n_in
        files = {one.file for one in refused}
        for export in intake.exports:
            if export.file in files:
                connection.execute(f"drop table {quote_identifier(export.text_table)}")
        intake = intake._replace(
            exports=[e for e in intake.exports if e.file not in files],
            refusals=[*intake.refusals, *refused],
            broken_lines=[line for line in intake.broken_lines if line.file not in files],
        )


def _teams_of_users(
    connection: duckdb.DuckDBPyConnection,
    intake: intake.Intake,
    work: dict[str, Kind],
    readings: Mapping[str, Mapping[notation.Key, Reading]],
) -> None:
    """Make the table ``teams_of_users``.

    The team that a users' export names, where stays come from another file.
    """
    table = TABLES["rep_team_history"]
    columns = {
        c.name: c.kind
        for c in table.columns
        if c.name not in ("source_file", "source_row", "flagged_by")
    } | work
    used = table_sources(intake, table.name)
    connection.execute(
        "create or replace temp table teams_of_users (rep_id varchar, team_id varchar)"
    )
    for export in intake.exports:
        for layout in export.layouts:
            if layout.table == table.name and (export, layout) not in used:
                select = _select(export, layout.fields, columns, set(), readings)
                team_ids = query_text(["rep_id", "team_id"], f"({select})")
                connection.execute("insert into teams_of_users " + team_ids)


class _Unread(NamedTuple):
    """Cells of one column of one file that nothing reads: how many, and the first of them."""

    file: str
    column: str
    rule: str
    n_cells: int
    lines: list[int]
    texts: list[str]


def _unread_files(
    connection: duckdb.DuckDBPyConnection, intake: intake.Intake, names: list[str]
) -> list[Refusal]:
    """Return a refusal for each file of which a column's notation is not known, its first such
    column named.
    """
    refused: dict[str, Refusal] = {}
    layouts = {(e.file, layout.table): layout for e in intake.exports for layout in e.layouts}
    for name in names:
        parsed = {"parsed": "parsed_" + name}
        if connection.execute(SQL["has_unread"], parsed).fetchone() is None:
            continue  # most have none, and nothing is counted
        rows = connection.execute(SQL["unread"], {**parsed, "fewest": FEWEST_UNREAD}).fetchall()
        for one in map(_Unread._make, rows):
            if one.rule not in MOST_UNREAD or one.file in refused:
                continue
            (n_read,) = connection.execute(
                SQL["cells_read"], {**parsed, "name": one.column, "file": one.file}
            ).fetchone() or (0,)
            n_cells = n_read + one.n_cells
            if one.n_cells > MOST_UNREAD[one.rule] * n_cells:
                layout = layouts[one.file, name]
                source = next(
                    (f.source for f in layout.fields if f.name == one.column and f.source),
                    one.column,
                )
                refused[one.file] = Refusal(
                    one.file, _unread_sentence(one, source, n_cells), (name,)
                )
    return list(refused.values())


def _unread_sentence(unread: _Unread, column: str, n_cells: int) -> str:
    what = "numbers" if unread.rule == "unreadable_number" else "dates or times"
    examples = (
        []
        if what == "numbers"
        else [_spelt_out(t) for t in sorted(unread.texts) if _looks_like_date(t)][:3]
    )
    where = (
        f"such as {', '.join(examples)}"
        if examples
        else f"in lines {', '.join(map(str, unread.lines))}"
    )
    return (
        f"its column {column} holds {unread.n_cells:,} of {n_cells:,} {what} in a form that "
        f"nothing here reads ({where}); save it in one notation, or say under missing in the "
        "dataset's fields.toml which texts stand for no value"
    )


def _looks_like_date(text: str) -> bool:
    """Return whether a text may be shown: a date with a word or two, no sentence and no address."""
    n_digits = sum(c.isdigit() for c in text)
    return (
        len(text) <= LONGEST_DATE and n_digits >= 3 and "@" not in text and len(text.split()) <= 6
    )


def _spelt_out(text: str) -> str:
    """Return a text in quotes, blanks and marks that do not show by their names."""
    odd = {
        c: f"<U+{ord(c):04X} {unicodedata.name(c, 'without a name')}>"
        for c in text
        if not _is_plain(c)
    }
    return '"' + "".join(odd.get(c, c) for c in text) + '"'


def _is_plain(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "ZC"
