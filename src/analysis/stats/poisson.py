"""Counts and bookings with zeros: Poisson pseudo-likelihood with absorbed effects.

It asks only that the mean is right, so bookings need not be counts; log(1 + y) asks more and
answers another question.  A unit without a single count says nothing of a slope: its effect runs
off to minus infinity, so its rows are dropped and counted.

Sources: Santos Silva and Tenreyro (2006), REStat 88; Correia, Guimaraes and Zylkin (2020), Stata
Journal 20, for weighted within transforms inside the iterations and for separation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from analysis.project.errors import CrmDataError
from analysis.stats import linear
from analysis.stats.clusters import FIXEST, Correction
from analysis.stats.sample import Design, Sample, make_design, subset_sample, without_singletons

if TYPE_CHECKING:
    from analysis.stats.estimates import Estimates
    from analysis.stats.fixed_effects import Vector

MOST_STEPS = 100
SETTLED = 1e-11  # relative change of the deviance
VANISHED = 1e-10  # of the mean: a row foretold less than this is separated


def pseudo_likelihood(whole: Sample, *, correction: Correction = FIXEST) -> Estimates:
    """Return slopes of the logarithm of the outcome's mean, effects absorbed.

    Iteratively reweighted least squares on the within transform.  Covariance: inverse Hessian x
    sums of scores by cluster x inverse Hessian, with least squares' corrections and t(G - 1).
    Interpret slopes and contrasts alone.

    Raises
    ------
    CrmDataError
        If an outcome is below 0, nothing was ever counted, or a regressor separates zeros from the
        rest so that its slope has no finite value.
    ValueError
        If there is no cluster to make the errors robust by, or an endogenous regressor.
    """
    if not whole.clusters:
        raise ValueError(
            "cluster must name a column: counts vary more than Poisson's variance says"
        )
    if whole.endogenous:
        raise ValueError(
            f"endogenous must be empty in a Poisson model, got {', '.join(whole.endogenous)}"
        )
    n_negative = int((whole.outcome < 0).sum())
    if n_negative:
        raise CrmDataError(
            f"{whole.name}: {whole.outcome_name} must be 0 or more, but {n_negative} of {whole.n} "
            "rows are not. Book credits in a column of their own."
        )
    usable = _without_empty_groups(whole)
    if not usable.n or not usable.outcome.sum() > 0:
        raise CrmDataError(
            f"{whole.name}: {whole.outcome_name} is 0 in every row, so there is nothing to explain."
        )
    y = usable.outcome
    prior = np.ones(usable.n) if usable.weights is None else usable.weights
    mean = (y + y.mean()) / 2
    eta, deviance = np.log(mean), np.inf
    for _ in range(MOST_STEPS):
        working_design = _working(usable, eta + (y - mean) / mean, prior * mean)
        fit = linear.solve_columns(
            working_design.regressors, working_design.outcome, working_design.names, whole.name
        )
        step = working_design.sample.outcome - _unscaled(fit.residuals, working_design)
        eta, mean, now = _no_worse(step, eta, y, prior, deviance)
        settled = abs(deviance - now) <= SETTLED * (0.1 + abs(now))
        deviance = now
        if settled:
            return _result(usable, eta, y, prior, correction)
    raise _separated(usable, MOST_STEPS)


def _without_empty_groups(whole: Sample) -> Sample:
    """Return the sample without groups that never count anything, nor rows left alone by that."""
    while whole.n:
        empty = np.zeros(whole.n, bool)
        for each in whole.absorb:
            empty |= (np.bincount(each.codes, whole.outcome, each.n) == 0)[each.codes]
        if not empty.any():
            break
        whole = without_singletons(
            subset_sample(whole, ~empty, f"{whole.outcome_name} is 0 all over its group")
        )
    return whole


def _working(usable: Sample, outcome: Vector, weights: Vector) -> Design:
    return make_design(usable._replace(outcome=outcome, weights=weights))


def _unscaled(column: Vector, working_design: Design) -> Vector:
    return column if working_design.root_weights is None else column / working_design.root_weights


def _no_worse(
    step: Vector, eta: Vector, y: Vector, prior: Vector, deviance: float
) -> tuple[Vector, Vector, float]:
    """Return the step, halved until the deviance does not rise."""
    for _ in range(10):
        mean = np.exp(np.clip(step, -300, 300))
        now = 2 * float((prior * (special.xlogy(y, y / mean) - y + mean)).sum())
        if now <= deviance * (1 + 1e-9):
            break
        step = (step + eta) / 2
    return step, mean, now


def _result(
    usable: Sample, eta: Vector, y: Vector, prior: Vector, correction: Correction
) -> Estimates:
    mean = np.exp(eta)
    n_vanished = int((mean < VANISHED * y.mean()).sum())
    if n_vanished:
        raise _separated(usable, n_vanished)
    working_design = _working(usable, eta + (y - mean) / mean, prior * mean)
    last = linear.solve_columns(
        working_design.regressors, working_design.outcome, working_design.names, usable.name
    )  # one more step: errors are squared
    errors = (y - mean) / mean * np.sqrt(prior * mean)
    covariance = linear.covariance_of(
        last.bread, working_design.regressors, errors, working_design, correction
    )
    return linear.linear_estimates(
        working_design, last.slopes, covariance, "Poisson pseudo-likelihood", correction
    )


def _separated(usable: Sample, n: int) -> CrmDataError:
    return CrmDataError(
        f"{usable.name}: a regressor among {', '.join(usable.regressors)} foretells "
        f"{usable.outcome_name} = 0 without fail "
        f"({n} rows or steps), so its slope has no finite value. Leave it out, or drop the rows "
        "it singles out."
    )
