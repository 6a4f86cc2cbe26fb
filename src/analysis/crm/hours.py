"""Calendar and calls → the hours that count, a row a rep and day.

A minute counts once per rep however many entries claim it: intervals are united per rep, for each
published definition of selling and for each class.  It counts on the day its entry began, in the
rep's time zone; all-day entries and entries without a length add no hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.crm.engine import identifier, literal
from analysis.schema import ACTIVITY_CLASSES, SELLING_DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from analysis.settings import ActivityRule


def define_classes(connection: duckdb.DuckDBPyConnection, rules: Sequence[ActivityRule]) -> None:
    """Make the SQL macro ``activity_class(subject)`` from the analyst's table: the first match decides."""
    cases = " ".join(
        f"when regexp_matches(subject, {literal(r.pattern)}, 'i') then {literal(r.activity_class)}" for r in rules
    )
    case = f"case {cases} else 'unclassified' end" if rules else "'unclassified'"
    connection.execute(f"create macro activity_class(subject) as {case}")


def _united(name: str, classes: Sequence[str]) -> str:
    """Return the SELECT of seconds per rep and day in which at least one activity of `classes` ran."""
    listed = ", ".join(literal(c) for c in classes)
    return f"""
      select rep_id, day, {literal(name)} as measure, sum(greatest(0, until_s - greatest(from_s, coalesce(
          max_until, from_s))))::bigint as seconds
      from (select *, max(until_s) over (partition by rep_id order by from_s, until_s
              rows between unbounded preceding and 1 preceding) as max_until
            from timed where activity_class in ({listed}))
      group by rep_id, day"""


def by_day(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``rep_day_hours`` from the clean ``activities`` and ``reps``.

    A row is a rep and local day with at least one activity: hours under each definition of selling,
    hours of each class alone [h], the number of activities and how many of them are whole days off.
    """
    connection.execute(
        """
        create or replace temp table dated as
        select a.*, case when a.is_all_day then a.started_at::date
          else timezone(coalesce(r.time_zone, getvariable('time_zone')), a.started_at)::date end as day
        from activities a left join reps r using (rep_id) where a.started_at is not null;
        create or replace temp table timed as
        select rep_id, day, activity_class, epoch(started_at)::bigint as from_s,
          epoch(started_at)::bigint + round(minutes * 60)::bigint as until_s
        from dated where minutes > 0 and not is_all_day"""
    )
    measures = dict(SELLING_DEFINITIONS) | {f"{c}_class_hours": (c,) for c in ACTIVITY_CLASSES}
    united = " union all ".join(_united(name, classes) for name, classes in measures.items())
    sums = ", ".join(
        f"coalesce(sum(seconds) filter (measure = {literal(m)}), 0) / 3600.0 as {identifier(m)}" for m in measures
    )
    connection.execute(
        f"""
        create or replace table rep_day_hours as
        select rep_id, day, n_activities, n_time_off, {", ".join(f"coalesce({identifier(m)}, 0) as {identifier(m)}" for m in measures)}
        from (select rep_id, day, count(*) as n_activities,
                count(*) filter (is_all_day and activity_class = 'time_off') as n_time_off from dated group by rep_id, day)
        left join (select rep_id, day, {sums} from ({united}) group by rep_id, day) using (rep_id, day)"""
    )
