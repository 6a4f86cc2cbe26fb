"""Counts and bookings with zeros: Poisson pseudo-likelihood with absorbed effects.

It asks only that the mean is right, so bookings need not be counts; log(1 + y) asks more and answers
another question.  A unit without a single count says nothing of a slope: its effect runs off to
minus infinity, so its rows are dropped and counted.

Sources: Santos Silva and Tenreyro (2006), REStat 88; Correia, Guimaraes and Zylkin (2020), Stata
Journal 20, for weighted within transforms inside the iterations and for separation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from analysis.models.inference import linear
from analysis.models.inference.clustered import FIXEST, Correction
from analysis.models.inference.sample import Design, Sample, design, subset, without_singletons
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from analysis.models.inference.estimates import Estimates
    from analysis.models.inference.within import Vector

MOST_STEPS = 100
SETTLED = 1e-11  # relative change of the deviance
VANISHED = 1e-10  # of the mean: a row foretold less than this is separated


def pseudo_likelihood(whole: Sample, *, correction: Correction = FIXEST) -> Estimates:
    """Return slopes of the logarithm of the outcome's mean, effects absorbed.

    Iteratively reweighted least squares on the within transform.  Covariance: inverse Hessian x sums
    of scores by cluster x inverse Hessian, with least squares' corrections and t(G - 1).  Interpret
    slopes and contrasts alone.

    Raises
    ------
    CrmDataError
        If an outcome is below 0, nothing was ever counted, or a regressor separates zeros from the
        rest so that its slope has no finite value.
    ValueError
        If there is no cluster to make the errors robust by, or an endogenous regressor.
    """
    if not whole.clusters:
        raise ValueError("cluster must name a column: counts vary more than Poisson's variance says")
    if whole.endogenous:
        raise ValueError(f"endogenous must be empty in a Poisson model, got {', '.join(whole.endogenous)}")
    n_negative = int((whole.outcome < 0).sum())
    if n_negative:
        raise CrmDataError(
            f"{whole.name}: {whole.outcome_name} must be 0 or more, but {n_negative} of {whole.n} rows are not. "
            "Book credits in a column of their own."
        )
    kept = _without_empty_groups(whole)
    if not kept.n or not kept.outcome.sum() > 0:
        raise CrmDataError(f"{whole.name}: {whole.outcome_name} is 0 in every row, so there is nothing to explain.")
    y = kept.outcome
    prior = np.ones(kept.n) if kept.weights is None else kept.weights
    mean = (y + y.mean()) / 2
    eta, deviance = np.log(mean), np.inf
    for _ in range(MOST_STEPS):
        made = _working(kept, eta + (y - mean) / mean, prior * mean)
        fit = linear.solved(made.regressors, made.outcome, made.names, whole.name)
        step = made.sample.outcome - _unscaled(fit.residuals, made)
        eta, mean, now = _no_worse(step, eta, y, prior, deviance)
        settled = abs(deviance - now) <= SETTLED * (0.1 + abs(now))
        deviance = now
        if settled:
            return _result(kept, eta, y, prior, correction)
    raise _separated(kept, MOST_STEPS)


def _without_empty_groups(whole: Sample) -> Sample:
    """Return the sample without groups that never count anything, nor rows left alone by that."""
    while whole.n:
        empty = np.zeros(whole.n, bool)
        for each in whole.absorb:
            empty |= (np.bincount(each.codes, whole.outcome, each.n) == 0)[each.codes]
        if not empty.any():
            break
        whole = without_singletons(subset(whole, ~empty, f"{whole.outcome_name} is 0 all over its group"))
    return whole


def _working(kept: Sample, outcome: Vector, weights: Vector) -> Design:
    return design(kept._replace(outcome=outcome, weights=weights))


def _unscaled(column: Vector, made: Design) -> Vector:
    return column if made.root_weights is None else column / made.root_weights


def _no_worse(step: Vector, eta: Vector, y: Vector, prior: Vector, deviance: float) -> tuple[Vector, Vector, float]:
    """Return the step, halved until the deviance does not rise."""
    for _ in range(10):
        mean = np.exp(np.clip(step, -300, 300))
        now = 2 * float((prior * (special.xlogy(y, y / mean) - y + mean)).sum())
        if now <= deviance * (1 + 1e-9):
            break
        step = (step + eta) / 2
    return step, mean, now


def _result(kept: Sample, eta: Vector, y: Vector, prior: Vector, correction: Correction) -> Estimates:
    mean = np.exp(eta)
    n_vanished = int((mean < VANISHED * y.mean()).sum())
    if n_vanished:
        raise _separated(kept, n_vanished)
    made = _working(kept, eta + (y - mean) / mean, prior * mean)
    last = linear.solved(made.regressors, made.outcome, made.names, kept.name)  # one more step: errors are squared
    errors = (y - mean) / mean * np.sqrt(prior * mean)
    covariance = linear.covariance_of(last.bread, made.regressors, errors, made, correction)
    return linear.estimates(made, last.slopes, covariance, "Poisson pseudo-likelihood", correction)


def _separated(kept: Sample, n: int) -> CrmDataError:
    return CrmDataError(
        f"{kept.name}: a regressor among {', '.join(kept.regressors)} foretells {kept.outcome_name} = 0 without fail "
        f"({n} rows or steps), so its slope has no finite value. Leave it out, or drop the rows it singles out."
    )
