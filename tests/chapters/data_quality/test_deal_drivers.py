"""What moved bookings and the win rate."""

import pandas as pd
import pytest

from analysis.chapters.data_quality import deal_drivers


def team(segment="SMB", *, heads=10.0, won=30, lost=70, bookings=3_000.0):
    return {
        "team_id": segment, "segment": segment, "average_reps": heads, "n_won": won,
        "n_lost": lost, "bookings_amount": bookings,
    }  # fmt: skip


def test_one_driver_at_a_time_takes_all_of_the_change():
    then = pd.DataFrame([team()])
    for name, now in {
        "heads": team(heads=20.0, won=60, lost=140, bookings=6_000.0),
        "opportunities per rep": team(won=60, lost=140, bookings=6_000.0),
        "win rate": team(won=60, lost=40, bookings=6_000.0),
        "deal size": team(bookings=6_000.0),
    }.items():
        got = deal_drivers.bookings_drivers(then, pd.DataFrame([now]))
        assert got.parts[name] == pytest.approx(3_000.0), name
        assert sum(map(abs, got.parts.values())) == pytest.approx(3_000.0), name


def test_without_heads_all_opportunities_are_a_driver():
    """Unknown heads are not heads of zero."""
    tables = [
        pd.DataFrame([team(heads=float("nan"), won=n, lost=n, bookings=100.0 * n)]) for n in (1, 2)
    ]
    got = deal_drivers.bookings_drivers(*tables)
    assert got.parts == pytest.approx({"opportunities": 100.0, "win rate": 0.0, "deal size": 0.0})


def test_a_quarter_that_won_nothing_is_not_split():
    tables = [pd.DataFrame([team(won=n, bookings=0.0)]) for n in (0, 30)]
    assert deal_drivers.bookings_drivers(*tables) is None


def test_a_win_rate_that_fell_by_mix_alone():
    """SMB wins 40%, Enterprise 20%: half and half is 30%, all but a fifth Enterprise is 24%."""
    then = pd.DataFrame([team(won=40, lost=60), team("Enterprise", won=20, lost=80)])
    now = pd.DataFrame([team(won=16, lost=24), team("Enterprise", won=32, lost=128)])
    got = deal_drivers.win_rate_drivers(then, now)
    assert (got.then, got.now) == pytest.approx((0.30, 0.24))
    assert got.parts == pytest.approx({"mix of segments": -0.06, "win rate within segments": 0.0})


def test_a_quarter_that_closed_nothing_has_no_win_rate_to_split():
    tables = [pd.DataFrame([team(won=n, lost=0)]) for n in (0, 3)]
    assert deal_drivers.win_rate_drivers(*tables) is None


def test_a_company_of_one_segment_has_no_mix():
    """30 of 100 won, then 20 of 100: nothing lies within segments where none are kept."""
    then, now = (pd.DataFrame([team(None, won=n, lost=100 - n)]) for n in (30, 20))
    got = deal_drivers.win_rate_drivers(then, now)
    assert got.parts == pytest.approx({"win rate of all": -0.1})
