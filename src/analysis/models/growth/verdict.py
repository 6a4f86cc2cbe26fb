"""When a gap may be called found, and when it may not: the same rules for every company, fixed before the data.

``found`` takes an interval without zero, a companion that agrees, bounds on parting trends without zero, the same
sign had the trend before the start gone on, randomisation inference, every guard, and the same a quarter earlier.
``no material effect`` takes an interval inside the smallest relevant effect and a sound design.  All else is
``cannot tell``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.models.growth.guards import Guard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.growth.honest import Bounds
    from analysis.models.growth.imputation import Effects
    from analysis.models.growth.specification import Specification
    from analysis.models.growth.staggered import Agreement
    from analysis.models.inference.randomisation import RandomisationTest
    from analysis.models.result import Kind, Verdict


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


def percent(log_points: float) -> float:
    """Return log points as percent.

    Examples
    --------
    >>> round(percent(math.log(1.2)), 6)
    20.0
    """
    return 100 * math.expm1(log_points)


def excludes_zero(effects: Effects) -> bool:
    """Return whether the headline interval leaves zero out."""
    return effects.low > 0 or effects.high < 0


def is_immaterial(effects: Effects, smallest_relevant_percent: float) -> bool:
    """Return whether the interval lies inside plus and minus the smallest relevant effect."""
    return max(percent(effects.high), -percent(effects.low)) < smallest_relevant_percent


def agreement_guard(got: Agreement) -> Guard:
    """Return whether the companion says the same within the joint interval."""
    says = f"{100 * got.difference:+.1f} points apart ({100 * got.low:+.1f} to {100 * got.high:+.1f})"
    return Guard("two estimators agree", got.agrees, says)


def bounds_guard(got: Bounds | None, effects: Effects) -> Guard:
    """Return whether zero stays out when trends part, on the headline's side of zero."""
    if got is None:
        says = "too few quarters before the start to bound it"
        return Guard("holds if trends part", passed=False, says=says, needed_for="found")
    same_side = np.sign(got.estimate) == np.sign(effects.estimate)
    says = (
        f"{percent(got.low):+.1f}% to {percent(got.high):+.1f}% at M-bar {got.m_bar:g}; breaks at {got.breakdown:.2f}"
    )
    name = f"holds if trends part by {got.m_bar:g} of before"
    return Guard(name, bool(got.excludes_zero and same_side), says, "found", "teams")


def extrapolation_guard(got: Effects | None, effects: Effects, level: float) -> Guard:
    """Return whether the effect keeps its sign at `level` had the trend before the start gone on."""
    name = "holds if the trend before had gone on"
    if got is None:
        return Guard(name, None, "too few quarters before the start to tell the trend", "found")
    holds = excludes_zero(got) and np.sign(got.estimate) == np.sign(effects.estimate)
    low, middle, high = (percent(each) for each in (got.low, got.estimate, got.high))
    return Guard(
        name, bool(holds), f"{middle:+.1f}% ({low:+.1f} to {high:+.1f}, {level:.0%} interval)", "found", "teams"
    )


def randomisation_guard(got: RandomisationTest, alpha: float) -> Guard:
    """Return whether chance picks of teams seldom do as well, and there are picks enough to say so."""
    says = got.refusal or f"p = {got.p_value:.3f} over {got.n_drawn:,} assignments"
    passed = not got.refusal and got.p_value < alpha
    return Guard("chance picks of teams seldom do as well", passed, says, "found", "teams")


def earlier_guard(earlier: bool | None, quarter: str) -> Guard:  # noqa: FBT001
    """Return whether the look a quarter earlier passed all the rest too."""
    says = {True: f"found as of {quarter} too", False: f"not found as of {quarter}", None: f"no answer as of {quarter}"}
    return Guard("found two quarters in a row", earlier is True, says[earlier], "found", "quarters", 1)


def rule(effects: Effects, guards: Sequence[Guard], specification: Specification) -> Ruling:
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
        wide = f"the interval {percent(effects.low):+.1f}% to {percent(effects.high):+.1f}% holds zero"
        return Ruling("cannot tell", kind, (wide, *reasons))
    return Ruling("cannot tell" if failed else "found", kind, tuple(reasons))
