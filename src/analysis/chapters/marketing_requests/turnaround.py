"""How long a request takes until it is done, and which deadlines are realistic.

Requests that are still open count up to the day they have waited: leaving them out would make every
turnaround look short.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.stats import intervals

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

FEWEST = 10  # requests below which nothing is said
REALISTIC = 0.5  # a deadline met less often is not
ROUNDING = 1e-9
SAFE = 0.8  # chance at which a deadline is proposed


class Turnaround(NamedTuple):
    """Days until done: the curve's steps, the share still open after each, and its error.

    Of `n` requests taken on, `n_done` are done.
    """

    days: Vector
    still_open: Vector
    error: Vector
    n: int
    n_done: int

    @property
    def is_known(self) -> bool:
        """Whether enough requests are done to say anything."""
        return self.n_done >= FEWEST


class DoneBy(NamedTuple):
    """Chance that a request is done within some days, with its 95% interval; NaN if unknown."""

    share: float
    low: float
    high: float


def days_until(log: pd.DataFrame, event: str, *, day_after: dt.date) -> tuple[Vector, Vector]:
    """Return the days from asked to `event`, or waited so far, and which of them had the event."""
    end = pd.Timestamp(day_after)
    waited = (log[event].fillna(end) - log["asked_on"]).dt.days
    return np.asarray(waited, dtype=np.float64), np.asarray(log[event].notna(), dtype=np.float64)


def estimate_turnaround(days: Vector, is_done: Vector) -> Turnaround:
    """Days until done by Kaplan and Meier, open requests censored.

    Examples
    --------
    >>> import numpy as np
    >>> curve = estimate_turnaround(np.array([2.0, 4.0, 4.0, 6.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    >>> curve.days.tolist(), curve.still_open.round(2).tolist()
    ([2.0, 4.0, 6.0], [0.75, 0.5, 0.0])
    """
    if not len(days):
        empty = np.array([])
        return Turnaround(empty, empty, empty, 0, 0)
    curve = SurvfuncRight(days, is_done.astype(np.int64))
    return Turnaround(
        np.asarray(curve.surv_times, dtype=float),
        np.asarray(curve.surv_prob, dtype=float),
        np.asarray(curve.surv_prob_se, dtype=float),
        len(days),
        int(is_done.sum()),
    )


def done_by(turnaround: Turnaround, days: float) -> DoneBy:
    """Return the chance that a request is done within `days` of being asked.

    The interval is Wilson's of as many requests as would be as precise.  Unknown below `FEWEST`
    done ones, and past the longest wait seen.
    """
    unknown = DoneBy(math.nan, math.nan, math.nan)
    if not turnaround.is_known or days < 0:
        return unknown
    at = int(np.searchsorted(turnaround.days, days, side="right")) - 1
    if at < 0:
        return DoneBy(0.0, *_wilson(0.0, turnaround.n))
    still_open, error = turnaround.still_open[at], turnaround.error[at]
    share = 1.0 - float(still_open)
    is_sure = not error > 0
    size = turnaround.n if is_sure else still_open * (1 - still_open) / error**2
    return DoneBy(share, *_wilson(share, float(size)))


def _wilson(share: float, size: float) -> tuple[float, float]:
    low, high = intervals.wilson_interval(pd.Series([share]), pd.Series([size]))
    return max(0.0, float(low.iloc[0])), min(1.0, float(high.iloc[0]))


def realistic_days(turnaround: Turnaround, chance: float = SAFE) -> float:
    """Return the least days within which a share `chance` of requests is done; NaN if unknown."""
    reached = np.flatnonzero(turnaround.still_open <= 1 - chance + ROUNDING)
    if not turnaround.is_known or not len(reached):
        return math.nan
    return float(turnaround.days[reached[0]])


def judge_deadlines(log: pd.DataFrame, turnaround: Turnaround) -> pd.DataFrame:
    """Return requests that wait with the chance that each is done by the day it is wanted.

    Columns beside those of `log`: ``days_allowed``, ``done_share``, ``low``, ``high``,
    ``is_realistic`` (missing where unknown).
    """
    allowed = (log["wanted_on"] - log["asked_on"]).dt.days
    chances = [done_by(turnaround, d) if pd.notna(d) else done_by(turnaround, -1) for d in allowed]
    judged = log.assign(days_allowed=allowed.astype("Float64"))
    for place, name in enumerate(("done_share", "low", "high")):
        judged[name] = [chance[place] for chance in chances]
    has_share = judged["done_share"].notna()
    judged["is_realistic"] = (judged["done_share"] >= REALISTIC).where(has_share).astype("boolean")
    return judged
