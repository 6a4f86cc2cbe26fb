"""The figures that leadership sees, and when they must not be seen.

Where a check speaks against the growth estimate, or nothing was estimated, no present value is
shown that rests on it: it would be the prior's.  The lift from which the programme pays takes its
place, as it rests on everything but the effect.

How sure the answer is: over lifts, over what was only stated, and input by input.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.roi import benefit as roi_benefit
from analysis.chapters.roi import simulation, uncertainty
from analysis.project import money
from analysis.stats import intervals
from analysis.stats.result import Result

if TYPE_CHECKING:
    from analysis.chapters.roi.case import Case
    from analysis.chapters.roi.decision import Decision
    from analysis.chapters.roi.simulation import Appraisal

ENDS = (intervals.ENDS[0], 0.5, intervals.ENDS[1])
SOURCE = "team_quarter, rep_quarter, programme, programme_costs"


def roi_headlines(case: Case, decision: Decision) -> dict[str, Result]:
    """Return ``npv``, ``probability_npv_positive``, ``payback_months`` and ``break_even_lift`` by
    name.

    The first three are NaN with verdict ``cannot tell`` where nothing that rests on the effect may
    be shown; else their verdict is the decision's.  ``break_even_lift`` is a measure, always known
    unless no lift breaks even.
    """
    return {
        "npv": _npv(case, decision),
        "probability_npv_positive": _probability(case, decision),
        "payback_months": _payback(case, decision),
        "break_even_lift": break_even_lift(case),
    }


def break_even_lift(case: Case) -> Result:
    """Return by how much adopters' bookings must rise on average for the programme to pay [0-1 of
    bookings].
    """
    value, low, high = (math.expm1(end) for end in simulation.break_even(case))
    return Result(
        "break_even_lift",
        value,
        low,
        high,
        "of adopters' bookings",
        case.effect.n_teams,
        "teams",
        f"average lift over the first {case.effect.n_quarters} quarters at which NPV is zero over "
        f"{case.n_periods} "
        f"quarters, all else at its estimate; 95% interval by the other inputs; {_assumed(case)}",
        SOURCE,
    )


def method_words(case: Case) -> str:
    """Return the method behind the figures, in words."""
    fixed_inputs = uncertainty.taken_as_known(case)
    prior = f"assumed beforehand {case.prior.label}" if case.prior else "nothing assumed beforehand"
    parts = [
        (
            f"{simulation.N_DRAWS:,} joint draws of the estimates; effect: {prior}, combined with "
            f"this company's estimate from {lift_source(case)}, drift allowed for"
        ),
        (
            "benefit is the total effect on adopters' bookings, times gross margin less "
            f"commission; {_assumed(case)}"
        ),
    ]
    if fixed_inputs:
        parts.append(f"taken as known: {', '.join(fixed_inputs)}")
    return "; ".join(parts)


def lift_source(case: Case) -> str:
    """Return in words what the lift is estimated from."""
    why = case.effect.not_counted
    return f"bookings alone, as {why}" if why else "bookings and opportunities"


def _assumed(case: Case) -> str:
    stated = case.assumptions
    return (
        f"gross margin {stated.gross_margin_rate * 100:.0f}%, discount "
        f"{stated.discount_rate * 100:.0f}% a year, effect fades by {stated.fade_rate * 100:.0f}% "
        f"a year from quarter {case.effect.n_quarters} on, horizon {case.n_periods} quarters from "
        "the first start"
    )


def _withheld(case: Case, name: str, unit: str) -> Result:
    nan = math.nan
    why = "; ".join(case.effect.against) or case.effect.needs
    return Result(
        name,
        nan,
        nan,
        nan,
        unit,
        case.effect.n_teams,
        "teams",
        f"cannot tell, as growth cannot be told: {why}",
        SOURCE,
        case.effect.kind,
        "cannot tell",
    )


def _headline_result(
    case: Case, decision: Decision, name: str, unit: str, ends: tuple[float, ...], more: str
) -> Result:
    low, middle, high = ends
    return Result(
        name,
        middle,
        low,
        high,
        unit,
        case.effect.n_teams,
        "teams",
        f"{method_words(case)}{more}",
        SOURCE,
        case.effect.kind,
        decision.verdict,
    )


def _npv(case: Case, decision: Decision) -> Result:
    if not decision.is_shown:
        return _withheld(case, "npv", case.currency)
    ends = tuple(float(x) for x in np.quantile(decision.appraisal.npv, ENDS))
    return _headline_result(case, decision, "npv", case.currency, ends, "; median and 95% interval")


def _probability(case: Case, decision: Decision) -> Result:
    if not decision.is_shown:
        return _withheld(case, "probability_npv_positive", "probability")
    ends = (math.nan, decision.chance, math.nan)
    more = f"; {decision.chance_from_zero:.2f} with the same prior centred on no effect"
    return _headline_result(case, decision, "probability_npv_positive", "probability", ends, more)


def _payback(case: Case, decision: Decision) -> Result:
    if not decision.is_shown:
        return _withheld(case, "payback_months", "months")
    months = decision.appraisal.payback_months
    never = float(np.isinf(months).mean())
    # A sorted pick, not an interpolation: between a date and never there is nothing.
    ends = tuple(float(x) for x in np.quantile(months, ENDS, method="inverted_cdf"))
    finite = tuple(x if math.isfinite(x) else math.nan for x in ends)
    if math.isnan(finite[-1]):
        finite = (math.nan, finite[1], math.nan)
    more = (
        f"; median, undiscounted; within the horizon it never pays back in {never * 100:.0f}% of "
        "draws"
    )
    return _headline_result(case, decision, "payback_months", "months", finite, more)


N_LIFTS = 41
BEYOND = 1.15  # how far the curve goes on past the last lift that matters
BENEFIT_RISK, COST_RISK = (
    0.20,
    0.10,
)  # taken off and put on by the vendors' method: stated, not estimated
LEAST_REACH = 0.05  # shown of the axis even where every lift that matters is smaller


def estimated_lift(case: Case) -> tuple[float, float, float]:
    """Return the lift that this company's data alone say, with its 95% interval [0-1 of adopters'
    bookings].
    """
    effect = case.effect
    reach = intervals.t_quantile(effect.df) * effect.standard_error
    value, low, high = (math.expm1(effect.estimate + reach * side) for side in (0, -1, 1))
    return value, low, high


def weighed_lift(case: Case) -> float:
    """Return the lift behind the present value: the estimate drawn back to what was assumed
    beforehand, its median [0-1 of adopters' bookings].
    """
    return math.expm1(uncertainty.central_inputs(case)[uncertainty.EFFECT].iloc[0])


def lifts_sentence(case: Case, from_bookings: float) -> str:
    """Return in a sentence how the lift behind the money comes from the one that bookings alone
    show, `from_bookings` [0-1]; what is not known is left out.
    """
    estimated, weighed = estimated_lift(case)[0], weighed_lift(case)
    lift, from_data, drawn = map(money.signed_percent, (estimated, from_bookings, weighed))
    why = case.effect.not_counted
    if why:
        steps = [
            f"bookings alone say {lift}",
            f"opportunities were not counted, because {why}",
        ]
    else:
        steps = [] if math.isnan(from_bookings) else [f"bookings alone say {from_data}"]
        steps.append(f"with new opportunities as evidence it is {lift}")
    if case.prior:
        assumed = f"{case.prior.mean_points:+g}%"
        steps.append(f"the {assumed} we assumed beforehand draws that to {drawn}")
    rests_on = drawn if case.prior else lift
    line = f"The money rests on a lift of {rests_on}: {'; '.join(steps)}."
    return line.replace("-", money.MINUS)


def lifts_that_matter(case: Case) -> pd.DataFrame:
    """Return the lift from which the programme pays: one row, or no row where it never does.

    Columns: ``lift`` [0-1 of adopters' bookings], ``label``.
    """
    even = break_even_lift(case).estimate
    if math.isnan(even):
        return pd.DataFrame({"lift": pd.Series(dtype="float64"), "label": pd.Series(dtype="str")})
    words = f"{even * 100:.1f}%".replace("-", money.MINUS)
    return pd.DataFrame({"lift": [even], "label": [f"breaks even at {words}"]})


def worth_by_lift(case: Case) -> pd.DataFrame:
    """Return NPV over the lifts that matter.

    What `simulation.by_lift` returns, over zero, the break-even and the estimate with its interval.
    """
    finite_lifts = [
        x for x in (*lifts_that_matter(case)["lift"], *estimated_lift(case)) if math.isfinite(x)
    ]
    low, high = min([0.0, *finite_lifts]), max([LEAST_REACH, *finite_lifts])
    return simulation.by_lift(case, np.linspace(max(low * BEYOND, -0.9), high * BEYOND, N_LIFTS))


def answers_by_assumption(case: Case, decision: Decision) -> pd.DataFrame:
    """Return the answer under other stated assumptions: one row an assumption.

    Columns: ``assumption``; ``break_even`` [0-1 of adopters' bookings], with ``low`` and ``high``
    (95%) where the posterior may not be shown, else with ``p10``, ``p50`` and ``p90`` of NPV
    [currency] and ``probability_positive`` [0-1].
    """
    others = simulation.case_variants(case)
    if decision.is_shown:
        even = [break_even_lift(other).estimate for other in others.values()]
        table = simulation.npv_sensitivity(case)
        table.insert(1, "break_even", even)
        return table
    rows = [
        (name, even.estimate, even.low, even.high)
        for name, even in (
            (name, break_even_lift(other)) for name, other in others.items() if other.prior
        )
    ]
    return pd.DataFrame(rows, columns=["assumption", "break_even", "low", "high"])


def inputs_by_worth(decision: Decision) -> pd.DataFrame:
    """Return what makes NPV uncertain and what knowing it exactly would be worth.

    One row an input, worst first; none where the posterior may not be shown.

    Columns: ``input``; ``npv_low`` and ``npv_high``, mean NPV with the input at its P10 and P90
    [currency]; ``share_of_variance`` [0-1]; ``worth_knowing`` [currency].
    """
    columns = ["input", "npv_low", "npv_high", "share_of_variance", "worth_knowing"]
    rows = simulation.npv_drivers(decision.appraisal)[columns]
    return rows if decision.is_shown else rows.iloc[:0]


def by_vendors_method(case: Case, appraisal: Appraisal) -> pd.DataFrame:
    """Return NPV and ROI with risk taken off as vendors' studies do it: one row a figure.

    Medians of benefit and cost, the one less 20% and the other 10% more, both stated.  Columns:
    ``figure``, ``value``, ``unit``.
    """
    benefit, cost = (
        float(np.median(values)) for values in (appraisal.pv_benefit, appraisal.pv_cost)
    )
    less, more = (
        float(each)
        for each in roi_benefit.risk_adjusted(
            benefit, cost, benefit_risk=BENEFIT_RISK, cost_risk=COST_RISK
        )
    )
    words = f"benefit {BENEFIT_RISK:.0%} less, cost {COST_RISK:.0%} more"
    rows = [
        (f"NPV, {words}", less - more, case.currency),
        (
            f"ROI, {words}",
            roi_benefit.return_on_investment(less, more),
            "net benefit per unit of cost",
        ),
    ]
    return pd.DataFrame(rows, columns=["figure", "value", "unit"])
