"""When a gap may be called found, and when it may not.

The same rules for every company, fixed before the data.

``found`` takes an interval without zero, a companion that agrees, bounds on parting trends without
zero, the same sign had the trend before the start gone on, randomisation inference, every guard,
and the same a quarter earlier. ``no material effect`` takes an interval inside the smallest
relevant effect and a sound design.  All else is ``cannot tell``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.chapters.growth.guards import Guard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.growth.callaway_santanna import EstimatorAgreement
    from analysis.chapters.growth.imputation import GrowthEffects
    from analysis.chapters.growth.parallel_trends import TrendBounds
    from analysis.chapters.growth.specification import Specification
    from analysis.stats.randomisation import RandomisationTest
    from analysis.stats.result import Kind, Verdict


class Look(NamedTuple):
    """What one look at the data said; the report keeps each of them.  Percent of the outcome."""

    outcome: str
    quarter: str
    estimate: float
    low: float
    high: float
    n_teams: int
    n_treated: int
    verdict: Verdict
    sha256: str


class Ruling(NamedTuple):
    """A verdict, what it may be called, and what stands against a finding."""

    verdict: Verdict
    kind: Kind
    reasons: tuple[str, ...]


def log_points_percent(log_points: float) -> float:
    """Return log points as percent.

    Examples
    --------
    >>> round(log_points_percent(math.log(1.2)), 6)
    20.0
    """
    return 100 * math.expm1(log_points)


def excludes_zero(effects: GrowthEffects) -> bool:
    """Return whether the headline interval leaves zero out."""
    return effects.low > 0 or effects.high < 0


def is_immaterial(effects: GrowthEffects, smallest_relevant_percent: float) -> bool:
    """Return whether the interval lies inside plus and minus the smallest relevant effect."""
    return (
        max(log_points_percent(effects.high), -log_points_percent(effects.low))
        < smallest_relevant_percent
    )


def agreement_guard(agreement: EstimatorAgreement) -> Guard:
    """Return whether the companion says the same within the joint interval."""
    says = (
        f"{100 * agreement.difference:+.1f} points apart ({100 * agreement.low:+.1f} to "
        f"{100 * agreement.high:+.1f})"
    )
    return Guard("two estimators agree", agreement.agrees, says)


def bounds_guard(bounds: TrendBounds | None, effects: GrowthEffects) -> Guard:
    """Return whether zero stays out when trends part, on the headline's side of zero."""
    if bounds is None:
        says = "too few quarters before the start to bound it"
        return Guard("holds if trends part", passed=False, says=says, needed_for="found")
    same_side = np.sign(bounds.estimate) == np.sign(effects.estimate)
    says = (
        f"{log_points_percent(bounds.low):+.1f}% to {log_points_percent(bounds.high):+.1f}% at "
        f"M-bar {bounds.m_bar:g}; breaks at {bounds.breakdown:.2f}"
    )
    name = f"holds if trends part by {bounds.m_bar:g} of before"
    return Guard(name, bool(bounds.excludes_zero and same_side), says, "found", "teams")


def extrapolation_guard(
    drift_effects: GrowthEffects | None, effects: GrowthEffects, level: float
) -> Guard:
    """Return whether the effect keeps its sign at `level` had the trend before the start gone on."""  # noqa: E501
    name = "holds if the trend before had gone on"
    if drift_effects is None:
        return Guard(name, None, "too few quarters before the start to tell the trend", "found")
    holds = excludes_zero(drift_effects) and np.sign(drift_effects.estimate) == np.sign(
        effects.estimate
    )
    low, middle, high = (
        log_points_percent(each)
        for each in (drift_effects.low, drift_effects.estimate, drift_effects.high)
    )
    return Guard(
        name,
        bool(holds),
        f"{middle:+.1f}% ({low:+.1f} to {high:+.1f}, {level:.0%} interval)",
        "found",
        "teams",
    )


def randomisation_guard(test: RandomisationTest, alpha: float) -> Guard:
    """Return whether chance picks of teams seldom do as well, and there are picks enough to say so."""  # noqa: E501
    says = test.refusal or f"p = {test.p_value:.3f} over {test.n_drawn:,} assignments"
    passed = not test.refusal and test.p_value < alpha
    return Guard("chance picks of teams seldom do as well", passed, says, "found", "teams")


def earlier_guard(earlier: bool | None, quarter: str) -> Guard:  # noqa: FBT001
    """Return whether the look a quarter earlier passed all the rest too."""
    says = {
        True: f"found as of {quarter} too",
        False: f"not found as of {quarter}",
        None: f"no answer as of {quarter}",
    }
    return Guard(
        "found two quarters in a row", earlier is True, says[earlier], "found", "quarters", 1
    )


def rule_on_effect(
    effects: GrowthEffects, guards: Sequence[Guard], specification: Specification
) -> Ruling:
    """Return the verdict from the interval and the guards.

    A guard that could not be checked does not stand against a finding; it is among the reasons.
    """
    failed = [each for each in guards if each.passed is False]
    reasons = [f"{each.name}: no ({each.says})" for each in failed]
    reasons += [f"{each.name}: not checked ({each.says})" for each in guards if each.passed is None]
    is_sound = all(each.needed_for == "found" for each in failed)
    kind: Kind = "effect" if is_sound else "association"
    if not excludes_zero(effects):
        if is_sound and is_immaterial(effects, specification.smallest_relevant_percent):
            return Ruling("no material effect", kind, tuple(reasons))
        wide = (
            f"the interval {log_points_percent(effects.low):+.1f}% to "
            f"{log_points_percent(effects.high):+.1f}% holds zero"
        )
        return Ruling("cannot tell", kind, (wide, *reasons))
    return Ruling("cannot tell" if failed else "found", kind, tuple(reasons))
