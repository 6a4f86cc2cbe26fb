"""Sales and marketing in one account: what both cost, what deals of either source left, on one page.

"Sales make money while marketing spends it" is a way of drawing the account.  A deal's source says who
found it, not who won it: the cost of closing is in sales whatever the source, so only the total has a
return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import quarters
from analysis.models.roi import spending
from analysis.schema import require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.models.roi.assemble import Programme
    from analysis.settings import Settings

SOURCES = ("marketing", "sales")


def of_company(
    tables: Mapping[str, pd.DataFrame], programme: Programme, *, quarter: str, house: Settings
) -> pd.DataFrame:  # fmt: skip
    """Return what `joint_account` does for one quarter: sales by ``rep_quarter``, marketing by what it spent.

    Marketing is the campaigns that began in the quarter and the programme's items; its own pay stands in no
    table, so its cost is a lower bound.  The cost of sales is missing where no pay is known.
    """
    month = house.company.fiscal_year_start_month
    span, deals = quarters.quarter(quarter), tables["opportunities"]
    first, end = pd.Timestamp(span.start(month)), pd.Timestamp(span.end(month))
    closed = pd.to_datetime(deals["close_date"])
    won = deals[(deals["status"] == "won") & (closed >= first) & (closed < end)]
    stays = tables["rep_quarter"][tables["rep_quarter"]["quarter"] == quarter]
    run = tables["campaigns"][pd.to_datetime(tables["campaigns"]["start_date"]).between(first, end, inclusive="left")]
    items = spending.by_quarter(tables["programme_costs"], fiscal_year_start_month=month)
    return joint_account(
        won,
        sales_cost_amount=float(
            stays[["base_amount", "fringe_amount", "overhead_amount"]].sum(min_count=1).sum(min_count=1)
        ),
        marketing_cost_amount=float(
            run["cost_amount"].sum() + items.loc[items["quarter"] == quarter, "cost_amount"].sum()
        ),
        gross_margin_rate=house.money.gross_margin_rate,
        commission_rate=programme.case.commission_rate.estimate,
    )


def joint_account(
    won: pd.DataFrame,
    *,
    sales_cost_amount: float,
    marketing_cost_amount: float,
    gross_margin_rate: float,
    commission_rate: float,
) -> pd.DataFrame:
    """Return bookings by source and cost by function of one period: a row a function, then the total.

    Parameters
    ----------
    won : DataFrame, a deal won in the period
        ``deal_amount`` [currency] and ``campaign_id``; with a campaign it counts as found by marketing.
    sales_cost_amount : pay, fringe and overhead of sales, without the commission on these deals [currency]
    marketing_cost_amount : campaign spend, people and programme [currency]

    Returns
    -------
    DataFrame
        ``function``, ``n_won``, ``n_without_amount``, ``bookings_amount``, ``contribution_amount`` (gross
        margin less commission), ``cost_amount`` [currency] and, of the total alone, ``contribution_per_unit``
        of cost.  Rows add up to the total.
    """
    require_columns(won, ["deal_amount", "campaign_id"], "opportunities")
    if sales_cost_amount + marketing_cost_amount <= 0:
        raise ValueError(
            f"costs must be above 0 together, got {sales_cost_amount!r} of sales and {marketing_cost_amount!r}"
        )
    found_by = won["campaign_id"].notna().map({True: "marketing", False: "sales"})
    deals = won["deal_amount"].groupby(found_by)
    table = pd.DataFrame(
        {
            "n_won": deals.size(),
            "n_without_amount": won["deal_amount"].isna().groupby(found_by).sum(),
            "bookings_amount": deals.sum(),
        }
    ).reindex(list(SOURCES), fill_value=0)
    table["contribution_amount"] = table["bookings_amount"] * (gross_margin_rate - commission_rate)
    table["cost_amount"] = [marketing_cost_amount, sales_cost_amount]
    table.loc["total"] = table.sum(skipna=False)
    ratio = table["contribution_amount"] / table["cost_amount"]
    table["contribution_per_unit"] = ratio.where(table.index == "total")
    return table.rename_axis("function").reset_index()
