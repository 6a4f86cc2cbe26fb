"""The result of reading a file: a table of texts in the database, and its unreadable lines.

Any file but a CSV arrives as rows of texts, one after the other; they go through Parquet in
batches, so that no file has to fit into memory.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from analysis.project.scratch_folder import scratch_folder
from analysis.sources.composed_sql import create_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

BATCH_ROWS = 20_000
MOST_COLUMNS = 5_000
Row = tuple[int, "Sequence[str | None]"]  # the row's number in its file, and its cells


class BrokenLine(NamedTuple):
    """A line of an export that is not a row of it, and the rule it breaks."""

    file: str
    line: int
    problem: str
    rule: str = "unreadable_line"


class Refusal(NamedTuple):
    """A file that was not understood, and why."""

    file: str
    reason: str
    tables: tuple[str, ...] = ()  # that it would fill, or comes nearest to


def store_texts(
    connection: duckdb.DuckDBPyConnection, table: str, width: int, rows: Iterable[Row]
) -> None:
    """Make the table ``source_row``, ``c0``, ``c1``.

    Of rows of texts, each cut or filled up to `width`.
    """
    names = [f"c{i}" for i in range(width)]
    schema = pa.schema([("source_row", pa.int64()), *((n, pa.string()) for n in names)])
    rows = iter(rows)
    with scratch_folder() as folder:
        file = folder / "rows.parquet"
        with parquet.ParquetWriter(file, schema) as writer:
            while batch := list(itertools.islice(rows, BATCH_ROWS)):
                cells = [[*row[:width], *[None] * (width - len(row))] for _, row in batch]
                columns = [[n for n, _ in batch], *([c[i] for c in cells] for i in range(width))]
                writer.write_table(pa.table(columns, schema=schema))
        create_table(connection, table, "select * from read_parquet($file)", {"file": str(file)})


def store_records(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    records: Iterable[tuple[int, dict[str, str | None]]],
) -> list[str]:
    """Make a table of records that need not have the same columns.

    Return the columns as they came up.
    """
    places: dict[str, int] = {}
    records = iter(records)
    with scratch_folder() as folder:
        n_files = 0
        while (batch := list(itertools.islice(records, BATCH_ROWS))) or not n_files:
            for _, record in batch:
                for name in record:
                    places.setdefault(name, len(places))
            if len(places) > MOST_COLUMNS:
                raise ValueError(f"its records have more than {MOST_COLUMNS:,} different fields")
            cells = {
                f"c{i}": pa.array([r.get(name) for _, r in batch], pa.string())
                for name, i in places.items()
            }
            numbers = pa.array([n for n, _ in batch], pa.int64())
            parquet.write_table(
                pa.table({"source_row": numbers} | cells), folder / f"{n_files}.parquet"
            )
            n_files += 1
        create_table(
            connection,
            table,
            "select * from read_parquet($files, union_by_name = true)",
            {"files": [f"{folder}/{n}.parquet" for n in range(n_files)]},
        )
    return list(places)


def n_filled(row: Iterable[str | None]) -> int:
    """Return how many cells of a row hold more than blanks."""
    return sum(1 for cell in row if cell and cell.strip())
