"""By which way the effect on bookings came: hours, leads, win rate, and what none of them explains.

Bookings are hours' yield times win rate times deal size, so in logs the ways add up.  The total is the
one that counts; the ways only share it out, and their own sum is shown beside it and never added.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.roi.case import GrowthEffect, Uncertain

TOTAL, BOTTOM_UP, REST = "Total effect on bookings", "Sum of the ways, beside and not added", "Not by these ways"


class Way(NamedTuple):
    """A way by which bookings may have grown.

    `change` is the programme's effect on the log of what moved (hours, opportunities, win rate);
    `yields` what one log point of that does to log bookings (an elasticity; 1 where it is proportional).
    """

    name: str
    change: Uncertain
    yields: Uncertain


def leads_change(recycled_share: Uncertain) -> Uncertain:
    """Return the change of log opportunities if `recycled_share` of them came from recycled leads beyond before.

    Without those, opportunities would be 1 - share of what they are: -log(1 - share).

    Examples
    --------
    >>> from analysis.models.roi.case import Uncertain
    >>> round(leads_change(Uncertain(0.10, 0.02, 20)).estimate, 4)
    0.1054
    """
    share = recycled_share.estimate
    if not share < 1:
        raise ValueError(f"recycled_share must be below 1, got {share!r}")
    return recycled_share._replace(
        estimate=-math.log1p(-share), standard_error=recycled_share.standard_error / (1 - share)
    )


def decompose(effect: GrowthEffect, ways: Sequence[Way], *, bookings_amount: float) -> pd.DataFrame:
    """Return the ways, what they leave unexplained, the total and the sum of the ways: one row each.

    Parameters
    ----------
    effect : the total, in log points
    ways : whose contributions are to be told apart
    bookings_amount : adopters' bookings of a year without the programme [currency/year]

    Returns
    -------
    DataFrame
        ``part``, ``role`` (way, rest, total or beside), ``log_points`` with ``low`` and ``high`` (95%),
        ``bookings_amount`` [currency/year].  Ways and rest add up to the total in log points and in
        currency, which is shared out in proportion; the total alone enters an appraisal.
    """
    parts = [(way.name, "way", *_product(way)) for way in ways]
    summed = sum(part[2] for part in parts)
    summed_error = math.sqrt(sum(part[3] ** 2 for part in parts))
    df = min([effect.df, *(part[4] for part in parts)])
    rest_error = math.hypot(effect.standard_error, summed_error)
    total_amount = bookings_amount * math.expm1(effect.estimate)
    rows = [
        *parts,
        (REST, "rest", effect.estimate - summed, rest_error, df),
        (TOTAL, "total", effect.estimate, effect.standard_error, effect.df),
        (BOTTOM_UP, "beside", summed, summed_error, df),
    ]
    table = pd.DataFrame(rows, columns=["part", "role", "log_points", "standard_error", "df"])
    reach = stats.t.ppf(0.975, np.maximum(table["df"], 1)) * table["standard_error"]
    amount = table["log_points"] * (total_amount / effect.estimate if effect.estimate else math.nan)
    amount = amount.where(table["role"] != "beside", bookings_amount * math.expm1(summed))
    columns = ["part", "role", "log_points", "low", "high", "bookings_amount"]
    return table.assign(low=table["log_points"] - reach, high=table["log_points"] + reach, bookings_amount=amount)[
        columns
    ]


def _product(way: Way) -> tuple[float, float, int]:
    """Return estimate, standard error (delta method, taken as unrelated) and df of change times yield."""
    change, yields = way.change, way.yields
    error = math.hypot(change.estimate * yields.standard_error, yields.estimate * change.standard_error)
    known = [each.df for each in (change, yields) if each.standard_error > 0]
    return change.estimate * yields.estimate, error, min(known, default=1)
