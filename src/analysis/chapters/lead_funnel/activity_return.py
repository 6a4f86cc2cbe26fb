"""Each marketing activity against its targets and its cost: stop it, keep it, or learn first.

A lead's worth goes to the one activity that brought it, all of it.  That is generous: some would
have come anyway.  So "stop" says that not even all of it pays, "keep" that all of it does, and
``must_be_extra`` which part of its leads must owe themselves to the activity for it to pay.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.lead_funnel.cohorts import OPPORTUNITY_DAYS, WIN_DAYS
from analysis.chapters.lead_funnel.lead_yield import drawn_interval
from analysis.chapters.lead_funnel.stages import passage, share_reaching
from analysis.stats.intervals import t_quantile
from analysis.stats.survival import share_by

if TYPE_CHECKING:
    import datetime as dt

    from analysis.chapters.lead_funnel.lead_yield import LeadYield
    from analysis.chapters.lead_funnel.stages import Funnel


def conversion_by(
    funnel: Funnel, by: str, to: str = "opportunity", horizon: int = OPPORTUNITY_DAYS
) -> pd.DataFrame:
    """Share of each group's leads that got to a stage within `horizon` days, with 95% interval by
    owner: a row a group, with ``n_leads``, ``n_reps`` and whether any ``is_young``.
    """
    records = []
    for name, rows in funnel.rows.groupby(by, observed=True):
        way = passage(funnel._replace(rows=rows), to)
        share, low, high = share_by(share_reaching(way, horizon), horizon)
        records.append(
            {
                by: name,
                "n_leads": len(rows),
                "n_reps": rows["rep_id"].nunique(),
                "share": share,
                "low": low,
                "high": high,
                "is_young": bool((rows["age"] < horizon).any()),
            }
        )
    columns = [by, "n_leads", "n_reps", "share", "low", "high", "is_young"]
    return pd.DataFrame(records, columns=columns)


def with_ranks(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows, best first, with the range of ranks each may have: only rows whose intervals
    do not overlap are surely apart.

    Examples
    --------
    >>> rows = {"share": [0.1, 0.3, 0.2], "low": [0.05, 0.25, 0.18], "high": [0.12, 0.4, 0.26]}
    >>> with_ranks(pd.DataFrame(rows))["place"].tolist()
    ['1 to 2', '1 to 2', '3']
    """
    ranked = table.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    low, high = (ranked[c].to_numpy(float) for c in ("low", "high"))
    above = (low[None, :] > high[:, None]).sum(axis=1)
    below = (high[None, :] < low[:, None]).sum(axis=1)
    n = int(np.isfinite(low).sum())
    places = [
        "" if math.isnan(at) else str(a + 1) if a + 1 == n - b else f"{a + 1} to {n - b}"
        for at, a, b in zip(low, above, below, strict=True)
    ]
    return ranked.assign(place=places)


def place_column(ranked: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """The column of ranks as a table shows it; none where every row may have any rank."""
    return {"place": ("text", "Rank")} if len(set(ranked["place"])) > 1 else {}


def place_note(ranked: pd.DataFrame) -> str:
    """Note on what the column of ranks means, or why there is none."""
    if place_column(ranked):
        return "Rank: the places it may have, given the intervals."
    return "Given the intervals, no row ranks above another." if len(ranked) > 1 else ""


def targets_of(targets: pd.DataFrame, start: dt.date, end: dt.date) -> pd.DataFrame:
    """Targets in force in [`start`, `end`) by activity: volume summed over teams and periods,
    conversion weighed by volume; missing where none was set.
    """
    begin, until = (pd.to_datetime(targets[c]) for c in ("period_start", "period_end"))
    rows = targets[(begin >= pd.Timestamp(start)) & (until <= pd.Timestamp(end))]
    rows = rows.assign(
        weighed=rows["conversion_target"] * rows["volume_target"],
        of_weighed=rows["volume_target"].where(rows["conversion_target"].notna()),
    )
    grouped = rows.groupby("campaign_type")[["volume_target", "weighed", "of_weighed"]]
    sums = grouped.sum(min_count=1)
    sums["conversion_target"] = sums["weighed"] / sums["of_weighed"].where(sums["of_weighed"] > 0)
    return sums[["volume_target", "conversion_target"]].rename_axis("activity").reset_index()


def spend_by_activity(campaigns: pd.DataFrame, touches: pd.DataFrame) -> pd.DataFrame:
    """Spend of campaigns by type: a row a type of activity.

    ``spend`` is missing where the cost of one is; ``traceable`` is that of campaigns with a
    response [currency], missing where nobody exported responses; ``n_campaigns`` and ``n_silent``
    those without any.
    """
    has_response = campaigns["campaign_id"].isin(
        touches.loc[touches["is_response"].fillna(value=False).astype(bool), "campaign_id"]
    )
    cost = campaigns["cost_amount"]
    rows = campaigns.assign(
        activity=campaigns["campaign_type"].fillna("no type"),
        traceable=cost.where(has_response, 0.0).where(cost.notna()),
        is_silent=~has_response,
        unknown=cost.isna(),
    )
    grouped = rows.groupby("activity")
    table = pd.DataFrame(
        {
            "n_campaigns": grouped.size(),
            "spend": grouped["cost_amount"].sum(min_count=1),
            "traceable": grouped["traceable"].sum(min_count=1),
            "n_silent": grouped["is_silent"].sum(),
        }
    )
    whole = grouped["unknown"].sum() == 0
    table[["spend", "traceable"]] = table[["spend", "traceable"]].where(whole)
    if touches.empty:
        table[["traceable", "n_silent"]] = math.nan
    return table.reset_index()


def measurable_share(spend: pd.DataFrame, tested: frozenset[str] = frozenset()) -> float:
    """Return the share of spend whose results can be measured [0-1]: with a response, or of an
    activity `tested` with a holdout.

    Examples
    --------
    >>> spend = {"activity": ["Webinar", "Flyer"], "spend": [60e3, 40e3], "traceable": [60e3, 0.0]}
    >>> measurable_share(pd.DataFrame(spend))
    0.6
    """
    complete = spend.dropna(subset=["spend", "traceable"])
    total = float(complete["spend"].sum())
    is_tested = complete["activity"].isin(tested)
    measured = complete["traceable"].where(~is_tested, complete["spend"])
    return float(measured.sum()) / total if total > 0 else math.nan


def share_with_targets(targets: pd.DataFrame, activities: list[str]) -> float:
    """Return the share of activities that have a target of volume and of conversion [0-1]."""
    both = targets.dropna(subset=["volume_target", "conversion_target"])["activity"]
    return float(np.mean([a in set(both) for a in activities])) if activities else math.nan


def hours_per_lead(funnel: Funnel, activities: list[str]) -> pd.Series:
    """Hours of reps that a lead took, of leads a year old or older; missing without any [h]."""
    rows = funnel.rows[funnel.rows["age"] >= WIN_DAYS]
    if rows.empty:
        return pd.Series(math.nan, activities)
    return rows.groupby("activity", observed=True)["rep_hours"].mean().reindex(activities)


def activity_returns(
    brings: LeadYield, n_leads: pd.Series, spend: pd.Series, hours: pd.Series, *,
    margin_rate: float, hour_cost: float,
) -> pd.DataFrame:  # fmt: skip
    """What each activity returns: a row an activity.

    Parameters
    ----------
    brings : what a lead of each brings
    n_leads, spend, hours : by activity: leads of the year, spend [currency], hours a lead [h]
    margin_rate : gross margin of bookings [0-1]
    hour_cost : fully loaded cost of a selling hour [currency/h]; NaN where unknown

    Returns
    -------
    DataFrame
        ``margin``, ``spend``, ``hours_cost``, ``net`` of spend, ``net_of_hours`` of both with
        ``low`` and ``high``; ``per_win`` spend and hours a win costs, ``must_be_extra`` the share
        of its leads that pays for both; ``advice``.  What rests on something unknown is missing.
    """
    records = []
    for at, activity in enumerate(brings.activities):
        n = float(n_leads.get(activity, 0))
        margin = brings.per_lead[:, at] * n * margin_rate
        cost = float(spend.get(activity, math.nan))
        on_hours = n * float(hours.get(activity, math.nan)) * hour_cost
        whole = cost + on_hours
        net = margin - (cost if math.isnan(whole) else whole)
        low, high = drawn_interval(net)[1:] if not math.isnan(net[0]) else (math.nan, math.nan)
        wins = n * float(brings.won[0, at].sum())
        records.append(
            {
                "activity": activity,
                "n_leads": int(n),
                "margin": margin[0],
                "spend": cost,
                "hours_cost": on_hours,
                "net": margin[0] - cost,
                "net_of_hours": margin[0] - whole,
                "low": low,
                "high": high,
                "per_win": whole / wins if wins > 0 else math.nan,
                "must_be_extra": whole / margin[0] if margin[0] > 0 else math.nan,
            }
        )
    return pd.DataFrame(records)


def with_advice(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with ``advice`` and ``why``, from return and targets.

    `table` has ``low`` and ``high`` of the return, and of the conversion ``conversion_high`` and
    ``conversion_target``; missing where unknown.
    """
    low, high, reached, target = (
        table[c].to_numpy(float) for c in ("low", "high", "conversion_high", "conversion_target")
    )  # a comparison with what is missing is False
    cases = [high < 0, reached < target, low > 0, ~np.isnan(low)]
    advice = np.select(cases, ["stop", "learn", "keep", "learn"], "learn")
    why = [
        "costs more",
        "below its target",
        "pays if extra",
        "may pay or not",
    ]
    return table.assign(advice=advice, why=np.select(cases, why, "cost unknown"))


def bookings_ranking(deals: pd.DataFrame, by: str) -> pd.DataFrame:
    """Share of bookings by group with 95% interval by owner, as `with_ranks` orders them.

    `deals` are opportunities won: ``owner_rep_id``, ``deal_amount`` and `by`.
    """
    rows = deals.dropna(subset=[by, "deal_amount"])
    if rows.empty:
        return pd.DataFrame(columns=[by, "n_deals", "amount", "share", "low", "high", "place"])
    codes, owners = pd.factorize(rows["owner_rep_id"])
    labels, names = pd.factorize(rows[by], sort=True)
    sums = np.zeros((len(owners), len(names)))
    np.add.at(sums, (codes, labels), rows["deal_amount"].to_numpy(float))
    total = sums.sum(axis=0)
    share, n = total / total.sum(), len(owners)
    table = pd.DataFrame(
        {by: names, "n_deals": np.bincount(labels), "amount": total, "share": share}
    )
    low = high = np.full(len(names), math.nan)
    if n > 1:
        without = total - sums
        part = without / without.sum(axis=1, keepdims=True)
        error = np.sqrt((n - 1) / n * ((part - part.mean(axis=0)) ** 2).sum(axis=0))
        reach = t_quantile(n - 1) * error
        low, high = np.maximum(share - reach, 0), np.minimum(share + reach, 1)
    return with_ranks(table.assign(low=low, high=high))
