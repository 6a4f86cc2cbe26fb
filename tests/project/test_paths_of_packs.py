"""Where a team's pack lies: no id of a team leads out of the folder, and no two share one."""

import re

import pytest

from analysis.project import paths

HOSTILE = [
    "../../etc", "/etc/passwd", "a/b", "a\\b", "..", ".", "", " ", "CON", "a\0b", "a\nb", "team:1", "x" * 300,
    "T1", "t1", "Ü", "\u202eT1", "\ud800", "team", "etc-74ccf3c5b4c19a81", "-rf", "~root", "$(id)",
]  # fmt: skip


@pytest.mark.parametrize("team", HOSTILE)
def test_a_teams_folder_is_one_plain_name(team):
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", paths.team_folder_name(team))


def test_no_two_teams_share_a_folder():
    """One of them is called as the hash of another would be."""
    assert len({paths.team_folder_name(team) for team in HOSTILE}) == len(HOSTILE)


def test_a_plain_id_is_its_folder(root):
    folder = paths.pack_folder("here", "2026Q3", "emea-2")
    assert folder == root / "reports" / "here" / "2026Q3" / "teams" / "emea-2"
