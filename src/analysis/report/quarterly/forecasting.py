"""Forecasts of the headlines: made now, kept with the quarter, scored by the report that follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analysis import paths, prepare, quarters
from analysis.models import forecasts
from analysis.report import formats
from analysis.report.quarterly import editions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analysis.report.payload import Payload
    from analysis.settings import Settings

History = dict[str, dict[str, float]]


def history(dataset: str, quarter: str, house: Settings) -> History:
    """Return past headlines by today's data and code, each an unbroken run of quarters that ends with `quarter`."""
    past = forecasts.history(
        prepare.load(dataset, "rep_quarter"),
        prepare.load(dataset, "team_quarter"),
        until=quarter,
        minimum_logged_share=house.hours.minimum_logged_share,
        currency=house.company.currency,
        smallest_cell=house.people.smallest_cell,
    )
    return {name: _unbroken(values, quarters.quarter(quarter)) for name, values in past.items()}


def _unbroken(values: Mapping[str, float], last: quarters.Quarter) -> dict[str, float]:
    run: dict[str, float] = {}
    while str(last) in values:
        run[str(last)] = values[str(last)]
        last = last.shifted(-1)
    return dict(reversed(run.items()))


def made(cards: Sequence[Payload], past: History) -> dict[str, dict[str, Any]]:
    """Return the next quarter's forecast of each headline that has past enough, by name."""
    told = {}
    for card in cards:
        got = forecasts.forecast(card["name"], list(past.get(card["name"], {}).values()))
        if got.is_known:
            numbers = {k: formats.rounded(getattr(got, k), card["format"]) for k in ("estimate", "low", "high")}
            about = {"level": forecasts.LEVEL, "method": got.method, "n": got.n, "unit": card["unit"]}
            told[card["name"]] = numbers | about | {"format": card["format"], "currency": card["currency"]}
    return told


def keep(folder: Path, quarter: str, told: Mapping[str, Any]) -> None:
    """Keep the forecasts made at a quarter's first publication: one made afterwards is none."""
    if not (folder / editions.FORECASTS).is_file():
        following = str(quarters.quarter(quarter).shifted(1))
        editions.write(folder / editions.FORECASTS, {"made_for": following, "forecasts": told})


def _kept(dataset: str, quarter: str) -> dict[str, Any]:
    file = paths.history(dataset) / quarter / editions.FORECASTS
    return json.loads(file.read_text(encoding="utf-8"))["forecasts"] if file.is_file() else {}


def scored(dataset: str, before: str, came: Mapping[str, float | None]) -> dict[str, dict[str, Any]]:
    """Return how the forecasts made with the quarter `before` came out, by name; what is unknown is not scored."""
    return {
        name: {**f, "came": came[name], **forecasts.score(f, float(value))._asdict()}
        for name, f in _kept(dataset, before).items()
        if (value := came.get(name)) is not None
    }


def hits(dataset: str, before: str, now: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
    """Return how many of how many forecasts held so far: this report's `now`, and those of earlier quarters."""
    held = [bool(f["is_inside"]) for f in now.values()]
    quarter = quarters.quarter(before)
    while (edition := editions.first(dataset, str(quarter))) is not None:
        quarter = quarter.shifted(-1)
        came = {name: m["estimate"] for name, m in edition.metrics.items()}
        held += [bool(f["is_inside"]) for f in scored(dataset, str(quarter), came).values()]
    return sum(held), len(held)


def rows(cards: Sequence[Payload], now: Mapping[str, Any], told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row a headline that was forecast, or is now: words as the report shows them."""
    made_rows = []
    for card in cards:
        name, form, currency = card["name"], card["format"], card["currency"]
        past, following = now.get(name), told.get(name)
        if not (past or following):
            continue
        row = {"label": card["label"], "unit": card["shown"]["unit"], "made": formats.MISSING, "came": formats.MISSING}
        row |= dict.fromkeys(("held", "score", "next"), formats.MISSING) | {"method": "", "n": None}
        if past:
            row |= {
                "made": _interval(past, form, currency),
                "came": formats.shown(past["came"], form, currency),
                "held": "inside" if past["is_inside"] else "outside",
                "score": formats.shown(past["interval_score"], form, currency),
            }
        if following:
            row |= {"next": _interval(following, form, currency), "method": following["method"], "n": following["n"]}
        made_rows.append(row)
    return made_rows


def _interval(f: Mapping[str, Any], form: str, currency: str) -> str:
    estimate, low, high = (formats.shown(f[k], form, currency) for k in ("estimate", "low", "high"))
    return f"{estimate} ({low} to {high})"
