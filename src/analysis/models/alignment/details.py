"""What analysts see of alignment beside the chapter: how far it can be relied on, other weights, the company's type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models.alignment import (
    archetype_values,
    archetypes,
    bands,
    chapter,
    headline,
    index,
    maturity,
    reliability,
    survey,
    vetting,
    weights,
)
from analysis.quarters import quarter as named_quarter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.models.alignment.chapter import Scored
    from analysis.settings import Settings

QUARTERS_IN_YEAR = 4
SPLIT_SEED, NEXT_SEED, TIER_SEED, WEIGHT_SEED, CORE_SEED = 7, 8, 9, 10, 11


def reliabilities(
    tables: Mapping[str, pd.DataFrame], scored: Scored, quarter: str, *, house: Settings
) -> pd.DataFrame:  # fmt: skip
    """Return how far index and survey can be relied on: one row a measure, the split half of the evidence first.

    Columns: those of `reliability.COLUMNS`.  The survey's are of the quarter reported.
    """
    halves = [chapter.practices(tables, quarter, house=house, profile="full", half=half) for half in ("odd", "even")]
    answers = survey.in_rounds(tables["survey_answers"], tables["quarters"])
    people = survey.responses(answers[answers["quarter"] == quarter])
    several = [
        reliability.split_half(*halves, rng=np.random.default_rng(SPLIT_SEED)),
        reliability.quarter_to_quarter(scored.scores, rng=np.random.default_rng(NEXT_SEED)),
        reliability.of_survey(people),
        reliability.agreement_table(people),
    ]
    return pd.DataFrame([row for each in several for row in each.to_dict("records")], columns=reliability.COLUMNS)


def tables(
    held: Mapping[str, pd.DataFrame], scored: Scored, quarter: str, *, house: Settings, split_half: float
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Return the tables of analysts by what they show.

    Parameters
    ----------
    held : clean tables and panel ``quarters`` by name
    scored : what `chapter.scored` returns
    quarter : the one reported
    house : the dataset's settings
    split_half : reliability of the evidence, whose consequences for tiers are shown where it is above 0
    """
    seen, rng = scored.evidence, np.random.default_rng(WEIGHT_SEED)
    core = chapter.practices(held, quarter, house=house, profile="core")
    by_core = index.scores(core, held["quarters"], rng=np.random.default_rng(CORE_SEED), items="core")
    values = archetype_values.values(held, quarter)
    return {
        "what the reliability does to 20/50/30 tiers [0-1]": consequences(split_half),
        "20/50/30, cut a year before": by_norm(scored.scores, quarter),
        "practices not observed": headline.unobserved(seen, quarter, items=scored.profile),
        "other weights": weights.sensitivity(seen, quarter, rng=rng, items=scored.profile),
        "index by the core profile": by_core[by_core["quarter"] == quarter],
        "what both sides say [1-5]": scored.sides[scored.sides["quarter"] == quarter],
        "the survey": survey.questions("sales"),
        "steps": maturity.reached(seen).query("quarter == @quarter"),
        "type of company, share of its rules met [0-1]": archetypes.classify(values.to_frame().T),
        "rules of the types": archetypes.explained(values),
        "questions to a request": vetting.form(for_leader=False),
    }


def consequences(split_half: float) -> pd.DataFrame:
    """Return what a reliability does to 20/50/30 tiers, one row; one that says why where it is not above 0."""
    if not 0 < split_half <= 1:
        return pd.DataFrame({"cannot be told": [f"the reliability of the evidence is {split_half:.2f}"]})
    return pd.DataFrame([reliability.tier_consequences(split_half, rng=np.random.default_rng(TIER_SEED))])


def by_norm(scores: pd.DataFrame, quarter: str) -> pd.DataFrame:
    """Return how many teams are best in class, average and laggard by the cuts of the same quarter a year before.

    Columns: ``tier``, ``n_teams``, ``low`` and ``high`` cut [points of 100]; under 30 teams, one row that says why not.
    """
    before = str(named_quarter(quarter).shifted(-QUARTERS_IN_YEAR))
    try:
        cuts = bands.norm_cuts(scores.loc[scores["quarter"] == before, "index"])
    except ValueError as error:
        return pd.DataFrame({"cannot be told": [f"{before}: {error}"]})
    now = bands.by_cut(scores.loc[scores["quarter"] == quarter, "index"], **cuts._asdict())
    counts = now.value_counts().reindex(list(bands.NORM_NAMES), fill_value=0)
    return counts.rename_axis("tier").reset_index(name="n_teams").assign(**cuts._asdict())
