"""A change split exactly into its drivers, so that no order of the drivers is preferred.

A figure is a function of a few factors.  Turning them one after another from their old values into
their new ones splits the change, but each order splits it differently.  Shapley's value (1953) is
the mean over all orders: the parts sum to the change whatever the function, and a factor that did
not move gets nothing.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_FACTORS = 12  # 2 to that power evaluations


class DriverSplit(NamedTuple):
    """A figure `then` and `now`, and by how much each driver moved it.

    `parts` holds a driver's name and its share of ``now - then``, in the figure's unit; they sum to
    that change.
    """

    then: float
    now: float
    parts: dict[str, float]

    @property
    def change(self) -> float:
        """How much the figure moved."""
        return self.now - self.then


def shapley_split(factors: Sequence[str], figure: Callable[[frozenset[str]], float]) -> DriverSplit:
    """Return the change of a figure split into its factors by Shapley's value.

    Parameters
    ----------
    factors : names of what the figure is made of, at most 12
    figure : the figure where the factors named are as now and all others as then

    Raises
    ------
    ValueError
        If there are more than 12 factors.

    Examples
    --------
    3 x 10 becomes 4 x 20: price first brings 30 and 20, number first 40 and 10.

    >>> prices, numbers = (10, 20), (3, 4)
    >>> split = shapley_split(
    ...     ["price", "number"], lambda now: prices["price" in now] * numbers["number" in now]
    ... )
    >>> split.change, split.parts
    (50, {'price': 35.0, 'number': 15.0})
    """
    n = len(factors)
    if n > MOST_FACTORS:
        raise ValueError(f"factors must be at most {MOST_FACTORS}, got {n}")
    figures = {
        frozenset(subset): figure(frozenset(subset))
        for size in range(n + 1)
        for subset in itertools.combinations(factors, size)
    }
    parts = dict.fromkeys(factors, 0.0)
    for before, value in figures.items():
        weight = (
            math.factorial(len(before)) * math.factorial(n - len(before) - 1) / math.factorial(n)
            if len(before) < n
            else 0.0
        )
        for factor in factors:
            if factor not in before:
                parts[factor] += weight * (figures[before | {factor}] - value)
    return DriverSplit(figures[frozenset()], figures[frozenset(factors)], parts)


def round_to_total(parts: Sequence[float], total: int) -> list[int]:
    """Return `parts` as whole numbers that sum to `total`, each as near to its own as may be.

    What rounding leaves over goes to the parts that lost most of it.

    Examples
    --------
    >>> round_to_total([68.5, -12.3, 0.4], 57)
    [69, -12, 0]
    """
    floors = [math.floor(part) for part in parts]
    left = total - sum(floors)
    if not parts:
        return []
    each, rest = divmod(left, len(parts))
    order = sorted(range(len(parts)), key=lambda i: floors[i] - parts[i])
    for place, i in enumerate(order):
        floors[i] += each + (place < rest)
    return floors
