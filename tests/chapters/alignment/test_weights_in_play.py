"""Practices to change first, and the hours in play with them."""

import math

import pandas as pd
import pytest

from analysis.chapters.alignment import weights
from analysis.project.errors import CrmDataError
from analysis.stats.result import Result

TEAMS = pd.DataFrame({"team_id": ["a", "b"], "team_name": ["North", None]})
HOURS = [
    "prospecting_class_hours",
    "internal_class_hours",
    "preparation_class_hours",
    "admin_class_hours",
]


def hour(amount: float, n: int = 40) -> Result:
    return Result(
        "cost_per_available_hour", amount, amount, amount, "USD per hour", n, "reps", "", ""
    )


@pytest.fixture
def stays() -> pd.DataFrame:
    rows = [
        ("a", "r1", 60.0, 10.0, 5.0, 5.0),
        ("a", "r2", 40.0, 20.0, 5.0, 5.0),
        ("b", "r3", 30.0, 30.0, 40.0, 20.0),
    ]
    return pd.DataFrame(rows, columns=["team_id", "rep_id", *HOURS])


@pytest.fixture
def first() -> pd.DataFrame:
    rows = [("a", "E01", "Definition", 0.0, 1.0, 6.0), ("b", "E23", "Vetted", 0.25, 0.75, 2.0)]
    return pd.DataFrame(rows, columns=["team_id", "item", "label", "share", "target", "gain"])


def test_no_more_is_in_play_than_the_practices_part_of_the_hours(first, stays):
    """E01 has 6 of 30 points: a fifth of 100 h. E23 has 4 of 15, half the gap: 60 h x 4/15 x 0.5 = 8 h, at $50 an hour."""
    got = weights.hours_in_play(first, stays, TEAMS, cost_of_hour=hour(50.0), smallest_cell=5)
    assert got["team"].tolist() == ["North", "b"]
    assert got["n_reps"].tolist() == [2, 1]
    assert got["hours"].tolist() == pytest.approx([20.0, 8.0])
    assert got["amount"].tolist() == pytest.approx([1000.0, 400.0])


def test_without_pay_hours_stay_and_money_is_unknown(first, stays):
    got = weights.hours_in_play(first, stays, TEAMS, cost_of_hour=hour(math.nan), smallest_cell=5)
    assert got["hours"].notna().all()
    assert got["amount"].isna().all()


def test_a_team_whose_time_is_unknown_has_no_hours_in_play(first, stays):
    got = weights.hours_in_play(
        first, stays[stays["team_id"] == "a"], TEAMS, cost_of_hour=hour(50.0), smallest_cell=5
    ).set_index("team")
    assert math.isnan(got.loc["b", "hours"])
    assert got.loc["b", "n_reps"] == 0


def test_a_panel_without_classes_is_refused(first, stays):
    with pytest.raises(CrmDataError, match="rep_quarter: needs prospecting_class_hours"):
        weights.hours_in_play(
            first,
            stays.drop(columns="prospecting_class_hours"),
            TEAMS,
            cost_of_hour=hour(50.0),
            smallest_cell=5,
        )


def test_what_few_are_paid_is_not_told_by_hours_and_money(first, stays):
    got = weights.hours_in_play(first, stays, TEAMS, cost_of_hour=hour(50.0, n=4), smallest_cell=5)
    assert got["hours"].notna().all()
    assert got["amount"].isna().all()
