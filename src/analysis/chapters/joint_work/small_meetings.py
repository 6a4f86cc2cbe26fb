"""Joint meetings in the calendars: which reps sat with marketing in small ones, and how far ahead
meetings were scheduled.

A call of twenty hears nobody.  An entry made after its meeting began says nothing of plans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.alignment import score_meetings, team_quarters
from analysis.chapters.joint_work.campaign_delivery import count_share

if TYPE_CHECKING:
    from analysis.chapters.joint_work.campaign_delivery import Share
    from analysis.store.company import Company

MOST_PEOPLE = 6
AHEAD_DAYS = 30  # from which a meeting is in the calendar far ahead
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


def ahead_share(meetings: pd.DataFrame) -> Share:
    """Return the share of meetings scheduled at least `AHEAD_DAYS` ahead, of those scheduled before
    they began.

    Parameters
    ----------
    meetings : ``started_at``, ``logged_at``; a row a meeting
    """
    ahead = meetings["started_at"] - meetings["logged_at"]
    planned = ahead[ahead > pd.Timedelta(0)]
    return count_share(int((planned >= pd.Timedelta(days=AHEAD_DAYS)).sum()), len(planned))


class JointCalendar(NamedTuple):
    """Reps `heard` in a small meeting, and joint meetings scheduled far `ahead`; missing where no
    calendar names the attendees.
    """

    heard: Share
    ahead: Share


def joint_calendar(company: Company) -> JointCalendar:
    """Return what calendars say of the quarter's joint meetings."""
    tables = {name: company.table(name) for name in (*CALENDAR, *PLACES)}
    if tables["attendees"].empty or tables["activities"].empty:
        return JointCalendar(count_share(0, 0), count_share(0, 0))
    cells = team_quarters.make_cells(tables, time_zone=company.settings.company.time_zone)
    seats = score_meetings.joint_activities(tables, cells)
    first, after = pd.Timestamp(company.first_day), pd.Timestamp(company.day_after)
    seats = seats[(seats["day"] >= first) & (seats["day"] < after)]
    sizes = meeting_sizes(tables["activities"], tables["attendees"])
    joint = seats.loc[~seats["is_field"].astype(bool), "activity_id"]
    meetings = tables["activities"].loc[tables["activities"]["activity_id"].isin(joint)]
    return JointCalendar(
        heard_share(seats, sizes, set(company.rows_of_quarter("rep_quarter")["rep_id"])),
        ahead_share(meetings),
    )
