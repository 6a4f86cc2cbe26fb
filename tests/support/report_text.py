"""The text of a PDF, page by page: as much of it as the tests of `pdf` ask for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator

HEX = re.compile(rb"<([0-9a-fA-F]+)>")


def glyph_texts(cmap: bytes) -> dict[int, str]:
    """Return glyph → text of a ToUnicode map."""
    found = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        cells = HEX.findall(block)
        found |= {
            int(c, 16): bytes.fromhex(t.decode()).decode("utf-16-be")
            for c, t in zip(*[iter(cells)] * 2, strict=True)
        }
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        cells = [int(c, 16) for c in HEX.findall(block)]
        for low, high, text in zip(*[iter(cells)] * 3, strict=True):
            found |= {code: chr(text + code - low) for code in range(low, high + 1)}
    return found


def _runs(stream: pikepdf.Object, fonts: dict[str, dict[int, str]]) -> Iterator[str]:
    font: dict[int, str] = {}
    for operands, operator in pikepdf.parse_content_stream(stream):
        if str(operator) == "Tf":
            font = fonts[str(operands[0])]
        elif str(operator) in {"Tj", "TJ"}:
            parts = operands[0] if str(operator) == "TJ" else [operands[0]]
            raw = b"".join(bytes(part) for part in parts if isinstance(part, pikepdf.String))
            yield "".join(
                font.get(int.from_bytes(raw[i : i + 2]), "") for i in range(0, len(raw), 2)
            )


def pages(pdf: pikepdf.Pdf) -> list[str]:
    """Return the text of every page, without the spaces between its runs."""
    texts = []
    for page in pdf.pages:
        fonts = {
            name: glyph_texts(font.ToUnicode.read_bytes())
            for name, font in page.resources.get("/Font", {}).items()
        }
        texts.append("".join(_runs(page.obj, fonts)))
    return texts
