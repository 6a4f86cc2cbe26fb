"""A team's rows: its own, for the days its reps were in it, and no others."""

import json

import pandas as pd
import pytest

from analysis.store import team_rows

# r1 moves from A to B on 1 July; r2 is in B all the time
STAYS = pd.DataFrame(
    [("r1", "A", "2026-01-01", "2026-07-01"), ("r1", "B", "2026-07-01", None), ("r2", "B", None, None)],
    columns=["rep_id", "team_id", "valid_from", "valid_to"],
)  # fmt: skip
DEALS = pd.DataFrame(
    [
        ("d1", "r1", None, "2026-06-30"),
        ("d2", "r1", None, "2026-07-01"),
        ("d3", "r1", "r2", "2026-06-01"),  # closed by r2
        ("d4", "r1", None, None),  # open: of the team its owner is in last
    ],
    columns=["opportunity_id", "owner_rep_id", "owner_at_close_rep_id", "close_date"],
)
HISTORY = pd.DataFrame({"opportunity_id": ["d1", "d2"], "stage": ["won", "won"]})
TABLES = {"rep_team_history": STAYS, "opportunities": DEALS, "stage_history": HISTORY}


def ids(name, team, column="opportunity_id"):
    return team_rows.rows_of_team(name, team, TABLES.__getitem__)[column].tolist()


def test_a_deal_is_of_the_team_its_closer_was_in_on_the_day():
    assert ids("opportunities", "A") == ["d1"]
    assert ids("opportunities", "B") == ["d2", "d3", "d4"]


def test_what_hangs_on_a_deal_goes_with_it():
    assert ids("stage_history", "A") == ["d1"]


def test_a_team_knows_its_reps_for_its_own_days_only():
    """The stay in the other team would tell who went where."""
    assert len(team_rows.rows_of_team("rep_team_history", "A", TABLES.__getitem__)) == 1


@pytest.mark.parametrize("team", ["A", "B"])
def test_the_rows_of_a_team_alone_are_the_same_again(team):
    """A pack reads a view that holds nothing else."""
    own = {name: team_rows.rows_of_team(name, team, TABLES.__getitem__) for name in TABLES}
    for name in TABLES:
        again = team_rows.rows_of_team(name, team, own.__getitem__)
        pd.testing.assert_frame_equal(again, own[name])


@pytest.mark.parametrize("name", ["quarantine", "finance_bookings", "accounts", "compensation"])
def test_a_table_of_the_company_alone_has_no_rows_of_a_team(name):
    with pytest.raises(ValueError, match=f"table {name} has no rows of one team"):
        team_rows.rows_of_team(name, "A", {}.__getitem__)


def test_what_campaigns_cost_is_of_no_team():
    campaigns = pd.DataFrame({"campaign_id": ["c"], "cost_amount": [1e6]})
    assert team_rows.rows_of_team("campaigns", "A", {"campaigns": campaigns}.__getitem__).empty


def test_a_teams_account_holds_no_count_and_no_name_of_others():
    """What the gate found may name rows of another team."""
    finding = {
        "check": "owners_unknown", "table": "opportunities", "questions": ["bookings"], "severity": "withhold",
        "value": 0.25, "n": 4321, "sentence": "4321 of 9876 deals of Team Zebra; ids: Z1.", "remedy": "Ask Zebra.",
        "examples": ["Z1"], "accepted": None,
    }  # fmt: skip
    account = {
        "as_of": "2026-09-30", "first_day": "2024-01-01", "stamp": "s", "files": [{"file": "zebra.csv"}],
        "rules": [1], "refusals": [2], "reconciliation": [3],
        "tables": [{"table": "reps", "n_in": 9876, "n_clean": 4321, "columns": {"role": 4321, "fte": 0}}],
        "gate": {"questions": {"bookings": {"status": "withheld", "checks": ["owners_unknown"]}}, "findings": [finding]},
    }  # fmt: skip
    mine = team_rows.account_of_team(account)
    assert mine["gate"]["questions"] == account["gate"]["questions"]
    assert mine["tables"] == [
        {"table": "reps", "n_in": 1, "n_clean": 1, "columns": {"role": 1, "fte": 0}}
    ]
    text = json.dumps(mine)
    assert not [word for word in ("4321", "9876", "ebra", "Z1", "0.25") if word in text]
