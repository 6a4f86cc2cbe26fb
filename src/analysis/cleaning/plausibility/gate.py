"""The gate: every check read once, causes before their consequences, and the verdict for each
question.

A question is withheld where a finding that decides it is above its upper limit, warned of where one
is above the lower, or where it only touches the question.  A dataset's settings can accept a
warning by name, with a reason and a day; a withheld answer cannot be had that way.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - of a NamedTuple
from typing import TYPE_CHECKING, Literal, NamedTuple

from analysis.cleaning.plausibility import (
    absent_controls,
    amount_checks,
    date_checks,
    hours_checks,
    intake_checks,
    interval_checks,
    outcome_checks,
    ownership_checks,
    pay_checks,
    period_checks,
    programme_checks,
    reference_checks,
    set_aside_checks,
    stage_history_checks,
    target_checks,
)
from analysis.cleaning.plausibility.checks import (
    CheckReading,
    Severity,
    limit_of,
    read_limits,
    reading_severity,
)
from analysis.cleaning.plausibility.dataset import Dataset
from analysis.cleaning.plausibility.questions import NEEDS, QUESTIONS, is_answerable
from analysis.project.nearest_name import did_you_mean
from analysis.project.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import duckdb

    from analysis.cleaning.pipeline import Audit
    from analysis.project.settings import AcceptedWarning, Settings

Status = Literal["answered", "warned", "withheld", "not asked"]

CHECKS = (
    intake_checks.refused_files,
    intake_checks.incomplete_files,
    intake_checks.partial_notations,
    set_aside_checks.rows_set_aside,
    set_aside_checks.money_set_aside,
    set_aside_checks.uneven_values,
    set_aside_checks.deciding_cells,
    set_aside_checks.differing_versions,
    reference_checks.unknown_ids,
    reference_checks.unknown_parents,
    reference_checks.reps_without,
    reference_checks.bookings_without_team,
    reference_checks.people_without_users,
    reference_checks.teams_of_users,
    programme_checks.teams_of_programme,
    programme_checks.begun_programme,
    outcome_checks.one_sided,
    outcome_checks.one_sided_parts,
    outcome_checks.open_by_due_date,
    outcome_checks.same_deal_again,
    outcome_checks.win_rate_of_a_month,
    outcome_checks.contradicted_outcomes,
    outcome_checks.owners_of_deals,
    outcome_checks.dates_of_closes,
    stage_history_checks.against_history,
    ownership_checks.work_of_others,
    ownership_checks.accounts_of_stays,
    date_checks.dates_out_of_order,
    date_checks.meetings_on_rest_days,
    period_checks.periods_with_fewer_rows,
    period_checks.tables_that_end_early,
    interval_checks.ends_of_intervals,
    interval_checks.quarters_without,
    pay_checks.pay_out_of_scale,
    hours_checks.hours_of_reps,
    hours_checks.hours_counted,
    hours_checks.odd_entries,
    amount_checks.finance_gap,
    amount_checks.reporting_currency,
    amount_checks.rates_out_of_range,
    amount_checks.rates_apart,
    amount_checks.scale_of_amounts,
    target_checks.bookings_against_quotas,
    target_checks.quotas_of_other_periods,
    target_checks.quotas_out_of_scale,
    pay_checks.pay_against_quotas,
    pay_checks.pay_out_of_range,
    target_checks.sums_among_quotas,
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
    """What the findings mean for one question, and the checks that decide it."""

    status: Status
    checks: tuple[str, ...]


class Gate(NamedTuple):
    """All findings of the gate on a dataset, and its verdict for each question."""

    findings: tuple[Finding, ...]
    questions: dict[str, Verdict]
    controls_absent: tuple[absent_controls.AbsentControl, ...]


class _Alarm(NamedTuple):
    reading: CheckReading
    severity: Severity
    questions: tuple[str, ...]  # those that no cause of it covers
    accepted: Acceptance | None

    def severity_for(self, question: str) -> Severity:
        return self.severity if question in self.reading.bearing.decides else "warn"


def read_checks(data: Dataset) -> Iterator[CheckReading]:
    """Yield every reading of every check; a check whose tables are absent says nothing."""
    for check in CHECKS:
        yield from check(data)


def require_known(accepted: Iterable[AcceptedWarning]) -> None:
    """Refuse settings that accept a warning of a check that does not exist.

    Raises
    ------
    SettingsError
        If a name is that of no check; the message says the nearest.
    """
    names = sorted({name.split()[0] for name in read_limits()})
    for entry in accepted:
        if entry.check not in names:
            raise SettingsError(
                f"accepted_warnings: {entry.check} is no "
                f"check.{did_you_mean(entry.check, names)} "
                f"Checks: {', '.join(names)}."
            )


def _acceptance(reading: CheckReading, accepted: Iterable[AcceptedWarning]) -> Acceptance | None:
    for entry in accepted:
        if entry.check == reading.check and entry.table in (None, reading.table):
            return Acceptance(entry.reason, entry.accepted_on)
    return None


def _alarms(readings: Iterable[CheckReading], accepted: Sequence[AcceptedWarning]) -> list[_Alarm]:
    """Return the readings above their limit, of a check and table the gravest only.

    Withheld ones first.
    """
    worst: dict[tuple[str, str | None, str], _Alarm] = {}
    for reading in readings:
        level = reading_severity(reading)
        if level is None or not reading.bearing.questions:
            continue
        key = (reading.check, reading.table, reading.sentence if reading.table is None else "")
        if key not in worst or reading.value > worst[key].reading.value:
            taken = _acceptance(reading, accepted) if level == "warn" else None
            worst[key] = _Alarm(reading, level, reading.bearing.questions, taken)
    return sorted(
        worst.values(), key=lambda a: (a.severity == "warn", -a.reading.value, a.reading.check)
    )


def _without_echoes(alarms: list[_Alarm]) -> list[_Alarm]:
    """Take out of each alarm the questions on which a cause of it is at least as grave."""
    named: dict[str, list[_Alarm]] = {}
    for alarm in alarms:
        named.setdefault(alarm.reading.check, []).append(alarm)
    left = []
    for alarm in alarms:
        causes = [
            cause
            for name in limit_of(alarm.reading).echo_of
            for cause in named.get(name, [])
            if cause is not alarm
        ]
        own = tuple(
            q for q in alarm.questions if not any(_covers(cause, alarm, q) for cause in causes)
        )
        if own:
            left.append(alarm._replace(questions=own))
    return left


def _covers(cause: _Alarm, echo: _Alarm, question: str) -> bool:
    return question in cause.questions and (
        cause.severity_for(question) == "withhold" or echo.severity_for(question) == "warn"
    )


def _verdict(question: str, alarms: list[_Alarm], n_in: dict[str, int]) -> Verdict:
    mine = [a for a in alarms if question in a.questions]
    if not is_answerable(question, n_in):
        return Verdict(
            "not asked",
            tuple(
                dict.fromkeys(a.reading.check for a in mine if a.reading.check == "file_refused")
            ),
        )
    levels: tuple[tuple[Status, Severity], ...] = (("withheld", "withhold"), ("warned", "warn"))
    for status, level in levels:
        decisive = [a for a in mine if a.severity_for(question) == level and a.accepted is None]
        if decisive:
            return Verdict(status, tuple(dict.fromkeys(a.reading.check for a in decisive)))
    return Verdict("answered", ())


def judge_dataset(connection: duckdb.DuckDBPyConnection, account: Audit, house: Settings) -> Gate:
    """Return what a dataset's clean tables and panels, as they stand in the database, can answer."""
    data = Dataset(connection, account, house)
    alarms = _without_echoes(_alarms(read_checks(data), house.accepted_warnings))
    return Gate(
        tuple(_finding(a) for a in alarms),
        {q: _verdict(q, alarms, data.n_in) for q in QUESTIONS if q in NEEDS},
        absent_controls.absent_controls(data),
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
