"""The same money for pre-sales staff or for leads: both options in one table, on the same terms.

A hire frees hours of selling, worth what one more hour brings; leads become deals at the rate they
did so far, and take hours of reps too, which are part of their cost though no marketing budget
shows them.

What the two uses of one budget stand on: this company's own rates, and what no table of it tells.

What one more hour of selling brings was estimated.  What one more lead brings was not: leads so far
say what the average one brought, and an added one may bring less.  So lead generation is shown at
several shares of that average, with the conversion from which it pays and from which it passes a
hire.

What one more hour of selling brings and costs, as the chapter on selling time has it: for options
and ways.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from analysis.chapters.cost import cost
from analysis.chapters.roi import chapter, uncertainty
from analysis.chapters.roi.case import Uncertain
from analysis.chapters.roi.simulation import SHOWN as SIMULATION_SHOWN
from analysis.chapters.selling_time import elasticity, rep_weeks, worth_of_an_hour
from analysis.project import quarters
from analysis.project.errors import CrmDataError, require_columns, require_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from analysis.chapters.roi.case import Case
    from analysis.chapters.roi.chapter import Programme
    from analysis.project.settings import Settings

Vector = np.ndarray[Any, np.dtype[np.float64]]

HIRE, LEADS = "Hire pre-sales staff", "Fund lead generation"
COLUMNS = [
    "option",
    "cost_amount",
    "hours_added",
    "leads_added",
    "opportunities_added",
    "cost_per_opportunity",
    "rep_hours_cost_amount",
    "npv_p10",
    "npv_p50",
    "npv_p90",
    "npv_without_rep_hours",
    "npv_per_unit",
    "probability_positive",
    "break_even",
    "break_even_unit",
]


class Terms(NamedTuple):
    """What holds for both options: rates [0-1] of bookings, and days from spending to bookings."""

    gross_margin_rate: float
    commission_rate: float
    discount_rate: float
    cost_per_selling_hour: float
    win_rate: float
    cycle_days: float


class PreSales(NamedTuple):
    """A year of a pre-sales hire.

    Cost [currency/year], selling hours freed [h/year] and what one brings.
    """

    cost_amount: float
    hours_freed: float
    bookings_per_hour: Uncertain


class LeadGeneration(NamedTuple):
    """Leads as they came so far.

    Cost and rep hours of one, and how many became opportunities and deals.
    """

    cost_per_lead: float
    rep_hours_per_lead: float
    n_leads: int
    n_opportunities: int
    deal_amount: Uncertain


def compare_options(
    budget_amount: float,
    hire: PreSales,
    leads: LeadGeneration,
    terms: Terms,
    *,
    n_draws: int = 10_000,
    seed: int = 0,
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
        `COLUMNS`: what is added by the median draw (``cost_per_opportunity`` on all costs, rep
        hours included), NPV with P10, P50 and P90 [currency], ``npv_without_rep_hours`` (P50, the
        hours of reps taken as free), NPV per unit of budget, and the value at which NPV is zero.  A
        hire's NPV cannot be told, and is missing, where what one more hour brings cannot.
    """
    if not budget_amount > 0 or not hire.cost_amount > 0 or not leads.cost_per_lead > 0:
        raise ValueError(
            f"budget and costs must be above 0, got {budget_amount!r}, {hire.cost_amount!r}, "
            f"{leads.cost_per_lead!r}"
        )
    if not 0 <= leads.n_opportunities <= leads.n_leads or leads.n_leads == 0:
        raise ValueError(
            f"opportunities must be 0 to n_leads, got {leads.n_opportunities} of "
            f"{leads.n_leads} leads"
        )
    z = np.random.default_rng(seed).standard_normal((3, n_draws))
    margin_after_commission = (terms.gross_margin_rate - terms.commission_rate) * _discount(terms)
    deal = uncertainty.draw_value(leads.deal_amount, z[0])
    hours = budget_amount / hire.cost_amount * hire.hours_freed
    hire_bookings = hours * uncertainty.draw_value(hire.bookings_per_hour, z[1])
    n_leads = budget_amount / leads.cost_per_lead
    rate = special.betaincinv(  # Jeffreys' interval of a share
        leads.n_opportunities + 0.5, leads.n_leads - leads.n_opportunities + 0.5, special.ndtr(z[2])
    )
    opportunities = n_leads * rate
    lead_bookings = opportunities * terms.win_rate * deal
    rep_cost = n_leads * leads.rep_hours_per_lead * terms.cost_per_selling_hour
    hire_row = _option_row(
        HIRE,
        budget_amount,
        hire_bookings,
        margin_after_commission,
        0.0,
        hire_bookings / (terms.win_rate * deal),
    )
    lead_row = _option_row(
        LEADS, budget_amount, lead_bookings, margin_after_commission, rep_cost, opportunities
    )
    hire_row |= {"hours_added": hours, "leads_added": 0.0}
    lead_row |= {"hours_added": -n_leads * leads.rep_hours_per_lead, "leads_added": n_leads}
    hire_row |= {
        "break_even": budget_amount / (hours * margin_after_commission),
        "break_even_unit": "bookings per hour freed",
    }
    per_lead = n_leads * terms.win_rate * leads.deal_amount.estimate * margin_after_commission
    lead_row |= {
        "break_even": (budget_amount + rep_cost) / per_lead,
        "break_even_unit": "of leads to opportunities",
    }
    return pd.DataFrame([hire_row, lead_row])[COLUMNS]


def _discount(terms: Terms) -> float:
    return float((1 + terms.discount_rate) ** (-terms.cycle_days / 365))


def _option_row(
    name: str,
    budget: float,
    bookings: Vector,
    margin_after_commission: float,
    rep_cost: float,
    opportunities: Vector,
) -> dict[str, float | str]:
    value = bookings * margin_after_commission - budget - rep_cost
    low, middle, high = np.quantile(value, SIMULATION_SHOWN)
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


WEEKS_PAID, DAYS_A_WEEK, MINUTES_PER_HOUR = 52, 5, 60
RIPE_DAYS, COHORT_DAYS = (
    182,
    365,
)  # leads of a year, half a year old: most have become what they will
YIELDS = (1.0, 0.5, 0.1)  # of what leads so far brought, shown for added ones
SHOWN = [
    "option",
    "added",
    "opportunities_added",
    "cost_per_opportunity",
    "npv_p10",
    "npv_p50",
    "npv_p90",
    "npv_without_rep_hours",
]


class Compared(NamedTuple):
    """Both options in one table, and what lead generation must convert to pay and to pass a hire
    [0-1].

    The table is empty where the options cannot be compared, and ``why`` says so.
    """

    table: pd.DataFrame
    conversion: float = math.nan
    pays_from: float = math.nan
    passes_from: float = math.nan
    why: str = ""


def company_options(
    tables: Mapping[str, pd.DataFrame],
    programme: Programme,
    hour: NextHour,
    *,
    quarter: str,
    house: Settings,
    budget_amount: float,
    hours_freed: float,
) -> Compared:
    """Return both uses of `budget_amount` as of `quarter`, from ``campaigns``, ``leads``,
    ``activities`` and deals.

    A hire frees `hours_freed` selling hours a year, which is assumed.
    """
    end = quarters.parse_quarter(quarter).end(house.company.fiscal_year_start_month)
    case = programme.case
    try:
        won, win_rate = last_year(tables["opportunities"], end=end)
        leads = lead_generation(
            tables["campaigns"],
            tables["leads"],
            chapter.activities_until(tables["activities"], end),
            won,
            end=end,
        )
    except CrmDataError as refusal:
        return Compared(pd.DataFrame(columns=SHOWN), why=str(refusal).splitlines()[0])
    if math.isnan(hour.cost_amount):
        return Compared(pd.DataFrame(columns=SHOWN), why=hour.why)
    hire = pre_sales(
        case,
        hours_per_day=house.working_time.hours_per_day,
        hours_freed=hours_freed,
        brings=hour.brings,
    )
    stated, cycle = case.assumptions, programme.tables.median_cycle_days or 0.0
    on = Terms(
        stated.gross_margin_rate,
        case.commission_rate.estimate,
        stated.discount_rate,
        hour.cost_amount,
        win_rate,
        cycle,
    )
    return compare_uses(budget_amount, hire, leads, on)


def pre_sales(
    case: Case, *, hours_per_day: float, hours_freed: float, brings: Uncertain
) -> PreSales:
    """Return a pre-sales hire paid as a representative is.

    A year's paid hours at the mean cost of one.

    `hours_freed` selling hours a year are assumed; one more brings `brings` of bookings
    [currency/h].
    """
    return PreSales(
        case.cost_per_hour.estimate * WEEKS_PAID * DAYS_A_WEEK * hours_per_day, hours_freed, brings
    )


def lead_generation(
    campaigns: pd.DataFrame,
    leads: pd.DataFrame,
    activities: pd.DataFrame,
    won: pd.DataFrame,
    *,
    end: dt.date,
) -> LeadGeneration:
    """Return what leads of campaigns cost, took and became.

    Of a year's leads, half a year old by the day `end`.

    Parameters
    ----------
    campaigns : ``campaign_type``, ``start_date``, ``cost_amount``
    leads : ``lead_id``, ``lead_source``, ``created_at``, ``is_converted``; a lead counts where its
        source is a
        campaign's type
    activities : ``activity_id``, ``lead_id``, ``minutes``
    won : deals of the last year, ``deal_amount``

    Raises
    ------
    CrmDataError
        If no campaign of the year has a cost, or no lead comes from one.
    """
    require_columns(campaigns, ["campaign_type", "start_date", "cost_amount"], "campaigns")
    require_columns(leads, ["lead_id", "lead_source", "created_at", "is_converted"], "leads")
    last = pd.Timestamp(end) - pd.Timedelta(days=RIPE_DAYS)
    first = last - pd.Timedelta(days=COHORT_DAYS)
    run = campaigns[pd.to_datetime(campaigns["start_date"]).between(first, last, inclusive="left")]
    cost = float(run["cost_amount"].sum())
    created_at = pd.to_datetime(leads["created_at"], utc=True).dt.tz_localize(None)
    kinds = {str(kind).casefold() for kind in run["campaign_type"].dropna()}
    theirs = leads[
        created_at.between(first, last, inclusive="left")
        & leads["lead_source"].astype(str).str.casefold().isin(kinds)
    ]
    require_rows(
        theirs, "leads", f"from a campaign's source, created {first.date()} to {last.date()}"
    )
    if not cost > 0:
        raise CrmDataError(
            f"campaigns: cost_amount must be known, but {len(run)} of {len(run)} rows that began "
            f"{first.date()} to {last.date()} have none.\nFill it in before comparing options."
        )
    spent = activities[activities["lead_id"].isin(theirs["lead_id"])].drop_duplicates("activity_id")
    amounts = won["deal_amount"].dropna().astype(float)
    error = float(amounts.std(ddof=1)) / math.sqrt(len(amounts)) if len(amounts) > 1 else math.nan
    return LeadGeneration(
        cost_per_lead=cost / len(theirs),
        rep_hours_per_lead=float(spent["minutes"].sum()) / MINUTES_PER_HOUR / len(theirs),
        n_leads=len(theirs),
        n_opportunities=int(theirs["is_converted"].sum()),
        deal_amount=Uncertain(float(amounts.mean()), error, max(len(amounts) - 1, 0)),
    )


def last_year(opportunities: pd.DataFrame, *, end: dt.date) -> tuple[pd.DataFrame, float]:
    """Return the deals won in the year before the day `end`, and the win rate of those closed in it
    [0-1].
    """
    require_columns(opportunities, ["status", "close_date", "deal_amount"], "opportunities")
    closed = pd.to_datetime(opportunities["close_date"])
    recent = opportunities[
        (closed < pd.Timestamp(end))
        & (closed >= pd.Timestamp(end) - pd.Timedelta(days=COHORT_DAYS))
    ]
    won, lost = (recent[recent["status"] == status] for status in ("won", "lost"))
    require_rows(won, "opportunities", f"won in the year before {end}")
    return won, len(won) / (len(won) + len(lost))


def compare_uses(
    budget_amount: float,
    hire: PreSales,
    leads: LeadGeneration,
    on: Terms,
    *,
    yields: Sequence[float] = YIELDS,
) -> Compared:
    """Return a hire beside lead generation whose added leads bring `yields` of what leads so far
    brought.

    Columns: ``option``, ``added`` (hours or leads, in words), ``opportunities_added``,
    ``cost_per_opportunity``, NPV with P10, P50 and P90 and ``npv_without_rep_hours`` [currency].
    """
    conversion = leads.n_opportunities / leads.n_leads
    fewer = [
        leads._replace(n_opportunities=round(leads.n_opportunities * share)) for share in yields
    ]
    both = [compare_options(budget_amount, hire, each, on).set_index("option").T for each in fewer]
    first, lead = both[0][HIRE], both[0][LEADS]
    rows = [_row(HIRE, f"{first['hours_added']:,.0f} h of selling", first)]
    rows += [
        _row(
            f"Leads, {conversion * share:.1%} convert",
            f"{each[LEADS]['leads_added']:,.0f} leads",
            each[LEADS],
        )
        for share, each in zip(yields, both, strict=True)
    ]
    pays = float(lead["break_even"])
    passes = pays * (
        1 + float(first["npv_p50"]) / (budget_amount + float(lead["rep_hours_cost_amount"]))
    )
    return Compared(pd.DataFrame(rows)[SHOWN], conversion, pays, passes)


def options_sentence(compared: Compared) -> str:
    """Return from which conversion of added leads lead generation pays, and from which it passes a
    hire.
    """
    if compared.why:
        return f"The options cannot be compared: {compared.why}"
    so_far = (
        f"leads so far converted at {compared.conversion:.1%}, and no table tells what added ones "
        "would"
    )
    pays = f"Lead generation pays if {compared.pays_from:.1%} of added leads become opportunities"
    if math.isnan(compared.passes_from):
        return (
            f"{pays}; {so_far}. What a hire would bring cannot be told, as what one more hour "
            "brings is not known."
        )
    return f"{pays} and passes a hire from {max(compared.passes_from, 0.0):.1%}; {so_far}."


def _row(option: str, added: str, row: pd.Series[Any]) -> dict[str, object]:
    return {"option": option, "added": added} | {name: row[name] for name in SHOWN[2:]}


UNKNOWN = Uncertain(math.nan)
NORMAL_REACH = 1.959964
MANY = 1_000_000  # degrees of freedom at which t is normal


class NextHour(NamedTuple):
    """Bookings one more hour brings [currency/h], the elasticity behind it, and the cost of an hour
    [currency/h].

    All NaN where hours were not logged, the first two where more hours and more bookings are only
    known to go together; ``why`` then says what is lacking.
    """

    brings: Uncertain
    elasticity: Uncertain
    cost_amount: float
    why: str = ""


def next_hour_of_company(
    tables: Mapping[str, pd.DataFrame], *, quarter: str, house: Settings
) -> NextHour:
    """Return what one more hour brings as of `quarter`, from ``rep_week`` and ``rep_quarter``."""
    weekly, stays = tables["rep_week"], tables["rep_quarter"]
    now = stays[stays["quarter"] == quarter]
    least, currency = house.hours.minimum_logged_share, house.company.currency
    try:
        hour = cost.estimate_cost(now, minimum_logged_share=least, currency=currency)
        base = worth_of_an_hour.selling_basis(now, minimum_logged_share=least, currency=currency)
        elasticity_effect = elasticity.estimate_elasticity(
            rep_weeks.select_weeks(weekly[weekly["quarter"] <= quarter])
        )
    except CrmDataError as refusal:
        return NextHour(UNKNOWN, UNKNOWN, math.nan, str(refusal).splitlines()[0])
    worth = worth_of_an_hour.marginal_value(base, elasticity_effect)
    if not worth.is_known:
        return NextHour(UNKNOWN, UNKNOWN, hour.estimate, worth.method)
    brings = Uncertain(worth.estimate, (worth.high - worth.low) / 2 / NORMAL_REACH, MANY)
    return NextHour(
        brings,
        Uncertain(
            elasticity_effect.elasticity.estimate,
            elasticity_effect.standard_error,
            elasticity_effect.df,
        ),
        hour.estimate,
    )
