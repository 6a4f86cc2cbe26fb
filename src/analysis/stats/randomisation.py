"""Randomisation test: the comparison is repeated over all assignments that chance could have made.

Nothing is assumed of errors; the assignment alone is the source of chance.  So the test says no
more than the number of possible assignments allows: with 3 of 6 teams there are 20, and the
smallest p-value is 0.10.

Sources: Fisher (1935); MacKinnon and Webb (2020), J. Econometrics 218, for few treated clusters.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from analysis.stats.fixed_effects import Vector

ASSIGNMENTS_PER_ALPHA = 20  # fewer than this over alpha, and a rejection is one lucky pick away
TIE = 1e-9  # relative


class RandomisationTest(NamedTuple):
    """How extreme the statistic is among those of other assignments.

    `p_value` counts the assignment itself and ties.  `refuse_assignments` is empty, or says why
    nothing may be called found on it.
    """

    statistic: float
    p_value: float
    n_assignments: int
    n_drawn: int
    is_exact: bool
    n_clusters: int
    smallest_group: int
    refusal: str
    convention: str


def randomisation_test(
    assigned: pd.Series[bool] | pd.Series[str],
    statistic: Callable[[pd.Series], float],
    *,
    rng: np.random.Generator,
    n_draws: int = 9_999,
    alpha: float = 0.05,
) -> RandomisationTest:
    """Return the two-sided test that what was assigned to clusters makes no difference.

    Parameters
    ----------
    assigned : Series, one entry a cluster
        What each got: whether treated, or in which quarter it was (a cohort).
    statistic : from such a Series to a number, large in size where the assignment mattered
        A t statistic resists clusters of unequal size better than a slope (MacKinnon and Webb
        2020).
    rng : where assignments come from; unused where all of them fit in `n_draws`

    Raises
    ------
    CrmDataError
        If clusters are missing an assignment, or all got the same.
    """
    codes, labels = pd.factorize(assigned, sort=True)
    if (codes < 0).any() or len(labels) < 2:
        raise CrmDataError(
            "assignment: needs at least 2 groups and a group for every cluster, but has "
            f"{len(labels)}, and {int((codes < 0).sum())} of {codes.size} clusters have none. "
            "Compare clusters of known assignment."
        )
    counts = np.bincount(codes)
    total = n_assignments(counts.tolist())
    is_exact = total <= n_draws
    values = labels.to_numpy()

    def at(place: npt.NDArray[np.intp]) -> float:
        return float(statistic(pd.Series(values[place], assigned.index, name=assigned.name)))

    observed = at(codes)
    if not math.isfinite(observed):
        raise CrmDataError(
            "assignment: the statistic has no value under the actual assignment. Check its groups."
        )
    several = (
        _all(codes.size, counts.tolist())
        if is_exact
        else (rng.permutation(codes) for _ in range(n_draws))
    )
    drawn = np.array([at(each) for each in several])
    # An assignment under which the statistic has no value counts against the finding.
    n_extreme = int((~(np.abs(drawn) < abs(observed) * (1 - TIE))).sum())
    p = n_extreme / total if is_exact else (1 + n_extreme) / (1 + n_draws)
    return RandomisationTest(
        statistic=observed,
        p_value=p,
        n_assignments=total,
        n_drawn=drawn.size,
        is_exact=is_exact,
        n_clusters=codes.size,
        smallest_group=int(counts.min()),
        refusal=refuse_assignments(total, alpha),
        convention=(
            f"randomisation inference, {'all' if is_exact else f'{n_draws:,} of'} {total:,} "
            "assignments of "
            f"{codes.size} clusters to groups of {', '.join(map(str, counts))}; two-sided, ties "
            "count"
        ),
    )


def n_assignments(counts: list[int]) -> int:
    """Return in how many ways clusters can fall into groups of these sizes.

    Examples
    --------
    >>> n_assignments([3, 3]), n_assignments([5, 5])
    (20, 252)
    """
    return math.factorial(sum(counts)) // math.prod(math.factorial(each) for each in counts)


def refuse_assignments(total: int, alpha: float = 0.05) -> str:
    """Return why there are too few assignments for a finding, or "".

    Examples
    --------
    >>> refuse_assignments(20)
    '20 possible assignments are fewer than the 400 a test at 0.05 needs'
    """
    needed = math.ceil(ASSIGNMENTS_PER_ALPHA / alpha)
    if total >= needed:
        return ""
    return f"{total} possible assignments are fewer than the {needed} a test at {alpha} needs"


def mean_gap(values: pd.Series[float]) -> Callable[[pd.Series], float]:
    """Return the statistic "mean of the treated less mean of the others" of one value a cluster.

    With values "after less before" that is difference in differences.
    """
    ordered = values.to_numpy(float)

    def gap(treated: pd.Series) -> float:
        mask = treated.to_numpy(bool)
        return float(ordered[mask].mean() - ordered[~mask].mean())

    return gap


def _all(n: int, counts: list[int]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield every way to give group 0, 1, ... to `n` places, `counts` of each."""

    def fill(free: tuple[int, ...], group: int, out: Vector) -> Iterator[npt.NDArray[np.intp]]:
        if group == len(counts) - 1:
            done = out.astype(np.intp)
            done[list(free)] = group
            yield done
            return
        for chosen in itertools.combinations(free, counts[group]):
            following = out.copy()
            following[list(chosen)] = group
            yield from fill(
                tuple(each for each in free if each not in chosen), group + 1, following
            )

    yield from fill(tuple(range(n)), 0, np.zeros(n))
