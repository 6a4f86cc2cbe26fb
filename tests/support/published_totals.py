"""Companies with small teams, and what a linear solver makes of the totals they publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import linprog

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

WITHIN = 0.25


def random_company(rng: np.random.Generator) -> pd.DataFrame:
    """Return one row a person: team, segment, region and a value of pay; a third of the teams are small."""
    n_teams = int(rng.integers(4, 16))
    sizes = np.where(
        rng.random(n_teams) < 0.35, rng.integers(1, 5, n_teams), rng.integers(5, 12, n_teams)
    )
    segments, regions = (rng.integers(0, rng.integers(2, 5), n_teams) for _ in range(2))
    team = np.repeat(np.arange(n_teams), sizes)
    return pd.DataFrame(
        {
            "team": [f"t{t}" for t in team],
            "segment": [f"s{segments[t]}" for t in team],
            "region": [f"r{regions[t]}" for t in team],
            "value": rng.lognormal(12, 0.4, len(team)),
        }
    )  # fmt: skip


def told_cells(
    people: pd.DataFrame,
    cuts: Sequence[str],
    hidden: Collection[tuple[str, object]],
    *,
    smallest: int,
) -> list[tuple[str, object]]:
    """Return the cells of fewer than `smallest` people whose sum all published sums tell within a quarter.

    The reader knows who is in which cell, that nobody's value is below 0, and every sum shown.
    """
    groups = people.groupby(list(cuts))["value"].sum()
    keys, values = groups.index.to_frame(index=False), groups.to_numpy()
    values = values / values.mean()
    shown, small = [np.ones(len(values))], []
    for cut in cuts:
        for value, n in people[cut].value_counts().items():
            row = (keys[cut] == value).to_numpy(dtype=float)
            if (cut, value) not in hidden:
                shown.append(row)
                if n < smallest:
                    small.append((cut, value, row))
            elif n < smallest:
                small.append((cut, value, row))
    told = []
    for cut, value, row in small:
        ends = []
        for sign in (1, -1):
            answer = linprog(
                sign * row, A_eq=np.array(shown), b_eq=np.array(shown) @ values, bounds=(0, None)
            )
            ends.append(sign * answer.fun if answer.status == 0 else -sign * np.inf)
        true = row @ values
        if ends[0] >= (1 - WITHIN) * true and ends[1] <= (1 + WITHIN) * true:
            told.append((cut, value))
    return told
