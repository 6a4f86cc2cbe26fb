"""What sales did with the leads handed over: how soon, whether at all, and what came of delay.

Time is counted in working hours: a lead that came on Friday evening has waited no hour by Monday
morning.  Leads nobody has touched yet count as long as they were watched.  Whether leads answered
late convert less is asked within groups of alike leads, and only from the day on which both kinds
were still open; sales chooses which leads to answer first, so it is an association.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.closed_loop.lead_ledger import SALES
from analysis.stats.intervals import share_interval, t_interval
from analysis.stats.survival import FEWEST_CLUSTERS, cumulative_incidence, day_of_share, share_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analysis.chapters.closed_loop.lead_ledger import LeadStays
    from analysis.stats.result import Verdict

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

OPENS_AT = 9.0  # hour of the day at which work begins; ours
NEGLECT_DAYS = 30
LANDMARK_DAYS = 4  # after the hand-over: by then one working day has passed over any weekend
OUTCOME_DAYS, BAND_DAYS = 90, 30  # watched after the landmark, in bands of like age
ACCEPTS_ALL, CONVERTS_LITTLE = 0.9, 0.5  # where acceptance says nothing; both ours
TOUCHED, ENDED = 1, 2
NEGLECTED_TOO_MANY, STUCK_TOO_MANY = 0.05, 0.25  # shares from which something is to be done; ours


def working_hours(
    moments: pd.Series, *, hours_per_day: float, holidays: NDArray[np.datetime64]
) -> Floats:
    """Return the working hours from 1970 to each local moment: Monday to Friday, from `OPENS_AT`.

    Examples
    --------
    >>> friday, monday = pd.to_datetime(pd.Series(["2026-01-02 16:00", "2026-01-05 10:00"]))
    >>> none = np.zeros(0, "datetime64[D]")
    >>> ends = working_hours(pd.Series([friday, monday]), hours_per_day=8, holidays=none)
    >>> float(ends[1] - ends[0])
    2.0
    """
    is_dated = moments.notna().to_numpy()
    filled = moments.fillna(pd.Timestamp("1970-01-01"))
    day = filled.to_numpy().astype("datetime64[D]")
    hour = (filled - filled.dt.floor("D")).dt.total_seconds().to_numpy() / 3600
    whole = np.busday_count(np.datetime64("1970-01-01"), day, holidays=holidays)
    part = np.clip(hour - OPENS_AT, 0, hours_per_day)
    today = np.is_busday(day, holidays=holidays)
    hours = whole * hours_per_day + np.where(today, part, 0.0)
    return np.where(is_dated, hours, np.nan)


def handed_over(
    stays: LeadStays,
    panel: pd.DataFrame,
    touches: pd.DataFrame,
    until: pd.Timestamp,
    *,
    time_zone: str,
    hours_per_day: float,
    holidays: Mapping[str, NDArray[np.datetime64]],
) -> pd.DataFrame:
    """Return the first hand-over of each lead: a row a lead.

    Parameters
    ----------
    panel : ``lead_dates`` with ``region`` of the owner's team
    touches : ``lead_id``, ``started_at`` of what sales did with leads
    until : the moment after the last that counts
    holidays : days off by region; a region of none has only weekends

    Columns beside those of the panel: ``handed_at``, ``left_at`` (returned, disqualified or
    converted), ``touched_at``, ``wait_hours`` to the first touch, the end or `until` [working h],
    ``wait_days`` [calendar days], and ``ending`` (0 neither, 1 touched, 2 ended untouched).  A
    lead that sales spoke to before it was handed over waited for nothing.
    """
    first = stays.rows[stays.rows["state"].eq(SALES) & stays.rows["round"].eq(1)]
    rows = first[["lead_id", "began_at", "ended_at"]].rename(
        columns={"began_at": "handed_at", "ended_at": "left_at"}
    )
    rows = rows.merge(panel, on="lead_id", how="inner")
    at = pd.to_datetime(touches["started_at"], utc=True).dt.as_unit("us")
    contact = touches.assign(at=at).merge(rows[["lead_id", "created_on"]], on="lead_id")
    came = pd.to_datetime(contact["created_on"]).dt.tz_localize("UTC")
    contact = contact[(contact["at"] >= came) & (contact["at"] < until)]
    first_contact = contact.groupby("lead_id")["at"].min().reindex(rows["lead_id"])
    rows["touched_at"] = pd.Series(first_contact.array, rows.index)
    rows["touched_at"] = (
        rows[["touched_at", "handed_at"]].max(axis=1).where(rows["touched_at"].notna())
    )
    ends_first = rows["left_at"].notna() & ~(rows["touched_at"] <= rows["left_at"])
    rows["ending"] = np.select(
        [ends_first, rows["touched_at"].notna()], [ENDED, TOUCHED], 0
    ).astype(np.int64)
    end = rows["left_at"].where(ends_first, rows["touched_at"]).fillna(until)
    rows["wait_days"] = (end - rows["handed_at"]).dt.days.clip(lower=0)
    rows["wait_hours"] = np.nan
    regions = rows["region"].astype(object).fillna("")
    for region, part in rows.groupby(regions, sort=False):
        off = holidays.get(str(region), np.zeros(0, "datetime64[D]"))
        begin, last = (
            working_hours(
                moments.loc[part.index].dt.tz_convert(time_zone).dt.tz_localize(None),
                hours_per_day=hours_per_day,
                holidays=off,
            )
            for moments in (rows["handed_at"], end)
        )
        rows.loc[part.index, "wait_hours"] = np.maximum(last - begin, 0.0)
    return rows


class FirstTouch(NamedTuple):
    """How soon leads are touched: shares [0-1] with their 95% interval, by Kaplan and Meier.

    `within` the agreed hours; `neglected`: neither touched nor ended in `NEGLECT_DAYS`; `half` of
    those touched in that time are so within so many working hours.
    """

    within: tuple[float, float, float]
    neglected: tuple[float, float, float]
    half: float
    n: int
    n_untouched: int


def first_touch_times(rows: pd.DataFrame, limit_hours: float, hours_per_day: float) -> FirstTouch:
    """Return how soon leads handed over are touched, of the rows that `handed_over` returns."""
    if rows.empty:
        nothing = (math.nan, math.nan, math.nan)
        return FirstTouch(nothing, nothing, math.nan, 0, 0)
    owners = owner_numbers(rows)
    ending = rows["ending"].to_numpy(np.int64)
    hours = np.floor(rows["wait_hours"].to_numpy(float)).astype(np.int64)
    horizon = round(NEGLECT_DAYS / 7 * 5 * hours_per_day)
    is_past = hours > horizon
    curve = cumulative_incidence(
        np.where(is_past, horizon + 1, hours), np.where(is_past, 0, ending), clusters=owners
    )
    within = share_by(curve, max(math.ceil(limit_hours) - 1, 0))
    days = rows["wait_days"].to_numpy(np.int64)
    is_old = days > NEGLECT_DAYS
    any_end = cumulative_incidence(
        np.where(is_old, NEGLECT_DAYS + 1, days),
        np.where(is_old, 0, ending > 0).astype(np.int64),
        clusters=owners,
    )
    share, low, high = share_by(any_end, NEGLECT_DAYS)
    return FirstTouch(
        within,
        (1 - share, 1 - high, 1 - low),
        day_of_share(curve, 0.5, min(horizon, len(curve.share) - 1)),
        len(rows),
        int((ending == 0).sum()),
    )


def owner_numbers(rows: pd.DataFrame) -> Ints:
    """Return a number for each lead's owner, from 0 on; a lead without one counts by itself."""
    codes, names = pd.factorize(rows["rep_id"])
    alone = codes < 0
    codes = np.where(alone, len(names) + np.arange(len(codes)), codes)
    return np.asarray(np.unique(codes, return_inverse=True)[1], np.int64)


def answered_share(
    rows: pd.DataFrame, until: pd.Timestamp, days: float
) -> tuple[int, int, float, float, float]:
    """Return the leads due, those of them that sales answered in time, and their share [0-1] with
    its 95% interval.

    An answer is acceptance, a return, disqualification or a conversion within `days` of the
    hand-over; leads younger than that are not due yet.
    """
    limit = pd.Timedelta(days=days)
    due = rows[rows["handed_at"] + limit < until]
    answer = due[["accepted_at", "left_at"]].min(axis=1)
    n, hits = len(due), int((answer <= due["handed_at"] + limit).sum())
    if not n:
        return 0, 0, math.nan, math.nan, math.nan
    return n, hits, hits / n, *share_interval(hits, n)


class DelayRatio(NamedTuple):
    """Conversions of leads answered late over those answered in time, alike in group and age."""

    ratio: float
    low: float
    high: float
    verdict: Verdict
    n_prompt: int
    n_late: int
    n_owners: int


def delay_ratio(rows: pd.DataFrame, until: pd.Timestamp, limit_hours: float) -> DelayRatio:
    """Return the rate of conversion of leads answered late over that of leads answered in time.

    Only leads still with sales `LANDMARK_DAYS` after the hand-over count, and what became of them
    from then on, so that no lead is late because it was quick to end.  Rates are compared within
    ``group`` and age (Mantel and Haenszel); the interval leaves out one owner at a time.

    Parameters
    ----------
    rows : as `handed_over` returns them, with ``group``, the group of alike leads
    """
    nothing = DelayRatio(math.nan, math.nan, math.nan, "cannot tell", 0, 0, 0)
    if rows.empty:
        return nothing
    start = rows["handed_at"] + pd.Timedelta(days=LANDMARK_DAYS)
    is_open = (start < until) & ~(rows["left_at"] <= start)
    rows, start = rows[is_open], start[is_open]
    if rows.empty:
        return nothing
    won_at = pd.to_datetime(rows["opportunity_on"]).dt.tz_localize("UTC")
    end = pd.concat([rows["left_at"], won_at], axis=1).min(axis=1).fillna(until)
    watched = ((end - start).dt.total_seconds() / 86_400).clip(lower=0).to_numpy(float)
    has_won = ((won_at <= end + pd.Timedelta(days=1)) & (won_at < until)).to_numpy(bool)
    is_won = has_won & (watched <= OUTCOME_DAYS)
    watched = np.minimum(watched, float(OUTCOME_DAYS))
    touched = rows["ending"].eq(TOUCHED).to_numpy()
    is_prompt = touched & (rows["wait_hours"].to_numpy(float) < limit_hours)
    owners = owner_numbers(rows)
    group = pd.factorize(rows["group"])[0]
    logs = _leave_one_out(owners, group, np.asarray(watched, np.float64), is_won, is_prompt)
    n_late, n_owners = int((~is_prompt).sum()), len(logs) - 1
    if not np.isfinite(logs).all() or n_owners < FEWEST_CLUSTERS:
        return nothing._replace(n_prompt=int(is_prompt.sum()), n_late=n_late, n_owners=n_owners)
    whole, without = logs[0], logs[1:]
    n = len(without)
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    _, low, high = t_interval(whole, error, n - 1)
    verdict: Verdict = "found" if low > 0 or high < 0 else "cannot tell"
    return DelayRatio(
        math.exp(whole), math.exp(low), math.exp(high), verdict, int(is_prompt.sum()), n_late, n
    )


def _leave_one_out(
    owners: Ints, group: Ints, watched: Floats, is_won: NDArray[np.bool_],
    is_prompt: NDArray[np.bool_],
) -> Floats:  # fmt: skip
    """Return the log ratio of all, then without each owner; missing where one side has none."""
    n_owners, n_groups = int(owners.max()) + 1, int(group.max()) + 1
    n_bands = OUTCOME_DAYS // BAND_DAYS
    sums = np.zeros((2, 2, n_owners, n_groups * n_bands))  # events or time, late or prompt
    for band in range(n_bands):
        begin = band * BAND_DAYS
        time = np.clip(watched - begin, 0, BAND_DAYS)
        ends_here = is_won & (watched > begin if band else watched >= 0)
        ends_here = ends_here & (watched <= begin + BAND_DAYS)
        place = group * n_bands + band
        for side in (0, 1):
            mine = is_prompt == bool(side)
            for kind, values in enumerate((ends_here.astype(float), time)):
                np.add.at(sums[kind, side], (owners[mine], place[mine]), values[mine])
    whole = sums.sum(axis=2, keepdims=True)
    cells = np.concatenate([whole, whole - sums], axis=2)
    (late_won, prompt_won), (late_time, prompt_time) = cells
    every = late_time + prompt_time
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(every > 0, late_won * prompt_time / every, 0.0).sum(axis=1)
        down = np.where(every > 0, prompt_won * late_time / every, 0.0).sum(axis=1)
        logs: Floats = np.log(up / down)
    return logs


def accepts_everything(steps: pd.DataFrame) -> bool | None:
    """Return whether sales accepts nearly every lead and qualifies few; None where the data cannot
    tell.

    `steps` is what `cohorts.stage_passages` returns: nearly every is at least `ACCEPTS_ALL` at the
    low end of the interval, few at most `CONVERTS_LITTLE` at the high end.
    """
    by_step = steps.set_index("step")
    if not {"MQL to SAL", "SAL to SQL"} <= set(by_step.index):
        return None
    accepted = float(by_step["low"].loc["MQL to SAL"])
    qualified = float(by_step["high"].loc["SAL to SQL"])
    if math.isnan(accepted) or math.isnan(qualified):
        return None
    return accepted >= ACCEPTS_ALL and qualified <= CONVERTS_LITTLE
