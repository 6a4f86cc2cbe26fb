"""Quotas compared with pay, bookings and other quotas of the same reps.

What they booked, what they are paid, and each other's quotas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import AMOUNTS, TARGETS, Bearing
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

FEWEST_QUOTAS = 8
# Between these lie companies; a unit, a month taken for a year or a wrong rate leads out of them.
ATTAINED = (0.25, 2.0)  # bookings by what the same quarters' quotas ask for
ATTAINED_BY_ALL = 1.4  # from which on it is odd where nearly every rep is above: a quarter's quota on a year's row
NEARLY_EVERY = 0.9
FEWEST_REPS = 4
OTHER_LENGTH = 2.5  # a period is so many times as long as most are, or as short
LIKE_AMOUNT = 1.8  # and its amount is within this factor of theirs
QUOTA_OF_SCALE = 50  # times the median of all, for a day
SAME_SUM = 0.005  # of a quota: it is the sum of others if it lies as near
_OF_BOTH = Bearing((), (*AMOUNTS.questions, *TARGETS.questions))


def _odd(value: float, within: tuple[float, float]) -> float:
    return float(not within[0] <= value <= within[1])


def bookings_against_quotas(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether bookings are an implausible share of quotas.

    One of both is in another unit.
    """
    if not data.has("quotas", "opportunities"):
        return
    n, bookings, quotas, n_reps, n_above = data.row(
        """
        with whole as (from rep_quarter where not is_partial and quota_amount > 0),
        reps_of_all as (
          select sum(bookings_amount) > sum(quota_amount) as is_above from whole group by rep_id)
        select (select count(distinct quarter) from whole), (select sum(bookings_amount) from whole),
          (select sum(quota_amount) from whole), (select count(*) from reps_of_all),
          (select count(*) from reps_of_all where is_above)"""
    )
    if n and quotas and bookings is not None:
        is_above_all = (
            n_reps >= FEWEST_REPS
            and n_above >= NEARLY_EVERY * n_reps
            and bookings > ATTAINED_BY_ALL * quotas
        )
        yield CheckReading(
            "bookings_against_quotas",
            _OF_BOTH,
            max(_odd(bookings / quotas, ATTAINED), float(is_above_all)),
            int(n),
            (
                f"Reps booked {bookings / quotas:.1%} of their quotas, over {n:,} "
                f"whole quarters; {n_above:,} of {n_reps:,} reps are above their own."
            ),
        )


def quotas_of_other_periods(data: Dataset) -> Iterator[CheckReading]:
    """Yield quotas of a much longer or shorter period than most, of the same amount as those.

    A quarter's quota written on a year's row, or a year's on a quarter's.
    """
    if data.has("quotas"):
        yield data.odd_share(
            "quotas_of_other_periods",
            TARGETS,
            "quotas",
            key="rep_id",
            odd=f"(days > {OTHER_LENGTH} * usual_days or usual_days > {OTHER_LENGTH} * days) "
            f"and quota_amount between usual_amount / {LIKE_AMOUNT} and usual_amount * {LIKE_AMOUNT}",
            among="true",
            source="""(
              with lengths as (
                select *, period_end - period_start as days from quotas where quota_amount > 0),
              usual as (select quantile_disc(days, 0.5) as usual_days from lengths)
              select lengths.*, usual_days,
                (select median(quota_amount) from lengths where days between 0.8 * usual_days and 1.25 * usual_days)
                  as usual_amount
              from lengths, usual)""",
            sentence=(
                "{} quotas are of a much longer or shorter period than most, and of the same amount."
            ),
        )


def quotas_out_of_scale(data: Dataset) -> Iterator[CheckReading]:
    """Yield quotas a hundred times the median for their days, or a hundredth: thousands for units."""
    if data.has("quotas"):
        yield data.odd_share(
            "quotas_out_of_scale",
            TARGETS,
            "quotas",
            key="rep_id",
            odd=f"daily not between usual / {QUOTA_OF_SCALE} and usual * {QUOTA_OF_SCALE}",
            among="true",
            source="""(
              select *, median(daily) over () as usual from (
                select *, quota_amount / (period_end - period_start) as daily from quotas
                where quota_amount > 0 and period_end > period_start))""",
            sentence="{} quotas are far above or below the median for as many days: some may be in thousands.",
        )


def sums_among_quotas(data: Dataset) -> Iterator[CheckReading]:
    """Yield teams, and whole quarters, of which one rep's quota is the sum of all others'.

    A manager's roll-up.
    """
    if not data.has("quotas", "rep_team_history"):
        return
    n, n_odd, named = data.row(
        read_statements(__name__)["sums_among_quotas"], {"same_sum": SAME_SUM}
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
