"""Whole variables, each in or out, that maximise a price under limits, solved exactly.

The relaxed problem puts a price on every limit.  At those prices the value of any set is the
relaxed bound, less what each variable turned the other way loses, less what is left unused at its
price; none of these is below nought.  So a set close to the bound has few turns, and all sets
within a given loss can be listed: the first loss within which any set stands holds the best one.
Where that list grows too long, HiGHS branches and bounds.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy import sparse

    Vector = NDArray[np.float64]

SECONDS = 20.0  # after which the best found so far is taken, with its bound
WHOLE = 1e-6  # how far the solver lets a capacity be passed, relative to it
CORE, CORE_FROM = 30, 80  # variables solved first to bound the rest; from how many on
CORE_SECONDS = 1.0
SMALL = 100  # open variables
MOST_LIMITS = 12  # of which each takes its share of the time for every set listed
FEW_SETS, MOST_SETS = 8_000_000, 24_000_000  # in a list, whole or in part, before branch and bound
FEW_SECONDS = 2.0  # of branch and bound between the two
SETS_A_SECOND = 3_000_000.0  # listed in as much time as branch and bound has, at most
SETS_AT_ONCE = 200_000
FIRST_SETS, MORE_SETS = 10_000.0, 4.0  # expected of the first loss, and times of each next one
N_TRIES, N_HALVINGS, STEPS = 14, 60, 400  # of losses; STEPS into which one is cut to count sets
SLACK = 1e-12  # rounding of sums, relative to a limit


class Solved(NamedTuple):
    """Result of a search: the variables, an upper bound, and whether the optimum is proven.

    The variables are None where nothing fits, proven or not.
    """

    x: Vector | None
    bound: float
    is_proven: bool


class Turns(NamedTuple):
    """The relaxed problem at its prices: what turning each variable round loses and frees.

    `x` and `bound` are those of the relaxed problem with its fractions rounded by their reduced
    price; `losses` a variable (infinite where it is settled), `freed` a limit and variable, `left`
    what each limit has left (below nought: passed), `prices` of a unit of each limit.
    """

    x: Vector
    bound: float
    losses: Vector
    freed: NDArray[np.float64]
    left: Vector
    prices: Vector
    tolerance: Vector


@contextlib.contextmanager
def silent_solver() -> Iterator[None]:
    """Let nothing the solver prints reach a cell or a log: it writes past Python, to descriptor 1."""  # noqa: E501
    sys.stdout.flush()
    terminal, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        yield
    finally:
        os.dup2(terminal, 1)
        os.close(terminal)
        os.close(nothing)


def best_whole(
    price: Vector,
    rows: sparse.csr_array,
    upper: Vector,
    *,
    low: Vector,
    high: Vector,
    seconds: float = SECONDS,
) -> Solved:
    """Return the whole variables between `low` and `high` with the highest total price that satisfy
    `rows`.
    """
    turns = None
    rows, upper = rows[np.isfinite(upper)], upper[np.isfinite(upper)]
    if len(price) >= CORE_FROM:
        turns = _relaxed_turns(price, rows, upper, low, high)
    if turns is None:
        return maximise(price, rows, upper, low=low, high=high, seconds=seconds)
    bound, value, best = turns.bound, -math.inf, None
    few = int(min(FEW_SETS, seconds * SETS_A_SECOND))
    for n_sets, limit in ((few, FEW_SECONDS), (MOST_SETS, seconds)):
        if len(upper) <= MOST_LIMITS:
            lies = (turns.bound - bound, turns.bound - value)
            listed = _fewest_losses(turns, price, n_sets, lies_within=lies)
            if listed.x is not None:
                return listed
            bound = min(bound, listed.bound)
        low, high = _settled_far_from_the_edge(turns, price, rows, upper, low, high)
        solved = maximise(price, rows, upper, low=low, high=high, seconds=min(seconds, limit))
        if solved.is_proven:
            return solved
        bound = min(bound, solved.bound)
        if solved.x is not None and price @ solved.x > value:
            best, value = solved.x, float(price @ solved.x)
        if limit >= seconds:
            break
    return Solved(best, float(max(bound, value)), is_proven=False)


def maximise(
    price: Vector,
    rows: sparse.csr_array,
    upper: Vector,
    *,
    low: Vector,
    high: Vector,
    seconds: float = SECONDS,
) -> Solved:
    """Return the same solution by branch and bound alone."""
    free, x = low < high, low.copy()
    upper = upper - rows @ (low * ~free)
    if not free.any():
        fits_all = bool((upper >= 0).all())
        return Solved(x if fits_all else None, float(price @ x), is_proven=True)
    # Looking for a simpler form costs more than it saves where little is open.
    is_large = bool(free.sum() > SMALL)
    with silent_solver():
        result: Any = milp(
            -price[free],
            constraints=LinearConstraint(rows[:, free], -np.inf, upper),
            integrality=np.ones(int(free.sum()), dtype=np.int64),
            bounds=Bounds(low[free], high[free]),
            options={"mip_rel_gap": 0.0, "time_limit": seconds, "presolve": is_large},
        )
    bound = math.inf if result.mip_dual_bound is None else -float(result.mip_dual_bound)
    bound += float(price @ (low * ~free))
    if result.x is None:
        return Solved(None, bound, is_proven=result.status in {0, 2})
    x[free] = np.round(result.x)
    return Solved(x, bound, is_proven=result.status == 0)


def _relaxed_turns(
    price: Vector, rows: sparse.csr_array, upper: Vector, low: Vector, high: Vector
) -> Turns | None:
    """Return the relaxed problem at its prices; None where not even that fits.

    The bound holds at any prices that are not below nought, so no rounding of the solver matters.
    """
    dense = rows.toarray()
    with silent_solver():
        relaxed: Any = linprog(
            -price, A_ub=dense, b_ub=upper, bounds=list(zip(low, high, strict=True)), method="highs"
        )
    if relaxed.status != 0:
        return None
    prices = np.clip(-relaxed.ineqlin.marginals, 0.0, None)
    reduced = price - prices @ dense
    x = np.where(low < high, reduced > 0, low).astype(float)
    return Turns(
        x,
        float(prices @ upper + reduced @ x),
        np.where(low < high, np.abs(reduced), np.inf),
        np.where(x > 0, dense, -dense),
        upper - dense @ x,
        prices,
        SLACK * (1 + np.abs(upper)),
    )


def _fewest_losses(
    turns: Turns, price: Vector, most_sets: int, *, lies_within: tuple[float, float]
) -> Solved:
    """Return the best set if a list of at most `most_sets` finds it; else None and a bound on all.

    What the best set loses is known to lie within `lies_within`.
    """
    done, known_loss = lies_within
    known_loss += WHOLE
    tries = _losses_to_try(turns.losses)
    tries = np.append(tries[(tries > done) & (tries < known_loss)], known_loss)
    for most_lost in tries[np.isfinite(tries)]:
        best_turns, n_listed = _least_loss(turns, most_lost, most_sets)
        if best_turns is not None:
            x = turns.x.copy()
            x[best_turns] = 1 - x[best_turns]
            return Solved(x, float(price @ x), is_proven=True)
        if n_listed > most_sets:
            break
        done = most_lost
    return Solved(None, turns.bound - done, is_proven=False)


def _losses_to_try(losses: Vector) -> Vector:
    """Return losses within which `FIRST_SETS`, then `MORE_SETS` times as many, sets lie."""
    near = np.sort(losses[np.isfinite(losses)])[:STEPS]

    def sets_within(most_lost: float) -> Vector:
        counts = np.zeros(STEPS + 1)
        counts[0] = 1.0
        for at in (near[near <= most_lost] / most_lost * STEPS).astype(int):
            counts[at:] += counts[: len(counts) - at].copy()
        return np.cumsum(counts)

    expected = FIRST_SETS * MORE_SETS ** np.arange(N_TRIES)
    most = float(near.sum())
    if not most > 0:
        return np.zeros(0)
    for _ in range(N_HALVINGS):
        if sets_within(most / 2)[-1] < expected[-1]:
            break
        most /= 2
    places = np.searchsorted(sets_within(most), expected, side="right") - 1
    return np.unique(places[places >= 0]) / STEPS * most


def _least_loss(
    turns: Turns, most_lost: float, most_sets: int
) -> tuple[NDArray[np.int64] | None, int]:
    """Return the turns of the set that loses least, if any loses up to `most_lost`, and how many
    sets were listed, whole or in part; more than `most_sets` end the search.

    Variables are turned in order of their loss, the dearest first.  A part of a set is dropped once
    no further turns can bring every limit between nought and what its price lets be left.
    """
    order = np.argsort(-turns.losses, kind="stable")
    order = order[turns.losses[order] <= most_lost]
    freed, losses = turns.freed[:, order], turns.losses[order]
    most_freed, most_used = (
        np.concatenate(
            [np.cumsum(part[:, ::-1], axis=1)[:, ::-1], np.zeros((len(freed), 1))], axis=1
        )
        for part in (np.clip(freed, 0, None), np.clip(freed, None, 0))
    )
    tolerance = turns.tolerance[:, None]
    rounding = SLACK * abs(turns.bound)
    words = (len(order) + 63) // 64
    best: NDArray[np.uint64] | None = None
    n_sets = 0
    stands = (turns.left + most_freed[:, 0] >= -turns.tolerance).all(keepdims=True)
    left = turns.left[:, None][:, stands]
    waiting = [(0, np.zeros(left.shape[1]), left, np.zeros((words, left.shape[1]), np.uint64))]
    while waiting:
        at, lost, left, bits = waiting.pop()
        while at < len(order) and len(lost) <= SETS_AT_ONCE:
            turned = np.flatnonzero(lost + losses[at] <= most_lost)
            turned_bits = bits[:, turned]
            turned_bits[at // 64] |= np.uint64(1) << np.uint64(at % 64)
            lost = np.concatenate([lost, lost[turned] + losses[at]])
            left = np.concatenate([left, left[:, turned] + freed[:, at, None]], axis=1)
            bits = np.concatenate([bits, turned_bits], axis=1)
            at += 1
            stands = (left + most_freed[:, at, None] >= -tolerance).all(axis=0)
            least_unused = np.clip(left + most_used[:, at, None], 0.0, None)
            stands &= lost + turns.prices @ least_unused <= most_lost + rounding
            lost, left, bits = lost[stands], left[:, stands], bits[:, stands]
            n_sets += len(lost)
        if n_sets > most_sets:
            return None, n_sets
        if at < len(order):
            half = len(lost) // 2
            waiting += [
                (at, lost[part], left[:, part], bits[:, part])
                for part in (slice(half), slice(half, None))
            ]
        elif len(lost):
            lost = lost + turns.prices @ left
            place = int(lost.argmin())
            if lost[place] <= most_lost:
                most_lost, best = float(lost[place]), bits[:, place]
    if best is None:
        return None, n_sets
    is_turned = [(int(best[i // 64]) >> (i % 64)) & 1 for i in range(len(order))]
    return order[np.array(is_turned, bool)], n_sets


def _settled_far_from_the_edge(
    turns: Turns, price: Vector, rows: sparse.csr_array, upper: Vector, low: Vector, high: Vector
) -> tuple[Vector, Vector]:
    """Return bounds in which what is in, or out of, every best set is fixed.

    A variable that would lose more by being turned round than the gap between the bound and a set
    at hand is settled.
    """
    near = np.argsort(turns.losses, kind="stable")[:CORE]
    core_low, core_high = turns.x.copy(), turns.x.copy()
    core_low[near], core_high[near] = low[near], high[near]
    core = maximise(price, rows, upper, low=core_low, high=core_high, seconds=CORE_SECONDS)
    if core.x is None:
        return low, high
    value = float(price @ core.x)
    gap = turns.bound - value
    is_settled = turns.losses > gap + WHOLE * max(1.0, abs(value))
    is_in = turns.x > 0
    return np.where(is_settled & is_in, 1.0, low), np.where(is_settled & ~is_in, 0.0, high)
