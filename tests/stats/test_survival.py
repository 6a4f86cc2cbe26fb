"""Shares of those still on their way: by hand, beside statsmodels, and with owners who differ."""

import math

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight

from analysis.stats import survival
from analysis.stats.survival import cumulative_incidence, share_by

# Twelve leads with ties: day, and 0 open, 1 won, 2 lost.
DAYS = np.array([2, 2, 2, 3, 5, 5, 5, 7, 7, 8, 8, 8])
ENDS = np.array([1, 1, 0, 2, 1, 2, 0, 1, 0, 0, 1, 0])


def test_twelve_leads_with_ties_by_hand(figure):
    """At risk 12, 9, 8, 5, 3: won 2/12, then 20/27 x 1/8, 5/9 x 1/5 and 4/9 x 1/3; lost 5/54 twice.

    What is open at the end, 8/27, and the two shares sum to 1.
    """
    won = cumulative_incidence(DAYS, ENDS)
    lost = cumulative_incidence(DAYS, ENDS, cause=2)
    by_hand = [0, 0, 1 / 6, 1 / 6, 1 / 6, 7 / 27, 7 / 27, 10 / 27, 14 / 27]
    assert won.share == pytest.approx(by_hand)
    assert lost.share[[2, 3, 5, 8]] == pytest.approx([0, 5 / 54, 5 / 27, 5 / 27])
    assert won.n_risk.tolist() == [12, 12, 12, 9, 8, 8, 5, 5, 3]
    assert won.share[8] + lost.share[8] + 8 / 27 == pytest.approx(1)
    figure("000-30", f"twelve leads with ties: won by day 8 {won.share[8]:.4f} = 14/27")


def test_where_only_wins_end_a_lead_it_is_kaplan_meier():
    """The lost taken as open: 5/6 x 7/8 x 4/5 x 2/3 = 7/18 are not won."""
    curve = cumulative_incidence(DAYS, np.where(ENDS == 1, 1, 0))
    assert curve.share[-1] == pytest.approx(11 / 18)


def test_shares_and_errors_are_those_of_statsmodels():
    rng = np.random.default_rng(1)
    days, ends = rng.integers(0, 60, 400), rng.integers(0, 3, 400)
    days[0], ends[0] = 60, 0  # statsmodels divides by those left after the last
    curve, other = cumulative_incidence(days, ends), CumIncidenceRight(days + 1, ends)
    at = np.searchsorted(other.times, np.arange(55) + 1, side="right") - 1
    assert curve.share[:55] == pytest.approx(other.cinc[0][at], abs=1e-12)
    assert curve.error[:55] == pytest.approx(other.cinc_se[0][at], abs=1e-12)


def test_late_entry_by_hand():
    """Three from the start, three from day 4 on: day 3 has 3 at risk, day 5 the two left and 3 more.

    1/3, then 2/3 x 1/5.
    """
    days, ends = np.array([3, 5, 9, 9, 9, 9]), np.array([1, 1, 0, 0, 0, 0])
    entry = np.array([0, 0, 0, 4, 4, 4])
    curve = cumulative_incidence(days, ends, entry=entry)
    assert curve.share[[2, 3, 4, 5]] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3 + 2 / 15])
    assert curve.n_risk[[0, 3, 4, 5, 6]].tolist() == [3, 3, 5, 5, 4]


def test_the_counts_by_day_give_the_same_share():
    """The second way, which the jackknife uses, on entries and ends at random."""
    rng = np.random.default_rng(2)
    days, ends = rng.integers(0, 60, 300), rng.integers(0, 3, 300)
    entry = np.minimum(rng.integers(0, 20, 300), days)
    counts = survival.day_counts(days, ends, entry=entry)
    share = survival.incidence_of_counts(counts)[0]
    assert cumulative_incidence(days, ends, entry=entry).share == pytest.approx(share, abs=1e-12)


def test_leads_of_one_owner_count_as_the_owners_there_are():
    """Ten leads each of forty owners that all end alike are forty, not four hundred."""
    rng = np.random.default_rng(3)
    days, ends = rng.integers(1, 30, 40), rng.integers(0, 2, 40)
    owner = np.repeat(np.arange(40), 10)
    alone = cumulative_incidence(days, ends)
    ten = cumulative_incidence(np.repeat(days, 10), np.repeat(ends, 10), clusters=owner)
    unrelated = cumulative_incidence(np.repeat(days, 10), np.repeat(ends, 10))
    assert ten.share[15] == pytest.approx(alone.share[15])
    assert ten.error[15] == pytest.approx(alone.error[15], rel=0.1)
    assert unrelated.error[15] == pytest.approx(alone.error[15] / math.sqrt(10), rel=0.01)


def test_a_share_is_told_only_while_enough_are_watched():
    """Forty that come day by day and stay open: on day 30 ten are watched, on day 31 nine."""
    curve = cumulative_incidence(np.arange(40), np.zeros(40, dtype=int))
    assert share_by(curve, 30)[0] == 0
    assert math.isnan(share_by(curve, 31)[0])
    assert share_by(curve, 30)[2] > 0.2  # Wilson of none of ten


def test_many_who_went_out_of_sight_leave_too_few_to_tell():
    """Of thirty, fifteen are watched for a day, ten win on day 5: five are left, fewer than went."""
    days, ends = np.array([1] * 15 + [5] * 10 + [20] * 5), np.array([0] * 15 + [1] * 10 + [0] * 5)
    assert survival.last_day_told(cumulative_incidence(days, ends), 20) == 5


def test_the_error_of_owners_who_win_all_or_nothing_by_hand():
    """Ten of forty owners win all of their ten leads on day 1: p = 1/4, p (1 - p) / (G - 1)."""
    owner = np.repeat(np.arange(40), 10)
    is_won = owner < 10
    curve = cumulative_incidence(np.where(is_won, 1, 2), is_won.astype(int), clusters=owner)
    assert curve.error[1] == pytest.approx(math.sqrt(0.25 * 0.75 / 39))


def test_the_day_by_which_half_have_won_by_hand():
    """14/27 win by day 8, half of these, 7/27, by day 5; none has by day 1."""
    won = cumulative_incidence(DAYS, ENDS)
    assert survival.day_of_share(won, 0.5, 8) == 5
    assert math.isnan(survival.day_of_share(won, 0.5, 1))


def test_where_all_have_ended_every_later_day_is_known():
    """Twelve hires got there within 5 days: by day 90 all had."""
    curve = cumulative_incidence(np.array([1, 2, 5] * 4), np.ones(12, dtype=int))
    share, low, high = share_by(curve, 90)
    assert (share, high) == (1, 1)
    assert 0.7 < low < 0.8


def test_nothing_is_no_share():
    curve = cumulative_incidence(np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert math.isnan(share_by(curve, 0)[0])
    assert math.isnan(survival.day_of_share(curve, 0.5, 10))


def test_who_ends_before_coming_under_watch_is_refused():
    with pytest.raises(ValueError, match="must not be below 0, nor below entry"):
        cumulative_incidence(np.array([3]), np.array([1]), entry=np.array([4]))
