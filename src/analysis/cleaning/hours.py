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

from analysis.sources.database import quote_literal, set_variable
from analysis.sources.sql_files import read_statements

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

SQL = read_statements(__name__)


def define_classes(connection: duckdb.DuckDBPyConnection, rules: Sequence[ActivityRule]) -> None:
    """Make the SQL macro ``activity_class(subject, has_client)`` from the analyst's table.

    The first match decides; a pattern matches whole words anywhere in the subject.  A rule that
    needs a client matches only where `has_client` says that one was among the attendees.  Serves
    the subjects of ``parsed_activities``.
    """
    is_other = connection.execute(SQL["other_script"], {"western": WESTERN}).fetchone()
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
    connection.execute(SQL["client_activities"])


def define_late_stages(connection: duckdb.DuckDBPyConnection, stages: Sequence[str]) -> None:
    """Make the SQL macro ``is_late_stage(stage)``.

    Past proposal, by the analyst's list, case and punctuation aside.
    """
    keys = connection.execute("select distinct name_key(unnest(?::varchar[]))", [list(stages)])
    set_variable(connection, "late_stages", [key for (key,) in keys.fetchall()])
    connection.execute(SQL["late_stages"])


def by_day(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``rep_day_hours`` from the clean ``activities``, ``stage_history_checks`` and
    ``reps``.

    A row is a rep and local day with an activity begun or time passed in one: hours under each
    definition of selling, hours of each class alone, selling hours on opportunities past proposal
    (missing where no history of stages is known) and hours logged at all [h]; the number of
    activities, how many of them are whole days off, selling and neither, and how many of each kind.
    Makes ``timed``, entries with a length cut at the rep's midnights, and ``meeting_starts``, on
    the way.
    """
    connection.execute(SQL["timed"])
    connection.execute(SQL["rep_day_hours"])


ALL_SOURCES = "all sources"
LONG_DAY_HOURS = 12  # a rep-day with more is no error, and worth a look


class HoursStep(NamedTuple):
    """What one step left of a source's hours; `n_rows` counts the rows it removed, or that were
    there.
    """

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


def judge_sources(
    connection: duckdb.DuckDBPyConnection, rules: Iterable[Rule], max_junk_share: float
) -> tuple[HoursSource, ...]:
    """Make ``refused_sources`` and ``refused_reps`` from the activities just judged.

    Return every source.

    Needs ``parsed_activities``, ``activities`` and ``set_aside_checks``.  What is counted is not
    known yet.
    """
    junk = [r.name for r in rules if r.is_junk]
    connection.execute(SQL["source_rows"])
    counts = connection.execute(SQL["hours_by_source"], {"junk": junk}).fetchall()
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
    connection.execute(SQL["refused_reps"])
    return sources


def _united(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """Return the hours in which at least one entry of a source ran, by source; drop ``timed``."""
    rows = connection.execute(SQL["united_hours"]).fetchall()
    connection.execute("drop table timed")
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
