"""The chapter on campaigns, content and roles: what the notebook shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.alignment import reference
from analysis.chapters.closed_loop import loop_answer
from analysis.chapters.joint_work import (
    campaign_delivery,
    content_use,
    joint_work_answer,
    role_agreement,
    small_meetings,
)
from analysis.chapters.joint_work.campaign_delivery import SHARES, count_share, share_of
from analysis.chapters.joint_work.shared_research import WINDOW_DAYS
from analysis.chapters.lead_funnel.funnel_answer import selling_hour_cost
from analysis.project import money
from analysis.project.errors import CrmDataError
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.chapters.joint_work.campaign_delivery import Share
    from analysis.chapters.joint_work.joint_work_answer import JointWork

BY_SHARE = {
    "what": ("text", "What"),
    "n": ("count", "n"),
    "share": ("percent0", "Share"),
    "low": ("percent0", "95% from"),
    "high": ("percent0", "to"),
}
FEWEST_LEADS = 20  # of campaigns announced in time, and of the others
MOST_ROWS = 12
WHOLE_HOURS = 10  # from which hours of research are told without tenths


def _share_table(
    rows: list[tuple[str, Share]], caption: str, source: str, note: str = ""
) -> LabelledTable:
    """Return shares that something is known of: a row a share."""
    frame = pd.DataFrame(
        [(what, s.n, s.share, s.low, s.high) for what, s in rows if s.n],
        columns=list(BY_SHARE),
    )
    return LabelledTable(frame, caption, BY_SHARE, source, note=note)


def missing_tables(work: JointWork) -> LabelledTable:
    """The tables that nobody keeps, and what each would show: a row a table."""
    rows = [(name.replace("_", " "), joint_work_answer.gap_line(work, name)) for name in work.gaps]
    return LabelledTable(
        pd.DataFrame(rows, columns=["table", "lacks"]),
        f"Tables that are missing, {work.year}.",
        {"table": ("text", "Table"), "lacks": ("text", "Missing")},
        "the tables named",
    )


def tables_sentence(work: JointWork) -> str:
    """Say which of the tables are kept, with their rows."""
    names = [name for name in joint_work_answer.TABLES if name not in work.gaps]
    if not names:
        return f"None of the {len(joint_work_answer.TABLES)} tables this rests on is kept."
    *first, last = (f"{name.replace('_', ' ')} ({len(work.rows[name]):,})" for name in names)
    named = f"{', '.join(first)} and {last}" if first else last
    return f"Kept by hand, rows of the {work.year}: {named}."


def campaigns_by_kind(work: JointWork) -> LabelledTable:
    """How campaigns reached sales, by kind of activity: a row a kind."""
    kinds = work.company.table("campaigns").set_index("campaign_id")["campaign_type"]
    return _delivery(work, "kind", work.notices["campaign_id"].map(kinds), "Activity")


def campaigns_by_team(work: JointWork) -> LabelledTable:
    """How campaigns reached sales, by team: a row a team, the worst informed first."""
    names = work.company.table("teams").set_index("team_id")["team_name"]
    return _delivery(work, "team", work.notices["team_id"].map(names), "Team")


def _delivery(work: JointWork, column: str, values: pd.Series, label: str) -> LabelledTable:
    rows = work.notices.assign(**{column: values})
    table = campaign_delivery.delivery_by(rows, column).sort_values(["is_in_time", column])
    part = f", the {MOST_ROWS} told least of {len(table)}" if len(table) > MOST_ROWS else ""
    untold = campaign_delivery.untold_columns(work.notices) if len(work.notices) else []
    lacks = ", ".join(SHARES[name].lower() for name in untold)
    least = work.company.settings.alignment.notice_business_days
    columns = [name for name in SHARES if name not in untold]
    return LabelledTable(
        table.head(MOST_ROWS)[[column, "n", "median_ahead", *columns]],
        f"Campaigns as they were announced to teams{part}, {work.year}, n = {len(rows):,}.",
        {
            column: ("text", label),
            "n": ("count", "Sent"),
            "median_ahead": ("number1", "Notice [working days]"),
            **{name: ("percent0", SHARES[name]) for name in columns},
        },
        "campaign_notices, campaigns, teams",
        note=f"In time: {least} working days before the first send; negative: after it. "
        "Notice: the middle "
        "of those announced." + (f" Nobody fills in: {lacks}." if lacks else ""),
    )


def campaign_shares(work: JointWork) -> LabelledTable:
    """Milestones, text to post, and how leads of campaigns announced in time were handled."""
    day_after = pd.Timestamp(work.company.day_after)
    milestones = campaign_delivery.milestone_shares(work.rows["campaign_milestones"], day_after)
    rows = [
        ("Milestones done by their day", milestones.on_time),
        ("Milestones both sides agreed on", milestones.shared),
        ("Reps who posted the text they were given", campaign_delivery.kit_share(work.notices)),
    ]
    slip = milestones.median_slip
    note = "" if np.isnan(slip) else f"Half of them are done by {_slip_words(slip)}."
    return _share_table(
        rows, f"Campaigns as projects, {work.year}.", "campaign_milestones, campaign_notices",
        note=note,
    )  # fmt: skip


def handling_sentence(work: JointWork) -> str:
    """Say whether sales touches leads sooner where it was told of the campaign in time."""
    if not joint_work_answer.in_time(work).n:
        return ""
    try:
        loop = loop_answer.answer_loop(work.company)
    except CrmDataError:
        return ""
    if loop.handed.empty or "wait_hours" not in loop.handed:
        return ""
    touches, leads = work.company.table("touches"), work.company.table("leads")
    rows = campaign_delivery.leads_by_notice(loop.handed, touches, work.notices)
    flags = rows["is_in_time"].astype(bool)
    if min(flags.sum(), (~flags).sum()) < FEWEST_LEADS:
        return (
            "We cannot tell whether notice goes with leads touched sooner: too few leads of "
            "campaigns with and without it."
        )
    owners = leads.set_index("lead_id")["owner_rep_id"]
    pair = campaign_delivery.handling_difference(rows, owners, loop.limit_hours)
    gap, low, high = (100 * value for value in pair.difference)
    if np.isnan(low) or low <= 0 <= high:
        return (
            "We cannot tell whether notice goes with leads touched sooner: within "
            f"{loop.limit_hours:g} working hours {pair.first[0]:.0%} are, without notice "
            f"{pair.second[0]:.0%} (n = {pair.n_first:,} and {pair.n_second:,} leads)."
        )
    word = "more" if gap > 0 else "fewer"
    return (
        f"Where sales was told in time, {abs(gap):.0f} {word} of 100 leads are touched within "
        f"{loop.limit_hours:g} working hours ({money.signed_number(low)} to "
        f"{money.signed_number(high)}; n = {pair.n_first:,} and {pair.n_second:,}). A difference "
        "between teams and campaigns, no effect."
    )


def content_shares(work: JointWork) -> LabelledTable:
    """From an idea to a deal, what is fresh, and what is looked after: a row a share."""
    rows, company = work.rows, work.company
    ideas = content_use.idea_funnel(rows["content_ideas"], company.table("asset_uses"))
    assets, care = rows["assets"], content_use.channel_care(rows["channels"], work.last_day)
    new = assets[pd.to_datetime(assets["created_on"]) >= pd.Timestamp(work.first_day)]
    stays = company.rows_of_quarter("rep_quarter")
    field = content_use.field_insight(rows["feedback"], stays["rep_id"].nunique())
    n_reps = stays["rep_id"].nunique()
    requests = company.table("marketing_requests")
    repeated = content_use.requests_the_library_holds(requests, assets)
    used = assets["asset_id"].isin(rows["asset_uses"]["asset_id"])
    has_uses = len(rows["asset_uses"]) > 0
    lines = [
        ("Ideas of sales that became an asset", ideas.became),
        ("Of these, used in a deal", ideas.used),
        ("Reps whose idea was noted", count_share(ideas.n_reps if ideas.n_ideas else 0,
                                                  n_reps if ideas.n_ideas else 0)),
        ("New assets sales had a hand in", share_of(new["has_sales_input"])),
        ("Assets used", share_of(used) if has_uses else count_share(0, 0)),
        ("Assets overdue for a refresh", share_of(content_use.stale_assets(assets, work.last_day))),
        ("Channels with an owner", care.owned),
        ("Channels overdue for a refresh", care.stale),
        ("Requests for what the library holds", repeated),
        ("Reports from the field acted on", field.acted),
        ("Reps who brought a report", field.reps if len(rows["feedback"]) else count_share(0, 0)),
    ]  # fmt: skip
    days = field.median_days
    note = "" if np.isnan(days) else f"From a rep's report to action: {days:.0f} days, the middle."
    return _share_table(
        lines, f"Content and what feeds it, {work.year}; assets: all there are.",
        "assets, asset_uses, content_ideas, channels, feedback, marketing_requests", note=note,
    )  # fmt: skip


def coverage(work: JointWork) -> LabelledTable:
    """How many assets there are for each stage and segment: a row a pair."""
    table = content_use.coverage_by(work.rows["assets"], work.rows["asset_uses"])
    return LabelledTable(
        table.sort_values(["n_used", "n_in_library", "stage", "segment"]).head(MOST_ROWS),
        f"Assets by the stage and segment they are made for, {work.year}; the least used first.",
        {
            "stage": ("text", "Stage"),
            "segment": ("text", "Segment"),
            "n_assets": ("count", "Assets"),
            "n_in_library": ("count", "In the library"),
            "n_used": ("count", "Used"),
        },
        "assets, asset_uses",
    )


def most_read_assets(work: JointWork) -> LabelledTable:
    """What is read most: a row an asset."""
    table = content_use.most_read(work.rows["assets"])
    return LabelledTable(
        table[["asset_id", "kind", "n_readers", "place"]],
        f"Read most, to {work.company.quarter}.",
        {
            "asset_id": ("text", "Asset"),
            "kind": ("text", "Kind"),
            "n_readers": ("count", "Readers"),
            "place": ("text", "Place"),
        },
        "assets",
        note="Assets whose 95% intervals overlap share places.",
    )


def influence_sentence(work: JointWork) -> str:
    """Say what share of bookings content was used in; this does not show it brought them."""
    if work.rows["asset_uses"].empty:
        return joint_work_answer.gap_line(work, "asset_uses")
    opportunities = work.company.table("opportunities")
    closed = pd.to_datetime(opportunities["close_date"])
    won = opportunities[
        opportunities["status"].eq("won")
        & (closed >= pd.Timestamp(work.first_day))
        & (closed <= pd.Timestamp(work.last_day))
    ]
    mine = content_use.influenced_revenue(work.company.table("asset_uses"), won)
    if not mine.deals.n:
        return ""
    currency = work.company.settings.company.currency
    return (
        f"Content was used in {mine.deals.hits:,} of {mine.deals.n:,} deals won, with bookings of "
        f"{money.millions_text(mine.amount, currency)}. Reps use it where a deal is going well, so "
        "this is not what content brought."
    )


def role_shares(work: JointWork) -> LabelledTable:
    """Stages, goals, meetings and packs: a row a share."""
    rows = work.rows
    answers, goals, meetings = rows["stage_owners"], rows["goals"], rows["joint_meetings"]
    owned = role_agreement.stage_ownership(answers)
    stale, n_stages = role_agreement.stale_share(answers, work.last_day)
    packs = rows["metric_packs"].dropna(subset=["n_recipients", "n_opened"])
    has_paths = goals["parent_goal_id"].notna().any()
    planned = meetings["planned_minutes"].notna()
    calendar = small_meetings.joint_calendar(work.company)
    lines = [
        ("Stages with one accountable side", share_of(owned["has_one_owner"])),
        ("Stages nobody answers for", share_of(owned["is_hole"])),
        ("Roles not reviewed for a year", count_share(stale, n_stages)),
        ("Goals that lead to revenue",
         share_of(role_agreement.goal_paths(goals).eq("revenue")) if has_paths
         else count_share(0, 0)),
        ("Meetings planned for a stated time",
         share_of(planned) if planned.any() else count_share(0, 0)),
        ("Meetings that spoke of all three topics", share_of(_flag(meetings["n_topics"], 3))),
        ("Meetings that marketing invited to", share_of(_side(meetings["host_side"]))),
        ("Reps heard in a meeting of up to six", calendar.heard),
        ("Joint meetings put into the calendar 30 days ahead", calendar.ahead),
        (f"Accounts marketing researched that sales did within {WINDOW_DAYS} days",
         work.research.accounts),
        ("Key metrics opened by those sent them",
         count_share(int(packs["n_opened"].sum()), int(packs["n_recipients"].sum()))),
    ]  # fmt: skip
    return _share_table(
        lines,
        f"Who answers for what, {work.company.quarter}; meetings and packs: {work.year}.",
        "stage_owners, goals, joint_meetings, metric_packs, activities",
        note="Topics: new opportunities, concerns, bottlenecks. A stage has one accountable side "
        "where both sides name the same one.",
    )


def _flag(counts: pd.Series, least: int) -> pd.Series:
    return counts.ge(least).astype("boolean").where(counts.notna())


def _side(sides: pd.Series) -> pd.Series:
    return sides.eq("marketing").astype("boolean").where(sides.notna())


def agreement_sentences(work: JointWork) -> list[str]:
    """Say how far the sides agree on roles, pay and goals, and who leads both: a sentence each."""
    rows = work.rows
    said_of_roles = joint_work_answer.gap_line(work, "stage_owners")
    if len(rows["stage_owners"]):
        owned = role_agreement.stage_ownership(rows["stage_owners"])
        kappa = role_agreement.cohen_kappa(owned["sales"], owned["marketing"])
        said_of_roles = (
            "We cannot tell how far both sides agree on roles: too few stages have both answers."
            if np.isnan(kappa.kappa)
            else f"Both sides' answers on roles agree by {kappa.kappa:.2f} beyond chance "
            f"({kappa.low:.2f} to {kappa.high:.2f}; n = {kappa.n} stages; 1 is complete)."
        )
    return [said_of_roles, parity_sentence(work), goals_sentence(work), executive_sentence(work)]


def parity_sentence(work: JointWork) -> str:
    """Say how alike both sides' pay hangs on shared outcomes."""
    if work.rows["incentives"].empty:
        return joint_work_answer.gap_line(work, "incentives")
    parity = role_agreement.parity_by_team(work.rows["incentives"]).dropna()
    smallest = work.company.settings.people.smallest_cell
    if len(parity) < smallest:
        return "Parity of pay is known of too few teams to be shown."
    return (
        "The smaller share of pay on shared outcomes is "
        f"{parity.median():.2f} of the larger one in the middle team (n = {len(parity)} teams; 1 "
        "is parity)."
    )


def _slip_words(slip: float) -> str:
    """Return a slip of a milestone in words [working days].

    Examples
    --------
    >>> _slip_words(-1.0), _slip_words(0.0), _slip_words(3.0)
    ('1 working day before their day', 'their day', '3 working days after their day')
    """
    days = round(abs(slip))
    if not days:
        return "their day"
    side = "after" if slip > 0 else "before"
    return f"{days} working day{'' if days == 1 else 's'} {side} their day"


def goals_sentence(work: JointWork) -> str:
    """Say how specific goals are and whether any contradict each other."""
    goals = work.rows["goals"]
    if goals.empty:
        return joint_work_answer.gap_line(work, "goals")
    specific = role_agreement.goal_specificity(goals).mean()
    opposed = reference.goal_conflicts(goals)
    ends = role_agreement.goal_paths(goals).value_counts()
    circles = int(ends.get("circle", 0))
    owners = goals[["sales_owner_rep_id", "marketing_owner_rep_id"]]
    conflicts = (
        "Whether the sides' targets part cannot be told: no goal names an owner."
        if owners.isna().all(axis=None)
        else f"On {opposed} metric{'' if opposed == 1 else 's'} each side has a target of its own."
        if opposed
        else "On no metric do the sides have targets that part."
    )
    in_circle = f" {circles} lead back to themselves." if circles else ""
    return (
        f"Of metric, value at first, target, date and owner a goal states {specific:.0%} on "
        f"average (n = {len(goals)} goal{'' if len(goals) == 1 else 's'}). {conflicts}{in_circle}"
    )


def research_sentence(work: JointWork) -> str:
    """Say how many hours of research were done twice, at what cost, and what cannot be compared."""
    research = work.research
    if research.why:
        return f"We cannot tell whether one account is researched twice: {research.why}."
    named = research.named
    rest = (
        f"Of research, {named['sales']:.0%} of sales' hours and {named['marketing']:.0%} of "
        "marketing's name an account; the rest cannot be compared."
    )
    hours = sum(research.hours.values())
    if not hours > 0:
        return f"No account was researched by both sides within {WINDOW_DAYS} days. {rest}"
    money_spent = (
        research.hours["marketing"] * work.company.settings.money.marketing_hour_cost_amount
    )
    if research.hours["sales"] > 0:
        money_spent += research.hours["sales"] * selling_hour_cost(work.company)
    currency = work.company.settings.company.currency
    cost = "" if np.isnan(money_spent) else f", worth {money.amount_text(money_spent, currency)}"
    n = research.accounts.hits
    return (
        f"{hours:,.{0 if hours >= WHOLE_HOURS else 1}f} hours of research on {n:,} "
        f"account{'' if n == 1 else 's'} may have been done twice, by both sides within "
        f"{WINDOW_DAYS} days{cost}. {rest}"
    )


def executive_sentence(work: JointWork) -> str:
    """Say whether one executive answers for both sides, as the settings have it."""
    company = work.company.settings.company
    if not company.joint_executive:
        return (
            "Whether one executive answers for both sides is not stated: name the role as "
            "joint_executive in alignment.toml."
        )
    since = company.joint_executive_since
    day = f" since {since:%Y-%m-%d}" if since else ""
    return f"One executive answers for both sides{day}: {company.joint_executive}."


def trial_arms(work: JointWork) -> LabelledTable:
    """Both arms of the latest trial: a row an arm."""
    extra = work.trial
    arms = extra.arms if extra is not None else None
    rows = (
        []
        if arms is None
        else [
            ("Given content", arms.n_given, arms.open_given, arms.won_given),
            ("Left out", arms.n_held, arms.open_held, arms.won_held),
        ]
    )
    frame = pd.DataFrame(rows, columns=["arm", "n", "n_open", "n_won"])
    days = 0 if extra is None else extra.days
    return LabelledTable(
        frame.assign(share=frame["n_won"] / frame["n"].where(frame["n"] > 0)),
        f"The latest trial of content: accounts watched for {days} days, to "
        f"{work.company.quarter}.",
        {
            "arm": ("text", "Accounts"),
            "n": ("count", "n"),
            "n_open": ("count", "With a deal open before"),
            "n_won": ("count", "Won a deal since"),
            "share": ("percent", "Share"),
        },
        "content_trials, opportunities",
    )
