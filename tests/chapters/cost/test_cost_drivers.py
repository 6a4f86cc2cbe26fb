"""What moved the cost of an hour: the drivers, by hand and in simulated companies."""

import pandas as pd
import pytest
from simulated_panels import QUARTERS, small_panels

from analysis.chapters.cost import cost, cost_drivers
from analysis.chapters.data_quality import deal_drivers

SHARE = {"minimum_logged_share": 0.5}
HOUR = "cost_per_selling_hour"


def stay(rep="a", *, pay=40_000.0, available=400.0, sold=100.0, segment="SMB", **other):
    row = {
        "rep_id": rep, "team_id": "t", "segment": segment, "quarter": "2026Q3", "logged_share": 1.0,
        "base_amount": pay, "commission_amount": 0.0, "fringe_amount": 0.0, "overhead_amount": 0.0,
        "quota_amount": 400_000.0, "paid_hours": 500.0, "available_hours": available,
        "weeks_employed": 13.0, "selling_hours": sold, "selling_preparation_hours": sold,
        "selling_prospecting_hours": sold,
    }  # fmt: skip
    return row | other


def split(then, now, measure=HOUR):
    return cost_drivers.hour_drivers(pd.DataFrame(then), pd.DataFrame(now), measure, **SHARE)


def test_leave_and_pay_by_hand():
    """40,000 / 100 h = 400 becomes 36,000 / 80 h = 450: a fifth less to work, a tenth less pay.

    Hours first: 500, then pay 450.  Pay first: 360, then hours 450.  Hours 95, pay -45 on average.
    """
    got = split([stay()], [stay(pay=36_000.0, available=320.0, sold=80.0)])
    assert (got.then, got.now) == (400.0, 450.0)
    assert got.parts == pytest.approx(
        {
            "mix of segments": 0.0, "pay": -45.0, "hours to work": 95.0, "share of them sold": 0.0,
        }
    )  # fmt: skip


def test_selling_less_of_the_same_time_is_no_leave():
    """100 of 400 hours sold, then 80 of 400: 400 becomes 500, all of it by the share sold."""
    got = split([stay()], [stay(sold=80.0)])
    assert got.parts["share of them sold"] == pytest.approx(100.0)
    assert got.parts["hours to work"] == pytest.approx(0.0)


def test_a_dear_segment_that_joins_is_mix_and_no_raise():
    """An enterprise rep at 80,000 joins the one at 40,000: 400 becomes 120,000 / 200 = 600."""
    got = split([stay()], [stay(), stay("b", pay=80_000.0, segment="Enterprise")])
    assert got.parts["mix of segments"] == pytest.approx(200.0)
    assert got.parts["pay"] == pytest.approx(0.0)


def test_hours_a_week_have_no_pay_among_their_drivers():
    got = split([stay()], [stay(available=320.0, sold=80.0)], "selling_hours_per_week")
    assert got.parts == pytest.approx(
        {"mix of segments": 0.0, "hours to work": -20 / 13, "share of them sold": 0.0}
    )


def test_a_quarter_in_which_nobody_counts_is_not_split():
    assert split([stay(logged_share=0.2)], [stay()]) is None
    assert split([stay(sold=0.0)], [stay()]) is None


def test_leave_is_what_paid_hours_were_not_there_to_work():
    """500 paid, 400 to work."""
    assert cost_drivers.leave_share(pd.DataFrame([stay()]), **SHARE) == pytest.approx(0.2)


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 50), marks=pytest.mark.study)])
def test_drivers_sum_to_the_cent_in_50_simulated_companies(seeds):
    for seed in seeds:
        panels = small_panels(seed)
        stays, teams = ([panel[panel["quarter"] == q] for q in QUARTERS] for panel in panels)
        for measure in cost_drivers.FACTORS if seed < 5 else [HOUR]:
            got = cost_drivers.hour_drivers(*stays, measure, **SHARE)
            ends = [
                cost.estimate_cost(each, measure, **SHARE, currency="USD").estimate
                for each in stays
            ]
            assert [got.then, got.now] == pytest.approx(ends, rel=1e-12), (seed, measure)
            assert sum(got.parts.values()) == pytest.approx(ends[1] - ends[0], abs=0.005)
        booked = deal_drivers.bookings_drivers(*teams)
        sums = [float(each["bookings_amount"].sum()) for each in teams]
        assert sum(booked.parts.values()) == pytest.approx(sums[1] - sums[0], abs=0.005), seed
        rates = deal_drivers.win_rate_drivers(*teams)
        assert sum(rates.parts.values()) == pytest.approx(rates.change, abs=1e-12)
