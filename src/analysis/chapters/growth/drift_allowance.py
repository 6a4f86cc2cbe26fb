"""The effect of joining when adopters may have been gaining on the others anyway.

How much adopters gained each quarter before the start is measured on bookings and on opportunities
created, which show it twice as sharply.  It is believed to be small beforehand; what it comes to by
now is taken off the estimate, and how little is known of it goes into the error.  So a drift is
part of the error and no veto.  Where nothing speaks against it, opportunities are evidence of
bookings too: what joining does to the one and to the other differs by little.

All is normal and linear, so beliefs and estimates combine as in least squares (a mixed model after
Theil and Goldberger 1961, Int. Economic Review 2); intervals are t by the number of teams left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.stats import intervals, jackknife

if TYPE_CHECKING:
    from analysis.chapters.growth.contrasts import TeamContrast
    from analysis.stats.fixed_effects import Vector


class DriftBeliefs(NamedTuple):
    """One standard deviation of what is believed beforehand [log points].

    ``drift`` is what adopters gain on the others a quarter, ``apart`` what bookings gain beyond
    opportunities a quarter, ``conversion`` what joining does to bookings beyond what it does to
    opportunities.
    """

    drift: float
    apart: float
    conversion: float


class GradedInterval(NamedTuple):
    """An effect with the error that allows for drift [log points]."""

    estimate: float
    error: float
    df: int

    def ends(self, level: float) -> tuple[float, float]:
        """Return the ends of the interval of `level`."""
        reach = intervals.t_point((1 + level) / 2, self.df) * self.error
        return self.estimate - reach, self.estimate + reach

    def excludes_zero(self, level: float) -> bool:
        """Return whether the interval of `level` leaves zero out."""
        low, high = self.ends(level)
        return low > 0 or high < 0


class OutcomeMoves(NamedTuple):
    """Effect since the start and slope before it, of one outcome."""

    effect: TeamContrast
    slope: TeamContrast


# Rows are what is estimated, columns what it is made of: effect on opportunities, what bookings do
# beyond them, drift, and what bookings drift beyond opportunities.
EFFECT_ON_BOOKINGS, EFFECT_ON_OPPORTUNITIES = (1.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
FLAT = 10.0  # log points: so wide that nothing is believed


def allow_for_drift(
    bookings: OutcomeMoves,
    opportunities: OutcomeMoves | None,
    lever: float,
    beliefs: DriftBeliefs,
    *,
    is_evidence: bool,
    of: tuple[float, ...] = EFFECT_ON_BOOKINGS,
) -> GradedInterval:
    """Return the effect with drift taken off.

    Parameters
    ----------
    bookings, opportunities : estimates by the same teams left out; None where there are none
    lever : what the effect gains for each log point of drift, see `contrasts.drift_lever`
    beliefs : how large drift may be
    is_evidence : whether opportunities are evidence of bookings, or tell of drift alone
    of : the effect wanted, `EFFECT_ON_BOOKINGS` or `EFFECT_ON_OPPORTUNITIES`
    """
    makeup = [(1.0, 1.0, lever, lever), (0.0, 0.0, 1.0, 1.0)]
    contrasts = [bookings.effect, bookings.slope]
    if opportunities is not None:
        makeup += [(1.0, 0.0, lever, 0.0), (0.0, 0.0, 1.0, 0.0)]
        contrasts += [opportunities.effect, opportunities.slope]
    several = np.stack([each.estimates for each in contrasts], axis=1)
    inverse = np.linalg.inv(jackknife.jackknife_spread(several[1:] - several[0]))
    design: Vector = np.array(makeup)
    conversion = beliefs.conversion if is_evidence else FLAT
    believed = np.array([FLAT, conversion, beliefs.drift, beliefs.apart]) ** -2.0
    spread = np.linalg.inv(design.T @ inverse @ design + np.diag(believed))
    wanted: Vector = np.array(of)
    estimate = float(wanted @ spread @ design.T @ inverse @ several[0])
    error = float(np.sqrt(wanted @ spread @ wanted))
    return GradedInterval(estimate, error, bookings.effect.df)


def widen_for_drift(
    effect: TeamContrast, lever: float, beliefs: DriftBeliefs, *, of_bookings: bool
) -> GradedInterval:
    """Return the plain effect with its error widened for drift that could not be measured.

    For a handful of adopters, who tell no slope of their own: all that drift is believed to be goes
    into the error, for bookings what they drift beyond opportunities too.
    """
    drift = math.hypot(beliefs.drift, beliefs.apart) if of_bookings else beliefs.drift
    return GradedInterval(effect.estimate, math.hypot(effect.error, lever * drift), effect.df)
