"""Which chapters a dataset can have, by what their notebooks declare."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pandas as pd
import pytest
from crm_tables import ROLES, opportunity, user, write
from report_fixtures import notebook

from analysis.project import quarters
from analysis.report.run import plan
from analysis.store import needs, processed
from analysis.store.company import open_company

PAY, WHO, PLANS = {"compensation": ["base_amount"]}, {"reps": ["role"]}, {"plans": ["plan_id"]}
ACCOUNT = {
    "tables": [
        {"table": "reps", "n_clean": 2, "columns": {"role": 2}},
        {"table": "compensation", "n_clean": 0, "columns": {"base_amount": 0}},
    ]
}


@pytest.fixture
def dataset(raw):
    """Return the root of a project whose one deal was created in 2026."""
    write(raw, Opportunity=[opportunity(1)], User=[user()], UserRole=ROLES)
    processed.prepare_dataset("here")
    return raw.parents[2]


def declaring(root, **own):
    file = notebook(root / "notebooks" / "1_q.ipynb", "# Does it pay?")
    content = json.loads(file.read_text())
    content["metadata"]["alignment_roi"] = own
    file.write_text(json.dumps(content))
    return file


def test_a_notebook_says_its_question_and_what_it_takes(root):
    file = declaring(
        root, needs=PAY, one_of=[WHO, PLANS], begins={"programme": "start_date"}, answers=["pay"]
    )
    assert needs.read_requirements(file) == (
        "Does it pay?",
        PAY,
        [WHO, PLANS],
        {"programme": "start_date"},
        ["pay"],
        False,
        (),
    )


def test_scratch_notebooks_and_copies_are_no_chapters(root, monkeypatch):
    """A chapter is named as one and declares what it needs; a broken scratch file is not opened."""
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(root))
    folder = root / "notebooks"
    notebook(folder / "1_q.ipynb", "# Does it pay?")
    for scratch in ("Untitled.ipynb", "1_q-Copy1.ipynb"):
        notebook(folder / scratch, "# Does it pay?")
    plain = notebook(folder / "2_notes.ipynb", "# Notes?")
    content = json.loads(plain.read_text())
    del content["metadata"]["alignment_roi"]
    plain.write_text(json.dumps(content))
    (folder / "scratch.ipynb").write_text("{")
    assert [f.name for f in needs.chapter_notebooks()] == ["1_q.ipynb"]


def test_what_a_notebook_does_not_declare_is_empty(root):
    assert needs.read_requirements(declaring(root)) == ("Does it pay?", {}, [], {}, [], False, ())


def test_of_several_ways_one_is_enough_and_where_none_is_whole_all_are_named():
    pay, plans = ("compensation", ("base_amount",)), ("plans", ("plan_id",))
    assert processed.missing_needs(ACCOUNT, WHO, [PAY, WHO]) == []
    assert processed.missing_needs(ACCOUNT, WHO, [PAY, PLANS]) == [pay, plans]
    assert processed.missing_needs(ACCOUNT, PAY, [WHO]) == [pay]


def test_what_has_no_row_before_a_day_had_not_begun(dataset):
    first = pd.to_datetime(processed.load_table("here", "opportunities")["created_at"]).min().date()
    dated = {"opportunities": "created_at"}
    assert processed.not_begun("here", dated, first) == [("opportunities", ("created_at",))]
    assert processed.not_begun("here", dated, first + dt.timedelta(days=1)) == []
    assert processed.not_begun("here", {"programme": "start_date"}, first) == [
        ("programme", ("start_date",))
    ]


def test_a_chapter_of_what_had_not_begun_is_a_page_that_says_so(dataset):
    declaring(dataset, needs=WHO, begins={"opportunities": "created_at"})
    created = pd.to_datetime(processed.load_table("here", "opportunities")["created_at"]).min()
    begun = quarters.quarter_containing(created.date())
    company = open_company("here", quarter=str(begun))
    assert [n.stem for n in plan.plan_report(company, {}).notebooks] == ["1_q"]
    (gap,) = plan.plan_report(replace(company, quarter=str(begun.shifted(-1))), {}).missing
    assert gap["why"] == (
        f"Nothing had begun by the end of {begun.shifted(-1)}: every date in opportunities is later."
    )
    assert gap["needs"] == [{"table": "opportunities", "columns": ["created_at"]}]


def test_where_no_way_to_answer_is_whole_the_page_says_that_one_would_do(dataset):
    declaring(
        dataset,
        needs={"opportunities": ["created_at"]},
        one_of=[PAY, PLANS | {"goals": ["goal_id"]}],
    )
    day = pd.to_datetime(processed.load_table("here", "opportunities")["created_at"]).min()
    quarter = quarters.quarter_containing(day.date())
    (gap,) = plan.plan_report(open_company("here", quarter=str(quarter)), {}).missing
    assert "hold none of these, and one would do: compensation, or plans with goals." in gap["why"]
    assert [n["table"] for n in gap["needs"]] == ["compensation", "plans", "goals"]
