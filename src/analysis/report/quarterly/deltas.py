"""Why a headline is not what it was: data, code, parameters, or the quarter itself.

A figure published for a quarter is computed again, one thing changed at a time: today's code on the
data and parameters of then, then today's parameters, then today's data.  What is left between that and
this quarter's figure is the quarter's own movement.  Where today's code does not run on what was kept,
the change is shown undivided.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.report import execute, formats
from analysis.report.quarterly import editions, slices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analysis.report.execute import Job, Parameter
    from analysis.report.manifest import Manifest
    from analysis.report.payload import Payload
    from analysis.report.quarterly.editions import Edition

CAUSES = ("code", "parameters", "data")  # in the order in which they are brought up to date
NO_CHANGE = "no change"
Metrics = dict[str, dict[str, Any]]
Row = dict[str, Any]


class Comparison(NamedTuple):
    """A published quarter to be computed again: what differs since, and the run that follows each step.

    `runs` holds by cause the cut notebooks' outputs; a cause whose step gives what this very report
    shows has none (`is_this_report`).
    """

    then: Edition
    differs: tuple[str, ...]
    runs: dict[str, list[Path]]
    is_this_report: bool


def differing(then: Manifest, now: Manifest) -> tuple[str, ...]:
    """Return which of `CAUSES` differ between two manifests; packages count as code, settings as parameters."""
    said = {
        "code": ("code_sha256", "lock_sha256", "packages"),
        "parameters": ("settings_sha256", "parameters"),
        "data": ("inputs", "as_of"),
    }
    return tuple(cause for cause in CAUSES if any(_told(then, k) != _told(now, k) for k in said[cause]))


def _told(manifest: Manifest, key: str) -> Any:
    value: Any = manifest.get(key)
    if key == "parameters":  # the quarter is what is compared, not what makes the difference
        return {k: v for k, v in value.items() if k != "quarter"}
    return value


def compare(then: Edition, now: Manifest, notebooks: Sequence[Path], scratch: Path) -> tuple[Comparison, list[Job]]:
    """Return how a published quarter is computed again, and the jobs to run for that: none where nothing differs."""
    dataset = now["dataset"]
    differs = differing(then.manifest, now)
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
            root = editions.view(
                folder, then, dataset, is_data_of_then="data" in later, are_settings_of_then="parameters" in later
            )
        given: dict[str, Parameter] = then.manifest["parameters"] if "parameters" in later else now["parameters"]
        made = [_job(n, folder, {**given, "quarter": then.quarter}, root) for n in notebooks]
        jobs += [j for j in made if j]
        runs[cause] = [j.output for j in made if j]
    return Comparison(then, differs, runs, is_same_quarter), jobs


def _job(notebook: Path, folder: Path, parameters: dict[str, Parameter], root: Path | None) -> Job | None:
    small = slices.cut(json.loads(notebook.read_text(encoding="utf-8")))
    if small is None:
        return None
    source = folder / notebook.name
    source.write_text(json.dumps(small), encoding="utf-8")
    return execute.Job(source, folder / f"out-{notebook.name}", parameters, root)


def rows(
    comparison: Comparison | None,
    failed: Sequence[Path],
    cards: Sequence[Payload],
    last: Mapping[str, float | None],
) -> list[Row]:
    """Return a row a headline: then, now, and by how much each cause moved it.

    Parameters
    ----------
    comparison : what `compare` returned; None where no first edition was kept
    failed : outputs of those of its jobs that did not end well
    cards : this report's headlines
    last : what was published then, by name; used where there is no comparison

    Returns
    -------
    list of dict
        ``name``, ``label``, ``then``, ``now``, ``change``, the causes and ``movement`` (numbers, None
        where unknown), ``verdict_then`` and ``verdict`` (None where the figure has none), ``n`` and
        ``source`` of the figure now, ``causes`` (those that moved it) and ``says``.
    """
    published: Mapping[str, Any] = {name: {"estimate": e} for name, e in last.items()}
    steps: list[tuple[str, Metrics]] = []
    if comparison:
        published = comparison.then.metrics
        steps = [(cause, _step(comparison, cause, cards, failed)) for cause in comparison.differs]
    return [_row(card, published.get(card["name"]), steps, comparison) for card in cards]


def _step(comparison: Comparison, cause: str, cards: Sequence[Payload], failed: Sequence[Path]) -> Metrics:
    if cause not in comparison.runs:
        return {c["name"]: c for c in cards}
    found: Metrics = {}
    for output in comparison.runs[cause]:
        if output not in failed and output.is_file():
            found |= slices.headlines(json.loads(output.read_text(encoding="utf-8")))
    return found


def _row(
    card: Payload,
    then: Mapping[str, Any] | None,
    steps: Sequence[tuple[str, Metrics]],
    comparison: Comparison | None,
) -> Row:
    form, currency, now = card["format"], card["currency"], card["estimate"]
    row: Row = {"name": card["name"], "label": card["label"], "unit": card["shown"]["unit"], "now": now}
    row |= {k: card[k] for k in ("format", "currency", "source", "verdict")} | {"n": card["shown"]["n"]}
    row |= {"then": None, "verdict_then": None, "change": None, "movement": None, "causes": [], **dict.fromkeys(CAUSES)}
    shown = {"now": card["shown"]["value"], "then": formats.MISSING, "change": formats.MISSING}
    if then is None:
        return row | {"shown": shown, "says": "new: not published before"}
    old = then["estimate"]
    shown["then"] = formats.CANNOT_TELL if old is None else formats.shown(old, form, currency)
    row |= {"then": old, "verdict_then": then.get("verdict")}
    if old is None or now is None:
        same = old is None and now is None
        return row | {"shown": shown, "says": NO_CHANGE if same else "could be told in one quarter only"}
    row["change"] = _less(now, old, form)
    shown["change"] = _signed(row["change"], form, currency)
    values = [old]
    for cause, metrics in steps:
        got = metrics.get(card["name"], {}).get("estimate")
        if got is None:
            return row | {"shown": shown, "says": "cannot be divided: today's code does not give it on what was kept"}
        row[cause] = _less(got, values[-1], form)
        values.append(got)
    if comparison is None:
        return row | {"shown": shown, "says": "not divided: no first edition was kept"}
    row |= {c: 0 if row[c] is None else row[c] for c in CAUSES}
    row["movement"] = _less(now, values[-1], form)
    row["causes"] = [c for c in (*CAUSES, "movement") if row[c]]
    rest = "no cause found" if comparison.is_this_report else "the quarter itself"
    return row | {"shown": shown, "says": _says(row, form, currency, rest)}


def _less(value: float, other: float, form: str) -> float:
    """Return the difference of two shown figures, free of the noise of floating point."""
    got = formats.rounded(value - other, form)
    return float(got) if isinstance(got, int | float) else 0.0


def _signed(change: float, form: str, currency: str) -> str:
    text = formats.shown(change, form, currency)
    if formats.format_of(form).kind == "share":  # a change of a share is in percentage points
        text = f"{text.removesuffix('%')} pp"
    return f"+{text}" if change > 0 and not text.startswith("+") else text


def _says(row: Row, form: str, currency: str, rest: str) -> str:
    if not row["causes"]:
        return NO_CHANGE
    words = {"movement": rest}
    return ", ".join(f"{words.get(c, c)} {_signed(row[c], form, currency)}" for c in row["causes"])


def changed(made: Sequence[Row]) -> list[Row]:
    """Return the rows of what is not as it was, whether or not the change could be divided."""
    return [r for r in made if r["says"] != NO_CHANGE]


def summary(made: Sequence[Row]) -> str:
    """Return in one line what moved a quarter's figures since its first edition.

    Examples
    --------
    >>> summary([{"label": "Bookings", "causes": [], "says": "no change"}])
    'no change'
    """
    moved = changed(made)
    if not moved:
        return NO_CHANGE
    causes = [c for c in CAUSES if any(c in r["causes"] for r in moved)]
    named = ", ".join(f"{r['label']} ({r['says']})" for r in moved[:3])
    more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
    return f"changed{' by ' * bool(causes)}{' and '.join(causes)}: {named}{more}"
