"""What a missed quota does to the marketing budget of the quarter after.

"Your marketing budget will more than likely be cut": the company says by which rule, the chance of
each attainment says how likely.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis import quarters
from analysis.models.roi import uncertainty
from analysis.models.roi.case import BASE_QUARTERS, Uncertain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Cut(NamedTuple):
    """Below `attainment` [0-1 of quota] only `kept` [0-1] of the budget is left."""

    attainment: float
    kept: float


class NextBudget(NamedTuple):
    """Quantiles of the next quarter's budget [currency] and how likely it is cut at all [0-1]."""

    p10: float
    p50: float
    p90: float
    probability_cut: float


def of_company(
    tables: Mapping[str, pd.DataFrame], *, quarter: str, fiscal_year_start_month: int, rule: Sequence[Cut]
) -> NextBudget:  # fmt: skip
    """Return the budget after next quarter's attainment, if bookings come as in the last four quarters.

    Quota is the quarter's, the budget a quarter's mean cost of campaigns over the last four.  All missing
    where no quota is known.
    """
    panel = tables["team_quarter"]
    whole = panel[(panel["quarter"] <= quarter) & ~panel["is_partial"].astype(bool)]
    recent = whole.groupby("quarter")["bookings_amount"].sum().iloc[-BASE_QUARTERS:]
    spread = Uncertain(float(recent.mean()), float(recent.std(ddof=1)), len(recent) - 1)
    end = quarters.quarter(quarter).end(fiscal_year_start_month)
    first = quarters.quarter(quarter).shifted(1 - BASE_QUARTERS).start(fiscal_year_start_month)
    began = pd.to_datetime(tables["campaigns"]["start_date"])
    run = tables["campaigns"][(began >= pd.Timestamp(first)) & (began < pd.Timestamp(end))]
    quota = float(whole.loc[whole["quarter"] == quarter, "quota_amount"].sum())
    if not quota > 0:
        return NextBudget(math.nan, math.nan, math.nan, math.nan)
    return next_budget(
        spread, quota_amount=quota, budget_amount=float(run["cost_amount"].sum()) / BASE_QUARTERS, rule=rule
    )  # fmt: skip


def next_budget(
    bookings: Uncertain, *, quota_amount: float, budget_amount: float, rule: Sequence[Cut], seed: int = 0,
    n_draws: int = 10_000,
) -> NextBudget:  # fmt: skip
    """Return the next quarter's budget over the chance of attainment.

    Raises
    ------
    ValueError
        If the rule leaves less for a higher attainment.
    """
    steps = sorted(rule)
    if any(low.kept > high.kept for low, high in itertools.pairwise(steps)) or not steps:
        raise ValueError(f"rule must leave no less for a higher attainment, got {[tuple(s) for s in steps]}")
    if not quota_amount > 0:
        raise ValueError(f"quota_amount must be above 0, got {quota_amount!r}")
    z = np.random.default_rng(seed).standard_normal(n_draws)
    attained = uncertainty.drawn(bookings, z) / quota_amount
    place = np.searchsorted([s.attainment for s in steps], attained, side="right")
    kept = np.array([*(s.kept for s in steps), 1.0])[place]
    low, middle, high = np.quantile(budget_amount * kept, [0.1, 0.5, 0.9])
    return NextBudget(float(low), float(middle), float(high), float((kept < 1).mean()))
