"""What the checks read: the clean tables and panels in the database, the account of the pass, the
settings.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier
from analysis.sources.sql_files import read_statements
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb
    import pandas as pd

    from analysis.cleaning.pipeline import Audit
    from analysis.cleaning.plausibility.questions import Bearing
    from analysis.project.settings import Settings
    from analysis.tables.columns import Column

SQL = read_statements(__name__)
N_EXAMPLES = 3


@dataclass(frozen=True)
class Dataset:
    """A company's cleaned tables, while they stand in the database.

    ``activity_days`` counts the activities that begin on a day, by kind: a row a day and kind.
    """

    connection: duckdb.DuckDBPyConnection
    account: Audit
    house: Settings

    def __post_init__(self) -> None:
        """Count activities by day, once for all checks: a day in a zone is dear to tell."""
        self.connection.execute(SQL["activity_days"])

    @property
    def n_in(self) -> dict[str, int]:
        """Return how many rows came in for each table."""
        return {t.table: t.n_in for t in self.account.tables}

    @property
    def n_clean(self) -> dict[str, int]:
        """Return how many rows of each table are clean."""
        return {t.table: t.n_clean for t in self.account.tables}

    def has(self, *tables: str) -> bool:
        """Return whether each of these tables has a clean row."""
        n_clean = self.n_clean
        return all(n_clean.get(table, 0) for table in tables)

    def filled(self, table: str, column: str) -> int:
        """Return how many cells of a column are filled."""
        return next((t.columns.get(column, 0) for t in self.account.tables if t.table == table), 0)

    def columns(self, table: str) -> tuple[Column, ...]:
        """Return the columns of a table."""
        return TABLES[table].columns

    def frame(self, query: str, values: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Return the rows of a query."""
        return self.connection.execute(query, dict(values or {})).df()

    def rows(self, query: str, values: Mapping[str, object] | None = None) -> Iterator[Any]:
        """Yield the rows of a query, each with its columns as attributes."""
        done = self.connection.execute(query, dict(values or {}))
        row = namedtuple("row", [name for name, *_ in done.description])  # type: ignore[misc]  # noqa: PYI024
        yield from map(row._make, done.fetchall())

    def row(self, query: str, values: Mapping[str, object] | None = None) -> tuple[Any, ...]:
        """Return the one row of a query."""
        values_of_row = self.connection.execute(query, dict(values or {})).fetchone()
        if values_of_row is None:
            raise AssertionError(f"a query without an answer: {query}")
        return tuple(values_of_row)

    def examples(self, query: str, values: Mapping[str, object] | None = None) -> tuple[str, ...]:
        """Return up to three texts of a query's first column."""
        rows = self.connection.execute(query, dict(values or {})).fetchmany(N_EXAMPLES)
        return tuple(str(value) for (value, *_) in rows)

    def odd_share(
        self,
        check: str,
        bearing: Bearing,
        table: str,
        *,
        odd: str,
        among: str,
        sentence: str,
        source: str | None = None,
        key: str | None = None,
    ) -> CheckReading:
        """Return the share of a table's rows that are `odd`, of those that can be judged.

        Parameters
        ----------
        odd, among : SQL conditions over the rows of `source`
        sentence : of ``{}``, "k of n"
        source : where the rows stand; the table itself unless said
        key : the column that names a row, for three examples
        """
        rows = source or quote_identifier(table)
        counts = [f"count(*) filter ({odd})", "count(*)"]
        n_odd, n = self.row(query_text(counts, rows, where=among))
        named: tuple[str, ...] = ()
        if n_odd and key:
            named = self.examples(
                query_text([key], rows, where=f"{among} and ({odd})", order=("1",))
            )
        return CheckReading(
            check,
            bearing,
            share_of(n_odd, n),
            n,
            sentence.format(f"{n_odd:,} of {n:,}"),
            table,
            named,
            n_odd,
        )
