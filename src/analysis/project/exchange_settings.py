"""Where tables come from and reports go to: `[connections]` and `[delivery]` of the root's file.

Hosts, drivers, addresses of the web and recipients stand in the root's ``alignment.toml`` alone: a
dataset's folder was received, and may only name a connection that lets it.  Passwords stand in no
file of the project.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it at run time
import re
import tomllib
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from analysis.project import paths
from analysis.project.errors import read_utf8
from analysis.project.nearest_name import did_you_mean
from analysis.project.settings import SettingsError

DatasetName = Annotated[str, Field(pattern=f"^(?:{paths.DATASET_NAME.pattern})$")]
Host = Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|/[^\s?#%]{1,200})$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.$@ -]{0,62}$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
LOOPBACK = ("127.0.0.1", "::1", "localhost")
ADDRESS = re.compile(
    r"[A-Za-z0-9.!#%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
)


def _domain(text: object) -> object:
    """Return a domain in lower case, as addresses are compared with it."""
    if isinstance(text, str) and not text.isascii():
        raise ValueError("a domain of other letters is written by its xn-- name")
    return text.lower() if isinstance(text, str) else text


def _address(text: str) -> str:
    _domain(text.rpartition("@")[2])
    if len(text) > 254 or not ADDRESS.fullmatch(text):
        raise ValueError("not an e-mail address such as revenue@acme.com")
    return text


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not an address of the web") from None
    if not host or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("not an address of the web such as https://reports.acme.com/")
    if parts.username or parts.password or port == 0:
        raise ValueError("an address of the web must hold no user and no password")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ValueError("must begin with https://")
    return text


Address = Annotated[str, AfterValidator(_address)]
Domain = Annotated[
    str,
    BeforeValidator(_domain),
    Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9-]{1,63})+$", max_length=253),
]
WebAddress = Annotated[str, AfterValidator(_web_address), Field(max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Connection(_Part):
    """A place that CRM tables can be pulled from, and the datasets that may."""

    driver: Literal["postgresql", "sqlite", "parquet"]
    datasets: Annotated[tuple[DatasetName, ...], Field(min_length=1)]
    host: Host | None = None
    port: Port = 5432
    database: Name | None = None
    user: Name | None = None
    tls: Literal["verify-full", "require", "off"] = "verify-full"
    certificates: Annotated[str, Field(min_length=1)] | None = None  # file of those to trust
    path: Annotated[str, Field(min_length=1)] | None = None  # of SQLite's file, of Parquet's folder

    @model_validator(mode="after")
    def _complete(self) -> Connection:
        of_server = ("host", "database", "user")
        needed = of_server if self.driver == "postgresql" else ("path",)
        absent = [key for key in needed if getattr(self, key) is None]
        if absent:
            raise ValueError(f"driver {self.driver} needs {', '.join(absent)}")
        foreign = {"path"} if self.driver == "postgresql" else {*of_server, "port", "tls"}
        if extra := sorted(foreign & self.model_fields_set):
            raise ValueError(f"driver {self.driver} takes no {', '.join(extra)}")
        if self.tls == "off" and not self.is_here:
            raise ValueError("tls may be off only for a server on this machine")
        return self

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, where nothing is sent over a wire."""
        return self.host is None or self.host in LOOPBACK or self.host.startswith("/")


class TableQuery(_Part):
    """A table as a dataset's own query reads it; without a key and a time it is read in full."""

    query: Annotated[str, Field(min_length=1, max_length=20_000)]
    key: tuple[str, ...] = ()
    changed_at: str | None = None  # the column that says when a row was last changed


class PullSettings(_Part):
    """What a dataset pulls: `[pull]` of its own ``alignment.toml``."""

    connection: Annotated[str, Field(min_length=1)]
    from_schema: Annotated[
        str | None, Field(validation_alias="schema", min_length=1, max_length=63)
    ] = None
    overlap_minutes: Annotated[int, Field(ge=0, le=10_080)] = 60
    tables: dict[Key, TableQuery] = {}


class MailServer(_Part):
    """The server that e-mail is handed to; its password stands in the environment."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252})$")]
    port: Port = 587
    tls: Literal["starttls", "from the start", "off"] = "starttls"
    user: Annotated[str, Field(min_length=1, max_length=254)] | None = None
    certificates: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _sealed(self) -> MailServer:
        if self.tls == "off" and self.host not in LOOPBACK:
            raise ValueError("tls may be off only for a server on this machine")
        return self


class Webhook(_Part):
    """Where a signed message on every report goes; the key to sign with is in the environment."""

    url: WebAddress
    datasets: tuple[DatasetName, ...] = ()  # every dataset where none is named
    certificates: Annotated[str, Field(min_length=1)] | None = None


class Recipient(_Part):
    """Who gets one dataset's report, or one team's pack of it."""

    address: Address
    dataset: DatasetName
    pack: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    paused_until: dt.date | None = None


class MetricAlert(_Part):
    """A limit of a key metric; the owner hears when a quarter crosses it."""

    dataset: DatasetName
    metric: Key
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> MetricAlert:
        if (self.above is None) == (self.below is None):
            raise ValueError("must say one of above and below")
        return self


class DeliverySchedule(_Part):
    """When a dataset's report is due, and until when nothing is sent."""

    dataset: DatasetName
    due_days: Annotated[int, Field(ge=0, le=366)] | None = None  # after the quarter's end
    paused_until: dt.date | None = None


class DeliverySettings(_Part):
    """All of `[delivery]`."""

    by: Literal["e-mail", "files"] = "e-mail"
    sender: Address
    owner: Address
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    base_url: WebAddress | None = None
    mail_server: MailServer | None = None
    webhook: Webhook | None = None
    paused_until: dt.date | None = None
    recipients: tuple[Recipient, ...] = ()
    alerts: tuple[MetricAlert, ...] = ()
    schedules: tuple[DeliverySchedule, ...] = ()

    @model_validator(mode="after")
    def _within_domains(self) -> DeliverySettings:
        if self.by == "e-mail" and self.mail_server is None:
            raise ValueError("e-mail needs delivery.mail_server; or say by = 'files'")
        for n, address in enumerate([self.owner, *(r.address for r in self.recipients)]):
            if address.rpartition("@")[2].lower() not in self.domains:
                who = "owner" if n == 0 else f"recipients.{n - 1}.address"
                raise ValueError(f"{who} is in none of delivery.domains")
        names = [(r.address.lower(), r.dataset, r.pack) for r in self.recipients]
        twice = next((n for n, each in enumerate(names) if each in names[:n]), None)
        if twice is not None:
            raise ValueError(f"recipients.{twice} stands there twice")
        named = [s.dataset for s in self.schedules]
        if len(set(named)) < len(named):
            raise ValueError("schedules name a dataset twice")
        return self

    def schedule_of(self, dataset: str) -> DeliverySchedule:
        """Return when a dataset's report is due; nothing is due where nobody said so."""
        return next(
            (s for s in self.schedules if s.dataset == dataset), DeliverySchedule(dataset=dataset)
        )


Model = TypeVar("Model", bound=BaseModel)


def read_connections() -> dict[str, Connection]:
    """Return the connections of the root's settings, by name.

    Raises
    ------
    SettingsError
        If a key is unknown or a value not allowed; no value is repeated, lest it be a secret.
    """
    entries = _house_part("connections")
    return {
        name: _checked(Connection, entry, f"connections.{name}", paths.SETTINGS_FILE)
        for name, entry in entries.items()
    }


def read_delivery() -> DeliverySettings | None:
    """Return the delivery of the root's settings; None where there is none.

    Raises
    ------
    SettingsError
        If a key is unknown or a value not allowed.
    """
    entry = _house_part("delivery")
    return _checked(DeliverySettings, entry, "delivery", paths.SETTINGS_FILE) if entry else None


def read_pull(dataset: str) -> tuple[PullSettings, Connection]:
    """Return what a dataset pulls, and from where.

    Raises
    ------
    SettingsError
        If it names no connection, or one that is not there or does not let it.
    """
    where = f"data/raw/{dataset}/{paths.SETTINGS_FILE}"
    entry = _pull_entry(dataset, where)
    if not entry:
        raise SettingsError(f'{where}: names no connection; add [pull] with connection = "...".')
    pull = _checked(PullSettings, entry, "pull", where)
    connections = read_connections()
    connection = connections.get(pull.connection)
    if connection is None:
        names = list(connections)
        raise SettingsError(
            f"{where}: pull.connection is {pull.connection!r}, and {paths.SETTINGS_FILE} has "
            f"{', '.join(names) or 'no connection'}.{did_you_mean(pull.connection, names)}"
        )
    if dataset not in connection.datasets:
        raise SettingsError(
            f"{where}: pull.connection is {pull.connection!r}, which does not let {dataset} read: "
            f"it is not among connections.{pull.connection}.datasets of {paths.SETTINGS_FILE}."
        )
    return pull, connection


def has_warehouse(dataset: str) -> bool:
    """Return whether a dataset's settings say where its tables are pulled from.

    Raises
    ------
    SettingsError
        If they cannot be read.
    """
    return bool(_pull_entry(dataset, f"data/raw/{dataset}/{paths.SETTINGS_FILE}"))


def _pull_entry(dataset: str, where: str) -> dict[str, Any]:
    own = paths.own_file(dataset, paths.SETTINGS_FILE)
    return _table(read_utf8(own, where, SettingsError) if own else "", where, "pull")


def _house_part(part: str) -> dict[str, Any]:
    file = paths.project_root() / paths.SETTINGS_FILE
    return _table(read_utf8(file, paths.SETTINGS_FILE, SettingsError), paths.SETTINGS_FILE, part)


def _table(text: str, where: str, part: str) -> dict[str, Any]:
    try:
        entry = tomllib.loads(text).get(part, {})
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{where}: not valid TOML: {error}") from None
    if not isinstance(entry, dict):
        raise SettingsError(f"{where}: {part} must be a table, such as [{part}].")
    return entry


def _checked(model: type[Model], entry: Any, name: str, where: str) -> Model:
    if not isinstance(entry, dict):
        raise SettingsError(f"{where}: {name} must be a table, such as [{name}].")
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        problems = [_fault(model, dict(problem), name) for problem in error.errors()]
        raise SettingsError("\n".join(f"{where}: {problem}" for problem in problems)) from None


def _fault(model: type[BaseModel], problem: dict[str, Any], name: str) -> str:
    """Say what is wrong with a key; its value is not repeated: it may be a secret out of place."""
    key = ".".join(map(str, (name, *problem["loc"])))
    if problem["type"] == "extra_forbidden":
        last = str(problem["loc"][-1])
        fields = list(model.model_fields) if len(problem["loc"]) == 1 else []
        hint = did_you_mean(last, fields)
        if re.search("passw|secret|token|key|uri", last, re.IGNORECASE):
            hint = (
                " A secret stands in no file of the project: README says which variable holds it."
            )
        return f"{key} is not a setting.{hint}"
    if problem["type"] == "missing":
        return f"{key} is missing."
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}."
