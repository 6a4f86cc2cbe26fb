"""Any export → one table of texts, its lines numbered and its broken lines kept.

Nothing is typed here and nothing becomes missing: what a file says is what the table holds.
A file that cannot be understood is refused by name, with the reason; the rest goes on.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from analysis.crm import mapping
from analysis.crm.engine import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
CHUNK = 1 << 20
LONGEST_REJECT = 10_000  # of a broken record the engine keeps so many bytes


class Export(NamedTuple):
    """A file that was understood: where its texts stand and how it was read."""

    file: str
    sha256: str
    size: int
    text_table: str
    header: tuple[str, ...]
    delimiter: str
    n_rows: int
    layouts: tuple[mapping.Export, ...]


class BrokenLine(NamedTuple):
    """A line of an export that is not a row of it."""

    file: str
    line: int
    problem: str
    rule: str = "unreadable_line"  # of rules.INTAKE_RULES


class Refusal(NamedTuple):
    """A file that was not understood, and why."""

    file: str
    reason: str


class Intake(NamedTuple):
    """All files of a dataset's folder: each is an export or a refusal."""

    exports: list[Export]
    broken_lines: list[BrokenLine]
    refusals: list[Refusal]


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _head(file: Path) -> str:
    """Return the beginning of a CSV file as text; ValueError says why it cannot be."""
    with file.open("rb") as stream:
        start = stream.read(CHUNK)
    if not start.strip():
        raise ValueError("it is empty")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError("it is UTF-16; save it as CSV UTF-8")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(start, final=len(start) < CHUNK)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8; save it as CSV UTF-8") from None


def _header(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the delimiter and the cells of the first line."""
    first = text.splitlines()[0]
    delimiter = max(DELIMITERS, key=first.count)
    return delimiter, tuple(next(csv.reader([first], delimiter=delimiter)))


def _swallowed(line: int, record: str) -> range:
    """Return the lines of the file that a broken record covers: a stray quote takes those after it along."""
    text = record.strip("\r\n")
    if len(text.encode()) >= LONGEST_REJECT - 1 and "\n" in text:
        raise ValueError(f"a quote that opens near line {line} is never closed, so its rows cannot be told apart")
    return range(line, line + 1 + text.count("\n"))


def _load(
    connection: duckdb.DuckDBPyConnection, file: Path, table: str, delimiter: str, width: int
) -> list[BrokenLine]:
    """Materialise all of a file's columns as texts c0, c1, ...; return its broken lines."""
    columns = "{" + ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width)) + "}"
    connection.execute(
        f"""create table {identifier(table)} as
        select row_number() over () + 1 as source_row, *
        from read_csv($file, all_varchar = true, auto_detect = false, header = true, delim = $delimiter,
          quote = '"', escape = '"', columns = {columns}, store_rejects = true)""",
        {"file": re.sub(r"([*?[])", r"[\1]", str(file)), "delimiter": delimiter},  # a name, never a pattern
    )
    broken = connection.execute(
        "select line, min(error_type::varchar), any_value(csv_line) from reject_errors group by line order by line"
    ).fetchall()
    return [BrokenLine(file.name, n, problem.lower()) for line, problem, text in broken for n in _swallowed(line, text)]


def _export(
    connection: duckdb.DuckDBPyConnection, file: Path, known: list[mapping.Export], table: str
) -> tuple[Export, list[BrokenLine]]:
    delimiter, header = _header(_head(file))
    names = [mapping.normalised(c) for c in header]
    repeated = sorted({n for n in names if n and names.count(n) > 1})
    layouts = mapping.recognised(header, known)
    if not layouts:
        raise ValueError(
            f"its {len(header)} columns ({', '.join(header[:6])}{', ...' if len(header) > 6 else ''}) are no export "
            f"known here; {mapping.nearest(header, known)}. Map it in fields.toml or take it out of the folder"
        )
    if repeated:
        raise ValueError(f"its header names {', '.join(repeated)} twice; rename or delete one of the columns")
    try:
        broken = _load(connection, file, table, delimiter, len(header))
    except duckdb.Error as error:
        raise ValueError(
            f"it cannot be read as CSV ({str(error).splitlines()[0]}). Its lines may end in more than one way, "
            "or a quote is never closed: save it as CSV UTF-8 anew"
        ) from None
    finally:
        connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    counted = connection.execute(f"select count(*) from {identifier(table)}").fetchone()
    n_rows = (counted[0] if counted else 0) + len(broken)
    export = Export(
        file.name, sha256(file), file.stat().st_size, table, header, DELIMITERS[delimiter], n_rows, tuple(layouts)
    )
    return export, broken


def intake(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], known: list[mapping.Export]) -> Intake:
    """Read `files` into text tables ``text_<n>``, each with ``source_row`` and ``c0``, ``c1``, ...

    ``source_row`` numbers the records as they stand in the file, the header being 1.
    """
    result = Intake([], [], [])
    for n, file in enumerate(files):
        try:
            export, broken = _export(connection, file, known, f"text_{n}")
        except ValueError as problem:
            result.refusals.append(Refusal(file.name, str(problem)))
            continue
        result.exports.append(export)
        result.broken_lines.extend(broken)
    return result


def files_of(folder: Path) -> list[Path]:
    """Return the CSV exports of a dataset's folder, by name."""
    return sorted(f for f in folder.iterdir() if f.is_file() and f.suffix.casefold() == ".csv")
