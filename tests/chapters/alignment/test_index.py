"""The index: what may be in it, how it adds up, what it is called and what leadership is told."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from alignment_tables import (
    BY_ID,
    MONDAYS,
    calendar,
    company,
    day,
    funnel,
    meetings,
    periods,
    shares,
)

import analysis
from analysis.chapters.alignment import chapter, index, items, score_tiers, scoring
from analysis.tables.panel_tables import PANELS

ROOM = Path(analysis.__file__).parent / "chapters" / "alignment"
OUTCOMES = {
    "bookings_amount", "deal_amount", "raw_amount", "win_rate", "n_won", "n_lost", "cycle_days", "quota_amount",
    "attainment_rate", "growth_rate", "probability", "stage", "status", "finance_bookings", "cost_amount",
}  # fmt: skip
HALF = [("A", "2026Q1", f"E{i:02d}", 0.5, 40.0) for i in range(1, 24)]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_23_items_are_worth_100_points_in_five_dimensions():
    points = pd.Series({i.id: i.points for i in items.ITEMS})
    dimension = pd.Series({i.id: i.dimension for i in items.ITEMS})
    assert len(points) == len(scoring.COUNTING) == 23
    assert points.groupby(dimension).sum().to_dict() == {
        "D1": 30,
        "D2": 20,
        "D3": 20,
        "D4": 15,
        "D5": 15,
    }
    assert sum(i.points for i in items.profile_items("core")) == 37


def test_an_outcome_in_the_index_is_refused():
    """By its role, whoever put it there: at counting and at scoring."""
    won = items.Item("X01", "D1", "Win rate", 5, (frozenset({"opportunities"}),), role="outcome")
    with pytest.raises(ValueError, match="X01 is an outcome"):
        scoring.evidence_table(company(), time_zone="UTC", items=[*items.ITEMS, won])
    with pytest.raises(ValueError, match="X01 is an outcome"):
        index.evidence_grid(shares(HALF), [*items.ITEMS, won])
    with pytest.raises(ValueError, match="S01 is a survey item"):
        index.evidence_grid(shares(HALF), [items.SURVEY])


def test_no_outcome_column_is_in_sight():
    columns = {name.split(".")[1] for name in items.columns_read()}
    assert not columns & OUTCOMES
    assert not columns & {c.name for c in PANELS["team_quarter"].columns} - {
        "team_id",
        "quarter",
        "region",
    }


def test_alignment_imports_nothing_that_knows_growth():
    """By its import graph: nothing of growth, roi, selling time or cost is within reach."""
    barred = ("growth", "roi", "selling_time", "cost", "panels", "store")
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import | ast.ImportFrom)
                else []
            )
            whole = [f"{getattr(node, 'module', '')}.{name}" for name in names]
            ours = [name for name in whole if name.startswith("analysis.")]
            assert not [name for name in ours if set(name.split(".")) & set(barred)], file.name


def test_the_index_is_the_same_when_every_win_is_a_loss_and_every_amount_a_million(rng):
    n = 12
    deals = pd.DataFrame(
        {
            "opportunity_id": [f"O{i}" for i in range(n)],
            "status": ["won"] * 6 + ["lost"] * 6,
            "deal_amount": 10.0,
            "close_date": day("2026-03-01"),
            "owner_rep_id": "A1",
            "owner_at_close_rep_id": None,
            "campaign_id": ["C1", None] * 6,
        }
    )
    leads = funnel(
        [(f"L{i}", "mql", "2026-01-05T09:00") for i in range(n)],
        opportunity_id=deals["opportunity_id"],
    )
    other = deals.assign(status=["lost"] * 6 + ["won"] * 6, deal_amount=1e6)
    got = [
        scoring.evidence_table(company(opportunities=d, **leads), time_zone="UTC")
        for d in (deals, other)
    ]
    assert (got[0]["share"] == 0.5).sum() == 1
    pd.testing.assert_frame_equal(*got)


def test_the_score_adds_up_by_hand(rng):
    """D1: (6 x 1 + 6 x 0.5) / 12 of 30; D3: 5 x 0.2 / 5 of 20; nothing else observed: (22.5 + 4) / 50."""
    rows = [
        ("A", "2026Q1", "E01", 1.0, 20.0),
        ("A", "2026Q1", "E02", 0.5, 20.0),
        ("A", "2026Q1", "E11", 0.2, 10.0),
    ]
    got = index.index_scores(shares(rows), periods(), rng=rng).iloc[0]
    assert got["index"] == pytest.approx(53.0)
    assert got["coverage"] == pytest.approx(0.17)
    assert got["low"] < 53 < got["high"]


def test_an_unobserved_item_leaves_its_weight_to_its_dimension(rng):
    """E02 unknown: D1 is E01 alone, not half of it."""
    rows = [("A", "2026Q1", "E01", 1.0, 20.0), ("A", "2026Q1", "E02", np.nan, 0.0)]
    assert index.index_scores(shares(rows), periods(), rng=rng).loc[0, "index"] == 100


@pytest.mark.parametrize(("left_out", "coverage", "is_named"), [(("E01",), 0.94, True), (("E01", "E02", "E03", "E04", "E05", "E20"), 0.66, False)])  # fmt: skip
def test_under_70_percent_observed_there_is_no_tier(rng, left_out, coverage, is_named):
    rows = shares([(*row[:2], row[2], 0.6, 40.0) for row in HALF if row[2] not in left_out])
    got = index.index_scores(rows, periods(), rng=rng).iloc[0]
    assert got["coverage"] == pytest.approx(coverage)
    assert (got["tier"] == "aligned") is is_named
    assert pd.isna(got["tier_says"]) is not is_named


def test_the_70_percent_hold_within_the_profile(rng):
    """What CRM and calendar supply is all of core and 37% of full."""
    rows = shares([row for row in HALF if BY_ID[row[2]].is_core])
    core, full = (
        index.index_scores(rows, periods(), rng=rng, items=name).iloc[0]
        for name in ("core", "full")
    )
    assert (core["coverage"], core["tier"], core["profile"]) == (1.0, "defined", "core")
    assert full["coverage"] == pytest.approx(0.37)
    assert pd.isna(full["tier"])


def test_a_score_on_a_cut_is_of_the_lower_tier():
    got = score_tiers.tier_names(pd.Series([0.0, 25.0, 25.1, 50.0, 75.0, 75.1, 100.0, np.nan]))
    exp = ["undefined", "undefined", "defined", "defined", "aligned", "integrated", "integrated"]
    assert got.tolist()[:-1] == exp
    assert pd.isna(got.iloc[-1])


def test_an_unsure_tier_is_given_as_a_range():
    """Seven draws of ten in its own tier are not enough, nine are."""
    draws = np.array([[60.0] * 7 + [40.0] * 3, [60.0] * 9 + [40.0]])
    got = score_tiers.tier_certainty(draws, np.array([60.0, 60.0]))
    assert got["tier_probability"].tolist() == [0.7, 0.9]
    assert got["tier_says"].tolist() == ["between defined and aligned", "aligned"]


@pytest.mark.parametrize(
    ("n", "counts"), [(10, (2, 5, 3)), (30, (6, 15, 9)), (31, (6, 16, 9)), (453, (91, 226, 136))]
)
def test_20_50_30_of_n_units(n, counts):
    """453 is the vendor's survey: a fifth is 90.6 and 30% are 135.9."""
    assert score_tiers.norm_counts(n) == counts


def test_20_50_30_asks_for_30_units():
    with pytest.raises(ValueError, match="needs 30 units with a score, got 29"):
        score_tiers.norm_cuts(pd.Series(range(29)))


def test_20_50_30_is_cut_on_the_reference_and_ties_go_lower():
    """On 1 to 30 the best six are above 24 and the last nine up to 9; a unit on 24 is average."""
    cuts = score_tiers.norm_cuts(pd.Series(range(1, 31)))
    assert cuts == score_tiers.NormCuts(low=9.0, high=24.0)
    got = score_tiers.by_cut(pd.Series([25, 24, 10, 9]), **cuts._asdict())
    assert got.tolist() == ["best in class", "average", "average", "laggard"]
    tied = score_tiers.norm_cuts(pd.Series([1.0] * 12 + [2.0] * 18))
    assert score_tiers.by_cut(pd.Series([1.0, 2.0]), **tied._asdict()).tolist() == [
        "laggard",
        "average",
    ]


def test_the_interval_covers_the_share_that_was_planted(rng):
    """300 teams of 23 items with 3 trials each at 0.7, the worst case: the index is 70.

    The mean of c (1 - c) with c = (k + 1/2) / 4 is 0.188 where 0.21 is true, so the interval is 0.946 as
    wide as it should be and covers 0.936; less or more 3 Monte Carlo errors of 0.014.
    """
    true, n = 0.7, 3
    rows = [
        (f"T{t:03d}", "2026Q1", f"E{i:02d}", rng.binomial(n, true) / n, n)
        for t in range(300)
        for i in range(1, 24)
    ]
    got = index.index_scores(shares(rows), periods(), rng=rng, n_draws=300)
    covered = ((got["low"] <= 70) & (got["high"] >= 70)).mean()
    assert 0.894 <= covered <= 0.978
    assert got["index"].mean() == pytest.approx(70, abs=1.1)


def test_the_index_is_the_same_twice():
    got = [
        index.index_scores(shares(HALF), periods(), rng=np.random.default_rng(1)) for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*got)


def test_scores_say_what_they_were_measured_from_and_to(rng):
    got = index.index_scores(shares(HALF), periods(), rng=rng).iloc[0]
    assert (str(got["measured_from"]), str(got["measured_to"])) == ("2026-01-01", "2026-04-01")


def survey_of(score, team="A"):
    return pd.DataFrame(
        {"team_id": [team], "quarter": ["2026Q1"], "score": [score], "standard_error": [2.0]}
    )


def test_the_headline_is_four_fifths_evidence_and_one_fifth_survey(rng):
    """0.8 x 50 + 0.2 x 80 = 56, defined becomes aligned; without a survey 50 stays."""
    scores = index.index_scores(shares(HALF), periods(), rng=rng)
    got = chapter.with_survey(scores, survey_of(80.0)).iloc[0]
    assert (got["headline"], got["index"], got["headline_tier"]) == (
        pytest.approx(56),
        pytest.approx(50),
        "aligned",
    )
    alone = chapter.with_survey(scores, survey_of(np.nan)).iloc[0]
    assert (alone["headline"], alone["has_survey"]) == (pytest.approx(50), False)


def test_the_companys_index_is_the_mean_of_its_teams(rng):
    rows = shares(HALF + [("B", *row[1:3], 0.9, 40.0) for row in HALF])
    scores = index.index_scores(rows, periods(), rng=rng)
    got = chapter.company_index(scores, "2026Q1")
    assert (got.name, got.kind, got.n, got.n_of) == ("alignment_index", "measure", 2, "teams")
    assert got.estimate == pytest.approx(70)
    assert got.low == pytest.approx(70 - 1.96 * np.hypot(*scores["standard_error"]) / 2, abs=0.01)
    assert "70 of 100 points" in chapter.index_sentence(scores, "2026Q1")
    assert "which is aligned" in chapter.index_sentence(scores, "2026Q1")
    unknown = chapter.company_index(scores, "2026Q2")
    assert (np.isnan(unknown.estimate), unknown.n) == (True, 0)
    assert unknown.method == "no practice could be observed of any team in 2026Q2"


def test_too_little_observed_names_no_tier_in_the_sentence(rng):
    scores = index.index_scores(shares(HALF[:5]), periods(), rng=rng)
    assert "of which 30% could be observed: too little to name a tier" in chapter.index_sentence(
        scores, "2026Q1"
    )


def test_the_five_dimensions_add_up_to_the_index(rng):
    rows = shares([(*row[:3], 0.3 + 0.02 * i, 40.0) for i, row in enumerate(HALF)])
    got = chapter.by_dimension(rows, "2026Q1", rng=rng)
    assert len(got) == 5
    assert got["possible"].sum() == pytest.approx(100)
    assert got["points"].sum() == pytest.approx(
        index.index_scores(rows, periods(), rng=rng).loc[0, "index"]
    )
    assert (got["low"] < got["points"]).all()
    assert (got["points"] < got["high"]).all()
    first = got.iloc[0]
    assert (first["best"], first["weakest"]) == (BY_ID["E05"].label, BY_ID["E01"].label)


def test_what_was_not_observed_is_named_with_its_table():
    tables = company(joint_meetings=meetings([("A", d, "weekly") for d in MONDAYS]), **calendar([("A1", "2026-01-05T09:00", ("marketing",))]))  # fmt: skip
    rows = scoring.evidence_table(tables, time_zone="UTC")
    got = chapter.unobserved_items(rows, "2026Q1").set_index("item")
    assert got.loc["E12", "needs"] == "plans"
    assert "E06" not in got.index
