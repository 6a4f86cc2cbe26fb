"""Document → PDF that anybody can read, again and again the same.

Typst sets the page; the document reaches it as JSON, so that no text of it is ever markup.  The file
conforms to PDF/UA-1 (tagged, alt texts, bookmarks) and PDF/A-2a (archival), or it is not written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typst

from analysis.report.coverage import FONTS, settable

if TYPE_CHECKING:
    from datetime import datetime

    from analysis.report.document import Document

TEMPLATE = Path(__file__).parent / "template"
STANDARDS: list[typst.PDFStandard] = ["ua-1", "a-2a"]


class PdfError(RuntimeError):
    """A document that cannot be set; says what, where in the template, and the remedy."""


def render(document: Document, *, timestamp: datetime) -> bytes:
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


def picture(document: Document, *, page: int = 1, ppi: float = 144) -> bytes:
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
    data = json.dumps(settable(document), ensure_ascii=False, sort_keys=False, allow_nan=False)
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
