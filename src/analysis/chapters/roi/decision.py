"""Whether the programme pays, as a decision: how likely, what is at stake, and what to do next.

The chance that it pays is reckoned under two beliefs: the one stated in the settings, and one of
the same width centred on no effect.  ``likely pays`` takes nine in ten under both, ``likely does
not pay`` one in ten.  Where a check speaks against the growth estimate, or nothing was estimated,
no chance is given: the lift from which it pays and what a lift is worth take its place.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.roi import simulation, uncertainty
from analysis.project import money
from analysis.project.money import MINUS

if TYPE_CHECKING:
    from analysis.chapters.roi.case import Case
    from analysis.chapters.roi.further_teams import FurtherTeams
    from analysis.chapters.roi.simulation import Appraisal
    from analysis.stats.result import Verdict

SURE = 0.9  # chance that it pays from which it is said to be likely, under both beliefs
EVEN_ODDS = 0.5
NEARLY = 0.01  # draws do not make a thing certain
FAR_APART = 2.0  # standard errors between estimate and belief from which the belief decides
LIFT_SHOWN = 0.05  # of bookings: the smallest change that matters, whose worth is told


class Decision(NamedTuple):
    """The appraisal under the stated belief, and the chance that the programme pays under each.

    ``appraisal`` is drawn from the posterior; ``is_shown`` says whether what rests on it may be
    shown.  Chances are 0 to 1; ``break_even`` is a lift [0-1 of bookings], NaN where none will do.
    """

    verdict: Verdict
    is_shown: bool
    appraisal: Appraisal
    chance: float
    chance_from_zero: float
    break_even: float


class Stake(NamedTuple):
    """What the programme comes to on average if it pays, and if it does not [currency]."""

    if_it_pays: float
    if_it_does_not: float


class NextStep(NamedTuple):
    """What to do next, its verb first, and what to do about it on the next working day."""

    sentence: str
    first: str


ANNOUNCE = "Choose the teams that begin and tell all teams the dates."
PAUSE = "Tell the teams that joined that it pauses, and ask their reps what it takes from them."
HOLD = "Tell the teams that wait for it that no date is set, and why."
WHERE_NONE_IS_LEFT = {  # what a step says of further teams, and what it says where there are none
    "Start no further team on the strength of": "Decide nothing on the strength of",
    "Start no further team: no lift": "Decide whether the programme goes on: no lift",
    "Start no further team yet: the": "Decide next quarter whether the programme goes on: the",
    "Start no further team, and look": "Look",
    "Start no further team, and end": "End",
    "Start no further team, and decide": "Decide",
    ", and start no further team yet: it": ": it",
    ", and start further teams in turns, on announced dates: more": ": more",
}


def decide_on_case(case: Case) -> Decision:
    """Return what the appraisal of a programme says of going on with it."""
    appraisal = simulation.appraise_case(case)
    is_shown = not math.isnan(case.effect.estimate) and not case.effect.against
    chance = float((appraisal.npv > 0).mean())
    from_zero = case._replace(prior=case.prior._replace(mean_points=0.0)) if case.prior else case
    chance_from_zero = float((simulation.appraise_case(from_zero).npv > 0).mean())
    verdict: Verdict = "cannot tell"
    if is_shown and min(chance, chance_from_zero) >= SURE:
        verdict = "likely pays"
    elif is_shown and max(chance, chance_from_zero) <= 1 - SURE:
        verdict = "likely does not pay"
    even = math.expm1(simulation.break_even(case)[0])
    return Decision(verdict, is_shown, appraisal, chance, chance_from_zero, even)


def money_at_stake(appraisal: Appraisal) -> Stake:
    """Return the mean net present value of draws above zero and of those below; 0 where none is."""
    npv = appraisal.npv
    gains, losses = npv[npv > 0], npv[npv <= 0]
    return Stake(
        float(gains.mean()) if gains.size else 0.0, float(losses.mean()) if losses.size else 0.0
    )


def decision_sentence(case: Case, decision: Decision) -> str:
    """Return in one or two sentences whether the programme pays."""
    if not decision.is_shown:
        why = (
            f"{case.effect.against[0]}, so we cannot put a chance on it"
            if case.effect.against
            else "its effect could not be estimated"
        )
        worth = f" {_break_even(decision, _worth_of_lift(case))}" if case.has_bookings else ""
        return f"Whether the alignment programme pays stays open: {why}.{worth}"
    opening = {
        "likely pays": "The alignment programme likely pays",
        "likely does not pay": "The alignment programme likely does not pay",
    }.get(decision.verdict, "The alignment programme may or may not pay")
    stake = _at_stake(case, decision.appraisal)
    if math.isnan(decision.break_even):  # what no lift pays for has nothing to bring "if it pays"
        middle = _money(case, float(np.median(decision.appraisal.npv)))
        stake = [f"is worth {middle} over {case.horizon_words} in the middle of its outcomes"]
    alone = _data_alone(case, decision)
    return f"{opening}: {_chances(case, decision)}. {_break_even(decision, stake)}{alone}"


def next_step(case: Case, decision: Decision, further: FurtherTeams) -> NextStep:
    """Return what to do next; it follows the estimate.

    `further` are the teams that do not have the programme; where none is left, nothing is said of
    starting one, and nobody waits to be told.
    """
    step = _step_of_estimate(case, decision, further)
    if further.n_teams or step.first not in {HOLD, ANNOUNCE}:
        return step
    words = step.sentence
    for of_further, of_none in WHERE_NONE_IS_LEFT.items():
        words = words.replace(of_further, of_none)
    return NextStep(words, "")


def _step_of_estimate(case: Case, decision: Decision, further: FurtherTeams) -> NextStep:
    effect = case.effect
    if effect.against:
        return _with_something_against(case)
    if math.isnan(effect.estimate):
        return _without_estimate(case, decision)
    is_harm = effect.estimate < 0 and effect.verdict in {"found", "likely"}
    if is_harm or (effect.estimate < 0 and decision.verdict == "likely does not pay"):
        return NextStep(
            "Stop the programme, or change it before it goes on: as far as these data tell, "
            f"joining lowered bookings.{' Start no further team.' if further.n_teams else ''}",
            PAUSE,
        )
    if decision.verdict == "likely pays":
        return _start_further(further)
    if decision.verdict == "likely does not pay":
        return NextStep(
            "Start no further team, and end what costs most, unless its cost can be cut below "
            "what it brings.",
            HOLD,
        )
    return _while_open(case, decision, further)


def _start_further(further: FurtherTeams) -> NextStep:
    if not further.n_teams:
        return NextStep("Keep the programme where it runs: every team has it.", "")
    where = "team that does" if further.n_teams == 1 else f"{further.n_teams} teams that do"
    step = f"Start the programme in the {where} not have it, on announced dates and in turns"
    if math.isnan(further.break_even):
        return NextStep(f"{step}.", ANNOUNCE)
    even = _percent(further.break_even)
    return NextStep(f"{step}: there it breaks even if it raises bookings by {even}.", ANNOUNCE)


def _with_something_against(case: Case) -> NextStep:
    why = case.effect.against[0]
    if not case.has_bookings:
        return NextStep(
            "Start no further team on the strength of this report. State a longer horizon "
            f"(`horizon_quarters` in `alignment.toml`): {why}.",
            HOLD,
        )
    if case.effect.estimate < 0:
        return NextStep(
            "Start no further team, and look into why teams that joined booked less than expected: "
            f"{why}.",
            HOLD,
        )
    return NextStep(
        f"Start no further team on the strength of this figure. First settle this: {why}.", HOLD
    )


def _while_open(case: Case, decision: Decision, further: FurtherTeams) -> NextStep:
    limit = (
        f"Do not spend more than {_money(case, simulation.worth_of_certainty(decision.appraisal))} "
        "on measuring this better."
    )
    is_leaning = min(decision.chance, decision.chance_from_zero) > EVEN_ODDS
    if case.effect.estimate > 0 and is_leaning:
        if case.effect.verdict not in {"found", "likely"}:
            return _while_within_chance(case, further, limit)
        return NextStep(
            "Keep the programme where it runs, and start further teams in turns, on announced "
            f"dates: more likely than not it pays, but that is not sure. {limit}",
            ANNOUNCE,
        )
    odds = (
        "more likely than not it does not pay"
        if max(decision.chance, decision.chance_from_zero) < EVEN_ODDS
        else "it may as well lose money as make it"
    )
    return NextStep(
        f"Start no further team, and decide next quarter whether the programme goes on: {odds}. "
        f"{limit}",
        HOLD,
    )


def _while_within_chance(case: Case, further: FurtherTeams, limit: str) -> NextStep:
    """Return what to do where it leans to paying and the lift itself may be chance."""
    n = _quarters_to_watch(case)
    if n:
        when = "next quarter" if n == 1 else f"in {n} quarters"
        return NextStep(
            "Keep the programme where it runs, and start no further team yet: it may pay, but the "
            f"change in bookings may be chance. Decide {when}: by then all teams that joined have "
            f"been watched for {case.effect.n_quarters} quarters. {limit}",
            HOLD,
        )
    if not further.n_teams:
        return NextStep(
            "Keep the programme where it runs: it may pay, but the change in bookings may be "
            f"chance, and every team has it, so none is left to tell by. {limit}",
            "",
        )
    return NextStep(
        "Keep the programme where it runs. It may pay, but the change in bookings may be chance, "
        f"and waiting will not tell: all teams that joined were watched for "
        f"{case.effect.n_quarters} quarters. To know, start a few further teams in turns, on "
        f"announced dates. {limit}",
        ANNOUNCE,
    )


def _quarters_to_watch(case: Case) -> int:
    """Return how many quarters the last teams that joined are short of those the effect is over."""
    watched = case.bookings.dropna(subset="bookings_amount").groupby("start")["event_time"].max()
    return max(case.effect.n_quarters - 1 - int(watched.min()), 0)


def decision_table(case: Case, decision: Decision) -> pd.DataFrame:
    """Return the decision in figures: one row a figure, ``figure`` and ``value`` in words."""
    effect = case.effect
    even = _percent(decision.break_even) if case.has_bookings else "not known"
    rows = [("It breaks even from a lift of", even)]
    if decision.is_shown:
        stake = money_at_stake(decision.appraisal)
        believed = f"{case.prior.mean_points:g}%" if case.prior else "nothing"
        rows = [
            (f"Chance that it pays, {believed} assumed beforehand", _chance(decision.chance)),
            ("… no effect assumed beforehand", _chance(decision.chance_from_zero)),
            *rows,
            ("If it pays it brings, on average", _money(case, stake.if_it_pays)),
            ("If it does not it comes to", _money(case, stake.if_it_does_not)),
            (
                "Do not spend more on measuring it than",
                _money(case, simulation.worth_of_certainty(decision.appraisal)),
            ),
        ]
    if not math.isnan(effect.drift_to_believe):
        rows.append(
            ("Unseen gain of adopters a quarter that would undo the estimate",
             f"{money.signed_number(100 * effect.drift_to_believe, 1)} points"),
        )  # fmt: skip
    if not math.isnan(effect.drift):
        rows.append(
            (
                "… gain seen before the start",
                f"{money.signed_number(100 * effect.drift, 1)} points",
            )
        )
    return pd.DataFrame(rows, columns=["figure", "value"])


def chances_note(case: Case, decision: Decision) -> str:
    """Return the chance under the other belief, as the card's note."""
    if not decision.is_shown:
        return "Not given: see the answer on growth."
    believed = f"{case.prior.mean_points:g}%" if case.prior else "nothing"
    return (
        f"With {believed} assumed beforehand; {_chance(decision.chance_from_zero)} with no effect "
        "assumed."
    )


def _without_estimate(case: Case, decision: Decision) -> NextStep:
    needs = case.effect.needs
    if math.isnan(decision.break_even):
        no_lift = "Start no further team: no lift searched would pay for the programme."
        return NextStep(f"{no_lift} {needs}", HOLD)
    lift = _percent(decision.break_even)
    if case.prior and decision.break_even <= math.expm1(case.prior.mean_points / 100):
        return NextStep(
            "Keep the programme where it runs, and start no further team yet: it breaks even at a "
            f"lift of {lift}, less than the {case.prior.mean_points:g}% we assumed without data, "
            f"but nothing shows that it brings as much here. {needs}",
            HOLD,
        )
    return NextStep(
        f"Start no further team yet: the programme would have to lift bookings by {lift}, more "
        f"than we assumed without data. {needs}",
        HOLD,
    )


def _break_even(decision: Decision, stake: list[str]) -> str:
    """Return in a sentence from which lift it pays and what is at `stake`, clauses on "it"."""
    if math.isnan(decision.break_even):
        return f"No lift of bookings that we searched would pay for it: it {' and '.join(stake)}."
    even = (
        "breaks even without any lift of bookings"
        if decision.break_even <= 0
        else f"breaks even if it raises bookings by {_percent(decision.break_even)}"
    )
    *first, last = [even, *stake]
    return f"It {', '.join(first)}{',' if len(first) > 1 else ''} and {last}."


def _worth_of_lift(case: Case) -> list[str]:
    down, up = simulation.by_lift(case, np.array([-LIFT_SHOWN, LIFT_SHOWN]))["p50"]
    return [
        f"is worth {_money(case, up)} if it raises them by {LIFT_SHOWN:.0%}",
        f"{_money(case, down)} if it lowers them by {LIFT_SHOWN:.0%}",
    ]


def _at_stake(case: Case, appraisal: Appraisal) -> list[str]:
    stake = money_at_stake(appraisal)
    horizon = f"over {case.horizon_words}"
    gain, loss = _money(case, stake.if_it_pays), _money(case, abs(stake.if_it_does_not))
    if not stake.if_it_does_not:
        return [f"brings {gain} {horizon} on average"]
    if not stake.if_it_pays:
        return [f"loses {loss} {horizon} on average"]
    return [f"brings {gain} {horizon} on average if it pays", f"loses {loss} if it does not"]


def _data_alone(case: Case, decision: Decision) -> str:
    """Return in a sentence what it is worth with nothing assumed beforehand; "" where the money
    follows the estimate.

    It does not where a lift found or likely has the other sign than the lift behind the money, or
    where an open answer lies between a belief and an estimate far apart.
    """
    effect, prior = case.effect, case.prior
    if prior is None:
        return ""
    weighed = float(uncertainty.central_inputs(case)[uncertainty.EFFECT].iloc[0])
    is_opposed = effect.verdict in {"found", "likely"} and effect.estimate * weighed < 0
    believed, width = (each / uncertainty.POINTS for each in (prior.mean_points, prior.sd_points))
    distance = abs(effect.estimate - believed) / math.hypot(effect.standard_error, width)
    if not (is_opposed or (decision.verdict == "cannot tell" and distance > FAR_APART)):
        return ""
    npv = simulation.appraise_case(case._replace(prior=None)).npv
    alone, drawn = (money.signed_percent(math.expm1(x)) for x in (effect.estimate, weighed))
    words = (
        f" This rests on what we assumed more than on the data: they alone say "
        f"{alone}, which the {prior.mean_points:+g}% assumed draws to {drawn}. On the data alone "
        f"it is worth {_money(case, float(np.median(npv)))}, and the chance that it pays is "
        f"{_chance(float((npv > 0).mean()))}."
    )
    return words.replace("-", MINUS)


def _chances(case: Case, decision: Decision) -> str:
    one, other = _chance(decision.chance), _chance(decision.chance_from_zero)
    if one == other or case.prior is None:
        return f"the chance that it does is {one}"
    return (
        f"the chance that it does is {one} if we start from the {case.prior.mean_points:+g}% we "
        f"assumed before looking, {other} if we start from no effect"
    ).replace("-", MINUS)


def _chance(chance: float) -> str:
    if chance > 1 - NEARLY:
        return f"above {1 - NEARLY:.0%}"
    return f"below {NEARLY:.0%}" if chance < NEARLY else f"{chance:.0%}"


def _percent(share: float) -> str:
    if math.isnan(share):
        return f"none up to {math.expm1(simulation.BREAK_EVEN[-1]):.0%}"
    return f"{share * 100:.1f}%".replace("-", MINUS)


def _money(case: Case, amount: float) -> str:
    return money.millions_text(amount, case.currency, 1)
