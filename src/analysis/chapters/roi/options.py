"""The same money for pre-sales staff or for leads: what each must bring to pay, on the same terms.

A hire frees hours of selling, worth what one more hour brings; leads become deals at the rate they
did so far, and take hours of reps too, which are part of their cost though no marketing budget
shows them.

What the two uses of one budget stand on: this company's own rates, and what no table of it tells.

What one more hour of selling brings and costs, as the chapter on selling time has it: for options
and ways.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.chapters.roi import appraised_programme
from analysis.chapters.roi.case import Uncertain
from analysis.chapters.selling_time import elasticity, rep_weeks, worth_of_an_hour
from analysis.project import money, quarters
from analysis.project.errors import CrmDataError, require_columns, require_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from analysis.chapters.roi.appraised_programme import Programme
    from analysis.chapters.roi.case import Case
    from analysis.project.settings import Settings

HIRE, LEADS = "Hire pre-sales staff", "Fund lead generation"
COLUMNS = ["option", "added", "pays_from", "known"]


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


WEEKS_PAID, DAYS_A_WEEK, MINUTES_PER_HOUR = 52, 5, 60
RIPE_DAYS, COHORT_DAYS = (
    182,
    365,
)  # leads of a year, half a year old: most have become what they will


class Compared(NamedTuple):
    """What each use of a budget must bring to pay, beside what is known of it.

    ``table`` has a row an option: ``option``, ``added`` (hours or leads, in words), ``pays_from``
    and ``known`` in words; it is empty where the options cannot be compared, and ``why`` says so.
    ``conversion`` is that of leads so far and ``leads_pay_from`` what added ones must reach [0-1];
    ``hour_pays_from`` is what a freed hour must bring [currency/h].
    """

    table: pd.DataFrame
    conversion: float = math.nan
    leads_pay_from: float = math.nan
    hour_pays_from: float = math.nan
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
    """Return both ways to use `budget_amount` as of `quarter`, from ``campaigns``, ``leads``,
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
            appraised_programme.activities_until(tables["activities"], end),
            won,
            end=end,
        )
    except CrmDataError as refusal:
        return Compared(pd.DataFrame(columns=COLUMNS), why=str(refusal).splitlines()[0])
    if math.isnan(hour.cost_amount):
        return Compared(pd.DataFrame(columns=COLUMNS), why=hour.why)
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
    return compare_uses(budget_amount, hire, leads, on, currency=house.company.currency)


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
    """Return cost, hours and conversion of campaign leads.

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
    budget_amount: float, hire: PreSales, leads: LeadGeneration, terms: Terms, *, currency: str
) -> Compared:
    """Return what a hire and lead generation must bring so that `budget_amount` pays.

    What one more hour brings was estimated.  What one more lead brings was not: leads so far say
    what the average one brought, so no present value is put on added ones.

    Raises
    ------
    ValueError
        If the budget or a cost is not above 0, or there are more opportunities than leads.
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
    discount = (1 + terms.discount_rate) ** (-terms.cycle_days / 365)
    margin = (terms.gross_margin_rate - terms.commission_rate) * discount
    hours = budget_amount / hire.cost_amount * hire.hours_freed
    n_leads = budget_amount / leads.cost_per_lead
    rep_cost = n_leads * leads.rep_hours_per_lead * terms.cost_per_selling_hour
    conversion = leads.n_opportunities / leads.n_leads
    hour_pays = budget_amount / (hours * margin)
    leads_pay = (budget_amount + rep_cost) / (
        n_leads * terms.win_rate * leads.deal_amount.estimate * margin
    )
    brings = hire.bookings_per_hour.estimate

    def amount(value: float) -> str:
        return money.millions_text(value, currency, 1)

    rows = [
        (
            HIRE, f"{hours:,.0f} h of selling", f"{amount(hour_pays)} of bookings an hour",
            "not known" if math.isnan(brings) else f"{amount(brings)}, estimated of one more hour",
        ),
        (
            LEADS, f"{n_leads:,.0f} leads", f"{leads_pay:.1%} become opportunities",
            f"{conversion:.1%} of leads so far; added ones bring less",
        ),
    ]  # fmt: skip
    return Compared(pd.DataFrame(rows, columns=COLUMNS), conversion, leads_pay, hour_pays)


def options_sentence(compared: Compared) -> str:
    """Say from which conversion lead generation pays, and what is unknown."""
    if compared.why:
        return f"The options cannot be compared: {compared.why}"
    return (
        f"Lead generation pays if {compared.leads_pay_from:.1%} of added leads become "
        f"opportunities; leads so far converted at {compared.conversion:.1%}, and no table tells "
        "how much less added ones would bring."
    )


UNKNOWN = Uncertain(math.nan)
NORMAL_REACH = 1.959964
MANY = 1_000_000  # degrees of freedom at which t is normal


class NextHour(NamedTuple):
    """Bookings one more hour brings [currency/h], the elasticity behind it, and the cost of an hour
    [currency/h].

    All NaN where hours were not logged, the first two where more hours and more bookings are only
    known to go together, each where the gate withholds it; ``why`` then says what is lacking.
    """

    brings: Uncertain
    elasticity: Uncertain
    cost_amount: float
    why: str = ""


def next_hour_of_company(
    tables: Mapping[str, pd.DataFrame], *, quarter: str, house: Settings, account: Mapping[str, Any]
) -> NextHour:
    """Return what one more hour brings as of `quarter`, from ``rep_week`` and ``rep_quarter``.

    Nothing that the gate's verdict in `account` withholds, nor a figure of too few reps.
    """
    weekly, stays = tables["rep_week"], tables["rep_quarter"]
    now = stays[stays["quarter"] == quarter]
    counted: dict[str, Any] = {
        "minimum_logged_share": house.hours.minimum_logged_share,
        "currency": house.company.currency,
        "smallest_cell": house.people.smallest_cell,
    }
    try:
        hour = cost.estimate_cost(now, **counted)
        base = worth_of_an_hour.selling_basis(now, **counted)
        elasticity_effect = elasticity.estimate_elasticity(
            rep_weeks.select_weeks(weekly[weekly["quarter"] <= quarter])
        )
    except CrmDataError as refusal:
        return NextHour(UNKNOWN, UNKNOWN, math.nan, str(refusal).splitlines()[0])
    worth = worth_of_an_hour.marginal_value(base, elasticity_effect)
    withheld = answerability.withheld_metrics(account)
    hour, worth = (answerability.hide_withheld(each, account) for each in (hour, worth))
    why = "" if hour.is_known else "what an hour of selling costs is not known."
    hidden = [withheld[each.name] for each in (hour, worth) if each.name in withheld]
    if hidden:
        why = f"{answerability.question_words([hidden[0].question])} is withheld. {hidden[0].why}"
    if not worth.is_known:
        return NextHour(UNKNOWN, UNKNOWN, hour.estimate, why or worth.method)
    brings = Uncertain(worth.estimate, (worth.high - worth.low) / 2 / NORMAL_REACH, MANY)
    return NextHour(
        brings,
        Uncertain(
            elasticity_effect.elasticity.estimate,
            elasticity_effect.standard_error,
            elasticity_effect.df,
        ),
        hour.estimate,
        why,
    )
