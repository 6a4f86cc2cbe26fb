"""Every day of every rep's employment.

Team, working time, hours, pay, quota and what shifted hours.

A person's past is cut by the history of teams.  A week without any logging is unknown, not zero,
and so is every week of a rep whose source of hours was refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import duckdb

SQL = read_statements(__name__)


def make_employment(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``stays_ever``, ``rep_days``, ``timed_days``, ``timed_stretches``, ``pay_weeks`` and
    ``target``.
    """
    for name in ("employment", "shifted_days", "timed_days", "pay"):
        connection.execute(SQL[name])
