"""What a quarter's report will consist of, told before anything runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.chapters.data_quality import answerability
from analysis.project import paths, quarters, settings
from analysis.report import document
from analysis.store import manifest, needs, processed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analysis.report.document import MissingChapter
    from analysis.store.needs import Requirements
    from analysis.store.run_record import Outcome, Parameter


DATA_ERROR = "CrmDataError: "  # how the outcome of a notebook begins that the data stopped


class Plan(NamedTuple):
    """One quarter's report before it runs.

    What will run, and which questions the data cannot answer.
    """

    quarter: quarters.Quarter
    run_id: str
    parameters: dict[str, Parameter]
    notebooks: list[Path]
    missing: list[MissingChapter]
    earlier: dict[str, list[document.Earlier]]
    as_of_given: str | None = None


def quarter_named(
    name: str, account: Mapping[str, Any], fiscal_year_start_month: int
) -> quarters.Quarter:
    """Return the quarter asked for by name, ``latest`` or ``previous``.

    Raises
    ------
    ValueError
        If the data do not cover it; the message says which quarters they cover.
    """
    as_of = dt.date.fromisoformat(account["as_of"])
    latest = quarters.last_complete(as_of, fiscal_year_start_month)
    first = quarters.quarter_containing(
        dt.date.fromisoformat(account["first_day"]), fiscal_year_start_month
    )
    relative = {"latest": latest, "previous": latest.shifted(-1)}
    quarter_asked = relative.get(name) or quarters.parse_quarter(name)
    last = quarters.quarter_containing(as_of, fiscal_year_start_month)
    if not first <= quarter_asked <= last:
        raise ValueError(
            f"quarter {quarter_asked} is not in the data, which run from {first} to {last} "
            f"(as of {as_of})"
        )
    return quarter_asked


def plan_report(
    account: dict[str, Any],
    quarter: quarters.Quarter,
    own_parameters: Mapping[str, Parameter],
    as_of: dt.date | None = None,
) -> Plan:
    """Return what a quarter's report consists of.

    The notebooks to run and the chapters without data.
    """
    parameters = {"dataset": account["dataset"], "quarter": str(quarter), **own_parameters}
    end = quarter.end(
        settings.load_dataset_settings(account["dataset"]).company.fiscal_year_start_month
    )
    runnable: list[Path] = []
    missing: list[MissingChapter] = []
    withheld = answerability.withheld_questions(account)
    for position, notebook in enumerate(sorted(paths.notebooks_folder().glob("*.ipynb"))):
        requirements = needs.read_requirements(notebook)
        reason = next((withheld[q] for q in requirements.answers if q in withheld), None)
        lacking = processed.missing_needs(account, requirements.needs, requirements.one_of)
        if lacking:
            why = _lacks(account, lacking, requirements)
        else:
            lacking = processed.not_begun(account["dataset"], requirements.begins, end)
            why = (
                f"By the end of {quarter} nothing had begun of "
                f"{' and '.join(m.table for m in lacking)}."
            )
        if not lacking and requirements.tells_pay:
            lacking, why = _too_few_paid(account["dataset"])
        if not lacking and not reason:
            runnable.append(notebook)
            continue
        missing.append(
            {
                "position": position,
                "title": notebook.stem,
                "question": requirements.question,
                "needs": [{"table": m.table, "columns": list(m.columns)} for m in lacking],
                "why": why if lacking or not reason else reason.why,
                "answers": requirements.answers,
                "is_withheld": not lacking,
            }
        )
    before = quarter.shifted(-1)
    published = manifest.published_figures(account["dataset"], before)
    earlier = {name: [document.Earlier(str(before), figure)] for name, figure in published.items()}
    identifier = manifest.run_id(account, str(quarter), parameters)
    day = as_of.isoformat() if as_of else None
    return Plan(quarter, identifier, parameters, runnable, missing, earlier, day)


def without_unanswerable(
    draft_plan: Plan, outcomes: Sequence[Outcome]
) -> tuple[Plan, list[Outcome]]:
    """Return the plan and the outcomes without notebooks that the data stopped.

    Each is a chapter that says why.

    A notebook that ends in a `CrmDataError` found its tables there and nothing in them to answer
    from; any other end is a failure and stays one.
    """
    data_said = {
        o.notebook: o.error.removeprefix(DATA_ERROR)
        for o in outcomes
        if _is_of_the_data(o) and o.error
    }
    places = {
        notebook.stem: at
        for at, notebook in enumerate(sorted(paths.notebooks_folder().glob("*.ipynb")))
    }
    gaps: list[MissingChapter] = [
        {
            "position": places[notebook.stem],
            "title": notebook.stem,
            "question": (by := needs.read_requirements(notebook)).question,
            "needs": [],
            "why": data_said[notebook.stem],
            "answers": by.answers,
        }
        for notebook in draft_plan.notebooks
        if notebook.stem in data_said
    ]
    runnable = [n for n in draft_plan.notebooks if n.stem not in data_said]
    left = [o for o in outcomes if o.notebook not in data_said]
    return draft_plan._replace(notebooks=runnable, missing=[*draft_plan.missing, *gaps]), left


def stopped_by_the_data(report_plan: Plan) -> list[tuple[list[str], str]]:
    """Return the questions of each chapter that found its tables there and no answer in them, and
    why.
    """
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


def _too_few_paid(dataset: str) -> tuple[list[processed.Missing], str]:
    """Return that a chapter made from pay would give away what a few are paid, where so few are."""
    smallest = settings.load_dataset_settings(dataset).people.smallest_cell
    if processed.load_table(dataset, "compensation")["rep_id"].nunique() >= smallest:
        return [], ""
    why = (
        f"Fewer than {smallest} reps have pay in the exports, so sums made from it would tell "
        "what each is paid."
    )
    return [processed.Missing("compensation", ("rep_id",))], why


def _lacks(
    account: Mapping[str, Any], lacking: Sequence[processed.Missing], requirements: Requirements
) -> str:
    """Return in words what a dataset does not hold.

    Of several ways to answer, that one is enough.
    """
    dataset, with_rows = account["dataset"], {t["table"] for t in account["tables"] if t["n_clean"]}
    alone = [m.table for m in lacking if m.table in requirements.needs]
    words = [
        f"{table} without {', '.join(m.columns)}" if table in with_rows else f"no {table}"
        for m in lacking
        if (table := m.table) in requirements.needs
    ]
    words = [" and ".join(words)] if words else []
    if len(alone) < len(lacking):
        words.append(
            f"none of {'; '.join(' with '.join(way) for way in requirements.one_of)}, of "
            "which one would do,"
        )
    columns_phrase = f"The exports of {dataset} hold {' and '.join(words)} in the columns named."
    return f"{columns_phrase} data/README.md says what each column means."
