"""Names in any script, as the report's typeface can set them.

The typeface holds Latin, Greek and Cyrillic.  A name in another script is spelled in Latin letters,
which any reader can say and compare; the workbook has it as it was written.  Marks that show
nothing or turn the text around them go with it, so that nothing runs from right to left.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import fontpkg_inter
from anyascii import anyascii
from fontTools.ttLib import TTFont

FONTS = Path(fontpkg_inter.__file__).parent / "files"
UPRIGHT = FONTS / "Inter[opsz,wght].ttf"
LAYOUT = "\n\t"
INVISIBLE = ("C", "Zl", "Zp")  # control, format, private, unassigned; separators of lines
LONGEST_LABEL = 48  # characters of a label in a figure


@cache
def _glyphs() -> frozenset[int]:
    with TTFont(UPRIGHT, lazy=True) as font:
        return frozenset(font.getBestCmap())


def is_invisible(character: str) -> bool:
    """Return whether a character shows nothing, or turns the text around it.

    Controls and the like.
    """
    return character not in LAYOUT and unicodedata.category(character).startswith(INVISIBLE)


def code_point(character: str) -> str:
    """Return the name under which a character shows that cannot show itself."""
    return f"[U+{ord(character):04X}]"


def is_set(character: str) -> bool:
    """Return whether the typeface shows a character as it is."""
    return character in LAYOUT or (ord(character) in _glyphs() and not is_invisible(character))


@lru_cache(maxsize=4096)
def spell_name(text: str) -> str:
    """Return `text` with what the typeface cannot show spelled in Latin letters.

    Examples
    --------
    >>> spell_name("Team 東京"), spell_name("Zürich"), spell_name("צפון")
    ('Team DongJing', 'Zürich', 'tsfvn')
    """
    if text.isascii() and text.isprintable():
        return text
    plain = unicodedata.normalize("NFC", text)
    parts = re.split(r"(\s+)", plain)
    return "".join(part if not part.strip() else _spell_word(part) for part in parts)


def _spell_word(word: str) -> str:
    if all(map(is_set, word)):
        return word
    spelled = [c if is_set(c) else "" if is_invisible(c) else anyascii(c) for c in word]
    is_foreign = any(not is_set(c) and new for c, new in zip(word, spelled, strict=True))
    if is_foreign:  # its marks of direction went with it
        return "".join(spelled)
    return "".join(c if is_set(c) else code_point(c) for c in word)


def label_text(text: str) -> str:
    """Return the label of a row in a figure: legible, and cut where it would push the figure away.

    Examples
    --------
    >>> label_text("x" * 60)[-3:]
    'xx…'
    """
    legible = spell_name(text)
    if len(legible) <= LONGEST_LABEL:
        return legible
    return f"{legible[: LONGEST_LABEL - 1].rstrip()}…"
