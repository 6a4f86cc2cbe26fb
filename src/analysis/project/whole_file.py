"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READABLE_BY_ALL = 0o644


@contextlib.contextmanager
def write_whole(file: Path, *, mode: int = READABLE_BY_ALL) -> Iterator[Path]:
    """Yield a temporary path beside `file` to write to; at the end it is renamed to `file`.

    A reader sees the old file or the new one, also where the disk is full or the process killed;
    what was written so far is then cleared away.  `mode` is that of the new file, less the umask.

    Raises
    ------
    OSError
        If the file cannot be written; `file` is as it was.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with write_whole(Path(folder) / "a.txt") as part:
    ...         _ = part.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)  # of a run that was killed
        part.touch(mode=mode, exist_ok=False)
        yield part
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
