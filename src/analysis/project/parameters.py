"""What a notebook is run with, checked before anything is loaded: one line says what is wrong.

Papermill takes ``-p quarter 2026`` for a number and ``-p ask_minutes 30,5`` for text, and never
compares a value with the type that the notebook states.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from analysis.project import paths, quarters, settings
from analysis.project.nearest_name import did_you_mean

if TYPE_CHECKING:
    from analysis.project.settings import Settings

COMMA_NUMBER = re.compile(r"\s*[+-]?\d+,\d+\s*")


class ParameterError(ValueError):
    """A parameter of a notebook with a value that is not allowed.

    A notebook shows its one line and no traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


def load_settings(dataset: str, quarter: str, team: str, **numbers: float) -> Settings:
    """Return the settings of the dataset a notebook is run for, after all its parameters were
    checked.

    Raises
    ------
    ParameterError
        If a text is a number or a number a text, the quarter is none, or the dataset has no folder
        (with the nearest that has).
    """
    for name, value in (("dataset", dataset), ("quarter", quarter), ("team", team)):
        if not isinstance(value, str):
            raise ParameterError(
                f"{name} must be text, got {value!r}: papermill's `-r {name} {value}` keeps "
                "it as typed"
            )
    _require_dataset(dataset)
    if quarter not in quarters.RELATIVE:
        try:
            quarters.parse_quarter(quarter)
        except ValueError as error:
            raise ParameterError(str(error)) from None
    for name, number in numbers.items():
        _require_number(name, number)
    return settings.load_dataset_settings(dataset)


def _require_dataset(dataset: str) -> None:
    try:
        folders = [paths.raw_folder(dataset), paths.processed_folder(dataset)]
    except ValueError as error:
        raise ParameterError(str(error)) from None
    if any(folder.is_dir() for folder in folders):
        return
    here = paths.dataset_names()
    hint = did_you_mean(dataset, here)
    raise ParameterError(
        f"dataset {dataset!r} has no folder in data/raw.{hint} Known: {', '.join(here) or 'none'}."
    )


def _require_number(name: str, value: object) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return
    hint = (
        f": write {value.strip().replace(',', '.')}"
        if isinstance(value, str) and COMMA_NUMBER.fullmatch(value)
        else ""
    )
    raise ParameterError(f"{name} must be a number, got {value!r}{hint}")
