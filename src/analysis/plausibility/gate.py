"""The gate: every check read once, causes before echoes, and per question what it comes to.

A question is withheld where a finding that decides it is above its upper limit, warned of where one
is above the lower, or where it only touches the question.  A dataset's settings can accept a warning
by name, with a reason and a day; a withheld answer cannot be had that way.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - of a NamedTuple
import difflib
from typing import TYPE_CHECKING, Literal, NamedTuple

from analysis.plausibility import (
    controls,
    intake,
    intervals,
    money,
    months,
    outcomes,
    references,
    set_aside,
    stage_history,
    targets,
    working_hours,
)
from analysis.plausibility.checks import Reading, Severity, limit_of, limits, severity
from analysis.plausibility.dataset import Dataset
from analysis.plausibility.questions import NEEDS, QUESTIONS, asked
from analysis.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import duckdb

    from analysis.crm.clean import Audit
    from analysis.settings import AcceptedWarning, Settings

Status = Literal["answered", "warned", "withheld", "not asked"]

CHECKS = (
    intake.refused_files,
    intake.incomplete_files,
    intake.notations,
    set_aside.rows_set_aside,
    set_aside.money_set_aside,
    set_aside.uneven_values,
    set_aside.deciding_cells,
    set_aside.versions,
    references.unknown_ids,
    references.unknown_parents,
    references.reps_without,
    references.bookings_without_team,
    references.teams_of_users,
    outcomes.one_sided,
    outcomes.one_sided_parts,
    outcomes.same_deal_again,
    outcomes.win_rate_of_a_month,
    outcomes.contradictions,
    outcomes.owners,
    outcomes.dates_of_closes,
    stage_history.against_history,
    months.periods_with_fewer_rows,
    months.tables_that_end_early,
    intervals.ends_of_intervals,
    intervals.quarters_without,
    intervals.pay_out_of_scale,
    working_hours.hours_of_reps,
    working_hours.hours_counted,
    working_hours.entries,
    money.finance_gap,
    money.reporting_currency,
    money.rates_out_of_range,
    money.rates_apart,
    money.scale_of_amounts,
    targets.bookings_against_quotas,
    targets.pay_against_quotas,
    targets.sums_among_quotas,
)


class Acceptance(NamedTuple):
    """Why a company takes a warning as it is, and since when."""

    reason: str
    accepted_on: dt.date


class Finding(NamedTuple):
    """A reading above its limit: what it bears on, how gravely, and what to do about it."""

    check: str
    table: str | None
    questions: tuple[str, ...]
    severity: Severity
    value: float
    n: int
    sentence: str
    remedy: str
    examples: tuple[str, ...]
    accepted: Acceptance | None


class Verdict(NamedTuple):
    """What the findings come to for one question, and the checks that decide it."""

    status: Status
    checks: tuple[str, ...]


class Gate(NamedTuple):
    """All that the gate has to say of a dataset."""

    findings: tuple[Finding, ...]
    questions: dict[str, Verdict]
    controls_absent: tuple[controls.AbsentControl, ...]


class _Alarm(NamedTuple):
    reading: Reading
    severity: Severity
    questions: tuple[str, ...]  # those that no cause of it covers
    accepted: Acceptance | None

    def severity_for(self, question: str) -> Severity:
        return self.severity if question in self.reading.bearing.decides else "warn"


def readings(data: Dataset) -> Iterator[Reading]:
    """Yield every reading of every check; a check whose tables are absent says nothing."""
    for check in CHECKS:
        yield from check(data)


def require_known(accepted: Iterable[AcceptedWarning]) -> None:
    """Refuse settings that accept a warning of no check.

    Raises
    ------
    SettingsError
        If a name is that of no check; the message says the nearest.
    """
    names = sorted({name.split()[0] for name in limits()})
    for entry in accepted:
        if entry.check not in names:
            near = difflib.get_close_matches(entry.check, names, n=1)
            raise SettingsError(
                f"accepted_warnings: {entry.check} is no check.{f' Did you mean {near[0]}?' if near else ''} "
                f"Checks: {', '.join(names)}."
            )


def _acceptance(reading: Reading, accepted: Iterable[AcceptedWarning]) -> Acceptance | None:
    for entry in accepted:
        if entry.check == reading.check and entry.table in (None, reading.table):
            return Acceptance(entry.reason, entry.accepted_on)
    return None


def _alarms(found: Iterable[Reading], accepted: Sequence[AcceptedWarning]) -> list[_Alarm]:
    """Return the readings above their limit, of a check and table the gravest only; withheld ones first."""
    worst: dict[tuple[str, str | None, str], _Alarm] = {}
    for reading in found:
        level = severity(reading)
        if level is None or not reading.bearing.questions:
            continue
        key = (reading.check, reading.table, reading.sentence if reading.table is None else "")
        if key not in worst or reading.value > worst[key].reading.value:
            taken = _acceptance(reading, accepted) if level == "warn" else None
            worst[key] = _Alarm(reading, level, reading.bearing.questions, taken)
    return sorted(worst.values(), key=lambda a: (a.severity == "warn", -a.reading.value, a.reading.check))


def _without_echoes(alarms: list[_Alarm]) -> list[_Alarm]:
    """Take out of each alarm the questions on which a cause of it is at least as grave."""
    named: dict[str, list[_Alarm]] = {}
    for alarm in alarms:
        named.setdefault(alarm.reading.check, []).append(alarm)
    left = []
    for alarm in alarms:
        causes = [
            cause for name in limit_of(alarm.reading).echo_of for cause in named.get(name, []) if cause is not alarm
        ]
        own = tuple(q for q in alarm.questions if not any(_covers(cause, alarm, q) for cause in causes))
        if own:
            left.append(alarm._replace(questions=own))
    return left


def _covers(cause: _Alarm, echo: _Alarm, question: str) -> bool:
    return question in cause.questions and (
        cause.severity_for(question) == "withhold" or echo.severity_for(question) == "warn"
    )


def _verdict(question: str, alarms: list[_Alarm], n_in: dict[str, int]) -> Verdict:
    mine = [a for a in alarms if question in a.questions]
    if not asked(question, n_in):
        return Verdict(
            "not asked", tuple(dict.fromkeys(a.reading.check for a in mine if a.reading.check == "file_refused"))
        )
    levels: tuple[tuple[Status, Severity], ...] = (("withheld", "withhold"), ("warned", "warn"))
    for status, level in levels:
        decisive = [a for a in mine if a.severity_for(question) == level and a.accepted is None]
        if decisive:
            return Verdict(status, tuple(dict.fromkeys(a.reading.check for a in decisive)))
    return Verdict("answered", ())


def judge(connection: duckdb.DuckDBPyConnection, account: Audit, house: Settings) -> Gate:
    """Return what a dataset's clean tables and panels, as they stand in the database, can answer."""
    data = Dataset(connection, account, house)
    alarms = _without_echoes(_alarms(readings(data), house.accepted_warnings))
    return Gate(
        tuple(_finding(a) for a in alarms),
        {q: _verdict(q, alarms, data.n_in) for q in QUESTIONS if q in NEEDS},
        controls.absent(data),
    )


def _finding(alarm: _Alarm) -> Finding:
    r = alarm.reading
    return Finding(
        r.check,
        r.table,
        alarm.questions,
        alarm.severity,
        round(r.value, 4),
        r.n,
        r.sentence,
        r.remedy or limit_of(r).remedy,
        r.examples,
        alarm.accepted,
    )
