"""The review kit: one page to run the quarterly meeting by.

Nothing on it is new: opportunities are what was found and practices that would pay, concerns what the
data cannot tell and what misses its target, bottlenecks the largest burdens and what is overdue.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from analysis.models import cost
from analysis.report import formats, layout
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from analysis.report.document import Document
    from analysis.report.markdown import Node
    from analysis.report.quarterly import actions
    from analysis.settings import Settings

MOST_POINTS, MOST_PRACTICES = 4, 8
Row = dict[str, Any]


def kit(
    document: Document,
    *,
    carried: Sequence[actions.Carried],
    metrics: Sequence[Row],
    stays: pd.DataFrame,
    house: Settings,
) -> Row:
    """Return the page: agenda, practices to change by team, and what the meeting costs.

    `metrics` are the rows of page one, `stays` panel ``rep_quarter`` of the quarter reported.
    """
    nodes = [(n, c["title"]) for c in document["chapters"] for n in layout.everything(c)]
    missed = [_point([_missed(m)]) for m in metrics if m["met"] == "missed"]
    overdue = [_point([_overdue(c.action)]) for c in carried if c.is_overdue]
    burdens = [_point(n["children"], title) for n, title in nodes if n["kind"] == "bottleneck"]
    said = document["statements"]
    in_body = {c["title"] for c in document["chapters"] if c["in_body"]}  # what the data are is no opportunity
    gains = [*said["decide"], *(s for s in said["found"] if s["chapter"] in in_body)]
    return {
        "agenda": [
            _part("Opportunities", [_point(s["children"], s["chapter"]) for s in gains],
                  "Which of these do we take up, who, by when?"),
            _part("Concerns", [*missed, *(_point(s["children"], s["chapter"]) for s in said["cannot_tell"])],
                  "What would it take to know, and is it worth it?"),
            _part("Bottlenecks", [*overdue, *burdens], "What stands in the way, and who can move it?"),
        ],
        "practices": _practices(n for n, _ in nodes),
        "meeting": _meeting(stays, house),
    }  # fmt: skip


def _missed(m: Row) -> str:
    return f"{' '.join(filter(None, [m['label'] + ':', m['value'], m['unit']]))}, target {m['target']}."


def _overdue(a: actions.Action) -> str:
    return f"Overdue since {a.due}: {a.text} ({a.owner})"


def _point(children: list[Any], chapter: str = "") -> Row:
    return {"children": children, "chapter": chapter}


def _part(name: str, points: Sequence[Row], question: str) -> Row:
    shown = list(points[:MOST_POINTS])
    return {"name": name, "points": shown, "more": len(points) - len(shown), "question": question}


def _practices(nodes: Iterable[Node]) -> Row | None:
    """Return the rows of the first table of practices, largest gain first as the chapter ordered them."""
    table = next((n for n in nodes if n["kind"] == "table" and n.get("use") == "practices"), None)
    if table is None:
        return None
    heads = [f"{c['label']} [{c['unit']}]" if c["unit"] else c["label"] for c in table["columns"]]
    rows = [[formats.shortened(cell) for cell in row] for row in table["rows"][:MOST_PRACTICES]]
    return {
        "heads": heads,
        "numeric": [c["is_numeric"] for c in table["columns"]],
        "rows": rows,
        "more": len(table["rows"]) - len(rows),
        "number": table["number"],
        "note": " ".join(filter(None, [table["marks"], table["note"]])),
        "source": table["source"],
    }


def _meeting(stays: pd.DataFrame, house: Settings) -> str:
    """Return what the meeting costs: people x hours x cost of a working hour, as far as pay tells."""
    people, hours, currency = house.review.people, house.review.hours, house.company.currency
    each = _cost_of_hour(stays, house)
    if math.isnan(each):
        why = f"What they cost cannot be told: of fewer than {house.people.smallest_cell} reps it is known."
        return f"{people} people for {hours:g} h: {people * hours:g} h. {why}"
    money = [formats.shown(x, "money", currency) for x in (each, people * hours * each)]
    return f"{people} people for {hours:g} h at {money[0]} a working hour, as the reps' costs: {money[1]}."


def _cost_of_hour(stays: pd.DataFrame, house: Settings) -> float:
    share, currency = house.hours.minimum_logged_share, house.company.currency
    try:
        got = cost.estimate(stays, "cost_per_available_hour", minimum_logged_share=share, currency=currency)
    except CrmDataError:  # no rep that quarter
        return math.nan
    return got.estimate if got.n >= house.people.smallest_cell else math.nan


def carried_rows(carried: Sequence[actions.Carried], now: Mapping[str, Any], then: Mapping[str, Any]) -> list[Row]:
    """Return an action a row, with its metric as published when the action was decided and today.

    `now` holds this report's cards by name; `then` by quarter and name what was published.
    """
    return [_action(c, now, then) for c in carried]


def _action(c: actions.Carried, now: Mapping[str, Any], then: Mapping[str, Any]) -> Row:
    a = c.action
    state: str = "overdue" if c.is_overdue else a.status
    if c.is_forgotten:
        state = f"{state}, not spoken of since {c.told}"
    card = now.get(a.metric or "")
    measured = "not measured"
    if card:
        old = then.get(c.since, {}).get(a.metric)
        was = formats.MISSING if old is None else formats.shown(old, card["format"], card["currency"])
        measured = f"{card['label']}: {was} in {c.since}, {card['shown']['value']} now"
    about = f"{a.text} Reason: {a.reason}" if a.reason else a.text
    return {"id": a.id, "text": about, "owner": a.owner, "due": str(a.due), "state": state, "measured": measured}
