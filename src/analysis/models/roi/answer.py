"""The sentence that leadership can repeat, and what to do next even where growth cannot be told."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analysis import money
from analysis.models.roi import simulation, verdict

if TYPE_CHECKING:
    from analysis.models.result import Result
    from analysis.models.roi.case import Case
    from analysis.models.roi.simulation import Appraisal

NEARLY = 0.01  # draws do not make a thing certain
SURE, UNLIKELY = 0.9, 0.1  # P(NPV > 0) from which money is moved, and below which it is withdrawn


def sentence(case: Case, headlines: dict[str, Result]) -> str:
    """Return in one sentence whether the programme pays, from what `verdict.headlines` returns."""
    npv, probability, even = (headlines[name] for name in ("npv", "probability_npv_positive", "break_even_lift"))
    horizon = f"over {case.n_periods} quarters"
    if not verdict.is_told(case):
        return f"Whether the alignment programme pays cannot be told yet: {_break_even(case, even)}."
    value, low, high = (money.millions_text(end, case.currency, 1) for end in (npv.estimate, npv.low, npv.high))
    worth, chance = f"{value} ({low} to {high})", f"probability that it pays {_chance(probability.estimate)}"
    if npv.verdict == "cannot tell":
        return f"Whether the alignment programme pays {horizon} cannot be told: NPV is {worth}, {chance}."
    word, when = "pays" if npv.estimate > 0 else "does not pay", _when(headlines["payback_months"])
    return f"The alignment programme {word}: its NPV {horizon} is {worth}, {chance}{when}."


def next_step(case: Case, appraisal: Appraisal, headlines: dict[str, Result]) -> str:
    """Return in one sentence what to do next, from what is known and what is not."""
    probability, even = headlines["probability_npv_positive"], headlines["break_even_lift"]
    if not verdict.is_told(case):
        return _while_untold(case, even)
    if probability.estimate >= SURE:
        return "Start the programme in the teams that do not have it, on announced dates and in turns."
    if probability.estimate <= UNLIKELY:
        return "Start no further team, and end what costs most, unless its cost can be cut below what it brings."
    return f"Start no further team before {_worth_measuring(case, appraisal)}."


def _while_untold(case: Case, even: Result) -> str:
    needs = case.effect.needs or "Telling its effect needs more teams or quarters."
    keep = "Keep the programme where it runs and start further teams in turns, on announced dates"
    if not even.is_known:
        return f"Start no further team: no lift searched would pay for the programme. {needs}"
    expected = math.expm1(case.prior.mean_points / 100) if case.prior else verdict.detectable_lift(case)
    if even.estimate <= expected:
        return (
            f"{keep}: it pays from a lift of {_percent(even.estimate)}, below what programmes like it may be expected "
            f"to bring ({_percent(expected)}). {needs}"
        )
    return (
        f"Start no further team yet: it would have to lift bookings by {_percent(even.estimate)}, more than programmes "
        f"like it may be expected to bring ({_percent(expected)}). {needs}"
    )


def _worth_measuring(case: Case, appraisal: Appraisal) -> str:
    drivers = simulation.drivers(appraisal).sort_values("worth_knowing", ascending=False)
    first = drivers.iloc[0]
    worth = money.millions_text(float(first["worth_knowing"]), case.currency, 1)
    return f"the {first['input']} is measured better: knowing it exactly would be worth up to {worth}"


def _break_even(case: Case, even: Result) -> str:
    least = verdict.detectable_lift(case)
    found = f"these data find {_found(least)}"
    if abs(case.effect.estimate) > case.effect.minimum_detectable:
        found = "the change seen at adopters may not be the programme's doing"
    if not even.is_known:
        return f"no lift of adopters' bookings searched would pay for it, and {found}"
    paid = "at any lift above" if even.estimate <= 0 else "from a lift of"
    return f"it pays {paid} {_percent(even.estimate)} of adopters' bookings, and {found}"


def found_from(case: Case) -> str:
    """Return in a sentence which lifts the data could find."""
    return f"These data find {_found(verdict.detectable_lift(case))}."


def _found(least: float) -> str:
    return "no lift at all" if math.isnan(least) else f"only lifts above {_percent(least)}"


def _when(payback: Result) -> str:
    if not payback.is_known:
        return ""
    return ", paid back within a month" if payback.estimate < 1 else f", paid back after {payback.estimate:.0f} months"


def _chance(probability: float) -> str:
    if probability > 1 - NEARLY:
        return f"above {(1 - NEARLY) * 100:.0f}%"
    return f"below {NEARLY * 100:.0f}%" if probability < NEARLY else f"{probability * 100:.0f}%"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%".replace("-", "\N{MINUS SIGN}")
