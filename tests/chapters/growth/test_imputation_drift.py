"""Adopters' trend before the start: how steep it is, and what of the effect it leaves if it had gone on."""

import numpy as np
import pytest
from growth_panels import additive

from analysis.chapters.growth import counterfactual, imputation
from analysis.chapters.growth.panel import NEVER
from analysis.project.errors import CrmDataError


def _drifting(slope, taus=(0.2,), **different):
    whole = additive(taus, **different)
    return whole._replace(
        matrix=whole.matrix + np.where(whole.starts[:, None] < NEVER, slope * np.arange(7), 0)
    )


def _slope(whole):
    """Return the slope of all teams."""
    include = counterfactual.leaving_out(len(whole.teams))
    return float(imputation.slopes_before_start(whole, include)[0])


def test_a_drift_is_measured_and_taken_out():
    """Slope .05, effect .2; the start lies 2 quarters past the middle of the 3 before it: alone, .05 x (2 + k) more."""
    whole = _drifting(0.05, starts=(3, 3, 3, 3))
    assert _slope(whole) == pytest.approx(0.05)
    assert imputation.estimate_beyond_drift(whole).path == pytest.approx([0.2] * 4)
    assert imputation.estimate_effects(whole).path == pytest.approx([0.3, 0.35, 0.4, 0.45])


def test_without_a_drift_the_estimate_is_the_headline():
    whole = additive([0.1, 0.2, 0.3])
    assert _slope(whole) == pytest.approx(0, abs=1e-12)
    assert imputation.estimate_beyond_drift(whole).estimate == pytest.approx(
        imputation.estimate_effects(whole).estimate
    )


def test_no_drift_is_told_where_one_quarter_came_before_or_everybody_joined_at_once():
    with pytest.raises(
        CrmDataError, match=r"a drift needs 2 quarters before the start .* but 4 of 7 teams joined"
    ):
        _slope(additive([0.2], starts=(1, 1, 1, 1)))
    with pytest.raises(CrmDataError, match="but 4 of 4 teams joined"):
        _slope(additive([0.2], n_never=0, starts=(3, 3, 3, 3)))
