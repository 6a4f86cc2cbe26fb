"""SQL composed from what a map, a rulebook or a table declares of its columns.

What can be written down stands in ``.sql`` files beside its module.  Here is the one place where
the expressions of fields and rules are put together to statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.database import quote_identifier
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    import duckdb

SQL = read_statements(__name__)


def named_columns(expressions: Mapping[str, str]) -> list[str]:
    """Return each expression with the name of its column."""
    return [f"({sql}) as {quote_identifier(name)}" for name, sql in expressions.items()]


def query_text(
    columns: Iterable[str], source: str, *, where: str = "", order: Iterable[str] = ()
) -> str:
    """Return the query of `columns` over the rows of `source`, a table or a query in brackets."""
    query = f"select {', '.join(columns)} from {source}"
    if where:
        query += f" where {where}"
    return " order by ".join([query, *filter(None, [", ".join(order)])])


def create_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    query: str,
    values: Mapping[str, object] | None = None,
    *,
    is_temporary: bool = False,
) -> None:
    """Make a table from a query's rows, replacing one of the same name."""
    kind = "temp table" if is_temporary else "table"
    connection.execute(f"create or replace {kind} {quote_identifier(name)} as {query}", values)


def create_empty_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    types: Mapping[str, str],
    *,
    is_temporary: bool = False,
    blank: Collection[str] = (),
) -> None:
    """Make an empty table of columns and types, replacing one of the same name.

    Those of `blank` hold nothing and cannot be written: they take no memory, and a condition on
    them is decided before a row is read.
    """
    kind = "temp table" if is_temporary else "table"
    columns = ", ".join(
        f"{quote_identifier(name)} {sql}{' generated always as (null)' if name in blank else ''}"
        for name, sql in types.items()
    )
    connection.execute(f"create or replace {kind} {quote_identifier(name)} ({columns})")


def blank_columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return the columns of a temporary table that always hold nothing (see `create_empty_table`),
    with their types.
    """
    return dict(connection.execute(SQL["blank_columns"], {"table": table}).fetchall())


def create_view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Make a temporary view of a query, replacing one of the same name."""
    connection.execute(f"create or replace temp view {quote_identifier(name)} as {query}")


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write a query's rows to a file of Parquet."""
    statement = f"copy ({query}) to $file (format parquet, compression zstd)"
    connection.execute(statement, {"file": str(file)})
