"""What an appraisal stands on: adopters' bookings, costs by quarter, and what reps' figures tell together."""

import math

import numpy as np
import pandas as pd
import pytest
from roi_case import bookings, programme

from analysis.chapters.roi import appraised_programme, benefit, case, costs
from analysis.chapters.roi.case import Uncertain
from analysis.project import settings
from analysis.project.errors import CrmDataError


def test_a_cohorts_quarters_are_counted_from_the_first_start_and_from_its_own():
    got = case.bookings_timeline(bookings(), {"a": "2025Q1", "b": "2025Q3"}, horizon_quarters=8)
    second = got[(got["start"] == "2025Q3") & (got["quarter"] == "2025Q4")].iloc[0]
    assert (second["period"], second["event_time"], second["bookings_amount"]) == (
        3,
        1,
        pytest.approx(125.0),
    )
    assert got.groupby("start")["period"].agg(["min", "max"]).to_numpy().tolist() == [
        [-4, 7],
        [-4, 7],
    ]
    assert got.loc[got["period"] >= 4, "bookings_amount"].isna().all()


def test_a_quarter_of_which_a_team_is_missing_is_not_taken_for_the_whole_cohort():
    table = bookings(starts=(4, 4))
    table = table[~((table["team_id"] == "b") & (table["quarter"] == "2025Q4"))]
    got = case.bookings_timeline(
        table, {"a": "2025Q1", "b": "2025Q1"}, horizon_quarters=4
    ).set_index("quarter")
    assert math.isnan(got.loc["2025Q4", "bookings_amount"])
    assert got.loc["2025Q3", "bookings_amount"] == pytest.approx(250.0)


def test_partial_quarters_do_not_count():
    table = bookings().assign(is_partial=lambda t: t["quarter"] == "2025Q4")
    got = case.bookings_timeline(table, {"a": "2025Q1"}, horizon_quarters=4).set_index("quarter")
    assert math.isnan(got.loc["2025Q4", "bookings_amount"])


def test_a_cohort_without_bookings_is_named():
    with pytest.raises(CrmDataError, match=r"1 of 2 cohorts has none \(start 2025Q3, team_id zz\)"):
        case.bookings_timeline(bookings(), {"a": "2025Q1", "zz": "2025Q3"}, horizon_quarters=4)


def test_no_adopter_with_bookings_is_said():
    with pytest.raises(CrmDataError, match="no row of a team that started"):
        case.bookings_timeline(bookings(), {"zz": "2025Q3"}, horizon_quarters=4)


def test_added_bookings_by_hand():
    """Of 125 known, 25 are the programme's; to come, a quarter on top of 100 each, the second cohort from its start."""
    table = programme().bookings
    got = benefit.added_bookings(table, math.log(1.25), 1.0, n_quarters=5, fade_rate=0.0)
    assert got[0].tolist() == pytest.approx([25, 25, 50, 50, 50, 50, 50, 50])


def test_added_bookings_fade_after_the_quarters_they_were_estimated_over():
    """One cohort from 2025Q1: quarter 4 is the last whole one, quarter 8 has half of the log effect."""
    table = case.bookings_timeline(bookings(), {"a": "2025Q1"}, horizon_quarters=9)
    got = benefit.added_bookings(table, math.log(1.25), 1.0, n_quarters=5, fade_rate=0.5)[0]
    assert got[[0, 4, 8]] == pytest.approx([25.0, 25.0, 100 * (math.sqrt(1.25) - 1)])


def test_no_effect_adds_nothing_whatever_is_projected():
    got = benefit.added_bookings(
        programme().bookings, [0.0, 0.0], [1.0, 5.0], n_quarters=5, fade_rate=0.25
    )
    assert got.tolist() == [[0.0] * 8] * 2


def test_the_projections_error_counts_trend_as_error():
    """Sums of four quarters 400 to 440 to 484: always 10% up, never where a flat projection puts them."""
    table = pd.DataFrame(
        {"team_id": "a", "quarter": [f"{y}Q{q}" for y in range(2020, 2024) for q in range(1, 5)],
         "bookings_amount": np.repeat([100.0, 110.0, 121.0, 133.1], 4)}
    )  # fmt: skip
    got = case.baseline_error(table)
    assert got.standard_error == pytest.approx(0.10, abs=0.001)
    assert got.df == 9


def test_too_short_a_past_leaves_the_projection_without_an_error():
    assert math.isnan(case.baseline_error(bookings(last=5)).standard_error)


def test_commission_and_cost_of_an_hour_come_with_their_correlation():
    """0.10 of bookings; 400 a rep over 100 h; leaving out one at a time: by hand for three reps."""
    stays = pd.DataFrame(
        {
            "rep_id": list("abc"),
            "bookings_amount": [1000.0, 1000.0, 1000.0],
            "commission_amount": [90.0, 100.0, 110.0],
            "base_amount": [210.0, 300.0, 390.0],
            "fringe_amount": 0.0,
            "overhead_amount": 0.0,
            "paid_hours": 100.0,
        }
    )
    commission, hour, correlation = case.by_rep(stays)
    assert commission.estimate == pytest.approx(0.10)
    assert hour.estimate == pytest.approx(4.0)
    # without a: .105 and 4.5; without b: .1 and 4; without c: .095 and 3.5
    assert commission.standard_error == pytest.approx(math.sqrt(2 / 3 * 2 * 0.005**2))
    assert hour.standard_error == pytest.approx(math.sqrt(2 / 3 * 2 * 0.5**2))
    assert correlation == pytest.approx(1.0)
    assert commission.df == 2


COSTS = pd.DataFrame(
    {
        "cost_id": ["c1", "c2"],
        "period_start": pd.to_datetime(["2024-12-01", "2025-01-01"]),
        "period_end": pd.to_datetime(["2025-01-31", "2025-07-01"]),
        "kind": ["people", "tools"],
        "cost_amount": [610.0, 181.0],
    }
)


def test_a_cost_is_spread_by_day_over_fiscal_quarters():
    """61 days of 10 a day, 31 of them in 2024Q4; 181 days of 1 a day, 90 of them in 2025Q1."""
    got = costs.by_quarter(COSTS).set_index(["quarter", "kind"])["cost_amount"]
    assert got.to_dict() == pytest.approx(
        {
            ("2024Q4", "people"): 310,
            ("2025Q1", "people"): 300,
            ("2025Q1", "tools"): 90,
            ("2025Q2", "tools"): 91,
        }
    )
    assert got.sum() == pytest.approx(791)


def test_an_unknown_cost_is_refused_and_named():
    with pytest.raises(CrmDataError, match=r"1 of 2 rows are not \(cost_id c2\)"):
        costs.by_quarter(COSTS.assign(cost_amount=[610.0, float("nan")]))


def test_costs_to_come_are_those_of_the_last_quarters():
    """310 before the start; then 390 and 91 known, their mean of 240.5 to come; hours likewise."""
    hours = pd.Series([8.0, 4.0], pd.Index(["2025Q1", "2025Q2"]))
    got = costs.cost_timeline(
        costs.by_quarter(COSTS), hours, pd.Series({"2025Q2": 20.0}), ["2025Q1", "2025Q2", "2025Q3"],
        last_observed="2025Q2",
    )  # fmt: skip
    assert got.initial_amount == pytest.approx(310)
    assert got.costs["cost_amount"].tolist() == pytest.approx([390, 111, 250.5])
    assert got.costs["hires_amount"].tolist() == pytest.approx([0, 20, 10])
    assert got.costs["meeting_hours"].tolist() == [8.0, 4.0, 6.0]
    assert got.costs["is_observed"].tolist() == [True, True, False]
    assert math.isnan(got.error.standard_error)


def test_costs_that_end_before_the_start_are_refused():
    with pytest.raises(
        ValueError, match="last_observed must not lie before the first start 2025Q1, got '2024Q4'"
    ):
        costs.cost_timeline(
            costs.by_quarter(COSTS), pd.Series(dtype=float), pd.Series(dtype=float), ["2025Q1"],
            last_observed="2024Q4",
        )  # fmt: skip


def test_hours_of_a_joint_meeting_are_people_times_minutes_and_nobody_counts_twice():
    """m1: r1, r2 and marketer x, 60 min, in two calendars: 3 h. c: with a customer. s: sales alone. x's own: with r1."""
    at = pd.Timestamp("2025-02-03 09:00", tz="UTC")
    later = at + pd.Timedelta(days=100)
    activities = pd.DataFrame(
        {
            "activity_id": ["m1", "m1b", "c", "s", "own"],
            "rep_id": ["r1", "r2", "r1", "r1", "x"],
            "started_at": [at, at, later, later, later],
            "minutes": [60.0, 60.0, 60.0, 60.0, 30.0],
        }
    )
    attendees = pd.DataFrame(
        [
            ("m1", "p2", "sales", "r2"), ("m1", "px", "marketing", "x"), ("m1b", "px", "marketing", "x"),
            ("c", "px", "marketing", "x"), ("c", "pc", "customer", None), ("s", "p2", "sales", "r2"),
            ("own", "p1", "sales", "r1"),
        ],
        columns=["activity_id", "person_key", "side", "rep_id"],
    )  # fmt: skip
    reps = pd.DataFrame({"rep_id": ["r1", "r2", "x"], "role": ["rep", "rep", "marketing"]})
    held = costs.joint_meeting_time(activities, attendees, reps)
    assert sorted(held["person"]) == ["r1", "r1", "r2", "x", "x"]
    assert costs.meeting_hours(held).to_dict() == {"2025Q1": 3.0, "2025Q2": 1.0}


def test_an_input_without_an_error_is_said_to_be_taken_as_known():
    from analysis.chapters.roi import uncertainty

    known = uncertainty.taken_as_known(programme(cost_error=Uncertain(0.0, 0.1, 3)))
    assert known == [
        "bookings to come without the programme",
        "commission rate",
        "cost per hour of a meeting",
    ]


def test_a_company_is_assembled_over_the_settings_horizon(raw):
    """House settings: 12 quarters, margin 0.70, prior N(3, 4²); costs known up to the last whole quarter."""
    (raw / "alignment.toml").write_text("[money]\nhorizon_quarters = 6\n", encoding="utf-8")
    stays = pd.DataFrame(
        {
            "rep_id": list("pqr"), "bookings_amount": 1000.0, "commission_amount": [90.0, 100.0, 110.0],
            "base_amount": 300.0, "fringe_amount": 0.0, "overhead_amount": 0.0, "paid_hours": 100.0,
            "team_id": "a", "quarter": "2025Q1",
        }
    )  # fmt: skip
    held = pd.DataFrame({"held_on": [pd.Timestamp("2025-02-03", tz="UTC")], "hours": [3.0]})
    table = bookings().assign(is_partial=lambda t: t["quarter"] == "2025Q4")
    got = appraised_programme.programme_case(
        table,
        stays,
        COSTS,
        held,
        starts={"a": "2025Q1"},
        effect=programme().effect,
        house=settings.load_dataset_settings("here"),
    )
    assert got.n_periods == 6
    assert got.initial_amount == pytest.approx(310)
    assert got.costs["is_observed"].tolist() == [True] * 3 + [False] * 3
    assert got.costs["meeting_hours"].tolist() == pytest.approx([3, 0, 0, 1, 1, 1])
    assert got.assumptions == case.Assumptions(0.70, 0.10, 0.25)
    assert got.prior == case.Prior(3.0, 4.0)
    assert got.commission_rate.estimate == pytest.approx(0.10)
