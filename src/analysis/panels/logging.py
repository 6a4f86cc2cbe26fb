"""Whether a team logged, and whether a jump in its hours is a jump in logging.

Selling more does not make a team log more internal meetings.  So a quarter in which logging was
switched on or off, a kind of entry came or went, or entries of other work jumped along with those
of selling, is marked: its hours do not compare with the quarter before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

COVERAGE_JUMP = 0.2  # change of the share of working days logged
ENTRIES_JUMP = 1.25  # ratio of entries per logged week, selling and other work alike
KIND_SHARE = 0.05  # of a team's entries, from which a kind is one that the team logs
KINDS = ("event", "call", "email", "task")


def make_team_logging(connection: duckdb.DuckDBPyConnection, minimum_logged_share: float) -> None:
    """Make ``team_logging``: a row a team and quarter with reps; needs ``timed_days``."""
    kinds = " + ".join(
        f"{2**i} * (n_{k} > {KIND_SHARE} * n_entries)::int" for i, k in enumerate(KINDS)
    )
    jumped = f"""case when before is null then null
      when abs(logged_share - before.logged_share) > {COVERAGE_JUMP} then 'coverage'
      when logged_share > 0 and before.logged_share > 0 and kinds <> before.kinds then 'kinds of entry'
      when (selling > {ENTRIES_JUMP} * before.selling and other > {ENTRIES_JUMP} * before.other)
        or (before.selling > {ENTRIES_JUMP} * selling and before.other > {ENTRIES_JUMP} * other) then 'entries' end"""
    connection.execute(
        f"""
        create or replace temp table team_logging as
        with counted as (
          select team_id, quarter, coalesce(count(*) filter (is_weekday and is_logged) / nullif(count(*) filter (is_weekday), 0), 0) as logged_share,
            bool_and(is_refused) as is_refused, nullif(count(*) filter (is_weekday and is_logged) / 5.0, 0) as weeks,
            coalesce(sum(n_selling), 0) as n_selling, coalesce(sum(n_other), 0) as n_other, coalesce(sum(n_selling + n_other), 0) as n_entries,
            {", ".join(f"coalesce(sum(n_{k}), 0) as n_{k}" for k in KINDS)}
          from timed_days group by all),
        rated as (select *, n_selling / weeks as selling, n_other / weeks as other, {kinds} as kinds from counted),
        ordered as (select r.*, lag(r) over (partition by team_id order by quarter) as before from rated r)
        select team_id, quarter, {jumped} as logging_change, n_entries / weeks as entries_per_week,
          case when is_refused then 'refused_source' when logged_share = 0 then 'no_logging'
            when logged_share < $minimum then 'low' else 'ok' end as coverage
        from ordered""",
        {"minimum": minimum_logged_share},
    )
