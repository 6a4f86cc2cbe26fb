"""Dates with words in them: months, weekdays and halves of the day as CLDR (by Babel) names them in
each language.

A column has one language: the one that reads its cells.  Cells are looked at by their spelling, in
which every number is a mark, so a column of any length has a few hundred; each spelling that is
read gets a template that writes the date in one form: ``5 m03 2025`` for the fifth of March,
``2025-3-5`` where months are numbers, with the clock and AM or PM behind.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from babel import Locale
from babel.localedata import locale_identifiers

from analysis.sources.cells.reading import Ambiguous, is_minority
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


LONG, SHORT = (
    "\ue004",
    "\ue001",
)  # in a spelling: a number of three digits or more, and one of one or two
WIDE_COVERAGE = (
    400  # other languages that a language of CLDR has names for: some 130 have as many, Teso has 45
)
PASSED_ON = {"t", "z", "utc", "gmt"}  # read by the SQL of every column
MERIDIEMS = {
    "am": "AM",
    "pm": "PM",
    "a m": "AM",
    "p m": "PM",
}  # of CLDR's root and of English: taken in all
JOINERS = "\u200c\u200d"  # inside words of some scripts
# Before a clock: of CLDR's patterns with "at", which Babel leaves out.
AT = {"at", "um", "à", "às", "a las", "alle", "kl", "klo", "om", "o", "в"}
ORDINALS = re.compile(
    r"(?:st|nd|rd|th|er|re)\b|[ºª°]", re.IGNORECASE
)  # CLDR has them only as rules
_UNSPACED = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uff66-\uff9f]")
_CLDR_FIELD = re.compile("[A-Za-z]+")

_BLANKS = "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2212"
_DIGITS = "".join(
    chr(zero + n) for zero in (0x660, 0x6F0, 0xFF10) for n in range(10)
)  # Arabic, Persian, full width
_INVISIBLE = "\u200b\u200e\u200f\u061c\ufeff"
ODD_SIGNS = _BLANKS + _HYPHENS + _DIGITS + "\uff1a\uff0f\uff0e" + _INVISIBLE
EVEN_SIGNS = (
    " " * len(_BLANKS) + "-" * len(_HYPHENS) + "0123456789" * 3 + ":/."
)  # what is invisible stands for nothing
SQL = read_statements(__name__)


class Words(NamedTuple):
    """The words of a language for the parts of a date.

    Each text, its words parted by blanks, in lower case.
    """

    months: dict[str, int]
    weekdays: frozenset[str]
    halves: dict[str, str]
    fillers: frozenset[str]
    before_month: frozenset[str]  # where months are numbers: words that stand before the number ...
    after_month: frozenset[str]  # ... and behind it
    takes_short: bool = (
        False  # whether letters that only one month has in this order stand for it, such as Mrz
    )


class Spelled(NamedTuple):
    """A language's reading of a spelling: the month it names, if any, and the template."""

    month: int | None
    template: tuple[str, ...]


@cache
def _words(text: str) -> tuple[str, ...]:
    """Return the runs of letters and their marks, in lower case."""
    folded = unicodedata.normalize("NFC", text).casefold()
    runs = itertools.groupby(
        folded, key=lambda c: c in JOINERS or (unicodedata.category(c)[0] in "LM")
    )
    return tuple("".join(run) for is_word, run in runs if is_word)


def _key(text: str) -> str:
    return " ".join(_words(text))


def _plain(word: str) -> str:
    """Return a word without its accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _fillers(pattern: str) -> Iterator[str]:
    """Return the words that stand in a CLDR pattern beside its fields."""
    quoted = re.findall("'([^']+)'", pattern)
    bare = _CLDR_FIELD.sub(" ", re.sub("'[^']*'", " ", pattern))
    for text in (*quoted, *re.split(r"[^\w]+", bare)):
        yield from _words(text)


def _named(locale: Locale) -> tuple[dict[str, set[int]], set[str], set[str]]:
    """Return the names of a locale's months, and the words beside the number where they are
    numbered.
    """
    names: dict[str, set[int]] = {}
    before: set[str] = set()
    after: set[str] = set()
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[context][width].items():
                if not any(c.isdigit() for c in name):
                    names.setdefault(_key(name), set()).add(number)
                elif not re.fullmatch("M?[0-9]+", name) and _key(name):
                    (after if name[0].isdigit() else before).add(_key(name))
    return names, before, after


@cache
def _words_of(name: str) -> Words:
    locale = Locale.parse(name)
    names, before, after = _named(locale)
    halves: dict[str, str] = {}
    for widths in locale.day_periods.values():
        for periods in widths.values():
            for half in ("am", "pm"):
                if periods.get(half) and (key := _key(periods[half])):
                    halves.setdefault(key, half.upper())
    weekdays = {
        key
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated", "short")
        for day in locale.days[context].get(width, {}).values()
        if (key := _key(day))
    }
    patterns = [p.pattern for p in locale.date_formats.values()] + [
        str(p) for p in locale.datetime_formats.values()
    ]
    fillers = {word for pattern in patterns for word in _fillers(pattern)}
    return Words(
        {
            name: next(iter(numbers))
            for name, numbers in names.items()
            if len(numbers) == 1 and name
        },
        frozenset(weekdays),
        halves,
        frozenset(fillers - set(names)),
        frozenset(before),
        frozenset(after),
    )


@cache
def language_codes() -> tuple[str, ...]:
    """Return every language that CLDR covers widely, by its code.

    Others are of no CRM's screens.
    """
    codes = sorted(name for name in locale_identifiers() if "_" not in name)
    return tuple(name for name in codes if len(Locale.parse(name).languages) >= WIDE_COVERAGE)


@cache
def _widened(language: str) -> Words:
    """Return the words of a language in all its countries, and the beginnings of its months, with
    accents or without.
    """
    parts = [
        _words_of(n) for n in locale_identifiers() if n == language or n.startswith(f"{language}_")
    ]
    wider: dict[str, set[int]] = {}
    for part in parts:
        for name, number in part.months.items():
            for spelt in (name, _plain(name)):
                wider.setdefault(spelt, set()).add(number)
    return Words(
        {name: next(iter(numbers)) for name, numbers in wider.items() if len(numbers) == 1},
        frozenset(w for part in parts for name in part.weekdays for w in (name, _plain(name))),
        {name: half for part in parts for name, half in part.halves.items()},
        frozenset(w for part in parts for w in part.fillers),
        frozenset(w for part in parts for w in part.before_month),
        frozenset(w for part in parts for w in part.after_month),
        takes_short=True,
    )


@cache
def _shortened(text: str, language_months: tuple[tuple[str, int], ...]) -> int | None:
    """Return the one month whose name begins as `text` does and has its letters in their order."""
    letters = _plain(text)
    if len(letters) < 3 or not letters.isalpha():
        return None
    shorter = set()
    for name, number in language_months:
        rest = iter(name)
        if name.startswith(letters[0]) and all(letter in rest for letter in letters):
            shorter.add(number)
    return shorter.pop() if len(shorter) == 1 else None


def _kind(key: str, words: Words) -> tuple[str, str | int] | None:
    """Return what a text of a date means in a language."""
    if key in words.months:
        return "month", words.months[key]
    for group, kind in (
        (words.after_month, "after"),
        (words.before_month, "before"),
        (words.weekdays, "weekday"),
    ):
        if key in group:
            return kind, ""
    if half := words.halves.get(key) or MERIDIEMS.get(key):
        return "half", half
    if key in words.fillers or key in AT:
        return "filler", ""
    if words.takes_short and (number := _shortened(key, tuple(words.months.items()))):
        return "month", number
    return ("zone", key.upper()) if key in PASSED_ON else None


def _meanings(segment: str, words: Words) -> list[tuple[str, str | int]] | None:
    """Return what the words between two numbers mean, the longest texts first.

    None if one is not known.
    """
    tokens, meanings = list(_words(segment)), []
    while tokens:
        for n in range(min(4, len(tokens)), 0, -1):
            if meaning := _kind(" ".join(tokens[:n]), words):
                meanings.append(meaning)
                tokens = tokens[n:]
                break
        else:
            first = tokens[0]
            cuts = range(len(first) - 1, 0, -1) if _UNSPACED.search(first) else ()
            cut = next((n for n in cuts if _kind(first[:n], words)), 0)
            if not cut:
                return None
            tokens = [first[:cut], first[cut:], *tokens[1:]]
    return meanings


def _spelled(spelling: str, words: Words) -> Spelled | None:
    """Return how a language reads a spelling; None where it does not."""
    pieces = re.split(f"([{LONG}{SHORT}])", spelling)
    gaps, marks = pieces[::2], pieces[1::2]
    clock = next((i for i in range(len(marks)) if gaps[i + 1].startswith(":")), len(marks))
    gaps = [
        ORDINALS.sub("", gap, count=1) if 0 < i <= clock and ORDINALS.match(gap) else gap
        for i, gap in enumerate(gaps)
    ]
    read = [_meanings(gap, words) for gap in gaps]
    if any(r is None for r in read):
        return None
    means = [(i, *m) for i, options in enumerate(read) for m in options or ()]
    months = [int(value) for _, kind, value in means if kind == "month"]
    halves = [str(value) for _, kind, value in means if kind == "half"]
    if len(months) > 1 or len(halves) > 1 or (halves and clock == len(marks)):
        return None
    date = list(range(min(clock, len(marks))))
    day = _day(date, marks, means, gaps, months)
    if day is None:
        return None
    return Spelled(months[0] if months else None, (*day, *_clock(gaps, marks, clock, halves)))


def _day(  # noqa: PLR0911 - one return a way of writing a day
    date: list[int],
    marks: list[str],
    means: list[tuple[int, str, str | int]],
    gaps: list[str],
    months: list[int],
) -> tuple[str, ...] | None:
    """Return the template of the day.

    Of a month by name, of a numbered one, or of numbers as they stand.
    """
    years = [i for i in date if marks[i] == LONG]
    if months:
        if len(date) != 2 or len(years) > 1:
            return None
        year = years[0] if years else date[1]
        (day,) = [i for i in date if i != year]
        return f"#{day + 1}", f" m{months[0]:02} ", f"#{year + 1}"
    numbered = {i - 1 for i, kind, _ in means if kind == "after"} | {
        i for i, kind, _ in means if kind == "before"
    }
    if numbered:
        left = [i for i in date if i not in numbered and i not in years]
        if len(date) != 3 or len(years) != 1 or len(left) != 1 or len(numbered) != 1:
            return None
        return f"#{years[0] + 1}", "-", f"#{numbered.pop() + 1}", "-", f"#{left[0] + 1}"
    if len(date) != 3:
        return None
    between = [re.sub(r"\s", "", gaps[i]) for i in date[1:]]
    if any(not re.fullmatch("[/.-]", mark) for mark in between):
        return None
    return f"#{date[0] + 1}", between[0], f"#{date[1] + 1}", between[1], f"#{date[2] + 1}"


def _clock(gaps: list[str], marks: list[str], first: int, halves: list[str]) -> tuple[str, ...]:
    """Return the template of the time of day: its numbers, the half of the day, the zone."""
    if first >= len(marks):
        return ()
    last = first
    while last + 1 < len(marks) and re.fullmatch("[:.,]", gaps[last + 1]):
        last += 1
    parts = [" ", f"#{first + 1}"]
    for i in range(first + 1, last + 1):
        parts += [gaps[i], f"#{i + 1}"]
    zone = "".join(re.findall(r"Z|UTC|GMT|[+-]|:", gaps[last + 1]))
    parts += [f" {half}" for half in halves] + ([f" {zone}"] if zone else [])
    for i in range(last + 1, len(marks)):
        parts += [f"#{i + 1}", gaps[i + 1].strip()]
    return tuple(parts)


def _has_words(spelling: str) -> bool:
    return any(word not in PASSED_ON for word in _words(spelling))


def read_templates(
    counts: Mapping[str, int], column: str, language: str | None
) -> tuple[dict[str, tuple[str, ...]], str | None]:
    """Return the template of each spelling that the column's language reads, and the language.

    Raises
    ------
    Ambiguous
        If two languages read the column, and differently.
    """
    worded = {s: n for s, n in counts.items() if _has_words(s)}
    if not worded:
        return {}, None
    is_english = all(w in PASSED_ON or w in MERIDIEMS for s in worded for w in _words(s))
    languages_to_try = (language,) if language else ("en",) if is_english else language_codes()
    read = _read_by(worded, languages_to_try, _words_of)
    if _most(worded, read) < sum(worded.values()):
        wider = _read_by(worded, languages_to_try, _widened)
        read = wider if _most(worded, wider) > _most(worded, read) else read
    if not read:
        return {}, None
    chosen = max(
        read, key=lambda name: (_total(worded, read[name]), name == "en", _n_countries(name))
    )
    _require_one_meaning(worded, read, chosen, column)
    return {s: r.template for s, r in read[chosen].items()}, chosen


@cache
def _n_countries(language: str) -> int:
    return sum(name.startswith(f"{language}_") for name in locale_identifiers())


def _total(counts: Mapping[str, int], read: Iterable[str]) -> int:
    return sum(counts[s] for s in read)


def _most(counts: Mapping[str, int], read: Mapping[str, Iterable[str]]) -> int:
    return max((_total(counts, spelt) for spelt in read.values()), default=0)


def _read_by(
    worded: Iterable[str], names: Iterable[str], words_of: Callable[[str], Words]
) -> dict[str, dict[str, Spelled]]:
    """Return what each language reads of the spellings, those that read none left out."""
    read = {}
    texts = list(worded)
    for name in names:
        words = words_of(name)
        ways = {s: way for s in texts if (way := _spelled(s, words)) is not None}
        if ways:
            read[name] = ways
    return read


def _require_one_meaning(
    worded: Mapping[str, int], read: Mapping[str, Mapping[str, Spelled]], chosen: str, column: str
) -> None:
    """Refuse a column that another language reads as well, and differently."""
    mine, most = read[chosen], _total(worded, read[chosen])
    for other, theirs in read.items():
        if not is_minority(most - _total(worded, theirs), most):
            continue
        for spelling in sorted(set(mine) & set(theirs)):
            if mine[spelling].template != theirs[spelling].template:
                word = max(_words(spelling), key=len)
                raise Ambiguous(
                    f"its column {column} reads differently in {language_name(chosen)} and in "
                    f"{language_name(other)} (such as the word {word}); "
                    f'say language = "{chosen}", or which it is, under [reading] in the '
                    "dataset's fields.toml"
                )


def language_name(language: str) -> str:
    """Return what a language is called in English."""
    return Locale.parse(language).get_language_name("en") or language
