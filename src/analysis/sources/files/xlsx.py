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
from typing import TYPE_CHECKING, Any, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from analysis.sources.files.packed import FEWEST_BYTES, MOST_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analysis.sources.files.text_table import Row

LARGEST_XML = 2 << 30  # bytes of a workbook unpacked: one of a million rows has less
# A sheet is held from its first filled cell to its last, whatever stands between.
MOST_CELLS = 50_000_000
MOST_SHEETS = 255
LAST_COLUMN = 16_384
EXACT = 2**53  # up to here a spreadsheet's number is exact
# All are bounded: a text that never closes a tag costs no more than it has bytes.
_ERROR = re.compile(
    rb'<c\b[^<>]{0,200}?\br="([A-Z]{1,3})([0-9]{1,7})"[^<>]{0,200}?\bt="e"[^<>]{0,200}>'
    rb"(?:<f\b[^<>]{0,200}/>|<f\b[^<>]{0,200}>[^<]{0,9000}</f>)?<v>([^<]{1,20})</v>"
)
_FAR_COLUMN = re.compile(rb' r="([A-Z]{2,3})[0-9]{1,7}"')
_ROW = re.compile(rb' r="([0-9]{1,7})"')
_CELL = re.compile(rb"[<:]c[ />]")
_PLACED = re.compile(rb'[<:]c [^<>]{0,200}?\br="[A-Z]')
_PLAIN = bytes.maketrans(b"\t\r\n'", b'   "')
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


class SheetExtent(NamedTuple):
    """What a sheet's XML says before it is read: how far it goes, and the errors in it."""

    n_rows: int
    n_columns: int
    errors: dict[tuple[int, int], str]  # by row and column from 0; calamine shows them as blank


def _extent(archive: zipfile.ZipFile, sheet: int) -> SheetExtent:
    """Return how far a sheet goes, and its spreadsheet errors."""
    n_rows = n_columns = n_unplaced = 0
    errors: dict[tuple[int, int], str] = {}
    try:
        tag = _SHEET.findall(archive.read("xl/workbook.xml"))[sheet]
        relations = _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
        target = next(
            _attribute(r, b"Target")
            for r in relations
            if _attribute(r, b"Id") == _attribute(tag, b"r:id")
        )
        name = target.decode().removeprefix("/")
        rest = b""
        with archive.open(name if name.startswith("xl/") else f"xl/{name}") as stream:
            while piece := stream.read(1 << 20):
                rest = (rest + piece).translate(_PLAIN)
                whole = rest[: rest.rfind(b">") + 1]
                if b't="e"' in rest:
                    for column, row, error in _ERROR.findall(rest):
                        errors[int(row) - 1, _column(column.decode())] = error.decode()
                far = max(set(_FAR_COLUMN.findall(rest)), key=lambda c: (len(c), c), default=b"Z")
                n_columns = max(n_columns, _column(far.decode()) + 1)
                n_rows = max(n_rows, rest.count(b"<row"), *map(int, _ROW.findall(rest)))
                n_cells = len(_CELL.findall(whole))
                if n_cells > whole.count(b'<c r="') and n_cells > len(_PLACED.findall(whole)):
                    n_unplaced += n_cells
                rest = (
                    rest[rest.rfind(b"<c ") :][-(1 << 16) :]
                    if b"<c " in rest
                    else rest[-(1 << 16) :]
                )
    except (KeyError, IndexError, StopIteration, UnicodeDecodeError):
        return SheetExtent(0, 0, {})
    if n_unplaced:  # cells that do not say where they stand may all stand in one row
        n_columns = max(n_columns, min(n_unplaced, LAST_COLUMN))
    return SheetExtent(n_rows, n_columns, errors)


def _require_extent(extent: SheetExtent, name: str) -> None:
    """Refuse a sheet that a stray cell makes too large to hold."""
    if extent.n_rows * extent.n_columns > MOST_CELLS:
        raise ValueError(
            f"its sheet {name} spans {extent.n_rows:,} rows and {extent.n_columns:,} columns, more "
            f"than {MOST_CELLS:,} cells: remove what stands far out, or save the sheet as CSV"
        )


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
            n_bytes = sum(part.file_size for part in archive.infolist())
            n_packed = sum(part.compress_size for part in archive.infolist())
            if n_bytes > LARGEST_XML:
                raise ValueError(
                    f"it unpacks to {n_bytes:,} bytes, and at most {LARGEST_XML:,} are read: save "
                    "it as CSV"
                )
            if n_bytes > FEWEST_BYTES and n_bytes > MOST_TIMES * n_packed:
                raise ValueError(
                    f"it unpacks to {n_bytes // max(n_packed, 1):,} times its size, as no workbook "
                    "of rows does: save it as CSV"
                )
            book = CalamineWorkbook.from_path(str(file))
            if len(book.sheet_names) > MOST_SHEETS:
                raise ValueError(
                    f"it has {len(book.sheet_names):,} sheets, and at most {MOST_SHEETS} are read: "
                    "put those of one table together"
                )
            for n, name in enumerate(book.sheet_names):
                extent = _extent(archive, n)
                _require_extent(extent, name)
                yield name, _rows(book, name, extent.errors)
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
    try:
        sheet = book.get_sheet_by_name(name)
    except CalamineError as error:
        raise ValueError(
            f"its sheet {name} cannot be read ({str(error).splitlines()[0]})"
        ) from None
    left = sheet.start[1] if sheet.start else 0
    for n, row in enumerate(sheet.iter_rows()):
        cells = [cell_text(v) for v in row]
        if errors:
            cells = [c or errors.get((n, left + i), c) for i, c in enumerate(cells)]
        yield n + 1, cells
