"""Requests that may duplicate what runs already: a suggestion to look, never a verdict.

Two efforts are near where they are of one activity or audience in the same days, and their subjects
are alike.  What either does not state speaks neither for nor against.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    import datetime as dt

ALIKE = 0.8  # of two subjects, 0 to 1
LENGTH_DAYS = 30  # of an effort that states no end


class Effort(NamedTuple):
    """Something that is asked for or runs: what, for whom, about what and when."""

    name: str
    activity: Any
    audience: Any
    topic: Any
    begins: pd.Timestamp
    ends: pd.Timestamp


def subject_likeness(one: str, other: str) -> float:
    """Return how alike two subjects are, 0 to 1, case and the order of words aside.

    Examples
    --------
    >>> subject_likeness("Price comparison", "comparison, price")
    1.0
    """
    first, second = (" ".join(sorted(t.lower().replace(",", " ").split())) for t in (one, other))
    return SequenceMatcher(None, first, second).ratio()


def is_near(one: Effort, other: Effort) -> bool:
    """Return whether two efforts may be one: days overlap, nothing stated differs, subjects alike.

    Something beside the days must be stated by both.
    """
    if one.begins > other.ends or other.begins > one.ends:
        return False
    pairs = [(one.activity, other.activity), (one.audience, other.audience)]
    both = [(a, b) for a, b in pairs if pd.notna(a) and pd.notna(b)]
    if any(str(a).lower() != str(b).lower() for a, b in both):
        return False
    has_topics = pd.notna(one.topic) and pd.notna(other.topic)
    if has_topics:
        return subject_likeness(str(one.topic), str(other.topic)) >= ALIKE
    return len(both) == len(pairs)


def request_efforts(log: pd.DataFrame) -> list[Effort]:
    """Return each request as an effort: from the day it was asked to a month after it is wanted."""
    efforts = []
    for row in log.to_dict("records"):
        begins = pd.Timestamp(row["asked_on"])
        until = row["done_on"] if pd.notna(row["done_on"]) else row["wanted_on"]
        last = max(begins, pd.Timestamp(until)) if pd.notna(until) else begins
        ends = last + pd.Timedelta(days=LENGTH_DAYS)
        what = (row["campaign_type"], row["audience"], row["topic"])
        efforts.append(Effort(str(row["request_id"]), *what, begins, ends))
    return efforts


def campaign_efforts(campaigns: pd.DataFrame, *, day_after: dt.date) -> list[Effort]:
    """Return campaigns that run on or after a day; one without a first day is no effort."""
    efforts = []
    for row in campaigns[campaigns["start_date"].notna()].to_dict("records"):
        begins = pd.Timestamp(row["start_date"])
        stated = row["end_date"]
        ends = pd.Timestamp(stated) if pd.notna(stated) else begins + pd.Timedelta(days=LENGTH_DAYS)
        if ends >= pd.Timestamp(day_after):
            kind, name = row["campaign_type"], row["campaign_name"]
            efforts.append(Effort(str(row["campaign_id"]), kind, None, name, begins, ends))
    return efforts


def near_efforts(waiting: list[Effort], running: list[Effort]) -> pd.DataFrame:
    """Return pairs of a request and what runs that may be one: one row a pair.

    Columns: ``request_id``, ``near_id``, ``audience``, ``topic``.
    """
    rows = [
        (a.name, b.name, a.audience, a.topic)
        for a in waiting
        for b in running
        if a.name != b.name and is_near(a, b)
    ]
    return pd.DataFrame(rows, columns=["request_id", "near_id", "audience", "topic"])
