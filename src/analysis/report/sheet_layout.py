"""What every sheet of the workbook shares: styles, the lines on top, heads, cells, how it prints.

Every text is written as text, so that a name such as ``=HYPERLINK(...)`` stays a name.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from analysis.report import formats

INK, MUTED, ACCENT = "#1F2933", "#596673", "#0B4F93"
NARROWEST, WIDEST = 9, 46  # of a column [characters]
LEAST_WIDTH = 90  # to which the lines on top may run, however narrow the table [characters]
LINE_HEIGHT = 14  # [pt]
ROOM_FOR_TEXT = 0.95  # of a column's width
A4 = 9


def cell_style(book: Workbook, **more: str | int | bool) -> Format:
    """Return a format in the workbook's type."""
    return book.add_format(
        {"font_name": "Calibri", "font_size": 10, "font_color": INK, "valign": "top", **more}
    )


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> int:
    """Set the widths of columns, and of empty ones up to `LEAST_WIDTH`; return the last column."""
    all_widths = list(widths)
    while sum(all_widths) < LEAST_WIDTH or len(all_widths) < 2:
        all_widths.append(min(WIDEST, max(NARROWEST, LEAST_WIDTH - sum(all_widths))))
    for column, width in enumerate(all_widths):
        sheet.set_column(column, column, width)
    return len(all_widths) - 1


def write_top(
    book: Workbook, sheet: Worksheet, title: str, lines: Sequence[str], widths: Sequence[float]
) -> int:
    """Write a title and lines over all columns, as high as they need; return the last column."""
    sheet.hide_gridlines(2)
    last = set_widths(sheet, widths)
    room = max(LEAST_WIDTH, sum(widths))
    styles = [
        cell_style(book, bold=True, font_size=13, text_wrap=True),
        *(cell_style(book, font_color=MUTED, text_wrap=True) for _ in lines),
    ]
    texts = [title, *filter(None, lines)]
    for row, (text, style) in enumerate(zip(texts, styles, strict=False)):
        sheet.merge_range(row, 0, row, last, "", style)
        sheet.write_string(row, 0, text, style)
        height = LINE_HEIGHT + (4 if row == 0 else 0)
        sheet.set_row(row, height * _lines(text, room))
    return last


def _lines(text: str, width: float) -> int:
    return max(1, len(textwrap.wrap(text, max(1, int(width * ROOM_FOR_TEXT)))))


def set_height(
    sheet: Worksheet, row: int, texts: Sequence[str | None], widths: Sequence[float]
) -> None:
    """Make a row as high as its longest wrapped text; some programs do not do so by themselves."""
    lines = [_lines(text, width) for text, width in zip(texts, widths, strict=False) if text]
    if max(lines, default=1) > 1:
        sheet.set_row(row, LINE_HEIGHT * max(lines))


def write_heads(
    book: Workbook,
    sheet: Worksheet,
    row: int,
    heads: Sequence[tuple[str, bool]],
    widths: Sequence[float],
) -> None:
    """Write the heads of columns; those of numbers stand right."""
    set_height(sheet, row, [head for head, _ in heads], widths)
    for column, (head, is_numeric) in enumerate(heads):
        side = "right" if is_numeric else "left"
        style = cell_style(
            book, bold=True, bottom=1, text_wrap=True, align=side, valign="bottom",
            indent=0 if is_numeric else _indent(column),
        )  # fmt: skip
        sheet.write_string(row, column, head, style)


def write_cell(
    book: Workbook,
    sheet: Worksheet,
    at: tuple[int, int],
    value: formats.Cell,
    text: str,
    shape: str,
) -> None:
    """Write a number where there is one, else the text that the report shows."""
    if shape and isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(*at, value, cell_style(book, num_format=shape))
    elif value is None or isinstance(value, bool):
        side, indent = ("right", 0) if shape else ("left", _indent(at[1]))
        style = cell_style(book, font_color=MUTED, align=side, indent=indent)
        sheet.write_string(*at, text, style)
    else:
        words = str(value)
        style = cell_style(
            book, text_wrap=len(words) > NARROWEST, align="left", indent=_indent(at[1])
        )
        sheet.write_string(*at, words, style)


def _indent(column: int) -> int:
    """Return how far a text stands in: it may follow a number, which stands right."""
    return min(column, 1)


def fit_for_print(sheet: Worksheet, *, head_row: int, last_row: int, last_column: int) -> None:
    """Let a sheet print on A4 across, as wide as one page, its heads on every page."""
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head_row)
    sheet.print_area(0, 0, last_row, last_column)
    sheet.set_footer("&L&8&A&R&8Page &P of &N")
