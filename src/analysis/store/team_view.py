"""A team's view of a project: the folder in which its pack is made, as bytes that can travel.

It holds the team's rows, the settings, the pack's notebook and what the pack takes from the whole
company, and nothing else: who makes a pack cannot meet another team's rows.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.project import paths
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.store import processed, team_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from analysis.store.company import Company

SIDE_FILE = "company_side.json"  # beside the tables
TABLES = (
    "quarters",
    "teams",
    "rep_team_history",
    "rep_quarter",
    "team_quarter",
    "lead_dates",
    "opportunities",
    "observed_days",
)  # that a pack reads
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file, so that equal views are equal bytes


class SharedTables:
    """The tables that packs read, each read once for all teams."""

    def __init__(self, company: Company) -> None:
        """Read the tables of the whole company."""
        folder = company.paths.processed
        self.schemes = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES}
        self.frames: dict[str, pd.DataFrame] = {
            name: processed.load_table(company.dataset, name) for name in TABLES
        }

    def rows(self, name: str, team: str) -> pa.Table:
        """Return a team's rows as the file has them, with their kinds."""
        rows = team_rows.rows_of_team(name, team, self.frames.__getitem__)
        return self.schemes[name].take(pa.array(rows.index.to_numpy()))


def view_of_team(
    company: Company, tables: SharedTables, side: Mapping[str, Any], notebook: Path
) -> bytes:
    """Return the project's folder as the pack of `company.team` needs it, packed."""
    dataset, team = company.dataset, company.team
    root = paths.project_root()
    clean = f"data/processed/{dataset}"
    files = {
        paths.SETTINGS_FILE: (root / paths.SETTINGS_FILE).read_bytes(),
        f"notebooks/{notebook.name}": notebook.read_bytes(),
        f"{clean}/{processed.AUDIT_FILE}": json.dumps(dict(company.audit)).encode(),
        f"{clean}/{SIDE_FILE}": json.dumps(side).encode(),
        f"data/raw/{dataset}/": b"",
    }
    if own := paths.own_file(dataset, paths.SETTINGS_FILE):
        files[f"data/raw/{dataset}/{paths.SETTINGS_FILE}"] = own.read_bytes()
    for name in TABLES:
        buffer = io.BytesIO()
        pq.write_table(tables.rows(name, team), buffer, compression="zstd")
        files[f"{clean}/{name}.parquet"] = buffer.getvalue()
    return _packed(sorted(files.items()))


def _packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # Parquet is packed already
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return buffer.getvalue()


def digest_of(view: bytes) -> str:
    """Return the address of a view: the hash of its content."""
    return hashlib.sha256(view).hexdigest()


def unpack_view(view: bytes, digest: str, folder: Path) -> Path:
    """Unpack a view into a new folder of its owner's alone; return it.

    Raises
    ------
    ValueError
        If the bytes are not those of the digest, or a name in them leads out of the folder.
    """
    if digest_of(view) != digest:
        raise ValueError(f"view {digest[:12]}: its bytes differ from those that were sent")
    private_folder(folder)
    with zipfile.ZipFile(io.BytesIO(view)) as archive:
        for entry in archive.infolist():
            target = folder / entry.filename
            if not target.resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"view {digest[:12]}: {entry.filename!r} leads out of its folder")
            for parent in reversed(target.relative_to(folder).parents):
                private_folder(folder / parent)
            if entry.is_dir():
                private_folder(target)
                continue
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_OF_OWNER)
            with os.fdopen(handle, "wb") as stream:
                stream.write(archive.read(entry))
    return folder


def read_side(dataset: str) -> dict[str, Any] | None:
    """Return the company figures in a team's view; None where the folder is not a view."""
    file = paths.processed_folder(dataset) / SIDE_FILE
    if not file.is_file():
        return None
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
