"""How a text file is written: delimiter, quotes and the line of its header.

Encoding, line ends, delimiter, quotes, and on which line its header stands.

The file's bytes are looked at once, a piece at a time.  An encoding is known by its byte order mark
or by being valid UTF-8 throughout; cp1252 is a guess, and said to be one.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import TYPE_CHECKING, NamedTuple

from analysis.sources import field_maps, recognise
from analysis.sources.files.encodings import CHUNK, Survey, decoding_errors
from analysis.sources.files.text_table import n_filled

if TYPE_CHECKING:
    from pathlib import Path

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
QUOTES = {'"': "double quotes", "'": "single quotes"}
N_LOOKED_AT = 40  # lines in which a header is looked for


class Dialect(NamedTuple):
    """How the records of a text file are written, and where they begin."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    header_line: int  # the header's line, the first being 1
    header_end: int  # the header's last line: a cell of it may hold line ends
    body_at: int  # characters up to the end of the header
    is_plain: bool  # the header is written as strictly as CSV asks, one cell a column
    layouts: tuple[field_maps.ExportLayout, ...]
    warnings: tuple[str, ...] = ()


def read_head(file: Path, survey_of_file: Survey) -> str:
    """Return the beginning of a text file, its line ends as they are."""
    with file.open("rb") as stream:
        stream.seek(survey_of_file.mark)
        start = stream.read(CHUNK)
    return codecs.getincrementaldecoder(survey_of_file.encoding)(
        decoding_errors(survey_of_file.encoding)
    ).decode(start)


def split_lines(text: str) -> list[str]:
    """Return the lines of a text with their ends: CRLF, LF or CR, and nothing else ends a line."""
    return [line for line in re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text) if line]


def first_records(text: str, delimiter: str, quote: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return the first records of a text, each with the line it begins on (the first being 1)."""
    reader = csv.reader(split_lines(text), delimiter=delimiter, quotechar=quote)
    ends, line = [], 1
    try:
        for cells in reader:
            ends.append((line, tuple(c.strip() for c in cells)))
            line = reader.line_num + 1
            if len(ends) == N_LOOKED_AT:
                break
    except csv.Error:  # a cell without end: what comes before it may still tell
        pass
    return ends


def header_of(
    rows: list[tuple[int, tuple[str, ...]]], all_layouts: list[field_maps.ExportLayout]
) -> tuple[int, list[field_maps.ExportLayout]]:
    """Return which of the first rows is a header that is known, and as what; -1 where none is."""
    for i, (_, cells) in enumerate(rows):
        if n_filled(cells) and (layouts := recognise.recognise_layouts(cells, all_layouts)):
            return i, layouts
    return -1, []


def _width(header: tuple[str, ...], below: list[tuple[str, ...]]) -> int:
    """Return how many cells a row has.

    A blank last one may stand in the header only, or in the rows only.
    """
    widths = {len(cells) for cells in below if cells}
    if len(widths) == 1:
        width = widths.pop()
        if width == len(header) - 1 and not header[-1]:
            return width
        if width == len(header) + 1 and not any(cells[-1] for cells in below if cells):
            return width
    return len(header)


def _cell_pattern(delimiter: str, quote: str) -> re.Pattern[str]:
    """Return what one cell of a header may be.

    A quoted text with strays beside it, or any other text.
    """
    d, q = re.escape(delimiter), re.escape(quote)
    quoted = rf"[^\S{d}]*{q}((?:\\{q}|{q}{q}|[^{q}])*){q}([^{d}]*)"
    return re.compile(rf"(?:{quoted}|([^{d}]*))(?:{d}|$)", re.DOTALL)


def _is_strict(raw: str, delimiter: str, quote: str) -> bool:
    """Return whether a record is written so that no reader of CSV takes it for another."""
    d, q = re.escape(delimiter), re.escape(quote)
    cell = rf"(?:{q}(?:[^{q}]|{q}{q})*{q}|[^{q}{d}\r\n]*)"
    return re.fullmatch(rf"{cell}(?:{d}{cell})*", raw.rstrip("\r\n")) is not None


def _tolerant_cells(raw: str, delimiter: str, quote: str) -> tuple[list[str], list[str]]:
    """Return a header's cells, whatever stands beside their quotes, and the cells that had such a
    stray.
    """
    text, cells, stray, at = raw.strip("\r\n\ufeff"), [], [], 0
    pattern = _cell_pattern(delimiter, quote)
    while at <= len(text):
        match = pattern.match(text, at)
        if match is None:  # a quote that is never closed
            return [c.strip(f"{quote} \xa0") for c in text.split(delimiter)], [quote]
        inner, beside, bare = match.groups()
        rest = (beside or "").strip()
        cell = (
            bare if inner is None else inner.replace(quote * 2, quote).replace("\\" + quote, quote)
        )
        if not cell.strip() and rest:
            cell, rest = rest.strip(quote), quote
        if rest or quote in (bare or ""):
            stray.append(cell.strip(f"{quote} \xa0"))
        cells.append(cell.strip() if inner is not None else cell.strip().strip(f"{quote} \xa0"))
        if match.end() == len(text) and not text.endswith(delimiter):
            break
        at = match.end() if match.end() > at or at == len(text) else at + 1
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


LONGEST_HEADER = (
    10  # lines: a label may hold line ends, but a header that goes on has swallowed rows
)


def _is_swallowing(raw: str, delimiter: str, quote: str) -> bool:
    """Return whether a header of several lines has a quote too few, so that rows went into a cell
    of it.
    """
    inner = raw.rstrip("\r\n")
    if len(split_lines(inner)) > LONGEST_HEADER or not _is_strict(inner, delimiter, quote):
        return True
    reader = csv.reader(split_lines(inner), delimiter=delimiter, quotechar=quote)
    return any(delimiter in c for c in next(reader, []) if "\n" in c or "\r" in c)


def _found_in(
    text_lines: list[str],
    rows: list[tuple[int, tuple[str, ...]]],
    written: tuple[str, str],
    all_layouts: list[field_maps.ExportLayout],
) -> Dialect | None:
    """Return the dialect by the first of `rows` that is a header known, if one is."""
    delimiter, quote = written
    i, layouts = header_of(rows, all_layouts)
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
        layouts = recognise.recognise_layouts(header, all_layouts)
        if not layouts:
            return None
    rest = text_lines[end : end + N_LOOKED_AT]
    below = [cells for _, cells in first_records("".join(rest), delimiter, quote)]
    width = _width(header, below)
    is_plain = is_strict and width == len(header) and line == end
    header = (*header, *[""] * (width - len(header)))[:width]
    stray_shown_as = ", ".join(
        c for c in stray if c != quote and not recognise.normalise_header(c).isdigit()
    )
    warnings = (
        (f"stray characters stand beside the quotes of its header ({stray_shown_as or 'a quote'})",)
        if stray
        else ()
    )
    body_at = sum(len(one) for one in text_lines[:end])
    return Dialect(delimiter, quote, header, line, end, body_at, is_plain, tuple(layouts), warnings)


def find_dialect(text: str, layouts: list[field_maps.ExportLayout], file: str = "") -> Dialect:
    """Return how a text is written, by the first line that is a header known.

    ValueError where none is.

    Records come first; where a stray quote has swallowed the header, each line is looked at alone.
    """
    by_count = sorted(DELIMITERS, key=text[:10_000].count, reverse=True)
    text_lines = split_lines(text)
    for is_alone in (False, True):
        for quote in QUOTES:
            for delimiter in by_count:
                rows = first_records(text, delimiter, quote)
                if is_alone:
                    alone = enumerate(text_lines[:N_LOOKED_AT], 1)
                    rows = [(n, tuple(_tolerant_cells(o, delimiter, quote)[0])) for n, o in alone]
                if header_at := _found_in(text_lines, rows, (delimiter, quote), layouts):
                    return header_at
    first = next((line for line in text_lines if line.strip()), "")
    rows = first_records(text, max(DELIMITERS, key=first.count), '"')
    raise ValueError(describe_unknown([cells for _, cells in rows], layouts, file))


PIVOTED = re.compile(
    r"(grand totals?|(count|sum|average|min|max|anzahl|summe) (of|von) .+|row labels|gesamtergebnis)",
    re.IGNORECASE,
)


_NO_LABEL = re.compile(
    r"[\W\d]*\d[\W\d]*|.*@.*|.*\d{3}.*|\d{1,4}[-/.]\d{1,2}[-/.]?.*|true|false", re.IGNORECASE
)


def _vocabulary(layouts: list[field_maps.ExportLayout]) -> set[str]:
    """Return every name a column goes by in any map, as names are compared."""
    read = {
        c for e in layouts for c in (*e.needs, *(f.source for f in e.fields if f.source), *e.groups)
    }
    return {
        recognise.fold_header(c)
        for c in read | {a for e in layouts for _, names in e.aliases for a in names}
    }


def is_header_like(cells: tuple[str, ...], below: list[tuple[str, ...]], words: set[str]) -> bool:
    """Return whether a row holds labels, not data.

    Known names, or texts above numbers and dates.
    """
    filled = [c for c in cells if c.strip()]
    if (
        not filled
        or any(_NO_LABEL.fullmatch(c.strip()) for c in filled)
        or len(set(filled)) < len(filled)
    ):
        return False
    if 2 * sum(recognise.fold_header(c) in words for c in filled) >= len(filled):
        return True
    columns = [
        [row[i] for row in below if i < len(row) and row[i].strip()] for i in range(len(cells))
    ]
    return any(column and all(_NO_LABEL.fullmatch(c.strip()) for c in column) for column in columns)


def describe_unknown(
    rows: list[tuple[str, ...]],
    layouts: list[field_maps.ExportLayout],
    file: str = "",
    *,
    has_header: bool = False,
) -> str:
    """Return what an unknown file is like: a pivot of a known export, or the nearest one.

    Its header is shown, never a row of its data; `has_header` where its format says which that is.
    """
    filled = [cells for cells in rows if n_filled(cells)] or [()]
    words = _vocabulary(layouts)
    labels = [
        cells
        for i, cells in enumerate(filled)
        if has_header or is_header_like(cells, filled[i + 1 :], words)
    ]
    near = {
        cells: max((recognise.layout_nearness(cells, e) for e in layouts), default=0)
        for cells in labels
    }
    header = max(labels, key=lambda cells: (near[cells], n_filled(cells)), default=())
    width = len(header) or max(len(cells) for cells in filled)
    first_cells = [re.sub(r"\S*@\S*", "[e-mail]", c.partition("\n")[0])[:40] for c in header[:6]]
    if any(PIVOTED.fullmatch(c) for cells in rows for c in cells):
        what = "it is a pivot: totals of an export, not its rows"
    elif header:
        more = ", ..." if len(header) > 6 else ""
        what = f"its {width} columns ({', '.join(first_cells)}{more}) are no export known here"
    else:
        what = f"none of its first lines of {width} columns looks like a header"
    nearest = f"; {recognise.describe_nearest(header, layouts, file)}" if near.get(header) else ""
    return f"{what}{nearest}. Map it in fields.toml or take it out of the folder"


def utf8_copy(
    file: Path, survey_of_file: Survey, target: Path, start: int, end: int, header: str = ""
) -> int:
    """Write a header and the bytes from `start` to `end` of a text file as UTF-8, lines ending in
    LF.

    Returns the number of lines behind the header.
    """
    inner = codecs.getincrementaldecoder(survey_of_file.encoding)(
        decoding_errors(survey_of_file.encoding)
    )
    decoder = io.IncrementalNewlineDecoder(inner, translate=True)
    n_lines, last = 0, b"\n"
    with file.open("rb") as source, target.open("wb") as copy:
        copy.write(header.encode())
        source.seek(start)
        left = end - start
        while left > 0 and (piece := source.read(min(CHUNK, left))):
            left -= len(piece)
            text = decoder.decode(piece).encode("utf-8", decoding_errors(survey_of_file.encoding))
            n_lines, last = n_lines + text.count(b"\n"), text[-1:] or last
            copy.write(text)
        text = decoder.decode(b"", final=True).encode(
            "utf-8", decoding_errors(survey_of_file.encoding)
        )
        copy.write(text)
        n_lines, last = n_lines + text.count(b"\n"), text[-1:] or last
    return n_lines + (last != b"\n")
