"""Research on one account that both sides made: the hours that the second one could have spared.

Entries are compared by the account they name; one that names none cannot be compared, and counts
on neither side.  Of two researches of an account within `WINDOW_DAYS` the shorter one's time is
counted, once.  They may have asked different things, so this is what to look at, not what was lost.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.alignment.score_leads import SELLERS
from analysis.chapters.joint_work.campaign_delivery import count_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.chapters.joint_work.campaign_delivery import Share

WINDOW_DAYS = 30
RESEARCH = ("preparation", "prospecting")  # classes of activity
SIDE_OF_ROLE = {"marketing": "marketing"} | dict.fromkeys(SELLERS, "sales")
GROUPS = ("marketing", "sales")


class SharedResearch(NamedTuple):
    """What was researched twice within the window, the second time since a day.

    `accounts` researched by both, of those the first group researched; `hours` done twice by the
    group that came second [h]; `named` is the share of each group's hours that name an account
    [0-1], missing where it logged none.  `why` says what keeps it from being told; "" where nothing
    does.
    """

    accounts: Share
    hours: dict[str, float]
    named: dict[str, float]
    why: str


def research_entries(
    activities: pd.DataFrame, reps: pd.DataFrame, deals: pd.DataFrame
) -> pd.DataFrame:
    """Return research with a length: ``started_at``, ``minutes``, ``account_id`` (that of the deal
    where the entry names one alone), ``side`` of who made it, ``rep_id``.
    """
    is_research = activities["activity_class"].isin(RESEARCH) & activities["minutes"].gt(0)
    rows = activities[
        is_research & ~activities["is_all_day"].eq(other=True) & activities["started_at"].notna()
    ]
    side = rows["rep_id"].map(reps.set_index("rep_id")["role"].map(SIDE_OF_ROLE))
    of_deal = rows["opportunity_id"].map(deals.set_index("opportunity_id")["account_id"])
    entries = rows.assign(side=side, account_id=rows["account_id"].fillna(of_deal))
    columns = ["rep_id", "side", "account_id", "started_at", "minutes"]
    return entries.dropna(subset=["side"])[columns]


def shared_research(entries: pd.DataFrame, since: pd.Timestamp) -> SharedResearch:
    """Return what both sides researched.

    Parameters
    ----------
    entries : what `research_entries` returns
    since : the first moment of a second research that counts
    """
    recent = entries[entries["started_at"] >= since]
    named = {side: _share_named(recent[recent["side"].eq(side)]) for side in GROUPS}
    hours = dict.fromkeys(GROUPS, 0.0)
    for side in GROUPS:
        if not named[side] > 0:
            who = "user of marketing" if side == "marketing" else "rep"
            why = f"no {who} logs research that names an account"
            return SharedResearch(count_share(0, 0), hours, named, why)
    of_accounts = entries.dropna(subset=["account_id"])
    n_sides = of_accounts.groupby("account_id")["side"].nunique()
    both = of_accounts[of_accounts["account_id"].isin(n_sides.index[n_sides > 1])]
    twice = set()
    for account, rows in both.groupby("account_id"):
        for moment, side, minutes in _repeated(rows):
            if moment >= since:
                hours[side] += minutes / 60
                twice.add(account)
    of_marketing = of_accounts[of_accounts["side"].eq("marketing")]
    in_reach = of_marketing["started_at"] >= since - pd.Timedelta(days=WINDOW_DAYS)
    n_marketing = of_marketing.loc[in_reach, "account_id"].nunique()
    return SharedResearch(count_share(len(twice), n_marketing), hours, named, "")


def _share_named(rows: pd.DataFrame) -> float:
    total = float(rows["minutes"].sum())
    with_account = float(rows.loc[rows["account_id"].notna(), "minutes"].sum())
    return with_account / total if total > 0 else math.nan


def _repeated(rows: pd.DataFrame) -> Iterator[tuple[pd.Timestamp, str, float]]:
    """Yield the minutes of each entry that the other side had spent on the account before.

    What one entry repeats is repeated by no other.
    """
    earlier: list[tuple[pd.Timestamp, str]] = []
    left: list[float] = []  # minutes of each that nobody repeated yet
    ordered = rows.sort_values(["started_at", "side"])
    for moment, side, length in zip(
        ordered["started_at"], ordered["side"], ordered["minutes"], strict=True
    ):
        first, rest = moment - pd.Timedelta(days=WINDOW_DAYS), float(length)
        for place, (began, whose) in enumerate(earlier):
            if whose != side and began >= first:
                part = min(rest, left[place])
                left[place] -= part
                rest -= part
        earlier.append((moment, side))
        left.append(rest)
        if rest < float(length):
            yield moment, str(side), float(length) - rest
