"""Which cells to hide when the same people are published by team, by segment and by region.

Each cut alone may be safe and all of them together not: a team hidden in one table is what is left
of its region once the other teams are taken off.  All published sums, the total among them, are
equations in the sums of the smallest groups that the cuts tell apart; a small cell is told where
they leave it no room.  Then the smallest cell that helped is hidden too, until none is told.

Two quarters are such tables too: who joined a team between them is what the team's sum grew by,
if the pay of those who stayed is the same.  So a quarter is judged beside earlier ones, and of who
stayed the reader is taken to know how far their pay moved, but not which way.
"""

from __future__ import annotations

import math
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
NEAREST_PAY = 0.25  # where it is held for their pay itself
TINY = 1e-9


class Cell(NamedTuple):
    """A published cell: a cut, such as ``segment``, and one of its values."""

    cut: str
    value: object


class Sums(NamedTuple):
    """The sums that are published of one quarter, over groups of people that no cut tells apart, or
    of two quarters, over people.

    Of two quarters a column is a person (the pay then, or now of who joined), and after those how
    far the pay moved of who stayed.
    """

    cells: NDArray[np.float64]  # a row a cell that may be hidden
    always: NDArray[np.float64]  # a row a sum that is published in any case
    few: list[NDArray[np.float64]]  # cells and groups of too few people
    values: NDArray[np.float64]
    bounds: list[tuple[float | None, float | None]]
    n_columns: int  # before those of how far pay moved


class CutSums(NamedTuple):
    """Cells of all cuts as sums over atoms: groups of people that no cut divides further."""

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
    target: NDArray[np.float64],
    published: NDArray[np.float64],
    values: NDArray[np.float64],
    bounds: Sequence[tuple[float | None, float | None]] = ((0, None),),
) -> tuple[float, float]:
    """Return the least and the most that `target` can be, given what is published.

    Parameters
    ----------
    target : array of a weight an atom
    published : a row a published sum, a column an atom
    values : the atoms' true values
    bounds : least and most of each atom; one pair is that of all
    """
    low = least_left(target, published, values, bounds)
    return low, -least_left(-target, published, values, bounds)


def least_left(
    target: NDArray[np.float64],
    published: NDArray[np.float64],
    values: NDArray[np.float64],
    bounds: Sequence[tuple[float | None, float | None]] = ((0, None),),
) -> float:
    """Return the least that `target` can be, as `range_left` does."""
    answer = linprog(target, A_eq=published, b_eq=published @ values, bounds=bounds, method="highs")
    return -math.inf if answer.fun is None else float(answer.fun)


def _is_told(
    target: NDArray[np.float64],
    published: NDArray[np.float64],
    values: NDArray[np.float64],
    bounds: Sequence[tuple[float | None, float | None]] = ((0, None),),
    nearest: float = NEAREST,
) -> bool:
    true = float(target @ values)
    if least_left(target, published, values, bounds) < (1 - nearest) * true - TINY:
        return False
    return -least_left(-target, published, values, bounds) <= (1 + nearest) * true + TINY


def cells_to_hide(
    people: pd.DataFrame,
    cuts: Sequence[str],
    *,
    smallest: int,
    earlier: Sequence[pd.DataFrame] = (),
) -> set[Cell]:
    """Return the cells of all cuts that must be hidden so that no small one can be worked out.

    Parameters
    ----------
    people : DataFrame, one row per person
        Each column of `cuts` says in which of its cells the person is.
    cuts : columns by each of which figures are published, beside their total
    smallest : fewest people a cell may show
    earlier : the same of quarters published before; each, and `people`, then has ``person`` too,
        ``amount``, what the person is paid for the same time, and ``weight``, how much of it counts

    Returns
    -------
    set of Cell
        Those of fewer than `smallest`, and those that would give one of them away, or who came or
        left since an earlier quarter.  Where the total itself is of one cell alone, or tells who
        came, nothing can hide it: do not publish that total.

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
    few = {row.tobytes(): row for row in [*cells.members[hidden], *_small_atoms(cells, smallest)]}
    total = np.ones((1, len(cells.sizes)))
    whole = Sums(cells.members, total, list(few.values()), cells.sizes, [(0, None)], len(total[0]))
    _hide_more(hidden, counts, whole, NEAREST)
    for before in earlier:
        _hide_more(hidden, counts, _movers(people, before, cuts, cells, smallest), NEAREST_PAY)
    return {name for name, is_hidden in zip(cells.names, hidden, strict=True) if is_hidden}


def _hide_more(
    hidden: NDArray[np.bool_], counts: NDArray[np.float64], sums: Sums, nearest: float
) -> None:
    """Hide cells until those that are shown tell none of the few.

    What is published in any case may tell some by itself: no cell can hide those.
    """

    def is_told(row: NDArray[np.float64], published: NDArray[np.float64]) -> bool:
        return _is_told(row, published, sums.values, sums.bounds, nearest)

    open_ones = [row for row in sums.few if not is_told(row, sums.always)]
    while True:
        published = np.vstack([sums.always, sums.cells[~hidden]])
        target = next((row for row in open_ones if is_told(row, published)), None)
        if target is None:
            return
        n = sums.n_columns
        helped = _that_helped(target[:n], published[:, :n])[len(sums.always) :]
        visible = np.flatnonzero(~hidden)
        candidates = visible[helped] if helped.any() else visible  # bounds reach over several cells
        if not len(candidates):
            return
        hidden[candidates[np.argmin(counts[candidates])]] = True


def _movers(
    people: pd.DataFrame,
    before: pd.DataFrame,
    cuts: Sequence[str],
    cells: CutSums,
    smallest: int,
) -> Sums:
    """Return two quarters of the same people as one system of sums of their pay."""
    for table in (people, before):
        require_columns(table, [*cuts, "person", "amount", "weight"], "suppression")
    cuts_then = [f"{cut} then" for cut in cuts]
    both = people.merge(before, on="person", how="outer", suffixes=("", " then"), indicator="came")
    keys = both[[*cuts, *cuts_then]].astype(object)
    at = keys.where(keys.notna(), "").assign(came=both["came"].astype(str))
    n = len(at)
    is_now, is_then = (at["came"] != side for side in ("right_only", "left_only"))
    amounts = both[["amount", "amount then"]] / float(np.nanmean(both[["amount", "amount then"]]))
    first = amounts["amount then"].fillna(amounts["amount"]).to_numpy(float)
    moved = (amounts["amount"] - amounts["amount then"]).fillna(0.0).to_numpy(float)
    # columns: pay then of each person, or now of who joined; then how far it moved of who stayed
    bounds: list[tuple[float | None, float | None]] = [(0, None)] * n
    bounds += [(-each, each) for each in np.abs(moved)]
    eye, zero = np.eye(n), np.zeros((n, n))
    pay_now, pay_then = np.hstack([eye, eye])[is_now], np.hstack([eye, zero])[is_then]
    weights_now, weights_then = (
        both[column].to_numpy(float)[is_there, None]
        for column, is_there in (("weight", is_now), ("weight then", is_then))
    )
    shown_then = _cells(before, cuts)
    hidden_then = cells_to_hide(before, cuts, smallest=smallest)
    in_now = np.array([(at[c.cut] == c.value)[is_now] for c in cells.names], dtype=float)
    in_then = np.array(
        [(at[f"{c.cut} then"] == c.value)[is_then] for c in shown_then.names], dtype=float
    )
    alike = at.groupby([*at.columns], sort=True).ngroup().to_numpy()
    in_group = (alike == np.unique(alike)[:, None]).astype(float)  # a row a group, by person
    few = {
        row.tobytes(): row
        for row in (
            *(in_now @ pay_now),
            *(in_then @ pay_then),
            *(in_group[:, is_now] @ pay_now),
            *(in_group[:, is_then] @ pay_then),
        )
        if 0 < row[:n].sum() < smallest
    }
    now, then = in_now @ (weights_now * pay_now), in_then @ (weights_then * pay_then)
    is_shown = np.array([cell not in hidden_then for cell in shown_then.names])
    of_first = np.array([cell.cut == cuts[0] for cell in cells.names])  # together: everybody
    total_then = (weights_then * pay_then).sum(axis=0)
    return Sums(
        now, np.vstack([now[of_first].sum(axis=0), total_then, then[is_shown]]),
        list(few.values()), np.concatenate([first, moved]), bounds, n,
    )  # fmt: skip


def _small_atoms(cells: CutSums, smallest: int) -> NDArray[np.float64]:
    """Return the atoms of too few people: no cut shows one, two together may."""
    rows: NDArray[np.float64] = np.eye(len(cells.sizes))[cells.sizes < smallest]
    return rows


def _that_helped(target: NDArray[np.float64], published: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which published sums a reader needs to work `target` out.

    Where bounds tell it and no equation does, those that share people with it.
    """
    weights, *_ = np.linalg.lstsq(published.T, target, rcond=None)
    is_solved = np.allclose(published.T @ weights, target, atol=1e-7)
    helped: NDArray[np.bool_] = np.abs(weights) > 1e-7 if is_solved else (published @ target > 0)
    return helped
