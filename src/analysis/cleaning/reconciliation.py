"""A quarter's bookings in the CRM beside finance's.

The one figure that somebody else has counted too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.project import quarters

if TYPE_CHECKING:
    import duckdb


class QuarterReconciliation(NamedTuple):
    """A quarter's bookings beside finance's: `gap_rate` is (CRM - finance) / finance."""

    quarter: str
    bookings_amount: float
    finance_amount: float
    gap_rate: float


def define_quarters(
    connection: duckdb.DuckDBPyConnection, fiscal_year_start_month: int, tolerance_rate: float
) -> None:
    """Make the table ``finance_quarters``.

    Each total of finance's with the days of its quarter, for the rules.
    """
    connection.execute(
        "create or replace temp table finance_quarters (quarter varchar, first_day date, day_after date, "
        "bookings_amount double, tolerance_rate double)"
    )
    for name, amount in connection.execute(
        "select quarter, bookings_amount from finance_bookings"
    ).fetchall():
        if quarters.QUARTER.fullmatch(name):
            quarter = quarters.parse_quarter(name)
            days = [day(fiscal_year_start_month) for day in (quarter.start, quarter.end)]
            connection.execute(
                "insert into finance_quarters values (?, ?, ?, ?, ?)",
                [name, *days, amount, tolerance_rate],
            )


def reconcile_quarters(
    connection: duckdb.DuckDBPyConnection, fiscal_year_start_month: int
) -> tuple[QuarterReconciliation, ...]:
    """Return each quarter that finance counted, with what the clean opportunities sum to."""
    days = connection.execute(
        "select close_date, sum(round(deal_amount * 100)::hugeint) from opportunities where status = 'won' "
        "and close_date is not null group by close_date"
    ).fetchall()
    cents: dict[str, int] = {}
    for day, amount in days:
        name = str(quarters.quarter_containing(day, fiscal_year_start_month))
        cents[name] = cents.get(name, 0) + int(amount or 0)
    counted = connection.execute(
        "select quarter, bookings_amount from finance_bookings order by quarter"
    ).fetchall()
    return tuple(
        QuarterReconciliation(
            name, (crm := cents.get(name, 0) / 100), finance, (crm - finance) / finance
        )
        for name, finance in counted
        if finance
    )
