"""The data dictionary against the code it is made from."""

from pathlib import Path

import pytest

from analysis.cleaning import dictionary
from analysis.tables.canonical import TABLES
from analysis.tables.panel_tables import PANELS

PAGE = Path(__file__).parents[2] / "data" / "README.md"


@pytest.fixture(scope="module")
def page():
    return dictionary.dictionary_markdown()


def test_the_page_in_the_repository_is_what_the_code_says(page):
    assert PAGE.read_text(encoding="utf-8") == page, (
        "data/README.md is behind the code: `.venv/bin/python -m analysis.cleaning.dictionary > data/README.md` writes it anew"
    )


@pytest.mark.parametrize("table", [*TABLES.values(), *PANELS.values()], ids=lambda t: t.name)
def test_every_column_of_every_table_is_explained(page, table):
    """Each column has its line, with its meaning, in the section of its table."""
    section = page.split(f"### {table.name}\n")[-1].split("\n## ")[0].split("\n### ")[0]
    for column in table.columns:
        if column.name not in {"source_file", "source_row", "flagged_by"}:
            assert any(
                f"`{column.name}`" in line and column.meaning in line
                for line in section.splitlines()
            )


def test_a_bar_in_a_text_does_not_break_its_line():
    """A map may know a column called a|b; the table still has as many cells as its head."""
    assert dictionary._table(("Column",), [("a|b",)]).splitlines()[-1] == "| a\\|b |"
