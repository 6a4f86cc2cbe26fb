"""Small simulated companies as the panels that drivers read, without exports."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.simulate import simulated_tables
from analysis.simulate.world.company_parameters import SimulatedCompany

QUARTERS = ("2026Q2", "2026Q3")
SEGMENTS = ("SMB", "Mid-market", "Enterprise")
WEEKDAYS = 66


class SmallPanels(NamedTuple):
    """Panels ``rep_quarter`` and ``team_quarter`` of a company's last two quarters."""

    rep_quarter: pd.DataFrame
    team_quarter: pd.DataFrame


def small_panels(seed: int) -> SmallPanels:
    """Return a company of six teams; pay is ours: base by segment, commission on bookings."""
    panels = simulated_tables.simulate_panels(SimulatedCompany(seed=seed, n_teams=6, n_quarters=3))
    reps, teams = (
        panel[panel["quarter"] > 0].reset_index(drop=True)
        for panel in (panels.rep_quarter, panels.team_quarter)
    )
    rng = np.random.default_rng([seed, 1])
    segment = np.asarray(SEGMENTS)[reps["team"] % 3]
    base = pd.Series(segment).map({"SMB": 19e3, "Mid-market": 25e3, "Enterprise": 33e3})
    commission = 0.08 * reps["bookings"]
    rep_quarter = pd.DataFrame(
        {
            "rep_id": reps["rep"].astype(str),
            "team_id": reps["team"].astype(str),
            "segment": segment,
            "quarter": [QUARTERS[q - 1] for q in reps["quarter"]],
            "logged_share": rng.uniform(0.4, 1.0, len(reps)).round(2),
            "base_amount": base,
            "commission_amount": commission,
            "fringe_amount": 0.2 * (base + commission),
            "overhead_amount": 4_500.0,
            "quota_amount": 500_000.0,
            "paid_hours": WEEKDAYS * 8.0,
            "available_hours": reps["worked_days"] * 8.0,
            "weeks_employed": WEEKDAYS / 5,
            "selling_hours": reps["selling_hours"],
            "selling_preparation_hours": reps["selling_hours"] * 1.4,
            "selling_prospecting_hours": reps["selling_hours"] * 1.9,
        }
    )
    team_quarter = pd.DataFrame(
        {
            "team_id": teams["team"].astype(str),
            "segment": np.asarray(SEGMENTS)[teams["team"] % 3],
            "quarter": [QUARTERS[q - 1] for q in teams["quarter"]],
            "average_reps": teams["headcount"],
            "n_won": teams["won"],
            "n_lost": teams["closed"] - teams["won"],
            "bookings_amount": teams["bookings"],
        }
    )
    return SmallPanels(rep_quarter, team_quarter)
