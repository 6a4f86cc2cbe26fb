"""How strong something unobserved would have to be to undo a slope.

Source: Cinelli and Hazlett (2020), "Making sense of sensitivity", JRSS B 82.  Partial R2 here are
those of the sample's least squares, with classical degrees of freedom as in the paper: clusters do
not enter them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from analysis.stats import linear
from analysis.stats.sample import Sample, make_design

if TYPE_CHECKING:
    from analysis.stats.fixed_effects import Vector


class Robustness(NamedTuple):
    """A slope's robustness value [0-1].

    A confounder explaining `value` of what is left of both outcome and regressor brings the slope
    to 0; one explaining `value_alpha` of both makes it insignificant.  `partial_r2` is what the
    regressor explains of the outcome: a confounder explaining all of the outcome must explain so
    much of the regressor.
    """

    name: str
    value: float
    value_alpha: float
    partial_r2: float
    df: int
    convention: str


class Bound(NamedTuple):
    """A slope, had there been a confounder `strength` times as strong as the covariate `benchmark`.

    `r2_regressor` and `r2_outcome` are what it would explain of each [0-1].
    """

    benchmark: str
    strength: float
    r2_regressor: float
    r2_outcome: float
    estimate: float
    standard_error: float


def robustness_value(whole: Sample, name: str, *, alpha: float = 0.05) -> Robustness:
    """Return how strong a confounder it takes to undo the slope of `name`.

    Raises
    ------
    ValueError
        If `name` is not a regressor.
    """
    fit = linear.least_squares(whole._replace(clusters=()))
    place = _place(whole, fit.names, name)
    t = float(fit.estimate[place] / fit.standard_error[place])
    return robustness_of_t(t, fit.df, name=name, alpha=alpha)


def robustness_of_t(t: float, df: int, *, name: str = "slope", alpha: float = 0.05) -> Robustness:
    """Return the same from a classical t statistic and its degrees of freedom.

    With f = |t| / sqrt(df): RV = (sqrt(f^4 + 4 f^2) - f^2) / 2; for RV_alpha f is lessened by
    t(alpha, df - 1) / sqrt(df - 1), and where f c > 1 the
    regressor alone binds: 1 - (1 + c^2) / (1 + f^2) (package sensemakr).

    Examples
    --------
    >>> darfur = robustness_of_t(4.18445, 783)  # the paper's table 1
    >>> round(darfur.value, 3), round(darfur.value_alpha, 3), round(darfur.partial_r2, 3)
    (0.139, 0.076, 0.022)
    """
    f = abs(t) / math.sqrt(df)
    c = float(stats.t.ppf(1 - alpha / 2, df - 1)) / math.sqrt(df - 1)
    value_alpha = 0.0
    if f > c:
        value_alpha = (f * f - c * c) / (1 + f * f) if f * c > 1 else _value(f - c)
    return Robustness(
        name=name,
        value=_value(f),
        value_alpha=value_alpha,
        partial_r2=t * t / (t * t + df),
        df=df,
        convention=f"Cinelli-Hazlett, classical errors, df = {df}, alpha = {alpha}",
    )


def confounded_slope(whole: Sample, name: str, *, benchmark: str, strength: float = 1.0) -> Bound:
    """Return the slope of `name` under a confounder `strength` times as strong as `benchmark`.

    Strength is in partial R2 beside all other regressors, of the regressor and of the outcome
    (Cinelli and Hazlett 2020, on benchmarking).  The confounder pulls the slope
    towards 0.

    Raises
    ------
    ValueError
        If such a confounder would explain more than all there is.
    """
    design_matrix = make_design(whole._replace(clusters=()))
    d, x = _place(whole, design_matrix.names, name), _place(whole, design_matrix.names, benchmark)
    others = [j for j in range(len(design_matrix.names)) if j not in (d, x)]
    columns = design_matrix.regressors
    d_x = _partial_r2(columns[:, d], columns[:, x], columns[:, others])
    y_x = _partial_r2(design_matrix.outcome, columns[:, x], columns[:, [*others, d]])
    r2_regressor = strength * d_x / (1 - d_x)
    shared = (
        strength * d_x * d_x / ((1 - strength * d_x) * (1 - d_x))
        if strength * d_x < 1
        else math.inf
    )
    if r2_regressor >= 1 or shared >= 1:
        raise ValueError(
            f"strength must be below {(1 - d_x) / d_x:.1f} times {benchmark}, got {strength}"
        )
    eta = (math.sqrt(strength) + math.sqrt(shared)) / math.sqrt(1 - shared)
    r2_outcome = min(eta * eta * y_x / (1 - y_x), 1.0)
    fit = linear.least_squares(whole._replace(clusters=()))
    b, se = float(fit.estimate[d]), float(fit.standard_error[d])
    bias = se * math.sqrt(fit.df * r2_outcome * r2_regressor / (1 - r2_regressor))
    error = se * math.sqrt((1 - r2_outcome) / (1 - r2_regressor) * fit.df / (fit.df - 1))
    return Bound(
        benchmark, strength, r2_regressor, r2_outcome, math.copysign(abs(b) - bias, b), error
    )


def _value(f: float) -> float:
    return (math.sqrt(f**4 + 4 * f * f) - f * f) / 2


def _partial_r2(outcome: Vector, column: Vector, others: Vector) -> float:
    if others.shape[1]:
        both = np.column_stack([outcome, column])
        left = both - others @ np.linalg.lstsq(others, both, rcond=None)[0]
        outcome, column = left[:, 0], left[:, 1]
    return float((outcome @ column) ** 2 / ((outcome @ outcome) * (column @ column)))


def _place(whole: Sample, names: tuple[str, ...], name: str) -> int:
    if name not in whole.regressors:
        raise ValueError(f"name must be one of {', '.join(whole.regressors)}, got {name!r}")
    return names.index(name)
