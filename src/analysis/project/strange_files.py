"""Entries of a received folder that are not ordinary files: links that lead out, pipes, devices.

A folder of exports is somebody else's.  Nothing outside of it is read through it, and nothing in it
is waited for.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def why_strange(file: Path, folder: Path) -> str | None:
    """Return why an entry of `folder` is neither an ordinary file nor a folder; None where it is.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     (Path(name) / "a.csv").symlink_to("/etc/hostname")
    ...     why_strange(Path(name) / "a.csv", Path(name))
    'it is a link that leads out of the folder; put the file itself there'
    """
    try:
        file.name.encode()
    except UnicodeEncodeError:
        return "its name cannot be read as text; rename it"
    why = None
    try:
        real = file.resolve(strict=True)
        kind = stat.S_IFMT(real.stat().st_mode)
        if kind in _KINDS:
            why = f"it is {_KINDS[kind]}, not a file"
        elif not real.is_relative_to(folder.resolve()):
            why = "it is a link that leads out of the folder; put the file itself there"
    except PermissionError:
        pass  # reading it says so
    except (FileNotFoundError, NotADirectoryError):
        why = "it is a link to nothing; put the file itself there"
    except (RuntimeError, OSError):
        why = "it is a link to itself; put the file itself there"
    return why


def printable_name(name: str) -> str:
    """Return a file's name with undecodable bytes written as ``?``."""
    return name.encode("utf-8", "replace").decode()
