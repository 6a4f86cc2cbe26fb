"""`alignment.toml` read into types.

The root's file holds the defaults of the house; a file of the same name in ``data/raw/<dataset>/``
overrides them key by key.  A wrong or unknown key stops the run and says which, what it was, what
is allowed and which name was probably meant.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cache
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from analysis import paths

ActivityClass = Literal["selling", "preparation", "prospecting", "internal", "admin", "training", "time_off"]
Share = Annotated[float, Field(ge=0, le=1)]
Months = Annotated[int, Field(ge=1, le=12)]


class SettingsError(ValueError):
    """A key of `alignment.toml` is unknown or its value not allowed."""


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"not a time zone of the IANA list, such as {ZoneInfo('Europe/Paris').key}")
    return name


def _regular_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(_Section):
    """Whose report it is, in which money and calendar."""

    name: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    fiscal_year_start_month: Months = 1
    time_zone: Annotated[str, AfterValidator(_time_zone)]


class WorkingTime(_Section):
    """What a full-time working week is, where no working calendar says better."""

    hours_per_day: Annotated[float, Field(gt=0, le=24)]
    weeks_per_year: Annotated[float, Field(gt=0, le=53)]


class Money(_Section):
    """The company's margins: shares of bookings, yearly rates."""

    gross_margin_rate: Share
    discount_rate: Share
    horizon_quarters: Annotated[int, Field(ge=1, le=40)]
    fade_rate: Share


class Hours(_Section):
    """When a logged hour counts."""

    longest_activity_hours: Annotated[float, Field(gt=0, le=24)]
    minimum_logged_share: Share
    max_junk_share: Share


class Pipeline(_Section):
    """What the stages of an opportunity mean."""

    late_stages: tuple[str, ...]


class People(_Section):
    """What protects a person in a report."""

    smallest_cell: Annotated[int, Field(ge=1)]


class Reconciliation(_Section):
    """How far bookings may lie from finance's control total."""

    tolerance_rate: Share


class Report(_Section):
    """Who answers for the report and who reads it."""

    owner: str
    audience: str


class ActivityRule(_Section):
    """Subjects that match `pattern` (case-insensitive regular expression) are of `activity_class`."""

    pattern: Annotated[str, AfterValidator(_regular_expression)]
    activity_class: ActivityClass


class Settings(BaseSettings):
    """All of `alignment.toml`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    company: Company
    working_time: WorkingTime
    money: Money
    hours: Hours
    pipeline: Pipeline
    people: People
    reconciliation: Reconciliation
    report: Report
    activity_classes: tuple[ActivityRule, ...]

    @classmethod
    def settings_customise_sources(  # what was handed over and nothing else: no environment, no secrets folder
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read only what `load` hands over."""
        return (init_settings,)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in over.items():
        old = both.get(key)
        both[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


def _read(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from None


def _known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    for step in path:
        inner: Any = model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        inner = next(iter(get_args(inner)), inner)  # of a list the kind of its entries
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)


def _complaint(problem: dict[str, Any]) -> str:
    *parents, key = problem["loc"]
    name = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known = _known_keys(Settings, tuple(parents))
        near = difflib.get_close_matches(str(key), known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"{name} is not a setting.{hint} Known here: {', '.join(known)}."
    if problem["type"] == "missing":
        return f"{name} is missing."
    return f"{name} is {problem['input']!r}: {problem['msg'].removeprefix('Value error, ')}."


def load(dataset: str) -> Settings:
    """Return the settings that hold for a dataset.

    Raises
    ------
    SettingsError
        If a key is unknown or a value not allowed; the message names each.
    """
    own = paths.raw(dataset) / paths.SETTINGS_FILE
    file = f"data/raw/{dataset}/{own.name}"
    house = (paths.root() / paths.SETTINGS_FILE).read_text(encoding="utf-8")
    return _settings(house, own.read_text(encoding="utf-8") if own.is_file() else "", file)


@cache  # by content: a file edited while a notebook is open counts at once
def _settings(house: str, own: str, own_file: str) -> Settings:
    values = _merged(_read(house, paths.SETTINGS_FILE), _read(own, own_file))
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = "\n".join(f"  {_complaint(dict(problem))}" for problem in error.errors())
        file = f"{paths.SETTINGS_FILE} with {own_file}" if own else paths.SETTINGS_FILE
        raise SettingsError(f"{file}: {error.error_count()} settings are wrong\n{lines}") from None
