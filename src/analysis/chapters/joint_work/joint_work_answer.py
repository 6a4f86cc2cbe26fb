"""What is known of campaigns, content and roles in the latest four quarters, and which tables are
missing.

Most companies keep none of these tables.  What one would get from each stands in `GAPS`, a line
each, and is said where the table is missing; nothing else changes.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.alignment import score_plans
from analysis.chapters.alignment.team_quarters import midnights
from analysis.chapters.joint_work import (
    campaign_delivery,
    content_trial,
    role_agreement,
    shared_research,
)
from analysis.project import money
from analysis.stats.result import Result

if TYPE_CHECKING:
    from analysis.chapters.joint_work.campaign_delivery import Share
    from analysis.chapters.joint_work.content_trial import ExtraSales
    from analysis.chapters.joint_work.shared_research import SharedResearch
    from analysis.stats.result import Verdict
    from analysis.store.company import Company

NOT_OF_ONE_TEAM = "Campaigns, content and roles are looked at over all teams together."
LATEST_QUARTERS = 4
FEW_IN_TIME = 0.5  # share of campaigns: fewer, by the interval's upper end, call for a step
TABLES = (
    "campaign_notices", "campaign_milestones", "assets", "asset_uses", "content_ideas",
    "content_trials", "channels", "stage_owners", "incentives", "goals", "metric_packs",
    "joint_meetings", "feedback",
)  # fmt: skip
GAPS = {
    "campaign_notices": "Fill in campaign_notices.csv to see whether sales hears of campaigns in "
    "time, with words to use.",
    "campaign_milestones": "Fill in campaign_milestones.csv to see whether campaigns keep to their "
    "days.",
    "assets": "Fill in assets.csv to see what is made, fresh and found.",
    "asset_uses": "Fill in asset_uses.csv to see what of it is used in deals.",
    "content_ideas": "Fill in content_ideas.csv to see what becomes of sales' ideas.",
    "content_trials": "Fill in content_trials.csv to see whether content brings one extra sale.",
    "channels": "Fill in channels.csv to see which channels nobody looks after.",
    "stage_owners": "Fill in stage_owners.csv, each side for itself, to see which jobs are "
    "nobody's.",
    "incentives": "Fill in incentives.csv to see whether both sides are paid for shared outcomes.",
    "goals": "Fill in goals.csv to see whether goals lead to revenue.",
    "metric_packs": "Fill in metric_packs.csv to see whether key metrics reach people.",
    "joint_meetings": "Fill in joint_meetings.csv to see what meetings are for.",
    "feedback": "Fill in feedback.csv to see what becomes of what reps hear.",
}


class JointWork(NamedTuple):
    """Rows of a company's tables in the latest four quarters, by name; empty where none is kept.

    `notices` are those of campaigns sent in that time, with what `campaign_delivery.with_delivery`
    adds; `trial` is None where nobody was left out of anything; `research` is what both sides
    researched.
    """

    company: Company
    first_day: dt.date
    rows: dict[str, pd.DataFrame]
    notices: pd.DataFrame
    trial: ExtraSales | None
    trial_way: str
    research: SharedResearch

    @property
    def gaps(self) -> list[str]:
        """Names of the tables that have no row."""
        return [name for name in TABLES if self.rows[name].empty]

    @property
    def last_day(self) -> dt.date:
        """Last day that counts."""
        return min(self.company.last_day, self.company.day_after - dt.timedelta(days=1))

    @property
    def year(self) -> str:
        """The period covered, in words."""
        return f"four quarters to {self.company.quarter}"


def review_joint_work(company: Company) -> JointWork:
    """Return what a company keeps of campaigns, content and roles as of the quarter reported."""
    company.require_whole(NOT_OF_ONE_TEAM)
    month = company.settings.company.fiscal_year_start_month
    first_day = company.period.shifted(1 - LATEST_QUARTERS).start(month)
    last = min(company.last_day, company.day_after - dt.timedelta(days=1))
    rows = {name: company.table(name) for name in TABLES}
    dated = {
        "campaign_notices": "first_send_on", "campaign_milestones": "due_on",
        "content_ideas": "brought_on", "joint_meetings": "held_on", "feedback": "reported_on",
        "metric_packs": "month_start", "asset_uses": "used_on",
    }  # fmt: skip
    rows |= {name: _between(rows[name], column, first_day, last) for name, column in dated.items()}
    rows["assets"] = _between(rows["assets"], "created_on", dt.date.min, last)
    for name in ("goals", "incentives"):
        rows[name] = role_agreement.in_force_on(rows[name], last)
    trials = _between(rows["content_trials"], "begins_on", dt.date.min, last)
    rows["content_trials"] = trials
    way, extra = _latest_trial(trials, company.table("opportunities"), last)
    return JointWork(
        company, first_day, rows, _with_delivery(company, rows["campaign_notices"]), extra, way,
        _research(company, first_day, last),
    )  # fmt: skip


def _research(company: Company, first: dt.date, last: dt.date) -> SharedResearch:
    entries = shared_research.research_entries(
        company.table("activities"), company.table("reps"), company.table("opportunities")
    )
    zone = company.settings.company.time_zone
    since, until = (
        pd.Timestamp(day).tz_localize(zone) for day in (first, last + dt.timedelta(days=1))
    )
    return shared_research.shared_research(entries[entries["started_at"] < until], since)


def _between(table: pd.DataFrame, column: str, first: dt.date, last: dt.date) -> pd.DataFrame:
    day = midnights(table[column])
    begin = pd.Timestamp(max(first, dt.date(1900, 1, 1)))
    return table[(day >= begin) & (day <= pd.Timestamp(last))]


def _with_delivery(company: Company, notices: pd.DataFrame) -> pd.DataFrame:
    region = company.table("teams").set_index("team_id")["region"]
    calendar = company.table("working_calendar")
    ahead = score_plans.notice_days(
        notices, notices["team_id"].map(region), None if calendar.empty else calendar
    )
    least = company.settings.alignment.notice_business_days
    return campaign_delivery.with_delivery(notices, ahead, least)


def _latest_trial(
    trials: pd.DataFrame, opportunities: pd.DataFrame, as_of: dt.date
) -> tuple[str, ExtraSales | None]:
    """Return how the trial that began last was assigned, and what it says."""
    if trials.empty:
        return "", None
    began = trials.groupby("trial_id")["begins_on"].max().sort_index()
    trial = trials[trials["trial_id"] == pd.to_datetime(began).idxmax()]
    ways = trial["assigned_by"].fillna("")
    way = str(ways.iloc[0]) if ways.eq(ways.iloc[0]).all() else ""
    days = content_trial.watched_days(trial, as_of)
    arms = content_trial.trial_arms(trial, opportunities, max(days, 0))
    return way, content_trial.extra_sales(arms, way, days)


def gap_line(work: JointWork, name: str) -> str:
    """Return a sentence on a missing table: what it would show, or that its rows are too old."""
    whole = work.company.table(name)
    if whole.empty:
        return GAPS[name]
    return f"Nothing of {name} falls into the {work.year}."


def in_time(work: JointWork) -> Share:
    """Return the share of campaigns that a team was told of in time."""
    if "is_in_time" in campaign_delivery.untold_columns(work.notices):
        return campaign_delivery.count_share(0, 0)
    return campaign_delivery.share_of(work.notices["is_in_time"])


def notice_result(work: JointWork) -> Result:
    """Share of campaigns and teams told of them in time, over four quarters."""
    mine = in_time(work)
    least = work.company.settings.alignment.notice_business_days
    return Result(
        "campaign_notice_rate", mine.share, mine.low, mine.high, "of campaigns", mine.n,
        "campaigns and teams",
        f"told at least {least:g} working days before the first send; four quarters; Wilson",
        f"campaign_notices, {work.company.quarter}",
    )  # fmt: skip


def trial_result(work: JointWork) -> Result:
    """Extra sales of accounts given content, as a share of them."""
    extra = work.trial
    if extra is None or extra.why:
        why = extra.why if extra is not None else "no account was left out of anything"
        return Result(
            "content_extra_sale_rate", math.nan, math.nan, math.nan, "of accounts", 0, "accounts",
            why, "content_trials", "difference", "cannot tell",
        )  # fmt: skip
    return Result(
        "content_extra_sale_rate", extra.share, extra.low, extra.high, "of accounts",
        extra.arms.n_given + extra.arms.n_held, "accounts",
        f"accounts that won a deal within {extra.days} days, given content less left out; Newcombe",
        "content_trials, opportunities", extra.kind, extra.verdict,
    )  # fmt: skip


def sale_sentence(work: JointWork) -> str:
    """Say whether content brought extra sales."""
    extra = work.trial
    if extra is None:
        return (
            "We cannot tell whether content brings one extra sale: no account was left out so as "
            "to compare."
        )
    if extra.why:
        return f"We cannot tell whether content brings one extra sale: {extra.why}."
    sales, low, high = extra.sales
    arms = extra.arms
    by = "by lot" if work.trial_way == "lot" else "as a match"
    spread = f"{_whole(low)} to {_whole(high)}; n = {arms.n_given:,} given, {arms.n_held:,} not"
    counted = f"{abs(sales):,.0f} sale{'' if round(abs(sales)) == 1 else 's'}"
    word = "more" if sales > 0 else "fewer"
    if extra.verdict == "found":
        return f"Content brought {counted} {word} than as many accounts left out {by} ({spread})."
    if extra.verdict == "no material effect":
        return f"Content brought no extra sale that matters ({spread})."
    return (
        f"We cannot tell whether content brings one extra sale: accounts given it brought "
        f"{counted} {word} than as many left out {by} ({spread})."
    )


def _whole(number: float) -> str:
    return f"{round(number) + 0:,}".replace("-", money.MINUS)


def holdout_sentence(work: JointWork) -> str:
    """Say how large a trial must be and how many weeks it takes; "" where a trial has already given
    an answer.
    """
    extra = work.trial
    if extra is not None and not extra.why and extra.verdict != "cannot tell":
        return ""
    base = _base_share(work)
    if not base < 1:  # unknown, or every account wins a deal: there is nothing to add
        return ""
    return holdout_size(base, len(work.company.table("accounts"))) or _holdout_plan(work, base)


def holdout_size(base: float, n_accounts: int) -> str:
    """Say which effect a trial on all accounts can find, where one extra sale in 100 is too small
    to find.

    "" where it is not.

    Parameters
    ----------
    base : share of accounts that win a deal while a trial watches them [0-1]
    """
    days = f"{base:.1%} of accounts win a deal in {content_trial.LONGEST_WATCH} days anyway"
    if base + content_trial.SMALLEST_EXTRA > 1:
        return f"No trial by account can find one sale more in 100 accounts: {days}."
    n_needed = 2 * content_trial.accounts_needed(base)
    if n_needed <= n_accounts:
        return ""
    smallest = 100 * content_trial.smallest_extra(base, n_accounts // 2)
    most = "no extra" if math.isnan(smallest) else f"{smallest:.1f} more in 100"
    return (
        f"To find one sale more in 100 accounts takes {n_needed:,} accounts, for {days}. With all "
        f"{n_accounts:,} there are, half of them left out by lot, a trial can find {most}."
    )


def _holdout_plan(work: JointWork, base: float) -> str:
    each = content_trial.accounts_needed(base)
    days = f"{base:.1%} of accounts win a deal in {content_trial.LONGEST_WATCH} days anyway"
    text = (
        f"To find one sale more in 100 accounts with a chance of {content_trial.POWER:.0%}, leave "
        f"out {each:,} accounts by lot and give it to as many: {days}."
    )
    weeks = _weeks(work, 2 * each)
    return text if math.isnan(weeks) else f"{text} At today's pace that takes {weeks:,.0f} weeks."


def _base_share(work: JointWork) -> float:
    """Return the share of accounts that win a deal in the time a trial watches them [0-1]."""
    opportunities, accounts = work.company.table("opportunities"), work.company.table("accounts")
    if accounts.empty:
        return math.nan
    since = work.last_day - dt.timedelta(days=content_trial.LONGEST_WATCH - 1)
    won = _between(
        opportunities[opportunities["status"].eq("won")], "close_date", since, work.last_day
    )
    return float(accounts["account_id"].isin(won["account_id"]).mean())


def _weeks(work: JointWork, n_accounts: int) -> float:
    uses = work.rows["asset_uses"]
    if uses.empty:
        return math.nan
    account_of_deal = work.company.table("opportunities").set_index("opportunity_id")["account_id"]
    account = uses["opportunity_id"].map(account_of_deal)
    first = midnights(uses["used_on"]).groupby(account).min()
    return content_trial.weeks_needed(n_accounts, first, work.last_day)


def next_step(work: JointWork) -> str:
    """Say what to do: give unowned stages an owner, announce campaigns in time, or run a trial."""
    answers = work.rows["stage_owners"]
    if len(answers):
        owned = role_agreement.stage_ownership(answers)
        judged = owned["has_one_owner"].dropna()
        holes, n = int((~judged).sum()), len(judged)
        if holes:
            return (
                f"Agree on one accountable side for each stage: for {holes:,} of {n:,} stages of "
                "teams the sides do not name the same one."
            )
    mine = in_time(work)
    if mine.n and mine.high < FEW_IN_TIME:
        return f"Announce campaigns earlier: {mine.share:.0%} of teams were told in time."
    if work.rows["content_trials"].empty and len(work.rows["asset_uses"]):
        return "Leave some accounts out of the next content by lot, to know what it brings."
    return ""


def answer_sentence(work: JointWork) -> str:
    """Say how many campaigns sales hears of in time; "" where no notices are recorded."""
    mine = in_time(work)
    if not mine.n:
        return ""
    return f"Of 100 teams a campaign was for, {100 * mine.share:.0f} heard of it in time."


def verdict(work: JointWork) -> Verdict:
    """Return the verdict on extra sales."""
    extra = work.trial
    return "cannot tell" if extra is None or extra.why else extra.verdict


def is_harm(work: JointWork) -> bool:
    """Return whether accounts given content won less, beyond chance."""
    return verdict(work) == "found" and work.trial is not None and work.trial.share < 0
