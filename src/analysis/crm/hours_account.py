"""The account of hours: what each source claimed, what each rule took, what a rep can have worked.

A source is an export file and a kind of entry in it.  Where more than the allowed share of its hours
lies in rows that a rule calls junk, the rest is no better: the source is refused for hours.  Its
entries still show that somebody logged; how long they took is unknown, and so are the hours of
whoever logs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from analysis.crm.rules import Rule

ALL_SOURCES = "all sources"
LONG_DAY_HOURS = 12  # a rep-day with more is no error, and worth a look


class Step(NamedTuple):
    """What one step left of a source's hours; `n_rows` are those it took, or that are there."""

    source_file: str
    kind: str
    step: str
    n_rows: int
    hours_before: float
    hours_after: float
    is_junk: bool
    reason: str


class Source(NamedTuple):
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
) -> tuple[Source, ...]:
    """Make ``refused_sources`` and ``refused_reps`` from the activities just judged; return every source.

    Needs ``parsed_activities``, ``activities`` and ``set_aside``.  What is counted is not known yet.
    """
    junk = [r.name for r in rules if r.is_junk]
    connection.execute(_EXPORTED)
    found = connection.execute(
        """
        select source_file, kind, sum(n_rows)::bigint, sum(hours), coalesce(sum(hours) filter (list_contains($junk, rule)), 0)
        from source_rows where source_file is not null group by all having sum(hours) > 0 order by all""",
        {"junk": junk},
    ).fetchall()
    sources = tuple(
        Source(file, kind, n, round(hours, 2), round(lost, 2), lost / hours, 0.0, lost / hours > max_junk_share)
        for file, kind, n, hours, lost in found
    )
    connection.execute("create or replace temp table refused_sources (source_file varchar, kind varchar)")
    for source in sources:
        if source.is_refused:
            connection.execute("insert into refused_sources values (?, ?)", [source.source_file, source.kind])
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


def ledger(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], rules: Iterable[Rule]
) -> tuple[tuple[Source, ...], tuple[Step, ...]]:
    """Return the sources with the hours they count, and step by step how each comes to them.

    Needs ``timed`` and ``rep_day_hours``.  The steps of a source: as exported, each rule that took
    rows, whole days, entries at the same time as others of the source, and refusal; the steps of all
    sources together: their sum, and entries at the same time in two sources.
    """
    known = {r.name: r for r in rules}
    order = {name: n for n, name in enumerate(known)}
    united = _united(connection)
    taken = connection.execute("select source_file, kind, rule, n_rows, hours from source_rows where rule is not null")
    by_source: dict[tuple[str, str], list[tuple[str, int, float]]] = {}
    for file, kind, rule, n_rows, hours in taken.fetchall():
        by_source.setdefault((file, kind), []).append((rule, n_rows, hours))
    steps: list[Step] = []
    counted = []
    for source in sources:
        name = (source.source_file, source.kind)
        left = source.exported_hours
        steps.append(Step(*name, "as_exported", source.n_rows, left, left, is_junk=False, reason="every row read"))
        for rule, n_rows, hours in sorted(by_source.get(name, []), key=lambda t: (order.get(t[0], -1), t[0])):
            after = max(0.0, left - hours)
            reason = known[rule].reason if rule in known else "a cell that could not be read"
            is_junk = rule in known and known[rule].is_junk
            steps.append(Step(*name, rule, n_rows, round(left, 2), round(after, 2), is_junk, reason))
            left = after
        if source.is_refused:
            reason = f"{source.junk_share:.0%} of its hours are junk: refused for hours"
            steps.append(Step(*name, "refused", source.n_rows, round(left, 2), 0.0, is_junk=True, reason=reason))
            left = 0.0
        union = united.get(name, 0.0)
        reason = "entries of one rep at the same time count once"
        steps.append(Step(*name, "overlap", 0, round(left, 2), round(union, 2), is_junk=False, reason=reason))
        counted.append(source._replace(counted_hours=round(union, 2)))
    total = sum(s.counted_hours for s in counted)
    row = connection.execute("select coalesce(sum(logged_hours), 0) from rep_day_hours").fetchone()
    union = float(row[0]) if row else 0.0
    reason = "entries of one rep at the same time in two sources count once"
    steps.append(Step(ALL_SOURCES, "", "overlap_of_sources", 0, round(total, 2), round(union, 2), False, reason))  # noqa: FBT003 - a field of a row
    return tuple(counted), tuple(steps)


def n_long_days(connection: duckdb.DuckDBPyConnection) -> int:
    """Return on how many rep-days more than twelve hours are logged."""
    row = connection.execute(
        "select count(*) from rep_day_hours where logged_hours > ?", [float(LONG_DAY_HOURS)]
    ).fetchone()
    return int(row[0]) if row else 0
