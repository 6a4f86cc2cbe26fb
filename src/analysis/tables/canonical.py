"""Canonical tables, in the order in which they are judged, and the words they share.

What a table is stands in ``canonical_tables/<table>.toml``: what a row means, its key and columns
here, and what ``cleaning.rules`` makes of it, its work columns, computed columns and rules.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Any

from analysis.tables.columns import SOURCE, SQL_TYPES, Column, Table

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
    "time_study",
    "campaigns",
    "opportunities",
    "opportunity_splits",
    "stage_history",
    "leads",
    "lead_status_history",
    "touches",
    "activities",
    "attendees",
    "contact_roles",
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
    "stage_owners",
    "campaign_milestones",
    "content_ideas",
    "content_trials",
    "channels",
)


@functools.cache
def read_declaration(table: str) -> dict[str, Any]:
    """Return a table's TOML file as the package has it; not to be changed."""
    file = resources.files("analysis.tables").joinpath("canonical_tables", f"{table}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def read_column(table: str, name: str, facts: dict[str, Any]) -> Column:
    """Return a column of a table's file; `ValueError` names what its line lacks or has too much."""
    says_all = facts.get("kind") in SQL_TYPES and facts.get("meaning")
    if not says_all or not set(facts) <= set(Column._fields[1:]):
        raise ValueError(
            f"canonical_tables/{table}.toml: column {name} needs a kind ({', '.join(SQL_TYPES)}) "
            f"and a meaning, and may have is_required; it has {facts}"
        )
    return Column(name, **facts)


def _table(name: str) -> Table:
    declaration = read_declaration(name)
    columns = (read_column(name, c, facts) for c, facts in declaration["columns"].items())
    return Table(
        name,
        declaration["row"],
        tuple(declaration["key"]),
        (*columns, *SOURCE),
        declaration.get("money"),
        declaration.get("minutes"),
    )


TABLES: dict[str, Table] = {name: _table(name) for name in BUILD_ORDER}

# Classes of activity, and the three published definitions of "selling", each holding the one
# before.
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
