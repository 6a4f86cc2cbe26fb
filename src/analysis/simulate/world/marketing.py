"""What marketing does: leads, their way through the funnel, campaigns and who responded.

Leads end in opportunities that exist anyway and campaigns touch leads that exist anyway: nothing in
here has an effect.  A source whose leads convert more often is one that more leads with a deal
name.  The brochure programme is there to be found without an effect.  How soon a lead is answered
and what becomes of those that do not convert follow the team's practice level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.simulate.world import lead_handling

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Ints, Window
    from analysis.simulate.world.company_parameters import SimulatedCompany
    from analysis.simulate.world.opportunities import Deals
    from analysis.simulate.world.people import Staff

STATUSES = ("Open", "MQL", "SAL", "SQL", "Nurture", "Disqualified", "Converted")
OPEN, MQL, SAL, SQL, NURTURE, OUT, CONVERTED = range(7)
SOURCES = ("Web", "Webinar", "Trade Show", "Content", "Email", "Brochure", "Partner", "Referral")
CAMPAIGN_TYPES = ("Webinar", "Trade Show", "Content", "Email", "Brochure")
LONGEST_LEAD = 75  # days from a lead to its opportunity
BACK_RATE = 0.4  # recycled leads that qualify again
# Of leads without an opportunity, where the two sides do not work together and what a level of 1
# adds:
RECYCLED_RATE = (0.06, 0.35)  # handed back to marketing, of those marketing qualified
OUT_RATE = (0.25, 0.6)  # disqualified in the end; the others are left lying
RESPONSE_RATE = (0.35, 0.35, 0.35, 0.35, 0.05)  # by type of campaign
SOURCE_RATES = (0.28, 0.14, 0.1, 0.14, 0.12, 0.06, 0.08, 0.08)
SOURCE_SEED, SKIP_SEED = 16, 17  # streams of their own, so that no other draw moves
RETURN_REASONS = ("No budget yet", "Timing", "Wrong contact", "No answer")
REFUSAL_REASONS = ("Not a fit", "Student or supplier", "Already a customer", "No interest")
REASON_SHARES = (0.4, 0.3, 0.2, 0.1)
REASON_RATE = 0.8  # of returned and of disqualified leads whose reason somebody wrote down
WON_RECYCLED, REACHES_MQL = 0.08, 0.65  # leads with a deal handed back; others handed over at all
LEAD_SHARE = 0.3  # of the opportunities created in the window come from a lead
OTHER_LEADS = 1.8  # leads that never become one, per lead that does


class Demand(NamedTuple):
    """Days are those of the window."""

    leads: pd.DataFrame  # one row per lead
    history: pd.DataFrame  # one row per change of status
    campaigns: pd.DataFrame
    members: pd.DataFrame  # one row per lead in a campaign


def simulate_marketing(
    company: SimulatedCompany, window: Window, people: Staff, deals: Deals
) -> Demand:
    """Return what marketing did."""
    rng = np.random.default_rng([company.seed, 5])
    leads = _with_lift(company, _leads(window, people, deals.table, rng))
    campaigns = _campaigns(company, window, rng)
    members = _members(window, leads, campaigns, rng)
    leads, history = _funnel(
        window, people, lead_handling.handle_leads(company, window, people, leads), rng
    )
    return Demand(leads, _without_skipped(company, history), campaigns, members)


def _leads(
    window: Window, people: Staff, table: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    late = np.flatnonzero(table["created"].to_numpy() >= LONGEST_LEAD)
    deal = np.sort(rng.choice(late, round(LEAD_SHARE * len(late)), replace=False))
    n = round(OTHER_LEADS * len(deal))
    seat = rng.integers(0, len(people.rep), n)
    day = rng.integers(0, window.n_days, n)
    converted = table["created"].to_numpy()[deal]
    return pd.DataFrame(
        {
            "deal": np.concatenate([deal, np.full(n, -1)]),
            "seat": np.concatenate([table["seat"].to_numpy()[deal], seat]),
            "created": np.concatenate([converted - rng.integers(14, LONGEST_LEAD, len(deal)), day]),
            "converted": np.concatenate([converted, np.full(n, -1)]),
            "source": rng.choice(len(SOURCES), len(deal) + n, p=SOURCE_RATES),
        }
    )


def _with_lift(company: SimulatedCompany, leads: pd.DataFrame) -> pd.DataFrame:
    """Return the leads, those with a deal naming sources by how often they convert."""
    if not company.source_lift_log:
        return leads
    rng = np.random.default_rng([company.seed, SOURCE_SEED])
    rates = np.array(SOURCE_RATES) * np.exp(company.source_lift_log)
    has_deal = (leads["deal"] >= 0).to_numpy()
    drawn = rng.choice(len(SOURCES), len(leads), p=rates / rates.sum())
    return leads.assign(source=np.where(has_deal, drawn, leads["source"]))


def conversion_rates(company: SimulatedCompany) -> dict[str, float]:
    """Return the share of each source's leads that become an opportunity in the end [0-1]."""
    base = np.array(SOURCE_RATES)
    lifted = base * np.exp(company.source_lift_log or np.zeros(len(base)))
    with_deal = lifted / lifted.sum() / (1 + OTHER_LEADS)
    without = base * OTHER_LEADS / (1 + OTHER_LEADS)
    return dict(zip(SOURCES, (with_deal / (with_deal + without)).tolist(), strict=True))


def recycled_yield(level: float, n_days: int) -> dict[str, float]:
    """Return the share of returned and of fresh leads that become customers [0-1].

    `level` says how closely the two sides work together [0-1].  Counted are leads that come in the
    middle of a window of `n_days`, so that both had time.  A fresh lead converts before it is ever
    handed back.  Leads with a deal fill fewer days than the others: their deals must be closed
    within the window.
    """
    with_deal = 1 / (1 + OTHER_LEADS * (1 - LONGEST_LEAD / n_days))
    others = (1 - with_deal) * REACHES_MQL
    low, more = RECYCLED_RATE
    back = with_deal * WON_RECYCLED
    return {
        "returned": back / (back + others * (low + more * level)),
        "fresh": (with_deal - back) / (with_deal + others),
    }


def _without_skipped(company: SimulatedCompany, history: pd.DataFrame) -> pd.DataFrame:
    """Return the history without steps that nobody logged, of leads that went further."""
    if not company.skipped_rate:
        return history
    rng = np.random.default_rng([company.seed, SKIP_SEED])
    has_next = history["lead"].eq(history["lead"].shift(-1)) & ~history["new"].shift(-1).isin([OUT])
    is_skipped = history["new"].isin([SAL, SQL]) & has_next
    is_skipped &= rng.random(len(history)) < company.skipped_rate
    rows = history[~is_skipped].reset_index(drop=True)
    before = rows["new"].shift(1).where(rows["lead"].eq(rows["lead"].shift(1)))
    return rows.assign(old=before.fillna(rows["old"]).astype(rows["old"].dtype))


def _funnel(
    window: Window, people: Staff, leads: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the leads with their last status, and every change of it."""
    n = len(leads)
    deal, created = leads["deal"].to_numpy(), leads["created"].to_numpy()
    won = deal >= 0
    reach = np.where(won, CONVERTED, rng.choice(4, n, p=[0.35, 0.35, 0.2, 0.1]))
    level, prompt, lag = (leads[c].to_numpy() for c in ("level", "is_prompt", "lag"))
    returned, out = (low + more * level for low, more in (RECYCLED_RATE, OUT_RATE))
    recycled = rng.random(n) < np.where(won, WON_RECYCLED, returned) * (reach >= MQL)
    span = np.where(won, leads["converted"].to_numpy() - created, rng.integers(10, 90, n))
    # Steps of a lead in order: status and the share of its span at which it is entered.
    steps = (
        (MQL, 0.1, reach >= MQL),
        (NURTURE, 0.25, recycled),
        (MQL, 0.5, recycled & (won | (rng.random(n) < BACK_RATE))),
        (SAL, 0.6, reach >= SAL),
        (SQL, 0.8, reach >= SQL),
        (OUT, 0.95, ~won & (rng.random(n) < out)),
        (CONVERTED, 1.0, won),
    )
    status = np.full(n, OPEN)
    parts: list[pd.DataFrame] = []
    soon = (
        created + np.floor(span * 0.1).astype(np.int64) + lag
    )  # an answer, where sales answers at once
    answered = {NURTURE: prompt, SAL: prompt & ~recycled, OUT: prompt & ~recycled & (reach == MQL)}
    for new, share, takes in steps:
        day = created + np.floor(span * share).astype(np.int64)
        day = np.where(answered.get(new, False), np.minimum(soon, day), day)
        able = (
            takes
            & (day < window.n_days)
            & ~(recycled & ~won & (status == NURTURE) & (new in {SAL, SQL}))
        )
        row = np.flatnonzero(able)
        parts.append(
            pd.DataFrame(
                {"lead": row, "day": day[row], "old": status[row], "new": new, "step": len(parts)}
            )
        )
        status[row] = new
    history = pd.concat(parts).sort_values(["lead", "day", "step"], ignore_index=True)
    owner = people.rep[leads["seat"].to_numpy(), window.week_of(created)]
    return leads.drop(columns=["level", "lag"]).assign(status=status, owner=owner), history


def _campaigns(company: SimulatedCompany, window: Window, rng: np.random.Generator) -> pd.DataFrame:
    kind = np.tile(np.arange(len(CAMPAIGN_TYPES)), company.n_quarters)
    quarter = np.repeat(np.arange(company.n_quarters), len(CAMPAIGN_TYPES))
    first = np.flatnonzero(np.diff(window.quarter, prepend=-1))[quarter]
    start = first + rng.integers(0, 30, len(kind))
    budget = np.array([18e3, 60e3, 25e3, 8e3, 40e3])[kind]
    return pd.DataFrame(
        {
            "kind": kind,
            "quarter": quarter,
            "start": start,
            "end": start + np.array([1, 3, 55, 40, 55])[kind],
            "budget": budget,
            "cost": np.round(budget * rng.uniform(0.85, 1.2, len(kind)), 2),
        }
    )


def _members(
    window: Window, leads: pd.DataFrame, campaigns: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return up to three campaigns for each lead, of the quarter in which it came."""
    n = rng.choice(4, len(leads), p=[0.15, 0.4, 0.3, 0.15])
    lead = np.repeat(np.arange(len(leads)), n)
    quarter = window.quarter[leads["created"].to_numpy()][lead]
    n_kinds = len(CAMPAIGN_TYPES)
    campaign = quarter * n_kinds + rng.integers(0, n_kinds, len(lead))
    day: Ints = np.maximum(
        leads["created"].to_numpy()[lead], campaigns["start"].to_numpy()[campaign]
    )
    table = pd.DataFrame(
        {"lead": lead, "campaign": campaign, "day": day + rng.integers(0, 10, len(lead))}
    )
    rate = np.take(RESPONSE_RATE, campaigns["kind"].to_numpy()[campaign])
    table["responded"] = rng.random(len(table)) < rate
    return table[table["day"] < window.n_days].drop_duplicates(
        ["lead", "campaign"], ignore_index=True
    )
