"""The headline estimator: what it recovers, what it is equal to, and how wide it is."""

import numpy as np
import pytest
from growth_panels import additive, of_matrix, teams

from analysis.chapters.growth import imputation
from analysis.chapters.growth.panel import NEVER, team_panel
from analysis.project.errors import CrmDataError


def _random(seed: int, n_teams: int = 9, n_quarters: int = 8, missing: float = 0.1):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(0, 1, (n_teams, n_quarters))
    matrix[rng.random(matrix.shape) < missing] = np.nan
    matrix[:, 0] = rng.normal(0, 1, n_teams)
    return of_matrix(matrix, [4, 4, 5, 5, 6, *[None] * (n_teams - 5)])


def test_without_chance_the_path_is_what_was_put_there():
    """Teams plus quarters plus .1, .2, .3: nothing else can come out, and no team matters."""
    got = imputation.estimate_effects(additive([0.1, 0.2, 0.3]))
    assert got.event_quarters == (0, 1, 2, 3)
    np.testing.assert_allclose(got.path, [0.1, 0.2, 0.3, 0.3], atol=1e-12)
    assert got.estimate == pytest.approx(0.225)
    assert got.standard_error == pytest.approx(0, abs=1e-12)
    assert got.n_cells == (4, 4, 4, 2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_imputation_is_least_squares_on_dummies_of_untreated_cells(seed):
    """The same by numpy's least squares on an unbalanced panel."""
    whole = _random(seed)
    row, column = np.indices(whole.matrix.shape)
    untreated = ~np.isnan(whole.matrix) & (column < whole.starts[:, None])
    dummies = np.hstack([np.eye(9)[row[untreated]], np.eye(8)[column[untreated]]])
    b = np.linalg.lstsq(dummies, whole.matrix[untreated], rcond=None)[0]
    effect = whole.matrix - b[:9][:, None] - b[9:]
    event = column - whole.starts[:, None]
    path = [np.nanmean(effect[event == e]) for e in range(4)]
    got = imputation.estimate_effects(whole, horizon=(0, 3))
    np.testing.assert_allclose(got.path, path, atol=1e-9)
    assert got.estimate == pytest.approx(np.mean(path))


def test_the_estimate_without_a_team_is_that_of_the_panel_without_it():
    whole = _random(3)
    got = imputation.estimate_effects(whole)
    for place in (0, 4, 8):
        keep = np.arange(9) != place
        rest = whole._replace(
            matrix=whole.matrix[keep], starts=whole.starts[keep], teams=whole.teams[keep]
        )
        assert got.average_without.iloc[place] == pytest.approx(
            imputation.estimate_effects(rest).estimate
        )


def test_a_two_way_regression_is_wrong_where_imputation_is_right():
    """Effects that grow, staggered starts: regression on all rows uses early adopters as a yardstick."""
    taus = [0.1, 0.2, 0.3, 0.4]
    whole = additive(taus)
    treated = (np.arange(7) >= whole.starts[:, None]).astype(float)

    def within(x):
        return x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()

    x = within(treated)
    slope = (x * within(whole.matrix)).sum() / (x * x).sum()
    true = np.mean([0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3])  # of the treated cells
    assert slope < true - 0.01
    assert imputation.estimate_effects(whole).estimate == pytest.approx(0.25)


@pytest.mark.parametrize("percent", [0.0, 0.2])
def test_the_interval_holds_the_simulated_effect(percent):
    drawn, tables = teams(seed=0, effect=percent, effect_path=(1.0,))
    got = imputation.estimate_effects(team_panel(tables.team_quarter, tables.programme))
    assert got.low < drawn.average_effect < got.high


def test_coverage_over_forty_companies_is_not_off():
    """True coverage .95: fewer than 33 of 40 has a chance below 0.4%."""
    covered = 0
    for seed in range(40):
        drawn, tables = teams(seed=seed)
        got = imputation.estimate_effects(team_panel(tables.team_quarter, tables.programme))
        covered += got.low <= drawn.average_effect <= got.high
    assert covered >= 33


def test_nothing_is_found_before_a_start_unless_trends_part():
    whole = additive([0.2], starts=(3, 3, 3, 3))
    assert imputation.placebo_effects(whole, n_quarters=2).path == pytest.approx([0, 0], abs=1e-12)
    drifting = whole.matrix + np.where(whole.starts[:, None] < NEVER, 0.1 * np.arange(7), 0)
    got = imputation.placebo_effects(whole._replace(matrix=drifting), n_quarters=2)
    assert got.event_quarters == (-2, -1)
    assert got.path == pytest.approx([0.1, 0.2])  # on the one quarter before them


def test_an_event_study_has_one_band_for_before_and_after():
    _, tables = teams(seed=5)
    whole = team_panel(tables.team_quarter, tables.programme)
    table, band = imputation.event_study(whole, rng=np.random.default_rng(0))
    assert table["event_time"].tolist() == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert table["n_cells"].tolist() == [16, 16, 16, 16, 16, 16, 16, 11]
    width = (table["high"] - table["low"]) / 2 / table["standard_error"]
    assert width.to_numpy() == pytest.approx(band.critical)
    assert 2.5 < band.critical < 3.5  # t(23) alone: 2.07


def test_chance_picks_do_as_well_without_an_effect_and_seldom_with_one():
    p = {}
    for effect in (0.0, 0.5):
        _, tables = teams(seed=2, effect=effect)
        whole = team_panel(tables.team_quarter, tables.programme)
        p[effect] = imputation.randomise_starts(whole, rng=np.random.default_rng(1), n_draws=499)
    assert p[0.0].p_value > 0.05
    assert p[0.5].p_value == pytest.approx(1 / 500)
    assert p[0.5].n_assignments == 1_484_192_245_536  # 24! / (8! 6! 5! 5!)


def test_too_few_assignments_refuse_a_finding():
    """4 of 6 teams in two cohorts of two: 6! / (2! 2! 2!) = 90 picks."""
    whole = additive([0.2], n_never=2)
    got = imputation.randomise_starts(whole, rng=np.random.default_rng(0), n_draws=99)
    assert got.refusal == "90 possible assignments are fewer than the 400 a test at 0.05 needs"


def test_untreated_cells_that_fall_apart_are_refused():
    """Teams known early and teams known late share no quarter."""
    matrix = np.full((6, 6), np.nan)
    matrix[:3, :3], matrix[3:, 3:] = 1.0, 2.0
    with pytest.raises(CrmDataError, match="fall apart into sets that share no quarter"):
        imputation.estimate_effects(of_matrix(matrix, [2, 2, 2, None, None, None]))


def test_an_effect_that_rests_on_one_team_is_refused():
    whole = of_matrix(np.zeros((4, 5)), [3, 3, 3, None])
    with pytest.raises(CrmDataError, match=r"none without 1 of 4 \(T3\)"):
        imputation.estimate_effects(whole)
