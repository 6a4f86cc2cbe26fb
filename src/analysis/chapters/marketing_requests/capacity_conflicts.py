"""Why must-haves do not fit: a smallest set of them that cannot stand together.

Every capacity only ever fills up, so a set that does not fit breaks one capacity by itself; the
fewest must-haves that do so are found for each, and the fewest of all explain the conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from analysis.chapters.marketing_requests.exact_search import WHOLE, maximise

if TYPE_CHECKING:
    from analysis.chapters.marketing_requests.capacity_choice import ChoiceProblem, Vector


class CapacityConflict(NamedTuple):
    """Must-haves, by place, that pass one capacity together with what has to come before them."""

    musts: tuple[int, ...]
    capacity: str
    needed: float
    limit: float


def smallest_conflict(problem: ChoiceProblem) -> CapacityConflict | None:
    """Return the fewest must-haves that cannot stand together; None where all fit.

    Examples
    --------
    >>> from analysis.chapters.marketing_requests.capacity_choice import ChoiceProblem
    >>> four = ChoiceProblem(
    ...     ("a", "b", "c", "d"), np.ones(4), ("hours",),
    ...     np.array([[80.0, 70.0, 50.0, 10.0]]), np.array([120.0]), musts=frozenset(range(4)))
    >>> smallest_conflict(four)
    CapacityConflict(musts=(0, 1), capacity='hours', needed=150.0, limit=120.0)
    """
    brings = _brought_along(problem)
    conflicts = []
    for at, name in enumerate(problem.capacities):
        limit = float(problem.limits[at])
        places = _fewest(problem, brings, problem.weights[at], limit + WHOLE * max(1.0, limit))
        if places:
            needed = float(problem.weights[at][sorted(_closure(brings, places))].sum())
            conflicts.append(CapacityConflict(places, name, needed, limit))
    if problem.most_goals is not None and (goals := _fewest_goals(problem, brings)):
        conflicts.append(goals)
    return min(conflicts, key=lambda c: len(c.musts), default=None)


def _brought_along(problem: ChoiceProblem) -> dict[int, set[int]]:
    """Return, for each must-have, itself and every request that has to come before it."""
    before: dict[int, list[int]] = {}
    for first, second in problem.after:
        before.setdefault(first, []).append(second)
    brings = {}
    for must in sorted(problem.musts):
        reached, waiting = {must}, [must]
        while waiting:
            for place in before.get(waiting.pop(), []):
                if place not in reached:
                    reached.add(place)
                    waiting.append(place)
        brings[must] = reached
    return brings


def _closure(brings: dict[int, set[int]], musts: tuple[int, ...]) -> set[int]:
    return set().union(*(brings[m] for m in musts))


def _fewest(
    problem: ChoiceProblem, brings: dict[int, set[int]], weight: Vector, limit: float
) -> tuple[int, ...]:
    """Return the fewest must-haves whose requests weigh more than `limit`; none where all fit."""
    musts = list(brings)
    if not musts or weight[sorted(_closure(brings, tuple(musts)))].sum() <= limit:
        return ()
    n, k = len(problem.requests), len(musts)
    pulled = np.zeros((n, k))  # a request weighs only where a must-have in the set brings it along
    for column, must in enumerate(musts):
        pulled[sorted(brings[must]), column] = 1.0
    rows = sparse.vstack([
        sparse.hstack([sparse.csr_array(-pulled), sparse.eye_array(n)]),
        sparse.csr_array(np.concatenate([np.zeros(k), -weight])[None, :]),
    ])  # fmt: skip
    least = np.nextafter(limit, np.inf)
    solved = maximise(
        np.concatenate([-np.ones(k), np.zeros(n)]),
        sparse.csr_array(rows),
        np.append(np.zeros(n), -least),
        low=np.zeros(k + n),
        high=np.ones(k + n),
    )
    fewest = () if solved.x is None else tuple(musts[i] for i in np.flatnonzero(solved.x[:k]))
    if weight[sorted(_closure(brings, fewest))].sum() > limit:
        return fewest
    return _heaviest(brings, weight, limit)  # a limit near nought: none met it within tolerance


def _heaviest(brings: dict[int, set[int]], weight: Vector, limit: float) -> tuple[int, ...]:
    """Return must-haves, the heaviest first, until they weigh more than `limit` together."""
    chosen: list[int] = []
    by_weight = sorted(brings, key=lambda m: -weight[sorted(brings[m])].sum())
    while weight[sorted(_closure(brings, tuple(chosen)))].sum() <= limit:
        chosen.append(by_weight[len(chosen)])
    return tuple(sorted(chosen))


def _fewest_goals(problem: ChoiceProblem, brings: dict[int, set[int]]) -> CapacityConflict | None:
    """Return the fewest must-haves of more goals than are worked on at a time."""
    most = int(problem.most_goals or 0)
    goals, chosen = set[int](), list[int]()
    served = {must: {problem.goals[i] for i in group} - {-1} for must, group in brings.items()}
    while len(goals) <= most:
        best = max(served, key=lambda m: len(served[m] - goals), default=None)
        if best is None or not served[best] - goals:
            return None
        goals |= served[best]
        chosen.append(best)
    return CapacityConflict(tuple(sorted(chosen)), "goals at a time", len(goals), most)
