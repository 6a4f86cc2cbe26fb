"""What a check reads from a dataset, and the value from which it warns.

A reading is one measured fact: a value from 0 (nothing odd) to 1, the count it rests on and a plain
sentence.  From which value on it is a warning, and from which it withholds an answer, stands in
``limits.toml``, each with its reason.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from analysis.cleaning.plausibility.questions import Bearing

Severity = Literal["warn", "withhold"]
NEVER = 2.0  # above any value


class Limit(NamedTuple):
    """From which value on a check warns and withholds (strictly above), and on how few rows it
    stays silent.

    `fewest` counts the rows a value rests on, `least` those of them that are odd.  `remedy` says
    what to do, and `echo_of` names the checks whose finding explains this one's.
    """

    warn: float
    withhold: float = NEVER
    fewest: int = 1
    least: int = 1
    remedy: str = ""
    echo_of: tuple[str, ...] = ()


class CheckReading(NamedTuple):
    """One measured fact about a dataset: `n_odd` of `n`, as a value from 0 to 1."""

    check: str
    bearing: Bearing
    value: float
    n: int
    sentence: str
    table: str | None = None
    examples: tuple[str, ...] = ()
    n_odd: int | None = None
    remedy: str = ""  # where it depends on the case


@cache
def read_limits() -> dict[str, Limit]:
    """Return every check's limit by name; one of a single table's own is named ``check table``."""
    text = (
        resources.files("analysis.cleaning.plausibility")
        .joinpath("limits.toml")
        .read_text(encoding="utf-8")
    )
    entries: dict[str, dict[str, Any]] = tomllib.loads(text)
    limit_of_check: dict[str, Limit] = {}
    for name, entry in entries.items():
        of_tables = {key: value for key, value in entry.items() if isinstance(value, dict)}
        general = {key: value for key, value in entry.items() if key not in of_tables}
        limit_of_check[name] = _limit(general)
        limit_of_check |= {
            f"{name} {table}": _limit(general | own) for table, own in of_tables.items()
        }
    return limit_of_check


def _limit(entry: dict[str, Any]) -> Limit:
    return Limit(**(entry | {"echo_of": tuple(entry.get("echo_of", ()))}))


def limit_of(reading: CheckReading) -> Limit:
    """Return the limit that holds for a reading: its table's own, or the check's."""
    every = read_limits()
    return every.get(f"{reading.check} {reading.table}", every[reading.check])


def reading_severity(reading: CheckReading) -> Severity | None:
    """Return whether a reading warns or withholds, or neither."""
    limit = limit_of(reading)
    n_odd = limit.least if reading.n_odd is None else reading.n_odd
    if reading.n < limit.fewest or n_odd < limit.least or not reading.value > limit.warn:
        return None
    return "withhold" if reading.value > limit.withhold else "warn"


def share_of(part: float | None, whole: float | None) -> float:
    """Return `part` of `whole`, 0 where `whole` is 0."""
    return float(part or 0) / float(whole) if whole else 0.0


def count_words(n: int, one: str, more: str | None = None) -> str:
    """Return a count with its noun, such as "1 deal" or "2 deals"."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"
