"""Slopes, clustered errors and instruments against published tables, pyfixest and hand."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from inference_oracle import PYFIXEST
from inference_panels import panel

from analysis.project.errors import CrmDataError
from analysis.stats import clusters, estimates, instruments, linear
from analysis.stats.clusters import Correction
from analysis.stats.sample import make_sample

X = ["treated", "hours", "meetings"]
REFERENCE = os.environ.get("ALIGNMENT_ROI_REFERENCE")


def made(table, **changes):
    arguments = {"outcome": "y", "regressors": X, "absorb": ["unit", "period"], "cluster": "unit"}
    return make_sample(table, **(arguments | changes))


@pytest.fixture(scope="module")
def petersen() -> pd.DataFrame:
    if not REFERENCE:
        pytest.skip("ALIGNMENT_ROI_REFERENCE does not say where the reference data lie")
    table = pd.read_csv(Path(REFERENCE) / "published_tables" / "petersen.csv")
    return table.assign(row=range(len(table)))


@pytest.fixture(scope="module")
def grunfeld() -> pd.DataFrame:
    return sm.datasets.grunfeld.load_pandas().data.iloc[:200]


# Petersen (2009), page of test data: kellogg.northwestern.edu/faculty/petersen/htm/papers/se/test_data.htm


@pytest.mark.parametrize(
    ("cluster", "exp", "convention"),
    [
        ((), 0.0286, "classical errors"),
        ("row", 0.0284, "CRV1 by row (G = 5000)"),  # White's: each row a cluster
        ("firm", 0.0506, "CRV1 by firm (G = 500)"),
        ("year", 0.0334, "CRV1 by year (G = 10)"),
        (("firm", "year"), 0.0536, "each part's own G"),
    ],
)
def test_petersens_table_of_standard_errors(petersen, cluster, exp, convention):
    """Convention: two-way by component, each part with its own G / (G - 1)."""
    whole = make_sample(petersen, outcome="y", regressors=["x"], cluster=cluster)
    got = linear.least_squares(whole, correction=Correction(two_way="component"))
    assert got.estimate.round(4).tolist() == [0.0297, 1.0348]
    assert got.standard_error[1].round(4) == exp
    assert convention in got.convention


def test_petersens_errors_clustered_both_ways_by_the_smallest_g(petersen):
    """What pyfixest and fixest print by default instead: .05530 (reference/statistics.md c)."""
    whole = make_sample(petersen, outcome="y", regressors=["x"], cluster=("firm", "year"))
    assert linear.least_squares(whole).standard_error[1].round(5) == 0.05530


# Grunfeld: Stata and ivreg2, as statsmodels keeps them in results_grunfeld_ols_robust_cluster.py


def test_grunfeld_clustered_by_firm_as_stata_prints_it(grunfeld):
    got = linear.least_squares(
        make_sample(grunfeld, outcome="invest", regressors=["value", "capital"], cluster="firm")
    )
    np.testing.assert_allclose(got.standard_error, [20.425203, 0.015894337, 0.084967111], rtol=5e-8)


def test_grunfeld_clustered_both_ways_as_ivreg2_small_prints_it(grunfeld):
    """Convention: smallest G."""
    whole = make_sample(
        grunfeld, outcome="invest", regressors=["value", "capital"], cluster=("firm", "year")
    )
    got = linear.least_squares(whole)
    np.testing.assert_allclose(got.standard_error[1:], [0.016351754, 0.078473913], rtol=5e-8)
    assert "smallest G" in got.convention
    assert got.df == 9


def test_grunfeld_with_firm_effects_is_the_textbooks(grunfeld):
    """.1101 (.0119) and .3101 (.0174): classical errors, every effect counted (Baltagi; R's plm)."""
    got = linear.least_squares(
        make_sample(grunfeld, outcome="invest", regressors=["value", "capital"], absorb=["firm"])
    )
    assert got.estimate.round(4).tolist() == [0.1101, 0.3101]
    assert got.standard_error.round(7).tolist() == [0.0118567, 0.0173545]
    assert got.df == 200 - 12


def test_longleys_certified_digits():
    """NIST StRD, Longley: 10 digits or more of each slope, 11 of each error."""
    table = sm.datasets.longley.load_pandas().data
    names = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]
    got = linear.least_squares(make_sample(table, outcome="TOTEMP", regressors=names))
    slopes = [
        -3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683,
        -1.03322686717359, -0.0511041056535807, 1829.15146461355,
    ]  # fmt: skip
    errors = [
        890420.383607373, 84.9149257747669, 0.0334910077722432, 0.488399681651699,
        0.214274163161675, 0.226073200069370, 455.478499142212,
    ]  # fmt: skip
    np.testing.assert_allclose(got.estimate, slopes, rtol=1e-10)
    np.testing.assert_allclose(got.standard_error, errors, rtol=1e-11)


# pyfixest 0.60.0, frozen


@pytest.mark.parametrize("key", PYFIXEST)
def test_slopes_and_errors_are_pyfixests(key):
    table, exp = panel(*key), PYFIXEST[key]
    got = linear.least_squares(made(table))
    np.testing.assert_allclose(got.estimate, exp["slopes"], rtol=1e-9)
    np.testing.assert_allclose(got.standard_error, exp["crv1"], rtol=1e-9)
    both = linear.least_squares(made(table, cluster=["unit", "period"]))
    np.testing.assert_allclose(both.standard_error, exp["two_way"], rtol=1e-9)
    weighted = linear.least_squares(made(table, weights="weight"))
    np.testing.assert_allclose(
        [*weighted.estimate, *weighted.standard_error], exp["weighted"], rtol=1e-9
    )
    three = linear.least_squares(made(table, absorb=["unit", "period", "market"]))
    np.testing.assert_allclose([*three.estimate, *three.standard_error], exp["three"], rtol=1e-9)


@pytest.mark.parametrize("key", PYFIXEST)
def test_two_stages_and_effective_f_are_pyfixests(key):
    got = instruments.two_stage(made(panel(*key), endogenous=["hours"], instruments=["shifter"]))
    values = [*got.fit.estimate, *got.fit.standard_error, got.effective_f]
    np.testing.assert_allclose(values, PYFIXEST[key]["iv"], rtol=1e-9)


# by hand


def test_a_clustered_error_by_hand():
    """x = -1 1 -1 1, y = 0 1 0 3: slope 1, residuals 0 -1 0 1 (mean 1); sums by cluster of x u: -1, 1.

    V = 1/4 x 2 x 1/4 = 1/8; times G/(G-1) = 2 and (N-1)/(N-K) = 3/2: 3/8.
    """
    table = pd.DataFrame({"x": [-1, 1, -1, 1], "y": [0, 1, 0, 3], "g": ["a", "a", "b", "b"]})
    got = linear.least_squares(make_sample(table, outcome="y", regressors=["x"], cluster="g"))
    np.testing.assert_allclose(got.estimate, [1, 1])
    np.testing.assert_allclose(got.standard_error[1] ** 2, 3 / 8)
    assert got.df == 1


def test_effects_nested_in_a_cluster_count_when_asked_to():
    """2 slopes + 4 units + 3 periods - 1 = 8; units nested in the cluster leave 2 + 3 = 5."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"unit": np.repeat(range(4), 3), "period": [0, 1, 2] * 4}).assign(
        y=rng.normal(size=12), a=rng.normal(size=12), b=rng.normal(size=12)
    )
    whole = made(table, regressors=["a", "b"])
    assert clusters.n_coefficients(whole, 2) == 5
    assert clusters.n_coefficients(whole, 2, Correction(counts_nested=True)) == 8
    few, many = (
        linear.least_squares(whole),
        linear.least_squares(whole, correction=Correction(counts_nested=True)),
    )
    np.testing.assert_allclose(many.standard_error / few.standard_error, np.sqrt(7 / 4))


def test_contrasts_and_joint_tests_follow_from_the_covariance():
    """Slopes 1 and 2 with variances 1 and 4: the sum is 3 +- sqrt 5; F = (1 + 1) / 2."""
    fit = estimates.Estimates(
        ("a", "b"),
        np.array([1.0, 2.0]),
        np.diag([1.0, 4.0]),
        9,
        100,
        (10,),
        "by hand",
        "by hand",
        {},
    )
    total = estimates.linear_contrast(fit, {"a": 1, "b": 1})
    assert total.estimate == 3
    assert total.standard_error == pytest.approx(5**0.5)
    joint = estimates.joint_test(fit, ["a", "b"])
    assert (joint.f, joint.df, joint.df_below) == (pytest.approx(1), 2, 9)
    alone = estimates.joint_test(fit, ["a"], null=0.5)
    assert alone.p_value == pytest.approx(2 * 0.3145, abs=1e-4)  # P(t(9) > 0.5)
    assert estimates.joint_test(fit._replace(n_clusters=(3,)), ["a", "b"]).df == 2  # G - 1 = 2
    with pytest.raises(ValueError, match="at most G - 1 = 1"):
        estimates.joint_test(fit._replace(n_clusters=(2,)), ["a", "b"])
    with pytest.raises(ValueError, match="must be among a, b, got c"):
        estimates.linear_contrast(fit, {"c": 1})


def test_the_anderson_rubin_interval_holds_the_slopes_that_its_test_keeps():
    """At each end the instrument's slope on y - xb has t^2 equal to the critical value."""
    table = panel(0, 12, 20)
    got = instruments.two_stage(made(table, endogenous=["hours"], instruments=["shifter"]))
    assert got.is_strong
    assert got.low_ar < got.fit.estimate[1] < got.high_ar
    for end in (got.low_ar, got.high_ar):
        moved = table.assign(y=table["y"] - end * table["hours"])
        reduced = linear.least_squares(made(moved, regressors=["treated", "shifter", "meetings"]))
        assert reduced.table().loc["shifter", "p_value"] == pytest.approx(0.05, abs=1e-9)


def test_the_convention_says_how_nested_effects_count_where_there_are_effects():
    table, words = panel(0, 12, 20), "effects nested in a cluster not counted"
    assert words in linear.least_squares(made(table)).convention
    assert words not in linear.least_squares(made(table, absorb=[])).convention


def test_the_effective_f_without_clusters_by_hand():
    """x = z + u, u = 1 -1 2 -2: slope 1 of 4 rows, V = 4 / (4 - 2) x 10 / 16 = 1.25, F = 1 / 1.25."""
    table = pd.DataFrame({"z": [-1, -1, 1, 1], "x": [0, -2, 3, -1], "y": [0, 1, 2, 4]})
    whole = make_sample(table, outcome="y", regressors=["x"], endogenous=["x"], instruments=["z"])
    assert instruments.two_stage(whole).effective_f == pytest.approx(0.8)


def test_an_instrument_that_repeats_another_is_named():
    table = panel(0, 12, 20)
    table["again"] = 2 * table["shifter"]
    whole = made(table, endogenous=["hours"], instruments=["shifter", "again"])
    with pytest.raises(CrmDataError, match="again is a sum of the other regressors"):
        instruments.two_stage(whole)


def test_an_instrument_that_says_nothing_bounds_nothing():
    table = panel(0, 12, 20)
    table["noise"] = np.random.default_rng(5).normal(size=len(table))
    got = instruments.two_stage(made(table, endogenous=["hours"], instruments=["noise"]))
    assert not got.is_strong
    assert (got.low_ar, got.high_ar) == (-np.inf, np.inf)


def test_two_instruments_agree_with_least_squares_on_what_they_foretell():
    table = panel(1, 30, 12)
    table["other"] = table["hours"] + np.random.default_rng(1).normal(size=len(table))
    got = instruments.two_stage(made(table, endogenous=["hours"], instruments=["shifter", "other"]))
    first = linear.least_squares(
        made(table, outcome="hours", regressors=["treated", "meetings", "shifter", "other"])
    )
    foretold = table[list(first.names)] @ first.estimate
    second = linear.least_squares(made(table.assign(hours=foretold)))
    np.testing.assert_allclose(got.fit.estimate, second.estimate, rtol=1e-9)
    assert got.effective_f > 100
    assert np.isnan(got.low_ar)


def test_the_effective_f_of_two_instruments_is_pyfixests():
    """0.60.0 prints 1803.3487085065155 with K = 3 (effects left out of its count); ours counts 2 + 12."""
    table = panel(1, 30, 12)
    table["other"] = table["hours"] + np.random.default_rng(1).normal(size=len(table))
    whole = made(
        table, regressors=["hours"], endogenous=["hours"], instruments=["shifter", "other"]
    )
    exp = 1803.3487085065155 * (len(table) - 14) / (len(table) - 3)
    assert instruments.two_stage(whole).effective_f == pytest.approx(exp, rel=1e-9)


# what must not matter


def test_order_names_and_units_do_not_matter():
    table = panel(4, 24, 13)
    exp = linear.least_squares(made(table, cluster=["unit", "period"]))
    shuffled = table.sample(frac=1, random_state=1)
    renamed = table.assign(
        unit="rep " + table["unit"].mul(7).mod(24).astype(str), period=-table["period"]
    )
    shifted = table.assign(y=table["y"] + 1e3 * table["unit"] - 50 * table["period"])
    for other in (shuffled, renamed, shifted):
        got = linear.least_squares(made(other, cluster=["unit", "period"]))
        np.testing.assert_allclose(got.estimate, exp.estimate, rtol=1e-9)
        np.testing.assert_allclose(got.standard_error, exp.standard_error, rtol=1e-9)
    in_minutes = linear.least_squares(
        made(table.assign(hours=table["hours"] * 60), cluster=["unit", "period"])
    )
    np.testing.assert_allclose(in_minutes.estimate * [1, 60, 1], exp.estimate, rtol=1e-9)
    np.testing.assert_allclose(in_minutes.table()["t"], exp.table()["t"], rtol=1e-9)


# rows and refusals


def test_rows_left_out_are_counted_by_reason():
    """A row lacks y; unit z has one row; then period 9, which only z and the incomplete row had, is gone."""
    table = pd.DataFrame(
        {
            "unit": ["a", "a", "a", "b", "b", "b", "z", "b"],
            "period": [0, 1, 2, 0, 1, 2, 9, 9],
            "x": [1.0, 2, 4, 2, 1, 1, 5, 3],
            "y": [1.0, 2, 3, 4, 5, 7, 6, None],
        }
    )
    got = linear.least_squares(made(table, regressors=["x"]))
    assert got.left_out == {"a value is missing": 1, "alone in its group": 1}
    assert got.n_rows == 6


def test_one_cluster_is_refused():
    table = panel(0, 12, 20).assign(company="demo")
    with pytest.raises(CrmDataError, match="company must hold at least 2 clusters, but has 1"):
        linear.least_squares(made(table, cluster="company"))


def test_a_regressor_without_variation_is_named():
    table = panel(0, 12, 20)
    table["skill"] = table["unit"] * 1.5
    with pytest.raises(CrmDataError, match="skill does not vary within unit and period"):
        linear.least_squares(made(table, regressors=["skill", "hours"]))
    table["more"] = table["hours"] + 2 * table["meetings"]
    with pytest.raises(CrmDataError, match="more is a sum of the other regressors"):
        linear.least_squares(made(table, regressors=["hours", "meetings", "more"]))


def test_wrong_numbers_and_arguments_are_refused():
    table = panel(0, 12, 20)
    with pytest.raises(CrmDataError, match="hours must be finite, but 1 of 212"):
        made(table.assign(hours=np.r_[np.inf, table["hours"][1:]]))
    with pytest.raises(CrmDataError, match="weight must be above 0, but 212 of 212"):
        made(table.assign(weight=0), weights="weight")
    with pytest.raises(CrmDataError, match="panel: needs nothing"):
        made(table, absorb=["nothing"])
    with pytest.raises(CrmDataError, match="no row left to estimate from"):
        made(table.assign(y=np.nan))
    with pytest.raises(ValueError, match="at most two columns, got 3"):
        made(table, cluster=["unit", "period", "market"])
    with pytest.raises(ValueError, match="must be among regressors, got shifter"):
        made(table, endogenous=["shifter"], instruments=["shifter"])
    with pytest.raises(ValueError, match="as many as endogenous or more, got 0"):
        made(table, endogenous=["hours"])
    with pytest.raises(ValueError, match="got hours twice"):
        made(table, regressors=["hours", "hours"])
    with pytest.raises(ValueError, match="must be empty in least squares, got hours"):
        linear.least_squares(made(table, endogenous=["hours"], instruments=["shifter"]))
    with pytest.raises(ValueError, match="must name a regressor"):
        instruments.two_stage(made(table))


def test_unconnected_sets_are_told():
    """Units 0 to 5 are seen in periods 0 to 9, the others in 10 to 19: slopes stand, and it is said."""
    table = panel(0, 12, 20)
    apart = table[(table["unit"] < 6) == (table["period"] < 10)]
    got = linear.least_squares(made(apart, regressors=["hours", "meetings"]))
    assert "effects fall into 2 unconnected sets" in got.convention
    assert "unconnected" not in linear.least_squares(made(table)).convention
