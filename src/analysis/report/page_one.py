"""Page one: a line a question, and the three to five figures that everybody watches.

A line is the first thing the answering chapter states, word for word; nothing is said here that a
chapter does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.models import answerability
from analysis.report import formats, layout

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from analysis.report.payload import Payload
    from analysis.settings import KeyMetric

Row = dict[str, Any]
NO_TARGET = "no target set"
LONGEST_REASON = 60  # characters


def lines(chapters: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return each question of `layout.QUESTIONS` with its answer; nothing if no chapter answers any."""
    if not any(chapter["answers"] for chapter in chapters):
        return []
    return [{"key": key, "question": text, **_line(chapters, key)} for key, text in layout.QUESTIONS.items()]


def _line(chapters: Sequence[Mapping[str, Any]], key: str) -> Row:
    kinds = {"decision"} if key == "next" else {"finding", "cannot_tell"}
    mine = [c for c in chapters if key in c["answers"]]
    others = [c for c in chapters if c not in mine] if key == "next" else []  # any chapter may say what to do
    for chapter in [*mine, *others]:
        gap = chapter["missing"]
        if gap and key != "next" and chapter in mine:
            head = "Withheld." if gap.get("is_withheld") else "Cannot tell."
            return {"kind": "cannot_tell", "children": [f"{head} {gap['why']}"], "chapter": chapter["title"]}
        for node in layout.everything(chapter):
            if node["kind"] in kinds:
                return {**node, "chapter": chapter["title"]}
    said = "Nothing is put up for decision this quarter." if key == "next" else "Cannot tell: no chapter answers it."
    return {"kind": "none", "children": [said], "chapter": ""}


def key_metrics(
    watched: Sequence[KeyMetric],
    cards: Sequence[Payload],
    last: Mapping[str, float],
    before: str,
    history: Mapping[str, Mapping[str, float]],
    withheld: Collection[str] = (),
) -> list[Row]:
    """Return a row a key metric, as page one shows it.

    Parameters
    ----------
    watched : of the settings, each with owner, definition and target
    cards : the report's headlines
    last : what the quarter `before` published, by name
    history : past quarters' values by today's data and code, by name; for the trend
    withheld : names of headlines that the gate withholds, which a chapter left out does not show either
    """
    by_name = {card["name"]: card for card in cards}
    return [
        _absent(m, is_withheld=m.name in withheld)
        if m.name not in by_name
        else _metric(m, by_name[m.name], last.get(m.name), before, history.get(m.name, {}))
        for m in watched
    ]


def _absent(m: KeyMetric, *, is_withheld: bool) -> Row:
    """Return the row of a metric that no chapter shows."""
    row: Row = {"name": m.name, "owner": m.owner, "definition": m.definition, "aim": m.aim, "trend": []}
    value, met = (answerability.WITHHELD, "") if is_withheld else (formats.MISSING, "not in this report")
    row |= {"label": m.name.replace("_", " ").capitalize(), "value": value, "unit": "", "interval": "", "n": ""}
    return row | {"target": formats.MISSING, "last": formats.MISSING, "met": met}


def _metric(m: KeyMetric, card: Payload, last: float | None, before: str, past: Mapping[str, float]) -> Row:
    row: Row = {"name": m.name, "owner": m.owner, "definition": m.definition, "aim": m.aim, "trend": []}
    estimate, form, currency = card["estimate"], card["format"], card["currency"]
    if card["verdict"] == answerability.WITHHELD:
        past = {}
    values = [*past.values(), *([estimate] if estimate is not None else [])]
    return row | {
        "label": card["label"],
        "value": card["shown"]["value"],
        "unit": card["shown"]["unit"] if estimate is not None else _short_reason(card),
        "interval": card["shown"]["interval"],
        "n": card["shown"]["n"],
        "target": NO_TARGET if m.target is None else f"{m.aim} {formats.shown(m.target, form, currency)}",
        "last": formats.MISSING if last is None else formats.shown(last, form, currency),
        "before": before,
        "met": _met(m, card),
        "trend": [float(v) for v in values],
        "since": next(iter(past), before),
    }


def _met(m: KeyMetric, card: Payload) -> str:
    """Return whether a metric meets its target; nothing where nobody set one."""
    estimate = card["estimate"]
    if m.target is None:
        return ""
    if estimate is None or card["verdict"] == formats.CANNOT_TELL:
        return str(card["verdict"] or formats.CANNOT_TELL)
    return "met" if (estimate >= m.target if m.aim == "at least" else estimate <= m.target) else "missed"


def _short_reason(card: Payload) -> str:
    """Return why a figure is not there, as far as its cell has room; what is withheld says why in the strip above."""
    is_withheld = card["verdict"] == answerability.WITHHELD
    return "" if is_withheld or len(card["note"]) > LONGEST_REASON else str(card["note"])
