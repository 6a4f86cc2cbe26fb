"""The questions a report answers, the tables each requires, and those each table affects."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

QUESTIONS = ("bookings", "win_rate", "hours", "cost", "worth", "growth", "pay", "index")

_PRACTICE = (
    "leads",
    "lead_status_history",
    "attendees",
    "goals",
    "plans",
    "sales_ready_definitions",
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
    "feedback",
)
_MEMBERS = ("opportunities", "rep_team_history")
_WORK = ("activities", "compensation", "opportunities", "quotas", "rep_team_history")

# What each question cannot do without, as the notebooks declare it: of several sets one is enough.
NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "bookings": (("opportunities",),),
    "win_rate": (("opportunities",),),
    "hours": (("activities",),),
    "cost": (_WORK,),
    "worth": (_WORK,),
    "growth": (
        (*_MEMBERS, "programme"),
        (*_MEMBERS, "leads", "lead_status_history"),
        (*_MEMBERS, "activities", "attendees"),
        (*_MEMBERS, "joint_meetings"),
    ),
    "pay": (("compensation", "programme", "programme_costs"),),
    "index": tuple((name,) for name in _PRACTICE),
}


class Bearing(NamedTuple):
    """The questions that a finding decides, and those it affects.

    They are warned of, never withheld for it.
    """

    decides: tuple[str, ...]
    touches: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        """Return all of them in the order of `QUESTIONS`."""
        return tuple(q for q in QUESTIONS if q in self.decides or q in self.touches)


EVERY = Bearing(QUESTIONS)
NONE = Bearing(())
DEALS = Bearing(
    ("bookings", "win_rate", "worth", "growth", "pay"), ("cost",)
)  # commission is paid on bookings
AMOUNTS = Bearing(("bookings", "worth", "growth", "pay"), ("cost",))
TIME = Bearing(("hours", "cost", "worth"), ("index",))
TEAMS = Bearing(("growth", "pay", "index"), ("bookings",))
PAY = Bearing(("cost", "pay"), ("worth",))
TARGETS = Bearing(("worth",), ("cost",))
PRACTICE = Bearing(("index",))

OF_TABLE: Mapping[str, Bearing] = {
    "opportunities": Bearing(
        DEALS.decides, (*DEALS.touches, "index")
    ),  # a practice is read from them
    "opportunity_splits": Bearing((), ("bookings", "growth")),
    "stage_history": Bearing((), ("bookings", "worth")),
    "reps": EVERY,
    "teams": TEAMS,
    "rep_team_history": TEAMS,
    "activities": TIME,
    "compensation": PAY,
    "quotas": TARGETS,
    "fx_rates": Bearing(("bookings", "cost", "worth", "growth", "pay")),
    "finance_bookings": Bearing((), ("bookings",)),
    "working_calendar": Bearing((), ("hours", "cost", "worth", "index")),
    "programme": Bearing(("growth", "pay")),
    "programme_costs": Bearing(("pay",)),
    "hours_shifters": Bearing((), ("worth",)),
    "time_study": Bearing((), ("cost",)),
    "accounts": Bearing((), ("index",)),
    "campaigns": PRACTICE,
    "touches": Bearing((), ("index",)),
    **dict.fromkeys(_PRACTICE, PRACTICE),
}


def bearing_of(table: str) -> Bearing:
    """Return the questions that the rows of a table decide and affect."""
    return OF_TABLE.get(table, NONE)


def is_answerable(question: str, n_in: Mapping[str, int]) -> bool:
    """Return whether a dataset holds what a question needs.

    Rows came in for each table of one of its sets.
    """
    return any(all(n_in.get(table, 0) for table in several) for several in NEEDS[question])
