"""Where text stands on the pages of a PDF: a box a run of glyphs, in points from the top left."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pikepdf
from report_text import glyph_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

ASCENT, DESCENT = 0.72, 0.0  # of the size: capitals stand on the base line
GLYPH = 1000.0  # units of a width


class TextBox(NamedTuple):
    """A run of glyphs that stands upright, and its edges [pt from the top left of the page]."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float

    def covers(self, other: TextBox, slack: float = 1.2) -> bool:
        """Return whether both share more than a hair's breadth."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > slack and down > slack


def _matrix(operands: list[pikepdf.Object]) -> np.ndarray:
    a, b, c, d, e, f = (float(x) for x in operands)
    return np.array([[a, b, 0], [c, d, 0], [e, f, 1]])


def _widths(font: pikepdf.Object) -> dict[int, float]:
    """Return glyph → width of a composite font."""
    child = font.DescendantFonts[0]
    widths, entries = {}, list(child.get("/W", []))
    while entries:
        first = int(entries.pop(0))
        following = entries.pop(0)
        if isinstance(following, pikepdf.Array):
            widths |= {first + i: float(w) for i, w in enumerate(following)}
        else:
            last, width = int(following), float(entries.pop(0))
            widths |= dict.fromkeys(range(first, last + 1), width)
    return widths


def _boxes(  # noqa: C901, PLR0912 - an operator of the page a branch
    stream: pikepdf.Object, resources: pikepdf.Object, start: np.ndarray, tall: float
) -> Iterator[TextBox]:
    fonts = {
        name: (glyph_texts(font.ToUnicode.read_bytes()), _widths(font))
        for name, font in resources.get("/Font", {}).items()
        if "/DescendantFonts" in font
    }
    current, stack, text_at = start, [], np.eye(3)
    font, size = ({}, {}), 0.0
    for operands, operator in pikepdf.parse_content_stream(stream):
        name = str(operator)
        if name == "q":
            stack.append(current)
        elif name == "Q":
            current = stack.pop()
        elif name == "cm":
            current = _matrix(operands) @ current
        elif name == "Tf":
            font, size = fonts.get(str(operands[0]), ({}, {})), float(operands[1])
        elif name == "Tm":
            text_at = _matrix(operands)
        elif name in {"Tj", "TJ"}:
            parts = operands[0] if name == "TJ" else [operands[0]]
            codes, advance = [], 0.0
            for part in parts:
                if isinstance(part, pikepdf.String):
                    raw = bytes(part)
                    glyphs = [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]
                    codes += glyphs
                    advance += sum(font[1].get(g, 500.0) for g in glyphs) / GLYPH * size
                else:
                    advance -= float(part) / GLYPH * size
            placed = text_at @ current
            if abs(placed[0, 1]) > 1e-6:
                continue  # turned: the label of an axis
            scale = abs(placed[0, 0])
            left, base = placed[2, 0], tall - placed[2, 1]
            words = "".join(font[0].get(code, "") for code in codes)
            if words.strip():
                yield TextBox(
                    words, left, base - ASCENT * size * scale, left + advance * scale,
                    base + DESCENT * size * scale, size * scale,
                )  # fmt: skip
        elif name == "Do":
            form = resources.XObject[str(operands[0])]
            if form.get("/Subtype") == "/Form":
                inner = _matrix(list(form.get("/Matrix", [1, 0, 0, 1, 0, 0]))) @ current
                yield from _boxes(form, form.get("/Resources", resources), inner, tall)


def page_boxes(pdf: pikepdf.Pdf) -> list[list[TextBox]]:
    """Return the upright text of every page, those of its figures too."""
    pages = []
    for page in pdf.pages:
        tall = float(page.mediabox[3])
        pages.append(list(_boxes(page.obj, page.resources, np.eye(3), tall)))
    return pages


def overlapping(boxes: list[TextBox]) -> list[tuple[str, str]]:
    """Return the pairs of texts of a page of which one stands on the other."""
    order = sorted(boxes, key=lambda b: b.top)
    pairs = []
    for i, one in enumerate(order):
        for other in order[i + 1 :]:
            if other.top >= one.bottom:
                break
            if one.covers(other):
                pairs.append((one.text, other.text))
    return pairs
