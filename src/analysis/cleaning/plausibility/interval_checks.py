"""Intervals that leave a day out, run into each other, or leave quarters without pay, quota or
team.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import PAY, TARGETS, TEAMS, Bearing, bearing_of
from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

FEWEST_DAYS = 45  # a rep is employed in a quarter, for its pay or quota to be missed


class IntervalTable(NamedTuple):
    """A table of intervals [start, end): those of one key follow each other."""

    table: str
    start: str
    end: str
    key: str


SQL = read_statements(__name__)
INTERVALS = (
    IntervalTable("rep_team_history", "valid_from", "valid_to", "rep_id"),
    IntervalTable("compensation", "valid_from", "valid_to", "rep_id"),
    IntervalTable("quotas", "period_start", "period_end", "rep_id"),
    IntervalTable("fx_rates", "valid_from", "valid_to", "currency"),
    IntervalTable("sales_ready_definitions", "valid_from", "valid_to", "team_id"),
    IntervalTable(
        "target_accounts", "valid_from", "valid_to", "team_id || '|' || side || '|' || account_id"
    ),
)


def ends_of_intervals(data: Dataset) -> Iterator[CheckReading]:
    """Yield gaps of one day, overlaps, and interval ends on a month's last day.

    Signs of ends that count themselves.
    """
    for table, start, end, key in INTERVALS:
        if not data.has(table):
            continue
        next_start = (
            f"lead({start}) over (partition by {key} order by {start}, {end}) as next_start"
        )
        intervals = query_text([f"{end} as last_end", next_start], quote_identifier(table))
        following = f"({intervals})"
        bearing = bearing_of(table)
        yield data.odd_share(
            "gap_of_one_day",
            bearing,
            table,
            source=following,
            odd="next_start - last_end = 1",
            among="next_start is not null",
            sentence=f"{{}} intervals of {table} end one day before the next begins: {end} looks like the "
            "last day, "
            "not the first after.",
        )
        yield data.odd_share(
            "overlapping_intervals",
            bearing,
            table,
            source=following,
            odd="last_end is null or next_start < last_end",
            among="next_start is not null",
            sentence=f"{{}} intervals of {table} run into the next one.",
        )
        yield data.odd_share(
            "ends_on_last_of_month",
            bearing,
            table,
            odd=f"day({end} + 1) = 1",
            among=f"{end} is not null and {end} < date '9000-01-01'",
            sentence=(
                f"{{}} intervals of {table} end on the last day of a month, as ends do that count "
                "themselves."
            ),
        )


_OF_QUARTER: dict[str, tuple[str, Bearing, str]] = {
    "base_amount": ("compensation", PAY, "pay for every day"),
    "quota_amount": ("quotas", TARGETS, "quota"),
}


def quarters_without(data: Dataset) -> Iterator[CheckReading]:
    """Yield the quarter in which most reps lack pay or a quota, and the days that lack a team."""
    for column, (table, bearing, noun) in _OF_QUARTER.items():
        if not data.has(table):
            continue
        worst = data.rows(
            SQL["quarter_lacking_most"],
            {"fewest": FEWEST_DAYS, "name": column},
        )
        for r in worst:
            yield CheckReading(
                f"quarter_without_{column}",
                bearing,
                share_of(r.n_lacking, r.n),
                int(r.n),
                f"In {r.quarter} {r.n_lacking:,} of {r.n:,} reps have no {noun}.",
                table,
                (),
                int(r.n_lacking),
            )
    if data.has("rep_team_history", "reps"):
        yield from _days_without_team(data)


def _days_without_team(data: Dataset) -> Iterator[CheckReading]:
    n_days, n_lacking = data.row(
        """
        with employed as (
          select r.rep_id, unnest(generate_series(greatest(r.hired_on, getvariable('first_day')),
            least(coalesce(r.left_on, getvariable('as_of') + 1), getvariable('as_of') + 1) - 1, interval 1 day))::date
              as day
          from reps r
          where r.role = 'rep' and r.hired_on is not null and r.rep_id in (select rep_id from rep_team_history))
        select count(*), count(*) filter (d.rep_id is null)
        from employed e left join rep_days d using (rep_id, day)"""
    )
    yield CheckReading(
        "days_without_team",
        TEAMS,
        share_of(n_lacking, n_days),
        int(n_days),
        f"{n_lacking:,} of {n_days:,} days of employment are in no team.",
        "rep_team_history",
        (),
        int(n_lacking),
    )
