"""Forecasts of the next quarter's headlines, made in advance with an interval, and scored
afterwards.

Two forecasts nobody can call clever: the last quarter's value, and that of the same quarter a year
before.  The one that erred less in the past is used, and its own past errors make the interval
(split conformal): no model of why, so nothing to flatter it.

Forecasts of the headlines: made now, kept with the quarter, scored by the report that follows.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import clustered_win_rate, row_accounts
from analysis.project import paths, quarters
from analysis.project.errors import CrmDataError, require_columns
from analysis.report import formats
from analysis.store import editions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from analysis.report.output import Payload
    from analysis.stats.result import Result
    from analysis.store.company import Company

LEVEL = 0.8  # share of quarters that the interval is to hold
FEWEST_ERRORS = 4  # below it no rank of the errors reaches the level
LAGS = {"last quarter's value": 1, "the value of the same quarter a year before": 4}
HOURLY = ("cost_per_selling_hour", "required_bookings_per_selling_hour", "selling_hours_per_week")
LIMITS = {"win_rate": (0.0, 1.0)} | dict.fromkeys(
    HOURLY, (0.0, math.inf)
)  # between which a headline lies at all


class Forecast(NamedTuple):
    """What a headline of the next quarter is expected to be.

    NaN where the past does not suffice.
    """

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
    """Score of a forecast: `interval_score` is the interval's width and, for a miss, 10 times its
    distance.
    """

    is_inside: bool
    error: float
    interval_score: float


def headline_history(
    reps: pd.DataFrame,
    teams: pd.DataFrame,
    *,
    until: str,
    minimum_logged_share: float,
    currency: str,
    smallest_cell: int,
) -> dict[str, dict[str, float]]:
    """Return headlines of every whole quarter up to `until`, by today's data and code.

    By name, then quarter.

    Only what a quarter's own rows tell is held: a figure that is learnt from all quarters has no
    past of its own.  A figure of fewer than `smallest_cell` reps is left out: what was not shown is
    not foretold. `reps` is panel ``rep_quarter``, `teams` panel ``team_quarter``.
    """
    require_columns(teams, ["quarter", "is_partial"], "team_quarter")
    whole = teams[(teams["quarter"] <= until) & ~teams["is_partial"].astype(bool)]
    past: dict[str, dict[str, float]] = {name: {} for name in ("bookings", "win_rate", *HOURLY)}
    for quarter, rows in whole.groupby("quarter"):
        name = str(quarter)
        past["bookings"][name] = row_accounts.quarter_bookings(rows, name, currency).estimate
        past["win_rate"][name] = clustered_win_rate.won_share(rows)
        stays = reps[reps["quarter"] == name]
        for measure in HOURLY:
            result = _hourly(stays, measure, minimum_logged_share, currency)
            past[measure][name] = (
                result.estimate if result and result.n >= smallest_cell else math.nan
            )
    return {m: {q: v for q, v in values.items() if not math.isnan(v)} for m, values in past.items()}


def _hourly(
    stays: pd.DataFrame, measure: str, minimum_logged_share: float, currency: str
) -> Result | None:
    try:
        return cost.estimate_cost(
            stays, measure, minimum_logged_share=minimum_logged_share, currency=currency
        )
    except CrmDataError:  # no rep that quarter
        return None


def forecast_next(name: str, past: Sequence[float]) -> Forecast:
    """Return the forecast of the value after `past`, oldest first, one a quarter.

    Its interval is cut at the `LIMITS` of the headline called `name`.

    Examples
    --------
    >>> got = forecast_next("x", [100, 110, 100, 110, 100, 110])
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
    estimate, low, high = np.clip(
        np.exp(ends) if is_log else ends, *LIMITS.get(name, (-math.inf, math.inf))
    )
    return Forecast(name, float(estimate), float(low), float(high), method, size)


def score_forecast(forecast_row: Mapping[str, float], came: float) -> Score:
    """Return how a forecast with ``estimate``, ``low`` and ``high`` came out.

    Examples
    --------
    >>> score_forecast({"estimate": 10.0, "low": 8.0, "high": 12.0}, 13.0)
    Score(is_inside=False, error=3.0, interval_score=14.0)
    """
    low, high = forecast_row["low"], forecast_row["high"]
    missed = max(low - came, came - high, 0.0)
    return Score(
        missed == 0, came - forecast_row["estimate"], high - low + 2 / round(1 - LEVEL, 9) * missed
    )


History = dict[str, dict[str, float]]


def unbroken_history(company: Company) -> History:
    """Return past headlines by today's data and code, each an unbroken run of quarters that ends
    with the one reported.
    """
    house = company.settings
    past = headline_history(
        company.table("rep_quarter"),
        company.table("team_quarter"),
        until=company.quarter,
        minimum_logged_share=house.hours.minimum_logged_share,
        currency=house.company.currency,
        smallest_cell=house.people.smallest_cell,
    )
    return {name: unbroken(values, company.period) for name, values in past.items()}


def unbroken(values: Mapping[str, float], last: quarters.Quarter) -> dict[str, float]:
    """Return the values of the run of quarters without a gap that ends with `last`."""
    run: dict[str, float] = {}
    while str(last) in values:
        run[str(last)] = values[str(last)]
        last = last.shifted(-1)
    return dict(reversed(run.items()))


def forecasts_of_cards(cards: Sequence[Payload], past: History) -> dict[str, dict[str, Any]]:
    """Return the next quarter's forecast of each headline with enough past quarters, by name."""
    forecast_of = {}
    for card in cards:
        forecast = forecast_next(card["name"], list(past.get(card["name"], {}).values()))
        if forecast.is_known:
            numbers = {
                k: formats.round_cell(getattr(forecast, k), card["format"])
                for k in ("estimate", "low", "high")
            }
            about = {
                "level": LEVEL,
                "method": forecast.method,
                "n": forecast.n,
                "unit": card["unit"],
            }
            forecast_of[card["name"]] = (
                numbers | about | {"format": card["format"], "currency": card["currency"]}
            )
    return forecast_of


def keep_forecasts(folder: Path, quarter: str, forecast_of: Mapping[str, Any]) -> None:
    """Keep the forecasts made at a quarter's first publication; later ones are not forecasts."""
    if not (folder / editions.FORECASTS).is_file():
        following = str(quarters.parse_quarter(quarter).shifted(1))
        editions.write_json(
            folder / editions.FORECASTS, {"made_for": following, "forecasts": forecast_of}
        )


def _forecasts_on_disk(dataset: str, quarter: str) -> dict[str, Any]:
    file = paths.history_folder(dataset) / quarter / editions.FORECASTS
    return json.loads(file.read_text(encoding="utf-8"))["forecasts"] if file.is_file() else {}


def score_forecasts(
    dataset: str, before: str, came: Mapping[str, float | None]
) -> dict[str, dict[str, Any]]:
    """Return how the forecasts made with the quarter `before` came out, by name.

    What is unknown is not scored.
    """
    return {
        name: {**f, "came": came[name], **score_forecast(f, float(value))._asdict()}
        for name, f in _forecasts_on_disk(dataset, before).items()
        if (value := came.get(name)) is not None
    }


def forecast_hits(
    dataset: str, before: str, now: Mapping[str, Mapping[str, Any]]
) -> tuple[int, int]:
    """Return how many of how many forecasts held so far.

    This report's `now`, and those of earlier quarters.
    """
    is_inside = [bool(f["is_inside"]) for f in now.values()]
    quarter = quarters.parse_quarter(before)
    while (edition := editions.first_edition(dataset, str(quarter))) is not None:
        quarter = quarter.shifted(-1)
        came = {name: m["estimate"] for name, m in edition.metrics.items()}
        is_inside += [
            bool(f["is_inside"]) for f in score_forecasts(dataset, str(quarter), came).values()
        ]
    return sum(is_inside), len(is_inside)


def forecast_rows(
    cards: Sequence[Payload], now: Mapping[str, Any], forecast_of: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return a row a headline that was forecast, or is now: words as the report shows them."""
    made_rows = []
    for card in cards:
        name, form, currency = card["name"], card["format"], card["currency"]
        past, following = now.get(name), forecast_of.get(name)
        if not (past or following):
            continue
        row = {
            "label": card["label"],
            "unit": card["shown"]["unit"],
            "made": formats.MISSING,
            "came": formats.MISSING,
        }
        row |= dict.fromkeys(("held", "score", "next"), formats.MISSING) | {"method": "", "n": None}
        if past:
            row |= {
                "made": _interval(past, form, currency),
                "came": formats.cell_words(past["came"], form, currency),
                "held": "inside" if past["is_inside"] else "outside",
                "score": formats.cell_words(past["interval_score"], form, currency),
            }
        if following:
            row |= {
                "next": _interval(following, form, currency),
                "method": following["method"],
                "n": following["n"],
            }
        made_rows.append(row)
    return made_rows


def _interval(f: Mapping[str, Any], form: str, currency: str) -> str:
    estimate, low, high = (
        formats.cell_words(f[k], form, currency) for k in ("estimate", "low", "high")
    )
    return f"{estimate} ({low} to {high})"
