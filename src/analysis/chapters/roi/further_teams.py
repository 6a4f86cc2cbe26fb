"""Teams that do not have the programme, and from which lift it would pay there.

What a team and quarter of the programme has cost so far, over what a quarter of these teams books
and leaves after commission.  No effect is carried over: the lift is what joining would have to do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from analysis.chapters.roi.case import BASE_QUARTERS
from analysis.tables.panel_tables import UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from analysis.chapters.roi.case import Case


class FurtherTeams(NamedTuple):
    """How many teams lack the programme, and the lift of their bookings at which it breaks even.

    ``break_even`` [0-1 of bookings] is NaN where their bookings or its cost are not known.
    """

    n_teams: int
    break_even: float


def further_teams(
    case: Case, team_quarter: pd.DataFrame, joined: Collection[str], *, quarter: str
) -> FurtherTeams:
    """Return the teams of `quarter` that are not among `joined`, and the lift at which the
    programme breaks even for them.

    `team_quarter` is the panel, whose last four whole quarters give bookings per team and quarter.
    """
    others = team_quarter[~team_quarter["team_id"].isin([*joined, UNASSIGNED])]
    teams = others.loc[others["quarter"] == quarter, "team_id"].unique()
    whole = others[
        others["team_id"].isin(teams)
        & (others["quarter"] <= quarter)
        & ~others["is_partial"].astype(bool)
    ]
    recent = sorted(whole["quarter"].unique())[-BASE_QUARTERS:]
    bookings = whole.loc[whole["quarter"].isin(recent), "bookings_amount"].mean()
    left = float(bookings) * (case.assumptions.gross_margin_rate - case.commission_rate.estimate)
    cost = cost_per_team_quarter(case)
    return FurtherTeams(len(teams), cost / left if left > 0 else math.nan)


def cost_per_team_quarter(case: Case) -> float:
    """Return what a team and quarter of the programme has cost so far [currency].

    What was spent before the first start is in it.
    """
    observed = case.costs[case.costs["is_observed"].astype(bool)]
    spent = (
        case.initial_amount
        + observed["cost_amount"].sum()
        + observed["meeting_hours"].sum() * case.cost_per_hour.estimate
    )
    last = observed["period"].max()
    ran = case.bookings[(case.bookings["event_time"] >= 0) & (case.bookings["period"] <= last)]
    team_quarters = float(ran["n_teams"].sum())
    return float(spent) / team_quarters if team_quarters > 0 else math.nan
