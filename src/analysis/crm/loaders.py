"""Each kind of file → a text table: CSV, XLSX, JSON, Parquet, calendars.

A loader makes its table, or says by a ValueError why it cannot; nothing of it is typed.
"""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import re
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from analysis.crm import calendars, delimited, dialect, mapping, records, report_exports, spreadsheets, text_tables
from analysis.crm.calendar_zones import zone_named
from analysis.crm.engine import identifier
from analysis.crm.text_tables import BrokenLine

if TYPE_CHECKING:
    from collections.abc import Sequence

CALENDARS = "calendars"  # the export that says whose calendar each .ics is


class Loaded(NamedTuple):
    """A text table, how it was read, and the lines of its file that are not in it."""

    name: str
    text_table: str
    header: tuple[str, ...]
    layouts: tuple[mapping.Export, ...]
    delimiter: str
    encoding: str
    broken: list[BrokenLine]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""  # where the bytes were looked at anyway
    page: records.Page | None = None  # what an API's answer says of itself


def is_read(layouts: Sequence[mapping.Export]) -> bool:
    """Return whether anything reads the rows of an export with these layouts."""
    return any(e.table or e.lookup or e.object_name == CALENDARS for e in layouts)


def csv(connection: duckdb.DuckDBPyConnection, file: Path, known: list[mapping.Export], table: str) -> list[Loaded]:
    """Read a CSV file of any dialect and encoding."""
    seen = dialect.survey(file)
    head = dialect.head(file, seen)
    how = dialect.dialect(head, known, file.name)
    _require_single(how.header, how.layouts)
    footer = report_exports.footer(file, seen, how)
    broken = report_exports.title_lines(file.name, dialect.lines(head)[: how.header_line - 1])
    if footer:
        broken += [BrokenLine(file.name, n, "behind the last row", report_exports.FOOTER) for n in footer.lines]
    warnings = [*seen.warnings, *how.warnings]
    with tempfile.TemporaryDirectory(prefix="alignment-roi-") as folder:
        body = delimited.Body(file, seen.n_lines - how.header_end)
        is_plain = seen.encoding == "utf-8" and seen.line_ends in {("LF",), ("CRLF",), ()} and how.is_plain
        if not is_plain or footer or how.header_line > 1:
            copy = Path(folder) / "as-utf-8.csv"
            start = seen.mark + len(head[: how.body_at].encode(seen.encoding, dialect.escaping(seen.encoding)))
            own_header = how.delimiter.join(f"c{i}" for i in range(len(how.header))) + "\n"
            n_lines = dialect.utf8_copy(file, seen, copy, start, footer.at if footer else seen.size, own_header)
            body = delimited.Body(copy, n_lines)
        try:
            unreadable = delimited.load(connection, body, file.name, table, how, is_read=is_read(how.layouts))
            _require_rows(connection, table, unreadable)
        except duckdb.Error as error:
            raise ValueError(
                f"it cannot be read as CSV ({str(error).splitlines()[0]}). "
                "A quote may never be closed: save it as CSV UTF-8 anew"
            ) from None
        finally:
            connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    if seen.is_open and unreadable and max(b.line for b in unreadable) >= seen.n_lines:
        warnings.append("its last line is cut off: the export may be incomplete")
    elif (
        seen.is_open
        and not footer
        and is_read(how.layouts)
        and delimited.ends_within_a_cell(connection, table, len(how.header))
    ):
        warnings.append(
            "its last line has no line end and its last cell is shorter than all others: "
            "it seems cut off, so the export may be incomplete"
        )
    quote = "" if how.quote == '"' else f", {dialect.QUOTES[how.quote]}"
    encoding = f"{seen.encoding} ({seen.how}), {' and '.join(seen.line_ends) or 'one line'}{quote}"
    delimiter = dialect.DELIMITERS[how.delimiter]
    return [
        Loaded(
            file.name,
            table,
            how.header,
            how.layouts,
            delimiter,
            encoding,
            broken + unreadable,
            tuple(warnings),
            (),
            seen.sha256,
        )
    ]


def _require_rows(connection: duckdb.DuckDBPyConnection, table: str, broken: Sequence[BrokenLine]) -> None:
    """Refuse a file of which no line is a row, so that its writing is at fault and not a line of it."""
    if len(broken) > 1 and not connection.execute(f"from {identifier(table)} limit 1").fetchone():
        first = broken[0]
        raise ValueError(
            f"none of its {len(broken):,} lines below the header can be read as a row (line {first.line}: {first.problem}). "
            "Save it as CSV UTF-8 anew"
        )


LARGEST_UNPACKED = 4 << 30  # bytes


def packed(connection: duckdb.DuckDBPyConnection, file: Path, known: list[mapping.Export], table: str) -> list[Loaded]:
    """Read a CSV or JSON file packed by gzip."""
    inner = Path(file.stem).suffix.casefold()
    load = {".csv": csv, ".tsv": csv, ".txt": csv, ".json": json, ".jsonl": json, ".ndjson": json}.get(inner)
    if load is None:
        raise ValueError("it is packed; unpack it and put the CSV, XLSX or JSON inside into the folder")
    with tempfile.TemporaryDirectory(prefix="alignment-roi-") as folder:
        plain = Path(folder) / file.stem
        n_left = LARGEST_UNPACKED
        try:
            with gzip.open(file) as source, plain.open("wb") as target:
                while piece := source.read(1 << 20):
                    n_left -= len(piece)
                    if n_left < 0:
                        raise ValueError("it unpacks to more than 4 GiB; unpack it by hand")
                    target.write(piece)
        except (OSError, EOFError, zlib.error):
            raise ValueError("it cannot be unpacked: it is no gzip, or is cut off") from None
        return [
            one._replace(name=file.name, sha256="", broken=[b._replace(file=file.name) for b in one.broken])
            for one in load(connection, plain, known, table)
        ]


def _require_single(header: Sequence[str], layouts: Sequence[mapping.Export]) -> None:
    if repeated := mapping.twice_named(header, layouts):
        raise ValueError(f"its header names {', '.join(repeated)} twice; rename or delete one of the columns")


def workbook(
    connection: duckdb.DuckDBPyConnection, file: Path, known: list[mapping.Export], table: str
) -> list[Loaded]:
    """Read every sheet that is an export known; the others are named where one is."""
    found: list[Loaded] = []
    unknown: list[str] = []
    first_rows: list[tuple[str, ...]] = []
    for n, (sheet, rows) in enumerate(spreadsheets.sheets(file)):
        start = [
            (i, tuple((c or "").strip() for c in cells)) for i, cells in itertools.islice(rows, dialect.N_LOOKED_AT)
        ]
        place, layouts = dialect.header_of(start, known)
        if place < 0:
            unknown.append(sheet)
            first_rows += [cells for _, cells in start]
            continue
        header = start[place][1]
        while header and not header[-1]:
            header = header[:-1]
        _require_single(header, layouts)
        name = f"{file.name} [{sheet}]"
        broken = [
            BrokenLine(name, i, "above the header", report_exports.TITLE)
            for i, cells in start[:place]
            if text_tables.n_filled(cells)
        ]
        below = report_exports.without_footer(itertools.chain(start[place + 1 :], rows), broken, name, len(header))
        text_tables.store(connection, f"{table}_{n}", len(header), below)
        found.append(Loaded(name, f"{table}_{n}", header, tuple(layouts), "sheet", "XLSX", broken))
    if not found:
        raise ValueError(dialect.unknown(first_rows, known, file.name))
    if not unknown:
        return found
    warning = f"not read: its other sheets ({', '.join(unknown)}) are no export known here"
    return [one._replace(warnings=(warning,)) for one in found]


def json(connection: duckdb.DuckDBPyConnection, file: Path, known: list[mapping.Export], table: str) -> list[Loaded]:
    """Read JSON lines, a JSON array or an API's answer."""
    broken: list[BrokenLine] = []
    pages: list[records.Page] = []
    header = text_tables.store_records(connection, table, records.rows(file, file.name, broken, pages))
    layouts = mapping.recognised(header, known)
    if not layouts:
        raise ValueError(
            dialect.unknown([tuple(header)], known, file.name, has_header=True) if header else "it holds no record"
        )
    _require_single(header, layouts)
    return [Loaded(file.name, table, tuple(header), tuple(layouts), "records", "JSON", broken, page=pages[0])]


_STAMPS = {"TIMESTAMP WITH TIME ZONE": "%Y-%m-%dT%H:%M:%S.%fZ"}  # the session's zone is UTC


def parquet(connection: duckdb.DuckDBPyConnection, file: Path, known: list[mapping.Export], table: str) -> list[Loaded]:
    """Read Parquet, its columns as texts."""
    name = {"file": re.sub(r"([*?[])", r"[\1]", str(file))}
    try:
        described = connection.execute("describe select * from read_parquet($file)", name).fetchall()
        header = tuple(column for column, *_ in described)
        layouts = mapping.recognised(header, known)
        if not layouts:
            raise ValueError(dialect.unknown([header], known, file.name, has_header=True))
        _require_single(header, layouts)
        cells = [
            (f"strftime({identifier(c)}, '{_STAMPS[kind]}')" if kind in _STAMPS else f"{identifier(c)}::varchar")
            + f" as c{i}"
            for i, (c, kind, *_) in enumerate(described)
        ]
        connection.execute(
            f"""create table {identifier(table)} as
            select row_number() over () as source_row, {", ".join(cells) if is_read(layouts) else "null::varchar as c0"}
            from read_parquet($file)""",
            name,
        )
    except duckdb.Error as error:
        raise ValueError(f"it cannot be read as Parquet ({str(error).splitlines()[0]})") from None
    return [Loaded(file.name, table, header, tuple(layouts), "columns", "Parquet", [])]


def owners(connection: duckdb.DuckDBPyConnection, loaded: Loaded) -> dict[str, str]:
    """Return whose calendar each is, where a file says so: its name, small → rep."""
    found: dict[str, str] = {}
    for layout in loaded.layouts:
        if layout.object_name == CALENDARS:
            calendar, rep = (f"c{loaded.header.index(c)}" for c in layout.needs)
            pairs = connection.execute(f"select {calendar}, {rep} from {identifier(loaded.text_table)}").fetchall()
            found |= {str(c).strip().casefold(): str(r).strip() for c, r in pairs if c and r}
    return found


def addresses(connection: duckdb.DuckDBPyConnection, loaded: Loaded) -> dict[str, set[str]]:
    """Return the addresses of each rep that a user export holds, small: to find a calendar's owner, and never stored."""
    found: dict[str, set[str]] = {}
    places = {column.strip().casefold(): f"c{i}" for i, column in enumerate(loaded.header)}
    for layout in loaded.layouts:
        if layout.table != "reps":
            continue
        named = {f.name: places.get((f.source or "").strip().casefold()) for f in layout.fields}
        rep, address = named.get("rep_id"), named.get("email_domain")
        if rep and address:
            for r, a in connection.execute(
                f"select trim({rep}), lower(trim({address})) from {identifier(loaded.text_table)} where contains({address}, '@')"
            ).fetchall():
                found.setdefault(str(r), set()).add(str(a))
    return found


def ics(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    known: list[mapping.Export],
    table: str,
    *,
    people: calendars.People,
    until: dt.date,
) -> list[Loaded]:
    """Read a rep's calendar, its series written out up to the day `until`."""
    (clock,) = connection.execute("select getvariable('time_zone')").fetchone() or (None,)
    calendar = calendars.MeetingReader(file, file.name, people, until, zone_named(str(clock or "UTC")) or dt.UTC)
    text_tables.store(connection, table, len(calendars.HEADER), calendar.rows())
    layouts = tuple(mapping.recognised(calendars.HEADER, known))
    if not layouts:
        raise ValueError("no map reads calendars")
    notes = (f"series of meetings written out up to {until}", *calendar.notes())
    warnings = ("its last entry is cut off: the export may be incomplete",) if calendar.agenda.is_open else ()
    return [
        Loaded(file.name, table, calendars.HEADER, layouts, "meetings", "iCalendar", calendar.broken, warnings, notes)
    ]
