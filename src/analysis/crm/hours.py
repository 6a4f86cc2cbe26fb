"""Calendar and calls → the hours that count, a row a rep and day.

A minute counts once per rep however many entries claim it: intervals are united per rep, for each
published definition of selling and for each class.  It counts on the day it passed in the rep's
time zone, so a day never holds more hours than it has; all-day entries and entries without a length
add no hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.crm.engine import identifier, literal
from analysis.schema import ACTIVITY_CLASSES, SELLING_DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from analysis.settings import ActivityRule

LATEST_START = (
    23 * 3600
)  # an entry that ends by then, counted from its day's midnight [s], crosses none, whatever the clock does

SLOT_US = 30 * 60 * 1_000_000  # clocks change on the half hour [µs]: one look at the zone serves all that begins in it

# What is united, and the entries it is the union of.
UNIONS: dict[str, str] = {
    **{name: f"activity_class in ({', '.join(map(literal, c))})" for name, c in SELLING_DEFINITIONS.items()},
    **{f"{c}_class_hours": f"activity_class = {literal(c)}" for c in ACTIVITY_CLASSES},
    "late_selling_hours": "is_late",
    "logged_hours": "true",
}

# What is counted beside the hours, on the day an entry began.
COUNTS: dict[str, str] = {
    "n_activities": "true",
    "n_time_off": "is_all_day and activity_class = 'time_off'",
    "n_selling": "activity_class = 'selling'",
    "n_other": "activity_class not in ('selling', 'time_off')",
    **{f"n_{kind}": f"kind = '{kind}'" for kind in ("event", "call", "email", "task")},
}


def define_classes(connection: duckdb.DuckDBPyConnection, rules: Sequence[ActivityRule]) -> None:
    """Make the SQL macro ``activity_class(subject)`` from the analyst's table: the first match decides."""
    cases = " ".join(
        f"when regexp_matches(subject, {literal(r.pattern)}, 'i') then {literal(r.activity_class)}" for r in rules
    )
    case = f"case {cases} else 'unclassified' end" if rules else "'unclassified'"
    connection.execute(f"create macro activity_class(subject) as {case}")


def define_late_stages(connection: duckdb.DuckDBPyConnection, stages: Sequence[str]) -> None:
    """Make the SQL macro ``is_late_stage(stage)``: past proposal, by the analyst's list, case and punctuation aside."""
    listed = ", ".join(f"name_key({literal(s)})" for s in stages) or "''"
    connection.execute(f"create macro is_late_stage(stage) as name_key(stage) in ({listed})")


def _seconds(condition: str, until: str) -> str:
    """Return the SQL of the seconds that rows of `condition` add to those before them, which end by `until`."""
    return f"coalesce(sum(greatest(0, until_s - greatest(from_s, coalesce({until}, from_s)))) filter ({condition}), 0)"


def _timed(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``dated``, every entry with its rep's day, and ``timed``, those with a length cut at the rep's midnights."""
    connection.execute(
        f"""
        create temp table if not exists refused_sources (source_file varchar, kind varchar);
        create or replace temp table late_entries as
        select a.activity_id from (from activities where activity_class = 'selling' and minutes > 0
            and opportunity_id is not null) a
        asof join stage_history s on a.opportunity_id = s.opportunity_id and a.started_at >= s.entered_at
        where is_late_stage(s.stage);

        create or replace temp table placed as
        select a.rep_id, a.kind, a.activity_class, a.source_file, a.minutes, a.is_all_day, epoch_us(a.started_at) as at_us,
          case when a.is_all_day then 'UTC' else coalesce(r.time_zone, getvariable('time_zone')) end as zone,
          l.activity_id is not null as is_late
        from activities a left join reps r using (rep_id) left join late_entries l using (activity_id)
        where a.started_at is not null;

        create or replace temp table dated as
        select *, local_at::date as day from (
          select p.*, make_timestamp(at_us + offset_us) as local_at
          from placed p join (
            select zone, slot, epoch_us(timezone(zone, make_timestamptz(slot * {SLOT_US}))) - slot * {SLOT_US} as offset_us
            from (select distinct zone, at_us // {SLOT_US} as slot from placed)) o
          on o.zone = p.zone and o.slot = p.at_us // {SLOT_US});

        create or replace temp table timed as
        with whole as (
          select * exclude (at_us, minutes, is_all_day), at_us // 1000000 as from_s,
            at_us // 1000000 + round(minutes * 60)::bigint as until_s,
            epoch(local_at) - epoch(day) + minutes * 60 > {LATEST_START} as is_long
          from dated d anti join refused_sources s on s.source_file is not distinct from d.source_file
            and s.kind is not distinct from d.kind
          where minutes > 0 and not is_all_day)
        select rep_id, day, kind, activity_class, source_file, is_late, from_s, until_s from whole where not is_long
        union all
        select rep_id, day, kind, activity_class, source_file, is_late,
          greatest(from_s, epoch(timezone(zone, day::timestamp))::bigint) as from_s,
          least(until_s, epoch(timezone(zone, (day + 1)::timestamp))::bigint) as until_s
        from (select * replace (unnest(generate_series(day, timezone(zone, to_timestamp(until_s))::date,
                interval 1 day))::date as day) from whole where is_long)
        where least(until_s, epoch(timezone(zone, (day + 1)::timestamp))::bigint)
          > greatest(from_s, epoch(timezone(zone, day::timestamp))::bigint)"""
    )


def by_day(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``rep_day_hours`` from the clean ``activities``, ``stage_history`` and ``reps``.

    A row is a rep and local day with an activity begun or time passed in one: hours under each definition of selling,
    hours of each class alone, selling hours on opportunities past proposal (missing where no history
    of stages is known) and hours logged at all [h]; the number of activities, how many of them are
    whole days off, selling and neither, and how many of each kind.
    """
    _timed(connection)
    # Where no two entries of a day overlap the union is the sum; windows are for the other days alone.
    alone = ", ".join(f"coalesce(sum(until_s - from_s) filter ({c}), 0) as {identifier(m)}" for m, c in UNIONS.items())
    ends = ", ".join(f"max(until_s) filter ({c}) over before as {identifier('until ' + m)}" for m, c in UNIONS.items())
    united = ", ".join(f"{_seconds(c, identifier('until ' + m))} as {identifier(m)}" for m, c in UNIONS.items())
    window = "(partition by rep_id, day order by from_s, until_s rows between unbounded preceding and 1 preceding)"
    connection.execute(
        f"""
        create or replace temp table crowded_days as
        select distinct rep_id, day from (select *, max(until_s) over {window} as before_s from timed) where before_s > from_s;
        create or replace temp table rep_day_seconds as
        select rep_id, day, {alone} from timed anti join crowded_days using (rep_id, day) group by rep_id, day
        union all
        select rep_id, day, {united}
        from (select *, {ends} from timed semi join crowded_days using (rep_id, day) window before as {window})
        group by rep_id, day"""
    )
    counted = ", ".join(
        f"coalesce({identifier(m)}, 0) / 3600.0 as {identifier(m)}" for m in UNIONS if m != "late_selling_hours"
    )
    connection.execute(
        f"""
        create or replace table rep_day_hours as
        select rep_id, day, {", ".join(f"coalesce({c}, 0) as {c}" for c in COUNTS)}, {counted},
          case when exists (from stage_history) then coalesce(late_selling_hours, 0) / 3600.0 end as late_selling_hours
        from (select rep_id, day, {", ".join(f"count(*) filter ({rows}) as {c}" for c, rows in COUNTS.items())}
              from dated group by rep_id, day) n
        full join rep_day_seconds using (rep_id, day)"""
    )
