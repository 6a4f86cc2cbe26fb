"""The chapter on growth and alignment: what the notebook shows, each thing from one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.chapters.alignment import alignment_for_analysts, items, reference, weights
from analysis.chapters.alignment import chapter as alignment
from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.chapters.growth import assessment, growth_answer, growth_for_analysts, specification
from analysis.store import manifest, processed
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    import pandas as pd

    from analysis.chapters.alignment.chapter import Scored
    from analysis.chapters.growth.assessment import AssessmentTables
    from analysis.chapters.growth.growth_answer import GrowthAnswer
    from analysis.stats.result import Result
    from analysis.store.company import Company

TABLES = (
    "team_quarter", "rep_quarter", "programme", "quarantine", "opportunities", "survey_answers",
)  # fmt: skip
INTERVAL = {"low": ("number1", "95% from"), "high": ("number1", "to")}
MOST_PRACTICES = 6
NOT_OF_ONE_TEAM = "Growth is found by comparing teams, and one team has nothing beside it."
DIMENSIONS_SEED = 9


class AlignedGrowth(NamedTuple):
    """Growth of teams that joined, and alignment of all, as of the quarter reported.

    `tables` are those of the company by name, `as_of` what an assessment takes of them;
    `company_index` is the alignment index of the whole company.
    """

    company: Company
    tables: dict[str, pd.DataFrame]
    as_of: AssessmentTables
    growth: GrowthAnswer
    scored: Scored
    company_index: Result

    @property
    def source(self) -> str:
        """Tables and quarter that the growth estimate comes from."""
        return f"team_quarter, programme, up to {self.company.quarter}"


def aligned_growth(company: Company) -> AlignedGrowth:
    """Estimate what joining did, and score every team's alignment."""
    company.require_whole(NOT_OF_ONE_TEAM)
    quarter, house = company.quarter, company.settings
    tables = {name: company.table(name) for name in sorted({*TABLES, *alignment.TABLES})}
    as_of = assessment.tables_as_of(
        tables, quarter, fiscal_year_start_month=house.company.fiscal_year_start_month
    )
    scored = alignment.score_alignment(
        tables, quarter, house=house, last_day=company.audit["as_of"]
    )
    growth = growth_answer.answer_growth(
        as_of,
        quarter,
        own_specification=processed.own_text(company.dataset, specification.OWN_FILE),
        looks=manifest.earlier_looks(company.dataset, "growth_gap", before=quarter),
    )
    index = alignment.company_index(scored.aligned, quarter)
    return AlignedGrowth(company, tables, as_of, growth, scored, index)


def growth_by_tier(
    joining: AlignedGrowth, *, aligned_above: float, laggard_below: float
) -> LabelledTable:
    """Growth of the year by the index of the year before: one row a tier."""
    groups, gap = growth_answer.by_tier(
        joining.as_of.team_quarter,
        joining.scored.scores,
        joining.company.quarter,
        low=laggard_below,
        high=aligned_above,
    )
    return LabelledTable(
        groups,
        f"Growth of bookings in the year to {joining.company.quarter}, by the alignment index of "
        "the year before [percent]",
        {
            "tier": ("text", "Teams"),
            "n_teams": ("count", "n"),
            "growth": ("number1", "Growth"),
            **INTERVAL,
        },
        "team_quarter, alignment index",
        note=growth_answer.gap_sentence(gap),
    )


def points_by_dimension(joining: AlignedGrowth) -> LabelledTable:
    """Points of alignment, and the practices kept best and least: one row a dimension."""
    parts = alignment.by_dimension(
        joining.scored.evidence,
        joining.company.quarter,
        rng=np.random.default_rng(DIMENSIONS_SEED),
        items=joining.scored.profile,
    )
    return LabelledTable(
        parts.drop(columns=["dimension", "coverage"]),
        f"Points of alignment by dimension, evidence alone, n = {joining.company_index.n} teams, "
        f"{joining.company.quarter}",
        {
            "label": ("text", "Dimension"),
            "points": ("number1", "Points"),
            "possible": ("number1", "Of"),
            **INTERVAL,
            "best": ("text", "Kept best"),
            "weakest": ("text", "Kept least"),
        },
        "alignment evidence",
        note="A dash: nothing of the dimension could be observed.",
    )


def effect_path(joining: AlignedGrowth) -> LabelledTable:
    """Bookings of adopters against the others, before and since the start: one row a quarter."""
    return LabelledTable(
        growth_answer.effect_path(joining.growth),
        f"95% band over all quarters together, n = {joining.growth.growth_gap.n} teams, up to "
        f"{joining.company.quarter}. {growth_answer.vendor_line()}.",
        {
            "event_time": ("count", "Quarters since the start"),
            "estimate": ("number1", "Bookings, percent"),
            **INTERVAL,
            "n_teams": ("count", "Teams"),
        },
        joining.source,
    )


def practices_to_change(joining: AlignedGrowth) -> LabelledTable:
    """Practice that would move each team's index most, and the hours in play: one row a team."""
    house, quarter = joining.company.settings, joining.company.quarter
    stays = joining.tables["rep_quarter"]
    now = stays[stays["quarter"] == quarter]
    hour = cost.estimate_cost(
        now,
        "cost_per_available_hour",
        minimum_logged_share=house.hours.minimum_logged_share,
        currency=house.company.currency,
        smallest_cell=house.people.smallest_cell,
    )
    gains = weights.practice_gains(joining.scored.evidence, quarter, items=joining.scored.profile)
    first = weights.hours_in_play(
        weights.next_practice(gains),
        now,
        joining.tables["teams"],
        cost_of_hour=answerability.hide_withheld(hour, joining.company.audit),
        smallest_cell=house.people.smallest_cell,
    )
    return LabelledTable(
        first.head(MOST_PRACTICES),
        f"Practices to change first, and the hours they could free at most, {quarter}",
        {
            "team": ("text", "Team"),
            "n_reps": ("count", "Reps"),
            "practice": ("text", "Practice"),
            "today": ("percent0", "Today"),
            "target": ("percent0", "Best quarter"),
            "gain": ("number1", "Points"),
            "hours": ("count", "Hours a quarter, at most"),
            "amount": ("money", "At cost, at most"),
        },
        "alignment evidence, rep_quarter",
        note="Hours are a maximum, not a forecast: the practice's share of the hours its dimension "
        "is there to spare, times the gap.",
    )


def steps_of_teams(joining: AlignedGrowth) -> LabelledTable:
    """How many teams have done each of the four steps to alignment: one row a step."""
    labels = {item.id: item.label for item in items.ITEMS}
    quarter = joining.company.quarter
    steps = reference.maturity_steps(joining.scored.evidence)
    return LabelledTable(
        reference.steps_of_company(steps, quarter, labels),
        f"Four steps to working as one, and the teams that have done them, {quarter}",
        {
            "step": ("text", "Step"),
            "ends_when": ("text", "Done when"),
            "n_done": ("count", "Teams that have"),
            "n_teams": ("count", "Of"),
        },
        "alignment evidence",
        note="A step counts only with the steps before it. A practice that nobody could observe "
        "ends no step.",
    )


def checks_of_answer(joining: AlignedGrowth) -> LabelledTable:
    """What could speak against the answer, and whether it does: one row a check."""
    return LabelledTable(
        growth_answer.checks_of_answer(joining.growth),
        "What could speak against the answer",
        {
            "check": ("text", "Check"),
            "speaks": ("text", "Speaks against"),
            "says": ("text", "What was seen"),
            "would": ("text", "Would have shown"),
        },
        joining.source,
        note=joining.growth.needs(),
    )


def sorting_contrast(quarter: str) -> LabelledTable:
    """Published growth of groups beside what sorting alone makes: one row a group."""
    return LabelledTable(
        growth_answer.sorting_contrast(),
        "Published: Aberdeen Group 2010, as quoted, n = 453 companies, grade D; not of "
        f"{quarter}. Sorted: normal growth, no effect at all.",
        {
            "label": ("text", "Group"),
            "published": ("number1", "Published, percent"),
            "by_sorting": ("number1", "Sorting alone, percent"),
        },
        "claims; computed",
    )


def tables_for_analysts(
    joining: AlignedGrowth, *, aligned_above: float, laggard_below: float
) -> list[pd.DataFrame]:
    """Reliability, other estimators and dates, weights, the index and its items, each captioned."""
    quarter, house = joining.company.quarter, joining.company.settings
    reliable = alignment_for_analysts.reliability_table(
        joining.tables, joining.scored, quarter, house=house
    )
    split_half = reliable["value"].iloc[0]
    of_growth = growth_for_analysts.growth_tables(
        joining.growth,
        joining.as_of.team_quarter,
        joining.scored.scores,
        quarter,
        reliability=split_half,
        low=laggard_below,
        high=aligned_above,
    )
    of_alignment = alignment_for_analysts.alignment_tables(
        joining.tables, joining.scored, quarter, house=house, split_half=split_half
    )
    return [
        reliable,
        *growth_for_analysts.captioned_tables(of_growth),
        *growth_for_analysts.captioned_tables(of_alignment),
    ]
