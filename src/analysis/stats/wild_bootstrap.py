"""Wild cluster bootstrap: is the slope more than the luck of few clusters? Signs of whole clusters'
errors are drawn anew.

The null is imposed (WCR11): residuals without the slope get a random sign a cluster, and the
slope's t statistic is computed anew.  With all effects absorbed each draw needs nothing but G
numbers: the statistic of draw v is (v's) / |Kv| with a vector s and a G x G matrix K made once, so
all draws are one matrix product.  Programs that expand effects to dummies, or refit, pay by the
row.

Sources: Cameron, Gelbach and Miller (2008), REStat 90; Roodman, MacKinnon, Nielsen and Webb (2019),
Stata Journal 19, for the algebra; Webb (2023), CJE 56, for six-point draws with few clusters.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import linalg

from analysis.stats import clusters, fixed_effects
from analysis.stats.intervals import LEVEL
from analysis.stats.sample import Design, Sample, make_design

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.stats.fixed_effects import Vector

Draws = Literal["rademacher", "webb"]
POINTS: dict[Draws, tuple[float, ...]] = {
    "rademacher": (-1.0, 1.0),
    "webb": (-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5)),
}
FEWEST_FOR_SIGNS = 10  # below, signs alone give too few distinct statistics: Webb's six points
TIE = 1e-10  # relative: a draw this close to the statistic is the statistic
MOST_DOUBLINGS = 12  # 4,096 standard errors: beyond, rounding decides ties, and no one cares


class WildTest(NamedTuple):
    """A slope's bootstrap p-value and interval.

    `p_value` counts ties as extreme, and the sample itself where draws are a sample: it is never 0.
    `n_above` draws are strictly beyond the statistic, `n_ties` equal it (programs that leave ties
    out, as wildboottest and pyfixest do, print n_above / n_draws).  An end of the interval is
    infinite where no slope, however far, would be rejected.
    """

    name: str
    estimate: float
    null: float
    p_value: float
    low: float
    high: float
    n_draws: int
    n_above: int
    n_ties: int
    is_exact: bool
    n_clusters: int
    convention: str


def wcr11(
    whole: Sample,
    name: str,
    *,
    rng: np.random.Generator,
    null: float = 0.0,
    n_draws: int = 9_999,
    points: Draws | None = None,
    level: float = LEVEL,
) -> WildTest:
    """Return the restricted wild cluster bootstrap of one slope.

    Parameters
    ----------
    whole : Sample with one clustered column
    name : regressor tested
    rng : where signs come from; unused where all of them fit in `n_draws`
    points : what clusters' errors are multiplied by; None: signs, Webb's points below 10 clusters

    Raises
    ------
    CrmDataError
        If there are fewer than two clusters.
    ValueError
        If the sample has no or two clustered columns, or `name` is not a regressor.
    """
    if len(whole.clusters) != 1:
        raise ValueError(
            f"cluster must name one column for the bootstrap, got {len(whole.clusters)}"
        )
    if name not in whole.regressors:
        raise ValueError(f"name must be one of {', '.join(whole.regressors)}, got {name!r}")
    clusters.require_clusters(whole)
    g = whole.clusters[0].n
    kind: Draws = points or ("rademacher" if g >= FEWEST_FOR_SIGNS else "webb")
    v, is_exact = _draws(POINTS[kind], g, n_draws, rng)
    parts = _parts(make_design(whole), name)
    count = _counter(parts, v)
    n_above, n_ties = count(null)
    doubled = 2 if is_exact else 1  # a draw and its mirror have the same |t|: one half is computed
    total = v.shape[0] * doubled
    low, high = _interval(
        parts, lambda at: _p_value(sum(count(at)), v.shape[0], is_exact=is_exact) > 1 - level
    )
    return WildTest(
        name=name,
        estimate=parts.estimate,
        null=null,
        p_value=_p_value(n_above + n_ties, v.shape[0], is_exact=is_exact),
        low=low,
        high=high,
        n_draws=total,
        n_above=n_above * doubled,
        n_ties=n_ties * doubled,
        is_exact=is_exact,
        n_clusters=g,
        convention=(
            f"WCR11 by {whole.clusters[0].name} (G = {g}), {kind} draws, "
            f"{'all' if is_exact else 'a sample of'} {total:,}, symmetric, ties count; interval "
            "by test inversion"
        ),
    )


class _Parts(NamedTuple):
    """What a draw v needs: numerator v's and denominator |Kv|, each linear in the null."""

    estimate: float
    size: float  # of the regressor beside the others, squared
    error: float  # clustered standard error without correction
    s_outcome: Vector
    s_regressor: Vector
    k_outcome: Vector
    k_regressor: Vector


def _parts(design_matrix: Design, name: str) -> _Parts:
    whole = design_matrix.sample
    codes, g = whole.clusters[0].codes, whole.clusters[0].n
    place = design_matrix.names.index(name)
    others = np.delete(design_matrix.regressors, place, axis=1)
    basis = np.asarray(linalg.qr(others, mode="economic")[0], float) if others.shape[1] else others
    x = design_matrix.regressors[:, place] - basis @ (basis.T @ design_matrix.regressors[:, place])
    y = design_matrix.outcome - basis @ (basis.T @ design_matrix.outcome)
    size = float(x @ x)
    estimate = float(x @ y) / size
    own = fixed_effects.sum_by(codes, x * x, g)
    sums, matrices = [], []
    for residual in (y, x):
        s = fixed_effects.sum_by(codes, x * residual, g)
        h = np.diag(s) - _shared(design_matrix, basis, x, residual)
        sums.append(s)
        matrices.append(h - np.outer(own, s) / size)
    scores = fixed_effects.sum_by(codes, x * (y - x * estimate), g)
    error = math.sqrt(float(scores @ scores)) / size
    return _Parts(estimate, size, error, sums[0], sums[1], matrices[0], matrices[1])


def _shared(design_matrix: Design, basis: Vector, x: Vector, residual: Vector) -> Vector:
    """Return x1_g' P (r1_h) for clusters g, h.

    What effects and other regressors carry between them.
    """
    whole = design_matrix.sample
    codes, g = whole.clusters[0].codes, whole.clusters[0].n
    out = np.zeros((g, g))
    if basis.shape[1]:
        columns = range(basis.shape[1])
        left = clusters.cluster_sums([basis[:, j] * x for j in columns], codes, g)
        right = clusters.cluster_sums([basis[:, j] * residual for j in columns], codes, g)
        out += left @ right.T
    if design_matrix.effects is not None:
        scale = 1.0 if design_matrix.root_weights is None else design_matrix.root_weights
        left_sums = _by_cluster(design_matrix, x * scale)
        right_sums = _by_cluster(design_matrix, residual * scale)
        for left, right in zip(
            left_sums, fixed_effects.solve_effects(design_matrix.effects, right_sums), strict=True
        ):
            out += left.T @ right
    return out


def _by_cluster(design_matrix: Design, column: Vector) -> list[Vector]:
    """Return the sum of `column` by level and cluster, a table a factor."""
    assert design_matrix.effects is not None  # noqa: S101  # the caller's branch
    codes, g = design_matrix.sample.clusters[0].codes, design_matrix.sample.clusters[0].n
    return [
        fixed_effects.sum_by(each * g + codes, column, n * g).reshape(n, g)
        for each, n in zip(design_matrix.effects.codes, design_matrix.effects.n_levels, strict=True)
    ]


def _draws(
    points: tuple[float, ...], g: int, n_draws: int, rng: np.random.Generator
) -> tuple[Vector, bool]:
    """Return draws in rows, and whether they are all there are (then one of each mirrored pair)."""
    values = np.asarray(points)
    if len(points) ** g > n_draws:
        return values[rng.integers(0, len(points), (n_draws, g), dtype=np.int8)], False
    places = np.arange(len(points) ** g // 2)[:, None] // len(points) ** np.arange(g)
    return values[places % len(points)], True


def _p_value(n_extreme: int, n_drawn: int, *, is_exact: bool) -> float:
    return n_extreme / n_drawn if is_exact else (1 + n_extreme) / (1 + n_drawn)


def _counter(parts: _Parts, v: Vector) -> Callable[[float], tuple[int, int]]:
    """Return a function from a null to how many draws lie beyond the statistic, and how many on it.

    Numerator and denominator are polynomials in the null, so that another null costs a pass over B
    numbers instead of a matrix product.
    """
    right = np.vstack([parts.s_outcome, parts.s_regressor, parts.k_outcome, parts.k_regressor]).T
    g, n = v.shape[1], v.shape[0]
    top_y, top_x, yy, yx, xx = np.empty((5, n))
    step = max(1, fixed_effects.MOST_PRODUCTS // right.size)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        all_of = v[rows] @ right
        top_y[rows], top_x[rows] = all_of[:, 0], all_of[:, 1]
        below_y, below_x = all_of[:, 2 : g + 2], all_of[:, g + 2 :]
        yy[rows] = np.einsum("bg,bg->b", below_y, below_y)
        yx[rows] = np.einsum("bg,bg->b", below_y, below_x)
        xx[rows] = np.einsum("bg,bg->b", below_x, below_x)

    def count(null: float) -> tuple[int, int]:
        drawn = (top_y - null * top_x) ** 2
        statistic = ((parts.estimate - null) / parts.error) ** 2
        beside = statistic * (yy - 2 * null * yx + null * null * xx)
        n_above = int((drawn > beside * (1 + 2 * TIE)).sum())
        return n_above, int((drawn >= beside * (1 - 2 * TIE)).sum()) - n_above

    return count


def _interval(parts: _Parts, is_kept: Callable[[float], bool]) -> tuple[float, float]:
    """Return the nulls around the estimate that are not rejected, by bisection on each side."""
    ends = []
    for side in (-1.0, 1.0):
        inside, step = 0.0, 2.0
        while is_kept(parts.estimate + side * step * parts.error) and step < 2.0**MOST_DOUBLINGS:
            inside, step = step, step * 2
        if step >= 2.0**MOST_DOUBLINGS:
            ends.append(side * math.inf)
            continue
        for _ in range(50):
            middle = (inside + step) / 2
            inside, step = (
                (middle, step)
                if is_kept(parts.estimate + side * middle * parts.error)
                else (inside, middle)
            )
        ends.append(parts.estimate + side * inside * parts.error)
    return ends[0], ends[1]
