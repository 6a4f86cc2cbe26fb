"""A delimited text → a text table, with every line of it accounted for.

The header is known before the body is read, so a header that is not written as CSV asks is left out
and one of our own put in its place.  Behind the reading the lines are counted: rows, the line ends
within their cells, broken lines and blank ones are all the lines there are, or the file is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.sources.database import quote_identifier, quote_literal
from analysis.sources.files.text_table import BrokenLine

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from analysis.sources.files.csv_dialect import Dialect

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
    columns = "{" + ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(how.header))) + "}"
    rows = "*" if is_read else "null::varchar as c0"
    connection.execute(
        f"""create table {quote_identifier(table)} as
        select row_number() over () + $first as source_row, {rows}
        from read_csv($file, all_varchar = true, auto_detect = false, header = true, delim = $delimiter,
          quote = $quote, escape = $quote, columns = {columns}, store_rejects = true)""",
        {
            "file": re.sub(r"([*?[])", r"[\1]", str(body.file)),  # a name, never a pattern
            "delimiter": how.delimiter,
            "quote": how.quote,
            "first": before + 1,
        },
    )
    broken = connection.execute(
        "select line, min(error_type::varchar), any_value(csv_line) from reject_errors group by line order by line"
    ).fetchall()
    lines = [
        BrokenLine(name, n + before, problem.lower())
        for line, problem, text in broken
        for n in _swallowed(line, text or "")
    ]
    n_rows = _count(connection, f"select count(*) from {quote_identifier(table)}")
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


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0] or 0) if row else 0


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
    bare = [f"replace(c{i}, chr(13), '')" for i in range(len(how.header))]
    ends = " + ".join(
        f"coalesce(sum(length({c}) - length(replace({c}, chr(10), ''))), 0)" for c in bare
    )
    runs = " + ".join(
        f"coalesce(sum(length(regexp_replace({c}, '\\n+', chr(10), 'g')) - length(replace({c}, chr(10), ''))), 0)"
        for c in bare
    )
    within = connection.execute(
        f"select {ends}, {runs} from {quote_identifier(table)}"
    ).fetchone() or (0, 0)
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
    delimiter = quote_literal(how.delimiter)
    shape = "regexp_replace({}, '[\\pL\\pN]', 'x', 'g')"
    first = f"regexp_extract({{c}}, '\\n\\s*{re.escape(how.quote)}?([^\\n{re.escape(how.delimiter)}{re.escape(how.quote)}]*)', 1)"
    conditions = []
    for i in range(width):
        c = f"c{i}"
        n_ends = f"(length({c}) - length(replace({c}, chr(10), '')))"
        n_cells = f"(length({c}) - length(replace({c}, {delimiter}, '')))"
        conditions.append(
            f"({c} is not null and contains({c}, chr(10)) and {n_cells} = {width - 1} * {n_ends} "
            f"and {shape.format(first.format(c=c))} in (select shape from first_shapes))"
        )
    connection.execute(
        f"create or replace temp table first_shapes as select distinct {shape.format('trim(c0)')} as shape "
        f"from {quote_identifier(table)} where c0 is not null and not contains(c0, chr(10)) limit 100000"
    )
    ends = " + ".join(
        f"coalesce(length(c{i}) - length(replace(c{i}, chr(10), '')), 0)" for i in range(width)
    )
    where = " or ".join(conditions)
    suspects = connection.execute(
        f"select source_row, {ends} from {quote_identifier(table)} where {where} order by source_row"
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
    """Return whether the last row's last cell is the mere beginning of what all others hold.

    Its column is one of few shapes (digits and letters stood for by 0 and x) or of few words, the
    cell has none of them, and one of them begins as it does.  Numbers of any length show no cut.
    """
    cell = f"coalesce(c{n_columns - 1}, '')"
    shape = f"regexp_replace(regexp_replace({cell}, '\\pL', 'x', 'g'), '\\pN', '0', 'g')"
    for form in (cell, shape):
        last, forms, n_rows, of_any_length = connection.execute(
            f"""with cells as (select source_row, {form} as form from {quote_identifier(table)}),
              others as (select * from cells where source_row < (select max(source_row) from cells))
            select (select arg_max(form, source_row) from cells), list(distinct form), count(*),
              bool_and(regexp_full_match(form, '0*')) and count(distinct length(form)) > 1
            from others"""
        ).fetchone() or ("", [], 0, True)
        if last is None or not forms or of_any_length or n_rows < FEWEST_ALIKE * len(forms):
            continue
        if last not in forms and any(one.startswith(last) for one in forms):
            return True
    return False
