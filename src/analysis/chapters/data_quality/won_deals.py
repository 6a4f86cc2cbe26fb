"""What a quarter's bookings rest on.

Deals won without an amount, and those whose amount is far out of scale.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis.chapters.data_quality import answerability
from analysis.project import money, quarters
from analysis.project.errors import require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.stats.result import Result

MOST_WITHOUT_AMOUNT = 0.10  # share of deals won from which a sum without them is no total
OUT_OF_SCALE = "amount_out_of_scale"  # the rule that flags them


class WonDeals(NamedTuple):
    """Deals won in a quarter: how many, how many without amount, and the large ones with what they
    come to.
    """

    n: int
    n_without_amount: int
    n_large: int
    large_amount: float


def of_quarter(opportunities: pd.DataFrame, quarter: str, fiscal_year_start_month: int) -> WonDeals:
    """Return what the deals won in a quarter hold, from the clean table ``opportunities``."""
    require_columns(
        opportunities, ["status", "close_date", "deal_amount", "flagged_by"], "opportunities"
    )
    span = quarters.parse_quarter(quarter)
    first, end = (
        pd.Timestamp(d)
        for d in (span.start(fiscal_year_start_month), span.end(fiscal_year_start_month))
    )
    closed = pd.to_datetime(opportunities["close_date"])
    won = opportunities[(opportunities["status"] == "won") & (closed >= first) & (closed < end)]
    flags = won["flagged_by"].astype(object).where(won["flagged_by"].notna(), "").astype(str)
    large = won[pd.Series([OUT_OF_SCALE in text.split() for text in flags], won.index, dtype=bool)]
    return WonDeals(
        len(won),
        int(won["deal_amount"].isna().sum()),
        len(large),
        float(large["deal_amount"].sum()),
    )


def bookings_note(won: WonDeals) -> str:
    """Return what to say beside bookings of deals won without amount.

    Empty where every deal has an amount.
    """
    if not won.n_without_amount:
        return ""
    verb = "has" if won.n_without_amount == 1 else "have"
    return f"{won.n_without_amount:,} of {won.n:,} won deals {verb} no amount."


def complete_bookings(total: Result, won: WonDeals) -> Result:
    """Return the quarter's bookings, missing where too many of the deals won have no amount."""
    if won.n_without_amount <= MOST_WITHOUT_AMOUNT * won.n:
        return total
    return total._replace(estimate=math.nan, method=f"cannot tell: {bookings_note(won)}")


def large_deals_sentence(
    total: float,
    won: WonDeals,
    account: Mapping[str, Any],
    quarter: str,
    *,
    currency: str,
    tolerance_rate: float,
) -> str:
    """Return bookings with and without the deals that are out of scale.

    Nothing where finance settles it.

    Finance's total of the quarter settles it where bookings with these deals agree with it.
    """
    gaps = {r["quarter"]: r["gap_rate"] for r in account["reconciliation"]}
    is_settled = quarter in gaps and abs(gaps[quarter]) <= tolerance_rate
    if not won.n_large or is_settled or "bookings" in answerability.withheld_questions(account):
        return ""
    both = [money.millions_text(amount, currency) for amount in (total, total - won.large_amount)]
    deals, their = (
        ("1 deal", "its amount is")
        if won.n_large == 1
        else (f"{won.n_large:,} deals", "their amounts are")
    )
    return (
        f"Bookings of {quarter} are {both[0]} with and {both[1]} without {deals}: {their} far out "
        "of scale, and no total of finance settles whether rightly."
    )
