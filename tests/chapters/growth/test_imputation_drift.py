"""Adopters' trend before the start: how steep it is, and what of the effect it leaves if it had gone on."""

import numpy as np
import pytest
from growth_panels import additive

from analysis.chapters.growth import guards, imputation, verdict
from analysis.chapters.growth.panel import NEVER
from analysis.project.errors import CrmDataError


def _drifting(slope, taus=(0.2,), **different):
    whole = additive(taus, **different)
    return whole._replace(
        matrix=whole.matrix + np.where(whole.starts[:, None] < NEVER, slope * np.arange(7), 0)
    )


def test_a_drift_is_measured_and_taken_out():
    """Slope .05, effect .2; the start lies 2 quarters past the middle of the 3 before it: alone, .05 x (2 + k) more."""
    whole = _drifting(0.05, starts=(3, 3, 3, 3))
    assert imputation.drift_before_start(whole).estimate == pytest.approx(0.05)
    assert imputation.estimate_beyond_drift(whole).path == pytest.approx([0.2] * 4)
    assert imputation.estimate_effects(whole).path == pytest.approx([0.3, 0.35, 0.4, 0.45])


def test_without_a_drift_the_estimate_is_the_headline():
    whole = additive([0.1, 0.2, 0.3])
    assert imputation.drift_before_start(whole).estimate == pytest.approx(0, abs=1e-12)
    assert imputation.estimate_beyond_drift(whole).estimate == pytest.approx(
        imputation.estimate_effects(whole).estimate
    )


def test_a_drift_that_would_be_seen_four_times_in_five_is_seen_so_often():
    """400 panels of 7 teams, each with the drift that its own error says is seen with 80%."""
    rng = np.random.default_rng(0)
    clean = additive([0.0])
    error = np.mean(
        [
            imputation.drift_before_start(
                clean._replace(matrix=clean.matrix + rng.normal(0, 0.1, (7, 7)))
            ).standard_error
            for _ in range(200)
        ]
    )
    planted = imputation.Drift(0, 0, 0, float(error), 6, 0.95).detectable()
    whole = _drifting(planted)
    seen = [
        imputation.drift_before_start(
            whole._replace(matrix=whole.matrix + rng.normal(0, 0.1, (7, 7)))
        ).excludes_zero
        for _ in range(400)
    ]
    assert 0.65 < np.mean(seen) < 0.9


def test_no_drift_is_told_where_one_quarter_came_before_or_everybody_joined_at_once():
    with pytest.raises(
        CrmDataError, match=r"a drift needs 2 quarters before the start .* but 4 of 7 teams joined"
    ):
        imputation.drift_before_start(additive([0.2], starts=(1, 1, 1, 1)))
    with pytest.raises(CrmDataError, match="but 4 of 4 teams joined"):
        imputation.drift_before_start(additive([0.2], n_never=0, starts=(3, 3, 3, 3)))


def test_an_effect_that_is_all_drift_fails_and_one_beyond_it_holds():
    rng = np.random.default_rng(1)
    chance = rng.normal(0, 0.02, (7, 7))
    for taus, passed in (((0.0,), False), ((0.5,), True)):
        whole = _drifting(0.1, taus)
        whole = whole._replace(matrix=whole.matrix + chance)
        headline = imputation.estimate_effects(whole)
        assert verdict.excludes_zero(headline)
        got = verdict.extrapolation_guard(
            imputation.estimate_beyond_drift(whole, level=0.8), headline, 0.8
        )
        assert (got.passed, got.needed_for, got.settled_by) == (passed, "found", "teams")
    assert verdict.extrapolation_guard(None, headline, 0.8).passed is None


def test_what_would_have_shown_stands_beside_the_trend():
    rng = np.random.default_rng(2)
    whole = additive([0.2])
    whole = whole._replace(matrix=whole.matrix + rng.normal(0, 0.02, (7, 7)))
    got, says = imputation.drift_before_start(whole), guards.trend_guard(whole).says
    # t(6): 2.447 + .906 = 3.353 errors.
    assert got.detectable() == pytest.approx(3.353 * got.standard_error, rel=1e-3)
    assert says.endswith(f"{100 * 3.353 * got.standard_error:.1f} would show 80% of the time")
