"""How often these data would earn each verdict, were the true gap of a given size.

By the interval that allows for drift, whatever the checks say; for true gaps stated beforehand and
never for the gap as now estimated, which would only say the p-value again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
from scipy import stats

if TYPE_CHECKING:
    from analysis.chapters.growth.drift_allowance import GradedInterval
    from analysis.chapters.growth.specification import Specification

GAPS = (5.0, 10.0, 15.0, 24.0)  # percent


def chance_to_exclude_zero(effect: GradedInterval, gap_percent: float, level: float) -> float:
    """Return how often the interval of `level` would lie on the gap's side of zero, were it true.

    Examples
    --------
    >>> from analysis.chapters.growth.drift_allowance import GradedInterval
    >>> round(chance_to_exclude_zero(GradedInterval(0.0, 0.05, 10**6), 10.2957, 0.95), 2)
    0.5
    """
    shift = math.log1p(gap_percent / 100) / effect.error
    critical = float(stats.t.ppf((1 + level) / 2, effect.df))
    return float(stats.nct.sf(critical, effect.df, shift))


def power_table(
    effect: GradedInterval, with_evidence: GradedInterval, spec: Specification
) -> pd.DataFrame:
    """Return how often each word would be earned: one row a true gap of `GAPS`.

    Columns: ``gap`` [percent], ``is_found`` and ``is_at_least_likely`` [0-1].
    """
    rows = [
        (
            gap,
            chance_to_exclude_zero(effect, gap, spec.level),
            max(
                chance_to_exclude_zero(effect, gap, spec.likely_level),
                chance_to_exclude_zero(with_evidence, gap, spec.level),
            ),
        )
        for gap in GAPS
    ]
    return pd.DataFrame(rows, columns=["gap", "is_found", "is_at_least_likely"])


def power_sentence(
    effect: GradedInterval, with_evidence: GradedInterval, spec: Specification
) -> str:
    """Return a sentence on how often true gaps of 5% and of 15% would be detected."""
    chance = power_table(effect, with_evidence, spec).set_index("gap")["is_at_least_likely"]
    return (
        "With teams and quarters like these, a true change of 15% would be found or called likely "
        f"in about {_of_ten(chance.loc[15.0])} companies of ten, one of 5% in "
        f"{_of_ten(chance.loc[5.0])}."
    )


def _of_ten(chance: float) -> str:
    return f"{10 * chance:.0f}"
