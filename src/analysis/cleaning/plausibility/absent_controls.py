"""What a company's exports lack that would prove them whole.

Half of the gate's checks compare two sources of one fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from analysis.cleaning.plausibility.dataset import Dataset


class AbsentControl(NamedTuple):
    """A missing second source of the same facts, and what to export for it."""

    control: str
    remedy: str


_REMEDIES = {
    "finance totals": "Put bookings per quarter as finance states them into "
    "finance_bookings.csv: deals that are missing show there first.",
    "stage history": "Export the history of opportunities' stages (Salesforce: "
    "OpportunityHistory; HubSpot: deals with property history).",
    "attendees": (
        "Export who took part in meetings (Salesforce: EventRelation; HubSpot: meetings with "
        "their contacts)."
    ),
    "deal ids on activities": "Export activities with the deal they are about (Salesforce: "
    "WhatId; HubSpot: associated deals).",
}


def absent_controls(data: Dataset) -> tuple[AbsentControl, ...]:
    """Return which of the four controls a dataset does not hold."""
    there = {
        "finance totals": data.has("finance_bookings"),
        "stage history": data.has("stage_history"),
        "attendees": data.has("attendees"),
        "deal ids on activities": data.has("activities")
        and data.filled("activities", "opportunity_id") > 0,
    }
    return tuple(
        AbsentControl(name, _REMEDIES[name]) for name, is_there in there.items() if not is_there
    )
