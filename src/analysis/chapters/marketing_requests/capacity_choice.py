"""Which requests to choose under capacity: the best set, exactly, and what one more hour is worth.

Hours, budget, skills and deadlines are rows of one problem with whole requests: a request is in or
out.  The solver's relaxed price of an hour is not what an hour is worth, because half a request
brings nothing; so the value of more capacity is found by solving again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.chapters.marketing_requests.exact_search import (
    SECONDS,
    WHOLE,
    best_whole,
    maximise,
)
from analysis.project.errors import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

ROUNDING = 1e-9
STEP_SECONDS = 2.0  # of each of many choices


class CapacityStep(NamedTuple):
    """The least limit of a capacity at which the best set gains, and its value there [currency].

    Not proven where the search was stopped: then less may do, and both may be missing.
    """

    limit: float
    value: float
    is_proven: bool


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
    solved = best_whole(price, rows, upper, low=low, high=high, seconds=seconds)
    if solved.x is None and not solved.is_proven:  # any set that stands is better than none
        any_set = maximise(np.zeros(len(price)), rows, upper, low=low, high=high, seconds=math.inf)
        solved = solved._replace(x=any_set.x)
    if solved.x is None:
        return None
    chosen = tuple(int(i) for i in np.flatnonzero(solved.x[:n]))
    value = float(problem.amounts[list(chosen)].sum())
    bound = value if solved.is_proven else max(solved.bound, value)
    return Choice(chosen, value, bound, solved.is_proven)


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
    """Return the set that working down a list gives: each request that still fits is taken.

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
    """Return the problem with the limit of one capacity changed."""
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
    problem: ChoiceProblem,
    best: Choice,
    *,
    capacity: str = "hours",
    least: float = 1.0,
    seconds: float = SECONDS,
) -> CapacityStep | None:
    """Return the least limit of one capacity at which the best set gains at least `least`
    [currency]; None where no more of it gains anything.

    Examples
    --------
    >>> three = ChoiceProblem(
    ...     ("a", "b", "c"), np.array([9e3, 8e3, 3e3]), ("hours",),
    ...     np.array([[60.0, 50.0, 20.0]]), np.array([100.0]))
    >>> next_step(three, solve_choice(three))
    CapacityStep(limit=110.0, value=17000.0, is_proven=True)
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
    at_least = np.append(upper, -(best.value + least))
    solved = best_whole(-use, stacked, at_least, low=low, high=high, seconds=seconds)
    if solved.x is None:
        return None if solved.is_proven else CapacityStep(math.nan, math.nan, is_proven=False)
    limit = float(use @ solved.x)
    there = solve_choice(with_limit(problem, capacity, limit), seconds=seconds)
    is_proven = solved.is_proven and there is not None and there.is_proven
    return CapacityStep(limit, there.value if there else math.nan, is_proven)


def value_steps(
    problem: ChoiceProblem,
    *,
    up_to: float,
    least: float,
    capacity: str = "hours",
    seconds: float = STEP_SECONDS,
) -> pd.DataFrame:
    """Return the value of the best set at each step of one capacity, from the least it works with.

    A step is the least limit at which the best set gains `least` [currency] or more on the step
    before; between two steps it gains less than that.  Columns: ``limit``, ``value_amount``,
    ``n_chosen``, ``is_proven``.

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
    steps: list[tuple[float, float, int, bool]] = []
    is_proven = True
    while limit <= up_to:
        there = with_limit(problem, capacity, limit)
        best = solve_choice(there, seconds=seconds)
        if best is None:
            break
        steps.append((limit, best.value, len(best.chosen), is_proven and best.is_proven))
        after = next_step(there, best, capacity=capacity, least=least, seconds=seconds)
        if after is None or math.isnan(after.limit):
            break
        limit, is_proven = after.limit, after.is_proven
    return pd.DataFrame(steps, columns=["limit", "value_amount", "n_chosen", "is_proven"])


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
        drawn = problem._replace(amounts=np.asarray(values, dtype=float))
        best = solve_choice(drawn, seconds=STEP_SECONDS)
        if best is not None:
            hits[list(best.chosen)] += 1
    return hits / len(draws)
