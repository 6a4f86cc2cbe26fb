"""Promises against what came, each request in money, and "cannot tell" where nothing backs it."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from request_rows import END, log_of

from analysis.chapters.marketing_requests import request_choice, request_value
from analysis.chapters.marketing_requests.request_value import Prices, measured_promises
from analysis.project.settings import RequestSettings

PRICES = Prices(0.5, 65.0, 400.0)
NO_RATES = pd.DataFrame({"campaign_type": pd.Series(dtype=object), "bookings_amount": []})
DONE = dt.date(2026, 8, 1)


def past(n, *, ratio=0.5, unit="bookings"):
    """Return `n` promises of 1,000 each of which a share came, over four teams."""
    return pd.DataFrame(
        {
            "request_id": range(n),
            "team_id": [f"t{i % 4}" for i in range(n)],
            "promised": 1000.0,
            "came": 1000.0 * ratio,
        }
    )


def case(*rows, pool=None, rates=NO_RATES, prices=PRICES):
    pools = {"bookings": past(12) if pool is None else pool, "leads": past(12, ratio=0.25)}
    return request_value.request_case(
        log_of(*rows),
        pools,
        prices,
        bookings_per_lead=rates,
        rng=np.random.default_rng(0),
        n_draws=200,
    )


WHOLE = {
    "marketing_hours": 10.0,
    "cost_amount": 350.0,
    "selling_hours": 2.0,
    "promised_bookings_amount": 8000.0,
}


def test_a_request_in_money_by_hand():
    """8,000 x .5 kept x .5 margin is 2,000; 10 h x 65 + 350 + 2 h x 400 is 1,800; 200 are left, 850 before pay."""
    got = case(WHOLE)
    row = got.table.iloc[0]
    assert (row["benefit_amount"], row["cost_amount"], row["net_amount"]) == (2000, 1800, 200)
    assert (row["low"], row["high"], row["pays_chance"], row["verdict"]) == (
        200,
        200,
        1,
        "likely pays",
    )
    assert got.draws.mean() == 850


def test_leads_are_worth_what_the_funnel_says_of_their_activity():
    """40 leads x .25 kept x 600 a lead x .5 margin is 3,000, less 1,800."""
    rates = pd.DataFrame({"campaign_type": ["Webinar"], "bookings_amount": [600.0]})
    leads = WHOLE | {"promised_bookings_amount": None, "promised_leads": 40}
    got = case(
        leads | {"campaign_type": "Webinar"}, leads | {"campaign_type": "Email"}, rates=rates
    )
    assert got.table["net_amount"].tolist()[0] == 1200
    assert got.table["why"].tolist() == ["", "nothing says what a lead brings"]


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ("promised_bookings_amount", "nothing is promised"),
        ("marketing_hours", "hours of marketing are not stated"),
        ("cost_amount", "outlay is not stated"),
        ("selling_hours", "hours of selling are not stated"),
    ],
)
def test_what_nobody_stated_is_no_nought(lacks, says):
    got = case(WHOLE | {lacks: None})
    assert got.table["why"].item() == says
    assert got.table["verdict"].item() == "cannot tell"
    assert np.isnan(got.draws).all()
    assert math.isnan(got.table["net_amount"].item())


def test_few_measured_promises_back_none():
    assert case(WHOLE, pool=past(9)).table["why"].item() == "too few promises were measured"


def test_an_hour_of_selling_without_a_price_is_not_free_and_none_costs_nothing():
    prices = PRICES._replace(selling_hour_amount=math.nan)
    got = case(WHOLE, WHOLE | {"selling_hours": 0.0}, prices=prices)
    assert got.table["why"].tolist() == ["no hour of selling is costed", ""]
    assert got.table["net_amount"].tolist()[1] == 1000


def test_margin_that_is_not_known_leaves_all_unknown():
    got = case(WHOLE, prices=PRICES._replace(margin_rate=math.nan))
    assert got.table["why"].item() == "margin after commission is not known"
    assert got.table["verdict"].item() == "cannot tell"


def test_promises_count_once_they_are_done_and_measured():
    """Of five only the first: not done, not measured, not promised, promised nought."""
    rows = [
        {"done_on": DONE, "promised_bookings_amount": 9.0, "outcome_bookings_amount": 6.0},
        {"promised_bookings_amount": 9.0, "outcome_bookings_amount": 6.0},
        {"done_on": DONE, "promised_bookings_amount": 9.0},
        {"done_on": DONE, "outcome_bookings_amount": 6.0},
        {"done_on": DONE, "promised_bookings_amount": 0.0, "outcome_bookings_amount": 6.0},
    ]
    assert measured_promises(log_of(*rows), "bookings")["request_id"].tolist() == ["r1"]


def test_the_kept_share_is_a_ratio_of_sums_and_few_promises_have_none():
    promises = past(12).assign(came=[1000.0] * 3 + [400.0] * 9)
    kept = request_value.kept_share(promises, unit="bookings", source="x")
    assert kept.estimate == pytest.approx(6600 / 12000)
    assert kept.low < kept.estimate < kept.high
    alike = request_value.kept_share(past(12), unit="bookings", source="x")
    assert (alike.estimate, math.isnan(alike.low)) == (0.5, True)  # no spread is no certainty
    few = request_value.kept_share(past(9), unit="bookings", source="x")
    assert (few.is_known, few.verdict, few.n) == (False, "cannot tell", 9)


def simulated_promises(rng, *, optimism, n=240, n_teams=24):
    """Return promises of expected bookings times an optimism of ours, and what came by chance."""
    expected = 12_000 * np.exp(0.9 * rng.standard_normal(n))
    noise = np.exp(0.5 * rng.standard_normal(n) - 0.125)
    teams = [f"t{i % n_teams}" for i in range(n)]
    return pd.DataFrame({"request_id": range(n), "team_id": teams, "promised": optimism * expected, "came": expected * noise})  # fmt: skip


@pytest.mark.parametrize("optimism", [1.0, 1.5])
def test_the_optimism_that_was_planted_is_found_and_none_where_none_was(optimism, figure):
    """Of 200 companies the interval holds the truth in .93 to .97, give or take chance, and 1 is told from 1.5."""
    rng = np.random.default_rng(16)
    found = [
        request_value.optimism_of_askers(
            request_value.kept_share(
                simulated_promises(rng, optimism=optimism), unit="bookings", source="x"
            )
        )
        for _ in range(200)
    ]
    covered = np.mean([f.low < optimism < f.high for f in found])
    assert np.mean([f.estimate for f in found]) == pytest.approx(optimism, abs=0.03)
    assert 0.90 < covered < 0.985
    assert np.mean([f.low > 1 for f in found]) > 0.99 if optimism > 1 else covered > 0.9
    mean = np.mean([f.estimate for f in found])
    figure(
        "000-05", f"optimism {optimism} planted: {mean:.2f} found, covered in {covered:.3f} of 200"
    )


def test_what_waits_for_a_request_left_out_is_left_out_too():
    """r2 waits for r1, which cannot be valued, and r3 for r2; r4 waits for one that is done."""
    log = log_of(
        {"request_id": "r1"}, {"after_request_id": "r1"}, {"after_request_id": "r2"}, {"after_request_id": "old"},
    ).assign(amount=[np.nan, 1.0, 1.0, 1.0], why="", marketing_hours=1.0)  # fmt: skip
    got = request_choice.next_choice(
        log, {"old"}, RequestSettings(capacity_hours=9.0), begins=END, ends=dt.date(2027, 1, 1)
    )
    assert got.problem.requests == ("r4",)
    assert got.left_out.to_dict() == {request_choice.OUT_OF_HAND: 2, "cannot tell": 1}


def test_capacity_has_a_row_a_bound_and_a_deadline_has_the_hours_before_it():
    """1 November is 31 of 92 days on: 31 of 92 hours; a date before or after the quarter bounds nothing."""
    rows = [
        {"wanted_on": dt.date(2026, 11, 1), "skill": "design"}, {"wanted_on": dt.date(2027, 2, 1)},
        {"wanted_on": dt.date(2026, 9, 1), "skill": "web"},
    ]  # fmt: skip
    log = log_of(*rows).assign(amount=1.0, why="", marketing_hours=[1.0, 2.0, 4.0], cost_amount=5.0)
    stated = RequestSettings(capacity_hours=92.0, budget_amount=7.0, skill_hours={"design": 3.0})
    problem = request_choice.next_choice(
        log, set(), stated, begins=END, ends=dt.date(2027, 1, 1)
    ).problem
    assert problem.capacities == ("hours", "budget", "hours of design", "hours by 2026-11-01")
    assert problem.weights.tolist() == [[1, 2, 4], [5, 5, 5], [1, 0, 0], [1, 0, 0]]
    assert problem.limits.tolist() == pytest.approx([92, 7, 3, 31])


def test_what_is_in_work_is_taken_off_first_and_nothing_goes_below_nought():
    work = log_of(
        {"marketing_hours": 80.0, "cost_amount": 9.0, "skill": "design"}, {"marketing_hours": None}
    )
    stated = RequestSettings(
        capacity_hours=120.0, budget_amount=5.0, skill_hours={"design": 100.0, "web": 3.0}
    )
    left = request_choice.room_left(stated, work)
    assert (left.capacity_hours, left.budget_amount, left.skill_hours) == (
        40.0,
        0.0,
        {"design": 20.0, "web": 3.0},
    )
    assert request_choice.room_left(RequestSettings(), work).capacity_hours is None
