"""How many leads reached which stage, by the team of their owner on that day.

The owner is today's: CRMs keep no other.  Without any lead the counts are unknown, not zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

COUNTS = {
    "n_leads": "created",
    "n_mql": "mql",
    "n_sal": "sal",
    "n_sql": "sql",
    "n_converted": "converted",
    "n_recycled": "recycled",
}


def step_columns() -> str:
    """Return the SQL of each count after a join."""
    return ", ".join(
        f"case when exists (from leads) then coalesce({c}, 0) end as {c}" for c in COUNTS
    )


def make_lead_steps(connection: duckdb.DuckDBPyConnection, unassigned: str) -> None:
    """Make ``funnel``: a row a team and quarter with a count of each step.

    Needs ``stays_ever`` and ``quarters``.
    """
    local = "timezone(getvariable('time_zone'), {})::date"
    recycled = f"select l.owner_rep_id as rep_id, 'recycled' as step, {local.format('h.entered_at')} as day from lead_status_history h join leads l using (lead_id) where h.is_recycling"
    first = f"select owner_rep_id as rep_id, 'recycled' as step, {local.format('recycled_at')} as day from leads where recycled_at is not null and not exists (from lead_status_history)"
    steps = {
        s: local.format(c)
        for s, c in (
            ("created", "created_at"),
            ("mql", "mql_at"),
            ("sal", "sal_at"),
            ("sql", "sql_at"),
        )
    }
    events = [
        f"select owner_rep_id as rep_id, '{step}' as step, {day} as day from leads where {day} is not null"
        for step, day in (steps | {"converted": "converted_on"}).items()
    ]
    events += [recycled, first]
    counts = ", ".join(
        f"count(*) filter (step = '{step}') as {name}" for name, step in COUNTS.items()
    )
    connection.execute(
        f"""
        create or replace temp table funnel as
        select team_id, quarter, {counts} from (
          select e.step, e.day, case when e.day < s.until_day then s.team_id else $unassigned end as team_id
          from ({" union all ".join(events)}) e
          asof left join stays_ever s on e.rep_id = s.rep_id and e.day >= s.from_day) e
        join quarters q on e.day >= q.from_day and e.day < q.until_day
        where e.day between getvariable('first_day') and getvariable('as_of')
        group by team_id, quarter""",
        {"unassigned": unassigned},
    )
