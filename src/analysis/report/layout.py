"""Which part of a chapter leadership meets in the body of a report, and which waits in the appendix.

The body has at most eight pages, so a chapter has one: its ``## Answer`` and the first figure that
shows it, or the first small table where it has no figure.  A chapter has its page if its notebook says
which question of page one it answers; every other chapter is in the appendix whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.report import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.report.markdown import Node

SECTION = 2  # level of a section's heading
ANSWER = "answer"
APPENDIX_SECTIONS = ("data", "how sure are we")  # what their headings begin with
MOST_PAGES = 8
CHAPTER_PAGES = 4  # the others: the answers, findings and decisions, since last quarter, the review kit
MOST_ROWS, MOST_COLUMNS = 8, 7  # of a table that stands in the body
QUESTIONS: dict[str, str] = {
    "cost": "What does an hour of selling cost?",
    "worth": "What is one more hour worth?",
    "growth": "Do aligned teams grow faster?",
    "pay": "Does alignment pay?",
    "next": "What should be done next?",
}


def split(nodes: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """Return a chapter's part of the body and what of it goes into the appendix; no node is lost."""
    sections = _sections(nodes)
    at = next((i for i, s in enumerate(sections) if _title(s) == ANSWER), 0)
    body = [node for section in sections[: at + 1] for node in section]
    rest = sections[at + 1 :]
    shown = [n for n in body if n["kind"] in {"figure", "table"}]
    aside = shown[1:]
    body = [n for n in body if not any(n is a for a in aside)]
    if not shown:
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
    asked = [i for i, a in enumerate(answers) if a] or list(range(len(answers)))
    return [i in asked[:CHAPTER_PAGES] for i in range(len(answers))]


def everything(chapter: Mapping[str, Any]) -> list[Node]:
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
    return markdown.plain(section[0]["children"]).strip().lower() if has_title else ""


def _with_evidence(body: list[Node], rest: list[list[Node]]) -> list[list[Node]]:
    """Move the first figure, else the first small table, and what leads to it into `body`; return what stays."""
    candidates = [(i, s) for i, s in enumerate(rest) if not _title(s).startswith(APPENDIX_SECTIONS)]
    for is_shown in (_is_figure, _is_small_table):
        for i, section in candidates:
            found = next((k for k, n in enumerate(section) if is_shown(n)), None)
            if found is None:
                continue
            first = found
            while first > 0 and section[first - 1]["kind"] in {"paragraph", "heading"}:
                first -= 1
            heading = section[:1] if first > 0 and section[0]["kind"] == "heading" else []
            body += heading + section[first : found + 1]
            left = section[:first] + section[found + 1 :]
            if left and left[0]["kind"] != "heading" and section[0]["kind"] == "heading":
                left = section[:1] + left
            return [*rest[:i], *([left] if left else []), *rest[i + 1 :]]
    return rest


def _is_figure(node: Node) -> bool:
    return bool(node["kind"] == "figure" and node.get("data", {"rows": True})["rows"])  # one without data shows nothing


def _is_small_table(node: Node) -> bool:
    if node["kind"] != "table":
        return False
    return 0 < len(node["rows"]) <= MOST_ROWS and len(node["columns"]) <= MOST_COLUMNS
