"""Whether a team logged, and whether a jump in its hours is a jump in logging.

Selling more does not make a team log more internal meetings.  So a quarter in which logging was
switched on or off, a kind of entry came or went, or entries of other work jumped along with those
of selling, is marked: its hours do not compare with the quarter before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import duckdb

COVERAGE_JUMP = 0.2  # change of the share of working days logged
ENTRIES_JUMP = 1.25  # ratio of entries per logged week, selling and other work alike
KIND_SHARE = 0.05  # of a team's entries, from which a kind is one that the team logs
SQL = read_statements(__name__)


def make_team_logging(connection: duckdb.DuckDBPyConnection, minimum_logged_share: float) -> None:
    """Make ``team_logging``: a row a team and quarter with reps; needs ``timed_stretches``."""
    limits = {
        "coverage_jump": COVERAGE_JUMP,
        "entries_jump": ENTRIES_JUMP,
        "kind_share": KIND_SHARE,
        "minimum": minimum_logged_share,
    }
    connection.execute(SQL["team_logging"], limits)
