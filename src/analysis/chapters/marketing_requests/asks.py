"""An ask of sales before it is sent: what it costs, and what its words may sound like.

The article names five words to avoid and five to use, and says to lay off threats.  That is advice,
checked word for word; what measurement says of those words stands beside it, and nothing is
blocked.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

AVOID = ("I", "but", "must", "need", "mandatory")
USE = ("we", "please", "thank you", "appreciate", "support")
THREATS = (
    r"or else",
    r"deadline or",
    r"escalat(?:e|ed|ing)",
    r"face (?:the )?consequences",
    r"consequences (?:for|if)",
    r"last warning",
    r"final notice",
    r"will be reported",
    r"report(?:ed)? to your (?:boss|manager)",
    r"non-?compliance",
)


class WordFound(NamedTuple):
    """A word of the article in a text: which, what the article says of it, from which character."""

    word: str
    advice: str
    start: int


class ToneCheck(NamedTuple):
    """Words of the article in a text, in order, and the score: recommended less discouraged words
    per 100.
    """

    found_words: tuple[WordFound, ...]
    score: float
    n_words: int


def _whole(phrase: str) -> re.Pattern[str]:
    spaced = phrase.replace(" ", r"\s+")
    return re.compile(rf"(?<!\w){spaced}(?!\w|\.e\b)", re.IGNORECASE)  # "i.e." is no I


PATTERNS = [
    *((_whole(word), word, "avoid") for word in AVOID),
    *((_whole(word), word, "use") for word in USE),
    *((_whole(phrase), "", "threat") for phrase in THREATS),
]


def check_tone(text: str) -> ToneCheck:
    """Return which of the article's words a text holds, whole words only, in any case.

    Examples
    --------
    >>> [(w.word, w.advice) for w in check_tone("We need a needle, please.").found_words]
    [('we', 'use'), ('need', 'avoid'), ('please', 'use')]
    """
    hits = [
        WordFound(word or match[0].lower(), advice, match.start())
        for pattern, word, advice in PATTERNS
        for match in pattern.finditer(text)
    ]
    n_words = len(re.findall(r"\b[\w'\N{RIGHT SINGLE QUOTATION MARK}-]+", text))
    balance = sum((w.advice == "use") - (w.advice == "avoid") for w in hits)
    score = 100 * balance / n_words if n_words else math.nan
    return ToneCheck(tuple(sorted(hits, key=lambda w: w.start)), score, n_words)


def tone_lines(check: ToneCheck) -> list[str]:
    """Return what to say of a text, a line each."""
    says = {"avoid": "words to avoid", "use": "words to use", "threat": "may sound like a threat"}
    lines = []
    for advice, words in says.items():
        places = [f"{w.word!r} at character {w.start + 1}" for w in check.found_words if w.advice == advice]  # fmt: skip  # noqa: E501
        lines.append(f"{words}: {', '.join(places) if places else 'none'}")
    score = "no words" if math.isnan(check.score) else f"{check.score:+.1f} per 100 words"
    lines.append(f"tone score (used less avoided): {score}, {check.n_words} words")
    return lines


def fields_the_crm_holds(asked_fields: Iterable[str], columns: Iterable[str]) -> list[str]:
    """Return which fields of a form the exports hold already, so that nobody has to type them.

    Case, blanks and underscores aside.

    Examples
    --------
    >>> fields_the_crm_holds(["Close date", "Mood"], ["close_date", "stage"])
    ['Close date']
    """
    crm_columns = {_bare(column) for column in columns}
    return [each for each in asked_fields if _bare(each) in crm_columns]


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
