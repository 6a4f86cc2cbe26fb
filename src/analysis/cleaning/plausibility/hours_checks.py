"""Hours of reps: none where there are reps, too few in one quarter, at night, or of no class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset


def hours_of_reps(data: Dataset) -> Iterator[CheckReading]:
    """Yield quarters and teams with reps but without an hour, and the quarter whose hours a week
    are farthest from the others'.
    """
    if not data.has("activities", "rep_team_history"):
        return
    yield data.odd_share(
        "rep_quarters_without_hours",
        TIME,
        "activities",
        source="rep_quarter",
        odd="coalesce(logged_hours, 0) = 0",
        among="role = 'rep' and days_employed > 45 and not is_partial",
        sentence="{} quarters of a rep hold no logged hour.",
    )
    yield data.odd_share(
        "teams_without_hours",
        TIME,
        "activities",
        odd="hours = 0",
        among="n_reps > 0",
        key="team_id",
        source="""(
          select team_id, count(distinct rep_id) as n_reps, sum(coalesce(logged_hours, 0)) as hours
          from rep_quarter where role = 'rep' and days_employed > 45 and not is_partial group by team_id)""",
        sentence="{} teams that have reps have no logged hour.",
    )
    weeks = data.frame(
        """
        select quarter, coalesce(sum(logged_hours) / nullif(sum(weeks_employed * logged_share), 0), 0) as hours,
          median(coalesce(sum(logged_hours) / nullif(sum(weeks_employed * logged_share), 0), 0)) over () as usual
        from rep_quarter where role = 'rep' and not is_partial
        group by quarter
        order by abs(hours / nullif(usual, 0) - 1) desc nulls last, quarter"""
    )
    if len(weeks) >= 3 and weeks["usual"].iloc[0] > 0:
        worst = weeks.iloc[0]
        yield CheckReading(
            "hours_of_a_quarter",
            TIME,
            min(abs(worst["hours"] / worst["usual"] - 1), 1.0),
            len(weeks),
            f"In {worst['quarter']} a rep logged {worst['hours']:.1f} hours a week, "
            f"{worst['usual']:.1f} in the median quarter.",
            "activities",
        )


def hours_counted(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether activities hold hours of which not one counts for a rep."""
    if not data.has("activities"):
        return
    logged, counted, n_linked = data.row(
        """
        select (select sum(logged_hours) from rep_day_hours), (select sum(logged_hours) from rep_quarter),
          (select count(distinct rep_id) from rep_team_history join reps using (rep_id) where role = 'rep')"""
    )
    cause = "they lie where no rep is in a team" if n_linked else "no rep is linked to a team"
    yield CheckReading(
        "hours_of_no_rep",
        TIME,
        float(bool(logged) and not counted),
        data.n_clean["activities"],
        (
            f"Activities hold {logged or 0:,.0f} logged hours and none counts for a rep of a "
            f"team: {cause}."
        ),
        "activities",
    )


def odd_entries(data: Dataset) -> Iterator[CheckReading]:
    """Yield hours that match no class, meetings at night, and entries without a length."""
    if not data.has("activities"):
        return
    unclassified, whole = data.row(
        "select sum(unclassified_class_hours), sum(logged_hours) from rep_day_hours"
    )
    share = share_of(unclassified, whole)
    yield CheckReading(
        "hours_unclassified",
        TIME,
        share if share > data.house.hours.max_unclassified_share else 0.0,
        data.n_clean["activities"],
        (
            f"{share:.0%} of logged hours match no class of activity; whether they are selling is "
            "unknown."
        ),
        "activities",
    )
    # the hour of the day is the local one, which counting the hours has made already
    yield data.odd_share(
        "meetings_at_night",
        TIME,
        "activities",
        source="meeting_starts",
        odd="hour(local_at) < 6 or hour(local_at) >= 21",
        among="true",
        sentence="{} meetings begin between 21 and 6 o'clock of the rep's own time.",
    )
    yield data.odd_share(
        "meetings_of_odd_length",
        TIME,
        "activities",
        odd="minutes < 5 or minutes > 300",
        among="kind = 'event' and not is_all_day and minutes > 0",
        sentence=(
            "{} meetings last less than 5 minutes or more than 5 hours: their length may be in "
            "another unit."
        ),
    )
    yield data.odd_share(
        "calls_of_odd_length",
        TIME,
        "activities",
        odd="minutes < 0.1 or minutes > 300",
        among="kind = 'call' and minutes > 0",
        sentence=(
            "{} calls last less than 6 seconds or more than 5 hours: their length may be in "
            "another unit."
        ),
    )
    # who enters a call by hand writes 30 and means minutes; what a telephone counts is no round number
    yield data.odd_share(
        "calls_of_round_seconds",
        TIME,
        "activities",
        odd="minutes <= 2 and round(minutes * 60) % 5 = 0",
        among="kind = 'call' and minutes > 0",
        sentence="{} calls last 5, 10, 15 ... up to 120 seconds: they may be minutes in a column of seconds.",
    )
    yield data.odd_share(
        "meetings_of_unknown_outcome",
        TIME,
        "activities",
        odd="contains(coalesce(flagged_by, ''), 'unknown_meeting_outcome')",
        among="kind = 'event' and not is_all_day",
        sentence="{} meetings have an outcome in words that say neither that they were held nor that they were not: "
        "they count as held.",
    )
    yield data.odd_share(
        "activities_without_length",
        TIME,
        "activities",
        odd="minutes is null",
        key="activity_id",
        among="kind in ('event', 'call') and not is_all_day",
        sentence="{} meetings and calls have no length.",
    )
