"""Who joined when, and whose bookings count for which team."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.growth.panel import NEVER, panel_until, team_panel
from analysis.project.errors import CrmDataError

QUARTERS = ["2024Q1", "2024Q2", "2024Q3", "2024Q4", "2025Q1"]


@pytest.fixture
def team_quarter() -> pd.DataFrame:
    teams = ["A", "B", "C", "D", "E"]
    return pd.DataFrame(
        {
            "team_id": np.repeat(teams, 5),
            "quarter": QUARTERS * 5,
            "is_partial": False,
            "bookings_amount": np.exp(np.arange(25.0)),
        }
    )


@pytest.fixture
def programme() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "team_id": ["A", "B", "C"],
            "start_date": pd.to_datetime(["2024-07-01", "2024-05-15", "2024-07-01"]),
        }
    )


def test_a_team_joins_in_its_first_full_quarter(team_quarter, programme):
    """B starts in mid-May: its first quarter is the third, and the second is neither before nor after."""
    got = team_panel(team_quarter, programme)
    assert got.starts.tolist() == [2, 2, 2, NEVER, NEVER]
    assert np.isnan(got.matrix).tolist()[1] == [False, True, False, False, False]
    assert got.left_out["quarter within which the team started"] == 1
    assert got.matrix[0].tolist() == pytest.approx([0, 1, 2, 3, 4])


def test_partial_quarters_are_left_out_and_counted(team_quarter, programme):
    """A last quarter that is partial for all is no quarter of the panel."""
    team_quarter["is_partial"] = team_quarter["quarter"] == "2025Q1"
    got = team_panel(team_quarter, programme)
    assert got.quarters[-1] == "2024Q4"
    assert got.left_out["partial team-quarter"] == 5


def test_a_start_after_the_data_has_not_come(team_quarter, programme):
    more = pd.concat(
        [programme, pd.DataFrame({"team_id": ["D"], "start_date": [pd.Timestamp("2025-04-01")]})]
    )
    assert team_panel(team_quarter, more).starts.tolist() == [2, 2, 2, NEVER, NEVER]


def test_a_quarter_without_bookings_is_unknown_not_zero(team_quarter, programme):
    team_quarter.loc[0, "bookings_amount"] = 0.0
    got = team_panel(team_quarter, programme)
    assert np.isnan(got.matrix[0, 0])
    assert got.left_out["team-quarter without an outcome above 0"] == 1


def test_a_rep_counts_for_the_team_before_the_first_start(team_quarter, programme):
    """r2 goes from D to A after the start with 90 of bookings: they stay D's.  r9, hired later, is A's."""
    stays = [
        ("r1", "A", 10.0, QUARTERS), ("r2", "D", 30.0, QUARTERS[:2]), ("r2", "A", 90.0, QUARTERS[2:]),
        ("r3", "B", 5.0, QUARTERS), ("r4", "C", 5.0, QUARTERS), ("r5", "E", 5.0, QUARTERS), ("r9", "A", 7.0, QUARTERS[3:]),
    ]  # fmt: skip
    rep_quarter = pd.DataFrame(
        [(rep, team, q, 90, amount) for rep, team, amount, several in stays for q in several],
        columns=["rep_id", "team_id", "quarter", "days_employed", "bookings_amount"],
    )
    got = team_panel(team_quarter, programme, rep_quarter=rep_quarter)
    assert np.exp(got.matrix[0]).tolist() == pytest.approx([10, 10, 10, 17, 17])
    assert np.exp(got.matrix[3]).tolist() == pytest.approx([30, 30, 90, 90, 90])


def test_a_team_that_joined_alone_is_left_out_and_counted(team_quarter, programme):
    programme = pd.concat(
        [programme, pd.DataFrame({"team_id": ["D"], "start_date": [pd.Timestamp("2024-10-01")]})]
    )
    got = team_panel(team_quarter, programme)
    assert got.left_out["team that joined alone in its quarter"] == 1
    assert got.teams.tolist() == ["A", "B", "C", "E"]


def test_fewer_than_three_teams_that_joined_are_refused(team_quarter, programme):
    with pytest.raises(
        CrmDataError, match=r"takes 3 teams that joined, .* 2 of the 5 teams qualify"
    ):
        team_panel(team_quarter, programme.iloc[[0, 2]])


def test_an_unknown_start_is_refused_and_never_inferred(team_quarter, programme):
    programme.loc[1, "start_date"] = pd.NaT
    with pytest.raises(
        CrmDataError, match=r"start_date must be known, but 1 of 3 rows lack it \(team_id B\)"
    ):
        team_panel(team_quarter, programme)


def test_a_team_and_quarter_that_stands_twice_is_refused(team_quarter, programme):
    twice = pd.concat([team_quarter, team_quarter.iloc[[7]]])
    with pytest.raises(CrmDataError, match=r"1 of 26 rows stand again \(team_id B\)"):
        team_panel(twice, programme)


def test_a_panel_as_of_an_earlier_quarter_knows_no_later_start(team_quarter, programme):
    whole = team_panel(team_quarter, programme)
    assert panel_until(whole, "2024Q3").matrix.shape == (5, 3)
    with pytest.raises(CrmDataError, match="; none of the 5 teams qualifies"):
        panel_until(whole, "2024Q2")
    with pytest.raises(ValueError, match="quarter must be one of 2024Q1 to 2025Q1, got '2026Q1'"):
        panel_until(whole, "2026Q1")
