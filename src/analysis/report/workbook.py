"""The numbers behind the report's figures and tables, a sheet each.

Numbers are numbers before rounding, in the format the report shows them in; what is hidden there is
hidden here.  Every text is written as text, so that a name such as ``=HYPERLINK(...)`` stays a
name.  The same document gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import xlsxwriter

from analysis.project.whole_file import write_whole
from analysis.report import formats, output, page_plan, quarterly_sheets
from analysis.report.sheet_layout import (
    ACCENT,
    MUTED,
    NARROWEST,
    WIDEST,
    cell_style,
    fit_for_print,
    set_height,
    write_cell,
    write_heads,
    write_top,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from xlsxwriter.workbook import Workbook

    from analysis.report.document import Document
    from analysis.report.markdown import Node

OPTIONS = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
HEAD_ROW = quarterly_sheets.HEAD_ROW
KEY_FIGURES = ("label", *(key for key in output.METRIC if key != "method"))
WIDTH_OF = {"Unit": 20, "Source": 26}  # of columns of the key figures [characters]


class _Earlier(NamedTuple):
    """Columns of earlier figures, and by headline what stands in them."""

    heads: list[str]
    values: dict[str, list[formats.Cell]]


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
            quarterly_sheets.write_quarterly_sheets(book, document, document["quarterly"])
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


def _contents(book: Workbook, document: Document) -> None:
    sheet = book.add_worksheet("Contents")
    lines = [
        f"{document['company']} · {document['quarter']} · data as of {document['as_of']}",
        *document["notices"],
        f"Run {document['facts']['run_id']}. Confidential.",
    ]
    widths = [18, 64, 44]
    last = write_top(book, sheet, document["title"], lines, widths)
    row = head_row = max(HEAD_ROW, len(lines) + 2)
    heads = [(head, False) for head in ("Sheet", "What it holds", "Chapter")]
    write_heads(book, sheet, row, heads, widths)
    listed = [
        (_name(node), node.get("title") or node["caption"], chapter)
        for chapter, node in _exhibits(document)
    ]
    if document["quarterly"]:
        listed = [*quarterly_sheets.quarterly_contents(document["quarterly"]), *listed]
    if document["cover"]:
        listed = [("Key figures", "The headlines, with interval, n and method", ""), *listed]
    for name, what, chapter in listed:
        row += 1
        set_height(sheet, row, [name, what, chapter], widths)
        link = cell_style(book, font_color=ACCENT, underline=1)
        sheet.write_url(row, 0, f"internal:'{name}'!A1", link, name)
        write_cell(book, sheet, (row, 1), what, what, "")
        sheet.write_string(row, 2, chapter, cell_style(book, font_color=MUTED, text_wrap=True))
    fit_for_print(sheet, head_row=head_row, last_row=row, last_column=last)


def _key_figures(book: Workbook, document: Document) -> None:
    """Write the headlines before rounding, each beside the quarter and the year before."""
    sheet = book.add_worksheet("Key figures")
    earlier = _earlier_figures(document)
    heads = [
        *(key.replace("_", " ").capitalize() for key in KEY_FIGURES[:5]),
        *earlier.heads,
        *(key.replace("_", " ").capitalize() for key in KEY_FIGURES[5:]),
    ]
    numeric = {"Estimate", "Low", "High", "N", *(h for h in earlier.heads if "asis" not in h)}
    widths = [32, *(WIDTH_OF.get(h, 11 if h in numeric else 14) for h in heads[1:])]
    lines = [
        f"{document['company']} · {document['quarter']}",
        "Low and high: 95% interval, or the spread between reps where every rep is counted.",
        "Estimates are not rounded, their formats round them; earlier figures are as shown then.",
    ]
    last = write_top(book, sheet, "Key figures", lines, widths)
    write_heads(book, sheet, HEAD_ROW, [(head, head in numeric) for head in heads], widths)
    row = HEAD_ROW
    for row, card in enumerate(document["cover"], start=HEAD_ROW + 1):
        shape = formats.spreadsheet_format(card["format"], card["currency"])
        exact = card.get("exact", {})
        numbers = [exact.get(k, card[k]) for k in ("estimate", "low", "high")]
        values = [
            card["label"], *numbers, card["unit"],
            *earlier.values.get(card["name"], [None] * len(earlier.heads)),
            *(card[key] for key in KEY_FIGURES[5:]),
        ]  # fmt: skip
        words = [v if isinstance(v, str) else None for v in values]
        set_height(sheet, row, words, widths)
        for column, (head, value) in enumerate(zip(heads, values, strict=True)):
            text = card["shown"]["value"] if head == "Estimate" else formats.MISSING
            number_format = "#,##0" if head == "N" else shape
            at = (row, column)
            write_cell(book, sheet, at, value, text, number_format if head in numeric else "")
    row += 2
    room = [widths[0], sum(widths[1:])]
    write_heads(book, sheet, row, [("Label", False), ("Method", False)], room)
    for card in document["cover"]:
        row += 1
        write_cell(book, sheet, (row, 0), card["label"], "", "")
        sheet.merge_range(row, 1, row, last, "", cell_style(book, text_wrap=True, indent=1))
        write_cell(book, sheet, (row, 1), card["method"], "", "")
        set_height(sheet, row, [card["label"], card["method"]], room)
    sheet.freeze_panes(HEAD_ROW + 1, 1)
    fit_for_print(sheet, head_row=HEAD_ROW, last_row=row, last_column=last)


def _earlier_figures(document: Document) -> _Earlier:
    """Return what each headline was last quarter and a year before, with change and basis."""
    quarterly = document["quarterly"]
    if not quarterly:
        return _Earlier([], {})
    heads = [
        head
        for quarter in (quarterly["before"], quarterly["year_before"])
        for head in (quarter, f"Change since {quarter}", f"Basis of {quarter}")
    ]
    values = {}
    for delta in quarterly["deltas"]:
        year = delta["year"] or {"then": None, "change": None, "basis": None}
        values[delta["name"]] = [
            None if row["then"] is None else row[key]  # what nobody has stands on nothing
            for row in (delta, year)
            for key in ("then", "change", "basis")
        ]
    return _Earlier(heads, values)


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
    columns = cells["columns"]
    heads = [f"{c['label']} [{c['unit']}]" if c["unit"] else c["label"] for c in columns]
    widths = []
    for column, head in enumerate(heads):
        longest = max([len(row[column]) for row in cells["rows"]] + [len(w) for w in head.split()])
        widths.append(min(max(longest + 2, NARROWEST), WIDEST))
    last = write_top(book, sheet, f"{_name(node)}. {title}", lines, widths)
    sides = [column["is_numeric"] for column in columns]
    write_heads(book, sheet, HEAD_ROW, list(zip(heads, sides, strict=True)), widths)
    exact = cells.get("exact") or [[None] * len(columns)] * len(cells["rows"])
    rows = zip(cells["rows"], cells["values"], exact, strict=True)
    for row, (texts, values, numbers) in enumerate(rows, start=HEAD_ROW + 1):
        set_height(sheet, row, texts, widths)
        for column, spec in enumerate(columns):
            shape = (
                formats.spreadsheet_format(spec["format"], cells["currency"])
                if spec["is_numeric"]
                else ""
            )
            value = values[column] if numbers[column] is None else numbers[column]
            write_cell(book, sheet, (row, column), value, texts[column], shape)
    sheet.freeze_panes(HEAD_ROW + 1, 1)
    last_row = HEAD_ROW + len(cells["rows"])
    fit_for_print(sheet, head_row=HEAD_ROW, last_row=last_row, last_column=last)
