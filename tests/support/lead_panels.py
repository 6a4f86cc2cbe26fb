"""Panels of leads from rows in sight: days since each lead came, and nothing else said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from analysis.chapters.lead_funnel.stages import Funnel, lead_funnel

FIRST, AS_OF = dt.date(2025, 1, 1), dt.date(2025, 12, 31)
PERIODS = pd.DataFrame(
    {
        "quarter": ["2025Q1", "2025Q2", "2025Q3", "2025Q4"],
        "from_day": [dt.date(2025, m, 1) for m in (1, 4, 7, 10)],
        "until_day": [dt.date(2025, 4, 1), dt.date(2025, 7, 1), dt.date(2025, 10, 1), dt.date(2026, 1, 1)],
    }
)  # fmt: skip
DATED = ("mql", "sal", "sql", "opportunity", "won", "lost", "disqualified", "recycled")


def lead(came: int = 0, **other: Any) -> dict[str, Any]:
    """Return a lead that came `came` days into 2025; stages as days since then."""
    created = FIRST + dt.timedelta(days=came)
    row: dict[str, Any] = {
        "created_on": created, "activity": "Web", "activity_basis": "lead source", "lead_source": "Web",
        "rep_id": None, "team_id": "T", "segment": "S", "opportunity_id": None, "outcome": None,
        "deal_amount": None, "rep_hours": None,
    }  # fmt: skip
    for stage in DATED:
        days = other.pop(stage, None)
        row[f"{stage}_on"] = None if days is None else created + dt.timedelta(days=days)
    return row | other


def panel(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return panel ``lead_dates`` of leads, named by their place."""
    table = pd.DataFrame([{"lead_id": f"L{n}"} | row for n, row in enumerate(rows)])
    return table.astype({"deal_amount": "float64", "rep_hours": "float64"})


def funnel(*rows: dict[str, Any], as_of: dt.date = AS_OF) -> Funnel:
    """Return the funnel of leads as of the end of 2025."""
    return lead_funnel(panel(*rows), PERIODS, as_of)
