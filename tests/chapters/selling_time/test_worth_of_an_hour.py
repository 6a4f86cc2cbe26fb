"""What one more hour is worth: the articles' example to the dollar, and a company's by hand."""

import math

import pandas as pd
import pytest

from analysis.chapters.cost import worked_example
from analysis.chapters.selling_time import worth_of_an_hour
from analysis.chapters.selling_time.elasticity import HoursEffect
from analysis.chapters.selling_time.parts_of_the_week import Qualified
from analysis.project.errors import CrmDataError
from analysis.stats.result import Result


def stays(**changed) -> pd.DataFrame:
    """Return three reps of one quarter: 100 h in 10 weeks each, $100,000 booked, 4% commission."""
    rep = {"quarter": "2026Q3", "selling_hours": 100.0, "weeks_employed": 10.0, "paid_hours": 400.0,
           "available_hours": 320.0, "logged_share": 1.0, "bookings_amount": 100_000.0, "commission_amount": 4_000.0}  # fmt: skip
    return pd.DataFrame([rep | changed | {"rep_id": name} for name in "abc"])


def effect(kind="effect", verdict="found", estimate=0.34, error=0.04) -> HoursEffect:
    reach = 2 * error
    result = Result(
        "e", estimate, estimate - reach, estimate + reach, "", 50, "reps", "m", "s", kind, verdict
    )
    empty = pd.DataFrame()
    return HoursEffect(
        result, result, empty, empty, 50.0, error, 49, "" if kind == "effect" else "a shifter"
    )


@pytest.fixture
def base() -> worth_of_an_hour.Basis:
    return worth_of_an_hour.selling_basis(stays(), minimum_logged_share=0.5, currency="USD")


def test_the_articles_twelfth_hour_is_worth_1251_dollars_not_3788():
    """$2M over 48 weeks of 11 h; 12 h at elasticity 0.34 add $60,052 a year, $1,251 for each of 48 h."""
    article = worth_of_an_hour.Basis(
        2_000_000 / 528, 0.0, 99, 11.0, 528.0, 48.0, 0.0, 100, "2013", "USD"
    )
    got = worth_of_an_hour.more_hours(
        article, worth_of_an_hour.published_elasticity(), gross_margin_rate=1.0, added=(1.0,)
    ).iloc[0]
    assert round(got["bookings"]) == 60_052
    assert round(got["per_hour"]) == 1_251
    assert math.isnan(got["low"])


@pytest.mark.parametrize(
    ("hours", "cost", "required"),
    [(9, 487.67, 4629.63), (10, 438.90, 4166.67), (12, 365.75, 3472.22)],
)
def test_the_articles_averages_at_other_hours(hours, cost, required):
    got = worked_example.example_sensitivity((hours,)).iloc[0]
    assert round(got["cost_per_selling_hour"], 2) == cost
    assert round(got["required_bookings_per_selling_hour"], 2) == required


def test_the_basis_by_hand(base):
    """$300,000 over 300 h; 10 h a week; 30 rep-weeks a quarter, 120 a year; commission 4%."""
    assert base.bookings_per_hour == 1_000
    assert base.hours_per_week == 10
    assert base.rep_weeks == 120
    assert base.selling_hours == 1_200
    assert base.commission_rate == pytest.approx(0.04)


def test_only_the_logged_share_of_bookings_meets_the_logged_hours():
    half = worth_of_an_hour.selling_basis(
        stays(logged_share=0.5, selling_hours=50.0), minimum_logged_share=0.5, currency="USD"
    )
    assert half.bookings_per_hour == 1_000
    assert half.hours_per_week == 10


def test_one_more_hour_by_hand(base):
    """1,000 x 10 x (1.1 ^ 0.34 - 1) = 329.4 an hour; its margin after commission is 66% of that."""
    got = worth_of_an_hour.marginal_value(base, effect())
    assert got.name == "marginal_value_of_selling_hour"
    assert got.estimate == pytest.approx(10_000 * (1.1**0.34 - 1))
    assert got.low < got.estimate < got.high
    assert got.kind == "effect"
    hour = Result(
        "cost_per_selling_hour", 400.0, 390.0, 410.0, "USD per selling hour", 3, "reps", "", ""
    )
    table = worth_of_an_hour.compare_average_and_next_hour(
        base, effect(), required=hour, cost_per_hour=hour, gross_margin_rate=0.7
    )
    assert table["estimate"].iloc[3] == pytest.approx(0.66 * got.estimate)


def test_the_value_has_no_number_where_hours_and_deals_only_go_together(base):
    unknown = effect("association", "cannot tell")
    got = worth_of_an_hour.marginal_value(base, unknown)
    assert math.isnan(got.estimate)
    assert (got.kind, got.verdict) == ("association", "cannot tell")
    assert "a shifter" in got.method
    assert worth_of_an_hour.elasticity_worth(unknown) == worth_of_an_hour.published_elasticity()
    hour = got._replace(estimate=4_000.0)
    said = worth_of_an_hour.hour_sentence(
        base, unknown, required=hour, cost_per_hour=hour, gross_margin_rate=0.7
    )
    assert said.startswith(
        "We cannot tell what one more hour of selling is worth, only that it is not the $4,000 "
        "that quotas assume for the average hour: "
    )
    assert "a shifter" in said


def test_an_interval_that_holds_zero_is_not_acted_on(base):
    hour = Result("h", 4_000.0, 1.0, 2.0, "USD per selling hour", 3, "reps", "", "")
    wide = effect(verdict="cannot tell", error=0.3)
    said = worth_of_an_hour.hour_sentence(
        base, wide, required=hour, cost_per_hour=hour, gross_margin_rate=0.7
    )
    assert "; the interval is too wide to act on. Quotas assume $4,000 for the average hour" in said


def test_what_one_more_hour_leaves_stands_beside_its_cost(base):
    hour = Result("h", 400.0, 390.0, 410.0, "USD per selling hour", 3, "reps", "", "")
    worth = worth_of_an_hour.marginal_value(base, effect())
    says = worth_of_an_hour.hour_sentence(
        base,
        effect(),
        required=hour._replace(estimate=1.0),
        cost_per_hour=hour,
        gross_margin_rate=0.7,
    )
    beside = "more" if 0.66 * worth.estimate > 400 else "less"
    assert f" of margin after commission, {beside} than the $400 an hour costs. " in says
    assert says.endswith("Quotas assume $1 for the average hour.")


def test_the_last_added_hour_brings_less_than_the_first(base):
    table = worth_of_an_hour.more_hours(
        base, worth_of_an_hour.elasticity_worth(effect()), gross_margin_rate=0.7
    )
    assert table["per_hour"].is_monotonic_decreasing
    assert table["bookings"].is_monotonic_increasing
    assert table["hours"].tolist() == [120, 240]


def test_hours_moved_to_qualified_opportunities_by_hand(base):
    """From 50% to 100% of 1,200 h: 600 h moved, bookings of $1.2M times 2 ^ 0.34 - 1."""
    got = worth_of_an_hour.qualified_hours(
        base,
        worth_of_an_hour.elasticity_worth(effect()),
        gross_margin_rate=0.7,
        target_share=1.0,
        assumed_shares=(0.5,),
    ).iloc[0]
    assert got["hours"] == 600
    assert got["bookings"] == pytest.approx(1_200_000 * (2**0.34 - 1))
    assert got["margin"] == pytest.approx(0.66 * got["bookings"])


def test_scenarios_stand_together(base):
    got = worth_of_an_hour.hour_scenarios(
        base, worth_of_an_hour.published_elasticity(), gross_margin_rate=0.7, target_share=0.9
    )
    assert got["scenario"].iloc[[0, -1]].tolist() == [
        "1 h more a week",
        "80% to 90% of hours qualified",
    ]
    assert got["low"].isna().all()


def test_measured_hours_need_no_assumption(base):
    """Half of the hours at 0.8 measured, the rest assumed at 0.6: 0.7 today, a seventh short of 0.8 by ratio."""
    measured = Qualified(share=0.8, low=0.7, high=0.9, linked=0.5, n_reps=9)
    got = worth_of_an_hour.qualified_hours(
        base,
        worth_of_an_hour.published_elasticity(),
        gross_margin_rate=0.7,
        target_share=0.8,
        assumed_shares=(0.6, 0.8),
        measured=measured,
    )
    assert got["today"].tolist() == pytest.approx([0.7, 0.8])
    assert got["hours"].tolist() == pytest.approx([0.1 * base.selling_hours, 0.0])
    assert got["bookings"].iloc[1] == 0.0


def test_without_links_the_scenarios_are_those_assumed(base):
    unknown = Qualified(math.nan, math.nan, math.nan, 0.0, 9)
    arguments = {"gross_margin_rate": 0.7, "target_share": 0.9}
    got = worth_of_an_hour.hour_scenarios(
        base, worth_of_an_hour.published_elasticity(), **arguments, measured=unknown
    )
    pd.testing.assert_frame_equal(
        got,
        worth_of_an_hour.hour_scenarios(base, worth_of_an_hour.published_elasticity(), **arguments),
    )


def test_a_share_above_the_target_is_refused(base):
    with pytest.raises(
        ValueError, match=r"assumed_shares must lie above 0 and up to 0\.9, got 0\.95"
    ):
        worth_of_an_hour.qualified_hours(
            base,
            worth_of_an_hour.published_elasticity(),
            gross_margin_rate=0.7,
            target_share=0.9,
            assumed_shares=(0.95,),
        )


def test_two_quarters_are_refused():
    two = pd.concat([stays(), stays(quarter="2026Q2")])
    with pytest.raises(CrmDataError, match="has 2 quarters"):
        worth_of_an_hour.selling_basis(two, minimum_logged_share=0.5, currency="USD")


def test_a_slider_moves_the_elasticity(base):
    at = worth_of_an_hour.what_if(base, worth_of_an_hour.published_elasticity(), 0.7, 1.0, 1.0)
    assert at["per_hour"].item() == pytest.approx(1_000)
