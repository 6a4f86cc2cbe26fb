"""A company that reports in another currency sees no dollar but in what a publisher stated in dollars."""

import ast
import csv
import json
import re
import shutil
from pathlib import Path

import pikepdf
import pytest
from report_fixtures import cells_of, payloads, project, run
from report_text import pages

HOUSE = Path(__file__).parents[2]
PACKAGE = HOUSE / "src" / "analysis"
# Where a dollar is one: published figures, markdown and its formulas, and reading exports.
WITH_DOLLARS = {
    "money.py",
    "claims.py",
    "worked_example.py",
    "markdown.py",
    "html.py",
    "formats.py",
}
CLAIMED = re.compile(
    r"article|vendor|example|published|Albers|\$399|\$3,788|\$100,000|\$2,000,000|\$60,052|\$1,251|\$2M quota"
)


def words_of(file: Path) -> list[str]:
    """Return the texts in a module's code that it could show: no docstring, no pattern, no bound parameter."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {
        id(n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
    }
    texts = [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    ]
    return [
        t
        for t in texts
        if (re.search(r"\$(?![a-z_]+\b)(?!\")(?!$)", t) and not t.startswith("^"))
        or t in {"$", "${"}
    ]


def test_no_module_writes_a_dollar_itself():
    """Amounts in words come from `money`; reading exports and simulating them is another matter."""
    rooms = [
        f
        for f in PACKAGE.rglob("*.py")
        if not {"sources", "cleaning", "simulate"} & set(f.relative_to(PACKAGE).parts)
    ]
    found = {f.name: words_of(f) for f in rooms if f.name not in WITH_DOLLARS and words_of(f)}
    assert found == {}


def test_no_notebook_computes_with_a_dollar():
    for file in sorted((HOUSE / "notebooks").glob("*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert "$" not in code, file.name


@pytest.fixture(scope="module")
def folder(tiny_root, tmp_path_factory) -> Path:
    """Return the report of the tiny company had it been one of the euro area: its amounts in EUR throughout."""
    root = project(tmp_path_factory.mktemp("euro") / "project", notebooks=True)
    raw = shutil.copytree(tiny_root / "data" / "raw" / "tiny", root / "data" / "raw" / "euro")
    (raw / "alignment.toml").write_text(
        '[company]\nname = "Acme"\ncurrency = "EUR"\n', encoding="utf-8"
    )
    (raw / "DatedConversionRate.csv").unlink()
    for file in raw.glob("*.csv"):
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        named = [i for i, head in enumerate(rows[0]) if head in {"CurrencyIsoCode", "currency"}]
        for row in rows[1:]:
            for i in named:
                row[i] = "EUR"
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(
                [["".join(c).replace("$", "€") for c in row] for row in rows]
            )
    ran = run(root, "report", "euro")
    assert ran.code == 0, ran.err
    (folder,) = (root / "reports" / "euro").glob("20*")
    return folder


def test_a_euro_companys_pdf_says_euro(folder):
    with pikepdf.open(folder / "alignment-roi.pdf") as pdf:
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
