"""Where the week goes, by hand; what the records saw; error in hours."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.selling_time import capture, time_use
from analysis.project.errors import CrmDataError
from analysis.stats.result import Result

HALF = {"minimum_logged_share": 0.5}


@pytest.fixture
def stays() -> pd.DataFrame:
    """Three reps of ten weeks; the third is logged too little to count."""
    rep = {
        "quarter": "2026Q3", "segment": "SMB", "weeks_employed": 10.0, "paid_hours": 400.0, "available_hours": 320.0,
        "logged_share": 1.0, "selling_hours": 100.0, "selling_preparation_hours": 150.0,
        "selling_prospecting_hours": 200.0, "selling_class_hours": 100.0, "preparation_class_hours": 50.0,
        "prospecting_class_hours": 50.0, "internal_class_hours": 40.0, "admin_class_hours": 30.0,
        "training_class_hours": 10.0, "time_off_class_hours": 0.0, "unclassified_class_hours": 20.0,
    }  # fmt: skip
    return pd.DataFrame(
        [rep | {"rep_id": "a"}, rep | {"rep_id": "b"}, rep | {"rep_id": "c", "logged_share": 0.2}]
    )


def test_selling_time_under_three_definitions(stays):
    """100, 150 and 200 of 400 paid hours."""
    got = time_use.selling_shares(stays, **HALF)
    assert got["paid"].tolist() == [0.25, 0.375, 0.5]
    assert got["available"].tolist() == [0.3125, 0.46875, 0.625]
    assert got["hours"].tolist() == [10, 15, 20]
    assert got["n_reps"].tolist() == [2, 2, 2]


def test_the_week_sums_to_paid_time_and_unclassified_is_shown(stays):
    """10 + 5 + 5 + 4 + 3 + 1 + 2 = 30 h tracked; 10 of 40 paid are in no calendar."""
    got = time_use.week_by_activity(stays, **HALF).set_index("label")
    assert got["hours"].sum() == pytest.approx(40)
    assert got["paid"].sum() == pytest.approx(1)
    assert got.loc["Unclassified", "hours"] == 2
    assert got.loc["In no calendar, or leave", "hours"] == pytest.approx(10)


def test_burdens_are_hours_times_cost_exactly(stays):
    """Internal meetings: 80 h of two reps at $100 and at $400."""
    cheap, dear = (Result("c", x, x, x, "USD", 2, "reps", "", "") for x in (100.0, 400.0))
    got = time_use.week_burdens(
        stays, **HALF, cost_of_hour=cheap, cost_of_selling_hour=dear
    ).set_index("label")
    assert got.loc["Internal meetings", ["total_hours", "amount", "selling_amount"]].tolist() == [
        80,
        8_000,
        32_000,
    ]


def test_groups_are_ratios_of_their_own_sums(stays):
    stays.loc[1, ["segment", "selling_hours"]] = ["Enterprise", 60.0]
    got = time_use.selling_by_group(stays, ["segment"], **HALF)
    assert got[["group", "hours", "n_reps"]].to_numpy().tolist() == [
        ["Enterprise", 6.0, 1],
        ["SMB", 10.0, 1],
    ]


def test_tenure_is_counted_to_the_day_and_unknown_stays_unknown(stays):
    reps = pd.DataFrame(
        {"rep_id": ["a", "b", "c"], "hired_on": [dt.date(2026, 1, 1), dt.date(2020, 1, 1), None]}
    )
    got = time_use.with_tenure(stays, reps, dt.date(2026, 7, 1))["tenure"]
    assert got.iloc[:2].tolist() == ["0 to 1 year", "3 years or more"]
    assert pd.isna(got.iloc[2])


def test_shares_of_sources_sum_to_one():
    got = time_use.opportunity_sources(
        pd.DataFrame({"lead_source": ["Web", None, "Web", "Partner"]})
    )
    assert got["share"].sum() == 1
    assert got.set_index("source")["share"]["Web"] == 0.5


def test_a_conversation_is_one_to_one_with_one_client_and_none_of_us_beside_the_rep():
    """Of three meetings on a day one has a colleague and one has two clients: one is left."""
    start = pd.to_datetime(
        ["2026-07-01 09:00", "2026-07-01 11:00", "2026-07-01 14:00", "2026-07-02 09:00"], utc=True
    )
    activities = pd.DataFrame(
        {"activity_id": list("mnop"), "rep_id": "a", "started_at": start, "is_all_day": False}
    )
    attendees = pd.DataFrame(
        [("m", "p1", "customer", None), ("n", "p1", "customer", None), ("n", "p2", "marketing", "z"),
         ("o", "p1", "customer", None), ("o", "p3", "customer", None), ("m", "me", "sales", "a")],
        columns=["activity_id", "person_key", "side", "rep_id"],
    )  # fmt: skip
    got = time_use.one_to_one(activities, attendees)
    assert got[["conversations", "n_days", "share"]].to_numpy().tolist() == [
        [0, 1, 0.5],
        [1, 1, 0.5],
    ]
    assert "one or more on 50% of rep-days, 3 or more on 0%" in time_use.one_to_one_sentence(
        activities, attendees
    )
    assert "no export says who came" in time_use.one_to_one_sentence(activities, attendees.iloc[:0])


def test_the_capture_rate_by_hand():
    """N = 81 x 51 / 41 - 1 = 99.756; 80 + 50 - 40 = 90 were seen."""
    got = capture.capture_rate(80, 50, 40)
    assert got.estimate == pytest.approx(90 / 99.7560976)
    assert 0 < got.low < got.estimate < got.high < 1
    assert "says nothing of its place in the other" in got.method


def test_the_capture_interval_covers_what_was_planted():
    """Two sources that see 70% and 50% of 300 contacts: 85% are seen by one of them."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        one, other = rng.random(300) < 0.7, rng.random(300) < 0.5
        got = capture.capture_rate(int(one.sum()), int(other.sum()), int((one & other).sum()))
        hits += got.low < (one | other).mean() < got.high
    assert 0.92 < hits / 300 < 0.99


def test_an_overlap_above_its_source_is_refused():
    with pytest.raises(ValueError, match="n_both must be 0 to 50, got 51"):
        capture.capture_rate(80, 50, 51)


def contacts(file: str, minutes: list[int]) -> pd.DataFrame:
    start = pd.Timestamp("2026-07-01 09:00", tz="UTC") + pd.to_timedelta(minutes, unit="min")
    return pd.DataFrame(
        {"rep_id": "a", "activity_class": "selling", "started_at": start, "source_file": file}
    )


def test_one_source_cannot_tell():
    got = capture.from_activities(contacts("Event.csv", [0, 60]))
    assert math.isnan(got.estimate)
    assert "one kind of source" in got.method


def test_a_synchronised_calendar_cannot_tell():
    both = pd.concat([contacts("a.ics", [0, 60]), contacts("Event.csv", [0, 60])])
    assert "synchronised" in capture.from_activities(both).method


def test_contacts_match_by_rep_within_a_quarter_of_an_hour():
    """Calendar 0, 60, 120, CRM 5, 70, 600: two match, so N = 4 x 4 / 3 - 1 = 4.33 of which 4 were seen."""
    both = pd.concat([contacts("a.ics", [0, 60, 120]), contacts("Event.csv", [5, 70, 600])])
    assert capture.from_activities(both).estimate == pytest.approx(4 / (16 / 3 - 1))


def test_figures_per_hour_shrink_and_hours_grow_with_what_was_not_seen():
    cost = Result("cost_per_selling_hour", 400.0, 1, 1, "USD per selling hour", 9, "reps", "", "")
    hours = Result("selling_hours_per_week", 8.0, 1, 1, "hours per rep and week", 9, "reps", "", "")
    got = capture.corrected_figures([cost, hours], (1.0, 0.8))
    assert got["at_80"].tolist() == [320.0, 10.0]


def logged_twice(seed: int, n_reps: int = 40, n_weeks: int = 30) -> pd.DataFrame:
    """Return rep-weeks with slope 0.5 on true log hours of variance 0.04, and two measures with error variance 0.04."""
    rng = np.random.default_rng(seed)
    rep, week = (grid.ravel() for grid in np.indices((n_reps, n_weeks)))
    true = 0.2 * rng.standard_normal(rep.size) + 0.3 * rng.standard_normal(n_reps)[rep]
    return pd.DataFrame(
        {
            "rep_id": rep, "week_start": week, "log_available": rng.standard_normal(rep.size),
            "one": true + 0.2 * rng.standard_normal(rep.size), "two": true + 0.2 * rng.standard_normal(rep.size),
            "y": 0.5 * true + 0.1 * rng.standard_normal(rep.size),
        }
    )  # fmt: skip


def test_error_in_hours_halves_the_slope_and_the_correction_restores_it():
    """Reliability 0.04 / 0.08 = 0.5 within rep: slope 0.25, corrected 0.5."""
    rows = logged_twice(0)
    slope = capture.within_slope(rows, "y", "one")
    reliable = capture.hours_reliability(rows, "one", "two")
    assert slope.estimate[0] == pytest.approx(0.25, abs=0.03)
    assert reliable.low < 0.5 < reliable.high
    for got in (
        capture.calibrate_slope(slope, reliable),
        capture.by_second_measure(rows, "y", "one", "two"),
    ):
        assert got.low < 0.5 < got.high


def test_a_copy_is_no_second_measure():
    rows = logged_twice(0)
    with pytest.raises(CrmDataError, match="one is a copy of the other"):
        capture.by_second_measure(rows.assign(two=rows["one"] * 2), "y", "one", "two")


def test_the_largest_burden_is_told_with_its_hours_and_money():
    """5.25 h of prospecting against 3 h of reporting; 2.4 million."""
    rows = [
        ("List building, cold calls", 40, 5.25, 5.0, 5.5, 2.4e6),
        ("Reporting", 40, 3.0, 2.5, 3.5, 1.0e6),
    ]
    found = pd.DataFrame(
        rows, columns=["label", "n_reps", "hours", "hours_low", "hours_high", "amount"]
    )
    assert time_use.largest_burden(found, "2026Q3", currency="USD") == (
        "Of a rep's week, 5.2 hours go into list building, cold calls (5.0 to 5.5; n = 40 reps), $2.40M in 2026Q3, "
        "more than any other burden."
    )


def test_without_logged_hours_no_burden_is_named():
    found = pd.DataFrame({"label": ["Reporting"], "hours": [float("nan")]})
    assert time_use.largest_burden(found, "2026Q3", currency="USD").startswith(
        "We cannot tell what keeps reps from selling in 2026Q3"
    )
