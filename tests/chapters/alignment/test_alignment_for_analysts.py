"""What analysts see of alignment beside the chapter, on the tiny company and by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.alignment import alignment_for_analysts, chapter, reference, reliability
from analysis.project import settings
from analysis.store import processed

QUARTER = "2026Q2"


def scores(n: int) -> pd.DataFrame:
    """Return `n` teams on 1 to n in 2025Q2, and 10 points higher a year later."""
    return pd.DataFrame(
        {
            "team_id": [f"T{i}" for i in range(n)] * 2,
            "quarter": ["2025Q2"] * n + [QUARTER] * n,
            "index": [*np.arange(1.0, n + 1), *np.arange(11.0, n + 11)],
        }
    )


def test_teams_that_all_improve_are_no_longer_laggards_by_last_years_cuts():
    """Cuts of 1 to 30 are 9 and 24; of 11 to 40 sixteen are above 24 and none is up to 9."""
    got = alignment_for_analysts.by_norm(scores(30), QUARTER).set_index("tier")
    assert got["n_teams"].to_dict() == {"best in class": 16, "average": 14, "laggard": 0}
    assert got[["low", "high"]].iloc[0].tolist() == [9.0, 24.0]


def test_under_thirty_teams_there_is_no_20_50_30_and_it_says_why():
    (why,) = alignment_for_analysts.by_norm(scores(29), QUARTER)["cannot be told"]
    assert why.startswith("2025Q2: 20/50/30 needs 30 units with a score, got 29")


@pytest.mark.parametrize("value", [math.nan, 0.0, -0.3])
def test_a_reliability_that_is_not_above_0_has_no_consequences(value):
    assert alignment_for_analysts.tier_consequence_table(value).columns.tolist() == [
        "cannot be told"
    ]


def test_a_perfect_reliability_puts_every_team_in_its_tier():
    got = alignment_for_analysts.tier_consequence_table(1.0).iloc[0]
    assert got[["right_tier", "changes_tier", "gap_left"]].tolist() == [1.0, 0.0, 1.0]


def test_agreement_is_shown_beside_what_is_enough():
    """Groups of 2: ICC(1) 8.5 / 9.5, ICC(2) 8.5 / 9, r_wg 1 - 0.5 / 2."""
    people = pd.DataFrame({"team_id": ["A", "A", "B", "B"], "mean": [1.0, 2.0, 4.0, 5.0]})
    got = reliability.agreement_table(people)
    assert got["value"].tolist() == pytest.approx([8.5 / 9.5, 8.5 / 9, 0.75])
    assert got["is_enough"].tolist() == [None, True, True]


def test_the_tiny_company_has_every_table_of_its_own_quarter(tiny):
    house = settings.load_dataset_settings("tiny")
    held = {name: processed.load_table("tiny", name) for name in chapter.TABLES}
    scored = chapter.score_alignment(held, QUARTER, house=house)
    assert scored.sides["mean"].notna().any()  # five a side, unless the company hides more
    reliable = alignment_for_analysts.reliability_table(held, scored, QUARTER, house=house)
    assert reliable["measure"].iloc[0] == "split-half of evidence, Spearman-Brown"
    assert len(reliable) == 7
    got = alignment_for_analysts.alignment_tables(
        held, scored, QUARTER, house=house, split_half=reliable["value"].iloc[0]
    )
    assert set(got["index by the core profile"]["quarter"]) == {QUARTER}
    assert set(got["steps"]["quarter"]) == {QUARTER}
    whole = reference.maturity_steps(
        scored.evidence
    )  # the last step takes two quarters: one alone could never tell it
    assert got["steps"]["step"].tolist() == whole.loc[whole["quarter"] == QUARTER, "step"].tolist()
    assert len(got["rules of the types"]) == 14
    assert len(got["type of company, share of its rules met [0-1]"]) == 1


def test_a_company_that_hides_larger_groups_hides_survey_sides_too(tiny):
    house = settings.load_dataset_settings("tiny")
    held = {name: processed.load_table("tiny", name) for name in chapter.TABLES}
    strict = house.model_copy(
        update={"people": house.people.model_copy(update={"smallest_cell": 10_000})}
    )
    assert chapter.score_alignment(held, QUARTER, house=strict).sides["mean"].isna().all()
