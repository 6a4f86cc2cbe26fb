"""Published figures carry who says so and what they are not."""

from typing import get_args

import pytest

from analysis import claims
from analysis.claims import CLAIMS

VENDOR = {
    "cost_per_selling_hour": 399, "required_bookings_per_selling_hour": 3_788, "selling_hours_per_week": 11,
    "growth_aligned": 0.20, "growth_laggard": -0.04,
}  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda c: c.id)
def test_a_claim_says_all_of_itself(claim):
    """Unit, words, source, a plausible year, a grade, and the misreading it invites."""
    assert CLAIMS[claim.id] is claim
    assert all([claim.unit, claim.says, claim.source, claim.is_not])
    assert claim.grade in get_args(claims.Grade)
    assert 1990 < claim.year <= 2026
    assert claim.n is None or claim.n > 0


@pytest.mark.parametrize(("name", "value"), VENDOR.items())
def test_the_articles_figures_are_the_articles(name, value):
    assert CLAIMS[name].value == value


@pytest.mark.parametrize("name", VENDOR)
def test_a_vendors_figure_is_graded_as_a_vendors(name):
    """D with an n, E without."""
    claim = CLAIMS[name]
    assert claim.grade == ("D" if claim.n else "E")


def test_the_worked_example_gives_both_figures():
    """48 weeks of 11 hours are 528; 210,672 / 528 = 399.0 and 2,000,000 / 528 = 3,787.88."""
    hours = claims.WEEKS_PER_YEAR * claims.SELLING_HOURS_PER_WEEK
    assert hours == 528
    assert (claims.EXAMPLE_BASE_USD + claims.EXAMPLE_LOADINGS_USD) / hours == pytest.approx(399, abs=0.001)
    assert round(claims.EXAMPLE_QUOTA_USD / hours) == 3_788


def test_rates_are_shares_not_percent():
    shares = ("growth_aligned", "growth_laggard", "noncash_fringe_rate", "benefit_share", "selling_elasticity")
    assert all(-1 < CLAIMS[name].value < 1 for name in shares)
