"""From a bookings target back to leads: how many of each activity must come in which month.

Leads bring their bookings spread over the months that follow, so a target of one quarter is met by
leads of many months before.  What leads already here will bring is taken off; the rest is asked of
new ones, in the mix of activities of today, growing by a rate.  Forward and back are one linear
map.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.lead_funnel.lead_yield import MONTH_DAYS, drawn_interval

if TYPE_CHECKING:
    from analysis.chapters.lead_funnel.lead_yield import LeadYield
    from analysis.chapters.lead_funnel.stages import Funnel
    from analysis.stats.survival import Floats

MONTHS_A_YEAR, MONTHS_A_QUARTER = 12, 3
MOST_OF_IT = 0.9  # of what new leads bring to the quarter, by the date named


class LeadPlan(NamedTuple):
    """Leads a month that a bookings target takes.

    All by draw, the first is the estimate: `leads` in the first month by activity; `from_past` what
    leads already here bring [currency], `target` what leads must bring in all.  `arrive_by` is the
    day by which leads that bring nine tenths of the rest must have come; None where there is none.
    """

    activities: list[str]
    leads: Floats  # draws x activities
    monthly_growth: float
    n_months: int  # until the quarter ends
    from_past: Floats
    target: Floats
    arrive_by: dt.date | None

    @property
    def total(self) -> tuple[float, float, float]:
        """Leads in the first month with 95% interval."""
        return drawn_interval(self.leads.sum(axis=1))


def bookings_by_month(leads: Floats, won: Floats, amount: Floats) -> Floats:
    """Return the bookings of each month [currency] from leads by month and activity.

    Parameters
    ----------
    leads : months by activities, leads that come
    won : activities by months since, share of them won
    amount : by activity, what a win is worth [currency]

    Examples
    --------
    >>> ten = np.array([[10.0], [0.0], [0.0]])
    >>> bookings_by_month(ten, np.array([[0.1, 0.2]]), np.array([100.0])).tolist()
    [100.0, 200.0, 0.0]
    """
    total = np.zeros(len(leads))
    for activity, worth in enumerate(amount):
        total += worth * np.convolve(leads[:, activity], won[activity])[: len(leads)]
    return total


def unit_bookings(won: Floats, amount: Floats, mix: Floats, growth: float, months: range) -> Floats:
    """Return what leads of one a month, shared by `mix` and growing, bring to `months`, by the
    month they come in [currency].
    """
    n = months.stop
    came = np.arange(n)[:, None] + np.zeros(len(months), int)
    since = np.array(months) - came
    lag = np.where((since >= 0) & (since < won.shape[1]), since, won.shape[1])
    padded = np.concatenate([won, np.zeros((len(won), 1))], axis=1)
    brought = (mix * amount) @ padded[:, lag].reshape(len(won), -1)
    by_month: Floats = brought.reshape(n, -1).sum(axis=1) * (1 + growth) ** np.arange(n)
    return by_month


def leads_for_bookings(
    rest: float, won: Floats, amount: Floats, mix: Floats, growth: float, months: range
) -> float:
    """Return the leads of the first month that bring `rest` [currency] in `months`; 0 where nothing
    is left to bring, missing where leads bring nothing by then.
    """
    unit = float(unit_bookings(won, amount, mix, growth, months).sum())
    if rest <= 0:
        return 0.0
    return rest / unit if unit > 0 else math.nan


def plan_leads(
    brings: LeadYield, arrivals: Floats, target: Floats, *, as_of: dt.date,
    first_day: dt.date, growth_rate: float = 0.0,
) -> LeadPlan:  # fmt: skip
    """Return the leads it takes to bring `target` in the quarter that begins on `first_day`.

    Parameters
    ----------
    brings : what leads of each activity bring
    arrivals : activities by months before `as_of`, the latest first: leads that came
    target : by draw, bookings that leads must bring in the quarter [currency]
    growth_rate : of leads, a year
    """
    begins = max(round((first_day - as_of).days / MONTH_DAYS), 0)
    months = range(begins, begins + MONTHS_A_QUARTER)
    growth = (1 + growth_rate) ** (1 / MONTHS_A_YEAR) - 1
    recent = arrivals[:, :MONTHS_A_YEAR].sum(axis=1)
    mix = recent / recent.sum()
    past = np.array(
        [from_past(arrivals, brings.won[d], brings.amount[d], months) for d in range(len(target))]
    )
    first = np.array(
        [
            leads_for_bookings(
                target[d] - past[d], brings.won[d], brings.amount[d], mix, growth, months
            )
            for d in range(len(target))
        ]
    )
    by_month = unit_bookings(brings.won[0], brings.amount[0], mix, growth, months)
    arrive_by = None
    if first[0] > 0 and by_month.sum() > 0:
        part = np.cumsum(by_month) / by_month.sum()
        last = int(np.searchsorted(part, MOST_OF_IT))
        before = part[last - 1] if last else 0.0
        month = last + (MOST_OF_IT - before) / (part[last] - before)
        arrive_by = as_of + dt.timedelta(days=math.floor(month * MONTH_DAYS))
    return LeadPlan(
        brings.activities, first[:, None] * mix, growth, months.stop, past, target, arrive_by
    )


def from_past(arrivals: Floats, won: Floats, amount: Floats, months: range) -> float:
    """Return the bookings that leads already here bring in `months` [currency], latest arrivals
    first.
    """
    since = np.array(months)[:, None] + 1 + np.arange(arrivals.shape[1])
    lag = np.where(since < won.shape[1], since, won.shape[1])
    padded = np.concatenate([won, np.zeros((len(won), 1))], axis=1)
    brought = (padded[:, lag] * arrivals[:, None, :]).sum(axis=(1, 2))
    return float(brought @ amount)


def monthly_arrivals(funnel: Funnel, activities: list[str], n_months: int) -> Floats:
    """Return leads by activity and month before the day the funnel stands at, the latest first."""
    back = (funnel.rows["age"].to_numpy() / MONTH_DAYS).astype(int)
    code = pd.Categorical(funnel.rows["activity"], categories=activities).codes
    rows = (code >= 0) & (back < n_months)
    counts = np.bincount(
        code[rows].astype(int) * n_months + back[rows], minlength=len(activities) * n_months
    )
    return counts.reshape(len(activities), n_months).astype(float)


def share_of_leads(deals: pd.DataFrame, of_leads: set[str], brings: LeadYield) -> Floats:
    """Return the share of bookings that comes from deals with a lead, by draw [0-1].

    `deals` are opportunities won: ``opportunity_id``, ``owner_rep_id``, ``deal_amount``.  Deals of
    owners without leads count once in each draw.
    """
    rows = deals.dropna(subset=["deal_amount"])
    code = brings.owners.get_indexer(pd.Index(rows["owner_rep_id"]))
    amount = rows["deal_amount"].to_numpy(float)
    is_of_lead = rows["opportunity_id"].isin(of_leads).to_numpy()
    n = brings.weights.shape[1]
    sums = []
    for mine in (is_of_lead, np.ones(len(rows), bool)):
        inside = mine & (code >= 0)
        drawn = brings.weights @ np.bincount(code[inside], weights=amount[inside], minlength=n)
        sums.append(drawn + amount[mine & (code < 0)].sum())
    share: Floats = np.divide(
        sums[0], sums[1], out=np.full(len(sums[0]), np.nan), where=sums[1] > 0
    )
    return share
