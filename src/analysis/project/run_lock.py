"""One run at a time on a dataset."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from analysis.project import paths
from analysis.project.errors import DatasetBusyError
from analysis.project.scratch_folder import sweep_scratch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def run_lock(dataset: str) -> Iterator[None]:
    """Let one run at a time touch a dataset; the lock ends with the process, however it ends.

    What killed runs left in TMPDIR is swept first.

    Raises
    ------
    DatasetBusyError
        If another run holds it.
    """
    folder = paths.project_root() / "data" / "processed"
    if not folder.is_dir():
        folder.mkdir(parents=True)
    file = folder / f".{dataset}.lock"
    can_write = os.access(folder, os.W_OK)
    if not can_write and not file.exists():
        yield  # on a disk that can only be read nobody works on it
        return
    with file.open("w" if can_write else "r") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatasetBusyError(
                f"another run works on {dataset}; try again when it is done"
            ) from None
        sweep_scratch()
        yield
