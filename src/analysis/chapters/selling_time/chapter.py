"""The chapter on selling time: what the notebook shows, each thing from one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.chapters.selling_time import (
    capture,
    parts_of_the_week,
    quarterly_bookings,
    rep_weeks,
    robustness,
    selling_for_analysts,
    time_use,
    worth_of_an_hour,
)
from analysis.stats.suppression import few_hidden
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.chapters.selling_time.selling_answer import SellingTime


def data_sentence(selling: SellingTime) -> str:
    """Say which rep-weeks the estimate rests on."""
    left_out = sum(selling.weeks.left_out.values())
    return (
        f"{len(selling.weeks.rows):,} rep-weeks of {selling.effect.elasticity.n} reps, quarters up "
        f"to {selling.company.quarter}; {left_out:,} left out. "
        f"{rep_weeks.shifter_sentence(selling.weeks)}"
    )


def average_and_next_hour(selling: SellingTime) -> LabelledTable:
    """Bookings asked of an hour, brought by one more, and its cost: one row a figure."""
    compared = worth_of_an_hour.compare_average_and_next_hour(
        selling.basis,
        selling.effect,
        required=selling.required,
        cost_per_hour=selling.hour,
        **selling.margin,
    )
    return LabelledTable(
        few_hidden(compared, smallest=selling.counted["smallest_cell"], keep=["figure", "kind"]),
        f"95% intervals, n = {selling.basis.n_reps} reps, {selling.company.quarter}; bookings "
        "come a sales cycle later. Commission is taken off twice, in the margin and in the "
        "cost: the comparison is on the safe side.",
        {
            "figure": ("text", "Figure"),
            "kind": ("text", "Kind"),
            "estimate": ("money", "Estimate"),
            "low": ("money", "Low"),
            "high": ("money", "High"),
            "n_reps": ("count", "N reps"),
        },
        f"rep_week, rep_quarter, {selling.company.quarter}",
    )


def scenarios(selling: SellingTime, *, target_share: float) -> LabelledTable:
    """Bookings and margin of more hours, and of more of them on qualified deals: one row each."""
    qualified = parts_of_the_week.qualified_share(selling.entries)
    used = selling.elasticity_used
    return LabelledTable(
        worth_of_an_hour.hour_scenarios(
            selling.basis, used, target_share=target_share, measured=qualified, **selling.margin
        ),
        f"What more and better hours would bring, a year at the pace of {selling.company.quarter}",
        {
            "scenario": ("text", "Every rep"),
            "hours": ("count", "Hours a year"),
            "bookings": ("millions", "Bookings"),
            "low": ("millions", "95% from"),
            "high": ("millions", "to"),
            "margin": ("millions", "Margin after commission"),
        },
        f"rep_quarter, {selling.company.quarter}; elasticity {used.elasticity:.2f}, {used.whose}",
        note=f"{parts_of_the_week.qualified_sentence(qualified)} Assumed: 60% and 80%. Hours on "
        "unqualified leads are taken to bring nothing.",
    )


def week_by_activity(selling: SellingTime) -> LabelledTable:
    """Hours of a rep's week by what they went into, and their cost: one row a kind."""
    week = time_use.week_by_activity(selling.stays, **selling.logged).merge(
        selling.burdens[["label", "amount", "selling_amount"]], how="left"
    )
    talks = time_use.one_to_one_sentence(selling.recent, selling.company.table("attendees"))
    captured = capture.from_activities(selling.activities)
    return LabelledTable(
        parts_of_the_week.week_with_parts(
            week.drop(columns=["paid_low", "paid_high"]), selling.parts
        ),
        f"A rep's week by what it went into, {selling.company.quarter}",
        {
            "label": ("text", "Went into"),
            "n_reps": ("count", "Reps"),
            "hours": ("hours", "A week"),
            "hours_low": ("hours", "95% from"),
            "hours_high": ("hours", "to"),
            "paid": ("percent", "Of paid time"),
            "amount": ("millions", "Costs a quarter"),
            "selling_amount": ("millions", "As selling time"),
        },
        f"rep_quarter, activities, {selling.company.quarter}",
        note=f"Hours on leads cut across the classes. {talks} Share of selling that the records "
        f"saw: {captured.method}.",
    )


def elasticity_by_estimator(selling: SellingTime) -> LabelledTable:
    """Elasticity from each way of estimating it: one row an estimator."""
    published = worth_of_an_hour.published_elasticity().elasticity
    others, repeats = robustness.without_repeats(
        robustness.elasticity_estimators(selling.weeks, selling.effect)
    )
    return LabelledTable(
        others.drop(columns="convention"),
        "Opportunities by one percent more hours [percent], quarters up to "
        f"{selling.company.quarter}",
        {
            "estimator": ("text", "Estimated from"),
            "kind": ("text", "Kind"),
            "estimate": ("number2", "Estimate"),
            "low": ("number2", "95% from"),
            "high": ("number2", "to"),
            "n_reps": ("count", "Reps"),
            "n_rows": ("count", "Rows"),
        },
        "rep_week, rep_quarter",
        note=f"Published mean: {published:.2f}. {repeats}"
        f"{robustness.guards_sentence(selling.effect)} "
        f"{quarterly_bookings.bookings_sentence(selling.panel)}",
    )


def tables_for_analysts(selling: SellingTime) -> list[LabelledTable]:
    """Estimates made otherwise with their checks, and hours and elasticity by group."""
    return [
        *selling_for_analysts.estimate_tables(selling),
        *selling_for_analysts.group_tables(selling),
    ]
