"""What happened to opportunities, each event with the rep and team of its day.

A deal closed counts for whom it counted on the close date, a deal created for who created it: the
first to move its stage where that is known, since the owner is only today's.  The team is that
person's on the day; who was in none is "unassigned", so teams sum to the company.

The money of a deal won follows its revenue split where there is one that is whole: each share goes
to its rep, and to the rep's team, in cents that sum to the deal's.  The deal itself is counted
once, for whom it closed.  Of several splits none of which is called revenue, none is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements
from analysis.tables.panel_tables import UNASSIGNED

if TYPE_CHECKING:
    import duckdb

SQL = read_statements(__name__)


def make_deals(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``shares``, ``deals`` (a row an event within the data), ``rerouted`` and ``won_deals``.

    Needs ``stays_ever`` and ``quarters``.
    """
    unassigned = {"unassigned": UNASSIGNED}
    connection.execute(SQL["shares"])
    connection.execute(SQL["creators"])
    connection.execute(SQL["deal_events"], unassigned)
    connection.execute(SQL["deals"])
    connection.execute(SQL["rerouted"], unassigned)
    connection.execute(SQL["won_deals"])
