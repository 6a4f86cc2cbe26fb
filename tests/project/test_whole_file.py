"""A file is there whole or not at all."""

import os

import pytest

from analysis.project.private_files import FILE_OF_OWNER
from analysis.project.whole_file import write_whole


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("before")

    def fill_the_disk():
        with write_whole(file) as part:
            part.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fill_the_disk()
    assert [f.name for f in tmp_path.iterdir()] == ["a.txt"]
    assert file.read_text() == "before"


def test_what_a_killed_run_left_is_no_hindrance(tmp_path):
    (tmp_path / ".a.txt.part").write_text("half of another")
    with write_whole(tmp_path / "a.txt") as part:
        part.write_text("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert not (tmp_path / ".a.txt.part").exists()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_what_is_the_owners_is_readable_by_nobody_else_whatever_the_umask(tmp_path, umask):
    old = os.umask(umask)
    try:
        with write_whole(tmp_path / "key", mode=FILE_OF_OWNER) as part:
            part.write_text("secret")
    finally:
        os.umask(old)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
