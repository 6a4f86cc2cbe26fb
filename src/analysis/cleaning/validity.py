"""Rows that are valid from one day to another.

Which tables have them, and how their last days are meant.

The house reads ``[start, end)``: the end is the first day that no longer counts.  Whoever writes
the last day that does count leaves a day between each row and the next; a file whose rows all do so
is taken at its word.  A row left open ends where the next one of its key begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analysis.sources.cells import notation
from analysis.sources.cells.reading import is_minority
from analysis.sources.database import quote_identifier
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import duckdb

    from analysis.sources import intake
    from analysis.tables.columns import Kind

    Action = Literal["quarantine", "drop", "flag"]

SQL = read_statements(__name__)


class IntervalColumns(NamedTuple):
    """The columns of a table that name what a row is about, and its first and last day.

    `is_single`: of one key only one row can hold on a day.  `may_be_open`: a blank end says that it
    still holds, unless a later one begins.
    """

    key: tuple[str, ...]
    start: str = "valid_from"
    end: str = "valid_to"
    is_single: bool = False
    may_be_open: bool = False


_PERIOD = ("period_start", "period_end")
INTERVALS: dict[str, IntervalColumns] = {
    "rep_team_history": IntervalColumns(("rep_id",), is_single=True, may_be_open=True),
    "compensation": IntervalColumns(("rep_id",), is_single=True, may_be_open=True),
    "quotas": IntervalColumns(("rep_id",), *_PERIOD, is_single=True),
    "incentives": IntervalColumns(("team_id", "side"), *_PERIOD, is_single=True),
    "hours_shifters": IntervalColumns(("kind", "rep_id", "team_id"), "start_date", "end_date"),
    "sales_ready_definitions": IntervalColumns(("team_id",)),
    "target_accounts": IntervalColumns(("team_id", "side", "account_id")),
    "goals": IntervalColumns(("team_id", "metric"), *_PERIOD),
    "plans": IntervalColumns(("team_id", "side"), *_PERIOD),
    "activity_targets": IntervalColumns(("team_id", "campaign_type"), *_PERIOD),
    "programme_costs": IntervalColumns(("team_id", "kind"), *_PERIOD),
}
EVER, NEVER = "date '0001-01-01'", "date '9999-12-31'"
FEW_ENDS = 3  # where rows stand alone, fewer may fall on the last of a month by chance
LEFT_OPEN, OVERLAP, GAP, ONE_DAY = (
    "left_open",
    "overlapping_interval",
    "gap_before",
    "gap_of_one_day",
)
_OWN_OVERLAP = {"rep_team_history"}  # its rule is called overlapping_membership


def interval_rules(table: str) -> list[tuple[str, Action, str, str]]:
    """Return the rules that a table of intervals has: name, action, SQL and reason."""
    if table not in INTERVALS or not (one := INTERVALS[table]).is_single:
        return []
    key = ", ".join(map(quote_identifier, one.key))
    start, end = (
        f"coalesce({quote_identifier(one.start)}, {EVER})",
        f"coalesce({quote_identifier(one.end)}, {NEVER})",
    )
    before = (
        f"max({end}) over (partition by {key} order by {start}, source_file, source_row "
        "rows between unbounded preceding and 1 preceding)"
    )
    rules: list[tuple[str, Action, str, str]] = [
        (
            GAP,
            "flag",
            f"{start} - {before} > 1",
            "begins days after the row before it ends: on those days nothing holds",
        ),
        (
            ONE_DAY,
            "flag",
            f"{start} - {before} = 1",
            "begins a day after the row before it ends, which others of its file do not",
        ),
    ]
    if one.may_be_open:
        why = "had no last day when the next one began: taken to end there"
        rules.append((LEFT_OPEN, "flag", "coalesce(was_left_open, false)", why))
    if table not in _OWN_OVERLAP:
        why = (
            "begins while an earlier one of the same still runs: both cannot hold, and the "
            "earlier one does"
        )
        rules.append((OVERLAP, "quarantine", f"{start} < {before}", why))
    return rules


def interval_work(table: str) -> dict[str, Kind]:
    """Return the work columns that the rules of `interval_rules` read."""
    return (
        {"was_left_open": "boolean"} if table in INTERVALS and INTERVALS[table].may_be_open else {}
    )


class _Counts(NamedTuple):
    n_ends: int  # rows with an end
    n_pairs: int  # of them followed by another of their key
    n_meet: int  # the end is the next start
    n_day_before: int  # the end is the day before the next start
    n_month_ends: int  # ends on the last day of a month
    n_one_day: int  # begins and ends on one day


def _counts(
    connection: duckdb.DuckDBPyConnection, table: str, one: IntervalColumns, file: str
) -> _Counts:
    if statement := SQL.get(f"end_counts_of_{table}"):
        counted = connection.execute(statement, {"file": file})
    else:
        values = {
            "parsed": f"parsed_{table}",
            "key": list(one.key),
            "begins": one.start,
            "ends": one.end,
            "file": file,
        }
        counted = connection.execute(SQL["end_counts"], values)
    row = counted.fetchone()
    return _Counts(*(row or (0,) * 6))


def _is_last_day(counts: _Counts, *, is_single: bool) -> tuple[bool | None, str]:
    """Return whether the ends of a file are last days, nothing where they contradict each other,
    and the evidence.
    """
    n, close = counts, counts.n_meet + counts.n_day_before
    least = 1 if is_single else FEW_ENDS
    if n.n_day_before and is_minority(n.n_meet, n.n_day_before) and 2 * n.n_day_before >= n.n_pairs:
        return True, f"{n.n_day_before:,} of {n.n_pairs:,} are the day before the next one begins"
    if n.n_meet and n.n_day_before and not is_minority(n.n_day_before, n.n_meet):
        return (
            None,
            f"{n.n_meet:,} are the day the next one begins, {n.n_day_before:,} the day before",
        )
    if not close and n.n_ends >= least and is_minority(n.n_ends - n.n_month_ends, n.n_month_ends):
        return True, f"{n.n_month_ends:,} of {n.n_ends:,} are the last of a month"
    if (
        not close
        and not is_single
        and n.n_one_day
        and not is_minority(n.n_one_day, n.n_ends - n.n_one_day)
    ):
        return (
            True,
            (
                f"{n.n_one_day:,} of {n.n_ends:,} are the day it begins on, which is then a day "
                "and not none"
            ),
        )
    return False, ""


def _stated_last_day(table: str, export: intake.Export, own: Mapping[str, Any]) -> str | None:
    layout = next(e for e in export.layouts if e.table == table)
    return notation.reading_hints(
        {**dict(layout.reading), **own}, export.file, layout.map_name
    ).last_day


def _settle_file(
    connection: duckdb.DuckDBPyConnection, table: str, export: intake.Export, own: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Read the ends of one file as they are meant; return what is to be noted and warned of."""
    one, last_day_kind = INTERVALS[table], _stated_last_day(table, export, own)
    counts = _counts(connection, table, one, export.file)
    is_last, why = _is_last_day(counts, is_single=one.is_single)
    if last_day_kind is not None:
        is_last, why = last_day_kind == "inclusive", "so the reading of fields.toml says"
    if is_last is None:
        warning = (
            f"{table}: its {one.end} are of two kinds ({why}); taken as the first day that no "
            "longer counts. "
            f'Say last_day = "inclusive" or "exclusive" under [reading."{export.file}"] of '
            "fields.toml"
        )
        return [], [warning]
    if not is_last:
        return [], []
    end = quote_identifier(one.end)
    connection.execute(
        f"update {quote_identifier('parsed_' + table)} set {end} = day_after({end}) "
        "where source_file = $file",
        {"file": export.file},
    )
    return [
        f"{table}: {one.end} is the last day that counts ({why}), so each ends the day after"
    ], []


def _close(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """End each row left open where the next one of its key begins.

    A stay in a team only where most stays are ended: one left open beside a later one contradicts
    it then (two teams at once).  A later pay is what holds from then on.
    """
    if table == "rep_team_history":
        n_open, n_followed = connection.execute(SQL["open_stays"]).fetchone() or (0, 0)
        if 2 * n_open <= n_followed:
            return
    connection.execute(SQL[f"close_{table}"])


def settle_intervals(
    connection: duckdb.DuckDBPyConnection, intake: intake.Intake, own: Mapping[str, Any]
) -> intake.Intake:
    """Set the end of every interval of the typed tables to the day that was meant.

    Say in the intake's notes where that is no default.
    """
    connection.execute(SQL["macros"])
    exports = list(intake.exports)
    for table, one in INTERVALS.items():
        for place, export in enumerate(exports):
            if any(e.table == table for e in export.layouts):
                notes, warnings = _settle_file(connection, table, export, own)
                exports[place] = export._replace(
                    notes=(*export.notes, *notes), warnings=(*export.warnings, *warnings)
                )
        if one.may_be_open:
            _close(connection, table)
    return intake._replace(exports=exports)
