"""What the programme has cost so far, item by item, and what its appraisal takes as given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis.models.roi import spending

if TYPE_CHECKING:
    from analysis.models.roi.case import Case

MEETINGS, TOTAL = "Meetings of both sides", "Together"


def spent(case: Case, programme_costs: pd.DataFrame, *, fiscal_year_start_month: int = 1) -> pd.DataFrame:
    """Return the cost of the programme up to the last quarter known: one row a kind, meetings, then the total.

    Columns: ``item``, ``hours`` of people in meetings since the first start [h], ``cost_amount`` [currency] and
    ``share`` of the total [0-1].  The rows are those that the appraisal counts, at its mean cost per hour.
    """
    known = case.costs[case.costs["is_observed"].astype(bool)]
    costs = spending.by_quarter(programme_costs, fiscal_year_start_month=fiscal_year_start_month)
    kinds = costs[costs["quarter"] <= known["quarter"].max()].groupby("kind")["cost_amount"].sum()
    hours = float(known["meeting_hours"].sum())
    rows = [
        (str(kind).capitalize(), math.nan, float(amount)) for kind, amount in kinds.sort_values(ascending=False).items()
    ]
    rows.append((MEETINGS, hours, hours * case.cost_per_hour.estimate))
    total = sum(amount for *_, amount in rows)
    rows.append((TOTAL, hours, total))
    table = pd.DataFrame(rows, columns=["item", "hours", "cost_amount"])
    table["share"] = table["cost_amount"] / total
    return table


def sentence(case: Case) -> str:
    """Return what the appraisal stands on: teams, horizon, what is assumed and what is believed beforehand."""
    stated, n_known = case.assumptions, int(case.costs["is_observed"].sum())
    names = case.costs["quarter"]
    prior = f" Believed of the effect before these data: {case.prior.label}." if case.prior else ""
    return (
        f"{case.effect.n_teams} teams started, the first in {names.iloc[0]}. The appraisal runs over "
        f"{case.n_periods} quarters, {names.iloc[0]} to {names.iloc[-1]}, of which {n_known} are known; beyond them "
        "bookings without the programme and costs go on as in the last four quarters known. Of a booking, a gross "
        f"margin of {stated.gross_margin_rate:.0%} less commission of {case.commission_rate.estimate:.1%} is kept; "
        f"money is discounted at {stated.discount_rate:.0%} a year, and the effect fades by "
        f"{stated.fade_rate:.0%} a year once the first {case.effect.n_quarters} quarters are over.{prior}"
    )
