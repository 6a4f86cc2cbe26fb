"""Canonical tables, in the order in which they are judged, and the words they share."""

from __future__ import annotations

from analysis.tables.columns import SOURCE, Table
from analysis.tables.company_tables import COMPANY_TABLES
from analysis.tables.deal_tables import DEAL_TABLES
from analysis.tables.demand_tables import DEMAND_TABLES
from analysis.tables.practice_tables import PRACTICE_TABLES

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
_BY_NAME = {t.name: t for t in (*COMPANY_TABLES, *DEAL_TABLES, *DEMAND_TABLES, *PRACTICE_TABLES)}
TABLES: dict[str, Table] = {
    n: _BY_NAME[n]._replace(columns=(*_BY_NAME[n].columns, *SOURCE)) for n in BUILD_ORDER
}

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
