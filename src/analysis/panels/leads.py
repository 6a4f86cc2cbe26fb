"""How many leads reached which stage, by the team of their owner on that day.

The owner is today's: CRMs keep no other.  Without any lead the counts are unknown, not zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import duckdb

SQL = read_statements(__name__)


def make_lead_steps(connection: duckdb.DuckDBPyConnection, unassigned: str) -> None:
    """Make ``funnel``: a row a team and quarter with a count of each step.

    Needs ``stays_ever`` and ``quarters``.
    """
    connection.execute(SQL["funnel"], {"unassigned": unassigned})
