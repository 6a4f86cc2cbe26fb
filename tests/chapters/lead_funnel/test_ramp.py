"""How long a new rep takes: own deals alone, leavers as long as they were there, targets that fit."""

import datetime as dt
import math

import pandas as pd
import pytest

from analysis.chapters.lead_funnel import deal_horizon, ramp

D = dt.date
PERIODS = pd.DataFrame(
    {"quarter": ["2025Q1", "2025Q2"], "from_day": [D(2025, 1, 1), D(2025, 4, 1)], "until_day": [D(2025, 4, 1), D(2025, 7, 1)]}
)  # fmt: skip


HIRED = D(2025, 1, 10)


def rep(name, hired=HIRED, left=None):
    return {"rep_id": name, "role": "rep", "hired_on": hired, "left_on": left}


def deal(name, close, status="won", amount=100.0):
    made = dt.datetime(2025, 2, 1, 9, tzinfo=dt.UTC)
    row = {"opportunity_id": name, "created_at": made, "close_date": close}
    return row | {"status": status, "deal_amount": amount}


REPS = pd.DataFrame(
    [rep("new"), rep("left", left=D(2025, 3, 11)), rep("old", D(2020, 1, 1)), rep("heir")]
)
DEALS = pd.DataFrame([deal("own", D(2025, 5, 10)), deal("inherited", D(2025, 1, 20))])
CREATORS = pd.Series({"own": "new", "inherited": "old"})
STAYS = pd.DataFrame(
    [("new", "2025Q2", 100.0, 100.0), ("heir", "2025Q1", 500.0, 100.0), ("heir", "2025Q2", 500.0, 100.0)],
    columns=["rep_id", "quarter", "bookings_amount", "quota_amount"],
)  # fmt: skip


@pytest.fixture
def hires():
    return ramp.new_hires(
        REPS, DEALS, CREATORS, STAYS, PERIODS, first_day=D(2025, 1, 1), as_of=D(2025, 6, 30)
    )


def test_own_deals_count_and_inherited_ones_do_not(hires):
    """New won its own on day 120; heir closed the old rep's and has none; old was there before."""
    rows = hires.rows.set_index("rep_id")
    assert rows["deal"].dropna().to_dict() == {"new": 120}
    assert rows["opportunity"].dropna().to_dict() == {"new": 22}
    assert hires.n_before == 1


def test_without_hire_dates_and_quarters_nobody_is_new():
    """As HubSpot alone exports it: no day of hire, and no stay, whose ids then are no text."""
    got = ramp.new_hires(
        REPS.assign(hired_on=None), DEALS, CREATORS, STAYS.iloc[:0].astype({"rep_id": float}), PERIODS,
        first_day=D(2025, 1, 1), as_of=D(2025, 6, 30),
    )  # fmt: skip
    assert (len(got.rows), got.n_before) == (0, 4)


def test_without_deals_nobody_got_anywhere():
    """Leads alone: hires are there, and what they won nobody exported."""
    got = ramp.new_hires(
        REPS, DEALS.iloc[:0], CREATORS.iloc[:0], STAYS.iloc[:0], PERIODS,
        first_day=D(2025, 1, 1), as_of=D(2025, 6, 30),
    )  # fmt: skip
    assert got.milestones == ()
    assert ramp.ramp_table(got).empty  # and not none of three
    assert "cannot tell" in ramp.ramp_step(ramp.ramp_table(got))


def test_where_nobody_was_hired_since_the_data_begin_there_is_no_row():
    stays = STAYS.assign(rep_id="old")
    got = ramp.new_hires(
        REPS.iloc[[2]], DEALS, CREATORS, stays, PERIODS,
        first_day=D(2025, 1, 1), as_of=D(2025, 6, 30),
    )  # fmt: skip
    assert (len(got.rows), got.n_before) == (0, 1)
    assert ramp.ramp_table(got).empty
    assert "cannot tell" in ramp.ramp_step(ramp.ramp_table(got))


def test_who_left_counts_until_then(hires):
    assert hires.rows.set_index("rep_id")["watched"].to_dict() == {
        "new": 171,
        "left": 60,
        "heir": 171,
    }


def test_quota_is_of_whole_quarters_and_apart_for_own_deals(hires):
    """Heir's first quarter began before the hire; its second is at quota on others' deals alone."""
    rows = hires.rows.set_index("rep_id")
    assert rows["quota"].dropna().to_dict() == {"new": 171, "heir": 171}
    assert rows["own_quota"].dropna().to_dict() == {"new": 171}


def test_half_of_hires_are_there_by_the_fair_day():
    """Sixteen hires, four leave on day 20; of the 12 left nine win on day 50: three in four."""
    rows = pd.DataFrame(
        {"watched": [20] * 4 + [200] * 12, "deal": [None] * 4 + [50.0] * 9 + [None] * 3}
    )
    curve = ramp.milestone_curve(ramp.Hires(rows.astype({"deal": "float64"}), 0), "deal")
    assert curve.share[50] == pytest.approx(0.75)
    assert ramp.fair_day(curve) == 50
    assert math.isnan(ramp.fair_day(curve, 0.9))


def test_ninety_days_against_eighteen_months_is_out_of_reach(figure):
    """Log-normal, median 548 days, spread 0.5: 0.00015 by day 90; with a cycle of 60 days it is not."""
    table = ramp.target_feasibility({"article": ramp.ARTICLE, "quick": ramp.Cycle(60.0, 0.5, 40)})
    assert round(table["chance"][0], 5) == 0.00015
    assert table["is_feasible"].tolist() == [False, True]
    figure(
        "002-06",
        f"P(<= 90 d) = {table['chance'][0]:.5f}: {'possible' if table['is_feasible'][0] else 'out of reach'}",
    )


def test_who_moved_a_deal_first_created_it_else_its_owner():
    history = pd.DataFrame(
        {"opportunity_id": ["a", "a"], "entered_at": ["2025-02-02", "2025-02-01"], "changed_by_rep_id": ["new", "old"]}
    )  # fmt: skip
    deals = pd.DataFrame({"opportunity_id": ["a"], "owner_rep_id": ["heir"]})
    assert ramp.creators_of(deals, history, REPS)["a"] == "old"
    nobody = history.assign(changed_by_rep_id=None)
    assert ramp.creators_of(deals, nobody, REPS)["a"] == "heir"


def test_too_few_deals_have_no_cycle_of_their_own():
    assert ramp.sales_cycle(DEALS) is None


def test_the_ninetieth_day_is_later(figure):
    """Due in 89, 90 and 91 days: one is near, shares sum to 1; an hour on each counts alike."""
    as_of = D(2025, 3, 31)
    deals = pd.DataFrame([deal(str(n), as_of + dt.timedelta(days=n), "open") for n in (89, 90, 91)])
    work = pd.DataFrame(
        {
            "opportunity_id": ["89", "90", "91"], "minutes": 60.0, "is_all_day": False,
            "started_at": dt.datetime(2025, 3, 31, 10, tzinfo=dt.UTC),
        }
    )  # fmt: skip
    table = deal_horizon.split_by_horizon(deals, work, first_day=D(2025, 3, 1), as_of=as_of)
    assert table["n_deals"].tolist() == [1, 2, 0]
    assert table["amount_share"].sum() == pytest.approx(1)
    assert table["hours"].tolist() == [1, 2, 0]
    figure(
        "002-20",
        f"days 89, 90, 91: {table['n_deals'][0]:.0f} near, {table['n_deals'][1]:.0f} later; shares sum to {table['amount_share'].sum():.0%}",
    )
