"""From a bookings target to leads and back: one linear map, shifted by lags, with growth."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead_panels import funnel, lead

from analysis.chapters.lead_funnel import lead_yield, reverse_funnel
from analysis.chapters.lead_funnel.lead_yield import LeadYield, share_by_month

WON = np.array([[0.05, 0.1, 0.05], [0.0, 0.02, 0.04]])
AMOUNT = np.array([1000.0, 5000.0])
MIX = np.array([0.75, 0.25])


def forward(first: float, growth: float, months: range) -> float:
    """Return what leads growing from `first` a month bring to `months`."""
    plan = first * (1 + growth) ** np.arange(months.stop)[:, None] * MIX
    return reverse_funnel.bookings_by_month(plan, WON, AMOUNT)[months.start :].sum()


@given(st.floats(1e3, 1e9), st.floats(-0.05, 0.1), st.integers(0, 8), st.integers(1, 6))
def test_forward_of_reverse_is_the_target(target, growth, begin, length):
    months = range(begin, begin + length)
    first = reverse_funnel.leads_for_bookings(target, WON, AMOUNT, MIX, growth, months)
    assert forward(first, growth, months) == pytest.approx(target, rel=1e-9)


def test_one_quarter_by_hand(figure):
    """Month 2 alone: 100 leads come in months 0, 1, 2 and bring 75 x 1,000 x (.05 + .1 + .05) and
    25 x 5,000 x (.04 + .02): 15,000 + 7,500.
    """
    months = range(2, 3)
    first = reverse_funnel.leads_for_bookings(22_500, WON, AMOUNT, MIX, 0.0, months)
    assert first == pytest.approx(100)
    error = abs(forward(first, 0.0, months) / 22_500 - 1)
    figure("001-13", f"forward(reverse(x)) = x: off by {error:.1e}")


def test_twice_the_pipeline_takes_twice_the_leads(figure):
    months = range(4, 7)
    once, twice = (
        reverse_funnel.leads_for_bookings(x, WON, AMOUNT, MIX, 0.01, months) for x in (1e6, 2e6)
    )
    assert twice == 2 * once
    figure("001-13", f"pipeline x 2 at unchanged rates: leads x {twice / once:.0f}")


def test_what_is_there_already_takes_none_and_what_comes_too_late_is_not_possible():
    assert reverse_funnel.leads_for_bookings(-1, WON, AMOUNT, MIX, 0.0, range(3)) == 0
    never = np.array([[0.0, 0.0, 0.0, 0.1]])
    late = reverse_funnel.leads_for_bookings(1, never, AMOUNT[:1], np.ones(1), 0.0, range(1))
    assert math.isnan(late)


def yields(draws: int = 1) -> LeadYield:
    return LeadYield(
        ["a", "b"], np.repeat(WON[None], draws, 0), np.repeat(AMOUNT[None], draws, 0),
        np.ones((draws, 1)), pd.Index(["R"]), 90, np.array([50, 50]),
    )  # fmt: skip


def test_leads_of_the_months_before_are_taken_off():
    """100 of a came in each of the last two months.  To the first month from now they bring
    100 x 1,000 x .1 and 100 x 1,000 x .05: 15,000; to the second 5,000.
    """
    arrivals = np.array([[100.0, 100.0], [0.0, 0.0]])
    assert reverse_funnel.from_past(arrivals, WON, AMOUNT, range(1)) == pytest.approx(15_000)
    assert reverse_funnel.from_past(arrivals, WON, AMOUNT, range(2)) == pytest.approx(20_000)


def test_a_plan_meets_its_target_in_todays_mix():
    """Three leads of a for one of b; what the plan and the past bring to the quarter is the target."""
    arrivals = np.array([[75.0] * 12, [25.0] * 12])
    plan = reverse_funnel.plan_leads(
        yields(2), arrivals, np.full(2, 90_000.0), as_of=dt.date(2025, 12, 31),
        first_day=dt.date(2026, 1, 1), growth_rate=0.2,
    )  # fmt: skip
    first = plan.leads[0]
    assert first[0] == pytest.approx(3 * first[1])
    grown = first * (1.2 ** (1 / 12)) ** np.arange(3)[:, None]
    brought = reverse_funnel.bookings_by_month(grown, WON, AMOUNT).sum()
    assert brought + plan.from_past[0] == pytest.approx(90_000, rel=1e-9)
    assert dt.date(2026, 1, 15) < plan.arrive_by < dt.date(2026, 3, 31)


def test_shares_by_month_keep_the_whole_and_come_later_than_the_lead():
    """All won on day 30: of leads spread over a month none in theirs but those of its first day, the
    others in the next.
    """
    share = np.concatenate([np.zeros(30), np.ones(91)])[None]
    by_month = share_by_month(share, 120)
    assert by_month.sum() == pytest.approx(1)
    assert by_month[0, 1] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("n_owners", "is_known"), [(4, False), (5, True)])
def test_few_owners_tell_no_interval(n_owners, is_known):
    """One owner drawn again and again is always the same: that is no certainty."""
    rows = [
        lead(k, rep_id=f"R{k % n_owners}", opportunity=2, won=9 + k % 7, outcome="won", deal_amount=5.0 + k)
        if k % 3
        else lead(k, rep_id=f"R{k % n_owners}")
        for k in range(60)
    ]  # fmt: skip
    brings = lead_yield.lead_yield(funnel(*rows), ["Web"])
    estimate, low, high = lead_yield.drawn_interval(brings.per_lead[:, 0])
    assert estimate > 0
    assert (low < high) == is_known


def test_bookings_with_a_lead_are_a_share_of_all():
    """30 of 100 have a lead; the deal without an amount is in neither."""
    deals = pd.DataFrame(
        {"opportunity_id": list("abc"), "owner_rep_id": ["R", "R", "X"], "deal_amount": [30.0, None, 70.0]}
    )  # fmt: skip
    assert reverse_funnel.share_of_leads(deals, {"a", "b"}, yields())[0] == pytest.approx(0.3)
