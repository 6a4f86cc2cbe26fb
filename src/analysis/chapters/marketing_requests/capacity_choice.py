"""Which requests to choose under capacity: the best set, exactly, and what one more hour is worth.

Hours, budget, skills and deadlines are rows of one problem with whole requests: a request is in or
out.  The solver's relaxed price of an hour is not what an hour is worth, because half a request
brings nothing; so the value of more capacity is found by solving again.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from analysis.project.errors import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

SECONDS = 20.0  # after which the best found so far is taken, with its bound
WHOLE = 1e-6  # how far the solver lets a capacity be passed, relative to it
CORE, CORE_FROM = 30, 80  # requests solved first to bound the rest; from how many on
CORE_SECONDS = 1.0
SMALL = 100  # open requests
ROUNDING = 1e-9


class ChoiceProblem(NamedTuple):
    """Requests to choose from, and what bounds the choice.

    `amounts` [currency] and `weights` (a row a capacity, a column a request) are those of
    `requests`; row r may use up to ``limits[r]`` and is called ``capacities[r]``.  Of a pair in
    `after` the first is chosen only with the second.  ``goals`` numbers the shared goal of each
    request, -1 for none; at most `most_goals` of them are worked on.  `musts` are in any set.
    """

    requests: tuple[str, ...]
    amounts: Vector
    capacities: tuple[str, ...]
    weights: NDArray[np.float64]
    limits: Vector
    after: tuple[tuple[int, int], ...] = ()
    goals: tuple[int, ...] = ()
    most_goals: int | None = None
    musts: frozenset[int] = frozenset()


class Choice(NamedTuple):
    """The set chosen, by place: its value, the most any set could have, and whether that is proven."""  # noqa: E501

    chosen: tuple[int, ...]
    value: float
    bound: float
    is_proven: bool


class Solved(NamedTuple):
    """What a solver says: the variables (None where nothing fits), the most that can be, proof."""

    x: Vector | None
    bound: float
    is_proven: bool


@contextlib.contextmanager
def silent_solver() -> Iterator[None]:
    """Let nothing the solver prints reach a cell or a log: it writes past Python, to descriptor 1."""  # noqa: E501
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


def solve_choice(
    problem: ChoiceProblem, *, with_also: Iterable[int] = (), seconds: float = SECONDS
) -> Choice | None:
    """Return the set of the highest value; None where the must-haves do not fit.

    Parameters
    ----------
    problem : ChoiceProblem
        Of capacities and values that are known.
    with_also : places of requests that have to be in the set too
    seconds : after which the best found so far is returned, not proven

    Raises
    ------
    CrmDataError
        If a value, a weight or a limit is missing: what is unknown is left out before.

    Examples
    --------
    >>> three = ChoiceProblem(
    ...     ("a", "b", "c"), np.array([9e3, 8e3, 3e3]), ("hours",),
    ...     np.array([[60.0, 50.0, 20.0]]), np.array([100.0]))
    >>> solve_choice(three)[:2]
    ((0, 2), 12000.0)
    """
    _require_known(problem)
    rows, upper = _rows(problem)
    n, n_goals = len(problem.requests), _n_goals(problem)
    price = np.concatenate([problem.amounts, np.zeros(n_goals)])
    low, high = np.zeros(n + n_goals), np.ones(n + n_goals)
    low[list({*problem.musts, *with_also})] = 1.0
    if n >= CORE_FROM:
        low, high = _settled_far_from_the_edge(price, rows, upper, low, high)
    solved = maximise(price, rows, upper, low=low, high=high, seconds=seconds)
    if solved.x is None:
        return None
    chosen = tuple(int(i) for i in np.flatnonzero(solved.x[:n]))
    value = float(problem.amounts[list(chosen)].sum())
    bound = value if solved.is_proven else max(solved.bound, value)
    return Choice(chosen, value, bound, solved.is_proven)


def maximise(
    price: Vector,
    rows: sparse.csr_array,
    upper: Vector,
    *,
    low: Vector,
    high: Vector,
    seconds: float = SECONDS,
) -> Solved:
    """Return which whole variables between `low` and `high` have the highest price, `rows` kept."""
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
        return Solved(None, bound, is_proven=result.status == 0)
    x[free] = np.round(result.x)
    return Solved(x, bound, is_proven=result.status == 0)


def _settled_far_from_the_edge(
    price: Vector, rows: sparse.csr_array, upper: Vector, low: Vector, high: Vector
) -> tuple[Vector, Vector]:
    """Return bounds in which what is in, or out of, every best set is fixed.

    In the relaxed problem each request has a reduced price: what the bound loses by turning it
    round.  One that would lose more than the gap between the bound and a set at hand is settled.
    """
    with silent_solver():
        relaxed: Any = linprog(
            -price,
            A_ub=rows.toarray(),
            b_ub=upper,
            bounds=list(zip(low, high, strict=True)),
            method="highs",
        )
    if relaxed.status != 0:
        return low, high
    reduced = np.abs(relaxed.lower.marginals + relaxed.upper.marginals)
    is_in = relaxed.x > 0.5
    near = np.argsort(reduced, kind="stable")[:CORE]
    core_low, core_high = is_in.astype(float), is_in.astype(float)
    core_low[near], core_high[near] = low[near], high[near]
    core = maximise(price, rows, upper, low=core_low, high=core_high, seconds=CORE_SECONDS)
    if core.x is None:
        return low, high
    value = float(price @ core.x)
    gap = -float(relaxed.fun) - value
    is_settled = reduced > gap + WHOLE * max(1.0, abs(value))
    return np.where(is_settled & is_in, 1.0, low), np.where(is_settled & ~is_in, 0.0, high)


def _require_known(problem: ChoiceProblem) -> None:
    unknown = (
        ~np.isfinite(problem.amounts)
        | ~np.isfinite(problem.weights).all(axis=0)
        | (problem.weights < 0).any(axis=0)
    )
    if unknown.any() or np.isnan(problem.limits).any():
        ids = [problem.requests[i] for i in np.flatnonzero(unknown)[:3]]
        raise CrmDataError(
            f"marketing_requests: value, hours and cost must be known and not below 0, but "
            f"{int(unknown.sum())} of {len(unknown)} rows are not (request_id {', '.join(ids)}).\n"
            "Leave these out of the choice and count them."
        )


def _n_goals(problem: ChoiceProblem) -> int:
    is_bounded = problem.most_goals is not None and problem.goals
    return max(problem.goals, default=-1) + 1 if is_bounded else 0


def _rows(problem: ChoiceProblem) -> tuple[sparse.csr_array, Vector]:
    """Return all constraints as rows that stay at or below their limit."""
    n, n_goals = len(problem.requests), _n_goals(problem)
    blocks = [sparse.hstack([sparse.csr_array(problem.weights), sparse.csr_array((len(problem.limits), n_goals))])]  # fmt: skip  # noqa: E501
    upper = [problem.limits + ROUNDING * np.abs(problem.limits)]
    pairs = [(i, j) for i, j in problem.after]
    pairs += [(i, n + goal) for i, goal in enumerate(problem.goals) if n_goals and goal >= 0]
    if pairs:  # a request waits for another, or for its goal to be worked on
        first, second = np.array(pairs).T
        at = np.arange(len(pairs))
        entries = np.concatenate([np.ones(len(pairs)), -np.ones(len(pairs))])
        places = (np.concatenate([at, at]), np.concatenate([first, second]))
        blocks.append(sparse.csr_array((entries, places), shape=(len(pairs), n + n_goals)))
        upper.append(np.zeros(len(pairs)))
    if n_goals:
        blocks.append(sparse.csr_array(np.concatenate([np.zeros(n), np.ones(n_goals)])[None, :]))
        upper.append(np.array([float(problem.most_goals or 0)]))
    return sparse.csr_array(sparse.vstack(blocks)), np.concatenate(upper)


def fits(problem: ChoiceProblem, chosen: Sequence[int]) -> bool:
    """Return whether a set keeps within every capacity, with what it needs and its goals."""
    inside = set(chosen)
    used = problem.weights[:, list(chosen)].sum(axis=1)
    goals = {problem.goals[i] for i in chosen if problem.goals and problem.goals[i] >= 0}
    return bool(
        (used <= problem.limits * (1 + WHOLE) + ROUNDING).all()
        and all(j in inside for i, j in problem.after if i in inside)
        and (problem.most_goals is None or len(goals) <= problem.most_goals)
    )


def choose_in_order(problem: ChoiceProblem, order: Iterable[int]) -> Choice:
    """Return the set a list gives that is worked down: each request that still fits is taken.

    Must-haves come first.  Requests that bring less than they cost are not taken.
    """
    chosen: list[int] = []
    places = [*sorted(problem.musts), *(i for i in order if i not in problem.musts)]
    for place in places:
        is_worth_it = place in problem.musts or problem.amounts[place] > 0
        if is_worth_it and fits(problem, [*chosen, place]):
            chosen.append(place)
    value = float(problem.amounts[chosen].sum())
    return Choice(tuple(sorted(chosen)), value, value, is_proven=False)


def with_limit(problem: ChoiceProblem, capacity: str, limit: float) -> ChoiceProblem:
    """Return the problem with another limit of one capacity."""
    at = problem.capacities.index(capacity)
    return problem._replace(
        limits=np.where(np.arange(len(problem.limits)) == at, limit, problem.limits)
    )


def value_by_capacity(
    problem: ChoiceProblem, limits: Sequence[float], *, capacity: str = "hours"
) -> pd.DataFrame:
    """Return the value of the best set at each limit of one capacity, each solved anew.

    Columns: ``limit``, ``value_amount``, NaN where the must-haves do not fit; ``n_chosen``.

    Examples
    --------
    >>> three = ChoiceProblem(
    ...     ("a", "b", "c"), np.array([9e3, 8e3, 3e3]), ("hours",),
    ...     np.array([[60.0, 50.0, 20.0]]), np.array([100.0]))
    >>> value_by_capacity(three, [100, 105, 110])["value_amount"].tolist()
    [12000.0, 12000.0, 17000.0]
    """
    rows = []
    for limit in limits:
        best = solve_choice(with_limit(problem, capacity, float(limit)))
        rows.append((float(limit), best.value, len(best.chosen)) if best else (limit, math.nan, 0))
    return pd.DataFrame(rows, columns=["limit", "value_amount", "n_chosen"])


def next_step(
    problem: ChoiceProblem, best: Choice, *, capacity: str = "hours", least: float = 1.0
) -> tuple[float, float] | None:
    """Return the least limit of one capacity at which the best set gains at least `least`
    [currency], and its value there; None where no more of it gains anything.

    Examples
    --------
    >>> three = ChoiceProblem(
    ...     ("a", "b", "c"), np.array([9e3, 8e3, 3e3]), ("hours",),
    ...     np.array([[60.0, 50.0, 20.0]]), np.array([100.0]))
    >>> next_step(three, solve_choice(three))
    (110.0, 17000.0)
    """
    at = problem.capacities.index(capacity)
    free = with_limit(problem, capacity, float(problem.weights[at].sum()))
    rows, upper = _rows(free)
    n_goals = _n_goals(problem)
    gain = np.concatenate([-problem.amounts, np.zeros(n_goals)])[None, :]
    use = np.concatenate([problem.weights[at], np.zeros(n_goals)])
    low, high = np.zeros(len(use)), np.ones(len(use))
    low[list(problem.musts)] = 1.0
    stacked = sparse.csr_array(sparse.vstack([rows, sparse.csr_array(gain)]))
    solved = maximise(-use, stacked, np.append(upper, -(best.value + least)), low=low, high=high)
    if solved.x is None:
        return None
    limit = float(use @ solved.x)
    there = solve_choice(with_limit(problem, capacity, limit))
    return (limit, there.value) if there else None


def value_steps(
    problem: ChoiceProblem, *, up_to: float, least: float, capacity: str = "hours"
) -> pd.DataFrame:
    """Return the value of the best set at each step of one capacity, from the least it works with.

    A step is the least limit at which the best set gains `least` [currency] or more on the step
    before; between two steps it gains less than that.  Columns: ``limit``, ``value_amount``,
    ``n_chosen``.

    Examples
    --------
    >>> three = ChoiceProblem(
    ...     ("a", "b", "c"), np.array([9e3, 8e3, 3e3]), ("hours",),
    ...     np.array([[60.0, 50.0, 20.0]]), np.array([100.0]))
    >>> value_steps(three, up_to=200, least=1)["limit"].tolist()
    [0.0, 20.0, 50.0, 60.0, 70.0, 80.0, 110.0, 130.0]
    """
    at = problem.capacities.index(capacity)
    limit = float(problem.weights[at][list(problem.musts)].sum())
    steps: list[tuple[float, float, int]] = []
    while limit <= up_to:
        there = with_limit(problem, capacity, limit)
        best = solve_choice(there)
        if best is None:
            break
        steps.append((limit, best.value, len(best.chosen)))
        after = next_step(there, best, capacity=capacity, least=least)
        if after is None:
            break
        limit = after[0]
    return pd.DataFrame(steps, columns=["limit", "value_amount", "n_chosen"])


def displaced_by(problem: ChoiceProblem, best: Choice, place: int) -> tuple[tuple[int, ...], float]:
    """Return what leaves the best set if one request has to be in it, and the value lost
    [currency]; NaN where it does not fit at all.
    """
    forced = solve_choice(problem, with_also=[place])
    if forced is None:
        return (), math.nan
    return tuple(sorted(set(best.chosen) - set(forced.chosen))), best.value - forced.value


def chance_in_best_set(problem: ChoiceProblem, draws: NDArray[np.float64]) -> Vector:
    """Return the share of draws in which each request is in the best set: a row of values a draw."""  # noqa: E501
    hits = np.zeros(len(problem.requests))
    for values in draws:
        best = solve_choice(problem._replace(amounts=np.asarray(values, dtype=float)))
        if best is not None:
            hits[list(best.chosen)] += 1
    return hits / len(draws)
