"""The win rate, and how sure it is: deals of one rep, or of one team, are won or lost alike.

An interval that takes deals as unrelated is 11 to 14% too narrow.  This one leaves out a rep at a
time and a team at a time (Cameron, Gelbach and Miller 2011: the two variances, less that of what
they share), and is never narrower than Wilson's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis.project.errors import require_columns, require_rows
from analysis.stats import intervals
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_CLUSTERS = 5  # reps, or teams, below which leaving one out says nothing


def won_share(teams: pd.DataFrame) -> float:
    """Return won / (won + lost) over all rows of panel ``team_quarter``; NaN if nothing closed."""
    n_won, n_closed = teams["n_won"].sum(), (teams["n_won"] + teams["n_lost"]).sum()
    return float(n_won / n_closed) if n_closed else math.nan


def clustered_win_rate(teams: pd.DataFrame, stays: pd.DataFrame, source: str) -> Result:
    """Return won / (won + lost) over all rows of `teams`.

    Parameters
    ----------
    teams : panel ``team_quarter``, whose deals are counted
    stays : panel ``rep_quarter`` of the same quarters, which says whose they were; may be empty
    source : of the result

    Returns
    -------
    Result
        95% interval clustered by rep and team; Wilson's where fewer than five of each closed a
        deal, and `method` says which.  NaN where nothing closed.
    """
    require_rows(teams, "team_quarter", "to take the win rate of")
    n_won, n_closed = int(teams["n_won"].sum()), int(teams["n_won"].sum() + teams["n_lost"].sum())
    estimate = won_share(teams)
    low, high = intervals.share_interval(n_won, n_closed) if n_closed else (math.nan, math.nan)
    how = "Wilson interval"
    if n_closed:
        error, n_clusters = clustered_error(_cells(teams, stays))
        ends = intervals.t_interval(estimate, error, n_clusters - 1)[1:]
        if n_clusters >= FEWEST_CLUSTERS and ends[1] - ends[0] > high - low:
            low, high = max(ends[0], 0.0), min(ends[1], 1.0)
            how = "interval by rep and team (jackknife)"
    return Result(
        "win_rate",
        estimate,
        float(low),
        float(high),
        "of deals closed",
        n_closed,
        "deals closed",
        f"won / (won + lost) by close date, open deals not counted; {how}",
        source,
    )


def clustered_error(cells: pd.DataFrame) -> tuple[float, int]:
    """Return the standard error of a win rate by rep and team, and the fewest clusters behind it.

    `cells` has a row a rep and team: ``rep_id``, ``team_id``, ``n_won``, ``n_closed``.  A way to
    cluster with fewer than five clusters is left out; NaN with 0 where both are.
    """
    require_columns(cells, ["rep_id", "team_id", "n_won", "n_closed"], "deals closed")
    ways: list[list[str]] = [["rep_id"], ["team_id"]]
    spread = {}
    for way in ways:
        sizes = cells[cells["n_closed"] > 0].groupby(way).ngroups
        if sizes >= FEWEST_CLUSTERS:
            spread[way[0]] = (_jackknife_variance(cells, way), sizes)
    if not spread:
        return math.nan, 0
    largest = max(variance for variance, _ in spread.values())
    both = largest
    if len(spread) > 1:
        shared = _jackknife_variance(cells, ["rep_id", "team_id"])
        both = max(largest, sum(variance for variance, _ in spread.values()) - shared)
    return math.sqrt(both), min(size for _, size in spread.values())


def _jackknife_variance(cells: pd.DataFrame, by: Sequence[str]) -> float:
    sums = cells.groupby(list(by))[["n_won", "n_closed"]].sum()
    sums = sums[sums["n_closed"] > 0]
    n, won, closed = len(sums), float(sums["n_won"].sum()), float(sums["n_closed"].sum())
    without = (won - sums["n_won"]) / (closed - sums["n_closed"])
    return (n - 1) / n * float(((without - without.mean()) ** 2).sum())


def _cells(teams: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Return deals closed by rep and team; a team's deals of none of its reps are one row more."""
    counts = ["n_won", "n_closed"]
    of_teams = teams.assign(n_closed=teams["n_won"] + teams["n_lost"])
    by_team = of_teams.groupby("team_id")[counts].sum()
    of_reps = stays.assign(n_closed=stays["n_won"] + stays["n_lost"])
    by_rep = of_reps.groupby(["rep_id", "team_id"])[counts].sum().reset_index()
    of_reps = by_rep.groupby("team_id")[counts].sum().reindex(by_team.index, fill_value=0)
    rest = (by_team - of_reps).clip(lower=0).reset_index()
    rest["rep_id"] = "no rep of " + rest["team_id"].astype(str)
    cells = pd.concat([by_rep, rest], ignore_index=True)
    return cells[cells["n_closed"] > 0]
