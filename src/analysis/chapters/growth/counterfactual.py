"""What every team and quarter would be without the programme, for many designs at once.

A design is who joined when, and who is left out.  Team effects are eliminated by hand; what is left
is one small system a design, a quarter a row, and all designs are solved together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.project.errors import CrmDataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from analysis.chapters.growth.panel import Places
    from analysis.stats.fixed_effects import Vector

MOST_CELLS = 2_000_000  # designs x teams x quarters in one batch
LOOSE = 1e-9  # of the largest entry: below this the untreated cells fall apart


def effect_paths(
    values: Vector,
    starts: Places,
    include: npt.NDArray[np.bool_] | Vector,
    events: Places,
    anticipation: int,
    among: npt.NDArray[np.bool_] | None = None,
) -> tuple[Vector, Places]:
    """Return mean effects and how many cells are behind them.

    A row a design, a column an event quarter.

    Parameters
    ----------
    values : array of teams by quarters
        Log outcome, NaN where unknown.
    starts, include : arrays of designs by teams
        Column of each team's first quarter in the programme, and whether the team takes part: 1 or
        0, or any weight its untreated quarters have.
    events : array
        Quarters since the start.
    anticipation : int
        Quarters before the start that are not used as untreated.
    among : array of booleans, one a team
        The teams whose effect is averaged; all by default.

    Raises
    ------
    CrmDataError
        If untreated cells fall apart into sets that share no quarter.
    """
    step = max(1, MOST_CELLS // values.size)
    parts = [
        _paths_of(values, starts[k : k + step], include[k : k + step], events, anticipation, among)
        for k in range(0, len(starts), step)
    ]
    return np.vstack([path for path, _ in parts]), np.vstack([n for _, n in parts])


def _paths_of(
    values: Vector,
    starts: Places,
    include: npt.NDArray[np.bool_] | Vector,
    events: Places,
    anticipation: int,
    among: npt.NDArray[np.bool_] | None,
) -> tuple[Vector, Places]:
    n_quarters = values.shape[1]
    is_observed = ~np.isnan(values)
    columns = np.arange(n_quarters)
    untreated = is_observed & (columns < (starts - anticipation)[:, :, None])
    effect = values - untreated_level(
        np.nan_to_num(values), untreated * include[:, :, None].astype(float)
    )
    at = starts[:, :, None] + events
    inside = (at >= 0) & (at < n_quarters) & (include[:, :, None] > 0)
    cell = np.take_along_axis(effect, np.clip(at, 0, n_quarters - 1), axis=2)
    counted = inside & np.isfinite(cell)
    if among is not None:
        counted &= among[:, None]
    n = counted.sum(axis=1)
    total = np.where(counted, cell, 0.0).sum(axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan), n


def untreated_level(values: Vector, untreated: Vector) -> Vector:
    """Return team plus quarter effect of every cell; NaN where untreated cells do not identify it.

    `untreated` has 1 or 0 by design, team and quarter, or a weight of the team; `values` no NaN.
    """
    per_team, per_quarter = untreated.sum(axis=2), untreated.sum(axis=1)
    has_team, has_quarter = per_team > 0, per_quarter > 0
    share = untreated / np.maximum(per_team, 1)[:, :, None]
    mean = np.einsum("dit,it->di", share, values)
    right = (
        np.einsum("dit,it->dt", untreated, values) - np.matmul(mean[:, None, :], untreated)[:, 0]
    )
    left = -np.matmul(share.transpose(0, 2, 1), untreated)
    diagonal = np.arange(values.shape[1])
    left[:, diagonal, diagonal] += per_quarter + ~has_quarter
    # The level is shared between teams and quarters: quarter effects are made to sum to nothing.
    both = has_quarter[:, :, None] & has_quarter[:, None, :]
    left += both
    if np.linalg.eigvalsh(left[0])[0] < LOOSE * np.abs(left[0]).max():
        raise CrmDataError(
            f"panel: untreated quarters of all {values.shape[0]} teams must be connected, but "
            "fall apart into sets "
            "that share no quarter. Leave out the teams that overlap with no other."
        )
    by_quarter = np.linalg.solve(left, right[:, :, None])[:, :, 0]
    by_team = mean - np.matmul(share, by_quarter[:, :, None])[:, :, 0]
    out = by_team[:, :, None] + by_quarter[:, None, :]
    out[~(has_team[:, :, None] & has_quarter[:, None, :])] = np.nan
    return np.asarray(out)


def slope_on_regressor(values: Vector, regressor: Vector, used: Vector) -> Vector:
    """Return the least-squares slope of `values` on `regressor`, with team and quarter effects, by
    design.

    NaN where `regressor` is no more than such effects.  `used` is as `untreated` of
    `untreated_level`; neither of the others has NaN.
    """
    own = np.where(used > 0, regressor - untreated_level(regressor, used), 0.0)
    spread = (used * own**2).sum(axis=(1, 2))
    moves = spread > LOOSE * (used * regressor**2).sum(axis=(1, 2))
    return np.where(
        moves, np.einsum("dit,it->d", used * own, values) / np.where(moves, spread, 1), np.nan
    )


def leaving_out(n_teams: int) -> npt.NDArray[np.bool_]:
    """Return masks of the teams used: all of them, then all but each team in turn."""
    return leaving_out_clusters(np.arange(n_teams))


def leaving_out_clusters(codes: Places) -> npt.NDArray[np.bool_]:
    """Return masks of the teams used: all of them, then all but each cluster in turn.

    `codes` names each team's cluster by a number from 0.
    """
    without = codes != np.arange(int(codes.max()) + 1)[:, None]
    return np.vstack([np.ones((1, codes.size), bool), without])
