"""Calendar and calls → the hours that count, a row a rep and day.

A minute counts once per rep however many entries claim it: intervals are united per rep, for each
published definition of selling and for each class.  It counts on the day it passed in the rep's
time zone, so a day never holds more hours than it has; all-day entries and entries without a length
add no hours.

The account of hours: what each source claimed, what each rule took, what a rep can have worked.

A source is an export file and a kind of entry in it.  Where more than the allowed share of its
hours lies in rows that a rule calls junk, the rest is no better: the source is refused for hours.
Its entries still show that somebody logged; how long they took is unknown, and so are the hours of
whoever logs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.sources.database import quote_identifier, quote_literal
from analysis.tables.canonical import ACTIVITY_CLASSES, SELLING_DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from analysis.project.settings import ActivityRule
    from analysis.tables.rulebook import Rule

# A pattern between the ends of words; \\b knows the letters of English alone.
WHOLE_WORDS = r"(?:^|[^{word}])(?:{pattern})(?:[^{word}]|$)"
WORD = r"\pL\pN"
# The same where no subject holds another character than the signs and letters of Western scripts:
# \pL, which knows every script, takes twenty times as long to compile, in each pattern.
WESTERN = r"[\x{00}-\x{24F}\x{2000}-\x{206F}\x{20A0}-\x{20BF}\x{2190}-\x{21FF}]*"
WESTERN_WORD = r"0-9A-Za-z\x{AA}\x{B2}\x{B3}\x{B5}\x{B9}\x{BA}\x{BC}-\x{BE}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{24F}"

LATEST_START = (
    23 * 3600
)  # an entry that ends by then, counted from its day's midnight [s], crosses none, whatever the clock does

SLOT_US = (
    30 * 60 * 1_000_000
)  # clocks change on the half hour [µs]: one look at the zone serves all that begins in it

# What is united, and the entries it is the union of.
UNIONS: dict[str, str] = {
    **{
        name: f"activity_class in ({', '.join(map(quote_literal, c))})"
        for name, c in SELLING_DEFINITIONS.items()
    },
    **{f"{c}_class_hours": f"activity_class = {quote_literal(c)}" for c in ACTIVITY_CLASSES},
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
    """Make the SQL macro ``activity_class(subject, has_client)`` from the analyst's table.

    The first match decides; a pattern matches whole words anywhere in the subject.  A rule that
    needs a client matches only where `has_client` says that one was among the attendees.  Serves
    the subjects of ``parsed_activities``.
    """
    is_other = connection.execute(
        "select 1 from parsed_activities where strlen(subject) <> length(subject) "
        f"and not regexp_full_match(subject, '{WESTERN}') limit 1"
    ).fetchone()
    word = WORD if is_other else WESTERN_WORD
    cases = " ".join(
        f"when {'has_client and ' if r.needs_client else ''}"
        f"regexp_matches(subject, {quote_literal(WHOLE_WORDS.format(word=word, pattern=r.pattern))}, 'i') "
        f"then {quote_literal(r.activity_class)}"
        for r in rules
    )
    case = f"case {cases} else 'unclassified' end" if rules else "'unclassified'"
    connection.execute(f"create macro activity_class(subject, has_client) as {case}")


def define_client_activities(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``client_activities``, the ids of activities with a client among the attendees.

    Read before attendees are judged, from what came in; who declined or was taken off the list did
    not attend.  Needs ``parsed_attendees`` and ``parsed_activities``.
    """
    connection.execute(
        """
        create or replace temp table client_activities as
        select activity_id from parsed_attendees
        where activity_id is not null and is_deleted is not true
          and lower(answer) is distinct from 'declined'
          and coalesce(side, case when relation_id[1:3] in ('003', '00Q') then 'customer' end)
            = 'customer'
        union
        select activity_id from parsed_activities
        where activity_id is not null and who_id[1:3] in ('003', '00Q')"""
    )


def define_late_stages(connection: duckdb.DuckDBPyConnection, stages: Sequence[str]) -> None:
    """Make the SQL macro ``is_late_stage(stage)``.

    Past proposal, by the analyst's list, case and punctuation aside.
    """
    keys = connection.execute("select distinct name_key(unnest(?::varchar[]))", [list(stages)])
    listed = ", ".join(quote_literal(key) for (key,) in sorted(keys.fetchall())) or "''"
    connection.execute(f"create macro is_late_stage(stage) as name_key(stage) in ({listed})")


def _seconds(condition: str, until: str) -> str:
    """Return the SQL of the seconds that rows of `condition` add to those before them, which end by
    `until`.
    """
    return f"coalesce(sum(greatest(0, until_s - greatest(from_s, coalesce({until}, from_s)))) filter ({condition}), 0)"


def _timed(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``dated``, every entry with its rep's day, and ``timed``, those with a length cut at the
    rep's midnights.
    """
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
    """Make the table ``rep_day_hours`` from the clean ``activities``, ``stage_history_checks`` and
    ``reps``.

    A row is a rep and local day with an activity begun or time passed in one: hours under each
    definition of selling, hours of each class alone, selling hours on opportunities past proposal
    (missing where no history of stages is known) and hours logged at all [h]; the number of
    activities, how many of them are whole days off, selling and neither, and how many of each kind.
    """
    _timed(connection)
    # Where no two entries of a day overlap the union is the sum; windows are for the other days
    # alone.
    alone = ", ".join(
        f"coalesce(sum(until_s - from_s) filter ({c}), 0) as {quote_identifier(m)}"
        for m, c in UNIONS.items()
    )
    ends = ", ".join(
        f"max(until_s) filter ({c}) over before as {quote_identifier('until ' + m)}"
        for m, c in UNIONS.items()
    )
    united = ", ".join(
        f"{_seconds(c, quote_identifier('until ' + m))} as {quote_identifier(m)}"
        for m, c in UNIONS.items()
    )
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
        f"coalesce({quote_identifier(m)}, 0) / 3600.0 as {quote_identifier(m)}"
        for m in UNIONS
        if m != "late_selling_hours"
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


ALL_SOURCES = "all sources"
LONG_DAY_HOURS = 12  # a rep-day with more is no error, and worth a look


class HoursStep(NamedTuple):
    """What one step left of a source's hours; `n_rows` are those it took, or that are there."""

    source_file: str
    kind: str
    step: str
    n_rows: int
    hours_before: float
    hours_after: float
    is_junk: bool
    reason: str


class HoursSource(NamedTuple):
    """One source: the hours it claims, the share of them that is junk, and whether it is refused."""

    source_file: str
    kind: str
    n_rows: int
    exported_hours: float
    junk_hours: float
    junk_share: float
    counted_hours: float
    is_refused: bool


_EXPORTED = """
create or replace temp table source_rows as
with aside as (
  select s.source_file, any_value(p.kind) as kind, s.rule, s.minutes
  from (select *, row_number() over () as n from set_aside where table_name = 'activities') s
  left join parsed_activities p on p.source_file = s.source_file and p.source_row = s.source_row
  group by s.n, s.source_file, s.rule, s.minutes)
select source_file, coalesce(kind, 'unknown') as kind, rule, count(*) as n_rows,
  round(coalesce(sum(greatest(minutes, 0)), 0) / 60, 4) as hours
from (select source_file, kind, null as rule, minutes from activities where not is_all_day
  union all by name select source_file, kind, 'all_day' as rule, minutes from activities where is_all_day
  union all by name select source_file, kind, rule, minutes from aside)
group by all;
"""


def judge_sources(
    connection: duckdb.DuckDBPyConnection, rules: Iterable[Rule], max_junk_share: float
) -> tuple[HoursSource, ...]:
    """Make ``refused_sources`` and ``refused_reps`` from the activities just judged.

    Return every source.

    Needs ``parsed_activities``, ``activities`` and ``set_aside_checks``.  What is counted is not
    known yet.
    """
    junk = [r.name for r in rules if r.is_junk]
    connection.execute(_EXPORTED)
    counts = connection.execute(
        """
        select source_file, kind, sum(n_rows)::bigint, sum(hours), coalesce(sum(hours) filter (list_contains($junk, rule)), 0)
        from source_rows where source_file is not null group by all having sum(hours) > 0 order by all""",
        {"junk": junk},
    ).fetchall()
    sources = tuple(
        HoursSource(
            file,
            kind,
            n,
            round(hours, 2),
            round(lost, 2),
            lost / hours,
            0.0,
            lost / hours > max_junk_share,
        )
        for file, kind, n, hours, lost in counts
    )
    connection.execute(
        "create or replace temp table refused_sources (source_file varchar, kind varchar)"
    )
    for source in sources:
        if source.is_refused:
            connection.execute(
                "insert into refused_sources values (?, ?)", [source.source_file, source.kind]
            )
    connection.execute(
        """
        create or replace temp table refused_reps as
        select distinct p.rep_id from parsed_activities p join refused_sources s using (source_file, kind)
        where p.rep_id is not null and p.minutes > 0"""
    )
    return sources


def _united(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """Return the hours in which at least one entry of a source ran, by source."""
    rows = connection.execute(
        """
        select source_file, kind, sum(greatest(0, until_s - greatest(from_s, coalesce(ended_s, from_s)))) / 3600.0
        from (select *, max(until_s) over (partition by source_file, kind, rep_id, day order by from_s, until_s
                rows between unbounded preceding and 1 preceding) as ended_s from timed)
        group by all"""
    ).fetchall()
    return {(file, kind): float(hours) for file, kind, hours in rows}


def hours_by_step(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[HoursSource], rules: Iterable[Rule]
) -> tuple[tuple[HoursSource, ...], tuple[HoursStep, ...]]:
    """Return the sources with the hours they count, and step by step how each comes to them.

    Needs ``timed`` and ``rep_day_hours``.  The steps of a source: as exported, each rule that took
    rows, whole days, entries at the same time as others of the source, and refusal; the steps of
    all sources together: their sum, and entries at the same time in two sources.
    """
    rule_of = {r.name: r for r in rules}
    order = {name: n for n, name in enumerate(rule_of)}
    united = _united(connection)
    taken = connection.execute(
        "select source_file, kind, rule, n_rows, hours from source_rows where rule is not null"
    )
    by_source: dict[tuple[str, str], list[tuple[str, int, float]]] = {}
    for file, kind, rule, n_rows, hours in taken.fetchall():
        by_source.setdefault((file, kind), []).append((rule, n_rows, hours))
    steps: list[HoursStep] = []
    counted = []
    for source in sources:
        name = (source.source_file, source.kind)
        left = source.exported_hours
        steps.append(
            HoursStep(
                *name,
                "as_exported",
                source.n_rows,
                left,
                left,
                is_junk=False,
                reason="every row read",
            )
        )
        for rule, n_rows, hours in sorted(
            by_source.get(name, []), key=lambda t: (order.get(t[0], -1), t[0])
        ):
            after = max(0.0, left - hours)
            reason = rule_of[rule].reason if rule in rule_of else "a cell that could not be read"
            is_junk = rule in rule_of and rule_of[rule].is_junk
            steps.append(
                HoursStep(*name, rule, n_rows, round(left, 2), round(after, 2), is_junk, reason)
            )
            left = after
        if source.is_refused:
            reason = f"{source.junk_share:.0%} of its hours are junk: refused for hours"
            steps.append(
                HoursStep(
                    *name,
                    "refused",
                    source.n_rows,
                    round(left, 2),
                    0.0,
                    is_junk=True,
                    reason=reason,
                )
            )
            left = 0.0
        union = united.get(name, 0.0)
        reason = "entries of one rep at the same time count once"
        steps.append(
            HoursStep(
                *name, "overlap", 0, round(left, 2), round(union, 2), is_junk=False, reason=reason
            )
        )
        counted.append(source._replace(counted_hours=round(union, 2)))
    total = sum(s.counted_hours for s in counted)
    row = connection.execute("select coalesce(sum(logged_hours), 0) from rep_day_hours").fetchone()
    union = float(row[0]) if row else 0.0
    reason = "entries of one rep at the same time in two sources count once"
    steps.append(
        HoursStep(
            ALL_SOURCES,
            "",
            "overlap_of_sources",
            0,
            round(total, 2),
            round(union, 2),
            False,  # noqa: FBT003
            reason,
        )
    )
    return tuple(counted), tuple(steps)


def n_long_days(connection: duckdb.DuckDBPyConnection) -> int:
    """Return on how many rep-days more than twelve hours are logged."""
    row = connection.execute(
        "select count(*) from rep_day_hours where logged_hours > ?", [float(LONG_DAY_HOURS)]
    ).fetchone()
    return int(row[0]) if row else 0
