"""Forecasts: by hand, as often right as they say, scored as published."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.report.review import forecasts


def test_the_last_value_with_its_own_past_errors_by_hand():
    """Steps of 1, -2, 1, 3, -1 below zero, so no logarithm: of 5 errors 1 1 1 2 3 rank ceil(6 x 0.8) = 5 is 3."""
    got = forecasts.forecast_next("x", [-10, -9, -11, -10, -7, -8])
    assert got == forecasts.Forecast("x", -8.0, -11.0, -5.0, "last quarter's value", 5)


def test_a_season_is_found():
    """Each quarter is the one a year before, exactly; the last value is off by 10 or more."""
    got = forecasts.forecast_next("x", [100, 50, 80, 20] * 3)
    assert (got.estimate, got.low, got.high) == pytest.approx((100, 100, 100))
    assert got.method == "the value of the same quarter a year before"


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([0.0, 0.3, 0.6, 0.9, 0.6, 0.9], (0.9, 0.6, 1.0)),  # every step 0.3: to 1.2, cut
        ([0.0, 0.3, 0.6, 0.9, 0.5, 0.1], (0.1, 0.0, 0.5)),  # largest step 0.4: from -0.3, cut
        ([0.5, 0.9, 0.5, 0.9, 0.5, 0.9], (0.9, 0.5, 1.0)),  # in logs: to 1.62, cut
    ],
)
def test_a_win_rate_is_foretold_within_0_and_100_percent(rates, expected):
    got = forecasts.forecast_next("win_rate", rates)
    assert (got.estimate, got.low, got.high) == pytest.approx(expected)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_short_a_past_gives_no_forecast(n):
    """Four errors are the fewest of which one can be exceeded in a fifth of quarters."""
    got = forecasts.forecast_next("x", [100.0 + i for i in range(n)])
    assert not got.is_known
    assert math.isnan(got.low)


def test_an_unknown_quarter_in_the_past_is_no_number():
    with pytest.raises(ValueError, match="past must hold numbers only, got"):
        forecasts.forecast_next("x", [1.0, float("nan")])


@pytest.mark.parametrize("season", [0.0, 0.2])
def test_the_interval_holds_as_often_as_it_says(season):
    """12 past quarters of a random walk in logs, with and without a season; 2,000 companies, level 0.8.

    Conformal intervals promise at least the level where errors are exchangeable; choosing the method by
    the same errors costs a little, a year's errors of a walk overlap. Monte Carlo error: 0.9 points.
    """
    rng = np.random.default_rng(1)
    steps = (
        rng.normal(0, 0.05, (2_000, 13)).cumsum(axis=1)
        + season * np.array([0, 1, -1, 0.5] * 4)[:13]
    )
    series = 100 * np.exp(steps)
    held = [
        (f := forecasts.forecast_next("x", row[:-1])).low <= row[-1] <= f.high for row in series
    ]
    assert 0.72 <= np.mean(held) <= 0.92


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (10.0, (True, 0.0, 4.0)),
        (12.0, (True, 2.0, 4.0)),
        (13.0, (False, 3.0, 14.0)),
        (7.0, (False, -3.0, 14.0)),
    ],
)
def test_a_score_by_hand(came, expected):
    """Width 4; a miss by 1 costs 2 / (1 - 0.8) = 10 more (Gneiting and Raftery 2007)."""
    assert forecasts.score_forecast({"estimate": 10.0, "low": 8.0, "high": 12.0}, came) == expected


def test_the_past_is_of_whole_quarters_up_to_the_one_reported():
    teams = pd.DataFrame(
        {
            "quarter": ["2026Q1", "2026Q1", "2026Q2", "2026Q3"],
            "is_partial": [False, False, False, True],
            "bookings_amount": [100.0, 50.0, 70.0, 1.0],
            "n_won": [3, 1, 0, 1],
            "n_lost": [1, 3, 0, 0],
        }
    )
    reps = pd.DataFrame({"quarter": []})
    got = forecasts.headline_history(
        reps.assign(**dict.fromkeys(_needed(), 0.0)), teams, until="2026Q3", minimum_logged_share=0.5, currency="USD",
        smallest_cell=5,
    )  # fmt: skip
    assert got["bookings"] == {"2026Q1": 150.0, "2026Q2": 70.0}
    assert got["win_rate"] == {"2026Q1": 0.5}, "nothing closed in 2026Q2: missing stays missing"
    assert got["cost_per_selling_hour"] == {}


@pytest.mark.parametrize(("n", "told"), [(4, {}), (5, {"2026Q1": 100.0})])
def test_what_too_few_reps_cost_is_no_past_to_forecast_from(n, told):
    """Reps of 50,000 a quarter and 500 hours sold; with 4 of them the figure is not shown, nor foretold."""
    from analysis.chapters.cost import cost
    from analysis.tables.canonical import SELLING_DEFINITIONS

    pay = {
        "base_amount": 40_000.0,
        "commission_amount": 5_000.0,
        "fringe_amount": 3_000.0,
        "overhead_amount": 2_000.0,
    }
    known = {"team_id": "t", "quarter": "2026Q1", "weeks_employed": 13.0, "logged_share": 1.0}
    every = (
        dict.fromkeys(cost.NEEDED, 1.0) | dict.fromkeys(SELLING_DEFINITIONS, 500.0) | pay | known
    )
    stays = pd.DataFrame(every | {"rep_id": list("abcde")[:n]})
    teams = pd.DataFrame(
        {
            "quarter": ["2026Q1"],
            "is_partial": False,
            "bookings_amount": 1.0,
            "n_won": 1,
            "n_lost": 1,
        }
    )
    got = forecasts.headline_history(
        stays, teams, until="2026Q1", minimum_logged_share=0.5, currency="USD", smallest_cell=5
    )
    assert got["cost_per_selling_hour"] == pytest.approx(told)


def _needed():
    from analysis.chapters.cost import cost

    return [c for c in cost.NEEDED if c != "quarter"]
