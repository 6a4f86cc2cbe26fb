"""The company's credit: won deals shared out by six rules, and who found the deals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.closed_loop import attribution
from analysis.chapters.lead_funnel.funnel_answer import selling_hour_cost

if TYPE_CHECKING:
    from analysis.chapters.closed_loop.attribution import Paths
    from analysis.chapters.closed_loop.loop_answer import LoopAnswer

SOURCES = ("Returned lead", "Marketing's lead", "Other lead", "Campaign or source alone",
           "Found by sales alone")  # fmt: skip


def deals_won_in_year(answer: LoopAnswer) -> pd.DataFrame:
    """Return the deals won in the latest four quarters."""
    opportunities = answer.company.table("opportunities")
    closed = pd.to_datetime(opportunities["close_date"])
    is_here = (closed >= pd.Timestamp(answer.first_day)) & (
        closed <= pd.Timestamp(answer.funnel.as_of)
    )
    return opportunities[opportunities["status"].eq("won") & is_here]


def company_paths(answer: LoopAnswer) -> Paths:
    """Return the paths of deals won in the four quarters and of leads that came in them unwon.

    What is not won yet counts as nothing so far.
    """
    company, won = answer.company, deals_won_in_year(answer)
    leads = company.table("leads")
    is_recent = leads["lead_id"].isin(answer.year.rows["lead_id"])
    leads = leads[is_recent | leads["opportunity_id"].isin(won["opportunity_id"])]
    touches = company.table("touches")
    touches = touches[touches["person_key"].isin(leads["person_key"])]
    at = pd.to_datetime(touches["touched_at"], utc=True)
    return attribution.deal_paths(
        touches[at < answer.until], company.table("campaigns"), leads, won
    )


def sourcing_split(deals: pd.DataFrame, leads: pd.DataFrame, touched: set[str]) -> pd.DataFrame:
    """Return who found the deals: a row a source, whose shares sum to 1.

    Parameters
    ----------
    deals : deals created: ``opportunity_id``, ``lead_source``, ``campaign_id``
    leads : ``opportunity_id``, ``mql_at``, ``is_recycled``
    touched : deals to which a response to a campaign belongs
    """
    mine = leads.dropna(subset=["opportunity_id"])
    of_lead, returned = (
        deals["opportunity_id"].isin(chosen["opportunity_id"])
        for chosen in (mine, mine[mine["is_recycled"].eq(other=True)])
    )
    qualified = deals["opportunity_id"].isin(
        mine.loc[mine["mql_at"].notna(), "opportunity_id"]
    ) | deals["opportunity_id"].isin(touched)
    has_hint = deals["lead_source"].notna() | deals["campaign_id"].notna() | qualified
    kind = np.select(
        [returned, of_lead & qualified, of_lead, has_hint], list(SOURCES[:4]), SOURCES[4]
    )
    counts = pd.Series(kind, dtype="object").value_counts().reindex(list(SOURCES), fill_value=0)
    table = counts.rename_axis("source").rename("n_deals").reset_index()
    return table.assign(share=table["n_deals"] / max(len(deals), 1))


def deals_by_source(answer: LoopAnswer) -> pd.DataFrame:
    """Return who found the deals created in the four quarters: a row a source."""
    company = answer.company
    opportunities = company.table("opportunities")
    created = pd.to_datetime(opportunities["created_at"], utc=True)
    first = pd.Timestamp(answer.first_day).tz_localize(company.settings.company.time_zone)
    touched = set(company.table("touches")["opportunity_id"].dropna())
    return sourcing_split(
        opportunities[(created >= first) & (created < answer.until)],
        company.table("leads"),
        touched,
    )


def self_sourcing_cost(answer: LoopAnswer) -> tuple[float, float]:
    """Return the hours of prospecting that reps logged in the four quarters [h], and what they
    cost at the cost of a selling hour [currency]; missing where either is unknown.
    """
    company = answer.company
    stays = company.table("rep_quarter")
    names = [str(company.period.shifted(-back)) for back in range(4)]
    hours = float(
        stays.loc[stays["quarter"].isin(names), "prospecting_class_hours"].sum(min_count=1)
    )
    return hours, hours * selling_hour_cost(company) if not math.isnan(hours) else math.nan
