"""The win rate's interval: deals of a rep or team are won alike, so it is wider than Wilson's."""

import math

import pandas as pd
import pytest

from analysis.chapters.data_quality import clustered_win_rate
from analysis.stats import intervals


def panels(*reps):
    """Return panels of reps (team, won, lost)."""
    rows = [
        {"rep_id": f"r{i}", "team_id": t, "n_won": won, "n_lost": lost}
        for i, (t, won, lost) in enumerate(reps)
    ]
    stays = pd.DataFrame(rows)
    return stays.groupby("team_id", as_index=False)[["n_won", "n_lost"]].sum(), stays


def test_five_reps_who_win_all_or_nothing_are_five_facts_and_not_fifty():
    """Leaving out one: 20/40 or 30/40.

    Mean 0.6; squares 3 x 0.1^2 + 2 x 0.15^2 = 0.075 x 4/5 = 0.06; the error is its root, 0.245.
    """
    teams, stays = panels(*[("t", 10, 0)] * 3, *[("t", 0, 10)] * 2)
    error, n = clustered_win_rate.clustered_error(stays.assign(n_closed=10))
    assert (error, n) == (pytest.approx(math.sqrt(0.06)), 5)
    got = clustered_win_rate.clustered_win_rate(teams, stays, "")
    assert got.estimate == 0.6
    assert (got.low, got.high) == (0.0, 1.0)
    assert "by rep and team" in got.method


def test_it_is_never_narrower_than_wilsons():
    """Reps who all win alike say nothing of chance."""
    teams, stays = panels(*[("t", 3, 7)] * 8)
    got = clustered_win_rate.clustered_win_rate(teams, stays, "")
    assert (got.low, got.high) == pytest.approx(intervals.share_interval(24, 80))
    assert "Wilson" in got.method


def test_fewer_than_five_reps_have_wilsons_interval():
    teams, stays = panels(("t", 10, 0), ("t", 0, 10))
    got = clustered_win_rate.clustered_win_rate(teams, stays, "")
    assert "Wilson" in got.method


def test_deals_of_no_rep_count_as_their_teams():
    """The team closed ten more than its reps did: a sixth cluster, and the same rate."""
    teams, stays = panels(*[("t", 5, 5)] * 5)
    got = clustered_win_rate.clustered_win_rate(teams.assign(n_won=35), stays, "")
    assert (got.estimate, got.n) == (pytest.approx(35 / 60), 60)


def test_nothing_closed_is_no_rate_of_zero():
    teams, stays = panels(("t", 0, 0))
    got = clustered_win_rate.clustered_win_rate(teams, stays, "")
    assert not got.is_known
    assert math.isnan(got.low)
