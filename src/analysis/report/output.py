"""What a notebook hands to the report: plain data, rounded to what is shown.

A payload travels in the notebook's output beside the HTML, under a MIME type of our own.  Nothing
is formatted a second time further on: PDF and HTML print ``rows``, the manifest takes the numbers
of a card, and they say the same.  The numbers before rounding travel in the output's metadata: the
workbook writes those, and what a notebook shows stays the same from machine to machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from analysis.report import formats
from analysis.stats.suppression import HIDDEN, MARK_COLUMN, N_COLUMN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from analysis.stats.result import Result

INTERVAL = "95% interval"  # what a card's ends are unless it says otherwise
MIME = "application/vnd.alignment-roi+json"

MARKS = f"{HIDDEN} confidential: too few reps, or a row that would give such a row away."

Payload = dict[str, Any]
EXACT_DIGITS = 12  # significant ones: what lies beyond is the noise of floating point
METRIC = ("estimate", "low", "high", "unit", "n", "n_of", "kind", "verdict", "method", "source")


def result_card(
    result: Result,
    *,
    label: str,
    note: str,
    headline: bool,
    format: str,  # noqa: A002
    currency: str,
) -> Payload:
    """Return the card of one result: its numbers as shown, and the words that show them."""
    ends = [result.estimate, result.low, result.high]
    finite_ends = [abs(x) for x in ends if not math.isnan(x)]
    name = format or formats.for_unit(result.unit, max(finite_ends[:1], default=0.0))
    money = formats.CURRENCY_UNIT.match(result.unit)
    currency = money.group(1) if money else currency
    estimate, low, high = (formats.round_cell(x, name) for x in ends)
    value, *interval = (formats.cell_words(x, name, currency) for x in ends)
    is_at_once = value == formats.AT_ONCE
    has_interval = low is not None and high is not None and not (is_at_once and low == high)
    return {
        "name": result.name,
        "label": label,
        "note": note,
        "headline": headline,
        "estimate": estimate,
        "low": low,
        "high": high,
        "unit": result.unit,
        "n": result.n,
        "n_of": result.n_of,
        "kind": result.kind,
        "verdict": result.verdict,
        "method": result.method,
        "source": result.source,
        "format": name,
        "currency": currency,
        "exact": dict(zip(("estimate", "low", "high"), map(exact_number, ends), strict=True)),
        "shown": {
            "value": value if result.is_known else formats.CANNOT_TELL,
            "unit": formats.CURRENCY_UNIT.sub("", result.unit)
            if result.is_known and not is_at_once
            else "",
            "interval": " to ".join(interval) if has_interval else "",
            # an interval of the usual kind needs no name
            **({} if result.interval_name == INTERVAL else {"interval_name": result.interval_name}),
            "n": f"{formats.cell_words(result.n, 'count')} {result.n_of}",
        },
    }


def exact_number(value: Any) -> float | None:
    """Return a number before the rounding of its format; None where there is none.

    Examples
    --------
    >>> exact_number(0.1 + 0.2), exact_number(float("nan"))
    (0.3, None)
    """
    if formats.is_missing(value) or not math.isfinite(float(value)):
        return None
    return float(f"{float(value):.{EXACT_DIGITS}g}")


def without_exact(content: Payload) -> tuple[Payload, Any]:
    """Return a payload as a notebook shows it, and apart from it its numbers before rounding."""
    if content["kind"] == "kpis":
        cards = [{k: v for k, v in card.items() if k != "exact"} for card in content["cards"]]
        return {**content, "cards": cards}, [card["exact"] for card in content["cards"]]
    if content["kind"] == "figure":
        cells, exact = without_exact({"kind": "table", **content["data"]})
        return {**content, "data": {k: v for k, v in cells.items() if k != "kind"}}, exact
    return {k: v for k, v in content.items() if k != "exact"}, content.get("exact")


def with_exact(content: Payload, exact: Any) -> Payload:
    """Return a payload with its numbers before rounding again, as `without_exact` parted them."""
    if exact is None:
        return content
    if content["kind"] == "kpis":
        pairs = zip(content["cards"], exact, strict=True)
        return {**content, "cards": [{**card, "exact": numbers} for card, numbers in pairs]}
    if content["kind"] == "figure":
        return {**content, "data": {**content["data"], "exact": exact}}
    return {**content, "exact": exact}


def headline_metrics(cards: Iterable[Payload]) -> dict[str, Payload]:
    """Return headlines as the manifest states them, by name."""
    return {card["name"]: {key: card[key] for key in METRIC} for card in cards}


def column_heads(
    frame: pd.DataFrame, kinds: Mapping[str, str], labels: Mapping[str, str]
) -> list[Payload]:
    """Return the heads of the columns that are shown: every column needs a format."""
    absent = [str(c) for c in kinds if c not in frame.columns]
    if absent:  # our own mistake and not the data's, which a CrmDataError would be taken for
        raise ValueError(f"columns named that the table does not have: {', '.join(absent)}")
    visible = [c for c in frame.columns if c != MARK_COLUMN]
    without = [str(c) for c in visible if c not in kinds]
    if without:
        raise ValueError(
            f"columns without a format: {', '.join(without)}. Name one each, or leave them out"
        )
    forms = [formats.format_of(kinds[c]) for c in visible]
    return [
        {
            "key": str(key),
            "label": labels.get(key, label_of_key(str(key))),
            "unit": form.unit,
            "format": kinds[key],
            "is_numeric": form.kind in {"money", "share", "number"},
        }
        for key, form in zip(visible, forms, strict=True)
    ]


def table_cells(
    frame: pd.DataFrame, *, kinds: Mapping[str, str], labels: Mapping[str, str], currency: str
) -> Payload:
    """Return the cells of a table twice: as they read (`rows`) and as they count (`values`)."""
    heads = column_heads(frame, kinds, labels)
    marks = frame[MARK_COLUMN].tolist() if MARK_COLUMN in frame.columns else [""] * len(frame)
    rows: list[list[str]] = []
    values: list[list[formats.Cell]] = []
    exact: list[list[float | None]] = []
    cells = zip(*(frame[str(head["key"])].tolist() for head in heads), strict=True)
    for mark, row in zip(marks, cells, strict=True):
        pairs = list(zip(heads, row, strict=True))
        rows.append([_cell_shown_as(value, head, mark, currency) for head, value in pairs])
        values.append([formats.round_cell(value, head["format"]) for head, value in pairs])
        exact.append([exact_number(value) if head["is_numeric"] else None for head, value in pairs])
    return {
        "columns": heads,
        "rows": rows,
        "values": values,
        "exact": exact,
        "marks": MARKS if any(marks) else "",
        "currency": currency,
    }


def label_of_key(key: str) -> str:
    """Return a key as a label: ``n_won`` is "N won"."""
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _cell_shown_as(value: object, head: Payload, mark: str, currency: str) -> str:
    if mark and formats.is_missing(value):
        return mark if head["key"] == N_COLUMN else HIDDEN
    return formats.cell_words(value, head["format"], currency)
