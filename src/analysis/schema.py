"""Canonical tables and the error that names what breaks them.

A column's name, kind and meaning stand here once; `crm` fills the tables, `panel` and the models
read them, and ``data/README.md`` is written from this page.  Ids are strings, timestamps UTC,
dates dates, intervals half-open, rates 0 to 1; money is ``<name>_amount`` in the reporting
currency beside the raw pair.  Missing stays missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Kind = Literal["id", "text", "category", "boolean", "date", "timestamp", "number", "count"]

SQL_TYPES: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "category": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "count": "BIGINT",
}

N_IDS_SHOWN = 3


class CrmDataError(ValueError):
    """Data that breaks a rule: the message says table, rule, how many of how many, and what to do."""


class Column(NamedTuple):
    """A column: `is_required` ones quarantine the row when they cannot be read."""

    name: str
    kind: Kind
    meaning: str
    is_required: bool = False


class Table(NamedTuple):
    """A canonical table: what a row is, its key and its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    money: str | None = None  # the column whose sum tells what a rule moved
    minutes: str | None = None  # the same for time

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(c for c in self.columns if c.name == name)


C = Column
SOURCE = (
    C("source_file", "text", "export the row came from"),
    C("source_row", "count", "line of that export, the header being line 1"),
    C("flagged_by", "text", "names of the rules that marked the row and kept it, separated by blanks"),
)

_TABLES = [
    Table(
        "reps",
        "a person or machine that owns CRM records",
        ("rep_id",),
        (
            C("rep_id", "id", "the CRM's user id, or a pseudonym where that would be a name", is_required=True),
            C("role", "category", "rep, manager, marketing, queue or integration"),
            C("hired_on", "date", "first day of employment"),
            C("left_on", "date", "first day no longer employed"),
            C("fte", "number", "share of a full-time week, 0 to 1"),
            C("is_active", "boolean", "active in the CRM today"),
            C("manager_id", "id", "rep_id of the manager"),
            C("time_zone", "category", "IANA time zone"),
        ),
    ),
    Table(
        "teams",
        "a sales team",
        ("team_id",),
        (
            C("team_id", "id", "the CRM's role or team id", is_required=True),
            C("team_name", "text", "as the CRM calls it"),
            C("region", "category", "sales region"),
            C("segment", "category", "market segment the team sells to"),
        ),
    ),
    Table(
        "rep_team_history",
        "a stay of a rep in a team, [valid_from, valid_to)",
        ("rep_id", "valid_from"),
        (
            C("rep_id", "id", "rep", is_required=True),
            C("team_id", "id", "team", is_required=True),
            C("valid_from", "date", "first day in the team; missing: since ever"),
            C("valid_to", "date", "first day no longer in it; missing: still there"),
        ),
    ),
    Table(
        "fx_rates",
        "an exchange rate, [valid_from, valid_to)",
        ("currency", "valid_from"),
        (
            C("currency", "category", "ISO 4217 code", is_required=True),
            C("valid_from", "date", "first day", is_required=True),
            C("valid_to", "date", "first day no longer valid; missing: still valid"),
            C("rate_to_reporting", "number", "reporting currency per unit of `currency`", is_required=True),
        ),
    ),
    Table(
        "working_calendar",
        "a day of a region",
        ("date", "region"),
        (
            C("date", "date", "day", is_required=True),
            C("region", "category", "sales region", is_required=True),
            C("is_workday", "boolean", "neither weekend nor public holiday", is_required=True),
        ),
    ),
    Table(
        "products",
        "a product",
        ("product_id",),
        (
            C("product_id", "id", "the CRM's product id or name", is_required=True),
            C("product_name", "text", "as the price list calls it", is_required=True),
            C("product_family", "category", "family or series"),
            C("product_key", "category", "name without case, blanks, accents and punctuation: what spellings share"),
        ),
    ),
    Table(
        "accounts",
        "a company that buys or may buy",
        ("account_id",),
        (
            C("account_id", "id", "the CRM's account id or name", is_required=True),
            C("account_name", "text", "as the CRM calls it; hostile until shown inert"),
            C("industry", "category", "industry"),
            C("country", "category", "billing country"),
            C("employees", "count", "number of employees"),
        ),
    ),
    Table(
        "compensation",
        "a rep's pay over [valid_from, valid_to)",
        ("rep_id", "valid_from"),
        (
            C("rep_id", "id", "rep", is_required=True),
            C("valid_from", "date", "first day", is_required=True),
            C("valid_to", "date", "first day no longer valid; missing: still valid"),
            C("base_amount", "number", "base salary, paid leave included [currency/year]"),
            C("commission_rate", "number", "commission as a share of bookings"),
            C("fringe_rate", "number", "non-cash fringe (insurance, retirement, legally required) on cash pay"),
            C("overhead_amount", "number", "desk, tools, travel [currency/year]"),
        ),
        money="base_amount",
    ),
    Table(
        "quotas",
        "a rep's bookings target over [period_start, period_end)",
        ("rep_id", "period_start"),
        (
            C("rep_id", "id", "rep", is_required=True),
            C("period_start", "date", "first day", is_required=True),
            C("period_end", "date", "first day after", is_required=True),
            C("quota_amount", "number", "bookings target of the period [currency]"),
        ),
        money="quota_amount",
    ),
    Table(
        "finance_bookings",
        "a quarter's bookings as finance states them",
        ("quarter",),
        (
            C("quarter", "category", "fiscal quarter such as 2026Q3", is_required=True),
            C("bookings_amount", "number", "control total [currency]", is_required=True),
        ),
        money="bookings_amount",
    ),
    Table(
        "programme",
        "a team's start of the alignment programme",
        ("team_id",),
        (
            C("team_id", "id", "team", is_required=True),
            C("start_date", "date", "decided and announced start", is_required=True),
            C("decided_by", "category", "function that decided"),
            C("announced_on", "date", "day it was announced"),
        ),
    ),
    Table(
        "opportunities",
        "a possible deal",
        ("opportunity_id",),
        (
            C("opportunity_id", "id", "the CRM's opportunity id", is_required=True),
            C("account_id", "id", "account"),
            C("product_id", "id", "main product"),
            C("owner_rep_id", "id", "owner today", is_required=True),
            C("opportunity_type", "category", "new, expansion or renewal"),
            C("stage", "category", "stage as the CRM calls it"),
            C("status", "category", "open, won or lost, from the CRM's closed and won flags", is_required=True),
            C("created_at", "timestamp", "created"),
            C("close_date", "date", "closed, or expected to be"),
            C("raw_amount", "number", "contract value in `currency`"),
            C("currency", "category", "ISO 4217 code"),
            C("fx_rate", "number", "reporting currency per unit on the close date"),
            C("deal_amount", "number", "contract value in the reporting currency"),
            C("probability", "number", "the CRM's probability, 0 to 1"),
            C("lead_source", "category", "where the lead came from"),
            C("campaign_id", "id", "primary campaign"),
            C("cycle_days", "number", "days from created to closed won; missing where they contradict"),
        ),
        money="deal_amount",
    ),
    Table(
        "activities",
        "a calendar entry or task of one rep",
        ("activity_id",),
        (
            C("activity_id", "id", "the CRM's event or task id", is_required=True),
            C("rep_id", "id", "whose time it took", is_required=True),
            C("kind", "category", "event, call, email or task"),
            C("activity_class", "category", "class by the analyst's table, else unclassified"),
            C("started_at", "timestamp", "start; required of events and of calls with a duration"),
            C("ended_at", "timestamp", "end; missing for tasks"),
            C("minutes", "number", "length; 0 for all-day entries and for tasks without one"),
            C("is_all_day", "boolean", "an all-day entry: counted apart, no hours"),
            C("opportunity_id", "id", "opportunity it was about"),
            C("account_id", "id", "account it was about"),
        ),
        minutes="minutes",
    ),
]
TABLES: dict[str, Table] = {t.name: t._replace(columns=(*t.columns, *SOURCE)) for t in _TABLES}

# Classes of activity, and the three published definitions of "selling", each holding the one before.
ACTIVITY_CLASSES = (
    "selling",
    "preparation",
    "prospecting",
    "internal",
    "admin",
    "training",
    "time_off",
    "unclassified",
)
SELLING_DEFINITIONS: dict[str, tuple[str, ...]] = {
    "selling_hours": ("selling",),
    "selling_preparation_hours": ("selling", "preparation"),
    "selling_prospecting_hours": ("selling", "preparation", "prospecting"),
}
DEFINITION_LABELS: dict[str, str] = {
    "selling_hours": "With clients: calls, meetings, demos",
    "selling_preparation_hours": "… plus preparation and proposals",
    "selling_prospecting_hours": "… plus prospecting and research",
}


def _ids(index: pd.Index, offending: pd.Series) -> str:
    shown = [str(i) for i in index[offending.to_numpy()][:N_IDS_SHOWN]]
    return f"{index.name or 'row'} {', '.join(shown)}"


def require_columns(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise `CrmDataError` if `table` lacks one of `columns`."""
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise CrmDataError(
            f"{name}: needs {', '.join(missing)}, but has {', '.join(map(str, table.columns)) or 'no columns'}. "
            "Map the export's columns to these names in data/raw/<dataset>/fields.toml."
        )


def require_rows(table: pd.DataFrame, name: str, where: str) -> None:
    """Raise `CrmDataError` if `table` has no row left."""
    if table.empty:
        raise CrmDataError(f"{name}: no row {where}. See the audit of `alignment-roi clean` for what was set aside.")


def require_positive(values: pd.Series, name: str) -> None:
    """Raise `CrmDataError` if a value is missing or not above 0; the index names the culprits."""
    offending = ~(values > 0)
    if offending.any():
        raise CrmDataError(
            f"{name}: {values.name} must be above 0, but {int(offending.sum())} of {len(values)} rows are not "
            f"({_ids(values.index, offending)}).\n"
            f"Fix the rows in the export or leave these out before calling."
        )
