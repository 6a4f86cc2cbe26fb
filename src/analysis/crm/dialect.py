"""How a text file is written: encoding, line ends, delimiter, quotes, and on which line its header stands.

The file's bytes are looked at once, a piece at a time.  An encoding is known by its byte order mark
or by being valid UTF-8 throughout; cp1252 is a guess, and said to be one.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from typing import TYPE_CHECKING, NamedTuple

from analysis.crm import mapping
from analysis.crm.text_tables import n_filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
QUOTES = {'"': "double quotes", "'": "single quotes"}
CHUNK = 1 << 20
N_LOOKED_AT = 40  # lines in which a header is looked for
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
FOREIGN = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8, as surrogateescape shows it
NATIVE = re.compile("[^\x00-\x7f\udc80-\udcff]")
# UTF-8 that was once read as cp1252: two characters stand where one was, such as Ã¼ for ü.
CP1252_ONLY = "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2020\u2021\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
MOJIBAKE = re.compile(f"Ã[\x80-\xbf{CP1252_ONLY}]|Â[\xa0-\xbf]|â(?:\u20ac|\u201a\u00ac)")


class Survey(NamedTuple):
    """What a file's bytes say about it."""

    sha256: str
    size: int
    encoding: str  # Python's name of the codec
    how: str  # how the encoding was decided
    mark: int  # bytes of the byte order mark
    n_lines: int
    line_ends: tuple[str, ...]
    is_open: bool  # the last line has no end
    warnings: tuple[str, ...]


class Dialect(NamedTuple):
    """How the records of a text file are written, and where they begin."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    header_line: int  # the header's line, the first being 1
    header_end: int  # the header's last line: a cell of it may hold line ends
    body_at: int  # characters up to the end of the header
    is_plain: bool  # the header is written as strictly as CSV asks, one cell a column
    layouts: tuple[mapping.Export, ...]
    warnings: tuple[str, ...] = ()


def escaping(encoding: str) -> str:
    """Return what decoding does with a byte of another encoding: UTF-8 keeps it, so that its row can be named."""
    return "surrogateescape" if encoding == "utf-8" else "strict"


class _Count:
    """Counts over the pieces of a file as they go by."""

    def __init__(self, encoding: str) -> None:
        self.decoder = codecs.getincrementaldecoder(encoding)(escaping(encoding))
        self.foreign = self.native = self.mojibake = self.first_mojibake = 0
        self.crlf = self.cr = self.lf = 0
        self.last = b""
        self.is_bytewise = encoding == "utf-8"

    def _ends(self, piece: bytes) -> None:
        self.crlf += piece.count(b"\r\n") + (self.last == b"\r" and piece[:1] == b"\n")
        self.cr += piece.count(b"\r")
        self.lf += piece.count(b"\n")
        self.last = piece[-1:] or self.last

    def take(self, piece: bytes, *, final: bool) -> None:
        if self.is_bytewise and piece.isascii() and not self.decoder.getstate()[0]:
            self._ends(piece)
            return
        text = self.decoder.decode(piece, final)
        if not text.isascii():
            self.foreign += len(FOREIGN.findall(text))
            self.native += len(NATIVE.findall(text))
            if found := MOJIBAKE.search(text):
                self.mojibake += len(MOJIBAKE.findall(text))
                self.first_mojibake = self.first_mojibake or self.lf + text.count("\n", 0, found.start()) + 1
        self._ends(piece if self.is_bytewise else text.encode("utf-8", "replace"))


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(CHUNK):
            yield piece


def _encoding(start: bytes) -> tuple[str, int]:
    """Return the encoding a file's mark says, and the bytes of the mark: a tool may have doubled it."""
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            n_marks = 1
            while start.startswith(mark, n_marks * len(mark)):
                n_marks += 1
            return encoding, n_marks * len(mark)
    return "utf-8", 0


def _decided(count: _Count, encoding: str, mark: int, file: Path) -> tuple[str, str, list[str]]:
    """Return the encoding, how it was decided, and what there is to warn of."""
    if mark:
        return encoding, "byte order mark", []
    if not count.foreign:
        return encoding, "valid throughout" if count.native else "ASCII only", []
    if count.native >= count.foreign:
        return encoding, "mostly valid", [f"{count.foreign:,} bytes in it are no UTF-8: their rows are set aside"]
    decoder = codecs.getincrementaldecoder("cp1252")()
    try:
        for piece in _pieces(file):
            decoder.decode(piece)
    except UnicodeDecodeError:
        raise ValueError("its text is neither UTF-8 nor Windows cp1252; save it as CSV UTF-8") from None
    warning = f"not UTF-8: {count.foreign:,} characters were read as Windows cp1252"
    if count.native:
        warning += (
            f", and {count.native:,} that are UTF-8 with them, so names may be garbled: export it in one encoding"
        )
    return "cp1252", "a guess: no UTF-8", [warning]


def survey(file: Path) -> Survey:
    """Look at every byte of a text file once; ValueError says why it is none."""
    digest, size, count, encoding, mark = hashlib.sha256(), 0, None, "utf-8", 0
    is_blank = True
    try:
        for piece in _pieces(file):
            body = piece
            if count is None:
                encoding, mark = _encoding(piece)
                count, body = _Count(encoding), piece[mark:]
            if encoding == "utf-8" and b"\0" in body:
                raise ValueError(
                    "it holds zero bytes, so it is no text (or UTF-16 without its mark); save it as CSV UTF-8"
                )
            digest.update(piece)
            size += len(piece)
            is_blank = is_blank and not body.strip(b"\0 \t\r\n")
            count.take(body, final=False)
        if count is None or is_blank:
            raise ValueError("it is empty")
        count.take(b"", final=True)
    except UnicodeDecodeError:
        raise ValueError(f"its mark says {encoding.upper()}, but its bytes are not; save it as CSV UTF-8") from None
    encoding, how, warnings = _decided(count, encoding, mark, file)
    if count.mojibake:
        warnings.append(
            f"{count.mojibake:,} characters look like UTF-8 once read as cp1252 (Ã¼ for ü; first on line "
            f"{count.first_mojibake}): kept as they are, export them anew"
        )
    ends = {"CRLF": count.crlf, "CR": count.cr - count.crlf, "LF": count.lf - count.crlf}
    is_open = count.last not in {b"\r", b"\n"}
    n_lines = sum(ends.values()) + is_open
    kinds = tuple(name for name, n in ends.items() if n)
    return Survey(digest.hexdigest(), size, encoding, how, mark, n_lines, kinds, is_open, tuple(warnings))


def head(file: Path, seen: Survey) -> str:
    """Return the beginning of a text file, its line ends as they are."""
    with file.open("rb") as stream:
        stream.seek(seen.mark)
        start = stream.read(CHUNK)
    return codecs.getincrementaldecoder(seen.encoding)(escaping(seen.encoding)).decode(start)


def lines(text: str) -> list[str]:
    """Return the lines of a text with their ends: CRLF, LF or CR, and nothing else ends a line."""
    return [line for line in re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text) if line]


def records(text: str, delimiter: str, quote: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return the first records of a text, each with the line it begins on (the first being 1)."""
    reader = csv.reader(lines(text), delimiter=delimiter, quotechar=quote)
    found, line = [], 1
    try:
        for cells in reader:
            found.append((line, tuple(c.strip() for c in cells)))
            line = reader.line_num + 1
            if len(found) == N_LOOKED_AT:
                break
    except csv.Error:  # a cell without end: what comes before it may still tell
        pass
    return found


def header_of(rows: list[tuple[int, tuple[str, ...]]], known: list[mapping.Export]) -> tuple[int, list[mapping.Export]]:
    """Return which of the first rows is a header that is known, and as what; -1 where none is."""
    for i, (_, cells) in enumerate(rows):
        if n_filled(cells) and (layouts := mapping.recognised(cells, known)):
            return i, layouts
    return -1, []


def _width(header: tuple[str, ...], below: list[tuple[str, ...]]) -> int:
    """Return how many cells a row has: a blank last one may stand in the header only, or in the rows only."""
    widths = {len(cells) for cells in below if cells}
    if len(widths) == 1:
        width = widths.pop()
        if width == len(header) - 1 and not header[-1]:
            return width
        if width == len(header) + 1 and not any(cells[-1] for cells in below if cells):
            return width
    return len(header)


def _cell_pattern(delimiter: str, quote: str) -> re.Pattern[str]:
    """Return what one cell of a header may be: a quoted text with strays beside it, or any other text."""
    d, q = re.escape(delimiter), re.escape(quote)
    quoted = rf"[^\S{d}]*{q}((?:\\{q}|{q}{q}|[^{q}])*){q}([^{d}]*)"
    return re.compile(rf"(?:{quoted}|([^{d}]*))(?:{d}|$)", re.DOTALL)


def _is_strict(raw: str, delimiter: str, quote: str) -> bool:
    """Return whether a record is written so that no reader of CSV takes it for another."""
    d, q = re.escape(delimiter), re.escape(quote)
    cell = rf"(?:{q}(?:[^{q}]|{q}{q})*{q}|[^{q}{d}\r\n]*)"
    return re.fullmatch(rf"{cell}(?:{d}{cell})*", raw.rstrip("\r\n")) is not None


def _tolerant_cells(raw: str, delimiter: str, quote: str) -> tuple[list[str], list[str]]:
    """Return a header's cells, whatever stands beside their quotes, and the cells that had such a stray."""
    text, cells, stray, at = raw.strip("\r\n\ufeff"), [], [], 0
    pattern = _cell_pattern(delimiter, quote)
    while at <= len(text):
        found = pattern.match(text, at)
        if found is None:  # a quote that is never closed
            return [c.strip(f"{quote} \xa0") for c in text.split(delimiter)], [quote]
        inner, beside, bare = found.groups()
        rest = (beside or "").strip()
        cell = bare if inner is None else inner.replace(quote * 2, quote).replace("\\" + quote, quote)
        if not cell.strip() and rest:
            cell, rest = rest.strip(quote), quote
        if rest or quote in (bare or ""):
            stray.append(cell.strip(f"{quote} \xa0"))
        cells.append(cell.strip() if inner is not None else cell.strip().strip(f"{quote} \xa0"))
        if found.end() == len(text) and not text.endswith(delimiter):
            break
        at = found.end() if found.end() > at or at == len(text) else at + 1
        if at == len(text):
            if text.endswith(delimiter):
                cells.append("")
            break
    return cells, stray


def _header_end(text_lines: list[str], line: int, delimiter: str, quote: str) -> int:
    """Return the last line of the record that begins on a line."""
    reader = csv.reader(text_lines[line - 1 :], delimiter=delimiter, quotechar=quote)
    try:
        next(reader, None)
    except csv.Error:
        return line
    return line - 1 + reader.line_num


LONGEST_HEADER = 10  # lines: a label may hold line ends, but a header that goes on has swallowed rows


def _is_swallowing(raw: str, delimiter: str, quote: str) -> bool:
    """Return whether a header of several lines has a quote too few, so that rows went into a cell of it."""
    inner = raw.rstrip("\r\n")
    if len(lines(inner)) > LONGEST_HEADER or not _is_strict(inner, delimiter, quote):
        return True
    reader = csv.reader(lines(inner), delimiter=delimiter, quotechar=quote)
    return any(delimiter in c for c in next(reader, []) if "\n" in c or "\r" in c)


def _found_in(
    text_lines: list[str],
    rows: list[tuple[int, tuple[str, ...]]],
    written: tuple[str, str],
    known: list[mapping.Export],
) -> Dialect | None:
    """Return the dialect by the first of `rows` that is a header known, if one is."""
    delimiter, quote = written
    i, layouts = header_of(rows, known)
    if i < 0:
        return None
    line, header = rows[i]
    if all(len(c) > 1 and c[0] == c[-1] == "'" for c in header if c):
        return None  # those are the quotes
    end = _header_end(text_lines, line, delimiter, quote)
    raw = "".join(text_lines[line - 1 : end])
    if quote == "'" and not raw.lstrip("\ufeff \t").startswith("'"):
        return None
    stray: list[str] = []
    if end > line and _is_swallowing(raw, delimiter, quote):
        end, raw = line, text_lines[line - 1]
    is_strict = _is_strict(raw, delimiter, quote) and "\ufeff" not in raw
    if not is_strict:
        cells, stray = _tolerant_cells(raw, delimiter, quote)
        header = tuple(cells)
        layouts = mapping.recognised(header, known)
        if not layouts:
            return None
    rest = text_lines[end : end + N_LOOKED_AT]
    below = [cells for _, cells in records("".join(rest), delimiter, quote)]
    width = _width(header, below)
    is_plain = is_strict and width == len(header) and line == end
    header = (*header, *[""] * (width - len(header)))[:width]
    shown = ", ".join(c for c in stray if c != quote and not mapping.normalised(c).isdigit())
    warnings = (f"stray characters stand beside the quotes of its header ({shown or 'a quote'})",) if stray else ()
    body_at = sum(len(one) for one in text_lines[:end])
    return Dialect(delimiter, quote, header, line, end, body_at, is_plain, tuple(layouts), warnings)


def dialect(text: str, known: list[mapping.Export], file: str = "") -> Dialect:
    """Return how a text is written, by the first line that is a header known; ValueError where none is.

    Records come first; where a stray quote has swallowed the header, each line is looked at alone.
    """
    by_count = sorted(DELIMITERS, key=text[:10_000].count, reverse=True)
    text_lines = lines(text)
    for is_alone in (False, True):
        for quote in QUOTES:
            for delimiter in by_count:
                rows = records(text, delimiter, quote)
                if is_alone:
                    alone = enumerate(text_lines[:N_LOOKED_AT], 1)
                    rows = [(n, tuple(_tolerant_cells(o, delimiter, quote)[0])) for n, o in alone]
                if found := _found_in(text_lines, rows, (delimiter, quote), known):
                    return found
    first = next((line for line in text_lines if line.strip()), "")
    rows = records(text, max(DELIMITERS, key=first.count), '"')
    raise ValueError(unknown([cells for _, cells in rows], known, file))


PIVOTED = re.compile(
    r"(grand totals?|(count|sum|average|min|max|anzahl|summe) (of|von) .+|row labels|gesamtergebnis)", re.IGNORECASE
)


_NO_LABEL = re.compile(r"[\W\d]*\d[\W\d]*|.*@.*|.*\d{3}.*|\d{1,4}[-/.]\d{1,2}[-/.]?.*|true|false", re.IGNORECASE)


def _vocabulary(known: list[mapping.Export]) -> set[str]:
    """Return every name a column goes by in any map, as names are compared."""
    read = {c for e in known for c in (*e.needs, *(f.source for f in e.fields if f.source), *e.groups)}
    return {mapping.folded(c) for c in read | {a for e in known for _, names in e.aliases for a in names}}


def is_header_like(cells: tuple[str, ...], below: list[tuple[str, ...]], words: set[str]) -> bool:
    """Return whether a row holds labels, not data: known names, or texts above numbers and dates."""
    filled = [c for c in cells if c.strip()]
    if not filled or any(_NO_LABEL.fullmatch(c.strip()) for c in filled) or len(set(filled)) < len(filled):
        return False
    if 2 * sum(mapping.folded(c) in words for c in filled) >= len(filled):
        return True
    columns = [[row[i] for row in below if i < len(row) and row[i].strip()] for i in range(len(cells))]
    return any(column and all(_NO_LABEL.fullmatch(c.strip()) for c in column) for column in columns)


def unknown(
    rows: list[tuple[str, ...]], known: list[mapping.Export], file: str = "", *, has_header: bool = False
) -> str:
    """Say what a file is not: no known export, or a pivot of one, and what comes nearest.

    Its header is shown, never a row of its data; `has_header` where its format says which that is.
    """
    filled = [cells for cells in rows if n_filled(cells)] or [()]
    words = _vocabulary(known)
    labels = [cells for i, cells in enumerate(filled) if has_header or is_header_like(cells, filled[i + 1 :], words)]
    near = {cells: max((mapping.nearness(cells, e) for e in known), default=0) for cells in labels}
    header = max(labels, key=lambda cells: (near[cells], n_filled(cells)), default=())
    width = len(header) or max(len(cells) for cells in filled)
    shown = [re.sub(r"\S*@\S*", "[e-mail]", c.partition("\n")[0])[:40] for c in header[:6]]
    if any(PIVOTED.fullmatch(c) for cells in rows for c in cells):
        what = "it is a pivot: totals of an export, not its rows"
    elif header:
        more = ", ..." if len(header) > 6 else ""
        what = f"its {width} columns ({', '.join(shown)}{more}) are no export known here"
    else:
        what = f"none of its first lines of {width} columns looks like a header"
    nearest = f"; {mapping.nearest(header, known, file)}" if near.get(header) else ""
    return f"{what}{nearest}. Map it in fields.toml or take it out of the folder"


def utf8_copy(file: Path, seen: Survey, target: Path, start: int, end: int, header: str = "") -> int:
    """Write a header and the bytes from `start` to `end` of a text file as UTF-8, lines ending in LF.

    Returns the number of lines behind the header.
    """
    inner = codecs.getincrementaldecoder(seen.encoding)(escaping(seen.encoding))
    decoder = io.IncrementalNewlineDecoder(inner, translate=True)
    n_lines, last = 0, b"\n"
    with file.open("rb") as source, target.open("wb") as copy:
        copy.write(header.encode())
        source.seek(start)
        left = end - start
        while left > 0 and (piece := source.read(min(CHUNK, left))):
            left -= len(piece)
            text = decoder.decode(piece).encode("utf-8", escaping(seen.encoding))
            n_lines, last = n_lines + text.count(b"\n"), text[-1:] or last
            copy.write(text)
        text = decoder.decode(b"", final=True).encode("utf-8", escaping(seen.encoding))
        copy.write(text)
        n_lines, last = n_lines + text.count(b"\n"), text[-1:] or last
    return n_lines + (last != b"\n")
