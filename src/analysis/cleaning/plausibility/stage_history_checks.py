"""Deals compared with their own history.

What the CRM noted when a deal moved, and what the deal says today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.cleaning.plausibility.questions import AMOUNTS, DEALS, Bearing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.checks import CheckReading
    from analysis.cleaning.plausibility.dataset import Dataset

_LAST_LINES = """(
  select o.opportunity_id, o.status, o.stage, o.raw_amount, o.close_date, h.stage as last_stage,
    h.raw_amount as last_raw_amount, h.close_date as last_close_date
  from opportunities o join (
    select opportunity_id, arg_max(stage, (entered_at, stage_order)) as stage,
      arg_max(raw_amount, entered_at) as raw_amount, arg_max(close_date, entered_at) as close_date
    from stage_history group by opportunity_id) h using (opportunity_id))"""


class HistoryComparison(NamedTuple):
    """A column of a deal and of its history's last line, compared where both are filled."""

    column: str
    bearing: Bearing
    odd: str
    among: str


COMPARISONS = (
    HistoryComparison(
        "stage",
        DEALS,
        "last_stage <> stage",
        "status <> 'open' and stage is not null and last_stage is not null",
    ),
    # of deals won only: a lost deal's amount is often cleared, and honestly so
    HistoryComparison(
        "raw_amount",
        AMOUNTS,
        "raw_amount is null or abs(last_raw_amount - raw_amount) > 0.05 * abs(last_raw_amount)",
        "status = 'won' and last_raw_amount is not null",
    ),
    HistoryComparison(
        "close_date",
        DEALS,
        "abs(last_close_date - close_date) > 31",
        "status <> 'open' and close_date is not null and last_close_date is not null",
    ),
)


def against_history(data: Dataset) -> Iterator[CheckReading]:
    """Yield the share of closed deals that differ in stage, amount or close date from their
    history's last line.
    """
    if not data.has("opportunities", "stage_history"):
        return
    for column, bearing, odd, among in COMPARISONS:
        if data.filled("stage_history", column):
            yield data.odd_share(
                f"history_against_{column}",
                bearing,
                "stage_history",
                odd=odd,
                among=among,
                source=_LAST_LINES,
                key="opportunity_id",
                sentence=(
                    f"{{}} closed deals differ in {column} from the last line of their own history."
                ),
            )
