"""Files that only their owner may read, such as pay and past inputs of reports."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FOLDER_OF_OWNER, FILE_OF_OWNER = 0o700, 0o600


def private_folder(folder: Path) -> Path:
    """Return `folder`, made if it is not there, open to its owner alone."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER_OF_OWNER, exist_ok=True)
    _set_mode(folder, FOLDER_OF_OWNER)
    return folder


def make_private(folder: Path) -> None:
    """Close a folder and all in it to everyone but its owner; links are not followed."""
    _set_mode(folder, FOLDER_OF_OWNER)
    for each in folder.rglob("*"):
        if not each.is_symlink():
            _set_mode(each, FOLDER_OF_OWNER if each.is_dir() else FILE_OF_OWNER)


def _set_mode(path: Path, mode: int) -> None:
    with contextlib.suppress(PermissionError):  # of another owner, who decides
        if path.stat().st_mode & 0o777 != mode:
            path.chmod(mode)
