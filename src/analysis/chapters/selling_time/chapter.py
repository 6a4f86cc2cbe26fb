"""The chapter on selling time: what the notebook shows, each thing from one call."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.chapters.selling_time import (
    capture,
    elasticity,
    parts_of_the_week,
    quarterly_bookings,
    rep_weeks,
    robustness,
    time_use,
    worth_of_an_hour,
)
from analysis.stats.suppression import few_hidden
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    import pandas as pd

    from analysis.stats.result import Result
    from analysis.store.company import Company


NOT_OF_ONE_TEAM = "What one more hour brings is learnt from the weeks of all teams together."


class SellingTime:
    """What selling hours bring, learnt from all quarters up to the one reported.

    Attributes
    ----------
    panel : panel ``rep_quarter`` up to the quarter; `stays` its rows of the quarter
    weeks : rep-weeks the elasticity is estimated from
    effect : elasticity of opportunities created
    hour, required : cost of an hour and what it must bring
    basis : hours and bookings of the quarter
    worth : bookings that one more hour brings
    elasticity_used : the elasticity that sums of more hours rest on, and whose it is
    """

    def __init__(self, company: Company, *, smallest_elasticity: float) -> None:
        """Estimate the elasticity; a smaller one than `smallest_elasticity` is not material."""
        company.require_whole(NOT_OF_ONE_TEAM)
        quarter, house = company.quarter, company.settings
        panel, weekly = company.table("rep_quarter"), company.table("rep_week")
        self.company = company
        self.panel = panel[panel["quarter"] <= quarter]
        self.stays = panel[panel["quarter"] == quarter]
        self.weeks = rep_weeks.select_weeks(weekly[weekly["quarter"] <= quarter])
        self.effect = elasticity.estimate_elasticity(
            self.weeks, smallest_relevant=smallest_elasticity
        )
        self.logged: dict[str, Any] = {"minimum_logged_share": house.hours.minimum_logged_share}
        self.counted: dict[str, Any] = {
            **self.logged,
            "currency": house.company.currency,
            "smallest_cell": house.people.smallest_cell,
        }
        self.hour = self.cost_measure("cost_per_selling_hour")
        self.required = self.cost_measure("required_bookings_per_selling_hour")
        self.basis = worth_of_an_hour.selling_basis(self.stays, **self.counted)
        self.worth = worth_of_an_hour.marginal_value(self.basis, self.effect)
        self.elasticity_used = worth_of_an_hour.elasticity_worth(self.effect)

    def cost_measure(self, measure: str) -> Result:
        """Return a measure of the chapter on cost, of the quarter reported."""
        result = cost.estimate_cost(self.stays, measure, **self.counted)
        return answerability.hide_withheld(result, self.company.audit)

    @property
    def margin(self) -> dict[str, float]:
        """Gross margin of bookings [0-1], by the name that the sums take it under."""
        return {"gross_margin_rate": self.company.settings.money.gross_margin_rate}

    @cached_property
    def activities(self) -> pd.DataFrame:
        """Clean activities of all quarters."""
        return self.company.table("activities")

    @cached_property
    def recent(self) -> pd.DataFrame:
        """Activities of the quarter reported."""
        return parts_of_the_week.activities_within(
            self.activities, self.company.first_day, self.company.day_after
        )

    @cached_property
    def entries(self) -> pd.DataFrame:
        """Hours of the quarter by the record they were spent on."""
        return parts_of_the_week.hours_by_record(
            self.stays, self.recent, self.company.table("leads"), **self.logged
        )

    @cached_property
    def parts(self) -> pd.DataFrame:
        """Parts of the week that cut across the classes, such as hours on disqualified leads."""
        return parts_of_the_week.parts_of_week(self.stays, self.entries, **self._costs)

    @cached_property
    def burdens(self) -> pd.DataFrame:
        """Cost of what is not selling, largest first."""
        return time_use.week_burdens(self.stays, **self._costs)

    @cached_property
    def _costs(self) -> dict[str, Any]:
        return {
            **self.logged,
            "cost_of_hour": self.cost_measure("cost_per_available_hour"),
            "cost_of_selling_hour": self.hour,
        }

    @property
    def sentence(self) -> str:
        """Worth of one more hour beside what quotas assume, in one sentence."""
        return worth_of_an_hour.hour_sentence(
            self.basis, self.effect, required=self.required, cost_per_hour=self.hour, **self.margin
        )

    @property
    def bottleneck(self) -> str:
        """Largest burden of the week, in one sentence."""
        return time_use.largest_burden(
            self.burdens, self.company.quarter, currency=self.counted["currency"]
        )


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
        "come a sales cycle later. The cost holds commission too, which the margin has paid "
        "already: the comparison is on the safe side.",
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
    others = robustness.elasticity_estimators(selling.weeks, selling.effect)
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
        note=f"Published mean: {published:.2f}. {robustness.guards_sentence(selling.effect)} "
        f"{quarterly_bookings.bookings_sentence(selling.panel)}",
    )


def estimates_for_analysts(selling: SellingTime) -> list[Any]:
    """Figures corrected for capture, first stage, guards, and estimates made otherwise."""
    deals = selling.company.table("opportunities")
    cycle = quarterly_bookings.over_cycle(
        selling.weeks,
        selling.panel,
        deals.loc[deals["status"] == "won", "cycle_days"],
        selling.effect,
    )
    weekly = selling.cost_measure("selling_hours_per_week")
    figures = [selling.hour, selling.required, selling.worth, weekly]
    return [
        capture.corrected_figures(figures),
        selling.effect.first_stage,
        selling.effect.guards,
        robustness.slope_robustness(selling.weeks),
        robustness.leads_and_lags(selling.weeks),
        *robustness.dose_response(selling.weeks),
        cycle.terms,
        cycle.total,
        quarterly_bookings.lagged_sentence(cycle),
    ]


def groups_for_analysts(selling: SellingTime) -> list[Any]:
    """Shares of selling, talks, sources of opportunities, and hours and elasticity by group."""
    company, logged = selling.company, selling.logged
    staff = time_use.with_tenure(selling.stays, company.table("reps"), company.first_day)
    tenure = staff[["rep_id", "tenure"]].drop_duplicates("rep_id")
    by_tenure = selling.weeks._replace(rows=selling.weeks.rows.merge(tenure))
    groups = ["team_id", "role", "segment", "tenure"]
    return [
        time_use.selling_shares(selling.stays, **logged),
        time_use.one_to_one(selling.activities, company.table("attendees")),
        time_use.opportunity_sources(company.table("opportunities")),
        selling.parts,
        time_use.not_held(selling.activities),
        time_use.selling_by_group(staff, groups, **logged),
        time_use.selling_by_group(selling.panel, ["quarter"], **logged),
        robustness.by_group(selling.weeks, "segment"),
        robustness.by_group(by_tenure, "tenure"),
    ]
