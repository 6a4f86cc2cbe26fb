"""What analysts see of growth beside the chapter, and what stands there where it cannot be told."""

import numpy as np
import pandas as pd
import pytest
from growth_panels import QUICK, teams

from analysis.chapters.growth import assessment, growth_answer, growth_for_analysts

LAST, BEFORE = "2026Q3", "2025Q3"


@pytest.fixture(scope="module")
def several():
    """The tables of 60 teams, bookings up by a third; an index of 10 to 90 by chance, and no hours in the panel."""
    _, held = teams(seed=1, n_teams=60, effect=0.3)
    made = assessment.assess_growth(held, spec=QUICK)
    ids = held.team_quarter["team_id"].unique()
    index = np.random.default_rng(0).permutation(np.linspace(10, 90, len(ids)))
    scores = held.team_quarter.rename(columns={"alignment_index": "index"})
    scores = scores[["team_id", "quarter", "index"]].set_index("quarter")
    scores.loc[BEFORE, "index"] = index
    scores = scores.reset_index()
    panel = held.team_quarter.assign(
        segment=held.team_quarter["team_id"].isin(ids[::2]).map({True: "a", False: "b"})
    )
    return made, growth_for_analysts.growth_tables(
        growth_answer.GrowthAnswer(made), panel, scores, LAST, reliability=0.8, low=40, high=60
    )


def test_no_table_that_sixty_teams_carry_is_left_out(several):
    _, got = several
    assert [name for name, table in got.items() if "cannot be told" in table] == []
    assert [table.columns.name for table in growth_for_analysts.captioned_tables(got)] == list(got)


def test_the_answer_stands_first_among_the_other_means(several):
    made, got = several
    first = got["the gap by other means [percent]"].iloc[0]
    assert (first["estimator"], first["percent"]) == (
        "The answer: drift allowed for",
        made.growth_gap.estimate,
    )


def test_a_wider_gap_earns_a_word_more_often(several):
    _, got = several
    rows = got["how often a true gap would earn a word"]
    assert rows["gap"].tolist() == [5.0, 10.0, 15.0, 24.0]
    assert rows[["is_found", "is_at_least_likely"]].diff().dropna().gt(0).all(axis=None)


def test_the_gap_of_tiers_is_shared_out_by_as_many_columns_as_teams_carry(several):
    """23 and 22 of 60 teams above 60 and up to 40: two columns could be carried, leads alone are held."""
    _, got = several
    parts = got["aligned less laggard teams, by what they have [log a year]"]
    assert parts["regressor"].unique().tolist() == ["leads_per_rep", "intercept", "all"]
    assert parts[["n_aligned", "n_laggard"]].min().min() >= 20


def test_endowments_are_the_gap_where_growth_follows_what_teams_have():
    """Growth is .1 for each lead a rep: aligned teams have 1 more, so the whole gap of .1 is endowment."""
    leads = np.r_[np.linspace(2, 4, 10), np.linspace(1, 3, 10)]
    ids = [f"T{i}" for i in range(20)]
    tier = pd.Series(["aligned"] * 10 + ["laggard"] * 10, ids)
    held = pd.DataFrame({"leads_per_rep": leads, "selling_hours_per_rep": leads[::-1]}, ids)
    got = growth_for_analysts.decompose_gap(pd.Series(0.1 * leads, ids), tier, held)
    total = got[got["regressor"] == "all"].set_index("part")["estimate"]
    assert total.tolist() == pytest.approx([0.1, 0.0, 0.0], abs=1e-9)
    assert set(got["regressor"]) == {"leads_per_rep", "intercept", "all"}


def test_what_a_rep_had_is_of_the_year_before_alone():
    """Four quarters of 10, 20, 30 and 40 leads and 5 reps each: 100 / 20."""
    quarters = ["2024Q3", "2024Q4", "2025Q1", "2025Q2", "2025Q3", "2025Q4"]
    panel = pd.DataFrame(
        {
            "team_id": "A",
            "quarter": quarters,
            "average_reps": 5.0,
            "n_leads": [999.0, 10, 20, 30, 40, 999],
        }
    )
    assert growth_for_analysts.per_rep(panel, BEFORE).to_dict("index") == {
        "A": {"leads_per_rep": 5.0}
    }


def test_few_teams_have_rows_that_say_why(several):
    made, _ = several
    panel = made.panel
    scores = pd.DataFrame(
        {"team_id": panel.teams[:4], "quarter": BEFORE, "index": [10.0, 20, 80, 90]}
    )
    _, held = teams(seed=1, n_teams=60, effect=0.3)
    got = growth_for_analysts.growth_tables(
        growth_answer.GrowthAnswer(made),
        held.team_quarter.assign(segment="a"),
        scores,
        LAST,
        reliability=0.0,
        low=40,
        high=60,
    )
    slope = got["growth on the index of the year before"]["cannot be told"].item()
    assert slope.startswith("team_quarter: at least 10 teams must have growth and an index")
    parts = got["aligned less laggard teams, by what they have [log a year]"][
        "cannot be told"
    ].item()
    assert "1 regressor needs 10 of team_id in each group" in parts


def test_details_of_what_cannot_be_told_are_the_reasons():
    nothing = growth_answer.GrowthAnswer(None, growth_answer.NO_PROGRAMME)
    got = growth_for_analysts.growth_tables(
        nothing, pd.DataFrame(), pd.DataFrame(), LAST, reliability=0.8, low=40, high=60
    )
    assert {name: table["check"].tolist() for name, table in got.items()} == {
        "checks": ["No teams to compare"]
    }


def test_without_error_in_the_index_the_slope_is_steeper_by_its_reliability(several):
    _, got = several
    measured, corrected = got["growth on the index of the year before"].to_dict("records")
    assert corrected["estimate"] == pytest.approx(measured["estimate"] / 0.8)
    assert 0 <= measured["robustness_value_alpha"] <= measured["robustness_value"] <= 1
