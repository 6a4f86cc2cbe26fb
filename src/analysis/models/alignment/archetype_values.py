"""What of the archetypes' rules a company's own tables can tell; the rest stays unknown, never false."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models.alignment.archetypes import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNTRACEABLE = ("Brochure", "PR", "Print", "Sponsorship")  # kinds whose effect nobody can trace to a lead


def values(
    tables: Mapping[str, pd.DataFrame], quarter: str, *, untraceable: Sequence[str] = UNTRACEABLE
) -> pd.Series[float]:
    """Return what a company's tables tell of `archetypes.RULES` in a quarter; missing where they do not.

    Parameters
    ----------
    tables : clean tables by name, with panel ``quarters``
        Of use: ``campaigns``, ``touches``, ``opportunities``, ``leads``, ``target_accounts``,
        ``goals``, ``activity_targets``.
    quarter : such as 2026Q3
    untraceable : kinds of campaign nobody can trace
    """
    periods = tables["quarters"].set_index("quarter")
    if quarter not in periods.index:
        raise ValueError(f"quarter must be one of {', '.join(periods.index)}, got {quarter!r}")
    start, end = (pd.to_datetime(periods[c])[quarter] for c in ("from_day", "until_day"))
    found = pd.Series(np.nan, index=COLUMNS, dtype="float64", name=quarter)
    held = {name: table for name, table in tables.items() if not table.empty}
    if "campaigns" in held:
        found.update(pd.Series(_spend(held, start, end, untraceable), dtype="float64"))
    if "opportunities" in held:
        new = _within(held["opportunities"], "created_at", start, end)
        found["self_sourced_rate"] = new["lead_source"].isna().mean() if len(new) else np.nan
    if "leads" in held:
        year = pd.DateOffset(years=1)
        before = len(_within(held["leads"], "created_at", start - year, end - year))
        found["demand_change_rate"] = (
            len(_within(held["leads"], "created_at", start, end)) / before - 1 if before else np.nan
        )
    if "target_accounts" in held:
        on = _in_force(held["target_accounts"], "valid_from", "valid_to", start, end)["side"]
        found["has_sales_list_only"] = float((on == "sales").any() and not (on == "marketing").any())
    if "activity_targets" in held:
        targets = _in_force(held["activity_targets"], "period_start", "period_end", start, end)
        found["has_lead_target"] = float(targets["volume_target"].notna().any())
    if "goals" in held:
        found["n_goal_conflicts"] = _conflicts(_in_force(held["goals"], "period_start", "period_end", start, end))
    return found


def _within(table: pd.DataFrame, column: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    day = pd.to_datetime(table[column], utc=True).dt.tz_localize(None)
    return table[(day >= start) & (day < end)]


def _in_force(table: pd.DataFrame, first: str, last: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    until = pd.to_datetime(table[last])
    return table[(pd.to_datetime(table[first]) < end) & (until.isna() | (until > start))]


def _spend(
    held: Mapping[str, pd.DataFrame], start: pd.Timestamp, end: pd.Timestamp, untraceable: Sequence[str]
) -> dict[str, float]:
    """Return the shares of spend on campaigns begun in the quarter that nobody can trace, and that lead to deals."""
    ours = _within(held["campaigns"], "start_date", start, end).dropna(subset=["cost_amount"])
    total = ours["cost_amount"].sum()
    if not total > 0:
        return {}
    linked = [
        held[name].loc[held[name]["opportunity_id"].notna(), "campaign_id"].dropna()
        for name in ("opportunities", "touches")
        if name in held
    ]
    shares = {"untraceable_spend_rate": ours["campaign_type"].isin(list(untraceable))}
    if linked:
        shares["linked_spend_rate"] = ours["campaign_id"].isin(pd.concat(linked))
    return {name: float(ours.loc[mine, "cost_amount"].sum() / total) for name, mine in shares.items()}


def _conflicts(goals: pd.DataFrame) -> int:
    """Return how many metrics of a team one side aims at alone and the other alone, at different values."""
    has_sales, has_marketing = (goals[f"{side}_owner_rep_id"].notna() for side in ("sales", "marketing"))
    alone = goals[has_sales ^ has_marketing].assign(is_sales=has_sales)
    pairs = alone.groupby(["team_id", "metric"], dropna=False)
    is_both = pairs["is_sales"].max() & ~pairs["is_sales"].min()
    return int((is_both & (pairs["target_value"].max() > pairs["target_value"].min())).sum())
