"""What of the gap between two groups of teams is what they have, and what is how it pays (Oaxaca-Blinder).

Gap of means = sum over regressors of what the groups differ in (endowments), of how it pays
(coefficients) and of both at once (interaction).  By regressor, with an interval by drawing whole teams
anew.  For analysts: it splits a difference and explains no cause.

Source: Oaxaca (1973), Blinder (1973); threefold form as in Jann (2008), Stata Journal 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.models.inference.sample import INTERCEPT
from analysis.schema import CrmDataError, require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Vector = npt.NDArray[np.float64]

TEAMS_PER_REGRESSOR = 10  # in each group
N_DRAWS = 999
PARTS = ("endowments", "coefficients", "interaction")


class Decomposition(NamedTuple):
    """The gap between two groups, and its parts.

    ``parts`` has a row a part and regressor: ``part``, ``regressor``, ``estimate``, ``low``, ``high``; regressor
    ``all`` is their sum.  In the unit of the outcome.
    """

    gap: float
    parts: pd.DataFrame
    n_teams: tuple[int, int]
    convention: str


def oaxaca_blinder(
    table: pd.DataFrame,
    *,
    outcome: str,
    regressors: Sequence[str],
    group: str,
    cluster: str,
    rng: np.random.Generator,
    n_draws: int = N_DRAWS,
) -> Decomposition:
    """Return the threefold decomposition of the gap between group True and group False.

    Parameters
    ----------
    table : DataFrame, any row meaning
    group : column of booleans, the same within a cluster
    cluster : column that is drawn anew, such as ``team_id``

    Raises
    ------
    CrmDataError
        If a group has fewer than ten clusters for each regressor, or a cluster is in both groups.
    """
    require_columns(table, [outcome, *regressors, group, cluster], "teams")
    rows = table[[outcome, *regressors, group, cluster]].dropna()
    _require_clusters(rows, group, cluster, len(regressors))
    y, x = rows[outcome].to_numpy(float), rows[list(regressors)].to_numpy(float)
    x = np.column_stack([x, np.ones(len(x))])
    codes, names = pd.factorize(rows[cluster], sort=True)
    in_first = rows[group].to_numpy(bool)
    parts = _parts(y, x, in_first, np.ones(len(y)))
    first_clusters, other_clusters = np.unique(codes[in_first]), np.unique(codes[~in_first])
    drawn = np.empty((n_draws, *parts.shape))
    for k in range(n_draws):
        weights = np.zeros(len(names))
        for several in (first_clusters, other_clusters):
            np.add.at(weights, rng.choice(several, several.size), 1.0)
        drawn[k] = _parts(y, x, in_first, weights[codes])
    whole, several = _with_total(parts), _with_total(drawn)
    low, high = np.nanquantile(several, [0.025, 0.975], axis=0)
    columns = [*regressors, INTERCEPT, "all"]
    out = [
        (part, column, whole[i, j], low[i, j], high[i, j])
        for i, part in enumerate(PARTS)
        for j, column in enumerate(columns)
    ]
    return Decomposition(
        gap=float(y[in_first].mean() - y[~in_first].mean()),
        parts=pd.DataFrame(out, columns=["part", "regressor", "estimate", "low", "high"]),
        n_teams=(first_clusters.size, other_clusters.size),
        convention=f"threefold Oaxaca-Blinder; {n_draws:,} draws of whole {cluster}, 2.5% to 97.5%",
    )


def _parts(y: Vector, x: Vector, in_first: npt.NDArray[np.bool_], weights: Vector) -> Vector:
    """Return endowments, coefficients and interaction by regressor: a row a part."""
    means, slopes = [], []
    for mask in (in_first, ~in_first):
        root = np.sqrt(weights[mask])
        means.append(np.average(x[mask], axis=0, weights=weights[mask]))
        slopes.append(np.linalg.lstsq(x[mask] * root[:, None], y[mask] * root, rcond=None)[0])
    mean_gap, slope_gap = means[0] - means[1], slopes[0] - slopes[1]
    return np.stack([mean_gap * slopes[1], means[1] * slope_gap, mean_gap * slope_gap])


def _with_total(parts: Vector) -> Vector:
    return np.concatenate([parts, parts.sum(axis=-1, keepdims=True)], axis=-1)


def _require_clusters(rows: pd.DataFrame, group: str, cluster: str, n_regressors: int) -> None:
    sizes = rows.groupby(group)[cluster].nunique()
    both = rows.groupby(cluster)[group].nunique()
    if (both > 1).any():
        ids = ", ".join(str(each) for each in both.index[both > 1][:3])
        raise CrmDataError(
            f"teams: a {cluster} must be in one group, but {int((both > 1).sum())} of {len(both)} are in both "
            f"({cluster} {ids}). Use the group of the year before."
        )
    fewest = TEAMS_PER_REGRESSOR * n_regressors
    smallest = int(sizes.min()) if len(sizes) == 2 else 0
    if smallest < fewest:
        need = "regressor needs" if n_regressors == 1 else "regressors need"
        instead = "Show the gap as it is." if n_regressors == 1 else "Take fewer regressors."
        raise CrmDataError(
            f"teams: {n_regressors} {need} {fewest} of {cluster} in each group ({TEAMS_PER_REGRESSOR} a "
            f"regressor), but the smaller group has {smallest} of {int(sizes.sum())}. {instead}"
        )
