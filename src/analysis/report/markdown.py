"""Markdown as plain data, for the report and for JupyterLab alike.

A document is data until the template sets it: text is never pasted into HTML or Typst markup, so
nothing in it can run.  HTML inside markdown is text and shows as written.  What this room does not
know it refuses; nothing is dropped in silence.

Dollars are money first.  ``$x$`` is a formula by pandoc's rule: no blank inside either dollar and
no digit after the second; so "from $399 to $3,788" stays as it is.

LaTeX formulas as Typst formulas.

Typst evaluates a formula, so what could leave the formula is refused before and after the
conversion: ``#`` (it starts code) and quotes (they end a text).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import mistune
import tex2typst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mistune.core import BlockState, InlineState
    from mistune.plugins import Plugin

Node = dict[str, Any]
Inline = str | Node

INLINE_MATHS = r"\$(?![\s$])(?P<formula>(?:\\.|[^$\\])+?)(?<!\s)\$(?![\d$])"
BLOCK_MATHS = r"^ {0,3}\$\$(?P<display>[\s\S]+?)\$\$[ \t]*$"
AMOUNT = re.compile(r"\d[\d,.]*\s?[kKMB]?\b(?!.*[\\^_=<>+])", re.DOTALL)
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&:^=\"'/@])")
LINK = re.compile(r"(https?://|mailto:)")
FRAMES = {"strong": "strong", "emphasis": "emphasis", "strikethrough": "strike"}


class MarkdownError(ValueError):
    """Markdown that a report cannot show as intended."""


def inert_markdown(text: object) -> str:
    """Return data as markdown that shows it verbatim: no formatting, link, formula or list."""
    return SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def money_safe(source: str) -> str:
    r"""Return markdown in which no dollar sign starts a formula: each becomes ``\$``."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\$", r"\1\\$", source)


def parse_markdown(source: str) -> list[Node]:
    """Return the blocks of a markdown text.

    Raises
    ------
    MarkdownError
        For an image, a link that is not http(s) or mailto, a footnote nobody refers to, a formula
        that cannot be set, and anything else a report cannot show.

    """
    tokens, state = _READER.parse(source)
    notes: dict[str, list[Inline]] = {}
    defined, used = state.env.get("ref_footnotes") or {}, state.env.get("footnotes") or []
    unused = [key for key in defined if key not in used]
    if unused:
        raise MarkdownError(f"footnote {unused[0]} is defined but never referred to in its cell")
    blocks = cast("list[Node]", tokens)
    for item in (
        item for token in blocks if token["type"] == "footnotes" for item in token["children"]
    ):
        parts = [_inline(block["children"], {}) for block in item["children"]]
        notes[item["attrs"]["key"]] = [piece for part in parts for piece in part]
    return _blocks((token for token in blocks if token["type"] != "footnotes"), notes)


def plain_text(pieces: list[Inline]) -> str:
    """Return inline content as bare text, for names and bookmarks."""
    return "".join(p if isinstance(p, str) else _bare(p) for p in pieces)


def _bare(piece: Node) -> str:
    if piece["kind"] == "footnote":
        return ""
    return piece.get("text") or piece.get("tex") or plain_text(piece.get("children", [" "]))


def _maths_plugin(reader: mistune.Markdown) -> None:
    def inline(_: object, match: re.Match[str], state: InlineState) -> int:
        tex = match.group("formula")
        is_amount = AMOUNT.match(tex) is not None
        state.append_token(
            {"type": "text", "raw": match.group(0)} if is_amount else {"type": "tex", "raw": tex}
        )
        return match.end()

    def block(_: object, match: re.Match[str], state: BlockState) -> int:
        state.append_token({"type": "tex_block", "raw": match.group("display").strip()})
        return match.end() + 1

    reader.inline.register("tex", INLINE_MATHS, inline, before="emphasis")
    reader.block.register("tex_block", BLOCK_MATHS, block, before="list")


_READER = mistune.create_markdown(
    renderer=None, plugins=["table", "footnotes", "strikethrough", cast("Plugin", _maths_plugin)]
)


def _formula(kind: str, tex: str) -> Node:
    try:
        return {"kind": kind, "tex": tex, "typst": latex_to_typst(tex)}
    except MathsError as error:
        raise MarkdownError(str(error)) from None


def _inline(tokens: Iterable[Node], notes: dict[str, list[Inline]]) -> list[Inline]:
    pieces: list[Inline] = []
    for token in tokens:
        piece = _piece(token, notes)
        if pieces and isinstance(piece, str) and isinstance(pieces[-1], str):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def _piece(token: Node, notes: dict[str, list[Inline]]) -> Inline:  # noqa: C901, PLR0911 - a line a type
    kind = token["type"]
    if kind in {"text", "inline_html"}:
        return str(token["raw"])
    if kind in FRAMES:
        return {"kind": FRAMES[kind], "children": _inline(token["children"], notes)}
    if kind == "codespan":
        return {"kind": "code", "text": token["raw"]}
    if kind == "tex":
        return _formula("maths", token["raw"])
    if kind == "softbreak":
        return " "
    if kind == "linebreak":
        return {"kind": "break"}
    if kind == "footnote_ref":
        if token["raw"] not in notes:
            raise MarkdownError(f"footnote {token['raw']} is referred to inside another footnote")
        return {"kind": "footnote", "children": notes[token["raw"]]}
    if kind == "link":
        url = token["attrs"]["url"]
        if not LINK.match(url):
            raise MarkdownError(f"a link must start with http://, https:// or mailto:, got {url!r}")
        return {"kind": "link", "url": url, "children": _inline(token["children"], notes)}
    if kind == "image":
        raise MarkdownError(
            "an image in markdown: show it by report.show.figure, which asks for its alt text"
        )
    raise MarkdownError(f"a report cannot show markdown of type {kind}")


def _blocks(tokens: Iterable[Node], notes: dict[str, list[Inline]]) -> list[Node]:
    return [_block(token, notes) for token in tokens if token["type"] != "blank_line"]


def _block(token: Node, notes: dict[str, list[Inline]]) -> Node:  # noqa: PLR0911 - a line a type
    kind = token["type"]
    if kind in {"paragraph", "block_text"}:
        return {"kind": "paragraph", "children": _inline(token["children"], notes)}
    if kind == "heading":
        children = _inline(token["children"], notes)
        return {"kind": "heading", "level": token["attrs"]["level"], "children": children}
    if kind == "list":
        items = [_blocks(item["children"], notes) for item in token["children"]]
        return {"kind": "list", "ordered": token["attrs"]["ordered"], "items": items}
    if kind == "block_quote":
        return {"kind": "quote", "children": _blocks(token["children"], notes)}
    if kind == "block_code":
        return {"kind": "code", "text": token["raw"].rstrip("\n")}
    if kind == "tex_block":
        return _formula("maths", token["raw"])
    if kind == "table":
        return _grid(token, notes)
    if kind == "thematic_break":
        return {"kind": "rule"}
    if kind == "block_html":
        return {"kind": "paragraph", "children": [token["raw"].strip()]}
    raise MarkdownError(f"a report cannot show markdown of type {kind}")


def _grid(token: Node, notes: dict[str, list[Inline]]) -> Node:
    head, *rest = token["children"]
    rows = [row["children"] for body in rest for row in body["children"]]
    return {
        "kind": "grid",
        "align": [cell["attrs"].get("align") or "left" for cell in head["children"]],
        "head": [_inline(cell["children"], notes) for cell in head["children"]],
        "rows": [[_inline(cell["children"], notes) for cell in row] for row in rows],
    }


GROUPED_DIGITS = re.compile(r"\d{1,3}(?:\{,\}\d{3})+")
UPRIGHT_WORD = re.compile(r"\\mathrm\{([A-Za-z ]{2,})\}")
TEXT = re.compile(r'"[^"\\#]*"')


class MathsError(ValueError):
    """A formula that cannot be set, or not safely."""


def latex_to_typst(tex: str) -> str:
    """Return the Typst form of a LaTeX formula.

    Raises
    ------
    MathsError
        If the formula holds ``#`` or a quote, or is not LaTeX.

    """
    if re.search(r'["#]', tex):
        raise MathsError(
            f'formula {tex!r}: # and " are not allowed inside $...$; a plain dollar is written \\$'
        )
    # One number, not digits, commas and digits; words upright, not letter by letter.
    source = GROUPED_DIGITS.sub(lambda m: rf"\text{{{m.group(0).replace('{,}', ',')}}}", tex)
    source = UPRIGHT_WORD.sub(r"\\text{\1}", source)
    try:
        converted = str(tex2typst.tex2typst(source))
    except ValueError as error:
        raise MathsError(f"formula {tex!r}: {str(error).splitlines()[0]}") from None
    if re.search(r'["#]', TEXT.sub("", converted)):
        raise MathsError(f"formula {tex!r} holds commands that are not mathematics")
    return converted
