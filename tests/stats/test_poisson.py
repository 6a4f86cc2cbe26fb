"""Counts with absorbed effects."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from inference_oracle import PYFIXEST
from inference_panels import panel

from analysis.project.errors import CrmDataError
from analysis.stats import poisson
from analysis.stats.sample import make_sample

X = ["treated", "hours", "meetings"]


def made(table, **changes):
    arguments = {
        "outcome": "count",
        "regressors": X,
        "absorb": ["unit", "period"],
        "cluster": "unit",
    }
    return make_sample(table, **(arguments | changes))


@pytest.mark.parametrize("key", PYFIXEST)
def test_slopes_and_errors_are_pyfixests(key):
    """rtol 1e-8, not 1e-9: pyfixest stops a step earlier; the next test shows which digits are right."""
    got = poisson.pseudo_likelihood(made(panel(*key)))
    np.testing.assert_allclose(
        [*got.estimate, *got.standard_error], PYFIXEST[key]["poisson"], rtol=1e-8
    )


def test_slopes_are_those_of_a_glm_with_dummies():
    table = panel(4, 24, 13)
    design = pd.get_dummies(table[[*X, "unit", "period"]], columns=["unit", "period"], dtype=float)
    design = design.drop(columns="period_0")
    glm = sm.GLM(table["count"], design, family=sm.families.Poisson()).fit(tol=1e-14, maxiter=100)
    got = poisson.pseudo_likelihood(made(table))
    np.testing.assert_allclose(got.estimate, glm.params[X], rtol=1e-10)


def test_a_unit_without_counts_is_dropped_and_counted():
    """Seed 3 draws four units that never count: 30 rows; the others' slopes are as without them."""
    table = panel(3, 50, 8)
    got = poisson.pseudo_likelihood(made(table))
    assert got.left_out == {"count is 0 all over its group": 30}
    some = table[table.groupby("unit")["count"].transform("sum") > 0]
    np.testing.assert_allclose(
        got.estimate, poisson.pseudo_likelihood(made(some)).estimate, rtol=1e-12
    )


def test_two_groups_by_hand():
    """Means 2 and 6 without effects: the slope is log 3, the intercept log 2."""
    table = pd.DataFrame({"x": [0, 0, 1, 1], "n": [1, 3, 5, 7], "row": range(4)})
    got = poisson.pseudo_likelihood(
        make_sample(table, outcome="n", regressors=["x"], cluster="row")
    )
    np.testing.assert_allclose(got.estimate, np.log([2, 3]), rtol=1e-12)


def test_units_of_the_outcome_do_not_matter():
    table = panel(0, 12, 20)
    exp = poisson.pseudo_likelihood(made(table))
    got = poisson.pseudo_likelihood(made(table.assign(count=table["count"] * 71_000)))
    np.testing.assert_allclose(got.estimate, exp.estimate, rtol=1e-9)
    np.testing.assert_allclose(got.standard_error, exp.standard_error, rtol=1e-9)


def test_refusals():
    table = panel(0, 12, 20)
    with pytest.raises(CrmDataError, match="count must be 0 or more, but 212 of 212"):
        poisson.pseudo_likelihood(made(table.assign(count=-1)))
    with pytest.raises(CrmDataError, match="count is 0 in every row"):
        poisson.pseudo_likelihood(made(table.assign(count=0)))
    with pytest.raises(ValueError, match="cluster must name a column"):
        poisson.pseudo_likelihood(made(table, cluster=()))
    with pytest.raises(ValueError, match="must be empty in a Poisson model"):
        poisson.pseudo_likelihood(made(table, endogenous=["hours"], instruments=["shifter"]))
    odd = (table.index % 10 == 0) * 1.0
    with pytest.raises(CrmDataError, match="foretells count = 0 without fail"):
        poisson.pseudo_likelihood(
            made(table.assign(odd=odd, count=table["count"].where(odd == 0, 0)), regressors=["odd"])
        )
