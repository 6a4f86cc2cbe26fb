"""Intervals: against published values and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.stats import intervals


def test_wilson_of_8_in_10_whole_and_effective():
    """Agresti & Coull (1998): 0.490 to 0.943; of an infinite size the share itself."""
    assert intervals.share_interval(8, 10) == pytest.approx((0.490, 0.943), abs=5e-4)
    low, high = intervals.wilson_interval(pd.Series([0.8, 0.8]), pd.Series([10.0, np.inf]))
    assert low.tolist() == pytest.approx([0.490, 0.8], abs=5e-4)
    assert high.tolist() == pytest.approx([0.943, 0.8], abs=5e-4)


@pytest.mark.parametrize(("df", "published"), [(1, 12.706), (9, 2.262), (30, 2.042)])
def test_half_a_t_interval_is_the_tables_value(df, published):
    assert intervals.t_quantile(df) == pytest.approx(published, abs=5e-4)
    assert intervals.t_interval(10.0, 2.0, df=df) == pytest.approx(
        (10, 10 - 2 * published, 10 + 2 * published), abs=5e-3
    )


def test_without_a_degree_of_freedom_there_is_no_interval():
    assert math.isnan(intervals.t_quantile(0))
    assert all(math.isnan(end) for end in intervals.t_interval(1.0, 1.0, df=0)[1:])


def test_draws_and_normal_intervals_are_of_the_one_level():
    assert intervals.ENDS[1] - intervals.ENDS[0] == pytest.approx(intervals.LEVEL)
    assert stats.norm.cdf(intervals.Z) - stats.norm.cdf(-intervals.Z) == pytest.approx(
        intervals.LEVEL
    )
