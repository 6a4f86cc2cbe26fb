"""Folders for what a run needs for a while: private, and swept by the next run after a kill."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "roi-"  # short: a kernel's sockets lie in one, and their paths may not be long
IN_USE = ".in-use-by-alignment-roi"  # locked: the lock ends with the process, however it ends


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder of this user's alone in TMPDIR, removed when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with (folder / f"{IN_USE}-soon").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)  # before any other process can find the file
            (folder / f"{IN_USE}-soon").rename(folder / IN_USE)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_scratch() -> int:
    """Remove this user's folders of processes that were killed; return how many."""
    folders = [f for f in Path(tempfile.gettempdir()).glob(f"{PREFIX}*") if _is_abandoned(f)]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return len(folders)


def _is_abandoned(folder: Path) -> bool:
    try:
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
            return False
        with (folder / IN_USE).open() as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # in use, none of ours, or swept by another run meanwhile
        return False
    return True
