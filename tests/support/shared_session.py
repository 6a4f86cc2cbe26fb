"""One database for tests that ask it little: opening one costs more than most of their questions."""

from __future__ import annotations

import atexit
import contextlib
import functools
from typing import TYPE_CHECKING

from analysis.sources import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(database.open_session())


@contextlib.contextmanager
def undone_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the database within a transaction: what is made there is undone at its end, variables aside."""
    connection = _database()
    connection.begin()
    try:
        yield connection
    finally:
        connection.rollback()
