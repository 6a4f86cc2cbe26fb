"""Document → PDF that anybody can read, again and again the same.

Typst sets the page; the document reaches it as JSON, so that no text of it is ever markup.  The
file conforms to PDF/UA-1 (tagged, alt texts, bookmarks) and PDF/A-2a (archival), or it is not
written.

PDF/UA forbids text without a glyph, and some characters are invisible or turn the text around them.
A customer's name may hold any of them, and must not stop a report: other scripts are spelled in
Latin letters, what shows nothing is shown as its code point.
Nor may a name of two hundred letters without a blank run off the page: it may break anywhere.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typst

from analysis.figures.legible_names import FONTS, spell_name
from analysis.report.formats import shorten_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from analysis.report.document import Document

TEMPLATE = Path(__file__).parent / "template"
REPORT, PACK = "report", "pack"  # templates
STANDARDS: list[typst.PDFStandard] = ["ua-1", "a-2a"]


class PdfError(RuntimeError):
    """A document that cannot be set; says what, where in the template, and what to do."""


def render_pdf(document: Document, *, timestamp: datetime, template: str = REPORT) -> bytes:
    """Return the PDF of a document, the same bytes for the same document and timestamp.

    `template`: `REPORT`, or `PACK` for the two pages of one team.

    Raises
    ------
    PdfError
        If Typst refuses the document or only warns: a missing font, glyph or alt text.

    """
    try:
        pdf, warnings = _compiler(document, template).compile_with_warnings(
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


def _cut_cells(rows: Any) -> Any:
    """Return a table's rows with cells that no page holds cut; a number of rows stays one."""
    if not isinstance(rows, list):
        return rows
    return [
        [shorten_text(cell, LONGEST_CELL) if isinstance(cell, str) else cell for cell in row]
        if isinstance(row, list)
        else row
        for row in rows
    ]


SPELLED_FACT = "Names in other scripts"


def _with_note_of_spelling(document: Document) -> Document:
    """Return the document with a fact that says how many of its texts are spelled otherwise."""
    names = {text for text in _texts(document) if spell_name(text) != text}
    if not names:
        return document
    note = (
        f"{len(names):,} texts hold letters of other scripts, spelled here in Latin ones; the "
        "workbook has them as they were written"
    )
    return {**document, "facts": {**document["facts"], SPELLED_FACT: note}}


def _texts(content: Any) -> Iterator[str]:
    """Yield every text that is set."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            if key not in VERBATIM:
                yield from _texts(value)
    elif isinstance(content, list):
        for item in content:
            yield from _texts(item)


def _compiler(document: Document, template: str = REPORT) -> typst.Compiler:
    settable = make_settable(_with_note_of_spelling(document))
    data = json.dumps(settable, ensure_ascii=False, sort_keys=False, allow_nan=False)
    return typst.Compiler(
        str(TEMPLATE / f"{template}.typ"),
        root=str(TEMPLATE),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"document": data},
    )


def _complaint(problem: typst.TypstError | typst.TypstWarning) -> str:
    hints = "".join(f"\nRemedy: {hint}" for hint in problem.hints)
    where = problem.diagnostic.strip().replace(f"{TEMPLATE}/", "template/")
    return f"the PDF was not written: {problem.message}\n{where}{hints}"


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
PIECE = re.compile(r"[^/_.-]{0,24}[/_.-](?=.)|.{6}(?=.)")  # after a mark where there is one
ENDLESS_RUN = re.compile(r"(\S{160})\S+")  # cut; the workbook has all of it
LONGEST_CELL = 300  # characters of a table's cell, likewise


def make_settable(content: Any) -> Any:
    """Return plain data in which every text can be set.

    Examples
    --------
    >>> make_settable({"team": ["Zürich", "東"]})
    {'team': ['Zürich', 'Dong']}
    """
    if isinstance(content, str):
        printable = ENDLESS_RUN.sub("\\1…", spell_name(content))
        return LONG_RUN.sub(lambda run: PIECE.sub("\\g<0>\u200b", run.group(0)), printable)
    if isinstance(content, dict):
        return {
            key: value
            if key in VERBATIM
            else make_settable(_cut_cells(value) if key == "rows" else value)
            for key, value in content.items()
        }
    return [make_settable(item) for item in content] if isinstance(content, list) else content
