"""Simulated companies whose recycling yield is known, looked at while many leads are on their way.

Sales and marketing work together alike in all teams, so that the share of returned leads that
convert is one number.  Leads come from the window's third month on and are looked at three months
before its end: by then every lead that would convert later is there, and open.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.chapters.closed_loop import lead_ledger, recycling
from analysis.simulate.simulated_tables import draw_company
from analysis.simulate.world import marketing
from analysis.simulate.world.company_parameters import SimulatedCompany

LEVELS = (0.1, 0.3, 0.6)  # by turns
STAGES = np.array([s.lower() for s in marketing.STATUSES])
LAST_DAYS = 90
DAY = 86_400


def company_of(seed: int, level: float) -> SimulatedCompany:
    """Return a company of one level, without programme or season."""
    return SimulatedCompany(
        seed=seed, n_teams=8, n_quarters=8, adoption=(), effect=0.0, season_log=(0.0,) * 4,
        practice_start=level, practice_start_sd=0.0, practice_noise_sd=0.0, practice_gain=0.0,
    )  # fmt: skip


def yield_of_company(seed: int) -> dict[str, float]:
    """Return estimate, interval and truth of the yield of returned leads and of the difference."""
    level = LEVELS[seed % len(LEVELS)]
    company = company_of(seed, level)
    drawn = draw_company(company)
    demand = marketing.simulate_marketing(company, drawn.window, drawn.people, drawn.deals)
    n_days = drawn.window.n_days
    leads = demand.leads[demand.leads["created"] >= marketing.LONGEST_LEAD]
    steps = demand.history[demand.history["lead"].isin(leads.index)]
    start = pd.Timestamp(drawn.window.start).tz_localize("UTC")
    seconds = steps["day"] * DAY + 82_800 + steps["step"] * 300
    history = pd.DataFrame(
        {
            "lead_id": steps["lead"].to_numpy(),
            "lead_stage": STAGES[steps["new"].to_numpy()],
            "entered_at": start + pd.to_timedelta(seconds.to_numpy(), unit="s"),
        }
    )
    until = (start + pd.Timedelta(days=n_days - LAST_DAYS)).as_unit("us")
    frame = pd.DataFrame({"lead_id": leads.index, "converted_on": None})
    stays = lead_ledger.lead_stays(history, frame, until)
    owners = pd.Series(leads["owner"].to_numpy(), leads.index)
    returned = recycling.returned_leads(stays, until, owners)
    fresh = recycling.fresh_leads(stays, until, owners)
    pair = recycling.compare_shares(returned, fresh)
    truth = marketing.recycled_yield(level, n_days)
    share, low, high = pair.first
    gap, gap_low, gap_high = pair.difference
    return {
        "level": level, "share": share, "low": low, "high": high, "truth": truth["returned"],
        "gap": gap, "gap_low": gap_low, "gap_high": gap_high,
        "true_gap": truth["returned"] - truth["fresh"], "n": pair.n_first,
        "open": float((returned.ending == recycling.OPEN).mean()),
        "naive": float((returned.ending == recycling.REACHED).mean()),
    }  # fmt: skip
