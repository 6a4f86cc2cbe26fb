"""How what is shown looks in JupyterLab: self-contained HTML, in its light and its dark theme.

Every text is escaped, and what is invisible in it is named.  JupyterLab and nbconvert read
``$...$`` in any output as a formula; a dollar in an element of its own never meets a second one,
and the class asks MathJax to stay out.
"""

from __future__ import annotations

import base64
import html
import re
from typing import TYPE_CHECKING

from analysis.figures.legible_names import code_point, is_invisible
from analysis.report import markdown, output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.report.markdown import Inline, Node
    from analysis.report.output import Payload

INK = "var(--jp-ui-font-color1,#14213d)"
MUTED = "var(--jp-ui-font-color2,#5b6472)"
LINE = "var(--jp-border-color2,#d7dbe2)"
ACCENT, AMBER = "var(--jp-brand-color1,#2f6db5)", "var(--jp-warn-color1,#b7791f)"
FONT = "font-family:Inter,var(--jp-ui-font-family,system-ui),sans-serif"
SMALL = f"font-size:12px;color:{MUTED}"
FIGURES = "font-variant-numeric:tabular-nums"
HEADS = {
    "finding": "Found",
    "cannot_tell": "Cannot tell",
    "decision": "To decide",
    "bottleneck": "Bottleneck",
}
TAGS = {"strong": "strong", "emphasis": "em", "strike": "s"}


VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
ROOM = 28  # [pt]


def _safe(text: object) -> str:
    printable = "".join(code_point(c) if is_invisible(c) else c for c in str(text))
    return html.escape(printable).replace("$", "<span>$</span>")


def _box(content: str, style: str = "") -> str:
    css = f"{FONT};color:{INK};{style}"
    return f'<div class="alignment-roi tex2jax_ignore mathjax_ignore" style="{css}">{content}</div>'


def _line(text: str, style: str) -> str:
    return f'<div style="{style}">{_safe(text)}</div>' if text else ""


def facts_line(card: Payload) -> str:
    """Return the line under a card's value: interval, n, kind and verdict."""
    interval = card["shown"]["interval"]
    name = card["shown"].get("interval_name", output.INTERVAL)
    n = card["shown"]["n"]
    parts = [f"{name} {interval}" if interval else "", f"n = {n}" if n else ""]
    return " · ".join(p for p in [*parts, card["kind"], card["verdict"] or ""] if p)


def card_line(card: Payload) -> str:
    """Return a card as one line of text."""
    values = card["shown"]
    return (
        f"{card['label']}: {' '.join(filter(None, [values['value'], values['unit']]))} "
        f"({facts_line(card)})"
    )


def cards_html(cards: Sequence[Payload]) -> str:
    """Return cards side by side."""
    return _box("".join(map(_card, cards)), "display:flex;flex-wrap:wrap;gap:12px;margin:8px 0")


def _card(card: Payload) -> str:
    is_open = card["estimate"] is None or card["verdict"] == "cannot tell"
    style = (
        f"flex:1 1 210px;max-width:340px;border:1px solid {LINE};"
        f"border-top:3px solid {AMBER if is_open else ACCENT};border-radius:3px;padding:12px 14px"
    )
    number = (
        "<span "
        f'style="font-size:28px;font-weight:650;{FIGURES}">{_safe(card["shown"]["value"])}</span> '
        f'<span style="font-size:13px;color:{MUTED}">{_safe(card["shown"]["unit"])}</span>'
    )
    return (
        f'<div style="{style}">{_line(card["label"], f"font-size:13px;color:{MUTED}")}'
        "<div "
        f'style="line-height:1.35">{number}</div>{_line(facts_line(card), f"font-size:12px;{FIGURES}")}'  # noqa: E501
        f"{_line(card['note'], f'{SMALL};margin-top:4px')}"
        f"{_line('Source: ' + card['source'], f'{SMALL};margin-top:4px')}</div>"
    )


def table_html(content: Payload) -> str:
    """Return a table with its caption, note and source."""
    heads = "".join(_head(c) for c in content["columns"])
    sides = ["right" if c["is_numeric"] else "left" for c in content["columns"]]
    body = "".join(
        "<tr>" + "".join(_cell(x, side) for x, side in zip(row, sides, strict=True)) + "</tr>"
        for row in content["rows"]
    )
    caption = (
        f"text-align:left;caption-side:top;font-size:13px;font-weight:600;color:{INK};padding:4px 0"
    )
    return _box(
        f'<table style="border-collapse:collapse;font-size:13px;border-top:1.5px solid {INK};'
        f'border-bottom:1.5px solid {INK};margin:8px 0 4px 0"><caption style="{caption}">'
        f"{_safe(content['caption'])}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        + "".join(
            _line(text, SMALL)
            for text in [content["marks"], content["note"], f"Source: {content['source']}"]
        ),
        "overflow-x:auto",
    )


def _head(column: Payload) -> str:
    unit = (
        f'<br><span style="font-weight:400;color:{MUTED}">{_safe(column["unit"])}</span>'
        if column["unit"]
        else ""
    )
    side = "right" if column["is_numeric"] else "left"
    style = (
        f"text-align:{side};vertical-align:bottom;padding:5px 10px;border-bottom:1px solid "
        f"{INK};font-weight:600"
    )
    return f'<th scope="col" style="{style}">{_safe(column["label"])}{unit}</th>'


def _cell(text: str, side: str) -> str:
    style = f"text-align:{side};padding:4px 10px;border-bottom:1px solid {LINE};{FIGURES}"
    return f'<td style="{style}">{_safe(text)}</td>'


def table_text(content: Payload) -> str:
    """Return a table as text, one row a line."""
    lines = [[c["label"] for c in content["columns"]], *content["rows"]]
    return "\n".join(
        [content["caption"], *(" | ".join(line) for line in lines), f"Source: {content['source']}"]
    )


def figure_html(content: Payload, svg: str) -> str:
    """Return a figure with title, caption and source; its picture is on white in either theme."""
    # A browser that lacks the report's typeface takes a wider one: labels on the left need room.
    roomy = VIEW_BOX.sub(
        lambda m: f'viewBox="-{ROOM} 0 {float(m[1]) + ROOM:g} {m[2]}"', svg, count=1
    )
    # In a picture only the system's typefaces are there, and a browser's own choice has serifs.
    roomy = roomy.replace("'Inter'", "Inter, 'Segoe UI', Arial, sans-serif")
    picture = base64.b64encode(roomy.encode()).decode()
    style = "max-width:100%;background:#fff;border-radius:3px;display:block;margin:4px 0"
    return _box(
        f"{_line(content['title'], 'font-size:14px;font-weight:600')}"
        f'<img alt="{html.escape(content["alt"])}" style="{style}" '
        f'src="data:image/svg+xml;base64,{picture}">'
        f"{_line(content['caption'], 'font-size:13px')}{_line('Source: ' + content['source'], SMALL)}",  # noqa: E501
        "margin:8px 0",
    )


def statement_html(content: Payload) -> str:
    """Return a statement as a callout."""
    kind = content["kind"]
    colour = AMBER if kind == "cannot_tell" or content.get("verdict") == "cannot tell" else ACCENT
    verdict = content.get("verdict", "found")
    head = HEADS[kind] if verdict == "found" else verdict.capitalize()
    needs = (
        _line("Needs: " + content["needs"], f"{SMALL};margin-top:3px") if "needs" in content else ""
    )
    if content.get("first_step"):
        needs += _line("First step: " + content["first_step"], f"{SMALL};margin-top:3px")
    label = f'<span style="font-weight:650;color:{colour}">{_safe(head)}</span>&ensp;'
    style = (
        f"border-left:3px solid {colour};padding:6px 12px;margin:8px "
        "0;font-size:14px;max-width:46em"
    )
    return _box(f"{label}{_inline(content['children'])}{needs}", style)


def prose_html(nodes: Sequence[Node]) -> str:
    """Return markdown blocks."""
    return _box("".join(map(_block, nodes)), "max-width:46em;line-height:1.5")


def _inline(pieces: Sequence[Inline]) -> str:
    return "".join(_safe(p) if isinstance(p, str) else _piece(p) for p in pieces)


def _piece(piece: Node) -> str:
    kind = piece["kind"]
    if kind == "break":
        return "<br>"
    if kind == "code":
        return f"<code>{_safe(piece['text'])}</code>"
    inner = _inline(piece["children"])
    if kind == "link":
        return f'<a href="{html.escape(piece["url"])}" rel="noopener">{inner}</a>'
    if kind == "footnote":
        return f" <small>[{inner}]</small>"
    return f"<{TAGS[kind]}>{inner}</{TAGS[kind]}>"


def _block(node: Node) -> str:  # noqa: PLR0911 - a line a kind
    kind = node["kind"]
    if kind == "paragraph":
        return f"<p>{_inline(node['children'])}</p>"
    if kind == "heading":
        level = min(node["level"], 6)
        return f"<h{level}>{_inline(node['children'])}</h{level}>"
    if kind == "list":
        tag = "ol" if node["ordered"] else "ul"
        items = "".join(f"<li>{''.join(map(_block, item))}</li>" for item in node["items"])
        return f"<{tag}>{items}</{tag}>"
    if kind == "quote":
        return f"<blockquote>{''.join(map(_block, node['children']))}</blockquote>"
    if kind == "code":
        return f"<pre>{_safe(node['text'])}</pre>"
    if kind == "rule":
        return "<hr>"
    if kind == "grid":
        rows = [node["head"], *node["rows"]]
        cells = ("".join(f"<td>{_inline(cell)}</td>" for cell in row) for row in rows)
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
    raise markdown.MarkdownError(f"JupyterLab cannot show markdown of type {kind}")
