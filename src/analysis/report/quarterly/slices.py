"""A notebook cut down to its headlines: the cells that show them and those they need.

What a headline costs to compute again is then the models behind it, and no chart or table.
"""

from __future__ import annotations

import ast
import copy
import symtable
from typing import TYPE_CHECKING, Any

from analysis.report import payload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARK = "headline=True"


def cut(notebook: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the notebook of the headline cells and what they need, without outputs; None if it has no headline.

    Needed is every cell before the first ``##`` (imports, parameters, loading) and every cell that
    assigns a name which a cell kept further down reads.
    """
    kept: list[dict[str, Any]] = []
    needed: set[str] = set()
    cells = notebook["cells"]
    start = next((i for i, c in enumerate(cells) if c["cell_type"] == "markdown" and "## " in _text(c)), len(cells))
    is_headline = [c["cell_type"] == "code" and MARK in _text(c) and "analyst" not in _tags(c) for c in cells]
    if not any(is_headline):
        return None
    for i in range(len(cells) - 1, -1, -1):
        cell = cells[i]
        if cell["cell_type"] != "code" or "analyst" in _tags(cell) or "injected-parameters" in _tags(cell):
            continue
        read, assigned = _names(_text(cell))
        if is_headline[i] or i < start or assigned & needed:
            needed |= read
            kept.insert(0, {**copy.deepcopy(cell), "outputs": [], "execution_count": None})
    return {**notebook, "cells": kept}


def headlines(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the headlines that an executed notebook shows, by name, as the manifest states them."""
    return payload.metrics(c for c in _cards(notebook) if c["headline"])


def _cards(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            shown = output.get("data", {}).get(payload.MIME, {})
            if shown.get("kind") == "kpis":
                yield from shown["cards"]


def _text(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _tags(cell: Mapping[str, Any]) -> list[str]:
    tags: list[str] = cell.get("metadata", {}).get("tags", [])
    return tags


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the names a cell reads, and those it assigns or changes."""
    top = symtable.symtable(source, "cell", "exec")
    read = {s.get_name() for s in top.get_symbols() if s.is_referenced()} | set(_read_within(top))
    assigned = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            base: ast.expr = node.value
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name):
                assigned.add(base.id)
    return read, assigned


def _read_within(scope: symtable.SymbolTable) -> Iterator[str]:
    """Yield the notebook's names that comprehensions and lambdas read; their own are no concern of other cells."""
    for inner in scope.get_children():
        yield from (s.get_name() for s in inner.get_symbols() if s.is_global() and s.is_referenced())
        yield from _read_within(inner)
