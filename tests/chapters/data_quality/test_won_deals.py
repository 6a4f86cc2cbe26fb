"""Bookings say what they rest on: deals without an amount, and amounts far out of scale."""

import math

import pandas as pd
import pytest

from analysis.chapters.data_quality import won_deals
from analysis.chapters.data_quality.won_deals import WonDeals
from analysis.stats.result import Result


@pytest.fixture
def deals() -> pd.DataFrame:
    """Return four deals won, one of them in the quarter before, and one lost."""
    return pd.DataFrame(
        {
            "status": ["won", "won", "won", "won", "lost"],
            "close_date": ["2026-07-01", "2026-09-30", "2026-08-15", "2026-06-30", "2026-08-01"],
            "deal_amount": [1_000.0, None, 900_000.0, 5_000.0, None],
            "flagged_by": [None, "won_without_amount", "stale amount_out_of_scale", None, None],
        }
    )


def bookings(amount: float) -> Result:
    return Result(
        "bookings", amount, math.nan, math.nan, "EUR", 3, "deals won", "sum", "opportunities"
    )


def test_a_quarters_won_deals_are_counted_by_close_date(deals):
    """The last of September counts, the last of June does not, a lost deal never."""
    assert won_deals.of_quarter(deals, "2026Q3", 1) == WonDeals(3, 1, 1, 900_000.0)


def test_a_quarter_in_which_nothing_was_won_has_no_won_deals(deals):
    assert won_deals.of_quarter(deals, "2024Q1", 1) == WonDeals(0, 0, 0, 0.0)


@pytest.mark.parametrize(("n_without", "is_known"), [(0, True), (2, True), (3, False), (20, False)])
def test_bookings_without_many_amounts_cannot_be_told(n_without, is_known):
    """2 of 20 are a tenth and pass; 20 of 20 would be a sum of 0."""
    got = won_deals.complete_bookings(bookings(0.0), WonDeals(20, n_without, 0, 0.0))
    assert got.is_known == is_known
    assert is_known or got.method == f"cannot tell: {n_without} of 20 won deals have no amount."


def test_a_quarter_without_won_deals_has_bookings_of_nothing():
    assert won_deals.complete_bookings(bookings(0.0), WonDeals(0, 0, 0, 0.0)).estimate == 0.0


def test_large_deals_are_shown_with_and_without(deals):
    says = won_deals.large_deals_sentence(
        901_000.0,
        WonDeals(3, 1, 1, 900_000.0),
        {"reconciliation": []},
        "2026Q3",
        currency="EUR",
        tolerance_rate=0.01,
    )
    assert says.startswith(
        "Bookings of 2026Q3 are €0.90M with and €1,000 without 1 deal: its amount is far out of scale"
    )


@pytest.mark.parametrize(("gap_rate", "is_said"), [(0.004, False), (-0.3, True)])
def test_finances_total_settles_large_deals_where_it_agrees(gap_rate, is_said):
    account = {"reconciliation": [{"quarter": "2026Q3", "gap_rate": gap_rate}]}
    says = won_deals.large_deals_sentence(
        2e6, WonDeals(3, 0, 2, 1e6), account, "2026Q3", currency="EUR", tolerance_rate=0.01
    )
    assert bool(says) == is_said
