"""Document → one HTML file that reads the same from a disk, on a phone and on paper.

It says what the PDF says, in the same order, and links where the PDF names a page.  A figure is an
image of its own with the letters it needs, so that its text looks as in the PDF and nothing in it
can reach the page; formulas are MathML.
"""

from __future__ import annotations

import base64
import io
import json
import re
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import typst
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from markupsafe import Markup

from analysis.figures import legible_names
from analysis.report import answers_in_brief, formats, html, markdown, web_page
from analysis.report.output import label_of_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analysis.report.document import Document
    from analysis.report.markdown import Node

MOST_BYTES = 8_000_000
DEEPEST = 6  # level of a heading in HTML
SVG_TAG = re.compile(r"<svg\b[^>]*>")
MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
MATH_TAG = re.compile(r"<(?!/?m[a-z]*[\s/>])")  # what stands in a formula and is no MathML
FINDINGS = "What was seen in the exports"  # among the facts
QUARTERLY_PARTS = (
    ("since", "How the figures moved, and why"),
    ("follow-up", "Forecasts kept, actions done"),
    ("review", "The review, on one page"),
)
GRAVE = ("Withheld", "Warned")  # heads of the strip that page one marks


class HtmlError(RuntimeError):
    """A document that cannot be made into a page; the message says why and what to do."""


class Heads(NamedTuple):
    """A table of plain texts: its heads and its rows."""

    heads: list[str]
    rows: list[list[str]]


def render_html(document: Document, *, template: str = "report") -> bytes:
    """Return the page of a document, the same bytes for the same document.

    `template` is that of a report, or ``pack`` for one team's.

    Raises
    ------
    HtmlError
        If a node has no form, a formula is none, or the page would be larger than `MOST_BYTES`.

    """
    nodes = list(_nodes_within(document))
    formulas = _formulas(nodes)
    figures = [n for n in nodes if n.get("kind") in {"figure", "trend"}]
    letters = _font(frozenset("".join(f["svg"] for f in figures))) if figures else ""
    chapter_ids = {c["title"]: f"chapter-{i}" for i, c in enumerate(document["chapters"])}
    facts = document["facts"]
    compound = [(k, v) for k, v in facts.items() if isinstance(v, list | dict)]
    at = next((i for i, (key, _) in enumerate(compound, start=1) if key == FINDINGS), None)
    page = web_page.fill_template(
        f"{template}.html.j2",
        doc=document,
        contents=_contents(document),
        open_words=answers_in_brief.OPEN_WORDS,
        grave=GRAVE,
        findings_id=f"fact-{at}" if at else "provenance",
        rules_id=_rules_place(document),
        filters={
            "chapter_id": chapter_ids.get,
            "compound_facts": lambda _: compound,
            "fact_table": fact_table,
            "fact_words": label_of_key,
            "mathml": lambda n, is_block: formulas[n["typst"], is_block],
            "needed_columns": lambda needs: [[n["table"], ", ".join(n["columns"])] for n in needs],
            "no_form": _no_form,
            "picture": partial(_picture, letters=letters),
            "plain_heads": lambda heads: [_head(h) for h in heads],
            "practice_heads": lambda p: list(map(_head, p["heads"], p["numeric"])),
            "single_facts": lambda facts: [
                [label_of_key(k), _fact_value(v)]
                for k, v in facts.items()
                if not isinstance(v, list | dict)
            ],
            "statement_head": _statement_head,
            "under": headings_under,
            "waterfall_bars": _waterfall_bars,
            "web_address": _web_address,
        },
    )
    if len(page) > MOST_BYTES:
        sizes = sorted(
            ((len(f["svg"]), f.get("number", "of trends")) for f in figures), reverse=True
        )[:3]
        largest = ", ".join(f"figure {n} with {size / 1e6:.1f} MB" for size, n in sizes)
        raise HtmlError(
            f"the page was not written: {len(page) / 1e6:.1f} MB, and {MOST_BYTES / 1e6:.0f} MB "
            f"are allowed. Draw fewer points; the largest are {largest or 'tables'}."
        )
    return page


def headings_under(nodes: Sequence[Node], base: int) -> list[Node]:
    """Return nodes whose headings stand below one of level `base`, none more than a level deeper
    than the one before.

    Examples
    --------
    >>> headings = [{"kind": "heading", "level": level} for level in (3, 2, 3)]
    >>> [node["level"] for node in headings_under(headings, 2)]
    [3, 3, 4]
    """
    last = base
    adjusted = []
    for node in nodes:
        if node["kind"] == "heading":
            last = min(base + max(1, node["level"] - 1), last + 1, DEEPEST)
            adjusted.append({**node, "level": last})
        else:
            adjusted.append(node)
    return adjusted


def _nodes_within(content: Any) -> Iterator[Node]:
    """Yield every node of plain data, those within others too."""
    if isinstance(content, dict):
        if "kind" in content:
            yield content
        for value in content.values():
            yield from _nodes_within(value)
    elif isinstance(content, list):
        for item in content:
            yield from _nodes_within(item)


def _contents(document: Document) -> list[dict[str, Any]]:
    """Return the places a reader may go to, with the parts of the appendix under it."""
    chapters = list(enumerate(document["chapters"]))
    parts = [
        {"id": f"{'details' if c['in_body'] else 'chapter'}-{i}", "title": c["title"]}
        for i, c in chapters
        if c["details"] or not c["in_body"]
    ]
    places = [
        ("answers", "The answers"),
        ("findings", "What we found, what we cannot tell, what to decide"),
        *((f"chapter-{i}", c["title"]) for i, c in chapters if c["in_body"]),
        *(QUARTERLY_PARTS if document["quarterly"] else ()),
        ("appendix", "Appendix"),
        *((("definitions", "Definitions and sources"),) if document["appendix"] else ()),
        ("provenance", "Where this report comes from"),
    ]  # fmt: skip
    return [
        {"id": id_, "title": title, "parts": parts if id_ == "appendix" else []}
        for id_, title in places
    ]


def _formulas(nodes: Sequence[Node]) -> dict[tuple[str, bool], Markup]:
    """Return each formula as MathML, by its Typst and whether it stands by itself."""
    wanted = {(n["typst"], b) for n in nodes if n.get("kind") == "maths" for b in (False, True)}
    if not wanted:
        return {}
    order = sorted(wanted)
    request = json.dumps([{"typst": t, "is_block": b} for t, b in order])
    try:
        page, _ = typst.compile_with_warnings(
            str(web_page.TEMPLATE / "maths.typ"), format="html", sys_inputs={"formulas": request}
        )
    except typst.TypstError as error:
        raise HtmlError(f"the page was not written: {error.message}") from None
    formulas = MATH.findall(page.decode())
    if len(formulas) != len(order) or any(MATH_TAG.search(f) for f in formulas):
        raise HtmlError("the page was not written: a formula holds more than mathematics")
    return dict(zip(order, map(Markup, formulas), strict=True))


@cache
def _font(characters: frozenset[str]) -> str:
    """Return the style that gives an image the report's typeface, as far as it uses it."""
    options = subset.Options(
        layout_features=[],
        notdef_outline=True,
        hinting=False,
        name_IDs=[],
        drop_tables=["STAT", "GPOS", "GSUB", "GDEF", "meta"],
    )
    buffer = io.BytesIO()
    with TTFont(legible_names.UPRIGHT, recalcTimestamp=False) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text="".join(sorted(characters)))
        subsetter.subset(font)
        instancer.instantiateVariableFont(font, {"opsz": 14, "wght": (400, 700)}, inplace=True)
        font.flavor = "woff"
        font.save(buffer)
    source = base64.b64encode(buffer.getvalue()).decode()
    return (
        '<style type="text/css">@font-face{font-family:Inter;font-weight:400 700;'
        f"src:url(data:font/woff;base64,{source})}}</style>"
    )


def _picture(figure: Node, letters: str) -> Markup:
    """Return a figure as an image that carries its letters."""
    svg = figure["svg"]
    opening = SVG_TAG.search(svg)
    box = html.VIEW_BOX.search(svg)
    if opening is None or box is None:
        raise HtmlError(
            f"the page was not written: figure {figure['title']!r} has no SVG with a box"
        )
    whole = f"{opening[0]}{letters}{svg[opening.end() :]}"
    source = base64.b64encode(whole.encode()).decode()
    return Markup(
        '<img alt="{}" width="{}" height="{}" src="data:image/svg+xml;base64,{}">'
    ).format(figure["alt"], round(float(box[1])), round(float(box[2])), source)


def _statement_head(statement: Node) -> str:
    if word := statement.get("word"):
        return str(word).capitalize()
    verdict = statement.get("verdict", "found")
    return html.HEADS[statement["kind"]] if verdict == "found" else str(verdict).capitalize()


def _waterfall_bars(drawn: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return bars with where they begin and how long they are, in hundredths of the axis."""
    start = float(drawn["from"])
    span = max(float(drawn["to"]) - start, 1e-9)

    def at(value: float) -> float:
        return 100.0 * min(1.0, max(0.0, (value - start) / span))

    return [
        {**b, "x": f"{at(b['low']):.4g}", "width": f"{max(1.0, at(b['high']) - at(b['low'])):.4g}"}
        for b in drawn["bars"]
    ]


def _web_address(url: str) -> str:
    if not markdown.LINK.match(url):
        raise HtmlError(f"the page was not written: {url!r} is no address a report may link to")
    return url


def _no_form(node: Node) -> str:
    raise HtmlError(f"the page was not written: it cannot show {node['kind']}")


def _head(label: str, is_numeric: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - mapped over two lists
    return {"label": label, "unit": "", "is_numeric": is_numeric}


def _fact_value(value: Any) -> str:
    if value is None:
        return formats.MISSING
    if isinstance(value, dict):
        return ", ".join(f"{k} {_fact_value(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_fact_value, value))
    return f"{value:,}" if type(value) is int else str(value)


def _rules_place(document: Document) -> str:
    """Return the id of the chapter that says which rule took how much; "" where findings say it."""
    facts = document["facts"]
    is_listed = any(facts.get(key) for key in (FINDINGS, "Not exported"))
    places = (f"chapter-{i}" for i, c in enumerate(document["chapters"]) if not c["in_body"])
    return "" if is_listed else next(places, "")


def fact_table(value: Any) -> Heads:
    """Return facts as a table, from a mapping, a list of mappings or a list of values.

    Examples
    --------
    >>> fact_table([{"file": "a.csv", "rows": 1200}])
    Heads(heads=['File', 'Rows'], rows=[['a.csv', '1,200']])
    """
    if isinstance(value, dict):
        return Heads(["Name", "Value"], [[k, _fact_value(v)] for k, v in value.items()])
    if isinstance(value[0], dict):
        keys = list(value[0])
        return Heads(
            [label_of_key(k) for k in keys], [[_fact_value(r[k]) for k in keys] for r in value]
        )
    return Heads(["Value"], [[_fact_value(v)] for v in value])
