"""Which reps were heard in a small meeting with marketing: a call of twenty hears nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.chapters.alignment import score_meetings, team_quarters
from analysis.chapters.joint_work.campaign_delivery import count_share

if TYPE_CHECKING:
    from analysis.chapters.joint_work.campaign_delivery import Share
    from analysis.store.company import Company

MOST_PEOPLE = 6
CALENDAR = ("activities", "attendees", "reps")
PLACES = ("quarters", "teams", "rep_team_history")


def meeting_sizes(activities: pd.DataFrame, attendees: pd.DataFrame) -> pd.Series[int]:
    """Return how many people were in each activity, its owner among them: by ``activity_id``.

    Parameters
    ----------
    activities : ``activity_id``, ``rep_id``
    attendees : ``activity_id``, ``person_key``, ``rep_id`` where the person is a colleague
    """
    size = attendees.groupby("activity_id")["person_key"].nunique()
    listed = pd.MultiIndex.from_frame(
        attendees.dropna(subset=["rep_id"])[["activity_id", "rep_id"]]
    )
    owners = pd.MultiIndex.from_frame(activities[["activity_id", "rep_id"]])
    apart = activities.loc[~owners.isin(listed), "activity_id"].value_counts()
    return size.add(apart, fill_value=0).astype("int64")


def heard_share(seats: pd.DataFrame, sizes: pd.Series[int], reps: set[str]) -> Share:
    """Return the share of `reps` who sat with marketing in a meeting of up to `MOST_PEOPLE`.

    Parameters
    ----------
    seats : ``activity_id``, ``rep_id``, ``is_field`` of meetings of both sides
    """
    is_small = seats["activity_id"].map(sizes).le(MOST_PEOPLE) & ~seats["is_field"].astype(bool)
    return count_share(len(reps & set(seats.loc[is_small, "rep_id"])), len(reps))


def reps_heard(company: Company) -> Share:
    """Return the share of the quarter's reps heard in a small meeting; missing without a calendar
    that says who was there.
    """
    tables = {name: company.table(name) for name in (*CALENDAR, *PLACES)}
    if tables["attendees"].empty or tables["activities"].empty:
        return count_share(0, 0)
    cells = team_quarters.make_cells(tables, time_zone=company.settings.company.time_zone)
    seats = score_meetings.joint_activities(tables, cells)
    first, after = pd.Timestamp(company.first_day), pd.Timestamp(company.day_after)
    seats = seats[(seats["day"] >= first) & (seats["day"] < after)]
    sizes = meeting_sizes(tables["activities"], tables["attendees"])
    return heard_share(seats, sizes, set(company.rows_of_quarter("rep_quarter")["rep_id"]))
