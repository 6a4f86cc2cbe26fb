"""The one handle on a company: settings, quarter, tables, audit and paths, opened once and passed
on.

It is what a notebook's load cell opens and what an analyst types first:

    from analysis.store.company import open_company

    company = open_company("demo")
    company.table("opportunities")
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow.parquet as pq

from analysis.project import parameters, paths, quarters, read_notes
from analysis.project.nearest_name import did_you_mean
from analysis.store import processed, team_rows
from analysis.tables.canonical import TABLES
from analysis.tables.panel_tables import PANELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from analysis.project.settings import Settings

MOST_NAMED = 5  # teams, in a message
TABLE_NAMES = (*TABLES, *PANELS, "quarters", "quarantine")


class CompanyPaths(NamedTuple):
    """The folders of one company and quarter; any but `raw` may not be there yet."""

    raw: Path
    processed: Path
    history: Path
    report: Path


@dataclass(frozen=True)
class Company:
    """A company as of one quarter; `open_company` makes it.

    Attributes
    ----------
    dataset : name of its folder in ``data/raw``
    quarter : quarter reported, such as ``2026Q3``
    settings : the project's settings with the company's own
    audit : account of the cleaning pass: files, rows, rules, gate
    team : the team whose rows alone its tables hold; empty for all of them
    """

    dataset: str
    quarter: str
    settings: Settings
    audit: Mapping[str, Any]
    team: str = ""

    @property
    def paths(self) -> CompanyPaths:
        """Where its exports, tables, history and this quarter's report lie."""
        name = self.dataset
        return CompanyPaths(
            paths.raw_folder(name),
            paths.processed_folder(name),
            paths.history_folder(name),
            paths.report_folder(name, self.quarter),
        )

    @property
    def period(self) -> quarters.Quarter:
        """The quarter reported, as a `Quarter`."""
        return quarters.parse_quarter(self.quarter)

    @property
    def first_day(self) -> dt.date:
        """First day of the quarter reported."""
        return self.period.start(self.settings.company.fiscal_year_start_month)

    @property
    def day_after(self) -> dt.date:
        """Day after the last of the quarter reported."""
        return self.period.end(self.settings.company.fiscal_year_start_month)

    @property
    def last_day(self) -> dt.date:
        """Last day the data cover."""
        return dt.date.fromisoformat(self.audit["as_of"])

    def table(self, name: str) -> pd.DataFrame:
        """Return a clean table or panel, read from disk at each call; only the team's rows in a
        pack.

        Raises
        ------
        ValueError
            If there is no table of that name, with the nearest one, or none of one team.
        """
        if name not in TABLE_NAMES:
            raise ValueError(f"no table {name!r}.{did_you_mean(name, list(TABLE_NAMES))}")
        if not self.team:
            return processed.load_table(self.dataset, name)
        return team_rows.rows_of_team(name, self.team, partial(processed.load_table, self.dataset))

    @property
    def whole(self) -> Company:
        """The company to which this team belongs; itself where it is the whole company."""
        if not self.team:
            return self
        return replace(self, team="", audit=processed.read_audit(self.dataset))

    def require_whole(self, why: str) -> None:
        """Raise `ParameterError` with the sentence `why` where this is one team's rows alone."""
        if self.team:
            raise parameters.ParameterError(f"team must be empty here: {why}")

    def rows_of_quarter(self, panel: str) -> pd.DataFrame:
        """Return a panel's rows of the quarter reported."""
        rows = self.table(panel)
        return rows[rows["quarter"] == self.quarter]

    __getitem__ = table

    def _ipython_key_completions_(self) -> list[str]:
        return list(TABLE_NAMES)

    def __repr__(self) -> str:
        """Say which tables there are and how many rows each has."""
        month = self.settings.company.fiscal_year_start_month
        of_team = f" team {self.team!r}," if self.team else ""
        label = self.period.label(month)
        lines = [f"Company {self.dataset!r},{of_team} {label}, data to {self.last_day}"]
        width = max(map(len, TABLE_NAMES))
        for name in TABLE_NAMES:
            file = self.paths.processed / f"{name}.parquet"
            read_notes.note_read("file", str(file))
            n = pq.read_metadata(file).num_rows if file.is_file() and not self.team else 0
            if n:
                lines.append(f"  {name:<{width}} {n:>12,} rows")
        return "\n".join(lines)


def open_company(
    dataset: str, *, quarter: str = "latest", team: str = "", **numbers: float
) -> Company:
    """Return a company as of a quarter, its exports cleaned on first use.

    Parameters
    ----------
    dataset : name of a folder in ``data/raw``
    quarter : ``latest`` (the last whole quarter), ``previous``, or one such as ``2026Q3``
    team : id of the team whose rows alone count; empty for the whole company
    numbers : further parameters of a notebook that must be numbers

    Raises
    ------
    ParameterError
        If a parameter cannot be meant; one line says why.
    """
    house = parameters.load_settings(dataset, quarter, team, **numbers)
    audit = processed.read_audit(dataset)
    try:
        period = quarter_named(quarter, audit, house.company.fiscal_year_start_month)
    except ValueError as error:
        raise parameters.ParameterError(str(error)) from None
    company = Company(dataset, str(period), house, audit)
    return of_team(company, team) if team else company


def of_team(company: Company, team: str) -> Company:
    """Return the company with the rows of one of its teams alone.

    Raises
    ------
    ParameterError
        If there is no such team; the message has the nearest one.
    """
    teams = sorted(company.table("teams")["team_id"].dropna().astype(str))
    if team not in teams:
        raise parameters.ParameterError(
            f"team {team!r} is not in the data.{did_you_mean(team, teams)} Known: "
            f"{', '.join(teams[:MOST_NAMED]) or 'none'}{', ...' * (len(teams) > MOST_NAMED)}."
        )
    return replace(company, team=team, audit=team_rows.account_of_team(company.audit))


def quarter_named(
    name: str, audit: Mapping[str, Any], fiscal_year_start_month: int
) -> quarters.Quarter:
    """Return the quarter asked for by name, ``latest`` or ``previous``.

    Raises
    ------
    ValueError
        If the data do not cover it; the message says which quarters they cover.
    """
    as_of = dt.date.fromisoformat(audit["as_of"])
    latest = quarters.last_complete(as_of, fiscal_year_start_month)
    first = quarters.quarter_containing(
        dt.date.fromisoformat(audit["first_day"]), fiscal_year_start_month
    )
    relative = dict(zip(quarters.RELATIVE, (latest, latest.shifted(-1)), strict=True))
    quarter_asked = relative.get(name) or quarters.parse_quarter(name)
    last = quarters.quarter_containing(as_of, fiscal_year_start_month)
    if not first <= quarter_asked <= last:
        raise ValueError(
            f"quarter {quarter_asked} is not in the data, which run from {first} to {last} "
            f"(as of {as_of})"
        )
    return quarter_asked
