"""Whether sales is ready when a campaign goes out: told in time, with words, a goal and milestones.

A campaign announced after its first send counts as announced that many days late, never as unknown;
one that was never announced is known to be not in time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.alignment.team_quarters import midnights
from analysis.chapters.closed_loop import recycling
from analysis.stats import intervals

if TYPE_CHECKING:
    from analysis.chapters.closed_loop.recycling import SharePair

SHARES = {  # of campaigns and the teams they were for
    "is_in_time": "Announced in time",
    "has_talking_points": "With talking points",
    "is_presented": "Presented in a joint meeting before",
    "cites_agreed_narrative": "Cites the agreed narrative",
    "has_goal": "Serves a goal that is named",
}


class Share(NamedTuple):
    """`hits` of `n`, and the share with its 95% Wilson interval [0-1]; missing where `n` is 0."""

    hits: int
    n: int
    share: float
    low: float
    high: float


def share_of(flags: pd.Series) -> Share:
    """Return how many flags are true, of those that are filled in."""
    known_flags = flags.dropna().astype(bool)
    hits, n = int(known_flags.sum()), len(known_flags)
    return count_share(hits, n)


def count_share(hits: int, n: int) -> Share:
    """Return a count's share of `n` and its interval; missing where `n` is 0.

    Examples
    --------
    >>> count_share(0, 0).share
    nan
    """
    if n == 0:
        return Share(0, 0, math.nan, math.nan, math.nan)
    return Share(hits, n, hits / n, *intervals.share_interval(hits, n))


def with_delivery(notices: pd.DataFrame, ahead: pd.Series, least_days: float) -> pd.DataFrame:
    """Return the notices with ``ahead`` [working d] and the flags of `SHARES`.

    Parameters
    ----------
    notices : rows of ``campaign_notices``
    ahead : working days of notice, missing where none was given
    least_days : from which a notice is in time
    """
    presented = midnights(notices["presented_on"]) < midnights(notices["first_send_on"])
    return notices.assign(
        ahead=ahead,
        is_in_time=ahead.ge(least_days),
        is_presented=presented,
        has_goal=notices["goal_id"].notna(),
    )


def untold_columns(notices: pd.DataFrame) -> list[str]:
    """Return the flags of `SHARES` that no row fills in: an empty column says nothing."""
    sources = {"is_in_time": "notified_on", "is_presented": "presented_on", "has_goal": "goal_id"}
    return [name for name in SHARES if notices[sources.get(name, name)].isna().all()]


def delivery_by(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return how campaigns were delivered by `column`: a row a value, in order of it.

    Columns: `column`, ``n``, ``median_ahead`` of those announced [working d], and the share of each
    flag of `SHARES`, missing where nobody fills it.
    """
    untold = untold_columns(rows)
    groups = rows.groupby(column, observed=True, dropna=True)
    table = groups.agg(n=("notice_id", "size"), median_ahead=("ahead", "median"))
    for name in SHARES:
        shares = groups[name].mean() if name not in untold else np.nan
        table[name] = pd.Series(shares, table.index, dtype="float64")
    return table.reset_index()


def kit_share(notices: pd.DataFrame) -> Share:
    """Return the share of reps with text to post who posted it; missing where nobody had any."""
    with_kit = notices[notices["n_reps_with_kit"].gt(0) & notices["n_reps_posted"].notna()]
    return count_share(int(with_kit["n_reps_posted"].sum()), int(with_kit["n_reps_with_kit"].sum()))


class Milestones(NamedTuple):
    """Milestones due: those done on time, those both sides agreed on, and the slip of the done
    [working d, below 0 where early].
    """

    on_time: Share
    shared: Share
    median_slip: float


def milestone_shares(milestones: pd.DataFrame, day_after: pd.Timestamp) -> Milestones:
    """Return how milestones due before a day went; one not done by its day is late, unless nobody
    fills in when any was done.
    """
    due, done = midnights(milestones["due_on"]), midnights(milestones["done_on"])
    is_due = due < day_after
    mine = milestones[is_due]
    on_time = (done[is_due] <= due[is_due]).astype(bool)
    both_dated = mine[done[is_due].notna()]
    slip = np.busday_count(
        midnights(both_dated["due_on"]).to_numpy().astype("datetime64[D]"),
        midnights(both_dated["done_on"]).to_numpy().astype("datetime64[D]"),
    )
    return Milestones(
        share_of(on_time) if done.notna().any() else count_share(0, 0),
        share_of(mine["is_shared"]),
        float(np.median(slip)) if len(slip) else math.nan,
    )


def leads_by_notice(
    handed: pd.DataFrame, touches: pd.DataFrame, rows: pd.DataFrame
) -> pd.DataFrame:
    """Return leads that a campaign brought, with whether their team was told of it in time.

    Parameters
    ----------
    handed : ``lead_id``, ``team_id`` of leads handed over
    touches : responses
    rows : what `with_delivery` returns

    Columns of `handed` and ``is_in_time``; leads whose first response was to a campaign of which
    their team has no row are left out.
    """
    responses = touches[touches["is_response"].eq(other=True) & touches["lead_id"].notna()]
    first = responses.sort_values(["touched_at", "campaign_id"]).drop_duplicates("lead_id")
    came = handed.merge(first[["lead_id", "campaign_id"]], on="lead_id")
    told_in_time = rows.groupby(["team_id", "campaign_id"], as_index=False)["is_in_time"].max()
    return came.merge(told_in_time, on=["team_id", "campaign_id"])


def handling_difference(leads: pd.DataFrame, owners: pd.Series, limit_hours: float) -> SharePair:
    """Return the share of leads touched within `limit_hours`, of campaigns announced in time and of
    the others.

    Parameters
    ----------
    leads : what `leads_by_notice` returns, with ``wait_hours`` and ``ending``
    owners : owner by lead
    """
    in_time = leads["is_in_time"].astype(bool)
    pairs = [
        recycling.Watched(
            np.floor(part["wait_hours"].to_numpy(float)).astype(np.int64),
            part["ending"].to_numpy(np.int64),
            recycling.owner_codes_of(owners, pd.Index(part["lead_id"])),
        )
        for part in (leads[in_time], leads[~in_time])
    ]
    return recycling.compare_shares(*pairs, horizon=max(math.ceil(limit_hours) - 1, 0))
