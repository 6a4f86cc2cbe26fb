"""Goals, plans, targeting, content and requests: what was agreed and kept, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from alignment_tables import calendar, company, day, meetings, scored

from analysis.project.errors import CrmDataError

Q1 = {"period_start": day("2026-01-01"), "period_end": day("2026-04-01")}


def rows(*values, **columns):
    return pd.DataFrame(list(values)).assign(**columns)


def test_3_of_4_goals_have_an_owner_on_both_sides():
    """Three shared (one of them every team's), one of sales alone; one of the next quarter does not count."""
    goals = rows(
        {"team_id": "A", "sales_owner_rep_id": "A9", "marketing_owner_rep_id": "M1"},
        {"team_id": "A", "sales_owner_rep_id": "A1", "marketing_owner_rep_id": "M1"},
        {"team_id": None, "sales_owner_rep_id": "A9", "marketing_owner_rep_id": "M1"},
        {"team_id": "A", "sales_owner_rep_id": "A9", "marketing_owner_rep_id": None},
        **Q1,
    )
    later = goals.iloc[[0]].assign(period_start=day("2026-04-01"), period_end=day("2026-07-01"))
    goals = pd.concat([goals, later]).assign(goal_id=["G1", "G2", "G3", "G4", "G5"])
    tables = company(goals=goals)
    assert scored(tables, "E11")["share"] == 0.75
    assert scored(tables, "E11", team="B")["share"] == 1
    assert scored(tables, "E11", quarter="2026Q2")["n"] == 1


def test_a_plan_signed_on_its_first_day_came_too_late():
    """One signed by both before, one by marketing on the day, one never by sales."""
    plans = rows(
        {"signed_by_sales_on": day("2025-12-20"), "signed_by_marketing_on": day("2025-12-31")},
        {"signed_by_sales_on": day("2025-12-20"), "signed_by_marketing_on": day("2026-01-01")},
        {"signed_by_sales_on": None, "signed_by_marketing_on": day("2025-12-31")},
        plan_id=["P1", "P2", "P3"], team_id="A", **Q1,
    )  # fmt: skip
    assert scored(company(plans=plans), "E12")["share"] == pytest.approx(1 / 3)


def test_spend_with_both_targets_weighs_by_amount():
    """30 of 40 thousand has both; spend that is unknown is not counted.  (40^2)/(30^2 + 10^2) = 1.6 rows' worth."""
    targets = rows(
        {"spend_amount": 30_000.0, "volume_target": 100, "conversion_target": 0.2},
        {"spend_amount": 10_000.0, "volume_target": 100, "conversion_target": None},
        {"spend_amount": None, "volume_target": 100, "conversion_target": 0.2},
        team_id="A", **Q1,
    )  # fmt: skip
    got = scored(company(activity_targets=targets), "E13")
    assert (got["share"], got["n"]) == (0.75, pytest.approx(1.6))


@pytest.mark.parametrize(
    ("sales", "marketing", "parity"),
    [(0.1, 0.4, 0.25), (0.4, 0.1, 0.25), (0.0, 0.0, np.nan), (0.2, None, np.nan)],
)
def test_parity_is_the_smaller_share_over_the_larger(sales, marketing, parity):
    pay = rows({"side": "sales", "shared_outcome_rate": sales}, {"side": "marketing", "shared_outcome_rate": marketing},
               team_id="A", **Q1)  # fmt: skip
    pay["shared_outcome_rate"] = pay["shared_outcome_rate"].astype("float64")
    got = scored(company(incentives=pay), "E14")
    assert got["share"] == pytest.approx(parity, nan_ok=True)


def test_a_rate_above_one_is_refused():
    targets = rows({"spend_amount": -10.0, "volume_target": 1, "conversion_target": 0.2},
                   {"spend_amount": 30.0, "volume_target": 1, "conversion_target": None}, team_id="A", **Q1)  # fmt: skip
    with pytest.raises(CrmDataError, match=r"share must be 0 to 1, but 1 of 4 are not \(E13\)"):
        scored(company(activity_targets=targets), "E13")


def test_2_of_3_months_had_a_pack_of_three_to_five_metrics_sent_to_both():
    """January's went out twice, February's had nine metrics, March's reached marketing; April's never reached sales."""
    packs = rows(
        {
            "n_metrics": 4,
            "sent_to_sales_on": day("2026-01-05"),
            "sent_to_marketing_on": day("2026-01-06"),
        },
        {
            "n_metrics": 5,
            "sent_to_sales_on": day("2026-01-25"),
            "sent_to_marketing_on": day("2026-01-26"),
        },
        {
            "n_metrics": 9,
            "sent_to_sales_on": day("2026-02-05"),
            "sent_to_marketing_on": day("2026-02-06"),
        },
        {
            "n_metrics": 3,
            "sent_to_sales_on": day("2026-03-05"),
            "sent_to_marketing_on": day("2026-03-31"),
        },
        {"n_metrics": 3, "sent_to_sales_on": None, "sent_to_marketing_on": day("2026-04-30")},
        team_id="A",
    )
    got = scored(company(metric_packs=packs), "E15")
    assert (got["k"], got["n"], round(got["share"], 3)) == (2, 3, 0.667)


def lists(n_shared, n_each, **approvals):
    accounts = [("sales", i) for i in range(n_each)] + [
        ("marketing", i + n_each - n_shared) for i in range(n_each)
    ]
    both = {
        "approved_by_sales_on": day("2026-01-02"),
        "approved_by_marketing_on": day("2026-01-02"),
    }
    return pd.DataFrame(accounts, columns=["side", "account_id"]).assign(
        team_id="A", valid_from=day("2026-01-01"), valid_to=None, **(both | approvals)
    )


def test_60_of_80_accounts_are_on_both_lists():
    got = scored(company(target_accounts=lists(60, 70)), "E16")
    assert (got["k"], got["n"], got["share"]) == (60, 80, 0.75)


def test_a_list_nobody_approved_is_worth_nothing():
    assert (
        scored(company(target_accounts=lists(60, 70, approved_by_marketing_on=None)), "E16")[
            "share"
        ]
        == 0
    )


def test_a_list_that_ended_before_the_quarter_did_is_unknown():
    ended = lists(60, 70).assign(valid_to=day("2026-03-31"))
    assert np.isnan(scored(company(target_accounts=ended), "E16")["share"])


def test_notice_counts_working_days_and_wants_talking_points():
    """Monday the 2nd to Monday the 9th is five working days, four where Tuesday is a holiday."""
    notices = rows(
        {"team_id": "A", "notified_on": day("2026-03-02"), "has_talking_points": True},
        {"team_id": "A", "notified_on": day("2026-03-03"), "has_talking_points": True},
        {"team_id": "A", "notified_on": day("2026-03-02"), "has_talking_points": False},
        {"team_id": "A", "notified_on": None, "has_talking_points": True},
        {"team_id": "B", "notified_on": day("2026-03-02"), "has_talking_points": True},
        first_send_on=day("2026-03-09"), cites_agreed_narrative=pd.Series([True, False, False, None, True], dtype="object"),
    )  # fmt: skip
    holiday = rows({"date": day("2026-03-03"), "region": "APAC", "is_workday": False},
                   {"date": day("2026-03-04"), "region": "APAC", "is_workday": True})  # fmt: skip
    tables = company(campaign_notices=notices, working_calendar=holiday)
    assert scored(tables, "E17")["share"] == 0.25
    assert scored(tables, "E17", team="B")["share"] == 0
    assert scored(tables, "E18")["share"] == pytest.approx(1 / 3)


def test_field_time_is_capped_at_its_standard():
    """Three field days count as two of two; no campaign meeting with the team: (1 + 0) / 2."""
    days = [("A1", f"2026-02-{d:02d}T09:00", ("marketing", "customer")) for d in (2, 3, 4)]
    tables = company(
        **calendar(days), joint_meetings=meetings([("B", day("2026-02-02"), "campaign")])
    )
    assert scored(tables, "E19")["share"] == 0.5
    assert scored(tables, "E19", team="B")["share"] == 0.5


@pytest.fixture
def content():
    """Five assets: three old ones in the library, an old one outside, a new one in it."""
    assets = pd.DataFrame(
        {
            "asset_id": ["S1", "S2", "S3", "S4", "S5"],
            "team_id": ["A", "A", None, "A", "A"],
            "created_on": [day("2025-06-01")] * 4 + [day("2026-05-20")],
            "is_in_library": [True, True, True, False, True],
            "has_sales_input": [True, True, False, False, True],
        }
    )
    uses = pd.DataFrame(
        [
            ("S1", "A", "2026-02-01"),
            ("S1", "A", "2026-02-02"),
            ("S4", "A", "2026-02-03"),
            ("S3", "B", "2026-05-01"),
        ],
        columns=["asset_id", "team_id", "used_on"],
    )
    return company(assets=assets, asset_uses=uses.assign(used_on=uses["used_on"].map(day)))


def test_half_of_the_assets_used_lie_in_the_library(content):
    assert scored(content, "E20")["share"] == 0.5


def test_library_assets_used_in_two_quarters(content):
    """In Q2 team A can know S1, S2, S3 (S5 is too young) and used S1 in Q1; B knows S3 alone, and used it."""
    got = scored(content, "E21", quarter="2026Q2")
    assert (got["k"], got["n"]) == (1, 3)
    assert scored(content, "E21", team="B", quarter="2026Q2")["share"] == 1


def test_the_first_quarter_of_a_log_cannot_tell_two_quarters_of_use(content):
    assert np.isnan(scored(content, "E21")["share"])


def test_new_assets_with_sales_input(content):
    assert scored(content, "E22", quarter="2026Q2")["share"] == 1
    assert scored(content, "E22")["n"] == 0


def test_a_request_is_vetted_with_all_thirteen_answers_before_work():
    requests = pd.DataFrame(
        {
            "team_id": "A",
            "n_questions_answered": [13, 12, 13],
            "work_started_on": [day("2026-02-01"), day("2026-02-01"), None],
        }
    )
    got = scored(company(marketing_requests=requests), "E23")
    assert (got["k"], got["n"]) == (1, 2)
