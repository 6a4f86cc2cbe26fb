"""Which verdict an effect earns: the same rules for every company, fixed before the data.

``found``: the 95 % interval, drift in its error, leaves zero out, chance picks of teams seldom do
as well, no single team decides the sign and nothing speaks against it.  ``likely``: the same at
80 %, or at 95 % with opportunities as evidence of bookings.  ``no material effect``: the 90 %
interval lies inside plus and minus the smallest relevant effect (two one-sided tests at 5 %).  All
else is ``cannot tell``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.growth.drift_allowance import GradedInterval
    from analysis.chapters.growth.guards import Guard
    from analysis.chapters.growth.specification import Specification
    from analysis.stats.result import Kind, Verdict

TWO_ONE_SIDED = 0.90  # level of the interval that is two one-sided tests at 5 %


class Ruling(NamedTuple):
    """A verdict, what it may be called, and the checks that speak against any answer."""

    verdict: Verdict
    kind: Kind
    against: tuple[Guard, ...]


def log_points_percent(log_points: float) -> float:
    """Return log points as percent.

    Examples
    --------
    >>> round(log_points_percent(math.log(1.2)), 6)
    20.0
    """
    return 100 * math.expm1(log_points)


def rule_on_effect(
    effect: GradedInterval,
    with_evidence: GradedInterval,
    guards: Sequence[Guard],
    specification: Specification,
) -> Ruling:
    """Return the verdict from intervals and checks.

    Parameters
    ----------
    effect : of the outcome by itself
    with_evidence : the same with opportunities as evidence; `effect` again where they are none
    guards : every check; one that was not made speaks neither way
    specification : levels, and the smallest relevant effect
    """
    against = tuple(each for each in guards if each.speaks and each.bars == "answer")
    if against:
        return Ruling("cannot tell", "association", against)
    is_steady, is_picked = (
        not any(each.speaks for each in guards if each.bars == bars)
        for bars in ("direction", "found")
    )
    if effect.excludes_zero(specification.level) and is_steady and is_picked:
        return Ruling("found", "effect", ())
    is_likely = effect.excludes_zero(specification.likely_level) or with_evidence.excludes_zero(
        specification.level
    )
    if is_likely and is_steady and effect.estimate * with_evidence.estimate > 0:
        return Ruling("likely", "effect", ())
    if is_immaterial(with_evidence, specification.smallest_relevant_percent):
        return Ruling("no material effect", "effect", ())
    return Ruling("cannot tell", "effect", ())


def is_immaterial(effect: GradedInterval, smallest_relevant_percent: float) -> bool:
    """Return whether the 90 % interval lies inside plus and minus the smallest relevant effect."""
    low, high = effect.ends(TWO_ONE_SIDED)
    return max(log_points_percent(high), -log_points_percent(low)) < smallest_relevant_percent
