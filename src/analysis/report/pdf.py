"""Document → PDF that anybody can read, again and again the same.

Typst sets the page; the document reaches it as JSON, so that no text of it is ever markup.  The
file conforms to PDF/UA-1 (tagged, alt texts, bookmarks) and PDF/A-2a (archival), or it is not
written.

What the report's font can show; what it cannot is named instead.

PDF/UA forbids text without a glyph, and some characters are invisible or turn the text around them.
A customer's name may hold any of them, and must not stop a report: each shows as its code point.
Nor may a name of two hundred letters without a blank run off the page: it may break anywhere.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import fontpkg_inter
import typst
from fontTools.ttLib import TTFont

from analysis.report import formats

if TYPE_CHECKING:
    from datetime import datetime

    from analysis.report.document import Document

TEMPLATE = Path(__file__).parent / "template"
STANDARDS: list[typst.PDFStandard] = ["ua-1", "a-2a"]


class PdfError(RuntimeError):
    """A document that cannot be set; says what, where in the template, and the remedy."""


def render_pdf(document: Document, *, timestamp: datetime) -> bytes:
    """Return the PDF of a document, the same bytes for the same document and timestamp.

    Raises
    ------
    PdfError
        If Typst refuses the document or only warns: a missing font, glyph or alt text.

    """
    try:
        pdf, warnings = _compiler(document).compile_with_warnings(
            format="pdf", pdf_standards=STANDARDS, timestamp=timestamp
        )
    except typst.TypstError as error:
        raise PdfError(_complaint(error)) from None
    if warnings:
        raise PdfError("\n".join(_complaint(w) for w in warnings))
    return cast("bytes", pdf)


def render_page(document: Document, *, page: int = 1, ppi: float = 144) -> bytes:
    """Return one page of the document as PNG; pages count from 1."""
    try:
        pages = _compiler(document).compile(format="png", ppi=ppi)
    except typst.TypstError as error:
        raise PdfError(_complaint(error)) from None
    pages = pages if isinstance(pages, list) else [cast("bytes", pages)]
    if not 1 <= page <= len(pages):
        raise ValueError(f"page must be from 1 to {len(pages)}, got {page}")
    return pages[page - 1]


def _compiler(document: Document) -> typst.Compiler:
    data = json.dumps(make_settable(document), ensure_ascii=False, sort_keys=False, allow_nan=False)
    return typst.Compiler(
        str(TEMPLATE / "report.typ"),
        root=str(TEMPLATE),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"document": data},
    )


def _complaint(problem: typst.TypstError | typst.TypstWarning) -> str:
    hints = "".join(f"\nRemedy: {hint}" for hint in problem.hints)
    where = problem.diagnostic.strip().replace(f"{TEMPLATE}/", "template/")
    return f"the PDF was not written: {problem.message}\n{where}{hints}"


FONTS = Path(fontpkg_inter.__file__).parent / "files"
UPRIGHT = FONTS / "Inter[opsz,wght].ttf"
VERBATIM = {
    "svg",
    "typst",
    "tex",
    "alt",
    "url",
    "run_id",
    "anchor",
}  # not set as text, or looked for by machines
LONG_RUN = re.compile(r"[^\s\u200b]{31,}")
PIECE = re.compile(r".{6}(?=.)")


@cache
def _glyphs() -> frozenset[int]:
    with TTFont(UPRIGHT, lazy=True) as font:
        return frozenset(font.getBestCmap())


def make_settable(content: Any) -> Any:
    """Return plain data in which every text can be set.

    Examples
    --------
    >>> make_settable({"team": ["Zürich", "東"]})
    {'team': ['Zürich', '[U+6771]']}
    """
    if isinstance(content, str):
        printable = content if content.isascii() and content.isprintable() else _named(content)
        return LONG_RUN.sub(lambda run: PIECE.sub("\\g<0>\u200b", run.group(0)), printable)
    if isinstance(content, dict):
        return {
            key: value if key in VERBATIM else make_settable(value)
            for key, value in content.items()
        }
    return [make_settable(item) for item in content] if isinstance(content, list) else content


def _named(text: str) -> str:
    return "".join(
        c if _is_shown(c) else formats.code_point(c) for c in unicodedata.normalize("NFC", text)
    )


def _is_shown(character: str) -> bool:
    return character in formats.LAYOUT or (
        ord(character) in _glyphs() and not formats.is_invisible(character)
    )
