"""The cost of an hour of selling taken apart; every number by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.cost import chapter, cost_breakdown
from analysis.project.errors import CrmDataError
from analysis.tables.canonical import ACTIVITY_CLASSES

BASIS = {"minimum_logged_share": 0.5, "currency": "USD"}


@pytest.fixture
def stays():
    """Four reps of two teams, fully logged but d, who logged 0.4 and does not count."""
    table = pd.DataFrame(
        {
            "rep_id": ["a", "b", "c", "d"],
            "team_id": ["t1", "t1", "t2", "t2"],
            "segment": ["SMB", "SMB", "Enterprise", "Enterprise"],
            "region": ["EMEA", "APAC", "EMEA", "APAC"],
            "quarter": "2026Q3",
            "days_employed": [92, 92, 60, 92],
            "logged_share": [1.0, 1.0, 1.0, 0.4],
            "base_amount": [20_000.0, 20_000.0, 30_000.0, 10_000.0],
            "commission_amount": [10_000.0, 10_000.0, 10_000.0, 10_000.0],
            "fringe_amount": [6_000.0, 6_000.0, 8_000.0, 4_000.0],
            "overhead_amount": [4_000.0, 4_000.0, 2_000.0, 1_000.0],
            "quota_amount": [400_000.0, 400_000.0, 500_000.0, 300_000.0],
            "selling_hours": [100.0, 100.0, 50.0, 40.0],
            "selling_preparation_hours": [150.0, 150.0, 75.0, 60.0],
            "selling_prospecting_hours": [200.0, 200.0, 100.0, 80.0],
            "paid_hours": 500.0,
            "available_hours": 400.0,
            "weeks_employed": 12.5,
        }
    )
    return table.assign(**{f"{name}_class_hours": 0.0 for name in ACTIVITY_CLASSES})


def test_measures_say_how_many_reps_do_not_count_and_why(stays):
    """(40 + 40 + 50) thousand over 250 h, and so on; d logged too little for any of them."""
    got = cost_breakdown.cost_measures(stays, **BASIS).set_index("measure")
    assert got.loc["cost per selling hour", "estimate"] == 520.0
    assert got.loc["cost per paid hour", "estimate"] == pytest.approx(130_000 / 1_500)
    assert got.loc["required bookings per selling hour", "estimate"] == 5_200.0
    assert got.loc["selling share of available time", "estimate"] == pytest.approx(250 / 1_200)
    assert got["n_reps"].tolist() == [3] * 6
    assert set(got["left_out"]) == {"1 (logged under 50% of the time)"}


def test_measures_of_reps_who_all_count_leave_out_none(stays):
    assert set(cost_breakdown.cost_measures(stays.iloc[:3], **BASIS)["left_out"]) == {"none"}


def test_groups_come_dearest_first_within_their_column(stays):
    """Enterprise is c alone: 50,000 / 50 h; SMB 80,000 / 200 h.  EMEA is a and c, APAC b alone."""
    got = cost_breakdown.by_groups(stays, ["segment", "region"], **BASIS)
    assert got[["group", "by", "n_reps", "estimate"]].to_numpy().tolist() == [
        ["Enterprise", "segment", 1, 1_000.0],
        ["SMB", "segment", 2, 400.0],
        ["EMEA", "region", 2, 600.0],
        ["APAC", "region", 1, 400.0],
    ]


def test_teams_are_shown_by_name_dearest_first(stays):
    """t2 is c alone, who sold 4 h a week; a team without a name shows its id."""
    teams = pd.DataFrame({"team_id": ["t1", "t3"], "team_name": ["Alpha", "Gamma"]})
    got = cost_breakdown.by_team(stays, teams, **BASIS)
    assert got[["team", "n_reps", "hours", "cost", "required"]].to_numpy().tolist() == [
        ["t2", 1, 4.0, 1_000.0, 10_000.0],
        ["Alpha", 2, 8.0, 400.0, 4_000.0],
    ]


def test_a_team_of_which_nothing_is_known_keeps_its_row(stays):
    stays.loc[stays["team_id"] == "t2", "logged_share"] = 0.0
    teams = pd.DataFrame({"team_id": ["t1", "t2"], "team_name": ["Alpha", "Beta"]})
    got = cost_breakdown.by_team(stays, teams, **BASIS).set_index("team")
    assert got.loc["Beta", "n_reps"] == 0
    assert np.isnan(got.loc["Beta", "cost"])


def test_a_team_called_by_a_missing_name_shows_its_id(stays):
    """The CRM may know a team without a name."""
    teams = pd.DataFrame({"team_id": ["t1", "t2"], "team_name": ["Alpha", None]})
    assert cost_breakdown.by_team(stays, teams, **BASIS)["team"].tolist() == ["t2", "Alpha"]


def test_each_assumption_changes_what_it_says_and_nothing_else(stays):
    """As reported 130,000 / 250 h = 520.  d counts with 0.4 of 25,000 over 40 h: 140,000 / 290.

    Overhead is 10,000 of the 130,000.  Without commission fringe falls to two thirds (a, b) and three
    quarters (c): 70,000 + 4,000 + 4,000 + 6,000 + 10,000.  Without c, who came late: 80,000 / 200.
    """
    got = cost_breakdown.cost_sensitivity(stays, **BASIS).set_index("assumption")["estimate"]
    assert got["as reported"] == 520.0
    assert got["reps logged a quarter of the time count too"] == pytest.approx(140_000 / 290)
    assert got["only reps logged nine tenths of the time"] == 520.0
    assert got["without overhead"] == 480.0
    assert got["without commission, nor fringe on it"] == pytest.approx(94_000 / 250)
    assert got["only reps employed the whole quarter"] == 400.0


def test_the_change_is_from_the_figure_reported(stays):
    got = cost_breakdown.cost_sensitivity(stays, **BASIS).set_index("assumption")["change"]
    assert got["as reported"] == 0.0
    assert got["without overhead"] == pytest.approx(480 / 520 - 1)


def test_fringe_without_any_cash_pay_stays_unknown(stays):
    """No share of it can be laid on base pay, so nobody guesses one."""
    stays[["base_amount", "commission_amount"]] = 0.0
    got = cost_breakdown.cost_sensitivity(stays, **BASIS).set_index("assumption")
    assert got.loc["without commission, nor fringe on it", "n_reps"] == 0
    assert np.isnan(got.loc["without commission, nor fringe on it", "estimate"])


def test_a_week_is_a_logged_week(stays):
    """SMB: 50 + 75 h of selling over 25 weeks; Enterprise is c alone, d logged too little to say."""
    stays["selling_class_hours"] = [50.0, 75.0, 25.0, 99.0]
    stays["admin_class_hours"] = [25.0, 0.0, 0.0, 0.0]
    stays["time_off_class_hours"] = 40.0
    got = cost_breakdown.week_by_class(stays, "segment", minimum_logged_share=0.5).set_index(
        "segment"
    )
    assert got["selling"].to_dict() == {"Enterprise": 2.0, "SMB": 5.0}
    assert got["admin"].to_dict() == {"Enterprise": 0.0, "SMB": 1.0}
    assert got["n_reps"].to_dict() == {"Enterprise": 1, "SMB": 2}
    assert "time_off" not in got.columns


def test_weeks_are_cut_to_the_share_that_was_logged(stays):
    """Half logged: 25 h over 6.25 weeks, not over 12.5."""
    stays.loc[2, "logged_share"] = 0.5
    stays["selling_class_hours"] = [0.0, 0.0, 25.0, 0.0]
    got = cost_breakdown.week_by_class(stays, "segment", minimum_logged_share=0.5).set_index(
        "segment"
    )
    assert got.loc["Enterprise", "selling"] == 4.0


def test_a_panel_without_classes_is_refused(stays):
    with pytest.raises(CrmDataError, match=r"rep_quarter: needs admin_class_hours"):
        cost_breakdown.week_by_class(
            stays.drop(columns="admin_class_hours"), "segment", minimum_logged_share=0.5
        )


def test_a_company_without_segments_still_has_its_cost_and_its_week(stays):
    """No row is lost, and none is called nan: (40 + 40 + 50) thousand over 250 h."""
    house = SimpleNamespace(
        people=SimpleNamespace(smallest_cell=1), hours=SimpleNamespace(minimum_logged_share=0.5)
    )
    costs = SimpleNamespace(
        company=SimpleNamespace(settings=house, quarter="2026Q3"),
        stays=stays.assign(segment=None, region=None),
        basis=BASIS,
        hour=SimpleNamespace(n=3),
        source="rep_quarter",
        hidden=set(),
    )
    assert chapter.cost_by_segment(costs).frame.empty  # a group of everybody says nothing
    of_one = stays.assign(segment=["SMB"] + [None] * (len(stays) - 1), region=None)
    groups = chapter.cost_by_segment(SimpleNamespace(**vars(costs) | {"stays": of_one})).frame
    assert sorted(groups["group"]) == ["SMB", "no segment"]
    assert chapter.week_by_class(costs).frame["segment"].tolist() == ["all reps"]
