"""How long a new rep takes to bring revenue: to the first deal of one's own, and to quota.

A deal taken over from a colleague shows no ramp: only deals the rep created count. Reps who left,
or have not got there yet, count for as long as they were there. Reps hired before the data begin
are left out: their first deal may lie before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.stats.survival import (
    cumulative_incidence,
    day_of_share,
    last_day_told,
    lognormal_share,
    share_by,
)

if TYPE_CHECKING:
    import datetime as dt

    from analysis.stats.survival import Incidence

TARGET_DAYS = 90  # the article's: revenue from a new hire
ARTICLE_MEDIAN_DAYS, ARTICLE_LOG_SD = 548.0, 0.5  # its 18 months; the spread is our assumption
FEASIBLE = 0.05  # chance below which a target is called out of reach
FEWEST_CYCLES = 10  # deals won, below which a company's own cycle is not told
FAIR = 0.5  # share of hires that must have got there for a day to be a fair one
MILESTONES = {
    "opportunity": "First opportunity of one's own",
    "deal": "First deal of one's own won",
    "quota": "First whole quarter at quota",
    "own_quota": "The same on deals of one's own",
}


class Hires(NamedTuple):
    """Reps hired since the data begin: a row a rep.

    ``hired_on``, ``cohort`` (the year), ``watched`` [days] until they left or the data end, and
    under each of `MILESTONES` the days from hire until then, missing where not reached.  `n_before`
    reps were hired earlier, or nobody says when.  `milestones` are those the exports say anything
    of: the others are unknown, not unreached.
    """

    rows: pd.DataFrame
    n_before: int
    milestones: tuple[str, ...] = tuple(MILESTONES)


def new_hires(
    reps: pd.DataFrame, deals: pd.DataFrame, creators: pd.Series, stays: pd.DataFrame,
    periods: pd.DataFrame, *, first_day: dt.date, as_of: dt.date,
) -> Hires:  # fmt: skip
    """Return reps hired since `first_day` and when each got how far by `as_of`.

    Parameters
    ----------
    reps : ``rep_id``, ``role``, ``hired_on``, ``left_on``
    deals : opportunities: ``opportunity_id``, ``created_at``, ``close_date``, ``status``,
        ``deal_amount``
    creators : rep who created each opportunity, by its id
    stays : panel ``rep_quarter``: ``rep_id``, ``quarter``, ``bookings_amount``, ``quota_amount``
    periods : table ``quarters``
    """
    sells = reps[reps["role"].eq("rep")]
    hired, end = pd.to_datetime(sells["hired_on"]), pd.Timestamp(as_of)
    is_new = (hired >= pd.Timestamp(first_day)) & (hired <= end)
    rows = sells.loc[is_new, ["rep_id"]].assign(hired_on=hired[is_new])
    until = pd.to_datetime(sells.loc[is_new, "left_on"])
    rows["watched"] = (until.where(until <= end, end) - rows["hired_on"]).dt.days
    rows = rows[rows["watched"] >= 0].assign(cohort=rows["hired_on"].dt.year.astype(str))
    own = deals.assign(rep_id=deals["opportunity_id"].map(creators)).dropna(subset=["rep_id"])
    won = own[own["status"].eq("won")]
    periods = periods.assign(day=pd.to_datetime(periods["until_day"]) - pd.Timedelta(days=1))
    booked = stays.merge(periods[["quarter", "from_day", "until_day", "day"]], on="quarter")
    booked = booked.groupby(["rep_id", "quarter", "day"], as_index=False)[
        ["bookings_amount", "quota_amount"]
    ].sum(min_count=1)
    on_own = won.assign(quarter=_quarter_of(won["close_date"], periods))
    own_sum = on_own.groupby(["rep_id", "quarter"], observed=True)["deal_amount"].sum()
    booked = booked.merge(own_sum.rename("own_amount").reset_index(), how="left")
    begin = booked["quarter"].map(periods.set_index("quarter")["from_day"])
    hired_on = booked["rep_id"].map(dict(zip(rows["rep_id"], rows["hired_on"], strict=True)))
    is_whole = pd.to_datetime(begin) >= pd.to_datetime(hired_on)
    booked = booked[is_whole]  # whole quarters alone
    at_quota = booked["quota_amount"] > 0
    reached = {
        "opportunity": _first(own, "created_at"),
        "deal": _first(won, "close_date"),
        "quota": _first(
            booked[at_quota & (booked["bookings_amount"] >= booked["quota_amount"])], "day"
        ),
        "own_quota": _first(
            booked[at_quota & (booked["own_amount"] >= booked["quota_amount"])], "day"
        ),
    }
    for name, day in reached.items():
        reached_on = pd.Series(day.reindex(rows["rep_id"]).to_numpy(), rows.index)
        days = (reached_on - rows["hired_on"]).dt.days.astype(float)
        rows[name] = days.where((days >= 0) & (days <= rows["watched"]))
    is_told = {
        "opportunity": bool(len(own)),
        "deal": bool(deals["status"].notna().any()),
        "quota": bool(at_quota.any()),
        "own_quota": bool(at_quota.any() and len(own)),
    }
    return Hires(
        rows.reset_index(drop=True),
        int(len(sells) - len(rows)),
        tuple(name for name in MILESTONES if is_told[name]),
    )


def _first(rows: pd.DataFrame, column: str) -> pd.Series:
    day = pd.to_datetime(rows[column], utc=True).dt.tz_localize(None).dt.normalize()
    return day.groupby(rows["rep_id"]).min()


def _quarter_of(day: pd.Series, periods: pd.DataFrame) -> pd.Series:
    edges = pd.IntervalIndex.from_arrays(
        pd.to_datetime(periods["from_day"]), pd.to_datetime(periods["until_day"]), closed="left"
    )
    place = edges.get_indexer(pd.Index(pd.to_datetime(day)))
    names = pd.Series(periods["quarter"].to_numpy()[place], day.index)
    return names.where(place >= 0)


def creators_of(deals: pd.DataFrame, history: pd.DataFrame, reps: pd.DataFrame) -> pd.Series:
    """Return who created each opportunity: the first rep to move its stage, else today's owner
    where nobody exported who moved it.
    """
    if history["changed_by_rep_id"].notna().any():
        sells = reps.loc[reps["role"].eq("rep"), "rep_id"]
        moved = history[history["changed_by_rep_id"].isin(sells)]
        first = moved.sort_values("entered_at", kind="stable").drop_duplicates("opportunity_id")
        return first.set_index("opportunity_id")["changed_by_rep_id"]
    return deals.set_index("opportunity_id")["owner_rep_id"]


def milestone_curve(hires: Hires, milestone: str) -> Incidence:
    """Return the share of hires that got to a milestone by each day since hire."""
    days = hires.rows[milestone]
    return cumulative_incidence(
        days.fillna(hires.rows["watched"]).to_numpy(np.int64),
        days.notna().to_numpy(bool).astype(np.int64),
    )


def ramp_table(hires: Hires, *, target_days: int = TARGET_DAYS) -> pd.DataFrame:
    """How far hires get and when: a row a milestone.

    ``n_reps`` hired, ``n_reached``; ``share`` by `target_days` with ``low`` and ``high``; ``half``
    is the day by which half of all hires had got there, the earliest fair one; missing where they
    never do.
    """
    records = []
    for name in hires.milestones if len(hires.rows) else ():
        curve = milestone_curve(hires, name)
        share, low, high = share_by(curve, target_days)
        records.append(
            {
                "milestone": MILESTONES[name],
                "n_reps": len(hires.rows),
                "n_reached": curve.n_events,
                "share": share,
                "low": low,
                "high": high,
                "half": fair_day(curve),
            }
        )
    columns = ["milestone", "n_reps", "n_reached", "share", "low", "high", "half"]
    return pd.DataFrame(records, columns=columns)


def fair_day(curve: Incidence, part: float = FAIR) -> float:
    """Return the first day since hire by which `part` of all hires had reached the milestone;
    missing where too few were followed so long, or never so many reach it.
    """
    last = last_day_told(curve, len(curve.share) - 1)
    reached = np.flatnonzero(curve.share[: last + 1] >= part)
    return float(reached[0]) if len(reached) else math.nan


def ramp_step(table: pd.DataFrame, *, target_days: int = TARGET_DAYS) -> str:
    """Say by when to expect revenue of a new rep; `table` is that of `ramp_table`."""
    if MILESTONES["deal"] not in set(table["milestone"]):
        return (
            "We cannot tell when a new rep pays: no deals were exported, or no rep was hired since "
            "the data begin."
        )
    by = table.set_index("milestone")[["share", "half"]].astype(float).to_dict("index")
    deal, quota = by[MILESTONES["deal"]], by.get(MILESTONES["quota"], {"half": math.nan})
    if math.isnan(deal["half"]):
        return "We cannot tell when a new rep pays: too few hires were watched for long enough."
    later, share = "", ""
    if not math.isnan(quota["half"]):
        later = f", and a quarter at quota by day {quota['half']:.0f}"
    if not math.isnan(deal["share"]):
        share = f" {deal['share']:.0%} have one within {target_days} days."
    day = f"{deal['half']:.0f}"
    return f"Expect a new rep's first own deal by day {day} (half have it by then){later}.{share}"


def ramp_by_cohort(hires: Hires) -> pd.DataFrame:
    """Return the share of hires with an own deal by 90 and by 180 days: a row a year of hire."""
    records = []
    for cohort, rows in hires.rows.groupby("cohort"):
        curve = milestone_curve(hires._replace(rows=rows), "deal")
        horizon = last_day_told(curve, len(curve.share) - 1)
        records.append(
            {
                "cohort": cohort,
                "n_reps": len(rows),
                "by_90": share_by(curve, TARGET_DAYS)[0],
                "by_180": share_by(curve, 2 * TARGET_DAYS)[0],
                "half_of_them": day_of_share(curve, 0.5, horizon),
            }
        )
    columns = ["cohort", "n_reps", "by_90", "by_180", "half_of_them"]
    return pd.DataFrame(records, columns=columns)


class Cycle(NamedTuple):
    """Log-normal days from creation to a won deal: median and spread of logs."""

    median_days: float
    log_sd: float
    n: int

    def share_within(self, days: float) -> float:
        """Share of deals won that close within `days` of being created [0-1]."""
        return lognormal_share(days, self.median_days, self.log_sd)


def sales_cycle(deals: pd.DataFrame) -> Cycle | None:
    """Return the cycle of deals won, None where too few have one."""
    won = deals[deals["status"].eq("won")]
    created = pd.to_datetime(won["created_at"], utc=True).dt.tz_localize(None)
    days = (pd.to_datetime(won["close_date"]) - created).dt.total_seconds() / 86_400
    logs = np.log(days[days > 0].to_numpy(float))
    if len(logs) < FEWEST_CYCLES:
        return None
    return Cycle(float(np.exp(np.median(logs))), float(logs.std(ddof=1)), len(logs))


ARTICLE = Cycle(ARTICLE_MEDIAN_DAYS, ARTICLE_LOG_SD, 0)


def target_feasibility(cycles: dict[str, Cycle], *, target_days: int = TARGET_DAYS) -> pd.DataFrame:
    """Chance that a deal begun on the first day is won within `target_days`, if it is won at all: a
    row a cycle, with the ``fair_days`` by which half are.
    """
    return pd.DataFrame(
        [
            {
                "cycle": name,
                "median_days": each.median_days,
                "log_sd": each.log_sd,
                "n": each.n or math.nan,
                "chance": each.share_within(target_days),
                "is_feasible": each.share_within(target_days) >= FEASIBLE,
                "fair_days": each.median_days,
            }
            for name, each in cycles.items()
        ]
    )
