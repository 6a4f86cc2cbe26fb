"""What a report is refused for before it runs, and whether it can be verified afterwards."""

import fcntl
import shutil
from pathlib import Path

import pytest
from report_fixtures import cell, manifest, notebook, run, small

PARAMETERS = 'quarter: str = "x"  # quarter\ndataset: str = "x"  # folder'
FINE = "## Answer\n\nFine."  # words only: its kernel need not load the package


@pytest.fixture
def root(tmp_path):
    """Return a project of two deals and one notebook that says `Fine.`"""
    folder = small(tmp_path / "project")
    notebook(
        folder / "notebooks" / "1_fine.ipynb", "# Is it fine?", cell(PARAMETERS, "parameters"), FINE
    )
    return folder


def test_a_wrong_review_is_refused_before_a_kernel_starts(root):
    folder = root / "data" / "raw" / "small" / "reviews"
    folder.mkdir()
    (folder / "2026Q1.toml").write_text("held_on = 2026-04-21\nactoins = []\n")
    ran = run(root, "report", "small")
    assert ran.code == 1
    assert "reviews/2026Q1.toml: 1 entry is wrong\n  actoins is no key of a review." in ran.err
    assert "1_fine" not in ran.out


def test_a_report_as_of_a_day_can_be_verified(root):
    """The manifest keeps the day asked for: the exports of then are not those of the latest date."""
    ran = run(root, "report", "small", "--quarter", "2026Q1", "--as-of", "2026-05-15")
    assert (ran.code, ran.err) == (0, "")
    pdf = str(root / "reports" / "small" / "2026Q1" / "alignment-roi.pdf")
    assert manifest(root, "small", "2026Q1")["as_of_given"] == "2026-05-15"
    assert run(root, "verify", pdf).code == 0
    page = root / "reports" / "small" / "2026Q1" / "alignment-roi.html"
    assert run(root, "verify", str(page)).code == 0
    copy = Path(shutil.copytree(page.parent, root.parent / "copy"))
    book = copy / "alignment-roi.xlsx"
    book.chmod(0o400)
    copy.chmod(0o500)
    assert run(root, "verify", str(book)).code == 0
    page.write_bytes(page.read_bytes().replace(b"Fine.", b"Bad."))
    ran = run(root, "verify", str(page))
    assert ran.code == 1
    assert "the file is not the one that was published" in ran.out
    with (root / "data" / "processed" / ".small.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = run(root, "verify", pdf)
    assert ran.code == 75
    assert "another run works on small" in ran.err
