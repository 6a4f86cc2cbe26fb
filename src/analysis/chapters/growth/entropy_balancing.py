"""The headline with teams that never joined weighted to look like those that did, before anybody
joined.

Entropy balancing: of all weights that give the never-joined the adopters' mean level, slope and
segment before the first start, those closest to equal ones.  Where so few teams cannot be made
alike, they are made as alike as a small ridge allows, and what is left is shown.  A companion: it
asks whether the two sides differed in what could be seen, and says nothing of what could not.

Source: Hainmueller (2012), "Entropy balancing for causal effects", Political Analysis 20; the ridge
as in Zhao and Percival (2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, special

from analysis.chapters.growth import counterfactual
from analysis.chapters.growth.imputation import HORIZON, GrowthEffects, summarise_paths
from analysis.chapters.growth.panel import NEVER
from analysis.project.errors import CrmDataError
from analysis.stats.sample import FLAT

if TYPE_CHECKING:
    import numpy.typing as npt

    from analysis.chapters.growth.panel import Panel
    from analysis.stats.fixed_effects import Vector

    Flags = npt.NDArray[np.bool_]

RIDGE = 0.01
FEWEST_NEVER = 3


class Weighted(NamedTuple):
    """The effect with weights, the weights (mean 1 over teams that never joined, 1 for adopters),
    and the covariates they balance.

    ``balance`` has a row a covariate: ``covariate``, mean of ``adopters``, of ``others`` and of
    others ``weighted``. ``n_effective`` is the number of equal teams that would be as precise as
    the weighted ones.
    """

    effects: GrowthEffects
    weights: pd.Series[float]
    balance: pd.DataFrame
    n_effective: float


def team_covariates(whole: Panel, segments: pd.Series[str] | None = None) -> pd.DataFrame:
    """Return covariates of each team before the first start: one row a team.

    Columns: ``level`` [log], ``slope`` [log a quarter] where 2 quarters came before, and a share a
    segment but one.
    """
    before = whole.matrix[:, : int(whole.starts[whole.starts < NEVER].min())]
    is_observed = ~np.isnan(before)
    n = is_observed.sum(axis=1)
    values = np.nan_to_num(before)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = values.sum(axis=1) / n
        x = is_observed * (
            np.arange(before.shape[1]) - (is_observed @ np.arange(before.shape[1]) / n)[:, None]
        )
        slope = (x * values).sum(axis=1) / (x**2).sum(axis=1)
    table = pd.DataFrame({"level": level, "slope": slope}, index=whole.teams)
    if before.shape[1] == 1:
        table = table.drop(columns="slope")
    if segments is not None:
        own = segments.reindex(whole.teams)
        for name in sorted(own.dropna().unique())[1:]:
            table[f"segment {name}"] = (own == name).astype(float).where(own.notna())
    return table


def estimate_weighted(
    whole: Panel,
    segments: pd.Series[str] | None = None,
    *,
    horizon: tuple[int, int] = HORIZON,
    anticipation: int = 0,
) -> Weighted:
    """Return the effect over `horizon` by imputation, teams that never joined weighted.

    Weights anew without each team.

    Teams with an unknown covariate get no weight among the never-joined.

    Parameters
    ----------
    whole : Panel
    segments : Series, one entry a team_id

    Raises
    ------
    CrmDataError
        If fewer than 3 teams never joined.
    """
    table = team_covariates(whole, segments)
    is_complete = table.notna().all(axis=1).to_numpy()
    joined = (whole.starts < NEVER) & is_complete
    never = (whole.starts == NEVER) & is_complete
    if never.sum() < FEWEST_NEVER:
        raise CrmDataError(
            f"programme: at least {FEWEST_NEVER} teams that never joined are needed, but only "
            f"{int(never.sum())} of {len(whole.teams)} never joined. Leave out the weighted row."
        )
    include = counterfactual.leaving_out(len(whole.teams))
    z = _standard(table.to_numpy(float), is_complete)
    weights = np.stack(
        [_weights(z, joined & each, never & each, whole.starts == NEVER) * each for each in include]
    )
    events = np.arange(horizon[0], horizon[1] + 1)
    starts = np.broadcast_to(whole.starts, include.shape)
    path, n_cells = counterfactual.effect_paths(whole.matrix, starts, weights, events, anticipation)
    own = weights[0][never]
    balance = pd.DataFrame(
        {
            "covariate": table.columns,
            "adopters": table[joined].mean().to_numpy(),
            "others": table[never].mean().to_numpy(),
            "weighted": own @ table[never].to_numpy(float) / own.sum(),
        }
    )
    n_effective = float(own.sum() ** 2 / (own**2).sum())
    method = (
        f"imputation, never-joined teams weighted by entropy balancing (as {n_effective:.1f} of "
        f"{never.sum()})"
    )
    return Weighted(
        summarise_paths(whole, events, path, n_cells[0], method),
        pd.Series(weights[0], whole.teams, name="weight"),
        balance,
        n_effective,
    )


def _standard(values: Vector, is_complete: Flags) -> Vector:
    """Return covariates in standard deviations; those that do not vary are left out."""
    spread = values[is_complete].std(axis=0)
    varies = spread > FLAT * np.abs(values[is_complete]).max(axis=0)
    return np.asarray(values[:, varies] / spread[varies])


def _weights(z: Vector, joined: Flags, never: Flags, is_never: Flags) -> Vector:
    """Return 1 for adopters, and for the never-joined weights of mean 1 that give them the
    adopters' means.
    """
    distance = z[never] - z[joined].mean(axis=0)

    def objective(multiplier: Vector) -> tuple[float, Vector]:
        score = distance @ multiplier
        share = special.softmax(score)
        return (
            float(special.logsumexp(score) + RIDGE / 2 * multiplier @ multiplier),
            share @ distance + RIDGE * multiplier,
        )

    multiplier = np.zeros(z.shape[1])
    if multiplier.size:
        multiplier = optimize.minimize(objective, multiplier, jac=True, method="BFGS").x
    weights = np.where(is_never, 0.0, 1.0)
    weights[never] = special.softmax(distance @ multiplier) * never.sum()
    return weights
