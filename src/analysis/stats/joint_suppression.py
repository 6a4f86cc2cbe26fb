"""Which cells to hide when the same people are published by team, by segment and by region.

Each cut alone may be safe and all of them together not: a team hidden in one table is what is left
of its region once the other teams are taken off.  All published sums, the total among them, are
equations in the sums of the smallest groups that the cuts tell apart; a small cell is told where
they leave it no room.  Then the smallest cell that helped is hidden too, until none is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from analysis.project.errors import require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# A reader must not come nearer than this share of a small cell's value.  It is held for the number
# of people and stands for their pay too, which differs between people: hence not a bare 0.25.
NEAREST = 0.5
TINY = 1e-9


class Cell(NamedTuple):
    """A published cell: a cut, such as ``segment``, and one of its values."""

    cut: str
    value: object


class CutSums(NamedTuple):
    """Cells of all cuts as sums over atoms, the groups of people no cut tells apart further."""

    names: list[Cell]
    members: NDArray[np.float64]  # a row a cell, a column an atom: 1 where the atom is in the cell
    sizes: NDArray[np.float64]  # people in each atom


def _cells(people: pd.DataFrame, cuts: Sequence[str]) -> CutSums:
    atoms = people.groupby(list(cuts), dropna=False, sort=True).size()
    keys = atoms.index.to_frame(index=False)
    names, rows = [], []
    for cut in cuts:
        for value in keys[cut].drop_duplicates():
            is_in = keys[cut].isna() if pd.isna(value) else keys[cut] == value
            names.append(Cell(cut, value))
            rows.append(is_in.to_numpy(dtype=float))
    members = np.array(rows, dtype=np.float64).reshape(len(rows), len(atoms))
    return CutSums(names, members, np.asarray(atoms, dtype=np.float64))


def range_left(
    target: NDArray[np.float64], published: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the least and the most that `target` can be, given what is published.

    Parameters
    ----------
    target : array of a weight an atom
    published : a row a published sum, a column an atom
    values : the atoms' true values, none below 0
    """
    ends = []
    for sign in (1.0, -1.0):
        answer = linprog(
            sign * target, A_eq=published, b_eq=published @ values, bounds=(0, None), method="highs"
        )
        ends.append(-sign * np.inf if answer.fun is None else sign * float(answer.fun))
    return ends[0], ends[1]


def _is_told(cell: NDArray[np.float64], published: NDArray[np.float64], cells: CutSums) -> bool:
    low, high = range_left(cell, published, cells.sizes)
    true = float(cell @ cells.sizes)
    return low >= (1 - NEAREST) * true - TINY and high <= (1 + NEAREST) * true + TINY


def cells_to_hide(people: pd.DataFrame, cuts: Sequence[str], *, smallest: int) -> set[Cell]:
    """Return the cells of all cuts that must be hidden so that no small one can be worked out.

    Parameters
    ----------
    people : DataFrame, one row per person
        Each column of `cuts` says in which of its cells the person is.
    cuts : columns by each of which figures are published, beside their total
    smallest : fewest people a cell may show

    Returns
    -------
    set of Cell
        Those of fewer than `smallest`, and those that would give one of them away.  Where the
        total itself is of one cell alone, nothing can hide it: do not publish that total.

    Examples
    --------
    >>> people = pd.DataFrame({"team": list("aabbbbbccccc"), "region": list("nnnnnnnsssss")})
    >>> sorted(cells_to_hide(people, ["team", "region"], smallest=5))
    [Cell(cut='team', value='a'), Cell(cut='team', value='b')]
    """
    require_columns(people, list(cuts), "suppression")
    cells = _cells(people, cuts)
    counts = cells.members @ cells.sizes
    hidden = counts < smallest
    small = {row.tobytes(): row for row in [*cells.members[hidden], *_small_atoms(cells, smallest)]}
    if not small:
        return set()
    total = np.ones((1, len(cells.sizes)))
    while True:
        published = np.vstack([total, cells.members[~hidden]])
        told = next((row for row in small.values() if _is_told(row, published, cells)), None)
        if told is None:
            break
        helped = _that_helped(told, published)[1:]
        shown = np.flatnonzero(~hidden)
        candidates = shown[helped] if helped.any() else shown  # bounds reach over several cells
        if not len(candidates):
            break
        hidden[candidates[np.argmin(counts[candidates])]] = True
    return {name for name, is_hidden in zip(cells.names, hidden, strict=True) if is_hidden}


def _small_atoms(cells: CutSums, smallest: int) -> NDArray[np.float64]:
    """Return the atoms of too few people: no cut shows one, two together may."""
    rows: NDArray[np.float64] = np.eye(len(cells.sizes))[cells.sizes < smallest]
    return rows


def _that_helped(target: NDArray[np.float64], published: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which published sums a reader needs to work `target` out, the total first.

    Where bounds tell it and no equation does, those that share people with it.
    """
    weights, *_ = np.linalg.lstsq(published.T, target, rcond=None)
    is_solved = np.allclose(published.T @ weights, target, atol=1e-7)
    helped: NDArray[np.bool_] = np.abs(weights) > 1e-7 if is_solved else (published @ target > 0)
    return helped
