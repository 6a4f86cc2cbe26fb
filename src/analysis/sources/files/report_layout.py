"""Titles, totals and footers that a CRM adds to the rows of an exported report.

Titles, totals, merged cells and a footer.

Nothing of it may count as a record, and no record may be lost for looking like it: a footer is the
block behind the last blank line whose lines fill one cell each, a total is a row without a key
whose amount is the sum of the rows above.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, NamedTuple

from analysis.sources import field_maps, recognise
from analysis.sources.database import has_row, quote_identifier
from analysis.sources.files import csv_dialect, encodings, grouped_reports
from analysis.sources.files.text_table import BrokenLine, n_filled
from analysis.sources.sql_files import read_statements
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import duckdb

    from analysis.sources.files.text_table import Row

SQL = read_statements(__name__)
LONGEST_FOOTER = 40  # lines
TAIL = 1 << 16
TITLE, FOOTER, TOTAL, FALSE_TOTAL, BLANK = (
    "report_title",
    "report_footer",
    "report_total",
    "unverified_total",
    "blank_row",
)

_WORDS = (
    "(sub[ -]?totals?|grand[ -]?totals?|totals?|sums?|(gesamt|zwischen)?summe|gesamt(ergebnis)?|"
    "total g[eé]n[eé]ral|sous-total|subtotales?|totale|(record |row )?counts?|anzahl( datens[aä]tze)?|recuento|nombre|"
    "avg|average|averages|durchschnitt|mittelwert|moyenne|promedio|średnia|razem|łącznie|suma|ilość|liczba|"
    'итого|всего|合計|合计|小計|小计|totaal|subtotaal|totalt|celkem|yhteensä|toplam|összesen|σύνολο|סה"כ|المجموع)'
)
_RECORDS = r"\([0-9.,]+ (records?|rows?|datens[aä]tze?|registros?|enregistrements?)\)"
IS_TOTAL = (
    rf"\s*{_WORDS}\s*:?\s*({_RECORDS})?\s*"  # all a cell says, so that Total Energies is none
)
HAS_RECORDS = rf".*{_RECORDS}\s*"


# What a title or a header says of the unit of amounts, in the words of reports and of spreadsheets.
_SCALES = (
    "thousands?|millions?|tausend|tsd|t(?:eur|chf|usd|gbp)|millionen|mio|milliers|millones|miles|mil|"
    "tys|mln|tkr"
)
IN_OTHER_UNITS = re.compile(
    rf"\b(?:in|en|em|w|i) (?:{_SCALES})\b"
    r"|\bin [km](?= ?(?:[A-Z]{3}\b|[€$£¥])|\s*$|[)\],;])"
    rf"|[(\[]\s*(?:[A-Z€$£¥]{{0,3}} ?)(?:'?000s?|{_SCALES}|[km])\b(?!&)[^)\]]{{0,12}}[)\]]"
    r"|x ?1[.,' ]?000\b",
    re.IGNORECASE,
)


class Footer(NamedTuple):
    """The block at a file's end that is not data.

    Where it begins, and the lines in it that are not blank.
    """

    at: int  # bytes of the file before it
    lines: tuple[int, ...]


def title_lines(file: str, before: Sequence[str]) -> list[BrokenLine]:
    """Return the lines above a header that are not blank."""
    return [
        BrokenLine(file, n, "above the header", TITLE)
        for n, text in enumerate(before, 1)
        if text.strip(" ,;\t|\r\n\"'")
    ]


def require_whole_units(titles: Iterable[str]) -> None:
    """Refuse a report whose title says that its amounts are in thousands or millions.

    Raises
    ------
    ValueError
        With the words that say so.
    """
    for title in titles:
        if unit := IN_OTHER_UNITS.search(title):
            raise ValueError(
                f'a line above its header says "{unit.group().strip()}": export amounts in '
                "whole units, or write them out and take the line away"
            )


def find_footer(file: Path, survey: encodings.Survey, how: csv_dialect.Dialect) -> Footer | None:
    """Return the footer of a report export, if it has one."""
    if len(how.header) < 2:
        return None
    step = 2 if survey.encoding.startswith("utf-16") else 1
    start = max(survey.mark, survey.size - TAIL)
    start += (start - survey.mark) % step
    with file.open("rb") as stream:
        stream.seek(start)
        raw = stream.read()
    ends = csv_dialect.split_lines(
        raw.decode(survey.encoding, "surrogateescape" if step == 1 else "replace")
    )
    first = len(ends)
    while first and len(ends) - first <= LONGEST_FOOTER:
        line = ends[first - 1]
        if line.count(how.quote) % 2 or n_filled(_cells(line, how)) > 1:
            break
        first -= 1
    block = ends[first:]
    blank = next((i for i, line in enumerate(block) if not n_filled(_cells(line, how))), None)
    if blank is None or len(ends) - first > LONGEST_FOOTER or (first == 0 and start > survey.mark):
        return None
    filled = [i for i in range(blank, len(block)) if n_filled(_cells(block[i], how))]
    if not filled or survey.n_lines - len(block) + blank < how.header_line:
        return None
    size = sum(
        len(line.encode(survey.encoding, "surrogateescape" if step == 1 else "replace"))
        for line in block[blank:]
    )
    return Footer(survey.size - size, tuple(survey.n_lines - len(block) + i + 1 for i in filled))


def _cells(line: str, how: csv_dialect.Dialect) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=how.delimiter, quotechar=how.quote), [])
    except csv.Error:
        return [line, line]


def without_footer(
    rows: Iterable[Row], broken: list[BrokenLine], file: str, width: int
) -> Iterator[Row]:
    """Yield the rows of a sheet up to its footer; the footer's and blank ones go to `broken`."""
    waiting: list[Row] = []
    for number, cells in rows:
        filled = n_filled(cells)
        if filled == 0 or (
            waiting and filled == 1 and width > 1 and len(waiting) <= LONGEST_FOOTER
        ):
            waiting.append((number, cells))
            continue
        yield from (row for row in waiting if n_filled(row[1]))
        waiting = []
        yield number, cells
    broken += [
        BrokenLine(file, n, "behind the last row", FOOTER)
        for n, cells in waiting
        if n_filled(cells)
    ]


def key_of(layouts: Sequence[field_maps.ExportLayout], header: Sequence[str]) -> int | None:
    """Return the place of the column that holds a record's key."""
    places = {recognise.normalise_header(c): i for i, c in enumerate(header)}
    for layout in layouts:
        keys = TABLES[layout.table].key if layout.table else ()
        sources = {f.name: f.source for f in layout.fields if f.source}
        for source in [*(sources[k] for k in keys if k in sources), *layout.needs]:
            if (place := places.get(recognise.normalise_header(source))) is not None:
                return place
    return None


def _numbers(layouts: Sequence[field_maps.ExportLayout], header: Sequence[str]) -> list[int]:
    """Return the places of the columns that hold numbers."""
    read = {
        recognise.normalise_header(f.source)
        for e in layouts
        for f in e.fields
        if f.source and f.parser in {"number", "count"}
    }
    return [i for i, c in enumerate(header) if recognise.normalise_header(c) in read]


def _candidates(connection: duckdb.DuckDBPyConnection, table: str, key: int, width: int) -> bool:
    """Make the table ``totals``: rows without a key, or with a total's word for one.

    Return whether there are any.
    """
    n_totals = connection.execute(
        SQL["totals"],
        {
            "table": table,
            "key": f"c{key}",
            "cells": [f"c{i}" for i in range(width)],
            "total": IS_TOTAL,
            "records": HAS_RECORDS,
        },
    ).fetchone()
    if not n_totals or not n_totals[0]:
        return False
    connection.execute("delete from totals where not is_total and not is_blank")
    return has_row(connection, "totals")


def _verified(
    connection: duckdb.DuckDBPyConnection, table: str, numbers: list[int]
) -> dict[int, bool]:
    """Return for each total whether one of its amounts is the sum of rows above it, or one of its
    cells their number (or it has no amount).
    """
    if not numbers:
        return dict(
            connection.execute(
                "select source_row, is_keyless from totals where is_total"
            ).fetchall()
        )
    connection.execute(SQL["macros"])
    rows = connection.execute(
        SQL["sums_above"], {"table": table, "numbers": [f"c{i}" for i in numbers]}
    ).fetchall()
    n = len(numbers)
    verdicts: dict[int, bool] = {}
    before: list[list[float]] = [[0.0] for _ in numbers]
    rows_before = {0}
    for source_row, _, is_keyless, n_above, whole_numbers, *cells in rows:
        matches, is_filled = [any(n_above - b in whole_numbers for b in rows_before)], False
        rows_before.add(n_above)
        for i, (so_far, filled, total) in enumerate(
            zip(cells[:n], cells[n : 2 * n], cells[2 * n :], strict=True)
        ):
            so_far_amount = float(so_far or 0)
            is_filled = is_filled or filled
            matches.append(
                total is not None
                and any(abs(so_far_amount - b - float(total)) < 0.006 for b in before[i])
            )
            before[i].append(so_far_amount)
        verdicts[source_row] = any(matches) or (is_keyless and not is_filled)
    return verdicts


def take_out(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    file: str,
    header: Sequence[str],
    layouts: Sequence[field_maps.ExportLayout],
    *,
    has_title: bool = False,
) -> tuple[list[BrokenLine], list[str]]:
    """Take totals and blank rows out of a text table and fill merged group cells.

    Return both accounts.
    """
    key = key_of(layouts, header)
    if key is None or not _candidates(connection, table, key, len(header)):
        return [], grouped_reports.fill_groups(
            connection, table, header, layouts, has_title=has_title
        )
    verdicts = _verified(connection, table, _numbers(layouts, header))
    blanks = connection.execute(
        "select source_row from totals where is_blank order by source_row"
    ).fetchall()
    broken = [BrokenLine(file, n, "no cell is filled", BLANK) for (n,) in blanks]
    broken += [
        BrokenLine(
            file,
            n,
            "a total of the rows above" if fits else "called a total, but no sum of rows above",
            rule,
        )
        for n, fits in verdicts.items()
        for rule in [TOTAL if fits else FALSE_TOTAL]
    ]
    connection.execute(
        f"delete from {quote_identifier(table)} where source_row in (select source_row from totals)"
    )
    notes = grouped_reports.fill_groups(
        connection, table, header, layouts, has_title=has_title, has_totals=any(verdicts.values())
    )
    return broken, notes
