"""How far slopes would vary with other clusters: the sandwich covariance and its small-sample
corrections.

Conventions differ between programs by up to 17 % at four quarters, so each result says its own:
which effects count as coefficients (by default those not nested in a cluster, as fixest and reghdfe
do), and which number of clusters corrects a two-way covariance (by default the smallest, as fixest
and ivreg2 do; "component" gives each part its own, as Petersen 2009 does).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from analysis.project.errors import CrmDataError
from analysis.stats import fixed_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.stats.fixed_effects import Codes, Vector
    from analysis.stats.sample import Factor, Sample

SmallSample = Literal["min", "component"]


class Correction(NamedTuple):
    """Small-sample convention: how G is taken with two clusters, and whether nested effects count."""  # noqa: E501

    two_way: SmallSample = "min"
    counts_nested: bool = False


FIXEST = Correction()


def n_coefficients(whole: Sample, n_slopes: int, correction: Correction = FIXEST) -> int:
    """Return K of the correction (N - 1) / (N - K).

    Effects count by level less one for each factor after the first.  A factor nested in a cluster
    counts as 1 unless `counts_nested` (fixest's "nonnested"; issue 554 of lrberge/fixest).
    """
    if not whole.absorb:
        return n_slopes
    k = n_slopes + sum(each.n for each in whole.absorb) - (len(whole.absorb) - 1)
    if correction.counts_nested:
        return k
    nested = [each.n for each in whole.absorb if any(is_nested(each, c) for c in whole.clusters)]
    return k - sum(nested) + len(nested)


def is_nested(inner: Factor, outer: Factor) -> bool:
    """Return whether each group of `inner` lies within one group of `outer`."""
    if inner.codes is outer.codes or inner.name == outer.name:
        return True
    if inner.n < outer.n:
        return False
    home = np.empty(inner.n, np.intp)
    home[inner.codes] = outer.codes
    return bool((home[inner.codes] == outer.codes).all())


def require_clusters(whole: Sample) -> None:
    """Raise `CrmDataError` if a clustered column has fewer than two groups."""
    for each in whole.clusters:
        if each.n < 2:
            raise CrmDataError(
                f"{whole.name}: {each.name} must hold at least 2 clusters, but has {each.n}. "
                "One cluster says nothing of how clusters differ; cluster by a finer unit or give "
                "no interval."
            )


def sandwich_covariance(
    bread: Vector,
    scores: Sequence[Vector],
    whole: Sample,
    n_slopes: int,
    correction: Correction = FIXEST,
) -> Vector:
    """Return bread x meat x bread with its small-sample correction.

    Liang and Zeger (1986); two-way as V1 + V2 - V12 (Cameron, Gelbach and Miller 2011, JBES 29),
    with negative eigenvalues, which that sum can have, set to zero as they advise.

    Parameters
    ----------
    bread : inverse of the slopes' normal matrix
    scores : a vector over rows for each slope, regressor times residual
    """
    require_clusters(whole)
    k = n_coefficients(whole, n_slopes, correction)
    smallest = min(each.n for each in whole.clusters)
    parts: list[tuple[Codes, int, float]] = [(each.codes, each.n, 1.0) for each in whole.clusters]
    if len(whole.clusters) == 2:
        both, n_both = _intersection(*whole.clusters)
        parts.append((both, n_both, -1.0))
    meat = np.zeros_like(bread)
    for codes, n, sign in parts:
        sums = cluster_sums(scores, codes, n)
        g = n if correction.two_way == "component" else smallest
        meat += sign * g / (g - 1) * (sums.T @ sums)
    out = (whole.n - 1) / (whole.n - k) * (bread @ meat @ bread)
    return out if len(parts) == 1 else _without_negative_parts(out)


def cluster_sums(scores: Sequence[Vector], codes: Codes, n: int) -> Vector:
    """Return the sum of each of `scores` in each cluster: a row a cluster."""
    return np.stack([fixed_effects.sum_by(codes, each, n) for each in scores], axis=1)


def describe_convention(
    whole: Sample, n_slopes: int, correction: Correction = FIXEST, kind: str = "CRV1"
) -> str:
    """Return the convention in words, as each result carries it."""
    k = n_coefficients(whole, n_slopes, correction)
    nested = "counted" if correction.counts_nested else "not counted (fixest nonnested)"
    effects = f"; effects nested in a cluster {nested}" if whole.absorb else ""
    if not whole.clusters:
        return f"classical errors; K = {k}; t({whole.n - k})"
    groups = " and ".join(f"{each.name} (G = {each.n})" for each in whole.clusters)
    two_way = ""
    if len(whole.clusters) == 2:
        own = "each part's own G" if correction.two_way == "component" else "smallest G"
        two_way = f", {own}; V1 + V2 - V12, negative eigenvalues set to 0"
    smallest = min(each.n for each in whole.clusters)
    return (
        f"{kind} by {groups}; (N-1)/(N-K) with N = {whole.n}, K = {k}{effects}; G/(G-1){two_way}; "
        f"t({smallest - 1})"
    )


def _intersection(first: Factor, second: Factor) -> tuple[Codes, int]:
    key = first.codes * second.n + second.codes
    if first.n * second.n <= 4 * key.size + 100_000:
        used = np.bincount(key, minlength=first.n * second.n) > 0
        return (np.cumsum(used) - 1)[key], int(used.sum())
    labels, codes = np.unique(key, return_inverse=True)
    return codes.astype(np.intp, copy=False), labels.size


def _without_negative_parts(covariance: Vector) -> Vector:
    values, vectors = np.linalg.eigh(covariance)
    if (values >= 0).all():
        return covariance
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)
