"""A notebook to run: from where, to where, with what, and how it is kept."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - of a job that is pickled
from typing import NamedTuple

from analysis.report.run.notebook_key import NotebookKey  # noqa: TC001 - likewise
from analysis.store.run_record import Parameter  # noqa: TC001 - likewise


class Keeping(NamedTuple):
    """Where a notebook is kept once it ran (without suffix), and what it follows from."""

    place: Path
    key: NotebookKey


class Job(NamedTuple):
    """A notebook to run: where from, where to, with what, in which project's folder if not in this
    one, and how it is kept.
    """

    notebook: Path
    output: Path
    parameters: dict[str, Parameter]
    root: Path | None = None
    keeping: Keeping | None = None
