"""The chapter's answer: how many of 100 leads become deals, where most get lost, what to do."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.chapters.lead_funnel import activity_return, cohorts, lead_yield, reverse_funnel
from analysis.chapters.lead_funnel.stages import (
    LATER,
    STAGES,
    Funnel,
    late_logging,
    lead_funnel,
    passage,
    share_reaching,
)
from analysis.project import money
from analysis.project.errors import CrmDataError, require_rows
from analysis.stats.result import Result
from analysis.stats.survival import share_by

if TYPE_CHECKING:
    from analysis.chapters.lead_funnel.lead_yield import LeadYield
    from analysis.chapters.lead_funnel.reverse_funnel import LeadPlan
    from analysis.store.company import Company

ACTIVITY, SOURCE = "activity", "lead_source"
LATEST_QUARTERS = 4  # whose leads and spend an activity is judged by
MOST_CONTRADICTORY = 0.1  # of the leads that got further, above which shares would mislead
MATURE_QUARTERS = 8  # whose leads a win within a year is read from


class NextTarget(NamedTuple):
    """A bookings target to come: its quarter and sum [currency], and what the sum follows from."""

    quarter: str
    first_day: dt.date
    amount: float
    basis: str


class FunnelAnswer(NamedTuple):
    """A company's funnel and what follows from it.

    `grouping` is the column that stands for marketing activity: `SOURCE` where nobody exported
    responses.  `brings` and `plan` are None where the data do not tell, and `why` says so.
    """

    company: Company
    funnel: Funnel
    year: Funnel
    grouping: str
    activities: list[str]
    wins_since: dt.date | None
    steps: pd.DataFrame
    hour_cost: float
    hours: pd.Series
    brings: LeadYield | None
    plan: LeadPlan | None
    target: NextTarget | None
    why: str

    @property
    def source(self) -> str:
        """Tables and quarter that the figures come from."""
        return f"leads, lead_status_history, touches, opportunities, {self.company.quarter}"

    @property
    def activity_word(self) -> str:
        """What the rows of tables by activity are called: activity, or source."""
        return "Activity" if self.grouping == ACTIVITY else "Lead source"


def answer_funnel(
    company: Company, *, target_amount: float = 0.0, quarters_ahead: int = 4,
    growth_rate: float = 0.0,
) -> FunnelAnswer:  # fmt: skip
    """Return the funnel of a company as of the end of the quarter reported.

    Parameters
    ----------
    target_amount : bookings of the quarter aimed at [currency]; 0: the quotas of the quarter
        reported, grown
    quarters_ahead : from the quarter reported to the one aimed at
    growth_rate : of the target and of leads, a year

    Raises
    ------
    CrmDataError
        If no lead had come by the end of the quarter, or too many got further before they came.
    """
    as_of = min(company.last_day, company.day_after - dt.timedelta(days=1))
    panel, opportunities = company.table("lead_dates"), company.table("opportunities")
    withheld = answerability.withheld_questions(company.audit)
    if {"bookings", "win_rate"} & set(withheld):  # then nobody knows how a lead's deal ended
        ended = panel["outcome"].notna()
        nobody = pd.Series(pd.NaT, panel.index)
        panel = panel.assign(
            outcome=panel["outcome"].mask(ended, "not exported"), won_on=nobody, lost_on=nobody
        )
    funnel = lead_funnel(panel, company.table("quarters"), as_of)
    require_rows(funnel.rows, "leads", f"created by {as_of}")
    _require_dates(funnel)
    grouping = ACTIVITY if panel["activity_basis"].notna().any() else SOURCE
    if grouping == SOURCE:
        funnel = funnel._replace(rows=funnel.rows.assign(activity=funnel.rows[SOURCE]))
    closed = pd.to_datetime(opportunities.loc[opportunities["status"].eq("won"), "close_date"])
    wins_since = late_logging(funnel, closed.min().date() if len(closed) else None)
    activities = sorted(map(str, funnel.rows["activity"].dropna().unique()))
    answer = FunnelAnswer(
        company,
        funnel,
        funnel.only(funnel.rows["cohort"] >= _earlier(company, LATEST_QUARTERS, funnel)),
        grouping,
        activities,
        wins_since,
        cohorts.stage_passages(funnel, wins_since=wins_since),
        selling_hour_cost(company),
        activity_return.hours_per_lead(funnel, activities),
        None, None, None, "",
    )  # fmt: skip
    return _with_plan(answer, opportunities, target_amount, quarters_ahead, growth_rate)


def _require_dates(funnel: Funnel) -> None:
    """Raise `CrmDataError` where leads that got further would be left out for their dates: what is
    left would tell of the others alone.
    """
    n = funnel.n_contradictory
    n_further = n + int(funnel.rows[f"by_{LATER[0]}"].notna().sum())
    if n > MOST_CONTRADICTORY * n_further:
        raise CrmDataError(
            f"leads: {n} of {n_further} that got further have a date before the day they came, so "
            "what becomes of leads cannot be told. Export the day each was first created, not the "
            "day it was imported."
        )


def selling_hour_cost(company: Company) -> float:
    """Return what a recorded selling hour of the quarter costs; missing where it cannot be told,
    and where the gate withholds it.
    """
    stays = company.rows_of_quarter("rep_quarter")
    if stays.empty or stays["base_amount"].isna().all():
        return math.nan
    house = company.settings
    hour = cost.estimate_cost(
        stays,
        "cost_per_selling_hour",
        smallest_cell=house.people.smallest_cell,
        minimum_logged_share=house.hours.minimum_logged_share,
        currency=house.company.currency,
    )
    hour = answerability.hide_withheld(hour, company.audit)
    return hour.hide_few(house.people.smallest_cell).estimate


def _earlier(company: Company, n_quarters: int, funnel: Funnel) -> str:
    """Return the first of the latest `n_quarters` quarters, or the first that the data touch."""
    names = list(funnel.rows["cohort"].cat.categories)
    first = str(company.period.shifted(1 - n_quarters))
    return first if first in names else names[0]


def next_target(
    company: Company, target_amount: float, quarters_ahead: int, growth_rate: float
) -> NextTarget | None:
    """Return the bookings target to plan for; None where none is set and no rep has a quota."""
    aimed = company.period.shifted(quarters_ahead)
    first_day = aimed.start(company.settings.company.fiscal_year_start_month)
    if target_amount > 0:
        return NextTarget(str(aimed), first_day, target_amount, "stated")
    quota = company.rows_of_quarter("rep_quarter")["quota_amount"].sum(min_count=1)
    if not quota > 0:
        return None
    grown = float(quota) * (1 + growth_rate) ** (quarters_ahead / 4)
    basis = f"the quotas of {company.quarter}" + (
        f", grown by {growth_rate:.0%} a year" if growth_rate else ""
    )
    return NextTarget(str(aimed), first_day, grown, basis)


def _with_plan(
    answer: FunnelAnswer,
    deals: pd.DataFrame,
    target_amount: float,
    quarters_ahead: int,
    growth_rate: float,
) -> FunnelAnswer:
    """Return the answer with what leads bring and how many the target takes, or why not."""
    target = next_target(answer.company, target_amount, quarters_ahead, growth_rate)
    if not answer.activities:
        return answer._replace(target=target, why="No lead says where it came from.")
    try:
        brings = lead_yield.lead_yield(
            answer.funnel, answer.activities, wins_since=answer.wins_since
        )
    except CrmDataError as refusal:
        return answer._replace(target=target, why=answerability.without_table(str(refusal)))
    answer = answer._replace(brings=brings, target=target)
    if target is None:
        return answer._replace(
            why="No rep has a quota in the exports and no target was stated, so there is none to "
            "plan for."
        )
    won = _won_since(deals, answer.company, answer.funnel.as_of)
    of_leads = set(answer.funnel.rows["opportunity_id"].dropna())
    part = reverse_funnel.share_of_leads(won, of_leads, brings)
    plan = reverse_funnel.plan_leads(
        brings,
        reverse_funnel.monthly_arrivals(answer.funnel, answer.activities, brings.won.shape[2]),
        target.amount * part,
        as_of=answer.funnel.as_of,
        first_day=target.first_day,
        growth_rate=growth_rate,
    )
    return answer._replace(plan=plan)


def _won_since(deals: pd.DataFrame, company: Company, as_of: dt.date) -> pd.DataFrame:
    """Return the deals won in the latest four quarters."""
    start = _first_day_lately(company)
    closed = pd.to_datetime(deals["close_date"])
    return deals[
        deals["status"].eq("won") & closed.between(pd.Timestamp(start), pd.Timestamp(as_of))
    ]


def deals_won_lately(answer: FunnelAnswer) -> pd.DataFrame:
    """Return the deals won in the latest four quarters up to the one reported."""
    company = answer.company
    return _won_since(company.table("opportunities"), company, answer.funnel.as_of)


def _first_day_lately(company: Company) -> dt.date:
    first = company.period.shifted(1 - LATEST_QUARTERS)
    return first.start(company.settings.company.fiscal_year_start_month)


def targets_lately(answer: FunnelAnswer) -> pd.DataFrame:
    """Return the targets of the latest four quarters, a row an activity."""
    company = answer.company
    return activity_return.targets_of(
        company.table("activity_targets"), _first_day_lately(company), company.day_after
    )


def spend_lately(answer: FunnelAnswer) -> pd.DataFrame:
    """Return what campaigns begun in the latest four quarters cost, a row a type of activity."""
    company = answer.company
    campaigns = company.table("campaigns")
    began = pd.to_datetime(campaigns["start_date"])
    first, end = pd.Timestamp(_first_day_lately(company)), pd.Timestamp(company.day_after)
    return activity_return.spend_by_activity(
        campaigns[(began >= first) & (began < end)], company.table("touches")
    )


def conversion_result(answer: FunnelAnswer, to: str) -> Result:
    """Share of leads that got to a stage: an opportunity within 90 days, of leads of the latest
    four quarters, or a win within a year, of those of eight.
    """
    company = answer.company
    n_quarters, horizon = (
        (LATEST_QUARTERS, cohorts.OPPORTUNITY_DAYS)
        if to == "opportunity"
        else (MATURE_QUARTERS, cohorts.WIN_DAYS)
    )
    since = _earlier(company, n_quarters, answer.funnel)
    way = passage(
        answer.funnel.only(answer.funnel.rows["cohort"] >= since), to, wins_since=answer.wins_since
    )
    share, low, high = share_by(share_reaching(way, horizon), horizon)
    word = "opportunity" if to == "opportunity" else "win"
    return Result(
        f"lead_to_{word}_rate",
        share, low, high,
        "of leads",
        len(way.rows),
        "leads",
        f"Aalen-Johansen share that became a {word} within {horizon} days, leads of {since} to "
        f"{company.quarter}, open ones as long as watched; interval by owner",
        answer.source,
    )  # fmt: skip


def leads_needed(answer: FunnelAnswer) -> Result:
    """Leads a month that the target takes, in the first month from now."""
    nothing = math.nan, math.nan, math.nan
    estimate, low, high = answer.plan.total if answer.plan else nothing
    method = (
        f"target of {answer.target.quarter} less what earlier leads bring, over what a lead brings "
        "by then; rates, lags and amounts drawn together by owner"
        if answer.plan and answer.target
        else answer.why
    )
    n = int(answer.brings.n_wins.sum()) if answer.brings else 0
    return Result(
        "leads_needed_per_month", estimate, low, high, "leads/month", n, "leads won", method,
        f"leads, opportunities, quotas, {answer.company.quarter}",
    )  # fmt: skip


def _between(step: str) -> str:
    """Return a step's two stages as they stand in a sentence.

    Examples
    --------
    >>> _between("Opportunity to Won")
    'opportunity and won deal'
    >>> _between("MQL to SAL")
    'MQL and SAL'
    """
    names = {"Lead": "lead", "Opportunity": "opportunity", "Won": "won deal"}
    return " and ".join(names.get(stage, stage) for stage in step.split(" to "))


def funnel_sentence(answer: FunnelAnswer) -> str:
    """Say how many of 100 leads become opportunities and deals, and where most are lost."""
    to_deal, to_win = (conversion_result(answer, s) for s in ("opportunity", "won"))
    parts = []
    if to_deal.is_known:
        parts.append(f"{100 * to_deal.estimate:.0f} become an opportunity within 90 days")
    if to_win.is_known:
        parts.append(f"{100 * to_win.estimate:.0f} a won deal within a year")
    leak = cohorts.largest_leak(answer.steps)
    lost = ""
    if leak is not None:
        start = "Of what can be told, most" if _step_unknown(answer) else "Most"
        lost = f" {start} are lost between {_between(leak['step'])}."
    if not parts:
        return ""
    return f"Of 100 leads, {' and '.join(parts)}.{lost}"


def missing_sentence(answer: FunnelAnswer) -> str:
    """Say that leads have not been watched for long enough; for where no share can be told."""
    return (
        f"Too few of {len(answer.funnel.rows):,} leads were watched for 90 days to say how many "
        "become opportunities."
    )


def activity_gap(answer: FunnelAnswer) -> str:
    """Say which leads have no activity, and why; "" where all have one."""
    rows = answer.funnel.rows
    if answer.grouping == SOURCE:
        return (
            "We cannot tell which marketing activity brought a lead: nobody exported who responded "
            "to what. The tables go by the source the CRM states, and no activity is judged. "
            "Export campaign members, or fill in touches.csv."
        )
    n_none, n = int(rows["activity"].isna().sum()), len(rows)
    return f"{n_none:,} of {n:,} leads have no activity and no source: they are in no row." * (
        n_none > 0
    )


def _step_unknown(answer: FunnelAnswer) -> str:
    """Return the first step of which nobody can tell how many are lost; "" where there is none."""
    steps = answer.steps
    unknown = steps.loc[steps["lost_per_100"].isna(), "step"].tolist()
    absent = [f"to {STAGES[stage]}" for stage in LATER[-2:] if stage not in answer.funnel.stages]
    return str([*unknown, *absent, ""][0])


def leak_step(answer: FunnelAnswer) -> str:
    """Say at which step to begin winning leads back, its verb first."""
    leak, unknown = cohorts.largest_leak(answer.steps), _step_unknown(answer)
    if leak is None:
        if len(answer.steps) and not unknown:
            return "Hardly a lead is lost at any step."
        return "We cannot tell yet where most leads are lost: too few were watched for a year."
    half = f"{leak['days']:.0f}"
    soon = f" Half of those who go on do so by day {half}." if leak["days"] >= 0 else ""
    lost = f"{leak['lost_per_100']:.0f} of 100"
    begin = f"Begin at the step {leak['step']}, where most leads are lost"
    if unknown:
        return f"{begin} as far as can be told ({lost}); the step {unknown} cannot be told.{soon}"
    return f"{begin}: {lost}.{soon}"


def activity_step(advice: pd.DataFrame) -> str:
    """Say which activities to stop, which to keep and which to test first."""
    words = {
        "stop": "Stop {}: even all of what their leads bring does not pay.",
        "keep": "Keep {}: they pay if their leads would not have come anyway.",
        "learn": "Test {} before the next budget: the data do not decide.",
    }
    parts = []
    for kind, sentence in words.items():
        *most, last = sorted(advice.loc[advice["advice"].eq(kind), "activity"]) or [""]
        if last:
            parts.append(sentence.format(f"{', '.join(most)} and {last}" if most else last))
    return " ".join(parts)


def certainty_step(answer: FunnelAnswer) -> str:
    """Say up to which quarter shares of wins are final."""
    is_final = answer.funnel.rows.groupby("cohort", observed=True)["age"].min() >= cohorts.WIN_DAYS
    final = is_final.index[is_final]
    if not len(final):
        return "Plan with care: no quarter's leads have been watched for a whole year yet."
    return (
        f"Plan wins with the quarters up to {final[-1]}: for later ones the year is not over. "
        "Opportunities within 90 days are nearly final."
    )


def hours_answer(answer: FunnelAnswer) -> tuple[float, float]:
    """Return the hours a month that the planned leads take, and those all reps sell a month [h].

    Missing where no activity names a lead, or nobody logged hours.
    """
    stays = answer.company.rows_of_quarter("rep_quarter")
    sold = float(stays["selling_hours"].sum(min_count=1)) / reverse_funnel.MONTHS_A_QUARTER
    if answer.plan is None:
        return math.nan, sold
    needed = answer.plan.leads[0] * answer.hours.reindex(answer.activities).to_numpy(float)
    return float(needed.sum()), sold


def next_step(answer: FunnelAnswer, advice: pd.DataFrame) -> str:
    """Say what to do: stop what does not pay, then bring the leads that the target takes; where
    nobody can tell how many, begin where most leads are lost.
    """
    stop = list(advice.loc[advice["advice"].eq("stop"), "activity"]) if len(advice) else []
    if stop:
        *most, last = stop
        names = f"{', '.join(most)} and {last}" if most else last
        it, its = ("them", "their") if most else ("it", "its")
        return f"Stop {names}: even all of what {its} leads bring does not pay for {it}."
    if answer.plan is None or answer.target is None:
        return leak_step(answer) if cohorts.largest_leak(answer.steps) is not None else ""
    total, low, high = answer.plan.total
    if math.isnan(total):
        return (
            f"Lower the target of {answer.target.quarter} or move it: leads that come from now on "
            "bring next to nothing by then."
        )
    now = len(answer.year.rows) / reverse_funnel.MONTHS_A_YEAR
    amount = money.millions_text(
        float(answer.plan.target[0]), answer.company.settings.company.currency, 1
    )
    if total == 0:
        return (
            f"Keep the leads as they are: those already here bring the {amount} that leads must "
            f"bring in {answer.target.quarter}."
        )
    change = total / now - 1 if now else math.nan
    words = (
        "as many as now"
        if low <= now <= high or round(total) == round(now)
        else f"{abs(change):.0%} {'more' if change > 0 else 'fewer'} than now"
    )
    ends = "" if math.isnan(low) else f" ({low:,.0f} to {high:,.0f})"
    by = answer.plan.arrive_by
    date = f"; nine in ten must be here by {by:%d %B %Y}".replace(" 0", " ") if by else ""
    return (
        f"Bring {total:,.0f} leads a month{ends}, {words}, for the "
        f"{amount} that leads must bring in {answer.target.quarter}{date}."
    )


def hours_sentence(answer: FunnelAnswer) -> str:
    """Say whether the hours that reps sell are enough for the leads of the plan."""
    needed, sold = hours_answer(answer)
    if math.isnan(needed) or not sold > 0:
        return (
            "We cannot tell whether the reps' hours are enough: no call or meeting names a lead, "
            "or nobody logged hours."
        )
    now = len(answer.year.rows) / reverse_funnel.MONTHS_A_YEAR
    share = needed / sold
    more = needed - now * float(np.nanmean(answer.hours))
    verdict = "enough if other deals leave room" if share <= 1 else "not enough"
    return (
        f"These leads take {needed:,.0f} hours of reps a month, {share:.0%} of the {sold:,.0f} "
        f"they sell: {verdict}. That is {abs(more):,.0f} hours "
        f"{'more' if more > 0 else 'fewer'} than leads take now."
    )
