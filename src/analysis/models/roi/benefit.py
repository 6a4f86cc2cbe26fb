"""What the programme brings: one effect on adopters' bookings, times what is kept of a booking.

A quarter's benefit is adopters' bookings with the programme less those without it.  Hours recovered,
leads recycled and win rate only say by which way the effect came (`decomposition`); nothing of theirs is
added here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.models.roi.case import BASE_QUARTERS, QUARTERS_PER_YEAR

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

Vector = np.ndarray[Any, np.dtype[np.float64]]


def weights(event_time: npt.ArrayLike, *, n_quarters: int, fade_rate: float) -> Vector:
    """Return which share of the average effect holds in each quarter since the start.

    None before the start, all in the quarters it was estimated over, then a share `fade_rate` less
    with every year.

    Examples
    --------
    >>> weights([-1, 0, 4, 8], n_quarters=5, fade_rate=0.25).tolist()
    [0.0, 1.0, 1.0, 0.75]
    """
    time = np.asarray(event_time, float)
    late = np.maximum(time - (n_quarters - 1), 0) / QUARTERS_PER_YEAR
    return np.where(time < 0, 0.0, (1 - fade_rate) ** late)


def added_bookings(
    bookings: pd.DataFrame, effect: npt.ArrayLike, baseline: npt.ArrayLike, *, n_quarters: int, fade_rate: float
) -> Vector:
    """Return the bookings the programme adds [currency]: a row a draw, a column a quarter from the first start.

    Parameters
    ----------
    bookings : DataFrame, a cohort and quarter
        What `case.timeline` returns.
    effect : average effect on log bookings, a draw each
    baseline : factor on what is projected without the programme, a draw each
    n_quarters, fade_rate : see `weights`
    """
    theta, factor = np.atleast_1d(np.asarray(effect, float)), np.atleast_1d(np.asarray(baseline, float))
    added = np.zeros((theta.size, int(bookings["period"].max()) + 1))
    share = weights(bookings["event_time"], n_quarters=n_quarters, fade_rate=fade_rate)
    distinct, place = np.unique(share, return_inverse=True)
    grown = np.exp(np.multiply.outer(theta, distinct))
    starts, period = bookings["start"].to_numpy(), bookings["period"].to_numpy()
    amount = bookings["bookings_amount"].to_numpy(float)
    for start in np.unique(starts.astype(str)):
        rows = np.flatnonzero(starts == start)
        known = rows[~np.isnan(amount[rows])]
        base = (amount[known[-BASE_QUARTERS:]] / grown[:, place[known[-BASE_QUARTERS:]]]).mean(axis=1) * factor
        past, ahead = known[period[known] >= 0], rows[np.isnan(amount[rows]) & (period[rows] >= 0)]
        added[:, period[past]] += amount[past] * (1 - 1 / grown[:, place[past]])
        added[:, period[ahead]] += base[:, None] * (grown[:, place[ahead]] - 1)
    return added
