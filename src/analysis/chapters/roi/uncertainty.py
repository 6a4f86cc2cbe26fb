"""Draws of what an appraisal stands on, together and seeded.

The effect comes from its normal posterior under the stated prior, or
from its t distribution where no prior is stated.  What was estimated together is drawn together.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

if TYPE_CHECKING:
    from analysis.chapters.roi.case import Case, GrowthEffect, Prior, Uncertain
    from analysis.stats.fixed_effects import Vector


EFFECT, BASELINE, COMMISSION, HOUR, COST = (
    "growth_effect",
    "baseline_error",
    "commission_rate",
    "cost_per_hour",
    "cost_error",
)
INPUTS: dict[str, str] = {
    EFFECT: "effect on adopters' bookings",
    BASELINE: "bookings to come without the programme",
    COMMISSION: "commission rate",
    HOUR: "cost per hour of a meeting",
    COST: "programme cost to come",
}
POINTS = 100  # points in a log point
DECIDED = 0.9  # quantile at which the posterior is as wide as t
DECIDED_AT = float(special.ndtri(DECIDED))
ROUNDING = 1e-6  # of an estimate: a smaller error is that of cents


def effect_quantiles(effect: GrowthEffect, prior: Prior | None, shares: Vector) -> Vector:
    """Return quantiles of the effect [log points] at `shares` (0 to 1).

    The prior's where nothing was estimated.
    """
    if prior is not None and math.isnan(effect.estimate):
        return (prior.mean_points + prior.sd_points * np.asarray(special.ndtri(shares))) / POINTS
    if not effect.standard_error > 0 or effect.df < 1:
        raise ValueError(
            f"the effect needs a standard error above 0 and at least 1 degree of freedom, got "
            f"{effect.standard_error!r} and {effect.df!r}"
        )
    if prior is None:
        return effect.estimate + effect.standard_error * np.asarray(
            special.stdtrit(effect.df, shares)
        )
    mean, sd = prior.mean_points / POINTS, prior.sd_points / POINTS
    if not sd > 0:
        raise ValueError(f"the prior's sd_points must be above 0, got {prior.sd_points!r}")
    # As wide as t where nine in ten is decided.  A likelihood of t itself lets the prior overrule
    # whatever lies far from it: at 24 teams a true +15 % was called likely to pay in .52 of
    # companies, not .69, and no more of those that were called so paid.
    error = effect.standard_error * float(special.stdtrit(effect.df, DECIDED)) / DECIDED_AT
    precision = sd**-2 + error**-2
    middle = (mean / sd**2 + effect.estimate / error**2) / precision
    return middle + np.asarray(special.ndtri(shares)) / math.sqrt(precision)


def draw_inputs(case: Case, *, n_draws: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Return draws of all inputs: one row a draw, one column a key of `INPUTS`.

    An input without a standard error is taken as known and stays at its estimate.
    """
    z = _normals(n_draws, seed)
    correlated = case.correlation * z[:, 2] + math.sqrt(max(1 - case.correlation**2, 0.0)) * z[:, 3]
    return pd.DataFrame(
        {
            EFFECT: effect_quantiles(case.effect, case.prior, special.ndtr(z[:, 0])),
            BASELINE: draw_value(case.baseline_error, z[:, 1]),
            COMMISSION: draw_value(case.commission_rate, z[:, 2]),
            HOUR: draw_value(case.cost_per_hour, correlated),
            COST: draw_value(case.cost_error, z[:, 4]),
        }
    )


def central_inputs(case: Case) -> pd.DataFrame:
    """Return one row of inputs: each at its estimate, the effect at its median."""
    values = {
        EFFECT: float(effect_quantiles(case.effect, case.prior, np.array([0.5]))[0]),
        BASELINE: case.baseline_error.estimate,
        COMMISSION: case.commission_rate.estimate,
        HOUR: case.cost_per_hour.estimate,
        COST: case.cost_error.estimate,
    }
    return pd.DataFrame([values])


def taken_as_known(case: Case) -> list[str]:
    """Return the labels of the inputs that are not drawn, for want of a standard error."""
    inputs = {
        BASELINE: case.baseline_error, COMMISSION: case.commission_rate, HOUR: case.cost_per_hour,
        COST: case.cost_error,
    }  # fmt: skip
    return [INPUTS[name] for name, value in inputs.items() if not _is_drawn(value)]


def draw_value(value: Uncertain, z: Vector) -> Vector:
    """Return draws of `value` by t at the quantiles of standard normals `z`.

    Constant where it has no error.
    """
    if not _is_drawn(value):
        return np.full(z.size, value.estimate)
    return value.estimate + value.standard_error * np.asarray(
        special.stdtrit(value.df, special.ndtr(z))
    )


@lru_cache(maxsize=8)
def _normals(n_draws: int, seed: int) -> Vector:
    """Return standard normals of which each column's mean is zero.

    Half of the draws mirror the others.
    """
    half = np.random.default_rng(seed).standard_normal(((n_draws + 1) // 2, len(INPUTS)))
    both = np.concatenate([half, -half])[:n_draws]
    both.setflags(write=False)
    return both


def _is_drawn(value: Uncertain) -> bool:
    return value.standard_error > ROUNDING * abs(value.estimate) and value.df > 0
