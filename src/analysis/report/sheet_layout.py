"""What every sheet of the workbook shares: styles, the lines on top, heads, cells, how it prints.

Every text is written as text, so that a name such as ``=HYPERLINK(...)`` stays a name.
"""

from __future__ import annotations

import math
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
        sheet.set_row(row, height * max(1, math.ceil(1.1 * len(text) / room)))
    return last


def write_heads(
    book: Workbook, sheet: Worksheet, row: int, heads: Sequence[tuple[str, bool]]
) -> None:
    """Write the heads of columns; those of numbers stand right."""
    for column, (head, is_numeric) in enumerate(heads):
        side = "right" if is_numeric else "left"
        style = cell_style(book, bold=True, bottom=1, text_wrap=True, align=side, valign="bottom")
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
        side = "right" if shape else "left"
        sheet.write_string(*at, text, cell_style(book, font_color=MUTED, align=side))
    else:
        words = str(value)
        sheet.write_string(*at, words, cell_style(book, text_wrap=len(words) > NARROWEST))


def fit_for_print(sheet: Worksheet, *, head_row: int, last_row: int, last_column: int) -> None:
    """Let a sheet print on A4 across, as wide as one page, its heads on every page."""
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head_row)
    sheet.print_area(0, 0, last_row, last_column)
    sheet.set_footer("&L&8&A&R&8Page &P of &N")
