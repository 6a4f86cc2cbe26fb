"""Which commit of the project the code that runs is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

ANSWER_WITHIN = 10  # [s]; a work tree on a slow disk has no revision rather than a late report


class Revision(NamedTuple):
    """A commit, and whether files that git knows, or code that it does not, differ from it."""

    commit: str
    is_changed: bool


def code_revision(package: Path = Path(__file__).parents[1]) -> Revision | None:
    """Return the commit of the work tree that `package` belongs to as ``src/analysis``.

    None where there is no git, no work tree or no commit, or where the package lies elsewhere in
    somebody else's.
    """
    git = shutil.which("git")
    if git is None:
        return None

    def answer(*arguments: str) -> str:
        ran = subprocess.run(  # noqa: S603 - git, and words of our own
            [git, "-C", str(package), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=ANSWER_WITHIN,
        )
        return ran.stdout.strip()

    try:
        tree = Path(answer("rev-parse", "--show-toplevel")).resolve()
        if tree / "src" / "analysis" != package.resolve():
            return None
        watched = ["src", "notebooks", "pyproject.toml", "requirements.lock", "alignment.toml"]
        commit = answer("rev-parse", "--verify", "HEAD")
        changed = answer("-C", str(tree), "status", "--porcelain", "--", *watched)
    except (OSError, subprocess.SubprocessError):
        return None
    return Revision(commit, bool(changed))
