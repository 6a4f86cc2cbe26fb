"""Requests counted: what triggers them, how many are answered and how fast, who asks for how much.

Capacity is shared by all who ask; who asks for most is shown by team, never by person.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_STATED = "not stated"
FEWEST_TEAMS = 4  # of which a rank correlation has an interval
SQUEAKY = 0.5


class CapacityUse(NamedTuple):
    """Marketing hours asked for against those there are [h].

    `n_unknown` of `n` requests have no hours and are in no sum.
    """

    asked_hours: float
    capacity_hours: float
    utilisation: float
    backlog_hours: float
    n: int
    n_unknown: int


def capacity_use(hours: pd.Series, capacity_hours: float | None) -> CapacityUse:
    """Return how far the hours asked for go beyond capacity; NaN where that is not stated, or no
    request states its hours.

    Examples
    --------
    >>> import pandas as pd
    >>> use = capacity_use(pd.Series([80.0, 70.0, 50.0]), 120.0)
    >>> f"{use.utilisation:.1%}", use.backlog_hours
    ('166.7%', 80.0)
    """
    known_hours = hours.dropna().astype(float)
    is_told = len(known_hours) > 0 or len(hours) == 0
    total = math.fsum(known_hours) if is_told else math.nan
    capacity = math.nan if capacity_hours is None else float(capacity_hours)
    return CapacityUse(
        total,
        capacity,
        total / capacity if capacity > 0 else math.nan,
        max(0.0, total - capacity) if not math.isnan(total - capacity) else math.nan,
        len(hours),
        int(hours.isna().sum()),
    )


def share_taken_on(log: pd.DataFrame, column: str) -> pd.DataFrame:
    """Share of requests taken on, by `column`: one row a word, those nobody stated last.

    Words that no list knows stand as they are.  Columns: ``word``, ``n``, ``taken_on_share``,
    ``low``, ``high`` (Wilson, 95%).
    """
    words = log[column].astype(object).where(log[column].notna(), NOT_STATED)
    counted = log["is_taken_on"].astype(float).groupby(words).agg(["size", "sum"])
    counted = counted.sort_values("size", ascending=False)
    counted = counted.reindex([*counted.index.drop(NOT_STATED, errors="ignore"), *counted.index.intersection([NOT_STATED])])  # fmt: skip  # noqa: E501
    ends = [intervals.share_interval(int(k), int(n)) for n, k in counted.to_numpy()]
    return pd.DataFrame(
        {
            "word": counted.index.to_numpy(),
            "n": counted["size"].to_numpy(),
            "taken_on_share": (counted["sum"] / counted["size"]).to_numpy(),
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        }
    )


def gini(amounts: Sequence[float]) -> float:
    """Return how unevenly something is shared out, 0 (evenly) to 1 - 1/n; NaN where it is nothing.

    Examples
    --------
    >>> gini([3, 3, 3, 3, 3]), round(gini([9, 0, 0, 0, 0]), 10)
    (0.0, 0.8)
    """
    values = np.sort(np.asarray(amounts, dtype=float))
    n, total = len(values), values.sum()
    if not n or not total > 0:
        return math.nan
    ranks = np.arange(1, n + 1)
    return float(max(0.0, (2 * (ranks * values).sum() / total - (n + 1)) / n))


class Fairness(NamedTuple):
    """How hours taken on are spread over teams, and whether those who ask most often get more.

    `rank_correlation` is Spearman's of the number of asks and the share taken on, with its 95%
    interval (Fisher); `is_squeaky` where it is above .5 and its interval excludes 0.
    """

    gini: float
    rank_correlation: float
    low: float
    high: float
    n_teams: int
    is_squeaky: bool


def fairness_over_teams(log: pd.DataFrame) -> Fairness:
    """Return how evenly hours are shared among the teams that asked."""
    hours = log["marketing_hours"].where(log["is_taken_on"]).astype(float)
    by_team = hours.groupby(log["team_id"]).sum()
    asks = log.groupby("team_id")["is_taken_on"].agg(["size", "mean"])
    n = len(asks)
    if n < FEWEST_TEAMS or (asks.max() == asks.min()).any():  # nothing to set side by side
        return Fairness(gini(by_team.tolist()), math.nan, math.nan, math.nan, n, is_squeaky=False)
    rho = float(stats.spearmanr(asks["size"], asks["mean"]).statistic)
    reach = intervals.Z * math.sqrt((1 + rho**2 / 2) / (n - 3)) if n > 3 else math.inf
    middle = math.atanh(min(max(rho, -0.999999), 0.999999))
    low, high = math.tanh(middle - reach), math.tanh(middle + reach)
    squeaky = rho > SQUEAKY and low > 0
    return Fairness(gini(by_team.tolist()), rho, low, high, n, is_squeaky=squeaky)


def effective_goals(hours: pd.Series, goals: pd.Series) -> float:
    """Return the effective number of goals that hours go to: 1 / sum of squared shares.

    Examples
    --------
    >>> import pandas as pd
    >>> effective_goals(pd.Series([5.0] * 4), pd.Series(["a", "b", "c", "d"]))
    4.0
    """
    sums = hours.astype(float).groupby(goals).sum()
    total = float(sums.sum())
    return float(1 / ((sums / total) ** 2).sum()) if total > 0 else math.nan


def burden_by_team(log: pd.DataFrame, teams: pd.DataFrame) -> pd.DataFrame:
    """Return what each team asked for: one row a team, the most hours first.

    Columns: ``team``, ``n``, ``n_unknown`` (hours not stated), ``marketing_hours``,
    ``selling_hours`` [h], ``taken_on_share``.
    """
    names = teams.set_index("team_id")["team_name"]
    rows = log.assign(
        team=log["team_id"].map(names).fillna(log["team_id"]),
        is_unknown=log["marketing_hours"].isna(),
    )
    grouped = rows.groupby("team", sort=True)
    return (
        pd.DataFrame(
            {
                "n": grouped.size(),
                "n_unknown": grouped["is_unknown"].sum(),
                "marketing_hours": grouped["marketing_hours"].sum(min_count=1),
                "selling_hours": grouped["selling_hours"].sum(min_count=1),
                "taken_on_share": grouped["is_taken_on"].mean(),
            }
        )
        .sort_values("marketing_hours", ascending=False, kind="stable", na_position="last")
        .reset_index()
    )


def signed_before_build(log: pd.DataFrame) -> tuple[int, int]:
    """Return how many requests sales had signed off before work began, of those work began on.

    None if no request has a day of signing: signing was then not recorded.
    """
    begun = log[log["work_started_on"].notna()]
    if not begun["sales_signed_on"].notna().any():
        return 0, 0
    return int((begun["sales_signed_on"] <= begun["work_started_on"]).sum()), len(begun)
