"""Each kind of file → a text table: CSV, XLSX, JSON, Parquet, calendars.

A loader makes its table, or says by a ValueError why it cannot; nothing of it is typed.
"""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from analysis.project.scratch_folder import scratch_folder
from analysis.sources import field_maps, recognise
from analysis.sources.composed_sql import create_table, query_text
from analysis.sources.database import quote_identifier
from analysis.sources.files import (
    csv,
    csv_dialect,
    encodings,
    ical,
    json_records,
    report_layout,
    text_table,
    xlsx,
)
from analysis.sources.files.ical_zones import zone_named
from analysis.sources.files.packed import FEWEST_BYTES, MOST_TIMES
from analysis.sources.files.text_table import BrokenLine

if TYPE_CHECKING:
    from collections.abc import Sequence

CALENDARS = "calendars"  # the export that says whose calendar each .ics is


class Loaded(NamedTuple):
    """A text table, how it was read, and the lines of its file that are not in it."""

    name: str
    text_table: str
    header: tuple[str, ...]
    layouts: tuple[field_maps.ExportLayout, ...]
    delimiter: str
    encoding: str
    broken: list[BrokenLine]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""  # where the bytes were looked at anyway
    page: json_records.Page | None = None  # what an API's answer says of itself


def is_read(layouts: Sequence[field_maps.ExportLayout]) -> bool:
    """Return whether anything reads the rows of an export with these layouts."""
    return any(e.table or e.lookup or e.object_name == CALENDARS for e in layouts)


def load_csv(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    layouts: list[field_maps.ExportLayout],
    table: str,
) -> list[Loaded]:
    """Read a CSV file of any dialect and encoding."""
    survey = encodings.survey_file(file)
    head = csv_dialect.read_head(file, survey)
    how = csv_dialect.find_dialect(head, layouts, file.name)
    _require_header(how.header, how.layouts)
    footer = report_layout.find_footer(file, survey, how)
    titles = csv_dialect.split_lines(head)[: how.header_line - 1]
    report_layout.require_whole_units(titles)
    broken = report_layout.title_lines(file.name, titles)
    if footer:
        broken += [
            BrokenLine(file.name, n, "behind the last row", report_layout.FOOTER)
            for n in footer.lines
        ]
    warnings = [*survey.warnings, *how.warnings]
    with scratch_folder() as folder:
        body = csv.Body(file, survey.n_lines - how.header_end)
        is_plain = (
            survey.encoding == "utf-8"
            and survey.line_ends in {("LF",), ("CRLF",), ()}
            and how.is_plain
        )
        if not is_plain or footer or how.header_line > 1:
            copy = folder / "as-utf-8.csv"
            start = survey.mark + len(
                head[: how.body_at].encode(
                    survey.encoding, encodings.decoding_errors(survey.encoding)
                )
            )
            own_header = how.delimiter.join(f"c{i}" for i in range(len(how.header))) + "\n"
            n_lines = csv_dialect.utf8_copy(
                file, survey, copy, start, footer.at if footer else survey.size, own_header
            )
            body = csv.Body(copy, n_lines)
        try:
            unreadable = csv.load_texts(
                connection, body, file.name, table, how, is_read=is_read(how.layouts)
            )
            _require_rows(connection, table, unreadable)
        except duckdb.Error as error:
            raise ValueError(
                f"it cannot be read as CSV ({str(error).splitlines()[0]}). "
                "A quote may never be closed: save it as CSV UTF-8 anew"
            ) from None
        finally:
            connection.execute(
                "drop table if exists reject_errors; drop table if exists reject_scans"
            )
    if survey.is_open and unreadable and max(b.line for b in unreadable) >= survey.n_lines:
        warnings.append("its last line is cut off: the export may be incomplete")
    elif (
        survey.is_open
        and not footer
        and is_read(how.layouts)
        and csv.ends_within_a_cell(connection, table, len(how.header))
    ):
        warnings.append(
            "its last line has no line end and its last cell is shorter than all others: "
            "it seems cut off, so the export may be incomplete"
        )
    quote = "" if how.quote == '"' else f", {csv_dialect.QUOTES[how.quote]}"
    encoding = (
        f"{survey.encoding} ({survey.how}), {' and '.join(survey.line_ends) or 'one line'}{quote}"
    )
    delimiter = csv_dialect.DELIMITERS[how.delimiter]
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
            survey.sha256,
        )
    ]


def _require_rows(
    connection: duckdb.DuckDBPyConnection, table: str, broken: Sequence[BrokenLine]
) -> None:
    """Refuse a file of which no line is a row, so that its writing is at fault and not a line of
    it.
    """
    if (
        len(broken) > 1
        and not connection.execute(f"from {quote_identifier(table)} limit 1").fetchone()
    ):
        first = broken[0]
        raise ValueError(
            f"none of its {len(broken):,} lines below the header can be read as a row (line "
            f"{first.line}: {first.problem}). Save it as CSV UTF-8 anew"
        )


LARGEST_UNPACKED = 4 << 30  # bytes
FEWEST_ROWS = (
    10_000_000  # of a Parquet file, below which it does not matter how few bytes hold them
)


def load_packed(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    layouts: list[field_maps.ExportLayout],
    table: str,
) -> list[Loaded]:
    """Read a CSV or JSON file packed by gzip."""
    inner = Path(file.stem).suffix.casefold()
    load = {
        ".csv": load_csv,
        ".tsv": load_csv,
        ".txt": load_csv,
        ".json": load_json,
        ".jsonl": load_json,
        ".ndjson": load_json,
    }.get(inner)
    if load is None:
        raise ValueError(
            "it is packed; unpack it and put the CSV, XLSX or JSON inside into the folder"
        )
    with scratch_folder() as folder:
        plain = folder / file.stem
        n_packed = file.stat().st_size
        n_left = LARGEST_UNPACKED
        try:
            with gzip.open(file) as source, plain.open("wb") as target:
                while piece := source.read(1 << 20):
                    n_left -= len(piece)
                    n_bytes = LARGEST_UNPACKED - n_left
                    if n_left < 0:
                        raise ValueError("it unpacks to more than 4 GiB; unpack it by hand")
                    if n_bytes > FEWEST_BYTES and n_bytes > MOST_TIMES * n_packed:
                        raise ValueError(
                            f"it unpacks to more than {MOST_TIMES} times its size, as no rows "
                            "do; unpack it by hand"
                        )
                    target.write(piece)
        except (OSError, EOFError, zlib.error):
            raise ValueError("it cannot be unpacked: it is no gzip, or is cut off") from None
        return [
            one._replace(
                name=file.name, sha256="", broken=[b._replace(file=file.name) for b in one.broken]
            )
            for one in load(connection, plain, layouts, table)
        ]


def _require_header(header: Sequence[str], layouts: Sequence[field_maps.ExportLayout]) -> None:
    if len(header) > text_table.MOST_COLUMNS:
        raise ValueError(
            f"it has {len(header):,} columns, and at most {text_table.MOST_COLUMNS:,} are read: "
            "leave out those that are no data"
        )
    if repeated := recognise.twice_named(header, layouts):
        raise ValueError(
            f"its header names {', '.join(repeated)} twice; rename or remove one of the columns"
        )


def load_workbook(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    all_layouts: list[field_maps.ExportLayout],
    table: str,
) -> list[Loaded]:
    """Read every sheet that is a known export; the others are named if at least one is."""
    loaded_sheets: list[Loaded] = []
    unknown: list[str] = []
    first_rows: list[tuple[str, ...]] = []
    for n, (sheet, rows) in enumerate(xlsx.read_sheets(file)):
        start = [
            (i, tuple((c or "").strip() for c in cells))
            for i, cells in itertools.islice(rows, csv_dialect.N_LOOKED_AT)
        ]
        place, layouts = csv_dialect.header_of(start, all_layouts)
        if place < 0:
            unknown.append(sheet)
            first_rows += [cells for _, cells in start]
            continue
        header = start[place][1]
        while header and not header[-1]:
            header = header[:-1]
        _require_header(header, layouts)
        name = f"{file.name} [{sheet}]"
        report_layout.require_whole_units(cell for _, cells in start[:place] for cell in cells)
        broken = [
            BrokenLine(name, i, "above the header", report_layout.TITLE)
            for i, cells in start[:place]
            if text_table.n_filled(cells)
        ]
        below = report_layout.without_footer(
            itertools.chain(start[place + 1 :], rows), broken, name, len(header)
        )
        text_table.store_texts(connection, f"{table}_{n}", len(header), below)
        loaded_sheets.append(
            Loaded(name, f"{table}_{n}", header, tuple(layouts), "sheet", "XLSX", broken)
        )
    if not loaded_sheets:
        raise ValueError(csv_dialect.describe_unknown(first_rows, all_layouts, file.name))
    if not unknown:
        return loaded_sheets
    warning = f"not read: its other sheets ({', '.join(unknown)}) are no export known here"
    return [one._replace(warnings=(warning,)) for one in loaded_sheets]


def load_json(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    all_layouts: list[field_maps.ExportLayout],
    table: str,
) -> list[Loaded]:
    """Read JSON lines, a JSON array or an API's answer."""
    broken: list[BrokenLine] = []
    pages: list[json_records.Page] = []
    header = text_table.store_records(
        connection, table, json_records.record_rows(file, file.name, broken, pages)
    )
    layouts = recognise.recognise_layouts(header, all_layouts)
    if not layouts:
        raise ValueError(
            csv_dialect.describe_unknown([tuple(header)], all_layouts, file.name, has_header=True)
            if header
            else "it holds no record"
        )
    _require_header(header, layouts)
    return [
        Loaded(
            file.name,
            table,
            tuple(header),
            tuple(layouts),
            "records",
            "JSON",
            broken,
            page=pages[0],
        )
    ]


_STAMPS = {"TIMESTAMP WITH TIME ZONE": "%Y-%m-%dT%H:%M:%S.%fZ"}  # the session's zone is UTC


def load_parquet(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    all_layouts: list[field_maps.ExportLayout],
    table: str,
) -> list[Loaded]:
    """Read Parquet, its columns as texts."""
    name = {"file": re.sub(r"([*?[])", r"[\1]", str(file))}
    try:
        _require_plausible(connection, file, name)
        described = connection.execute(
            "describe select * from read_parquet($file)", name
        ).fetchall()
        header = tuple(column for column, *_ in described)
        layouts = recognise.recognise_layouts(header, all_layouts)
        if not layouts:
            raise ValueError(
                csv_dialect.describe_unknown([header], all_layouts, file.name, has_header=True)
            )
        _require_header(header, layouts)
        cells = [
            (
                f"strftime({quote_identifier(c)}, '{_STAMPS[kind]}')"
                if kind in _STAMPS
                else f"{quote_identifier(c)}::varchar"
            )
            + f" as c{i}"
            for i, (c, kind, *_) in enumerate(described)
        ]
        texts = cells if is_read(layouts) else ["null::varchar as c0"]
        numbered = ["row_number() over () as source_row", *texts]
        create_table(connection, table, query_text(numbered, "read_parquet($file)"), name)
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        if "not valid UTF8" in why:  # it repeats the text itself
            why = "a text in it is not UTF-8"
        raise ValueError(f"it cannot be read as Parquet ({why})") from None
    return [Loaded(file.name, table, header, tuple(layouts), "columns", "Parquet", [])]


def _require_plausible(
    connection: duckdb.DuckDBPyConnection, file: Path, name: dict[str, str]
) -> None:
    """Refuse a Parquet file that says it holds more rows than it has bytes."""
    (n_rows,) = connection.execute(
        "select sum(num_rows) from parquet_file_metadata($file)", name
    ).fetchone() or (0,)
    if n_rows > max(FEWEST_ROWS, file.stat().st_size):
        raise ValueError(
            f"it says it holds {n_rows:,} rows in {file.stat().st_size:,} bytes, as no rows do; "
            "export it as CSV"
        )


def calendar_owners(connection: duckdb.DuckDBPyConnection, loaded: Loaded) -> dict[str, str]:
    """Return the owner of each calendar that a file states: rep by the calendar's name in lower
    case.
    """
    owner_of: dict[str, str] = {}
    for layout in loaded.layouts:
        if layout.object_name == CALENDARS:
            calendar, rep = (f"c{loaded.header.index(c)}" for c in layout.needs)
            pairs = connection.execute(
                "select columns([$calendar]), columns([$rep]) from query_table($table)",
                {"calendar": calendar, "rep": rep, "table": loaded.text_table},
            ).fetchall()
            owner_of |= {str(c).strip().casefold(): str(r).strip() for c, r in pairs if c and r}
    return owner_of


def rep_addresses(connection: duckdb.DuckDBPyConnection, loaded: Loaded) -> dict[str, set[str]]:
    """Return the addresses, in lower case, of each rep in an export of users.

    To find a calendar's owner, and never stored.
    """
    owners_of: dict[str, set[str]] = {}
    places = {column.strip().casefold(): f"c{i}" for i, column in enumerate(loaded.header)}
    for layout in loaded.layouts:
        if layout.table != "reps":
            continue
        named = {f.name: places.get((f.source or "").strip().casefold()) for f in layout.fields}
        rep, address = named.get("rep_id"), named.get("email_domain")
        if rep and address:
            for r, a in connection.execute(
                "select trim(columns([$rep])), lower(trim(columns([$address]))) "
                "from query_table($table) where contains(columns([$address]), '@')",
                {"rep": rep, "address": address, "table": loaded.text_table},
            ).fetchall():
                owners_of.setdefault(str(r), set()).add(str(a))
    return owners_of


def load_calendar(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    all_layouts: list[field_maps.ExportLayout],
    table: str,
    *,
    people: ical.CalendarOwners,
    until: dt.date,
) -> list[Loaded]:
    """Read a rep's calendar, its series written out up to the day `until`."""
    (clock,) = connection.execute("select getvariable('time_zone')").fetchone() or (None,)
    calendar = ical.MeetingReader(
        file, file.name, people, until, zone_named(str(clock or "UTC")) or dt.UTC
    )
    text_table.store_texts(connection, table, len(ical.HEADER), calendar.rows())
    layouts = tuple(recognise.recognise_layouts(ical.HEADER, all_layouts))
    if not layouts:
        raise ValueError("no map reads calendars")
    notes = (f"series of meetings written out up to {until}", *calendar.notes())
    warnings = (
        ("its last entry is cut off: the export may be incomplete",)
        if calendar.agenda.is_open
        else ()
    )
    return [
        Loaded(
            file.name,
            table,
            ical.HEADER,
            layouts,
            "meetings",
            "iCalendar",
            calendar.broken,
            warnings,
            notes,
        )
    ]
