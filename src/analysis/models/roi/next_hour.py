"""What one more hour of selling brings and costs, as the chapter on selling time has it: for options and ways."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from analysis.models import cost
from analysis.models.roi.case import Uncertain
from analysis.models.selling_time import effect, value, weeks
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analysis.settings import Settings

UNKNOWN = Uncertain(math.nan)
NORMAL_REACH = 1.959964
MANY = 1_000_000  # degrees of freedom at which t is normal


class NextHour(NamedTuple):
    """Bookings one more hour brings [currency/h], the elasticity behind it, and the cost of an hour [currency/h].

    All NaN where hours were not logged, the first two where more hours and more bookings are only known to go
    together; ``why`` then says what is lacking.
    """

    brings: Uncertain
    elasticity: Uncertain
    cost_amount: float
    why: str = ""


def of_company(tables: Mapping[str, pd.DataFrame], *, quarter: str, house: Settings) -> NextHour:
    """Return what one more hour brings as of `quarter`, from ``rep_week`` and ``rep_quarter``."""
    weekly, stays = tables["rep_week"], tables["rep_quarter"]
    now = stays[stays["quarter"] == quarter]
    least, currency = house.hours.minimum_logged_share, house.company.currency
    try:
        hour = cost.estimate(now, minimum_logged_share=least, currency=currency)
        base = value.basis(now, minimum_logged_share=least, currency=currency)
        found = effect.estimate(weeks.select(weekly[weekly["quarter"] <= quarter]))
    except CrmDataError as refusal:
        return NextHour(UNKNOWN, UNKNOWN, math.nan, str(refusal).splitlines()[0])
    worth = value.marginal_value(base, found)
    if not worth.is_known:
        return NextHour(UNKNOWN, UNKNOWN, hour.estimate, worth.method)
    brings = Uncertain(worth.estimate, (worth.high - worth.low) / 2 / NORMAL_REACH, MANY)
    return NextHour(brings, Uncertain(found.elasticity.estimate, found.standard_error, found.df), hour.estimate)
