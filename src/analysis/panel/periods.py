"""The fiscal quarters that the data touch, and which of them they cover whole."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from analysis import quarters
from analysis.crm.engine import insert_rows

if TYPE_CHECKING:
    import duckdb

SLACK_WORKING_DAYS = 5  # days without data at a quarter's start before it is called partial


def quarter_rows(
    first_day: dt.date, as_of: dt.date, fiscal_year_start_month: int
) -> list[tuple[str, dt.date, dt.date, bool]]:
    """Return every fiscal quarter the data touch: name, first day, first day after, whether partial.

    A quarter is partial where a working day of it lies after `as_of`, or more than five before
    `first_day`.

    Examples
    --------
    >>> [row[0] for row in quarter_rows(dt.date(2017, 3, 1), dt.date(2017, 6, 30), 1) if row[3]]
    ['2017Q1']
    """
    month = fiscal_year_start_month
    quarter, last = quarters.containing(first_day, month), quarters.containing(as_of, month)
    rows = []
    while quarter <= last:
        start, end = quarter.start(month), quarter.end(month)
        before = quarters.working_days(start, max(start, first_day))
        after = quarters.working_days(min(end, as_of + dt.timedelta(days=1)), end)
        rows.append((str(quarter), start, end, before > SLACK_WORKING_DAYS or after > 0))
        quarter = quarter.shifted(1)
    return rows


def make(
    connection: duckdb.DuckDBPyConnection, first_day: dt.date, as_of: dt.date, fiscal_year_start_month: int
) -> None:
    """Make the table ``quarters``."""
    connection.execute(
        "create or replace table quarters (quarter varchar, from_day date, until_day date, is_partial boolean)"
    )
    insert_rows(connection, "quarters", quarter_rows(first_day, as_of, fiscal_year_start_month))
