"""The days a simulated company lives through: quarters, Monday weeks and public holidays.

A day is a whole number, counted from the first day of the first quarter.  A week that two quarters
share is cut in two *pieces*, so that sums by week and sums by quarter come from the same cells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

REGIONS = ("Americas", "EMEA", "APAC")
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6

# (month, day), or (month, which Monday or Thursday, weekday); -1 is the last one of the month.
_FIXED = {
    "Americas": ((1, 1), (7, 4), (12, 25)),
    "EMEA": ((1, 1), (5, 1), (12, 25), (12, 26)),
    "APAC": ((1, 1), (1, 2), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3)),
}
_MOVING = {
    "Americas": ((5, -1, 0), (9, 1, 0), (11, 4, 3)),
    "EMEA": ((8, -1, 0), (5, 1, 0)),
    "APAC": ((9, 3, 0),),
}


class Window(NamedTuple):
    """The calendar of the simulation; arrays over days unless said otherwise."""

    start: np.datetime64
    quarters: list[str]
    quarter: Ints
    week: Ints
    piece: Ints
    week_start: Ints  # day of each week's Monday; the first may lie before the window
    piece_week: Ints  # over pieces
    piece_quarter: Ints  # over pieces
    is_workday: Bools  # regions x days

    @property
    def n_days(self) -> int:
        """Return the days in the window."""
        return len(self.quarter)

    def dates(self, days: Ints) -> npt.NDArray[np.datetime64]:
        """Return the dates of `days`; days outside the window are allowed."""
        return self.start + days.astype("timedelta64[D]")

    def weekday(self, days: Ints) -> Ints:
        """Return the weekday of `days`: 0 for a Monday to 6 for a Sunday."""
        first = self.start.astype(np.int64) + 3  # 1970-01-01 was a Thursday
        return np.asarray((days + first) % 7, np.int64)

    def week_of(self, days: Ints) -> Ints:
        """Return the week of `days`, held inside the window."""
        return self.week[np.clip(days, 0, self.n_days - 1)]


def quarter_of_year(dates: npt.NDArray[np.datetime64]) -> Ints:
    """Return each day's quarter of the calendar year, 0 to 3."""
    return np.asarray(dates.astype("datetime64[M]").astype(np.int64) % 12 // 3, np.int64)


def make_window(last_quarter: str, n_quarters: int) -> Window:
    """Return the calendar of the `n_quarters` quarters that end with `last_quarter`."""
    year, number = int(last_quarter[:4]), int(last_quarter[5:])
    last = (year - 1970) * 4 + number - 1
    numbers = np.arange(last - n_quarters + 1, last + 1)
    edges = (np.append(numbers, last + 1) * 3).astype("datetime64[M]").astype("datetime64[D]")
    start = edges[0]
    quarter = np.repeat(np.arange(n_quarters), np.diff(edges).astype(np.int64))
    days = np.arange(len(quarter))
    lead = int((start.astype(np.int64) + 3) % 7)
    week = (days + lead) // 7
    piece = np.cumsum(
        np.diff(week, prepend=0).astype(bool) | np.diff(quarter, prepend=0).astype(bool)
    )
    first = np.flatnonzero(np.diff(piece, prepend=-1))
    dates = start + days.astype("timedelta64[D]")
    weekend = (days + lead) % 7 >= SATURDAY
    return Window(
        start,
        [f"{1970 + q // 4}Q{q % 4 + 1}" for q in numbers.tolist()],
        quarter,
        week,
        piece,
        np.arange(week[-1] + 1) * 7 - lead,
        week[first],
        quarter[first],
        np.stack(
            [
                ~weekend & ~np.isin(dates, public_holidays(region, start, dates[-1]))
                for region in REGIONS
            ]
        ),
    )


def public_holidays(
    region: str, first: np.datetime64, last: np.datetime64
) -> npt.NDArray[np.datetime64]:
    """Return the public holidays of a region, from the year of `first` to that of `last`."""
    days = []
    for year in range(int(str(first)[:4]), int(str(last)[:4]) + 1):
        days += [np.datetime64(f"{year}-{month:02d}-{day:02d}") for month, day in _FIXED[region]]
        days += [_nth(year, *rule) for rule in _MOVING[region]]
    return np.array(days, "datetime64[D]")


def _nth(year: int, month: int, nth: int, weekday: int) -> np.datetime64:
    first = np.datetime64(f"{year}-{month:02d}", "M")
    days = np.arange(first.astype("datetime64[D]"), (first + 1).astype("datetime64[D]"))
    hits = days[(days.astype(np.int64) + 3) % 7 == weekday]
    return np.datetime64(hits[nth - 1] if nth > 0 else hits[nth], "D")
