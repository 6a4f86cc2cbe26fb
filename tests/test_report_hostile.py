"""A report of a company whose CRM was filled by an attacker: every name is a name and nothing else."""

import hashlib
import io
import json
import re
import shutil
import zipfile

import page_check
import pandas as pd
import pikepdf
import pytest
from report_fixtures import (
    cells_of,
    files,
    manifest,
    payloads,
    project,
    rewrite,
    run,
    smallest_shown,
    squeezed,
    tables_of,
)
from report_text import pages

pytestmark = (
    pytest.mark.study
)  # a whole report; what each part does with such names is tested there
QUARTER = "2026Q3"
TEAMS = [
    '=HYPERLINK("http://x","y")',
    "<script>alert(1)</script> **b**",
    "#panic() $x$ a|b",
    "../../etc/passwd'; drop table teams; --",
]
SEGMENT = "*S* <b>|x</b> $y$"
LARGE_CELL = 9  # reps a row needs in the hostile company: some of its teams have fewer
PERSONAL = {
    "User.csv": ["Name", "Email", "MobilePhone", "Title"],
    "Lead.csv": ["Email", "Title", "Phone", "Description"],
    "Event.csv": ["Subject", "Description"],
    "Task.csv": ["Subject", "Description"],
    "EventRelation.csv": ["AttendeeEmail"],
}  # of each row a word is added that nothing may repeat
REFUSED = "=1+1 <script>alert(2)<b>.csv"


@pytest.fixture(scope="module")
def hostile(tiny_root, tmp_path_factory):
    """Return a project whose CRM names its teams, accounts, deals and products as an attacker would."""
    root = project(tmp_path_factory.mktemp("hostile") / "project", notebooks=True)
    raw = shutil.copytree(tiny_root / "data" / "raw" / "tiny", root / "data" / "raw" / "tiny")
    rewrite(
        raw / "UserRole.csv",
        lambda i, row: row | {"Name": TEAMS[i % 4]} | swap(row, "Segment__c", "SMB", SEGMENT),
    )
    rewrite(raw / "Account.csv", lambda i, row: row | {"Name": TEAMS[i % 4]})
    rewrite(raw / "Product2.csv", lambda i, row: row | {"Name": f"{TEAMS[i % 4]} {i}"})
    rewrite(raw / "Opportunity.csv", lambda i, row: row | {"Name": TEAMS[i % 4]})
    rewrite(
        raw / "finance_bookings.csv",
        lambda _, row: row | {"bookings_amount": str(float(row["bookings_amount"]) * 2)},
    )
    for file, columns in PERSONAL.items():
        rewrite(
            raw / file,
            lambda i, row, file=file, columns=columns: (
                row | {c: f"{row.get(c, '')} {mark(file, c, i)}".strip() for c in columns}
            ),
        )
    (raw / REFUSED).write_text("jane.doe@example.com,98765432\njohn.doe@example.com,87654321\n")
    (raw / "alignment.toml").write_text(f"[people]\nsmallest_cell = {LARGE_CELL}\n")
    ran = run(root, "report", "tiny")
    assert (ran.code, ran.err) == (0, "")
    (root / "terminal.txt").write_text(ran.out)
    return root


def mark(file, column, row):
    """Return a word that stands nowhere else: what a person is called, or wrote, in one cell."""
    return f"zq{hashlib.sha256(f'{file}{column}{row}'.encode()).hexdigest()[:10]}q"


def swap(row, column, old, new):
    return {column: new} if row[column] == old else {}


def test_no_row_of_fewer_reps_than_the_dataset_asks_for_is_shown(hostile):
    """9 by the dataset's own settings: some teams are hidden, and the note says the same number."""
    folder = hostile / "reports" / "tiny" / QUARTER
    assert smallest_shown(folder) >= LARGE_CELL
    marked = [t for t in tables_of(folder) if t["marks"]]
    assert marked
    assert any(f"<{LARGE_CELL}" in row for table in marked for row in table["rows"])
    assert "fewer than 5 reps" not in json.dumps(payloads(folder))


def test_what_the_crm_says_is_set_as_it_was_written(hostile):
    """Formula, markup, template code, maths, path and SQL are names and nothing else."""
    with pikepdf.open(hostile / "reports" / "tiny" / QUARTER / "alignment-roi.pdf") as pdf:
        text = squeezed("".join(pages(pdf)))
    for name in [*TEAMS, SEGMENT, REFUSED]:
        assert squeezed(name) in text, name


def test_what_the_crm_says_is_text_in_the_workbook(hostile):
    """Not a formula, not a link to somewhere else."""
    file = hostile / "reports" / "tiny" / QUARTER / "alignment-roi.xlsx"
    told = cells_of(file)
    assert set(TEAMS) <= set(told)
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as parts:
        sheets = [
            parts.read(name).decode()
            for name in parts.namelist()
            if name.startswith("xl/worksheets/")
        ]
    assert len(sheets) > 5
    assert not [s for s in sheets if "<f>" in s or "<f " in s or 'TargetMode="External"' in s]


def test_what_the_crm_says_is_text_on_the_web_page(hostile):
    """Every name is there as it was written, and the page is as inert as any other."""
    page = page_check.read_page(hostile / "reports" / "tiny" / QUARTER / "alignment-roi.html")
    assert page_check.faults(page) == []
    text = squeezed(page.text + page.drawn)
    for name in [*TEAMS, SEGMENT, REFUSED]:
        assert squeezed(name) in text, name


def test_what_the_crm_says_does_not_run_in_jupyter(hostile):
    """Neither as HTML nor as a formula of MathJax's."""
    shown = list(payloads(hostile / "reports" / "tiny" / QUARTER))
    html = "\n".join("".join(d.get("text/html", "")) for d in shown)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "$x$" not in html
    svg = "\n".join("".join(d.get("image/svg+xml", "")) for d in shown)
    assert "<script" not in svg


def test_what_the_crm_says_is_no_file_and_no_statement(hostile):
    """Every file is one the house named, and the tables are all there; a chapter that is withheld ran no notebook."""
    made = {
        "index.html",
        "manifest.json",
        "alignment-roi.pdf",
        "alignment-roi.html",
        "alignment-roi.xlsx",
    }
    written = {name.split("/")[-1] for name in files(hostile / "reports")}
    assert made <= written <= made | {f.name for f in (hostile / "notebooks").iterdir()}
    assert (hostile / "data" / "processed" / "tiny" / "teams.parquet").is_file()
    assert "<script" not in (hostile / "reports" / "index.html").read_text()


def test_what_stood_in_a_refused_file_is_not_told(hostile):
    """Its name is; its first line, which is somebody's address and pay, is not."""
    folder = hostile / "reports" / "tiny" / QUARTER
    everything = b"".join(
        f.read_bytes() for f in folder.rglob("*") if f.suffix in {".json", ".ipynb"}
    ).decode()
    everything += "\n".join(map(str, cells_of(folder / "alignment-roi.xlsx")))
    assert "doe@example.com" not in everything
    assert "98765432" not in everything
    assert any(REFUSED in notice for notice in manifest(hostile, "tiny", QUARTER)["notices"])


def test_nothing_that_a_person_is_called_or_wrote_leaves_the_exports(hostile):
    """Thousands of words are planted, one a cell: none is in a processed table, report, history or on the terminal."""
    word = re.compile(rb"zq[0-9a-f]{10}q")
    raw = hostile / "data" / "raw" / "tiny"
    planted = {m for file in PERSONAL for m in word.findall((raw / file).read_bytes())}
    assert len(planted) > 5_000
    kept = [f for place in ("data/processed", "data/history") for f in (hostile / place).rglob("*")]
    texts = [(hostile / "terminal.txt").read_bytes()]
    for file in kept:
        if file.suffix == ".parquet":
            texts.append(pd.read_parquet(file).astype(str).to_csv().encode())
        elif file.is_file():
            texts.append(file.read_bytes())
    for file in (hostile / "reports").rglob("*"):
        if file.suffix == ".pdf":
            with pikepdf.open(file) as opened:
                texts.append(" ".join(pages(opened)).encode())
        elif file.suffix == ".xlsx":
            texts.append("\n".join(map(str, cells_of(file))).encode())
        elif file.is_file():
            texts.append(file.read_bytes())
    assert len(texts) > 60
    assert [m for text in texts for m in word.findall(text)] == []


def test_bookings_far_from_finances_are_said_on_the_first_page(hostile):
    (notice,) = [
        n for n in manifest(hostile, "tiny", QUARTER)["notices"] if n.startswith("Not reconciled")
    ]
    # Half of the deals are gone, so the gate withholds bookings, and their gap with them.
    assert notice == "Not reconciled: bookings in the CRM are not finance's total."
    assert manifest(hostile, "tiny", QUARTER)["questions"]["bookings"] == "withheld"
    with pikepdf.open(hostile / "reports" / "tiny" / QUARTER / "alignment-roi.pdf") as pdf:
        first = squeezed("".join(pages(pdf)[:2]))
    assert "Notreconciled" in first
