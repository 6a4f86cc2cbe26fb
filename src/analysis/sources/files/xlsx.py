"""XLSX workbooks → rows of texts, sheet by sheet.

A cell says its cached value: whole numbers without a decimal point, dates in ISO, an error such as
#REF! by its name.  A number too large for a spreadsheet to hold keeps scientific notation, so that
no id passes that was rounded on the way.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from python_calamine import CalamineError, CalamineWorkbook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analysis.sources.files.text_table import Row

LARGEST_XML = 4 << 30  # bytes of a workbook unpacked: an XLSX of the greatest size has less
EXACT = 2**53  # up to here a spreadsheet's number is exact
_ERROR = re.compile(
    rb'<c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*?\bt="e"[^>]*>(?:<f\b.*?(?:</f>|/>))?<v>([^<]{1,20})</v>',
    re.DOTALL,
)
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")


def cell_text(value: Any) -> str:
    """Return what a cell says as text.

    Examples
    --------
    >>> cell_text(12.0), cell_text(0.5), cell_text(True), cell_text(2.58e16), cell_text("007")
    ('12', '0.5', 'true', '2.58e+16', '007')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if value.is_integer() and abs(value) < EXACT:
            return str(int(value))
        written = repr(value)
        return f"{value:.16e}" if "e" not in written and abs(value) >= EXACT else written
    return (
        str(value.total_seconds()) if isinstance(value, dt.timedelta) else str(value)
    )  # dates say ISO themselves


def _attribute(tag: bytes, name: bytes) -> bytes:
    match = re.search(rb"\b" + name + rb'="([^"]*)"', tag)
    return match.group(1) if match else b""


def _errors(archive: zipfile.ZipFile, sheet: int) -> dict[tuple[int, int], str]:
    """Return the spreadsheet errors of a sheet by row and column, from 0 (calamine shows them as
    blank).
    """
    try:
        tag = _SHEET.findall(archive.read("xl/workbook.xml"))[sheet]
        relations = _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
        target = next(
            _attribute(r, b"Target")
            for r in relations
            if _attribute(r, b"Id") == _attribute(tag, b"r:id")
        )
        name = target.decode().removeprefix("/")
        errors: dict[tuple[int, int], str] = {}
        rest = b""
        with archive.open(name if name.startswith("xl/") else f"xl/{name}") as stream:
            while piece := stream.read(1 << 20):
                rest += piece
                for column, row, error in _ERROR.findall(rest):
                    errors[int(row) - 1, _column(column.decode())] = error.decode()
                rest = (
                    rest[rest.rfind(b"<c ") :][-(1 << 16) :]
                    if b"<c " in rest
                    else rest[-(1 << 16) :]
                )
    except (KeyError, IndexError, StopIteration, UnicodeDecodeError):
        return {}
    return errors


def _column(letters: str) -> int:
    """Return a column's place from 0: A is 0, AA is 26."""
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def read_sheets(file: Path) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield each sheet's name and its rows, numbered as the spreadsheet does.

    ValueError says why it cannot be.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_XML:
                raise ValueError("it unpacks to more than any workbook holds")
            book = CalamineWorkbook.from_path(str(file))
            for n, name in enumerate(book.sheet_names):
                yield name, _rows(book, name, _errors(archive, n))
    except (
        CalamineError,
        zipfile.BadZipFile,
        NotImplementedError,
        OSError,
        EOFError,
        zlib.error,
    ) as error:
        raise ValueError(
            "it cannot be read as XLSX "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        ) from None


def _rows(book: CalamineWorkbook, name: str, errors: dict[tuple[int, int], str]) -> Iterator[Row]:
    sheet = book.get_sheet_by_name(name)
    left = sheet.start[1] if sheet.start else 0
    for n, row in enumerate(sheet.iter_rows()):
        cells = [cell_text(v) for v in row]
        if errors:
            cells = [c or errors.get((n, left + i), c) for i, c in enumerate(cells)]
        yield n + 1, cells
