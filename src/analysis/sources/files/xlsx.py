"""XLSX workbooks → rows of texts, sheet by sheet.

A cell says its cached value: whole numbers without a decimal point, dates in ISO, an error such as
#REF! by its name.  A number too large for a spreadsheet to hold keeps scientific notation, so that
no id passes that was rounded on the way.
"""

from __future__ import annotations

import datetime as dt
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from xml.parsers import expat

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
EXACT = 2**53  # up to here a spreadsheet's number is exact
LONGEST_TAG = 8 << 20  # bytes
MOST_DIGITS = 9  # of a row's number: one of more is beyond every sheet


def cell_text(value: Any) -> str:
    """Return a cell's value as text.

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


class SheetExtent(NamedTuple):
    """What a sheet's XML says before it is read: how far it goes, and the errors in it."""

    n_rows: int
    n_columns: int
    errors: dict[tuple[int, int], str]  # by row and column from 0; calamine shows them as blank


class _SheetWalk:
    """Goes through a sheet's XML as whoever reads it may: where cells say they stand, or follow.

    What a text search finds is not enough: a reader takes small letters, blanks around "=" and a row
    that its cells contradict.
    """

    def __init__(self) -> None:
        self.row, self.column, self.n_rows, self.n_columns = 0, 0, 0, 0
        self.errors: dict[tuple[int, int], str] = {}
        self.is_error = self.is_value = False
        self.columns: dict[str, int] = {}
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = None

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            self._cell(attributes.get("r", ""))
            self.is_error = attributes.get("t") == "e"
        elif local == "row":
            self._row(attributes.get("r", ""))
        elif local == "v" and self.is_error:
            self.parser.CharacterDataHandler = self._error

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "v":
            self.parser.CharacterDataHandler = None

    def _row(self, number: str) -> None:
        self.row, self.column = (_number(number) if number else self.row + 1), 0
        self.n_rows = max(self.n_rows, self.row)

    def _cell(self, place: str) -> None:
        letters = place.rstrip("0123456789")
        if letters not in self.columns:
            self.columns[letters] = _column(letters.upper())
        self.column = self.columns[letters] if letters else self.column + 1
        if digits := place[len(letters) :]:
            self.row = _number(digits)
        self.n_rows = max(self.n_rows, self.row)
        self.n_columns = max(self.n_columns, self.column)

    def _error(self, text: str) -> None:
        place = self.row - 1, self.column - 1
        self.errors[place] = self.errors.get(place, "") + text

    def extent(self, stream: IO[bytes]) -> SheetExtent:
        """Return how far the sheet of a stream goes, and its spreadsheet errors."""
        for _ in _parsed_pieces(self.parser, stream):
            if self.n_rows * self.n_columns > MOST_CELLS:
                break
        return SheetExtent(self.n_rows, self.n_columns, self.errors)


def _parsed_pieces(parser: expat.XMLParserType, stream: IO[bytes]) -> Iterator[int]:
    """Parse a stream piece by piece; yields how many bytes were parsed so far.

    The parser begins again with each piece where a tag or comment is not closed, so these are
    bounded.
    """
    n_bytes = 0
    while piece := stream.read(1 << 20):
        parser.Parse(piece)
        n_bytes += len(piece)
        if n_bytes - parser.CurrentByteIndex > LONGEST_TAG:
            raise ValueError("a tag in it is never closed: save it anew, or as CSV")
        yield n_bytes
    parser.Parse(b"", True)  # noqa: FBT003 - as it is called


def _number(digits: str) -> int:
    return int(digits[-MOST_DIGITS:]) if len(digits.lstrip("0")) <= MOST_DIGITS else MOST_CELLS + 1


def _column(letters: str) -> int:
    """Return a column's place from 1: A is 1, AA is 27; beyond any sheet where it is no column."""
    if len(letters) > 3:
        return MOST_CELLS + 1
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place


def _tags(archive: zipfile.ZipFile, part: str, local: str) -> list[dict[str, str]]:
    """Return the attributes of every element called so in a small part of a workbook."""
    tags: list[dict[str, str]] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == local:
            tags.append({key.rpartition(":")[2]: value for key, value in attributes.items()})

    for info in archive.infolist():
        if info.filename.replace("\\", "/").casefold() == part:
            parser = expat.ParserCreate()
            parser.StartElementHandler = begin
            with archive.open(info) as stream:
                for _ in _parsed_pieces(parser, stream):
                    pass
    return tags


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].casefold()


def _extents(archive: zipfile.ZipFile) -> dict[str, SheetExtent]:
    """Return how far each sheet goes, by its name.

    Every part that the workbook names is looked through, whichever the reader will take for a
    sheet's.

    Raises
    ------
    ValueError
        If a stray cell makes one too large to hold.
    """
    related = _tags(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    targets = {_base(tag.get("Target", "")) for tag in related}
    called = {
        _base(relation.get("Target", "")): sheet.get("name", "")
        for sheet in _tags(archive, "xl/workbook.xml", "sheet")
        for relation in related
        if relation.get("Id") == sheet.get("id")
    }
    extents = {}
    for info in archive.infolist():
        if (part := _base(info.filename)) in targets:
            with archive.open(info) as stream:
                extent = _SheetWalk().extent(stream)
            if extent.n_rows * extent.n_columns > MOST_CELLS:
                raise ValueError(
                    f"its sheet {called.get(part, part)} spans {extent.n_rows:,} rows and "
                    f"{extent.n_columns:,} columns, more than {MOST_CELLS:,} cells: remove what "
                    "stands far out, or save the sheet as CSV"
                )
            extents[called.get(part, part)] = extent
    return extents


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
            extents = _extents(archive)
            for name in book.sheet_names:
                errors = extents[name].errors if name in extents else {}
                yield name, _rows(book, name, errors)
    except (
        expat.ExpatError,
        RuntimeError,
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
