"""What is estimated, fixed before the data are looked at, and how to tell that it was.

The file's SHA-256 stands in the report beside the result.  A specification changed once results
were seen is a choice among results: whatever it finds is exploratory.
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

from analysis.chapters.growth.drift_allowance import DriftBeliefs
from analysis.store import processed

if TYPE_CHECKING:
    from collections.abc import Iterable

METHODS = ("imputation",)
OWN_FILE = "growth.toml"  # of a dataset
POINTS = 100  # points in a log point
OUTCOMES = ("bookings_amount", "new_bookings_amount", "n_won", "n_created")


class Specification(NamedTuple):
    """The specification's values, as ``specification.toml`` explains them, and the `sha256` of its
    text.
    """

    estimand: str
    outcome: str
    early_outcome: str
    method: str
    horizon: tuple[int, int]
    anticipation_quarters: int
    alpha: float
    likely_level: float
    against_level: float
    smallest_relevant_percent: float
    drift_sd_points: float
    apart_sd_points: float
    conversion_sd_points: float
    fewest_adopters: int
    placebo_quarters: int
    randomisation_draws: int
    sha256: str

    @property
    def level(self) -> float:
        """Confidence level of intervals."""
        return 1 - self.alpha

    @property
    def beliefs(self) -> DriftBeliefs:
        """How far adopters are believed to drift, in log points."""
        several = (self.drift_sd_points, self.apart_sd_points, self.conversion_sd_points)
        return DriftBeliefs(*(each / POINTS for each in several))


_BOUNDS: dict[str, tuple[float, float]] = {
    "anticipation_quarters": (0, 8),
    "alpha": (0.001, 0.2),
    "likely_level": (0.5, 0.99),
    "against_level": (0.001, 0.2),
    "smallest_relevant_percent": (0.1, 100),
    "drift_sd_points": (0.01, 20),
    "apart_sd_points": (0.01, 20),
    "conversion_sd_points": (0.1, 100),
    "fewest_adopters": (3, 100),
    "placebo_quarters": (1, 8),
    "randomisation_draws": (99, 1_000_000),
}


def default_specification() -> Specification:
    """Return the specification that comes with the project."""
    return parse_specification(
        (resources.files("analysis.chapters.growth") / "specification.toml").read_text(
            encoding="utf-8"
        )
    )


def parse_specification(text: str) -> Specification:
    """Return the specification of a TOML text, such as a dataset's ``growth.toml``.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value is not what it may be; the message names the key.
    """
    fields: dict[str, Any] = tomllib.loads(text)
    expected = [name for name in Specification._fields if name != "sha256"]
    wrong = [f"{name} is unknown" for name in fields if name not in expected]
    wrong += [f"{name} is missing" for name in expected if name not in fields]
    if wrong:
        raise ValueError(f"specification: {'; '.join(wrong)}. It holds {', '.join(expected)}.")
    _check(fields)
    fields["horizon"] = tuple(fields["horizon"])
    return Specification(**fields, sha256=hashlib.sha256(text.encode()).hexdigest())


def require_own(dataset: str) -> None:
    """Raise `ValueError` if a dataset has a specification of its own that is wrong."""
    own = processed.own_text(dataset, OWN_FILE)
    if own is None:
        return
    try:
        parse_specification(own)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{OWN_FILE}: {error}") from None


def is_exploratory(specification: Specification, earlier_hashes: Iterable[str]) -> bool:
    """Return whether an earlier look stood on another specification.

    The data had been seen when the specification changed.

    A hash may be cut short, as reports print it.
    """
    return any(not specification.sha256.startswith(each) for each in earlier_hashes)


def _check(fields: dict[str, Any]) -> None:
    kinds = get_type_hints(Specification)
    for name, value in fields.items():
        if kinds[name] is str and not (isinstance(value, str) and value):
            raise ValueError(f"specification: {name} must be text, got {value!r}")
        if name in _BOUNDS:
            low, high = _BOUNDS[name]
            is_number = isinstance(value, int) or (
                kinds[name] is float and isinstance(value, float)
            )
            if not is_number or isinstance(value, bool) or not low <= value <= high:
                whole = "a whole number" if kinds[name] is int else "a number"
                raise ValueError(
                    f"specification: {name} must be {whole} from {low:g} to {high:g}, got {value!r}"
                )
    first, last = fields["horizon"] if _is_pair(fields["horizon"]) else (1, 0)
    if not 0 <= first <= last:
        raise ValueError(
            "specification: horizon must be [first, last] quarters from 0, got "
            f"{fields['horizon']!r}"
        )
    for name, allowed in (("method", METHODS), ("outcome", OUTCOMES), ("early_outcome", OUTCOMES)):
        if fields[name] not in allowed:
            raise ValueError(
                f"specification: {name} must be one of {', '.join(allowed)}, got {fields[name]!r}"
            )


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value)
