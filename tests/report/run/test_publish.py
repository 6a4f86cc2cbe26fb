"""One quarter's report: planned, made aside, put in place whole or not at all."""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from report_fixtures import at, cell, files, kernels, manifest, notebook, run, small, until

from analysis.report.run import plan, publish
from analysis.store.company import open_company

SHOW = "from analysis.report import show\nshow.text('Good.')"
FINE = "## Answer\n\nFine."  # words only: its kernel need not load the package
PARAMETERS = 'quarter: str = "x"  # quarter\ndataset: str = "x"  # folder\nasks: int = 3  # asks'
HEADLINE = """from analysis.stats.result import Result
from analysis.report import show
from analysis.store.company import open_company
show.use(open_company(dataset, quarter=quarter))
nan = float("nan")
bookings = {"2026Q1": 120.0, "2026Q2": 250.0}[quarter]
show.kpi(Result("bookings", bookings, nan, nan, "USD", 3, "deals", "sum", "opportunities"), label="B", headline=True)"""
ACCOUNT = {"as_of": "2026-08-15", "first_day": "2025-01-01", "reconciliation": [], "refusals": []}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a project of two deals and one notebook that says `Fine.`, with its report."""
    folder = small(tmp_path_factory.mktemp("published") / "project")
    notebook(
        folder / "notebooks" / "1_fine.ipynb", "# Is it fine?", cell(PARAMETERS, "parameters"), FINE
    )
    ran = run(folder, "report", "small")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == "reports/small/2026Q2/alignment-roi.pdf"
    return folder


@pytest.fixture
def root(published, tmp_path):
    """Return a copy of that project: where a project lies is nothing its report follows from."""
    return Path(shutil.copytree(published, tmp_path / "project"))


def spoil(root, *cells):
    return notebook(
        root / "notebooks" / "1_fine.ipynb", "# Is it fine?", cell(PARAMETERS, "parameters"), *cells
    )


def folder_of(root, quarter="2026Q2"):
    return root / "reports" / "small" / quarter


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (0.01, []),
        (-0.01, []),
        (
            0.0151,
            [
                "Not reconciled: bookings in the CRM are 1.5% above finance's total; up to 1% is tolerated."
            ],
        ),
        (
            -0.2,
            [
                "Not reconciled: bookings in the CRM are 20.0% below finance's total; up to 1% is tolerated."
            ],
        ),
    ],
)
def test_a_gap_above_what_is_tolerated_is_said_first(gap, expected):
    account = ACCOUNT | {"reconciliation": [{"quarter": "2026Q2", "gap_rate": gap}]}
    assert [
        n.replace("\N{NO-BREAK SPACE}", " ").replace(" %", "%")
        for n in publish.reader_notices(account, "2026Q2", 0.01)
    ] == expected


def test_withheld_bookings_show_no_gap_to_finance():
    """The gap would tell the figure that the gate withholds."""
    verdict = {"status": "withheld", "checks": ["closed_on_one_day"]}
    account = ACCOUNT | {
        "reconciliation": [{"quarter": "2026Q2", "gap_rate": -0.043}],
        "gate": {"questions": {"bookings": verdict}, "findings": []},
    }
    said = publish.reader_notices(account, "2026Q2", 0.01)
    assert said == ["Not reconciled: bookings in the CRM are not finance's total."]


def test_a_quarter_finance_has_not_closed_is_not_reconciled():
    account = ACCOUNT | {"reconciliation": [{"quarter": "2026Q1", "gap_rate": 0.0}]}
    said = publish.reader_notices(account, "2026Q2", 0.01)
    assert said == ["Not reconciled: finance's bookings of the quarter are not in the exports."]


def test_refused_files_are_named_up_to_three():
    account = ACCOUNT | {"refusals": [{"file": f"{x}.csv", "reason": "secret"} for x in "abcd"]}
    said = publish.reader_notices(account, "2026Q2", 0.01)[-1]
    assert said == "Left out: 4 files that could not be understood (a.csv, b.csv, c.csv)."


def test_a_plan_says_which_question_lacks_what(root):
    """The notebook whose needs are met runs; the other keeps its place among the chapters."""
    notebook(
        root / "notebooks" / "0_pay.ipynb",
        "# What does it cost?",
        needs={"compensation": ["base_amount"]},
    )
    with at(root):
        made = plan.plan_report(open_company("small", quarter="2026Q2"), {"asks": 5})
    assert [n.name for n in made.notebooks] == ["1_fine.ipynb"]
    assert made.parameters == {"dataset": "small", "quarter": "2026Q2", "asks": 5}
    (gap,) = made.missing
    assert (gap["position"], gap["question"]) == (0, "What does it cost?")
    assert gap["needs"] == [{"table": "compensation", "columns": ["base_amount"]}]


def test_a_report_is_put_in_place_with_all_its_files(root):
    made = files(root / "reports")
    assert set(made) == {
        "index.html",
        "small/2026Q2/alignment-roi.pdf",
        "small/2026Q2/alignment-roi.html",
        "small/2026Q2/alignment-roi.xlsx",
        "small/2026Q2/manifest.json",
        "small/2026Q2/notebooks/1_fine.ipynb",
    }
    state = manifest(root, "small", "2026Q2")
    for kind in ("pdf", "html"):
        content = made[f"small/2026Q2/alignment-roi.{kind}"]
        assert state[f"{kind}_sha256"] == hashlib.sha256(content).hexdigest()
    modes = {f.stat().st_mode for f in (root / "reports" / "small" / "2026Q2").glob("*.*")}
    assert len(modes) == 1
    history = root / "data" / "history" / "small" / "2026Q2"
    assert json.loads((history / "manifest.json").read_text()) == state
    kept = {f.relative_to(history).as_posix() for f in history.rglob("*") if f.is_file()}
    assert kept == {
        "manifest.json", "rep_quarter.parquet", "team_quarter.parquet", "rep_week.parquet", "won_deals.parquet",
        "first.json", "forecasts.json", "inputs/audit.json", "inputs/alignment.toml",
        f"editions/{state['run_id']}.json",
    }  # fmt: skip


def test_a_second_run_says_up_to_date_and_starts_no_kernel(root):
    """Nothing is written again, not even with the same content."""
    before = {f: f.stat().st_mtime_ns for f in (root / "reports").rglob("*")}
    ran = run(root, "report", "small")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "reports/small/2026Q2/alignment-roi.pdf (up to date)"
    assert "1_fine" not in ran.out
    assert {f: f.stat().st_mtime_ns for f in (root / "reports").rglob("*")} == before


def test_force_makes_it_again_the_same(root):
    before = (folder_of(root) / "alignment-roi.pdf").read_bytes()
    ran = run(root, "report", "small", "--force")
    assert "1_fine: ok" in ran.out
    assert (folder_of(root) / "alignment-roi.pdf").read_bytes() == before


@pytest.mark.parametrize("change", ["data", "settings", "notebook", "parameter", "lock", "pdf"])
def test_whatever_a_report_follows_from_makes_it_anew(root, change):
    arguments = ["report", "small"]
    first = manifest(root, "small", "2026Q2")["run_id"]
    if change == "data":
        file = root / "data" / "raw" / "small" / "Opportunity.csv"
        file.write_text(file.read_text().replace("1000.00", "1000.01"))
    elif change == "settings":
        file = root / "alignment.toml"
        file.write_text(file.read_text().replace("Revenue Operations", "Sales Operations"))
    elif change == "notebook":
        spoil(root, SHOW)
    elif change == "parameter":
        arguments += ["-p", "asks=4"]
    elif change == "lock":
        (root / "requirements.lock").write_text("numpy==0\n")
    else:
        (folder_of(root) / "alignment-roi.pdf").write_bytes(b"%PDF-tampered")
    ran = run(root, *arguments)
    assert ran.out.splitlines()[-1] == "reports/small/2026Q2/alignment-roi.pdf"
    assert ("1_fine: ok" in ran.out) == (change in {"notebook", "parameter", "lock"})
    assert (manifest(root, "small", "2026Q2")["run_id"] == first) == (change == "pdf")


def test_the_report_can_be_verified_until_its_data_change(root):
    pdf = str(folder_of(root) / "alignment-roi.pdf")
    assert run(root, "verify", pdf).code == 0
    file = root / "data" / "raw" / "small" / "Opportunity.csv"
    file.write_text(file.read_text().replace("1000.00", "1000.01"))
    ran = run(root, "verify", pdf)
    assert ran.code == 1
    assert "exports changed" in ran.out


@pytest.mark.parametrize("name", ["alignment-roi.xlsx", "notebooks/1_fine.ipynb"])
def test_a_file_that_is_gone_is_made_again_and_no_notebook_runs(root, name):
    before = files(folder_of(root))
    (folder_of(root) / name).unlink()
    said = run(root, "report", "small", "--explain").out.splitlines()
    assert said[-2:] == [
        "2026Q2: would be made, for a file of reports/small/2026Q2 is gone or changed",
        "  1_fine  stands: nothing that it follows from changed",
    ]
    assert not (folder_of(root) / name).exists()
    ran = run(root, "report", "small")
    assert "1 of 1 notebooks stand as they ran before" in ran.out
    made = files(folder_of(root))
    assert {n: made[n] for n in made if n != "manifest.json"} == {
        n: before[n] for n in before if n != "manifest.json"
    }


def test_a_secret_parameter_stands_in_nothing_that_is_kept_or_said(root, capfd):
    """Printed, in a traceback, as base64 and as JSON; in no file of the project and no line of the run."""
    value = 'hunter"2-' + "Zq8" * 3
    forms = [value, base64.b64encode(value.encode()).decode(), json.dumps(value)[1:-1]]
    secret = cell(f"{PARAMETERS}\ntoken: Secret = Secret('token')  # of an API", "parameters")
    imports = "import base64\nfrom analysis.project.secret_parameter import Secret"
    shown = "{token} {token.reveal()} {base64.b64encode(token.reveal().encode())}"
    notebook(
        root / "notebooks" / "1_fine.ipynb", "# Is it fine?", imports, secret, FINE,
        f"from analysis.report import show\nshow.text(f{shown!r})",
    )  # fmt: skip
    for last, code in (("1", 0), (f"raise ValueError(f{shown!r})", 3)):
        content = json.loads((root / "notebooks" / "1_fine.ipynb").read_text())
        content["cells"].append(cell(last, *([] if code else ["analyst"])) | {"id": f"x{code}"})
        (root / "notebooks" / "1_fine.ipynb").write_text(json.dumps(content))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ALIGNMENT_ROI_SECRET_TOKEN", "")
            ran = run(root, "report", "small", "-p", f"token={value}")
        assert ran.code == code
        kept = b"".join(b for n, b in files(root).items() if not n.startswith("notebooks/"))
        everything = (
            kept.decode("utf-8", "replace") + ran.out + ran.err + "".join(capfd.readouterr())
        )
        assert [form for form in forms if form in everything] == []
        assert "[secret]" in everything


def test_what_does_not_change_a_report_does_not_make_it_anew(root):
    """Times of files, and outputs left in a notebook by JupyterLab, are no part of what it follows from."""
    source = root / "notebooks" / "1_fine.ipynb"
    content = json.loads(source.read_text())
    content["cells"][1]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "left over"}
    ]
    source.write_text(json.dumps(content))
    (root / "data" / "raw" / "small" / "User.csv").touch()
    assert "(up to date)" in run(root, "report", "small").out


def test_history_that_a_killed_run_left_out_or_torn_is_made_whole_by_the_next(root):
    """Its manifest is written last, so a run killed before it is made again; a panel alone is no freeze."""
    kept = root / "data" / "history" / "small" / "2026Q2"
    whole = {f.name for f in kept.rglob("*") if f.is_file()}
    for name in ("manifest.json", "first.json", "won_deals.parquet"):
        (kept / name).unlink()
    ran = run(root, "report", "small")
    assert ran.code == 0
    assert "(up to date)" not in ran.out
    assert {f.name for f in kept.rglob("*") if f.is_file()} == whole
    assert "(up to date)" in run(root, "report", "small").out


def test_a_failing_notebook_leaves_the_last_good_report(root):
    """Exit 3; the PDF's bytes stand, the partial notebook and cell and error are told, also on the index page."""
    before = hashlib.sha256((folder_of(root) / "alignment-roi.pdf").read_bytes()).hexdigest()
    good = manifest(root, "small", "2026Q2")["run_id"]
    spoil(root, FINE, "raise ValueError('no <b>such</b> thing')")
    ran = run(root, "report", "small")
    assert ran.code == 3
    assert (
        "reports/small/2026Q2: 1_fine, cell 5: ValueError: no <b>such</b> thing (failed)" in ran.err
    )
    assert (
        hashlib.sha256((folder_of(root) / "alignment-roi.pdf").read_bytes()).hexdigest() == before
    )
    kept = json.loads((folder_of(root) / "failed" / "1_fine.ipynb").read_text())
    assert "Fine." in json.dumps(kept["cells"])
    state = manifest(root, "small", "2026Q2")
    assert (state["status"], state["pdf_sha256"], state["previous_run_id"]) == (
        "failed",
        None,
        good,
    )
    assert state["notebooks"][0] | {"wall_s": 0} == {
        "notebook": "1_fine", "status": "failed", "cell": 5, "error": "ValueError: no <b>such</b> thing", "wall_s": 0,
        "reads": [], "attempts": 1, "is_reused": False,
    }  # fmt: skip
    page = (root / "reports" / "index.html").read_text()
    assert "1_fine, cell 5: ValueError: no &lt;b&gt;such&lt;/b&gt; thing" in page
    assert f"The files, answers and figures are those of run {good}" in page
    history = root / "data" / "history" / "small" / "2026Q2" / "manifest.json"
    assert json.loads(history.read_text())["run_id"] == good


@pytest.mark.study
def test_a_second_failure_still_knows_the_last_good_report(root):
    good = manifest(root, "small", "2026Q2")["run_id"]
    for error in ("one", "two"):
        spoil(root, f"raise ValueError('{error}')")
        assert run(root, "report", "small").code == 3
    state = manifest(root, "small", "2026Q2")
    assert state["previous_run_id"] == good
    assert state["notebooks"][0]["error"] == "ValueError: two"


def test_a_mended_notebook_replaces_all_of_the_failure(root):
    shutil.rmtree(root / "reports")
    spoil(root, "1 / 0")
    assert run(root, "report", "small").code == 3
    assert not (folder_of(root) / "alignment-roi.pdf").exists()
    assert "No files yet" in (root / "reports" / "index.html").read_text()
    spoil(root, FINE)
    assert run(root, "report", "small").code == 0
    assert not (folder_of(root) / "failed").exists()
    assert manifest(root, "small", "2026Q2")["status"] == "ok"


def test_what_a_report_cannot_show_is_a_failed_report(root):
    """Every notebook ran, but one printed: that is no wrong usage, and no PDF."""
    spoil(root, "print('bare')")
    ran = run(root, "report", "small")
    assert ran.code == 3
    assert "printed 'bare' to stdout" in ran.err
    state = manifest(root, "small", "2026Q2")
    assert state["status"] == "failed"
    assert "printed 'bare' to stdout" in state["error"]
    assert state["notebooks"][0]["status"] == "ok"
    assert "printed &#39;bare&#39; to stdout" in (root / "reports" / "index.html").read_text()
    assert (folder_of(root) / "failed" / "1_fine.ipynb").is_file()


def test_progress_is_a_line_a_notebook_for_people_or_for_programs(root):
    notebook(root / "notebooks" / "2_b.ipynb", "# B?", cell(PARAMETERS, "parameters"), FINE)
    (root / "notebooks" / "1_fine.ipynb").unlink()
    lines = run(root, "report", "small", "--progress", "json").out.splitlines()
    events = {e["event"]: e for e in map(json.loads, lines)}
    about = events["notebook"]
    assert about["line"].startswith("2026Q2 2_b: ok in ")
    assert about["line"].endswith(" (1 of 1)")
    facts = ("dataset", "quarter", "notebook", "status", "n", "of")
    assert [about[f] for f in facts] == ["small", "2026Q2", "2_b", "ok", 1, 1]
    assert events["line"]["line"] == "reports/small/2026Q2/alignment-roi.pdf"


@pytest.mark.study
def test_one_failing_quarter_does_not_stop_the_other(root):
    spoil(root, "assert quarter == '2026Q2', quarter", FINE)
    shutil.rmtree(root / "reports")
    ran = run(root, "report", "small", "--quarter", "previous", "--quarter", "latest")
    assert ran.code == 3
    assert (folder_of(root, "2026Q2") / "alignment-roi.pdf").is_file()
    assert not (folder_of(root, "2026Q1") / "alignment-roi.pdf").exists()


@pytest.mark.study
def test_the_second_of_two_quarters_shows_the_first_ones_figure(root, monkeypatch):
    """120 in 2026Q1, 250 in 2026Q2; a report made without it is made anew once it is there."""
    notebook(
        root / "notebooks" / "1_fine.ipynb",
        "# Is it fine?",
        cell(PARAMETERS, "parameters"),
        HEADLINE,
    )
    seen = []
    document = publish.document.make_document
    monkeypatch.setattr(
        publish.document,
        "make_document",
        lambda *a, **k: seen.append(document(*a, **k)) or seen[-1],
    )
    run(root, "report", "small")
    assert seen[-1]["cover"][0]["trend"] == []
    ran = run(root, "report", "small", "--quarter", "previous", "--quarter", "latest")
    assert ran.code == 0
    assert seen[-1]["cover"][0]["trend"] == [
        {"quarter": "2026Q1", "estimate": 120, "shown": "$120"}
    ]
    assert manifest(root, "small", "2026Q2")["metrics"]["bookings"]["estimate"] == 250
    shutil.rmtree(root / "reports")
    run(root, "report", "small", "--quarter", "latest")
    assert seen[-1]["cover"][0]["trend"][0]["estimate"] == 120, (
        "reports can be rebuilt, history stays"
    )


@pytest.mark.study
def test_a_run_killed_half_way_leaves_no_half_report(root):
    """Only names that start with a dot; no kernel; the next run clears up, and runs only what had not ended."""
    good = files(root / "reports")
    executed = root / "data" / "processed" / ".executed" / "small" / "2026Q2"
    spoil(root, "import time\ntime.sleep(600)")
    notebook(
        root / "notebooks" / "2_other.ipynb", "# And else?", cell(PARAMETERS, "parameters"), FINE
    )
    command = [sys.executable, "-c", "from analysis.cli import main; main()", "report", "small"]
    environment = os.environ | {"ALIGNMENT_ROI_ROOT": str(root), "TMPDIR": str(root.parent)}
    with subprocess.Popen(command, env=environment, cwd=root, stdout=subprocess.DEVNULL) as runner:
        try:
            until((executed / "notebooks" / "2_other.json").is_file)
        finally:
            runner.kill()
    until(lambda: not kernels(root))
    left = files(root / "reports")
    assert {name: left[name] for name in left if not name.startswith(".")} == good
    spoil(root, "## Answer\n\nFine again.")
    ran = run(root, "report", "small", "--workers", "1")
    assert ran.code == 0
    assert "1_fine: ok" in ran.out
    assert "2_other: ok" not in ran.out
    assert not list((root / "reports").glob(".*"))


@pytest.mark.study
def test_ctrl_c_ends_the_run_in_a_line_and_leaves_what_stood(root):
    """The signal reaches every process of the terminal's group: only one of them answers. One notebook still waits."""
    good = files(root / "reports")
    for name in ("1_fine", "2_other", "3_waits"):
        notebook(
            root / "notebooks" / f"{name}.ipynb",
            "# Is it fine?",
            cell(PARAMETERS, "parameters"),
            "import time\ntime.sleep(600)",
        )
    command = [sys.executable, "-c", "from analysis.cli import main; main()", "report", "small"]
    environment = os.environ | {"ALIGNMENT_ROI_ROOT": str(root), "TMPDIR": str(root.parent)}
    with subprocess.Popen(
        command, env=environment, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as runner:  # fmt: skip
        until(lambda: len(kernels(root)) > 4)
        os.killpg(runner.pid, signal.SIGINT)
        _, said = runner.communicate(timeout=20)
    assert (runner.returncode, said) == (130, "interrupted: what stood before still stands\n")
    until(lambda: not kernels(root))
    assert files(root / "reports") == good


def test_a_report_moved_aside_by_a_run_that_was_killed_comes_back(root):
    """Killed between the two renames: the old report lies in the temporary folder, and is not lost with it."""
    good = files(root / "reports")
    aside = root / "reports" / ".small-2026Q2-abcd"
    aside.mkdir()
    folder_of(root).rename(aside / "old")
    ran = run(root, "report", "small")
    assert "(up to date)" in ran.out
    assert files(root / "reports") == good


def test_another_datasets_run_is_not_cleared_away(root):
    """Temporary folders of `small-2` and of another quarter belong to other runs."""
    others = [root / "reports" / name for name in (".small-2-2026Q2-abcd", ".small-2026Q1-abcd")]
    for other in others:
        other.mkdir()
    run(root, "report", "small")
    assert all(other.is_dir() for other in others)
