"""Fiscal years of whole weeks: 4-4-5 and its like, to the last Saturday of the month before their start."""

from __future__ import annotations

import datetime as dt

import pytest
from crm_tables import cleaned, opportunity, user, write

from analysis.panels import build
from analysis.project import quarters, settings
from analysis.project.quarters import Quarter, StartOfWeeks
from analysis.project.settings import SettingsError

D = dt.date
JANUARY, FEBRUARY = StartOfWeeks(1), StartOfWeeks(2)


@pytest.mark.parametrize(
    ("name", "start", "first_day", "next_day"),
    [
        (
            "2026Q1",
            JANUARY,
            D(2025, 12, 28),
            D(2026, 3, 29),
        ),  # 27 December 2025 is that month's last Saturday
        ("2026Q2", JANUARY, D(2026, 3, 29), D(2026, 6, 28)),
        ("2026Q4", JANUARY, D(2026, 9, 27), D(2026, 12, 27)),
        ("2028Q3", JANUARY, D(2028, 6, 25), D(2028, 9, 24)),
        (
            "2028Q4",
            JANUARY,
            D(2028, 9, 24),
            D(2028, 12, 31),
        ),  # to Saturday 30 December: the 53rd week
        (
            "2026Q4",
            FEBRUARY,
            D(2025, 10, 26),
            D(2026, 2, 1),
        ),  # to Saturday 31 January 2026: the 53rd week
        ("2027Q1", FEBRUARY, D(2026, 2, 1), D(2026, 5, 3)),
    ],
)
def test_a_quarter_of_weeks_lies_between_these_sundays(name, start, first_day, next_day):
    """By hand from the calendar."""
    quarter = quarters.parse_quarter(name)
    assert (quarter.start(start), quarter.end(start)) == (first_day, next_day)


@pytest.mark.parametrize(
    ("day", "start", "name"),
    [
        (D(2025, 12, 27), JANUARY, "2025Q4"),
        (D(2025, 12, 28), JANUARY, "2026Q1"),
        (D(2026, 12, 26), JANUARY, "2026Q4"),
        (D(2026, 12, 31), JANUARY, "2027Q1"),
        (D(2028, 12, 30), JANUARY, "2028Q4"),
        (D(2028, 12, 31), JANUARY, "2029Q1"),
        (D(2026, 1, 31), FEBRUARY, "2026Q4"),
        (D(2026, 2, 1), FEBRUARY, "2027Q1"),
    ],
)
def test_a_day_is_in_one_quarter_of_weeks(day, start, name):
    assert str(quarters.quarter_containing(day, start)) == name


@pytest.mark.parametrize("month", range(1, 13))
def test_no_day_lies_between_two_quarters_of_weeks(month):
    """Each holds its ends, begins on a Sunday and has 13 weeks, or in Q4 14.

    400 years are 146,097 days, so 20,871 weeks: 71 more than 400 times 52.
    """
    start = StartOfWeeks(month)
    several = [Quarter(2024, 1).shifted(n) for n in range(1600)]
    for one in several:
        n_weeks = (one.end(start) - one.start(start)).days / 7
        assert n_weeks == 13 or (n_weeks == 14 and one.number == 4)
        assert one.start(start).weekday() == 6
        assert quarters.quarter_containing(one.start(start), start) == one
        assert quarters.quarter_containing(one.end(start) - dt.timedelta(days=1), start) == one
    assert sum((q.end(start) - q.start(start)).days == 98 for q in several) == 71


def test_a_quarter_of_weeks_is_never_called_a_calendar_quarter():
    assert Quarter(2026, 1).label(JANUARY) == "Fiscal quarter 2026Q1 (2025-12-28 to 2026-03-28)"
    assert Quarter(2026, 1).label(1) == "Calendar quarter 2026Q1"


def test_the_last_complete_quarter_of_weeks_has_no_working_day_left():
    """It ends on Saturday 26 September 2026, so on Friday 25 it is complete."""
    assert str(quarters.last_complete(D(2026, 9, 25), JANUARY)) == "2026Q3"
    assert str(quarters.last_complete(D(2026, 9, 24), JANUARY)) == "2026Q2"


@pytest.mark.parametrize("weeks", ["4-4-5", "4-5-4", "5-4-4"])
def test_settings_hand_the_kind_of_year_on_with_its_month(raw, weeks):
    (raw / "alignment.toml").write_text(
        f'[company]\nfiscal_year_start_month = 2\nfiscal_calendar = "{weeks}"\n'
    )
    month = settings.load_dataset_settings("here").company.fiscal_year_start_month
    assert Quarter(2027, 1).start(month) == D(2026, 2, 1)
    assert Quarter(2027, 2).start(month) == D(2026, 5, 3)


def test_of_a_calendar_of_months_the_month_is_a_plain_number(raw):
    (raw / "alignment.toml").write_text("[company]\nfiscal_year_start_month = 2\n")
    assert Quarter(2027, 2).start(
        settings.load_dataset_settings("here").company.fiscal_year_start_month
    ) == D(2026, 5, 1)


def test_another_calendar_is_refused_with_those_there_are(raw):
    (raw / "alignment.toml").write_text('[company]\nfiscal_calendar = "4-4-4"\n')
    with pytest.raises(
        SettingsError,
        match=r"company\.fiscal_calendar is '4-4-4': .*'months', '4-4-5', '4-5-4' or '5-4-4'",
    ):
        settings.load_dataset_settings("here")


def test_quirk_18_panels_cut_a_year_of_weeks_on_its_sundays():
    """As of Saturday 28 March 2026 the first quarter is whole."""
    rows = build.quarter_rows(D(2025, 9, 28), D(2026, 3, 28), JANUARY)
    assert rows == [
        ("2025Q4", D(2025, 9, 28), D(2025, 12, 28), False),
        ("2026Q1", D(2025, 12, 28), D(2026, 3, 29), False),
    ]


def test_quirk_18_finances_totals_are_held_against_quarters_of_weeks(raw):
    """100 won on Saturday 27 December are 2025Q4's, 100 on Sunday 28 are 2026Q1's."""
    (raw / "alignment.toml").write_text('[company]\nfiscal_calendar = "4-4-5"\n')
    deals = [opportunity(n, CloseDate=day, CreatedDate="2025-12-01T09:00:00Z") for n, day in enumerate(("2025-12-27", "2025-12-28"))]  # fmt: skip
    finance = [
        {"quarter": q, "bookings_amount": a, "currency": "USD"}
        for q, a in (("2025Q4", "100"), ("2026Q1", "80"))
    ]
    write(raw, User=[user()], Opportunity=deals, finance_bookings=finance)
    got = {r.quarter: (r.bookings_amount, r.gap_rate) for r in cleaned().audit.reconciliation}
    assert got == {"2025Q4": (100.0, 0.0), "2026Q1": (100.0, 0.25)}
