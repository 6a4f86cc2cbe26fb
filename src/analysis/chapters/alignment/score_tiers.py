"""What a score is called: bands fixed in advance, and how likely the name is to be right.

Criterion bands judge a team against the scale, so all teams can be good.  The 20/50/30 of the
articles judges it against the others: somebody is always a laggard, so it asks for 30 units and a
reference quarter that is frozen.  A score on a cut gets the lower name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

TIERS = ("undefined", "defined", "aligned", "integrated")
CUTS = (25.0, 50.0, 75.0)  # the upper end of each tier but the last
FEWEST_UNITS = 30
TOP_SHARE, LAGGARD_SHARE = 0.2, 0.3
NORM_NAMES = ("best in class", "average", "laggard")
SURE = 0.8  # below this probability the tier is given as a range
DECIMALS = 9  # a score that differs from a cut by rounding lies on it


def tier_numbers(values: np.ndarray) -> np.ndarray:
    """Return the number of each score's tier, 0 to 3; a score on a cut is of the lower one."""
    return np.searchsorted(CUTS, np.round(values, DECIMALS), side="left")


def tier_names(values: pd.Series) -> pd.Series:
    """Return the tier of each score; missing where the score is."""
    names = pd.Series(
        np.take(TIERS, tier_numbers(values.to_numpy())),
        index=values.index,
        dtype="str",
        name="tier",
    )
    return names.where(values.notna())


def tier_certainty(draws: np.ndarray, own: np.ndarray) -> pd.DataFrame:
    """Return the probability of each unit's tier and the wording it allows: one row a unit.

    Parameters
    ----------
    draws : array of units by draws
        Scores as they might have come out.
    own : array of units
        Scores as they did.

    Returns
    -------
    DataFrame
        ``p_<tier>`` for each tier, ``tier_probability`` of the unit's own, and ``tier_says``: the
        tier, or below 0.8 ``between X and Y``, the tiers of the 10th and 90th percentile.
    """
    tier = tier_numbers(own)
    drawn = tier_numbers(draws)
    shares = np.stack([(drawn == i).mean(axis=1) for i in range(len(TIERS))], axis=1)
    probability = np.take_along_axis(shares, tier[:, None], axis=1)[:, 0]
    ends = tier_numbers(np.quantile(draws, [0.1, 0.9], axis=1, method="inverted_cdf"))
    low, high = np.minimum(ends[0], tier), np.maximum(ends[1], tier)
    says = [
        TIERS[t] if p >= SURE or a == b else f"between {TIERS[a]} and {TIERS[b]}"
        for t, p, a, b in zip(tier, probability, low, high, strict=True)
    ]
    table = pd.DataFrame(shares, columns=[f"p_{name}" for name in TIERS])
    return table.assign(tier_probability=probability, tier_says=says)


class NormCuts(NamedTuple):
    """Cuts of a frozen reference, as `by_cut` takes them."""

    low: float
    high: float


def by_cut(
    values: pd.Series, *, low: float, high: float, names: tuple[str, str, str] = NORM_NAMES
) -> pd.Series[str]:
    """Return the name of each score, best first: above `high`, between, and up to `low`.

    Missing where the score is.

    Raises
    ------
    ValueError
        If `low` is above `high`.

    Examples
    --------
    >>> by_cut(pd.Series([75.1, 75.0, 50.0]), low=50, high=75).tolist()
    ['best in class', 'average', 'laggard']
    """
    if low > high:
        raise ValueError(f"low must not be above high, got {low!r} and {high!r}")
    score = values.round(DECIMALS)
    tier = np.select([score <= low, score > high], [names[2], names[0]], names[1])
    return pd.Series(tier, values.index, name="tier", dtype="str").where(values.notna())


def norm_counts(n: int) -> tuple[int, int, int]:
    """Return how many of `n` are best in class, average and laggard.

    Examples
    --------
    >>> norm_counts(453)
    (91, 226, 136)
    """
    top, laggard = round(TOP_SHARE * n), round(LAGGARD_SHARE * n)
    return top, n - top - laggard, laggard


def norm_cuts(reference: pd.Series) -> NormCuts:
    """Return the cuts of a reference quarter's scores: the best 20% lie above `high`, the last 30%
    up to `low`.

    Missing ones do not count.

    Raises
    ------
    ValueError
        If fewer than 30 units have a score.
    """
    scores = np.sort(reference.dropna().to_numpy())
    if len(scores) < FEWEST_UNITS:
        raise ValueError(
            f"20/50/30 needs {FEWEST_UNITS} units with a score, got {len(scores)}: "
            "with fewer, labels move when others move. Use the criterion bands."
        )
    top, _, laggard = norm_counts(len(scores))
    return NormCuts(low=float(scores[laggard - 1]), high=float(scores[-top - 1]))
