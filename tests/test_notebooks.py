"""The notebooks keep the rules of the house: they tell, `src/` computes."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from papermill.inspection import inspect_notebook

from analysis.tables.canonical import TABLES

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
BARRED = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.While,
    ast.Try,
    ast.Lambda,
)
FIXED_HEADINGS = ["answer", "data", "how sure are we?", "definitions and sources"]

pytestmark = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)


def cells(notebook, kind=None):
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return [c for c in content["cells"] if kind in {None, c["cell_type"]}]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def code(notebook):
    return "\n".join(source(c) for c in cells(notebook, "code"))


def headings(notebook):
    """Return the second-level headings, lower case, up to a colon."""
    text = "\n".join(source(c) for c in cells(notebook, "markdown"))
    return [h.split(":")[0].strip().lower() for h in re.findall(r"^## (.+)$", text, re.MULTILINE)]


def test_its_name_says_its_place_and_subject(notebook):
    assert re.fullmatch(r"[1-9][0-9]?_[a-z][a-z_]+\.ipynb", notebook.name)


def test_it_is_short(notebook):
    """25 cells, 12 lines a code cell; a longer one is two notebooks, or work for `src/`."""
    assert len(cells(notebook)) <= 25
    longest = max(cells(notebook, "code"), key=lambda c: source(c).count("\n"))
    assert source(longest).count("\n") + 1 <= 12, source(longest)


def test_it_begins_with_its_one_title_a_question(notebook):
    first = source(cells(notebook)[0]).splitlines()
    assert cells(notebook)[0]["cell_type"] == "markdown"
    assert first[0].startswith("# ")
    assert first[0].endswith("?")
    text = "\n".join(source(c) for c in cells(notebook, "markdown"))
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1


def test_the_title_is_followed_by_who_decides_what(notebook):
    assert any(line.strip() for line in source(cells(notebook)[0]).splitlines()[1:])


def test_imports_parameters_and_the_load_come_first_in_this_order(notebook):
    _, imports, parameters, load = cells(notebook)[:4]
    assert all(
        isinstance(n, ast.Import | ast.ImportFrom | ast.Expr)
        for n in ast.parse(source(imports)).body
    )
    assert source(imports).endswith("charts.use_style()")
    assert tags(parameters) == ["parameters"]
    assert "company = open_company(" in source(load)
    assert source(load).count("\n") + 1 <= 5


def test_nothing_is_imported_further_down(notebook):
    for cell in cells(notebook, "code")[1:]:
        assert not [
            n
            for n in ast.walk(ast.parse(source(cell)))
            if isinstance(n, ast.Import | ast.ImportFrom)
        ]


def test_sections_come_in_the_order_of_the_house(notebook):
    """Answer, Data, the findings, How sure are we?, Definitions and sources."""
    heads = headings(notebook)
    assert [h for h in heads if h in FIXED_HEADINGS] == FIXED_HEADINGS
    assert heads[:2] == FIXED_HEADINGS[:2]
    assert heads[-2:] == FIXED_HEADINGS[2:]
    assert source(cells(notebook)[-1]).startswith("## Definitions and sources")


def test_a_section_has_words_before_its_code(notebook):
    """No two code cells in a row but where the second belongs to the first's section."""
    run = 0
    for cell in cells(notebook)[4:]:
        run = run + 1 if cell["cell_type"] == "code" else 0
        assert run <= 2, source(cell)


def test_it_defines_nothing_and_loops_over_nothing(notebook):
    barred = [
        ast.unparse(n)[:60] for n in ast.walk(ast.parse(code(notebook))) if isinstance(n, BARRED)
    ]
    assert barred == []


@pytest.mark.parametrize(
    "barred",
    [
        "../",
        "sys.path",
        "import *",
        "inplace",
        "warnings",
        "except",
        "now(",
        "today(",
        "!",
        "%%",
        "print(",
    ],
)
def test_it_takes_no_short_cut(notebook, barred):
    """No path, no silenced warning, no clock, no magic, nothing shown but by `show`."""
    lines = [line for line in code(notebook).splitlines() if barred in line.replace("!=", "")]
    assert lines == []


def test_its_parameters_are_typed_and_explained(notebook):
    """`papermill --help-notebook` prints type and comment; the report checks values against the type."""
    known = inspect_notebook(str(notebook))
    assert {"quarter", "dataset", "team"} <= set(known)
    for name, entry in known.items():
        assert entry["inferred_type_name"] in {"str", "int", "float", "bool"}, name
        assert entry["help"].strip(), name
    assert known["dataset"]["default"] == '"demo"'


def test_every_parameter_is_a_literal(notebook):
    for statement in ast.parse(source(cells(notebook)[2])).body:
        assert isinstance(statement, ast.AnnAssign)
        ast.literal_eval(statement.value)


def test_it_declares_tables_and_columns_that_exist(notebook):
    """What it needs decides whether the chapter can be written: a wrong name would always switch it off."""
    own = json.loads(notebook.read_text())["metadata"]["alignment_roi"]
    assert own["needs"]
    dated = {table: [column] for table, column in own.get("begins", {}).items()}
    for several in (own["needs"], *own.get("one_of", []), dated):
        for table, columns in several.items():
            assert set(columns) <= {c.name for c in TABLES[table].columns}, table


def test_only_the_headline_keeps_its_output(notebook):
    """A stored output is demo's: a company's figure must never be committed."""
    for cell in cells(notebook, "code"):
        if "keep_output" not in tags(cell):
            assert cell["outputs"] == [], source(cell)
    kept = [c for c in cells(notebook, "code") if "keep_output" in tags(c)]
    assert len(kept) == 1
    assert "nbval-check-output" in tags(kept[0])
    assert "headline=True" in source(kept[0])


def test_no_stored_output_holds_an_error_or_a_path(notebook):
    stored = json.dumps([c["outputs"] for c in cells(notebook, "code")])
    assert '"output_type": "error"' not in stored
    assert not re.search(r"/(home|root|work|Users|tmp)/", stored)


def test_it_keeps_nothing_of_how_it_was_run(notebook):
    """One line changed is one cell changed: no papermill metadata, no times, stable ids."""
    content = json.loads(notebook.read_text())
    assert set(content["metadata"]) <= {"kernelspec", "language_info", "alignment_roi"}
    assert content["metadata"]["kernelspec"]["name"] == "python3"
    assert all(set(c["metadata"]) <= {"tags"} for c in content["cells"])
    ids = [c["id"] for c in content["cells"]]
    assert len(set(ids)) == len(ids)


def test_no_line_is_longer_than_a_hundred_columns(notebook):
    """Words of a markdown cell aside: they are one line a paragraph."""
    lines = [line for c in cells(notebook, "code") for line in source(c).splitlines()]
    assert [line for line in lines if len(line) > 100] == []


def test_no_words_hold_a_dollar_that_jupyterlab_would_set_as_a_formula(notebook):
    """MathJax takes what lies between two dollars for a formula, escaped ones too: write dollars in words."""
    assert [c["id"] for c in cells(notebook, "markdown") if "$" in source(c)] == []


def test_every_show_call_is_one_the_report_can_set(notebook):
    """Each ends in the document or is a value for one; a new way to show needs a form in the PDF first."""
    used = set(re.findall(r"\bshow\.(\w+)\(", code(notebook)))
    assert used <= {
        "use", "value", "card", "kpi", "kpis", "table", "tables", "claims", "figure", "text", "finding", "cannot_tell", "practices", "bottleneck",
        "decision", "inert", "is_withheld",
    }  # fmt: skip


def test_its_words_stay_clear_of_what_the_house_forbids(notebook):
    text = "\n".join(source(c) for c in cells(notebook, "markdown"))
    assert not re.search(r"\b(TODO|FIXME|TBD|XXX)\b", text)
    assert "<" not in text, "HTML in markdown is shown as written"
