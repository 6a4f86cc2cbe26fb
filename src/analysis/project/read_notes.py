"""What a notebook reads while it runs, noted by its kernel: files, folders, parts of the account.

Python itself tells of every file it opens and every folder it lists, so that nothing can be read
unseen; what other libraries open by themselves (Parquet) is noted where it is read.  What cannot be
told apart from a change of the world (a command, a connection, a file written) is noted too, and
makes that a notebook runs again each time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analysis.project.paths import LOADED_VARIABLE, SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTINGS = {"os.listdir", "os.scandir"}
OPEN_ENDED = {
    "os.exec": "starts a command",
    "os.posix_spawn": "starts a command",
    "os.system": "starts a command",
    "socket.connect": "asks another machine",
    "sqlite3.connect": "asks a database",
    "subprocess.Popen": "starts a command",
}
_PACKAGE = str(Path(__file__).parents[1])
# Python, its packages and the system: the key of a notebook has their versions.
_ELSEWHERE = tuple(
    f"{folder}{os.sep}"
    for folder in {sys.prefix, sys.base_prefix, "/proc", "/sys", "/dev", "/etc", "/usr", "/lib"}
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_pauses: list[None] = []  # while one lasts nothing that is opened is noted


class ReadNotes(NamedTuple):
    """What a run read; `open_ended` says why nobody can tell whether it would be the same again."""

    tables: tuple[str, ...]
    files: tuple[str, ...]
    folders: tuple[str, ...]
    package: tuple[str, ...]  # files of the package that are no code
    account: tuple[str, ...]  # keys of the account of the cleaning pass, nested ones by a dot
    open_ended: tuple[str, ...]


def note_read(kind: str, name: str) -> None:
    """Note one thing that was read, if the environment asks for notes."""
    if noted := os.environ.get(LOADED_VARIABLE):
        line = json.dumps([kind, name]).encode() + b"\n"
        with not_noted():
            handle = os.open(noted, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)


def is_noting() -> bool:
    """Return whether reads of this process are noted."""
    return LOADED_VARIABLE in os.environ


@contextlib.contextmanager
def not_noted() -> Iterator[None]:
    """Stop noting what is opened within the block: the caller notes what counts."""
    _pauses.append(None)
    try:
        yield
    finally:
        _pauses.pop()


def watch_reads() -> None:
    """Note from now on every file that this process opens and every folder that it lists."""
    before: set[tuple[str, str]] = set()

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if _pauses or not (event == "open" or event in LISTINGS or event in OPEN_ENDED):
            return
        noted = _note_of(event, arguments)
        if noted and noted not in before:
            before.add(noted)
            note_read(*noted)

    if is_noting():
        note_read("watched", "")
        sys.addaudithook(note)


def _note_of(event: str, arguments: tuple[object, ...]) -> tuple[str, str] | None:
    if event in OPEN_ENDED:
        return _open_ended(event, arguments)
    named = arguments[0] if arguments else None
    if event in LISTINGS and named is None:
        named = "."
    if not isinstance(named, str | bytes | os.PathLike):
        return None  # a descriptor, which was opened before
    path = os.path.abspath(os.fsdecode(named))  # noqa: PTH100 - no link is followed
    if path == os.environ.get(LOADED_VARIABLE) or f"{path}{os.sep}".startswith(_ELSEWHERE):
        return None
    if path.startswith(f"{_PACKAGE}{os.sep}"):
        is_code = path.endswith((".py", ".pyc")) or "__pycache__" in path or event in LISTINGS
        return None if is_code else ("package", os.path.relpath(path, _PACKAGE))
    return _note_of_file(event, path, arguments[-1])


def _note_of_file(event: str, path: str, flags: object) -> tuple[str, str] | None:
    if event in LISTINGS:
        return "folder", path
    if isinstance(flags, int) and flags & _WRITES:
        return ("open-ended", f"writes {Path(path).name}") if _is_of_a_project(path) else None
    return "file", path


def _open_ended(event: str, arguments: tuple[object, ...]) -> tuple[str, str] | None:
    address = arguments[1] if len(arguments) > 1 else None
    if event == "socket.connect" and not isinstance(address, tuple):
        return None  # a socket of this machine: the kernel's own
    return "open-ended", OPEN_ENDED[event]


def _is_of_a_project(path: str) -> bool:
    return any((folder / SETTINGS_FILE).is_file() for folder in Path(path).parents)


def read_notes(file: Path) -> ReadNotes:
    """Return what a run noted; where it did not note that it was watched, it may have read
    anything.
    """
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    notes = [tuple(json.loads(line)) for line in lines]

    def named(kind: str) -> tuple[str, ...]:
        return tuple(sorted({name for k, name in notes if k == kind}))

    open_ended = named("open-ended")
    if not named("watched"):
        open_ended += ("was not watched",)
    return ReadNotes(
        tables=named("table"),
        files=named("file"),
        folders=named("folder"),
        package=named("package"),
        account=named("account"),
        open_ended=open_ended,
    )
