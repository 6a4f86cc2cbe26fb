"""Executed notebooks → one document: plain data that the PDF and the workbook are made from.

A chapter is a notebook, its title the notebook's question.  Code never gets here, nor what a cell
tagged ``analyst`` says.  What a report could not show as it was meant (a failed cell, a bare frame,
printed text, unknown markdown) stops the document and is named: nothing is dropped in silence.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict, cast

from analysis.report import formats, markdown, page_plan
from analysis.report.cell_tags import ANALYST_TAG
from analysis.report.output import MIME, Payload, with_exact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from analysis.report.markdown import Inline, Node

HIDDEN_TAGS = {"parameters", "injected-parameters", ANALYST_TAG}
APPENDIX = "definitions and sources"
WARNING = re.compile(r"^\S+:\d+: (\w*Warning): ", re.MULTILINE)  # as `warnings` prints it
STATEMENTS = {"finding": "found", "cannot_tell": "cannot_tell", "decision": "decide"}
TITLE, SECTION, DEEPEST_HEADING = 1, 2, 3  # levels


class DocumentError(ValueError):
    """A notebook that cannot be published as it is; says notebook, cell and remedy."""


class QuestionNeed(TypedDict):
    """What a question requires of the data."""

    table: str
    columns: list[str]


class MissingChapter(TypedDict):
    """A question that the data cannot answer.

    `position` is its place among all chapters, from 0.
    """

    position: int
    title: str
    question: str
    needs: list[QuestionNeed]
    why: str
    answers: NotRequired[list[str]]  # keys of layout.QUESTIONS
    is_withheld: NotRequired[bool]  # although the tables are there


class Earlier(NamedTuple):
    """A headline figure as an earlier report published it."""

    quarter: str
    estimate: float


class Chapter(TypedDict):
    """One question and its answer: `nodes` in the body, `details` in the appendix.

    `missing` stands in place of an answer; a chapter that is not `in_body` is in the appendix
    whole.
    """

    title: str
    lead: list[Node]
    nodes: list[Node]
    details: list[Node]
    missing: MissingChapter | None
    answers: list[str]
    in_body: bool


class Document(TypedDict):
    """Everything a reader will see, in order, and nothing about how it looks."""

    title: str
    company: str
    owner: str
    audience: str
    quarter: str
    as_of: str
    notices: list[str]
    cover: list[Payload]
    statements: dict[str, list[Node]]
    chapters: list[Chapter]
    appendix: list[Chapter]
    facts: dict[str, Any]
    lines: list[dict[str, Any]]  # page one: question, sentence, kind, verdict, chapter
    exports: list[dict[str, str]]  # page one: what the gate says of the exports, `head` and `text`
    quarterly: (
        dict[str, Any] | None
    )  # what compares this quarter with the last, and runs the review


def make_document(
    notebooks: Sequence[Path],
    *,
    title: str,
    company: str,
    owner: str,
    audience: str,
    quarter_label: str,
    as_of: str,
    notices: Sequence[str],
    facts: Mapping[str, Any],
    missing: Sequence[MissingChapter],
    earlier: Mapping[str, Sequence[Earlier]] | None = None,
    exports: Sequence[dict[str, str]] = (),
) -> Document:
    """Return the document of a report.

    Parameters
    ----------
    notebooks : executed notebooks, in the order of their chapters
    facts : what the provenance page shows: ``run_id``, and any texts, numbers, tables of these
        (a list of dicts with the same keys) or dicts, each under its heading
    missing : chapters that could not be written, with their place
    earlier : by headline name, what earlier reports published, oldest first
    exports : what page one says of the exports under its answers, a line each

    Raises
    ------
    DocumentError
        If a notebook holds something that a report cannot show, or two headlines share a name.
    """
    read = [(json.loads(path.read_text(encoding="utf-8")), path.name) for path in notebooks]
    pairs = [_chapter(notebook, name) for notebook, name in read]
    warned = [w for notebook, name in read for w in _warnings_of(notebook, name)]
    chapters = [chapter for chapter, _ in pairs]
    for gap in sorted(missing, key=lambda m: m["position"]):
        empty = _empty(gap["question"])
        # what lacks no table was withheld by the gate, or stopped by what its tables hold
        gap["is_withheld"] = gap.get("is_withheld", False) or not gap["needs"]
        empty["missing"], empty["answers"] = gap, gap.get("answers", [])
        chapters.insert(gap["position"], empty)
    for chapter, is_in in zip(
        chapters, page_plan.in_body([c["answers"] for c in chapters]), strict=True
    ):
        chapter["in_body"] = is_in
        if is_in:
            chapter["nodes"], chapter["details"] = page_plan.split_chapter(chapter["nodes"])
    _number(chapters, [appendix for _, appendix in pairs])
    _anchor(chapters)
    return Document(
        title=title,
        company=company,
        owner=owner,
        audience=audience,
        quarter=quarter_label,
        as_of=as_of,
        notices=[*notices, *_warned_notice(warned)],
        cover=_cover(chapters, earlier or {}),
        statements=_statements(chapters),
        chapters=chapters,
        appendix=[appendix for _, appendix in pairs if appendix["nodes"]],
        facts=dict(facts),
        lines=page_plan.question_lines(chapters),
        exports=list(exports),
        quarterly=None,
    )


def _warnings_of(notebook: Mapping[str, Any], name: str) -> list[str]:
    """Return notebook, cell and kind of each warning that Python gave in a cell that is shown.

    What it warns of stays in the notebook: a message may quote data.
    """
    return [
        f"{name}, cell {number}: {kind}"
        for number, cell in enumerate(notebook["cells"], start=1)
        if not HIDDEN_TAGS & set(cell.get("metadata", {}).get("tags", []))
        for output in cell.get("outputs", [])
        if _is_warning(output)
        for kind in WARNING.findall(_joined(output["text"]))
    ]


def _is_warning(output: Mapping[str, Any]) -> bool:
    is_stderr = output["output_type"] == "stream" and output["name"] == "stderr"
    return is_stderr and bool(WARNING.search(_joined(output["text"])))


def _warned_notice(warned: Sequence[str]) -> list[str]:
    if not warned:
        return []
    count = "1 warning" if len(warned) == 1 else f"{len(warned)} warnings"
    notice = (
        f"Python gave {count} while these figures were computed ({warned[0]}): have an analyst "
        "look at the notebook before a decision rests on its chapter."
    )
    return [notice]


def _cover(chapters: list[Chapter], earlier: Mapping[str, Sequence[Earlier]]) -> list[Payload]:
    headline_cards = [
        c
        for chapter in chapters
        for node in page_plan.whole_chapter(chapter)
        if node["kind"] == "kpis"
        for c in node["cards"]
    ]
    cards: dict[str, Payload] = {}
    for card in (c for c in headline_cards if c["headline"]):
        if card["name"] in cards:
            raise DocumentError(
                f"{card['name']} is a headline twice. Keep `headline=True` in one notebook."
            )
        form, currency = card["format"], card["currency"]
        trend = [
            {
                "quarter": e.quarter,
                "estimate": e.estimate,
                "shown": formats.cell_words(e.estimate, form, currency),
            }
            for e in earlier.get(card["name"], ())
        ]
        cards[card["name"]] = {**card, "trend": trend}
    return list(cards.values())


def _statements(chapters: list[Chapter]) -> dict[str, list[Node]]:
    page: dict[str, list[Node]] = {place: [] for place in STATEMENTS.values()}
    for chapter in chapters:
        gap = chapter["missing"]
        if gap:
            needs = "; ".join(f"{n['table']}: {', '.join(n['columns'])}" for n in gap["needs"])
            page["cannot_tell"].append(
                {
                    "kind": "cannot_tell",
                    "children": [gap["question"] if needs else f"{gap['question']} {gap['why']}"],
                    "chapter": chapter["title"],
                }
                | ({"needs": needs} if needs else {})
            )
        for node in page_plan.whole_chapter(chapter):
            if node["kind"] in STATEMENTS:
                # A finding whose verdict is "cannot tell" belongs with what we cannot tell.
                is_open = node.get("verdict") == formats.CANNOT_TELL
                place = "cannot_tell" if is_open else STATEMENTS[node["kind"]]
                page[place].append({**node, "chapter": chapter["title"]})
    in_body = {chapter["title"] for chapter in chapters if chapter["in_body"]}
    # What the data are comes below what they say of the business.
    page["found"].sort(key=lambda node: node["chapter"] not in in_body)
    # What page one says is to be done next stands first here too.
    first = {chapter["title"] for chapter in chapters if "next" in chapter["answers"]}
    page["decide"].sort(key=lambda node: node["chapter"] not in first)
    return page


def _empty(title: str) -> Chapter:
    return Chapter(
        title=title, lead=[], nodes=[], details=[], missing=None, answers=[], in_body=True
    )


def _number(chapters: list[Chapter], appendix: list[Chapter]) -> None:
    counts = {"figure": 0, "table": 0}
    body = [n for c in chapters if c["in_body"] for n in c["nodes"]]
    details = [n for c in chapters for n in ([] if c["in_body"] else c["nodes"]) + c["details"]]
    for node in (*body, *details, *(n for c in appendix for n in c["nodes"])):
        if node["kind"] in counts:
            counts[node["kind"]] += 1
            node["number"] = counts[node["kind"]]


def _anchor(chapters: list[Chapter]) -> None:
    """Name the place of each statement, so that what repeats it can point there."""
    statements = (
        node
        for chapter in chapters
        for node in page_plan.whole_chapter(chapter)
        if node["kind"] in {*STATEMENTS, "bottleneck"}
    )
    for at, node in enumerate(statements, start=1):
        node["anchor"] = f"statement-{at}"


def _chapter(notebook: Mapping[str, Any], name: str) -> tuple[Chapter, Chapter]:
    """Return a notebook's chapter and its part of the appendix."""
    title: list[Inline] = []
    lead: list[Node] = []
    body: list[Node] = []
    definitions: list[Node] = []
    into = body
    for node in _nodes(notebook, name):
        level = node["level"] if node["kind"] == "heading" else 0
        if level == TITLE:
            if title:
                raise DocumentError(
                    f"{name}: a second title {markdown.plain_text(node['children'])!r}. Use "
                    "## for it."
                )
            title = node["children"]
            into = lead
            continue
        if not title:
            raise DocumentError(
                f"{name}: the first thing shown must be its title, `# A question?`."
            )
        if level == SECTION or (into is lead and node["kind"] != "paragraph"):
            is_appendix = (
                level == SECTION
                and markdown.plain_text(node["children"]).strip().lower() == APPENDIX
            )
            into = definitions if is_appendix else body
            if is_appendix:
                continue
        if node["kind"] == "kpis" and into and into[-1]["kind"] == "kpis":
            into[-1] = {
                **node,
                "cards": into[-1]["cards"] + node["cards"],
            }  # cards shown one by one stand side by side
        else:
            into.append(node)
    if not title:
        raise DocumentError(f"{name}: has no title. Begin with a markdown cell `# A question?`.")
    empty = _empty(markdown.plain_text(title))
    named = notebook["metadata"].get("alignment_roi", {}).get("answers", [])
    unknown = [a for a in named if a not in page_plan.QUESTIONS]
    if unknown:
        raise DocumentError(
            f"{name}: answers {unknown[0]!r}, which is none of {', '.join(page_plan.QUESTIONS)}."
        )
    chapter = {**empty, "lead": lead, "nodes": body, "answers": named}
    return cast("Chapter", chapter), cast("Chapter", {**empty, "nodes": definitions})


def _nodes(notebook: Mapping[str, Any], name: str) -> Iterator[Node]:
    for number, cell in enumerate(notebook["cells"], start=1):
        where = f"{name}, cell {number}"
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                raise DocumentError(f"{where} failed: {output['ename']}: {output['evalue']}")
        if HIDDEN_TAGS & set(cell.get("metadata", {}).get("tags", [])):
            continue
        if cell["cell_type"] == "markdown":
            yield from _markdown(_joined(cell["source"]), where)
        elif cell["cell_type"] == "code":
            for output in cell["outputs"]:
                yield from _output(output, where)
        elif _joined(cell["source"]).strip():
            raise DocumentError(f"{where}: a {cell['cell_type']} cell has no place in a report.")


def _markdown(source: str, where: str) -> list[Node]:
    try:
        nodes = markdown.parse_markdown(source)
    except markdown.MarkdownError as error:
        raise DocumentError(f"{where}: {error}") from None
    for node in nodes:
        if node["kind"] == "heading" and node["level"] > DEEPEST_HEADING:
            raise DocumentError(f"{where}: headings go to ### only, got {'#' * node['level']}.")
    return nodes


def _output(output: Mapping[str, Any], where: str) -> list[Node]:
    if _is_warning(output):
        return []  # said on page one, by `_warned_notice`
    if output["output_type"] == "stream":
        printed = _joined(output["text"]).strip()
        if printed:
            raise DocumentError(
                f"{where} printed {printed[:60]!r} to {output['name']}. "
                "Show it by report.show, mend what warns, or tag the cell `analyst`."
            )
        return []
    data = output.get("data", {})
    content = data.get(MIME)
    if content is None:
        raise DocumentError(
            f"{where} shows {', '.join(data) or output['output_type']} without report.show. "
            "Show it by report.show (table, figure, text ...), or tag the cell `analyst`."
        )
    if content["kind"] == "text":
        return list(content["nodes"])
    about = output.get("metadata", {}).get(MIME, {})
    content = with_exact(content, about.get("exact"))
    if content["kind"] == "figure":
        return [{**content, "svg": _joined(data["image/svg+xml"])}]
    if content["kind"] in {"kpis", "table", "bottleneck", *STATEMENTS}:
        return [content]
    raise DocumentError(
        f"{where}: report.show of another version wrote a {content['kind']!r}. Run the "
        "notebook again."
    )


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
