"""Quotas beside what else is known of the same reps.

What they booked, what they are paid, and each other's quotas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import AMOUNTS, TARGETS, Bearing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

FEWEST_QUOTAS = 8
# Between these lie companies; a unit, a month taken for a year or a wrong rate leads out of them.
ATTAINED = (0.25, 2.0)  # bookings by what the same quarters' quotas ask for
QUOTA_BY_PAY = (1.0, 30.0)  # a year's quota by a year's base pay
SAME_SUM = 0.005  # of a quota: it is the sum of others if it lies as near
_OF_BOTH = Bearing((), (*AMOUNTS.questions, *TARGETS.questions))
_OF_PAY = Bearing((), ("cost", "worth", "pay"))


def _odd(value: float, within: tuple[float, float]) -> float:
    return float(not within[0] <= value <= within[1])


def bookings_against_quotas(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether bookings are no share of the quotas that any company reaches.

    One of both is in another unit.
    """
    if not data.has("quotas", "opportunities"):
        return
    n, bookings, quotas = data.row(
        """
        select count(*), sum(booked), sum(asked) from (
          select quarter, sum(bookings_amount) as booked, sum(quota_amount) as asked from rep_quarter
          where not is_partial and quota_amount > 0 group by quarter)"""
    )
    if n and quotas and bookings is not None:
        yield CheckReading(
            "bookings_against_quotas",
            _OF_BOTH,
            _odd(bookings / quotas, ATTAINED),
            int(n),
            (
                f"Reps booked {bookings / quotas:.1%} of what their quotas ask for, over {n:,} "
                "whole quarters."
            ),
        )


def pay_against_quotas(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether a year's quota is no multiple of a year's pay that any company asks for."""
    if not data.has("quotas", "compensation") or not data.filled("compensation", "base_amount"):
        return
    n, multiple = data.row(
        """
        select count(*), median(asked / paid) from (
          select rep_id, 4 * avg(quota_amount) as asked, avg(p.base_amount) as paid
          from rep_quarter q
          join (select rep_id, median(base_amount) as base_amount from compensation group by rep_id) p using (rep_id)
          where not is_partial and role = 'rep' and quota_amount > 0 and p.base_amount > 0 group by rep_id)"""
    )
    if n:
        yield CheckReading(
            "pay_against_quotas",
            _OF_PAY,
            _odd(multiple, QUOTA_BY_PAY),
            int(n),
            (
                f"The median rep's quota of a year is {multiple:,.1f} times the base pay of a "
                f"year, over {n:,} reps."
            ),
        )


def sums_among_quotas(data: Dataset) -> Iterator[CheckReading]:
    """Yield teams, and whole quarters, of which one rep's quota is the sum of all others'.

    A manager's roll-up.
    """
    if not data.has("quotas", "rep_team_history"):
        return
    n, n_odd, named = data.row(
        f"""
        with held as (
          select quarter, coalesce(team_id, '') as team_id, rep_id, quota_amount as quota from rep_quarter
          where not is_partial and quota_amount > 0),
        beside as (
          select *, sum(quota) over team as of_team, count(*) over team as n_team,
            sum(quota) over company as of_company, count(*) over company as n_company
          from held window team as (partition by quarter, team_id), company as (partition by quarter)),
        marked as (
          select *, n_team > 2 and abs(of_team - 2 * quota) <= {SAME_SUM} * quota
            or n_company > 2 and abs(of_company - 2 * quota) <= {SAME_SUM} * quota as is_sum
          from beside)
        select count(distinct (quarter, team_id)), count(distinct (quarter, team_id)) filter (is_sum),
          list(distinct rep_id order by rep_id) filter (is_sum) from marked"""
    )
    if n:
        yield CheckReading(
            "sums_among_quotas",
            TARGETS,
            share_of(n_odd, n),
            int(n),
            (
                f"In {n_odd:,} of {n:,} quarters of teams one quota is the sum of all others: a "
                "manager's, counted twice."
            ),
            "quotas",
            tuple((named or [])[:3]),
            int(n_odd),
        )
