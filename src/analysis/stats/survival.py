"""Share that has reached an end by a day, when many are still under way.

Who is still open counts as long as it was watched (Kaplan and Meier 1958); where there are several
ends, each has its own share and they sum to those that ended (Aalen and Johansen 1978).  Who came
under watch late counts from then on.  Leads of one owner end alike, so the error leaves out an
owner at a time and is never below that of unrelated leads.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.stats.intervals import Z, share_interval, t_quantile, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

FEWEST_CLUSTERS = 5  # owners below which leaving one out says nothing
FEWEST_AT_RISK = 10  # still watched on a day, below which its share is not told


class Incidence(NamedTuple):
    """Share that reached an end by the end of each day, from day 0 on.

    `n_risk` are those watched and not yet ended as the day begins; `error` is the standard error.
    `is_told` says up to which day the share can be: while `FEWEST_AT_RISK` are watched, or more of
    those still open than have gone out of sight.
    """

    share: Floats
    error: Floats
    n_risk: Floats
    is_told: NDArray[np.bool_]
    n: int
    n_events: int
    n_open: int
    n_clusters: int  # 0 where each counts by itself


class DayCounts(NamedTuple):
    """Clusters by days: how many are at risk as a day begins, how many end on it in each way."""

    at_risk: Floats
    ended: Floats  # in any way
    reached: Floats  # in the way asked for


def day_counts(
    days: Ints, ending: Ints, *, cause: int = 1, entry: Ints | None = None,
    clusters: Ints | None = None, n_days: int | None = None, n_clusters: int | None = None,
) -> DayCounts:  # fmt: skip
    """Counts by cluster, of `n_clusters` codes, and day from 0 to `n_days`; parameters are those
    of `cumulative_incidence`.
    """
    last = int(days.max(initial=0)) if n_days is None else n_days
    width = last + 2
    codes = np.zeros(len(days), np.int64) if clusters is None else clusters
    n_rows = int(codes.max(initial=0)) + 1 if n_clusters is None else n_clusters
    kind = np.where(ending == cause, 2, np.where(ending > 0, 1, 0))
    place = (kind * n_rows + codes) * width + np.minimum(days, last + 1)
    counted = np.bincount(place, minlength=3 * n_rows * width).reshape(3, n_rows, width)
    still_open, otherwise, reached = counted.astype(float)
    ended = otherwise + reached
    left = still_open + ended
    if entry is None:
        came = left.sum(axis=1, keepdims=True)
    else:
        at = codes * width + np.minimum(entry, last + 1)
        came = np.cumsum(
            np.bincount(at, minlength=n_rows * width).reshape(n_rows, width), axis=1
        ).astype(float)
    at_risk = came - (np.cumsum(left, axis=1) - left)
    return DayCounts(at_risk[:, :-1], ended[:, :-1], reached[:, :-1])


def incidence_of_counts(counts: DayCounts) -> Floats:
    """Share reached by the end of each day: a row a row of `counts`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(counts.at_risk > 0, counts.ended / counts.at_risk, 0.0)
        part = np.where(counts.at_risk > 0, counts.reached / counts.at_risk, 0.0)
    open_after = np.cumprod(1 - np.clip(hazard, 0.0, 1.0), axis=1)
    open_before = np.concatenate([np.ones((len(hazard), 1)), open_after[:, :-1]], axis=1)
    return np.cumsum(open_before * part, axis=1)


def cumulative_incidence(
    days: Ints,
    ending: Ints,
    *,
    cause: int = 1,
    entry: Ints | None = None,
    clusters: Ints | None = None,
) -> Incidence:
    """Return the share that ended in one way by each day.

    Parameters
    ----------
    days : days to the end, or to the last day watched
    ending : 0 while open, else 1, 2, ... for the way it ended
    cause : the way asked for
    entry : day on which each came under watch; it is at risk from that day on.  One whose end lies
        before that day was never seen, and has no row
    clusters : code of each one's owner

    Examples
    --------
    >>> curve = cumulative_incidence(np.array([0, 2, 2, 3]), np.array([1, 1, 0, 0]))
    >>> curve.share.round(3).tolist()
    [0.25, 0.25, 0.5, 0.5]
    """
    if len(days) == 0:
        nothing = np.zeros(0)
        return Incidence(nothing, nothing, nothing, nothing > 0, 0, 0, 0, 0)
    if (days < 0).any() or (entry is not None and (entry > days).any()):
        raise ValueError("days must not be below 0, nor below entry")
    late = entry if entry is not None and entry.any() else None
    # An end on day d lies after the start of that day: at d + 1 of the estimator, entry at d.
    if late is None:
        by_day = [np.bincount(days[ending > 0]), np.bincount(days[ending == 0])]
        times = [np.flatnonzero(n) for n in by_day]
        curve = SurvfuncRight(
            np.concatenate(times) + 1,
            np.repeat([1, 0], [len(t) for t in times]),
            freq_weights=np.concatenate([n[t] for n, t in zip(by_day, times, strict=True)]),
        )
    else:
        curve = SurvfuncRight(days + 1, (ending > 0).astype(int), entry=late)
    reached = np.bincount(days[ending == cause] + 1, minlength=int(days.max()) + 2).astype(float)
    share, error = _with_error(
        np.asarray(curve.surv_prob), np.asarray(curve.n_risk, float),
        np.asarray(curve.n_events, float), reached[np.asarray(curve.surv_times, np.int64)],
    )  # fmt: skip
    counts = day_counts(days, ending, cause=cause, entry=late, clusters=clusters)
    grid = np.arange(counts.at_risk.shape[1])
    at = np.searchsorted(curve.surv_times, grid + 1, side="right")
    on_grid, spread = (np.concatenate([[0.0], values])[at] for values in (share, error))
    n_clusters = 0 if clusters is None else int(np.count_nonzero(np.bincount(clusters)))
    is_clustered = FEWEST_CLUSTERS <= n_clusters < len(days)  # not each one's own
    if is_clustered:
        spread = np.fmax(spread, _jackknife_error(counts))
    n_risk = counts.at_risk.sum(axis=0)
    gone = np.bincount(days[ending == 0], minlength=len(grid)).cumsum()
    out_of_sight = np.concatenate([[0], gone[:-1]])
    is_enough = (n_risk >= FEWEST_AT_RISK) | (
        (n_risk >= out_of_sight) & (len(days) - out_of_sight >= FEWEST_AT_RISK)
    )
    return Incidence(
        on_grid, spread, n_risk, np.logical_and.accumulate(is_enough), len(days),
        int((ending == cause).sum()), int((ending == 0).sum()), n_clusters if is_clustered else 0,
    )  # fmt: skip


def _with_error(
    open_after: Floats, n: Floats, ended: Floats, reached: Floats
) -> tuple[Floats, Floats]:
    """Return the share by each event time and its error (Marubini and Valsecchi 1995), as
    statsmodels has it without late entry.
    """
    open_before = np.concatenate([[1.0], open_after[:-1]])
    share = np.minimum(np.cumsum(open_before * reached / n), 1.0)
    rest = np.where(n > ended, n - ended, np.inf)  # where the last one ends, nothing follows
    a = ended / (n * rest)
    b = open_before * reached / n**2
    variance = (
        share**2 * np.cumsum(a) - 2 * share * np.cumsum(share * a) + np.cumsum(share**2 * a)
        + np.cumsum(open_before**2 * (n - reached) * reached / n**3)
        - 2 * share * np.cumsum(b) + 2 * np.cumsum(share * b)
    )  # fmt: skip
    return share, np.sqrt(np.maximum(variance, 0.0))


def _jackknife_error(counts: DayCounts) -> Floats:
    """Return the error of each day's share by leaving out a cluster at a time."""
    without = incidence_of_counts(DayCounts(*(c.sum(axis=0) - c for c in counts)))
    n = len(without)
    spread: Floats = np.sqrt((n - 1) / n * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    return spread


def share_by(curve: Incidence, day: int) -> tuple[float, float, float]:
    """Return the share that reached the end by the end of a day, with its 95% interval.

    Missing where too few were watched until then.  The interval is Wilson's at the number of
    unrelated leads that would have the same error; where none or all reached it, at that of those
    watched.

    Examples
    --------
    >>> curve = cumulative_incidence(np.arange(40), np.ones(40, dtype=int))
    >>> [round(end, 2) for end in share_by(curve, 19)], share_by(curve, 45)[0]
    ([0.5, 0.35, 0.65], 1.0)
    """
    day = min(day, len(curve.share) - 1) if has_all_ended(curve) else day
    if not 0 <= day <= last_day_told(curve, day):
        return math.nan, math.nan, math.nan
    share, error = float(curve.share[day]), float(curve.error[day])
    if share <= 0 or share >= 1:
        size = curve.n if share >= 1 else max(int(curve.n_risk[day]), 1)
        low, high = share_interval(round(share) * size, size)
        return share, min(low, share), max(high, share)
    spread = 1.0 if not curve.n_clusters else t_quantile(curve.n_clusters - 1) / Z
    unrelated = pd.Series([share * (1 - share) / (spread * error) ** 2])
    ends = wilson_interval(pd.Series([share]), unrelated)
    return share, float(ends[0].item()), float(ends[1].item())


def has_all_ended(curve: Incidence) -> bool:
    """Return whether nobody is still under way, so that later days change nothing."""
    return bool(len(curve.share) and curve.is_told[-1] and curve.n_open == 0)


def last_day_told(curve: Incidence, longest: int) -> int:
    """Return the last day up to `longest` whose share can be estimated; -1 where there is none."""
    return int(curve.is_told[: longest + 1].sum()) - 1


def day_of_share(curve: Incidence, part: float, horizon: int) -> float:
    """Return the day by which `part` of those who reach the end by `horizon` have done so; missing
    where none does.
    """
    if not 0 <= horizon < len(curve.share) or curve.share[horizon] <= 0:
        return math.nan
    return float(np.searchsorted(curve.share, part * curve.share[horizon] - 1e-12))


def lognormal_share(day: float, median: float, log_sd: float) -> float:
    """Return the share of a log-normal time that ends by `day` [0-1].

    Examples
    --------
    >>> round(lognormal_share(90, 548, 0.5), 5)
    0.00015
    """
    return float(stats.norm.cdf(math.log(day / median) / log_sd)) if day > 0 else 0.0
