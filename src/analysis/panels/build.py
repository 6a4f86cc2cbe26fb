"""Clean tables → panels: a row a rep and week, a rep and quarter, a team and quarter, a deal won, a lead.

A person's past is cut by the history of teams: hours and bookings belong to the team of the day,
so the teams' sums are the company's.  Weeks without any logging are unknown, not zero, and carry
no hours.  Only inputs stand here; models join their own results.

The fiscal quarters that the data touch, and which of them they cover whole.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from analysis.panels import deals, employment, lead_dates, leads, logging, sales_ready
from analysis.project import quarters
from analysis.sources.composed_sql import create_table, query_text
from analysis.sources.database import insert_rows, quote_identifier, set_variable
from analysis.sources.sql_files import read_statements
from analysis.tables.columns import SQL_TYPES
from analysis.tables.panel_tables import PANELS, UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from analysis.project.settings import Settings
    from analysis.sources.own_definitions import Definition

SQL = read_statements(__name__)


def make_panels(
    connection: duckdb.DuckDBPyConnection,
    first_day: dt.date,
    as_of: dt.date,
    settings: Settings,
    *,
    definitions: Sequence[Definition] = (),
) -> None:
    """Make the panels of `panel_tables.PANELS`, and ``quarters``, from the clean tables in the
    database; `definitions` are the versions of what makes a lead sales-ready.
    """
    set_variable(connection, "first_day", first_day)
    set_variable(connection, "hours_per_day", settings.working_time.hours_per_day)
    make_quarters(connection, first_day, as_of, settings.company.fiscal_year_start_month)
    employment.make_employment(connection)
    deals.make_deals(connection)
    connection.execute(SQL["macros"])
    leads.make_lead_steps(connection, UNASSIGNED)
    lead_dates.make_lead_dates(connection)
    sales_ready.make_sales_ready(connection, definitions)
    logging.make_team_logging(connection, settings.hours.minimum_logged_share)
    # a day on which the rep was in no team is not in observed_days
    for name in ("rep_week", "rep_quarter", "team_quarter", "observed_days"):
        connection.execute(SQL[name])
    for table in PANELS.values():
        columns = [
            f"{quote_identifier(c.name)}::{SQL_TYPES[c.kind]} as {quote_identifier(c.name)}"
            for c in table.columns
        ]
        source, order = quote_identifier(table.name), map(quote_identifier, table.key)
        create_table(connection, table.name, query_text(columns, source, order=order))


SLACK_WORKING_DAYS = 5  # days without data at a quarter's start before it is called partial


def quarter_rows(
    first_day: dt.date, as_of: dt.date, fiscal_year_start_month: int
) -> list[tuple[str, dt.date, dt.date, bool]]:
    """Return every fiscal quarter the data touch.

    Name, first day, first day after, whether partial.

    A quarter is partial where a working day of it lies after `assessment`, or more than five before
    `first_day`.

    Examples
    --------
    >>> [row[0] for row in quarter_rows(dt.date(2017, 3, 1), dt.date(2017, 6, 30), 1) if row[3]]
    ['2017Q1']
    """
    month = fiscal_year_start_month
    quarter, last = (
        quarters.quarter_containing(first_day, month),
        quarters.quarter_containing(as_of, month),
    )
    rows = []
    while quarter <= last:
        start, end = quarter.start(month), quarter.end(month)
        before = quarters.working_days(start, max(start, first_day))
        after = quarters.working_days(min(end, as_of + dt.timedelta(days=1)), end)
        rows.append((str(quarter), start, end, before > SLACK_WORKING_DAYS or after > 0))
        quarter = quarter.shifted(1)
    return rows


def make_quarters(
    connection: duckdb.DuckDBPyConnection,
    first_day: dt.date,
    as_of: dt.date,
    fiscal_year_start_month: int,
) -> None:
    """Make the table ``quarters``."""
    connection.execute(
        "create or replace table quarters (quarter varchar, from_day date, until_day date, is_partial boolean)"
    )
    insert_rows(connection, "quarters", quarter_rows(first_day, as_of, fiscal_year_start_month))
