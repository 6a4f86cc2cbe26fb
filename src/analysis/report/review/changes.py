"""Why a headline is not what it was: data, code, parameters, and what moved the company itself.

A figure published for a quarter is computed again, one thing changed at a time: today's code on the
data and parameters of then, then today's parameters, then today's data.  What is left between that
and this quarter's figure is the quarter's own movement.  Where today's code does not run on what
was kept, the change is shown undivided.

A notebook cut down to its headlines: the cells that show them and those they need.

What a headline costs to compute again is then the models behind it, and no chart or table.
"""

from __future__ import annotations

import ast
import copy
import json
import symtable
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.report import formats
from analysis.report import output as report_output
from analysis.report.cell_tags import ANALYST_TAG
from analysis.report.review import drivers
from analysis.report.run.notebook_jobs import Job
from analysis.store import editions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from analysis.report.output import Payload
    from analysis.report.review.drivers import HeadlineSplits
    from analysis.store.editions import Edition
    from analysis.store.run_record import Manifest, Parameter

CAUSES = ("code", "parameters", "data")  # in the order in which they are brought up to date
NO_CHANGE = "no change"
UNDIVIDED = "cannot be divided: today's code does not give it on what was kept"
LEARNT = "one more quarter"  # of a figure that has no drivers: it is learnt anew
Metrics = dict[str, dict[str, Any]]
Row = dict[str, Any]


class QuarterComparison(NamedTuple):
    """A published quarter to be computed again.

    What differs since, and the run that follows each step.

    `runs` holds by cause the cut notebooks' outputs; a cause whose step gives what this very report
    shows has none (`is_this_report`).
    """

    then: Edition
    differs: tuple[str, ...]
    runs: dict[str, list[Path]]
    is_this_report: bool


def differing_causes(then: Manifest, now: Manifest) -> tuple[str, ...]:
    """Return which of `CAUSES` differ between two manifests.

    Packages count as code, settings as parameters.
    """
    reasons = {
        "code": ("code_sha256", "lock_sha256", "packages"),
        "parameters": ("settings_sha256", "parameters"),
        "data": ("inputs", "as_of"),
    }
    return tuple(
        cause
        for cause in CAUSES
        if any(_cause_value(then, k) != _cause_value(now, k) for k in reasons[cause])
    )


def _cause_value(manifest: Manifest, key: str) -> Any:
    value: Any = manifest.get(key)
    if key == "parameters":  # the quarter is what is compared, not what makes the difference
        return {k: v for k, v in value.items() if k != "quarter"}
    return value


def plan_comparison(
    then: Edition, now: Manifest, notebooks: Sequence[Path], scratch: Path
) -> tuple[QuarterComparison, list[Job]]:
    """Return how a published quarter is computed again, and the jobs to run for that.

    None where nothing differs.
    """
    dataset = now["dataset"]
    differs = differing_causes(then.manifest, now)
    is_same_quarter = then.quarter == now["quarter"]
    runs: dict[str, list[Path]] = {}
    jobs: list[Job] = []
    for i, cause in enumerate(differs):
        later = differs[i + 1 :]
        if not later and is_same_quarter:
            continue  # all of it is today's: this report's own figures
        folder = scratch / f"{then.quarter}-{cause}"
        folder.mkdir()
        root = None
        if later:
            root = editions.make_view(
                folder,
                then,
                dataset,
                is_data_of_then="data" in later,
                are_settings_of_then="parameters" in later,
            )
        parameters: dict[str, Parameter] = (
            then.manifest["parameters"] if "parameters" in later else now["parameters"]
        )
        recomputations = [
            _job(n, folder, {**parameters, "quarter": then.quarter}, root) for n in notebooks
        ]
        jobs += [j for j in recomputations if j]
        runs[cause] = [j.output for j in recomputations if j]
    return QuarterComparison(then, differs, runs, is_same_quarter), jobs


def _job(
    notebook: Path, folder: Path, parameters: dict[str, Parameter], root: Path | None
) -> Job | None:
    small = cut_to_headlines(json.loads(notebook.read_text(encoding="utf-8")))
    if small is None:
        return None
    source = folder / notebook.name
    source.write_text(json.dumps(small), encoding="utf-8")
    return Job(source, folder / f"out-{notebook.name}", parameters, root)


def change_rows(
    comparison: QuarterComparison | None,
    failed: Sequence[Path],
    cards: Sequence[Payload],
    last: Mapping[str, float | None],
    splits: HeadlineSplits | None = None,
) -> list[Row]:
    """Return a row a headline: then, now, and by how much each cause moved it.

    Parameters
    ----------
    comparison : what `plan_comparison` returned; None where no first edition was kept
    failed : outputs of those of its jobs that did not end well
    cards : this report's headlines
    last : what was published then, by name; used where there is no comparison
    splits : drivers of each headline since the quarter before, where that is what is compared

    Returns
    -------
    list of dict
        ``name``, ``label``, ``then``, ``now``, ``change``, the causes and ``movement`` (numbers,
        None where unknown), ``verdict_then`` and ``verdict`` (None where the figure has none),
        ``n`` and ``source`` of the figure now, ``causes`` (those that moved it), ``basis`` (where
        ``then`` comes from), ``parts`` (drivers in words and what each moved; they sum to
        ``movement``) and ``says``.
    """
    published: Mapping[str, Any] = {name: {"estimate": e} for name, e in last.items()}
    steps: list[tuple[str, Metrics]] = []
    if comparison:
        published = comparison.then.metrics
        steps = [(cause, _step(comparison, cause, cards, failed)) for cause in comparison.differs]
    rows = [_row(card, published.get(card["name"]), steps, comparison) for card in cards]
    if splits is None:
        return rows
    return [_with_drivers(row, card, splits) for row, card in zip(rows, cards, strict=True)]


def _with_drivers(row: Row, card: Payload, splits: HeadlineSplits) -> Row:
    """Return a row with its movement split, and recomputed where no report was kept."""
    split = splits.against[splits.before].get(row["name"])
    if split is None or row["now"] is None:
        return row
    leave, form, currency = splits.leave.get(splits.before, ""), row["format"], row["currency"]
    if row["movement"] is None:  # not published, or published and no edition kept
        if row["says"] == UNDIVIDED:
            return row
        compared = drivers.compared_row(card, split, row["then"], leave)
        in_words = {**row["shown"], **compared.pop("shown")}
        return row | compared | {"shown": in_words}
    parts = drivers.named_parts(row["name"], split, row["movement"], form, leave, size=row["now"])
    if not parts:
        return row
    causes = [(c, row[c]) for c in row["causes"] if c in CAUSES]
    says = drivers.parts_sentence([(c.capitalize(), x) for c, x in causes] + parts, form, currency)
    return row | {"parts": parts, "says": says}


def _step(
    comparison: QuarterComparison, cause: str, cards: Sequence[Payload], failed: Sequence[Path]
) -> Metrics:
    if cause not in comparison.runs:
        return {c["name"]: c for c in cards}
    metrics: Metrics = {}
    for output in comparison.runs[cause]:
        if output not in failed and output.is_file():
            metrics |= notebook_headlines(json.loads(output.read_text(encoding="utf-8")))
    return metrics


def _row(
    card: Payload,
    then: Mapping[str, Any] | None,
    steps: Sequence[tuple[str, Metrics]],
    comparison: QuarterComparison | None,
) -> Row:
    form, currency, now = card["format"], card["currency"], card["estimate"]
    row: Row = {
        "name": card["name"],
        "label": card["label"],
        "unit": card["shown"]["unit"],
        "now": now,
    }
    row |= {k: card[k] for k in ("format", "currency", "source", "verdict")} | {
        "n": card["shown"]["n"]
    }
    row |= {
        "then": None,
        "verdict_then": None,
        "change": None,
        "movement": None,
        "causes": [],
        "basis": "as published",
        "parts": [],
        **dict.fromkeys(CAUSES),
    }
    cells = {"now": card["shown"]["value"], "then": formats.MISSING, "change": formats.MISSING}
    if then is None:
        return row | {"shown": cells, "says": "new: not published before"}
    old = then["estimate"]
    cells["then"] = formats.CANNOT_TELL if old is None else formats.cell_words(old, form, currency)
    row |= {"then": old, "verdict_then": then.get("verdict")}
    if old is None or now is None:
        same = old is None and now is None
        return row | {
            "shown": cells,
            "says": NO_CHANGE if same else "could be told in one quarter only",
        }
    row["change"] = formats.shown_difference(now, old, form)
    cells["change"] = formats.signed_words(row["change"], form, currency)
    values = [old]
    for cause, metrics in steps:
        estimate = metrics.get(card["name"], {}).get("estimate")
        if estimate is None:
            return row | {
                "shown": cells,
                "says": UNDIVIDED,
            }
        row[cause] = formats.shown_difference(estimate, values[-1], form)
        values.append(estimate)
    if comparison is None:
        return row | {"shown": cells, "says": "not divided: no first edition was kept"}
    row |= {c: 0 if row[c] is None else row[c] for c in CAUSES}
    row["movement"] = formats.shown_difference(now, values[-1], form)
    row["causes"] = [c for c in (*CAUSES, "movement") if row[c]]
    rest = "no cause found" if comparison.is_this_report else LEARNT
    return row | {"shown": cells, "says": _says(row, form, currency, rest)}


def _says(row: Row, form: str, currency: str, rest: str) -> str:
    if not row["causes"]:
        return NO_CHANGE
    words = {"movement": rest}
    return ", ".join(
        f"{words.get(c, c)} {formats.signed_words(row[c], form, currency)}" for c in row["causes"]
    )


def changed_rows(rows_of_change: Sequence[Row]) -> list[Row]:
    """Return the rows of headlines that changed, whether or not the change has known causes."""
    return [r for r in rows_of_change if r["says"] != NO_CHANGE]


def change_summary(rows_of_change: Sequence[Row]) -> str:
    """Return in one line what moved a quarter's figures since its first edition.

    Examples
    --------
    >>> change_summary([{"label": "Bookings", "causes": [], "says": "no change"}])
    'no change'
    """
    moved = changed_rows(rows_of_change)
    if not moved:
        return NO_CHANGE
    causes = [c for c in CAUSES if any(c in r["causes"] for r in moved)]
    named = ", ".join(f"{r['label']} ({r['says']})" for r in moved[:3])
    more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
    return f"changed{' by ' * bool(causes)}{' and '.join(causes)}: {named}{more}"


MARK = "headline=True"


def cut_to_headlines(notebook: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the notebook of the headline cells and what they need, without outputs.

    None if it has no headline.

    Needed is every cell before the first ``##`` (imports, parameters, loading) and every cell that
    assigns a name which a cell kept further down reads.
    """
    headline_cells: list[dict[str, Any]] = []
    needed: set[str] = set()
    cells = notebook["cells"]
    start = next(
        (i for i, c in enumerate(cells) if c["cell_type"] == "markdown" and "## " in _text(c)),
        len(cells),
    )
    is_headline = [
        c["cell_type"] == "code" and MARK in _text(c) and ANALYST_TAG not in _tags(c) for c in cells
    ]
    if not any(is_headline):
        return None
    for i in range(len(cells) - 1, -1, -1):
        cell = cells[i]
        if (
            cell["cell_type"] != "code"
            or ANALYST_TAG in _tags(cell)
            or "injected-parameters" in _tags(cell)
        ):
            continue
        read, assigned = _names(_text(cell))
        if is_headline[i] or i < start or assigned & needed:
            needed |= read
            headline_cells.insert(
                0, {**copy.deepcopy(cell), "outputs": [], "execution_count": None}
            )
    return {**notebook, "cells": headline_cells}


def notebook_headlines(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the headlines that an executed notebook shows, by name, as the manifest states them."""  # noqa: E501
    return report_output.headline_metrics(c for c in _cards(notebook) if c["headline"])


def _cards(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            bundle = output.get("data", {}).get(report_output.MIME, {})
            if bundle.get("kind") == "kpis":
                yield from bundle["cards"]


def _text(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _tags(cell: Mapping[str, Any]) -> list[str]:
    tags: list[str] = cell.get("metadata", {}).get("tags", [])
    return tags


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the names a cell reads, and those it assigns or changes."""
    top = symtable.symtable(source, "cell", "exec")
    read = {s.get_name() for s in top.get_symbols() if s.is_referenced()} | set(_read_within(top))
    assigned = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            base: ast.expr = node.value
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name):
                assigned.add(base.id)
    return read, assigned


def _read_within(scope: symtable.SymbolTable) -> Iterator[str]:
    """Yield the notebook's names that comprehensions and lambdas read.

    Their own are no concern of other cells.
    """
    for inner in scope.get_children():
        yield from (
            s.get_name() for s in inner.get_symbols() if s.is_global() and s.is_referenced()
        )
        yield from _read_within(inner)
