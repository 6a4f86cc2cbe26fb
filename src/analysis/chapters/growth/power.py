"""What the company could tell at best.

The smallest gap it would find, and how many teams a smaller one takes.

Spread falls with the root of the number of teams, joined and not joined in the same shares.  A
finding has to pass the interval, the bounds on parting trends and the trend gone on, so the number
is the largest of what they take.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from analysis.chapters.growth import counterfactual
from analysis.chapters.growth.imputation import HORIZON

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from analysis.chapters.growth.guards import Guard
    from analysis.chapters.growth.imputation import GrowthEffects
    from analysis.chapters.growth.panel import Panel, Places
    from analysis.chapters.growth.parallel_trends import TrendBounds

MOST_STEPS = 60


class Power(NamedTuple):
    """What could be found.

    ``detectable_percent`` is the gap found with the wanted power by the interval alone;
    ``teams_for_interval``, ``teams_for_bounds`` and ``teams_for_trend`` are what a gap of
    ``gap_percent`` takes.  ``settling`` says what it takes to settle the present estimate; empty
    where nothing stands against it.
    """

    detectable_percent: float
    gap_percent: float
    teams_for_interval: int
    teams_for_bounds: int
    teams_for_trend: int
    n_teams: int
    power: float
    most_teams: int
    settling: str

    @property
    def n_teams_needed(self) -> int:
        """Teams that would tell."""
        return max(self.teams_for_interval, self.teams_for_bounds, self.teams_for_trend)

    @property
    def is_answerable(self) -> bool:
        """Whether a company could have so many."""
        return self.n_teams_needed <= self.most_teams

    def sentence(self) -> str:
        """Return what it would take, in words."""
        gap = f"a gap of {self.gap_percent:g}%"
        if not self.is_answerable:
            return (
                f"Telling {gap} from none would take about {self.n_teams_needed:,} teams: not "
                "answerable inside this company."
            )
        return (
            f"About {self.n_teams_needed:,} teams would tell {gap} from none; there are "
            f"{self.n_teams}."
        )


class _Need(NamedTuple):
    """What a gap has to be wider than.

    Chance (`error`, at `alpha`) and `slack`, at today's number of teams.
    """

    error: float
    slack: float
    alpha: float


def detectable_gap(
    effects: GrowthEffects,
    bounds: TrendBounds | None = None,
    beyond_trend: GrowthEffects | None = None,
    several: Sequence[Guard] = (),
    *,
    gap_percent: float = 5.0,
    wanted: float = 0.8,
    alpha: float = 0.05,
    trend_level: float = 0.8,
    most_teams: int = 100,
) -> Power:
    """Return the minimum detectable gap, how many teams `gap_percent` takes, and what would settle
    the estimate.

    Parameters
    ----------
    effects : the headline
    bounds : if trends part
    beyond_trend : the effect had the trend before the start gone on
    several : guards, of which those that fail say what would settle them
    wanted : probability of a finding [0-1]

    Raises
    ------
    ValueError
        If `gap_percent` is not above 0.
    """
    if not gap_percent > 0:
        raise ValueError(f"gap_percent must be above 0, got {gap_percent!r}")
    interval = _Need(effects.standard_error, 0.0, alpha)
    parting = trend = interval
    if bounds is not None:
        reach = (bounds.high - bounds.set_high) / float(stats.t.ppf(1 - alpha / 2, effects.df))
        parting = _Need(reach, (bounds.set_high - bounds.set_low) / 2, alpha)
    if beyond_trend is not None:
        trend = _Need(beyond_trend.standard_error, 0.0, 1 - trend_level)
    gap, now = math.log1p(gap_percent / 100), abs(effects.estimate)
    width = _factor(effects.n_teams, wanted, alpha) * effects.standard_error
    n_now = (
        max(_teams(effects.n_teams, need, now, wanted) for need in (interval, parting, trend))
        if now > 0
        else 0
    )
    return Power(
        detectable_percent=100 * math.expm1(width),
        gap_percent=gap_percent,
        teams_for_interval=_teams(effects.n_teams, interval, gap, wanted),
        teams_for_bounds=_teams(effects.n_teams, parting, gap, wanted),
        teams_for_trend=_teams(effects.n_teams, trend, gap, wanted),
        n_teams=effects.n_teams,
        power=wanted,
        most_teams=most_teams,
        settling=_settling(effects, several, gap_percent, n_now),
    )


def share_found(effects: GrowthEffects, gap_percent: float, *, alpha: float = 0.05) -> float:
    """Return how often the interval would leave zero out, were the true gap `gap_percent`."""
    shift = math.log1p(gap_percent / 100) / effects.standard_error
    critical = float(stats.t.ppf(1 - alpha / 2, effects.df))
    return float(
        stats.nct.sf(critical, effects.df, shift) + stats.nct.cdf(-critical, effects.df, shift)
    )


def after_waiting(
    whole: Panel,
    effects: GrowthEffects,
    n_quarters: int,
    *,
    wanted: float = 0.8,
    alpha: float = 0.05,
    last_event: int = HORIZON[1],
) -> float:
    """Return the gap [percent] that could be found if nobody joined and `n_quarters` more went by.

    The spread changes as it would with chance that is independent from quarter to quarter.  Waiting
    fills up the quarters since late starts, up to `last_event`; it adds no team.

    Raises
    ------
    ValueError
        If `n_quarters` is below 0.
    """
    if n_quarters < 0:
        raise ValueError(f"n_quarters must be at least 0, got {n_quarters}")
    horizon = np.arange(effects.event_quarters[0], last_event + 1)
    is_observed = ~np.isnan(whole.matrix)
    more = np.hstack([is_observed, np.ones((len(is_observed), n_quarters), bool)])
    ratio = _variance(more, whole.starts, horizon) / _variance(is_observed, whole.starts, horizon)
    width = _factor(effects.n_teams, wanted, alpha) * effects.standard_error * math.sqrt(ratio)
    return 100 * math.expm1(width)


def _variance(is_observed: npt.NDArray[np.bool_], starts: Places, events: Places) -> float:
    """Return the variance of the average effect where every known cell has variance 1 of its own."""  # noqa: E501
    total = 0.0
    everyone = np.ones((1, starts.size), bool)
    for place in np.argwhere(is_observed):
        values = np.where(is_observed, 0.0, np.nan)
        values[tuple(place)] = 1.0
        path = counterfactual.effect_paths(values, starts[None], everyone, events, 0)[0][0]
        total += float(np.nanmean(path)) ** 2
    return total


def _factor(n_teams: float, wanted: float, alpha: float) -> float:
    df = max(n_teams - 1, 2)
    return float(stats.t.ppf(1 - alpha / 2, df) + stats.t.ppf(wanted, df))


def _teams(n: int, need: _Need, gap: float, wanted: float) -> int:
    """Return the teams at which interval and slack together, both shrinking with the root, are as
    wide as the gap.
    """
    needed = float(n)
    for _ in range(MOST_STEPS):
        width = (_factor(needed, wanted, need.alpha) * need.error + need.slack) / gap
        following = max(n * width * width, 3.0)
        if abs(following - needed) < 0.5:
            break
        needed = following
    return int(np.ceil(following))


def _settling(
    effects: GrowthEffects, several: Sequence[Guard], gap_percent: float, n_teams: int
) -> str:
    """Return in a sentence what would settle the estimate.

    The first of what stands against it that takes most.
    """
    failed = [each for each in several if each.passed is False]
    open_ = next((each.name for each in failed if each.settled_by == "neither"), "")
    if open_:
        return f"No number of teams settles it as long as this does not hold: {open_}."
    now = 100 * math.expm1(effects.estimate)
    if effects.low <= 0 <= effects.high and abs(now) < gap_percent:
        return (
            f"The gap as now estimated ({now:+.1f}%) is smaller than the smallest that matters "
            f"({gap_percent:g}%)."
        )
    if effects.low <= 0 <= effects.high or any(each.settled_by == "teams" for each in failed):
        there = effects.n_teams
        enough = (
            f"about {n_teams:,} teams" if n_teams > there else "about as many teams as there are"
        )
        return (
            f"Should the gap be what is now estimated ({now:+.0f}%), {enough} would settle it; "
            f"there are {there}."
        )
    more = max((each.quarters for each in failed), default=0)
    return (
        (
            f"{more} more {'quarter' if more == 1 else 'quarters'} with the same answer would "
            "settle it."
        )
        if more
        else ""
    )
