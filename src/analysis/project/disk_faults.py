"""Errors of a disk or of memory, in words: full, read-only, no permission, too large."""

from __future__ import annotations

import errno
import os
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "Free some space and run again.",
    errno.EDQUOT: "Free some space of your quota and run again.",
    errno.EFBIG: "Let the run write larger files (ulimit -f) and run again.",
    errno.EROFS: "Mount it for writing, or run in a copy of the project.",
    errno.EACCES: "Let the one who runs this read and write there.",
    errno.EPERM: "Let the one who runs this read and write there.",
    errno.EXDEV: "They lie on two mounts: mount the whole of data/ or reports/ there instead.",
    errno.EBUSY: "It is a mount of its own: mount the whole of data/ or reports/ instead.",
    errno.ENAMETOOLONG: "Call it by a shorter name.",
    errno.EIO: "The disk cannot be read or written: look at its health.",
    errno.EMFILE: "Let the run open more files (ulimit -n).",
    errno.ENFILE: "Close other programs: the system has no more files to open.",
    errno.ENOTDIR: "A file stands where a folder must be: move it away.",
    errno.EISDIR: "A folder stands where a file must be: move it away.",
    errno.EEXIST: "A file stands where a folder must be: move it away.",
    errno.ELOOP: "It is a link to itself: put the file itself there.",
}  # fmt: skip
TOO_LARGE = (
    "The exports take more memory than there is. Look for cells of many thousand characters in "
    "columns that are read, such as the name of a stage that every deal has; or export fewer years."
)


def explain_fault(error: BaseException) -> str | None:
    """Return the meaning of a disk or memory error and its remedy; None for any other error.

    The database says in words what the system says by number.

    Examples
    --------
    >>> explain_fault(OSError(errno.ENOSPC, "No space left on device", "data/raw/a.csv"))
    'data/raw/a.csv: No space left on device. Free some space and run again.'
    >>> explain_fault(ValueError("No space left on device")) is None
    True
    >>> explain_fault(MemoryError())[:47]
    'The exports take more memory than there is. Loo'
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return TOO_LARGE
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return f"{error.strerror}. {REMEDIES[errno.ENOSPC]}"
    if isinstance(error, OSError) and error.errno in REMEDIES:
        names = [_near(str(name)) for name in (error.filename, error.filename2) if name]
        where = " and ".join(dict.fromkeys(names)) or "a file could not be written"
        return f"{where}: {os.strerror(error.errno)}. {REMEDIES[error.errno]}"
    if type(error).__module__.partition(".")[0] in {"_duckdb", "duckdb", "pyarrow"}:
        text = str(error).partition("\n")[0]
        for number, remedy in REMEDIES.items():
            if os.strerror(number) in text:
                return f"{text.rstrip('.')}. {remedy}"
    return None


def _near(name: str) -> str:
    """Return a path as seen from where the command was given, where that is shorter."""
    here = str(Path.cwd()) + os.sep
    return name.removeprefix(here).encode("utf-8", "replace").decode()
