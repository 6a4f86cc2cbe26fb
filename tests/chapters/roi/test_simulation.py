"""NPV, payback and what drives them, against sums worked by hand and closed forms."""

import math

import numpy as np
import pandas as pd
import pytest
from roi_case import LIFT, PRIOR, programme
from scipy import stats

from analysis.chapters.roi import simulation, uncertainty
from analysis.chapters.roi.case import GrowthEffect, Prior, Uncertain
from analysis.chapters.roi.simulation import Appraisal


def effect(estimate, error, df):
    return GrowthEffect(estimate, error, df, "found", 10, 0.1)


def test_npv_by_hand():
    """Half of 25 + 25 + 6 x 50 added, less 8 x 10 of cost and 8 x 1 h at 2."""
    case = programme(hours=1.0)
    inputs = uncertainty.central_inputs(case).assign(growth_effect=LIFT)
    assert simulation.net_present_value(case, inputs).item() == pytest.approx(0.5 * 350 - 80 - 16)


def test_what_was_spent_before_the_start_is_not_discounted():
    case = programme(discount_rate=0.21, horizon=4)
    inputs = uncertainty.central_inputs(case).assign(growth_effect=LIFT)
    before, after = (
        simulation.net_present_value(case._replace(initial_amount=x), inputs).item()
        for x in (0.0, 30.0)
    )
    assert before - after == pytest.approx(30.0)
    net = [2.5, 2.5, 15.0, 15.0]
    assert before == pytest.approx(sum(x / 1.1 ** (i / 2) for i, x in enumerate(net, start=1)))


def test_only_costs_to_come_are_uncertain():
    """Four of eight quarters of 10 are still to come: 50% more costs 20 more."""
    case = programme()
    at = uncertainty.central_inputs(case)
    dearer = simulation.net_present_value(case, at.assign(cost_error=0.5))
    assert (simulation.net_present_value(case, at) - dearer).item() == pytest.approx(20.0)


def test_the_posterior_is_the_normal_one_where_the_likelihood_is_normal():
    """0.10 +- 0.04 against a prior of 0.03 +- 0.04: half way, with a variance half as large."""
    got = uncertainty.effect_quantiles(
        effect(0.10, 0.04, 10**7), PRIOR, np.array([0.05, 0.5, 0.975])
    )
    exp = 0.065 + 0.04 / math.sqrt(2) * stats.norm.ppf([0.05, 0.5, 0.975])
    assert got == pytest.approx(exp, abs=1e-5)


def test_a_vague_prior_leaves_the_80_percent_interval_of_t():
    """t(5) has its 10 and 90 % quantiles 1.476 errors away; without a prior it is t altogether."""
    got = uncertainty.effect_quantiles(
        effect(0.10, 0.04, 5), Prior(0.0, 5_000.0), np.array([0.1, 0.9])
    )
    assert got == pytest.approx([0.10 - 0.05904, 0.10 + 0.05904], abs=1e-4)
    flat = uncertainty.effect_quantiles(effect(0.10, 0.04, 5), None, np.array([0.025, 0.975]))
    assert flat == pytest.approx(0.10 + 0.04 * stats.t.ppf([0.025, 0.975], 5))


def test_few_teams_move_the_prior_less():
    """The same estimate and error with t(3) is less to go by than with t(60)."""
    few, many = (
        uncertainty.effect_quantiles(effect(0.20, 0.04, df), PRIOR, np.array([0.5])).item()
        for df in (3, 60)
    )
    assert 0.03 < few < many < 0.20


def test_what_was_estimated_together_is_drawn_together():
    case = programme(
        commission_rate=Uncertain(0.1, 0.01, 10**6), cost_per_hour=Uncertain(100.0, 5.0, 10**6)
    )
    drawn = uncertainty.draw_inputs(case._replace(correlation=0.8))
    assert drawn["commission_rate"].corr(drawn["cost_per_hour"]) == pytest.approx(0.8, abs=0.02)
    assert drawn["commission_rate"].corr(drawn["growth_effect"]) == pytest.approx(0.0, abs=0.04)
    assert drawn["cost_per_hour"].std() == pytest.approx(5.0, rel=0.03)


def test_the_same_seed_gives_the_same_draws_and_another_does_not():
    case = programme()
    one, same, other = (simulation.appraise_case(case, seed=seed).npv for seed in (1, 1, 2))
    assert (one == same).all()
    assert not (one == other).all()


def linear(share: float, n: int = 200_000) -> Appraisal:
    """Return draws of an NPV normal around 1 with sd 2, of whose variance `share` is one input's."""
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, n))
    npv = 1 + 2 * (math.sqrt(share) * x + math.sqrt(1 - share) * y)
    inputs = pd.DataFrame(dict.fromkeys(uncertainty.INPUTS, np.zeros(n)))
    inputs["growth_effect"], inputs["baseline_error"] = x, y
    return Appraisal(inputs, npv, np.zeros(n), npv, np.zeros(n), pd.DataFrame())


def expected_gain(mean, sd):
    """Return E[max(X, 0)] - max(mean, 0) of a normal X: the unit normal loss."""
    u = abs(mean) / sd
    return sd * (stats.norm.pdf(u) - u * stats.norm.sf(u))


def test_drivers_have_the_closed_forms_of_a_linear_normal_outcome():
    """75% and 25% of the variance; what an input is worth knowing is the normal loss of its own part."""
    got = simulation.npv_drivers(linear(0.75)).set_index("name")
    assert got["share_of_variance"].tolist() == pytest.approx([0.75, 0.25], abs=0.01)
    assert got.index.tolist() == ["growth_effect", "baseline_error"]
    assert got["worth_knowing"].tolist() == pytest.approx(
        [expected_gain(1, 2 * math.sqrt(0.75)), expected_gain(1, 2 * math.sqrt(0.25))], abs=0.01
    )
    ends = got.loc["growth_effect", ["npv_low", "npv_high"]].astype(float)
    assert ends.tolist() == pytest.approx(
        [1 - 2 * math.sqrt(0.75) * 1.2816, 1 + 2 * math.sqrt(0.75) * 1.2816], abs=0.03
    )
    assert simulation.worth_of_certainty(linear(0.75)) == pytest.approx(
        expected_gain(1, 2), abs=0.01
    )


def test_break_even_by_hand():
    """All quarters known, one cohort: 4 x 125 x (1 - exp(-x)) x 0.5 = 40 at exp(-x) = 0.84."""
    case = programme(horizon=4)
    case = case._replace(bookings=case.bookings[case.bookings["start"] == "2025Q1"])
    value, low, high = simulation.break_even(case)
    assert value == pytest.approx(-math.log(0.84), abs=2e-4)
    assert low == pytest.approx(high)


def test_break_even_is_missing_where_nothing_pays():
    assert math.isnan(simulation.break_even(programme(cost=10_000.0))[0])


def test_break_even_is_as_uncertain_as_what_else_is():
    _, low, high = simulation.break_even(programme(cost_error=Uncertain(0.0, 0.5, 30)))
    assert low < simulation.break_even(programme())[0] < high


def test_payback_has_mass_at_never():
    """A lift that may be none at all: the shares are of all draws and add up."""
    case = programme(lift=0.05, error=0.05, prior=None)
    appraisal = simulation.appraise_case(case)
    table = simulation.payback_shares(appraisal, horizon_quarters=case.n_periods)
    assert table["payback"].tolist() == ["in year 1", "in year 2", "never"]
    assert table["probability"].sum() == pytest.approx(1.0)
    assert table["probability"].iloc[-1] == pytest.approx((appraisal.npv < 0).mean(), abs=1e-12)
    assert 0.5 < table["probability"].iloc[-1] < 0.95


def test_the_prior_pulls_towards_what_is_usual_and_is_shown_beside_none():
    table = simulation.npv_sensitivity(programme(error=0.08)).set_index("assumption")["p50"]
    assert table["As stated"] < table["No prior: this company's data alone"]
    assert table["Costs to come twice as high"] == pytest.approx(table["As stated"] - 40.0, abs=1.0)


def test_the_row_as_stated_is_the_headline():
    case = programme(error=0.08)
    row, npv = simulation.npv_sensitivity(case).iloc[0], simulation.appraise_case(case).npv
    assert row["p50"] == pytest.approx(np.median(npv))
    assert row["probability_positive"] == (npv > 0).mean()


def test_bookings_and_costs_of_different_horizons_are_refused():
    case = programme()
    with pytest.raises(ValueError, match="one horizon, got 8 and 7 quarters"):
        simulation.appraise_case(case._replace(costs=case.costs.iloc[:7]))


@pytest.mark.parametrize(("error", "df"), [(0.0, 20), (math.nan, 20), (0.05, 0)])
def test_an_effect_without_an_error_is_refused(error, df):
    with pytest.raises(ValueError, match="needs a standard error above 0"):
        uncertainty.effect_quantiles(effect(0.1, error, df), PRIOR, np.array([0.5]))
