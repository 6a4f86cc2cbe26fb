"""What the report's font can show; what it cannot is named instead.

PDF/UA forbids text without a glyph, and some characters are invisible or turn the text around them.
A customer's name may hold any of them, and must not stop a report: each shows as its code point.
Nor may a name of two hundred letters without a blank run off the page: it may break anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import fontpkg_inter
from fontTools.ttLib import TTFont

from analysis.report import formats

FONTS = Path(fontpkg_inter.__file__).parent / "files"
UPRIGHT = FONTS / "Inter[opsz,wght].ttf"
VERBATIM = {"svg", "typst", "tex", "alt", "url", "run_id"}  # not set as text, or looked for by machines
LONG_RUN = re.compile(r"[^\s\u200b]{31,}")
PIECE = re.compile(r".{6}(?=.)")


@cache
def _glyphs() -> frozenset[int]:
    with TTFont(UPRIGHT, lazy=True) as font:
        return frozenset(font.getBestCmap())


def settable(content: Any) -> Any:
    """Return plain data in which every text can be set.

    Examples
    --------
    >>> settable({"team": ["Zürich", "東"]})
    {'team': ['Zürich', '[U+6771]']}
    """
    if isinstance(content, str):
        shown = content if content.isascii() and content.isprintable() else _named(content)
        return LONG_RUN.sub(lambda run: PIECE.sub("\\g<0>\u200b", run.group(0)), shown)
    if isinstance(content, dict):
        return {key: value if key in VERBATIM else settable(value) for key, value in content.items()}
    return [settable(item) for item in content] if isinstance(content, list) else content


def _named(text: str) -> str:
    return "".join(c if _is_shown(c) else formats.code_point(c) for c in unicodedata.normalize("NFC", text))


def _is_shown(character: str) -> bool:
    return character in formats.LAYOUT or (ord(character) in _glyphs() and not formats.is_invisible(character))
