"""Pay beside other pay, beside quotas, and beside what its currency buys: signs of a wrong period
or unit.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import PAY, Bearing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

QUOTA_BY_PAY = (1.0, 30.0)  # a year's quota by a year's base pay
FOLD = 40  # times the least pay of a year in its currency: above, no company pays it to half of its reps
_OF_PAY = Bearing((), ("cost", "worth", "pay"))


def pay_out_of_scale(data: Dataset) -> Iterator[CheckReading]:
    """Yield the share of pay rows far from the median, such as a month's pay for a year's."""
    if data.has("compensation") and data.filled("compensation", "base_amount"):
        yield data.odd_share(
            "pay_out_of_scale",
            PAY,
            "compensation",
            key="rep_id",
            odd="base_amount > 4 * middle or base_amount < middle / 4",
            among="base_amount is not null",
            source="(select *, median(base_amount) over () as middle from compensation)",
            sentence="{} rows of pay are above four times or below a quarter of the median.",
        )
        yield data.odd_share(
            "pay_beside_base",
            PAY,
            "compensation",
            key="rep_id",
            odd="commission_rate > 0.5 or overhead_amount > base_amount or fringe_rate > 1",
            among="base_amount > 0",
            sentence="{} rows of pay have a commission above half of bookings, fringe above the pay "
            "itself, or more overhead than the base.",
        )


def pay_against_quotas(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether a year's quota is too small or too large a multiple of a year's pay."""
    if not data.has("quotas", "compensation") or not data.filled("compensation", "base_amount"):
        return
    n, multiple = data.row(
        """
        select count(*), median(asked / paid) from (
          select rep_id, 4 * avg(quota_amount) as asked, avg(p.base_amount) as paid
          from rep_quarter q
          join (select rep_id, median(base_amount) as base_amount from compensation group by rep_id) p using (rep_id)
          where not is_partial and role = 'rep' and quota_amount > 0 and p.base_amount > 0 group by rep_id)"""
    )
    if n:
        yield CheckReading(
            "pay_against_quotas",
            _OF_PAY,
            float(not QUOTA_BY_PAY[0] <= multiple <= QUOTA_BY_PAY[1]),
            int(n),
            (
                f"The median rep's quota of a year is {multiple:,.1f} times the base pay of a "
                f"year, over {n:,} reps."
            ),
        )


def pay_out_of_range(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether half of the reps are paid less, or more, in a year than their currency buys.

    The sentence names no pay: the median of a few is somebody's.
    """
    currency = data.house.company.currency
    least = _least_pay().get(currency)
    if least is None or not data.filled("compensation", "base_amount"):
        return
    n, n_below, n_above = data.row(
        """
        select count(*), count(*) filter (paid < $least), count(*) filter (paid > $most) from (
          select median(base_amount) as paid from compensation where base_amount > 0 group by rep_id)""",
        {"least": least, "most": FOLD * least},
    )
    if n:
        n_odd, says = max((n_below, f"below {least:,.0f}"), (n_above, f"above {FOLD * least:,.0f}"))
        yield CheckReading(
            "pay_out_of_range",
            _OF_PAY,
            share_of(n_odd, n),
            int(n),
            f"Most reps ({n_odd:,} of {n:,}) have a base pay of a year {says} {currency}, which would "
            "be odd for full-time work.",
            "compensation",
        )


@functools.cache
def _least_pay() -> dict[str, float]:
    text = (
        resources.files("analysis.cleaning.plausibility")
        .joinpath("yearly_pay.toml")
        .read_text(encoding="utf-8")
    )
    return {currency: float(amount) for currency, amount in tomllib.loads(text).items()}
