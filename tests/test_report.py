"""End to end: a simulated company's exports become a report that anybody may read.

The company is one of the euro area: whatever its report says in dollars, a publisher stated in dollars.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import page_check
import pandas as pd
import pikepdf
import pytest
from page_boxes import overlapping, page_boxes
from report_fixtures import at as project_at
from report_fixtures import (
    cells_of,
    files,
    kernels,
    manifest,
    payloads,
    project,
    rewrite,
    run,
    smallest_shown,
    squeezed,
)
from report_text import pages

from analysis.report import page_plan
from analysis.report.output import MIME
from analysis.store import request_records

QUARTER = "2026Q3"
FROM_SYSTEMS = {"rep_team_history.csv", "working_calendar.csv", "finance_bookings.csv"}
HEADLINES = {
    "bookings", "win_rate", "cost_per_selling_hour", "required_bookings_per_selling_hour", "selling_hours_per_week",
}  # fmt: skip
CURRENCY_CODES = {"CurrencyIsoCode", "IsoCode", "currency"}
# A dollar is one where a publisher stated it so.
CLAIMED = re.compile(
    r"article|vendor|example|published|Albers|\$399|\$3,788|\$100,000|\$2,000,000|\$60,052|\$1,251|\$2M quota"
)


LEADERS_OWN = "quetzalcoatlus thirteenth"  # what only the leader may read


def plant_decision() -> None:
    """Approve a request of the dataset, all 12 questions and the leader's own answered."""
    words = request_records.VettingAnswer(text=LEADERS_OWN, score=2)
    request_records.write_leader_answer("tiny", "request-3", words)
    states = [{"state": "vetted", "on": "2026-09-01"}]
    states += [
        {"state": "approved", "on": "2026-09-02", "reason": "fits", "review_on": "2026-12-01"}
    ]
    answers = {str(n): {"text": "because", "score": 2} for n in range(1, 13)}
    content = {"request_id": "request-3", "answers": answers, "states": states}
    request_records.write_record("tiny", request_records.RequestRecord.model_validate(content))


@pytest.fixture(scope="module")
def exports(tiny_root, tmp_path_factory):
    """Return the folder of a company's exports, in which dollars are euros: 4 teams, 6 quarters, dirt.

    What was in euros is in francs, whose rates to the euro may be what the euro's were to the dollar.
    """
    raw = tmp_path_factory.mktemp("euro") / "tiny"
    shutil.copytree(tiny_root / "data" / "raw" / "tiny", raw)
    (raw / "alignment.toml").write_text(
        '[company]\nname = "Acme"\ncurrency = "EUR"\n', encoding="utf-8"
    )
    renamed = {"USD": "EUR", "EUR": "CHF"}
    for file in raw.glob("*.csv"):
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        codes = [i for i, head in enumerate(rows[0]) if head in CURRENCY_CODES]
        for row in rows[1:]:
            for i in codes:
                row[i] = renamed.get(row[i], row[i])
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([[c.replace("$", "€") for c in row] for row in rows])
    return raw


def euro_project(exports, folder):
    """Make a project of these exports and one decision, part of which is the leader's own."""
    root = project(folder / "project", notebooks=True)
    shutil.copytree(exports, root / "data" / "raw" / "tiny")
    with project_at(root):
        plant_decision()
    return root


@pytest.fixture(scope="module")
def reported(exports, tmp_path_factory):
    """Return a project with a report of the exports."""
    root = euro_project(exports, tmp_path_factory.mktemp("here"))
    ran = run(root, "report", "tiny")
    assert (ran.code, ran.err) == (0, "")
    return root


@pytest.fixture(scope="module")
def elsewhere(exports, tmp_path_factory):
    """Return another, whose report was made from another folder, in another zone and hash seed."""
    root = euro_project(exports, tmp_path_factory.mktemp("there"))
    command = [sys.executable, "-c", "from analysis.cli import main; main()", "report", "tiny"]
    other = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C", "COLUMNS": "40"}
    environment = {k: v for k, v in os.environ.items() if k != "ALIGNMENT_ROI_ROOT"} | other
    ran = subprocess.run(
        command,
        env=environment,
        cwd=root / "data" / "raw",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return root


@pytest.fixture(scope="module")
def folder(reported):
    return reported / "reports" / "tiny" / QUARTER


@pytest.fixture(scope="module")
def pdf(folder):
    with pikepdf.open(folder / "alignment-roi.pdf") as opened:
        yield opened


def test_what_only_the_leader_may_read_is_in_no_output_but_its_own_file(reported, text, figure):
    """Hunted through every file of the project, unpacked where it is packed, and the text of the PDF."""
    root = reported
    own = root / "data" / "history" / "tiny" / "requests" / "leader" / "request-3.toml"
    spread = [f for f in root.rglob("*") if f.is_file() and LEADERS_OWN.encode() in f.read_bytes()]
    assert spread == [own]
    for file in root.rglob("*.xlsx"):
        with zipfile.ZipFile(file) as packed:
            assert not any(LEADERS_OWN.encode() in packed.read(name) for name in packed.namelist())
    for file in root.rglob("*.parquet"):
        assert LEADERS_OWN not in pd.read_parquet(file).to_csv()
    assert LEADERS_OWN not in text
    figure("000-09", f"planted words found in {len(spread)} file of the project: the leader's own")


@pytest.fixture(scope="module")
def text(pdf):
    return squeezed("".join(pages(pdf)))


@pytest.fixture(scope="module")
def without_pay(tiny_root, tmp_path_factory):
    """Return a project whose company, one with dollars, hands over what its CRM exports and who was in which team, and nothing else."""
    root = project(tmp_path_factory.mktemp("without") / "project", notebooks=True)
    raw = shutil.copytree(tiny_root / "data" / "raw" / "tiny", root / "data" / "raw" / "tiny")
    for file in raw.glob("[a-z]*.csv"):
        if file.name not in FROM_SYSTEMS:
            file.unlink()
    ran = run(root, "report", "tiny")
    assert (ran.code, ran.err) == (0, "")
    return root


BOTH = ["reported", pytest.param("without_pay", marks=pytest.mark.study)]
PRIVATE_ENGLISH = (
    "pays from", "quotas ask", "holds if", "the quarter itself", "would settle it", "do not hold", "in play",
    "cannot be told", "is unaccounted for", "closer to the truth", "sceptical prior", "one plus each", "skill lifts",
    "worth knowing up to", "upper end", "left out whole", "is not thereby", "times more than as many", "nothing had begun of",
    "in money of its first", "with nothing assumed", "leads are extra", "teams did",
)  # fmt: skip


@pytest.mark.parametrize("which", BOTH)
def test_the_report_speaks_plain_english(which, request):
    """The left column of our notes on plain English, and its kin, stand on no page."""
    root = request.getfixturevalue(which)
    with pikepdf.open(root / "reports" / "tiny" / QUARTER / "alignment-roi.pdf") as opened:
        text = squeezed("".join(pages(opened))).lower()
    assert [phrase for phrase in PRIVATE_ENGLISH if squeezed(phrase) in text] == []
    assert re.findall(r".{9}[+\N{MINUS SIGN}]0(?:\.0+)?(?![\d.])", text) == []


BODY_TOP, BODY_BOTTOM = 85.0, 768.0  # of a page's text [pt from the top]
LEAST_FULL = 0.4
RIGHT_MARGIN = 67.0  # 25 mm, less a hair [pt]


@pytest.mark.parametrize("which", BOTH)
def test_no_label_stands_on_another_and_no_page_is_left_half_empty(which, request):
    """Page one has its own margins, a part's last page and one of questions without an answer may end early."""
    root = request.getfixturevalue(which)
    with pikepdf.open(root / "reports" / "tiny" / QUARTER / "alignment-roi.pdf") as opened:
        boxes = page_boxes(opened)
        right_edges = [float(page.mediabox[2]) - RIGHT_MARGIN for page in opened.pages]
        first_of_parts = {
            number
            for number, page in enumerate(boxes)
            if any(b.size > 16 and b.top < 130 for b in page)
        }
    assert [(n, pair) for n, page in enumerate(boxes, start=1) for pair in overlapping(page)] == []
    out = [[b.text for b in p if b.right > e] for p, e in zip(boxes, right_edges, strict=True)]
    assert [(n, texts) for n, texts in enumerate(out, start=1) if texts] == []
    for number, page in enumerate(boxes[:-1]):
        lowest = max(b.bottom for b in page if BODY_TOP - 15 < b.top < BODY_BOTTOM)
        share = (lowest - BODY_TOP) / (BODY_BOTTOM - BODY_TOP)
        is_last = number + 1 in first_of_parts
        assert share > LEAST_FULL or is_last, f"page {number + 1} is {share:.0%} full"


def test_the_appendix_keeps_to_its_pages(pdf, folder):
    """Twenty pages, and four for each chapter after the fifth."""
    texts = [squeezed(text) for text in pages(pdf)]
    first = next(i for i, text in enumerate(texts) if "Thechaptersindetail" in text)
    n_chapters = len(list((folder / "notebooks").glob("*.ipynb")))
    assert first <= page_plan.MOST_PAGES
    assert len(texts) - first <= 20 + 4 * max(0, n_chapters - 5)


def test_every_key_metric_that_has_a_past_shows_its_trend(folder):
    """The alignment index too, in the manifest that the index of reports is made from."""
    state = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    past = {m["name"]: m for m in state["key_metrics"] if len(m["earlier"]) > 0}
    assert "alignment_index" in past
    assert [name for name, m in past.items() if len(m["trend"]) < 3] == []


def people(exports):
    with (exports / "User.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def elements(pdf, kind):
    return [
        o
        for o in pdf.objects
        if isinstance(o, pikepdf.Dictionary) and o.get("/S") == kind and "/P" in o
    ]


def test_the_pdf_is_for_everybody(pdf):
    """Tagged, in English, with title, bookmarks and words for every figure; nothing in it is a raster."""
    assert pdf.Root.MarkInfo.Marked
    assert "/StructTreeRoot" in pdf.Root
    assert str(pdf.Root.Lang).startswith("en")
    with pdf.open_metadata() as about:
        assert "2026Q3" in about["dc:title"]
    figures = elements(pdf, "/Figure")
    assert len(figures) >= 6
    assert all(str(f.Alt).strip() for f in figures)
    with pdf.open_outline() as outline:
        titles = [item.title for item in outline.root]
    assert "What do the exports hold, and what can they answer?" in titles
    assert "What does an hour of selling cost, and what must it bring?" in titles
    assert not [
        o for o in pdf.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"
    ]


def test_the_articles_figures_stand_beside_the_companys_own(text):
    """As the vendor's worked example they are, not as a benchmark."""
    assert "$399" in text
    assert "$3,788" in text


def test_a_euro_companys_pdf_says_euro(pdf):
    texts = pages(pdf)
    assert "€" in texts[0]
    assert "$" not in texts[0]
    for text in texts:
        for at in (m.start() for m in re.finditer(r"\$", text)):
            near = text[max(0, at - 400) : at + 400]
            assert re.search(CLAIMED.pattern.replace(" ", ""), re.sub(r"\s", "", near)), near
    assert "NorthwindInstruments" not in re.sub(r"\s", "", "".join(texts))
    assert "missed" not in texts[0]


def test_its_notebooks_and_charts_say_euro(folder):
    for data in payloads(folder):
        assert "$" not in data.get("image/svg+xml", "")
        says = data.get("text/plain", "")
        assert "$" not in says or CLAIMED.search(says), says


def test_its_workbook_says_euro(folder):
    dollars = [
        c
        for c in map(str, cells_of(folder / "alignment-roi.xlsx"))
        if "$" in c and not CLAIMED.search(c)
    ]
    assert dollars == []


def test_no_person_is_in_the_report(text, folder, exports):
    """No name, no e-mail address, no id: neither in the PDF nor in the workbook, and no name in a notebook."""
    sheets = "\n".join(map(str, cells_of(folder / "alignment-roi.xlsx")))
    notebooks = "\n".join(f.read_text() for f in (folder / "notebooks").iterdir())
    page = page_check.read_page(folder / "alignment-roi.html").text
    users = people(exports)
    assert len(users) > 40
    for user in users:
        for told in (user["Name"], user["Email"]):
            assert squeezed(told) not in text
            assert told not in sheets
            assert told not in notebooks
            assert told not in page
        assert user["Id"] not in text
        assert user["Id"] not in page
        assert user["Id"] not in sheets
    assert "@" not in text
    assert "@" not in sheets
    assert "@" not in page


def test_the_web_page_is_for_everybody(folder):
    page = page_check.read_page(folder / "alignment-roi.html")
    assert page_check.faults(page) == []
    assert len(page.tables) > 20
    assert len([i for i in page.images if i["alt"]]) >= 9


def test_no_code_is_in_the_pdf(text):
    for code in (
        "import",
        "show.",
        "processed.load_table",
        "cost.estimate_cost",
        "**basis",
        "Traceback",
    ):
        assert not re.search(rf"\b{re.escape(code)}(?![a-z])", text), code


def test_every_figure_says_n_and_the_time_it_speaks_of(folder):
    outputs = [
        output["data"][MIME]
        for file in sorted((folder / "notebooks").iterdir())
        for cell in json.loads(file.read_text())["cells"]
        for output in cell.get("outputs", ())
        if MIME in output.get("data", {})
    ]
    figures = [content for content in outputs if content["kind"] == "figure"]
    assert len(figures) >= 9
    for figure in figures:
        assert "n = " in figure["caption"], figure["caption"]
        assert re.search(rf"{QUARTER}|quarters|as of", figure["caption"]), figure["caption"]
        assert figure["alt"].strip()
        assert figure["source"].strip()


def test_no_row_of_fewer_than_five_reps_is_shown(folder):
    assert smallest_shown(folder) >= 5


def test_the_manifest_says_what_the_report_stood_on(reported, exports):
    state = manifest(reported, "tiny", QUARTER)
    assert set(state["metrics"]) >= HEADLINES
    cost = state["metrics"]["cost_per_selling_hour"]
    assert cost["low"] < cost["estimate"] < cost["high"]
    assert cost["unit"] == "EUR per recorded selling hour"
    assert [n["status"] for n in state["notebooks"]] == ["ok"] * len(state["notebooks"])
    received = {f.name for f in exports.glob("*.csv")}
    assert {i["file"] for i in state["inputs"]} == received
    for table in state["tables"]:
        assert table["n_in"] == table["n_clean"] + table["n_quarantined"] + table["n_dropped"], (
            table["table"]
        )


@pytest.mark.study
def test_the_same_exports_give_the_same_bytes_wherever_they_are(reported, elsewhere):
    """Other folder, process, zone, hash seed and pseudonyms: the same PDF, workbook and metrics."""
    both = (reported, elsewhere)
    here, there = (root / "reports" / "tiny" / QUARTER for root in both)
    keys = [(root / "data" / "history" / "tiny" / "pseudonyms.key").read_text() for root in both]
    assert keys[0] != keys[1]
    for name in ("alignment-roi.pdf", "alignment-roi.html", "alignment-roi.xlsx"):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name
    one, other = (manifest(root, "tiny", QUARTER) for root in both)
    assert one["run_id"] == other["run_id"]
    assert one["metrics"] == other["metrics"]


def test_every_published_figure_is_told_alike_in_pdf_page_workbook_and_manifest(
    reported, folder, text
):
    state = manifest(reported, "tiny", QUARTER)
    cost = state["metrics"]["cost_per_selling_hour"]["estimate"]
    assert f"€{cost:,.0f}" in text
    assert f"€{cost:,.0f}" in page_check.read_page(folder / "alignment-roi.html").text
    assert any(
        round(c) == cost for c in cells_of(folder / "alignment-roi.xlsx") if type(c) is float
    )


def test_a_report_leaves_no_kernel_and_no_scratch(reported):
    assert kernels(reported) == []
    assert not [name for name in files(reported / "reports") if name.startswith(".")]
    assert sorted(
        f.name for f in (reported / "data" / "processed").iterdir() if not f.name.startswith(".")
    ) == ["tiny"]


@pytest.mark.study
def test_the_report_can_be_verified_until_its_data_change(reported, tmp_path):
    root = Path(shutil.copytree(reported, tmp_path / "copy"))
    pdf = root / "reports" / "tiny" / QUARTER / "alignment-roi.pdf"
    assert run(root, "verify", str(pdf)).code == 0
    rewrite(
        root / "data" / "raw" / "tiny" / "quotas.csv", lambda _, row: row | {"quota_amount": "1.00"}
    )
    ran = run(root, "verify", str(pdf))
    assert ran.code == 1
    assert "exports changed" in ran.out


@pytest.mark.study
def test_without_pay_and_quotas_the_report_says_what_is_missing(without_pay):
    """The question keeps its place, and the page names tables and columns; the rest is answered."""
    state = manifest(without_pay, "tiny", QUARTER)
    by_name = {n["notebook"]: n for n in state["notebooks"]}
    assert by_name["1_data_quality"]["status"] == "ok"
    assert by_name["2_cost_per_hour"]["status"] == "missing"
    assert {n["table"] for n in by_name["2_cost_per_hour"]["needs"]} == {"compensation", "quotas"}
    assert {"bookings", "win_rate"} <= set(state["metrics"])
    assert "cost_per_selling_hour" not in state["metrics"]
    with pikepdf.open(without_pay / "reports" / "tiny" / QUARTER / "alignment-roi.pdf") as pdf:
        text = squeezed("".join(pages(pdf)))
        with pdf.open_outline() as outline:
            titles = [item.title for item in outline.root]
    for named in (
        "compensation",
        "base_amount",
        "commission_rate",
        "fringe_rate",
        "quotas",
        "quota_amount",
    ):
        assert named in text
    assert "What does an hour of selling cost, and what must it bring?" in titles


def test_four_teams_cannot_tell_growth_or_money_but_have_an_index_and_a_break_even(reported, text):
    """Three teams with a start two at a time are needed: the report says so, and what the programme would have to bring."""
    metrics = manifest(reported, "tiny", QUARTER)["metrics"]
    for name in ("growth_gap", "npv", "payback_months", "probability_npv_positive"):
        assert (metrics[name]["estimate"], metrics[name]["verdict"]) == (None, "cannot tell"), name
    assert (
        metrics["alignment_index"]["low"]
        < metrics["alignment_index"]["estimate"]
        < metrics["alignment_index"]["high"]
    )
    assert metrics["break_even_lift"]["estimate"] > 0
    assert squeezed("changes bookings: a comparison takes 3 teams that joined") in text
    assert (
        squeezed(
            "Whether the alignment programme pays stays open: its effect could not be estimated. It "
            "breaks even if it raises bookings by"
        )
        in text
    )


@pytest.mark.study
def test_without_practices_and_programme_the_index_is_the_core_profiles_and_money_has_no_chapter(
    without_pay,
):
    state = manifest(without_pay, "tiny", QUARTER)
    by_name = {n["notebook"]: n for n in state["notebooks"]}
    assert by_name["4_aligned_vs_laggard"]["status"] == "ok"
    assert by_name["5_alignment_roi"]["status"] == "missing"
    assert {n["table"] for n in by_name["5_alignment_roi"]["needs"]} == {
        "programme",
        "programme_costs",
        "compensation",
    }
    assert state["metrics"]["alignment_index"]["method"].startswith("core profile")
    assert state["metrics"]["growth_gap"]["verdict"] == "cannot tell"
