"""What a terminal is given, and what a disk says no to."""

from __future__ import annotations

import errno
import os

import pytest

from analysis.project import disk_faults, paths, strange_files
from analysis.project.errors import OwnMapError
from analysis.project.terminal_text import terminal_text


@pytest.mark.parametrize(
    "acting", ["\x1b[2J", "\x9b31m", "\r", "\x08", "\u202e", "\u2066", "\u200f", "\u2028", "\udc80", "\x07"]
)  # fmt: skip
def test_what_acts_on_a_terminal_is_written_out(acting):
    shown = terminal_text(f"a{acting}b")
    assert acting[0] not in shown
    assert shown.startswith(f"a<U+{ord(acting[0]):04X}>")


def test_names_in_any_script_reach_the_terminal_as_they_are():
    name = "東京営業部 مبيعات צוות ทีม 🚀\nnext line"
    assert terminal_text(name) == name


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EXDEV])
def test_a_disks_error_says_where_why_and_what_to_do(number):
    fault = disk_faults.explain_fault(OSError(number, "x", "data/processed/a"))
    assert fault == (f"data/processed/a: {os.strerror(number)}. {disk_faults.REMEDIES[number]}")


def test_a_missing_file_of_ours_stays_a_bug():
    assert disk_faults.explain_fault(FileNotFoundError(errno.ENOENT, "x", "a")) is None


def test_links_within_the_folder_are_files_of_it(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "b.csv").symlink_to("a.csv")
    assert strange_files.why_strange(tmp_path / "b.csv", tmp_path) is None


@pytest.mark.parametrize(
    ("target", "why"),
    [("/etc/hostname", "leads out"), ("../x", "link to nothing"), ("a.csv", "link to itself")],
)
def test_links_that_lead_elsewhere_are_strange(tmp_path, target, why):
    (tmp_path / "a.csv").symlink_to(target)
    assert why in (strange_files.why_strange(tmp_path / "a.csv", tmp_path) or "")


@pytest.mark.parametrize("name", ["alignment.toml", "rules/reps.toml"])
def test_an_own_file_that_leads_out_is_refused_by_name_alone(raw, name):
    (raw / "rules").mkdir()
    (raw / name).symlink_to("/etc/passwd")
    with pytest.raises(
        OwnMapError, match=rf"^data/raw/here/{name}: it is a link that leads out of the folder; put"
    ):
        paths.own_file("here", name)
