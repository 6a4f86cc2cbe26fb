"""The index page: every report there is, made from the manifests alone."""

import html
import re

import page_check
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

    def report(*entries, files=("alignment-roi.html", "alignment-roi.pdf", "alignment-roi.xlsx")):
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


ANSWERS = {
    "company": "Northwind Instruments",
    "answers": [
        {"question": "Does alignment pay?", "word": "Likely pays", "text": "It likely pays: 99%."},
        {"question": "What next?", "word": "Cannot tell", "text": "Nobody knows."},
    ],
    "key_metrics": [
        {
            "name": "win_rate", "label": "Win rate", "value": "29.8%", "unit": "of deals closed",
            "interval": "", "interval_name": "", "n": "", "target": "at least 30.0%", "met": "missed",
            "earlier": [{"quarter": "2026Q1", "value": "31.4%", "is_recomputed": False}], "since": "2025Q4", "trend": [0.3, 0.314, 0.298],
        }
    ],
}  # fmt: skip


def reports(page):
    return re.findall(r"<article.*?</article>", page, re.DOTALL)


def test_no_report_is_an_empty_page(add):
    page = add()
    assert reports(page) == []
    assert "No report has been made yet" in page
    assert page_check.faults(page_check.Page(page)) == []


def test_a_report_is_linked_with_its_quarter_run_and_owner(add):
    """Links are relative: the page opens from the file system, wherever the folder lies."""
    (report,) = reports(add(OK))
    assert re.findall(r'<a href="([^"]+)"', report) == [
        "demo/2026Q2/alignment-roi.html",
        "demo/2026Q2/alignment-roi.pdf",
        "demo/2026Q2/alignment-roi.xlsx",
    ]
    for told in (
        "calendar quarter 2026Q2",
        "As of 2026-06-30",
        "run 0123456789abcdef",
        "Revenue Operations",
    ):
        assert told in report


def test_a_report_shows_its_answers_and_the_trend_of_its_key_metrics(add):
    """Company, verdict and sentence of each question, the metric with a line through its quarters."""
    page = page_check.Page(add(OK | ANSWERS))
    assert page_check.faults(page) == []
    for told in (
        "Northwind Instruments, calendar quarter 2026Q2",
        "Likely pays It likely pays: 99%.",
        "Cannot tell Nobody knows.",
        "29.8% of deals closed",
        "2026Q1: 31.4%. Target: at least 30.0%, missed",
    ):
        assert told in " ".join(page.text.split()), told
    [line] = [a["points"] for tag, a in page.elements if tag == "polyline"]
    assert line == "3,18.75 50,3 97,21" or line.startswith("3,")
    assert len(line.split()) == 3


def test_a_manifest_of_an_older_version_has_its_place_without_answers(add):
    (report,) = reports(add(OK))
    assert "demo, calendar quarter 2026Q2" in report
    assert "Key metrics" not in report


def test_choices_hide_what_was_not_chosen(add):
    """A rule for each option: a report stays if it has the class of what is chosen."""
    page = add(OK | ANSWERS, OK | {"dataset": "acme", "quarter": "2026Q1"})
    options = re.findall(r'<option value="(\w+)">([^<]+)', page)
    assert ("company0", "Northwind Instruments") in options
    assert ("company1", "acme") in options
    assert ("quarter0", "2026Q2") in options
    assert ("state0", "published") in options
    classes = re.findall(r'<article class="report ([^"]+)"', page)
    assert classes == ["company0 quarter0 state0", "company1 quarter1 state0"]
    rule = 'main:has(option[value="company1"]:checked) .report:not(.company1)'
    assert rule in page
    assert page_check.faults(page_check.Page(page)) == []


def test_the_newest_quarter_comes_first(add):
    page = add(OK | {"quarter": "2025Q4"}, OK, OK | {"dataset": "acme"}, OK | {"quarter": "2026Q1"})
    assert re.findall(r'href="([^"]+)/alignment-roi.pdf"', page) == [
        "acme/2026Q2", "demo/2026Q2", "demo/2026Q1", "demo/2025Q4",
    ]  # fmt: skip


def test_what_failed_says_where_and_why(add):
    (report,) = reports(add(OK | {"status": "failed", "notebooks": [BROKEN]}, files=()))
    assert '<strong class="open">timeout</strong>' in report
    assert "2_cost, cell 7: a cell ran longer than 900 s" in report
    assert "No files yet" in report


def test_the_files_of_a_failed_run_are_said_to_be_of_the_run_before(add):
    (report,) = reports(
        add(OK | {"status": "failed", "notebooks": [BROKEN], "previous_run_id": "fedcba9876543210"})
    )
    assert "The files, answers and figures are those of run fedcba9876543210" in report
    assert "alignment-roi.pdf" in report


def test_a_failure_of_the_whole_report_is_told_too(add):
    """Every notebook ran, and yet there is no PDF."""
    ran = {"notebook": "1_x", "status": "ok", "cell": None, "error": None}
    missing = {"notebook": "2_y", "status": "missing", "needs": []}
    (report,) = reports(
        add(
            OK
            | {
                "status": "failed",
                "notebooks": [ran, missing],
                "error": "1_x, cell 3 printed 'bare'",
            }
        )
    )
    assert "1_x, cell 3 printed 'bare'" in html.unescape(report)


def test_nothing_in_a_manifest_is_markup(add):
    bad = "<script>alert(1)</script> {{ 1 }} </style> javascript:x ]]>"
    metric = ANSWERS["key_metrics"][0] | {
        "label": bad,
        "value": bad,
        "since": bad,
        "earlier": [{"quarter": bad, "value": bad}],
    }
    page = add(
        OK | {
            "status": "failed", "owner": bad, "audience": bad, "quarter_label": bad, "company": bad,
            "notebooks": [BROKEN | {"error": bad, "notebook": bad}], "key_metrics": [metric],
            "answers": [{"question": bad, "word": bad, "text": bad}], "dataset": "demo",
        }
    )  # fmt: skip
    read = page_check.Page(page)
    assert page_check.faults(read) == []
    assert read.text.count(bad) == 15


def test_runs_under_way_are_no_reports(add, tmp_path):
    """A folder whose name starts with a dot is somebody's scratch."""
    scratch = tmp_path / "project" / "reports" / ".demo-2026Q2-x" / "new"
    scratch.mkdir(parents=True)
    manifest.write_manifest(scratch, OK)
    assert reports(add()) == []


def test_the_page_needs_nothing_from_elsewhere(add):
    """No script, no address: it reads the same without a network."""
    page = add(OK | ANSWERS)
    assert "<script" not in page
    assert "://" not in page
    assert "src=" not in page
