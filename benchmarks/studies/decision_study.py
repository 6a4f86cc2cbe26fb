"""Four kinds of programme, and what page one says of each: harmful, useless, working, heads only.

Teams are drawn by quarter alone; the growth answer and the case are the product's own, with costs
of the size of the demo company's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from analysis.chapters.growth import assessment, growth_answer, specification
from analysis.chapters.growth.assessment import AssessmentTables
from analysis.chapters.roi import appraised_programme, case, decision, further_teams
from analysis.chapters.roi.case import Case, Uncertain
from studies import roi_study, team_panels

SPEC = specification.default_specification()._replace(randomisation_draws=999)
CYCLE_DAYS = 75.0
KINDS: dict[str, dict[str, object]] = {
    "harmful, -25 %": {"effect": math.log(0.75), "effect_path": (1.0,)},
    "harmful, -12 %": {"effect": math.log(0.88), "effect_path": (1.0,)},
    "useless": {"effect": 0.0},
    "working, +15 %": {"effect": math.log(1.15), "effect_path": (1.0,)},
    "headcount only, 8 to 10 reps": {"effect": 0.0, "hires": 0.25},
}


class PageOne(NamedTuple):
    """What page one says of growth, of pay and of what to do next, with the words behind it."""

    growth: str
    pay: str
    next_step: str
    growth_verdict: str
    pay_verdict: str
    is_negative: bool


def page_one(kind: str, seed: int) -> PageOne:
    """Return the sentences on the programme of a company of 24 teams of this kind."""
    drawn = team_panels.draw_teams(team_panels.Teams(seed=seed, **KINDS[kind]))
    tables = AssessmentTables(drawn.team_quarter, drawn.programme, None, CYCLE_DAYS)
    assessed = assessment.assess_growth(tables, spec=SPEC)
    starts = appraised_programme.programme_starts(assessed.panel)
    bookings = case.bookings_timeline(
        drawn.team_quarter, starts, horizon_quarters=roi_study.HORIZON
    )
    appraised = Case(
        bookings=bookings,
        costs=roi_study.costs_of(bookings, len(starts)),
        initial_amount=0.0,
        effect=appraised_programme.growth_effect(assessed),
        commission_rate=Uncertain(roi_study.COMMISSION),
        cost_per_hour=Uncertain(roi_study.HOUR_COST),
        baseline_error=case.baseline_error(drawn.team_quarter),
        cost_error=Uncertain(0.0),
        correlation=0.0,
        assumptions=roi_study.ASSUMPTIONS,
        prior=roi_study.PRIOR,
        currency="USD",
    )
    ruling = decision.decide_on_case(appraised)
    further = further_teams.further_teams(
        appraised,
        drawn.team_quarter,
        drawn.programme["team_id"],
        quarter=str(drawn.team_quarter["quarter"].max()),
    )
    return PageOne(
        growth=growth_answer.growth_sentence(assessed),
        pay=decision.decision_sentence(appraised, ruling),
        next_step=decision.next_step(appraised, ruling, further).sentence,
        growth_verdict=assessed.growth_gap.verdict or "",
        pay_verdict=ruling.verdict,
        is_negative=assessed.growth_gap.estimate < 0,
    )
