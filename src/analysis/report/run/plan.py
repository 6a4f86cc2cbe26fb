"""What a quarter's report will consist of, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.chapters.data_quality import answerability, chapter_gaps
from analysis.report import document
from analysis.store import manifest, needs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analysis.report.document import MissingChapter
    from analysis.store.company import Company
    from analysis.store.run_record import Outcome, Parameter


DATA_ERROR = "CrmDataError: "  # how the outcome of a notebook begins that the data stopped


class Plan(NamedTuple):
    """One quarter's report before it runs.

    What will run, and which questions the data cannot answer.
    """

    run_id: str
    parameters: dict[str, Parameter]
    notebooks: list[Path]
    missing: list[MissingChapter]
    earlier: dict[str, list[document.Earlier]]
    as_of_given: str | None = None


def plan_report(
    company: Company, own_parameters: Mapping[str, Parameter], as_of: dt.date | None = None
) -> Plan:
    """Notebooks to run for a quarter's report, and the chapters without data."""
    parameters = {"dataset": company.dataset, "quarter": company.quarter, **own_parameters}
    runnable: list[Path] = []
    missing: list[MissingChapter] = []
    for position, notebook in enumerate(needs.chapter_notebooks()):
        requirements = needs.read_requirements(notebook)
        gap = chapter_gaps.find_gap(company, requirements)
        if gap is None:
            runnable.append(notebook)
            continue
        missing.append(
            {
                "position": position,
                "title": notebook.stem,
                "question": requirements.question,
                "needs": [{"table": m.table, "columns": list(m.columns)} for m in gap.lacking],
                "why": gap.why,
                "answers": requirements.answers,
                "is_withheld": gap.is_withheld,
            }
        )
    before = company.period.shifted(-1)
    published = manifest.published_figures(company.dataset, before)
    earlier = {name: [document.Earlier(str(before), figure)] for name, figure in published.items()}
    identifier = manifest.run_id(company, parameters)
    day = as_of.isoformat() if as_of else None
    return Plan(identifier, parameters, runnable, missing, earlier, day)


def without_unanswerable(
    draft_plan: Plan, outcomes: Sequence[Outcome]
) -> tuple[Plan, list[Outcome]]:
    """Return the plan and the outcomes without notebooks that the data stopped.

    In its place stands a page that says why.

    A notebook that ends in a `CrmDataError` found its tables there and nothing in them to answer
    from; any other end is a failure and stays one.
    """
    data_said = {
        o.notebook: o.error.removeprefix(DATA_ERROR)
        for o in outcomes
        if _is_of_the_data(o) and o.error
    }
    places = {notebook.stem: at for at, notebook in enumerate(needs.chapter_notebooks())}
    gaps: list[MissingChapter] = [
        {
            "position": places[notebook.stem],
            "title": notebook.stem,
            "question": (by := needs.read_requirements(notebook)).question,
            "needs": [],
            "why": answerability.without_table(data_said[notebook.stem]),
            "answers": by.answers,
        }
        for notebook in draft_plan.notebooks
        if notebook.stem in data_said
    ]
    runnable = [n for n in draft_plan.notebooks if n.stem not in data_said]
    left = [o for o in outcomes if o.notebook not in data_said]
    return draft_plan._replace(notebooks=runnable, missing=[*draft_plan.missing, *gaps]), left


def stopped_by_the_data(report_plan: Plan) -> list[tuple[list[str], str]]:
    """Return the questions of each chapter that had its tables but no answer in them, and why."""
    return [
        (list(m["answers"]), m["why"])
        for m in report_plan.missing
        if not m["needs"] and not m.get("is_withheld")
    ]


def end_in_words(outcome: Outcome) -> str:
    """Return how a notebook ended: data that cannot tell are no failure."""
    return "cannot tell" if _is_of_the_data(outcome) else outcome.status


def _is_of_the_data(outcome: Outcome) -> bool:
    return (
        outcome.status == "failed"
        and bool(outcome.error)
        and str(outcome.error).startswith(DATA_ERROR)
    )
