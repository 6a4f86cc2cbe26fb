"""What the programme costs: the hours of its meetings, and people, tools, content and incentives.

Hours of a meeting are people times minutes; they are priced later, at the cost per hour drawn.

What the programme has cost so far, item by item, and what its appraisal takes as given.

What is spent on material that nobody uses: a cost that could be avoided, apart from the benefit.

It is no part of the appraisal: a programme that grows bookings may or may not end this waste, and
no control group says which.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.roi.case import BASE_QUARTERS, FEWEST_CHANGES, Uncertain
from analysis.project import money, quarters
from analysis.project.errors import CrmDataError, require_columns
from analysis.tables.membership import is_among

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from analysis.chapters.roi.case import Case

MINUTES_PER_HOUR = 60


class Spending(NamedTuple):
    """Costs by quarter of the horizon, what came before it, and the relative error of what is
    projected.
    """

    costs: pd.DataFrame
    initial_amount: float
    error: Uncertain


def joint_meeting_time(
    activities: pd.DataFrame, attendees: pd.DataFrame, reps: pd.DataFrame
) -> pd.DataFrame:
    """Return the time of people in meetings at which both sides sat and no customer.

    One row a person and meeting.

    Whose calendar holds the entry was there; a person whose meeting stands in several calendars
    counts once.  All joint meetings in `activities` count, so give those of the adopters' reps.

    Parameters
    ----------
    activities : DataFrame, an entry of one rep
        ``activity_id``, ``rep_id``, ``started_at``, ``minutes``.
    attendees : DataFrame, a person at an activity
        ``activity_id``, ``person_key``, ``side``, ``rep_id``.
    reps : DataFrame, a person
        ``rep_id`` and ``role``; marketing is a role.

    Returns
    -------
    DataFrame
        ``person``, ``side``, ``held_on``, ``hours`` [h].
    """
    require_columns(activities, ["activity_id", "rep_id", "started_at", "minutes"], "activities")
    require_columns(attendees, ["activity_id", "person_key", "side", "rep_id"], "attendees")
    require_columns(reps, ["rep_id", "role"], "reps")
    with_marketing = attendees.loc[attendees["side"] == "marketing", "activity_id"]
    marketers = set(reps.loc[reps["role"] == "marketing", "rep_id"])
    is_theirs = activities["rep_id"].isin(marketers)
    rows = activities[is_theirs | is_among(activities["activity_id"], with_marketing)]
    owners = pd.DataFrame(
        {
            "activity_id": rows["activity_id"],
            "person": rows["rep_id"],
            "side": rows["rep_id"].isin(marketers).map({True: "marketing", False: "sales"}),
        }
    )
    guests = attendees[is_among(attendees["activity_id"], rows["activity_id"])]
    guests = guests.assign(person=guests["rep_id"].fillna(guests["person_key"]))[
        ["activity_id", "person", "side"]
    ]
    people = pd.concat([owners, guests]).drop_duplicates(["activity_id", "person"])
    sides = people.groupby("activity_id")["side"].agg(frozenset)
    joint = sides.index[
        [{"sales", "marketing"} <= each and "customer" not in each for each in sides]
    ]
    attended = people[is_among(people["activity_id"], joint)].merge(
        rows[["activity_id", "started_at", "minutes"]]
    )
    attended = attended.drop_duplicates(["person", "started_at"])
    return pd.DataFrame(
        {
            "person": attended["person"],
            "side": attended["side"],
            "held_on": attended["started_at"],
            "hours": attended["minutes"] / MINUTES_PER_HOUR,
        }
    ).reset_index(drop=True)


def meeting_hours(attended: pd.DataFrame, *, fiscal_year_start_month: int = 1) -> pd.Series[float]:
    """Return people's hours in `joint_meeting_time` by fiscal quarter [h]."""
    require_columns(attended, ["held_on", "hours"], "meetings")
    days = pd.to_datetime(attended["held_on"]).dt.date
    names = [str(quarters.quarter_containing(day, fiscal_year_start_month)) for day in days]
    return attended["hours"].groupby(pd.Index(names, name="quarter")).sum().rename("meeting_hours")


def by_quarter(programme_costs: pd.DataFrame, *, fiscal_year_start_month: int = 1) -> pd.DataFrame:
    """Return the programme's costs by fiscal quarter, spread by day: one row a quarter and kind.

    Columns: ``quarter``, ``kind``, ``cost_amount`` [currency].  The sum over quarters is the sum of
    the items.

    Raises
    ------
    CrmDataError
        If an item's cost is not known: the sum would be a cost left out.
    """
    needed = ["cost_id", "period_start", "period_end", "kind", "cost_amount"]
    require_columns(programme_costs, needed, "programme_costs")
    unknown = programme_costs[programme_costs["cost_amount"].isna()]
    if len(unknown):
        raise CrmDataError(
            f"programme_costs: cost_amount must be known, but {len(unknown)} of "
            f"{len(programme_costs)} rows are not "
            f"(cost_id {', '.join(map(str, unknown['cost_id'][:3]))}).\n"
            "Fill it in, or remove the item if it was never spent."
        )
    parts = []
    starts, ends = (
        pd.to_datetime(programme_costs[name]).dt.date for name in ("period_start", "period_end")
    )
    for start, end, kind, amount in zip(
        starts,
        ends,
        programme_costs["kind"],
        programme_costs["cost_amount"].astype(float),
        strict=True,
    ):
        quarter, last = (
            quarters.quarter_containing(day, fiscal_year_start_month) for day in (start, end)
        )
        while quarter <= last:
            days = (
                min(end, quarter.end(fiscal_year_start_month))
                - max(start, quarter.start(fiscal_year_start_month))
            ).days
            if days > 0:
                parts.append((str(quarter), kind, amount * days / (end - start).days))
            quarter = quarter.shifted(1)
    table = pd.DataFrame(parts, columns=["quarter", "kind", "cost_amount"])
    return table.groupby(["quarter", "kind"])["cost_amount"].sum().reset_index()


def pay_of_hires(
    rep_quarter: pd.DataFrame, starts: Mapping[str, str], hires_log: float
) -> pd.Series[float]:
    """Return what reps cost whom adopters hired beyond the others, by quarter [currency].

    Salary, fringe and overhead; commission is taken off bookings already.

    Parameters
    ----------
    rep_quarter : a rep's stay in a team within a quarter
    starts : first quarter of the programme by team
    hires_log : by how much adopters' heads grew beyond the others' since they joined [log]
    """
    pay = ["base_amount", "fringe_amount", "overhead_amount"]
    require_columns(rep_quarter, ["team_id", "quarter", *pay], "rep_quarter")
    first = rep_quarter["team_id"].map(pd.Series(starts, dtype="object"))
    joined = rep_quarter[first.notna() & (rep_quarter["quarter"] >= first.fillna(""))]
    by_quarter = joined[pay].sum(axis="columns").groupby(joined["quarter"]).sum()
    return (by_quarter * -math.expm1(-hires_log)).rename("hires_amount")


def cost_timeline(
    costs: pd.DataFrame,
    hours: pd.Series[float],
    hires: pd.Series[float],
    names: Sequence[str],
    *,
    last_observed: str,
) -> Spending:
    """Return costs and meeting hours of each quarter of the horizon.

    Parameters
    ----------
    costs : what `by_quarter` returns
    hours : what `meeting_hours` returns
    hires : what `pay_of_hires` returns
    names : quarters of the horizon in order, the first start first
    last_observed : last quarter of which costs are known; the mean of the four up to it is
        projected

    Returns
    -------
    Spending
        ``costs`` has one row a quarter: ``period``, ``quarter``, ``is_observed``, ``cost_amount``
        [currency], of which ``hires_amount`` are pay of hires, and ``meeting_hours`` [h].  Costs of
        earlier quarters are spent before the start.
    """
    require_columns(costs, ["quarter", "cost_amount"], "costs")
    total = costs.groupby("quarter")["cost_amount"].sum()
    observed_names = [name for name in names if name <= last_observed]
    if not observed_names:
        raise ValueError(
            f"last_observed must not lie before the first start {names[0]}, got {last_observed!r}"
        )
    spent, met, paid = (
        each.reindex(observed_names, fill_value=0.0) for each in (total, hours, hires)
    )
    ahead = len(names) - len(observed_names)
    recent, recent_pay = spent.iloc[-BASE_QUARTERS:], paid.iloc[-BASE_QUARTERS:]
    table = pd.DataFrame(
        {
            "period": np.arange(len(names)),
            "quarter": list(names),
            "is_observed": [True] * len(observed_names) + [False] * ahead,
            "cost_amount": [*(spent + paid), *[float((recent + recent_pay).mean())] * ahead],
            "hires_amount": [*paid, *[float(recent_pay.mean())] * ahead],
            "meeting_hours": [*met, *[float(met.iloc[-BASE_QUARTERS:].mean())] * ahead],
        }
    )
    return Spending(table, float(total[total.index < names[0]].sum()), _error(recent))


def _error(recent: pd.Series[float]) -> Uncertain:
    """Return the relative error of the mean of the last quarters' costs."""
    n, mean = len(recent), float(recent.mean())
    if n < FEWEST_CHANGES or not mean > 0:
        return Uncertain(0.0, math.nan, 0)
    return Uncertain(0.0, float(recent.std(ddof=1)) / math.sqrt(n) / mean, n - 1)


MEETINGS, HIRES, TOTAL = "Meetings of both sides", "Pay of reps hired beyond the others", "Together"


def programme_spending(
    case: Case, programme_costs: pd.DataFrame, *, fiscal_year_start_month: int = 1
) -> pd.DataFrame:
    """Return the cost of the programme up to the last quarter known.

    One row a kind, meetings, then the total.

    Columns: ``item``, ``hours`` of people in meetings since the first start [h], ``cost_amount``
    [currency] and ``share`` of the total [0-1].  The rows are those that the appraisal counts, at
    its mean cost per hour.
    """
    observed = case.costs[case.costs["is_observed"].astype(bool)]
    costs = by_quarter(programme_costs, fiscal_year_start_month=fiscal_year_start_month)
    kinds = (
        costs[costs["quarter"] <= observed["quarter"].max()].groupby("kind")["cost_amount"].sum()
    )
    hours = float(observed["meeting_hours"].sum())
    rows = [
        (str(kind).capitalize(), math.nan, float(amount))
        for kind, amount in kinds.sort_values(ascending=False).items()
    ]
    rows.append((MEETINGS, hours, hours * case.cost_per_hour.estimate))
    hires = float(observed["hires_amount"].sum())
    rows += [(HIRES, math.nan, hires)] if hires > 0 else []
    total = sum(amount for *_, amount in rows)
    rows.append((TOTAL, hours, total))
    table = pd.DataFrame(rows, columns=["item", "hours", "cost_amount"])
    table["share"] = table["cost_amount"] / total
    return table


def last_counted(case: Case) -> str:
    """Return the last quarter of the horizon whose costs are counted and not projected."""
    return str(case.costs.loc[case.costs["is_observed"].astype(bool), "quarter"].max())


def spent_sentence(spent: pd.DataFrame, quarter: str, currency: str) -> str:
    """Say what the programme has cost up to `quarter`, and what most of it is.

    "" where nothing was spent or the cost is not known.

    Parameters
    ----------
    spent : what `programme_spending` returns, the total last
    """
    total = float(spent["cost_amount"].iloc[-1])
    if not total > 0:
        return ""
    item, share = spent.iloc[:-1].nlargest(1, "cost_amount")[["item", "share"]].iloc[0]
    return (
        f"Up to {quarter} the programme has cost {money.millions_text(total, currency)}; "
        f"{share:.0%} of that is {item[:1].lower()}{item[1:]}."
    )


def costs_end_sentence(
    programme_costs: pd.DataFrame, quarter: str, *, fiscal_year_start_month: int = 1
) -> str:
    """Say up to which day costs are entered, where that is before the end of `quarter`; else "".

    Days without an item count as days without a cost, and costs to come are projected from them.
    """
    end = quarters.parse_quarter(quarter).end(fiscal_year_start_month)
    starts, ends = (
        pd.to_datetime(programme_costs[name]) for name in ("period_start", "period_end")
    )
    begun = ends[starts < pd.Timestamp(end)]
    if begun.empty:
        return "No item of cost is entered: the programme counts as if it cost its meetings alone."
    last = begun.max()
    if last >= pd.Timestamp(end):
        return ""
    day = last - pd.Timedelta(days=1)
    return (
        f"Costs are entered up to {day:%Y-%m-%d} only: later ones count as nothing, so its cost is "
        f"understated. Enter the rest of {quarter} in programme_costs.csv."
    )


def case_sentence(case: Case) -> str:
    """Return what the appraisal stands on.

    Teams, horizon, what is assumed and what is believed beforehand.
    """
    stated, ran = case.assumptions, case.bookings[case.bookings["period"] >= 0]
    n_known = ran.loc[ran["bookings_amount"].notna(), "period"].nunique()
    names = case.costs["quarter"]
    prior = f" Before looking at the data, we assumed {case.prior.label}." if case.prior else ""
    return (
        f"{case.teams_words} started, the first in {names.iloc[0]}. The appraisal runs "
        f"over {case.horizon_words}, {names.iloc[0]} to {names.iloc[-1]}, of which {n_known} "
        "are known; beyond them bookings without the programme and costs go on as in the last "
        f"four quarters known. Of a booking, a gross margin of {stated.gross_margin_rate:.0%} less "
        f"commission of {case.commission_rate.estimate:.1%} is kept; money is discounted at "
        f"{stated.discount_rate:.0%} a year, and the effect fades by {stated.fade_rate:.0%} a year "
        f"once the first {case.effect.n_quarters} quarters are over.{prior}"
    )


UNUSED_DAYS = 182  # two quarters without a use
TOO_YOUNG_DAYS = 60  # younger material has not had its chance


def unused_content(
    assets: pd.DataFrame,
    asset_uses: pd.DataFrame,
    *,
    as_of: dt.date,
    marketing_hour_cost_amount: float,
) -> pd.DataFrame:
    """Return what material not used in two quarters cost to make: one row a place it lies.

    Parameters
    ----------
    assets : DataFrame, a piece of material
        ``asset_id``, ``created_on``, ``is_in_library``, ``production_hours``.
    asset_uses : DataFrame, a use
        ``asset_id``, ``used_on``.
    as_of : last day of the quarter reported; what is younger than 60 days is left out
    marketing_hour_cost_amount : what an hour of marketing work costs [currency/h]

    Returns
    -------
    DataFrame
        ``place``, ``n_assets``, ``n_unused``, ``n_without_hours`` (unused, of unknown cost),
        ``hours`` [h] and ``cost_amount`` [currency] of the unused ones whose hours are known.
    """
    require_columns(
        assets, ["asset_id", "created_on", "is_in_library", "production_hours"], "assets"
    )
    require_columns(asset_uses, ["asset_id", "used_on"], "asset_uses")
    end = pd.Timestamp(as_of)
    created, used = pd.to_datetime(assets["created_on"]), pd.to_datetime(asset_uses["used_on"])
    old = assets[created <= end - pd.Timedelta(days=TOO_YOUNG_DAYS)]
    recent = asset_uses.loc[
        (used <= end) & (used > end - pd.Timedelta(days=UNUSED_DAYS)), "asset_id"
    ]
    in_library = old["is_in_library"].map({True: "in the shared library", False: "elsewhere"})
    place = in_library.astype(object).where(old["is_in_library"].notna(), "place unknown")
    is_unused = ~old["asset_id"].isin(recent)
    hours = old["production_hours"].astype(float).where(is_unused)
    table = pd.DataFrame(
        {
            "place": place,
            "n_assets": 1,
            "n_unused": is_unused.astype(int),
            "n_without_hours": (is_unused & old["production_hours"].isna()).astype(int),
            "hours": hours,
        }
    )
    sums = table.groupby("place", as_index=False).sum(numeric_only=True)
    return sums.assign(cost_amount=sums["hours"] * marketing_hour_cost_amount)


def duplicate_reports(n_reports: int, hours_per_report: float, hour_cost_amount: float) -> float:
    """Return what reports that repeat another cost in a quarter [currency].

    Counted by hand, no table holds them.

    Examples
    --------
    >>> duplicate_reports(12, 3.0, 60.0)
    2160.0
    """
    if n_reports < 0 or hours_per_report < 0:
        raise ValueError(
            f"n_reports and hours_per_report must not be below 0, got {n_reports}, "
            f"{hours_per_report}"
        )
    return n_reports * hours_per_report * hour_cost_amount


def avoidable_costs(unused: pd.DataFrame, *, duplicates_amount: float = 0.0) -> pd.DataFrame:
    """Return what could be avoided.

    One row an item; what is not known is missing.

    Columns: ``item``, ``n_found`` pieces, ``of`` looked at, ``hours`` [h], ``cost_amount``
    [currency]. `unused` is what `unused_content` returns; `duplicates_amount` is left out at 0:
    nobody has counted duplicates.
    """
    nan = float("nan")
    rows = [
        (f"Material not used in two quarters, {place}", unused_n, n, hours, amount)
        for place, unused_n, n, hours, amount in unused[
            ["place", "n_unused", "n_assets", "hours", "cost_amount"]
        ].itertuples(index=False, name=None)
    ] or [("Material not used in two quarters", nan, nan, nan, nan)]
    rows.append(("Reports that repeat another, a quarter", nan, nan, nan, duplicates_amount or nan))
    return pd.DataFrame(rows, columns=["item", "n_found", "of", "hours", "cost_amount"])
