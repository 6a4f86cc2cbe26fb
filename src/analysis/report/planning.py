"""What a quarter's report will consist of, told before anything runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import paths, prepare, quarters, settings
from analysis.models import answerability
from analysis.report import declared, document, manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analysis.report.declared import Declared
    from analysis.report.document import MissingChapter
    from analysis.report.execute import Outcome, Parameter


DATA_ERROR = "CrmDataError: "  # how the outcome of a notebook begins that the data stopped


class Plan(NamedTuple):
    """One quarter's report before it runs: what will run, and which questions the data cannot answer."""

    quarter: quarters.Quarter
    run_id: str
    parameters: dict[str, Parameter]
    notebooks: list[Path]
    missing: list[MissingChapter]
    earlier: dict[str, list[document.Earlier]]
    as_of_given: str | None = None


def quarter_named(name: str, account: Mapping[str, Any], fiscal_year_start_month: int) -> quarters.Quarter:
    """Return the quarter asked for by name, ``latest`` or ``previous``.

    Raises
    ------
    ValueError
        If the data do not cover it; the message says which quarters they cover.
    """
    as_of = dt.date.fromisoformat(account["as_of"])
    latest = quarters.last_complete(as_of, fiscal_year_start_month)
    first = quarters.containing(dt.date.fromisoformat(account["first_day"]), fiscal_year_start_month)
    relative = {"latest": latest, "previous": latest.shifted(-1)}
    asked = relative.get(name) or quarters.quarter(name)
    last = quarters.containing(as_of, fiscal_year_start_month)
    if not first <= asked <= last:
        raise ValueError(f"quarter {asked} is not in the data, which run from {first} to {last} (as of {as_of})")
    return asked


def plan(
    account: dict[str, Any], quarter: quarters.Quarter, given: Mapping[str, Parameter], as_of: dt.date | None = None
) -> Plan:
    """Return what a quarter's report consists of: the notebooks to run and the chapters without data."""
    parameters = {"dataset": account["dataset"], "quarter": str(quarter), **given}
    end = quarter.end(settings.load(account["dataset"]).company.fiscal_year_start_month)
    runnable: list[Path] = []
    missing: list[MissingChapter] = []
    withheld = answerability.withheld_questions(account)
    for position, notebook in enumerate(sorted(paths.notebooks().glob("*.ipynb"))):
        said = declared.by(notebook)
        reason = next((withheld[q] for q in said.answers if q in withheld), None)
        lacking = prepare.missing(account, said.needs, said.one_of)
        if lacking:
            why = _lacks(account, lacking, said)
        else:
            lacking = prepare.not_begun(account["dataset"], said.begins, end)
            why = f"By the end of {quarter} nothing had begun of {' and '.join(m.table for m in lacking)}."
        if not lacking and said.tells_pay:
            lacking, why = _too_few_paid(account["dataset"])
        if not lacking and not reason:
            runnable.append(notebook)
            continue
        missing.append(
            {
                "position": position,
                "title": notebook.stem,
                "question": said.question,
                "needs": [{"table": m.table, "columns": list(m.columns)} for m in lacking],
                "why": why if lacking or not reason else reason.why,
                "answers": said.answers,
                "is_withheld": not lacking,
            }
        )
    before = quarter.shifted(-1)
    published = manifest.published(account["dataset"], before)
    earlier = {name: [document.Earlier(str(before), figure)] for name, figure in published.items()}
    identifier = manifest.run_id(account, str(quarter), parameters)
    day = as_of.isoformat() if as_of else None
    return Plan(quarter, identifier, parameters, runnable, missing, earlier, day)


def without_unanswerable(made: Plan, outcomes: Sequence[Outcome]) -> tuple[Plan, list[Outcome]]:
    """Return the plan and the outcomes without notebooks that the data stopped: each is a chapter that says why.

    A notebook that ends in a `CrmDataError` found its tables there and nothing in them to answer from; any
    other end is a failure and stays one.
    """
    data_said = {o.notebook: o.error.removeprefix(DATA_ERROR) for o in outcomes if _is_of_the_data(o) and o.error}
    places = {notebook.stem: at for at, notebook in enumerate(sorted(paths.notebooks().glob("*.ipynb")))}
    gaps: list[MissingChapter] = [
        {
            "position": places[notebook.stem],
            "title": notebook.stem,
            "question": (by := declared.by(notebook)).question,
            "needs": [],
            "why": data_said[notebook.stem],
            "answers": by.answers,
        }
        for notebook in made.notebooks
        if notebook.stem in data_said
    ]
    runnable = [n for n in made.notebooks if n.stem not in data_said]
    left = [o for o in outcomes if o.notebook not in data_said]
    return made._replace(notebooks=runnable, missing=[*made.missing, *gaps]), left


def stopped_by_the_data(made: Plan) -> list[tuple[list[str], str]]:
    """Return the questions of each chapter that found its tables there and no answer in them, and why."""
    return [(list(m["answers"]), m["why"]) for m in made.missing if not m["needs"] and not m.get("is_withheld")]


def end_in_words(outcome: Outcome) -> str:
    """Return how a notebook ended: data that cannot tell are no failure."""
    return "cannot tell" if _is_of_the_data(outcome) else outcome.status


def _is_of_the_data(outcome: Outcome) -> bool:
    return outcome.status == "failed" and bool(outcome.error) and str(outcome.error).startswith(DATA_ERROR)


def _too_few_paid(dataset: str) -> tuple[list[prepare.Missing], str]:
    """Return that a chapter made from pay would give away what a few are paid, where so few are."""
    smallest = settings.load(dataset).people.smallest_cell
    if prepare.load(dataset, "compensation")["rep_id"].nunique() >= smallest:
        return [], ""
    why = f"Fewer than {smallest} reps have pay in the exports, so sums made from it would tell what each is paid."
    return [prepare.Missing("compensation", ("rep_id",))], why


def _lacks(account: Mapping[str, Any], lacking: Sequence[prepare.Missing], said: Declared) -> str:
    """Return in words what a dataset does not hold; of several ways to answer, that one is enough."""
    dataset, with_rows = account["dataset"], {t["table"] for t in account["tables"] if t["n_clean"]}
    alone = [m.table for m in lacking if m.table in said.needs]
    words = [
        f"{table} without {', '.join(m.columns)}" if table in with_rows else f"no {table}"
        for m in lacking
        if (table := m.table) in said.needs
    ]
    words = [" and ".join(words)] if words else []
    if len(alone) < len(lacking):
        words.append(f"none of {'; '.join(' with '.join(way) for way in said.one_of)}, of which one would do,")
    held = f"The exports of {dataset} hold {' and '.join(words)} in the columns named."
    return f"{held} data/README.md says what each column means."
