"""Present values as the published TEI case has them, to the dollar."""

import math

import numpy as np
import pytest

from analysis.chapters.roi import benefit
from analysis.project.claims import CLAIMS

# A published TEI case: spent at the start, then three years.
INITIAL, COSTS, BENEFITS = 53_150, [666_715, 636_772, 647_783], [1_606_511, 3_061_331, 4_229_760]
RATE = CLAIMS["tei_discount_rate"].value


def test_the_published_case_comes_out_to_the_dollar():
    costs = benefit.present_value(COSTS, RATE, initial=INITIAL)
    benefits = benefit.present_value(BENEFITS, RATE)
    assert round(costs.item()) == 1_672_201
    assert round(benefits.item()) == 7_168_371
    assert round((benefits - costs).item()) == 5_496_170
    assert round(benefit.return_on_investment(benefits.item(), costs.item()), 2) == 3.29


def test_the_published_case_pays_back_in_its_first_month():
    """53,150 of the 939,796 that year 1 brings net are 0.68 months."""
    got = benefit.payback_months(np.subtract(BENEFITS, COSTS), initial=INITIAL)
    assert got.item() == pytest.approx(12 * 53_150 / 939_796)
    assert round(got.item(), 2) == 0.68


def test_quarters_are_discounted_by_quarters():
    """Four quarter ends: the last is a year away."""
    assert benefit.discount_factors(0.21, 4, periods_per_year=4)[[1, 3]] == pytest.approx(
        [1 / 1.1, 1 / 1.21]
    )


def test_risk_takes_from_benefits_and_adds_to_costs():
    benefits, costs = benefit.risk_adjusted([100.0, 50.0], [10.0], benefit_risk=0.2, cost_risk=0.1)
    assert benefits.tolist() == [80.0, 40.0]
    assert costs.tolist() == [11.0]


@pytest.mark.parametrize(
    ("net", "initial", "months"),
    [
        ([30.0, 30.0], 45.0, 18.0),
        ([-10.0, 20.0], 0.0, 18.0),
        ([10.0, 10.0], 0.0, 0.0),
        ([-10.0, 5.0], 0.0, math.inf),
        (
            [100.0, -150.0, 200.0],
            50.0,
            30.0,
        ),  # back below zero in year 2: paid back for good in year 3
        ([50.0], 50.0, 12.0),
    ],
)
def test_payback_by_hand(net, initial, months):
    """30 + 15 of 30; a dip first; never below; never above; -50, 50, -100, 100; on the last day."""
    assert benefit.payback_months(net, initial=initial).item() == pytest.approx(months)


def test_payback_of_many_draws_is_the_payback_of_each():
    net = np.array([[30.0, 30.0], [-10.0, 20.0], [-10.0, 5.0]])
    got = benefit.payback_months(net, initial=5.0, periods_per_year=4)
    each = [benefit.payback_months(row, initial=5.0, periods_per_year=4).item() for row in net]
    assert got.tolist() == each


def test_the_magic_number_takes_a_change_of_arr_once():
    """8.0 to 8.4 M of ARR on 1.4 M is 0.2857, not the 1.14 of a published example that takes it four times."""
    assert round(benefit.magic_number(1.4, arr_change=8.4 - 8.0), 4) == 0.2857
    assert round(benefit.magic_number(1.4, revenue_change=8.4 - 8.0), 2) == 1.14


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: benefit.magic_number(1.4), "arr_change or revenue_change, one of the two"),
        (lambda: benefit.magic_number(1.4, arr_change=1, revenue_change=1), "one of the two"),
        (
            lambda: benefit.magic_number(0, arr_change=1),
            "prior_quarter_cost must be above 0, got 0",
        ),
        (lambda: benefit.return_on_investment(1, 0), "costs must be above 0, got 0"),
        (lambda: benefit.discount_factors(-1, 2), "discount_rate must be above -1 a year, got -1"),
        (
            lambda: benefit.risk_adjusted(1, 1, benefit_risk=2, cost_risk=0),
            "benefit_risk must lie .* got 2",
        ),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
