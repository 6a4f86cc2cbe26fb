"""Bookings and the hours of the quarters around them: a planted lag is found, and its kind is not claimed too high."""

import math

import numpy as np
import pandas as pd
import pytest
from studies import selling_time_study

from analysis.chapters.selling_time import elasticity, quarterly_bookings, rep_weeks, robustness
from analysis.simulate.simulated_tables import simulate_panels
from analysis.simulate.world.company_parameters import SimulatedCompany

QUARTERS = [f"202{5 + q // 4}Q{q % 4 + 1}" for q in range(8)]


def company(lag: int, slope: float = 1.0, n_reps: int = 60) -> tuple[rep_weeks.Weeks, pd.DataFrame]:
    """Return rep-weeks, ten a quarter, and bookings that follow the intensity of `lag` quarters before without error."""
    rng = np.random.default_rng(5)
    log_hours = rng.normal(2.3, 0.3, (n_reps, len(QUARTERS) + lag))
    rep, quarter = (grid.ravel() for grid in np.indices((n_reps, len(QUARTERS))))
    amount = 1e5 * np.exp(slope * (log_hours[rep, quarter] - 2.3))
    stays = pd.DataFrame(
        {"rep_id": rep, "quarter": np.take(QUARTERS, quarter), "bookings_amount": amount}
    )
    rows = stays.drop(columns="bookings_amount").assign(
        team_id=0, log_hours=log_hours[rep, quarter + lag]
    )
    rows = rows.loc[rows.index.repeat(10)].assign(
        available_hours=36.0, log_available=math.log(36.0)
    )
    rows["available_hours"] += rng.normal(0, 1, len(rows))
    return rep_weeks.Weeks(rows, (), {}, ()), stays


def unknown() -> elasticity.HoursEffect:
    few = pd.DataFrame({"rep_id": [1], "n_created": [0]})
    return elasticity.estimate_elasticity(rep_weeks.Weeks(few, (), {}, ()))


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_a_planted_lag_is_found_at_its_place_and_nowhere_else(lag):
    """Bookings go up 1% with 1% more hours `lag` quarters before; the sum over all quarters is 1 too."""
    selected, stays = company(lag)
    got = quarterly_bookings.over_cycle(selected, stays, pd.Series([150.0, math.nan]), unknown())
    assert got.n_lags == 2
    terms = got.terms.set_index("hours_of")["estimate"]
    assert terms.index.tolist()[:4] == [
        "the quarter after",
        "the same quarter",
        "1 quarter before",
        "2 quarters before",
    ]
    expected = [float(place == lag) for place in (-1, 0, 1, 2)]
    np.testing.assert_allclose(terms.iloc[:4], expected, atol=0.05)
    assert got.total.estimate == pytest.approx(1.0, abs=0.05)
    assert (got.total.kind, got.total.verdict) == ("association", "cannot tell")


def test_the_cycle_says_how_far_back_and_what_it_leaves_out():
    """Three quarters of the deals take up to 150 days, two quarters; 1 of 4 takes 400, which two do not hold."""
    selected, stays = company(0)
    got = quarterly_bookings.over_cycle(
        selected, stays, pd.Series([60.0, 90.0, 150.0, 400.0]), unknown()
    )
    assert (got.n_lags, got.covered) == (3, 0.75)
    assert "3 quarters back, 75% of won deals" in quarterly_bookings.lagged_sentence(got)


def test_too_few_reps_cannot_tell():
    selected, stays = company(0, n_reps=9)
    got = quarterly_bookings.over_cycle(selected, stays, pd.Series([60.0]), unknown())
    assert math.isnan(got.total.estimate)
    assert "cannot be told" in quarterly_bookings.lagged_sentence(got)


def test_only_hours_that_shifters_moved_may_count_as_an_effect():
    """The same company: an effect, or an association where the quarter after goes with bookings, or without shifters."""
    made = simulate_panels(SimulatedCompany(seed=3, n_teams=8, n_quarters=8))
    table, stays, cycles = (
        selling_time_study.rep_weeks(made),
        selling_time_study.rep_quarters(made),
        pd.Series([100.0]),
    )
    selected = rep_weeks.select_weeks(table)
    found = elasticity.estimate_elasticity(selected)
    got = quarterly_bookings.over_cycle(selected, stays, cycles, found)
    ahead = (
        got.terms[got.terms["way"] == quarterly_bookings.MOVED]
        .set_index("hours_of")
        .loc[quarterly_bookings.AHEAD]
    )
    is_clean = ahead["low"] < 0 < ahead["high"]
    assert got.total.kind == (
        "effect" if is_clean and found.elasticity.kind == "effect" else "association"
    )
    bare = rep_weeks.select_weeks(table.drop(columns=list(rep_weeks.SHIFTERS)))
    alone = quarterly_bookings.over_cycle(bare, stays, cycles, elasticity.estimate_elasticity(bare))
    assert (alone.total.kind, alone.total.verdict) == ("association", "cannot tell")
    assert set(alone.terms["way"]) == {"logged hours"}


def test_one_quarter_compares_no_rep_with_itself():
    """Reps of three quarters with a lag have one row each: neither lag nor same quarter can be told."""
    selected, stays = company(0)
    few = rep_weeks.Weeks(selected.rows[selected.rows["quarter"].isin(QUARTERS[:3])], (), {}, ())
    got = quarterly_bookings.over_cycle(
        few, stays[stays["quarter"].isin(QUARTERS[:3])], pd.Series([60.0]), unknown()
    )
    assert math.isnan(got.total.estimate)
    assert quarterly_bookings.bookings_sentence(stays[stays["quarter"] == QUARTERS[0]]).endswith(
        "cannot be told of one quarter."
    )


def test_other_estimators_of_one_quarter_leave_out_what_compares_quarters():
    made = simulate_panels(SimulatedCompany(seed=3, n_teams=8, n_quarters=6))
    table = selling_time_study.rep_weeks(made)
    whole = rep_weeks.select_weeks(table)
    one = rep_weeks.select_weeks(table[table["quarter"] == table["quarter"].min()])
    by_quarter = "Quarters instead of weeks, logs"
    assert (
        by_quarter
        in robustness.elasticity_estimators(whole, elasticity.estimate_elasticity(whole))[
            "estimator"
        ].tolist()
    )
    assert (
        by_quarter
        not in robustness.elasticity_estimators(one, elasticity.estimate_elasticity(one))[
            "estimator"
        ].tolist()
    )
    assert math.isnan(robustness.slope_robustness(one).value)
    assert not math.isnan(robustness.slope_robustness(whole).value)
