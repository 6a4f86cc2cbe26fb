"""SQL that follows from what a map, a rulebook or a table says of its columns.

What can be written down stands in ``.sql`` files beside its module.  Here is the one place where
the expressions of fields and rules are put together to statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.database import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb


def named_columns(expressions: Mapping[str, str]) -> list[str]:
    """Return each expression with the name of its column."""
    return [f"({sql}) as {quote_identifier(name)}" for name, sql in expressions.items()]


def query_text(
    columns: Iterable[str], source: str, *, where: str = "true", order: Iterable[str] = ()
) -> str:
    """Return the query of `columns` over the rows of `source`, a table or a query in brackets."""
    query = f"select {', '.join(columns)} from {source} where {where}"
    return " order by ".join([query, *([", ".join(order)] if order else [])])


def create_table(
    connection: duckdb.DuckDBPyConnection, name: str, query: str, *, is_temporary: bool = False
) -> None:
    """Make a table of a query's rows, in place of one that is called so."""
    kind = "temp table" if is_temporary else "table"
    connection.execute(f"create or replace {kind} {quote_identifier(name)} as {query}")


def create_view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Make a temporary view of a query, in place of one that is called so."""
    connection.execute(f"create or replace temp view {quote_identifier(name)} as {query}")
