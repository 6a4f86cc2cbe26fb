"""A project with the settings of the house and no company."""

from __future__ import annotations

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def make_project(folder: Path) -> Path:
    """Make `folder` the root of an empty project; return it."""
    (folder / "data" / "raw").mkdir(parents=True)
    shutil.copy(REPOSITORY / "alignment.toml", folder)
    return folder
