"""The notebooks' own parameters: their types, and values of the command line checked against them.

Before a kernel starts, and without papermill, whose import takes longer than the answer.
"""

from __future__ import annotations

import ast
import json
import math
from typing import TYPE_CHECKING

from analysis.project import secret_parameter
from analysis.project.nearest_name import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from analysis.store.run_record import Parameter

TAG = "parameters"  # of papermill
TYPES: dict[str, Callable[[str], Parameter]] = {"str": str, "int": int, "float": float}
TRUE, FALSE = {"true", "yes", "1"}, {"false", "no", "0"}


def read_types(notebook: Path) -> dict[str, str]:
    """Return the type of each parameter of a notebook, by name.

    As its cell of parameters states them: ``name: type = value``.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ("".join(c["source"]) for c in cells if TAG in c["metadata"].get("tags", ()))
    return {
        line.target.id: ast.unparse(line.annotation)
        for source in sources
        for line in ast.parse(source).body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }


def _typed(name: str, text: str, kind: str) -> Parameter:
    if kind == "bool":
        if text.casefold() in TRUE | FALSE:
            return text.casefold() in TRUE
        raise ValueError(f"parameter {name} must be true or false, got {text!r}")
    try:
        value = TYPES.get(kind, str)(text)
    except ValueError:
        raise ValueError(f"parameter {name} must be of type {kind}, got {text!r}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"parameter {name} must be a finite number, got {text!r}")
    return value


def check_parameters(
    notebooks: Sequence[Path], parameters: Mapping[str, str], reserved: Sequence[str]
) -> dict[str, Parameter]:
    """Return `parameters` as typed values, if the notebooks know every name.

    A secret one is put into the environment instead, and stands in no list of parameters.

    Raises
    ------
    ValueError
        If a name is unknown (with the nearest one), set by the command line itself, or its value of
        another type.
    """
    types_of: dict[str, str] = {}
    for notebook in notebooks if parameters else []:
        types_of |= read_types(notebook)
    free = [name for name in types_of if name not in reserved]
    for name in parameters:
        if name in reserved:
            raise ValueError(
                f"parameter {name} is set by the command line itself: it is no -p of the notebooks"
            )
        if name not in types_of:
            hint = did_you_mean(name, types_of)
            raise ValueError(
                f"no notebook has a parameter {name!r}.{hint} Known: {', '.join(sorted(free))}."
            )
    plain = {n: text for n, text in parameters.items() if types_of[n] != secret_parameter.KIND}
    for name in parameters.keys() - plain.keys():
        secret_parameter.hide_parameter(name, parameters[name])
    return {name: _typed(name, text, types_of[name]) for name, text in plain.items()}
