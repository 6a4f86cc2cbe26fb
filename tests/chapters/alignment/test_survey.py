"""The survey and how far anything can be relied on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from alignment_tables import day, periods, shares

from analysis.chapters.alignment import index, reliability, survey


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def answers(sales, marketing, on="2026-02-10"):
    """Return answers, all items alike, from the scores of each person a side."""
    rows = [
        (f"{side}-{i}", item, "A", side, day(on), score)
        for side, scores in (("sales", sales), ("marketing", marketing))
        for i, score in enumerate(scores)
        for item in range(1, 11)
    ]
    return pd.DataFrame(
        rows, columns=["response_id", "item", "team_id", "side", "answered_on", "score"]
    )


def test_ten_items_two_a_theme_and_none_about_results():
    themes = pd.Series([q.theme for q in survey.QUESTIONS])
    assert themes.value_counts().eq(2).all()
    assert len(themes) == 10
    text = " ".join(survey.survey_questions("sales")["wording"]).lower()
    assert "marketing" in text
    assert not [
        word
        for word in ("revenue", "quota", "win", "bookings", "growth", "target")
        if word in text.split()
    ]
    with pytest.raises(ValueError, match="side must be sales or marketing, got 'hr'"):
        survey.survey_questions("hr")


def test_mean_and_gap_of_the_two_sides_by_hand(rng):
    """Sales 4, marketing 2: mean 3, gap 2, score (3 - 1) / 4; the sides weigh the same whatever their numbers."""
    said = survey.in_rounds(answers([4] * 10, [2] * 5), periods())
    got = survey.survey_sides(said, rng=rng).iloc[0]
    assert (got["n_sales"], got["n_marketing"], got["mean"], got["gap"], got["score"]) == (
        10,
        5,
        3.0,
        2.0,
        50.0,
    )


def test_the_gap_has_an_interval_of_people(rng):
    """Sales 3 and 5 by halves (sd about 1): the gap of 1 is known to about +-2 x sqrt(1/20 + 1/20)."""
    said = survey.in_rounds(answers([3, 5] * 10, [2, 4] * 10), periods())
    got = survey.survey_sides(said, rng=rng).iloc[0]
    assert got["gap"] == 1
    assert got["gap_low"] == pytest.approx(1 - 0.62, abs=0.12)
    assert got["gap_high"] == pytest.approx(1 + 0.62, abs=0.12)


def test_a_side_of_four_is_not_shown(rng):
    got = survey.survey_sides(
        survey.in_rounds(answers([4] * 10, [2] * 4), periods()), rng=rng
    ).iloc[0]
    assert got["n_marketing"] == 4
    assert got[["sales", "marketing", "mean", "gap", "score"]].isna().all()


def test_an_answer_belongs_to_the_quarter_it_was_given_in():
    both = pd.concat(
        [
            answers([4], [4], on="2026-03-31"),
            answers([4], [4], on="2026-04-01"),
            answers([4], [], on="2026-07-01"),
        ]
    )
    got = survey.in_rounds(both, periods())["quarter"].value_counts()
    assert got.to_dict() == {"2026Q1": 20, "2026Q2": 20}


def test_omega_of_eight_items_that_load_070_is_the_closed_form():
    """(8 x 0.7)^2 / ((8 x 0.7)^2 + 8 x 0.51) = 31.36 / 35.44."""
    loads = np.full((8, 8), 0.49) + np.diag(np.full(8, 0.51))
    assert reliability.omega_total(loads) == pytest.approx(31.36 / 35.44, abs=1e-6)


def test_omega_of_unequal_loadings_is_above_alpha():
    """Loadings 0.9 to 0.3: omega by the closed form, alpha (k / (k - 1)) (1 - k / sum of correlations) below."""
    loading = np.array([0.9, 0.8, 0.7, 0.5, 0.4, 0.3])
    matrix = np.outer(loading, loading) + np.diag(1 - loading**2)
    omega = loading.sum() ** 2 / (loading.sum() ** 2 + (1 - loading**2).sum())
    assert reliability.omega_total(matrix) == pytest.approx(omega, abs=2e-3)
    assert omega > 6 / 5 * (1 - 6 / matrix.sum())


def test_alpha_of_a_table_by_hand():
    """Item variances 1, 1; the sum's 3: 2 x (1 - 2/3)."""
    value, low, high = reliability.cronbach_alpha([[1, 1], [2, 3], [3, 2]])
    assert value == pytest.approx(2 * (1 - 2 / 3))
    assert low < value < high


def test_a_survey_that_loads_070_reads_so(rng):
    """400 people, ten items: omega 49 / (49 + 10 x 0.51) = 0.906."""
    factor = rng.standard_normal((400, 1))
    items = 0.7 * factor + np.sqrt(0.51) * rng.standard_normal((400, 10))
    people = pd.DataFrame(items, columns=range(1, 11)).assign(team_id="A", mean=items.mean(axis=1))
    got = reliability.of_survey(people).set_index("measure")
    assert got.loc["omega total of the survey", "value"] == pytest.approx(0.906, abs=0.03)
    assert got.loc["omega total of the survey", "is_enough"]
    low, high = got.loc["alpha of the survey", ["low", "high"]]
    assert low < 0.906 < high


def test_too_few_answers_have_no_reliability():
    people = pd.DataFrame(np.ones((4, 10)), columns=range(1, 11))
    assert reliability.of_survey(people)["value"].isna().all()


def test_people_who_agree_may_be_averaged():
    """Groups of 2: means 1.5 and 4.5; between 2 x 2 x 1.5^2 / 1 = 9, inside 0.5: ICC(1) 8.5 / 9.5, ICC(2) 8.5 / 9."""
    people = pd.DataFrame({"team_id": ["A", "A", "B", "B"], "mean": [1.0, 2.0, 4.0, 5.0]})
    got = reliability.team_agreement(people)
    assert got.icc1 == pytest.approx(8.5 / 9.5)
    assert got.icc2 == pytest.approx(8.5 / 9)
    assert got.r_wg == pytest.approx(1 - 0.5 / 2)


def halves(rng, noise, n_teams=60):
    """Return odd and even evidence of teams with a true share and measurement noise."""
    true = rng.uniform(0.2, 0.8, n_teams)
    rows = [[], []]
    for half in rows:
        seen = np.clip(true + noise * rng.standard_normal(n_teams), 0, 1)
        half += [(f"T{t}", "2026Q1", "E06", s, 13.0) for t, s in enumerate(seen)]
    return [shares(half) for half in rows]


def test_split_half_finds_the_reliability_planted(rng):
    """True sd 0.173, error sd 0.1 a half: halves correlate 0.03 / 0.04 = 0.75, the whole 0.857."""
    got = reliability.split_half(*halves(rng, 0.1), rng=rng).iloc[0]
    assert got["low"] < 0.857 < got["high"]
    assert got["value"] == pytest.approx(0.857, abs=0.08)


def test_noise_alone_has_no_reliability(rng):
    odd, even = halves(rng, 0.1)
    even["share"] = rng.permutation(even["share"].to_numpy())
    got = reliability.split_half(odd, even, rng=rng).iloc[0]
    assert got["low"] < 0 < got["high"]
    assert not got["is_enough"]


def test_quarter_to_quarter_takes_a_rise_of_all_teams_out(rng):
    """Each team five points above the quarter before, in the same order: 1."""
    rows = [
        (f"T{t}", f"2026Q{q}", "E06", 0.05 * q + 0.1 * t, 13.0) for t in range(5) for q in (1, 2)
    ]
    scores = index.index_scores(shares(rows), periods(), rng=rng, items="core")
    assert reliability.quarter_to_quarter(scores, rng=rng).loc[0, "value"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("measured", "right", "top", "laggard", "gap"),
    [(0.5, 0.62, 0.57, 0.64, 0.71), (0.7, 0.71, 0.68, 0.73, 0.84), (0.8, 0.77, 0.74, 0.78, 0.89), (0.9, 0.84, 0.82, 0.85, 0.95)],
)  # fmt: skip
def test_what_a_reliability_means_for_tiers(rng, measured, right, top, laggard, gap):
    """The gap shrinks by the square root of the reliability; the rest as simulated before, to a point."""
    got = reliability.tier_consequences(measured, rng=rng, n=100_000)
    exp = {"right_tier": right, "top_correct": top, "laggard_correct": laggard, "gap_left": gap}
    assert {k: got[k] for k in exp} == pytest.approx(exp, abs=0.011)
    assert got["gap_left"] == pytest.approx(np.sqrt(measured), abs=0.01)


def test_a_reliability_above_one_is_refused(rng):
    with pytest.raises(ValueError, match=r"above 0 and at most 1, got 1\.2"):
        reliability.tier_consequences(1.2, rng=rng)
