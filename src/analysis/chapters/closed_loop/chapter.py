"""The chapter on what becomes of leads after the hand-over: what the notebook shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis.chapters.closed_loop import (
    attribution,
    buying_roles,
    credit,
    definition_replay,
    handover,
    lead_ledger,
    loop_answer,
    recycling,
    targeting,
)
from analysis.chapters.closed_loop.target_lists import READY_DAYS
from analysis.project import money
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.chapters.closed_loop.loop_answer import LoopAnswer
    from analysis.chapters.closed_loop.recycling import SharePair
    from analysis.chapters.closed_loop.targeting import Targets

RULE_WORDS = {
    "^>= ": "at least ",
    "^> ": "above ",
    "^< ": "below ",
    "^== ": "is ",
    "-": money.MINUS,
}
FLAG_RULES = {"is 0": "no", "is 1": "yes"}
BY_SHARE = {
    "share": ("percent", "Share"),
    "low": ("percent", "95% from"),
    "high": ("percent", "to"),
}


def _labelled(
    frame: pd.DataFrame,
    caption: str,
    columns: dict[str, tuple[str, str]],
    source: str,
    note: str = "",
) -> LabelledTable:
    """Return a table of the labelled columns alone."""
    return LabelledTable(frame.reindex(columns=list(columns)), caption, columns, source, note=note)


def loop_data(answer: LoopAnswer) -> LabelledTable:
    """What the chapter reads and what it cannot use: a row a reason."""
    stays = answer.stays
    entries = lead_ledger.entries_to_sales(stays)
    lines = [
        (f"Leads created by {answer.funnel.as_of}", len(answer.funnel.rows)),
        ("With dated steps", stays.rows["lead_id"].nunique()),
        ("Records merged into one of them, whose steps are told as its own", _n_merged(answer)),
        ("Handed over for the first time in the four quarters", len(answer.handed)),
        ("Handed over again, out of nurture", entries["nurture"]),
        ("Handed over again after they were closed",
         entries["disqualified"] + entries["converted"]),
        ("Steps left out: their lead is in no export", stays.n_unknown),
        ("Steps left out: status not in the field map, or no date", stays.n_nameless),
        ("Steps left out: after the quarter", stays.n_later),
    ]  # fmt: skip
    missing = " ".join(loop_answer.GAPS[g] for g in loop_answer.GAPS if g in answer.gaps)
    return _labelled(
        pd.DataFrame(lines, columns=["what", "n"]).query("n > 0"),
        f"Leads and steps read, to {answer.funnel.as_of}",
        {"what": ("text", "What"), "n": ("count", "Number")},
        answer.source,
        note=missing,
    )


def _n_merged(answer: LoopAnswer) -> int:
    return int(answer.company.table("lead_status_history")["merged_from"].nunique())


def handover_figures(answer: LoopAnswer) -> LabelledTable:
    """How soon sales answers, and how many leads are left alone: a row a figure."""
    n, _, share, low, high = answer.answered
    days = answer.company.settings.alignment.disposition_days
    hours = f"{answer.limit_hours:g} working hours"
    rows = [
        (f"Touched within {hours}", answer.touch.n, *answer.touch.within),
        (f"Neither touched nor closed in {handover.NEGLECT_DAYS} days", answer.touch.n,
         *answer.touch.neglected),
        (f"Accepted, returned or closed within {days:g} days", n, share, low, high),
    ]  # fmt: skip
    pair = loop_answer.agreement_difference(answer)
    if pair is not None:
        rows += [
            (f"Touched within {hours}: under a version sales approved, less before [points]",
             pair[0].n_first + pair[0].n_second, *pair[0].difference),
            ("The same at a day on which nothing was agreed [points]",
             pair[1].n_first + pair[1].n_second, *pair[1].difference),
        ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["what", "n", "share", "low", "high"])
    moved = pair is not None and (pair[1].difference[1] > 0 or pair[1].difference[2] < 0)
    shaky = " It moved on that day too, so the difference says little." if moved else ""
    half = answer.touch.half
    soon = (
        f" Half of those touched are touched before working hour {half + 1:.0f} is over."
        if not math.isnan(half)
        else ""
    )
    return _labelled(
        frame[frame["share"].notna()],
        f"Leads handed over in the four quarters to {answer.company.quarter}, and what sales did",
        {"what": ("text", "What"), "n": ("count", "Leads"), **BY_SHARE},
        answer.source,
        note=f"Working hours: Monday to Friday from nine, holidays off.{soon} A lead spoken to "
        f"before the hand-over waited for nothing. Differences are no effects.{shaky}",
    )


def lead_ledger_table(answer: LoopAnswer) -> LabelledTable:
    """Where every lead handed over went: a row a round; empty without dated steps."""
    frame = lead_ledger.ledger_by_round(answer.stays)
    frame = frame[frame["handed_over"].gt(0)]
    last = lead_ledger.MOST_ROUNDS
    label = frame["round"].map(lambda n: f"{n} or later" if n == last else f"{n}")
    return _labelled(
        frame.assign(label=label),
        f"Every hand-over and where it went, by round, to {answer.funnel.as_of}",
        {
            "label": ("text", "Round"),
            "handed_over": ("count", "Handed over"),
            "converted": ("count", "Converted"),
            "disqualified": ("count", "Disqualified"),
            "returned": ("count", "Returned"),
            "with_sales": ("count", "With sales"),
            "requalified": ("count", "Of returned: back with sales"),
            "closed_in_nurture": ("count", "Closed"),
            "in_nurture": ("count", "In nurture"),
        },
        answer.source,
        note="Handed over is the sum of the next four columns; returned that of the last three.",
    )


def yields_table(answer: LoopAnswer) -> LabelledTable:
    """What returned leads bring beside fresh ones: a row a kind and their difference."""
    return _pair_table(
        answer.yields,
        ("Returned leads, from their return", "Fresh leads, from their first hand-over"),
        f"Share that became an opportunity within {recycling.YIELD_DAYS} days, to "
        f"{answer.funnel.as_of}",
        answer.source,
        "Leads on their way count as long as they were watched; intervals by owner. They are "
        "different leads: the difference is not what nurture does.",
    )


def _pair_table(
    pair: SharePair, labels: tuple[str, str], caption: str, source: str, note: str
) -> LabelledTable:
    rows = [
        (labels[0], pair.n_first, *pair.first),
        (labels[1], pair.n_second, *pair.second),
        ("Difference, in percentage points", pair.n_first + pair.n_second, *pair.difference),
    ]
    frame = pd.DataFrame(rows, columns=["what", "n", "share", "low", "high"])
    return _labelled(
        frame[frame["share"].notna()],
        caption,
        {"what": ("text", "Leads"), "n": ("count", "n"), **BY_SHARE},
        source,
        note=note,
    )


def return_reasons(answer: LoopAnswer) -> LabelledTable:
    """Why leads were handed back or refused, as the CRM says: a row a reason.

    A text that few leads have is not shown: where reasons are written freely it may name somebody.
    """
    leads = answer.company.table("leads")
    here = leads[leads["lead_id"].isin(answer.year.rows["lead_id"])]
    back = here[here["is_recycled"].eq(other=True) | here["lead_stage"].eq("disqualified")]
    counts = back["return_reason"].value_counts()
    few = counts[counts < answer.company.settings.people.smallest_cell]
    rare = f" {few.sum():,} have one that few share, not shown." if len(few) else ""
    frame = counts.drop(few.index).rename_axis("reason").rename("n_leads").reset_index()
    silent = len(back) - int(counts.sum())
    frame = frame.assign(share=frame["n_leads"] / max(len(back), 1)).head(8)
    return _labelled(
        frame,
        f"Why leads of the four quarters to {answer.company.quarter} were returned or "
        f"disqualified, n = {len(back):,}",
        {
            "reason": ("text", "Reason"),
            "n_leads": ("count", "Leads"),
            "share": ("percent", "Of returned and disqualified"),
        },
        f"leads, {answer.company.quarter}",
        note=f"{silent:,} have no reason.{rare}",
    )


def definition_versions(answer: LoopAnswer) -> LabelledTable:
    """What each version of a sales-ready lead would have let through: a row a version."""
    replayed = answer.company.table("sales_ready_leads")
    rows = definition_replay.replayed_versions(replayed, answer.year)
    if len(rows):
        rows = rows.assign(approval=rows["approval"].map(definition_replay.APPROVALS))
    undecided = int(rows["n_undecided"].max()) if len(rows) else 0
    open_ones = f" {undecided:,} leads at most stay undecided." if undecided else ""
    return _labelled(
        rows,
        "Versions of a sales-ready lead, replayed on the leads of the four quarters to "
        f"{answer.company.quarter}, and how many became an opportunity within 90 days",
        {
            "definition": ("text", "Version"),
            "side": ("text", "Side"),
            "approval": ("text", "Approved"),
            "n_ready": ("count", "Ready"),
            "share": ("percent", "Of leads"),
            "ready": ("percent", "Ready: opportunity"),
            "ready_low": ("percent", "95% from"),
            "ready_high": ("percent", "to"),
            "unready": ("percent", "Not ready: opportunity"),
        },
        f"sales_ready.toml, leads, touches, {answer.company.quarter}",
        note="By what was known in a lead's first 30 days. A difference: letting a lead through "
        f"does not make it convert.{open_ones}",
    )


def language_gap(answer: LoopAnswer) -> str:
    """Say how far the sides' own counts of one metric lie apart; "" where they keep none."""
    replayed = answer.company.table("sales_ready_leads")
    here = replayed[replayed["lead_id"].isin(answer.year.rows["lead_id"])]
    versions = here.drop_duplicates("definition").sort_values("valid_from", kind="stable")
    gaps = definition_replay.language_gaps(versions, here)
    return " ".join(
        f"Of {row.metric}s, marketing counts {row.marketing:,} and sales {row.sales:,}: "
        f"{row.gap:.0%} apart, and {row.both:,} are the same leads."
        for row in gaps.itertuples()
    )


def credit_by_rule(answer: LoopAnswer) -> LabelledTable:
    """Bookings shared out among activities by six rules: a row an activity; empty without
    responses or deals.
    """
    paths = credit.company_paths(answer)
    rows = attribution.credit_by_activity(paths)
    if "responses" in answer.gaps or not paths.is_won.any():
        rows = rows.iloc[:0]
    elif len(rows):
        total = {"activity": "All", "n_deals": int(paths.is_won.sum())}
        total |= {rule: rows[rule].sum() for rule in attribution.RULES}
        rows = pd.concat([rows, pd.DataFrame([total])], ignore_index=True)
    without = int(pd.isna(paths.revenue[paths.is_won]).sum())
    unpriced = f" Deals without an amount bring none: {without:,}." if without else ""
    return _labelled(
        rows,
        f"Bookings of the four quarters to {answer.company.quarter} credited to activities by six "
        f"rules, n = {int(paths.is_won.sum()):,} deals won",
        {
            "activity": ("text", "Activity"),
            "n_deals": ("count", "Deals"),
            **{rule: ("millions", rule.capitalize()) for rule in attribution.RULES},
        },
        f"touches, campaigns, leads, opportunities, {answer.company.quarter}",
        note="Each rule sums to the same bookings, to the cent. None says what an activity caused. "
        f"Chain: the part of the chance to win that goes without it.{unpriced}",
    )


def deal_sources(answer: LoopAnswer) -> LabelledTable:
    """Who found the deals of the year: a row a source."""
    frame = credit.deals_by_source(answer)
    return _labelled(
        frame[frame["n_deals"].gt(0)],
        f"Who found the deals created in the four quarters to {answer.company.quarter}",
        {
            "source": ("text", "Found by"),
            "n_deals": ("count", "Deals"),
            "share": ("percent", "Share"),
        },
        f"opportunities, leads, touches, {answer.company.quarter}",
        note="Found by sales alone: no lead, response, campaign or source on record.",
    )


def self_sourcing_sentence(answer: LoopAnswer) -> str:
    """Say what finding deals themselves costs reps in hours and money."""
    hours, cost = credit.self_sourcing_cost(answer)
    if math.isnan(hours):
        return "We cannot tell what finding deals costs sales: nobody logged prospecting."
    text = f"Reps logged {hours:,.0f} hours of prospecting in the four quarters"
    if math.isnan(cost):
        return f"{text}; their cost is unknown without pay."
    currency = answer.company.settings.company.currency
    return f"{text}: {money.millions_text(cost, currency, 1)} at the cost of a selling hour."


def target_figures(answer: LoopAnswer, targets: Targets) -> LabelledTable:
    """How far the lists agree and what reaches the accounts on them: a row a figure; empty without
    lists.
    """
    rows = targets.figures if len(targets.lists) else targets.figures.iloc[:0]
    n_people = targets.contacts
    met = (
        f" Half of the accounts have {pd.Series(n_people).median():.0f} people met or fewer."
        if len(n_people)
        else " Nobody exported who was at meetings."
    )
    return _labelled(
        rows,
        f"Target accounts on {answer.funnel.as_of}, and what reached them in the four quarters to "
        f"{answer.company.quarter}",
        {"what": ("text", "Of target accounts"), "n": ("count", "n"), **BY_SHARE},
        f"target_accounts, activities, attendees, touches, {answer.company.quarter}",
        note=f"A dash: one side has no list, or no export says it.{met}",
    )


def roles_table(answer: LoopAnswer, targets: Targets) -> LabelledTable:
    """Who was met at target accounts, by their part in buying: a row a role; empty where no role is
    on record there.
    """
    roles = targets.roles
    smallest = answer.company.settings.people.smallest_cell
    hidden = bool(roles.rows["suppressed"].ne("").any())
    few = f" A dash: fewer than {smallest} people." if hidden else ""
    beside = (
        " Nobody exported who was at meetings."
        if math.isnan(roles.n_unnamed)
        else f" {roles.n_unnamed:,.0f} people met have none on record."
    )
    return _labelled(
        roles.rows,
        f"People with a part in buying at target accounts, and those met in the four quarters to "
        f"{answer.company.quarter}; n = {roles.n_known:,} of {roles.n_targets:,} accounts with a "
        "role on record",
        {
            "role": ("text", "Role"),
            "n_people": ("count", "People"),
            "n_accounts": ("count", "Accounts with one"),
            "n_met": ("count", "One was met"),
            "share": ("percent", "Share"),
            "low": ("percent", "95% from"),
            "high": ("percent", "to"),
            "per_account": ("number2", "Met per account"),
        },
        f"contact_roles, target_accounts, activities, attendees, {answer.company.quarter}",
        note="Roles as the CRM notes them on opportunities or accounts; a person may have several."
        f"{beside}{few}",
    )


def roles_sentence(answer: LoopAnswer, targets: Targets) -> str:
    """Say why it cannot be told which roles were met."""
    has_roles = len(answer.company.table("contact_roles")) > 0
    return buying_roles.roles_gap(targets.roles, has_roles=has_roles)


def spend_sentence(answer: LoopAnswer, targets: Targets) -> str:
    """Say what of campaign spend went to target accounts, as far as people's accounts are known."""
    spend, currency = targets.spend, answer.company.settings.company.currency
    traced = spend["on"] + spend["off"]
    if not len(targets.lists) or not traced > 0:
        return (
            "We cannot tell what part of spend reaches target accounts: no list is in force, or "
            "nobody reached has a known account."
        )
    hidden = money.amount_text(spend["unknown"], currency)
    return (
        f"Of spend on people whose account is known, {spend['on'] / traced:.0%} went to target "
        f"accounts. {hidden} went to people without one yet, so this says little where few leads "
        f"convert. Of accounts reached, {targets.fit.precision:.0%} are targets; of targets, "
        f"{targets.fit.recall:.0%} were reached."
    )


def alike_names(answer: LoopAnswer, targets: Targets) -> LabelledTable:
    """Accounts on one side's list whose name looks like one on the other's: a row a pair."""
    return _labelled(
        targeting.likely_same_accounts(answer, targets),
        "Accounts on one list alone whose names look alike: to be looked at, nothing was merged",
        {
            "sales_name": ("text", "On sales' list"),
            "marketing_name": ("text", "On marketing's list"),
            "alike": ("percent", "Alike"),
        },
        f"target_accounts, accounts, {answer.company.quarter}",
        note="To accept a pair, put it into names.csv.",
    )


def events_ready(answer: LoopAnswer, targets: Targets) -> LabelledTable:
    """Whether sales saw list and schedule of events in time: a row an event; empty where nobody
    recorded it.
    """
    return _labelled(
        targets.events,
        f"Events since {answer.first_day}: teams that saw target list and schedule {READY_DAYS} "
        "days before",
        {
            "campaign_name": ("text", "Event"),
            "start_date": ("date", "Begins"),
            "n_teams": ("count", "Teams"),
            "n_ready": ("count", "In time"),
            "n_red": ("count", "Red"),
            "n_early": ("count", "Not due yet"),
        },
        f"campaigns, campaign_notices, {answer.company.quarter}",
        note="Red: the list or the schedule was not seen by then.",
    )


def archetype_table(answer: LoopAnswer, targets: Targets) -> LabelledTable:
    """Which of the articles' four companies this one resembles: a row a rule that can be judged."""
    kind, rules = targeting.archetype_of(answer, targets)
    judged = rules[rules["value"].notna()]
    says = {"none": "none of them", "mixed": "more than one alike"}.get(kind, f"“{kind}”")
    verdicts = judged["is_met"].map({True: "yes", False: "no"})
    is_flag = judged["rule"].str.startswith("==")
    cuts = judged["rule"].replace(RULE_WORDS, regex=True).replace(FLAG_RULES)
    values = judged["value"].map("{:.2f}".format).str.replace("-", money.MINUS)
    values = values.mask(is_flag, judged["value"].map({0.0: "no", 1.0: "yes"}))
    return _labelled(
        judged.assign(met=verdicts, rule=cuts, value=values),
        f"The article's four companies: this one resembles {says}, {answer.company.quarter}",
        {
            "archetype": ("text", "Company"),
            "says": ("text", "Sign"),
            "value": ("text", "Here"),
            "rule": ("text", "Rule"),
            "met": ("text", "Met"),
        },
        f"target_accounts, campaigns, goals, activity_targets, {answer.company.quarter}",
        note=f"{len(rules) - len(judged)} of {len(rules)} signs cannot be judged from these data. "
        "A type needs 60% of its signs; the cuts are ours.",
    )


def tables_for_loop_analysts(answer: LoopAnswer, targets: Targets) -> list[pd.DataFrame]:
    """Lists by team, stays of leads, leads that qualified again with their reps."""
    return [targets.teams, answer.stays.rows.head(1000), answer.routed.head(1000)]
