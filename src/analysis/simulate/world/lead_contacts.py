"""Which meetings and calls are about a lead.

From the second day after it came until it converts or is given up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.simulate.world import marketing
from analysis.simulate.world.activities import CALL, COLD_CALL, MEETING

if TYPE_CHECKING:
    import pandas as pd

    from analysis.simulate.world.calendar import Ints
    from analysis.simulate.world.draws import CompanyDraws
    from analysis.simulate.world.marketing import Demand

LINKED = 0.6  # share of the contacts without a deal that name a lead, where the seat has one
FIRST_DAY = 2  # days after a lead came
LONGEST = 90  # days that a lead is pursued whose fate is open


def lead_of_records(
    drawn: CompanyDraws, demand: Demand, records: pd.DataFrame, rng: np.random.Generator
) -> Ints:
    """Return the lead each record is about, -1 if none; `records` are those of a calendar."""
    window = drawn.window
    n_weeks = len(window.week_start)
    lead = demand.leads
    first = lead["created"].to_numpy() + FIRST_DAY
    last = _last_day(demand)
    low = window.week_of(np.clip(first, 0, window.n_days - 1))
    high = window.week_of(np.clip(last, 0, window.n_days - 1))
    n = np.where((last >= first) & (last >= 0) & (first < window.n_days), high - low + 1, 0)
    candidate = np.repeat(np.arange(len(lead)), n)
    week = low[candidate] + np.arange(len(candidate)) - (np.cumsum(n) - n)[candidate]
    key = lead["seat"].to_numpy()[candidate] * n_weeks + week
    order = np.argsort(key, kind="stable")
    key, candidate = key[order], candidate[order]
    is_open = records["kind"].isin((MEETING, CALL, COLD_CALL)) & (records["deal"] < 0)
    rows = np.flatnonzero(is_open.to_numpy() & (rng.random(len(records)) < LINKED))
    cell = records["seat"].to_numpy()[rows] * n_weeks + records["week"].to_numpy()[rows]
    left, right = (np.searchsorted(key, cell, side) for side in ("left", "right"))
    rows, left, right = (values[right > left] for values in (rows, left, right))
    picked = candidate[left + (rng.random(len(rows)) * (right - left)).astype(np.int64)]
    day = records["start"].to_numpy()[rows] // 1440
    fits = (day >= first[picked]) & (day <= last[picked])
    lead_of = np.full(len(records), -1)
    lead_of[rows[fits]] = picked[fits]
    return lead_of


def _last_day(demand: Demand) -> Ints:
    """Return the last day each lead is pursued: the one before it converts or is disqualified."""
    last = demand.leads["created"].to_numpy() + LONGEST
    ends = demand.history[demand.history["new"].isin((marketing.OUT, marketing.CONVERTED))]
    last[ends["lead"].to_numpy()] = ends["day"].to_numpy() - 1
    return np.asarray(last)
