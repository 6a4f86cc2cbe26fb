"""What the programme brings: one effect on adopters' bookings, times what is kept of a booking.

A quarter's benefit is adopters' bookings with the programme less those without it.  Hours
recovered, leads recycled and win rate only say by which way the effect came (`decomposition`);
nothing of theirs is added here.

Money of later quarters in money of today, as the published TEI method reckons it.

What is spent at the start counts in full; the flows of a period are discounted from the period's
end; payback runs linearly within a period.  Nothing here knows what the flows are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.chapters.roi.case import BASE_QUARTERS, QUARTERS_PER_YEAR

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from analysis.stats.fixed_effects import Vector


def effect_weights(event_time: npt.ArrayLike, *, n_quarters: int, fade_rate: float) -> Vector:
    """Return which share of the average effect holds in each quarter since the start.

    None before the start, all in the quarters it was estimated over, then a share `fade_rate` less
    with every year.

    Examples
    --------
    >>> effect_weights([-1, 0, 4, 8], n_quarters=5, fade_rate=0.25).tolist()
    [0.0, 1.0, 1.0, 0.75]
    """
    time = np.asarray(event_time, float)
    late = np.maximum(time - (n_quarters - 1), 0) / QUARTERS_PER_YEAR
    return np.where(time < 0, 0.0, (1 - fade_rate) ** late)


def added_bookings(
    bookings: pd.DataFrame,
    effect: npt.ArrayLike,
    baseline: npt.ArrayLike,
    *,
    n_quarters: int,
    fade_rate: float,
) -> Vector:
    """Return the bookings the programme adds [currency].

    A row a draw, a column a quarter from the first start.

    Parameters
    ----------
    bookings : DataFrame, a cohort and quarter
        What `case.bookings_timeline` returns.
    effect : average effect on log bookings, a draw each
    baseline : factor on what is projected without the programme, a draw each
    n_quarters, fade_rate : see `effect_weights`
    """
    theta, factor = (
        np.atleast_1d(np.asarray(effect, float)),
        np.atleast_1d(np.asarray(baseline, float)),
    )
    added = np.zeros((theta.size, int(bookings["period"].max()) + 1))
    share = effect_weights(bookings["event_time"], n_quarters=n_quarters, fade_rate=fade_rate)
    distinct, place = np.unique(share, return_inverse=True)
    grown = np.exp(np.multiply.outer(theta, distinct))
    starts, period = bookings["start"].to_numpy(), bookings["period"].to_numpy()
    amount = bookings["bookings_amount"].to_numpy(float)
    for start in np.unique(starts.astype(str)):
        rows = np.flatnonzero(starts == start)
        observed_rows = rows[~np.isnan(amount[rows])]
        if not observed_rows.size:  # there is no base to project from
            added[:] = np.nan
            continue
        base = (
            amount[observed_rows[-BASE_QUARTERS:]] / grown[:, place[observed_rows[-BASE_QUARTERS:]]]
        ).mean(axis=1) * factor
        past, ahead = (
            observed_rows[period[observed_rows] >= 0],
            rows[np.isnan(amount[rows]) & (period[rows] >= 0)],
        )
        added[:, period[past]] += amount[past] * (1 - 1 / grown[:, place[past]])
        added[:, period[ahead]] += base[:, None] * (grown[:, place[ahead]] - 1)
    return added


MONTHS_PER_YEAR = 12


def discount_factors(
    discount_rate: float, n_periods: int, *, periods_per_year: int = 1
) -> npt.NDArray[np.float64]:
    """Return what 1 at the end of each period is worth at the start.

    Examples
    --------
    >>> discount_factors(0.10, 2).round(4).tolist()
    [0.9091, 0.8264]
    """
    if not discount_rate > -1:
        raise ValueError(f"discount_rate must be above -1 a year, got {discount_rate!r}")
    return np.asarray((1 + discount_rate) ** (-np.arange(1, n_periods + 1) / periods_per_year))


def present_value(
    flows: npt.ArrayLike, discount_rate: float, *, initial: float = 0.0, periods_per_year: int = 1
) -> npt.NDArray[np.float64]:
    """Return the present value of `flows`, the last axis being periods, with `initial` at the
    start.

    Examples
    --------
    >>> round(present_value([110.0, 121.0], 0.10, initial=50.0).item(), 2)
    250.0
    """
    each = np.asarray(flows, float)
    return np.asarray(
        initial
        + each @ discount_factors(discount_rate, each.shape[-1], periods_per_year=periods_per_year)
    )


def return_on_investment(benefits: float, costs: float) -> float:
    """Return (benefits - costs) / costs, both present values; 1.0 is 100%."""
    if not costs > 0:
        raise ValueError(f"costs must be above 0, got {costs!r}")
    return (benefits - costs) / costs


def risk_adjusted(
    benefits: npt.ArrayLike, costs: npt.ArrayLike, *, benefit_risk: float, cost_risk: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return benefits made smaller and costs made larger by their risks [0-1].

    This is TEI's stand-in for a distribution; `simulation` has the distribution itself, so never
    both.

    Examples
    --------
    >>> [round(x.item(), 2) for x in risk_adjusted(100.0, 100.0, benefit_risk=0.2, cost_risk=0.1)]
    [80.0, 110.0]
    """
    for name, risk in (("benefit_risk", benefit_risk), ("cost_risk", cost_risk)):
        if not 0 <= risk <= 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {risk!r}")
    return np.asarray(benefits, float) * (1 - benefit_risk), np.asarray(costs, float) * (
        1 + cost_risk
    )


def payback_months(
    net: npt.ArrayLike, *, initial: npt.ArrayLike = 0.0, periods_per_year: int = 1
) -> npt.NDArray[np.float64]:
    """Return the months after which the undiscounted sum stays at or above zero.

    Infinite where it never does.

    Parameters
    ----------
    net : array, the last axis being periods
        Benefit less cost of each period.
    initial : what is spent at the start, above 0

    Examples
    --------
    >>> payback_months([50.0, 100.0], initial=100.0).item()  # a year, then half of the second
    18.0
    >>> payback_months([50.0, -60.0]).item()
    inf
    """
    flows = np.asarray(net, float)
    start = -np.broadcast_to(np.asarray(initial, float), flows.shape[:-1])[..., None]
    sums = np.concatenate([start, start + flows.cumsum(axis=-1)], axis=-1)
    last = (
        sums.shape[-1] - 1 - np.argmax(sums[..., ::-1] < 0, axis=-1)
    )  # last time it lies below zero
    is_below = (sums < 0).any(axis=-1)
    before = np.minimum(last, sums.shape[-1] - 2)[..., None]
    low = np.take_along_axis(sums, before, axis=-1)[..., 0]
    step = np.take_along_axis(sums, before + 1, axis=-1)[..., 0] - low
    with np.errstate(divide="ignore", invalid="ignore"):
        months = (before[..., 0] - low / step) * MONTHS_PER_YEAR / periods_per_year
    months = np.where(is_below, months, 0.0)
    months = np.where(sums[..., -1] < 0, np.inf, months)
    return np.asarray(np.where(np.isnan(sums).any(axis=-1), np.nan, months))


def magic_number(
    prior_quarter_cost: float,
    *,
    arr_change: float | None = None,
    revenue_change: float | None = None,
) -> float:
    """Return new yearly recurring revenue per unit of sales and marketing cost of the quarter
    before.

    A change of quarterly revenue is taken times four to be yearly; a change of ARR is yearly
    already, and times four it would count four times.

    Examples
    --------
    >>> round(magic_number(1.4, arr_change=8.4 - 8.0), 4)
    0.2857
    """
    if (arr_change is None) == (revenue_change is None):
        raise ValueError("magic_number needs arr_change or revenue_change, one of the two")
    if not prior_quarter_cost > 0:
        raise ValueError(f"prior_quarter_cost must be above 0, got {prior_quarter_cost!r}")
    yearly = arr_change if arr_change is not None else 4 * (revenue_change or 0.0)
    return yearly / prior_quarter_cost
