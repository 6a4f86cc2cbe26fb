"""What the two uses of one budget stand on: this company's own rates, and what no table of it tells.

What one more hour of selling brings was estimated.  What one more lead brings was not: leads so far say
what the average one brought, and an added one may bring less.  So lead generation is shown at several
shares of that average, with the conversion from which it pays and from which it passes a hire.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis import quarters
from analysis.models.roi import assemble, options
from analysis.models.roi.case import Uncertain
from analysis.models.roi.options import HIRE, LEADS, LeadGeneration, PreSales, Terms
from analysis.schema import CrmDataError, require_columns, require_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from analysis.models.roi.assemble import Programme
    from analysis.models.roi.case import Case
    from analysis.models.roi.next_hour import NextHour
    from analysis.settings import Settings

WEEKS_PAID, DAYS_A_WEEK, MINUTES_PER_HOUR = 52, 5, 60
RIPE_DAYS, COHORT_DAYS = 182, 365  # leads of a year, half a year old: most have become what they will
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
    """Both options in one table, and what lead generation must convert to pay and to pass a hire [0-1].

    The table is empty where the options cannot be compared, and ``why`` says so.
    """

    table: pd.DataFrame
    conversion: float = math.nan
    pays_from: float = math.nan
    passes_from: float = math.nan
    why: str = ""


def of_company(
    tables: Mapping[str, pd.DataFrame], programme: Programme, hour: NextHour, *, quarter: str, house: Settings,
    budget_amount: float, hours_freed: float,
) -> Compared:  # fmt: skip
    """Return both uses of `budget_amount` as of `quarter`, from ``campaigns``, ``leads``, ``activities`` and deals.

    A hire frees `hours_freed` selling hours a year, which is assumed.
    """
    end = quarters.quarter(quarter).end(house.company.fiscal_year_start_month)
    case = programme.case
    try:
        won, win_rate = last_year(tables["opportunities"], end=end)
        leads = lead_generation(
            tables["campaigns"], tables["leads"], assemble.until(tables["activities"], end), won, end=end
        )
    except CrmDataError as refusal:
        return Compared(pd.DataFrame(columns=SHOWN), why=str(refusal).splitlines()[0])
    if math.isnan(hour.cost_amount):
        return Compared(pd.DataFrame(columns=SHOWN), why=hour.why)
    hire = pre_sales(case, hours_per_day=house.working_time.hours_per_day, hours_freed=hours_freed, brings=hour.brings)
    stated, cycle = case.assumptions, programme.known.median_cycle_days or 0.0
    on = Terms(
        stated.gross_margin_rate, case.commission_rate.estimate, stated.discount_rate, hour.cost_amount, win_rate, cycle
    )
    return compare(budget_amount, hire, leads, on)


def pre_sales(case: Case, *, hours_per_day: float, hours_freed: float, brings: Uncertain) -> PreSales:
    """Return a pre-sales hire paid as a representative is: a year's paid hours at the mean cost of one.

    `hours_freed` selling hours a year are assumed; one more brings `brings` of bookings [currency/h].
    """
    return PreSales(case.cost_per_hour.estimate * WEEKS_PAID * DAYS_A_WEEK * hours_per_day, hours_freed, brings)


def lead_generation(
    campaigns: pd.DataFrame, leads: pd.DataFrame, activities: pd.DataFrame, won: pd.DataFrame, *, end: dt.date
) -> LeadGeneration:
    """Return what leads of campaigns cost, took and became: of a year's leads, half a year old by the day `end`.

    Parameters
    ----------
    campaigns : ``campaign_type``, ``start_date``, ``cost_amount``
    leads : ``lead_id``, ``lead_source``, ``created_at``, ``is_converted``; a lead counts where its source is a
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
    made = pd.to_datetime(leads["created_at"], utc=True).dt.tz_localize(None)
    kinds = {str(kind).casefold() for kind in run["campaign_type"].dropna()}
    theirs = leads[
        made.between(first, last, inclusive="left") & leads["lead_source"].astype(str).str.casefold().isin(kinds)
    ]
    require_rows(theirs, "leads", f"from a campaign's source, created {first.date()} to {last.date()}")
    if not cost > 0:
        raise CrmDataError(
            f"campaigns: cost_amount must be known, but {len(run)} of {len(run)} rows that began {first.date()} to "
            f"{last.date()} have none.\nFill it in before comparing options."
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
    """Return the deals won in the year before the day `end`, and the win rate of those closed in it [0-1]."""
    require_columns(opportunities, ["status", "close_date", "deal_amount"], "opportunities")
    closed = pd.to_datetime(opportunities["close_date"])
    recent = opportunities[
        (closed < pd.Timestamp(end)) & (closed >= pd.Timestamp(end) - pd.Timedelta(days=COHORT_DAYS))
    ]
    won, lost = (recent[recent["status"] == status] for status in ("won", "lost"))
    require_rows(won, "opportunities", f"won in the year before {end}")
    return won, len(won) / (len(won) + len(lost))


def compare(
    budget_amount: float, hire: PreSales, leads: LeadGeneration, on: Terms, *, yields: Sequence[float] = YIELDS
) -> Compared:
    """Return a hire beside lead generation whose added leads bring `yields` of what leads so far brought.

    Columns: ``option``, ``added`` (hours or leads, in words), ``opportunities_added``, ``cost_per_opportunity``, NPV
    with P10, P50 and P90 and ``npv_without_rep_hours`` [currency].
    """
    conversion = leads.n_opportunities / leads.n_leads
    fewer = [leads._replace(n_opportunities=round(leads.n_opportunities * share)) for share in yields]
    both = [options.compare(budget_amount, hire, each, on).set_index("option").T for each in fewer]
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
    passes = pays * (1 + float(first["npv_p50"]) / (budget_amount + float(lead["rep_hours_cost_amount"])))
    return Compared(pd.DataFrame(rows)[SHOWN], conversion, pays, passes)


def sentence(compared: Compared) -> str:
    """Return from which conversion of added leads lead generation pays, and from which it passes a hire."""
    if compared.why:
        return f"The options cannot be compared: {compared.why}"
    so_far = f"leads so far converted at {compared.conversion:.1%}, and no table tells what added ones would"
    pays = f"Lead generation pays if {compared.pays_from:.1%} of added leads become opportunities"
    if math.isnan(compared.passes_from):
        return f"{pays}; {so_far}. What a hire would bring cannot be told, as what one more hour brings is not known."
    return f"{pays} and passes a hire from {max(compared.passes_from, 0.0):.1%}; {so_far}."


def _row(option: str, added: str, row: pd.Series[Any]) -> dict[str, object]:
    return {"option": option, "added": added} | {name: row[name] for name in SHOWN[2:]}
