"""What analysts see of alignment beside the chapter.

How far it can be relied on, other weights, the company's type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.alignment import (
    chapter,
    index,
    reference,
    reliability,
    score_tiers,
    survey,
    weights,
)
from analysis.project.quarters import parse_quarter as named_quarter
from analysis.tables import vetting_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.chapters.alignment.chapter import Scored
    from analysis.project.settings import Settings

QUARTERS_IN_YEAR = 4
SPLIT_SEED, NEXT_SEED, TIER_SEED, WEIGHT_SEED, CORE_SEED = 7, 8, 9, 10, 11


def reliability_table(
    tables: Mapping[str, pd.DataFrame], scored: Scored, quarter: str, *, house: Settings
) -> pd.DataFrame:  # fmt: skip
    """Return how far index and survey can be relied on.

    One row a measure, the split half of the evidence first.

    Columns: those of `reliability.COLUMNS`.  The survey's are of the quarter reported.
    """
    halves = [
        chapter.practice_evidence(tables, quarter, house=house, profile="full", half=half)
        for half in ("odd", "even")
    ]
    answers = survey.in_rounds(tables["survey_answers"], tables["quarters"])
    people = survey.survey_responses(answers[answers["quarter"] == quarter])
    several = [
        reliability.split_half(*halves, rng=np.random.default_rng(SPLIT_SEED)),
        reliability.quarter_to_quarter(scored.scores, rng=np.random.default_rng(NEXT_SEED)),
        reliability.of_survey(people),
        reliability.agreement_table(people),
    ]
    return pd.DataFrame(
        [row for each in several for row in each.to_dict("records")], columns=reliability.COLUMNS
    )


def alignment_tables(
    clean_tables: Mapping[str, pd.DataFrame],
    scored: Scored,
    quarter: str,
    *,
    house: Settings,
    split_half: float,
) -> dict[str, pd.DataFrame]:
    """Return the tables of analysts by what they show.

    Parameters
    ----------
    clean_tables : clean tables and panel ``quarters`` by name
    scored : what `chapter.score_alignment` returns
    quarter : the one reported
    house : the dataset's settings
    split_half : reliability of the evidence, whose consequences for tiers are shown where it is
        above 0
    """
    evidence_rows, rng = scored.evidence, np.random.default_rng(WEIGHT_SEED)
    core = chapter.practice_evidence(clean_tables, quarter, house=house, profile="core")
    by_core = index.index_scores(
        core, clean_tables["quarters"], rng=np.random.default_rng(CORE_SEED), items="core"
    )
    values = reference.archetype_values(clean_tables, quarter)
    return {
        "what the reliability does to 20/50/30 tiers [0-1]": tier_consequence_table(split_half),
        "20/50/30, cut a year before": by_norm(scored.scores, quarter),
        "practices not observed": chapter.unobserved_items(
            evidence_rows, quarter, items=scored.profile
        ),
        "other weights": weights.weight_sensitivity(
            evidence_rows, quarter, rng=rng, items=scored.profile
        ),
        "index by the core profile": by_core[by_core["quarter"] == quarter],
        "what both sides say [1-5]": scored.sides[scored.sides["quarter"] == quarter],
        "the survey": survey.survey_questions("sales"),
        "steps": reference.maturity_steps(evidence_rows).query("quarter == @quarter"),
        "type of company, share of its rules met [0-1]": reference.classify_archetypes(
            values.to_frame().T
        ),
        "rules of the types": reference.explain_archetype(values),
        "questions to a request": vetting_form.vetting_form(for_leader=False),
    }


def tier_consequence_table(split_half: float) -> pd.DataFrame:
    """Return what this reliability means for 20/50/30 tiers, one row.

    Where the reliability is not above 0, the row says why there are no figures.
    """
    if not 0 < split_half <= 1:
        return pd.DataFrame(
            {"cannot be told": [f"the reliability of the evidence is {split_half:.2f}"]}
        )
    return pd.DataFrame(
        [reliability.tier_consequences(split_half, rng=np.random.default_rng(TIER_SEED))]
    )


def by_norm(scores: pd.DataFrame, quarter: str) -> pd.DataFrame:
    """Return how many teams are best in class, average and laggard by the cuts of the same quarter
    a year before.

    Columns: ``tier``, ``n_teams``, ``low`` and ``high`` cut [points of 100]; under 30 teams, one
    row that says why not.
    """
    before = str(named_quarter(quarter).shifted(-QUARTERS_IN_YEAR))
    try:
        cuts = score_tiers.norm_cuts(scores.loc[scores["quarter"] == before, "index"])
    except ValueError as error:
        return pd.DataFrame({"cannot be told": [f"{before}: {error}"]})
    now = score_tiers.by_cut(scores.loc[scores["quarter"] == quarter, "index"], **cuts._asdict())
    counts = now.value_counts().reindex(list(score_tiers.NORM_NAMES), fill_value=0)
    return counts.rename_axis("tier").reset_index(name="n_teams").assign(**cuts._asdict())
