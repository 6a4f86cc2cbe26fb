"""Estimates with one cluster left out at a time: how much an answer hangs on a single rep or team.

The spread of the answers is also the covariance that fares best with few clusters (CR3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import CrmDataError, require_columns
from analysis.stats import clusters, fixed_effects, linear
from analysis.stats.estimates import Estimates, t_table
from analysis.stats.intervals import LEVEL
from analysis.stats.sample import Design, Factor, Sample, make_design, subset_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.stats.fixed_effects import Vector

FLAT = 1e-11  # of a slope's sum of squares: with less left it has no value


class Jackknife(NamedTuple):
    """Estimates with all clusters, and `without` each: a row a cluster left out."""

    estimate: pd.Series[float]
    without: pd.DataFrame
    standard_error: pd.Series[float]
    df: int
    convention: str

    def table(self, level: float = LEVEL) -> pd.DataFrame:
        """Return one row an estimate: error, t, p, interval, and the clusters that move it most.

        Columns beyond those of `Estimates.table`: ``lowest`` and ``highest`` estimate with one
        cluster left out, ``lowest_without`` and ``highest_without`` naming that cluster.
        """
        names = [str(each) for each in self.estimate.index]
        estimate, error = np.asarray(self.estimate, float), np.asarray(self.standard_error, float)
        out = t_table(names, estimate, error, self.df, level)
        for word, values, places in (
            ("lowest", self.without.min(), self.without.idxmin()),
            ("highest", self.without.max(), self.without.idxmax()),
        ):
            out[word], out[f"{word}_without"] = values.to_numpy(), places.to_numpy()
        return out


def leave_one_out(
    table: pd.DataFrame,
    estimator: Callable[[pd.DataFrame], pd.Series[float]],
    *,
    cluster: str,
    name: str = "panel",
) -> Jackknife:
    """Return `estimator` on `table`, and without each cluster in turn.

    Variance (G - 1) / G x sum of squared distances from the full estimate, t(G - 1): CV3 of
    MacKinnon, Nielsen and Webb (2023), J. Econometrics 232, for any estimator.

    Parameters
    ----------
    table : DataFrame, any row meaning
    estimator : from a table to a Series of named estimates

    Raises
    ------
    CrmDataError
        If there are fewer than two clusters, a cluster is missing in a row, or an estimate has no
        value without one of the clusters.
    """
    require_columns(table, [cluster], name)
    codes, labels = pd.factorize(table[cluster], sort=True)
    if (codes < 0).any():
        n_missing = int((codes < 0).sum())
        raise CrmDataError(
            f"{name}: {cluster} must be known, but {n_missing} of {len(table)} rows lack it. "
            "Drop these rows first."
        )
    _require_two(len(labels), cluster, name)
    whole = estimator(table)
    rows = {label: estimator(table[codes != g]) for g, label in enumerate(labels)}
    without = pd.DataFrame(rows).T.rename_axis(cluster).reindex(columns=whole.index).astype(float)
    _require_known(without.to_numpy(), [str(each) for each in labels], cluster, name)
    error = np.sqrt(jackknife_spread(without.to_numpy() - whole.to_numpy()).diagonal())
    return Jackknife(
        estimate=whole,
        without=without,
        standard_error=pd.Series(error, whole.index),
        df=len(labels) - 1,
        convention=_convention(cluster, len(labels)),
    )


def cr3(whole: Sample) -> Estimates:
    """Return least squares with the jackknife's covariance (CR3), effects absorbed anew each time.

    (G - 1) / G x sum of (b without g - b)(b without g - b)', t(G - 1): CV3 of MacKinnon, Nielsen
    and Webb (2023).  pyfixest and fixest multiply that sum by their CRV1 correction instead.

    Raises
    ------
    CrmDataError
        If there are fewer than two clusters, or a slope rests on one cluster alone.
    ValueError
        If the sample has no or two clustered columns.
    """
    if len(whole.clusters) != 1:
        raise ValueError(f"cluster must name one column for CR3, got {len(whole.clusters)}")
    clusters.require_clusters(whole)
    fit = linear.least_squares(whole)
    cluster = whole.clusters[0]
    covariance = jackknife_spread(_slopes_without_each(whole) - fit.estimate)
    convention = _convention(cluster.name, cluster.n)
    return fit._replace(covariance=covariance, convention=convention)


def cluster_influence(whole: Sample, name: str) -> pd.Series[float]:
    """Return the slope of `name` without each cluster in turn.

    The clusters that the slope depends on stand out.
    """
    place = linear.least_squares(whole).names.index(name)
    cluster = whole.clusters[0]
    return pd.Series(
        _slopes_without_each(whole)[:, place], cluster.labels.rename(cluster.name), name=name
    )


def jackknife_spread(distance: Vector) -> Vector:
    """Return (G - 1) / G x sum of squares and products of `distance`, a row a cluster left out.

    A column a quantity gives their covariance; a single row of numbers the variance of one.
    """
    n = len(distance)
    return np.asarray((n - 1) / n * (distance.T @ distance))


def _slopes_without_each(whole: Sample) -> Vector:
    """Return slopes without each cluster: a row a cluster.

    With one factor inside clusters and one across them, the usual panel, no fit is repeated: sums
    of products are those of all clusters less those of one, and only the factor across clusters has
    to be taken out anew.  200 reps over 156 weeks: 0.1 s, where fitting 200 times takes 1.
    """
    cluster = whole.clusters[0]
    is_inside = [clusters.is_nested(each, cluster) for each in whole.absorb]
    inside = [each for each, inner in zip(whole.absorb, is_inside, strict=True) if inner]
    across = [each for each, inner in zip(whole.absorb, is_inside, strict=True) if not inner]
    if (
        len(inside) > 1
        or len(across) > 1
        or any(each.n > fixed_effects.MOST_DENSE for each in across)
    ):
        return np.stack([_slopes_without(whole, g) for g in range(cluster.n)])
    design_matrix = make_design(whole)
    z = [*design_matrix.regressors.T, design_matrix.outcome]
    k = len(z) - 1
    products = np.empty((cluster.n, k + 1, k + 1))
    for i in range(k + 1):
        for j in range(i + 1):
            products[:, i, j] = products[:, j, i] = fixed_effects.sum_by(
                cluster.codes, z[i] * z[j], cluster.n
            )
    scale = np.sqrt(products.sum(axis=0).diagonal()[:k])
    rest = products.sum(axis=0) - products
    if across:
        rest -= _taken_by(design_matrix, inside, across[0], z)
    normal = rest[:, :k, :k] / np.outer(scale, scale)
    lost = np.linalg.eigvalsh(normal).min(axis=1) < FLAT
    if lost.any():
        raise _rests_on(whole, int(np.argmax(lost)))
    return np.asarray(np.linalg.solve(normal, rest[:, :k, k:] / scale[:, None])[:, :, 0] / scale)


def _taken_by(
    design_matrix: Design, inside: list[Factor], across: Factor, z: list[Vector]
) -> Vector:
    """Return, for each cluster left out, the part of Z'Z that the factor across clusters explains.

    Z has no mean in any level, so that its sums without a cluster are minus the cluster's own; and
    no mean within units, which lie in or out of the cluster as a whole.
    """
    cluster = design_matrix.sample.clusters[0]
    roots = (
        np.ones(design_matrix.sample.n)
        if design_matrix.root_weights is None
        else design_matrix.root_weights
    )
    weights, n = roots * roots, across.n
    place = across.codes * cluster.n + cluster.codes
    totals = fixed_effects.sum_by(place, weights, n * cluster.n).reshape(n, cluster.n)
    sums = np.stack(
        [
            fixed_effects.sum_by(place, each * roots, n * cluster.n).reshape(n, cluster.n)
            for each in z
        ],
        axis=2,
    )
    if not inside:
        rest = totals.sum(axis=1, keepdims=True) - totals
        shares = np.divide(1, rest, out=np.zeros_like(rest), where=rest > 0)
        return np.asarray(np.einsum("tgi,tg,tgj->gij", sums, shares, sums))
    table = fixed_effects.sum_by(
        inside[0].codes * n + across.codes, weights, inside[0].n * n
    ).reshape(-1, n)
    shares = table / np.sqrt(table.sum(axis=1))[:, None]
    home = np.empty(inside[0].n, np.intp)
    home[inside[0].codes] = cluster.codes
    members = np.split(
        np.argsort(home, kind="stable"), np.cumsum(np.bincount(home, minlength=cluster.n))[:-1]
    )
    whole = np.diag(totals.sum(axis=1)) - shares.T @ shares
    out = np.empty((cluster.n, len(z), len(z)))
    for g, rows in enumerate(members):
        left = whole - np.diag(totals[:, g]) + shares[rows].T @ shares[rows]
        out[g] = sums[:, g].T @ fixed_effects.conjugate_gradients(
            left, sums[:, g], [totals.sum(axis=1)]
        )
    return out


def _slopes_without(whole: Sample, g: int) -> Vector:
    cluster = whole.clusters[0]
    rest = subset_sample(whole, cluster.codes != g, "left out by the jackknife")
    try:
        design_matrix = make_design(rest)
        return linear.solve_columns(
            design_matrix.regressors, design_matrix.outcome, design_matrix.names, whole.name
        ).slopes
    except CrmDataError as error:
        raise _rests_on(whole, g) from error


def _rests_on(whole: Sample, g: int) -> CrmDataError:
    cluster = whole.clusters[0]
    return CrmDataError(
        f"{whole.name}: without {cluster.name} {cluster.labels[g]} a slope has no value, so all "
        "rests on that one "
        "cluster.\nUse randomisation inference, or say that the data cannot tell."
    )


def _convention(cluster: str, n: int) -> str:
    return f"CR3 jackknife by {cluster} (G = {n}), (G-1)/G, around the full estimate; t({n - 1})"


def _require_two(n: int, cluster: str, name: str) -> None:
    if n < 2:
        raise CrmDataError(
            f"{name}: {cluster} must hold at least 2 clusters, but has {n}. Give no interval."
        )


def _require_known(values: Vector, labels: list[str], cluster: str, name: str) -> None:
    lost = np.asarray(~np.isfinite(values).all(axis=1))
    if lost.any():
        lost_labels = ", ".join(
            label for label, is_lost in zip(labels, lost, strict=True) if is_lost
        )
        raise CrmDataError(
            f"{name}: the estimate must have a value when any one {cluster} is left out, but has "
            f"none without {int(lost.sum())} of {len(labels)} ({lost_labels[:80]}).\nThe answer "
            "depends on these alone: do not publish it."
        )
