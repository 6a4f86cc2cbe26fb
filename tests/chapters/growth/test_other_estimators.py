"""The headline beside what other estimators say, and weights that make the never-joined look like adopters."""

import numpy as np
import pandas as pd
import pytest
from growth_panels import QUICK, additive, of_matrix, teams

from analysis.chapters.growth import assessment, entropy_balancing, imputation, other_estimators
from analysis.project.errors import CrmDataError


@pytest.fixture(scope="module")
def assessed():
    drawn, tables = teams(seed=2)
    segments = tables.team_quarter.drop_duplicates("team_id").set_index("team_id")["segment"]
    return drawn, assessment.assess_growth(tables, spec=QUICK), segments


def _growing_segment():
    """Adopters are three of segment y and one of x, the others one of y and three of x; y gains .1 a quarter."""
    own = np.array(list("yyyxyxxx"))
    starts = [3, 3, 4, 4, None, None, None, None]
    matrix = additive([0.2], n_never=4).matrix + np.where(own == "y", 0.1, 0.0)[
        :, None
    ] * np.arange(7)
    whole = of_matrix(matrix, starts)
    return whole, pd.Series(own, whole.teams)


def test_weights_take_out_what_a_growing_segment_added():
    """Effect .2; unweighted, adopters seem to gain more, as three of four are in the segment that grows anyway."""
    whole, segments = _growing_segment()
    got = entropy_balancing.estimate_weighted(whole, segments)
    plain = imputation.estimate_effects(whole)
    assert abs(got.effects.estimate - 0.2) < abs(plain.estimate - 0.2) / 3
    assert plain.estimate > 0.25


def test_weights_give_the_others_the_adopters_means():
    """Adopters: 1/2 of segment y.  Of 12 others 3 are: weighted, they are half too; each y then counts three x."""
    rng = np.random.default_rng(0)
    matrix = np.tile(rng.normal(14, 0.1, (1, 7)), (16, 1))
    whole = of_matrix(matrix + np.linspace(0, 1e-9, 16)[:, None], [3, 3, 4, 4] + [None] * 12)
    segments = pd.Series(list("yxyx") + list("yyy") + list("x" * 9), whole.teams)
    flat = whole._replace(matrix=np.full((16, 7), 14.0))
    got = entropy_balancing.estimate_weighted(flat, segments)
    row = got.balance.set_index("covariate").loc["segment y"]
    assert (row["adopters"], row["others"]) == (0.5, 0.25)
    assert row["weighted"] == pytest.approx(0.5, abs=0.01)  # but for the ridge
    assert got.weights["T4"] / got.weights["T8"] == pytest.approx(3, abs=0.1)
    assert got.weights[:4].tolist() == [1, 1, 1, 1]
    # Three of weight 2 and nine of 2/3: 144 / (12 + 4) = 9.
    assert got.n_effective == pytest.approx(9, abs=0.1)


def test_teams_alike_already_keep_equal_weights():
    whole = additive([0.2])
    same = whole._replace(matrix=whole.matrix - whole.matrix[:, :1])
    got = entropy_balancing.estimate_weighted(same)
    assert got.weights.tolist() == pytest.approx([1.0] * 7)
    assert got.effects.estimate == pytest.approx(imputation.estimate_effects(same).estimate)


def test_covariates_are_level_and_slope_before_the_first_start():
    """Known 1, 3 and 5 before quarter 4: level 3, slope 2; a gap leaves 1 and 5: the same; one value, no slope."""
    nan = np.nan
    whole = of_matrix(
        [[1, 3, 5, 9], [1, nan, 5, 9], [1, nan, nan, 9], [0, 0, 0, 0]], [3, 3, None, None]
    )
    got = entropy_balancing.team_covariates(whole)
    assert got["level"].tolist() == [3, 3, 1, 0]
    assert got["slope"].tolist() == pytest.approx([2, 2, nan, 0], nan_ok=True)


def test_two_teams_that_never_joined_are_too_few_to_weight():
    with pytest.raises(
        CrmDataError,
        match="at least 3 teams that never joined are needed, but only 2 of 6 never joined",
    ):
        entropy_balancing.estimate_weighted(additive([0.2], n_never=2))


def test_companions_stand_beside_the_headline_with_interval_and_kind(assessed):
    drawn, made, segments = assessed
    got = other_estimators.compare_estimators(made, segments).set_index("estimator")
    assert got["percent"].iloc[0] == made.growth_gap.estimate
    assert got["kind"].tolist() == [made.growth_gap.kind] * 5 + ["association"]
    assert (got["low"] < got["percent"]).all()
    assert (got["percent"] < got["high"]).all()
    # The truth, .144 log, is in each interval of the designs that earn the word.
    truth = 100 * np.expm1(drawn.average_effect)
    assert got.iloc[:5]["low"].lt(truth).all()
    assert got.iloc[:5]["high"].gt(truth).all()
    # The interval of a straight line is wider than the headline's.
    width = got["high"] - got["low"]
    assert width["Trend before gone on"] > 1.2 * width["Imputation, no allowance for drift"]


def test_the_two_way_regression_says_how_much_of_it_is_a_forbidden_comparison(assessed):
    """Effects that grow draw it down: teams that join are held against teams that gain still."""
    _, made, _ = assessed
    said = other_estimators.compare_estimators(made)["convention"].iloc[-1]
    assert (
        "16% of its weight on comparisons with teams that had joined before (Goodman-Bacon)" in said
    )
    growing = additive([0.1, 0.2, 0.3, 0.4], n_never=3)
    slope = other_estimators.compare_estimators(made._replace(panel=growing)).iloc[-1]["percent"]
    assert slope < 100 * np.expm1(imputation.estimate_effects(growing).estimate)


def test_what_cannot_be_told_says_why_in_its_row(assessed):
    _, made, _ = assessed
    few = made._replace(
        panel=additive([0.2], n_never=2)._replace(matrix=additive([0.2], n_never=2).matrix)
    )
    got = other_estimators.compare_estimators(few).set_index("estimator")
    assert np.isnan(got.loc["Never-joined weighted", "percent"])
    assert "at least 3 teams that never joined" in got.loc["Never-joined weighted", "convention"]


def test_one_executive_for_both_sides_is_assessed_as_the_programme_is():
    """Bookings of teams that came under one executive rise by a third; the dates of that switch are the treatment."""
    _, tables = teams(seed=1, n_teams=60, effect=0.3)
    switched = tables.programme.rename(columns={"start_date": "single_exec_since"})
    got = assessment.assess_growth(
        tables._replace(
            programme=switched[["team_id"]].assign(start_date=switched["single_exec_since"])
        ),
        spec=QUICK,
    )
    assert got.growth_gap.verdict == "found"
    speaks = {each.name: each.speaks for each in got.guards}
    assert speaks["starts were announced only afterwards"] is None
