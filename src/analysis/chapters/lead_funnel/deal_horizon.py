"""Pipeline and effort by when they pay: due within 90 days, or later."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import datetime as dt

NEAR_DAYS = 90  # the article's "short term": fewer days out than this
NEAR, FAR, PAST = "Due in less than 90 days", "Due later", "Overdue or without a date"


def horizon_of(days: pd.Series) -> pd.Series:
    """Return on which side of 90 days each close date lies; day 90 itself is later, and a date in
    the past is overdue.

    Examples
    --------
    >>> horizon_of(pd.Series([89.0, 90.0, 91.0, -1.0])).str[:9].tolist()
    ['Due in le', 'Due later', 'Due later', 'Overdue o']
    """
    side = np.select([(days >= 0) & (days < NEAR_DAYS), days >= NEAR_DAYS], [NEAR, FAR], PAST)
    return pd.Series(side, days.index)


def split_by_horizon(
    deals: pd.DataFrame, activities: pd.DataFrame, *, first_day: dt.date, as_of: dt.date
) -> pd.DataFrame:
    """Open pipeline at `as_of`, and hours since `first_day`, by when the deal closes: a row a side.

    Parameters
    ----------
    deals : opportunities: ``opportunity_id``, ``created_at``, ``close_date``, ``status``,
        ``deal_amount``; closed after `as_of` is open at it
    activities : ``opportunity_id``, ``started_at``, ``minutes``, ``is_all_day``

    Returns
    -------
    DataFrame
        ``horizon``, ``n_deals``, ``amount``, ``amount_share`` of the pipeline, ``hours`` and
        ``hours_share``: of hours on deals, by days from the hour to the deal's close date; shares
        sum to 1.
    """
    end = pd.Timestamp(as_of)
    closes = pd.to_datetime(deals["close_date"])
    created = pd.to_datetime(deals["created_at"], utc=True).dt.tz_localize(None)
    is_open = (deals["status"].eq("open") | (closes > end)) & (
        created <= end + pd.Timedelta(days=1)
    )
    pipeline = deals[is_open].assign(horizon=horizon_of((closes[is_open] - end).dt.days))
    by = pipeline.groupby("horizon")["deal_amount"]
    table = pd.DataFrame({"n_deals": by.size(), "amount": by.sum()})
    started = pd.to_datetime(activities["started_at"], utc=True).dt.tz_localize(None)
    mine = (
        activities["opportunity_id"].notna()
        & ~activities["is_all_day"].fillna(value=False).astype(bool)
        & started.between(pd.Timestamp(first_day), end + pd.Timedelta(days=1), inclusive="left")
    )
    work = activities[mine].assign(day=started[mine].dt.normalize())
    due = closes.set_axis(deals["opportunity_id"]).reindex(work["opportunity_id"])
    work["closes"] = due.to_numpy()
    side = horizon_of((work["closes"] - work["day"]).dt.days)
    table = table.reindex([NEAR, FAR, PAST]).fillna({"n_deals": 0, "amount": 0.0})
    table["hours"] = (work["minutes"] / 60).groupby(side).sum().reindex(table.index).fillna(0.0)
    for column in ("amount", "hours"):
        total = float(table[column].sum())
        table[f"{column}_share"] = table[column] / total if total > 0 else math.nan
    return table.rename_axis("horizon").reset_index()
