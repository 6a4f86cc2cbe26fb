"""Which modules of the package a notebook imports, directly and through others.

By their source: a forked kernel has all modules loaded, whatever its notebook imports.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.project import paths

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = Path(paths.__file__).parents[1]
NAME = "analysis"
COMMENT = re.compile(r"#.*")
TYPE_CHECKING_ONLY = re.compile(r"^if TYPE_CHECKING:\s*\n(?:[ \t]+.*\n|\n)*", re.MULTILINE)
IMPORT = re.compile(
    rf"^[ \t]*(?:from ({NAME}[\w.]*) import (\([^)]*\)|.+)|import ({NAME}[\w.]*))", re.MULTILINE
)


def imported_names(source: str) -> set[str]:
    """Return the dotted names that a module imports of the package: of a ``from`` import each name,
    within its module.

    Found by their form, which the formatter holds: to parse all modules takes ten times as long.  A
    line of a docstring that reads like an import counts too; what is imported for the type checker
    alone does not.
    """
    code = TYPE_CHECKING_ONLY.sub("", COMMENT.sub("", source))
    names: set[str] = set()
    for module, listed, plain in IMPORT.findall(code):
        parts = [part.split(" as ")[0].strip() for part in listed.strip("() ").split(",")]
        names |= {f"{module}.{part}" for part in parts if part} if module else {plain}
    return names


@cache
def module_file(name: str) -> Path | None:
    """Return the file of a module of the package."""
    place = PACKAGE.parent.joinpath(*name.split("."))
    candidates = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


def _modules_of(names: Iterable[str]) -> set[str]:
    """Return the modules that dotted names stand for, with the packages that they lie in."""
    modules = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == NAME:
            modules |= {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
    return {m for m in modules if module_file(m)}


@cache
def import_graph() -> dict[str, list[str]]:
    """Return the modules of the package that each of its modules imports."""
    graph = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        name = ".".join([NAME, *file.relative_to(PACKAGE).with_suffix("").parts])
        names = imported_names(file.read_text(encoding="utf-8"))
        graph[name.removesuffix(".__init__")] = sorted(_modules_of(names))
    return graph


def code_files(names: Iterable[str]) -> set[Path]:
    """Return the files of the package that an importer of `names` runs or reads.

    Files that are no code belong to the modules beside them; those of a folder without modules to
    whichever module names that folder.
    """
    graph, modules = import_graph(), set[str]()
    added = _modules_of(names)
    while added:
        modules |= added
        added = {each for module in added for each in graph.get(module, ())} - modules
    sources = {file for module in modules if (file := module_file(module))}
    folders = {file.parent for file in sources}
    text = "".join(file.read_text(encoding="utf-8") for file in sources)
    return sources | {f for f in _data_files() if _is_read(f, folders, text)}


def _data_files() -> list[Path]:
    return [f for f in PACKAGE.rglob("*") if f.suffix in paths.CODE_KINDS - {".py"} and f.is_file()]


def _is_read(file: Path, folders: set[Path], text: str) -> bool:
    """Return whether a file belongs to modules in `folders`, whose source is `text`."""
    if (file.parent / "__init__.py").is_file():
        return file.parent in folders
    return f'"{file.parent.name}"' in text


def file_hash(file: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's names; `absent` where there is none."""
    if file.is_dir():
        names = "\0".join(sorted(each.name for each in file.iterdir()))
        return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "absent"
