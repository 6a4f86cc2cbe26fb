"""The chapter on where deals come from: what the notebook shows, each thing from one call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis.chapters.lead_funnel import (
    activity_return,
    cohorts,
    deal_horizon,
    funnel_answer,
    funnel_for_analysts,
    lead_yield,
    ramp,
    reverse_funnel,
)
from analysis.chapters.lead_funnel.shown_table import shown_table
from analysis.chapters.lead_funnel.stages import LATER, STAGES
from analysis.project import money
from analysis.stats.suppression import few_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.lead_funnel.funnel_answer import FunnelAnswer
    from analysis.tables.labelled_table import LabelledTable

UNTOLD = "A dash: too few leads were watched for so long."
BY_SHARE = {"low": ("percent", "95% from"), "high": ("percent", "to")}


def _smallest(answer: FunnelAnswer) -> int:
    return answer.company.settings.people.smallest_cell


def leads_read(answer: FunnelAnswer) -> LabelledTable:
    """How many leads stand in the chapter, and how many for what reason do not: a row a reason."""
    rows, funnel = answer.funnel.rows, answer.funnel
    n_unknown = int(rows["outcome"].eq("not exported").sum())
    lines = [
        (f"Leads created by {funnel.as_of}", len(rows) + funnel.n_contradictory),
        ("Left out: a date before the lead came", funnel.n_contradictory),
        ("Not in shares won: their deal is in no export", n_unknown),
        ("No activity and no source", int(rows["activity"].isna().sum())),
        ("By the first response to a campaign", _n_of(rows, "first response")),
        ("By the lead's source, for want of a response", _n_of(rows, "lead source")),
        (
            "By the source alone: nobody exported responses",
            int(rows["activity_basis"].isna().sum()),
        ),
        ("Skipped a stage or have its dates out of order", _n_skipped(rows, funnel.stages)),
        ("Handed back to marketing at least once", int(rows["is_recycled"].sum())),
    ]
    late = (
        f" Wins are logged from {answer.wins_since} on, leads earlier: a lead is watched for a win "
        "from then on."
        if answer.wins_since
        else ""
    )
    absent = [STAGES[stage] for stage in LATER if stage not in funnel.stages]
    no_date = f" Nobody exported who got to {', '.join(absent)}: left out." if absent else ""
    return shown_table(
        pd.DataFrame(lines, columns=["what", "n"]).query("n > 0"),
        f"Leads and how they are read, to {funnel.as_of}",
        {"what": ("text", "What"), "n": ("count", "Leads")},
        answer.source,
        note=f"{funnel_answer.activity_gap(answer)}{late}{no_date}".strip(),
    )


def _n_of(rows: pd.DataFrame, basis: str) -> int:
    return int(rows["activity_basis"].eq(basis).sum())


def _n_skipped(rows: pd.DataFrame, stages: Sequence[str]) -> int:
    before = [s for s in stages if s != "won"]
    last = cohorts.funnel_counts(rows, stages=before).iloc[-1]
    return int(last["n_any"] - last["n_all"])


def stage_funnel(answer: FunnelAnswer) -> LabelledTable:
    """Leads of the latest four quarters at each stage: a row a stage, with both denominators."""
    counts = cohorts.funnel_counts(answer.year.rows, stages=answer.funnel.stages)
    counts = counts.assign(label=counts["stage"].map(STAGES))
    counts.loc[counts["stage"].eq("lead"), ["of_before", "of_before_low", "of_before_high"]] = (
        math.nan
    )
    return shown_table(
        counts,
        f"Leads that came in the four quarters to {answer.company.quarter}, by stage reached so "
        f"far, n = {len(answer.year.rows):,}. Pale (any stages): got as far, whatever was skipped. "
        "Dark (all stages): every date is there, in order. The newest leads have had little time.",
        {
            "label": ("text", "Stage"),
            "n_any": ("count", "Any stages"),
            "n_all": ("count", "All stages"),
            "of_before": ("percent", "Of the stage before"),
            "of_before_low": ("percent", "95% from"),
            "of_before_high": ("percent", "to"),
            "of_all": ("percent", "Of all leads"),
            "amount": ("millions", "On deals"),
        },
        answer.source,
        note="So far: many of these leads are still open. Wilson's intervals, leads taken as "
        "unrelated.",
        is_read=True,
    )


def stage_steps(answer: FunnelAnswer) -> LabelledTable:
    """How many go on at each step, how soon, and what became of the others: a row a step."""
    return shown_table(
        answer.steps,
        f"Each step: who goes on within a year of reaching the stage, n = "
        f"{len(answer.funnel.rows):,} leads, to {answer.funnel.as_of}",
        {
            "step": ("text", "Step"),
            "n": ("count", "Got there"),
            "share": ("percent", "Go on"),
            **BY_SHARE,
            "days": ("count", "Half of them by day"),
            "lost_per_100": ("number1", "Lost, of 100 leads"),
            "n_ended": ("count", "Ended there"),
            "n_open": ("count", "Still there"),
        },
        answer.source,
        note="Open leads count as long as they were watched (Aalen-Johansen); intervals by owner.",
    )


def shares_by_cohort(answer: FunnelAnswer) -> LabelledTable:
    """What became of the leads of each quarter: a row a quarter of arrival."""
    shares = cohorts.cohort_shares(answer.funnel, wins_since=answer.wins_since)
    ends = cohorts.what_became(answer.funnel.rows).drop(columns="won")
    rows = shares.drop(columns="n_leads").merge(ends, on="cohort", how="left")
    if "won" not in answer.funnel.stages:
        rows["lost"] = math.nan
    n_before = int(answer.funnel.rows["cohort"].isna().sum())
    rows = rows.dropna(subset="cohort").assign(stale=rows["open"] + rows["handed_back"])
    before = f" {n_before} leads came before the first quarter." * (n_before > 0)
    return shown_table(
        few_hidden(rows, smallest=_smallest(answer), keep=["cohort"]),
        "Leads by the quarter they came in: share with an opportunity within 90 days and a win "
        f"within a year, and where they are on {answer.funnel.as_of}",
        {
            "cohort": ("text", "Came in"),
            "n_leads": ("count", "Leads"),
            "opportunity": ("percent", "Opportunity in 90 d"),
            "opportunity_low": ("percent", "95% from"),
            "opportunity_high": ("percent", "to"),
            "won": ("percent", "Won in a year"),
            "won_low": ("percent", "95% from"),
            "won_high": ("percent", "to"),
            "lost": ("count", "Lost"),
            "disqualified": ("count", "Disqualified"),
            "stale": ("count", "Open"),
        },
        answer.source,
        note=f"{UNTOLD} A win closed today counts where its lead came in. Open: with marketing or "
        f"sales, handed back included.{before}",
    )


def activity_conversion(answer: FunnelAnswer) -> LabelledTable:
    """Leads and conversion of each activity against its targets, ranked: a row an activity."""
    rows = activity_return.conversion_by(answer.year, "activity")
    targets = funnel_answer.targets_lately(answer)
    rows = activity_return.with_ranks(rows.merge(targets, on="activity", how="left"))
    both = activity_return.share_with_targets(targets, answer.activities)
    definition = (
        "No target is in the exports."
        if targets.empty
        else f"{both:.0%} of activities have a target of both."
    )
    return shown_table(
        few_hidden(rows, smallest=_smallest(answer), keep=["activity"]),
        f"Leads of the four quarters to {answer.company.quarter} by "
        f"{answer.activity_word.lower()}, and the share that became an opportunity within "
        "90 days, against targets",
        {
            "activity": ("text", answer.activity_word),
            "n_leads": ("count", "Leads"),
            "volume_target": ("count", "Target"),
            "share": ("percent", "Became opportunities"),
            **BY_SHARE,
            "conversion_target": ("percent", "Target"),
            **activity_return.place_column(rows),
        },
        f"{answer.source}, activity_targets",
        note=f"{definition} {activity_return.place_note(rows)} Some leads are younger than 90 "
        f"days. {UNTOLD}",
    )


def activity_advice(answer: FunnelAnswer) -> LabelledTable:
    """What each activity returns and whether to stop it, keep it or learn first: a row an activity.

    Empty where no responses are exported, or what leads bring is unknown.
    """
    columns = {
        "activity": ("text", "Activity"),
        "advice": ("text", "Advice"),
        "why": ("text", "Because"),
        "net": ("millions", "Return on spend"),
        "net_of_hours": ("millions", "and rep hours"),
        "low": ("millions", "95% from"),
        "high": ("millions", "to"),
        "per_win": ("money", "Cost per win"),
        "must_be_extra": ("percent0", "Must be extra"),
    }
    caption = (
        "Gross margin of a year's leads less what they cost: campaigns begun in the four quarters "
        f"to {answer.company.quarter} and the reps' hours"
    )
    source = f"{answer.source}, campaigns, activities, compensation"
    if answer.brings is None or answer.grouping == funnel_answer.SOURCE:
        return shown_table(pd.DataFrame(columns=list(columns)), caption, columns, source)
    conversion = activity_return.conversion_by(answer.year, "activity").set_index("activity")
    returns = activity_return.activity_returns(
        answer.brings,
        conversion["n_leads"],
        funnel_answer.spend_lately(answer).set_index("activity")["spend"],
        answer.hours,
        margin_rate=answer.company.settings.money.gross_margin_rate,
        hour_cost=answer.hour_cost,
    )
    returns["conversion_high"] = returns["activity"].map(conversion["high"])
    returns["n_reps"] = returns["activity"].map(conversion["n_reps"]).fillna(0)
    rows = activity_return.with_advice(
        returns.merge(funnel_answer.targets_lately(answer), on="activity", how="left")
    )
    order = rows["advice"].map({"stop": 0, "learn": 1, "keep": 2})
    rows = rows.assign(order=order).sort_values(["order", "net_of_hours"], kind="stable")
    return shown_table(
        few_hidden(rows, smallest=_smallest(answer), keep=["activity"]),
        caption,
        columns,
        source,
        note="Each lead's whole worth goes to the one activity that brought it, wins up to "
        f"{answer.brings.horizon} days after it. Must be extra: the share of its leads that would "
        "not have come without it, from which it pays. Only a holdout can tell that share. An "
        "association, not an effect.",
        is_read=True,
    )


def spend_traced(answer: FunnelAnswer) -> LabelledTable:
    """Spend by activity and the part of it that a response can be traced to: a row an activity."""
    rows = funnel_answer.spend_lately(answer)
    total = rows["spend"].sum(min_count=1)
    rows = rows.assign(share=rows["spend"] / total)
    measured = activity_return.measurable_share(rows)
    traced = (
        "" if math.isnan(measured) else f" {measured:.0%} of spend can be traced to a response."
    )
    return shown_table(
        rows,
        f"Spend on campaigns begun in the four quarters to {answer.company.quarter}, by activity",
        {
            "activity": ("text", "Activity"),
            "n_campaigns": ("count", "Campaigns"),
            "spend": ("money", "Spend"),
            "share": ("percent", "Of spend"),
            "traceable": ("money", "With a response"),
            "n_silent": ("count", "Campaigns without one"),
        },
        f"campaigns, touches, {answer.company.quarter}",
        note=f"A dash: the cost of a campaign, or who responded, is in no export.{traced}",
    )


def lead_plan(answer: FunnelAnswer) -> LabelledTable:
    """Leads a month that the target takes, by activity: a row an activity."""
    columns = {
        "activity": ("text", answer.activity_word),
        "now": ("number1", "Leads a month now"),
        "needed": ("count", "Needed"),
        "low": ("count", "95% from"),
        "high": ("count", "to"),
        "brings": ("money", "A lead brings"),
        "hours": ("number1", "Rep hours a lead"),
    }
    source = f"leads, opportunities, quotas, {answer.company.quarter}"
    if answer.plan is None or answer.brings is None or answer.target is None:
        return shown_table(pd.DataFrame(columns=list(columns)), "", columns, source)
    plan, brings = answer.plan, answer.brings
    counts = answer.year.rows["activity"].value_counts()
    rows = pd.DataFrame(
        [
            {
                "activity": name,
                "now": counts.get(name, 0) / reverse_funnel.MONTHS_A_YEAR,
                "needed": math.ceil(plan.leads[0, at]) if plan.leads[0, at] >= 0 else math.nan,
                "low": ends[1],
                "high": ends[2],
                "brings": brings.per_lead[0, at],
                "hours": answer.hours.get(name, math.nan),
            }
            for at, name in enumerate(plan.activities)
            for ends in [lead_yield.drawn_interval(plan.leads[:, at])]
        ]
    )
    currency = answer.company.settings.company.currency
    here, needed = (
        money.millions_text(float(each[0]), currency, 1) for each in (plan.from_past, plan.target)
    )
    aimed = money.millions_text(answer.target.amount, currency, 1)
    return shown_table(
        rows,
        f"Leads a month for the bookings of {answer.target.quarter}: {aimed} "
        f"({answer.target.basis}), of which {needed} from leads and {here} from those already here",
        columns,
        source,
        note="In today's mix of activities, rounded up to whole leads. Rates, lags and amounts are "
        f"drawn together by owner; wins later than {brings.horizon} days after the lead do not "
        "count.",
    )


def leak_by_segment(answer: FunnelAnswer) -> LabelledTable:
    """Share with an opportunity and a win by segment: a row a segment."""
    return _shares_by(answer, "segment", "Segment")


def _shares_by(answer: FunnelAnswer, by: str, label: str) -> LabelledTable:
    rows = cohorts.cohort_shares(answer.funnel, by, wins_since=answer.wins_since)
    groups = rows[by].astype(object)
    if by == "team_id":
        names = answer.company.table("teams").set_index("team_id")["team_name"]
        groups = groups.map(names).fillna(groups)
    rows = rows.assign(**{by: groups.fillna(f"no {label.lower()}")})
    return shown_table(
        few_hidden(rows, smallest=_smallest(answer), keep=[by]),
        f"Leads by {label.lower()}: opportunity within 90 days, win within a year, to "
        f"{answer.funnel.as_of}",
        {
            by: ("text", label),
            "n_leads": ("count", "Leads"),
            "n_reps": ("count", "Reps"),
            "opportunity": ("percent", "Opportunity in 90 d"),
            "opportunity_low": ("percent", "95% from"),
            "opportunity_high": ("percent", "to"),
            "won": ("percent", "Won in a year"),
            "won_low": ("percent", "95% from"),
            "won_high": ("percent", "to"),
        },
        answer.source,
        note=f"A difference, not an effect. {UNTOLD}",
    )


def tables_for_analysts(answer: FunnelAnswer) -> list[LabelledTable]:
    """Shares by activity and by team, the whole funnel by quarter, and hires by year."""
    hires = _hires(answer)
    return [
        _shares_by(answer, "activity", answer.activity_word),
        _shares_by(answer, "team_id", "Team"),
        funnel_for_analysts.funnel_by_quarter(answer),
        funnel_for_analysts.hires_by_year(answer, hires, smallest=_smallest(answer)),
    ]


def bookings_by_side(answer: FunnelAnswer) -> LabelledTable:
    """Bookings by who touched the deal: a row a combination; empty where one side is unknown."""
    company, deals = answer.company, funnel_answer.deals_won_lately(answer)
    leads, work = company.table("lead_dates"), company.table("activities")
    linked = pd.concat([leads["opportunity_id"], company.table("touches")["opportunity_id"]])
    has_campaign = deals.loc[deals["campaign_id"].notna(), "opportunity_id"]
    marketing = set(pd.concat([linked, has_campaign]).dropna())
    sales = set(work["opportunity_id"].dropna())
    rows = cohorts.touched_by(deals, marketing or None, sales or None)
    return shown_table(
        rows,
        f"Bookings of the four quarters to {company.quarter} by who touched the deal, n = "
        f"{len(deals):,} deals won",
        {
            "touched": ("text", "Touched by"),
            "n_deals": ("count", "Deals"),
            "amount": ("millions", "Bookings"),
            "share": ("percent", "Share"),
        },
        f"opportunities, leads, touches, activities, {company.quarter}",
        note="Marketing: a lead, a response or a campaign belongs to the deal. Sales: a logged "
        "activity does.",
    )


def best_selling_products(answer: FunnelAnswer) -> LabelledTable:
    """Products by their share of bookings, with the places each may have: a row a product."""
    company = answer.company
    rows = activity_return.bookings_ranking(funnel_answer.deals_won_lately(answer), "product_id")
    names = company.table("products").set_index("product_id")["product_name"]
    rows["product"] = rows["product_id"].map(names).fillna(rows["product_id"])
    return shown_table(
        rows,
        f"Best-selling products, bookings of the four quarters to {company.quarter}",
        {
            "product": ("text", "Product"),
            "n_deals": ("count", "Deals"),
            "amount": ("millions", "Bookings"),
            "share": ("percent", "Share"),
            **BY_SHARE,
            **activity_return.place_column(rows),
        },
        f"opportunities, products, {company.quarter}",
        note="Main product of each deal; intervals by owner. " + activity_return.place_note(rows),
    )


def _hires(answer: FunnelAnswer) -> ramp.Hires:
    company = answer.company
    opportunities, reps = company.table("opportunities"), company.table("reps")
    periods = company.table("quarters")
    return ramp.new_hires(
        reps,
        opportunities,
        ramp.creators_of(opportunities, company.table("stage_history"), reps),
        company.table("rep_quarter"),
        periods,
        first_day=pd.to_datetime(periods["from_day"]).min().date(),
        as_of=answer.funnel.as_of,
    )


def ramp_milestones(answer: FunnelAnswer) -> LabelledTable:
    """How far new reps get within 90 days, and by when half have got there: a row a milestone."""
    hires = _hires(answer)
    return shown_table(
        ramp.ramp_table(hires),
        f"Reps hired since the data begin, n = {len(hires.rows)}, to {answer.funnel.as_of}",
        {
            "milestone": ("text", "Milestone"),
            "n_reps": ("count", "Hired"),
            "n_reached": ("count", "Got there"),
            "share": ("percent", "Within 90 days"),
            **BY_SHARE,
            "half": ("count", "Half of them by day"),
        },
        f"reps, opportunities, stage_history, quotas, {answer.company.quarter}",
        note="Who left counts until then. A deal taken over is nobody's own. "
        f"{hires.n_before} reps hired before the data begin are left out.",
        is_read=True,
    )


def ramp_targets(answer: FunnelAnswer) -> LabelledTable:
    """Chance that a deal begun on the first day is won within 90 days: a row a sales cycle."""
    own = ramp.sales_cycle(answer.company.table("opportunities"))
    cycles = {"This company's own": own} if own else {}
    rows = ramp.target_feasibility({**cycles, "The article's: 18 months": ramp.ARTICLE})
    rows["verdict"] = rows["is_feasible"].map({True: "possible", False: "out of reach"})
    return shown_table(
        rows,
        "Revenue within 90 days of hire: chance that a deal begun on the first day, if won, is won "
        f"by then, {answer.company.quarter}",
        {
            "cycle": ("text", "Sales cycle"),
            "median_days": ("count", "Median days"),
            "log_sd": ("number2", "Spread of logs"),
            "n": ("count", "Deals won"),
            "chance": ("percent2", "Chance"),
            "verdict": ("text", "Target of 90 days"),
        },
        f"opportunities, {answer.company.quarter}",
        note="Log-normal. The spread beside the article's 18 months is our assumption. Out of "
        "reach: a chance below 5%. The median is the earliest fair day for one deal.",
    )


def pipeline_by_horizon(answer: FunnelAnswer) -> LabelledTable:
    """Open pipeline and hours by whether the deal is due within 90 days: a row a side."""
    company = answer.company
    return shown_table(
        deal_horizon.split_by_horizon(
            company.table("opportunities"),
            company.table("activities"),
            first_day=company.first_day,
            as_of=answer.funnel.as_of,
        ),
        f"Open pipeline on {answer.funnel.as_of} and hours on deals in {company.quarter}, by when "
        "the deal is due",
        {
            "horizon": ("text", "Deal"),
            "n_deals": ("count", "Deals open"),
            "amount": ("millions", "Pipeline"),
            "amount_share": ("percent", "Share"),
            "hours": ("count", "Hours"),
            "hours_share": ("percent", "Share"),
        },
        f"opportunities, activities, {company.quarter}",
        note="Due: the close date on the deal today. The 90th day is later.",
        is_read=True,
    )
