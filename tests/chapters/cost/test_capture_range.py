"""How much of selling the records hold, and what that makes of the cost of an hour."""

import math

import pandas as pd
import pytest

from analysis.chapters.cost import capture_range
from analysis.project.settings import HoursSettings
from analysis.stats.result import Result

SETTINGS = HoursSettings(longest_activity_hours=8, minimum_logged_share=0.5, max_junk_share=0.5)
HOUR = Result(
    "cost_per_selling_hour", 500.0, 480.0, 520.0, "USD per recorded selling hour", 20, "reps", "", ""
)  # fmt: skip


def study(*hours, quarter="2026Q3"):
    """Return a day each of as many reps: (recorded, observed)."""
    rows = [
        {
            "rep_id": f"r{i}", "day": "2026-09-14", "week_start": "2026-09-14", "quarter": quarter,
            "recorded_hours": recorded, "observed_hours": observed,
        }
        for i, (recorded, observed) in enumerate(hours)
    ]  # fmt: skip
    columns = ["rep_id", "week_start", "quarter", "recorded_hours", "observed_hours"]
    return pd.DataFrame(rows, columns=columns)


def test_a_study_measures_the_share_by_hand():
    """9 of 10 hours of each of six reps: exactly 0.9, and an hour truly sold cost 450."""
    found = capture_range.capture_range(study(*[(9.0, 10.0)] * 6), "2026Q3", SETTINGS)
    assert found.study.estimate == pytest.approx(0.9)
    sold = capture_range.sold_hour_cost(HOUR, found)
    assert (sold.estimate, sold.low, sold.high) == pytest.approx((450.0, 450.0, 450.0))
    assert sold.unit == "USD per hour truly sold"
    assert capture_range.capture_sentence(HOUR, found, currency="USD") == (
        "A time study of 6 days found 90% of selling hours in the records (90% to 90%), so an "
        "hour truly sold cost $450 ($450 to $450)."
    )


def test_without_a_study_the_range_is_called_an_assumption_and_has_no_middle():
    found = capture_range.capture_range(study(), "2026Q3", SETTINGS)
    sold = capture_range.sold_hour_cost(HOUR, found)
    assert math.isnan(sold.estimate)
    assert (sold.low, sold.high, sold.interval_name) == (400.0, 500.0, "assumed range")
    assert capture_range.capture_sentence(HOUR, found, currency="USD") == (
        "We assume that records hold 80% to 100% of the hours sold: an hour truly sold then cost "
        "$400 to $500."
    )


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (study(*[(9.0, 10.0)] * 4), "at least 5 reps must be observed"),
        (study(*[(9.0, 10.0)] * 6, quarter="2025Q3"), "0 days"),
        (study(*[(9.0, 10.0)] * 6, quarter="2026Q4"), "0 days"),
        (study(*[(float("nan"), 10.0)] * 6), "0 days"),
    ],
)
def test_a_study_too_small_too_old_or_of_unlogged_weeks_measures_nothing(rows, why):
    got = capture_range.recorded_share(rows, "2026Q3")
    assert not got.is_known
    assert why in got.method


def test_a_cost_that_is_unknown_is_in_no_sentence():
    unknown = HOUR._replace(estimate=math.nan)
    found = capture_range.capture_range(study(), "2026Q3", SETTINGS)
    assert capture_range.capture_sentence(unknown, found, currency="USD") == ""


def test_a_study_that_cannot_be_used_is_said_and_one_of_twice_the_hours_doubted():
    """Six days of another year count for nothing; 20 recorded hours where 10 were sold are double entries."""
    old = capture_range.capture_range(
        study(*[(9.0, 10.0)] * 6, quarter="2025Q3"), "2026Q3", SETTINGS
    )
    assert "The time study cannot be used: of its 6 days 0 were" in (
        capture_range.capture_sentence(HOUR, old, currency="USD")
    )
    twice = capture_range.capture_range(study(*[(20.0, 10.0)] * 6), "2026Q3", SETTINGS)
    assert "look for double entries" in capture_range.capture_sentence(HOUR, twice, currency="USD")
