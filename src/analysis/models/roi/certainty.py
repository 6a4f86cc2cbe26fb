"""How sure the answer is: over lifts, over what was only stated, and input by input.

Where growth cannot be told, no present value is shown that rests on it.  The lift from which the
programme pays takes its place: it rests on everything but the effect.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.models.roi import discounting, simulation, verdict

if TYPE_CHECKING:
    from analysis.models.roi.case import Case
    from analysis.models.roi.simulation import Appraisal

N_LIFTS = 41
BEYOND = 1.15  # how far the curve goes on past the last lift that matters
BENEFIT_RISK, COST_RISK = 0.20, 0.10  # taken off and put on by the vendors' method: stated, not estimated
LEAST_REACH = 0.05  # shown of the axis even where every lift that matters is smaller


def estimated_lift(case: Case) -> tuple[float, float, float]:
    """Return the lift that this company's data alone say, with its 95% interval [0-1 of adopters' bookings]."""
    effect = case.effect
    reach = float(stats.t.ppf(0.975, effect.df)) * effect.standard_error if effect.df > 0 else math.nan
    value, low, high = (math.expm1(effect.estimate + reach * side) for side in (0, -1, 1))
    return value, low, high


def lifts_that_matter(case: Case) -> pd.DataFrame:
    """Return the lift from which the programme pays and the smallest that the data find: one row each.

    Columns: ``lift`` [0-1 of adopters' bookings], ``label``; what is not known has no row.
    """
    rows = [
        (verdict.break_even_lift(case).estimate, "it pays from"),
        (verdict.detectable_lift(case), "the data find lifts from"),
    ]
    table = pd.DataFrame(rows, columns=["lift", "label"]).dropna(ignore_index=True)
    words = [f"{lift * 100:.1f}%".replace("-", "\N{MINUS SIGN}") for lift in table["lift"]]
    return table.assign(label=[f"{label} {word}" for label, word in zip(table["label"], words, strict=True)])


def worth_by_lift(case: Case) -> pd.DataFrame:
    """Return NPV over the lifts that matter: what `simulation.by_lift` returns, over zero and all of them."""
    known = [x for x in (*lifts_that_matter(case)["lift"], *estimated_lift(case)) if math.isfinite(x)]
    low, high = min([0.0, *known]), max([LEAST_REACH, *known])
    return simulation.by_lift(case, np.linspace(max(low * BEYOND, -0.9), high * BEYOND, N_LIFTS))


def assumptions(case: Case) -> pd.DataFrame:
    """Return the answer under other stated assumptions: one row an assumption.

    Columns: ``assumption``; ``break_even`` [0-1 of adopters' bookings], with ``low`` and ``high`` (95%) where
    growth cannot be told, else with ``p10``, ``p50`` and ``p90`` of NPV [currency] and
    ``probability_positive`` [0-1].
    """
    others = simulation.variants(case)
    if verdict.is_told(case):
        even = [verdict.break_even_lift(other).estimate for other in others.values()]
        table = simulation.sensitivity(case)
        table.insert(1, "break_even", even)
        return table
    rows = [
        (name, even.estimate, even.low, even.high)
        for name, even in ((name, verdict.break_even_lift(other)) for name, other in others.items() if other.prior)
    ]
    return pd.DataFrame(rows, columns=["assumption", "break_even", "low", "high"])


def inputs(case: Case, appraisal: Appraisal) -> pd.DataFrame:
    """Return what makes NPV uncertain and what knowing it exactly would be worth: one row an input, worst first.

    Columns: ``input``; ``npv_low`` and ``npv_high``, mean NPV with the input at its P10 and P90 [currency], where
    growth was told; ``share_of_variance`` [0-1]; ``worth_knowing`` [currency].
    """
    ends = ["npv_low", "npv_high"] if verdict.is_told(case) else []
    return simulation.drivers(appraisal)[["input", *ends, "share_of_variance", "worth_knowing"]]


def by_vendors_method(case: Case, appraisal: Appraisal) -> pd.DataFrame:
    """Return NPV and ROI with risk taken off as vendors' studies do it: one row a figure.

    Medians of benefit and cost, the one less 20% and the other 10% more, both stated.  Columns: ``figure``,
    ``value``, ``unit``.
    """
    benefit, cost = (float(np.median(values)) for values in (appraisal.pv_benefit, appraisal.pv_cost))
    less, more = (
        float(each) for each in discounting.risk_adjusted(benefit, cost, benefit_risk=BENEFIT_RISK, cost_risk=COST_RISK)
    )
    words = f"benefit {BENEFIT_RISK:.0%} less, cost {COST_RISK:.0%} more"
    rows = [
        (f"NPV, {words}", less - more, case.currency),
        (f"ROI, {words}", discounting.return_on_investment(less, more), "net benefit per unit of cost"),
    ]
    return pd.DataFrame(rows, columns=["figure", "value", "unit"])
