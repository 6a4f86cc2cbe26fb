"""Groups drawn together by how much of their spread is chance."""

import math

import numpy as np
import pandas as pd

from analysis.stats import pooling


def test_groups_without_a_difference_are_drawn_together():
    """The spread (sd 0.1) is what errors of 0.1 make: all get the mean 0.3 with error 0.1 / sqrt(3)."""
    drawn, error = pooling.pool_estimates(np.array([0.2, 0.3, 0.4]), np.full(3, 0.1))
    np.testing.assert_allclose(drawn, [0.3, 0.3, 0.3], atol=1e-9)
    np.testing.assert_allclose(error, np.full(3, 0.1 / math.sqrt(3)), atol=1e-9)


def test_groups_far_apart_keep_their_own_and_one_without_gets_the_mean():
    drawn, error = pooling.pool_estimates(
        np.array([0.0, 1.0, math.nan]), np.array([0.01, 0.01, math.nan])
    )
    np.testing.assert_allclose(drawn, [0.0, 1.0, 0.5], atol=1e-3)
    assert error[2] > 0.5


def test_a_group_of_its_own_has_its_interval():
    """Far apart, each keeps its own: 1.96 x .01 either side of 0, drawn a ten-thousandth to the mean."""
    groups = pd.DataFrame({"group": ["a", "b"], "alone": [0.0, 1.0], "error": [0.01, 0.01]})
    got = pooling.with_interval(groups)
    assert got.columns.tolist() == ["group", "alone", "estimate", "low", "high"]
    np.testing.assert_allclose(
        got.loc[0, ["low", "high"]].astype(float), [-0.0196, 0.0196], atol=2e-4
    )
