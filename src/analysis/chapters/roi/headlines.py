"""The figures that leadership sees, and when they must not be seen.

Where growth is `cannot tell`, so are NPV and payback: a present value of an effect that was not
found would be the prior's.  What the programme would have to bring takes their place.

The sentence that leadership can repeat, and what to do next even where growth cannot be told.

How sure the answer is: over lifts, over what was only stated, and input by input.

Where growth cannot be told, no present value is shown that rests on it.  The lift from which the
programme pays takes its place: it rests on everything but the effect.
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
    from analysis.chapters.roi.simulation import Appraisal
    from analysis.stats.result import Verdict

ENDS = (intervals.ENDS[0], 0.5, intervals.ENDS[1])
SOURCE = "team_quarter, rep_quarter, programme, programme_costs"


def roi_headlines(case: Case, appraisal: Appraisal) -> dict[str, Result]:
    """Return ``npv``, ``probability_npv_positive``, ``payback_months`` and ``break_even_lift`` by
    name.

    The first three are NaN with verdict ``cannot tell`` where growth is; else their verdict is
    `found` where the 95% interval of NPV leaves zero out.  ``break_even_lift`` is a measure, always
    known unless no lift breaks even.
    """
    return {
        "npv": _npv(case, appraisal),
        "probability_npv_positive": _probability(case, appraisal),
        "payback_months": _payback(case, appraisal),
        "break_even_lift": break_even_lift(case),
    }


def is_told(case: Case) -> bool:
    """Return whether growth was told, so that money can be put on it."""
    return case.effect.verdict != "cannot tell"


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


def detectable_figure(case: Case) -> Result:
    """Return `detectable_lift` as a figure to show beside the break-even lift.

    NaN where none is known.
    """
    nan = math.nan
    return Result(
        "detectable_lift",
        detectable_lift(case),
        nan,
        nan,
        "of adopters' bookings",
        case.effect.n_teams,
        "teams",
        "smallest lift that teams and quarters like these would find in four cases of five, by "
        "the error of the growth estimate",
        "team_quarter, programme",
    )


def detectable_lift(case: Case) -> float:
    """Return the smallest lift that data like these would find in four cases of five [0-1 of
    bookings].
    """
    return math.expm1(case.effect.minimum_detectable)


def method_words(case: Case) -> str:
    """Return in words how the figures were reached."""
    fixed_inputs = uncertainty.taken_as_known(case)
    prior = case.prior.label if case.prior else "no prior"
    parts = [
        (
            f"{simulation.N_DRAWS:,} joint draws of the estimates; effect: {prior} times this "
            "company's estimate"
        ),
        (
            "benefit is the total effect on adopters' bookings, times gross margin less "
            f"commission; {_assumed(case)}"
        ),
    ]
    if fixed_inputs:
        parts.append(f"taken as known: {', '.join(fixed_inputs)}")
    return "; ".join(parts)


def _assumed(case: Case) -> str:
    stated = case.assumptions
    return (
        f"gross margin {stated.gross_margin_rate * 100:.0f}%, discount "
        f"{stated.discount_rate * 100:.0f}% a year, effect fades by {stated.fade_rate * 100:.0f}% "
        f"a year from quarter {case.effect.n_quarters} on, horizon {case.n_periods} quarters from "
        "the first start"
    )


def _verdict(case: Case, appraisal: Appraisal) -> Verdict:
    if not is_told(case):
        return "cannot tell"
    low, _, high = np.quantile(appraisal.npv, ENDS)
    return "found" if low > 0 or high < 0 else "cannot tell"


def _untold(case: Case, name: str, unit: str) -> Result:
    nan = math.nan
    words = (
        "cannot tell, as growth cannot be told. "
        f"{case.effect.needs or 'It takes a growth effect that is found.'}"
    )
    return Result(
        name,
        nan,
        nan,
        nan,
        unit,
        case.effect.n_teams,
        "teams",
        words,
        SOURCE,
        case.effect.kind,
        "cannot tell",
    )


def _headline_result(
    case: Case, appraisal: Appraisal, name: str, unit: str, ends: tuple[float, ...], more: str = ""
) -> Result:
    low, middle, high = ends
    words = f"{method_words(case)}{more}"
    return Result(
        name,
        middle,
        low,
        high,
        unit,
        case.effect.n_teams,
        "teams",
        words,
        SOURCE,
        case.effect.kind,
        _verdict(case, appraisal),
    )


def _npv(case: Case, appraisal: Appraisal) -> Result:
    if not is_told(case):
        return _untold(case, "npv", case.currency)
    ends = tuple(float(x) for x in np.quantile(appraisal.npv, ENDS))
    return _headline_result(
        case, appraisal, "npv", case.currency, ends, "; median and 95% interval"
    )


def _probability(case: Case, appraisal: Appraisal) -> Result:
    if not is_told(case):
        return _untold(case, "probability_npv_positive", "probability")
    ends = (math.nan, float((appraisal.npv > 0).mean()), math.nan)
    return _headline_result(case, appraisal, "probability_npv_positive", "probability", ends)


def _payback(case: Case, appraisal: Appraisal) -> Result:
    if not is_told(case):
        return _untold(case, "payback_months", "months")
    never = float(np.isinf(appraisal.payback_months).mean())
    # A sorted pick, not an interpolation: between a date and never there is nothing.
    ends = tuple(
        float(x) for x in np.quantile(appraisal.payback_months, ENDS, method="inverted_cdf")
    )
    finite = tuple(x if math.isfinite(x) else math.nan for x in ends)
    if math.isnan(finite[-1]):
        finite = (math.nan, finite[1], math.nan)
    more = (
        f"; median, undiscounted; within the horizon it never pays back in {never * 100:.0f}% of "
        "draws"
    )
    return _headline_result(case, appraisal, "payback_months", "months", finite, more)


NEARLY = 0.01  # draws do not make a thing certain
SURE, UNLIKELY = 0.9, 0.1  # P(NPV > 0) from which money is moved, and below which it is withdrawn


def roi_sentence(case: Case, headlines: dict[str, Result]) -> str:
    """Return in one sentence whether the programme pays, from what `headlines.roi_headlines`
    returns.
    """
    npv, probability, even = (
        headlines[name] for name in ("npv", "probability_npv_positive", "break_even_lift")
    )
    horizon = f"over {case.n_periods} quarters"
    if not is_told(case):
        return (
            f"Whether the alignment programme pays cannot be told yet: {_break_even(case, even)}."
        )
    value, low, high = (
        money.millions_text(end, case.currency, 1) for end in (npv.estimate, npv.low, npv.high)
    )
    worth, chance = (
        f"{value} ({low} to {high})",
        f"probability that it pays {_chance(probability.estimate)}",
    )
    if npv.verdict == "cannot tell":
        return (
            f"Whether the alignment programme pays {horizon} cannot be told: NPV is {worth}, "
            f"{chance}."
        )
    word, when = "pays" if npv.estimate > 0 else "does not pay", _when(headlines["payback_months"])
    return f"The alignment programme {word}: its NPV {horizon} is {worth}, {chance}{when}."


def next_step(case: Case, appraisal: Appraisal, headlines: dict[str, Result]) -> str:
    """Return in one sentence what to do next, from what is known and what is not."""
    probability, even = headlines["probability_npv_positive"], headlines["break_even_lift"]
    if not is_told(case):
        return _while_untold(case, even)
    if probability.estimate >= SURE:
        return (
            "Start the programme in the teams that do not have it, on announced dates and in turns."
        )
    if probability.estimate <= UNLIKELY:
        return (
            "Start no further team, and end what costs most, unless its cost can be cut below "
            "what it brings."
        )
    return f"Start no further team before {_worth_measuring(case, appraisal)}."


def _while_untold(case: Case, even: Result) -> str:
    needs = case.effect.needs or "Telling its effect needs more teams or quarters."
    keep = "Keep the programme where it runs and start further teams in turns, on announced dates"
    if not even.is_known:
        return f"Start no further team: no lift searched would pay for the programme. {needs}"
    expected = math.expm1(case.prior.mean_points / 100) if case.prior else detectable_lift(case)
    if even.estimate <= expected:
        return (
            f"{keep}: it pays from a lift of {_percent(even.estimate)}, below what programmes like "
            f"it may be expected to bring ({_percent(expected)}). {needs}"
        )
    return (
        f"Start no further team yet: it would have to lift bookings by {_percent(even.estimate)}, "
        f"more than programmes like it may be expected to bring ({_percent(expected)}). {needs}"
    )


def _worth_measuring(case: Case, appraisal: Appraisal) -> str:
    drivers = simulation.npv_drivers(appraisal).sort_values("worth_knowing", ascending=False)
    first = drivers.iloc[0]
    worth = money.millions_text(float(first["worth_knowing"]), case.currency, 1)
    return (
        f"the {first['input']} is measured better: knowing it exactly would be worth up to {worth}"
    )


def _break_even(case: Case, even: Result) -> str:
    least = detectable_lift(case)
    detectable_phrase = f"these data find {_detectable_words(least)}"
    if abs(case.effect.estimate) > case.effect.minimum_detectable:
        detectable_phrase = "the change seen at adopters may not be the programme's doing"
    if not even.is_known:
        return f"no lift of adopters' bookings searched would pay for it, and {detectable_phrase}"
    paid = "at any lift above" if even.estimate <= 0 else "from a lift of"
    return (
        f"it pays {paid} {_percent(even.estimate)} of adopters' bookings, and {detectable_phrase}"
    )


def found_from(case: Case) -> str:
    """Return in a sentence which lifts the data could find."""
    return f"These data find {_detectable_words(detectable_lift(case))}."


def _detectable_words(least: float) -> str:
    return "no lift at all" if math.isnan(least) else f"only lifts above {_percent(least)}"


def _when(payback: Result) -> str:
    if not payback.is_known:
        return ""
    return (
        ", paid back within a month"
        if payback.estimate < 1
        else f", paid back after {payback.estimate:.0f} months"
    )


def _chance(probability: float) -> str:
    if probability > 1 - NEARLY:
        return f"above {(1 - NEARLY) * 100:.0f}%"
    return f"below {NEARLY * 100:.0f}%" if probability < NEARLY else f"{probability * 100:.0f}%"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%".replace("-", "\N{MINUS SIGN}")


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


def lifts_that_matter(case: Case) -> pd.DataFrame:
    """Return the lift from which the programme pays and the smallest that the data find.

    One row each.

    Columns: ``lift`` [0-1 of adopters' bookings], ``label``; what is not known has no row.
    """
    rows = [
        (break_even_lift(case).estimate, "it pays from"),
        (detectable_lift(case), "the data find lifts from"),
    ]
    table = pd.DataFrame(rows, columns=["lift", "label"]).dropna(ignore_index=True)
    words = [f"{lift * 100:.1f}%".replace("-", "\N{MINUS SIGN}") for lift in table["lift"]]
    return table.assign(
        label=[f"{label} {word}" for label, word in zip(table["label"], words, strict=True)]
    )


def worth_by_lift(case: Case) -> pd.DataFrame:
    """Return NPV over the lifts that matter.

    What `simulation.by_lift` returns, over zero and all of them.
    """
    finite_lifts = [
        x for x in (*lifts_that_matter(case)["lift"], *estimated_lift(case)) if math.isfinite(x)
    ]
    low, high = min([0.0, *finite_lifts]), max([LEAST_REACH, *finite_lifts])
    return simulation.by_lift(case, np.linspace(max(low * BEYOND, -0.9), high * BEYOND, N_LIFTS))


def answers_by_assumption(case: Case) -> pd.DataFrame:
    """Return the answer under other stated assumptions: one row an assumption.

    Columns: ``assumption``; ``break_even`` [0-1 of adopters' bookings], with ``low`` and ``high``
    (95%) where growth cannot be told, else with ``p10``, ``p50`` and ``p90`` of NPV [currency] and
    ``probability_positive`` [0-1].
    """
    others = simulation.case_variants(case)
    if is_told(case):
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


def inputs_by_worth(case: Case, appraisal: Appraisal) -> pd.DataFrame:
    """Return what makes NPV uncertain and what knowing it exactly would be worth.

    One row an input, worst first.

    Columns: ``input``; ``npv_low`` and ``npv_high``, mean NPV with the input at its P10 and P90
    [currency], where growth was told; ``share_of_variance`` [0-1]; ``worth_knowing`` [currency].
    """
    ends = ["npv_low", "npv_high"] if is_told(case) else []
    return simulation.npv_drivers(appraisal)[["input", *ends, "share_of_variance", "worth_knowing"]]


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
