"""What adopters would have booked without the programme, filled in from those who were not in it.

Team and quarter effects are fitted on untreated team-quarters alone; what a treated one has beyond
them is its effect.  Unlike a two-way regression on all rows, teams that joined early are never a
yardstick for those that joined later.  The spread is that of leaving out each team in turn.

Source: Borusyak, Jaravel and Spiess (2024), "Revisiting event-study designs", Review of Economic
Studies 91.  Everything is linear in the outcome, so one batch of small systems (a quarter a row)
serves all teams left out and all assignments drawn: 24 teams over 12 quarters take about 1 ms.

What is left of the gap if adopters' trend before the start had gone on in a straight line.

By how much those who join later gain on the others each quarter is fitted on untreated
team-quarters, beside team and quarter effects, and taken on over the quarters since the start.  It
is Rambachan and Roth's smoothness bound at 0: trends may part, but not bend.  A slope is a poor
forecast, so its interval is wide; it is asked for a sign, not for an estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.chapters.growth import counterfactual
from analysis.chapters.growth.panel import NEVER
from analysis.project.errors import CrmDataError
from analysis.stats import intervals, jackknife, randomisation
from analysis.stats.intervals import LEVEL
from analysis.stats.simultaneous_bands import sup_t

if TYPE_CHECKING:
    import numpy.typing as npt

    from analysis.chapters.growth.panel import Panel, Places
    from analysis.stats.fixed_effects import Vector
    from analysis.stats.randomisation import RandomisationTest
    from analysis.stats.simultaneous_bands import Band

HORIZON = (0, 4)  # quarters since the start over which the effect is averaged
PLACEBO_QUARTERS = 3


class GrowthEffects(NamedTuple):
    """The average effect on those who joined, with what it is made of; log points.

    ``path`` has an entry an event quarter and ``without`` a row a team left out, in ``path``'s
    columns; ``average_without`` is the average without each.  ``n_cells`` counts team-quarters
    behind each event quarter.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    p_value: float
    df: int
    event_quarters: tuple[int, ...]
    path: Vector
    without: Vector
    average_without: pd.Series[float]
    n_cells: tuple[int, ...]
    n_treated: int
    n_teams: int
    convention: str

    def covariance(self) -> Vector:
        """Return the jackknife covariance of the path."""
        return jackknife.jackknife_spread(self.without - self.path)

    def table(self) -> pd.DataFrame:
        """Return one row a team left out: the average without it, in log points and percent."""
        return pd.DataFrame(
            {"estimate": self.average_without, "percent": 100 * np.expm1(self.average_without)}
        )


def estimate_effects(
    whole: Panel,
    *,
    horizon: tuple[int, int] = HORIZON,
    anticipation: int = 0,
    among: npt.NDArray[np.bool_] | None = None,
) -> GrowthEffects:
    """Return the effect averaged over the quarters of `horizon` since the start, adopters only.

    Each quarter since the start counts the same, and within it each team that was observed so long;
    quarters that nobody was observed in are not in the average.  (G - 1) / G x sum of squared
    distances without each team, t(G - 1).

    Parameters
    ----------
    whole : Panel
    anticipation : int
        Quarters before the start that may feel it already, and are not used as untreated.
    among : array of booleans, one a team
        The teams whose effect is averaged; all who joined by default.

    Raises
    ------
    CrmDataError
        If no effect has a value, or none without one of the teams.
    """
    include = counterfactual.leaving_out(len(whole.teams))
    starts = np.broadcast_to(whole.starts, include.shape)
    events = np.arange(horizon[0], horizon[1] + 1)
    path, n_cells = counterfactual.effect_paths(
        whole.matrix, starts, include, events, anticipation, among
    )
    return summarise_paths(whole, events, path, n_cells[0], "imputation", LEVEL)


def summarise_paths(
    whole: Panel, events: Places, path: Vector, n_cells: Places, method: str, level: float = LEVEL
) -> GrowthEffects:
    """Return estimates from `path`: a row for all teams, then one without each team in turn."""
    is_finite = np.isfinite(path[0])
    if not is_finite.any():
        raise CrmDataError(
            f"{whole.outcome}: the effect needs teams that had not joined in at least one quarter "
            f"after a start, but 0 of {len(events)} quarters have any.\n"
            "Compare again when more quarters are known."
        )
    paths_kept = path[:, is_finite]
    average = np.array(
        [row[np.isfinite(row)].mean() if np.isfinite(row).any() else np.nan for row in paths_kept]
    )
    # A quarter that rests on one team has no value without it: its average is taken over the
    # others.
    if not np.isfinite(average).all():
        lost = [
            str(team)
            for team, value in zip(whole.teams, average[1:], strict=True)
            if not np.isfinite(value)
        ]
        raise CrmDataError(
            f"{whole.outcome}: the effect must have a value when any one team is left out, but has "
            f"none without {len(lost)} of {len(whole.teams)} ({', '.join(lost[:3])}).\n"
            "The answer depends on these teams alone: do not publish it."
        )
    without = np.where(np.isfinite(paths_kept[1:]), paths_kept[1:], paths_kept[0])
    n = len(whole.teams)
    error = float(np.sqrt(jackknife.jackknife_spread(average[1:] - average[0])))
    reach = intervals.t_quantile(n - 1, level) * error
    p = float(2 * stats.t.sf(abs(average[0]) / error, n - 1)) if error > 0 else float("nan")
    return GrowthEffects(
        estimate=float(average[0]),
        low=float(average[0]) - reach,
        high=float(average[0]) + reach,
        standard_error=error,
        p_value=p,
        df=n - 1,
        event_quarters=tuple(int(each) for each in events[is_finite]),
        path=paths_kept[0],
        without=without,
        average_without=pd.Series(average[1:], whole.teams, name="estimate"),
        n_cells=tuple(int(each) for each in n_cells[is_finite]),
        n_treated=whole.n_treated,
        n_teams=n,
        convention=f"{method}; jackknife by team (G = {n}), (G-1)/G, around the full estimate; t({n - 1})",  # noqa: E501
    )


def placebo_effects(
    whole: Panel, *, n_quarters: int = PLACEBO_QUARTERS, anticipation: int = 0
) -> GrowthEffects:
    """Return the "effect" in the last `n_quarters` before the start, as if it had come that much
    earlier.

    Event quarters are -n to -1.  Cells from the start on are not used at all; nothing can be found
    but a difference in trend, a selection on what came before, or an announcement at work.
    """
    hidden = np.arange(len(whole.quarters)) >= (whole.starts - anticipation)[:, None]
    early = np.where(whole.starts < NEVER, whole.starts - anticipation - n_quarters, NEVER)
    values = np.where(hidden & (whole.starts < NEVER)[:, None], np.nan, whole.matrix)
    include = counterfactual.leaving_out(early.size)
    events = np.arange(n_quarters)
    path, n_cells = counterfactual.effect_paths(
        values, np.broadcast_to(early, include.shape), include, events, 0
    )
    return summarise_paths(
        whole, events - n_quarters - anticipation, path, n_cells[0], "imputation before the start"
    )


def event_study(
    whole: Panel,
    *,
    rng: np.random.Generator,
    horizon: tuple[int, int] = HORIZON,
    n_quarters: int = PLACEBO_QUARTERS,
    anticipation: int = 0,
) -> tuple[pd.DataFrame, Band]:
    """Return the path before and after the start with one band over all of it.

    Returns
    -------
    DataFrame, one row an event quarter
        ``event_time`` [quarters since the start], ``estimate_effects``, ``standard_error``,
        ``low``, ``high`` [log] and ``n_cells`` behind it.
    Band
        The same as `bands` has it: critical value and convention.
    """
    after = estimate_effects(whole, horizon=horizon, anticipation=anticipation)
    before = placebo_effects(whole, n_quarters=n_quarters, anticipation=anticipation)
    events = (*before.event_quarters, *after.event_quarters)
    path = np.concatenate([before.path, after.path])
    distance = np.hstack([before.without, after.without]) - path
    band = sup_t(
        [str(each) for each in events],
        path,
        jackknife.jackknife_spread(distance),
        rng=rng,
        df=after.df,
    )
    table = band.table().reset_index(drop=True)
    table.insert(0, "event_time", events)
    return table.assign(n_cells=[*before.n_cells, *after.n_cells]), band


def randomise_starts(
    whole: Panel,
    *,
    rng: np.random.Generator,
    n_draws: int = 9_999,
    alpha: float = 0.05,
    horizon: tuple[int, int] = HORIZON,
    anticipation: int = 0,
    clusters: Places | None = None,
) -> RandomisationTest:
    """Return how extreme the average effect is among those had other teams joined in the same
    quarters.

    Cohorts keep their sizes and quarters; which team is in which is drawn anew.  Where `clusters`
    (a number from 0 for each team's) joined as one, each as most of its teams did, clusters are
    drawn.  Cells that are unknown stay unknown.
    """
    codes = np.arange(whole.starts.size) if clusters is None else clusters
    joined_as_one = usual_starts(whole.starts, codes)
    events = np.arange(horizon[0], horizon[1] + 1)
    everyone = np.ones((1, whole.starts.size), bool)
    observed = _average(
        counterfactual.effect_paths(
            whole.matrix, whole.starts[None], everyone, events, anticipation
        )[0]
    )[0]
    drawn = rng.permuted(np.broadcast_to(joined_as_one, (n_draws, joined_as_one.size)), axis=1)
    drawn = drawn[:, codes]
    several = _average(
        counterfactual.effect_paths(
            whole.matrix, drawn, np.broadcast_to(everyone, drawn.shape), events, anticipation
        )[0]
    )
    counts = np.unique(joined_as_one, return_counts=True)[1].tolist()
    total = randomisation.n_assignments(counts)
    n_extreme = int((~(np.abs(several) < abs(observed) * (1 - randomisation.TIE))).sum())
    return randomisation.RandomisationTest(
        statistic=float(observed),
        p_value=(1 + n_extreme) / (1 + n_draws),
        n_assignments=total,
        n_drawn=n_draws,
        is_exact=False,
        n_clusters=joined_as_one.size,
        smallest_group=min(counts),
        refusal=randomisation.refuse_assignments(total, alpha),
        convention=(
            f"randomisation inference, {n_draws:,} of {total:,} assignments of "
            f"{joined_as_one.size} {'teams' if clusters is None else 'regions'} to the programme's "
            "quarters; two-sided, ties count"
        ),
    )


def usual_starts(starts: Places, codes: Places) -> Places:
    """Return the start of most teams of each cluster; the earliest if several tie."""
    return np.array(
        [_most_frequent(starts[codes == code]) for code in range(int(codes.max()) + 1)], np.intp
    )


def _most_frequent(values: Places) -> int:
    several, n = np.unique(values, return_counts=True)
    return int(several[n.argmax()])


def untreated_residuals(whole: Panel) -> Vector:
    """Return residuals of untreated cells after team and quarter effects, a row a team.

    NaN elsewhere.
    """
    untreated = ~np.isnan(whole.matrix) & (np.arange(whole.matrix.shape[1]) < whole.starts[:, None])
    level = counterfactual.untreated_level(
        np.nan_to_num(whole.matrix), untreated[None].astype(float)
    )[0]
    return np.where(untreated, whole.matrix - level, np.nan)


def _average(path: Vector) -> Vector:
    is_finite = np.isfinite(path)
    return np.asarray(
        np.where(is_finite, path, 0).sum(axis=1)
        / np.where(is_finite.any(axis=1), is_finite.sum(axis=1), np.nan)
    )


def estimate_beyond_drift(
    whole: Panel, *, horizon: tuple[int, int] = HORIZON, anticipation: int = 0, level: float = LEVEL
) -> GrowthEffects:
    """Return the average effect over `horizon` less what the drift before the start would have
    added by then.

    Raises
    ------
    CrmDataError
        As `slopes_before_start` and `imputation.estimate_effects` do.
    """
    line, include = adopters_line(whole), counterfactual.leaving_out(len(whole.teams))
    slope = slopes_before_start(whole, include, anticipation=anticipation)
    starts = np.broadcast_to(whole.starts, include.shape)
    events = np.arange(horizon[0], horizon[1] + 1)
    path, n_cells = counterfactual.effect_paths(whole.matrix, starts, include, events, anticipation)
    gone_on = np.where(np.isnan(whole.matrix), np.nan, line)
    ahead, _ = counterfactual.effect_paths(gone_on, starts, include, events, anticipation)
    method = "imputation, adopters' trend before the start taken on"
    return summarise_paths(whole, events, path - slope[:, None] * ahead, n_cells[0], method, level)


def adopters_line(whole: Panel) -> Vector:
    """Return quarters since the middle one for adopters, 0 for others: a row a team."""
    columns = np.arange(len(whole.quarters))
    return np.where(whole.starts[:, None] < NEVER, columns - columns.mean(), 0.0)


def slopes_before_start(
    whole: Panel, include: npt.NDArray[np.bool_], *, anticipation: int = 0
) -> Vector:
    """Return what adopters gained on the others each quarter before the start [log a quarter].

    An entry a row of `include`, which says who takes part.

    Raises
    ------
    CrmDataError
        If quarters before the start tell no slope of adopters' own, or none without one of the
        teams.
    """
    untreated = ~np.isnan(whole.matrix) & (
        np.arange(len(whole.quarters)) < (whole.starts - anticipation)[:, None]
    )
    used = (untreated & include[:, :, None]).astype(float)
    slope = counterfactual.slope_on_regressor(
        np.nan_to_num(whole.matrix), adopters_line(whole), used
    )
    if not np.isfinite(slope).all():
        n_joined = int((whole.starts < NEVER).sum())
        raise CrmDataError(
            f"{whole.outcome}: a drift needs 2 quarters before the start and teams that had not "
            f"joined, but {n_joined} of {len(whole.teams)} teams joined and no drift can be "
            "measured from them, or only from a single one.\n"
            "Compare again with a longer history."
        )
    return slope
