"""Any export → one table of texts, its lines numbered and its broken lines kept.

Nothing is typed here and nothing becomes missing: what a file says is what the table holds.  What a
report adds to its rows is taken out by named rules and counted.  A file that cannot be understood
is refused by name, with the reason; the rest goes on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from analysis.project.errors import OwnMapError
from analysis.project.strange_files import printable_name, why_strange
from analysis.sources import field_maps, unread_files
from analysis.sources.database import count_rows, quote_identifier
from analysis.sources.file_labels import file_labels
from analysis.sources.files import api_pages, ical, loaders, report_layout
from analysis.sources.files.text_table import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import duckdb

    from analysis.sources.files.text_table import BrokenLine

    Loader = Callable[
        [duckdb.DuckDBPyConnection, Path, list[field_maps.ExportLayout], str], list[loaders.Loaded]
    ]

CHUNK = 1 << 20
CAPS = {
    2_000: "a report's API",
    65_535: "an old spreadsheet",
    65_536: "an old spreadsheet",
    1_048_575: "a spreadsheet",
    1_048_576: "a spreadsheet",
}
CALENDAR = ".ics"
MOST_FILES = 2_000
LOADERS: dict[str, Loader] = {
    ".csv": loaders.load_csv,
    ".tsv": loaders.load_csv,
    ".txt": loaders.load_csv,
    ".gz": loaders.load_packed,
    ".xlsx": loaders.load_workbook,
    ".xlsm": loaders.load_workbook,
    ".parquet": loaders.load_parquet,
    ".json": loaders.load_json,
    ".jsonl": loaders.load_json,
    ".ndjson": loaders.load_json,
}


class Export(NamedTuple):
    """A file (or a workbook's sheet) that was understood.

    Where its texts stand and how it was read.
    """

    file: str
    sha256: str
    size: int
    text_table: str
    header: tuple[str, ...]
    delimiter: str
    n_rows: int
    layouts: tuple[field_maps.ExportLayout, ...]
    encoding: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the tables that the file fills."""
        return tuple(dict.fromkeys(layout.table for layout in self.layouts if layout.table))


class Intake(NamedTuple):
    """All files of a dataset's folder: each is an export or a refusal."""

    exports: list[Export]
    broken_lines: list[BrokenLine]
    refusals: list[Refusal]


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of the names in a folder."""
    digest = hashlib.sha256()
    if why := why_strange(file, file.parent):  # nothing of it is read
        return hashlib.sha256(why.encode()).hexdigest()
    if file.is_dir():
        digest.update(b"\n".join(sorted(bytes(f.relative_to(file)) for f in file.rglob("*"))))
        return digest.hexdigest()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _export(
    connection: duckdb.DuckDBPyConnection, file: Path, loaded: loaders.Loaded
) -> tuple[Export, list[BrokenLine]]:
    """Take a report's totals out, count the rows, and say what there is to warn of in their number."""
    name, table, broken, notes = loaded.name, loaded.text_table, loaded.broken, loaded.notes
    n_rows = count_rows(connection, table) + len(broken)
    if any(e.table for e in loaded.layouts):
        has_title = any(b.rule == report_layout.TITLE for b in broken)
        totals, filled = report_layout.take_out(
            connection, table, name, loaded.header, loaded.layouts, has_title=has_title
        )
        broken, notes = sorted([*broken, *totals], key=lambda b: b.line), (*notes, *filled)
    n_data = n_rows - sum(b.rule != "unreadable_line" for b in broken)
    warnings = list(loaded.warnings)
    if n_data in CAPS:
        warnings.append(
            f"looks capped: {n_data:,} rows is where {CAPS[n_data]} ends; export it in parts"
        )
    if n_data == 0:
        warnings.append("it has no rows below its header")
    digest = loaded.sha256 or file_sha256(file)
    return Export(
        name,
        digest,
        file.stat().st_size,
        table,
        loaded.header,
        loaded.delimiter,
        n_rows,
        loaded.layouts,
        loaded.encoding,
        tuple(warnings),
        notes,
    ), broken


def _relabelled(loaded: loaders.Loaded, name: str, label: str) -> loaders.Loaded:
    """Return a loaded file under its label: no address in a file's name goes further than here."""
    if name == label:
        return loaded
    broken = [b._replace(file=b.file.replace(name, label)) for b in loaded.broken]
    return loaded._replace(name=loaded.name.replace(name, label), broken=broken)


def read_files(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    layouts: list[field_maps.ExportLayout],
    until: dt.date | None = None,
) -> Intake:
    """Read `files` into text tables ``text_<n>``, each with ``source_row`` and ``c0``, ``c1``, ...

    ``source_row`` numbers the records as they stand in the file, broken ones counted, the header
    being 1.  Series of meetings are written out up to the day `until`, today where none is given.
    """
    result = Intake([], [], [])
    people = ical.CalendarOwners({}, {})
    pages: list[api_pages.Part] = []
    last = until or dt.datetime.now(tz=dt.UTC).date()
    calendars_last = sorted(enumerate(files), key=lambda f: f[1].suffix.casefold() == CALENDAR)
    labels = file_labels(files)
    for n, file in calendars_last:
        suffix, table = file.suffix.casefold(), f"text_{n}"
        try:
            if why := why_strange(file, file.parent):
                raise ValueError(why)  # noqa: TRY301 - refused as what cannot be read is
            if suffix == CALENDAR and file.is_file():
                loaded = loaders.load_calendar(
                    connection, file, layouts, table, people=people, until=last
                )
            else:
                load = (
                    LOADERS.get(suffix, unread_files.refuse_file)
                    if file.is_file()
                    else unread_files.refuse_file
                )
                loaded = load(connection, file, layouts, table)
            loaded = [_relabelled(one, file.name, labels[file]) for one in loaded]
            done = [_export(connection, file, one) for one in loaded]
        except ValueError as problem:
            why, tables = str(problem), _nearest_tables(file, str(problem), layouts)
            result.refusals.append(
                Refusal(labels[file], why.replace(file.name, labels[file]), tables)
            )
            _forget(connection, table)
            continue
        for one in loaded:
            people.by_name.update(loaders.calendar_owners(connection, one))
            for rep, addresses in loaders.rep_addresses(connection, one).items():
                people.addresses.setdefault(rep, set()).update(addresses)
        for one, (export, broken) in zip(loaded, done, strict=True):
            result.exports.append(export)
            result.broken_lines.extend(broken)
            if one.page is not None:
                pages.append(
                    api_pages.Part(one.name, one.text_table, one.header, one.layouts, one.page)
                )
    return _without_parts(connection, result, api_pages.incomplete_files(connection, pages))


def _nearest_tables(
    file: Path, reason: str, layouts: list[field_maps.ExportLayout]
) -> tuple[str, ...]:
    """Return the tables of the layouts that a refusal calls the nearest, or of which the file bears
    the name.
    """
    nearest = {
        e.table
        for e in layouts
        if e.table and f"nearest is {e.object_name} ({e.map_name})" in reason
    }
    named = {file.stem.casefold()} & {e.table for e in layouts if e.table}
    return tuple(sorted(nearest or named))


def _without_parts(
    connection: duckdb.DuckDBPyConnection, intake: Intake, reasons: dict[str, str]
) -> Intake:
    """Return the intake without files that say they are not all; each becomes a refusal."""
    for export in intake.exports:
        if export.file in reasons:
            _forget(connection, export.text_table)
    return Intake(
        [e for e in intake.exports if e.file not in reasons],
        [b for b in intake.broken_lines if b.file not in reasons],
        [*intake.refusals, *(Refusal(file, why) for file, why in reasons.items())],
    )


def _forget(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop what a refused file left behind."""
    left = connection.execute(
        "select table_name from duckdb_tables() where table_name = ? or starts_with(table_name, ?)",
        [table, table + "_"],
    ).fetchall()
    for (name,) in left:
        connection.execute(f"drop table {quote_identifier(name)}")


def files_of(folder: Path) -> list[Path]:
    """Return the entries of a dataset's folder that are not this package's, by name.

    Exports, and what nothing reads.
    """
    there = sorted(folder.iterdir())
    for file in there:
        if file.name != printable_name(file.name):
            raise OwnMapError(
                f"data/raw/{folder.name}/{printable_name(file.name)}: its name cannot be read as "
                "text; rename it."
            )
    files = [f for f in there if why_strange(f, folder) or not unread_files.is_ours(f)]
    if len(files) > MOST_FILES:
        raise OwnMapError(
            f"data/raw/{folder.name}: holds {len(files):,} files, and at most {MOST_FILES:,} are read. Put "
            "the rows of one table into one file, below one header."
        )
    return files
