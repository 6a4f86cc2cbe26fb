"""A delimited text → a text table, with every line of it accounted for.

The header is known before the body is read, so a header that is not written as CSV asks is left out
and one of our own put in its place.  Behind the reading the lines are counted: rows, the line ends
within their cells, broken lines and blank ones are all the lines there are, or the file is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.sources.composed_sql import create_table
from analysis.sources.database import count_rows, quote_identifier
from analysis.sources.files.text_table import BrokenLine
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from analysis.sources.files.csv_dialect import Dialect

SQL = read_statements(__name__)
LONGEST_REJECT = 10_000  # of a broken record the engine keeps so many bytes
CHUNK = 1 << 20
FEWEST_ALIKE = 10  # rows of one shape or value: below that no cell is cut, it is only another
NARROWEST = 3  # columns: below that any sentence of two lines looks like a row


class Body(NamedTuple):
    """Where the rows of a file stand: a header of one line, then `n_lines` lines."""

    file: Path
    n_lines: int


def _swallowed(line: int, record: str) -> range:
    """Return the lines of the file that a broken record covers.

    A stray quote takes those after it along.
    """
    text = record.strip("\r\n")
    if len(text.encode("utf-8", "replace")) >= LONGEST_REJECT - 1 and "\n" in text:
        raise ValueError(
            f"a quote that opens near line {line} is never closed, so its rows cannot be told apart"
        )
    return range(line, line + 1 + text.count("\n"))


def load_texts(
    connection: duckdb.DuckDBPyConnection,
    body: Body,
    name: str,
    table: str,
    how: Dialect,
    *,
    is_read: bool,
) -> list[BrokenLine]:
    """Materialise all columns as texts c0, c1, ...; return the broken lines.

    Rows are numbered as their lines where a line is a row, else as the records of the file, broken
    ones counted.
    """
    before = how.header_end - 1
    values = {
        "file": re.sub(r"([*?[])", r"[\1]", str(body.file)),  # a name, never a pattern
        "delimiter": how.delimiter,
        "quote": how.quote,
        "first": before + 1,
        "columns": {f"c{i}": "VARCHAR" for i in range(len(how.header))},
    }
    create_table(connection, table, SQL["texts" if is_read else "row_numbers"], values)
    broken = connection.execute(SQL["broken_lines"]).fetchall()
    lines = [
        BrokenLine(name, n + before, problem.lower())
        for line, problem, text in broken
        for n in _swallowed(line, text or "")
    ]
    n_rows = count_rows(connection, table)
    is_line = n_rows + len(lines) == body.n_lines
    if not is_line and is_read:
        _require_all(connection, table, body, how, n_rows, [text or "" for *_, text in broken])
    _renumber(
        connection,
        table,
        [b.line for b in lines] if is_line else [line + before for line, *_ in broken],
    )
    if not is_line and is_read:
        lines += _rows_in_cells(connection, table, name, how)
    return lines


def _renumber(connection: duckdb.DuckDBPyConnection, table: str, aside: list[int]) -> None:
    """Let the numbers of a table's rows count those set aside among them, of which `aside` are the
    numbers.
    """
    begins = [number - n for n, number in enumerate(sorted(aside))]
    if begins:
        connection.execute(
            (
                f"update {quote_identifier(table)} set source_row = source_row + "
                "len(list_filter($begins, lambda b: b <= source_row))"
            ),
            {"begins": begins},
        )


def _blank_lines(file: Path) -> int:
    """Return how many lines of a file are empty."""
    n_blank, last = 0, b""
    with file.open("rb") as stream:
        while piece := stream.read(CHUNK):
            ends = np.frombuffer((last + piece).replace(b"\r", b""), np.uint8) == ord("\n")
            n_blank += int(np.count_nonzero(ends[1:] & ends[:-1]))
            last = (
                b"\n"
                if piece.rstrip(b"\r").endswith(b"\n")
                else (last if not piece.strip(b"\r") else b"")
            )
    return n_blank


def _require_all(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    body: Body,
    how: Dialect,
    n_rows: int,
    broken: list[str],
) -> None:
    """Refuse a file whose lines are more than its rows, broken and blank lines.

    Some would be lost.
    """
    within = connection.execute(SQL["line_ends"], {"table": table}).fetchone() or (0, 0)
    n_ends, n_runs = int(within[0]), int(within[1])
    texts = [text.replace("\r", "").strip("\n") for text in broken]
    n_broken = sum(1 + text.count("\n") for text in texts)
    n_blank = _blank_lines(body.file) - (n_ends - n_runs)
    n_blank -= sum(text.count("\n") - len(re.findall(r"\n+", text)) for text in texts)
    n_found = n_rows + n_ends + n_broken + (n_blank if len(how.header) > 1 else 0)
    if n_found != body.n_lines:
        raise ValueError(
            f"it has {body.n_lines:,} lines below its header, but rows and broken lines account "
            f"for {n_found:,}: a quote stands where none belongs. Save it as CSV UTF-8 anew"
        )


def _rows_in_cells(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, how: Dialect
) -> list[BrokenLine]:
    """Set aside rows of which a cell has swallowed others, for a quote opens there and another
    closes it.

    Such a cell holds, for every line end in it, the delimiters of a whole row, and behind a line
    end what the first column holds elsewhere.
    """
    width = len(how.header)
    if width < NARROWEST:
        return []
    quote, delimiter = re.escape(how.quote), re.escape(how.delimiter)
    connection.execute(SQL["first_shapes"], {"table": table})
    suspects = connection.execute(
        SQL["rows_with_others_inside"],
        {
            "table": table,
            "delimiter": how.delimiter,
            "n_delimiters": width - 1,
            "first_cell": rf"\n\s*{quote}?([^\n{delimiter}{quote}]*)",
        },
    ).fetchall()
    if not suspects:
        return []
    connection.execute(
        f"delete from {quote_identifier(table)} where source_row in (select unnest($rows))",
        {"rows": [n for n, _ in suspects]},
    )
    problem = "a cell of it holds whole rows: a quote is missing"
    return [
        BrokenLine(name, line, problem) for row, n in suspects for line in range(row, row + n + 1)
    ]


def ends_within_a_cell(connection: duckdb.DuckDBPyConnection, table: str, n_columns: int) -> bool:
    """Return whether the last row's last cell is cut off: the mere beginning of a value that other
    rows have.

    Its column is one of few shapes (digits and letters stood for by 0 and x) or of few words, the
    cell has none of them, and one of them begins as it does.  Numbers of any length show no cut.
    """
    for is_shape in (False, True):
        last, forms, n_rows, of_any_length = connection.execute(
            SQL["last_cell"],
            {"table": table, "cell": f"c{n_columns - 1}", "is_shape": is_shape},
        ).fetchone() or ("", [], 0, True)
        if last is None or not forms or of_any_length or n_rows < FEWEST_ALIKE * len(forms):
            continue
        if last not in forms and any(one.startswith(last) for one in forms):
            return True
    return False
