"""What the next quarter will show, said beforehand with an interval, and scored when it is over.

Two forecasts nobody can call clever: the last quarter's value, and that of the same quarter a year
before.  The one that erred less in the past is used, and its own past errors make the interval
(split conformal): no model of why, so nothing to flatter it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.models import cost, quality
from analysis.schema import CrmDataError, require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from analysis.models.result import Result

LEVEL = 0.8  # share of quarters that the interval is to hold
FEWEST_ERRORS = 4  # below it no rank of the errors reaches the level
LAGS = {"last quarter's value": 1, "the value of the same quarter a year before": 4}
HOURLY = ("cost_per_selling_hour", "required_bookings_per_selling_hour", "selling_hours_per_week")
LIMITS = {"win_rate": (0.0, 1.0)} | dict.fromkeys(HOURLY, (0.0, math.inf))  # between which a headline lies at all


class Forecast(NamedTuple):
    """What a headline of the next quarter is expected to be; NaN where the past does not suffice."""

    name: str
    estimate: float
    low: float
    high: float
    method: str
    n: int  # past errors behind the interval

    @property
    def is_known(self) -> bool:
        """Whether there is a forecast at all."""
        return not math.isnan(self.estimate)


class Score(NamedTuple):
    """How a forecast came out: `interval_score` is the width, and for a miss 10 times the distance more."""

    is_inside: bool
    error: float
    interval_score: float


def history(
    reps: pd.DataFrame,
    teams: pd.DataFrame,
    *,
    until: str,
    minimum_logged_share: float,
    currency: str,
    smallest_cell: int,
) -> dict[str, dict[str, float]]:
    """Return headlines of every whole quarter up to `until`, by today's data and code: by name, then quarter.

    Only what a quarter's own rows tell is held: a figure that is learnt from all quarters has no past
    of its own.  A figure of fewer than `smallest_cell` reps is left out: what was not shown is not foretold.
    `reps` is panel ``rep_quarter``, `teams` panel ``team_quarter``.
    """
    require_columns(teams, ["quarter", "is_partial"], "team_quarter")
    whole = teams[(teams["quarter"] <= until) & ~teams["is_partial"].astype(bool)]
    past: dict[str, dict[str, float]] = {name: {} for name in ("bookings", "win_rate", *HOURLY)}
    for quarter, rows in whole.groupby("quarter"):
        name = str(quarter)
        past["bookings"][name] = quality.bookings(rows, name, currency).estimate
        past["win_rate"][name] = quality.win_rate(rows, "").estimate
        stays = reps[reps["quarter"] == name]
        for measure in HOURLY:
            got = _hourly(stays, measure, minimum_logged_share, currency)
            past[measure][name] = got.estimate if got and got.n >= smallest_cell else math.nan
    return {m: {q: v for q, v in values.items() if not math.isnan(v)} for m, values in past.items()}


def _hourly(stays: pd.DataFrame, measure: str, minimum_logged_share: float, currency: str) -> Result | None:
    try:
        return cost.estimate(stays, measure, minimum_logged_share=minimum_logged_share, currency=currency)
    except CrmDataError:  # no rep that quarter
        return None


def forecast(name: str, past: Sequence[float]) -> Forecast:
    """Return the forecast of the value after `past`, oldest first, one a quarter.

    Its interval is cut at the `LIMITS` of the headline called `name`.

    Examples
    --------
    >>> got = forecast("x", [100, 110, 100, 110, 100, 110])
    >>> round(got.estimate), round(got.low), round(got.high), got.n
    (110, 100, 121, 5)
    """
    values = np.asarray(past, float)
    unknown = Forecast(name, math.nan, math.nan, math.nan, "", 0)
    if not np.isfinite(values).all():
        raise ValueError(f"past must hold numbers only, got {list(past)!r}")
    is_log = bool(values.size) and bool((values > 0).all())
    scale = np.log(values) if is_log else values
    errors = {m: np.abs(scale[lag:] - scale[:-lag]) for m, lag in LAGS.items() if scale.size > lag}
    errors = {m: e for m, e in errors.items() if e.size >= FEWEST_ERRORS}
    if not errors:
        return unknown
    common = min(e.size for e in errors.values())
    method = min(errors, key=lambda m: float(errors[m][-common:].mean()))
    size = errors[method].size
    rank = min(size, math.ceil((size + 1) * LEVEL))
    reach = float(np.sort(errors[method])[rank - 1])
    center = float(scale[-LAGS[method]])
    ends = [center, center - reach, center + reach]
    estimate, low, high = np.clip(np.exp(ends) if is_log else ends, *LIMITS.get(name, (-math.inf, math.inf)))
    return Forecast(name, float(estimate), float(low), float(high), method, size)


def score(made: Mapping[str, float], came: float) -> Score:
    """Return how a forecast with ``estimate``, ``low`` and ``high`` came out.

    Examples
    --------
    >>> score({"estimate": 10.0, "low": 8.0, "high": 12.0}, 13.0)
    Score(is_inside=False, error=3.0, interval_score=14.0)
    """
    low, high = made["low"], made["high"]
    missed = max(low - came, came - high, 0.0)
    return Score(missed == 0, came - made["estimate"], high - low + 2 / round(1 - LEVEL, 9) * missed)
