"""Claims of a study over simulated companies.

Each with its value, Monte Carlo error and what is asked of it.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Row = dict[str, object]


def share(flags: pd.Series) -> tuple[float, float]:
    """Return the share that is true and its Monte Carlo error, which is above 0 also where all or
    none are.
    """
    p = float(flags.mean())
    return p, math.sqrt(max(p * (1 - p), 1 / len(flags) / 4) / len(flags))


def mean(values: pd.Series) -> tuple[float, float]:
    """Return the mean and its Monte Carlo error."""
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))


def claim(work: str, what: str, got: tuple[float, float], asked: str, holds: object, n: int) -> Row:
    """Return a claim: `got` is its value and Monte Carlo error.

    `holds` None where nothing is asked.
    """
    return {
        "work": work,
        "what": what,
        "value": got[0],
        "mcse": got[1],
        "asked": asked,
        "holds": holds,
        "n": n,
    }


def as_json(row: Row) -> str:
    """Return a row as a line of JSON."""
    return json.dumps(
        row, default=lambda value: value.item() if isinstance(value, np.generic) else str(value)
    )


def head(widths: Mapping[str, int]) -> str:
    """Return the line above claims; `widths` are those of the columns that say what is claimed."""
    words = "".join(f"{name:<{width}}" for name, width in widths.items())
    return f"{words}{'value':>9}{'mcse':>8}{'n':>6}  {'asked':<16}holds"


def line(row: Mapping[str, Any], widths: Mapping[str, int]) -> str:
    """Return a claim as a line below `head`."""
    holds = "" if row["holds"] is None else "yes" if row["holds"] else "NO"
    words = "".join(f"{row[name]:<{width}}" for name, width in widths.items())
    return f"{words}{row['value']:>9.3f}{row['mcse']:>8.3f}{row['n']:>6}  {row['asked']:<16}{holds}"
