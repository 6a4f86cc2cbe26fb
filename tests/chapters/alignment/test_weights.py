"""What other weights would change, what to change next, which of four companies ours is, and the vetting form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from alignment_tables import planted, shares

from analysis.chapters.alignment import reference, weights
from analysis.chapters.alignment.items import ITEMS
from analysis.project.errors import CrmDataError


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_weights_matter_little_where_practices_go_together(rng):
    """60 teams, items at the team's level: an item's noise is 0.15, the level's sd 0.2."""
    level = rng.uniform(0.15, 0.85, 60)
    rows = [
        (
            f"T{t:02d}",
            "2026Q1",
            item.id,
            float(np.clip(level[t] + 0.15 * rng.standard_normal(), 0, 1)),
            13.0,
        )
        for t in range(60)
        for item in ITEMS
    ]
    got = weights.weight_sensitivity(shares(rows), "2026Q1", rng=rng).set_index("weights")
    drawn, equal = got.iloc[0], got.loc["all items equal"]
    assert drawn["correlation"] > 0.97
    assert drawn["norm_agreement"] > 0.85
    assert drawn["norm_agreement_p5"] <= drawn["norm_agreement"]
    assert equal["correlation"] > 0.98
    assert drawn["n"] == 60


def test_equal_weights_by_hand(rng):
    """E01 (6 points) 1 and E23 (4 points) 0: 6 / 10 of a hundred; weighed the same, 50."""
    rows = shares([("A", "2026Q1", "E01", 1.0, 9.0), ("A", "2026Q1", "E23", 0.0, 9.0)])
    chosen = [item for item in ITEMS if item.id in {"E01", "E23"}]
    got = weights.weight_sensitivity(rows, "2026Q1", rng=rng, items=chosen).set_index("weights")
    assert got.loc["all items equal", "largest_change"] == pytest.approx(10.0)
    assert np.isnan(got.loc["all items equal", "correlation"])


def test_the_practice_that_moves_a_team_most_is_the_one_furthest_below_the_others():
    """B and C hold weekly meetings (1.0), A in half the weeks: 0.5 x 5 / 10 of D2, the only dimension."""
    rows = [("A", 0.5, 1.0), ("B", 1.0, 1.0), ("C", 1.0, 0.0)]
    table = shares(
        [(t, "2026Q1", i, s, 13.0) for t, e06, e07 in rows for i, s in (("E06", e06), ("E07", e07))]
    )
    gained = weights.practice_gains(table, "2026Q1")
    got = weights.next_practice(gained)
    assert got[["team_id", "item"]].to_numpy().tolist() == [["A", "E06"], ["C", "E07"]]
    assert got["gain"].tolist() == pytest.approx([25.0, 50.0])
    assert gained.loc[gained["team_id"] == "B", "gain"].tolist() == [0.0, 0.0]


def test_an_unobserved_practice_has_no_gain():
    rows = [("A", np.nan, 0.0), ("B", 1.0, 13.0)]
    gained = weights.practice_gains(
        shares([(t, "2026Q1", "E06", s, n) for t, s, n in rows]), "2026Q1"
    )
    assert gained["team_id"].tolist() == ["B"]


def test_planted_archetypes_are_found(rng):
    """500 companies, 8% of the rules wrong and a tenth unknown: macro-F1 of the five answers at least 0.9."""
    companies, truth = planted(500, rng)
    got = reference.classify_archetypes(companies)["archetype"]
    scores = []
    for name in [*reference.TYPES, reference.NONE]:
        hit = ((got == name) & (truth == name)).sum()
        scores.append(2 * hit / ((got == name).sum() + (truth == name).sum()))
    assert np.mean(scores) >= 0.9


FIXTURES = {
    "politics": {"has_sales_list_only": 1, "on_target_spend_rate": 70 / 5000, "has_event_agenda": 0, "n_goal_conflicts": 1},
    "glossy brochures": {"untraceable_spend_rate": 0.6, "linked_spend_rate": 0.1, "self_sourced_rate": 0.8},
    "not marketing's job": {"pipeline_target_growth": 2.0, "has_lead_target": 0, "is_lead_generation_marketings": 0},
    "old reliables": {"demand_change_rate": -0.3, "branding_response_rate": 0.8, "n_in_programme": 50, "activity_change_rate": 0.1},
    "none": {},
}  # fmt: skip
BALANCED = {
    "has_sales_list_only": 0, "on_target_spend_rate": 0.2, "has_event_agenda": 1, "n_goal_conflicts": 0,
    "untraceable_spend_rate": 0.5, "linked_spend_rate": 0.3, "self_sourced_rate": 0.7, "pipeline_target_growth": 1.4,
    "has_lead_target": 1, "is_lead_generation_marketings": 1, "demand_change_rate": -0.2, "branding_response_rate": 0.5,
    "n_in_programme": 49, "activity_change_rate": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("name", FIXTURES)
def test_the_articles_companies_are_told_apart(name):
    """70 targets and 5,000 mailed; brochures for 60%; pipeline doubled without a lead target; branding, then 50 in a programme."""
    got = reference.classify_archetypes(pd.DataFrame([BALANCED | FIXTURES[name]]))
    assert got["archetype"].tolist() == [name]


def test_two_types_level_are_mixed_and_the_values_are_printed():
    both = pd.Series(BALANCED | FIXTURES["politics"] | FIXTURES["glossy brochures"])
    assert reference.classify_archetypes(both.to_frame().T)["archetype"].tolist() == ["mixed"]
    printed = reference.explain_archetype(both.drop("n_goal_conflicts")).set_index("says")
    row = printed.loc["share of spend in kinds nobody can trace"]
    assert (row["value"], row["rule"], row["is_met"]) == (0.6, "> 0.5", True)
    assert printed.loc["goals of one side that contradict the other's", "is_met"] is None


def test_a_type_of_which_one_rule_is_known_is_not_considered():
    known = dict.fromkeys(BALANCED, np.nan) | {"self_sourced_rate": 0.9}
    got = reference.classify_archetypes(pd.DataFrame([known]))
    assert got["archetype"].tolist() == ["none"]
    assert got[list(reference.TYPES)].isna().all(axis=None)


def test_a_company_without_a_rules_column_is_named():
    with pytest.raises(CrmDataError, match=r"companies: needs has_sales_list_only"):
        reference.classify_archetypes(pd.DataFrame({"x": [1]}))


def test_what_the_tables_tell_of_the_rules_and_what_they_do_not():
    """6 of 10 thousand on brochures, 4 on a webinar that led to a deal; 3 of 4 deals without a source; leads halved."""
    day = pd.Timestamp
    tables = {
        "quarters": pd.DataFrame({"quarter": ["2026Q1"], "from_day": [day("2026-01-01")], "until_day": [day("2026-04-01")]}),
        "campaigns": pd.DataFrame(
            {"campaign_id": ["C1", "C2"], "campaign_type": ["Brochure", "Webinar"], "start_date": day("2026-02-01"), "cost_amount": [6e3, 4e3]}
        ),
        "opportunities": pd.DataFrame(
            {"opportunity_id": list("abcd"), "campaign_id": ["C2", None, None, None], "lead_source": ["Web", None, None, None],
             "created_at": pd.Timestamp("2026-02-01", tz="UTC")}
        ),
        "leads": pd.DataFrame({"created_at": pd.to_datetime(["2025-02-01", "2025-03-01", "2026-03-01"], utc=True)}),
        "goals": pd.DataFrame(
            {"team_id": "A", "metric": "leads", "target_value": [50.0, 80.0], "sales_owner_rep_id": ["A9", None],
             "marketing_owner_rep_id": [None, "M1"], "period_start": day("2026-01-01"), "period_end": day("2026-04-01")}
        ),
    }  # fmt: skip
    got = reference.archetype_values(tables, "2026Q1")
    known = {
        "untraceable_spend_rate": 0.6, "linked_spend_rate": 0.4, "self_sourced_rate": 0.75, "demand_change_rate": -0.5, "n_goal_conflicts": 1.0,
    }  # fmt: skip
    assert got.dropna().to_dict() == pytest.approx(known)
    with pytest.raises(ValueError, match="quarter must be one of 2026Q1, got '2026Q2'"):
        reference.archetype_values(tables, "2026Q2")


def test_a_step_needs_the_step_before_and_the_last_needs_two_quarters():
    """Q1 lacks meetings though metrics are shared; Q2 and Q3 have all three; Q4 falls back."""
    full = {"E06": 0.8, "E10": 0.6, "E15": 1.0, "E18": 0.8}
    rows = [
        ("A", f"2026Q{q}", item, (full | {"E06": 0.5} if q in {1, 4} else full)[item], 13.0)
        for q in (1, 2, 3, 4)
        for item in full
    ]
    got = reference.maturity_steps(shares(rows))
    assert got["step"].tolist() == [0, 3, 4, 0]
    assert got["missing"].tolist()[:2] == [
        "E06 at 50%, at least 75% needed",
        "held 1 of 2 quarters in a row",
    ]
    unknown = reference.maturity_steps(shares([("A", "2026Q1", "E06", 0.8, 13.0)]))
    assert unknown.loc[0, "missing"] == "E10 not observed, at least 50% needed"


def test_a_reader_sees_the_mean_of_three_others_and_no_teams_own_share():
    """Meetings in 90, 80, 55 and 10% of weeks: 75% is the mean of the best three; of two others there is none."""

    def practice(**held):
        return shares([(team, "2026Q1", "E06", share, 13.0) for team, share in held.items()])

    five = practice(A=0.3, B=0.9, C=0.8, D=0.55, E=0.1)
    got = weights.practice_gains(five, "2026Q1", reader="A", fewest=3)
    assert got["team_id"].tolist() == ["A"]
    assert got["target"].tolist() == [pytest.approx(0.75)]
    assert got["gain"].tolist() == [
        pytest.approx(45.0)
    ]  # the only practice: 100 points for all of it
    three = weights.practice_gains(practice(A=0.3, B=0.9, C=0.8), "2026Q1", reader="A", fewest=3)
    assert three[["share", "target", "gain"]].isna().to_numpy().tolist() == [[False, True, True]]
