"""Every practice of the five articles: once, and measured by what exists or said not to be."""

import importlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from analysis.chapters.alignment.items import ITEMS
from analysis.cli import app
from analysis.project import article_practices
from analysis.project.article_practices import PRACTICES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "analysis"
IN_ARTICLES = {"000": 33, "001": 38, "002": 31, "003": 21, "004": 22}  # counted in the articles
COMMANDS = {command.callback.__name__ for command in app.registered_commands}
PUT_OFF = re.compile(r"\b(later|soon|yet|planned|to come|not now|to do)\b", re.IGNORECASE)


def code_cells(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    return "\n".join(code)


NOTEBOOK_CODE = {f.name: code_cells(f) for f in sorted((ROOT / "notebooks").glob("*.ipynb"))}


@pytest.fixture(scope="module")
def names_in_use():
    """Every name that is called, passed on or looked up: one that is only defined is not among them."""
    texts = [f.read_text(encoding="utf-8") for f in PACKAGE.rglob("*.py")]
    return {
        name
        for text in [*texts, *NOTEBOOK_CODE.values()]
        for name in re.findall(r"(?<!def )\b(\w+)\(|\.(\w+)\b", text)
        for name in name
    }


def test_every_practice_of_the_articles_stands_there_once():
    """145 of them: each article's ids run from 01 without a gap, and no two practices read alike."""
    expected = [f"{a}-{i:02d}" for a, n in IN_ARTICLES.items() for i in range(1, n + 1)]
    assert [p.id for p in PRACTICES] == expected
    assert set(article_practices.ARTICLES) == set(IN_ARTICLES)
    assert not [text for text, n in Counter(p.practice for p in PRACTICES).items() if n > 1]


@pytest.mark.parametrize("practice", PRACTICES, ids=lambda p: p.id)
def test_a_practice_is_measured_by_what_exists_or_says_why_it_is_not(practice, names_in_use):
    """Nothing is put off: a practice has a figure that can be looked up, or a reason and what it would take."""
    if practice.is_measured:
        assert practice.figure
        assert not practice.because + practice.takes
    else:
        assert practice.because
        assert practice.takes
        assert not practice.figure
        assert not PUT_OFF.search(practice.because)
    for by in practice.by:
        if by.startswith("command "):
            assert by.removeprefix("command ") in COMMANDS
        elif "." not in by:
            assert by in {item.id for item in ITEMS}
        else:
            module, _, name = by.rpartition(".")
            room = "analysis." if module.startswith("report.") else "analysis.chapters."
            assert callable(getattr(importlib.import_module(room + module), name))
            assert name in names_in_use


def test_a_chapters_figures_are_looked_for_in_the_notebook_that_shows_them():
    folders = {f.parent.name for f in (PACKAGE / "chapters").glob("*/__init__.py")}
    assert set(article_practices.NOTEBOOKS) == folders
    for folder, number in article_practices.NOTEBOOKS.items():
        (code,) = (c for name, c in NOTEBOOK_CODE.items() if name.startswith(f"{number}_"))
        assert f"analysis.chapters.{folder}" in code


def test_the_lines_of_the_report_are_short():
    """A line fits on the page beside where it is measured."""
    assert max(len(p.practice) for p in PRACTICES) <= 50
    assert max(len(p.figure) for p in PRACTICES) <= 66


def test_counts_add_up_to_all_practices(figure):
    measured = sum(p.is_measured for p in PRACTICES)
    figure("all", article_practices.counts_sentence())
    assert (
        f"Of 145 practices of the articles, {measured} are measured and {145 - measured} are"
        in (article_practices.counts_sentence())
    )


def test_the_page_in_the_repository_is_what_the_list_says():
    page = (ROOT / "docs" / "practices.md").read_text(encoding="utf-8")
    assert page == article_practices.practices_markdown(), (
        "docs/practices.md is behind: `.venv/bin/python -m analysis.project.article_practices > docs/practices.md`"
    )
