"""Whether a company's data carry a chapter."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.chapters.data_quality import chapter, chapter_gaps
from analysis.project import settings
from analysis.store.company import Company
from analysis.store.needs import Requirements

ROOT = Path(__file__).parents[3]
PAY = Requirements("What does it cost?", {"compensation": ["rep_id"]}, [], {}, ["cost"], True)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a project with the notebooks of the house and a dataset without anything."""
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(tmp_path))
    shutil.copy(ROOT / "alignment.toml", tmp_path)
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    for part in ("raw", "processed"):
        (tmp_path / "data" / part / "here").mkdir(parents=True)
    return tmp_path


def company(**clean_rows):
    """Return a company of which each table named has a clean row, with every column filled."""
    tables = [
        {"table": name, "n_clean": 1, "columns": dict.fromkeys(columns, 1)}
        for name, columns in clean_rows.items()
    ]
    audit = {"as_of": "2026-09-30", "tables": tables}
    return Company("here", "2026Q3", settings.load_dataset_settings("here"), audit)


@pytest.mark.parametrize(("n_paid", "is_gap"), [(2, True), (5, False)])
def test_a_chapter_made_from_the_pay_of_a_few_is_replaced(here, n_paid, is_gap):
    """Two reps have pay: any sum of it tells one what the other earns."""
    paid = pd.DataFrame({"rep_id": [f"r{i}" for i in range(n_paid)], "base_amount": 100_000.0})
    paid.to_parquet(here / "data" / "processed" / "here" / "compensation.parquet")
    gap = chapter_gaps.find_gap(company(compensation=["rep_id"]), PAY)
    assert (gap is not None) is is_gap
    if gap is not None:
        assert gap.why.startswith("Fewer than 5 reps have pay in the exports")
        assert not gap.is_withheld


def test_what_the_data_can_answer_is_what_each_notebook_declares(here):
    """Without quotas the chapter on cost cannot be written, and the table says the same."""
    rows = chapter.answerable_questions(company(opportunities=["status", "close_date"])).frame
    by_question = rows.set_index("question")
    cost = by_question.loc["What does an hour of selling cost, and what must it bring?"]
    assert cost["answer"] == "cannot tell"
    assert "quotas" in cost["lacks"]
    chapters = [f for f in (here / "notebooks").glob("[0-9]*.ipynb") if "team_pack" not in f.name]
    assert len(rows) == len(chapters) + 2


@pytest.mark.parametrize(
    ("tables", "answer"),
    [
        (("assets",), ("in part", "goals")),
        (("assets", "goals"), None),
    ],
)
def test_a_chapter_that_is_written_without_its_tables_says_so(tables, answer):
    asked = Requirements("What?", {}, [], {}, [], False, ("assets", "goals"))
    state = [{"table": table, "n_clean": 3} for table in tables]
    assert chapter_gaps.part_answer(SimpleNamespace(audit={"tables": state}), asked) == answer


def test_a_chapter_of_which_no_table_is_there_is_a_page_that_says_so():
    asked = Requirements("What?", {}, [], {}, [], False, ("assets", "goals"))
    gap = chapter_gaps.find_gap(SimpleNamespace(audit={"tables": []}), asked)
    assert gap.why.startswith("The exports hold none of the 2 tables that this rests on.")
    assert [m.table for m in gap.lacking] == ["assets", "goals"]
    assert all(m.columns for m in gap.lacking)


@pytest.mark.parametrize(
    ("n_in", "why"),
    [
        (0, "The exports hold no rep team history."),
        (
            21,
            "The exports hold no usable row of rep team history (21 read, none could be used).",
        ),
    ],
)
def test_a_table_that_was_read_and_emptied_is_not_called_absent(n_in, why):
    state = {"table": "rep_team_history", "n_in": n_in, "n_clean": 0, "columns": {}}
    company = SimpleNamespace(audit={"tables": [state]})
    asked = Requirements("What?", {"rep_team_history": ["team_id"]}, [], {}, [], False)
    gap = chapter_gaps.find_gap(company, asked)
    assert gap.why == why
