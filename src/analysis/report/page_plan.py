"""Which part of a chapter stands in the body of a report, and which in the appendix.

The body has at most twelve pages, so a chapter has one: its ``## Answer`` and the first figure that
shows it, or the first small table where it has no figure.  A chapter has its page if its notebook
says which question of page one it answers; every other chapter is in the appendix whole.

Page one: a line a question, and the three to five figures that everybody watches.

A line is the first thing the answering chapter states, word for word; nothing is said here that a
chapter does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.chapters.data_quality import answerability
from analysis.report import formats, markdown, output

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from analysis.project.settings import KeyMetric
    from analysis.report.markdown import Node
    from analysis.report.output import Payload

SECTION = 2  # level of a section's heading
ANSWER = "answer"
APPENDIX_SECTIONS = ("data", "how sure are we")  # what their headings begin with
MOST_PAGES = 12
CHAPTER_PAGES = 7  # the others: the answers, findings, what moved, what was promised, the review
MOST_ROWS, MOST_COLUMNS = 8, 7  # of a table that stands in the body
QUESTIONS: dict[str, str] = {
    "cost": "What does an hour of selling cost?",
    "worth": "What is one more hour worth?",
    "growth": "Do aligned teams grow faster?",
    "pay": "Does alignment pay?",
    "next": "What should be done next?",
}


def split_chapter(nodes: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """Return a chapter's part of the body, and its part of the appendix.

    No node is lost.
    """
    sections = _sections(nodes)
    at = next((i for i, s in enumerate(sections) if _title(s) == ANSWER), 0)
    body = [node for section in sections[: at + 1] for node in section]
    rest = sections[at + 1 :]
    exhibits = [n for n in body if n["kind"] in {"figure", "table"}]
    aside = exhibits[1:]
    body = [n for n in body if not any(n is a for a in aside)]
    if not exhibits:
        rest = _with_evidence(body, rest)
    details = aside + [n for s in rest for n in s if s[1:] or s[0]["kind"] != "heading"]
    return body, details


def in_body(answers: Sequence[Sequence[str]]) -> list[bool]:
    """Return which chapters have a page of the body, given the questions each answers.

    Examples
    --------
    >>> in_body([[], ["cost"], ["worth"]])
    [False, True, True]
    >>> in_body([[], []])
    [True, True]
    """
    answering = [i for i, a in enumerate(answers) if a] or list(range(len(answers)))
    return [i in answering[:CHAPTER_PAGES] for i in range(len(answers))]


def whole_chapter(chapter: Mapping[str, Any]) -> list[Node]:
    """Return all that a chapter shows, body and details."""
    return [*chapter["nodes"], *chapter["details"]]


def _sections(nodes: Sequence[Node]) -> list[list[Node]]:
    sections: list[list[Node]] = [[]]
    for node in nodes:
        if node["kind"] == "heading" and node["level"] == SECTION:
            sections.append([])
        sections[-1].append(node)
    return [s for s in sections if s] or [[]]


def _title(section: Sequence[Node]) -> str:
    has_title = bool(section) and section[0]["kind"] == "heading"
    return markdown.plain_text(section[0]["children"]).strip().lower() if has_title else ""


def _with_evidence(body: list[Node], rest: list[list[Node]]) -> list[list[Node]]:
    """Move the first figure, else the first small table, and what leads to it into `body`.

    Return what stays.
    """
    candidates = [(i, s) for i, s in enumerate(rest) if not _title(s).startswith(APPENDIX_SECTIONS)]
    for is_shown in (_is_figure, _is_small_table):
        for i, section in candidates:
            first_exhibit = next((k for k, n in enumerate(section) if is_shown(n)), None)
            if first_exhibit is None:
                continue
            first = first_exhibit
            while first > 0 and section[first - 1]["kind"] in {"paragraph", "heading"}:
                first -= 1
            heading = section[:1] if first > 0 and section[0]["kind"] == "heading" else []
            body += heading + section[first : first_exhibit + 1]
            left = section[:first] + section[first_exhibit + 1 :]
            if left and left[0]["kind"] != "heading" and section[0]["kind"] == "heading":
                left = section[:1] + left
            return [*rest[:i], *([left] if left else []), *rest[i + 1 :]]
    return rest


def _is_figure(node: Node) -> bool:
    return bool(
        node["kind"] == "figure" and node.get("data", {"rows": True})["rows"]
    )  # one without data shows nothing


def _is_small_table(node: Node) -> bool:
    if node["kind"] != "table":
        return False
    return 0 < len(node["rows"]) <= MOST_ROWS and len(node["columns"]) <= MOST_COLUMNS


Row = dict[str, Any]
NO_TARGET = "no target set"
LONGEST_REASON = 60  # characters
ITS_PAGE = "What an answer needs is listed there."


def question_lines(chapters: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return each question of `page_plan.QUESTIONS` with its answer.

    Nothing if no chapter answers any.
    """
    if not any(chapter["answers"] for chapter in chapters):
        return []
    return [
        {"key": key, "question": text, **_line(chapters, key)} for key, text in QUESTIONS.items()
    ]


def _line(chapters: Sequence[Mapping[str, Any]], key: str) -> Row:
    kinds = {"decision"} if key == "next" else {"finding", "cannot_tell"}
    mine = [c for c in chapters if key in c["answers"]]
    others = (
        [c for c in chapters if c not in mine] if key == "next" else []
    )  # any chapter may say what to do
    for chapter in [*mine, *others]:
        gap = chapter["missing"]
        if gap and key != "next" and chapter in mine:
            head = "Withheld" if gap.get("is_withheld") else "Cannot tell"
            why = f"{gap['why']} {ITS_PAGE}" if gap["needs"] else gap["why"]
            return {
                "kind": "cannot_tell",
                "children": [why],
                "chapter": chapter["title"],
                "word": head,
            }
        for node in whole_chapter(chapter):
            if node["kind"] in kinds:
                return {**node, "chapter": chapter["title"], "word": answer_word(node)}
    sentence, word = (
        _without_decision(chapters) if key == "next" else ("No chapter answers it.", "Cannot tell")
    )
    return {"kind": "none", "children": [sentence], "chapter": "", "word": word}


def _without_decision(chapters: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return sentence and word of a quarter without a decision: what it takes to have one."""
    gaps = [c["missing"] for c in chapters if c["missing"]]
    n_waiting = sum(bool(gap.get("needs") or gap.get("is_withheld")) for gap in gaps)
    if not n_waiting:
        return "Nothing is put up for decision this quarter.", "Nothing"
    waits = (
        "1 question waits for data, and its page says which"
        if n_waiting == 1
        else f"{n_waiting} questions wait for data, and their pages say which"
    )
    return f"Complete the exports first: {waits}.", "Complete"


def answer_word(node: Node) -> str:
    """Return the one word beside a statement: a decision's verb, else a measure's step, else the
    verdict.

    Examples
    --------
    >>> answer_word({"kind": "decision", "children": ["Start the programme in 8 teams."]})
    'Start'
    >>> answer_word({"kind": "decision", "children": ["Start no further team yet."]})
    'Start none'
    >>> answer_word({"kind": "finding", "children": ["It cost $545."], "verdict": "found", "word": "up"})
    'Up'
    """  # noqa: E501
    if node["kind"] == "decision":
        verb, *others = markdown.plain_text(node["children"]).split(" ", 2)
        return f"{verb} none" if others[:1] == ["no"] else verb.rstrip(",.:")
    word = node.get("word") or node.get("verdict") or formats.CANNOT_TELL
    return f"{word[:1].upper()}{word[1:]}"


def key_metrics(
    watched: Sequence[KeyMetric],
    cards: Sequence[Payload],
    earlier: Sequence[EarlierFigures],
    history: Mapping[str, Mapping[str, float]],
    withheld: Collection[str] = (),
) -> list[Row]:
    """Return a row a key metric, as page one shows it.

    Parameters
    ----------
    watched : of the settings, each with owner, definition and target
    cards : the report's headlines
    earlier : the quarters to set beside this one
    history : past quarters' values by today's data and code, by name; for the trend
    withheld : names of headlines that the gate withholds, which a chapter left out does not show
        either
    """
    by_name = {card["name"]: card for card in cards}
    return [
        _absent(m, is_withheld=m.name in withheld)
        if m.name not in by_name
        else _metric(m, by_name[m.name], earlier, history.get(m.name, {}))
        for m in watched
    ]


class EarlierFigures(NamedTuple):
    """Headlines of an earlier quarter by name: as `published`, and by today's data and code.

    What was never published is `recomputed`.
    """

    quarter: str
    published: Mapping[str, float]
    recomputed: Mapping[str, float]

    def cell(self, name: str, form: str, currency: str) -> Row:
        """Return a headline as shown, and whether it was recomputed because none was published."""
        value = self.published.get(name, self.recomputed.get(name))
        return {
            "quarter": self.quarter,
            "value": formats.MISSING
            if value is None
            else formats.cell_words(value, form, currency),
            "is_recomputed": value is not None and name not in self.published,
        }


def _absent(m: KeyMetric, *, is_withheld: bool) -> Row:
    """Return the row of a metric that no chapter shows."""
    row: Row = {
        "name": m.name,
        "owner": m.owner,
        "definition": m.definition,
        "aim": m.aim,
        "trend": [],
    }
    value, note = (
        (answerability.WITHHELD, "") if is_withheld else (formats.MISSING, "not in this report")
    )
    row |= {
        "label": m.name.replace("_", " ").capitalize(),
        "value": value,
        "unit": note,
        "interval": "",
        "interval_name": "",
        "n": "",
    }
    target = NO_TARGET if m.target is None else f"{m.aim} {m.target:,.12g}"
    return row | {"target": target, "earlier": [], "met": ""}


def _metric(
    m: KeyMetric, card: Payload, earlier: Sequence[EarlierFigures], past: Mapping[str, float]
) -> Row:
    row: Row = {
        "name": m.name,
        "owner": m.owner,
        "definition": m.definition,
        "aim": m.aim,
        "trend": [],
    }
    estimate, form, currency = card["estimate"], card["format"], card["currency"]
    if card["verdict"] == answerability.WITHHELD:
        past, earlier = {}, []
    values = [*past.values(), *([estimate] if estimate is not None else [])]
    return row | {
        "label": card["label"],
        "value": card["shown"]["value"],
        "unit": card["shown"]["unit"] if estimate is not None else _short_reason(card),
        "interval": card["shown"]["interval"],
        "interval_name": card["shown"].get("interval_name", output.INTERVAL),
        "n": card["shown"]["n"],
        "target": NO_TARGET
        if m.target is None
        else f"{m.aim} {formats.cell_words(m.target, form, currency)}",
        "earlier": [e.cell(m.name, form, currency) for e in earlier],
        "met": _met(m, card),
        "trend": [float(v) for v in values],
        "since": next(iter(past), ""),
    }


def _met(m: KeyMetric, card: Payload) -> str:
    """Return whether a metric meets its target; nothing where nobody set one."""
    estimate = card["estimate"]
    if m.target is None:
        return ""
    if estimate is None or card["verdict"] == formats.CANNOT_TELL:
        return str(card["verdict"] or formats.CANNOT_TELL)
    return "met" if m.is_met(estimate) else "missed"


def _short_reason(card: Payload) -> str:
    """Return why a figure is not there, as far as its cell has room.

    What is withheld says why in the strip above.
    """
    is_withheld = card["verdict"] == answerability.WITHHELD
    return "" if is_withheld or len(card["note"]) > LONGEST_REASON else str(card["note"])
