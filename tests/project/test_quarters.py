"""Fiscal quarters by the calendar."""

import datetime as dt

import pytest

from analysis.project import quarters
from analysis.project.quarters import Quarter


@pytest.mark.parametrize(
    ("start_month", "start", "end"),
    [
        (1, dt.date(2026, 1, 1), dt.date(2026, 4, 1)),
        (2, dt.date(2025, 2, 1), dt.date(2025, 5, 1)),
        (7, dt.date(2025, 7, 1), dt.date(2025, 10, 1)),
        (12, dt.date(2025, 12, 1), dt.date(2026, 3, 1)),
    ],
)
def test_the_first_quarter_of_2026_begins_with_the_fiscal_year(start_month, start, end):
    """A year is named by the calendar year it ends in."""
    assert Quarter(2026, 1).start(start_month) == start
    assert Quarter(2026, 1).end(start_month) == end


@pytest.mark.parametrize(
    ("day", "start_month", "name"),
    [
        (dt.date(2026, 1, 31), 2, "2026Q4"),
        (dt.date(2026, 2, 1), 2, "2027Q1"),
        (dt.date(2026, 12, 31), 1, "2026Q4"),
        (dt.date(2026, 6, 30), 7, "2026Q4"),
        (dt.date(2026, 7, 1), 7, "2027Q1"),
    ],
)
def test_a_day_is_in_one_quarter(day, start_month, name):
    assert str(quarters.quarter_containing(day, start_month)) == name


@pytest.mark.parametrize("month", range(1, 13))
def test_quarters_hold_the_days_between_their_bounds(month):
    """First and last day belong, the days around do not."""
    quarter = Quarter(2026, 3)
    one = dt.timedelta(days=1)
    start, end = quarter.start(month), quarter.end(month)
    days = [start - one, start, end - one, end]
    assert [quarters.quarter_containing(d, month) == quarter for d in days] == [
        False,
        True,
        True,
        False,
    ]


def test_shifting_crosses_years():
    assert Quarter(2026, 4).shifted(1) == Quarter(2027, 1)
    assert Quarter(2026, 1).shifted(-5) == Quarter(2024, 4)


def test_a_quarter_says_which_kind_it_is():
    assert Quarter(2026, 3).label() == "Calendar quarter 2026Q3"
    assert Quarter(2026, 1).label(2) == "Fiscal quarter 2026Q1 (2025-02-01 to 2025-04-30)"


@pytest.mark.parametrize("name", ["2026Q5", "2026Q0", "Q3", "", "../2026Q3", "2026Q3 ", "26Q3"])
def test_what_is_no_quarter_is_refused(name):
    with pytest.raises(ValueError, match="quarter must be latest, previous or a year and Q1 to Q4"):
        quarters.parse_quarter(name)


def test_a_slip_is_answered_with_the_nearest_name():
    with pytest.raises(ValueError, match=r"got '2026-Q3'\. Did you mean 2026Q3\?"):
        quarters.parse_quarter("2026-Q3")


def test_working_days_leave_out_weekends_and_the_end():
    """Friday 2 January 2026 to Monday 5, half-open: the Friday alone."""
    assert quarters.working_days(dt.date(2026, 1, 2), dt.date(2026, 1, 5)) == 1
    assert quarters.working_days(dt.date(2026, 1, 2), dt.date(2026, 1, 6)) == 2
    assert quarters.working_days(dt.date(2026, 1, 2), dt.date(2026, 1, 2)) == 0


@pytest.mark.parametrize(
    ("as_of", "name"),
    [
        (dt.date(2026, 9, 30), "2026Q3"),
        (dt.date(2026, 9, 29), "2026Q2"),
        (dt.date(2026, 1, 29), "2025Q4"),
        (dt.date(2022, 12, 30), "2022Q4"),  # a Friday: only a weekend is left
        (dt.date(2022, 12, 29), "2022Q3"),
    ],
)
def test_the_last_complete_quarter_has_no_working_day_left(as_of, name):
    assert str(quarters.last_complete(as_of)) == name


def test_a_fiscal_year_moves_the_last_complete_quarter():
    """From February on, Saturday 31 January 2026 ends 2026Q4; on Thursday 29 a Friday is left."""
    assert str(quarters.last_complete(dt.date(2026, 1, 31), 2)) == "2026Q4"
    assert str(quarters.last_complete(dt.date(2026, 1, 29), 2)) == "2026Q3"
