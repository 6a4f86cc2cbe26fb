"""`alignment.toml` read into types.

The root's file holds the defaults of the house; a file of the same name in ``data/raw/<dataset>/``
overrides them key by key.  A wrong or unknown key stops the run and says which, what it was, what
is allowed and which name was probably meant.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it at run time
import re
import tomllib
from functools import cache
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from analysis.project import paths, quarters
from analysis.project.errors import read_utf8
from analysis.project.nearest_name import did_you_mean

ActivityClass = Literal[
    "selling", "preparation", "prospecting", "internal", "admin", "training", "time_off"
]
Share = Annotated[float, Field(ge=0, le=1)]
FiscalCalendar = Literal[
    "months", "4-4-5", "4-5-4", "5-4-4"
]  # the last three cut their quarters alike
Months = Annotated[int, Field(ge=1, le=12)]


class SettingsError(ValueError):
    """A key of `alignment.toml` is unknown or its value not allowed."""


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(
            f"not a time zone of the IANA list, such as {ZoneInfo('Europe/Paris').key}"
        )
    return name


def _regular_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    import duckdb  # noqa: PLC0415 - most commands start without it

    try:  # it is the database that looks for them, and knows no look-ahead
        duckdb.execute("select regexp_matches('', ?)", [f"(?:{pattern})"])
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        raise ValueError(f"not a regular expression that the database knows: {why}") from None
    return pattern


def _no_address(text: str) -> str:
    if "@" in text:
        raise ValueError("an e-mail address has no place in a report: name a role")
    return text


NO_ADDRESS = AfterValidator(_no_address)
Words = Annotated[
    str, Field(min_length=1, max_length=120), NO_ADDRESS
]  # of a page that has to hold them


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CompanySettings(_Section):
    """The company reported on: its currency, time zone and fiscal calendar."""

    name: Annotated[str, Field(max_length=120)] = ""  # empty: nobody named it
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    fiscal_calendar: FiscalCalendar = "months"  # before the month, which is read by it
    fiscal_year_start_month: Annotated[Months, Field(validate_default=True)] = 1
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    joint_executive: Annotated[str, Field(max_length=60)] = ""  # role over both sides; empty: none
    joint_executive_since: dt.date | None = None

    @property
    def has_currency(self) -> bool:
        """Whether a settings file names the reporting currency."""
        return "currency" in self.model_fields_set

    @field_validator("fiscal_year_start_month")
    @classmethod
    def _of_weeks(cls, month: int, info: ValidationInfo) -> int:
        """Let the month say that its year is one of weeks, so that every quarter reckoned by it is."""  # noqa: E501
        return (
            month
            if info.data.get("fiscal_calendar", "months") == "months"
            else quarters.StartOfWeeks(month)
        )


class WorkingTime(_Section):
    """A full-time working week, for where no working calendar is kept."""

    hours_per_day: Annotated[float, Field(gt=0, le=24)]
    weeks_per_year: Annotated[float, Field(gt=0, le=53)]


class Money(_Section):
    """What turns bookings into money.

    Shares of bookings, yearly rates, and what is believed beforehand.
    """

    gross_margin_rate: Share
    discount_rate: Share
    horizon_quarters: Annotated[int, Field(ge=1, le=40)]
    fade_rate: Share
    marketing_hour_cost_amount: Annotated[float, Field(ge=0)]
    prior_gap_points: Annotated[float, Field(ge=-50, le=50)]
    prior_gap_sd_points: Annotated[float, Field(gt=0, le=50)]


class HoursSettings(_Section):
    """When a logged hour counts."""

    longest_activity_hours: Annotated[float, Field(gt=0, le=24)]
    minimum_logged_share: Share
    max_junk_share: Share
    max_unclassified_share: Share = 0.03
    capture_low: Annotated[float, Field(gt=0, le=1)] = 0.8
    capture_high: Annotated[float, Field(gt=0, le=1)] = 1.0

    @field_validator("capture_high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        if high < info.data.get("capture_low", 0.0):
            raise ValueError(f"must be at least capture_low, {info.data['capture_low']}")
        return high


class Pipeline(_Section):
    """What the stages of an opportunity mean."""

    late_stages: tuple[str, ...]


class PeopleSettings(_Section):
    """What protects a person in a report."""

    smallest_cell: Annotated[int, Field(ge=1)]


class ReconciliationSettings(_Section):
    """How far bookings may lie from finance's control total."""

    tolerance_rate: Share


class Report(_Section):
    """Who answers for the report and who reads it."""

    owner: Words
    audience: Words


class KeyMetric(_Section):
    """A headline that everybody watches: `name` is the report's own, `target` in its unit, None
    where none is set.
    """

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=40)]
    owner: Words
    definition: Words
    target: float | None = None
    aim: Literal["at least", "at most"] = "at least"

    def is_met(self, estimate: float) -> bool:
        """Return whether an estimate meets the target; only where one is set."""
        if self.target is None:
            raise ValueError(f"{self.name} has no target")
        return estimate >= self.target if self.aim == "at least" else estimate <= self.target


class ReviewSettings(_Section):
    """The quarterly meeting at which the report is read."""

    people: Annotated[int, Field(ge=1)] = 8
    hours: Annotated[float, Field(gt=0, le=8)] = 1.5


class RequestSettings(_Section):
    """Marketing's capacity for requests in a quarter; what is not stated limits nothing and is
    reported as unknown.
    """

    capacity_hours: Annotated[float, Field(ge=0)] | None = None
    budget_amount: Annotated[float, Field(ge=0)] | None = None  # beside hours
    skill_hours: dict[str, Annotated[float, Field(ge=0)]] = {}  # of `capacity_hours`
    most_goals: Annotated[int, Field(ge=1)] | None = None  # worked on at a time

    @field_validator("skill_hours")
    @classmethod
    def _as_requests_name_them(cls, hours: dict[str, float]) -> dict[str, float]:
        """Let a skill be named as requests name it once they are clean: in small letters."""
        named = {skill.strip().lower(): limit for skill, limit in hours.items()}
        if len(named) < len(hours):
            raise ValueError(f"names a skill twice: {', '.join(sorted(hours))}")
        return named


class Standards(_Section):
    """What counts as in time or enough when practices are scored.

    The articles give the 60 days, the five working days, three to five metrics and the cadences;
    the service levels of leads are ours (24 hours is one stated practice).
    """

    first_touch_hours: Annotated[float, Field(gt=0)] = 24.0
    disposition_days: Annotated[float, Field(gt=0)] = 7.0
    recycling_days: Annotated[float, Field(gt=0)] = 7.0
    fewest_returned: Annotated[int, Field(ge=1)] = 5  # fewer returned leads say nothing
    definition_age_days: Annotated[int, Field(ge=1)] = 365
    onboarding_days: Annotated[int, Field(ge=1)] = 30
    latest_start_minutes: Annotated[float, Field(ge=0)] = 5.0
    fewest_metrics: Annotated[int, Field(ge=1)] = 3
    most_metrics: Annotated[int, Field(ge=1)] = 5
    notice_business_days: Annotated[int, Field(ge=0)] = 5
    field_days: Annotated[int, Field(ge=1)] = 2  # marketer field days a quarter
    campaign_meetings: Annotated[int, Field(ge=1)] = 1  # a quarter
    library_age_days: Annotated[int, Field(ge=1)] = 60
    n_questions: Annotated[int, Field(ge=1, le=13)] = 13  # of the vetting form


def _once(metrics: tuple[KeyMetric, ...]) -> tuple[KeyMetric, ...]:
    names = [m.name for m in metrics]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        raise ValueError(f"{twice} is named twice")
    return metrics


class ActivityRule(_Section):
    """Subjects that hold the words of `pattern` are of `activity_class`.

    A regular expression, case aside, that matches whole words anywhere in the subject; where
    `needs_client`, only with a client among the attendees.
    """

    pattern: Annotated[str, AfterValidator(_regular_expression)]
    activity_class: ActivityClass
    needs_client: bool = False


class AcceptedWarning(_Section):
    """A warning of the gate that a company takes as it is: of a check, on one table or on all."""

    check: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    table: str | None = None
    reason: Words
    accepted_on: dt.date


class Settings(BaseSettings):
    """All of `alignment.toml`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    company: CompanySettings
    working_time: WorkingTime
    money: Money
    hours: HoursSettings
    pipeline: Pipeline
    people: PeopleSettings
    reconciliation: ReconciliationSettings
    report: Report
    review: ReviewSettings = ReviewSettings()
    requests: RequestSettings = RequestSettings()
    alignment: Standards = Standards()
    key_metrics: Annotated[
        tuple[KeyMetric, ...], Field(min_length=3, max_length=5), AfterValidator(_once)
    ]
    activity_classes: tuple[ActivityRule, ...]
    accepted_warnings: tuple[AcceptedWarning, ...] = ()

    @classmethod
    # what was handed over and nothing else: no environment, no secrets folder
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read only what `load_dataset_settings` hands over."""
        return (init_settings,)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in over.items():
        old = both.get(key)
        both[key] = (
            _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both


def _read(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from None


# What the root's file alone may say: where data are sent to or read from, and who gets them.
ROOT_ONLY = ("connections", "delivery")
OWN_ONLY = "pull"  # which of the connections a dataset uses
OF_CONNECTIONS = (
    "driver", "host", "port", "url", "path", "database", "user", "password", "tls", "certificates",
)  # fmt: skip


def _without_exchange(house: dict[str, Any], own: dict[str, Any], own_file: str) -> None:
    """Take out what `exchange_settings` reads: no figure follows from it.

    Raises
    ------
    SettingsError
        If a dataset's file says where to read from or whom to send to.
    """
    for part in ROOT_ONLY:
        if part in own:
            raise SettingsError(
                f"{own_file}: {_first_key(own[part], part)} may not stand in a dataset's folder: "
                "hosts, drivers, addresses of the web and recipients stand in the root's "
                f"{paths.SETTINGS_FILE} alone."
            )
        house.pop(part, None)
    pulls = own.pop(OWN_ONLY, None)
    for key in OF_CONNECTIONS if isinstance(pulls, dict) else ():
        if key in pulls:
            raise SettingsError(
                f"{own_file}: {OWN_ONLY}.{key} may not stand in a dataset's folder: it names a "
                f"connection, and what that is stands in the root's {paths.SETTINGS_FILE} alone."
            )


def _first_key(value: Any, name: str) -> str:
    """Return the name of the first key in a table of tables, its parents before it."""
    while isinstance(value, dict | list) and value:
        step, value = next(iter(value.items() if isinstance(value, dict) else enumerate(value)))
        name = f"{name}.{step}"
    return name


def _known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    for step in path:
        inner: Any = (
            model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        )
        inner = next(iter(get_args(inner)), inner)  # of a list the kind of its entries
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)


def _complaint(problem: dict[str, Any]) -> str:
    *parents, key = problem["loc"]
    name = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known_keys = _known_keys(Settings, tuple(parents))
        hint = did_you_mean(key, known_keys)
        return f"{name} is not a setting.{hint} Known here: {', '.join(known_keys)}."
    if problem["type"] == "missing":
        return f"{name} is missing."
    return f"{name} is {problem['input']!r}: {problem['msg'].removeprefix('Value error, ')}."


def load_dataset_settings(dataset: str) -> Settings:
    """Return the settings that hold for a dataset.

    Raises
    ------
    SettingsError
        If a key is unknown or a value not allowed; the message names each.
    """
    own = paths.own_file(dataset, paths.SETTINGS_FILE)
    file = f"data/raw/{dataset}/{paths.SETTINGS_FILE}"
    house = read_utf8(
        paths.project_root() / paths.SETTINGS_FILE, paths.SETTINGS_FILE, SettingsError
    )
    return _settings(house, read_utf8(own, file, SettingsError) if own else "", file)


@cache  # by content: a file edited while a notebook is open counts at once
def _settings(house: str, own: str, own_file: str) -> Settings:
    house_values, own_values = _read(house, paths.SETTINGS_FILE), _read(own, own_file)
    _without_exchange(house_values, own_values, own_file)
    values = _merged(house_values, own_values)
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = "\n".join(f"  {_complaint(dict(problem))}" for problem in error.errors())
        file = f"{paths.SETTINGS_FILE} with {own_file}" if own else paths.SETTINGS_FILE
        raise SettingsError(f"{file}: {error.error_count()} settings are wrong\n{lines}") from None
