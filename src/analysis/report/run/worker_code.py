"""Which code and packages a process runs, so that a worker of another machine is the same."""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path
from typing import NamedTuple

from analysis.project import paths
from analysis.store import manifest, processed


class CodeVersion(NamedTuple):
    """Everything a result depends on beside its input; equal versions give equal results."""

    code: str  # hash of the package's sources
    lock: str  # hash of the lock beside it, empty where it was installed without one
    packages: str
    python: str


class WorkerMismatchError(RuntimeError):
    """A worker that runs other code, packages or Python than the run that asks it."""


def code_version() -> CodeVersion:
    """Return what this process runs."""
    lock = Path(paths.__file__).parents[3] / paths.LOCK_FILE
    return CodeVersion(
        processed.code_hash(),
        hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "",
        ", ".join(f"{name} {version}" for name, version in manifest.package_versions().items()),
        f"{sys.version_info.major}.{sys.version_info.minor}",
    )


def differences(mine: CodeVersion, other: CodeVersion) -> list[str]:
    """Return the names of what differs between two versions."""
    return [name for name in CodeVersion._fields if getattr(mine, name) != getattr(other, name)]


def mismatch_words(who: str, differs: list[str]) -> str:
    """Say which worker differs in which part, and what to do."""
    verb = "is" if len(differs) == 1 else "are"
    return (
        f"{who}: its {' and '.join(differs)} {verb} not this run's. Install the same version of "
        "alignment-roi from the same lock there."
    )


def require_same(wanted: CodeVersion) -> None:
    """Raise `WorkerMismatchError` if this process differs from what the run `wanted`.

    The message names this machine and what differs.
    """
    if differs := differences(code_version(), wanted):
        raise WorkerMismatchError(mismatch_words(f"worker on {platform.node()}", differs))
