"""Outcomes of deals that are impossible, one-sided, or contradicted by other columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.cleaning.plausibility.checks import CheckReading, count_words, share_of
from analysis.cleaning.plausibility.questions import AMOUNTS, DEALS, Bearing
from analysis.sources.composed_sql import query_text
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

SQL = read_statements(__name__)
# These keep whether a deal is won, lost or open beside its stage: one is lost, or open, in any.
STATUS_BESIDE_STAGE = ("Pipedrive", "Dynamics")
LOWEST_RATE, HIGHEST_RATE = (
    0.02,
    0.98,
)  # of deals won among those closed: beyond it a flag or a filter is at work
FEWEST_REPS = 5  # below, one owner may well have most
MANY_TIMES = 3  # an average rep's deals, that one owner may have
FEWEST_OF_MONTH = 10
SIGMAS = 5.0  # by which a month's win rate differs from its own kind of month

LOWEST_OF_ALL = 0.05  # of all closed deals won: beyond it everything is one-sided
LEAST_CHANCE = 1e-3
_PARTS = {"quarter": "year(close_date) || 'Q' || quarter(close_date)", "pipeline": "pipeline"}

STAMPED = "stamped_deals"
DAYS_AFTER = 14
# Closes on one day that are no chance: of fewer closed deals than the first, this many and this share.
MANY_CLOSES, FEWEST_ON_A_DAY, HEAP_OF_FEW = 200, 8, 0.10
FEWEST_STAMPS = 20  # in the 30 days before the last: fewer do not date an export
FEWEST_DAYS = 3  # that they are of: a CRM that moved created everything on one day
LONG_AFTER = 31
MOST_BEFORE = (
    0.5  # of closed deals that close before they were created: their dates are read wrongly
)

_WON_NAME = r"\bwon\b|closedwon|\bgewonnen\b|\bgagné|\bganad[oa]\b|\bvint[oa]\b"
_LOST_NAME = r"\blost\b|closedlost|\bverloren\b|\bperdu|\bperdid[oa]\b|\bpers[oa]\b"


def one_sided(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether nearly all, nearly none, or none of the deals closed are won."""
    if not data.has("opportunities"):
        return
    won, lost, still_open = data.row(
        """
        select count(*) filter (status = 'won'), count(*) filter (status = 'lost'), count(*) filter (status = 'open')
        from opportunities"""
    )
    rate = share_of(won, won + lost)
    is_odd = won + lost == 0 or not LOWEST_RATE <= rate <= HIGHEST_RATE
    explanation = (
        f"a win rate of {rate:.0%} is what a missing flag or a filter makes"
        if won + lost
        else "no deal is closed"
    )
    yield CheckReading(
        "one_sided_outcomes",
        DEALS,
        float(is_odd),
        won + lost + still_open,
        f"{won:,} deals are won, {lost:,} lost and {still_open:,} open: {explanation}.",
        "opportunities",
    )


def one_sided_parts(data: Dataset) -> Iterator[CheckReading]:
    """Yield the money of quarters, and of pipelines, in which every deal closed one way, beyond
    what chance does.
    """
    if not data.has("opportunities"):
        return
    for dimension, sql in _PARTS.items():
        groups = data.frame(
            query_text(
                [
                    f"{sql} as part",
                    "count(*) filter (status = 'won') as won",
                    "count(*) as n",
                    "sum(abs(deal_amount)) as money",
                ],
                "opportunities",
                where="status <> 'open' and close_date is not null",
            )
            + " group by part order by part"
        )
        closed = int(groups["n"].sum())
        rate = share_of(groups["won"].sum(), closed)
        if len(groups) < 2 or not LOWEST_OF_ALL <= rate <= 1 - LOWEST_OF_ALL:
            continue
        n, won = groups["n"], groups["won"]
        chance = np.where(won == n, rate**n, np.where(won == 0, (1 - rate) ** n, 1.0))
        odd = groups[(n >= FEWEST_OF_MONTH) & (chance < LEAST_CHANCE) & groups["part"].notna()]
        if odd.empty:
            continue
        worst = odd.iloc[int(odd["n"].to_numpy().argmax())]
        yield CheckReading(
            f"one_sided_{dimension}",
            DEALS if (odd["won"] == 0).any() else Bearing(("win_rate", "worth"), ("growth",)),
            share_of(odd["money"].sum(), groups["money"].sum()),
            closed,
            f"Every deal closed in {dimension} {worst['part']} went one way "
            f"({int(worst['won']):,} of {int(worst['n']):,} won), {rate:.0%} are won in all.",
            "opportunities",
            tuple(map(str, odd["part"][:3])),
            int(odd["n"].sum()),
        )


def win_rate_of_a_month(data: Dataset) -> Iterator[CheckReading]:
    """Yield the month whose win rate differs most from all months and from those at the same place
    of a quarter.
    """
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
    place = (
        pd.to_datetime(months["month"]).dt.month % 3
    )  # deals close differently at the end of a quarter
    alike = rate.groupby(place).transform("median")
    usual = alike.where((alike - rate).abs() < abs(whole - rate), whole)
    distance = (rate - usual).abs() / np.sqrt(usual * (1 - usual) / months["n"] + 1e-9)
    at = int(distance.to_numpy().argmax())
    worst = months.iloc[at]
    value = float(abs(rate.iloc[at] - usual.iloc[at])) if distance.iloc[at] > SIGMAS else 0.0
    yield CheckReading(
        "win_rate_of_a_month",
        Bearing(("win_rate",), ("growth",)),
        value,
        int(worst["n"]),
        f"{int(worst['won']):,} of {int(worst['n']):,} deals closed in {worst['month']:%Y-%m} "
        f"are won, {whole:.0%} of all.",
        "opportunities",
    )


def contradicted_outcomes(data: Dataset) -> Iterator[CheckReading]:
    """Yield deals without an amount or a day, and those whose outcome another column denies."""
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
            odd=f"(regexp_matches(stage, '{_WON_NAME}', 'i') "
            f"and not regexp_matches(stage, '\\bnot\\b|{_LOST_NAME}', 'i') and status <> 'won') "
            f"or (regexp_matches(stage, '{_LOST_NAME}', 'i') and status <> 'lost')",
            sentence="{} deals stand in a stage named won or lost and count as something else.",
        )
        yield _stage_with_two_outcomes(data)
    yield _closed_before_created(data)


def _closed_before_created(data: Dataset) -> CheckReading:
    """Return the deals closed before they were created.

    Where most are, and no import made them, no date holds.
    """
    odd = "close_date < created_at::date - 1"
    among = "status <> 'open' and created_at is not null and close_date is not null"
    reading = data.odd_share(
        "closed_before_created",
        Bearing(("win_rate", "worth", "growth", "pay")),
        "opportunities",
        key="opportunity_id",
        odd=odd,
        among=among,
        sentence="{} closed deals closed before they were created.",
    )
    by_day = query_text(["count(*) as n"], "opportunities", where=f"{among} and {odd}")
    fullest = by_day + " group by created_at::date order by n desc limit 3"
    (heaped,) = data.row(query_text(["coalesce(sum(n), 0)"], f"({fullest})"))
    if reading.value > MOST_BEFORE and share_of(heaped, reading.n_odd) <= MOST_BEFORE:
        return reading._replace(bearing=DEALS)
    return reading


def _stage_with_two_outcomes(data: Dataset) -> CheckReading:
    files = [
        f.file
        for f in data.account.files
        if "opportunities" in f.tables and any(crm in f.layout for crm in STATUS_BESIDE_STAGE)
    ]
    n_odd, n = data.row(
        """
        select coalesce(sum(n - n_most), 0), coalesce(sum(n), 0) from (
          select sum(n) as n, max(n) as n_most from (
            select stage, pipeline, status, count(*) as n from opportunities
            where stage is not null and not list_contains($files::varchar[], source_file) group by all)
          group by stage, pipeline)""",
        {"files": files},
    )
    return CheckReading(
        "stage_with_two_outcomes",
        DEALS,
        share_of(n_odd, n),
        int(n),
        f"{int(n_odd):,} of {int(n):,} deals share a stage with more deals of another outcome.",
        "opportunities",
        (),
        int(n_odd),
    )


def owners_of_deals(data: Dataset) -> Iterator[CheckReading]:
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
    yield CheckReading(
        "one_owner_has_most",
        DEALS,
        max(share_of(most - MANY_TIMES * usual, whole), 0.0),
        whole,
        f"One owner ({per_owner['owner_rep_id'].iloc[0]}) has {most:,} of {whole:,} won deals; "
        f"there are {n_reps:,} reps.",
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


def dates_of_closes(data: Dataset) -> Iterator[CheckReading]:
    """Yield closes heaped on one day, and closes after the export's own last stamp."""
    if not data.has("opportunities"):
        return
    data.connection.execute(SQL["stamped_deals"])
    heap = data.rows(
        """
        select close_date, count(*) as n, sum(count(*)) over () as n_closed from opportunities
        where status <> 'open' and close_date is not null group by close_date order by n desc, close_date limit 1"""
    )
    for r in heap:
        yield CheckReading(
            "closed_on_one_day",
            DEALS,
            _heaped_share(int(r.n), int(r.n_closed)),
            int(r.n_closed),
            (
                f"{r.n:,} of {int(r.n_closed):,} closed deals carry one close date, "
                f"{r.close_date:%Y-%m-%d}."
            ),
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
        among=f"status <> 'open' and close_date is not null "
        f"and n_recent >= {FEWEST_STAMPS} and n_days >= {FEWEST_DAYS}",
        source=STAMPED,
        sentence="{} closed deals closed more than two weeks after anything else in the exports happened: "
        "day and month may be turned round.",
    )
    yield _won_long_after(data)


def _heaped_share(n: int, n_closed: int) -> float:
    """Return the share closed on the fullest day; of few deals 0 unless many of them are.

    Examples
    --------
    >>> _heaped_share(17, 115), _heaped_share(5, 115), _heaped_share(7, 200)
    (0.14782608695652175, 0.0, 0.035)
    """
    share = share_of(n, n_closed)
    is_heap = n_closed >= MANY_CLOSES or (n >= FEWEST_ON_A_DAY and share >= HEAP_OF_FEW)
    return share if is_heap else 0.0


def _won_long_after(data: Dataset) -> CheckReading:
    """Return the money won on days long after the last of which anything else is noted."""
    odd = (
        f"close_date > greatest(coalesce(last_stamp, getvariable('as_of')), getvariable('as_of')) + {LONG_AFTER} "
        f"or (n_recent >= {FEWEST_STAMPS} and n_days >= {FEWEST_DAYS} and close_date > last_stamp "
        f"+ {LONG_AFTER})"
    )
    counts = [f"count(*) filter ({odd})", "count(*)"]
    sums = [f"sum(deal_amount) filter ({odd})", "sum(deal_amount)"]
    is_won = "status = 'won' and close_date is not null"
    n_odd, n, money, whole = data.row(query_text([*counts, *sums], STAMPED, where=is_won))
    sql = query_text(
        ["opportunity_id"],
        STAMPED,
        where=f"status = 'won' and ({odd})",
        order=("close_date desc", "opportunity_id"),
    )
    return CheckReading(
        "won_long_after_the_export",
        DEALS,
        max(share_of(money, whole), share_of(n_odd, n)),
        int(n),
        f"{int(n_odd):,} of {count_words(int(n), 'won deal')} closed more than a month after "
        "anything else in the exports happened.",
        "opportunities",
        data.examples(sql) if n_odd else (),
        int(n_odd),
    )


def open_by_due_date(data: Dataset) -> Iterator[CheckReading]:
    """Yield the share of deals that only their stage's dates say are open."""
    if data.has("opportunities"):
        yield data.odd_share(
            "open_by_due_date",
            Bearing((), ("win_rate", "worth")),
            "opportunities",
            odd="contains(coalesce(flagged_by, ''), 'open_by_due_date')",
            among="true",
            key="distinct stage",
            sentence=(
                "{} deals are taken as open because most of their stage are due later than anything "
                "in the export; no flag, probability or name says it."
            ),
        )


def same_deal_again(data: Dataset) -> Iterator[CheckReading]:
    """Yield closed deals that agree with another one in name, account, amount, close date and
    outcome.
    """
    if not data.has("opportunities"):
        return
    n_odd, money, n_odd_won = data.row(
        "select count(*), sum(money) filter (status = 'won'), count(*) filter (status = 'won') from same_deals"
    )
    n, whole = data.row(
        "select count(*), sum(deal_amount) filter (status = 'won') from opportunities where status <> 'open'"
    )
    yield CheckReading(
        "same_deal_again",
        DEALS,
        max(share_of(money, whole), share_of(n_odd, n)),
        int(n),
        f"{n_odd:,} of {n:,} closed deals agree with another one in name, account, amount, close "
        f"date and outcome, under another id: {n_odd_won:,} of them are won, with "
        f"{share_of(money, whole):.1%} of bookings.",
        "opportunities",
        data.examples("select opportunity_id from same_deals order by 1"),
        int(n_odd),
    )
