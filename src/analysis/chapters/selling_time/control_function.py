"""How opportunities respond to logged hours, and to hours moved by outside shifters.

The estimators by themselves.

Logged hours are hours with error, and demand may move both: what moved hours by itself is used as
instrument by a control function.  The residual of hours on the shifters joins the regressors and
takes both with it; the first stage's errors enter as in Murphy and Topel (1985).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.stats import instruments, jackknife, linear, poisson
from analysis.stats.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analysis.stats.estimates import Estimates
    from analysis.stats.fixed_effects import Vector

ABSORB = ("rep_id", "week_start")


class Controlled(NamedTuple):
    """A control function: second stage (``log_hours`` first), first stage, strength of the
    shifters.
    """

    fit: Estimates
    first: Estimates
    effective_f: float


def hours_association(
    rows: pd.DataFrame,
    outcome: str = "n_created",
    *,
    absorb: Sequence[str] = ABSORB,
    cluster: str | Sequence[str] = "rep_id",
) -> Estimates:
    """Return the association of `outcome` with ``log_hours``, the first slope: no instrument, so no
    cause.
    """
    whole = make_sample(
        rows,
        outcome=outcome,
        regressors=["log_hours", "log_available"],
        absorb=absorb,
        cluster=cluster,
        name="rep_week",
    )
    return poisson.pseudo_likelihood(whole)


def control_function(
    rows: pd.DataFrame,
    shares: Sequence[str],
    *,
    outcome: str = "n_created",
    cluster: str | Sequence[str] = "rep_id",
) -> Controlled:
    """Return the elasticity, with the `shares` of a week under each shifter as instruments.

    `rows` are those of `Weeks`; `cluster` is one column or two.
    """
    first, second = two_stages(rows, shares, outcome, cluster)
    fit = second(first.estimate)
    steps = np.diag(first.standard_error)
    slopes = [
        (second(first.estimate + step).estimate - fit.estimate) / step.sum() for step in steps
    ]
    by_first = np.stack(slopes, axis=1)
    strength = make_sample(
        rows,
        outcome=outcome,
        regressors=["log_hours", "log_available"],
        absorb=ABSORB,
        cluster=cluster,
        endogenous=["log_hours"],
        instruments=list(shares),
        name="rep_week",
    )
    full = fit._replace(
        covariance=fit.covariance + by_first @ first.covariance @ by_first.T,
        method=(
            "control function on Poisson pseudo-likelihood, effects of rep_id and week_start "
            "absorbed"
        ),
        convention=f"{fit.convention}; first stage's errors added",
    )
    return Controlled(full, first, instruments.two_stage(strength).effective_f)


def two_stages(
    rows: pd.DataFrame,
    shares: Sequence[str],
    outcome: str,
    cluster: str | Sequence[str],
    extra: Sequence[str] = (),
) -> tuple[Estimates, Callable[[Vector], Estimates]]:
    """Return the first stage, and the second as a function of the first's slopes."""
    first = linear.least_squares(
        make_sample(
            rows,
            outcome="log_hours",
            regressors=[*shares, "log_available"],
            absorb=ABSORB,
            cluster=cluster,
        )
    )
    moved = rows[list(first.names)].to_numpy(float)
    hours = rows["log_hours"].to_numpy(float)

    def second(slopes: Vector) -> Estimates:  # effects the residual still holds are absorbed
        whole = make_sample(
            rows.assign(residual=hours - moved @ slopes),
            outcome=outcome,
            absorb=ABSORB,
            cluster=cluster,
            regressors=["log_hours", "residual", "log_available", *extra],
            name="rep_week",
        )
        return poisson.pseudo_likelihood(whole)

    return first, second


def jackknife_stages(
    rows: pd.DataFrame, shares: Sequence[str], fit: Estimates, *, outcome: str, cluster: str
) -> Estimates:
    """Return the fit with the jackknife's error of both stages for its first slope.

    Few clusters need it.
    """

    def slope(table: pd.DataFrame) -> pd.Series[float]:
        first, second = two_stages(table, shares, outcome, cluster)
        return pd.Series({"log_hours": second(first.estimate).estimate[0]})

    left_out_estimate = jackknife.leave_one_out(rows, slope, cluster=cluster, name="rep_week")
    covariance = fit.covariance.copy()
    covariance[0, 0] = float(left_out_estimate.standard_error.iloc[0]) ** 2
    return fit._replace(
        covariance=covariance, df=left_out_estimate.df, convention=left_out_estimate.convention
    )
