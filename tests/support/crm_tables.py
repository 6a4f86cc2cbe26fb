"""Exports and clean tables from rows in sight."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.cleaning import pipeline, reconciliation, rules
from analysis.project import paths, settings
from analysis.sources import database, intake
from analysis.sources.database import quote_identifier
from analysis.tables.canonical import TABLES
from analysis.tables.columns import SQL_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import duckdb
    import pandas as pd

Row = dict[str, Any]

AS_OF = dt.date(2026, 3, 31)
ADA, BEN = "005000000000001AAA", "005000000000002AAA"  # no capital among the 15: the suffix is AAA
NORTH, SOUTH = (
    "00E000000000001EAA",
    "00E000000000002EAA",
)  # E is third of its five: bit 4, the letter E

_USER = {
    "Id": "", "UserRoleId": NORTH, "IsActive": "true", "UserType": "Standard", "TimeZoneSidKey": "UTC",
    "Title": "Account Executive", "StartDate__c": "2025-01-01", "EndDate__c": "", "FTE__c": "1", "ManagerId": "",
}  # fmt: skip
_OPPORTUNITY = {
    "Id": "", "Name": "Deal", "OwnerId": ADA, "IsClosed": "true", "IsWon": "true",
    "Amount": "100", "CurrencyIsoCode": "USD", "CloseDate": "2026-02-10", "CreatedDate": "2026-01-05T09:00:00Z",
    "Probability": "100", "IsDeleted": "false",
}  # fmt: skip
STAGES = {
    ("true", "true"): "Closed Won",
    ("true", "false"): "Closed Lost",
    ("false", "false"): "Proposal",
}
_EVENT = {
    "Id": "", "Subject": "Demo", "OwnerId": ADA, "StartDateTime": "2026-02-02T10:00:00Z",
    "EndDateTime": "2026-02-02T11:00:00Z", "DurationInMinutes": "60", "IsAllDayEvent": "false", "WhatId": "",
    "CreatedDate": "2026-02-01T10:00:00Z", "IsRecurrence": "false", "IsDeleted": "false",
}  # fmt: skip


def user(rep_id: str = ADA, **other: str) -> Row:
    """Return a row of Salesforce's User."""
    return _USER | {"Id": rep_id} | other


def deal_id(n: int) -> str:
    """Return the id of `opportunity(n)`."""
    return f"006{n:012d}AAA"


def opportunity(n: int, **other: str) -> Row:
    """Return a row of Salesforce's Opportunity: 100 USD won by Ada on 10 February 2026.

    Its stage is what its flags say, unless `other` names one.
    """
    row = _OPPORTUNITY | {"Id": deal_id(n), "Name": f"Deal {n}"} | other
    return {"StageName": STAGES.get((row["IsClosed"], row["IsWon"]), "")} | other | row


def event(n: int, **other: str) -> Row:
    """Return a row of Salesforce's Event: an hour's demo of Ada's on 2 February 2026 at 10."""
    return _EVENT | {"Id": f"000{n:012d}AAA"} | other


ROLES = [{"Id": i, "Name": n, "ParentRoleId": ""} for i, n in ((NORTH, "North"), (SOUTH, "South"))]


def write(folder: Path, **files: list[Row]) -> None:
    """Write each list of rows as ``<name>.csv``, as a CRM would."""
    for name, rows in files.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


class Frames(Mapping[str, "pd.DataFrame"]):
    """Tables by name, each a frame as soon as somebody asks for it: a test asks for one or two of them all."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
        self._tables = {name: connection.table(name).to_arrow_table() for name in names}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table with dates as dates."""
        return self._tables[name].to_pandas()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class Pass(NamedTuple):
    """What one pass over a folder gave."""

    audit: pipeline.Audit
    tables: Frames

    def account(self, table: str) -> tuple[int, int, int, int]:
        """Return rows in, clean, quarantined and dropped of a table."""
        return next(
            (a.n_in, a.n_clean, a.n_quarantined, a.n_dropped)
            for a in self.audit.tables
            if a.table == table
        )

    def aside(self, table: str = "opportunities") -> dict[str, int]:
        """Return the rules that took rows of a table, with how many."""
        held = self.tables["set_aside"]
        return held.loc[held["table_name"] == table, "rule"].value_counts().to_dict()

    def rows(self, table: str, *keys: str) -> pd.DataFrame:
        """Return the clean rows of a table whose key's first column is one of these."""
        clean = self.tables[table]
        return clean[clean[TABLES[table].key[0]].isin(keys)].reset_index(drop=True)

    def aside_of(self, *keys: str, table: str = "opportunities") -> dict[str, int]:
        """Return the rules that took rows of these records, with how many."""
        held = self.tables["set_aside"]
        own = (held["table_name"] == table) & held["record_key"].isin(keys)
        return held.loc[own, "rule"].value_counts().to_dict()

    def effect(self, table: str, rule: str) -> rules.RuleEffect:
        """Return what one rule did."""
        return next(e for e in self.audit.rules if (e.table, e.rule) == (table, rule))


def cleaned(*, as_of: dt.date | None = AS_OF, today: dt.date | None = None) -> Pass:
    """Clean the exports of the dataset "here"."""
    with database.open_session() as connection:
        files = intake.files_of(paths.raw_folder("here"))
        audit = pipeline.clean_tables(
            connection,
            files,
            "here",
            settings.load_dataset_settings("here"),
            dataset_key="key",
            as_of=as_of,
            today=today,
        )
        names = (*TABLES, "set_aside", "rep_day_hours", "name_review", "same_deals")
        return Pass(audit, Frames(connection, names))


def frame(connection: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    """Return a table of the database with dates as dates."""
    return connection.table(name).to_arrow_table().to_pandas()


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Set the variables and macros that rules and panels use; the data end on 31 March 2026."""
    pipeline._prepare_session(connection, "key", settings.load_dataset_settings("here"))
    database.set_variable(connection, "as_of", AS_OF)
    database.set_variable(connection, "company_name", "Northwind Instruments")
    pipeline.define_rates(connection)
    reconciliation.define_quarters(connection, 1, 0.02)


def fill(
    connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row], columns: dict[str, str]
) -> None:
    """Make a table of typed columns from rows that name only some of them."""
    names = ", ".join(f"{quote_identifier(n)} {kind}" for n, kind in columns.items())
    connection.execute(f"create or replace table {quote_identifier(table)} ({names})")
    for row in rows:
        assert set(row) <= set(columns), f"{table} has no {set(row) - set(columns)}"
    for listed, alike in itertools.groupby(rows, key=tuple):  # a statement a row takes the time
        same = list(alike)
        names = ", ".join(map(quote_identifier, listed))
        marks = ", ".join([f"({', '.join('?' * len(listed))})"] * len(same))
        connection.execute(
            f"insert into {quote_identifier(table)} ({names}) values {marks}",
            [value for row in same for value in row.values()],
        )


def place(connection: duckdb.DuckDBPyConnection, **tables: list[Row]) -> None:
    """Make clean tables of these rows."""
    for name, rows in tables.items():
        fill(connection, name, rows, {c.name: SQL_TYPES[c.kind] for c in TABLES[name].columns})


def stand(connection: duckdb.DuckDBPyConnection, **tables: list[Row]) -> None:
    """Make all clean tables, those not named empty."""
    place(connection, **{name: tables.get(name, []) for name in TABLES})
