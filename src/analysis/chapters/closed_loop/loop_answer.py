"""The chapter's answer: what sales does with leads, which leads come back to marketing, and what to
do.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.alignment import score_leads
from analysis.chapters.closed_loop import handover, lead_ledger, recycling
from analysis.chapters.data_quality import answerability
from analysis.chapters.lead_funnel import cohorts
from analysis.chapters.lead_funnel.stages import lead_funnel
from analysis.project.errors import require_rows
from analysis.stats.result import Result

if TYPE_CHECKING:
    from analysis.chapters.closed_loop.handover import DelayRatio, FirstTouch
    from analysis.chapters.closed_loop.lead_ledger import LeadStays
    from analysis.chapters.closed_loop.recycling import SharePair
    from analysis.chapters.lead_funnel.stages import Funnel
    from analysis.stats.result import Verdict
    from analysis.store.company import Company

NOT_OF_ONE_TEAM = "What comes back from sales is followed over the leads of all teams together."
LATEST_QUARTERS = 4  # whose leads, deals and spend are judged
GAPS: dict[str, str] = {  # by what is missing: what cannot be told, and what to export
    "history": (
        "We cannot tell what came back from sales: no export holds dated steps of leads. "
        "Export the history of lead status."
    ),
    "touches_of_leads": (
        "We cannot tell how soon sales answers: no call or meeting names a lead. Link activities "
        "to leads in the CRM."
    ),
    "reasons": (
        "Nobody says why leads come back: no lead has a return reason. Add that field to the CRM "
        "and export it."
    ),
    "definitions": (
        "We cannot replay what makes a lead sales-ready: sales_ready.toml is not there or holds no "
        "definition. Write down the one both sides agreed on."
    ),
    "responses": (
        "We cannot share out credit: nobody exported who responded to which campaign. Export "
        "campaign members, or fill in touches.csv."
    ),
    "lists": (
        "We cannot tell whether both sides aim at the same accounts: no target list is in force. "
        "Fill in target_accounts.csv."
    ),
    "events": (
        "We cannot tell whether events are ready in time: nobody says when sales saw a list of "
        "invitees or a schedule. Fill those columns of campaign_notices.csv."
    ),
}


class LoopAnswer(NamedTuple):
    """What sales did with a company's leads, as of the end of the quarter reported.

    `handed` has a row a lead handed over in the latest four quarters; `until` is the moment after
    the last that counts.  `gaps` names what of `GAPS` is missing.
    """

    company: Company
    funnel: Funnel
    until: pd.Timestamp
    stays: LeadStays
    handed: pd.DataFrame
    limit_hours: float
    touch: FirstTouch
    answered: tuple[int, int, float, float, float]
    delay: DelayRatio
    steps: pd.DataFrame
    yields: SharePair
    routed: pd.DataFrame
    gaps: frozenset[str]

    @property
    def source(self) -> str:
        """Tables and quarter that the figures come from."""
        return f"leads, lead_status_history, activities, {self.company.quarter}"

    @property
    def first_day(self) -> dt.date:
        """First day of the latest four quarters."""
        first = self.company.period.shifted(1 - LATEST_QUARTERS)
        return first.start(self.company.settings.company.fiscal_year_start_month)

    @property
    def year(self) -> Funnel:
        """The leads that came in the latest four quarters."""
        return self.funnel.only(self.funnel.rows["created_on"] >= pd.Timestamp(self.first_day))


def answer_loop(company: Company) -> LoopAnswer:
    """Return what became of leads handed over, as of the end of the quarter reported.

    Raises
    ------
    CrmDataError
        If no lead had come by the end of the quarter.
    """
    company.require_whole(NOT_OF_ONE_TEAM)
    as_of = min(company.last_day, company.day_after - dt.timedelta(days=1))
    zone = company.settings.company.time_zone
    until = pd.Timestamp(as_of + dt.timedelta(days=1)).tz_localize(zone).tz_convert("UTC")
    until = until.as_unit("us")
    panel = company.table("lead_dates")
    funnel = lead_funnel(panel, company.table("quarters"), as_of)
    require_rows(funnel.rows, "leads", f"created by {as_of}")
    leads, history = company.table("leads"), company.table("lead_status_history")
    stays = lead_ledger.lead_stays(history, leads, until)
    contacts = contacts_of_leads(company)
    standards = company.settings.alignment
    hours_per_day = company.settings.working_time.hours_per_day
    limit = standards.first_touch_hours * hours_per_day / 24
    answer = LoopAnswer(
        company, funnel, until, stays, pd.DataFrame(), limit,
        handover.first_touch_times(pd.DataFrame(), limit, hours_per_day),
        (0, 0, math.nan, math.nan, math.nan),
        handover.delay_ratio(pd.DataFrame(), until, limit),
        cohorts.stage_passages(funnel),
        recycling.compare_shares(
            recycling.returned_leads(stays, until, leads.set_index("lead_id")["owner_rep_id"]),
            recycling.fresh_leads(stays, until, leads.set_index("lead_id")["owner_rep_id"]),
        ),
        recycling.routed_back(stays, contacts),
        frozenset(_gaps(company, history, contacts)),
    )  # fmt: skip
    handed = _handed_lately(answer, panel, contacts)
    if "touches_of_leads" not in answer.gaps:
        answer = answer._replace(
            touch=handover.first_touch_times(handed, limit, hours_per_day),
            delay=handover.delay_ratio(handed, until, limit),
        )
    return answer._replace(
        handed=handed,
        answered=handover.answered_share(handed, until, standards.disposition_days),
    )


def _gaps(company: Company, history: pd.DataFrame, contacts: pd.DataFrame) -> list[str]:
    """Return what is missing of what the chapter can use."""
    missing = {
        "history": history.empty,
        "touches_of_leads": contacts.empty,
        "reasons": company.table("leads")["return_reason"].isna().all(),
        "definitions": company.table("sales_ready_leads").empty,
        "responses": not company.table("touches")["is_response"].eq(other=True).any(),
    }
    return [name for name, is_missing in missing.items() if is_missing]


def contacts_of_leads(company: Company) -> pd.DataFrame:
    """Return calls and meetings of sales about leads: ``lead_id``, ``rep_id``, ``started_at``."""
    activities, reps = company.table("activities"), company.table("reps")
    sellers = reps.loc[reps["role"].isin(score_leads.SELLERS), "rep_id"]
    named = activities[
        activities["lead_id"].notna()
        & activities["started_at"].notna()
        & activities["rep_id"].isin(sellers)
    ]
    return named[["lead_id", "rep_id", "started_at"]].reset_index(drop=True)


def _handed_lately(answer: LoopAnswer, panel: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Return the first hand-overs of the latest four quarters, with the group of alike leads."""
    company = answer.company
    teams = company.table("teams").set_index("team_id")["region"]
    rows = panel.assign(region=panel["team_id"].map(teams))
    calendar = company.table("working_calendar")
    off = calendar[calendar["is_workday"].eq(other=False)]
    holidays = {
        str(region): np.asarray(part["date"], "datetime64[D]")
        for region, part in off.groupby("region")
    }
    handed = handover.handed_over(
        answer.stays, rows, contacts, answer.until,
        time_zone=company.settings.company.time_zone,
        hours_per_day=company.settings.working_time.hours_per_day,
        holidays=holidays,
    )  # fmt: skip
    first = pd.Timestamp(answer.first_day).tz_localize(company.settings.company.time_zone)
    handed = handed[handed["handed_at"] >= first].reset_index(drop=True)
    leads = company.table("leads").set_index("lead_id")
    accepted = pd.to_datetime(handed["lead_id"].map(leads["sal_at"]), utc=True)
    group = handed["activity"].astype(object).fillna(handed["lead_source"]).fillna("none")
    segment = handed["segment"].astype(object).fillna("none")
    quarter = pd.to_datetime(handed["created_on"]).dt.to_period("Q").astype(str)
    return handed.assign(accepted_at=accepted, group=group + "|" + segment + "|" + quarter)


def agreement_difference(answer: LoopAnswer) -> tuple[SharePair, SharePair] | None:
    """Return the shares touched within the agreed hours, of leads that came under a version sales
    approved and of earlier ones, and the same at a day on which nothing was agreed: the middle of
    the time before.  None where no version was agreed, or nothing came before.
    """
    replayed = answer.company.table("sales_ready_leads")
    agreed = replayed[replayed["is_in_force"].eq(other=True)]
    if agreed.empty or "touches_of_leads" in answer.gaps:
        return None
    since = pd.Timestamp(agreed["valid_from"].min())
    rows = _handed_ever(answer)
    came = pd.to_datetime(rows["created_on"])
    if not (came < since).any() or not (came >= since).any():
        return None
    before = rows[came < since]
    middle = pd.to_datetime(before["created_on"]).median()
    early = pd.to_datetime(before["created_on"]) < middle
    pairs = [
        (rows[came >= since], before),
        (before[~early], before[early]),
    ]
    limit = max(math.ceil(answer.limit_hours) - 1, 0)
    owners = answer.company.table("leads").set_index("lead_id")["owner_rep_id"]
    one, placebo = (
        recycling.compare_shares(*(_touch_watch(part, owners) for part in pair), horizon=limit)
        for pair in pairs
    )
    return one, placebo


def _handed_ever(answer: LoopAnswer) -> pd.DataFrame:
    company = answer.company
    everything = answer._replace(company=company)
    panel, contacts = company.table("lead_dates"), contacts_of_leads(company)
    teams = company.table("teams").set_index("team_id")["region"]
    return handover.handed_over(
        everything.stays, panel.assign(region=panel["team_id"].map(teams)), contacts,
        answer.until,
        time_zone=company.settings.company.time_zone,
        hours_per_day=company.settings.working_time.hours_per_day,
        holidays={},
    )  # fmt: skip


def _touch_watch(rows: pd.DataFrame, owners: pd.Series) -> recycling.Watched:
    """Return leads as watched for their first touch, in working hours."""
    return recycling.Watched(
        np.floor(rows["wait_hours"].to_numpy(float)).astype(np.int64),
        rows["ending"].to_numpy(np.int64),
        recycling.owner_codes_of(owners, pd.Index(rows["lead_id"])),
    )


def neglect_result(answer: LoopAnswer) -> Result:
    """Share of leads handed over that sales neither touched nor closed within thirty days."""
    share, low, high = answer.touch.neglected
    return Result(
        "neglected_lead_rate", share, low, high, "of leads", answer.touch.n, "leads",
        "Kaplan-Meier share neither touched nor ended within 30 days of the hand-over, leads of "
        "four quarters; interval by owner",
        answer.source,
    )  # fmt: skip


def touch_result(answer: LoopAnswer) -> Result:
    """Share of leads handed over that sales touched within the agreed working hours."""
    share, low, high = answer.touch.within
    return Result(
        "first_touch_in_time_rate", share, low, high, "of leads", answer.touch.n, "leads",
        f"Kaplan-Meier share touched within {answer.limit_hours:g} working hours, leads of four "
        "quarters; interval by owner",
        answer.source,
    )  # fmt: skip


def yield_result(answer: LoopAnswer) -> Result:
    """Share of returned leads that became an opportunity within half a year of their return."""
    share, low, high = answer.yields.first
    return Result(
        "recycled_lead_yield", share, low, high, "of leads", answer.yields.n_first, "leads",
        f"Aalen-Johansen share converted within {recycling.YIELD_DAYS} days of the first return; "
        "interval by owner",
        answer.source,
    )  # fmt: skip


def yield_verdict(answer: LoopAnswer) -> Verdict:
    """Return whether returned and fresh leads bring different shares."""
    _, low, high = answer.yields.difference
    return "found" if low > 0 or high < 0 else "cannot tell"


def loop_sentence(answer: LoopAnswer) -> str:
    """Say how many leads sales leaves alone and what returned leads bring; "" where the data cannot
    tell.
    """
    parts = []
    neglected = answer.touch.neglected[0]
    if not math.isnan(neglected):
        parts.append(
            f"Of 100 leads handed over, sales neither touched nor closed {100 * neglected:.0f} "
            "within a month."
        )
    returned, fresh = answer.yields.first[0], answer.yields.second[0]
    if not math.isnan(returned):
        beside = f", fresh ones {100 * fresh:.0f} of 100" if not math.isnan(fresh) else ""
        parts.append(f"Returned leads bring {100 * returned:.0f} opportunities of 100{beside}.")
    return " ".join(parts)


def missing_sentence_of_loop(answer: LoopAnswer) -> str:
    """Say why neither neglect nor yield can be told."""
    for name in ("history", "touches_of_leads"):
        if name in answer.gaps:
            return GAPS[name]
    return "Too few leads were handed over or returned and watched for long enough."


def loop_step(answer: LoopAnswer) -> str:
    """Say what to do next: name an owner for untouched leads, or for returned ones; "" where
    neither can be told.
    """
    share, low, _ = answer.touch.neglected
    if not math.isnan(share) and low > handover.NEGLECTED_TOO_MANY:
        return (
            f"Give every lead that is untouched after {answer.limit_hours:g} working hours to a "
            f"named person: sales leaves {share:.0%} alone for a month."
        )
    table = lead_ledger.ledger_by_round(answer.stays)
    n_back, n_there = int(table["returned"].sum()), int(table["in_nurture"].sum())
    if n_back and n_there / n_back > handover.STUCK_TOO_MANY:
        return (
            f"Name who looks after returned leads: {n_there:,} of {n_back:,} lie in nurture with "
            "no next step."
        )
    return ""


def symptom_sentence(answer: LoopAnswer) -> str:
    """Say whether sales accepts everything and converts little."""
    verdict = handover.accepts_everything(answer.steps)
    if verdict is None:
        return "We cannot tell whether sales is choosy: the exports lack acceptance or its date."
    by_step = answer.steps.set_index("step")
    shares = [float(by_step["share"].loc[s]) for s in ("MQL to SAL", "SAL to SQL")]
    figures = f"it accepts {shares[0]:.0%} of leads and qualifies {shares[1]:.0%} of those"
    if verdict:
        return f"Sales accepts everything and converts little: {figures}. Acceptance says nothing."
    return f"Sales chooses among leads: {figures}."


def delay_sentence(answer: LoopAnswer) -> str:
    """Say whether leads answered late convert less often than alike leads answered in time."""
    delay = answer.delay
    if math.isnan(delay.ratio):
        return (
            "We cannot tell whether a late answer goes with fewer opportunities: too few alike "
            "leads were answered in time and late."
        )
    less = "less" if delay.ratio < 1 else "more"
    if delay.verdict == "cannot tell":
        return (
            "We cannot tell whether a late answer goes with fewer opportunities: alike leads "
            f"answered late convert {delay.ratio:.2f} times as often ({delay.low:.2f} to "
            f"{delay.high:.2f})."
        )
    return (
        f"Alike leads answered late convert {abs(1 - delay.ratio):.0%} {less} often "
        f"({delay.low:.2f} to {delay.high:.2f} times). Sales picks whom to answer first, so this "
        "is no effect."
    )


def routing_sentence(answer: LoopAnswer) -> str:
    """Say whether leads that qualified again went back to their rep."""
    routed = answer.routed
    if routed.empty:
        return "No returned lead has qualified again yet."
    told_of = routed["is_back"].dropna()
    if told_of.empty:
        return (
            f"We cannot tell whether the {len(routed):,} leads that qualified again went back to "
            "their rep: no call or meeting says who worked on them."
        )
    n_back = int(told_of.sum())
    return (
        f"Of {len(routed):,} leads that qualified again, {n_back:,} of the {len(told_of):,} whose "
        "contacts are logged went back to the rep who had them before."
    )


def withheld_bookings(answer: LoopAnswer) -> bool:
    """Return whether the gate withholds bookings."""
    return "bookings" in answerability.withheld_questions(answer.company.audit)


def gap_sentence(answer: LoopAnswer, name: str) -> str:
    """Say what cannot be told for want of an input of `GAPS`, or that too little of it is there."""
    if name in answer.gaps:
        return GAPS[name]
    return "We cannot tell this yet: too few leads were watched for long enough."
