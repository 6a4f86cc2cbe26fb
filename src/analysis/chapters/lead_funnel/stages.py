"""A lead's way: the day it reached each stage, how it ended, and where it stood on any past day.

A lead that skipped a stage reached it no later than the next one: it takes the earlier of the
stage's own date and those of later stages.  What counts as "all stages" are leads that have every
date, in order; "any stages" are leads that got as far, however.  A lead that moved back keeps the
date of its first time, and its history says where it stood since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns
from analysis.stats.survival import FEWEST_AT_RISK, cumulative_incidence

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.stats.survival import Incidence, Ints

STAGES: dict[str, str] = {
    "lead": "Lead",
    "mql": "MQL",
    "sal": "SAL",
    "sql": "SQL",
    "opportunity": "Opportunity",
    "won": "Won",
}
LATER = tuple(STAGES)[1:]  # in order
NOT_EXPORTED = "not exported"  # the outcome of a deal that no export holds
OPEN, REACHED, ENDED = 0, 1, 2
LEAST_EXPECTED = 5.0  # wins; where chance alone brings none of so many in less than 1 case of 100
KINDS = ("activity", "activity_basis", "lead_source", "rep_id", "team_id", "segment", "outcome")
ON_THE_WAY = ("rep_id", "activity", "deal_amount")  # of a passage's leads, for its sums
NAMES = ("lead_id", "opportunity_id", "deal_amount", "rep_hours")


class Funnel(NamedTuple):
    """Leads as of a day.

    `rows` has a row a lead: names and money of ``lead_dates``, ``cohort`` (the quarter it came in),
    ``created_on``, ``age`` [days], per stage its own date as days since the lead came and, under
    ``by_<stage>``, the day by which it got as far, ``lost`` and ``disqualified`` [days], and
    ``is_recycled``.  `n_contradictory` leads have a date before they came and are in no figure.
    `stages` are those the exports say anything of: the others are unknown, not unreached.
    """

    rows: pd.DataFrame
    n_contradictory: int
    as_of: dt.date
    stages: tuple[str, ...] = LATER

    def only(self, chosen: pd.Series) -> Funnel:
        """Return the same of some of the leads."""
        return self._replace(rows=self.rows[chosen])


def lead_funnel(panel: pd.DataFrame, periods: pd.DataFrame, as_of: dt.date) -> Funnel:
    """Leads that had come by the end of `as_of`, with what was known by then.

    Parameters
    ----------
    panel : panel ``lead_dates``, a lead
    periods : table ``quarters``: ``quarter``, ``from_day``, ``until_day``
    """
    dated = [f"{s}_on" for s in (*LATER, "lost", "disqualified", "recycled")]
    is_dated = {s: bool(panel[f"{s}_on"].notna().any()) for s in LATER}
    is_dated["won"] = bool(panel["outcome"].isin(["won", "lost", "open"]).any())
    require_columns(panel, [*NAMES, *KINDS, "created_on", *dated], "lead_dates")
    day = np.datetime64(as_of, "D")
    created = _days_of(panel["created_on"])
    if not (here := created <= day).all():
        panel, created = panel[here], created[here]
    since = {}
    for column in dated:
        date = _days_of(panel[column])
        days = (date - created).astype(float)
        days[np.isnat(date) | (date > day)] = np.nan
        days[days == -1] = 0.0  # a day's slack for time zones
        since[column.removesuffix("_on")] = days
    is_wrong = np.zeros(len(panel), bool)
    for days in since.values():
        is_wrong |= days < 0
    got_as_far: dict[str, np.ndarray] = {}
    later = np.full(len(panel), np.nan)
    for stage in reversed(LATER):
        later = np.fmin(later, since[stage])
        got_as_far[f"by_{stage}"] = later
    rows = panel[list(NAMES)].assign(
        **{kind: _as_category(panel[kind]) for kind in KINDS},
        created_on=created.astype("datetime64[s]"),
        cohort=_quarter_of(created, periods),
        age=(day - created).astype(np.int64),
        is_recycled=~np.isnan(since.pop("recycled")),
        **since,
        **got_as_far,
    )
    n_wrong = int(is_wrong.sum())
    rows = (rows[~is_wrong] if n_wrong else rows).reset_index(drop=True)
    return Funnel(rows, n_wrong, as_of, tuple(s for s in LATER if is_dated[s]))


def _days_of(dates: pd.Series) -> NDArray[np.datetime64]:
    """Return dates as numpy's days, with which to reckon takes a tenth of the time.

    No cache: what speeds up text slows down dates.
    """
    return pd.to_datetime(dates, cache=False).to_numpy().astype("datetime64[D]")


def _as_category(words: pd.Series) -> pd.Series | pd.Categorical:
    """Return words as a category, sorted."""
    if isinstance(words.dtype, pd.CategoricalDtype):
        return words
    codes, names = pd.factorize(words)
    order = names.argsort()
    place = np.append(np.argsort(order), -1)  # the last is of what is missing
    return pd.Categorical.from_codes(place[codes], categories=names[order])


def _quarter_of(day: NDArray[np.datetime64], periods: pd.DataFrame) -> pd.Categorical:
    """Return the quarter each day lies in; missing outside of them."""
    first, last = (_days_of(periods[column]) for column in ("from_day", "until_day"))
    place = np.searchsorted(first, day, side="right") - 1
    place = np.where((place >= 0) & (day < last[np.maximum(place, 0)]), place, -1)
    names = pd.CategoricalDtype(periods["quarter"].tolist(), ordered=True)
    quarters: pd.Categorical = pd.Categorical.from_codes(place, dtype=names)
    return quarters


class Passage(NamedTuple):
    """The way from one stage to a later one, a row a lead that got as far as the first.

    `rows` have `ON_THE_WAY` of each lead, under its index in the funnel; `days` to the end of it or
    the last day watched, `ending` of `OPEN`, `REACHED` and `ENDED`, `entry` the day on which it
    came under watch.  `n_unknown` leads have a deal that no export
    holds, so how they ended is unknown: they are left out.
    """

    rows: pd.DataFrame
    days: Ints
    ending: Ints
    entry: Ints
    n_unknown: int

    def only(self, chosen: np.ndarray) -> Passage:
        """Return the same of some of the leads: their places, or a mask."""
        return self._replace(
            rows=self.rows[chosen] if chosen.dtype == bool else self.rows.take(chosen),
            days=self.days[chosen],
            ending=self.ending[chosen],
            entry=self.entry[chosen],
        )


def passage(
    funnel: Funnel, to: str, *, start: str = "lead", wins_since: dt.date | None = None
) -> Passage:
    """Return how leads fare from stage `start` to stage `to`.

    `wins_since`: the day from which wins were logged, where leads were logged earlier.  A lead is
    watched for a win from then on; what ended before was never seen.
    """
    rows = funnel.rows
    is_on = np.full(len(rows), to in funnel.stages)  # else nobody exported who got there
    begin = np.zeros(len(rows))
    if start != "lead":
        begin = rows[f"by_{start}"].to_numpy(float)
        is_on &= ~np.isnan(begin)
    n_unknown = 0
    if to == "won":
        is_unknown = is_on & rows["outcome"].eq(NOT_EXPORTED).to_numpy(bool)
        n_unknown = int(is_unknown.sum())
        is_on &= ~is_unknown
    place = np.flatnonzero(is_on)
    begin = begin[place]
    reached, lost, disqualified, age = (
        rows[column].to_numpy(float)[place]
        for column in (f"by_{to}", "lost", "disqualified", "age")
    )
    reached = reached - begin
    # To get lost as a deal, a lead was a deal first: until then only disqualification ends it.
    gone = np.fmin(lost, disqualified) - begin
    has_reached = ~np.isnan(reached)
    has_ended = ~has_reached & (gone >= 0)
    days = np.where(has_reached, reached, np.where(has_ended, gone, age - begin)).astype(np.int64)
    ending = np.where(has_reached, REACHED, np.where(has_ended, ENDED, OPEN))
    entry = np.zeros(len(place), np.int64)
    way = Passage(rows[list(ON_THE_WAY)].take(place), days, ending, entry, n_unknown)
    if wins_since is None or to != "won":
        return way
    since = np.datetime64(wins_since, "D") - _days_of(rows["created_on"])[place]
    entry = np.maximum(since.astype(float) - begin, 0).astype(np.int64)
    return way._replace(entry=entry).only(days >= entry)


def owner_codes(rows: pd.DataFrame) -> Ints:
    """Return a code for each lead's owner, from 0 on; a lead without one counts by itself."""
    codes = rows["rep_id"].cat.codes.to_numpy(np.int64, copy=True)
    alone = codes < 0
    codes[alone] = len(rows["rep_id"].cat.categories) + np.arange(int(alone.sum()))
    place = np.cumsum(np.bincount(codes) > 0) - 1
    return np.asarray(place[codes], np.int64)


def watched_within(way: Passage, horizon: int) -> Passage:
    """Return the passage as it stood at `horizon` days, which is all that shares up to it need."""
    came = way.entry <= horizon
    if not came.all():
        way = way.only(came)
    is_past = way.days > horizon
    return way._replace(
        days=np.where(is_past, horizon + 1, way.days), ending=np.where(is_past, OPEN, way.ending)
    )


def share_reaching(way: Passage, horizon: int, *, is_clustered: bool = True) -> Incidence:
    """Return the share that got to the end of a passage by each day up to `horizon`; the rest is
    open or ended.
    """
    cut = watched_within(way, horizon)
    clusters = owner_codes(cut.rows) if is_clustered else None
    return cumulative_incidence(cut.days, cut.ending, entry=cut.entry, clusters=clusters)


def late_logging(funnel: Funnel, first_win: dt.date | None) -> dt.date | None:
    """Return the day from which wins were logged, where leads were logged long before; else None.

    Late is a first win before which leads of that age should have brought `LEAST_EXPECTED` wins or
    more, by the share of those watched since.
    """
    if first_win is None:
        return None
    before = (pd.Timestamp(first_win) - funnel.rows["created_on"]).dt.days
    if not (before > 0).any():
        return None
    way = passage(funnel, "won", wins_since=first_win)
    curve = share_reaching(way, int(before.max()), is_clustered=False)
    if not curve.n_events or curve.n_risk[0] < FEWEST_AT_RISK:
        return None
    ages = np.minimum(before[before > 0].to_numpy() - 1, len(curve.share) - 1)
    return first_win if curve.share[ages].sum() >= LEAST_EXPECTED else None


def states_on(
    funnel: Funnel, history: pd.DataFrame, day: dt.date, *, stages: Sequence[str] = LATER
) -> pd.Series:
    """Return how many leads stood in each state at the end of a past day; they sum to those that
    had come by then.

    A lead stands where its history last put it, a deal's end before all else; without a history of
    its own it stands at the furthest stage it had reached.

    Parameters
    ----------
    history : table ``lead_status_history``: ``lead_id``, ``lead_stage``, ``entered_at``
    """
    at = pd.Timestamp(day)
    rows = funnel.rows[funnel.rows["created_on"] <= at]
    age = (at - rows["created_on"]).dt.days
    state = pd.Series("lead", rows.index, dtype=object)
    for stage in stages:
        state = state.mask(rows[f"by_{stage}"] <= age, stage)
    if len(history):
        entered = pd.to_datetime(history["entered_at"], utc=True).dt.tz_localize(None)
        past = history.assign(entered_at=entered)[entered < at + pd.Timedelta(days=1)]
        last = past.sort_values(["entered_at", "lead_stage"]).drop_duplicates(
            "lead_id", keep="last"
        )
        stood = rows["lead_id"].map(last.set_index("lead_id")["lead_stage"])
        renamed = stood.replace({"open": "lead", "converted": "opportunity"})
        state = renamed.where(renamed.notna(), state)
    state = state.mask(rows["disqualified"] <= age, "disqualified")
    for end in ("lost", "won"):
        state = state.mask(rows[end] <= age, end)
    order = ["lead", *stages, "nurture", "disqualified", "lost"]
    return state.value_counts().reindex(order, fill_value=0).rename("n_leads")
