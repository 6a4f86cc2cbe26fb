"""Outcomes of deals that are impossible, one-sided, or contradicted by what else a deal says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plausibility.checks import Reading, share
from analysis.plausibility.questions import AMOUNTS, DEALS, Bearing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.plausibility.dataset import Dataset

LOWEST_RATE, HIGHEST_RATE = 0.02, 0.98  # of deals won among those closed: beyond it a flag or a filter is at work
FEWEST_REPS = 5  # below, one owner may well have most
MANY_TIMES = 3  # an average rep's deals, that one owner may have
FEWEST_OF_MONTH = 10
SIGMAS = 5.0  # by which a month's win rate differs from its own kind of month

DAYS_AFTER = 14
FEWEST_STAMPS = 20  # in the 30 days before the last: fewer do not date an export

# Deals beside the last day on which a CRM noted anything by itself: that something was created, or moved.
_STAMPED = """(
  with stamps as (
    select created_at::date as day from opportunities union all select created_at::date from leads
    union all select entered_at::date from stage_history),
  latest as (
    select max(day) as last_stamp from stamps)
  select o.*, last_stamp, (select count(*) from stamps where day > last_stamp - 30) as n_recent
  from opportunities o, latest)"""

_WON_NAME = r"\bwon\b|closedwon|\bgewonnen\b|\bgagné|\bganad[oa]\b|\bvint[oa]\b"
_LOST_NAME = r"\blost\b|closedlost|\bverloren\b|\bperdu|\bperdid[oa]\b|\bpers[oa]\b"


def one_sided(data: Dataset) -> Iterator[Reading]:
    """Yield whether nearly all, nearly none, or none of the deals closed are won."""
    if not data.has("opportunities"):
        return
    won, lost, still_open = data.row(
        """
        select count(*) filter (status = 'won'), count(*) filter (status = 'lost'), count(*) filter (status = 'open')
        from opportunities"""
    )
    rate = share(won, won + lost)
    is_odd = won + lost == 0 or not LOWEST_RATE <= rate <= HIGHEST_RATE
    said = f"a win rate of {rate:.0%} is what a missing flag or a filter makes" if won + lost else "no deal is closed"
    yield Reading(
        "one_sided_outcomes",
        DEALS,
        float(is_odd),
        won + lost + still_open,
        f"{won:,} deals are won, {lost:,} lost and {still_open:,} open: {said}.",
        "opportunities",
    )


def win_rate_of_a_month(data: Dataset) -> Iterator[Reading]:
    """Yield the month whose win rate differs most from all months and from those at the same place of a quarter."""
    if not data.has("opportunities"):
        return
    months = data.frame(
        """
        select date_trunc('month', close_date)::date as month, count(*) filter (status = 'won') as won, count(*) as n
        from opportunities where status <> 'open' and close_date is not null
        group by 1 having count(*) >= $fewest order by 1""",
        {"fewest": FEWEST_OF_MONTH},
    )
    if len(months) < 4 or not months["won"].sum():
        return
    rate = months["won"] / months["n"]
    whole = months["won"].sum() / months["n"].sum()
    place = pd.to_datetime(months["month"]).dt.month % 3  # deals close differently at the end of a quarter
    alike = rate.groupby(place).transform("median")
    usual = alike.where((alike - rate).abs() < abs(whole - rate), whole)
    distance = (rate - usual).abs() / np.sqrt(usual * (1 - usual) / months["n"] + 1e-9)
    at = int(distance.to_numpy().argmax())
    worst = months.iloc[at]
    value = float(abs(rate.iloc[at] - usual.iloc[at])) if distance.iloc[at] > SIGMAS else 0.0
    yield Reading(
        "win_rate_of_a_month",
        Bearing(("win_rate",), ("growth",)),
        value,
        int(worst["n"]),
        f"{int(worst['won']):,} of {int(worst['n']):,} deals closed in {worst['month']:%Y-%m} are won, {whole:.0%} of all.",
        "opportunities",
    )


def contradictions(data: Dataset) -> Iterator[Reading]:
    """Yield deals without an amount or a day, and those whose outcome something else they say denies."""
    if not data.has("opportunities"):
        return
    named = {"table": "opportunities", "key": "opportunity_id"}
    yield data.odd_share(
        "won_without_amount",
        AMOUNTS,
        **named,
        odd="raw_amount is null or raw_amount = 0",
        among="status = 'won'",
        sentence="Cannot tell bookings: {} won deals have no amount.",
    )
    yield data.odd_share(
        "closed_without_date",
        DEALS,
        **named,
        odd="close_date is null",
        among="status <> 'open'",
        sentence="{} closed deals have no close date, so they count in no quarter.",
    )
    if data.filled("opportunities", "probability"):
        yield data.odd_share(
            "status_against_probability",
            DEALS,
            **named,
            among="probability is not null",
            odd="(status = 'won' and probability < 0.99) or (status = 'lost' and probability > 0.01) "
            "or (status = 'open' and (probability > 0.999 or probability < 0.001))",
            sentence="{} deals are won, lost or open against their probability.",
        )
    if data.filled("opportunities", "stage"):
        yield data.odd_share(
            "status_against_stage_name",
            DEALS,
            **named,
            among="stage is not null",
            odd=f"(regexp_matches(stage, '{_WON_NAME}', 'i') and not regexp_matches(stage, '\\bnot\\b|{_LOST_NAME}', 'i') "
            f"and status <> 'won') or (regexp_matches(stage, '{_LOST_NAME}', 'i') and status <> 'lost')",
            sentence="{} deals stand in a stage named won or lost and count as something else.",
        )
        yield _stage_with_two_outcomes(data)
    yield data.odd_share(
        "closed_before_created",
        Bearing(("win_rate", "worth", "growth", "pay")),
        **named,
        odd="close_date < created_at::date - 1",
        among="status <> 'open' and created_at is not null and close_date is not null",
        sentence="{} closed deals closed before they were created.",
    )


def _stage_with_two_outcomes(data: Dataset) -> Reading:
    n_odd, n = data.row(
        """
        select coalesce(sum(n - n_most), 0), coalesce(sum(n), 0) from (
          select sum(n) as n, max(n) as n_most from (
            select stage, pipeline, status, count(*) as n from opportunities where stage is not null group by all)
          group by stage, pipeline)"""
    )
    return Reading(
        "stage_with_two_outcomes",
        DEALS,
        share(n_odd, n),
        int(n),
        f"{int(n_odd):,} of {int(n):,} deals share a stage with more deals of another outcome.",
        "opportunities",
        (),
        int(n_odd),
    )


def owners(data: Dataset) -> Iterator[Reading]:
    """Yield whether one owner has most of what was won, and how much belongs to no sales rep."""
    n_reps = data.row("select count(*) from reps where role = 'rep'")[0]
    if not data.has("opportunities") or n_reps < FEWEST_REPS:
        return
    per_owner = data.frame(
        "select owner_rep_id, count(*) as n from opportunities where status = 'won' group by 1 order by 2 desc, 1"
    )
    if per_owner.empty:
        return
    most, whole = int(per_owner["n"].iloc[0]), int(per_owner["n"].sum())
    usual = (whole - most) / (n_reps - 1)
    yield Reading(
        "one_owner_has_most",
        DEALS,
        max(share(most - MANY_TIMES * usual, whole), 0.0),
        whole,
        f"One owner ({per_owner['owner_rep_id'].iloc[0]}) has {most:,} of {whole:,} won deals; there are {n_reps:,} reps.",
        "opportunities",
        (str(per_owner["owner_rep_id"].iloc[0]),),
    )
    yield data.odd_share(
        "won_by_no_rep",
        Bearing(("growth", "pay"), ("bookings", "cost", "worth")),
        "opportunities",
        key="opportunity_id",
        odd="role is distinct from 'rep'",
        among="status = 'won'",
        source="(select o.opportunity_id, o.status, r.role from opportunities o "
        "left join reps r on r.rep_id = coalesce(o.owner_at_close_rep_id, o.owner_rep_id))",
        sentence="{} won deals belong to nobody or to no sales rep.",
    )


def dates_of_closes(data: Dataset) -> Iterator[Reading]:
    """Yield closes heaped on one day, and closes after the export's own last stamp."""
    if not data.has("opportunities"):
        return
    heap = data.rows(
        """
        select close_date, count(*) as n, sum(count(*)) over () as n_closed from opportunities
        where status <> 'open' and close_date is not null group by close_date order by n desc, close_date limit 1"""
    )
    for r in heap:
        yield Reading(
            "closed_on_one_day",
            DEALS,
            share(r.n, r.n_closed),
            int(r.n_closed),
            f"{r.n:,} of {int(r.n_closed):,} closed deals carry one close date, {r.close_date:%Y-%m-%d}.",
            "opportunities",
            (),
            int(r.n),
        )
    yield data.odd_share(
        "closed_after_the_export",
        DEALS,
        "opportunities",
        key="opportunity_id",
        odd=f"close_date > last_stamp + {DAYS_AFTER}",
        among=f"status <> 'open' and close_date is not null and n_recent >= {FEWEST_STAMPS}",
        source=_STAMPED,
        sentence="{} closed deals closed more than two weeks after anything else in the exports happened: "
        "day and month may be turned round.",
    )
