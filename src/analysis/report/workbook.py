"""The numbers behind the report's figures and tables, a sheet each.

Numbers are numbers, rounded as the report shows them and formatted alike; every text is written as
text, so that a name such as ``=HYPERLINK(...)`` stays a name.  The same document gives the same
bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xlsxwriter

from analysis.project.whole_file import write_whole
from analysis.report import formats, output, page_plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from analysis.report.document import Document
    from analysis.report.markdown import Node

OPTIONS = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
HEAD_ROW = 5
SINCE_LAST = "Since last quarter"
CHANGES = (
    "Changes of a share are percentage points. Interval score: its width, and 10 times what a "
    "miss lay outside."
)
NARROWEST, WIDEST = 9, 46  # [characters]
KEY_FIGURES = ("label", *output.METRIC)
INK, MUTED, ACCENT = "#1F2933", "#596673", "#0B4F93"


def write_workbook(document: Document, path: Path, *, timestamp: datetime) -> None:
    """Write the workbook; a reader never sees half of it."""
    with write_whole(path) as part, xlsxwriter.Workbook(str(part), OPTIONS) as book:
        # Made at a fixed moment and by a fixed name, so that equal reports are equal files.
        book.set_properties(
            {
                "title": f"{document['title']}, {document['company']}, {document['quarter']}",
                "author": document["owner"],
                "keywords": f"run:{document['facts']['run_id']}",
                "created": timestamp.replace(tzinfo=None),
            }
        )
        _contents(book, document)
        if document["cover"]:
            _key_figures(book, document)
        if document["quarterly"]:
            _since_last(book, document, document["quarterly"])
        for _, node in _exhibits(document):
            _sheet(book, document, node)


def _exhibits(document: Document) -> Iterator[tuple[str, Node]]:
    """Yield figures and tables with their chapter, in the order in which the report numbers them."""  # noqa: E501
    chapters = document["chapters"]
    met = [(c["title"], n) for c in chapters if c["in_body"] for n in c["nodes"]]
    met += [
        (c["title"], n)
        for c in chapters
        for n in (c["details"] if c["in_body"] else page_plan.whole_chapter(c))
    ]
    met += [(c["title"], n) for c in document["appendix"] for n in c["nodes"]]
    yield from ((title, n) for title, n in met if n["kind"] in {"figure", "table"})


def _name(node: Node) -> str:
    # The name of a sheet never comes from the data: Excel forbids nine characters and more than 31.
    return f"{node['kind'].capitalize()} {node['number']}"


def _style(book: Workbook, **more: str | int | bool) -> Format:
    return book.add_format(
        {"font_name": "Calibri", "font_size": 10, "font_color": INK, "valign": "top", **more}
    )


def _top(book: Workbook, sheet: Worksheet, title: str, lines: list[str]) -> None:
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, title, _style(book, bold=True, font_size=13))
    for row, line in enumerate((line for line in lines if line), start=1):
        sheet.write_string(row, 0, line, _style(book, font_color=MUTED))


def _heads(book: Workbook, sheet: Worksheet, row: int, heads: list[tuple[str, bool]]) -> None:
    for column, (head, is_numeric) in enumerate(heads):
        side = "right" if is_numeric else "left"
        style = _style(book, bold=True, bottom=1, text_wrap=True, align=side, valign="bottom")
        sheet.write_string(row, column, head, style)


def _contents(book: Workbook, document: Document) -> None:
    sheet = book.add_worksheet("Contents")
    lines = [
        f"{document['company']} · {document['quarter']} · data as of {document['as_of']}",
        *document["notices"],
    ]
    _top(
        book,
        sheet,
        document["title"],
        [*lines, f"Run {document['facts']['run_id']}. Confidential."],
    )
    row = max(HEAD_ROW, len(lines) + 3)
    _heads(book, sheet, row, [("Sheet", False), ("What it holds", False), ("Chapter", False)])
    listed = [
        (_name(node), node.get("title") or node["caption"], chapter)
        for chapter, node in _exhibits(document)
    ]
    if document["cover"]:
        listed = [("Key figures", "The headlines, with interval, n and method", ""), *listed]
    if document["quarterly"]:
        listed = [
            *listed[:1],
            (SINCE_LAST, "Why figures moved, forecasts, actions", ""),
            *listed[1:],
        ]
    for name, what, chapter in listed:
        row += 1
        sheet.write_url(
            row, 0, f"internal:'{name}'!A1", _style(book, font_color=ACCENT, underline=1), name
        )
        sheet.write_string(row, 1, what, _style(book))
        sheet.write_string(row, 2, chapter, _style(book, font_color=MUTED))
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 64)
    sheet.set_column(2, 2, 44)


def _key_figures(book: Workbook, document: Document) -> None:
    sheet = book.add_worksheet("Key figures")
    _top(
        book,
        sheet,
        "Key figures",
        [f"{document['company']} · {document['quarter']}", "Low and high: 95% interval."],
    )
    numeric = {"estimate", "low", "high", "n"}
    _heads(
        book,
        sheet,
        HEAD_ROW,
        [(k.replace("_", " ").capitalize(), k in numeric) for k in KEY_FIGURES],
    )
    for row, card in enumerate(document["cover"], start=HEAD_ROW + 1):
        shape = formats.spreadsheet_format(card["format"], card["currency"])
        for column, key in enumerate(KEY_FIGURES):
            fallback = card["shown"]["value"] if key == "estimate" else formats.MISSING
            number_format = "#,##0" if key == "n" else shape
            _write(
                book,
                sheet,
                (row, column),
                card[key],
                fallback,
                number_format if key in numeric else "",
            )
    sheet.freeze_panes(HEAD_ROW + 1, 1)
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 3, 13)
    sheet.set_column(4, len(KEY_FIGURES) - 1, 22)


def _since_last(book: Workbook, document: Document, quarterly: dict[str, Any]) -> None:
    """Write the whole of the page of changes: a block a table, each with its heads."""
    sheet = book.add_worksheet(SINCE_LAST)
    _top(
        book,
        sheet,
        SINCE_LAST,
        [f"{document['company']} · {document['quarter']}", quarterly["forecast_note"], CHANGES],
    )
    before, following = quarterly["before"], quarterly["following"]
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
                **headline,
                "made": f"Forecast in {before}",
                "came": "Came out",
                "held": "80% interval",
                "score": "Interval score",
                "next": f"Forecast for {following}",
                "method": "By",
                "n": "Past errors",
            },
            quarterly["forecasts"],
        ),
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
    row = HEAD_ROW
    for heads, rows in blocks:
        _heads(book, sheet, row, [(h, False) for h in heads.values()])
        for row_of_change in rows:
            row += 1
            shape = (
                formats.spreadsheet_format(row_of_change["format"], row_of_change["currency"])
                if "format" in row_of_change
                else "#,##0"
            )
            for column, key in enumerate(heads):
                _write(book, sheet, (row, column), row_of_change[key], formats.MISSING, shape)
        row += 3
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, max(len(heads) for heads, _ in blocks) - 1, 22)


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


def _sheet(book: Workbook, document: Document, node: Node) -> None:
    cells = node["data"] if node["kind"] == "figure" else node
    sheet = book.add_worksheet(_name(node))
    title = node.get("title") or node["caption"]
    about = node["caption"] if node["kind"] == "figure" else node["note"]
    lines = [
        about,
        cells["marks"],
        f"Source: {node['source']}",
        f"{document['company']} · {document['quarter']}",
    ]
    _top(book, sheet, f"{_name(node)}. {title}", lines)
    columns = cells["columns"]
    heads = [f"{c['label']} [{c['unit']}]" if c["unit"] else c["label"] for c in columns]
    _heads(
        book, sheet, HEAD_ROW, [(h, c["is_numeric"]) for h, c in zip(heads, columns, strict=True)]
    )
    for column, spec in enumerate(columns):
        shape = (
            formats.spreadsheet_format(spec["format"], cells["currency"])
            if spec["is_numeric"]
            else ""
        )
        texts = [row[column] for row in cells["rows"]]
        values = [row[column] for row in cells["values"]]
        for row, (text, value) in enumerate(zip(texts, values, strict=True), start=HEAD_ROW + 1):
            _write(book, sheet, (row, column), value, text, shape)
        longest = max(map(len, [*texts, *heads[column].split()]), default=NARROWEST)
        sheet.set_column(column, column, min(max(longest + 2, NARROWEST), WIDEST))
    sheet.freeze_panes(HEAD_ROW + 1, 1)


def _write(
    book: Workbook,
    sheet: Worksheet,
    at: tuple[int, int],
    value: formats.Cell,
    text: str,
    shape: str,
) -> None:
    """Write a number where there is one, else the text that the report shows."""
    if shape and isinstance(value, int | float):
        sheet.write_number(*at, value, _style(book, num_format=shape))
    elif value is None or isinstance(value, bool):
        sheet.write_string(
            *at, text, _style(book, font_color=MUTED, align="right" if shape else "left")
        )
    else:
        sheet.write_string(*at, str(value), _style(book))
