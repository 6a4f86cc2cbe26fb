"""What came in and what the data can answer: the account of a pass, as tables."""

import math

import pandas as pd
import pytest

from analysis.chapters.data_quality import clustered_win_rate, hours_sources, row_accounts
from analysis.project.errors import CrmDataError

NAN = math.nan


@pytest.fixture
def account():
    """Ten opportunities, of which one is quarantined and two dropped; four activities, one quarantined."""
    tables = [("opportunities", 10, 7, 1, 2), ("activities", 4, 3, 1, 0), ("quotas", 0, 0, 0, 0)]
    rules = [
        ("opportunities", "amount_contradicts_history", "quarantine", 0, 10, 0.0, 0.0),
        ("opportunities", "missing_required", "quarantine", 1, 10, 50.0, None),
        ("opportunities", "repeat", "drop", 2, 10, 70.0, None),
        ("activities", "longer_than_8_hours", "quarantine", 1, 4, None, 24.0),
    ]
    held = {
        "opportunities": {"status": 7, "close_date": 7, "raw_amount": 7},
        "activities": {"started_at": 3},
    }
    return {
        "files": [
            {"file": "Opportunity.csv", "n_rows": 10, "layout": "Opportunity (Salesforce)", "tables": ["opportunities"]},
            {"file": "Lead.csv", "n_rows": 5, "layout": "Lead (Salesforce)", "tables": []},
        ],
        "refusals": [{"file": "pay.csv", "reason": "its 2 columns (jane@example.com, 100000) are no export known here"}],
        "tables": [
            {"table": t, "n_in": i, "n_clean": c, "n_quarantined": q, "n_dropped": d, "columns": held.get(t, {})}
            for t, i, c, q, d in tables
        ],
        "rules": [
            {
                "table": t, "rule": r, "action": a, "n_rows": n, "n_of": of,
                "money_amount": money, "hours": hours, "reason": "why",
            }
            for t, r, a, n, of, money, hours in rules
        ],
        "reconciliation": [
            {"quarter": "2026Q1", "bookings_amount": 99.0, "finance_amount": 100.0, "gap_rate": -0.01},
            {"quarter": "2026Q2", "bookings_amount": 101.5, "finance_amount": 100.0, "gap_rate": 0.015},
        ],
    }  # fmt: skip


@pytest.fixture
def teams():
    """Two teams over two quarters, the second of them not over yet."""
    return pd.DataFrame(
        {
            "team_id": ["a", "b", "a", "b"],
            "team_name": ["A", "B", "A", "B"],
            "quarter": ["2026Q1", "2026Q1", "2026Q2", "2026Q2"],
            "n_reps": [6, 7, 6, 0],
            "n_won": [2, 1, 1, 0],
            "n_lost": [1, 4, 1, 0],
            "bookings_amount": [20.0, 10.0, 30.0, 0.0],
            "is_partial": [False, False, True, True],
            "logged_share": [0.95, 0.5, 0.92, NAN],
            "logging_change": [None, "coverage", None, None],
        }
    )


NO_STAYS = pd.DataFrame(columns=["rep_id", "team_id", "quarter", "n_won", "n_lost"])


def test_the_ledger_accounts_for_every_row(account):
    """A table that no export fills has no line."""
    got = row_accounts.rows_ledger(account)
    exp = pd.DataFrame(
        [("opportunities", 10, 7, 1, 2), ("activities", 4, 3, 1, 0)],
        columns=["table", "rows_in", "clean", "quarantined", "dropped"],
    )
    pd.testing.assert_frame_equal(got, exp)
    assert (got["rows_in"] == got[["clean", "quarantined", "dropped"]].sum(axis="columns")).all()


def test_a_rule_says_its_share_of_the_table_it_looked_at(account):
    """1 and 2 of 10, 1 of 4; a rule that matched nothing is not listed."""
    got = row_accounts.rules_that_matched(account)
    assert got["rule"].tolist() == ["missing_required", "repeat", "longer_than_8_hours"]
    assert got["share"].tolist() == [0.1, 0.2, 0.25]
    assert got["money_amount"].tolist()[:2] == [50.0, 70.0]
    assert got["money_amount"].isna().tolist() == [False, False, True]


def test_rules_of_a_spotless_dataset_are_an_empty_table(account):
    got = row_accounts.rules_that_matched(account | {"rules": []})
    assert got.empty
    assert got["money_amount"].dtype == float


def test_files_say_how_they_were_understood_and_what_they_fill(account):
    got = row_accounts.files_understood(account)
    assert got["file"].tolist() == ["Opportunity.csv", "Lead.csv", "pay.csv"]
    assert got["fills"].tolist() == ["opportunities", "nothing reads it yet", "nothing"]
    assert got["rows"].isna().tolist() == [False, False, True]


def test_what_stood_in_a_refused_file_does_not_reach_the_report(account):
    """A file without a header is refused with its first row, which may be somebody's pay."""
    got = row_accounts.files_understood(account).to_string()
    assert "jane@example.com" not in got
    assert "100000" not in got
    assert "pay.csv" in got


def test_the_gap_to_finance_is_that_of_the_quarter(account):
    got = row_accounts.finance_gap(account, "2026Q2")
    assert (got.estimate, got.n, got.n_of) == (0.015, 2, "quarters reconciled")
    assert math.isnan(got.low)
    assert got.verdict is None


def test_the_gap_is_unknown_where_finance_states_nothing(account):
    assert not row_accounts.finance_gap(account, "2026Q3").is_known
    assert not row_accounts.finance_gap(account | {"reconciliation": []}, "2026Q2").is_known


def test_the_furthest_gap_is_named_whatever_its_sign(account):
    assert row_accounts.gap_sentence(account) == (
        "Bookings in the CRM lie between \N{MINUS SIGN}1.00% and +1.50% of finance's totals over 2 quarters; furthest in 2026Q2."
    )
    assert row_accounts.gap_sentence(account | {"reconciliation": []}) == (
        "Bookings are not reconciled: the exports hold no finance_bookings."
    )


def test_deals_closed_are_summed_by_quarter(teams):
    """3 won of 8, then 1 of 2; a quarter with a partial team is partial."""
    got = row_accounts.closed_deals(teams, NO_STAYS).set_index("quarter")
    assert got["win_rate"].tolist() == [0.375, 0.5]
    assert got["bookings_amount"].tolist() == [30.0, 30.0]
    assert got["is_partial"].tolist() == [False, True]
    assert (got["low"] < got["win_rate"]).all()
    assert (got["win_rate"] < got["high"]).all()


def test_a_quarter_without_a_deal_closed_has_no_win_rate(teams):
    """Nothing won of nothing closed is not 0 %."""
    teams[["n_won", "n_lost"]] = 0
    got = row_accounts.closed_deals(teams, NO_STAYS)
    assert got[["win_rate", "low", "high"]].isna().all(axis=None)
    assert got["n_won"].tolist() == [0, 0]
    rate = clustered_win_rate.clustered_win_rate(teams, NO_STAYS, "")
    assert not rate.is_known
    assert math.isnan(rate.low)


def test_the_win_rate_by_hand(teams):
    """4 of 10; Wilson's interval is (0.1682, 0.6873), as tables give it."""
    got = clustered_win_rate.clustered_win_rate(teams, NO_STAYS, "opportunities")
    assert (got.estimate, got.n, got.source) == (0.4, 10, "opportunities")
    assert got.low == pytest.approx(0.1682, abs=5e-5)
    assert got.high == pytest.approx(0.6873, abs=5e-5)


def test_bookings_are_a_total_and_have_no_interval(teams):
    got = row_accounts.quarter_bookings(teams, "2026Q1", "EUR")
    assert (got.estimate, got.unit, got.n, got.n_of) == (30.0, "EUR", 3, "deals won")
    assert math.isnan(got.low)


def test_bookings_of_a_quarter_that_is_not_there_are_refused(teams):
    with pytest.raises(CrmDataError, match=r"team_quarter: no row in 2027Q1"):
        row_accounts.quarter_bookings(teams, "2027Q1", "EUR")


def test_logging_shows_the_last_quarters_of_teams_with_reps(teams):
    """Team B had nobody in the second quarter: no row, rather than a team that logged nothing."""
    got = hours_sources.logged_days(teams, 2, "2026Q2")
    assert list(zip(got["team_name"], got["quarter"], strict=True)) == [
        ("A", "2026Q1"),
        ("A", "2026Q2"),
        ("B", "2026Q1"),
    ]
    assert hours_sources.logged_days(teams, 1, "2026Q2")["team_name"].tolist() == ["A"]
    assert hours_sources.logged_days(teams, 2, "2026Q1")["quarter"].unique().tolist() == ["2026Q1"]


def test_logging_in_a_sentence_counts_teams_not_rows(teams):
    """B logged half its days in one quarter; A at least nine tenths in both."""
    assert hours_sources.logging_sentence(hours_sources.logged_days(teams, 2, "2026Q2")) == (
        "2 teams over 2 quarters; 1 of them logged less than 90% of their working days in at least one quarter. "
        "Logging changed: B 2026Q1 (coverage)."
    )
    assert hours_sources.logging_changes(teams.iloc[:1]) == "Logging changed: nowhere."


def test_at_stake_is_what_quarantine_took_and_could_have_been_right(account):
    """50 of 200 in money; the 24 hours are known to be wrong, and what was dropped is no fact."""
    deals = pd.DataFrame({"deal_amount": [150.0, 50.0, NAN]})
    activities = pd.DataFrame({"minutes": [60.0, 60.0]})
    got = row_accounts.at_stake(account, deals, activities, "EUR").set_index("measure")
    assert got.loc["contract value of opportunities [EUR]"].tolist() == [200.0, 50.0, 0.25, 1]
    assert got.loc["hours of activities [h]"].tolist() == [2.0, 0.0, 0.0, 0]


def test_at_stake_without_anything_clean_has_no_share(account):
    empty = pd.DataFrame({"deal_amount": [], "minutes": []})
    assert row_accounts.at_stake(account, empty, empty, "EUR")["share"].isna().all()


def test_all_rows_in_one_sentence(account):
    """14 in: 10 clean, 2 and 2; if one were lost, the sentence would say so."""
    said = row_accounts.rows_sentence(account)
    assert said == (
        "71.4% of 14 rows were usable; 2 (14.29%) are in doubt and set aside, 2 (14.29%) are repeats "
        "and the like."
    )
    account["tables"][1]["n_in"] = 5
    assert row_accounts.rows_sentence(account).endswith("1 are unaccounted for.")


def test_closed_deals_in_one_sentence(teams):
    assert row_accounts.closed_sentence(teams, NO_STAYS) == (
        "All quarters together: 4 won of 10 closed, a win rate of 40.00% (16.8% to 68.7%). Partial: 2026Q2."
    )


def test_tables_that_lost_nothing_share_a_row():
    """10 and 20 rows without a loss are one row of 30; the rows still sum to all."""
    ledger = pd.DataFrame(
        [("reps", 10, 10, 0, 0), ("deals", 100, 90, 4, 6), ("goals", 20, 20, 0, 0)],
        columns=["table", "rows_in", "clean", "quarantined", "dropped"],
    )
    got = row_accounts.largest_losses(ledger)
    assert got.to_numpy().tolist() == [["deals", 100, 90, 4, 6], ["2 others", 30, 30, 0, 0]]
    pd.testing.assert_frame_equal(
        row_accounts.largest_losses(ledger[ledger["table"] == "deals"]),
        ledger[ledger["table"] == "deals"],
    )
