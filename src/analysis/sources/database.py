"""The database that cleaning runs on, embedded, and the few words of SQL every table shares.

Values reach SQL as variables, names through the schema; nothing a CRM says is ever part of a
statement.  Memory is bounded and spills to a temporary folder.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from analysis.project.scratch_folder import scratch_folder
from analysis.sources.cells import dates, month_names, numbers
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MEMORY_LIMIT = (
    "2500MB"  # beside what the process itself takes: ten million activities stay within 3 GiB
)
SMALL = (
    64 * 2**20
)  # [bytes] of exports: one thread reads them with two thirds of the CPU that several take, as soon

# A list of words that a cell is compared with would become a join: eleven of them in one statement
# take four times as long on a few rows, and as long on many.
UNUSED_OPTIMIZERS = ("in_clause",)
# Of a few rows planning takes all the time: below this many bytes these cost more than they save.
FEW = 2**20
UNUSED_OF_FEW = (
    "common_subplan",
    "statistics_propagation",
    "common_subexpressions",
    "regex_range",
    "sampling_pushdown",
    "build_side_probe_side",
    "reorder_filter",
    "join_filter_pushdown",
    "duplicate_groups",
)

# Blanks that `trim` alone leaves: tabs and line ends, no-break and thin blanks, marks of no width.
BLANKS = (
    " \t\r\n\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
SIGNS = {
    "blanks": BLANKS,
    "odd_signs": month_names.ODD_SIGNS,
    "even_signs": month_names.EVEN_SIGNS,
    "number_signs": numbers.ODD_SIGNS,
}
# A letter of any script as a pattern, as the macro `has_letter` has it.
LETTER = (
    r"[A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1FFF}\x{2C00}-\x{2DFF}"
    r"\x{3005}-\x{10FFFF}]"
)
_BESIDE = r"\s@\x{FF20}<>()\[\]{},;:|"
_DOTS = r".\x{3002}\x{FF0E}\x{FF61}"
DOMAIN = f"[^{_BESIDE}{_DOTS}]+(?:[{_DOTS}][^{_BESIDE}{_DOTS}]+)+"
SQL = read_statements(__name__)


@contextmanager
def open_session(
    n_bytes: int = 0, *, has_macros: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory for one dataset of `n_bytes`.

    Closed and cleared away at the end.  Without macros it only copies, and is there at once.
    """
    with scratch_folder() as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": str(spill),
            "memory_limit": MEMORY_LIMIT,
        }
        unused: tuple[str, ...] = UNUSED_OPTIMIZERS
        if n_bytes <= SMALL:
            config["threads"] = 1
        if n_bytes <= FEW:
            unused += UNUSED_OF_FEW
        connection = duckdb.connect(config=config)
        try:
            connection.execute(  # a log is no place for a bar
                "set timezone = 'UTC'; set enable_progress_bar = false; "
                f"set disabled_optimizers = '{','.join(unused)}'"
            )
            if has_macros:
                for name, signs in SIGNS.items():
                    set_variable(connection, name, signs)
                connection.execute(SQL["macros"])
                for cells in (dates, month_names, numbers):
                    connection.execute(cells.SQL["macros"])
            yield connection
        finally:
            connection.close()


def confine_session(connection: duckdb.DuckDBPyConnection, output: Path | None) -> None:
    """Let later statements write to the folder `output` alone, read no other file, and change no
    setting.

    To be called when every export is read, before any SQL of a dataset's own is run.
    """
    folders = [] if output is None else [str(output)]
    listed = ", ".join(quote_literal(folder) for folder in folders)
    connection.execute(
        f"set allowed_directories = [{listed}]; set python_enable_replacements = false; "
        "set enable_external_access = false; set lock_configuration = true"
    )


def set_variable(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    value: str | float | dt.date | list[str] | None,
) -> None:
    """Make `value` readable in SQL as ``getvariable('<name>')``."""
    connection.execute(f"set variable {quote_identifier(name)} = $value", {"value": value})


def set_map(
    connection: duckdb.DuckDBPyConnection, name: str, entries: Mapping[str, Sequence[str]]
) -> None:
    """Make lists of texts by a text readable in SQL as ``getvariable('<name>')[<text>]``."""
    connection.execute(
        f"set variable {quote_identifier(name)} = map($keys::varchar[], $values::varchar[][])",
        {"keys": list(entries), "values": [list(v) for v in entries.values()]},
    )


def insert_rows(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]
) -> None:
    """Append `rows` to a table in one statement, since one statement a row is slow."""
    if rows:
        columns = ", ".join("unnest(?)" for _ in rows[0])
        connection.execute(
            f"insert into {quote_identifier(table)} select " + columns,
            [list(c) for c in zip(*rows, strict=True)],
        )


def replace_values(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    """Write the new value over each old one of the table ``new_values`` in a column."""
    name = quote_identifier(column)
    holds = f"select 1 from {quote_identifier(table)} where {name} is not null limit 1"
    if connection.execute(holds).fetchone() is None:
        return  # nothing can be written over a column that is only declared
    connection.execute(
        f"update {quote_identifier(table)} set {name} = new_value from new_values "
        f"where {name} = old_value"
    )


def has_row(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return whether a table has any row."""
    query = "select 1 from query_table($table) limit 1"
    return connection.execute(query, {"table": table}).fetchone() is not None


def count_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return how many rows a table has."""
    query = "select count(*) from query_table($table)"
    row = connection.execute(query, {"table": table}).fetchone()
    return int(row[0]) if row else 0


def quote_identifier(name: str) -> str:
    """Return `name` quoted as a name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return `text` quoted as a text constant (for settings; CRM text never comes here)."""
    return "'" + text.replace("'", "''") + "'"
