"""Leaving clusters out, drawing other assignments, and which p-value may lead."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from inference_oracle import PYFIXEST
from inference_panels import panel

from analysis.project.errors import CrmDataError
from analysis.stats import few_clusters, jackknife, linear, randomisation, wild_bootstrap
from analysis.stats.sample import make_sample

X = ["treated", "hours", "meetings"]


def made(table, **changes):
    arguments = {"outcome": "y", "regressors": X, "absorb": ["unit", "period"], "cluster": "unit"}
    return make_sample(table, **(arguments | changes))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# jackknife


@pytest.mark.parametrize("key", PYFIXEST)
def test_cr3_is_pyfixests(key):
    got = jackknife.cr3(made(panel(*key)))
    np.testing.assert_allclose(got.standard_error, PYFIXEST[key]["cr3"], rtol=1e-9)


def test_leaving_out_one_of_three_by_hand():
    """Means without one of 1, 2, 6: 4, 3.5, 1.5, around 3: 2/3 x (1 + .25 + 2.25) = 7/3."""
    table = pd.DataFrame({"rep_id": ["a", "b", "c"], "value": [1.0, 2.0, 6.0]})
    got = jackknife.leave_one_out(
        table, lambda t: pd.Series({"mean": t["value"].mean()}), cluster="rep_id"
    )
    assert got.without["mean"].tolist() == [4.0, 3.5, 1.5]
    assert got.standard_error["mean"] ** 2 == pytest.approx(7 / 3)
    row = got.table().loc["mean"]
    assert (row["lowest"], row["lowest_without"], row["highest_without"]) == (1.5, "c", "a")


@pytest.mark.parametrize(
    ("absorb", "cluster", "weights"),
    [
        (["unit", "period"], "unit", "weight"),
        (["unit", "period"], "period", None),
        (["unit", "period"], "market", None),
        (["period"], "unit", None),
        (["unit"], "unit", None),
        ([], "unit", "weight"),
    ],
)
def test_sums_of_products_give_what_fitting_without_each_cluster_gives(absorb, cluster, weights):
    whole = made(panel(1, 30, 12), absorb=absorb, cluster=cluster, weights=weights)
    exp = [jackknife._slopes_without(whole, g) for g in range(whole.clusters[0].n)]
    np.testing.assert_allclose(jackknife._slopes_without_each(whole), exp, rtol=1e-9)


def test_cr3_is_the_jackknife_of_least_squares():
    """One route subsets the sample, the other the table."""
    table = panel(1, 30, 12)
    fit = jackknife.cr3(made(table))
    slow = jackknife.leave_one_out(
        table, lambda t: pd.Series(linear.least_squares(made(t)).estimate, X), cluster="unit"
    )
    np.testing.assert_allclose(fit.standard_error, slow.standard_error, rtol=1e-9)
    pd.testing.assert_series_equal(
        jackknife.cluster_influence(made(table), "hours"), slow.without["hours"], rtol=1e-9
    )


def test_a_slope_that_rests_on_one_cluster_is_refused():
    table = panel(0, 12, 20)
    table["treated"] = ((table["unit"] == 3) & (table["period"] > 9)) * 1.0
    with pytest.raises(CrmDataError, match="without unit 3 a slope has no value"):
        jackknife.cr3(made(table))


def test_jackknife_refusals():
    table = pd.DataFrame({"rep_id": ["a", "b", None], "value": [1.0, 2.0, 3.0]})
    with pytest.raises(CrmDataError, match="rep_id must be known, but 1 of 3 rows"):
        jackknife.leave_one_out(table, lambda t: t[["value"]].mean(), cluster="rep_id")
    with pytest.raises(CrmDataError, match="at least 2 clusters, but has 1"):
        jackknife.leave_one_out(table[:1], lambda t: t[["value"]].mean(), cluster="rep_id")
    with pytest.raises(CrmDataError, match=r"has none without 1 of 2 \(b\)"):
        jackknife.leave_one_out(
            table[:2],
            lambda t: (
                t[["value"]].mean()
                if "b" in t["rep_id"].tolist()
                else pd.Series({"value": math.nan})
            ),
            cluster="rep_id",
        )
    with pytest.raises(ValueError, match="cluster must name one column for CR3, got 0"):
        jackknife.cr3(made(panel(0, 12, 20), cluster=()))


# randomisation


def test_all_assignments_of_two_in_four_by_hand(rng):
    """Values 5 4 1 0, the first two treated: gap 4. Of 6 assignments only it and its mirror reach 4: 1/3."""
    values = pd.Series([5.0, 4.0, 1.0, 0.0], list("abcd"))
    treated = pd.Series([True, True, False, False], list("abcd"))
    got = randomisation.randomisation_test(treated, randomisation.mean_gap(values), rng=rng)
    assert (got.statistic, got.n_assignments, got.is_exact) == (4.0, 6, True)
    assert got.p_value == pytest.approx(2 / 6)
    assert got.refusal == "6 possible assignments are fewer than the 400 a test at 0.05 needs"


def test_cohorts_are_assigned_with_their_sizes(rng):
    """Two clusters in each of three cohorts: 6! / 2!^3 = 90 different assignments, each drawn once."""
    cohort = pd.Series(["q1", "q1", "q3", "q3", "never", "never"], name="cohort")
    seen = []
    got = randomisation.randomisation_test(cohort, lambda c: seen.append(tuple(c)) or 1.0, rng=rng)
    assert got.n_assignments == 90
    assert len(set(seen[1:])) == 90
    assert set(seen) == set(itertools.permutations(cohort))
    assert got.p_value == 1


def test_a_sample_of_assignments_comes_near_all_of_them(rng):
    """252 assignments of 5 in 10, 9,999 drawn: three Monte Carlo errors of p are .015 at most."""
    values = pd.Series(np.random.default_rng(2).normal(size=12))
    treated = pd.Series([True] * 6 + [False] * 6)
    exact = randomisation.randomisation_test(treated, randomisation.mean_gap(values), rng=rng)
    assert exact.n_assignments == math.comb(12, 6)
    assert exact.refusal == ""
    some = randomisation.randomisation_test(
        treated, randomisation.mean_gap(values), rng=rng, n_draws=900
    )
    assert not some.is_exact
    assert some.p_value == pytest.approx(exact.p_value, abs=3 * 0.5 / 30)


def test_an_assignment_of_nothing_is_refused(rng):
    with pytest.raises(CrmDataError, match="at least 2 groups"):
        randomisation.randomisation_test(pd.Series([True, True]), lambda _: 1.0, rng=rng)
    with pytest.raises(CrmDataError, match="no value under the actual assignment"):
        randomisation.randomisation_test(pd.Series([True, False]), lambda _: math.nan, rng=rng)


# headline


@pytest.fixture(scope="module")
def methods():
    whole = made(panel(0, 12, 20))
    table = panel(0, 12, 20).assign(late=lambda t: t["period"] >= 10)
    change = table.pivot_table("y", "unit", "late").diff(axis=1)[True]
    treated = pd.Series(np.arange(12) < 5, change.index)
    rng = np.random.default_rng(1)
    return {
        "jackknife": jackknife.cr3(whole),
        "bootstrap": wild_bootstrap.wcr11(whole, "treated", rng=rng),
        "randomisation": randomisation.randomisation_test(
            treated, randomisation.mean_gap(change), rng=rng
        ),
    }


def test_few_treated_clusters_are_led_by_randomisation(methods):
    fit = linear.least_squares(made(panel(0, 12, 20)))
    got = few_clusters.headline_test(fit, "treated", n_treated=5, **methods)
    assert got.method == "randomisation"
    assert got.p_value == methods["randomisation"].p_value
    assert got.why == "only 5 clusters differ in treatment"
    assert list(got.table.index) == ["CRV1", "CR3", "wild bootstrap", "randomisation"]
    assert (got.low, got.high) == tuple(
        methods["jackknife"].table().loc["treated", ["low", "high"]]
    )


def test_few_clusters_are_led_by_the_bootstrap(methods):
    fit = linear.least_squares(made(panel(0, 12, 20)))
    got = few_clusters.headline_test(fit, "hours", bootstrap=methods["bootstrap"])
    assert (got.method, got.low) == ("wild bootstrap", methods["bootstrap"].low)


def test_many_clusters_are_led_by_crv1():
    fit = linear.least_squares(made(panel(3, 50, 8)))
    got = few_clusters.headline_test(fit, "hours")
    assert (got.method, got.refusal) == ("CRV1", "")
    assert got.is_significant == (got.p_value <= 0.05)


def test_too_few_assignments_are_never_significant(methods):
    """p = 0.01 would be; with 20 assignments it is not to be believed."""
    fit = linear.least_squares(made(panel(0, 12, 20)))
    refused = methods["randomisation"]._replace(
        p_value=0.01, refusal=randomisation.refuse_assignments(20)
    )
    got = few_clusters.headline_test(fit, "treated", n_treated=3, randomisation=refused)
    assert not got.is_significant
    assert got.refusal.startswith("20 possible assignments")
    allowed = methods["randomisation"]._replace(p_value=0.01, refusal="")
    assert few_clusters.headline_test(
        fit, "treated", n_treated=3, randomisation=allowed
    ).is_significant


def test_the_method_that_must_lead_must_be_given():
    fit = linear.least_squares(made(panel(0, 12, 20)))
    with pytest.raises(ValueError, match="wild bootstrap must be given: 12 clusters are too few"):
        few_clusters.headline_test(fit, "hours")
    with pytest.raises(ValueError, match="randomisation must be given: only 3 clusters"):
        few_clusters.headline_test(fit, "treated", n_treated=3)
    with pytest.raises(ValueError, match="fit must have clustered errors"):
        few_clusters.headline_test(
            linear.least_squares(made(panel(0, 12, 20), cluster=())), "hours"
        )
