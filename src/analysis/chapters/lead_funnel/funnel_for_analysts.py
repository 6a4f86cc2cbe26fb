"""What an analyst looks at beside the answer on leads: the funnel by quarter, hires by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.chapters.lead_funnel import cohorts, ramp
from analysis.chapters.lead_funnel.shown_table import shown_table
from analysis.chapters.lead_funnel.stages import STAGES
from analysis.stats.suppression import few_hidden

if TYPE_CHECKING:
    from analysis.chapters.lead_funnel.funnel_answer import FunnelAnswer
    from analysis.chapters.lead_funnel.ramp import Hires
    from analysis.tables.labelled_table import LabelledTable


def funnel_by_quarter(answer: FunnelAnswer) -> LabelledTable:
    """Return how far the leads of each quarter got: a row a quarter and stage."""
    counts = cohorts.funnel_counts(answer.funnel.rows, "cohort")
    return shown_table(
        counts.assign(stage=counts["stage"].map(STAGES).fillna(counts["stage"])),
        f"Leads by the quarter they came in and the stage they got to, to {answer.funnel.as_of}",
        {
            "group": ("text", "Came in"),
            "stage": ("text", "Stage"),
            "n_any": ("count", "Got there"),
            "n_all": ("count", "By every stage"),
            "of_before": ("percent", "Of the stage before"),
            "of_all": ("percent", "Of all"),
            "of_all_low": ("percent", "95% from"),
            "of_all_high": ("percent", "to"),
        },
        answer.source,
        note="Of the newest quarters many leads are still on their way.",
    )


def hires_by_year(answer: FunnelAnswer, hires: Hires, *, smallest: int) -> LabelledTable:
    """Return how soon hires of each year won a deal of their own: a row a year."""
    return shown_table(
        few_hidden(ramp.ramp_by_cohort(hires), smallest=smallest, keep=["cohort"]),
        f"Hires with a deal of their own, by the year they came, to {answer.funnel.as_of}",
        {
            "cohort": ("text", "Hired in"),
            "n_reps": ("count", "Hired"),
            "by_90": ("percent", "Within 90 days"),
            "by_180": ("percent", "Within 180 days"),
            "half_of_them": ("count", "Half of them by day"),
        },
        "reps, opportunities",
    )
