"""Cadence: whether the two sides meet as often as was agreed, prepared, and new reps from the
start.

The calendar is asked first; minutes only where it shows no such meeting at all.  One meeting a week
and one review a month is all that counts, so that more meetings buy no more points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.alignment import team_quarters
from analysis.tables.membership import is_among

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.chapters.alignment.team_quarters import Cells
    from analysis.project.settings import Standards

    Tables = Mapping[str, pd.DataFrame]

SELLERS = ("rep", "manager")
CALENDAR = ("activities", "attendees", "reps")


def joint_activities(tables: Tables, cells: Cells) -> pd.DataFrame:
    """Return who of sales was with marketing, by the calendar: one row an activity and seller.

    Columns: ``activity_id``, ``rep_id``, ``role``, ``day``, ``team_id`` and ``is_field``: a
    customer was there too.
    """
    role = tables["reps"].set_index("rep_id")["role"]
    there = tables["attendees"]
    acts = tables["activities"]
    acts = acts[acts["started_at"].notna() & ~acts["is_all_day"].fillna(value=False).astype(bool)]
    marketers = role.index[role == "marketing"]
    with_marketing = pd.Index(
        there.loc[there["side"] == "marketing", "activity_id"].unique()
    ).union(pd.Index(acts.loc[acts["rep_id"].isin(marketers), "activity_id"].unique()))
    acts = acts.loc[
        is_among(acts["activity_id"], with_marketing), ["activity_id", "rep_id", "started_at"]
    ]
    there = there[is_among(there["activity_id"], acts["activity_id"])]
    field = there.loc[there["side"] == "customer", "activity_id"]
    others = there.loc[there["rep_id"].notna(), ["activity_id", "rep_id"]]
    seats = pd.concat([acts[["activity_id", "rep_id"]], others]).drop_duplicates()
    seats = seats.assign(role=seats["rep_id"].map(role))
    seats = seats[seats["role"].isin(SELLERS)].merge(
        acts[["activity_id", "started_at"]], on="activity_id"
    )
    day = team_quarters.local_days(cells, seats["started_at"])
    seats = seats.assign(day=day, is_field=is_among(seats["activity_id"], field))
    return seats.assign(team_id=team_quarters.team_of(cells, seats["rep_id"], day))[
        ["activity_id", "rep_id", "role", "day", "team_id", "is_field"]
    ]


def _meetings(tables: Tables, cells: Cells, kind: str, *, managers: bool) -> pd.DataFrame:
    """Return the days each team met marketing.

    By the calendar where it shows any, else by the minutes.
    """
    if all(name in tables for name in CALENDAR):
        seats = joint_activities(tables, cells)
        seats = seats[~seats["is_field"] & (~managers | (seats["role"] == "manager"))]
        if not seats.empty:
            return seats[["team_id", "day"]].dropna()
    if "joint_meetings" not in tables:
        return pd.DataFrame(
            {"team_id": pd.Series(dtype="str"), "day": pd.Series(dtype="datetime64[us]")}
        )
    joint_meetings = tables["joint_meetings"]
    joint_meetings = team_quarters.spread_over_teams(
        cells, joint_meetings.loc[joint_meetings["kind"] == kind, ["team_id", "held_on"]]
    )
    return pd.DataFrame(
        {
            "team_id": joint_meetings["team_id"],
            "day": team_quarters.midnights(joint_meetings["held_on"]),
        }
    )


def working_weeks(tables: Tables, cells: Cells) -> pd.DataFrame:
    """Return each team's weeks with a working day in its region.

    Columns ``team_id``, ``week``, ``quarter``.
    """
    regions = cells.table["region"].groupby("team_id").first().rename("region").reset_index()
    if "working_calendar" in tables:
        days = tables["working_calendar"]
        days = days[days["is_workday"].astype(bool)]
        weeks = pd.DataFrame(
            {
                "region": days["region"].astype("str"),
                "week": team_quarters.week_mondays(team_quarters.midnights(days["date"])),
            }
        )
        rows = regions.merge(weeks.drop_duplicates(), on="region")[["team_id", "week"]]
    else:
        first, last = cells.quarters["from_day"].min(), cells.quarters["measured_to"].max()
        mondays = pd.DataFrame({"week": pd.date_range(first, last, freq="W-MON", unit="us")})
        rows = regions[["team_id"]].merge(mondays, how="cross")
    return rows.assign(quarter=team_quarters.quarter_of(cells, rows["week"]))


def weekly_meetings(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E06: working weeks in which somebody of sales and somebody of marketing met, customers apart."""  # noqa: E501
    met = _meetings(tables, cells, "weekly", managers=False)
    weeks = working_weeks(tables, cells)
    team_weeks = pd.MultiIndex.from_arrays([met["team_id"], team_quarters.week_mondays(met["day"])])
    hit = pd.Series(
        pd.MultiIndex.from_frame(weeks[["team_id", "week"]]).isin(team_weeks), index=weeks.index
    )
    return team_quarters.tally_hits(cells, weeks, hit).where(
        team_quarters.is_kept(cells, met["day"])
    )


def manager_meetings(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E07: months in which the team's manager met marketing."""
    met = _meetings(tables, cells, "managers", managers=True)
    met = met.assign(quarter=team_quarters.quarter_of(cells, met["day"]))
    met["month"] = team_quarters.month_of(cells, met["quarter"], met["day"])
    months = met.drop_duplicates(["team_id", "quarter", "month"])
    return _of_months(cells, months).where(team_quarters.is_kept(cells, met["day"]))


def _of_months(cells: Cells, months: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each cell's months that have a row; the months begun count."""
    n_months = months.groupby(team_quarters.KEY).size().reindex(cells.table.index, fill_value=0)
    whole = (cells.table["measured_to"] - cells.table["from_day"]).dt.days / 30.5
    n = np.minimum(np.ceil(whole.round(1)), team_quarters.MONTHS)
    return pd.DataFrame({"share": n_months / n, "n": n.astype("float64")})


def onboarding_meetings(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E08: new reps who met marketing in time, of those whose time was up."""
    reps = tables["reps"]
    new = reps.loc[(reps["role"] == "rep") & reps["hired_on"].notna(), ["rep_id", "hired_on"]]
    seats = joint_activities(tables, cells)
    first = seats["day"].min()
    hired = team_quarters.midnights(new["hired_on"])
    new = new.assign(hired=hired, due=hired + pd.Timedelta(days=standards.onboarding_days))[
        hired >= first
    ]
    both = seats[["rep_id", "day"]].merge(new, on="rep_id")
    met = both.loc[(both["day"] >= both["hired"]) & (both["day"] < both["due"]), "rep_id"]
    last = new["due"] - pd.Timedelta(days=1)
    new = new.assign(
        quarter=team_quarters.quarter_of(cells, last),
        team_id=team_quarters.team_of(cells, new["rep_id"], last),
    )
    return team_quarters.tally_hits(cells, new, new["rep_id"].isin(met))


def quarterly_reviews(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E09: a third each for objectives in force, a review held and an executive at it."""
    goals = team_quarters.in_force(cells, tables["goals"], "period_start", "period_end")
    joint_meetings = tables["joint_meetings"]
    reviews = team_quarters.spread_over_teams(
        cells, joint_meetings[joint_meetings["kind"] == "quarterly"]
    )
    reviews = reviews.assign(quarter=team_quarters.quarter_of(cells, reviews["held_on"]))
    led = reviews[reviews["is_executive_present"].fillna(value=False).astype(bool)]
    has = [
        cells.table.index.isin(pd.MultiIndex.from_frame(rows[team_quarters.KEY].dropna()))
        for rows in (goals, reviews, led)
    ]
    result = pd.DataFrame(
        {"share": np.mean(has, axis=0), "n": float(len(has))}, index=cells.table.index
    )
    return result.where(team_quarters.is_kept(cells, joint_meetings["held_on"]))


def run_well(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E10: meetings with an agenda, a leader and on time, of those minuted."""
    rows = team_quarters.spread_over_teams(cells, tables["joint_meetings"])
    rows = rows.assign(quarter=team_quarters.quarter_of(cells, rows["held_on"]))
    is_complete = rows[["has_agenda", "has_leader", "minutes_late"]].notna().all(axis="columns")
    on_time = rows["minutes_late"] <= standards.latest_start_minutes
    hit = (rows["has_agenda"] == True) & (rows["has_leader"] == True) & on_time  # noqa: E712 - missing is neither
    return team_quarters.tally_hits(cells, rows, hit.astype("object").where(is_complete))
