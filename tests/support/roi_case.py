"""A small programme whose figures can be worked by hand: two cohorts, bookings of 100 a quarter without it."""

from __future__ import annotations

import math

import pandas as pd

from analysis.chapters.roi import case
from analysis.chapters.roi.case import Assumptions, Case, GrowthEffect, Prior, Uncertain

QUARTERS = [f"{year}Q{q}" for year in (2024, 2025, 2026) for q in (1, 2, 3, 4)]
LIFT = math.log(1.25)
PRIOR = Prior(3.0, 4.0)


def bookings(
    lift: float = LIFT, *, last: int = 8, starts: tuple[int, int] = (4, 6)
) -> pd.DataFrame:
    """Return 100 a team and quarter, times exp(lift) from the team's start on; quarters up to `last`."""
    rows = [
        (team, quarter, 100.0 * math.exp(lift * (place >= start)))
        for team, start in zip("ab", starts, strict=True)
        for place, quarter in enumerate(QUARTERS[:last])
    ]
    return pd.DataFrame(rows, columns=["team_id", "quarter", "bookings_amount"])


def programme(
    *,
    lift: float = LIFT,
    error: float = 0.05,
    cost: float = 10.0,
    hours: float = 0.0,
    verdict: case.Verdict = "found",
    prior: Prior | None = PRIOR,
    against: tuple[str, ...] = (),
    horizon: int = 8,
    fade_rate: float = 0.0,
    discount_rate: float = 0.0,
    **errors: Uncertain,
) -> Case:
    """Return a case over `horizon` quarters from 2025Q1, half of bookings kept; 4 quarters are known."""
    table = case.bookings_timeline(
        bookings(), {"a": "2025Q1", "b": "2025Q3"}, horizon_quarters=horizon
    )
    costs = pd.DataFrame(
        {
            "period": range(horizon),
            "quarter": table["quarter"][table["period"] >= 0].unique(),
            "is_observed": [place < 4 for place in range(horizon)],
            "cost_amount": cost,
            "hires_amount": 0.0,
            "meeting_hours": hours,
        }
    )
    given = {
        "commission_rate": Uncertain(0.1), "cost_per_hour": Uncertain(2.0), "baseline_error": Uncertain(0.0),
        "cost_error": Uncertain(0.0),
    } | errors  # fmt: skip
    return Case(
        bookings=table, costs=costs, initial_amount=0.0, correlation=0.0, prior=prior, currency="USD",
        effect=GrowthEffect(lift, error, 20, verdict, 2, against),
        assumptions=Assumptions(0.6, discount_rate, fade_rate), **given,
    )  # fmt: skip
