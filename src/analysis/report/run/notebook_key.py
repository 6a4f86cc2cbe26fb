"""What a notebook's result depends on, part by part, so that it runs again only if one changed.

Beforehand: its cells, parameters, the code it imports, packages and environment.  Afterwards: what
it read, by content.  Whatever cannot be told with certainty makes that it runs each time.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import sys
import sysconfig
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.project import paths, secret_parameter
from analysis.report.run import kernel_provisioner, module_imports, own_parameters
from analysis.report.run.module_imports import PACKAGE, file_hash
from analysis.store import noted_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analysis.project.read_notes import ReadNotes
    from analysis.store.run_record import Parameter

# What cells may import beside the package: nothing that opens files by itself or knows the day.
SURE = {
    "__future__", "collections", "functools", "IPython", "ipywidgets", "itertools", "json",
    "math", "numpy", "re", "statistics", "string", "textwrap", "typing", "warnings",
}  # fmt: skip
NAMES = "names of own maps, requests or earlier quarters"
UNSURE_NAMES = {"__import__", "compile", "eval", "exec", "get_ipython", "globals"}
RUNNERS = (  # what runs a notebook is part of its code
    "project/read_notes.py",
    "report/cell_tags.py",
    "report/run/kernel_provisioner.py",
    "report/run/kernel_zygote.py",
    "report/run/notebook_jobs.py",
    "report/run/notebooks.py",
    "report/run/own_parameters.py",
)
Parts = dict[str, dict[str, str]]  # by kind, then name: a hash, or a value as text


class NotebookKey(NamedTuple):
    """What a result depends on before the run starts; `unsure` says why it must run each time."""

    root: Path
    dataset: str
    parts: Parts
    keyed_ns: int  # when this was so: what is newer may have been read otherwise
    unsure: str


def key_notebook(notebook: Path, parameters: Mapping[str, Parameter], root: Path) -> NotebookKey:
    """Return the key of a notebook about to run with `parameters` in the project at `root`."""
    keyed_ns = time.time_ns()
    content = json.loads(notebook.read_text(encoding="utf-8"))
    sources = ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == "code"]
    dataset, quarter = str(parameters["dataset"]), str(parameters["quarter"])
    try:
        trees = [ast.parse(source) for source in sources]
    except SyntaxError:
        return NotebookKey(root, dataset, {}, keyed_ns, "a cell is not plain Python")
    names = {name for tree in trees for name in _imported_names(tree)}
    types = own_parameters.read_types(notebook)
    parts: Parts = {
        "cells": {"": _cells_hash(content)},
        "parameter": {n: json.dumps(v) for n, v in sorted(parameters.items()) if n in types},
        "code": _code(frozenset(names)),
        "surroundings": _surroundings(root) | {NAMES: _names_hash(root, dataset, quarter)},
    }
    unsure = "it has a secret" if secret_parameter.KIND in types.values() else ""
    return NotebookKey(root, dataset, parts, keyed_ns, unsure or _why_unsure(trees, names))


def _imported_names(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{each.name}" for each in node.names}
    return names


def _why_unsure(trees: Iterable[ast.AST], names: set[str]) -> str:
    others = sorted({n.partition(".")[0] for n in names} - SURE - {module_imports.NAME})
    if others:
        return f"it imports {', '.join(others)}"
    used = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}
    unsure = sorted(used & UNSURE_NAMES)
    return f"it calls {', '.join(unsure)}" if unsure else ""


def _cells_hash(content: Mapping[str, Any]) -> str:
    cells = [[c["cell_type"], "".join(c["source"]), c["metadata"]] for c in content["cells"]]
    return _text_hash(json.dumps([cells, content["metadata"]], sort_keys=True))


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@cache
def _code(names: frozenset[str]) -> dict[str, str]:
    files = module_imports.code_files(names) | {PACKAGE / name for name in RUNNERS}
    return {f.relative_to(PACKAGE).as_posix(): file_hash(f) for f in sorted(files)}


def _surroundings(root: Path) -> dict[str, str]:
    """Return what stands around every notebook: packages, lock, Python, machine, variables."""
    packages = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    versions = [f.name for folder in sorted(packages) for f in Path(folder).glob("*.dist-info")]
    variables = {"OPENBLAS_NUM_THREADS": "1", **os.environ}  # as `run_all` sets it
    return {
        "packages": _text_hash("\n".join(sorted(versions))),
        "requirements.lock": file_hash(root / paths.LOCK_FILE),
        "Python": f"{sys.version} {platform.machine()}",
        **{
            f"variable {name}": value
            for name, value in sorted(variables.items())
            if name == "TZ" or kernel_provisioner.IMPORTS_READ.fullmatch(name)
        },
    }


def _names_hash(root: Path, dataset: str, quarter: str) -> str:
    """Return the hash of names beside the data: own maps, requests, what earlier quarters kept.

    A file that is not there is not opened, and one that comes later would not be missed.
    """
    raw, history = root / "data" / "raw" / dataset, root / "data" / "history" / dataset
    own = [f for f in raw.rglob("*.toml") if f.parent.name != paths.REVIEWS_FOLDER]
    names = [str(f.relative_to(raw)) for f in own]
    for folder in history.iterdir() if history.is_dir() else ():
        is_earlier = folder.name[:1].isdigit() and folder.name < quarter
        if folder.is_dir() and (is_earlier or folder.name == paths.REQUESTS_FOLDER):
            names += [str(f.relative_to(history)) for f in folder.rglob("*")]
    return _text_hash("\n".join(sorted(names)))


def read_parts(key: NotebookKey, notes: ReadNotes, account: Mapping[str, Any]) -> Parts:
    """Return the hash of each thing that a run read, by kind and name."""
    history = key.root / "data" / "history"  # names of then: a part of the key
    files, folders = ([_place(key.root, n) for n in some] for some in (notes.files, notes.folders))
    folders = [n for n in folders if not (key.root / n).is_relative_to(history)]
    return {
        "file": {n: file_hash(key.root / n) for n in files},
        "folder": {n: _listing_hash(key.root, n) for n in folders},
        "account": {name: noted_account.part_hash(account, name) for name in notes.account},
    }


def _listing_hash(root: Path, name: str) -> str:
    """Return the hash of the names in a folder: of modules alone where Python looks for some."""
    if name.startswith(("data/", "notebooks")) or not (root / name).is_dir():
        return file_hash(root / name)
    modules = [f.name for f in (root / name).iterdir() if f.suffix in {".py", ".so"}]
    return _text_hash("\n".join(sorted(modules)))


def _place(root: Path, name: str) -> str:
    """Return a path as it stands in the project, whole where it lies outside of it."""
    path = Path(name)
    for base in (root, root.resolve()):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return name


def why_uncertain(key: NotebookKey, notebook: Path, notes: ReadNotes, reads: Parts) -> str:
    """Return why a run's result must not be used again; empty where it may."""
    if key.unsure or notes.open_ended:
        return key.unsure or f"it {notes.open_ended[0]}"
    if strays := sorted(set(notes.package) - set(key.parts["code"])):
        return f"it reads {strays[0]} of the package, which its imports do not show"
    read = [notebook, *(PACKAGE / n for n in key.parts["code"])]
    read += [key.root / n for kind in ("file", "folder") for n in reads[kind]]
    newer = [f for f in read if f.exists() and f.stat().st_ctime_ns >= key.keyed_ns]
    return f"{newer[0].name} changed while it ran" if newer else ""


def differences(then: Mapping[str, Mapping[str, str]], now: Parts) -> list[str]:
    """Return in words what differs between the parts of two keys, a line a kind."""
    lines = []
    for kind in dict.fromkeys([*then, *now]):
        before, after = then.get(kind, {}), now.get(kind, {})
        names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
        if names:
            lines.append(_words(kind, names, before, after))
    return lines


def _words(kind: str, names: list[str], before: Mapping[str, str], after: Mapping[str, str]) -> str:
    if kind == "cells":
        return "its cells changed"
    if kind == "parameter":
        name = names[0]
        return f"{name} is {after.get(name, 'unset')}, was {before.get(name, 'unset')}"
    if kind == "account":
        names = [" ".join(json.loads(n)).replace(" ?", "") or "all" for n in names]
    if kind == "file":
        names = [Path(n).name.removesuffix(".parquet") for n in names]
    different = list(dict.fromkeys(names))
    more = f" and {len(different) - 3} more" if len(different) > 3 else ""
    return f"{WORDS[kind]}{', '.join(different[:3])}{more} changed"


WORDS = {
    "code": "code ",
    "surroundings": "",
    "file": "",
    "folder": "files in ",
    "account": "the cleaning's account of ",
}
