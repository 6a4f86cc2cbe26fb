"""The record a pull leaves beside its files, and the exchange of all files at once or none.

``pulled.json`` says of each file where it came from, by which query, when, how many rows it has and
up to which time they are read.  New files are made ready in a folder of their own; once all are
there a list is written, and from then on the exchange is finished by whoever comes next.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.project import paths
from analysis.project.errors import OwnMapError
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.project.strange_files import why_strange
from analysis.project.whole_file import write_whole
from analysis.sources.unread_files import PULLED

if TYPE_CHECKING:
    from pathlib import Path

STAGING = ".pull"  # in a dataset's folder; its name begins with a dot: nothing in it is an export
READY = "ready.json"  # in it, once every file is there: the files to put in place and to remove

FileName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}\.parquet$")]


class PulledTable(BaseModel):
    """One file that a pull wrote."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: FileName
    object_name: str
    relation: str
    query: str  # the dataset's own, empty where a table is read as it stands
    statement: str  # as the warehouse was asked
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    changed_at: str | None
    watermark: str | None
    n_rows: Annotated[int, Field(ge=0)]
    n_read: Annotated[int, Field(ge=0)]
    n_marked_deleted: Annotated[int, Field(ge=0)]
    how: str
    deletions: str
    sha256: str


class PullRecord(BaseModel):
    """All of ``pulled.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pulled_at: str
    connection: str
    tables: tuple[PulledTable, ...]

    def table(self, file: str) -> PulledTable | None:
        """Return the record of a file; None where no pull wrote it."""
        return next((t for t in self.tables if t.file == file), None)


def read_record(dataset: str) -> PullRecord | None:
    """Return what the last pull wrote; None where there was none.

    Raises
    ------
    OwnMapError
        If the file is there and is none of ours.
    """
    file = paths.own_file(dataset, PULLED)
    if file is None:
        return None
    try:
        return PullRecord.model_validate_json(file.read_bytes())
    except ValidationError:
        raise OwnMapError(
            f"data/raw/{dataset}/{PULLED}: was not written by `alignment-roi pull`; delete it, and "
            "the next pull reads everything."
        ) from None


def stage_folder(dataset: str) -> Path:
    """Return the empty folder for new files."""
    finish_pull(dataset)
    private_folder(paths.raw_folder(dataset))
    return private_folder(paths.raw_folder(dataset) / STAGING)


def put_in_place(dataset: str, record: PullRecord, stale: list[str]) -> None:
    """Replace yesterday's files by the new ones: all of them, even after a crash halfway."""
    staging = paths.raw_folder(dataset) / STAGING
    (staging / PULLED).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for file in staging.iterdir():
        file.chmod(FILE_OF_OWNER)
        _to_disk(file)
    ready = {"files": sorted(f.name for f in staging.iterdir()), "stale": sorted(stale)}
    with write_whole(staging / READY, mode=FILE_OF_OWNER) as part:
        part.write_text(json.dumps(ready), encoding="utf-8")
        _to_disk(part)
    finish_pull(dataset)


def finish_exchange(dataset: str) -> None:
    """Finish an exchange of files that a killed pull had begun, before anybody reads them."""
    if os.path.lexists(paths.raw_folder(dataset) / STAGING / READY):
        with contextlib.suppress(FileNotFoundError):  # the pull that runs is finishing it itself
            finish_pull(dataset)


def finish_pull(dataset: str) -> None:
    """Complete an exchange of files that a killed pull had begun; clear away one that had not
    begun.

    The run holds the dataset's lock, so what lies there belongs to no other run.

    Raises
    ------
    OwnMapError
        If what lies there is none that a pull made.
    """
    folder = paths.raw_folder(dataset)
    staging = folder / STAGING
    if not os.path.lexists(staging):
        return
    where = f"data/raw/{dataset}/{STAGING}"
    if staging.is_symlink() or not staging.is_dir():
        raise OwnMapError(f"{where}: is not a folder that a pull made; move it away.")
    if os.path.lexists(staging / READY):
        ready = _ready_list(staging, where)
        for name in ready["files"]:
            if os.path.lexists(staging / name):
                if why := why_strange(staging / name, staging):
                    raise OwnMapError(f"{where}/{name}: {why}.")
                (staging / name).replace(folder / name)
        for name in ready["stale"]:
            (folder / name).unlink(missing_ok=True)
    shutil.rmtree(staging)


class _Ready(BaseModel):
    model_config = ConfigDict(extra="forbid")

    files: list[FileName | Literal["pulled.json"]]
    stale: list[FileName]


def _ready_list(staging: Path, where: str) -> dict[str, Any]:
    why = why_strange(staging / READY, staging)
    try:
        if why is None:
            return _Ready.model_validate_json((staging / READY).read_bytes()).model_dump()
    except ValidationError:
        why = "was not written by a pull"
    raise OwnMapError(f"{where}/{READY}: {why}; move {where} away.")


def _to_disk(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
