"""What the programme costs: the hours of its meetings, and people, tools, content and incentives.

Hours of a meeting are people times minutes; they are priced later, at the cost per hour drawn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis import quarters
from analysis.models.roi.case import BASE_QUARTERS, FEWEST_CHANGES, Uncertain
from analysis.schema import CrmDataError, require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTES_PER_HOUR = 60


class Spending(NamedTuple):
    """Costs by quarter of the horizon, what came before it, and the relative error of what is projected."""

    costs: pd.DataFrame
    initial_amount: float
    error: Uncertain


def meetings(activities: pd.DataFrame, attendees: pd.DataFrame, reps: pd.DataFrame) -> pd.DataFrame:
    """Return the time of people in meetings at which both sides sat and no customer: one row a person and meeting.

    Whose calendar holds the entry was there; a person whose meeting stands in several calendars counts
    once.  All joint meetings in `activities` count, so give those of the adopters' reps.

    Parameters
    ----------
    activities : DataFrame, an entry of one rep
        ``activity_id``, ``rep_id``, ``started_at``, ``minutes``.
    attendees : DataFrame, a person at an activity
        ``activity_id``, ``person_key``, ``side``, ``rep_id``.
    reps : DataFrame, a person
        ``rep_id`` and ``role``; marketing is a role.

    Returns
    -------
    DataFrame
        ``person``, ``side``, ``held_on``, ``hours`` [h].
    """
    require_columns(activities, ["activity_id", "rep_id", "started_at", "minutes"], "activities")
    require_columns(attendees, ["activity_id", "person_key", "side", "rep_id"], "attendees")
    require_columns(reps, ["rep_id", "role"], "reps")
    with_marketing = attendees.loc[attendees["side"] == "marketing", "activity_id"]
    marketers = set(reps.loc[reps["role"] == "marketing", "rep_id"])
    is_theirs = activities["rep_id"].isin(marketers)
    rows = activities[is_theirs | activities["activity_id"].isin(with_marketing)]
    owners = pd.DataFrame(
        {
            "activity_id": rows["activity_id"],
            "person": rows["rep_id"],
            "side": rows["rep_id"].isin(marketers).map({True: "marketing", False: "sales"}),
        }
    )
    guests = attendees[attendees["activity_id"].isin(rows["activity_id"])]
    guests = guests.assign(person=guests["rep_id"].fillna(guests["person_key"]))[["activity_id", "person", "side"]]
    people = pd.concat([owners, guests]).drop_duplicates(["activity_id", "person"])
    sides = people.groupby("activity_id")["side"].agg(frozenset)
    joint = sides.index[[{"sales", "marketing"} <= each and "customer" not in each for each in sides]]
    held = people[people["activity_id"].isin(joint)].merge(rows[["activity_id", "started_at", "minutes"]])
    held = held.drop_duplicates(["person", "started_at"])
    return pd.DataFrame(
        {
            "person": held["person"],
            "side": held["side"],
            "held_on": held["started_at"],
            "hours": held["minutes"] / MINUTES_PER_HOUR,
        }
    ).reset_index(drop=True)


def meeting_hours(held: pd.DataFrame, *, fiscal_year_start_month: int = 1) -> pd.Series[float]:
    """Return people's hours in `meetings` by fiscal quarter [h]."""
    require_columns(held, ["held_on", "hours"], "meetings")
    days = pd.to_datetime(held["held_on"]).dt.date
    names = [str(quarters.containing(day, fiscal_year_start_month)) for day in days]
    return held["hours"].groupby(pd.Index(names, name="quarter")).sum().rename("meeting_hours")


def by_quarter(programme_costs: pd.DataFrame, *, fiscal_year_start_month: int = 1) -> pd.DataFrame:
    """Return the programme's costs by fiscal quarter, spread by day: one row a quarter and kind.

    Columns: ``quarter``, ``kind``, ``cost_amount`` [currency].  The sum over quarters is the sum of the
    items.

    Raises
    ------
    CrmDataError
        If an item's cost is not known: the sum would be a cost left out.
    """
    needed = ["cost_id", "period_start", "period_end", "kind", "cost_amount"]
    require_columns(programme_costs, needed, "programme_costs")
    unknown = programme_costs[programme_costs["cost_amount"].isna()]
    if len(unknown):
        raise CrmDataError(
            f"programme_costs: cost_amount must be known, but {len(unknown)} of {len(programme_costs)} rows are not "
            f"(cost_id {', '.join(map(str, unknown['cost_id'][:3]))}).\n"
            "Fill it in, or remove the item if it was never spent."
        )
    parts = []
    starts, ends = (pd.to_datetime(programme_costs[name]).dt.date for name in ("period_start", "period_end"))
    for start, end, kind, amount in zip(
        starts, ends, programme_costs["kind"], programme_costs["cost_amount"].astype(float), strict=True
    ):
        quarter, last = (quarters.containing(day, fiscal_year_start_month) for day in (start, end))
        while quarter <= last:
            days = (
                min(end, quarter.end(fiscal_year_start_month)) - max(start, quarter.start(fiscal_year_start_month))
            ).days
            if days > 0:
                parts.append((str(quarter), kind, amount * days / (end - start).days))
            quarter = quarter.shifted(1)
    table = pd.DataFrame(parts, columns=["quarter", "kind", "cost_amount"])
    return table.groupby(["quarter", "kind"])["cost_amount"].sum().reset_index()


def timeline(costs: pd.DataFrame, hours: pd.Series[float], names: Sequence[str], *, last_observed: str) -> Spending:
    """Return costs and meeting hours of each quarter of the horizon.

    Parameters
    ----------
    costs : what `by_quarter` returns
    hours : what `meeting_hours` returns
    names : quarters of the horizon in order, the first start first
    last_observed : last quarter of which costs are known; the mean of the four up to it is projected

    Returns
    -------
    Spending
        ``costs`` has one row a quarter: ``period``, ``quarter``, ``is_observed``, ``cost_amount``
        [currency] and ``meeting_hours`` [h].  Costs of earlier quarters are spent before the start.
    """
    require_columns(costs, ["quarter", "cost_amount"], "costs")
    total = costs.groupby("quarter")["cost_amount"].sum()
    known = [name for name in names if name <= last_observed]
    if not known:
        raise ValueError(f"last_observed must not lie before the first start {names[0]}, got {last_observed!r}")
    spent, met = total.reindex(known, fill_value=0.0), hours.reindex(known, fill_value=0.0)
    ahead = len(names) - len(known)
    recent = spent.iloc[-BASE_QUARTERS:]
    table = pd.DataFrame(
        {
            "period": np.arange(len(names)),
            "quarter": list(names),
            "is_observed": [True] * len(known) + [False] * ahead,
            "cost_amount": [*spent, *[float(recent.mean())] * ahead],
            "meeting_hours": [*met, *[float(met.iloc[-BASE_QUARTERS:].mean())] * ahead],
        }
    )
    return Spending(table, float(total[total.index < names[0]].sum()), _error(recent))


def _error(recent: pd.Series[float]) -> Uncertain:
    """Return the relative error of the mean of the last quarters' costs."""
    n, mean = len(recent), float(recent.mean())
    if n < FEWEST_CHANGES or not mean > 0:
        return Uncertain(0.0, math.nan, 0)
    return Uncertain(0.0, float(recent.std(ddof=1)) / math.sqrt(n) / mean, n - 1)
