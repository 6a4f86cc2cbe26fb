"""Leads of simulated companies whose truth is known: rates by activity, lags, owners who differ.

Leads come evenly over two years and are looked at on the last day.  Six in ten are then open.
Where wins are logged late, deals closed in the first half year are in no export.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.chapters.lead_funnel import lead_yield, reverse_funnel, stages
from analysis.stats.survival import share_by

if TYPE_CHECKING:
    import datetime as dt

START = pd.Timestamp("2024-10-01")
N_DAYS = 730
LATE_DAYS = 182
HORIZON = 365
RATES = {"Webinar": 0.3, "Email": 0.18, "Content": 0.12}  # won in the end
MIX = (0.3, 0.4, 0.3)
AMOUNTS = {"Webinar": 60e3, "Email": 40e3, "Content": 50e3}  # mean of a win
AMOUNT_LOG_SD = 0.5
TO_DEAL, TO_WIN = (30.0, 0.5), (80.0, 0.6)  # median days and spread of logs
OWNER_SPREAD = 0.25  # of an owner's rates around 1
LOST_RATE = 0.32  # of leads that are not won, in the end
TARGET = 1.5e6
QUARTERS_AHEAD = 2
PERIODS = pd.DataFrame(
    {
        "quarter": [f"Q{n}" for n in range(8)],
        "from_day": [START + pd.DateOffset(months=3 * n) for n in range(8)],
        "until_day": [START + pd.DateOffset(months=3 * (n + 1)) for n in range(8)],
    }
)
AS_OF = (START + pd.Timedelta(days=N_DAYS - 1)).date()


class Drawn(NamedTuple):
    """A panel ``lead_dates`` as exported, and the day of the first win it holds."""

    panel: pd.DataFrame
    first_win: dt.date


def draw_leads(
    seed: int,
    *,
    n_leads: int = 3000,
    n_owners: int = 60,
    late: bool = False,
    rates: dict | None = None,
) -> Drawn:
    """Return the leads of one company."""
    rng = np.random.default_rng([seed, 15])
    rates = RATES if rates is None else rates
    kinds = list(rates)
    activity = rng.choice(len(kinds), n_leads, p=MIX)
    owner = rng.integers(0, n_owners, n_leads)
    lean = 1 + OWNER_SPREAD * np.sqrt(3) * rng.uniform(-1, 1, n_owners)  # 1 on average
    is_won = rng.random(n_leads) < np.array(list(rates.values()))[activity] * lean[owner]
    is_lost = ~is_won & (rng.random(n_leads) < LOST_RATE)
    to_deal = _days(rng, TO_DEAL, n_leads)
    to_end = to_deal + _days(rng, TO_WIN, n_leads)
    created = START + pd.to_timedelta(rng.integers(0, N_DAYS, n_leads), unit="D")
    ended = created + pd.to_timedelta(to_end, unit="D")
    deal_on = created + pd.to_timedelta(to_deal, unit="D")
    last = START + pd.Timedelta(days=N_DAYS - 1)
    is_hidden = late & (is_won | is_lost) & (ended < START + pd.Timedelta(days=LATE_DAYS))
    mean_log = np.log(np.array([AMOUNTS[k] for k in kinds])) - AMOUNT_LOG_SD**2 / 2
    amount = np.exp(mean_log[activity] + AMOUNT_LOG_SD * rng.standard_normal(n_leads))
    has_deal = (is_won | is_lost) & (deal_on <= last)
    is_over = has_deal & (ended <= last) & ~is_hidden
    outcome = np.select(
        [has_deal & is_hidden, is_over & is_won, is_over, has_deal],
        ["not exported", "won", "lost", "open"], None,
    )  # fmt: skip
    nothing = pd.Series(pd.NaT, range(n_leads), dtype="datetime64[us]")
    panel = pd.DataFrame(
        {
            "lead_id": np.arange(n_leads).astype(str),
            "created_on": created,
            "activity": np.array(kinds)[activity],
            "activity_basis": "first response",
            "lead_source": "Web",
            "rep_id": owner.astype(str),
            "team_id": "T",
            "segment": "S",
            "mql_on": nothing,
            "sal_on": nothing,
            "sql_on": nothing,
            "opportunity_on": pd.Series(deal_on).where(has_deal),
            "won_on": pd.Series(ended).where(is_over & is_won),
            "lost_on": pd.Series(ended).where(is_over & is_lost),
            "disqualified_on": nothing,
            "recycled_on": nothing,
            "opportunity_id": pd.Series(np.arange(n_leads).astype(str)).where(has_deal),
            "outcome": outcome,
            "deal_amount": pd.Series(amount).where(has_deal & ~is_hidden),
            "rep_hours": 1.0,
        }
    )
    return Drawn(panel, panel["won_on"].min().date())


def _days(rng: np.random.Generator, law: tuple[float, float], n: int) -> np.ndarray:
    median, spread = law
    return np.maximum(np.rint(median * np.exp(spread * rng.standard_normal(n))), 1).astype(int)


def true_share_won(n_days: int = N_DAYS) -> np.ndarray:
    """Return which part of the leads won in the end are won by the end of each day [0-1]."""
    day = np.arange(n_days + 1)
    first, second = (
        np.diff(
            stats.lognorm.cdf(np.arange(n_days + 2) - 0.5, s=spread, scale=median), prepend=0.0
        )[1:]
        for median, spread in (TO_DEAL, TO_WIN)
    )  # each a whole number of days, at least 1: what rounds to 0 is 1
    for part, (median, spread) in zip((first, second), (TO_DEAL, TO_WIN), strict=True):
        part[0], part[1] = 0.0, stats.lognorm.cdf(1.5, s=spread, scale=median)
    return np.cumsum(np.convolve(first[: len(day)], second[: len(day)])[: len(day)])


def true_rate(horizon: int = HORIZON) -> float:
    """Return the share of all leads won within `horizon` days [0-1]."""
    return float(np.dot(MIX, list(RATES.values())) * true_share_won()[horizon])


def shares_of_company(seed: int, *, late: bool) -> dict[str, float]:
    """Return what each way says of the share won within a year: naive, open leads censored, and
    with delayed entry; the latter two with their interval.
    """
    drawn = draw_leads(seed, late=late)
    funnel = stages.lead_funnel(drawn.panel, PERIODS, AS_OF)
    as_if_open = drawn.panel["outcome"].replace("not exported", "open")
    blind = stages.lead_funnel(drawn.panel.assign(outcome=as_if_open), PERIODS, AS_OF)
    since = stages.late_logging(funnel, drawn.first_win)
    result = {
        "open": float((blind.rows["won"].isna() & blind.rows["lost"].isna()).mean()),
        "naive": float((blind.rows["won"] <= HORIZON).mean()),
        "is_late": float(since is not None),
    }
    for name, whole, wins_since in (("censored", blind, None), ("delayed", funnel, since)):
        way = stages.passage(whole, "won", wins_since=wins_since)
        values = share_by(stages.share_reaching(way, HORIZON), HORIZON)
        result |= dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
    return result


def plan_of_company(seed: int, *, late: bool = False) -> dict[str, float]:
    """Return the leads a month a target takes, with interval, and the true number."""
    drawn = draw_leads(seed, late=late)
    funnel = stages.lead_funnel(drawn.panel, PERIODS, AS_OF)
    kinds = list(RATES)
    brings = lead_yield.lead_yield(
        funnel, kinds, wins_since=stages.late_logging(funnel, drawn.first_win)
    )
    arrivals = reverse_funnel.monthly_arrivals(funnel, kinds, brings.won.shape[2])
    first_day = (START + pd.DateOffset(months=24 + 3 * QUARTERS_AHEAD)).date()
    target = np.full(len(brings.weights), TARGET)
    plan = reverse_funnel.plan_leads(brings, arrivals, target, as_of=AS_OF, first_day=first_day)
    curve = np.outer(list(RATES.values()), true_share_won(brings.horizon))
    truth = brings._replace(
        won=lead_yield.share_by_month(curve, brings.horizon)[None],
        amount=np.array([[AMOUNTS[k] for k in kinds]]),
    )
    true_plan = reverse_funnel.plan_leads(
        truth, arrivals, target[:1], as_of=AS_OF, first_day=first_day
    )
    estimate, low, high = plan.total
    return {
        "needed": estimate, "low": low, "high": high, "truth": float(true_plan.leads.sum()),
    }  # fmt: skip
