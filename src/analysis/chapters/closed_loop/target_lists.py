"""How far the two sides aim at the same accounts, and what reaches them.

Two names that look alike are shown as a pair to be looked at and never taken for one account.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.stats.intervals import share_interval

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

READY_DAYS = 60  # before an event by which its list and schedule are due: article 001's two months
EVENT = re.compile(  # in the words of a campaign's type, in whatever language or case
    r"\b(?:trade ?shows?|events?|conferences?|workshops?|round ?tables?|seminars?|exhibitions?|"
    r"fairs?|expos?|(?:fach)?messen?|veranstaltung(?:en)?|konferenz(?:en)?|kongress(?:e)?|"
    r"tagung(?:en)?|seminare?|salon|foire|conférences?|événements?|séminaires?|feria|eventos?|"
    r"congresos?|conferencias?|seminarios?|fiera|conferenza|beurs|evenement(?:en)?|congres|feira)\b",
    re.IGNORECASE,
)
MOST_SUGGESTIONS = 20
MOST_NAMES, LONGEST_NAME = 2000, 120  # of a side that are compared; letters of a name
ALIKE = 0.85  # of two names' letters in common, in order, from which they are shown as a pair
FEWEST_SHARED = 0.5  # of the longer name's pairs of letters: fewer are never so much alike


class Overlap(NamedTuple):
    """Two lists: `share` of accounts on either that are on both (Jaccard); missing if both are
    empty.
    """

    share: float
    n_both: int
    n_sales_only: int
    n_marketing_only: int


def list_overlap(sales: Collection[str], marketing: Collection[str]) -> Overlap:
    """Return how far two lists agree.

    Examples
    --------
    >>> list_overlap({"a", "b", "c"}, {"b", "c", "d"}).share
    0.5
    """
    mine, theirs = set(sales), set(marketing)
    both = len(mine & theirs)
    union = len(mine | theirs)
    return Overlap(both / union if union else math.nan, both, len(mine) - both, len(theirs) - both)


class ListFit(NamedTuple):
    """How an audience fits a list: shares [0-1], missing where there is nothing to divide by."""

    precision: float  # of the audience, on the list
    recall: float  # of the list, in the audience
    f1: float
    n_hit: int


def list_fit(audience: Collection[str], listed: Collection[str]) -> ListFit:
    """Return precision, recall and their harmonic mean of an audience against a list.

    Examples
    --------
    >>> list_fit({"a", "b", "c", "d"}, {"a", "b", "e"})
    ListFit(precision=0.5, recall=0.6666666666666666, f1=0.5714285714285715, n_hit=2)
    """
    reached, wanted = set(audience), set(listed)
    hit = len(reached & wanted)
    precision = hit / len(reached) if reached else math.nan
    recall = hit / len(wanted) if wanted else math.nan
    total = precision + recall
    f1 = 2 * precision * recall / total if total > 0 else (0.0 if total == 0 else math.nan)
    return ListFit(precision, recall, f1, hit)


def in_force_on(lists: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Return the rows of ``target_accounts`` in force on a day, with ``is_approved`` by both."""
    at = pd.Timestamp(day)
    ends = pd.to_datetime(lists["valid_to"])
    rows = lists[(pd.to_datetime(lists["valid_from"]) <= at) & (ends.isna() | (ends > at))]
    signed = [
        pd.to_datetime(rows[f"approved_by_{side}_on"]) <= at for side in ("sales", "marketing")
    ]
    return rows.assign(is_approved=signed[0] & signed[1])


def overlap_by_team(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how far the sides' lists agree: a row a team; ``share`` missing where one side has no
    list, for then there is nothing to agree with.
    """
    records = []
    for team, part in rows.groupby("team_id"):
        sides = [set(part.loc[part["side"].eq(s), "account_id"]) for s in ("sales", "marketing")]
        both = list_overlap(*sides)
        share = both.share if all(sides) else math.nan
        n_approved = part.loc[part["is_approved"], "account_id"].nunique()
        records.append(
            {"team_id": team, **both._asdict(), "share": share, "n_approved": n_approved}
        )
    columns = ["team_id", *Overlap._fields, "n_approved"]
    return pd.DataFrame(records, columns=columns)


def share_of_accounts(
    targets: Collection[str], reached: Collection[str] | None
) -> tuple[int, float, float, float]:
    """Return how many target accounts were reached, and their share [0-1] with its 95% interval.

    `reached` is None where no export says which accounts were reached; the share is then missing.
    """
    wanted = set(targets)
    if reached is None or not wanted:
        return 0, math.nan, math.nan, math.nan
    hits = len(wanted & set(reached))
    return hits, hits / len(wanted), *share_interval(hits, len(wanted))


def spend_on_target(
    campaigns: pd.DataFrame, audience: pd.DataFrame, targets: Collection[str]
) -> dict[str, float]:
    """Return what of the campaigns' cost went to target accounts [currency].

    A campaign's cost is shared equally by the people it reached.  ``on``, ``off`` target,
    ``unknown`` (people of no known account, campaigns that reached nobody on record) sum to
    ``total``, the cost of the campaigns whose cost is known.

    Parameters
    ----------
    campaigns : ``campaign_id``, ``cost_amount``
    audience : ``campaign_id``, ``person_key``, ``account_id`` (missing: unknown), a row a person
    """
    costs = campaigns.dropna(subset=["cost_amount"]).set_index("campaign_id")["cost_amount"]
    total = float(costs.sum())
    people = audience.drop_duplicates(["campaign_id", "person_key"])
    people = people[people["campaign_id"].isin(costs.index)]
    size = people.groupby("campaign_id")["person_key"].transform("size")
    each = people["campaign_id"].map(costs).astype(float) / size
    wanted = people["account_id"].isin(set(targets))
    is_known = people["account_id"].notna()
    on, off = float(each[is_known & wanted].sum()), float(each[is_known & ~wanted].sum())
    return {"on": on, "off": off, "unknown": total - on - off, "total": total}


class EventState(NamedTuple):
    """How an event stands: `state` is ready, red, due or not due yet; `lacks` what is missing."""

    state: str
    lacks: tuple[str, ...]
    days_left: int


def event_readiness(
    event_on: dt.date,
    today: dt.date,
    *,
    list_seen_on: dt.date | None,
    schedule_seen_on: dt.date | None,
    ready_days: int = READY_DAYS,
) -> EventState:
    """Return how an event stands: its target list and schedule count once sales has seen them.

    Before the day that lies `ready_days` before it, what is missing is not due yet; on that day it
    is due, and red from then on.  What was seen later than that day was late: red all the same.

    Examples
    --------
    >>> event = dt.date(2026, 9, 1)
    >>> day = event - dt.timedelta(days=60)
    >>> event_readiness(event, day, list_seen_on=day, schedule_seen_on=None)
    EventState(state='red', lacks=('schedule',), days_left=60)
    """
    due = event_on - dt.timedelta(days=ready_days)
    until = min(today, due)
    sight_days = {"target list": list_seen_on, "schedule": schedule_seen_on}
    lacks = tuple(name for name, day in sight_days.items() if day is None or day > until)
    if not lacks:
        state = "ready"
    elif today < due:
        state = "not due yet"
    else:
        state = "red"
    return EventState(state, lacks, (event_on - today).days)


def readiness_of_events(
    campaigns: pd.DataFrame, notices: pd.DataFrame, today: dt.date, first_day: dt.date
) -> pd.DataFrame:
    """Return how events since `first_day`, and those to come, stand by team: a row a campaign.

    ``n_teams`` asked, of which ``n_ready``, ``n_red`` and ``n_early``; ``days_left``. Only notices
    that state whether sales saw list or schedule count; without any, no event is rated.

    Parameters
    ----------
    campaigns : ``campaign_id``, ``campaign_name``, ``campaign_type``, ``start_date``
    notices : ``campaign_notices``: ``target_list_seen_on``, ``schedule_seen_on`` a team
    """
    start = pd.to_datetime(campaigns["start_date"])
    is_event = campaigns["campaign_type"].astype(object).str.contains(EVENT, na=False).astype(bool)
    events = campaigns[is_event & (start >= pd.Timestamp(first_day))]
    columns = ["campaign_id", "campaign_name", "start_date", "days_left", "n_teams", "n_ready",
               "n_red", "n_early"]  # fmt: skip
    sight_days = notices[["target_list_seen_on", "schedule_seen_on"]].apply(pd.to_datetime)
    if events.empty or sight_days.isna().all(axis=None):
        return pd.DataFrame(columns=columns)
    both = notices[["campaign_id", "team_id"]].join(sight_days)
    both = both.groupby(["campaign_id", "team_id"], as_index=False).min()  # told twice: the first
    both = both.merge(
        events[["campaign_id", "campaign_name", "start_date"]], on="campaign_id", how="inner"
    )
    states = [
        event_readiness(
            pd.Timestamp(str(row.start_date)).date(),
            today,
            list_seen_on=_day(row.target_list_seen_on),
            schedule_seen_on=_day(row.schedule_seen_on),
        )
        for row in both.itertuples()
    ]
    both = both.assign(
        days_left=[s.days_left for s in states], state=[s.state for s in states], n_teams=1
    )
    for name, state in (("n_ready", "ready"), ("n_red", "red"), ("n_early", "not due yet")):
        both[name] = both["state"].eq(state).astype(int)
    by = both.groupby(["campaign_id", "campaign_name", "start_date", "days_left"], dropna=False)
    return by[["n_teams", "n_ready", "n_red", "n_early"]].sum().reset_index()[columns]


def _day(moment: object) -> dt.date | None:
    return moment.date() if isinstance(moment, pd.Timestamp) else None


def suggested_pairs(
    mine: Mapping[str, str], theirs: Mapping[str, str], *, most: int = MOST_SUGGESTIONS
) -> pd.DataFrame:
    """Return pairs of accounts whose names may mean one: a row a pair, the likeliest first.

    Nothing is merged.  `mine` and `theirs` are names by account, of accounts on one list alone.
    ``alike`` is the share of their letters that two names have in common in order, from `ALIKE`
    on; names whose numbers differ are never a pair.  Pairs that share too few pairs of letters to
    be that much alike are not compared.
    """
    keys = [{i: _spelling(side[i]) for i in sorted(side)[:MOST_NAMES]} for side in (mine, theirs)]
    letters = [{i: _letter_pairs(k) for i, k in side.items() if k} for side in keys]
    holders: dict[str, list[str]] = {}
    for account, pairs in letters[1].items():
        for pair in sorted(pairs):
            holders.setdefault(pair, []).append(account)
    rows = []
    for account, pairs in letters[0].items():
        shared = Counter(other for pair in sorted(pairs) for other in holders.get(pair, ()))
        key = keys[0][account]
        matcher = difflib.SequenceMatcher(a="", b=key, autojunk=False)
        for other, n in shared.items():
            longer = max(len(pairs), len(letters[1][other]))
            if n < FEWEST_SHARED * longer or other == account:
                continue
            matcher.set_seq1(keys[1][other])
            if matcher.quick_ratio() < ALIKE or _numbers(key) != _numbers(keys[1][other]):
                continue
            if (alike := matcher.ratio()) >= ALIKE:
                rows.append((account, mine[account], other, theirs[other], round(alike, 2)))
    columns = ["sales_id", "sales_name", "marketing_id", "marketing_name", "alike"]
    table = pd.DataFrame(rows, columns=columns)
    order = ["alike", "sales_id", "marketing_id"]
    table = table.sort_values(order, ascending=[False, True, True])
    return table.head(most).reset_index(drop=True)


def _spelling(name: str) -> str:
    cut = name[:LONGEST_NAME].casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in cut).split())


def _letter_pairs(key: str) -> frozenset[str]:
    return frozenset(f"<{key}>"[i : i + 2] for i in range(len(key) + 1))


def _numbers(key: str) -> list[str]:
    return re.findall(r"\d+", key)


def contacts_by_account(people: pd.DataFrame, targets: Collection[str]) -> np.ndarray:
    """Return how many people were met at each target account, none included."""
    met = people.dropna(subset=["account_id"]).drop_duplicates(["account_id", "person_key"])
    counts = met["account_id"].value_counts()
    return counts.reindex(sorted(set(targets)), fill_value=0).to_numpy(np.int64)
