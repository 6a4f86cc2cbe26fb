"""Why an hour of selling costs more or less than in another quarter: its drivers.

The cost of a selling hour is pay per paid hour, over the share of paid hours that were there to
work (leave and holidays taken out) times the share of those that were sold; all by segment, and the
segments weighed by their paid hours.  Each of the four moves the figure, and Shapley's value says
by how much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.cost import cost
from analysis.project.errors import require_columns
from analysis.stats.shapley import DriverSplit, shapley_split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

NO_SEGMENT = "no segment"


class HourFactors(NamedTuple):
    """What a figure per hour or week is made of.

    `amount` over `base` is a driver of its own where the figure has a numerator in money; hours
    sold are `base` x hours to work per `base` x share of them sold.
    """

    amount: str  # column of the numerator; "" where the figure is hours sold over `base`
    base: str
    label: str  # of the driver that `amount` over `base` is


FACTORS: dict[str, HourFactors] = {
    "cost_per_selling_hour": HourFactors("fully_loaded_cost_amount", "paid_hours", "pay"),
    "required_bookings_per_selling_hour": HourFactors("quota_amount", "paid_hours", "quota"),
    "selling_hours_per_week": HourFactors("", "weeks_employed", ""),
}
MIX, HOURS_TO_WORK, SHARE_SOLD = "mix of segments", "hours to work", "share of them sold"


def hour_drivers(
    then: pd.DataFrame, now: pd.DataFrame, measure: str, *, minimum_logged_share: float
) -> DriverSplit | None:
    """Return by how much each driver moved a figure per selling hour between two quarters.

    Parameters
    ----------
    then, now : DataFrame, a seller's stay in a team within one quarter
        Panel ``rep_quarter``, one quarter each.
    measure : key of `FACTORS`
    minimum_logged_share : share of a stay's working days that must be logged for it to count

    Returns
    -------
    DriverSplit or None
        The ends are what `cost.estimate_cost` gives for the two quarters.  A segment that only one
        of them has counts as mix.  None where a quarter has no rep that counts, or no hour sold.
    """
    factors = FACTORS[measure]
    tables = [_by_segment(stays, measure, factors, minimum_logged_share) for stays in (then, now)]
    segments = tables[0].index.union(tables[1].index)
    old, new = (_rates(table.reindex(segments)) for table in tables)
    if not all(rates["hours"].sum() > 0 for rates in (old, new)):
        return None
    # A segment that was not there has no pay and no hours of its own: it had those it has now.
    pairs = {
        name: (old[name].fillna(new[name]).to_numpy(), new[name].fillna(old[name]).to_numpy())
        for name in ("amount_rate", "to_work", "sold")
    } | {"weight": (old["weight"].fillna(0.0).to_numpy(), new["weight"].fillna(0.0).to_numpy())}
    columns = {
        MIX: "weight",
        **({factors.label: "amount_rate"} if factors.amount else {}),
        HOURS_TO_WORK: "to_work",
        SHARE_SOLD: "sold",
    }

    def figure(is_now: frozenset[str]) -> float:
        at: dict[str, npt.NDArray[np.float64]] = {
            column: pairs[column][driver in is_now] for driver, column in columns.items()
        }
        hours = float((at["weight"] * at["to_work"] * at["sold"]).sum())
        if not factors.amount:
            return hours / float(at["weight"].sum())
        return float((at["weight"] * at["amount_rate"]).sum()) / hours

    return shapley_split(list(columns), figure)


def leave_share(stays: pd.DataFrame, *, minimum_logged_share: float) -> float:
    """Return the share of paid hours that were leave or holidays [0-1]; NaN where no rep logged
    enough to count.
    """
    require_columns(stays, ["paid_hours", "available_hours", "logged_share"], "rep_quarter")
    counted = stays[stays["logged_share"] >= minimum_logged_share]
    paid = float((counted["paid_hours"] * counted["logged_share"]).sum())
    to_work = float((counted["available_hours"] * counted["logged_share"]).sum())
    return 1 - to_work / paid if paid > 0 else float("nan")


def _by_segment(
    stays: pd.DataFrame, measure: str, factors: HourFactors, minimum_logged_share: float
) -> pd.DataFrame:
    """Return the sums of a segment's stays that count, all cut to the logged share."""
    require_columns(stays, [*cost.NEEDED, "segment"], "rep_quarter")
    reasons = cost.left_out(stays, measure, minimum_logged_share=minimum_logged_share)
    counted = stays[(reasons == "") & stays["available_hours"].notna()]
    whole = counted.assign(fully_loaded_cost_amount=cost.fully_loaded_cost(counted))
    cut = pd.DataFrame(
        {
            "base": whole[factors.base] * whole["logged_share"],
            "available": whole["available_hours"] * whole["logged_share"],
            "hours": whole["selling_hours"],
            "amount": whole[factors.amount] * whole["logged_share"] if factors.amount else 0.0,
        }
    )
    segment = whole["segment"].astype(object).where(whole["segment"].notna(), NO_SEGMENT)
    return cut.astype(float).groupby(segment.astype(str)).sum()


def _rates(sums: pd.DataFrame) -> pd.DataFrame:
    """Return the factors of each segment; NaN for one that is not there."""
    here = sums.where(sums["base"] > 0)
    return pd.DataFrame(
        {
            "weight": here["base"] / here["base"].sum(),
            "amount_rate": here["amount"] / here["base"],
            "to_work": here["available"] / here["base"],
            "sold": (here["hours"] / here["available"].where(here["available"] > 0)).fillna(
                here["hours"]
            ),
            "hours": here["hours"],
        }
    )
