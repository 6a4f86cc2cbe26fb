"""A received folder is data: what it holds is named or refused, and nothing else happens."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys

import pytest
from report_fixtures import at, run, small

from analysis.project import settings
from analysis.report.run import publish


@pytest.fixture
def folder(tmp_path):
    """Return the folder of the dataset "small": a rep and two deals."""
    return small(tmp_path) / "data" / "raw" / "small"


def root_of(folder):
    return folder.parents[2]


def test_a_link_out_of_the_folder_is_refused_by_name_and_nothing_of_it_is_read(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("Id,Name,salary-of-ada\n1,x,99999\n")
    (folder / "Account.csv").symlink_to(secret)
    os.mkfifo(folder / "Task.csv")
    ran = run(root_of(folder), "clean", "small")
    assert ran.code == 0
    assert "Account.csv: refused, it is a link that leads out of the folder" in ran.out
    assert "Task.csv: refused, it is a pipe, not a file" in ran.out
    assert "salary" not in ran.out + ran.err


def test_what_moves_a_cursor_never_reaches_the_terminal(folder):
    """Neither in a file's name nor in a rule's reason nor in a refused header."""
    (folder / "a\x1b[2J\u202eb.csv").write_text("Id\x1b[31m,\u2066Name\r\n1,2\n")
    (folder / "rules").mkdir()
    (folder / "rules" / "opportunities.toml").write_text(
        '[[rule]]\nname = "x"\naction = "flag"\nwhen = "true"\nreason = "\\u001b[5mred\\u202e"\n'
    )
    ran = run(root_of(folder), "clean", "small")
    assert ran.code == 0
    assert "<U+001B>[5mred<U+202E>" in ran.out
    assert not set("\x1b\u202e\u2066\r") & set(ran.out + ran.err)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (b"caf\xe9.csv", "x", "caf?.csv: its name cannot be read as text; rename it."),
        (b"fields.toml", "a = " + "[" * 5_000, "fields.toml: not valid TOML: maximum recursion"),
        (b"fields.toml", "a = " + "9" * 5_000, "fields.toml: not valid TOML: Exceeds the limit"),
        (b"growth.toml", "alpha = 'x'", "growth.toml: specification: "),
        (
            b"alignment.toml",
            '[[activity_classes]]\npattern = "(?=a)b"\nactivity_class = "selling"\n',
            "activity_classes.0.pattern is '(?=a)b': not a regular expression that the database knows",
        ),
    ],
)
def test_a_wrong_file_of_the_users_is_wrong_usage_by_file_and_key(folder, name, content, message):
    (folder / os.fsdecode(name)).write_text(content, encoding="utf-8")
    ran = run(root_of(folder), "report", "small")
    assert ran.code == 2
    assert message in ran.err
    assert "bug of alignment-roi" not in ran.err


@pytest.mark.parametrize("place", ["data/processed", "data/history"])
def test_a_file_where_a_folder_must_be_is_wrong_usage(folder, place):
    (root_of(folder) / place).write_text("")
    ran = run(root_of(folder), "clean", "small")
    assert ran.code == 2
    assert f"{place}" in ran.err
    assert "move it away" in ran.err


@pytest.mark.parametrize("limit", [0, 1, 2_000])
def test_a_disk_that_takes_no_more_is_named_and_what_stood_stands(folder, limit):
    """A limit on the size of files stands for the disk: it stops a write as a full one does."""
    root = root_of(folder)
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); from analysis.cli import main; main()"
    with at(root):
        ran = subprocess.run(
            [sys.executable, "-c", code, "clean", "small"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 2
    assert ("File too large. Let the run write" if limit else "No usable temp") in ran.stderr
    key = root / "data" / "history" / "small" / "pseudonyms.key"
    assert not key.exists() or len(key.read_text()) == 64
    assert not (root / "data" / "processed" / "small").exists()


@pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="root may all")
@pytest.mark.parametrize("place", ["data/raw/small/User.csv", "alignment.toml", "data/history"])
def test_what_may_not_be_read_or_written_is_named(folder, place):
    root = root_of(folder)
    (root / "data" / "history").mkdir()
    (root / place).chmod(0o500 if (root / place).is_dir() else 0)
    before = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    code = "from analysis.cli import main; main()"
    with at(root):
        ran = subprocess.run(
            [*(before if os.getuid() == 0 else []), sys.executable, "-c", code, "clean", "small"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 2
    assert "Permission denied. Let the one who runs this read and write there." in ran.stderr


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_pay_and_history_are_their_owners_alone_whatever_the_umask(folder, umask):
    before = os.umask(umask)
    try:
        assert run(root_of(folder), "clean", "small").code == 0
        assert run(root_of(folder), "init", "new").code == 0
    finally:
        os.umask(before)
    root = root_of(folder)
    places = [root / "data" / p for p in ("processed/small", "history/small", "raw/new")]
    modes = {
        stat.S_IMODE(each.stat().st_mode): "folder" if each.is_dir() else "file"
        for place in places
        for each in (place, *place.rglob("*"))
    }
    assert modes == {0o700: "folder", 0o600: "file"}


@pytest.mark.parametrize(
    ("smallest", "says"), [(1, "as few as one person"), (2, "as few as 2 people"), (3, "")]
)
def test_settings_that_show_one_or_two_people_have_a_line_on_page_one(folder, smallest, says):
    (folder / "alignment.toml").write_text(f"[people]\nsmallest_cell = {smallest}\n")
    with at(root_of(folder)):
        notices = publish._small_cells_notice(settings.load_dataset_settings("small"))
    assert bool(notices) == bool(says)
    assert says in "".join(notices)
