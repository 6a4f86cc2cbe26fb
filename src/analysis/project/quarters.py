"""Fiscal quarters: names, bounds, and which is the last complete one.

A quarter is named by the calendar year its fiscal year *ends* in, so with a year that starts in
February 31 January 2026 falls in 2026Q4.  Intervals are half-open.

A year of weeks (4-4-5, 4-5-4, 5-4-4) ends on the last Saturday of the month before its start month.
Its quarters have 13 weeks; the last has 14 in the years of 53 weeks.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from analysis.project.nearest_name import did_you_mean

QUARTER = re.compile(r"(\d{4})Q([1-4])")
WORKDAYS = range(5)
WEEKS_PER_QUARTER = 13
SATURDAY = 5


class StartOfWeeks(int):
    """The month around whose first day a fiscal year of whole weeks starts.

    Elsewhere a month is a plain number.
    """


def _weeks_year_start(year: int, start_month: int) -> dt.date:
    """Return where fiscal year `year` begins.

    The day after the last Saturday of the month before its start.
    """
    begins = year if start_month == 1 else year - 1
    eve = dt.date(begins, start_month, 1) - dt.timedelta(days=1)
    return eve - dt.timedelta(days=(eve.weekday() - SATURDAY) % 7) + dt.timedelta(days=1)


class Quarter(NamedTuple):
    """A fiscal quarter."""

    year: int
    number: int

    def __str__(self) -> str:
        """Return the name, such as 2026Q3."""
        return f"{self.year}Q{self.number}"

    def shifted(self, quarters: int) -> Quarter:
        """Return the quarter `quarters` later (earlier if negative)."""
        year, zero_based = divmod(self.year * 4 + self.number - 1 + quarters, 4)
        return Quarter(year, zero_based + 1)

    def start(self, fiscal_year_start_month: int = 1) -> dt.date:
        """Return the first day."""
        if isinstance(fiscal_year_start_month, StartOfWeeks):
            weeks = dt.timedelta(weeks=WEEKS_PER_QUARTER * (self.number - 1))
            return _weeks_year_start(self.year, fiscal_year_start_month) + weeks
        months = self.year * 12 + (self.number - 1) * 3 - _shift(fiscal_year_start_month)
        return dt.date(months // 12, months % 12 + 1, 1)

    def end(self, fiscal_year_start_month: int = 1) -> dt.date:
        """Return the first day after."""
        return self.shifted(1).start(fiscal_year_start_month)

    def label(self, fiscal_year_start_month: int = 1) -> str:
        """Return the quarter's name, with the kind of quarter it is, for readers."""
        if fiscal_year_start_month == 1 and not isinstance(fiscal_year_start_month, StartOfWeeks):
            return f"Calendar quarter {self}"
        start, last = self.start(fiscal_year_start_month), self.end(fiscal_year_start_month)
        return f"Fiscal quarter {self} ({start} to {last - dt.timedelta(days=1)})"


RELATIVE = ("latest", "previous")  # quarters named by where the data end


def _shift(fiscal_year_start_month: int) -> int:
    """Return the months by which the fiscal year runs ahead of the calendar year."""
    return (13 - fiscal_year_start_month) % 12


def parse_quarter(name: str) -> Quarter:
    """Return the quarter called `name`.

    Raises
    ------
    ValueError
        If `name` is not a year and a quarter from 1 to 4; the message says what is allowed and
        gives the nearest name.

    Examples
    --------
    >>> parse_quarter("2026Q3").shifted(2)
    Quarter(year=2027, number=1)
    """
    match = QUARTER.fullmatch(name)
    if match:
        return Quarter(int(match[1]), int(match[2]))
    year = re.search(r"20\d{2}", name)
    allowed = [f"{year[0]}Q{q}" for q in range(1, 5)] if year else []
    hint = did_you_mean(name.upper(), allowed)
    raise ValueError(
        "quarter must be latest, previous or a year and Q1 to Q4 such as 2026Q3, got "
        f"{name!r}.{hint}"
    )


def quarter_containing(day: dt.date, fiscal_year_start_month: int = 1) -> Quarter:
    """Return the fiscal quarter that holds `day`."""
    if isinstance(fiscal_year_start_month, StartOfWeeks):
        year = day.year + 1
        while day < _weeks_year_start(year, fiscal_year_start_month):
            year -= 1
        weeks = (day - _weeks_year_start(year, fiscal_year_start_month)).days // 7
        return Quarter(year, min(weeks // WEEKS_PER_QUARTER, 3) + 1)
    months = day.year * 12 + day.month - 1 + _shift(fiscal_year_start_month)
    return Quarter(months // 12, months % 12 // 3 + 1)


def working_days(start: dt.date, end: dt.date) -> int:
    """Return the number of days from Monday to Friday in [start, end)."""
    return sum(
        (start + dt.timedelta(days=i)).weekday() in WORKDAYS for i in range((end - start).days)
    )


def last_complete(as_of: dt.date, fiscal_year_start_month: int = 1) -> Quarter:
    """Return the last quarter whose working days have all passed by `assessment`."""
    current = quarter_containing(as_of, fiscal_year_start_month)
    left = working_days(as_of + dt.timedelta(days=1), current.end(fiscal_year_start_month))
    return current if left == 0 else current.shifted(-1)
