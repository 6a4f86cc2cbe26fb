"""How leads are answered: where sales and marketing work together, within days and by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.simulate.world import practice_level
from analysis.simulate.world.activities import CALL, COLD_CALL, MEETING

if TYPE_CHECKING:
    import pandas as pd

    from analysis.simulate.world.calendar import Ints, Window
    from analysis.simulate.world.company_parameters import SimulatedCompany
    from analysis.simulate.world.people import Staff

SEED, LIFT_SEED = 15, 33  # streams of their own
LAG = (1, 3)  # days to an answer that is prompt: least, and the first that is not
TOUCHED_WITHIN = 3  # days to a prompt first touch, where the seat's calendar has room for one


def handle_leads(
    company: SimulatedCompany, window: Window, people: Staff, leads: pd.DataFrame
) -> pd.DataFrame:
    """Return the leads with their team's level, whether they are answered promptly and after how
    long [days].
    """
    rng = np.random.default_rng([company.seed, practice_level.SEED, SEED])
    seat, created = leads["seat"].to_numpy(), leads["created"].to_numpy()
    team = people.team[seat, window.week_of(created)]
    level = practice_level.practice_levels(company, people)[team, window.quarter[created]]
    handled = leads.assign(
        level=level,
        is_prompt=practice_level.draw_chance(rng, level),
        lag=rng.integers(*LAG, len(leads)),
    )
    return _with_prompt_lift(company, handled)


def _with_prompt_lift(company: SimulatedCompany, leads: pd.DataFrame) -> pd.DataFrame:
    """Return the leads, those with a deal answered promptly as much more often as it lifts."""
    if not company.prompt_lift_log:
        return leads
    rng = np.random.default_rng([company.seed, practice_level.SEED, LIFT_SEED])
    odds = leads["level"] / (1 - leads["level"]) * np.exp(company.prompt_lift_log)
    has_deal = (leads["deal"] >= 0).to_numpy()
    drawn = rng.random(len(leads)) < (odds / (1 + odds)).to_numpy()
    return leads.assign(is_prompt=np.where(has_deal, drawn, leads["is_prompt"]))


def touch_leads(window: Window, leads: pd.DataFrame, records: pd.DataFrame) -> Ints:
    """Return the lead each record is about, every prompt lead first touched within days where its
    seat has a record.

    The first record about no deal from the day after the lead came is about that lead; what
    `records` say of their lead stands otherwise.
    """
    lead_of = records["lead"].to_numpy().copy()
    is_open = (records["kind"].isin((MEETING, CALL, COLD_CALL)) & (records["deal"] < 0)).to_numpy()
    rows = np.flatnonzero(is_open)
    start = records["start"].to_numpy()[rows]
    order = np.lexsort((start, records["seat"].to_numpy()[rows]))
    rows = rows[order]
    day = start[order] // 1440
    key = records["seat"].to_numpy()[rows] * (window.n_days + TOUCHED_WITHIN) + day
    prompt = np.flatnonzero(leads["is_prompt"].to_numpy())
    seat, created = leads["seat"].to_numpy()[prompt], leads["created"].to_numpy()[prompt]
    wanted = seat * (window.n_days + TOUCHED_WITHIN) + created + LAG[0]
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    soon = (key[place] >= wanted) & (key[place] < wanted + TOUCHED_WITHIN)
    lead_of[rows[place[soon]]] = prompt[soon]
    return np.asarray(lead_of)
