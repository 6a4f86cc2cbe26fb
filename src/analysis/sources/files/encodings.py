"""One pass over every byte of a text file: encoding, line ends, bytes of another encoding."""

from __future__ import annotations

import codecs
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1 << 20
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
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


def decoding_errors(encoding: str) -> str:
    """Return what decoding does with a byte of another encoding.

    UTF-8 keeps it, so that its row can be named.
    """
    return "surrogateescape" if encoding == "utf-8" else "strict"


class _Count:
    """Counts over the pieces of a file as they go by."""

    def __init__(self, encoding: str) -> None:
        self.decoder = codecs.getincrementaldecoder(encoding)(decoding_errors(encoding))
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
            if mojibake := MOJIBAKE.search(text):
                self.mojibake += len(MOJIBAKE.findall(text))
                self.first_mojibake = (
                    self.first_mojibake or self.lf + text.count("\n", 0, mojibake.start()) + 1
                )
        self._ends(piece if self.is_bytewise else text.encode("utf-8", "replace"))


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(CHUNK):
            yield piece


def _encoding(start: bytes) -> tuple[str, int]:
    """Return the encoding a file's mark says, and the bytes of the mark.

    A tool may have doubled it.
    """
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
        return (
            encoding,
            "mostly valid",
            [f"{count.foreign:,} bytes in it are no UTF-8: their rows are set aside"],
        )
    decoder = codecs.getincrementaldecoder("cp1252")()
    try:
        for piece in _pieces(file):
            decoder.decode(piece)
    except UnicodeDecodeError:
        raise ValueError(
            "its text is neither UTF-8 nor Windows cp1252; save it as CSV UTF-8"
        ) from None
    warning = f"not UTF-8: {count.foreign:,} characters were read as Windows cp1252"
    if count.native:
        warning += (
            f", and {count.native:,} that are UTF-8 with them, so names may be garbled: export it "
            "in one encoding"
        )
    return "cp1252", "a guess: no UTF-8", [warning]


def survey_file(file: Path) -> Survey:
    """Return what one pass over a text file finds; ValueError says why it is not text."""
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
                    "it holds zero bytes, so it is no text (or UTF-16 without its mark); save "
                    "it as CSV UTF-8"
                )
            digest.update(piece)
            size += len(piece)
            is_blank = is_blank and not body.strip(b"\0 \t\r\n")
            count.take(body, final=False)
        if count is None or is_blank:
            raise ValueError("it is empty")
        count.take(b"", final=True)
    except UnicodeDecodeError:
        raise ValueError(
            f"its mark says {encoding.upper()}, but its bytes are not; save it as CSV UTF-8"
        ) from None
    encoding, how, warnings = _decided(count, encoding, mark, file)
    if count.mojibake:
        warnings.append(
            f"{count.mojibake:,} characters look like UTF-8 once read as cp1252 (Ã¼ for ü; first "
            f"on line {count.first_mojibake}): kept as they are, export them anew"
        )
    ends = {"CRLF": count.crlf, "CR": count.cr - count.crlf, "LF": count.lf - count.crlf}
    is_open = count.last not in {b"\r", b"\n"}
    n_lines = sum(ends.values()) + is_open
    kinds = tuple(name for name, n in ends.items() if n)
    return Survey(
        digest.hexdigest(), size, encoding, how, mark, n_lines, kinds, is_open, tuple(warnings)
    )
