"""Facts that only typed rows hold, measured before cleaning drops them.

They are names, days of change and sources.

Measured right after a table was judged, for `plausibility`: closed deals that stand there a second
time under another id, days on which a CRM noted anything by itself, and meetings that two sources
logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import duckdb

SQL = read_statements(__name__)
STAMPS = ("modified_at", "logged_at")
REPEATED_ENTRIES = ("double_logged", "near_duplicate")


def define_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty tables that `measure_entries` fills.

    ``same_deals``: closed deals that another one agrees with in name, account, amount, date and
    outcome. ``record_stamps``: rows by the day on which they were logged or changed.
    ``repeats_across``: repeats that another source, or the same one at another time, wrote.
    """
    connection.execute(SQL["tables"])


def measure_entries(connection: duckdb.DuckDBPyConnection, table: str, source: str) -> None:
    """Measure a table that was just judged, while its typed rows stand in `source`."""
    there = connection.table(source).columns
    for column in STAMPS:
        if column in there:
            connection.execute(
                SQL["record_stamps"], {"table": table, "name": column, "source": source}
            )
    if table == "opportunities":
        _same_deals(connection, source, has_names="record_name" in there)
    elif table == "activities" and _has_rows(connection, "activities"):
        _repeats_across(connection)


def _has_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return whether a row of a table was judged: ``candidates`` are another's otherwise."""
    return connection.execute(SQL["was_judged"], {"table": table}).fetchone() is not None


def _same_deals(connection: duckdb.DuckDBPyConnection, source: str, *, has_names: bool) -> None:
    """Keep each closed deal beyond the first of those that agree.

    Without a name the account has to be there.
    """
    connection.execute(SQL["no_deal_names"])
    if has_names:
        connection.execute(SQL["deal_names"], {"source": source})
    connection.execute(SQL["same_deals"])


def _repeats_across(connection: duckdb.DuckDBPyConnection) -> None:
    """Count the meetings dropped as repeats that were written at another time or by another source
    than the one kept.
    """
    connection.execute(SQL["repeats_across"])
