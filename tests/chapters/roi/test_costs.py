"""By which way the effect came, what is apart from it, and the same money spent otherwise."""

import datetime as dt
import math
from types import SimpleNamespace

import pandas as pd
import pytest
from roi_case import programme

from analysis.chapters.roi import accounts, costs, mechanisms
from analysis.chapters.roi.accounts import BudgetCut
from analysis.chapters.roi.case import Uncertain
from analysis.chapters.roi.mechanisms import Way


def decomposed():
    effect = programme(lift=0.10, error=0.03).effect
    ways = [
        Way("Hours recovered", Uncertain(0.20, 0.03, 23), Uncertain(0.30, 0.10, 40)),
        Way("Leads recycled", Uncertain(0.02, 0.01, 15), Uncertain(1.0)),
    ]
    return mechanisms.decompose_effect(effect, ways, bookings_amount=1_000.0).set_index("role")


def test_ways_and_rest_add_up_to_the_total_and_nothing_is_added_to_it():
    """0.06 by hours, 0.02 by leads, 0.02 by neither: the total stays 0.10 and 1,000 x (exp(0.1) - 1)."""
    got = decomposed()
    assert got["log_points"].tolist() == pytest.approx([0.06, 0.02, 0.02, 0.10, 0.08])
    parts = got.loc[["way", "rest"], "bookings_amount"]
    total = got.loc["total", "bookings_amount"]
    assert parts.sum() == pytest.approx(total)
    assert total == pytest.approx(1_000 * math.expm1(0.10))


def test_the_sum_of_the_ways_stands_beside():
    assert decomposed().loc["beside", "bookings_amount"] == pytest.approx(1_000 * math.expm1(0.08))


def test_a_ways_error_joins_those_of_change_and_yield():
    """0.20 x 0.10 and 0.30 x 0.03: hypot(0.020, 0.009) = 0.021932; t(23) = 2.0687."""
    hours = decomposed().loc["way"].iloc[0]
    assert hours["high"] - hours["log_points"] == pytest.approx(2.0687 * 0.021932, rel=1e-4)


def test_all_opportunities_from_recycled_leads_is_refused():
    with pytest.raises(ValueError, match=r"recycled_share must be below 1, got 1\.0"):
        mechanisms.leads_change(Uncertain(1.0, 0.1, 5))


ASSETS = pd.DataFrame(
    {
        "asset_id": ["a1", "a2", "a3", "a4", "a5"],
        "created_on": pd.to_datetime(
            ["2025-01-01", "2025-01-01", "2025-01-01", "2025-12-20", "2025-01-01"]
        ),
        "is_in_library": [True, True, False, True, False],
        "production_hours": [10.0, 20.0, float("nan"), 40.0, 5.0],
    }
)
USES = pd.DataFrame(
    {"asset_id": ["a1", "a2"], "used_on": pd.to_datetime(["2025-12-01", "2025-03-01"])}
)


def test_material_unused_for_two_quarters_is_costed_and_young_material_is_not():
    """a2 was used too long ago, a3 and a5 never, a4 is 11 days old; a3's hours are unknown."""
    got = costs.unused_content(
        ASSETS, USES, as_of=dt.date(2025, 12, 31), marketing_hour_cost_amount=65.0
    )
    rows = got.set_index("place")
    assert rows.loc["in the shared library"].tolist() == [2, 1, 0, 20.0, 1_300.0]
    assert rows.loc["elsewhere"].tolist() == [2, 2, 1, 5.0, 325.0]


def test_a_negative_number_of_reports_is_refused():
    with pytest.raises(ValueError, match="must not be below 0, got -1"):
        costs.duplicate_reports(-1, 3.0, 60.0)


def test_hires_are_paid_from_their_teams_start_on():
    """Heads up by a quarter: a fifth of the 300 that team a's two reps cost from 2025Q1 on; b never joined."""
    stays = pd.DataFrame(
        {
            "team_id": ["a", "a", "a", "b"], "quarter": ["2024Q4", "2025Q1", "2025Q1", "2025Q1"],
            "base_amount": 100.0, "fringe_amount": 30.0, "overhead_amount": 20.0,
        }
    )  # fmt: skip
    got = costs.pay_of_hires(stays, {"a": "2025Q1"}, math.log(1.25))
    assert got.to_dict() == pytest.approx({"2025Q1": 60.0})
    assert costs.pay_of_hires(stays, {"a": "2025Q1"}, 0.0).to_dict() == {"2025Q1": 0.0}


@pytest.mark.parametrize(
    ("quota", "rule", "message"),
    [
        (1, [BudgetCut(0.8, 1.0), BudgetCut(0.9, 0.5)], "rule must not leave less budget for a higher attainment"),
        (0, [BudgetCut(0.8, 1.0)], "quota_amount must be above 0, got 0"),
    ],
)  # fmt: skip
def test_a_wrong_budget_rule_is_named(quota, rule, message):
    with pytest.raises(ValueError, match=message):
        accounts.next_budget(Uncertain(1.0), quota_amount=quota, budget_amount=1, rule=rule)


RULE = [BudgetCut(0.8, 0.5), BudgetCut(1.0, 0.9)]


def test_the_next_budget_by_hand():
    """Attainment normal around the upper cut: half of the draws lose nothing, 2.3% half, the rest a tenth."""
    got = accounts.next_budget(
        Uncertain(100.0, 10.0, 10**7), quota_amount=100.0, budget_amount=1_000.0, rule=RULE
    )
    assert got.probability_cut == pytest.approx(0.5, abs=0.02)
    assert (got.p10, got.p90) == (900.0, 1_000.0)


def test_more_bookings_never_mean_a_smaller_budget():
    levels = [
        accounts.next_budget(
            Uncertain(x, 10.0, 20), quota_amount=100.0, budget_amount=1_000.0, rule=RULE
        )
        for x in (60.0, 80.0, 100.0, 120.0)
    ]
    assert [x.probability_cut for x in levels] == sorted(
        (x.probability_cut for x in levels), reverse=True
    )
    assert [x.p50 for x in levels] == sorted(x.p50 for x in levels)
    assert levels[0] == accounts.next_budget(
        Uncertain(60.0, 10.0, 20), quota_amount=100.0, budget_amount=1_000.0, rule=RULE
    )


def test_one_account_of_both_functions_by_hand():
    """500 found by marketing and 300 by sales leave 0.6 of each; both cost 200: 2.4 to 1."""
    won = pd.DataFrame(
        {"deal_amount": [500.0, 100.0, 200.0, float("nan")], "campaign_id": ["c", None, None, None]}
    )
    got = accounts.joint_account(
        won,
        sales_cost_amount=150.0,
        marketing_cost_amount=50.0,
        gross_margin_rate=0.7,
        commission_rate=0.1,
    ).set_index("function")
    assert got["bookings_amount"].tolist() == [500.0, 300.0, 800.0]
    assert got["contribution_amount"].tolist() == pytest.approx([300.0, 180.0, 480.0])
    assert got["cost_amount"].tolist() == [50.0, 150.0, 200.0]
    assert got["n_without_amount"].tolist() == [0, 1, 1]
    assert got["contribution_per_unit"].isna().tolist() == [True, True, False]
    assert got.loc["total", "contribution_per_unit"] == pytest.approx(2.4)


def test_an_account_without_costs_is_refused():
    won = pd.DataFrame({"deal_amount": [1.0], "campaign_id": ["c"]})
    with pytest.raises(ValueError, match="costs must be above 0 together, got 0 of sales and 0"):
        accounts.joint_account(
            won,
            sales_cost_amount=0,
            marketing_cost_amount=0,
            gross_margin_rate=0.7,
            commission_rate=0.1,
        )


def test_where_no_pay_is_known_the_account_has_no_return():
    """Marketing's 50 alone against what both brought would be a return of sales for nothing."""
    won = pd.DataFrame({"deal_amount": [500.0, 300.0], "campaign_id": ["c", None]})
    got = accounts.joint_account(
        won,
        sales_cost_amount=math.nan,
        marketing_cost_amount=50.0,
        gross_margin_rate=0.7,
        commission_rate=0.1,
    ).set_index("function")
    assert got["cost_amount"].isna().tolist() == [False, True, True]
    assert got["contribution_per_unit"].isna().all()


@pytest.mark.parametrize(
    ("campaign_id", "campaigns", "found", "spent"),
    [("c", 1, [1, 0], 40.0), (None, 1, [math.nan] * 2, 40.0), ("c", 0, [1, 0], math.nan)],
)
def test_what_no_campaign_says_is_not_all_of_sales_finding(campaign_id, campaigns, found, spent):
    """One deal of 500: without a campaign id its finder is unknown, without campaigns their cost."""
    day = pd.Timestamp("2026-08-01")
    tables = {
        "opportunities": pd.DataFrame(
            {
                "status": ["won"],
                "close_date": [day],
                "deal_amount": [500.0],
                "campaign_id": [campaign_id],
            }
        ),
        "rep_quarter": pd.DataFrame(
            {
                "rep_id": ["a"],
                "quarter": ["2026Q3"],
                "base_amount": [100.0],
                "fringe_amount": [20.0],
                "overhead_amount": [0.0],
            }
        ),
        "campaigns": pd.DataFrame({"start_date": [day], "cost_amount": [40.0]}).head(campaigns),
        "programme_costs": pd.DataFrame(
            {
                "cost_id": ["1"],
                "period_start": [day],
                "period_end": [day],
                "kind": ["tools"],
                "cost_amount": [0.0],
            }
        ),
    }
    house = SimpleNamespace(
        company=SimpleNamespace(fiscal_year_start_month=1),
        money=SimpleNamespace(gross_margin_rate=0.7),
    )
    rate = SimpleNamespace(case=SimpleNamespace(commission_rate=SimpleNamespace(estimate=0.1)))
    got = accounts.account_of_company(tables, rate, quarter="2026Q3", house=house)
    got = got.set_index("function")
    assert got.loc[["marketing", "sales"], "n_won"].tolist() == pytest.approx(found, nan_ok=True)
    assert got.loc["total", ["n_won", "bookings_amount"]].tolist() == [1, 500.0]
    assert got.loc["marketing", "cost_amount"] == pytest.approx(spent, nan_ok=True)
    assert got.loc["sales", "cost_amount"] == 200.0  # 120 of one rep, to the next of 100, 200, 500
    assert math.isnan(got.loc["total", "contribution_per_unit"]) == math.isnan(spent)


def test_without_a_quota_the_next_budget_is_not_known_and_nothing_fails():
    panel = pd.DataFrame(
        {
            "quarter": ["2026Q2", "2026Q3"],
            "is_partial": False,
            "bookings_amount": 100.0,
            "quota_amount": math.nan,
        }
    )
    campaigns = pd.DataFrame({"start_date": pd.to_datetime(["2026-07-01"]), "cost_amount": [40.0]})
    got = accounts.budget_of_company(
        {"team_quarter": panel, "campaigns": campaigns},
        quarter="2026Q3",
        fiscal_year_start_month=1,
        rule=RULE,
    )
    assert all(math.isnan(figure) for figure in got)
