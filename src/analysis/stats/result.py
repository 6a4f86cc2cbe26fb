"""A figure that carries what makes it trustworthy: unit, interval, n, method, kind and source."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Kind = Literal["measure", "difference", "association", "effect"]
Verdict = Literal[
    "found",
    "likely",
    "no material effect",
    "likely pays",
    "likely does not pay",
    "cannot tell",
]


class Result(NamedTuple):
    """One estimate with its interval.

    `estimate` is NaN where the data cannot tell; `low` and `high` are the ends of the 95% interval
    and NaN where it has none.  `n` counts `n_of` (such as reps).  `verdict` is None for a measure.
    """

    name: str
    estimate: float
    low: float
    high: float
    unit: str
    n: int
    n_of: str
    method: str
    source: str
    kind: Kind = "measure"
    verdict: Verdict | None = None
    interval_name: str = "95% interval"  # what `low` and `high` are, where they are something else

    @property
    def is_known(self) -> bool:
        """Whether there is an estimate at all."""
        return not math.isnan(self.estimate)

    def hide_few(self, smallest_cell: int) -> Result:
        """Return the result, without its figures where they rest on too few reps to be shown."""
        if self.n_of != "reps" or self.n >= smallest_cell:
            return self
        return self._replace(estimate=math.nan, low=math.nan, high=math.nan)
