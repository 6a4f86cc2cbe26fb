"""The companion estimator, held to a published table and to diff-diff; and the bounds on parting trends."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from growth_panels import additive, of_matrix, teams

from analysis.chapters.growth import callaway_santanna, imputation, parallel_trends
from analysis.chapters.growth.panel import NEVER, Panel, team_panel
from analysis.project.errors import CrmDataError

REFERENCE = os.environ.get("ALIGNMENT_ROI_REFERENCE", "")


@pytest.fixture(scope="module")
def simulated() -> Panel:
    _, tables = teams(seed=3)
    return team_panel(tables.team_quarter, tables.programme)


@pytest.mark.skipif(not REFERENCE, reason="ALIGNMENT_ROI_REFERENCE names no folder with mpdta")
def test_minimum_wages_and_teen_employment_come_out_as_published():
    """Callaway and Sant'Anna's county panel: README of their R package did 2.5.1, never-treated controls."""
    table = pd.read_csv(Path(REFERENCE) / "published_tables" / "mpdta.csv")
    wide = table.pivot_table(index="countyreal", columns="year", values="lemp")
    first = table.groupby("countyreal")["first.treat"].first().to_numpy()
    starts = np.where(first == 0, NEVER, first - 2003).astype(np.intp)
    whole = Panel(
        "lemp", wide.to_numpy(), starts, wide.index, tuple(str(year) for year in wide.columns), {}
    )
    cells = callaway_santanna.group_time(whole, control="never")
    published = [
        -0.0105,
        -0.0704,
        -0.1373,
        -0.1008,
        0.0065,
        -0.0028,
        -0.0046,
        -0.0412,
        0.0305,
        -0.0027,
        -0.0311,
        -0.0261,
    ]
    assert cells["effect"].round(4).tolist() == published
    event = callaway_santanna.by_event_time(cells)
    assert event.round(4).tolist() == [0.0305, -0.0006, -0.0245, -0.0199, -0.0510, -0.1373, -0.1008]
    assert round(event[event.index >= 0].mean(), 4) == -0.0772
    assert round(callaway_santanna.by_cohort(cells)[1], 4) == -0.0310


def test_an_effect_by_cohort_and_quarter_by_hand():
    """Cohort of two joins in quarter 3 and gains 6 and 2 on quarter 2 where others gain 1 and 3: 4 - 2 = 2."""
    whole = of_matrix([[0, 1, 7, 7], [0, 1, 3, 3], [0, 0, 1, 1], [0, 0, 3, 3]], [2, 2, None, None])
    got = callaway_santanna.group_time(whole)
    assert got[["quarter", "event_time", "effect"]].to_numpy().tolist() == [
        ["2024Q2", -1, 1.0],
        ["2024Q3", 0, 2.0],
        ["2024Q4", 1, 2.0],
    ]


def test_without_chance_both_estimators_say_what_was_put_there():
    whole = additive([0.1, 0.2, 0.3])
    got = callaway_santanna.estimate_by_cohort(whole)
    np.testing.assert_allclose(got.path, [0.1, 0.2, 0.3, 0.3], atol=1e-12)
    assert callaway_santanna.compare_estimates(
        imputation.estimate_effects(whole), got
    ).difference == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("never", "never_treated"), ("not yet", "not_yet_treated")]
)
def test_the_companion_is_what_diff_diff_says(simulated, ours, theirs):
    own = callaway_santanna.group_time(simulated, control=ours)
    other = parallel_trends.group_time_by_diff_diff(simulated, control=theirs)
    both = own.merge(other, on=["cohort", "quarter"], suffixes=("", "_other"), validate="1:1")
    assert len(both) == len(own) == len(other) == 33
    np.testing.assert_allclose(both["effect"], both["effect_other"], rtol=1e-9)


def test_two_estimators_disagree_where_the_reference_quarter_was_a_boom():
    """All adopters up by .5 in the quarter before the start alone: the companion sees a fall, imputation none."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(0, 0.02, (12, 8))
    matrix[:6, 3] += 0.5
    whole = of_matrix(matrix, [4] * 6 + [None] * 6)
    got = callaway_santanna.compare_estimates(
        imputation.estimate_effects(whole), callaway_santanna.estimate_by_cohort(whole)
    )
    assert not got.agrees
    assert got.difference == pytest.approx(0.5 * 3 / 4, abs=0.05)


def _periods(before, after, weights, error=0.01, df=30):
    n = len(before) + len(after)
    return parallel_trends.TrendPeriods(
        np.array(before), np.array(after), np.array(weights), error**2 * np.eye(n), df
    )


def test_bounds_by_hand():
    """Largest change before: |.03 - .01| = .02 and |0 - .03| = .03.  One step, then two: .5 x .03 x 1.5 = .0225."""
    got = parallel_trends.relative_magnitudes(
        _periods([0.01, 0.03], [0.2, 0.3], [0.5, 0.5]), m_bar=0.5
    )
    assert got.largest_change == pytest.approx(0.03)
    assert (got.set_low, got.set_high) == pytest.approx((0.2275, 0.2725))
    reach = 2.042272 * 0.01 / np.sqrt(2)  # t(30)
    assert (got.low, got.high) == pytest.approx((0.2275 - reach, 0.2725 + reach), abs=1e-6)
    assert got.breakdown == pytest.approx((0.25 - reach) / 0.045, abs=1e-4)
    assert got.excludes_zero


@pytest.mark.parametrize("n_quarters", [1, 2])
def test_the_bounds_are_what_diff_diff_says(simulated, n_quarters):
    made = parallel_trends.trend_periods(
        callaway_santanna.around_start(simulated), n_quarters=n_quarters
    )
    own, other = parallel_trends.relative_magnitudes(made), parallel_trends.by_diff_diff(made)
    for name in ("estimate", "set_low", "set_high", "low", "high"):
        assert getattr(own, name) == pytest.approx(getattr(other, name), rel=1e-9)


def test_periods_of_two_quarters_are_means_against_the_half_year_before():
    """Path -.4, -.2, -.1, (0) | .1, .3, .6: means -.3, -.05 | .2, .6, less -.05."""
    whole = additive([0.2])
    path = callaway_santanna.around_start(whole)._replace(
        event_quarters=(-4, -3, -2, 0, 1, 2),
        path=np.array([-0.4, -0.2, -0.1, 0.1, 0.3, 0.6]),
        without=np.zeros((7, 6)),
    )
    made = parallel_trends.trend_periods(path, n_quarters=2)
    np.testing.assert_allclose(made.before, [-0.25])
    np.testing.assert_allclose(made.after, [0.25, 0.65])
    np.testing.assert_allclose(made.weights, [2 / 3, 1 / 3])


def test_bounds_need_two_periods_before_every_start():
    path = callaway_santanna.around_start(additive([0.2]))
    with pytest.raises(
        CrmDataError, match="bounds need 2 periods of 2 quarters before every start"
    ):
        parallel_trends.trend_periods(path)


def test_m_bar_below_zero_is_refused():
    with pytest.raises(ValueError, match=r"m_bar must be at least 0, got -0.5"):
        parallel_trends.relative_magnitudes(_periods([0.01], [0.2], [1.0]), m_bar=-0.5)


def test_goodman_bacon_weights_add_up_to_the_two_way_regression():
    whole = additive([0.1, 0.2, 0.3, 0.4])
    got = parallel_trends.goodman_bacon(whole)
    treated = (np.arange(7) >= whole.starts[:, None]).astype(float)

    def within(x):
        return x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()

    x = within(treated)
    slope = (x * within(whole.matrix)).sum() / (x * x).sum()
    assert got["weight"].sum() == pytest.approx(1)
    assert (got["weight"] * got["estimate"]).sum() == pytest.approx(slope)
    assert (got["comparison"] == "later_vs_earlier").sum() == 1
    gap = whole._replace(matrix=np.where(np.eye(7, dtype=bool), np.nan, whole.matrix))
    with pytest.raises(CrmDataError, match="7 of 49 are not"):
        parallel_trends.goodman_bacon(gap)
