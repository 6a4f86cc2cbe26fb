"""From an idea to an asset to a deal: what is made, whether it is fresh, found, read and used.

Revenue of deals in which content was used says that it was used there, not that it brought them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.alignment.team_quarters import midnights
from analysis.chapters.joint_work.campaign_delivery import Share, count_share, share_of
from analysis.stats import intervals

if TYPE_CHECKING:
    import datetime as dt

MOST_READ = 5


class IdeaFunnel(NamedTuple):
    """Ideas, those that became an asset, and those whose asset was used in a deal; and the reps and
    teams that brought them.
    """

    n_ideas: int
    became: Share
    used: Share
    n_reps: int


def idea_funnel(ideas: pd.DataFrame, uses: pd.DataFrame) -> IdeaFunnel:
    """Return how far ideas get; each step is a part of the one before.  A column of assets that
    nobody fills says nothing.
    """
    became = ideas["asset_id"].notna()
    in_deals = uses.loc[uses["opportunity_id"].notna(), "asset_id"]
    is_used = became & ideas["asset_id"].isin(in_deals)
    n = len(ideas)
    return IdeaFunnel(
        n,
        count_share(int(became.sum()), n if became.any() else 0),
        count_share(int(is_used.sum()), int(became.sum())),
        int(ideas["rep_id"].nunique()),
    )


def stale_assets(assets: pd.DataFrame, day: dt.date) -> pd.Series:
    """Return whether each asset's refresh is overdue on a day; missing where none is due.

    An asset that is due every 90 days is fresh on the ninetieth day and stale on the next.
    """
    last = midnights(assets["refreshed_on"]).fillna(midnights(assets["created_on"]))
    age = (pd.Timestamp(day) - last).dt.days
    due = assets["refresh_days"].astype("Float64")
    is_stale: pd.Series = (age.astype("Float64") > due).astype("boolean")
    return is_stale


def coverage_by(assets: pd.DataFrame, uses: pd.DataFrame) -> pd.DataFrame:
    """Return what the library holds and how it is used by stage and segment: a row a pair.

    Columns: ``stage``, ``segment``, ``n_assets``, ``n_in_library``, ``n_used``.
    """
    rows = assets.assign(
        is_used=assets["asset_id"].isin(uses["asset_id"]),
        in_library=assets["is_in_library"].eq(other=True),
    ).dropna(subset=["stage", "segment"])
    stages, segments = sorted(rows["stage"].unique()), sorted(rows["segment"].unique())
    pairs = pd.MultiIndex.from_product([stages, segments], names=["stage", "segment"])
    table = rows.groupby(["stage", "segment"]).agg(
        n_assets=("asset_id", "size"), n_in_library=("in_library", "sum"), n_used=("is_used", "sum")
    )
    return table.reindex(pairs, fill_value=0).astype("int64").reset_index()


def most_read(assets: pd.DataFrame) -> pd.DataFrame:
    """Return the assets read most: a row an asset, with the places it may have.

    Columns: ``asset_id``, ``kind``, ``n_readers``, ``low`` and ``high`` (95%, Poisson), ``place``
    such as 1-2: those whose interval overlaps share places.
    """
    rows = assets[assets["n_readers"].notna()].sort_values(
        ["n_readers", "asset_id"], ascending=[False, True]
    )
    n = rows["n_readers"].to_numpy(float)
    reach = intervals.Z * np.sqrt(n)
    low, high = np.maximum(n - reach, 0), n + reach
    first = 1 + (low[None, :] > high[:, None]).sum(axis=1)
    last = len(n) - (high[None, :] < low[:, None]).sum(axis=1)
    places = [f"{a}-{b}" if a != b else f"{a}" for a, b in zip(first, last, strict=True)]
    return rows.assign(low=low, high=high, place=places)[
        ["asset_id", "kind", "n_readers", "low", "high", "place"]
    ].head(MOST_READ)


class Influenced(NamedTuple):
    """Won deals of a time in which content was used, of all that were won, and their bookings."""

    deals: Share
    amount: float
    total: float


def influenced_revenue(uses: pd.DataFrame, won: pd.DataFrame) -> Influenced:
    """Return the bookings of won deals in which content was used; nothing says it brought them."""
    is_used = won["opportunity_id"].isin(uses["opportunity_id"].dropna())
    return Influenced(
        share_of(is_used),
        float(won.loc[is_used, "deal_amount"].sum()),
        float(won["deal_amount"].sum()),
    )


class FieldInsight(NamedTuple):
    """Insights from the field, those marketing acted on, the median days to it, and the reps who
    brought any, of all reps.
    """

    acted: Share
    median_days: float
    reps: Share


def field_insight(feedback: pd.DataFrame, n_reps: int) -> FieldInsight:
    """Return what became of what reps reported from the field; what was acted on is missing where
    nobody fills in a day.
    """
    since, acted = midnights(feedback["reported_on"]), midnights(feedback["acted_on"])
    days = (acted - since).dt.days.dropna()
    n_bringing = min(int(feedback["rep_id"].nunique()), n_reps)
    return FieldInsight(
        share_of(acted.notna()) if acted.notna().any() else count_share(0, 0),
        float(days.median()) if len(days) else math.nan,
        count_share(n_bringing, n_reps),
    )


class ChannelCare(NamedTuple):
    """Channels with an owner, and those whose refresh is overdue of those that have an interval."""

    owned: Share
    stale: Share


def channel_care(channels: pd.DataFrame, day: dt.date) -> ChannelCare:
    """Return which channels are looked after; one never refreshed is overdue.

    A column without any value says nothing.
    """
    last = midnights(channels["refreshed_on"])
    age = (pd.Timestamp(day) - last).dt.days.astype("Float64")
    due = channels["refresh_days"].astype("Float64")
    stale = (age > due).where(last.notna(), due.notna()).where(due.notna())
    nothing, has_owner = count_share(0, 0), channels["owner_rep_id"].notna()
    return ChannelCare(
        share_of(has_owner) if has_owner.any() else nothing,
        share_of(stale.astype("boolean")) if last.notna().any() else nothing,
    )


def requests_the_library_holds(requests: pd.DataFrame, assets: pd.DataFrame) -> Share:
    """Return the requests for a kind of material and a segment that the library holds already;
    missing where nobody says what lies in it.

    Parameters
    ----------
    requests : ``kind``, ``audience`` (a segment)
    assets : ``kind``, ``segment``, ``is_in_library``
    """
    material = assets.dropna(subset=["kind", "segment", "is_in_library"])
    known_kinds = set(material["kind"].str.lower())
    wanted = requests.dropna(subset=["kind", "audience"])
    wanted = wanted[wanted["kind"].str.lower().isin(known_kinds)]
    library = material[material["is_in_library"].eq(other=True)]
    there = set(zip(library["kind"].str.lower(), library["segment"].str.lower(), strict=True))
    pairs = zip(wanted["kind"].str.lower(), wanted["audience"].str.lower(), strict=True)
    return count_share(sum(pair in there for pair in pairs), len(wanted))
