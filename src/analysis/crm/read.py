"""Any export → one table of texts, its lines numbered and its broken lines kept.

Nothing is typed here and nothing becomes missing: what a file says is what the table holds.  What a
report adds to its rows is taken out by named rules and counted.  A file that cannot be understood is
refused by name, with the reason; the rest goes on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from analysis.crm import calendars, loaders, mapping, report_exports
from analysis.crm.engine import identifier
from analysis.crm.text_tables import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import duckdb

    from analysis.crm.text_tables import BrokenLine

    Loader = Callable[[duckdb.DuckDBPyConnection, Path, list[mapping.Export], str], list[loaders.Loaded]]

CHUNK = 1 << 20
CAPS = {
    2_000: "a report's API",
    65_535: "an old spreadsheet",
    65_536: "an old spreadsheet",
    1_048_575: "a spreadsheet",
    1_048_576: "a spreadsheet",
}
CALENDAR = ".ics"
LOADERS: dict[str, Loader] = {
    ".csv": loaders.csv,
    ".tsv": loaders.csv,
    ".xlsx": loaders.workbook,
    ".xlsm": loaders.workbook,
    ".parquet": loaders.parquet,
    ".json": loaders.json,
    ".jsonl": loaders.json,
    ".ndjson": loaders.json,
}
TRUTH = "truth.json"  # of a simulated company: for tests, never an export


class Export(NamedTuple):
    """A file (or a workbook's sheet) that was understood: where its texts stand and how it was read."""

    file: str
    sha256: str
    size: int
    text_table: str
    header: tuple[str, ...]
    delimiter: str
    n_rows: int
    layouts: tuple[mapping.Export, ...]
    encoding: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


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


def _export(
    connection: duckdb.DuckDBPyConnection, file: Path, loaded: loaders.Loaded
) -> tuple[Export, list[BrokenLine]]:
    """Take a report's totals out, count the rows, and say what there is to warn of in their number."""
    name, table, broken, notes = loaded.name, loaded.text_table, loaded.broken, loaded.notes
    counted = connection.execute(f"select count(*) from {identifier(table)}").fetchone()
    n_rows = (counted[0] if counted else 0) + len(broken)
    if any(e.table for e in loaded.layouts):
        totals, filled = report_exports.take_out(connection, table, name, loaded.header, loaded.layouts)
        broken, notes = sorted([*broken, *totals], key=lambda b: b.line), (*notes, *filled)
    n_data = n_rows - sum(b.rule != "unreadable_line" for b in broken)
    warnings = list(loaded.warnings)
    if n_data in CAPS:
        warnings.append(f"looks capped: {n_data:,} rows is where {CAPS[n_data]} ends; export it in parts")
    if n_data == 0:
        warnings.append("it has no rows below its header")
    digest = loaded.sha256 or sha256(file)
    return Export(
        name, digest, file.stat().st_size, table, loaded.header, loaded.delimiter, n_rows, loaded.layouts,
        loaded.encoding, tuple(warnings), notes,
    ), broken  # fmt: skip


def intake(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    known: list[mapping.Export],
    until: dt.date | None = None,
) -> Intake:
    """Read `files` into text tables ``text_<n>``, each with ``source_row`` and ``c0``, ``c1``, ...

    ``source_row`` numbers the records as they stand in the file, broken ones counted, the header being 1.  Series of meetings
    are written out up to the day `until`, today where none is given.
    """
    result = Intake([], [], [])
    people = calendars.People({}, {})
    last = until or dt.datetime.now(tz=dt.UTC).date()
    calendars_last = sorted(enumerate(files), key=lambda f: f[1].suffix.casefold() == CALENDAR)
    for n, file in calendars_last:
        suffix, table = file.suffix.casefold(), f"text_{n}"
        try:
            if suffix == CALENDAR:
                loaded = loaders.ics(connection, file, known, table, people=people, until=last)
            else:
                loaded = LOADERS[suffix](connection, file, known, table)
            done = [_export(connection, file, one) for one in loaded]
        except ValueError as problem:
            result.refusals.append(Refusal(file.name, str(problem)))
            _forget(connection, table)
            continue
        for one in loaded:
            people.by_name.update(loaders.owners(connection, one))
            for rep, addresses in loaders.addresses(connection, one).items():
                people.addresses.setdefault(rep, set()).update(addresses)
        for export, broken in done:
            result.exports.append(export)
            result.broken_lines.extend(broken)
    return result


def _forget(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop what a refused file left behind."""
    left = connection.execute(
        "select table_name from duckdb_tables() where table_name = ? or starts_with(table_name, ?)",
        [table, table + "_"],
    ).fetchall()
    for (name,) in left:
        connection.execute(f"drop table {identifier(name)}")


def files_of(folder: Path) -> list[Path]:
    """Return the exports of a dataset's folder, by name."""
    return sorted(
        f for f in folder.iterdir() if f.is_file() and f.suffix.casefold() in {*LOADERS, CALENDAR} and f.name != TRUTH
    )
