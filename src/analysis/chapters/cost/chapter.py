"""The chapter on the cost of an hour: what the notebook shows, each thing from one call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.chapters.cost import (
    attainability,
    capture_range,
    cost,
    cost_breakdown,
    cost_target,
    worked_example,
)
from analysis.project import money
from analysis.stats.joint_suppression import Cell, cells_to_hide
from analysis.stats.suppression import (
    HIDDEN,
    MARK_COLUMN,
    few_apart,
    few_hidden,
    suppress_cells,
)
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.chapters.cost.capture_range import CaptureRange
    from analysis.stats.result import Result, Verdict
    from analysis.store.company import Company

HEADLINES = (
    "cost_per_selling_hour",
    "required_bookings_per_selling_hour",
    "selling_hours_per_week",
)
BY_GROUP = {
    "n_reps": ("count", "Reps"),
    "estimate": ("money2", "Estimate"),
    "low": ("money2", "Between reps, from"),
    "high": ("money2", "to"),
}


@dataclass(frozen=True)
class QuarterCosts:
    """What an hour of selling costs and must bring in the quarter reported.

    `stays` is panel ``rep_quarter`` of the quarter; `by_definition` has a row a definition of
    selling, values of too few reps missing; `captured` says how much of selling is recorded;
    `change` is that of the hour's cost since the quarter before, paired by rep, None without one.
    """

    company: Company
    stays: pd.DataFrame
    hour: Result
    required: Result
    weekly: Result
    by_definition: pd.DataFrame
    captured: CaptureRange
    change: Result | None

    @cached_property
    def hidden(self) -> set[Cell]:
        """Cells whose cost the tables of all cuts, taken together, must hide."""
        return _hidden_costs(self.company, self.stays)

    @property
    def basis(self) -> dict[str, Any]:
        """Share of days that must be logged for a rep to count, and the currency."""
        return _basis(self.company)

    @property
    def source(self) -> str:
        """Panel and quarter that the figures come from."""
        return f"rep_quarter, {self.company.quarter}"

    @property
    def sentence(self) -> str:
        """Cost of a recorded hour with its step since the last quarter, and of an hour sold."""
        currency = self.company.settings.company.currency
        before = str(self.company.period.shifted(-1))
        return cost.hour_cost_sentence(
            self.by_definition,
            self.company.quarter,
            currency=currency,
            step=cost.step_since(self.change, before, currency=currency),
            capture=self.sold_sentence,
        )

    @property
    def word(self) -> str:
        """Whether the cost went up, down or stayed steady; "" where nothing can be compared."""
        return cost.change_word(self.change)

    @property
    def sold_sentence(self) -> str:
        """What an hour truly sold cost, measured or assumed, in one sentence."""
        return capture_range.capture_sentence(
            self.hour, self.captured, currency=self.company.settings.company.currency
        )

    @property
    def judgement(self) -> str:
        """Whether the cost of an hour is good: above or below the target, where one is set."""
        key_metrics = self.company.settings.key_metrics
        watched = next((m for m in key_metrics if m.name == self.hour.name), None)
        return cost_target.judge_cost(
            self.hour, watched, currency=self.company.settings.company.currency
        )

    @property
    def verdict(self) -> Verdict:
        """Whether the sentence states a figure."""
        return cost.hour_cost_verdict(self.by_definition)


def _basis(company: Company) -> dict[str, Any]:
    house = company.settings
    return {
        "minimum_logged_share": house.hours.minimum_logged_share,
        "currency": house.company.currency,
    }


def _change_of_cost(company: Company, stays: pd.DataFrame) -> Result | None:
    panel = company.table("rep_quarter")
    before = panel[panel["quarter"] == str(company.period.shifted(-1))]
    if before.empty or stays.empty:
        return None
    if before["is_partial"].astype(bool).any() or stays["is_partial"].astype(bool).any():
        return None  # a part of a quarter is never compared with another
    smallest = company.settings.people.smallest_cell
    return cost.paired_change(before, stays, smallest_cell=smallest, **_basis(company))


def quarter_costs(company: Company) -> QuarterCosts:
    """Cost, requirement and hours of the quarter, of all reps who count."""
    stays, basis = company.rows_of_quarter("rep_quarter"), _basis(company)
    smallest = company.settings.people.smallest_cell
    hour, required, weekly = (
        cost.estimate_cost(stays, measure, smallest_cell=smallest, **basis) for measure in HEADLINES
    )
    definitions = cost.by_definition(stays, **basis)
    return QuarterCosts(
        company,
        stays,
        hour,
        required,
        weekly,
        few_hidden(definitions, smallest=smallest, keep=["label"]),
        capture_range.capture_range(
            company.table("observed_days"), company.quarter, company.settings.hours
        ),
        _change_of_cost(company, stays),
    )


def sold_hour_cost(costs: QuarterCosts) -> Result:
    """Cost of an hour truly sold: by the time study, or the ends of the assumption."""
    return capture_range.sold_hour_cost(costs.hour, costs.captured)


def unclassified_hours(costs: QuarterCosts) -> Result:
    """Share of logged hours that match no class of activity."""
    return cost_breakdown.unclassified_hours(
        costs.stays, minimum_logged_share=costs.basis["minimum_logged_share"]
    )


def cost_measures(costs: QuarterCosts) -> LabelledTable:
    """Cost and required bookings by denominator (an hour, a week and so on): one row a measure."""
    smallest = costs.company.settings.people.smallest_cell
    rows = cost_breakdown.cost_measures(costs.stays, **costs.basis)
    table = few_hidden(rows, smallest=smallest, keep=["measure", "unit", "left_out"])
    is_pay = rows["measure"].str.startswith("cost ")
    near = is_pay & few_apart(rows["n_reps"], smallest=smallest)
    return LabelledTable(
        _without(table, near, ["estimate", "low", "high"]),
        f"What an hour costs and must bring, by what it is divided by, {costs.company.quarter}",
        {
            "measure": ("text", "Measure"),
            "estimate": ("number2", "Estimate"),
            "low": ("number2", "Between reps, from"),
            "high": ("number2", "to"),
            "unit": ("text", "Unit"),
            "n_reps": ("count", "Reps"),
            "left_out": ("text", "Left out"),
        },
        costs.source,
        note=cost.fringe_note(costs.stays),
    )


def _without(table: pd.DataFrame, rows: Iterable[bool], columns: list[str]) -> pd.DataFrame:
    """Return the table without the figures of some rows, which are marked as hidden."""
    is_hidden = pd.Series(list(rows), table.index)
    emptied = {name: table[name].mask(is_hidden) for name in columns}
    marks = table[MARK_COLUMN].mask(is_hidden & (table[MARK_COLUMN] == ""), HIDDEN)
    return table.assign(**emptied, **{MARK_COLUMN: marks})


def cost_by_definition(costs: QuarterCosts) -> LabelledTable:
    """Cost of an hour under each definition of selling: one row a definition."""
    currency = costs.company.settings.company.currency
    columns = {"label": ("text", "definition of selling"), **BY_GROUP}
    return LabelledTable(
        costs.by_definition[[*columns, MARK_COLUMN]],
        f"Estimate and spread between reps (95%), n = {costs.hour.n} reps, {costs.company.quarter}."
        f"{worked_example.reference_note(currency)}",
        columns,
        costs.source,
    )


OF_OTHER_REPS = {
    "hours": "selling_hours_per_week",
    "required": "required_bookings_per_selling_hour",
}  # columns of the table of teams that count other reps than the cost does
PUBLISHED_BY = ("team_id", "segment", "region")  # of one quarter, beside its total
BESIDE_QUARTERS = (-1, -4, -2, -3)  # those a report compares with first, then those between


def _hidden_elsewhere(
    costs: QuarterCosts, cuts: Iterable[str], values: Iterable[object]
) -> list[bool]:
    """Return which cells the tables of all cuts, taken together, must hide."""
    return [Cell(*each) in costs.hidden for each in zip(cuts, values, strict=True)]


def _hidden_costs(company: Company, stays: pd.DataFrame) -> set[Cell]:
    """Return the cells whose cost would give away a few's pay, or that of who came or left.

    Reports show a quarter beside the one before and the same of a year before, and who keeps
    reports has those between.
    """
    panel, basis = company.table("rep_quarter"), _basis(company)
    earlier = (
        panel[panel["quarter"] == str(company.period.shifted(shift))] for shift in BESIDE_QUARTERS
    )
    people, *before = (
        _paid_people(rows, minimum_logged_share=basis["minimum_logged_share"])
        for rows in (stays, *earlier)
    )
    return cells_to_hide(
        people,
        PUBLISHED_BY,
        smallest=company.settings.people.smallest_cell,
        earlier=[rows for rows in before if len(rows)] if len(people) else (),
    )


def _paid_people(stays: pd.DataFrame, *, minimum_logged_share: float) -> pd.DataFrame:
    """Return the stays whose cost is counted: ``person``, ``amount`` a week, how many weeks of it
    count, and their groups.
    """
    counted = cost.counted_stays(
        _with_every_group(stays), minimum_logged_share=minimum_logged_share
    )
    counted = counted[counted["weeks_employed"] > 0]
    return counted.assign(
        person=counted["rep_id"].astype(str) + " " + counted["team_id"].astype(str),
        amount=cost.fully_loaded_cost(counted) / counted["weeks_employed"],
        weight=counted["weeks_employed"] * counted["logged_share"],
    ).drop_duplicates("person")[["person", "amount", "weight", *PUBLISHED_BY]]


def teams_of_hidden_cost(company: Company, stays: pd.DataFrame) -> set[str]:
    """Teams whose cost the table of teams hides, so that a pack shows no more than it."""
    hidden = _hidden_costs(company, stays)
    return {str(cell.value) for cell in hidden if cell.cut == "team_id"}


def hidden_teams(company: Company, stays: pd.DataFrame) -> set[str]:
    """Teams whose figures would give away those of a few of the people in `stays`."""
    return set(map(str, _hidden_values(company, stays, "team_id")))


def _hidden_values(company: Company, stays: pd.DataFrame, cut: str) -> set[object]:
    people = _with_every_group(stays).drop_duplicates(["rep_id", *PUBLISHED_BY])
    hidden = cells_to_hide(people, PUBLISHED_BY, smallest=company.settings.people.smallest_cell)
    return {cell.value for cell in hidden if cell.cut == cut}


def _with_every_group(stays: pd.DataFrame) -> pd.DataFrame:
    """Return `stays` with a name for the group of those whose segment or region nobody wrote."""
    cuts = ("segment", "region")
    return stays.assign(
        **{cut: stays[cut].astype(object).where(stays[cut].notna(), f"no {cut}") for cut in cuts}
    )


def cost_by_segment(costs: QuarterCosts) -> LabelledTable:
    """Cost of an hour by segment and region: one row a group; no row where neither is recorded."""
    groups = cost_breakdown.by_groups(
        _with_every_group(costs.stays), ["segment", "region"], **costs.basis
    )
    is_alone = groups.groupby("by")["group"].transform("size").eq(1)
    groups = groups[~(is_alone & groups["group"].eq("no " + groups["by"]))]
    smallest = costs.company.settings.people.smallest_cell
    also = _hidden_elsewhere(costs, groups["by"], groups["group"])
    return LabelledTable(
        suppress_cells(groups, smallest=smallest, keep=["group", "by"], within=["by"], also=also),
        f"Estimate and spread between reps (95%), n = {costs.hour.n} reps, "
        f"{costs.company.quarter}; narrow definition of selling. A difference, not an effect of "
        "segment or region.",
        {"group": ("text", "Group"), "by": ("text", "By"), **BY_GROUP},
        costs.source,
    )


def cost_by_team(costs: QuarterCosts) -> LabelledTable:
    """Cost and requirement of an hour by team: one row a team."""
    smallest = costs.company.settings.people.smallest_cell
    teams = cost_breakdown.by_team(costs.stays, costs.company.table("teams"), **costs.basis)
    also = _hidden_elsewhere(costs, ["team_id"] * len(teams), teams["team_id"])
    for column, measure in OF_OTHER_REPS.items():  # a row's n is of those whose cost is counted
        reasons = cost.left_out(
            costs.stays, measure, minimum_logged_share=costs.basis["minimum_logged_share"]
        )
        few = hidden_teams(costs.company, costs.stays[reasons == ""])
        teams[column] = teams[column].mask(teams["team_id"].astype(str).isin(few))
    return LabelledTable(
        suppress_cells(teams.drop(columns="team_id"), smallest=smallest, keep=["team"], also=also),
        f"Cost and required bookings per recorded selling hour by team, {costs.company.quarter}",
        {
            "team": ("text", "Team"),
            "n_reps": ("count", "Reps"),
            "hours": ("hours", "Sold a week"),
            "cost": ("money", "Cost per selling hour"),
            "low": ("money", "Between reps, from"),
            "high": ("money", "to"),
            "required": ("money", "Must bring per hour"),
        },
        costs.source,
        note=f"Teams of fewer than {smallest} reps are not shown, nor those that would reveal "
        "them.",
    )


def week_by_class(costs: QuarterCosts) -> LabelledTable:
    """Hours of a logged week by class of activity: one row a segment."""
    house = costs.company.settings
    classes = cost_breakdown.week_by_class(
        _with_every_group(costs.stays),
        "segment",
        minimum_logged_share=house.hours.minimum_logged_share,
    )
    if classes["segment"].tolist() == ["no segment"]:
        classes["segment"] = "all reps"
    elsewhere = _hidden_elsewhere(costs, ["segment"] * len(classes), classes["segment"])
    logged = costs.stays[costs.stays["logged_share"] >= house.hours.minimum_logged_share]
    few = _hidden_values(costs.company, logged, "segment")  # hours count reps without pay too
    week = suppress_cells(
        classes,
        smallest=house.people.smallest_cell,
        keep=["segment"],
        also=[a or b for a, b in zip(elsewhere, classes["segment"].isin(few), strict=True)],
    )
    kinds = {"segment": "text", "n_reps": "count"}
    return LabelledTable(
        week,
        f"Hours per rep and logged week, n = {costs.stays['rep_id'].nunique()} reps, "
        f"{costs.company.quarter}. Classes by the analyst's table in alignment.toml.",
        {
            name: (kinds.get(name, "hours2"), name.replace("_", " ").capitalize())
            for name in week.columns
            if name != MARK_COLUMN
        },
        f"activities, {costs.company.quarter}",
    )


def quota_chances(costs: QuarterCosts) -> attainability.Attainability:
    """Chance of each rep to make quota, from the quarters before."""
    house, panel = costs.company.settings, costs.company.table("rep_quarter")
    return attainability.quota_attainability(
        panel,
        attainability.with_segment(costs.company.table("opportunities"), panel),
        quarter=costs.company.quarter,
        minimum_logged_share=house.hours.minimum_logged_share,
        fiscal_year_start_month=house.company.fiscal_year_start_month,
    )


def chances_given(costs: QuarterCosts, chances: attainability.Attainability) -> LabelledTable:
    """Forecast chances beside the share of quotas made: one row a tenth of the forecast chance."""
    smallest = costs.company.settings.people.smallest_cell
    return LabelledTable(
        suppress_cells(chances.calibration, smallest=smallest, keep=["bin"]),
        "Reps in tenths of the chance given, 95% intervals, "
        f"n = {chances.share_out_of_reach.n} reps, {costs.company.quarter}. On the dashed line "
        "chances came true.",
        {
            "bin": ("text", "Bin"),
            "n_reps": ("count", "Reps"),
            "predicted": ("percent", "Predicted"),
            "observed": ("percent", "Observed"),
            "low": ("percent", "95% from"),
            "high": ("percent", "to"),
        },
        f"rep_quarter, opportunities, {costs.company.quarter}",
    )


def _reps_there_are(costs: QuarterCosts, n_reps: int) -> int:
    """Return how many reps an ask can reach: no more than those whose hour is costed, else than
    those who have a stay in the quarter.
    """
    there_are = costs.hour.n if costs.hour.is_known else costs.stays["rep_id"].nunique()
    return min(n_reps, there_are)


def ask_cost(costs: QuarterCosts, *, minutes: float, n_reps: int) -> LabelledTable:
    """Cost of an ask of `minutes` to `n_reps`, and the bookings it forgoes: one row a basis."""
    n_reps = _reps_there_are(costs, n_reps)
    example = worked_example.rebuild_example()
    as_published = cost.marketing_ask(minutes, n_reps, example, costs.required)
    amount = money.amount_text(float(as_published["estimate"].iloc[0]), "USD")
    return LabelledTable(
        cost.marketing_ask(minutes, n_reps, costs.hour, costs.required),
        f"An ask of {minutes:g} minutes to {n_reps} reps, {costs.company.quarter}",
        {
            "basis": ("text", "Basis"),
            "estimate": ("money", "Estimate"),
            "low": ("money", "Between reps, from"),
            "high": ("money", "to"),
        },
        costs.source,
        note=f"In the article's example the same ask costs {amount}.",
    )


def ask_sentence(costs: QuarterCosts, *, minutes: float, n_reps: int) -> str:
    """Say in one sentence what the ask costs."""
    n_reps = _reps_there_are(costs, n_reps)
    return cost.ask_sentence(
        cost.marketing_ask(minutes, n_reps, costs.hour, costs.required),
        minutes,
        n_reps,
        currency=costs.company.settings.company.currency,
    )


def articles_figures() -> LabelledTable:
    """Cost and requirement in the article over hours and weeks assumed: one row an assumption."""
    example = worked_example.rebuild_example()
    return LabelledTable(
        worked_example.sensitivity_table(),
        "The article's figures over hours and weeks assumed",
        {
            "weeks_per_year": ("count", "Weeks"),
            "hours_per_week": ("count", "Hours a week"),
            "cost_per_selling_hour": ("money2", "Cost per hour"),
            "required_bookings_per_selling_hour": ("money2", "Must bring per hour"),
        },
        example.source,
        note=example.method,
        currency="USD",
    )


def cost_under_other_assumptions(costs: QuarterCosts) -> LabelledTable:
    """Cost of an hour, one assumption changed at a time: one row an assumption that matters."""
    rows, same = cost_breakdown.assumptions_that_matter(
        cost_breakdown.cost_sensitivity(costs.stays, **costs.basis)
    )
    smallest = costs.company.settings.people.smallest_cell
    table = few_hidden(rows, smallest=smallest, keep=["assumption"])
    near = few_apart(rows["n_reps"], smallest=smallest)
    return LabelledTable(
        _without(table, near, ["estimate", "low", "high", "change"]),
        f"Cost of an hour of selling under other assumptions, {costs.company.quarter}",
        {
            "assumption": ("text", "Assumption"),
            "n_reps": ("count", "Reps"),
            "estimate": ("money2", "Per hour"),
            "low": ("money2", "Between reps, from"),
            "high": ("money2", "to"),
            "change": ("percent", "Change"),
        },
        costs.source,
        note=f"Without any effect: {'; '.join(same)}." if same else "",
    )
