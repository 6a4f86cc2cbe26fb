"""Sales and marketing in one account.

What both cost, what deals of either source left, on one page.

"Sales make money while marketing spends it" is a way of drawing the account.  A deal's source says
who found it, not who won it: the cost of closing is in sales whatever the source, so only the total
has a return.

What a missed quota does to the marketing budget of the quarter after.

"Your marketing budget will more than likely be cut": the company says by which rule, the chance of
each attainment says how likely.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.roi import costs, uncertainty
from analysis.chapters.roi.case import BASE_QUARTERS, Uncertain
from analysis.project import quarters
from analysis.project.errors import require_columns
from analysis.stats.suppression import rounded_total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.chapters.roi.appraised_programme import Programme
    from analysis.project.settings import Settings

SOURCES = ("marketing", "sales")


def account_of_company(
    tables: Mapping[str, pd.DataFrame], programme: Programme, *, quarter: str, house: Settings
) -> pd.DataFrame:  # fmt: skip
    """Return the joint account of sales and marketing for one quarter.

    Sales by ``rep_quarter``, marketing by what it spent.

    Marketing is the campaigns that began in the quarter and the programme's items; its own pay
    stands in no table, so its cost is a lower bound.  The cost of sales is rounded to about what
    one rep is paid, so that two quarters do not tell it, and missing where no pay is known, that
    of marketing where no campaigns are; deals by source where none names a campaign.
    """
    month = house.company.fiscal_year_start_month
    span, opportunities = quarters.parse_quarter(quarter), tables["opportunities"]
    first, end = pd.Timestamp(span.start(month)), pd.Timestamp(span.end(month))
    closed = pd.to_datetime(opportunities["close_date"])
    won = opportunities[(opportunities["status"] == "won") & (closed >= first) & (closed < end)]
    stays = tables["rep_quarter"][tables["rep_quarter"]["quarter"] == quarter]
    run = tables["campaigns"][
        pd.to_datetime(tables["campaigns"]["start_date"]).between(first, end, inclusive="left")
    ]
    items = costs.by_quarter(tables["programme_costs"], fiscal_year_start_month=month)
    account = joint_account(
        won,
        sales_cost_amount=rounded_total(
            float(
                stays[["base_amount", "fringe_amount", "overhead_amount"]]
                .sum(min_count=1)
                .sum(min_count=1)
            ),
            stays.dropna(subset="base_amount")["rep_id"].nunique(),
        ),
        # Without a table of campaigns what marketing spent is unknown, and not nothing.
        marketing_cost_amount=math.nan
        if tables["campaigns"].empty
        else float(
            run["cost_amount"].sum() + items.loc[items["quarter"] == quarter, "cost_amount"].sum()
        ),
        gross_margin_rate=house.money.gross_margin_rate,
        commission_rate=programme.case.commission_rate.estimate,
    )
    if opportunities["campaign_id"].isna().all():  # who found them is unknown
        of_deals = ["n_won", "n_without_amount", "bookings_amount", "contribution_amount"]
        account[of_deals] = account[of_deals].astype(float)
        account.loc[account["function"].isin(SOURCES), of_deals] = math.nan
    return account


def joint_account(
    won: pd.DataFrame,
    *,
    sales_cost_amount: float,
    marketing_cost_amount: float,
    gross_margin_rate: float,
    commission_rate: float,
) -> pd.DataFrame:
    """Return bookings by source and cost by function of one period.

    A row a function, then the total.

    Parameters
    ----------
    won : DataFrame, a deal won in the period
        ``deal_amount`` [currency] and ``campaign_id``; with a campaign it counts as found by
        marketing.
    sales_cost_amount : pay, fringe and overhead of sales, without the commission on these deals
        [currency]
    marketing_cost_amount : campaign spend, people and programme [currency]

    Returns
    -------
    DataFrame
        ``function``, ``n_won``, ``n_without_amount``, ``bookings_amount``, ``contribution_amount``
        (gross margin less commission), ``cost_amount`` [currency] and, of the total alone,
        ``contribution_per_unit`` of cost.  Rows add up to the total.
    """
    require_columns(won, ["deal_amount", "campaign_id"], "opportunities")
    if sales_cost_amount + marketing_cost_amount <= 0:
        raise ValueError(
            f"costs must be above 0 together, got {sales_cost_amount!r} of sales and "
            f"{marketing_cost_amount!r}"
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


class BudgetCut(NamedTuple):
    """Below `attainment` [0-1 of quota] only `kept` [0-1] of the budget is left."""

    attainment: float
    budget_share: float


class NextBudget(NamedTuple):
    """Quantiles of the next quarter's budget [currency] and how likely it is cut at all [0-1]."""

    p10: float
    p50: float
    p90: float
    probability_cut: float


def budget_of_company(
    tables: Mapping[str, pd.DataFrame],
    *,
    quarter: str,
    fiscal_year_start_month: int,
    rule: Sequence[BudgetCut],
) -> NextBudget:
    """Return the budget after next quarter's attainment, if bookings come as in the last four
    quarters.

    Quota is the quarter's, the budget a quarter's mean cost of campaigns over the last four.  All
    missing where no quota is known.
    """
    panel = tables["team_quarter"]
    whole = panel[(panel["quarter"] <= quarter) & ~panel["is_partial"].astype(bool)]
    recent = whole.groupby("quarter")["bookings_amount"].sum().iloc[-BASE_QUARTERS:]
    spread = Uncertain(float(recent.mean()), float(recent.std(ddof=1)), len(recent) - 1)
    end = quarters.parse_quarter(quarter).end(fiscal_year_start_month)
    first = (
        quarters.parse_quarter(quarter).shifted(1 - BASE_QUARTERS).start(fiscal_year_start_month)
    )
    began = pd.to_datetime(tables["campaigns"]["start_date"])
    run = tables["campaigns"][(began >= pd.Timestamp(first)) & (began < pd.Timestamp(end))]
    quota = float(whole.loc[whole["quarter"] == quarter, "quota_amount"].sum())
    if not quota > 0:
        return NextBudget(math.nan, math.nan, math.nan, math.nan)
    return next_budget(
        spread,
        quota_amount=quota,
        budget_amount=float(run["cost_amount"].sum()) / BASE_QUARTERS,
        rule=rule,
    )


def next_budget(
    bookings: Uncertain,
    *,
    quota_amount: float,
    budget_amount: float,
    rule: Sequence[BudgetCut],
    seed: int = 0,
    n_draws: int = 10_000,
) -> NextBudget:
    """Return the next quarter's budget over the chance of attainment.

    Raises
    ------
    ValueError
        If the rule leaves less for a higher attainment.
    """
    steps = sorted(rule)
    if (
        any(low.budget_share > high.budget_share for low, high in itertools.pairwise(steps))
        or not steps
    ):
        raise ValueError(
            "rule must not leave less budget for a higher attainment, got "
            f"{[tuple(s) for s in steps]}"
        )
    if not quota_amount > 0:
        raise ValueError(f"quota_amount must be above 0, got {quota_amount!r}")
    z = np.random.default_rng(seed).standard_normal(n_draws)
    attained = uncertainty.draw_value(bookings, z) / quota_amount
    place = np.searchsorted([s.attainment for s in steps], attained, side="right")
    budget_shares = np.array([*(s.budget_share for s in steps), 1.0])[place]
    low, middle, high = np.quantile(budget_amount * budget_shares, [0.1, 0.5, 0.9])
    return NextBudget(float(low), float(middle), float(high), float((budget_shares < 1).mean()))
