"""Growth of a year on the index of the year before, across teams: an association, and no more.

Error in the index draws the slope towards 0 by its reliability; the slope is given as measured and
as it would be without that error.

What of the gap between two groups of teams is what they have, and what is how it pays
(Oaxaca-Blinder).

Gap of means = sum over regressors of what the groups differ in (endowments), of how it pays
(coefficients) and of both at once (interaction).  By regressor, with an interval by drawing whole
teams anew.  For analysts: it splits a difference and explains no cause.

Source: Oaxaca (1973), Blinder (1973); threefold form as in Jann (2008), Stata Journal 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth import imputation
from analysis.chapters.growth.panel import NEVER
from analysis.project.errors import CrmDataError, require_columns
from analysis.stats import intervals, jackknife, pooling
from analysis.stats.result import Result
from analysis.stats.sample import INTERCEPT, make_sample
from analysis.stats.unobserved_confounding import Robustness, robustness_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from analysis.chapters.growth.panel import Panel
    from analysis.stats.fixed_effects import Vector


FEWEST_TEAMS = 10
FEWEST_ADOPTERS = 4  # of a segment, for an estimate of its own
POINTS = 10  # of the index, that the slope is given for


class Association(NamedTuple):
    """Slope of growth on the lagged index [percentage points per 10 points of the index].

    ``corrected`` has it without error in the index; ``robustness`` says how strong something unseen
    had to be.
    """

    measured: Result
    corrected: Result | None
    robustness: Robustness
    growth_by_index: pd.DataFrame


def on_lagged_index(
    growth: pd.Series[float],
    index: pd.Series[float],
    *,
    reliability: float | None = None,
    covariates: pd.DataFrame | None = None,
) -> Association:
    """Return how growth of a year goes with the index of the year before, a row a team.

    Errors by jackknife.

    Parameters
    ----------
    growth : Series, one entry a team
        Log growth of a year (`tier_contrast.yearly_growth`).
    index : Series, one entry a team
        Evidence-only index of the year before, 0 to 100 (`tier_contrast.require_lagged` checks the
        quarter).
    reliability : float
        Of the index across teams [0-1], such as its split half.
    covariates : DataFrame, one row a team
        Numbers to hold constant, such as ``single_exec`` (one executive for both sides).

    Raises
    ------
    CrmDataError
        If fewer than ten teams have both.
    ValueError
        If `reliability` is not above 0 and at most 1.
    """
    if reliability is not None and not 0 < reliability <= 1:
        raise ValueError(f"reliability must be above 0 and at most 1, got {reliability!r}")
    table = pd.DataFrame({"growth": growth, "index": index / POINTS})
    names = [] if covariates is None else [str(each) for each in covariates.columns]
    table = table.join(covariates) if covariates is not None else table
    table = table.dropna().astype(float)
    if len(table) < FEWEST_TEAMS:
        raise CrmDataError(
            f"team_quarter: at least {FEWEST_TEAMS} teams must have growth and an index of the "
            f"year before, but {len(table)} of {len(growth)} do. Show the teams as points."
        )
    table["team_id"] = table.index
    whole = make_sample(
        table, outcome="growth", regressors=["index", *names], cluster="team_id", name="teams"
    )
    term = jackknife.cr3(whole).table().loc["index"]
    n = len(table)
    method = (
        f"least squares of yearly log growth on the lagged index{_with(names)}; jackknife by "
        f"team, t({n - 1})"
    )
    measured = _result(
        "growth_by_index", *(100 * term[["estimate", "low", "high"]]), n=n, method=method
    )
    corrected = None
    if reliability is not None:
        left = _reliability_left(table, names, reliability)
        scale = 100 / left
        corrected = _result(
            "growth_by_index_corrected",
            *(scale * term[["estimate", "low", "high"]]),
            n=n,
            method=(
                f"{method}; over reliability {left:.2f} of what the index has beyond the rest, "
                "taken as known"
            ),
        )
    return Association(
        measured, corrected, robustness_value(whole, "index"), table[["growth", "index"]]
    )


def by_segment(
    whole: Panel, segments: pd.Series[str], *, fewest: int = FEWEST_ADOPTERS
) -> pd.DataFrame:
    """Return the effect on adopters of each segment, shrunk towards the effect on all.

    Untreated quarters of all teams serve each segment.  A segment of fewer than `fewest` adopters
    gets what all have.

    Parameters
    ----------
    whole : Panel
    segments : Series, one entry a team_id

    Returns
    -------
    DataFrame, one row a segment
        ``segment``, ``n_teams`` that joined, ``alone``, ``estimate``, ``low``, ``high`` [log].
    """
    own = segments.reindex(whole.teams).to_numpy()
    rows = []
    for segment in sorted(set(own[pd.notna(own)])):
        among = (own == segment) & (whole.starts < NEVER)
        ends = (np.nan, np.nan)
        if among.sum() >= fewest:
            effects = imputation.estimate_effects(whole, among=among)
            ends = effects.estimate, effects.standard_error
        rows.append((str(segment), int(among.sum()), *ends))
    table = pd.DataFrame(rows, columns=["segment", "n_teams", "alone", "error"])
    return pooling.with_interval(table)


def _reliability_left(table: pd.DataFrame, names: Sequence[str], reliability: float) -> float:
    """Return the reliability of what covariates leave of the index.

    They explain its true part alone.
    """
    if not names:
        return reliability
    columns = np.column_stack([np.ones(len(table)), table[list(names)].to_numpy()])
    values = table["index"].to_numpy()
    left = values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
    unexplained = float(left @ left / ((values - values.mean()) ** 2).sum())
    share_left = (reliability - (1 - unexplained)) / unexplained
    if share_left <= 0:
        raise CrmDataError(
            f"teams: the index must vary by more than {', '.join(names)} explain and its "
            f"measurement error adds, but for {len(table)} teams it does not. Use fewer covariates."
        )
    return share_left


def _result(name: str, estimate: float, low: float, high: float, *, n: int, method: str) -> Result:
    return Result(
        name=name,
        estimate=float(estimate),
        low=float(low),
        high=float(high),
        unit=f"percentage points of yearly growth per {POINTS} points of the index",
        n=n,
        n_of="teams",
        method=method,
        source="team_quarter, alignment index",
        kind="association",
    )


def _with(names: Sequence[str]) -> str:
    return f" and {', '.join(names)}" if names else ""


TEAMS_PER_REGRESSOR = 10  # in each group
N_DRAWS = 999
PARTS = ("endowments", "coefficients", "interaction")


class Decomposition(NamedTuple):
    """The gap between two groups, and its parts.

    ``parts`` has a row a part and regressor: ``part``, ``regressor``, ``estimate``, ``low``,
    ``high``; regressor ``all`` is their sum.  In the unit of the outcome.
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
    low, high = np.nanquantile(several, intervals.ENDS, axis=0)
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
            f"teams: a {cluster} must be in one group, but {int((both > 1).sum())} of {len(both)} "
            f"are in both ({cluster} {ids}). Use the group of the year before."
        )
    fewest = TEAMS_PER_REGRESSOR * n_regressors
    smallest = int(sizes.min()) if len(sizes) == 2 else 0
    if smallest < fewest:
        need = "regressor needs" if n_regressors == 1 else "regressors need"
        instead = "Show the gap as it is." if n_regressors == 1 else "Take fewer regressors."
        raise CrmDataError(
            f"teams: {n_regressors} {need} {fewest} of {cluster} in each group "
            f"({TEAMS_PER_REGRESSOR} a "
            f"regressor), but the smaller group has {smallest} of {int(sizes.sum())}. {instead}"
        )
