"""The comparisons a verdict asks of one outcome, each repeated without one team at a time.

An entry of a contrast is a mean effect in log points: the first of all teams, then without each
cluster of teams (a team, or a region where regions joined as one).  Everything is linear in the
outcome, so one batch of small systems serves all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.chapters.growth import callaway_santanna, counterfactual, imputation
from analysis.chapters.growth.panel import NEVER
from analysis.project.errors import CrmDataError
from analysis.stats import intervals, jackknife

if TYPE_CHECKING:
    import numpy.typing as npt

    from analysis.chapters.growth.panel import Panel, Places
    from analysis.stats.fixed_effects import Vector

PICKS = 499  # of regions at random, beside which adoption by region is judged
BY_CHANCE = 0.01  # adoption goes by region where chance would do as much less often
WANTED = 0.8  # probability with which a test shows what it is said to show


class TeamContrast(NamedTuple):
    """A mean effect of all teams, and the same without each cluster in turn [log points]."""

    estimates: Vector
    df: int

    @property
    def estimate(self) -> float:
        """The effect of all teams."""
        return float(self.estimates[0])

    @property
    def error(self) -> float:
        """Its standard error by the jackknife."""
        return float(np.sqrt(jackknife.jackknife_spread(self.estimates[1:] - self.estimates[0])))

    def less(self, other: TeamContrast) -> TeamContrast:
        """Return the difference, with the error of estimates from the same teams."""
        return self._replace(estimates=self.estimates - other.estimates)

    def reach(self, level: float) -> float:
        """Return how far from zero an estimate must lie to be significant at `level`, two-sided."""
        return intervals.t_point(1 - level / 2, self.df) * self.error

    def shows_from(self, level: float) -> float:
        """Return the effect that a two-sided test at `level` would detect four times in five."""
        return self.reach(level) + intervals.t_point(WANTED, self.df) * self.error


class Clusters(NamedTuple):
    """Groups left out together: each team's number, and whether the groups are regions."""

    codes: Places
    is_region: bool

    @property
    def n(self) -> int:
        """Number of clusters."""
        return int(self.codes.max()) + 1

    def n_treated(self, whole: Panel) -> int:
        """Return the number of clusters in which most teams joined the programme."""
        return int((imputation.usual_starts(whole.starts, self.codes) < NEVER).sum())


def clusters_of(starts: Places, regions: Vector | None) -> Clusters:
    """Return regions as clusters where whole regions joined at once, else teams.

    Regions joined as one where two teams of a region share their start far more often than they
    would had teams been picked whatever their region.  `regions` has a number a team, NaN where
    unknown.

    Examples
    --------
    >>> starts = np.array([4, 4, 4, 9, 9, 9, NEVER, NEVER, NEVER])
    >>> clusters_of(starts, np.array([0, 0, 0, 1, 1, 1, 2, 2, 2.0])).is_region
    True
    >>> clusters_of(starts, np.array([0, 1, 2, 0, 1, 2, 0, 1, 2.0])).is_region
    False
    """
    teams = Clusters(np.arange(starts.size), is_region=False)
    if regions is None:
        return teams
    one, other = np.triu_indices(starts.size, 1)
    together = regions[one] == regions[other]  # unknown regions are no region
    if not together.any():
        return teams
    one, other = one[together], other[together]
    picks = np.random.default_rng(0).permuted(np.tile(starts, (PICKS, 1)), axis=1)
    by_chance = (picks[:, one] == picks[:, other]).mean(axis=1)
    n_as_much = int((by_chance >= (starts[one] == starts[other]).mean()).sum())
    if (1 + n_as_much) / (1 + PICKS) >= BY_CHANCE:
        return teams
    alone = np.where(np.isnan(regions), -1.0 - np.arange(starts.size), regions)
    return Clusters(np.unique(alone, return_inverse=True)[1].astype(np.intp), is_region=True)


def average_effect(
    whole: Panel, clusters: Clusters, events: Places, *, anticipation: int = 0
) -> TeamContrast:
    """Return the effect averaged over quarters `events` since the start."""
    return _contrast(whole, whole.matrix, whole.starts, clusters, events, anticipation)


def without_start(
    whole: Panel, clusters: Clusters, events: Places, *, anticipation: int = 0
) -> TeamContrast:
    """Return the effect leaving out the first quarter since the start and the last quarter before
    it.

    Deals held back to the start, or brought forward from it, are not in it.
    """
    return _contrast(whole, whole.matrix, whole.starts, clusters, events[1:], anticipation + 1)


def placebo(
    whole: Panel, clusters: Clusters, *, n_quarters: int, anticipation: int
) -> TeamContrast:
    """Return the "effect" in the last `n_quarters` before the start, as if the programme had begun
    then.

    Quarters from the start on are not used at all.
    """
    first = whole.starts - anticipation
    hidden = (np.arange(len(whole.quarters)) >= first[:, None]) & (whole.starts < NEVER)[:, None]
    early = np.where(whole.starts < NEVER, first - n_quarters, NEVER)
    values = np.where(hidden, np.nan, whole.matrix)
    return _contrast(whole, values, early, clusters, np.arange(n_quarters), 0)


def slope_before_start(whole: Panel, clusters: Clusters, *, anticipation: int = 0) -> TeamContrast:
    """Return what adopters gained on the others each quarter before the start [log a quarter].

    Raises
    ------
    CrmDataError
        If too few quarters came before the start.
    """
    include = counterfactual.leaving_out_clusters(clusters.codes)
    slopes = imputation.slopes_before_start(whole, include, anticipation=anticipation)
    return TeamContrast(slopes, clusters.n - 1)


def drift_lever(whole: Panel, events: Places, *, anticipation: int = 0) -> float:
    """Return how much the mean effect over `events` changes per log point of drift a quarter."""
    line = np.where(np.isnan(whole.matrix), np.nan, imputation.adopters_line(whole))
    everyone = np.ones((1, whole.starts.size), bool)
    path = counterfactual.effect_paths(line, whole.starts[None], everyone, events, anticipation)[0]
    return float(np.nanmean(path))


def companion(whole: Panel, horizon: tuple[int, int]) -> TeamContrast:
    """Return Callaway and Sant'Anna's estimate of the same effect, without each team in turn."""
    effects = callaway_santanna.estimate_by_cohort(whole, horizon=horizon)
    values = np.r_[effects.estimate, effects.average_without.to_numpy(float)]
    return TeamContrast(values, effects.df)


def _contrast(
    whole: Panel,
    values: Vector,
    starts: Places,
    clusters: Clusters,
    events: Places,
    anticipation: int,
) -> TeamContrast:
    include: npt.NDArray[np.bool_] = counterfactual.leaving_out_clusters(clusters.codes)
    path = counterfactual.effect_paths(
        values, np.broadcast_to(starts, include.shape), include, events, anticipation
    )[0]
    is_finite = np.isfinite(path[0])
    if not is_finite.any():
        raise CrmDataError(
            f"{whole.outcome}: the effect needs teams that had not joined in at least one quarter "
            f"after a start, but 0 of {len(events)} quarters have any.\n"
            "Compare again when more quarters are known."
        )
    # A quarter that rests on one cluster has no value without it: there it stays as it is.
    path = np.where(np.isfinite(path[:, is_finite]), path[:, is_finite], path[0, is_finite])
    return TeamContrast(path.mean(axis=1), clusters.n - 1)
