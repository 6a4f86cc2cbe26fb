"""Two-stage least squares: slopes from hours that something outside has moved.

The first stage is reported beside the slope: a weak one makes two-stage least squares lean towards
plain least squares, and its t interval too short.  The Anderson-Rubin interval holds either way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from analysis.stats import clusters, linear
from analysis.stats.clusters import FIXEST, Correction
from analysis.stats.intervals import LEVEL
from analysis.stats.sample import Sample, make_design

if TYPE_CHECKING:
    from analysis.stats.estimates import Estimates
    from analysis.stats.fixed_effects import Vector

STRONG_F = 10.0  # asked for here; 23.1 keeps bias below 10 % of the worst case with one instrument


class TwoStage(NamedTuple):
    """Slopes by two-stage least squares and the strength of their first stage.

    `effective_f` is Montiel Olea and Pflueger's; `low_ar` and `high_ar` the Anderson-Rubin interval
    of the endogenous slope: infinite where the instrument cannot bound it, NaN with more than one
    endogenous regressor or instrument.
    """

    fit: Estimates
    effective_f: float
    low_ar: float
    high_ar: float

    @property
    def is_strong(self) -> bool:
        """Whether the effective F passes `STRONG_F`."""
        return self.effective_f > STRONG_F


def two_stage(whole: Sample, *, correction: Correction = FIXEST, level: float = LEVEL) -> TwoStage:
    """Return slopes with the endogenous regressors replaced by their prediction from the
    instruments.

    b = (X'PX)^-1 X'Py with P the projection on instruments and trusted regressors; residuals are of
    X, not of PX; CRV1 of the scores PX u (Cameron and Miller 2015, JHR 50).

    Raises
    ------
    CrmDataError
        If clusters are too few, or instruments do not vary within the effects.
    ValueError
        If there is no endogenous regressor.
    """
    if not whole.endogenous:
        raise ValueError("endogenous must name a regressor for two-stage least squares, got none")
    design_matrix = make_design(whole)
    is_endogenous = np.array([name in whole.endogenous for name in design_matrix.names])
    trusted = design_matrix.regressors[:, ~is_endogenous]
    sources = np.column_stack([trusted, design_matrix.instruments])
    names = [*(n for n in design_matrix.names if n not in whole.endogenous), *whole.instruments]
    foretold = design_matrix.regressors.copy(order="F")
    for j in np.flatnonzero(is_endogenous):
        stage = linear.solve_columns(sources, design_matrix.regressors[:, j], names, whole.name)
        foretold[:, j] -= stage.residuals
    second = linear.solve_columns(foretold, design_matrix.outcome, design_matrix.names, whole.name)
    residuals = design_matrix.outcome - design_matrix.regressors @ second.slopes
    covariance = linear.covariance_of(second.bread, foretold, residuals, design_matrix, correction)
    fit = linear.linear_estimates(
        design_matrix, second.slopes, covariance, "two-stage least squares", correction
    )
    if len(whole.endogenous) > 1:
        return TwoStage(fit, math.nan, math.nan, math.nan)
    z = _residual(trusted, design_matrix.instruments)
    x = _residual(trusted, design_matrix.regressors[:, is_endogenous])[:, 0]
    y = _residual(trusted, design_matrix.outcome[:, None])[:, 0]
    low, high = (
        _anderson_rubin(z, x, y, whole, correction, sources.shape[1], level)
        if z.shape[1] == 1
        else (math.nan, math.nan)
    )
    return TwoStage(fit, _effective_f(z, x, whole, correction, sources.shape[1]), low, high)


def _residual(trusted: Vector, columns: Vector) -> Vector:
    if not trusted.shape[1]:
        return columns
    return np.asarray(columns - trusted @ np.linalg.lstsq(trusted, columns, rcond=None)[0])


def _effective_f(z: Vector, x: Vector, whole: Sample, correction: Correction, k: int) -> float:
    """Return p'Qp / tr(V Q), Q = Z'Z (Montiel Olea and Pflueger 2013, JBES 31)."""
    q = z.T @ z
    bread = np.asarray(np.linalg.inv(q), float)
    p = bread @ (z.T @ x)
    u = x - z @ p
    v = _covariance(bread, [z[:, j] * u for j in range(p.size)], whole, correction, k)
    return float(p @ q @ p) / float(np.trace(v @ q))


def _anderson_rubin(
    z: Vector, x: Vector, y: Vector, whole: Sample, correction: Correction, k: int, level: float
) -> tuple[float, float]:
    """Return the slopes b at which the instrument says nothing of y - xb (Anderson and Rubin 1949).

    With one instrument the test of each b is quadratic in b.  A set with a hole is given as the
    whole line.
    """
    column, zz = z[:, 0], float(z[:, 0] @ z[:, 0])
    on_y, on_x = float(column @ y) / zz, float(column @ x) / zz
    scores = [column * (y - column * on_y), column * (x - column * on_x)]
    v = _covariance(np.eye(2) / zz, scores, whole, correction, k)
    df = min(each.n for each in whole.clusters) - 1 if whole.clusters else whole.n - k
    c = float(stats.f.ppf(level, 1, df))
    a, b, d = on_x**2 - c * v[1, 1], on_y * on_x - c * v[0, 1], on_y**2 - c * v[0, 0]
    if a <= 0:
        return -math.inf, math.inf
    root = math.sqrt(max(b * b - a * d, 0.0))
    return (b - root) / a, (b + root) / a


def _covariance(
    bread: Vector, scores: list[Vector], whole: Sample, correction: Correction, k: int
) -> Vector:
    if whole.clusters:
        return clusters.sandwich_covariance(bread, scores, whole, k, correction)
    stacked = np.column_stack(scores)
    n_coefficients = clusters.n_coefficients(whole, k)
    return np.asarray(whole.n / (whole.n - n_coefficients) * bread @ (stacked.T @ stacked) @ bread)
