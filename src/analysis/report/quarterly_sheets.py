"""Sheets of the workbook that look back and ahead: what moved, quarterly series, forecasts.

Series are drawn by the spreadsheet itself, so that whoever edits a number sees the line move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.report import formats
from analysis.report.sheet_layout import (
    ACCENT,
    fit_for_print,
    set_height,
    write_cell,
    write_heads,
    write_top,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from analysis.report.document import Document
    from analysis.report.output import Payload

HEAD_ROW = 5
SINCE_LAST = "Since last quarter"
SERIES = "Quarterly series"
FORECASTS = "Forecasts"
CHANGES = (
    "Changes of a share are percentage points. The page of the report shows what it has room for, "
    "this sheet all of it."
)
CHART_WIDTH, CHART_HEIGHT, CHART_ROWS, CHARTS_ACROSS = 460, 250, 14, 2
SERIES_WIDTH = 19  # of a column of the series [characters]
FEWEST_COLUMNS = 7  # beside the quarter: two charts have room above them


def write_quarterly_sheets(book: Workbook, document: Document, quarterly: dict[str, Any]) -> None:
    """Write the sheets of what moved, of the series and of the forecasts."""
    _since_last(book, document, quarterly)
    if quarterly["series"] or quarterly["published"]:
        _series(book, document, quarterly)
    if quarterly["forecasts_scored"] or quarterly["forecasts_made"]:
        _forecasts(book, document, quarterly)


def quarterly_contents(quarterly: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the rows of the table of contents for these sheets."""
    rows = [(SINCE_LAST, "Why figures moved, actions", "")]
    if quarterly["series"] or quarterly["published"]:
        rows.append((SERIES, "Headlines over the quarters, with charts", ""))
    if quarterly["forecasts_scored"] or quarterly["forecasts_made"]:
        rows.append((FORECASTS, "Forecasts with 80% interval, made and scored", ""))
    return rows


def _shape(row: Mapping[str, Any]) -> str:
    return (
        formats.spreadsheet_format(row["format"], row["currency"]) if "format" in row else "#,##0"
    )


def _where(document: Document) -> str:
    return f"{document['company']} · {document['quarter']}"


def _since_last(book: Workbook, document: Document, quarterly: dict[str, Any]) -> None:
    """Write the whole of the page of changes: a block a table, each with its heads."""
    sheet = book.add_worksheet(SINCE_LAST)
    before = quarterly["before"]
    parts = {
        "change": "Change",
        "movement": "The company's own movement",
        "code": "Code",
        "parameters": "Parameters",
        "data": "Data",
        "says": "Says",
        "verdict_then": "Verdict then",
        "verdict": "Verdict now",
        "n": "n now",
        "source": "Source",
    }
    headline = {"label": "Headline", "unit": "Unit"}
    blocks = [
        (
            {**headline, "then": f"Published for {before}", "now": "This quarter", **parts},
            quarterly["deltas"],
        ),
        (
            {
                **headline,
                "against": "Against",
                "basis": "Then",
                "driver": "Driver",
                "amount": "Moved it by",
            },
            _driver_rows(quarterly),
        ),
        ({**headline, "then": "First published", "now": "Today", **parts}, quarterly["restated"]),
        (
            {
                "text": "Action",
                "owner": "Owner",
                "due": "Due",
                "state": "State",
                "measured": "Its figure",
            },
            quarterly["actions"],
        ),
    ]
    widths = [32, 16, 12, 14, 24, 14, 11, 11, 11, 40, 12, 12, 14, 18]
    lines = [_where(document), CHANGES]
    last = write_top(book, sheet, SINCE_LAST, lines, widths)
    row = HEAD_ROW
    for heads, rows in blocks:
        write_heads(book, sheet, row, [(h, False) for h in heads.values()], widths)
        for row_of_change in rows:
            row += 1
            words = [row_of_change[key] for key in heads]
            set_height(sheet, row, [w if isinstance(w, str) else None for w in words], widths)
            for column, key in enumerate(heads):
                value = row_of_change[key]
                write_cell(
                    book, sheet, (row, column), value, formats.MISSING, _shape(row_of_change)
                )
        row += 3
    fit_for_print(sheet, head_row=0, last_row=row, last_column=last)


def _driver_rows(quarterly: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row a headline, quarter compared with and driver."""
    rows = []
    for delta in quarterly["deltas"]:
        for against, compared in (
            (quarterly["before"], delta),
            (quarterly["year_before"], delta["year"] or {"parts": [], "basis": ""}),
        ):
            rows += [
                {
                    **{k: delta[k] for k in ("label", "unit", "format", "currency")},
                    "against": against,
                    "basis": compared["basis"],
                    "driver": words,
                    "amount": amount,
                }
                for words, amount in compared["parts"]
            ]
    return rows


def _series(book: Workbook, document: Document, quarterly: dict[str, Any]) -> None:
    """Write headlines a quarter a row: by today's data, with a chart each, and as published."""
    sheet = book.add_worksheet(SERIES)
    cards = {card["name"]: card for card in document["cover"]}
    today = {n: values for n, values in quarterly["series"].items() if n in cards and values}
    published = _published_series(cards, quarterly)
    widths = [14, *[SERIES_WIDTH] * max(len(today), len(published), FEWEST_COLUMNS)]
    lines = [
        _where(document),
        "First table: every quarter by today's data and code. Second: what each report published.",
    ]
    last = write_top(book, sheet, SERIES, lines, widths)
    row = HEAD_ROW
    if today:
        end = _series_table(book, sheet, row, [cards[n] for n in today], list(today.values()))
        row = _charts(book, sheet, (row, end), [cards[n] for n in today]) + 2
    if published:
        names = [cards[n] for n in published]
        row = _series_table(book, sheet, row, names, list(published.values())) + 1
    sheet.freeze_panes(HEAD_ROW + 1, 1)
    fit_for_print(sheet, head_row=HEAD_ROW, last_row=row, last_column=last)


def _published_series(
    cards: Mapping[str, Payload], quarterly: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Return by headline what the report of each quarter said, this one's included."""
    reports = {
        **quarterly["published"],
        quarterly["quarter"]: {
            n: c["estimate"] for n, c in cards.items() if c["estimate"] is not None
        },
    }
    return {
        name: {q: figures[name] for q, figures in reports.items() if name in figures}
        for name in cards
        if any(name in figures for figures in reports.values())
    }


def _series_table(
    book: Workbook,
    sheet: Worksheet,
    row: int,
    cards: Sequence[Payload],
    series: Sequence[Mapping[str, float]],
) -> int:
    """Write one table of series from `row` on; return its last row."""
    quarters = sorted({quarter for values in series for quarter in values})
    heads = [("Quarter", False), *((_head(card), True) for card in cards)]
    write_heads(book, sheet, row, heads, [SERIES_WIDTH] * len(heads))
    for at, quarter in enumerate(quarters, start=row + 1):
        write_cell(book, sheet, (at, 0), quarter, quarter, "")
        for column, (card, values) in enumerate(zip(cards, series, strict=True), start=1):
            value = values.get(quarter)
            write_cell(book, sheet, (at, column), value, formats.MISSING, _shape(card))
    return row + len(quarters)


def _head(card: Payload) -> str:
    unit = card["shown"]["unit"]
    return f"{card['label']} [{unit}]" if unit else str(card["label"])


def _charts(
    book: Workbook, sheet: Worksheet, rows: tuple[int, int], cards: Sequence[Payload]
) -> int:
    """Draw each column of the table that `rows` begin and end; return the row below the charts."""
    head, end = rows
    start = end + 2
    if end - head < 2:
        return start
    for i, card in enumerate(cards):
        chart = book.add_chart({"type": "line"})
        chart.add_series(
            {
                "name": [SERIES, head, i + 1],
                "categories": [SERIES, head + 1, 0, end, 0],
                "values": [SERIES, head + 1, i + 1, end, i + 1],
                "line": {"color": ACCENT, "width": 1.75},
                "marker": {"type": "circle", "size": 4, "fill": {"color": ACCENT}},
            }
        )
        chart.set_title({"name": card["label"], "name_font": {"size": 11}, "overlay": False})
        chart.set_legend({"none": True})
        chart.set_y_axis({"num_format": _shape(card), "major_gridlines": {"visible": True}})
        chart.set_size({"width": CHART_WIDTH, "height": CHART_HEIGHT})
        down, across = divmod(i, CHARTS_ACROSS)
        about = {
            "description": f"Line of {card['label']} over {end - head} quarters",
            "x_offset": across * (CHART_WIDTH + 20),
        }
        sheet.insert_chart(start + down * CHART_ROWS, 0, chart, about)
    return start + CHART_ROWS * -(-len(cards) // CHARTS_ACROSS)


def _forecasts(book: Workbook, document: Document, quarterly: dict[str, Any]) -> None:
    """Write forecasts as numbers: what was foretold for this quarter, and for the one after."""
    sheet = book.add_worksheet(FORECASTS)
    now, following = str(quarterly["quarter"]), str(quarterly["following"])
    heads = [
        "Headline", "Unit",
        f"Forecast for {now}", "Low", "High", "Came out", "Inside the interval", "Interval score",
        f"Forecast for {following}", "Low", "High", "By", "Past errors",
    ]  # fmt: skip
    widths = [36, 26, *[13] * (len(heads) - 4), 34, 11]
    lines = [
        _where(document),
        quarterly["forecast_note"],
        "Low and high: 80% interval. Score: its width, and 10 times what a miss lay outside.",
    ]
    last = write_top(book, sheet, FORECASTS, lines, widths)
    is_text = {"Headline", "Unit", "Inside the interval", "By"}
    write_heads(book, sheet, HEAD_ROW, [(h, h not in is_text) for h in heads], widths)
    row = HEAD_ROW
    for card in document["cover"]:
        scored = quarterly["forecasts_scored"].get(card["name"], {})
        next_one = quarterly["forecasts_made"].get(card["name"], {})
        if not (scored or next_one):
            continue
        row += 1
        in_range = {True: "yes", False: "no"}.get(scored.get("is_inside"), formats.MISSING)
        cells = [
            card["label"], card["shown"]["unit"],
            *(scored.get(k) for k in ("estimate", "low", "high", "came")),
            in_range, scored.get("interval_score"),
            *(next_one.get(k) for k in ("estimate", "low", "high")), next_one.get("method"),
        ]  # fmt: skip
        set_height(sheet, row, [c if isinstance(c, str) else None for c in cells], widths)
        for column, value in enumerate(cells):
            shape = "" if heads[column] in is_text else _shape(card)
            write_cell(book, sheet, (row, column), value, formats.MISSING, shape)
        write_cell(book, sheet, (row, len(cells)), next_one.get("n"), formats.MISSING, "#,##0")
    sheet.freeze_panes(HEAD_ROW + 1, 1)
    fit_for_print(sheet, head_row=HEAD_ROW, last_row=row, last_column=last)
