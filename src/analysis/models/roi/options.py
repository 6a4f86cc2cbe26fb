"""The same money for pre-sales staff or for leads: both options in one table, on the same terms.

A hire frees hours of selling, worth what one more hour brings; leads become deals at the rate they did
so far, and take hours of reps too, which are part of their cost though no marketing budget shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from analysis.models.roi import uncertainty
from analysis.models.roi.simulation import SHOWN

if TYPE_CHECKING:
    from analysis.models.roi.case import Uncertain

Vector = np.ndarray[Any, np.dtype[np.float64]]

HIRE, LEADS = "Hire pre-sales staff", "Fund lead generation"
COLUMNS = [
    "option", "cost_amount", "hours_added", "leads_added", "opportunities_added", "cost_per_opportunity",
    "rep_hours_cost_amount", "npv_p10", "npv_p50", "npv_p90", "npv_without_rep_hours", "npv_per_unit",
    "probability_positive", "break_even", "break_even_unit",
]  # fmt: skip


class Terms(NamedTuple):
    """What holds for both options: rates [0-1] of bookings, and days from spending to bookings."""

    gross_margin_rate: float
    commission_rate: float
    discount_rate: float
    cost_per_selling_hour: float
    win_rate: float
    cycle_days: float


class PreSales(NamedTuple):
    """A year of a pre-sales hire: cost [currency/year], selling hours freed [h/year] and what one brings."""

    cost_amount: float
    hours_freed: float
    bookings_per_hour: Uncertain


class LeadGeneration(NamedTuple):
    """Leads as they came so far: cost and rep hours of one, and how many became opportunities and deals."""

    cost_per_lead: float
    rep_hours_per_lead: float
    n_leads: int
    n_opportunities: int
    deal_amount: Uncertain


def compare(
    budget_amount: float, hire: PreSales, leads: LeadGeneration, terms: Terms, *, n_draws: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Return what `budget_amount` [currency] buys by each option: one row an option.

    Parameters
    ----------
    budget_amount : spent on either option over a year
    hire, leads : what each brings, with the errors of the estimates
    terms : margin, discount, win rate and sales cycle, the same for both

    Returns
    -------
    DataFrame
        `COLUMNS`: what is added by the median draw (``cost_per_opportunity`` on all costs, rep hours
        included), NPV with P10, P50 and P90 [currency], ``npv_without_rep_hours`` (P50, the hours of reps
        taken as free), NPV per unit of budget, and the value at which NPV is zero.  A hire's NPV cannot
        be told, and is missing, where what one more hour brings cannot.
    """
    if not budget_amount > 0 or not hire.cost_amount > 0 or not leads.cost_per_lead > 0:
        raise ValueError(
            f"budget and costs must be above 0, got {budget_amount!r}, {hire.cost_amount!r}, {leads.cost_per_lead!r}"
        )
    if not 0 <= leads.n_opportunities <= leads.n_leads or leads.n_leads == 0:
        raise ValueError(f"opportunities must be 0 to n_leads, got {leads.n_opportunities} of {leads.n_leads} leads")
    z = np.random.default_rng(seed).standard_normal((3, n_draws))
    kept = (terms.gross_margin_rate - terms.commission_rate) * _discount(terms)
    deal = uncertainty.drawn(leads.deal_amount, z[0])
    hours = budget_amount / hire.cost_amount * hire.hours_freed
    hire_bookings = hours * uncertainty.drawn(hire.bookings_per_hour, z[1])
    n_leads = budget_amount / leads.cost_per_lead
    rate = special.betaincinv(  # Jeffreys' interval of a share
        leads.n_opportunities + 0.5, leads.n_leads - leads.n_opportunities + 0.5, special.ndtr(z[2])
    )
    opportunities = n_leads * rate
    lead_bookings = opportunities * terms.win_rate * deal
    rep_cost = n_leads * leads.rep_hours_per_lead * terms.cost_per_selling_hour
    hire_row = _row(HIRE, budget_amount, hire_bookings, kept, 0.0, hire_bookings / (terms.win_rate * deal))
    lead_row = _row(LEADS, budget_amount, lead_bookings, kept, rep_cost, opportunities)
    hire_row |= {"hours_added": hours, "leads_added": 0.0}
    lead_row |= {"hours_added": -n_leads * leads.rep_hours_per_lead, "leads_added": n_leads}
    hire_row |= {"break_even": budget_amount / (hours * kept), "break_even_unit": "bookings per hour freed"}
    per_lead = n_leads * terms.win_rate * leads.deal_amount.estimate * kept
    lead_row |= {"break_even": (budget_amount + rep_cost) / per_lead, "break_even_unit": "of leads to opportunities"}
    return pd.DataFrame([hire_row, lead_row])[COLUMNS]


def _discount(terms: Terms) -> float:
    return float((1 + terms.discount_rate) ** (-terms.cycle_days / 365))


def _row(
    name: str, budget: float, bookings: Vector, kept: float, rep_cost: float, opportunities: Vector
) -> dict[str, float | str]:
    value = bookings * kept - budget - rep_cost
    low, middle, high = np.quantile(value, SHOWN)
    added = float(np.median(opportunities))
    is_known = not np.isnan(value).any()
    return {
        "option": name,
        "cost_amount": budget,
        "opportunities_added": added,
        "cost_per_opportunity": (budget + rep_cost) / added if added > 0 else np.nan,
        "rep_hours_cost_amount": rep_cost,
        "npv_p10": float(low),
        "npv_p50": float(middle),
        "npv_p90": float(high),
        "npv_without_rep_hours": float(middle) + rep_cost,
        "npv_per_unit": float(middle) / budget,
        "probability_positive": float((value > 0).mean()) if is_known else np.nan,
    }
