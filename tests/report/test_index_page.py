"""The index page: every report there is, made from the manifests alone."""

import re

import pytest
from report_fixtures import at, project

from analysis.project import paths
from analysis.report import index_page
from analysis.store import manifest

OK = {
    "run_id": "0123456789abcdef", "status": "ok", "dataset": "demo", "quarter": "2026Q2",
    "quarter_label": "calendar quarter 2026Q2", "as_of": "2026-06-30", "notebooks": [], "error": None,
    "owner": "Revenue Operations", "audience": "Leadership team", "previous_run_id": None,
}  # fmt: skip
BROKEN = {
    "notebook": "2_cost",
    "status": "timeout",
    "cell": 7,
    "error": "a cell ran longer than 900 s",
}


@pytest.fixture
def add(tmp_path):
    """Add reports and return the page made of them."""
    root = project(tmp_path / "project")

    def report(*entries, files=("alignment-roi.pdf", "alignment-roi.xlsx")):
        with at(root):
            for entry in entries:
                folder = paths.report_folder(entry["dataset"], entry["quarter"])
                folder.mkdir(parents=True)
                manifest.write_manifest(folder, entry)
                for name in files:
                    (folder / name).write_bytes(b"")
            paths.reports_folder().mkdir(exist_ok=True)
            index_page.write_index()
            return (paths.reports_folder() / "index.html").read_text(encoding="utf-8")

    return report


def rows(page):
    return re.findall(r"<tr><td>.*?</tr>", page, re.DOTALL)


def test_no_report_is_an_empty_page(add):
    assert rows(add()) == []


def test_a_report_is_linked_with_its_quarter_run_and_owner(add):
    """Links are relative: the page opens from the file system, wherever the folder lies."""
    (row,) = rows(add(OK))
    assert '<a href="demo/2026Q2/alignment-roi.pdf">PDF</a>' in row
    assert '<a href="demo/2026Q2/alignment-roi.xlsx">workbook</a>' in row
    for told in (
        "calendar quarter 2026Q2",
        "as of 2026-06-30",
        "run 0123456789abcdef",
        "Revenue Operations",
    ):
        assert told in row


def test_the_newest_quarter_comes_first(add):
    page = add(OK | {"quarter": "2025Q4"}, OK, OK | {"dataset": "acme"}, OK | {"quarter": "2026Q1"})
    assert re.findall(r'href="([^"]+)/alignment-roi.pdf"', page) == [
        "demo/2026Q2", "acme/2026Q2", "demo/2026Q1", "demo/2025Q4",
    ]  # fmt: skip


def test_what_failed_says_where_and_why(add):
    (row,) = rows(add(OK | {"status": "failed", "notebooks": [BROKEN]}, files=()))
    assert '<span class="failed">timeout</span>' in row
    assert "2_cost, cell 7: a cell ran longer than 900 s" in row
    assert "none yet" in row


def test_the_files_of_a_failed_run_are_said_to_be_of_the_run_before(add):
    (row,) = rows(
        add(OK | {"status": "failed", "notebooks": [BROKEN], "previous_run_id": "fedcba9876543210"})
    )
    assert "the files are those of run fedcba9876543210" in row
    assert "alignment-roi.pdf" in row


def test_a_failure_of_the_whole_report_is_told_too(add):
    """Every notebook ran, and yet there is no PDF."""
    ran = {"notebook": "1_x", "status": "ok", "cell": None, "error": None}
    missing = {"notebook": "2_y", "status": "missing", "needs": []}
    (row,) = rows(
        add(
            OK
            | {
                "status": "failed",
                "notebooks": [ran, missing],
                "error": "1_x, cell 3 printed 'bare'",
            }
        )
    )
    assert "1_x, cell 3 printed &#x27;bare&#x27;" in row


def test_nothing_in_a_manifest_is_markup(add):
    bad = "<script>alert(1)</script>"
    page = add(
        OK | {
            "status": "failed", "owner": bad, "audience": bad, "quarter_label": bad,
            "notebooks": [BROKEN | {"error": bad, "notebook": bad}],
        }
    )  # fmt: skip
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 5


def test_runs_under_way_are_no_reports(add, tmp_path):
    """A folder whose name starts with a dot is somebody's scratch."""
    scratch = tmp_path / "project" / "reports" / ".demo-2026Q2-x" / "new"
    scratch.mkdir(parents=True)
    manifest.write_manifest(scratch, OK)
    assert rows(add()) == []


def test_the_page_needs_nothing_from_elsewhere(add):
    """No script, no address: it reads the same without a network."""
    page = add(OK)
    assert "<script" not in page
    assert "://" not in page
    assert "src=" not in page
