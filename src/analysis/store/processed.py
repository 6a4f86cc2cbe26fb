"""Raw → processed in one call: what `pipeline`, `report` and a notebook's first run use.

The processed folder is written whole under a temporary name and then renamed, so a reader never
sees half of it.  It is stamped with what it was made from; while that has not changed, nothing is
done again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import json
import re
import secrets
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis.cleaning import pipeline
from analysis.cleaning.plausibility import gate, required_tables
from analysis.panels import build
from analysis.project import paths, read_notes, settings
from analysis.project.errors import CrmDataError, OwnMapError, read_utf8
from analysis.project.private_files import FILE_OF_OWNER, make_private, private_folder
from analysis.project.whole_file import write_whole
from analysis.sources import database, intake, own_definitions
from analysis.sources.composed_sql import query_text, write_parquet
from analysis.sources.sql_files import read_statements
from analysis.store import noted_account, pull_record
from analysis.tables.canonical import TABLES
from analysis.tables.panel_tables import PANELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import duckdb

    from analysis.cleaning.unmatched_words import UnmatchedWord

AUDIT_FILE = paths.AUDIT_FILE
SQL = read_statements(__name__)
QUARANTINE_FILE = "quarantine.parquet"
NAME_REVIEW_FILE = "name_review.csv"
KEY_FILE = "pseudonyms.key"
KEY_BYTES = 32
OWNER_FILE = (
    "owner.lock"  # locked by the pass that works in a scratch folder, for as long as it lives
)
FROZEN = (
    "rep_quarter",
    "team_quarter",
    "rep_week",
    "won_deals",
)  # what a published quarter keeps of its panels


class Missing(NamedTuple):
    """A table, or columns of it, that a dataset does not hold."""

    table: str
    columns: tuple[str, ...]


def _dataset_folder(dataset: str) -> Path:
    folder = paths.raw_folder(dataset)
    if not folder.is_dir():
        dataset_names = ", ".join(paths.dataset_names()) or "none yet"
        raise CrmDataError(
            f"{dataset}: no folder data/raw/{dataset}. Datasets here: {dataset_names}."
        )
    return folder


def _key(dataset: str) -> str:
    """Return the dataset's secret that pseudonyms are made with.

    Made on first use, never rebuilt.

    Raises
    ------
    CrmDataError
        If the file is there and is no whole key: with another key nobody would be who they were.
    """
    file = paths.history_folder(dataset) / KEY_FILE
    if not file.is_file():
        private_folder(file.parent)
        with write_whole(file, mode=FILE_OF_OWNER) as part:
            part.write_text(secrets.token_hex(KEY_BYTES), encoding="utf-8")
    key = file.read_text(encoding="utf-8")
    if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", key):
        raise CrmDataError(
            f"{dataset}: data/history/{dataset}/{KEY_FILE} must hold {2 * KEY_BYTES} hex digits, "
            f"but holds {len(key)} characters. Put the key back from a backup; if there is none, "
            "remove the file, and people's ids in later reports are not those of earlier ones."
        )
    return key


@cache
def code_hash() -> str:
    """Return the SHA-256 of the package's own sources, rules and templates."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(p for p in package.rglob("*") if p.suffix in paths.CODE_KINDS):
        digest.update(
            f"{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes() + b"\0"
        )
    return digest.hexdigest()


def stamp_of(dataset: str, exports: Mapping[str, str], as_of: dt.date | None) -> str:
    """Return the hash of all that the processed tables follow from: exports by name and SHA-256,
    settings, own maps and rules, and code.
    """
    house = settings.load_dataset_settings(dataset)
    follows_from = f"{code_hash()} {as_of} {house.model_dump_json()} {house.company.has_currency}"
    digest = hashlib.sha256(follows_from.encode())
    folder = paths.raw_folder(dataset)
    own = [
        file
        for f in sorted(folder.rglob("*.toml"))
        if f.name != paths.SETTINGS_FILE
        if (file := paths.own_file(dataset, str(f.relative_to(folder))))
    ]
    of_own = [(file.name, intake.file_sha256(file)) for file in own]
    for name, sha256 in [*sorted(exports.items()), *of_own]:
        digest.update(f"{name} {sha256}\n".encode())
    return digest.hexdigest()


def export_hashes(files: list[Path]) -> dict[str, str]:
    """Return the SHA-256 of exports, by name."""
    return {file.name: intake.file_sha256(file) for file in files}


def _plain(value: Any) -> Any:
    """Return named tuples as dictionaries and dates as text, ready for JSON."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {k: _plain(v) for k, v in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value.isoformat() if isinstance(value, dt.date) else value


def _judged(
    connection: duckdb.DuckDBPyConnection,
    files: list[Path],
    dataset: str,
    key: str,
    as_of: dt.date | None,
    *,
    show_words: Callable[[tuple[UnmatchedWord, ...]], None] | None = None,
    output: Path | None = None,
) -> tuple[pipeline.Audit, gate.Gate]:
    """Make the clean tables and the panels in the database.

    Return the account of the pass and what it can answer.
    """
    house = settings.load_dataset_settings(dataset)
    definitions = own_definitions.read_definitions(dataset)  # a wrong one stops before the work
    account = pipeline.clean_tables(
        connection,
        files,
        dataset,
        house,
        dataset_key=key,
        as_of=as_of,
        show_words=show_words,
        output=output,
    )
    required_tables.require_clean_rows(connection, account)
    build.make_panels(connection, account.first_day, account.as_of, house, definitions=definitions)
    return account, gate.judge_dataset(connection, account, house)


def _write(
    connection: duckdb.DuckDBPyConnection,
    audit: pipeline.Audit,
    verdict: gate.Gate,
    folder: Path,
    stamp: str,
) -> None:
    for name in (*TABLES, *PANELS, "quarters"):
        rows = query_text(["*"], database.quote_identifier(name))
        write_parquet(connection, rows, folder / f"{name}.parquet")
    connection.execute(SQL["actions"])
    database.insert_rows(
        connection, "actions", [(e.table, e.rule, e.action, e.reason) for e in audit.rules]
    )
    write_parquet(connection, SQL["quarantine"], folder / QUARANTINE_FILE)
    connection.execute(
        "copy (" + SQL["name_review"] + ") to $file (format csv, header)",
        {"file": str(folder / NAME_REVIEW_FILE)},
    )
    account = _plain(audit) | {"gate": _plain(verdict), "stamp": stamp}
    (folder / AUDIT_FILE).write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")


def _account(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / AUDIT_FILE).read_text(encoding="utf-8"))
    return content


def read_audit(dataset: str) -> Mapping[str, Any]:
    """Return the audit of the last pass over a dataset's exports; runs the pass if there is none.

    A run whose reads are noted is handed one that notes which of its parts are read.
    """
    folder = paths.processed_folder(dataset)
    if not (folder / AUDIT_FILE).is_file():
        return prepare_dataset(dataset)
    with read_notes.not_noted():
        account = _account(folder)
    return noted_account.NotedAccount(account) if read_notes.is_noting() else account


def recover_scratch(dataset: str) -> None:
    """Clear scratch folders of killed passes; files that one had moved aside go back.

    A pass that still runs holds its folder's lock, which ends with the process however it ends.
    """
    target = paths.processed_folder(dataset)
    for folder in target.parent.glob(f".{dataset}-*"):
        if not re.fullmatch(rf"\.{re.escape(dataset)}-[a-z0-9_]{{8}}", folder.name):
            continue
        with contextlib.suppress(FileNotFoundError), (folder / OWNER_FILE).open("a") as owner:
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if not target.exists() and (folder / "old").is_dir():
                (folder / "old").rename(target)
            shutil.rmtree(folder)


def _n_bytes(files: list[Path]) -> int:
    return sum(file.lstat().st_size for file in files)


@contextlib.contextmanager
def _scratch(dataset: str, target: Path) -> Iterator[Path]:
    """Make a folder beside `target` that is cleared away at the end, by the next pass if this one
    is killed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{dataset}-") as name,
        (Path(name) / OWNER_FILE).open("w") as owner,
    ):
        fcntl.flock(owner, fcntl.LOCK_EX)
        yield Path(name)


def prepare_dataset(dataset: str, *, as_of: dt.date | None = None) -> dict[str, Any]:
    """Clean a dataset's exports and build its panels, unless that stands already; return the audit.

    Raises
    ------
    CrmDataError
        If the dataset has no folder, or a required table no export or no clean row.
    SettingsError
        If a setting is wrong.
    """
    folder = _dataset_folder(dataset)
    pull_record.finish_exchange(dataset)
    gate.require_known(settings.load_dataset_settings(dataset).accepted_warnings)
    files = intake.files_of(folder)
    stamp = stamp_of(dataset, export_hashes(files), as_of)
    target = paths.processed_folder(dataset)
    recover_scratch(dataset)
    if (target / AUDIT_FILE).is_file() and _account(target).get("stamp") == stamp:
        return _account(target)
    with _scratch(dataset, target) as scratch, database.open_session(_n_bytes(files)) as connection:
        new = private_folder(scratch / "new")
        account, verdict = _judged(connection, files, dataset, _key(dataset), as_of, output=new)
        _write(connection, account, verdict, new, stamp)
        make_private(new)
        if target.exists():
            target.rename(scratch / "old")
        new.rename(target)
    return _account(target)


def dry_run(
    dataset: str,
    *,
    as_of: dt.date | None = None,
    show_words: Callable[[tuple[UnmatchedWord, ...]], None] | None = None,
) -> dict[str, Any]:
    """Return the audit a pass over a dataset's exports would give; write nothing.

    `show_words` is handed the words of subjects that match no class of activity; the audit holds
    none of them.
    """
    folder = _dataset_folder(dataset)
    pull_record.finish_exchange(dataset)
    gate.require_known(settings.load_dataset_settings(dataset).accepted_warnings)
    files = intake.files_of(folder)
    with database.open_session(_n_bytes(files)) as connection:
        account, verdict = _judged(connection, files, dataset, "", as_of, show_words=show_words)
    return {**_plain(account), "gate": _plain(verdict)}


def load_table(dataset: str, name: str) -> pd.DataFrame:
    """Return a clean table or panel of a dataset, preparing it on first use."""
    file = paths.processed_folder(dataset) / f"{name}.parquet"
    if not file.is_file():
        prepare_dataset(dataset)
    read_notes.note_read("table", name)
    return read_table_file(file)


def read_table_file(file: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Return a Parquet file's rows, and note that it was read: its library opens files unseen."""
    read_notes.note_read("file", str(file))
    return pd.read_parquet(file, columns=columns)


def own_text(dataset: str, name: str) -> str | None:
    """Return a text file of a dataset's raw folder, such as ``growth.toml``, or None where there is
    none.
    """
    file = paths.own_file(dataset, name)
    return read_utf8(file, name, OwnMapError) if file else None


def freeze_panels(dataset: str, quarter: str) -> Path:
    """Keep the panels of a quarter just published; return their folder.

    What was kept at its first publication stays, unless the quarter was not over by then.
    """
    private_folder(paths.history_folder(dataset))
    history_folder = private_folder(paths.history_folder(dataset) / quarter)
    stands = history_folder / "team_quarter.parquet"
    is_whole = all((history_folder / f"{name}.parquet").is_file() for name in FROZEN)
    if is_whole and not _is_partial(stands, quarter):
        return history_folder
    for name in FROZEN:
        with write_whole(history_folder / f"{name}.parquet") as part:
            shutil.copyfile(paths.processed_folder(dataset) / f"{name}.parquet", part)
    return history_folder


def _is_partial(file: Path, quarter: str) -> bool:
    rows = read_table_file(file, ["quarter", "is_partial"])
    return bool(rows.loc[rows["quarter"] == quarter, "is_partial"].any())


def _published(dataset: str, name: str, before: str) -> list[Path]:
    return [
        f
        for f in sorted(paths.history_folder(dataset).glob(f"*/{name}.parquet"))
        if f.parent.name < before
    ]


def frozen_rows(dataset: str, name: str, *, before: str) -> pd.DataFrame:
    """Return a panel's rows of each quarter published before `before`, as they were at publication.

    Empty where none was published.
    """
    none = pd.DataFrame({c.name: pd.Series(dtype="object") for c in PANELS[name].columns})
    frames = [
        read_table_file(file).query("quarter == @file.parent.name")
        for file in _published(dataset, name, before)
    ]
    return pd.concat(frames, ignore_index=True) if frames else none


def frozen_hash(dataset: str, *, before: str) -> str:
    """Return the hash of the panels kept for quarters published before `before`."""
    digest = hashlib.sha256()
    for name in ("team_quarter", "won_deals"):
        for file in _published(dataset, name, before):
            digest.update(f"{file.parent.name} {name} {intake.file_sha256(file)}\n".encode())
    return digest.hexdigest()


def missing_needs(
    account: Mapping[str, Any],
    needs: dict[str, list[str]],
    one_of: Sequence[dict[str, list[str]]] = (),
) -> list[Missing]:
    """Return the tables and columns that a chapter needs and a dataset lacks.

    `one_of` lists sets of tables of which one is enough; where none is whole, all they lack is
    returned.
    """
    table_entries = {t["table"]: t for t in account["tables"]}
    lacking = []
    for table, columns in needs.items():
        state = table_entries.get(table, {"n_clean": 0, "columns": {}})
        absent = tuple(c for c in columns if not state["columns"].get(c))
        if not state["n_clean"]:
            lacking.append(Missing(table, tuple(columns)))
        elif absent:
            lacking.append(Missing(table, absent))
    ways = [missing_needs(account, several) for several in one_of]
    return lacking + ([each for way in ways for each in way] if all(ways) else [])


def not_begun(dataset: str, begins: dict[str, str], end: dt.date) -> list[Missing]:
    """Return the tables of `begins` without a row whose date, in the column named, lies before the
    day `end`.
    """
    return [
        Missing(table, (column,))
        for table, column in begins.items()
        if not (
            pd.to_datetime(load_table(dataset, table)[column], utc=True)
            < pd.Timestamp(end, tz="UTC")
        ).any()
    ]
