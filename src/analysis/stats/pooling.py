"""Several estimates of one thing shrunk towards their mean, by the part of their spread that is
chance.

The spread between groups beyond chance (Paule and Mandel 1982) says how far to believe each group's
own estimate (empirical Bayes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.stats import intervals

if TYPE_CHECKING:
    import pandas as pd

N_HALVINGS = 60


def pool_estimates(estimate: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates shrunk towards their mean, and their errors; a NaN gets the mean.

    Examples
    --------
    >>> drawn, _ = pool_estimates(np.array([0.2, 0.3]), np.array([0.1, 0.1]))  # no more apart than chance
    >>> drawn.round(6).tolist()
    [0.25, 0.25]
    """  # noqa: E501
    is_estimated = ~np.isnan(estimate)
    if not is_estimated.any():
        return np.full(estimate.shape, np.nan), np.full(estimate.shape, np.nan)
    b, v = estimate[is_estimated], error[is_estimated] ** 2
    between = _between(b, v)
    weight = 1 / (v + between)
    mean, mean_variance = float((weight * b).sum() / weight.sum()), float(1 / weight.sum())
    trust = between / (between + v)  # in the group's own
    drawn, variance = (
        np.full(estimate.shape, mean),
        np.full(estimate.shape, mean_variance + between),
    )
    drawn[is_estimated] = trust * b + (1 - trust) * mean
    variance[is_estimated] = trust * v + (1 - trust) ** 2 * mean_variance
    return drawn, np.sqrt(variance)


def with_interval(groups: pd.DataFrame) -> pd.DataFrame:
    """Return a table of groups with ``estimate``, ``low`` and ``high``, shrunk together from
    ``alone`` and ``error``.
    """
    estimate, error = pool_estimates(
        groups["alone"].to_numpy(float), groups["error"].to_numpy(float)
    )
    reach = intervals.Z * error
    return groups.drop(columns="error").assign(
        estimate=estimate, low=estimate - reach, high=estimate + reach
    )


def _between(b: np.ndarray, v: np.ndarray) -> float:
    """Return the variance between groups at which the spread is what chance and it would make."""
    low, high = 0.0, float(max(np.var(b) * 4, 1e-12))
    if _excess(b, v, 0.0) <= 0:
        return 0.0
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _excess(b, v, middle) > 0 else (low, middle)
    return (low + high) / 2


def _excess(b: np.ndarray, v: np.ndarray, between: float) -> float:
    weight = 1 / (v + between)
    mean = (weight * b).sum() / weight.sum()
    return float((weight * (b - mean) ** 2).sum() - (b.size - 1))
