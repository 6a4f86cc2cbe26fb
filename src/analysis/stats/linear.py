"""Least squares with absorbed effects and errors that may go together within clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import linalg

from analysis.project.errors import CrmDataError
from analysis.stats import clusters, fixed_effects
from analysis.stats.clusters import FIXEST, Correction
from analysis.stats.estimates import Estimates
from analysis.stats.sample import Design, Sample, make_design

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.stats.fixed_effects import Vector

COLLINEAR = 1e-9  # of a column's size left beside the others


class Solution(NamedTuple):
    """Slopes, the inverse of their normal matrix, and residuals."""

    slopes: Vector
    bread: Vector
    residuals: Vector


def least_squares(whole: Sample, *, correction: Correction = FIXEST) -> Estimates:
    """Return slopes of the outcome on the regressors, effects absorbed.

    By the theorem of Frisch, Waugh and Lovell the slopes are those of least squares on all dummies.
    Clustered: CRV1 and t(G - 1) (Cameron and Miller 2015).  Without clusters: errors alike and
    independent, t(N - K), every effect counted.

    Raises
    ------
    CrmDataError
        If there are fewer than two clusters, or regressors are collinear within the effects.
    ValueError
        If a regressor is endogenous: that takes `instruments.two_stage`.
    """
    if whole.endogenous:
        raise ValueError(
            f"endogenous must be empty in least squares, got {', '.join(whole.endogenous)}"
        )
    design_matrix = make_design(whole)
    fit = solve_columns(
        design_matrix.regressors, design_matrix.outcome, design_matrix.names, whole.name
    )
    covariance = covariance_of(
        fit.bread, design_matrix.regressors, fit.residuals, design_matrix, correction
    )
    return linear_estimates(design_matrix, fit.slopes, covariance, "least squares", correction)


def solve_columns(
    columns: Vector, outcome: Vector, names: Sequence[str], table: str = "panel"
) -> Solution:
    """Return least squares of `outcome` on `columns`.

    An orthogonal factorisation, not the normal equations: on Longley's data it keeps 11 digits
    where they keep 7.
    """
    if columns.shape[0] <= columns.shape[1]:
        raise CrmDataError(
            f"{table}: {columns.shape[0]} rows cannot tell {columns.shape[1]} slopes apart. "
            "Use fewer regressors."
        )
    k = columns.shape[1]
    both = _triangle([*columns.T, outcome])
    size = np.linalg.norm(both[:k, :k], axis=0)
    r = both[:k, :k] / size
    weak = np.abs(np.diag(r)) < COLLINEAR
    if weak.any():
        culprit = names[int(np.argmax(weak))]
        raise CrmDataError(
            f"{table}: {culprit} is a sum of the other regressors within the effects, so its slope "
            "has no value. Leave one of them out."
        )
    inverse = linalg.solve_triangular(r, np.eye(k)) / size[:, None]
    slopes = inverse @ both[:k, k]
    residuals = np.array(outcome)
    for j in range(k):
        residuals -= columns[:, j] * slopes[j]
    return Solution(slopes, inverse @ inverse.T, residuals)


def _triangle(columns: Sequence[Vector]) -> Vector:
    """Return R of the QR factorisation of `columns`, block of rows by block of rows.

    With the outcome as last column R holds all that the slopes need, so Q is never made.  Blocks
    stay below the size at which OpenBLAS calls up its threads: on a million rows 30 ms where a QR
    of the whole takes 25 to 300, as the machine is idle or busy.
    """
    k, n = len(columns), columns[0].size
    step = max(4 * k, 8_000 // k)
    if n <= 2 * step:
        return np.asarray(np.linalg.qr(np.column_stack(columns), mode="r"))
    whole = n // step * step
    blocks = np.empty((n // step, step, k))
    for j, each in enumerate(columns):
        blocks[:, :, j] = each[:whole].reshape(-1, step)
    parts = np.asarray(np.linalg.qr(blocks, mode="r")).reshape(-1, k)
    rest = np.column_stack([each[whole:] for each in columns])
    return _triangle(list(np.vstack([parts, rest]).T))


def covariance_of(
    bread: Vector,
    columns: Vector,
    residuals: Vector,
    design_matrix: Design,
    correction: Correction = FIXEST,
) -> Vector:
    """Return the covariance of slopes by the sample's clusters, classical if it has none."""
    whole = design_matrix.sample
    if not whole.clusters:
        k = clusters.n_coefficients(whole, columns.shape[1])
        return float(residuals @ residuals) / (whole.n - k) * bread
    scores = [columns[:, j] * residuals for j in range(columns.shape[1])]
    return clusters.sandwich_covariance(bread, scores, whole, columns.shape[1], correction)


def linear_estimates(
    design_matrix: Design,
    slopes: Vector,
    covariance: Vector,
    method: str,
    correction: Correction = FIXEST,
) -> Estimates:
    """Return slopes and covariance with their counts and convention."""
    whole = design_matrix.sample
    k = clusters.n_coefficients(whole, slopes.size, correction)
    effects = " and ".join(each.name for each in whole.absorb)
    n_sets = fixed_effects.connected_sets(design_matrix.effects) if design_matrix.effects else 1
    sets = f"; effects fall into {n_sets} unconnected sets, slopes stand" if n_sets > 1 else ""
    return Estimates(
        names=design_matrix.names,
        estimate=slopes,
        covariance=covariance,
        df=min(each.n for each in whole.clusters) - 1 if whole.clusters else whole.n - k,
        n_rows=whole.n,
        n_clusters=tuple(each.n for each in whole.clusters),
        method=f"{method}, effects of {effects} absorbed" if effects else method,
        convention=clusters.describe_convention(whole, slopes.size, correction) + sets,
        left_out=whole.left_out,
    )
