"""Growth of a year on the index of the year before, across teams: an association, and no more.

Error in the index draws the slope towards 0 by its reliability; the slope is given as measured and as
it would be without that error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.models.growth import imputation
from analysis.models.growth.panel import NEVER
from analysis.models.inference import jackknife, pooling
from analysis.models.inference.robustness import Robustness, robustness_value
from analysis.models.inference.sample import sample
from analysis.models.result import Result
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.growth.panel import Panel

FEWEST_TEAMS = 10
FEWEST_ADOPTERS = 4  # of a segment, for an estimate of its own
POINTS = 10  # of the index, that the slope is given for


class Association(NamedTuple):
    """Slope of growth on the lagged index [percentage points per 10 points of the index].

    ``corrected`` has it without error in the index; ``robustness`` says how strong something unseen had to be.
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
    """Return how growth of a year goes with the index of the year before, a row a team; errors by jackknife.

    Parameters
    ----------
    growth : Series, one entry a team
        Log growth of a year (`tiers.yearly_growth`).
    index : Series, one entry a team
        Evidence-only index of the year before, 0 to 100 (`tiers.require_lagged` checks the quarter).
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
            f"team_quarter: at least {FEWEST_TEAMS} teams must have growth and an index of the year before, but "
            f"{len(table)} of {len(growth)} do. Show the teams as points."
        )
    table["team_id"] = table.index
    whole = sample(table, outcome="growth", regressors=["index", *names], cluster="team_id", name="teams")
    term = jackknife.cr3(whole).table().loc["index"]
    n = len(table)
    method = f"least squares of yearly log growth on the lagged index{_with(names)}; jackknife by team, t({n - 1})"
    measured = _result("growth_by_index", *(100 * term[["estimate", "low", "high"]]), n=n, method=method)
    corrected = None
    if reliability is not None:
        left = _reliability_left(table, names, reliability)
        scale = 100 / left
        corrected = _result(
            "growth_by_index_corrected", *(scale * term[["estimate", "low", "high"]]), n=n,
            method=f"{method}; over reliability {left:.2f} of what the index has beyond the rest, taken as known",
        )  # fmt: skip
    return Association(measured, corrected, robustness_value(whole, "index"), table[["growth", "index"]])


def by_segment(whole: Panel, segments: pd.Series[str], *, fewest: int = FEWEST_ADOPTERS) -> pd.DataFrame:
    """Return the effect on adopters of each segment, drawn towards that on all by how much chance is in it.

    Untreated quarters of all teams serve each segment.  A segment of fewer than `fewest` adopters gets what all
    have.

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
            got = imputation.estimate(whole, among=among)
            ends = got.estimate, got.standard_error
        rows.append((str(segment), int(among.sum()), *ends))
    table = pd.DataFrame(rows, columns=["segment", "n_teams", "alone", "error"])
    return pooling.with_interval(table)


def _reliability_left(table: pd.DataFrame, names: Sequence[str], reliability: float) -> float:
    """Return the reliability of what covariates leave of the index: they explain its true part alone."""
    if not names:
        return reliability
    columns = np.column_stack([np.ones(len(table)), table[list(names)].to_numpy()])
    values = table["index"].to_numpy()
    left = values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
    unexplained = float(left @ left / ((values - values.mean()) ** 2).sum())
    found = (reliability - (1 - unexplained)) / unexplained
    if found <= 0:
        raise CrmDataError(
            f"teams: the index must hold more than {', '.join(names)} explain and chance adds, but nothing is left of "
            f"{len(table)} teams. Leave out covariates."
        )
    return found


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
