"""Sliders for an analyst: assumptions move, the appraisal follows.

The draws are common to all positions of the sliders, so that what moves is the assumption and not
chance.
"""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from analysis.chapters.roi import simulation, uncertainty
from analysis.figures.style import BLUE, INK, MUTED, ORANGE

if TYPE_CHECKING:
    import pandas as pd

    from analysis.chapters.roi.case import Case
    from analysis.chapters.roi.simulation import Appraisal

BINS = 60
N_DRAWS = 4_000  # a picture needs no more, and the sliders are to follow the hand
MILLION = 1e6
SLIDER = {
    "continuous_update": False,
    "style": {"description_width": "12em"},
    "layout": {"width": "32em"},
}


class WhatIf(NamedTuple):
    """What the sliders show: draws, quantiles, drivers and the lift that breaks even [0-1 of
    bookings].
    """

    case: Case
    appraisal: Appraisal
    quantiles: pd.DataFrame
    drivers: pd.DataFrame
    break_even: float


def move_assumptions(
    case: Case,
    *,
    lift: float,
    gross_margin_rate: float,
    discount_rate: float,
    fade_rate: float,
    cost_factor: float,
) -> Case:
    """Return the case under other assumptions.

    `lift` [0-1 of bookings] replaces the estimate of the effect and keeps its error; where nothing
    was estimated it replaces the prior's mean.  `cost_factor` multiplies what the programme costs
    and has cost.
    """
    if not lift > -1:
        raise ValueError(f"lift must be above -1, got {lift!r}")
    effect, prior = case.effect._replace(estimate=math.log1p(lift)), case.prior
    if prior and math.isnan(case.effect.estimate):
        effect, prior = (
            case.effect,
            prior._replace(mean_points=uncertainty.POINTS * math.log1p(lift)),
        )
    return case._replace(
        effect=effect,
        prior=prior,
        assumptions=case.assumptions._replace(
            gross_margin_rate=gross_margin_rate, discount_rate=discount_rate, fade_rate=fade_rate
        ),
        costs=case.costs.assign(
            cost_amount=case.costs["cost_amount"] * cost_factor,
            meeting_hours=case.costs["meeting_hours"] * cost_factor,
        ),
        initial_amount=case.initial_amount * cost_factor,
    )


def what_if(case: Case, **assumptions: float) -> WhatIf:
    """Return the appraisal under other assumptions, see `move_assumptions`."""
    other = move_assumptions(case, **assumptions)
    appraisal = simulation.appraise_case(other, n_draws=N_DRAWS)
    return WhatIf(
        other,
        appraisal,
        simulation.npv_quantiles(appraisal),
        simulation.npv_drivers(appraisal),
        math.expm1(simulation.break_even(other)[0]),
    )


def draw_what_if(what_if: WhatIf) -> Figure:
    """Return the figure beside the sliders: NPV's distribution, and what moves it."""
    figure = Figure(figsize=(9.5, 3))
    places = {"left": 0.02, "right": 0.98, "bottom": 0.16, "top": 0.88, "wspace": 1.15}
    left, right = figure.subplots(1, 2, gridspec_kw=places)
    npv = what_if.appraisal.npv / MILLION
    left.stairs(*np.histogram(npv, bins=BINS), fill=True, color=BLUE)
    left.axvline(0, color=INK, linewidth=0.8)
    chance = (npv > 0).mean() * 100
    figure.suptitle(
        f"NPV above zero in {chance:.0f}% of draws; break-even lift {what_if.break_even * 100:.1f}%"
    )
    left.set_xlabel(f"NPV [million {what_if.case.currency}]")
    left.set_yticks([])
    rows = what_if.drivers.iloc[::-1]
    low, high = rows["npv_low"] / MILLION, rows["npv_high"] / MILLION
    right.barh(range(len(rows)), high - low, left=low, color=ORANGE, height=0.6)
    right.set_yticks(range(len(rows)), rows["input"])
    right.axvline(float(npv.mean()), color=MUTED, linewidth=0.8)
    right.set_xlabel(f"mean NPV, input from P10 to P90 [million {what_if.case.currency}]")
    return figure


def _first_lift(case: Case) -> float:
    """Return the lift that the slider stands on first.

    The estimate, or the prior's mean where there is none.
    """
    if case.prior and math.isnan(case.effect.estimate):
        return math.expm1(case.prior.mean_points / uncertainty.POINTS)
    return math.expm1(case.effect.estimate)


def assumption_sliders(case: Case) -> ipywidgets.Widget:
    """Return the sliders with their picture, for a notebook cell to show."""
    stated = case.assumptions
    picture = ipywidgets.Image(format="png")
    controls = {
        "lift": _slider("lift of bookings", _first_lift(case), -0.2, 0.5),
        "gross_margin_rate": _slider("gross margin", stated.gross_margin_rate, 0.0, 1.0),
        "discount_rate": _slider("discount a year", stated.discount_rate, 0.0, 0.3),
        "fade_rate": _slider("effect lost a year", stated.fade_rate, 0.0, 1.0),
        "cost_factor": _slider("cost, times", 1.0, 0.0, 5.0),
    }

    def follow(_: object = None) -> None:
        figure = draw_what_if(
            what_if(case, **{name: float(control.value) for name, control in controls.items()})
        )
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=90)
        picture.value = buffer.getvalue()

    for control in controls.values():
        control.observe(follow, names="value")
    follow()
    return ipywidgets.VBox([*controls.values(), picture])


def _slider(label: str, value: float, low: float, high: float) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value=value,
        min=min(low, value),
        max=max(high, value),
        step=0.01,
        description=label,
        **SLIDER,
    )
