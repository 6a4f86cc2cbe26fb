"""What a returned lead brings beside a fresh one, and whether it goes back to its rep.

A returned lead is watched from the day it was returned, a fresh one from the day it was first
handed over; whoever is still on the way counts as long as it was watched.  The two are different
leads: what lies between their shares is a difference, not what recycling does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.closed_loop.lead_ledger import CONVERTED, NURTURE, OUT, SALES
from analysis.stats.intervals import t_interval
from analysis.stats.survival import (
    FEWEST_CLUSTERS,
    Incidence,
    cumulative_incidence,
    day_counts,
    incidence_of_counts,
    share_by,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.chapters.closed_loop.lead_ledger import LeadStays

    Ints = NDArray[np.int64]

YIELD_DAYS = 180  # by which a returned lead's yield is read
OPEN, REACHED, ENDED = 0, 1, 2
DAY = np.timedelta64(1, "D")


class Watched(NamedTuple):
    """Leads followed from a day on: `days` to their end, `ending`, and their owners' `codes`."""

    days: Ints
    ending: Ints
    codes: Ints

    def curve_to(self, horizon: int) -> Incidence:
        """Share converted by each day up to `horizon`, which is all that share needs."""
        is_past = self.days > horizon
        _, clusters = np.unique(self.codes, return_inverse=True)
        return cumulative_incidence(
            np.where(is_past, horizon + 1, self.days),
            np.where(is_past, OPEN, self.ending),
            clusters=clusters.astype(np.int64),
        )


class SharePair(NamedTuple):
    """Two shares that reached an end [0-1] with their 95% intervals, and the first less the second;
    missing where too few were watched so long.
    """

    first: tuple[float, float, float]
    second: tuple[float, float, float]
    difference: tuple[float, float, float]
    n_first: int
    n_second: int
    n_owners: int


def _watched(
    begin: pd.Series, end: pd.Series, ending: Ints, until: pd.Timestamp, codes: Ints
) -> Watched:
    """Return leads with the days from `begin` to `end`, or to `until` where there is none."""
    last = end.where(pd.Series(ending > 0, end.index), until)
    days = ((last - begin).to_numpy() // DAY).astype(np.int64)
    return Watched(np.maximum(days, 0), ending, codes)


def returned_leads(stays: LeadStays, until: pd.Timestamp, owners: pd.Series) -> Watched:
    """Return every lead from its first return: converted, disqualified for good, or on its way.

    `owners` is the owner by ``lead_id``; a lead without one counts by itself.
    """
    rows = stays.rows
    first = rows[rows["state"].eq(NURTURE) & rows["came_from"].eq(SALES)]
    first = first.drop_duplicates("lead_id")
    place = pd.Series(first.index, first["lead_id"])
    since = rows[rows.index > rows["lead_id"].map(place).fillna(len(rows)).to_numpy()]
    won = since[since["state"].eq(CONVERTED)].drop_duplicates("lead_id").set_index("lead_id")
    last = since.drop_duplicates("lead_id", keep="last").set_index("lead_id")
    out = last[last["state"].eq(OUT)]
    begin = first.set_index("lead_id")["began_at"]
    won_at, out_at = (ends["began_at"].reindex(begin.index) for ends in (won, out))
    ending = np.select([won_at.notna(), out_at.notna()], [REACHED, ENDED], OPEN)
    codes = owner_codes_of(owners, begin.index)
    return _watched(begin, won_at.fillna(out_at), ending.astype(np.int64), until, codes)


def fresh_leads(stays: LeadStays, until: pd.Timestamp, owners: pd.Series) -> Watched:
    """Return every lead from its first hand-over: converted before any return, or ended (a return
    or disqualified), or with sales.
    """
    rows = stays.rows
    first = rows[rows["state"].eq(SALES) & rows["round"].eq(1)].set_index("lead_id")
    to = first["went_to"].to_numpy(np.int64)
    ending = np.select([to == CONVERTED, to >= 0], [REACHED, ENDED], OPEN).astype(np.int64)
    codes = owner_codes_of(owners, first.index)
    return _watched(first["began_at"], first["ended_at"], ending, until, codes)


def owner_codes_of(owners: pd.Series, lead_ids: pd.Index) -> Ints:
    """Return a code of each lead's owner, the same for both kinds of leads; alone without one."""
    names = pd.Index(sorted(owners.dropna().unique()))
    codes = names.get_indexer(pd.Index(owners.reindex(lead_ids)))
    alone = codes < 0
    return np.asarray(np.where(alone, len(names) + np.arange(len(codes)), codes), np.int64)


def compare_shares(one: Watched, other: Watched, *, horizon: int = YIELD_DAYS) -> SharePair:
    """Return the shares of two groups of leads that reached the end by `horizon`, and their
    difference, its error by leaving out an owner at a time from both.
    """
    shares = [share_by(w.curve_to(horizon), horizon) for w in (one, other)]
    owners = np.union1d(one.codes, other.codes)
    gap = shares[0][0] - shares[1][0]
    difference = (gap, math.nan, math.nan)
    if not math.isnan(gap) and len(owners) >= FEWEST_CLUSTERS:
        parts = [_share_without(w, owners, horizon) for w in (one, other)]
        without = parts[0] - parts[1]
        n = len(owners)
        error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
        difference = t_interval(gap, error, n - 1)
    return SharePair(shares[0], shares[1], difference, len(one.days), len(other.days), len(owners))


def _share_without(watched: Watched, owners: Ints, horizon: int) -> NDArray[np.float64]:
    """Return the share by `horizon` without each owner in turn."""
    place = np.searchsorted(owners, watched.codes)
    counts = day_counts(
        np.minimum(watched.days, horizon + 1),
        np.where(watched.days > horizon, OPEN, watched.ending),
        clusters=place,
        n_days=horizon,
        n_clusters=len(owners),
    )
    rest = counts._replace(**{k: v.sum(axis=0) - v for k, v in counts._asdict().items()})
    shares: NDArray[np.float64] = incidence_of_counts(rest)[:, -1]
    return shares


def routed_back(stays: LeadStays, contacts: pd.DataFrame) -> pd.DataFrame:
    """Return whether returned leads that qualified again went back to their rep: a row a lead.

    Parameters
    ----------
    contacts : ``lead_id``, ``rep_id``, ``started_at`` of calls and meetings about leads

    Columns: ``lead_id``, ``rep_before`` the last return, ``rep_after`` it qualified again, each
    missing where nobody logged a contact, ``is_back`` (missing where one is) and ``credited_rep``:
    whoever had the lead first, once, whatever rounds it made.
    """
    rows = stays.rows
    again = rows[rows["state"].eq(SALES) & rows["came_from"].eq(NURTURE)]
    again = again.drop_duplicates("lead_id", keep="last")[["lead_id", "began_at"]]
    at = pd.to_datetime(contacts["started_at"], utc=True).dt.as_unit("us")
    both = again.merge(contacts.assign(started_at=at).sort_values("started_at"), on="lead_id")
    earlier = both[both["started_at"] < both["began_at"]]
    later = both[both["started_at"] >= both["began_at"]]
    by_lead = again.set_index("lead_id").assign(
        rep_before=earlier.drop_duplicates("lead_id", keep="last").set_index("lead_id")["rep_id"],
        rep_after=later.drop_duplicates("lead_id").set_index("lead_id")["rep_id"],
        credited_rep=earlier.drop_duplicates("lead_id").set_index("lead_id")["rep_id"],
    )
    is_logged = by_lead["rep_before"].notna() & by_lead["rep_after"].notna()
    is_back = by_lead["rep_before"].eq(by_lead["rep_after"]).astype("boolean").where(is_logged)
    return by_lead.assign(is_back=is_back).drop(columns="began_at").reset_index()
