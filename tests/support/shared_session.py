"""One database for tests that ask it little: opening one costs more than most of their questions."""

from __future__ import annotations

import atexit
import contextlib
import functools
from typing import TYPE_CHECKING

import crm_tables

from analysis.sources import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(database.open_session())


@functools.cache
def _house() -> duckdb.DuckDBPyConnection:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    connection = stack.enter_context(database.open_session())
    crm_tables.stand(connection)
    crm_tables.define(connection)
    return connection


@contextlib.contextmanager
def undone_house() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database in which all clean tables stand empty, and what rules and panels use is defined.

    For tests by the house's own settings: the first that asks defines it for all.  What is made
    there is undone at its end; the variables stand at each beginning as `crm_tables.define` sets them.
    """
    connection = _house()
    connection.begin()
    try:
        database.set_variable(connection, "as_of", crm_tables.AS_OF)
        yield connection
    finally:
        connection.rollback()


def _variables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        name for (name,) in connection.execute("select name from duckdb_variables()").fetchall()
    }


@contextlib.contextmanager
def undone_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the database within a transaction: what is made there is undone at its end, new variables too."""
    connection = _database()
    before = _variables(connection)
    connection.begin()
    try:
        yield connection
    finally:
        connection.rollback()
        for name in _variables(connection) - before:
            connection.execute(f"reset variable {database.quote_identifier(name)}")
