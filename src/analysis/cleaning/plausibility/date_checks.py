"""Days of lists kept by hand that cannot be right: out of a list's own order, or on days on which
nobody works.

A year typed wrong leaves the line where it was written, and falls on another day of the week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import bearing_of
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

LISTS = (  # of a team each in the order of time, as somebody writes them
    ("joint_meetings", "held_on"),
    ("marketing_requests", "asked_on"),
    ("campaign_notices", "first_send_on"),
    ("feedback", "reported_on"),
)
SQL = read_statements(__name__)
LONG_DAYS = 90
MOST_JUMPS = 0.29  # more, and the list is in no order of time: halves of two orders make 1 in 4
REST = 0.05  # of a usual weekday's activities: what a day has on which nobody works
FEWEST_ACTIVITIES = 200  # by which the weekdays of work are told


def dates_out_of_order(data: Dataset) -> Iterator[CheckReading]:
    """Yield rows whose day lies months off those above and below, in lists kept in order of time."""
    for table, column in LISTS:
        if not data.has(table):
            continue
        n, n_back, n_on = data.row(
            SQL["days_between_rows"], {"table": table, "name": column, "long_days": LONG_DAYS}
        )
        n_odd = min(n_back, n_on)  # a list in parts goes one way only where a part begins
        if n_odd <= MOST_JUMPS * n:
            yield CheckReading(
                "dates_out_of_order",
                bearing_of(table),
                share_of(n_odd, n),
                int(n),
                f"{n_odd:,} times in {n:,} rows {table} goes months back by {column} and forth "
                "again, though it is a list in order of time: a year may be wrong.",
                table,
                (),
                int(n_odd),
            )


def meetings_on_rest_days(data: Dataset) -> Iterator[CheckReading]:
    """Yield joint meetings on weekdays on which the company's activities rest."""
    if data.has("joint_meetings") and data.n_clean.get("activities", 0) >= FEWEST_ACTIVITIES:
        data.connection.execute(SQL["meetings_by_weekday"])
        yield data.odd_share(
            "meetings_on_rest_days",
            bearing_of("joint_meetings"),
            "joint_meetings",
            source="meetings_by_weekday",
            odd=f"share_of_usual < {REST}",
            among="true",
            key="meeting_id",
            sentence=(
                "{} joint meetings lie on weekdays on which nobody works: their dates may be off."
            ),
        )
