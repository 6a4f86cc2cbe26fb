"""Plain contrasts, the regression on last year's index, and what splits a gap by regressor."""

import numpy as np
import pandas as pd
import pytest
from growth_panels import additive, teams
from statsmodels.datasets import ccard
from studies.team_panels import Teams, draw_teams

from analysis.chapters.alignment import score_tiers
from analysis.chapters.growth import association, tier_contrast
from analysis.chapters.growth.panel import team_panel
from analysis.project.errors import CrmDataError


def test_sorting_on_growth_alone_gives_the_articles_gap():
    """N(6.87, 9.38) in 20/50/30: 20%, 8.1% and -4% with no effect at all."""
    assert tier_contrast.null_sort(6.87, 9.38) == pytest.approx((20.0, 8.1, -4.0), abs=0.05)
    with pytest.raises(ValueError, match="sd must be above 0, got 0"):
        tier_contrast.null_sort(6.87, 0)
    with pytest.raises(ValueError, match="shares must be above 0 and sum to 1"):
        tier_contrast.null_sort(6.87, 9.38, (0.2, 0.5, 0.5))


def test_a_value_on_a_cut_goes_to_the_lower_tier():
    """The last one lies on the cut but for rounding."""
    index = pd.Series([75.0, 75.1, 50.0, 50.1, np.nan, 75 + 1e-12], list("abcdef"))
    got = score_tiers.by_cut(index, low=50, high=75, names=tier_contrast.TIERS)
    assert got[["a", "b", "c", "d", "f"]].tolist() == [
        "middle",
        "aligned",
        "laggard",
        "middle",
        "middle",
    ]
    assert pd.isna(got["e"])
    with pytest.raises(ValueError, match="low must not be above high, got 75 and 50"):
        score_tiers.by_cut(index, low=75, high=50)


@pytest.fixture
def two_years() -> pd.DataFrame:
    """A doubles, B stays, C lacks a quarter."""
    quarters = [f"{year}Q{q}" for year in (2024, 2025) for q in (1, 2, 3, 4)]
    amounts = {"A": [1.0] * 4 + [2.0] * 4, "B": [3.0] * 8, "C": [1.0] * 7 + [np.nan]}
    return pd.DataFrame(
        [
            (team, q, False, amount)
            for team, several in amounts.items()
            for q, amount in zip(quarters, several, strict=True)
        ],
        columns=["team_id", "quarter", "is_partial", "bookings_amount"],
    )


def test_growth_of_a_year_is_on_the_year_before(two_years):
    got = tier_contrast.yearly_growth(two_years, "2025Q4")
    assert got[["A", "B"]].tolist() == pytest.approx([np.log(2), 0])
    assert np.isnan(got["C"])


def test_a_partial_quarter_in_the_year_is_refused(two_years):
    two_years.loc[15, "is_partial"] = True
    with pytest.raises(CrmDataError, match=r"1 of 24 rows are partial \(team_id B\)"):
        tier_contrast.yearly_growth(two_years, "2025Q4")


def test_the_gap_between_tiers_is_a_difference_with_welchs_interval():
    """+10% and +14% against 0 and +2%: 11 points; errors 2 and 1: sqrt(4 + 1) on 1.47 degrees of freedom."""
    growth = pd.Series(np.log([1.10, 1.14, 1.0, 1.02, 1.5]), list("abcde"))
    tier = pd.Series(["aligned", "aligned", "laggard", "laggard", "middle"], list("abcde"))
    got = tier_contrast.growth_contrast(growth, tier)
    assert got.estimate == pytest.approx(11.0)
    assert got.kind == "difference"
    assert got.verdict is None
    assert (got.high - got.low) / 2 == pytest.approx(6.178 * 5**0.5, rel=0.01)  # t(1.47) = 6.178
    tiers = tier_contrast.table_by_tier(growth, tier).set_index("tier")
    assert tiers["n_teams"].tolist() == [2, 1, 2]
    assert tiers["growth"].notna().tolist() == [True, False, True]  # one team's is not shown
    with pytest.raises(CrmDataError, match="but 1 and 2 of 4 are"):
        tier_contrast.growth_contrast(growth.drop("a"), tier)


def test_an_index_measured_within_the_growth_is_refused():
    tier_contrast.require_lagged("2025Q3", "2026Q3")
    with pytest.raises(
        ValueError, match="index_quarter must be before 2025Q4, where the growth begins, got 2025Q4"
    ):
        tier_contrast.require_lagged("2025Q4", "2026Q3")


def test_index_and_outcome_that_share_a_column_are_refused():
    tier_contrast.require_apart(["n_leads", "n_recycled"], ["bookings_amount"])
    with pytest.raises(ValueError, match="must share no column, got n_won in both"):
        tier_contrast.require_apart(["n_leads", "n_won"], ["n_won", "n_lost"])


def test_tiers_made_from_growth_are_refused():
    tier_contrast.require_not_growth(["alignment_index"])
    with pytest.raises(ValueError, match="tiers must be made from practices, got growth_rate"):
        tier_contrast.require_not_growth(["growth_rate"])


def test_error_in_the_index_is_taken_out_of_the_slope():
    """Slope .02 a point, reliability .5: measured about .1 per 10 points, corrected about .2."""
    rng = np.random.default_rng(0)
    teams_ = [f"T{i}" for i in range(2_000)]
    true = rng.normal(50, 10, 2_000)
    growth = pd.Series(0.02 * true + rng.normal(0, 0.1, 2_000), teams_)
    index = pd.Series(true + rng.normal(0, 10, 2_000), teams_)
    got = association.on_lagged_index(growth, index, reliability=0.5)
    assert got.measured.kind == "association"
    assert got.measured.estimate == pytest.approx(10, abs=0.6)
    assert got.corrected.estimate == pytest.approx(2 * got.measured.estimate)
    assert got.corrected.low < 20 < got.corrected.high
    single = pd.DataFrame({"single_exec": rng.integers(0, 2, 2_000)}, index=teams_)
    beside = association.on_lagged_index(growth, index, reliability=0.5, covariates=single)
    assert beside.measured.estimate == pytest.approx(got.measured.estimate, abs=0.2)
    assert "single_exec" in beside.measured.method


def test_few_teams_or_an_impossible_reliability_are_refused():
    growth = pd.Series(np.arange(9.0))
    with pytest.raises(CrmDataError, match=r"at least 10 teams .* but 9 of 9 do"):
        association.on_lagged_index(growth, growth)
    with pytest.raises(ValueError, match="reliability must be above 0 and at most 1, got 0"):
        association.on_lagged_index(growth, growth, reliability=0)


def test_a_segment_of_few_adopters_gets_what_all_have():
    _, tables = teams(seed=1)
    whole = team_panel(tables.team_quarter, tables.programme)
    segments = pd.Series("Big", whole.teams)
    segments.iloc[:3] = "Small"
    got = association.by_segment(whole, segments).set_index("segment")
    assert np.isnan(got.loc["Small", "alone"])
    assert got.loc["Small", "estimate"] == pytest.approx(got.loc["Big", "alone"])


def test_the_effect_on_a_segment_is_its_own():
    """Segment x gets .1, segment y .3; no chance, so nothing is drawn together."""
    whole = additive([0.1])
    matrix = whole.matrix.copy()
    matrix[[1, 3]] += np.where(np.arange(7) >= whole.starts[[1, 3], None], 0.2, 0)
    rng = np.random.default_rng(0)
    whole = whole._replace(matrix=matrix + rng.normal(0, 1e-4, matrix.shape))
    segments = pd.Series(["x", "y", "x", "y", "x", "y", "x"], whole.teams)
    got = association.by_segment(whole, segments, fewest=2)
    assert got["estimate"].tolist() == pytest.approx([0.1, 0.3], abs=1e-3)


def test_the_published_oaxaca_decomposition_comes_out():
    """Card spending of owners and tenants, Stata's oaxaca: 158.7504 = 321.7482 + 75.4537 - 238.4515."""
    table = ccard.load_pandas().data
    table = table.assign(is_owner=table["OWNRENT"] == 1, person=np.arange(len(table)))
    with pytest.raises(
        CrmDataError, match=r"3 regressors need 30 of person in each group .* has 27 of 72"
    ):
        association.oaxaca_blinder(
            table, outcome="AVGEXP", regressors=["AGE", "INCOME", "INCOMESQ"], group="is_owner", cluster="person",
            rng=np.random.default_rng(0),
        )  # fmt: skip
    twice = pd.concat([table, table.assign(person=table["person"] + 100)])
    got = association.oaxaca_blinder(
        twice, outcome="AVGEXP", regressors=["AGE", "INCOME", "INCOMESQ"], group="is_owner", cluster="person",
        rng=np.random.default_rng(0), n_draws=49,
    )  # fmt: skip
    total = got.parts[got.parts["regressor"] == "all"].set_index("part")["estimate"]
    assert got.gap == pytest.approx(158.7504, abs=5e-5)
    assert total["endowments"] == pytest.approx(321.7482, abs=5e-5)
    assert total["coefficients"] == pytest.approx(75.4537, abs=5e-5)
    assert total["interaction"] == pytest.approx(-238.4515, abs=5e-5)
    assert got.n_teams == (54, 90)
    assert (got.parts["low"] <= got.parts["high"]).all()


def test_a_team_in_both_groups_is_refused():
    table = pd.DataFrame(
        {"y": [1.0, 2.0], "x": [1.0, 2.0], "g": [True, False], "team_id": ["A", "A"]}
    )
    with pytest.raises(CrmDataError, match=r"1 of 1 are in both \(team_id A\)"):
        association.oaxaca_blinder(
            table,
            outcome="y",
            regressors=["x"],
            group="g",
            cluster="team_id",
            rng=np.random.default_rng(0),
        )


def test_simulated_teams_have_the_effect_they_say():
    """Path 1/3, 2/3, 1, 1, 1 of .18: .144 over quarters 0 to 4; 24 teams, 6 + 5 + 5 adopters."""
    got = draw_teams(Teams(seed=0))
    assert got.average_effect == pytest.approx(0.144)
    by = got.truth.groupby("event_time")["effect"].mean()
    assert by[[-1.0, 0.0, 1.0, 2.0, 4.0]].tolist() == pytest.approx([0, 0.06, 0.12, 0.18, 0.18])
    assert len(got.programme) == 16
    assert got.team_quarter.groupby("team_id").size().eq(12).all()


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_selection_picks_teams_that_just_fell_or_rose(sign):
    """In the quarter before the start adopters lie off their own mean by a good part of its spread of .19."""
    off = []
    for seed in range(10):
        got = draw_teams(Teams(seed=seed, effect=0.0, selection=sign))
        log = np.log(
            got.team_quarter.pivot_table(
                index="team_id", columns="quarter", values="bookings_amount"
            )
        )
        own = log.sub(log.mean(axis=1), axis=0).sub(log.mean() - log.to_numpy().mean(), axis=1)
        before = got.truth["event_time"].eq(-1).to_numpy().reshape(24, 12)
        off.append(own.to_numpy()[before].mean())
    assert np.sign(np.mean(off)) == sign
    assert abs(np.mean(off)) > 0.05


def test_teams_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="the shares must not pass 1"):
        Teams(adoption=((5, 0.7), (7, 0.7)))
    with pytest.raises(ValueError, match="selection must be -1 to 1"):
        Teams(selection=2.0)
    with pytest.raises(ValueError, match="must be at least 2, got 1, 12"):
        Teams(n_teams=1)
