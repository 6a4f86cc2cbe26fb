"""The practices the alignment index scores.

What each is worth, which side of the fence it is on, what it reads.

Weights follow the order the literature gives (structure first), not numbers it does not give: see
`weights` for how little they matter.  Outcomes (bookings, wins, quota, cycle length) are what the
index is held against later, so an item that is one is refused by its role, and the tables are cut
down to `READS` before anything is scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

Role = Literal["practice", "survey", "outcome"]
Profile = Literal["core", "full"]

DIMENSIONS = {
    "D1": "Lead contract",
    "D2": "Cadence",
    "D3": "Goals and plans",
    "D4": "Coordinated targeting",
    "D5": "Content and requests",
}
CORE_TABLES = frozenset(
    {
        "reps",
        "teams",
        "rep_team_history",
        "working_calendar",
        "quarters",
        "leads",
        "lead_status_history",
        "campaigns",
        "touches",
        "opportunities",
        "activities",
        "attendees",
    }
)


class Item(NamedTuple):
    """A practice. `needs` lists sets of tables of which one must be there; `is_split`: its evidence
    has days, so odd and even weeks can be scored apart.
    """

    id: str
    dimension: str
    label: str
    points: float
    needs: tuple[frozenset[str], ...]
    role: Role = "practice"
    is_split: bool = False

    @property
    def is_core(self) -> bool:
        """Whether calendar, CRM and staff data alone supply it."""
        return any(tables <= CORE_TABLES for tables in self.needs)


def _of(*tables: str) -> frozenset[str]:
    return frozenset(tables)


_CALENDAR = _of("activities", "attendees", "reps")
_LEADS = _of("leads", "lead_status_history")

ITEMS: tuple[Item, ...] = (
    Item(
        "E01",
        "D1",
        "Leads handed over under a definition sales approved",
        6,
        (_LEADS | {"sales_ready_definitions"},),
        is_split=True,
    ),
    Item("E02", "D1", "Leads accepted or turned down in time", 6, (_LEADS,), is_split=True),
    Item(
        "E03",
        "D1",
        "Leads first contacted in time",
        6,
        (_LEADS | {"activities", "reps"},),
        is_split=True,
    ),
    Item(
        "E04",
        "D1",
        "Leads sales returned that marketing took up again",
        6,
        (_LEADS,),
        is_split=True,
    ),
    Item(
        "E05",
        "D1",
        "Closed opportunities traced to a campaign",
        6,
        (_of("leads", "opportunities"),),
        is_split=True,
    ),
    Item(
        "E06",
        "D2",
        "Weeks with a joint meeting",
        5,
        (_CALENDAR, _of("joint_meetings")),
        is_split=True,
    ),
    Item("E07", "D2", "Months with a managers' review", 5, (_CALENDAR, _of("joint_meetings"))),
    Item(
        "E08",
        "D2",
        "New reps who met marketing in their first month",
        3,
        (_CALENDAR | {"rep_team_history"},),
    ),
    Item(
        "E09",
        "D2",
        "Quarterly objectives and review with an executive",
        4,
        (_of("goals", "joint_meetings"),),
    ),
    Item(
        "E10",
        "D2",
        "Meetings with agenda, leader and on time",
        3,
        (_of("joint_meetings"),),
        is_split=True,
    ),
    Item("E11", "D3", "Goals owned by both sides", 5, (_of("goals"),)),
    Item("E12", "D3", "Plans both sides signed before they began", 5, (_of("plans"),)),
    Item("E13", "D3", "Spend with a volume and a conversion target", 5, (_of("activity_targets"),)),
    Item("E14", "D3", "Parity of pay on shared outcomes", 3, (_of("incentives"),)),
    Item(
        "E15", "D3", "Months with three to five key metrics sent to both", 2, (_of("metric_packs"),)
    ),
    Item("E16", "D4", "Target accounts both sides list and approved", 5, (_of("target_accounts"),)),
    Item(
        "E17",
        "D4",
        "Campaigns announced in time, with talking points",
        5,
        (_of("campaign_notices"),),
        is_split=True,
    ),
    Item(
        "E18",
        "D4",
        "Campaigns that cite the agreed narrative",
        2,
        (_of("campaign_notices"),),
        is_split=True,
    ),
    Item(
        "E19",
        "D4",
        "Marketers in the field, reps in campaign meetings",
        3,
        (_CALENDAR | {"joint_meetings"},),
    ),
    Item(
        "E20",
        "D5",
        "Assets used that lie in the library",
        4,
        (_of("assets", "asset_uses"),),
        is_split=True,
    ),
    Item("E21", "D5", "Library assets used within two quarters", 4, (_of("assets", "asset_uses"),)),
    Item("E22", "D5", "New assets sales had a hand in", 3, (_of("assets"),), is_split=True),
    Item(
        "E23",
        "D5",
        "Requests vetted before work began",
        4,
        (_of("marketing_requests"),),
        is_split=True,
    ),
)
SURVEY = Item("S01", "survey", "Survey of both sides", 0, (_of("survey_answers"),), role="survey")

# All the index may look at.  Of opportunities it learns whether they are closed, never whether won.
READS: dict[str, tuple[str, ...]] = {
    "reps": ("rep_id", "role", "hired_on"),
    "teams": ("team_id", "region"),
    "rep_team_history": ("rep_id", "team_id", "valid_from", "valid_to"),
    "working_calendar": ("date", "region", "is_workday"),
    "quarters": ("quarter", "from_day", "until_day"),
    "leads": ("lead_id", "person_key", "created_at", "owner_rep_id", "mql_at", "opportunity_id"),
    "lead_status_history": ("lead_id", "lead_stage", "entered_at"),
    "touches": ("opportunity_id",),
    "opportunities": (
        "opportunity_id",
        "is_closed",
        "close_date",
        "owner_rep_id",
        "owner_at_close_rep_id",
        "campaign_id",
    ),
    "activities": ("activity_id", "rep_id", "started_at", "is_all_day", "lead_id"),
    "attendees": ("activity_id", "person_key", "side", "rep_id"),
    "sales_ready_definitions": ("team_id", "valid_from", "valid_to", "approved_by_sales_on"),
    "goals": (
        "goal_id",
        "team_id",
        "period_start",
        "period_end",
        "sales_owner_rep_id",
        "marketing_owner_rep_id",
    ),
    "plans": (
        "plan_id",
        "team_id",
        "period_start",
        "period_end",
        "signed_by_sales_on",
        "signed_by_marketing_on",
    ),
    "activity_targets": (
        "team_id",
        "period_start",
        "period_end",
        "spend_amount",
        "volume_target",
        "conversion_target",
    ),
    "incentives": ("team_id", "side", "period_start", "period_end", "shared_outcome_rate"),
    "metric_packs": ("team_id", "n_metrics", "sent_to_sales_on", "sent_to_marketing_on"),
    "target_accounts": (
        "team_id",
        "side",
        "account_id",
        "valid_from",
        "valid_to",
        "approved_by_sales_on",
        "approved_by_marketing_on",
    ),
    "campaign_notices": (
        "team_id",
        "first_send_on",
        "notified_on",
        "has_talking_points",
        "cites_agreed_narrative",
    ),
    "assets": ("asset_id", "team_id", "created_on", "is_in_library", "has_sales_input"),
    "asset_uses": ("asset_id", "team_id", "used_on"),
    "marketing_requests": ("team_id", "n_questions_answered", "work_started_on"),
    "joint_meetings": (
        "team_id",
        "held_on",
        "kind",
        "has_agenda",
        "has_leader",
        "minutes_late",
        "is_executive_present",
    ),
}
OPTIONAL_READS = frozenset({"activities.lead_id"})


def profile_items(name: str) -> tuple[Item, ...]:
    """Return the items of a profile: ``core`` needs calendar, CRM and staff data alone; ``full``
    has every item.
    """
    if name not in {"core", "full"}:
        raise ValueError(f"profile must be core or full, got {name!r}")
    return tuple(item for item in ITEMS if name == "full" or item.is_core)


def profile_held(tables: Mapping[str, pd.DataFrame]) -> Profile:
    """Return ``core`` where no table of practices written down by hand has a row, else ``full``.

    A company without such tables would otherwise be told that most of its points were not observed.
    """
    by_hand = (name for name in READS if name not in CORE_TABLES)
    return "full" if any(name in tables and not tables[name].empty for name in by_hand) else "core"


def require_practices(items: Iterable[Item]) -> None:
    """Raise `ValueError` if an item is not a practice.

    An index that holds an outcome predicts itself.
    """
    outcomes = [item.id for item in items if item.role == "outcome"]
    if outcomes:
        raise ValueError(
            f"alignment index: {', '.join(outcomes)} is an outcome. An index made from "
            "outcomes finds a gap in them even where there is none. Leave it out of the index."
        )
    surveys = [item.id for item in items if item.role == "survey"]
    if surveys:
        raise ValueError(
            f"alignment index: {', '.join(surveys)} is a survey item; evidence is scored alone. "
            "Add the survey by `headline.with_survey`."
        )


def columns_read() -> frozenset[str]:
    """Return every column the evidence may look at, as ``table.column``, for the guard against
    coupling.
    """
    return frozenset(f"{table}.{column}" for table, columns in READS.items() for column in columns)
