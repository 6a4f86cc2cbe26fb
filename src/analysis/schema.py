"""Canonical tables and the error that names what breaks them.

A column's name, kind and meaning stand once, in the subject's own module; `crm` fills the tables, `panel`
and the models read them, and ``data/README.md`` is written from them.  Ids are strings, timestamps UTC,
dates dates, intervals half-open, rates 0 to 1; money is ``<name>_amount`` in the reporting
currency beside the raw pair.  Missing stays missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.columns import SOURCE, Table
from analysis.schema_company import COMPANY_TABLES
from analysis.schema_deals import DEAL_TABLES
from analysis.schema_demand import DEMAND_TABLES
from analysis.schema_practice import PRACTICE_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

N_IDS_SHOWN = 3


class CrmDataError(ValueError):
    """Data that breaks a rule: the message says table, rule, how many of how many, and what to do."""


class OwnMapError(CrmDataError):
    """A map or rule of the dataset's own that says what cannot be: the message says file, key and what is allowed."""


# The order in which tables are judged: what a rule asks of another table is clean by then.
BUILD_ORDER = (
    "accepted_names",
    "record_merges",
    "reps",
    "teams",
    "rep_team_history",
    "fx_rates",
    "working_calendar",
    "products",
    "accounts",
    "compensation",
    "quotas",
    "finance_bookings",
    "programme",
    "hours_shifters",
    "campaigns",
    "opportunities",
    "opportunity_splits",
    "stage_history",
    "leads",
    "lead_status_history",
    "touches",
    "activities",
    "attendees",
    "sales_ready_definitions",
    "goals",
    "plans",
    "activity_targets",
    "incentives",
    "metric_packs",
    "target_accounts",
    "campaign_notices",
    "assets",
    "asset_uses",
    "marketing_requests",
    "joint_meetings",
    "survey_answers",
    "programme_costs",
    "feedback",
)
_BY_NAME = {t.name: t for t in (*COMPANY_TABLES, *DEAL_TABLES, *DEMAND_TABLES, *PRACTICE_TABLES)}
TABLES: dict[str, Table] = {n: _BY_NAME[n]._replace(columns=(*_BY_NAME[n].columns, *SOURCE)) for n in BUILD_ORDER}

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
