"""What a linear or Poisson model found: slopes, how they vary together, and by which convention.

Intervals are for slopes and contrasts alone: effects that were absorbed leave no level to speak of.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.stats.intervals import LEVEL, t_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.stats.fixed_effects import Vector


class Estimates(NamedTuple):
    """Slopes with their covariance.

    `df` are the degrees of freedom of t: smallest number of clusters less 1, or rows less
    coefficients without clusters.  `n_clusters` has an entry a clustered column.  `convention` says
    in words which covariance and which corrections stand behind the errors.
    """

    names: tuple[str, ...]
    estimate: Vector
    covariance: Vector
    df: int
    n_rows: int
    n_clusters: tuple[int, ...]
    method: str
    convention: str
    left_out: Mapping[str, int]

    @property
    def standard_error(self) -> Vector:
        """Root of the covariance's diagonal."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def table(self, level: float = LEVEL) -> pd.DataFrame:
        """Return one row a regressor: estimate, standard_error, t, p_value, low and high."""
        return t_table(self.names, self.estimate, self.standard_error, self.df, level)


class Contrast(NamedTuple):
    """A weighted sum of slopes with its interval."""

    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float
    df: int
    convention: str


class JointTest(NamedTuple):
    """Whether several slopes all equal their null: F with (`df`, `df_below`) degrees of freedom."""

    names: tuple[str, ...]
    f: float
    df: int
    df_below: int
    p_value: float
    convention: str


def t_table(
    names: Sequence[str], estimate: Vector, error: Vector, df: int, level: float = LEVEL
) -> pd.DataFrame:
    """Return one row a name with t statistic, two-sided p-value and interval."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / error
    reach = t_quantile(df, level) * error
    return pd.DataFrame(
        {
            "estimate": estimate,
            "standard_error": error,
            "t": t,
            "p_value": 2 * stats.t.sf(np.abs(t), df),
            "low": estimate - reach,
            "high": estimate + reach,
        },
        index=pd.Index(names, name="term"),
    )


def linear_contrast(
    fit: Estimates, weights: Mapping[str, float], *, level: float = LEVEL
) -> Contrast:
    """Return the sum of slopes times `weights`, such as the sum over leads and lags.

    Raises
    ------
    ValueError
        If a name is not among the slopes.
    """
    places = _places(fit, list(weights))
    w = np.array(list(weights.values()), float)
    estimate = float(w @ fit.estimate[places])
    error = math.sqrt(float(w @ fit.covariance[np.ix_(places, places)] @ w))
    row = t_table(["contrast"], np.array([estimate]), np.array([error]), fit.df, level).iloc[0]
    return Contrast(
        estimate,
        error,
        float(row["low"]),
        float(row["high"]),
        float(row["p_value"]),
        fit.df,
        fit.convention,
    )


def joint_test(
    fit: Estimates, names: Sequence[str], *, null: Sequence[float] | float = 0.0
) -> JointTest:
    """Return Wald's test that the slopes `names` equal `null`, as F(q, df).

    F = d' V^-1 d / q against F(q, G - 1) (Cameron and Miller 2015, JHR 50).

    Raises
    ------
    ValueError
        If a name is not among the slopes, or more slopes are tested than the clusters can carry:
        a covariance from G clusters has rank G - 1 at most.
    """
    places = _places(fit, list(names))
    q = len(places)
    if fit.n_clusters and q > min(fit.n_clusters) - 1:
        raise ValueError(
            f"names must be at most G - 1 = {min(fit.n_clusters) - 1} to be tested jointly, got {q}"
        )
    d = fit.estimate[places] - np.asarray(null, float)
    f = float(d @ np.linalg.solve(fit.covariance[np.ix_(places, places)], d)) / q
    return JointTest(tuple(names), f, q, fit.df, float(stats.f.sf(f, q, fit.df)), fit.convention)


def _places(fit: Estimates, names: Sequence[str]) -> list[int]:
    unknown = [name for name in names if name not in fit.names]
    if unknown or not names:
        raise ValueError(
            f"names must be among {', '.join(fit.names)}, got {', '.join(unknown) or 'none'}"
        )
    return [fit.names.index(name) for name in names]
