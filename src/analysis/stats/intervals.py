"""Intervals: how wide one is, and at which level; every chapter takes both from here."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import special, stats

LEVEL = 0.95  # of every interval that names no other
# A simulated interval of LEVEL stands between these quantiles of its draws.
ENDS = (round((1 - LEVEL) / 2, 6), round((1 + LEVEL) / 2, 6))
# Half the width of a normal interval of LEVEL, in standard errors.
Z = float(stats.norm.ppf(ENDS[1]))


def t_point(share: float, df: float) -> float:
    """Return the point below which Student's t lies with probability `share`.

    It is `scipy.stats.t.ppf` to the last digit, without its checks: a hundredth of the time.

    Examples
    --------
    >>> round(t_point(0.975, 9), 3)
    2.262
    """
    return float(special.stdtrit(df, share))


def t_quantile(df: float, level: float = LEVEL) -> float:
    """Return half the width of a t interval in standard errors; NaN without a degree of freedom."""
    return t_point((1 + level) / 2, df) if df > 0 else math.nan


def t_interval(
    estimate: float, error: float, df: float, level: float = LEVEL
) -> tuple[float, float, float]:
    """Return the estimate and the ends of its t interval.

    Examples
    --------
    >>> [round(end, 3) for end in t_interval(10.0, 1.0, df=9)]
    [10.0, 7.738, 12.262]
    """
    reach = t_quantile(df, level) * error
    return estimate, estimate - reach, estimate + reach


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's interval of `hits` of `n` [0-1], of LEVEL.

    Examples
    --------
    >>> [round(end, 3) for end in share_interval(8, 10)]
    [0.49, 0.943]
    """
    size = pd.Series([float(n)])
    low, high = wilson_interval(hits / size, size)
    # rounding leaves an end of none, or of all, a hair on the wrong side of the share
    return (0.0 if hits == 0 < n else low.item()), (1.0 if hits == n > 0 else high.item())


def wilson_interval(share: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return Wilson's interval of each share of `n`; the share itself where `n` is infinite.

    `n` may be no whole number: an effective size.
    """
    size = n.where(n > 0)
    with np.errstate(invalid="ignore"):
        middle = (share + Z**2 / (2 * size)) / (1 + Z**2 / size)
        reach = Z / (1 + Z**2 / size) * np.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    return middle - reach, middle + reach
