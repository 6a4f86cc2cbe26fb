"""What a notebook declares in its metadata, read without running it.

Its question, and what it takes to answer it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.project import paths

if TYPE_CHECKING:
    from pathlib import Path

CHAPTER = re.compile(r"[0-9]+_[a-z0-9_]+\.ipynb")

Needs = dict[str, list[str]]  # columns by table


class Requirements(NamedTuple):
    """A notebook's first heading (`question`) and the keys of ``alignment_roi`` in its metadata.

    It cannot do without `needs`; of the sets of tables in `one_of` one is enough; the tables of
    `begins` must have a row dated, in the column named, before the quarter's end.  `answers` are
    the questions of page one that it answers. One that `tells_pay` shows sums made from pay, which
    would tell that of a person where few are paid.  It is written without the tables it `rests_on`
    too, and then says what each would show.
    """

    question: str
    needs: Needs
    one_of: list[Needs]
    begins: dict[str, str]
    answers: list[str]
    tells_pay: bool
    rests_on: tuple[str, ...] = ()


def chapter_notebooks() -> list[Path]:
    """Return the notebooks that are chapters of a report, in its order.

    A chapter is called ``<number>_<subject>.ipynb`` and declares ``alignment_roi`` in its metadata.
    Scratch notebooks and JupyterLab's copies do not count.
    """
    return [f for f in _declared_notebooks() if not _is_pack(f)]


def pack_notebooks() -> list[Path]:
    """Return the notebooks of one team's pack: those that declare ``is_pack``."""
    return [f for f in _declared_notebooks() if _is_pack(f)]


def _declared_notebooks() -> list[Path]:
    files = [f for f in paths.notebooks_folder().glob("*.ipynb") if CHAPTER.fullmatch(f.name)]
    return [f for f in sorted(files, key=_place) if _declaration(f) is not None]


def _place(notebook: Path) -> tuple[int, str]:
    """Return what orders notebooks: the tenth comes after the ninth."""
    number, _, subject = notebook.stem.partition("_")
    return int(number), subject


def _is_pack(notebook: Path) -> bool:
    return bool((_declaration(notebook) or {}).get("is_pack"))


def _declaration(notebook: Path) -> dict[str, Any] | None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    own: dict[str, Any] | None = content["metadata"].get("alignment_roi")
    return own


def read_requirements(notebook: Path) -> Requirements:
    """Return what a notebook declares; what it does not name is empty."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    own: dict[str, Any] = content["metadata"].get("alignment_roi", {})
    first = "".join(content["cells"][0]["source"]).splitlines()[0]
    return Requirements(
        first.removeprefix("# "),
        own.get("needs", {}),
        own.get("one_of", []),
        own.get("begins", {}),
        own.get("answers", []),
        own.get("tells_pay", False),
        tuple(own.get("rests_on", ())),
    )
