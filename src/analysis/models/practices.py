"""Which practice to change first in each team, and the hours and money that are in play with it.

What a practice would move of the index is arithmetic; what it would move of bookings is what growth asks.
In between lie hours: those the team's reps spend on what the practice's dimension is there to spare.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis.models.alignment.items import ITEMS
from analysis.schema import require_columns

if TYPE_CHECKING:
    from analysis.models.result import Result

# What a dimension is there to spare a rep.  An assumption of ours: no table links a practice to an hour.
SPARES: dict[str, tuple[str, ...]] = {
    "D1": ("prospecting_class_hours",),
    "D2": ("internal_class_hours",),
    "D3": ("internal_class_hours",),
    "D4": ("prospecting_class_hours",),
    "D5": ("preparation_class_hours", "admin_class_hours"),
}


def in_play(
    first: pd.DataFrame, stays: pd.DataFrame, teams: pd.DataFrame, *, cost_of_hour: Result, smallest_cell: int
) -> pd.DataFrame:
    """Return the practice to change first in each team, most money in play first: one row a team.

    At most that part of a dimension's hours is in play which the practice has of its points, times the gap
    to be closed.  It is an upper end, not an estimate of what will be saved.

    Parameters
    ----------
    first : what `alignment.weights.next_practice` returns
    stays : rows of ``rep_quarter`` of the quarter reported
    teams : clean table ``teams``
    cost_of_hour : of a working hour [currency/h]; missing where pay is not known
    smallest_cell : reps below which that cost would tell what each is paid, so that no amount is given

    Returns
    -------
    DataFrame
        ``team``, ``n_reps``, ``practice``, ``today`` and ``target`` [0-1], ``gain`` [points of the index],
        ``hours`` [h a quarter] and ``amount`` [currency a quarter], the most that is in play.
    """
    require_columns(first, ["team_id", "item", "label", "share", "target", "gain"], "practices")
    columns = sorted({name for several in SPARES.values() for name in several})
    require_columns(stays, ["team_id", "rep_id", *columns], "rep_quarter")
    spent = stays.groupby("team_id")[columns].sum(min_count=1)
    by_id = {item.id: item for item in ITEMS}
    points = pd.Series({item.id: item.points for item in ITEMS})
    whole = points.groupby({item.id: item.dimension for item in ITEMS}).sum()
    table = first.merge(stays.groupby("team_id")["rep_id"].nunique().rename("n_reps"), on="team_id", how="left")
    table = table.merge(teams[["team_id", "team_name"]], on="team_id", how="left")
    dimension = table["item"].map(lambda name: by_id[name].dimension)
    at_hand = [
        spent.loc[team, list(SPARES[d])].sum(min_count=1) if team in spent.index else float("nan")
        for team, d in zip(table["team_id"], dimension, strict=True)
    ]
    part = table["item"].map(points).astype("float64") / dimension.map(whole).astype("float64")
    hours = pd.Series(at_hand, table.index, dtype="float64") * part * (table["target"] - table["share"])
    made = pd.DataFrame(
        {
            "team": table["team_name"].fillna(table["team_id"]),
            "n_reps": table["n_reps"].fillna(0).astype("int64"),
            "practice": table["label"],
            "today": table["share"],
            "target": table["target"],
            "gain": table["gain"],
            "hours": hours,
            "amount": hours * (cost_of_hour.estimate if cost_of_hour.n >= smallest_cell else math.nan),
        }
    )
    return made.sort_values(["hours", "team"], ascending=[False, True], ignore_index=True)
