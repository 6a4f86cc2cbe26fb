"""Published problems of choice under capacity, in the files everybody tries their solver on.

The usual form: how many problems, then of each its requests, its capacities and its best known
value (0: not given), the values, the weights a row a capacity, and the limits; numbers in any
lines.  A file of one problem may leave out the first number, unless it has more capacities than
requests: other collections write capacities first, which reads as well.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.chapters.marketing_requests.capacity_choice import ChoiceProblem

if TYPE_CHECKING:
    from analysis.chapters.marketing_requests.capacity_choice import Vector

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class PublishedProblem(NamedTuple):
    """A problem of a file, and the best value its publisher knows; NaN where none is given."""

    problem: ChoiceProblem
    best_known: float


def read_knapsacks(text: str) -> list[PublishedProblem]:
    r"""Return the problems of a file.

    Raises
    ------
    ValueError
        If the numbers are not those of whole problems; the message says at which one.

    Examples
    --------
    >>> one = read_knapsacks("1\n2 1 7\n 5 7\n 3 4\n 4\n")[0]
    >>> one.problem.amounts.tolist(), one.problem.limits.tolist(), one.best_known
    ([5.0, 7.0], [4.0], 7.0)
    """
    words = text.split()
    wrong = next((w for w in words if not NUMBER.fullmatch(w)), None)
    if wrong is not None:
        raise ValueError(f"a file of problems holds numbers only, got {wrong!r}")
    numbers = np.array([float(w) for w in words])
    if not len(numbers):
        raise ValueError("a file of problems holds numbers, got none")
    try:
        return _problems(numbers[1:], n_problems=int(numbers[0]))
    except ValueError:
        with contextlib.suppress(ValueError):  # the file of one problem, which has no count
            alone = _problems(numbers, n_problems=1)
            if len(alone[0].problem.limits) <= len(alone[0].problem.requests):
                return alone
        raise


def _problems(numbers: Vector, *, n_problems: int) -> list[PublishedProblem]:
    problems, at = [], 0
    for number in range(1, n_problems + 1):
        head = numbers[at : at + 3]
        if len(head) < 3 or (head[:2] < 1).any() or (head[:2] % 1).any():
            raise ValueError(f"problem {number} of {n_problems} has no head of three numbers")
        n, m = int(head[0]), int(head[1])
        at += 3
        body = numbers[at : at + n + n * m + m]
        if len(body) < n + n * m + m:
            raise ValueError(
                f"problem {number} of {n_problems}: {n} requests and {m} capacities need "
                f"{n + n * m + m} numbers, {len(body)} are left"
            )
        at += len(body)
        problem = ChoiceProblem(
            tuple(str(i + 1) for i in range(n)),
            body[:n],
            tuple(f"capacity {r + 1}" for r in range(m)),
            body[n : n + n * m].reshape(m, n),
            body[n + n * m :],
        )
        problems.append(PublishedProblem(problem, float(head[2]) or float("nan")))
    if at != len(numbers):
        raise ValueError(f"{len(numbers) - at} numbers are left over after problem {n_problems}")
    return problems
