"""The figures that leadership sees, and when they must not be seen.

Where growth is `cannot tell`, so are NPV and payback: a present value of an effect that was not found
would be the prior's.  What the programme would have to bring takes their place.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analysis.models.result import Result
from analysis.models.roi import simulation, uncertainty

if TYPE_CHECKING:
    from analysis.models.result import Verdict
    from analysis.models.roi.case import Case
    from analysis.models.roi.simulation import Appraisal

ENDS = (0.025, 0.5, 0.975)
SOURCE = "team_quarter, rep_quarter, programme, programme_costs"


def headlines(case: Case, appraisal: Appraisal) -> dict[str, Result]:
    """Return ``npv``, ``probability_npv_positive``, ``payback_months`` and ``break_even_lift`` by name.

    The first three are NaN with verdict ``cannot tell`` where growth is; else their verdict is `found`
    where the 95% interval of NPV leaves zero out.  ``break_even_lift`` is a measure, always known
    unless no lift breaks even.
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
    """Return by how much adopters' bookings must rise on average for the programme to pay [0-1 of bookings]."""
    value, low, high = (math.expm1(end) for end in simulation.break_even(case))
    return Result(
        "break_even_lift", value, low, high, "of adopters' bookings", case.effect.n_teams, "teams",
        f"average lift over the first {case.effect.n_quarters} quarters at which NPV is zero over {case.n_periods} "
        f"quarters, all else at its estimate; 95% interval by the other inputs; {_assumed(case)}",
        SOURCE,
    )  # fmt: skip


def detectable(case: Case) -> Result:
    """Return `detectable_lift` as a figure to show beside the break-even lift; NaN where none is known."""
    nan = math.nan
    return Result(
        "detectable_lift", detectable_lift(case), nan, nan, "of adopters' bookings", case.effect.n_teams, "teams",
        "smallest lift that teams and quarters like these would find in four cases of five, by the error of the growth "
        "estimate",
        "team_quarter, programme",
    )  # fmt: skip


def detectable_lift(case: Case) -> float:
    """Return the smallest lift that data like these would find in four cases of five [0-1 of bookings]."""
    return math.expm1(case.effect.minimum_detectable)


def method(case: Case) -> str:
    """Return in words how the figures were reached."""
    known = uncertainty.taken_as_known(case)
    prior = case.prior.label if case.prior else "no prior"
    parts = [
        f"{simulation.N_DRAWS:,} joint draws of the estimates; effect: {prior} times this company's estimate",
        f"benefit is the total effect on adopters' bookings, times gross margin less commission; {_assumed(case)}",
    ]
    if known:
        parts.append(f"taken as known: {', '.join(known)}")
    return "; ".join(parts)


def _assumed(case: Case) -> str:
    stated = case.assumptions
    return (
        f"gross margin {stated.gross_margin_rate * 100:.0f}%, discount {stated.discount_rate * 100:.0f}% a year, "
        f"effect fades by {stated.fade_rate * 100:.0f}% a year from quarter {case.effect.n_quarters} on, "
        f"horizon {case.n_periods} quarters from the first start"
    )


def _verdict(case: Case, appraisal: Appraisal) -> Verdict:
    if not is_told(case):
        return "cannot tell"
    low, _, high = np.quantile(appraisal.npv, ENDS)
    return "found" if low > 0 or high < 0 else "cannot tell"


def _untold(case: Case, name: str, unit: str) -> Result:
    nan = math.nan
    words = f"cannot tell, as growth cannot be told. {case.effect.needs or 'It takes a growth effect that is found.'}"
    return Result(
        name, nan, nan, nan, unit, case.effect.n_teams, "teams", words, SOURCE, case.effect.kind, "cannot tell"
    )


def _told(case: Case, appraisal: Appraisal, name: str, unit: str, ends: tuple[float, ...], more: str = "") -> Result:
    low, middle, high = ends
    words = f"{method(case)}{more}"
    return Result(
        name, middle, low, high, unit, case.effect.n_teams, "teams", words, SOURCE, case.effect.kind,
        _verdict(case, appraisal),
    )  # fmt: skip


def _npv(case: Case, appraisal: Appraisal) -> Result:
    if not is_told(case):
        return _untold(case, "npv", case.currency)
    ends = tuple(float(x) for x in np.quantile(appraisal.npv, ENDS))
    return _told(case, appraisal, "npv", case.currency, ends, "; median and 95% interval")


def _probability(case: Case, appraisal: Appraisal) -> Result:
    if not is_told(case):
        return _untold(case, "probability_npv_positive", "probability")
    ends = (math.nan, float((appraisal.npv > 0).mean()), math.nan)
    return _told(case, appraisal, "probability_npv_positive", "probability", ends)


def _payback(case: Case, appraisal: Appraisal) -> Result:
    if not is_told(case):
        return _untold(case, "payback_months", "months")
    never = float(np.isinf(appraisal.payback_months).mean())
    # A sorted pick, not an interpolation: between a date and never there is nothing.
    ends = tuple(float(x) for x in np.quantile(appraisal.payback_months, ENDS, method="inverted_cdf"))
    finite = tuple(x if math.isfinite(x) else math.nan for x in ends)
    if math.isnan(finite[-1]):
        finite = (math.nan, finite[1], math.nan)
    more = f"; median, undiscounted; within the horizon it never pays back in {never * 100:.0f}% of draws"
    return _told(case, appraisal, "payback_months", "months", finite, more)
