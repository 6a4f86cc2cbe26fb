"""Bands over several estimates at once, and robustness to what was not seen."""

import numpy as np
import pytest
from inference_panels import panel
from scipy import stats

from analysis.project.errors import CrmDataError
from analysis.stats import linear, simultaneous_bands, unobserved_confounding
from analysis.stats.sample import make_sample


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_one_estimate_gets_its_t_interval(rng):
    """Monte Carlo error of the quantile at 200,000 draws is about .006; three of them."""
    got = simultaneous_bands.sup_t(
        ["a"], np.array([1.0]), np.array([[4.0]]), rng=rng, df=11, n_draws=200_000
    )
    assert got.critical == pytest.approx(stats.t.ppf(0.975, 11), abs=0.02)
    assert got.table().loc["a", "high"] == pytest.approx(1 + 2 * got.critical)


def test_independent_estimates_get_sidaks_critical_value(rng):
    """|t| of each of five below z with probability .95^(1/5): z = 2.569."""
    got = simultaneous_bands.sup_t(
        list("abcde"), np.zeros(5), np.diag([1.0, 4, 9, 1, 1]), rng=rng, n_draws=200_000
    )
    assert got.critical == pytest.approx(stats.norm.ppf((1 + 0.95**0.2) / 2), abs=0.02)


def test_the_same_estimate_twice_costs_nothing(rng):
    got = simultaneous_bands.sup_t(
        ["a", "b"], np.zeros(2), np.ones((2, 2)), rng=rng, n_draws=200_000
    )
    assert got.critical == pytest.approx(1.96, abs=0.02)


def test_the_reference_quarter_has_no_band(rng):
    got = simultaneous_bands.sup_t(
        ["-2", "-1", "0"], np.array([0.1, 0, 5]), np.diag([1.0, 0, 1]), rng=rng
    ).table()
    assert got.loc["-1", ["low", "high"]].tolist() == [0, 0]
    assert got["excludes_zero"].tolist() == [False, False, True]


def test_draws_give_the_band_that_their_covariance_gives(rng):
    covariance = np.array([[1.0, 0.5, 0], [0.5, 2, 0], [0, 0, 1]])
    draws = rng.multivariate_normal([1, 2, 3], covariance, 100_000)
    got = simultaneous_bands.sup_t_from_draws(list("abc"), np.array([1.0, 2, 3]), draws)
    exp = simultaneous_bands.sup_t(
        list("abc"), np.array([1.0, 2, 3]), covariance, rng=rng, n_draws=100_000
    )
    assert got.critical == pytest.approx(exp.critical, abs=0.03)


def test_what_is_no_covariance_is_refused(rng):
    with pytest.raises(CrmDataError, match="no negative variance"):
        simultaneous_bands.sup_t(["a"], np.zeros(1), np.array([[-1.0]]), rng=rng)


def test_darfurs_robustness_values():
    """Cinelli and Hazlett (2020), table 1: t = 4.184, df = 783: RV 13.9 %, RV(.05) 7.6 %, partial R2 2.2 %."""
    got = unobserved_confounding.robustness_of_t(4.18445, 783)
    assert [round(v * 100, 1) for v in (got.value, got.value_alpha, got.partial_r2)] == [
        13.9,
        7.6,
        2.2,
    ]


def test_an_insignificant_slope_has_no_robustness_left():
    assert unobserved_confounding.robustness_of_t(1.5, 100).value_alpha == 0


def test_a_confounder_as_strong_as_its_robustness_value_brings_the_slope_to_zero():
    """Bias = se x sqrt(df) x R2 / sqrt(1 - R2) with R2 of both = RV is the slope."""
    whole = make_sample(
        panel(0, 12, 20), outcome="y", regressors=["hours", "meetings"], absorb=["unit", "period"]
    )
    fit = linear.least_squares(whole)
    got = unobserved_confounding.robustness_value(whole, "hours")
    bias = fit.standard_error[0] * np.sqrt(fit.df) * got.value / np.sqrt(1 - got.value)
    assert bias == pytest.approx(fit.estimate[0], rel=1e-12)


def test_the_bound_is_the_slope_beside_a_confounder_of_just_that_strength():
    """One is made whose partial R2 with hours, and with y beside hours, are those of the bound."""
    table = panel(0, 12, 20)
    n, regressors = len(table), ["hours", "meetings"]
    got = unobserved_confounding.confounded_slope(
        make_sample(table, outcome="y", regressors=regressors), "hours", benchmark="meetings"
    )
    beside, directions = [np.ones(n), table["meetings"].to_numpy()], []
    noise = np.random.default_rng(0).normal(size=n)
    for column in (table["hours"].to_numpy(), table["y"].to_numpy(), noise):
        x = np.column_stack(beside)
        rest = column - x @ np.linalg.lstsq(x, column, rcond=None)[0]
        directions.append(rest / np.linalg.norm(rest))
        beside.append(column)
    on_hours = got.r2_regressor
    on_y = got.r2_outcome * (1 - on_hours)
    parts = np.sqrt([on_hours, on_y, 1 - on_hours - on_y])
    hidden = np.sign(got.estimate) * parts[0] * directions[0] + parts[1:] @ directions[1:]
    fit = linear.least_squares(
        make_sample(table.assign(hidden=hidden), outcome="y", regressors=[*regressors, "hidden"])
    ).table()
    assert got.estimate == pytest.approx(fit.loc["hours", "estimate"], rel=1e-9)
    assert got.standard_error == pytest.approx(fit.loc["hours", "standard_error"], rel=1e-9)


def test_a_hidden_confounder_of_known_strength_is_bounded_exactly():
    """Hide one of two confounders that are alike: the other as benchmark foretells the slope without it.

    Simulated: slope 0.5, 40,000 rows; three standard errors are .02.
    """
    rng = np.random.default_rng(0)
    seen, hidden, own = rng.normal(size=(3, 40_000))
    hours = 0.4 * seen + 0.4 * hidden + own
    table = panel(0, 200, 200, missing=0).assign(hours=hours, seen=seen)
    table["y"] = 0.5 * hours + 0.4 * seen + 0.4 * hidden + rng.normal(size=40_000)
    whole = make_sample(table, outcome="y", regressors=["hours", "seen"])
    got = unobserved_confounding.confounded_slope(whole, "hours", benchmark="seen")
    assert linear.least_squares(whole).estimate[1] > 0.6
    assert got.estimate == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ValueError, match="strength must be below"):
        unobserved_confounding.confounded_slope(whole, "hours", benchmark="seen", strength=50)
    with pytest.raises(ValueError, match="name must be one of hours, seen, got 'y'"):
        unobserved_confounding.confounded_slope(whole, "y", benchmark="seen")
