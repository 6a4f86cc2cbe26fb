"""Cost and required bookings of an hour of selling."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.cost import chapter, cost, cost_target
from analysis.project.errors import CrmDataError
from analysis.project.settings import KeyMetric
from analysis.stats.result import Result

MINIMUM = {"minimum_logged_share": 0.5, "currency": "USD"}


@pytest.fixture
def stays() -> pd.DataFrame:
    """Three reps; b logged half the quarter, so half of what b cost stands against b's hours."""
    return pd.DataFrame(
        {
            "rep_id": ["a", "b", "c"],
            "team_id": ["t1", "t1", "t2"],
            "quarter": "2026Q3",
            "logged_share": [1.0, 0.5, 1.0],
            "base_amount": [25_000.0, 20_000.0, 30_000.0],
            "commission_amount": [10_000.0, 10_000.0, 10_000.0],
            "fringe_amount": [6_000.0, 6_000.0, 7_000.0],
            "overhead_amount": [4_000.0, 4_000.0, 3_000.0],
            "quota_amount": [400_000.0, 400_000.0, 500_000.0],
            "selling_hours": [100.0, 50.0, 150.0],
            "selling_preparation_hours": [150.0, 75.0, 225.0],
            "selling_prospecting_hours": [200.0, 100.0, 300.0],
            "paid_hours": [500.0, 500.0, 500.0],
            "available_hours": [400.0, 400.0, 400.0],
            "weeks_employed": [13.0, 13.0, 13.0],
        }
    )


def test_fully_loaded_cost_is_the_sum_of_its_parts(stays):
    """25 + 10 + 6 + 4 thousand, and so on: parts that are paid once are counted once."""
    assert cost.fully_loaded_cost(stays).tolist() == [45_000.0, 40_000.0, 50_000.0]


@pytest.mark.parametrize(
    ("measure", "expected", "unit"),
    [
        (
            "cost_per_selling_hour",
            115_000 / 300,
            "USD per recorded selling hour",
        ),  # 45 + 40 / 2 + 50 thousand
        ("cost_per_available_hour", 115.0, "USD per available hour"),  # 400 + 200 + 400 h
        ("cost_per_paid_hour", 92.0, "USD per paid hour"),  # 500 + 250 + 500 h
        ("required_bookings_per_selling_hour", 1_100_000 / 300, "USD per recorded selling hour"),
        ("selling_hours_per_week", 300 / 32.5, "hours per rep and week"),
        ("selling_share_of_available_time", 0.3, "of available time"),
    ],
)
def test_every_measure_by_hand(stays, measure, expected, unit):
    got = cost.estimate_cost(stays, measure, **MINIMUM)
    assert got.estimate == pytest.approx(expected)
    assert (got.name, got.unit, got.n, got.kind, got.verdict) == (measure, unit, 3, "measure", None)


def test_half_logged_quarter_is_not_charged_in_full(stays):
    """Rep b alone: 40,000 x 0.5 / 50 h = 400, not the 800 of a full quarter over half its hours."""
    assert cost.estimate_cost(stays[stays["rep_id"] == "b"], **MINIMUM).estimate == 400


def test_cost_ratio_hangs_together(stays):
    """Cost per selling hour is cost per available hour over the selling share of available time."""
    got = {name: cost.estimate_cost(stays, name, **MINIMUM).estimate for name in cost.MEASURES}
    share = got["selling_share_of_available_time"]
    assert got["cost_per_selling_hour"] == pytest.approx(got["cost_per_available_hour"] / share)


def test_jackknife_interval_by_hand():
    """Means of 2, 4, 6 without one each: 5, 4, 3; se = sqrt(2/3 x 2) = 1.1547; t(2) = 4.3027."""
    estimate, low, high = cost.ratio_of_sums([2, 4, 6], [1, 1, 1])
    assert estimate == 4
    assert (low, high) == pytest.approx((4 - 4.96828, 4 + 4.96828), abs=1e-4)


@pytest.mark.parametrize(("n", "runs"), [(8, 3_000), (190, 3_000)])
def test_nominal_interval_covers_as_it_says(n, runs):
    """95% covers the population's ratio in 93 to 97% of draws, lognormal hours (cv 0.42)."""
    rng = np.random.default_rng(3)
    hours = rng.lognormal(np.log(140) - 0.08, 0.4, (runs, n))
    pay = rng.lognormal(np.log(52_000) - 0.02, 0.2, (runs, n))
    ends = np.array([cost.ratio_of_sums(p, h)[1:] for p, h in zip(pay, hours, strict=True)])
    truth = 52_000 / 140
    covered = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()
    assert 0.93 < covered < 0.97


def test_rep_with_two_stays_is_one_rep(stays):
    """Two halves of rep a make the same figure, the same interval and the same n."""
    whole = cost.estimate_cost(stays, **MINIMUM)
    amounts = [*cost.PAY, "quota_amount", "paid_hours", "available_hours", "weeks_employed"]
    amounts += ["selling_hours", "selling_preparation_hours", "selling_prospecting_hours"]
    half = stays[stays["rep_id"] == "a"].assign(**{c: stays.loc[0, c] / 2 for c in amounts})
    split = pd.concat([half.assign(team_id="t1"), half.assign(team_id="t2"), stays[1:]])
    got = cost.estimate_cost(split, **MINIMUM)
    assert got.n == 3
    assert (got.estimate, got.low, got.high) == pytest.approx(
        (whole.estimate, whole.low, whole.high)
    )


def test_unknown_pay_is_left_out_and_counted(stays):
    """A missing commission is not a commission of zero: (20,000 + 50,000) / 200 h."""
    stays.loc[0, "commission_amount"] = math.nan
    got = cost.estimate_cost(stays, **MINIMUM)
    assert (got.estimate, got.n) == (350, 2)
    assert "reps left out: 1 (pay unknown in part)" in got.method


def test_hours_need_no_pay(stays):
    """Selling hours a week are known of a rep whose pay is not."""
    stays["commission_amount"] = math.nan
    assert cost.estimate_cost(stays, "selling_hours_per_week", **MINIMUM).n == 3


def test_thinly_logged_rep_is_left_out_and_counted(stays):
    stays.loc[1, "logged_share"] = 0.4
    got = cost.estimate_cost(stays, **MINIMUM)
    assert (got.estimate, got.n) == (95_000 / 250, 2)
    assert "reps left out: 1 (logged under 50% of the time)" in got.method


def test_rep_who_logged_and_sold_nothing_still_costs(stays):
    """Zero logged hours are hours: (45,000 + 20,000 + 50,000) / (0 + 50 + 150)."""
    stays.loc[0, "selling_hours"] = 0.0
    assert cost.estimate_cost(stays, **MINIMUM).estimate == 575


def test_no_quota_leaves_required_bookings_unknown(stays):
    stays["quota_amount"] = math.nan
    got = cost.estimate_cost(stays, "required_bookings_per_selling_hour", **MINIMUM)
    assert not got.is_known
    assert "reps left out: 3 (no quota)" in got.method


def test_two_reps_have_no_interval(stays):
    got = cost.estimate_cost(stays[:2], **MINIMUM)
    assert got.is_known
    assert math.isnan(got.low)
    assert math.isnan(got.high)


def test_wider_definition_of_selling_is_cheaper_by_the_hour(stays):
    """115,000 over 300, 450 and 600 hours."""
    got = cost.by_definition(stays, **MINIMUM)
    assert got["definition"].tolist()[0] == "selling_hours"
    assert got["estimate"].tolist() == pytest.approx([115_000 / 300, 115_000 / 450, 115_000 / 600])


def test_teams_are_costed_apart(stays):
    """t1: (45,000 + 20,000) / 150 h; t2: 50,000 / 150 h."""
    got = cost.cost_by_group(stays, "team_id", **MINIMUM)
    narrow = got[got["definition"] == "selling_hours"]
    assert narrow["team_id"].tolist() == ["t1", "t2"]
    assert narrow["n_reps"].tolist() == [2, 1]
    assert narrow["estimate"].tolist() == pytest.approx([65_000 / 150, 50_000 / 150])


def test_team_without_known_pay_keeps_its_row(stays):
    """A team of which nothing is known shows as unknown, with how many were left out."""
    stays.loc[2, "base_amount"] = math.nan
    last = cost.cost_by_group(stays, "team_id", **MINIMUM).iloc[-1]
    assert (last["team_id"], last["n_reps"], last["n_left_out"]) == ("t2", 0, 1)
    assert math.isnan(last["estimate"])


def test_reps_without_a_region_keep_their_row(stays):
    """A missing region is a group of its own, last: 45,000 + 50,000 over 250 h."""
    regions = stays.assign(region=[None, "EMEA", None])
    got = cost.cost_by_group(regions, "region", **MINIMUM)
    narrow = got[got["definition"] == "selling_hours"]
    assert narrow["n_reps"].tolist() == [1, 2]
    assert narrow["region"].isna().tolist() == [False, True]
    assert narrow["estimate"].tolist() == [400, 380]


def test_two_quarters_at_once_are_refused(stays):
    stays.loc[0, "quarter"] = "2026Q2"
    with pytest.raises(CrmDataError, match=r"needs one quarter, but has 2 \(2026Q2, 2026Q3\)"):
        cost.estimate_cost(stays, **MINIMUM)


def test_no_row_is_refused(stays):
    with pytest.raises(CrmDataError, match="rep_quarter: no row to cost"):
        cost.cost_by_group(stays[:0], "team_id", **MINIMUM)


def test_missing_column_is_named(stays):
    with pytest.raises(CrmDataError, match="rep_quarter: needs logged_share, but has"):
        cost.estimate_cost(stays.drop(columns="logged_share"), **MINIMUM)


def test_unknown_measure_and_definition_are_named(stays):
    with pytest.raises(
        ValueError, match=r"measure must be one of cost_per_selling_hour, .* got 'price'"
    ):
        cost.estimate_cost(stays, "price", **MINIMUM)
    with pytest.raises(
        ValueError, match=r"definition must be one of selling_hours, .* got 'talking'"
    ):
        cost.estimate_cost(stays, definition="talking", **MINIMUM)


def test_leave_is_counted_twice_only_by_the_benefit_share():
    """24.7% put on cash instead of 18.8%: 0.059 / 1.247 of the cost; 18.8% is clean."""
    assert cost.leave_double_count(0.247) == pytest.approx(0.04731, abs=1e-5)
    assert cost.leave_double_count(0.188) == 0
    assert cost.leave_double_count(0.10) == 0


def test_fringe_rate_gets_a_note_only_where_it_may_hold_leave(stays):
    """13,000 on 65,000 of cash is 20%; 19,500 is 30%: (0.30 - 0.188) / 1.30 = 8.6%."""
    pair = stays.iloc[:2]
    assert cost.fringe_note(pair.assign(fringe_amount=6_500.0)) == ""
    assert "30.0% of cash pay" in cost.fringe_note(pair.assign(fringe_amount=9_750.0))
    assert "up to 8.6%" in cost.fringe_note(pair.assign(fringe_amount=9_750.0))


def test_marketing_ask_prints_both_bases():
    """30 minutes of 20 reps are 10 hours: $3,990 at $399, and 10 x 3,788 of required bookings."""
    got = cost.marketing_ask(30, 20, 399, 3_788)
    assert got["estimate"].tolist() == [3_990, 37_880]
    assert got["basis"].tolist() == ["cost of the selling hours", "bookings those hours must bring"]
    assert got[["low", "high"]].isna().all(axis=None)


def test_marketing_ask_carries_the_interval_of_its_rate():
    rate = Result(
        "cost_per_selling_hour", 400.0, 350.0, 450.0, "USD per selling hour", 20, "reps", "", ""
    )
    got = cost.marketing_ask(15, 8, rate, 3_000)
    assert got.loc[0, ["estimate", "low", "high"]].tolist() == [800, 700, 900]


@pytest.mark.parametrize(
    ("target", "aim", "says"),
    [
        (500.0, "at most", "The target of at most $500 is met."),
        (300.0, "at most", "The target of at most $300 is missed."),
        (None, "at most", "These figures alone cannot say whether that is good: nobody set a"),
    ],
)
def test_a_cost_is_good_or_bad_by_a_target_alone(stays, target, aim, says):
    """383 dollars an hour; a vendor's example judges nothing."""
    hour = cost.estimate_cost(stays, "cost_per_selling_hour", **MINIMUM)
    watched = KeyMetric(name=hour.name, owner="o", definition="d", target=target, aim=aim)
    assert cost_target.judge_cost(hour, watched, currency="USD").startswith(says)


def test_an_unknown_cost_is_not_judged(stays):
    hour = cost.estimate_cost(stays, "cost_per_selling_hour", **MINIMUM)
    assert cost_target.judge_cost(hour._replace(estimate=math.nan), None, currency="USD") == ""


def test_an_ask_reaches_no_more_reps_than_there_are(stays):
    hour = cost.estimate_cost(stays, "cost_per_selling_hour", **MINIMUM)._replace(estimate=400.0)
    costs = SimpleNamespace(
        stays=stays, hour=hour, required=4_000.0,
        company=SimpleNamespace(settings=SimpleNamespace(company=SimpleNamespace(currency="USD"))),
    )  # fmt: skip
    assert chapter.ask_sentence(costs, minutes=30, n_reps=20).endswith(
        "30 minutes of 3 reps is $600 of selling time."
    )
