"""A team's pack tells nothing of another team: nothing planted there, and nothing by subtraction."""

import planted_teams
import pytest


@pytest.fixture(autouse=True)
def _own_root(monkeypatch):
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", "each project names its own")


@pytest.mark.study
def test_a_pack_of_two_teams_stays_the_same_whatever_the_other_does(tmp_path):
    """Its deals, pay, hours, leads, requests and answers changed: no byte of the first one's pack."""
    lines = planted_teams.subtraction(tmp_path, [2])
    of_packs = [line for line in lines if line.startswith("2 teams, pack of")]
    assert len(of_packs) == 2
    assert [line for line in of_packs if not line.endswith(planted_teams.SAME)] == []


@pytest.mark.study
def test_of_six_teams_no_pack_holds_a_word_an_id_or_a_sum_of_another(tmp_path):
    found = planted_teams.planted(tmp_path)
    assert "30 pairs" in found[0]
    assert found[0].endswith("pairs with a hit: 0")
    assert "(its own id in 0)" not in found[0]
