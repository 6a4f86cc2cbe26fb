"""What one more hour of selling is worth, which is not what the average hour brings.

Bookings grow as selling hours to the power of the elasticity.  So the next hour brings the average
hour's bookings times something below 1, and the hour after that less still.  It is assumed that an
added opportunity is worth as much as the others, that an added hour is spent as the others are, and
that its bookings come a sales cycle later.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.cost import cost
from analysis.chapters.selling_time import time_use
from analysis.project import money
from analysis.project.claims import CLAIMS
from analysis.project.errors import CrmDataError
from analysis.stats import intervals
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.selling_time.elasticity import HoursEffect
    from analysis.chapters.selling_time.parts_of_the_week import Qualified

NAME = "marginal_value_of_selling_hour"
QUARTERS_PER_YEAR = 4
ONE_HOUR = 1.0  # added per rep and week: what "one more hour" means here
ASSUMPTION = (
    "added opportunities are worth as much as the others; an added hour is spent as the others are"
)


class Basis(NamedTuple):
    """Reps, hours and bookings of the quarter that the worth of an hour is computed from.

    `bookings_per_hour` [currency/h] with its standard error and degrees of freedom (jackknife by
    rep), `hours_per_week` sold per rep employed [h], `selling_hours` [h/year] and `rep_weeks` a
    year at the quarter's pace, `commission_rate` of bookings [0-1].
    """

    bookings_per_hour: float
    standard_error: float
    df: int
    hours_per_week: float
    selling_hours: float
    rep_weeks: float
    commission_rate: float
    n_reps: int
    quarter: str
    currency: str


class Worth(NamedTuple):
    """An elasticity with its error, and whether it is this company's or a published one.

    An estimate's, or a published mean without one.
    """

    elasticity: float
    standard_error: float
    df: int
    whose: str


def selling_basis(
    stays: pd.DataFrame, *, minimum_logged_share: float, currency: str, smallest_cell: int = 1
) -> Basis:
    """Return reps, hours and bookings of the quarter, from ``rep_quarter`` of one quarter.

    Bookings an hour are missing where they are those of fewer reps than `smallest_cell`.

    Raises
    ------
    CrmDataError
        If `stays` holds more than one quarter, or no logged hour.
    """
    logged_stays = time_use.well_logged_stays(stays, minimum_logged_share)
    quarters = [str(q) for q in stays["quarter"].unique()]
    if len(quarters) != 1 or not logged_stays["selling_hours"].sum() > 0:
        raise CrmDataError(
            "rep_quarter: the worth of an hour needs logged hours of one quarter, but has "
            f"{len(quarters)} quarters and {logged_stays['selling_hours'].sum():,.0f} h. Choose "
            "the quarter reported, or one with logging."
        )
    cut = logged_stays[["bookings_amount", "weeks_employed"]].mul(
        logged_stays["logged_share"], axis="index"
    )
    reps = cut.assign(hours=logged_stays["selling_hours"]).groupby(logged_stays["rep_id"]).sum()
    rate, low, _ = cost.ratio_of_sums(reps["bookings_amount"], reps["hours"])
    df = len(reps) - 1
    complete = stays[["rep_id", "bookings_amount", "commission_amount"]].dropna()
    paid = complete[["bookings_amount", "commission_amount"]].sum()
    commission_rate = float(paid["commission_amount"] / max(paid["bookings_amount"], 1.0))
    are_few, are_few_paid = len(reps) < smallest_cell, complete["rep_id"].nunique() < smallest_cell
    weeks = float(stays["weeks_employed"].sum()) * QUARTERS_PER_YEAR
    per_week = float(reps["hours"].sum() / reps["weeks_employed"].sum())
    return Basis(
        bookings_per_hour=math.nan if are_few else rate,
        standard_error=(rate - low) / intervals.t_quantile(df),
        df=df,
        hours_per_week=per_week,
        selling_hours=per_week * weeks,
        rep_weeks=weeks,
        commission_rate=math.nan if are_few_paid else commission_rate,
        n_reps=len(reps),
        quarter=quarters[0],
        currency=currency,
    )


def elasticity_worth(effect: HoursEffect) -> Worth:
    """Return the elasticity to use: this company's where it is an effect, else the published mean.

    The effect where there is one, else the published mean.
    """
    if effect.elasticity.kind != "effect":
        return published_elasticity()
    return Worth(effect.elasticity.estimate, effect.standard_error, effect.df, "this company's")


def published_elasticity() -> Worth:
    """Return the published mean elasticity, which is not this company's."""
    claim = CLAIMS["selling_elasticity"]
    return Worth(claim.value, math.nan, 0, f"the published mean ({claim.year}), not this company's")


def bookings_growth(ratio: float, elasticity: float) -> float:
    """Return the growth of bookings when selling hours are multiplied by `ratio`.

    Examples
    --------
    >>> round(2_000_000 * bookings_growth(12 / 11, 0.34))  # the article's rep sells 12 hours instead of 11
    60052
    >>> round(2_000_000 * bookings_growth(12 / 11, 0.34) / 48)  # for each of the 48 hours added
    1251
    """  # noqa: E501
    if not ratio > 0:
        raise ValueError(f"ratio of hours must be above 0, got {ratio!r}")
    return float(ratio**elasticity - 1)


def marginal_value(base: Basis, effect: HoursEffect) -> Result:
    """Return the bookings one more weekly hour of selling brings, per hour added [currency/h].

    Estimand: bookings per added hour if every rep sold one hour a week more.  Missing where hours
    and opportunities are only known to go together.
    """
    unit = f"{base.currency} per selling hour"
    source = f"rep_week, rep_quarter {base.quarter}"
    of = effect.elasticity
    if of.kind != "effect":
        nan = math.nan
        method = (
            "cannot tell: hours and opportunities are only known to go together; needs "
            f"{effect.needs}"
        )
        return Result(
            NAME, nan, nan, nan, unit, of.n, "reps", method, source, "association", "cannot tell"
        )
    value, low, high = _valued(
        base,
        elasticity_worth(effect),
        (base.hours_per_week + ONE_HOUR) / base.hours_per_week,
        ONE_HOUR,
    )
    method = (
        f"bookings of {base.quarter} per logged selling hour, times the growth by one hour a week "
        f"more at elasticity {of.estimate:.2f} ({of.low:.2f} to {of.high:.2f}); {ASSUMPTION}; both "
        f"errors joined by the delta method, taken as unrelated; elasticity: {of.method}"
    )
    return Result(NAME, value, low, high, unit, of.n, "reps", method, source, of.kind, of.verdict)


def compare_average_and_next_hour(
    base: Basis,
    effect: HoursEffect,
    *,
    required: Result,
    cost_per_hour: Result,
    gross_margin_rate: float,
) -> pd.DataFrame:
    """Return the average hour, the next hour and what an hour costs: one row a figure.

    Columns: ``figure``, ``kind``, ``estimate``, ``low``, ``high`` [currency/h], ``n_reps``.
    """
    next_hour = marginal_value(base, effect)
    margin_after_commission = gross_margin_rate - base.commission_rate
    reach = intervals.t_quantile(base.df) * base.standard_error
    average = (
        base.bookings_per_hour,
        base.bookings_per_hour - reach,
        base.bookings_per_hour + reach,
    )
    rows = [
        ("Bookings quotas assume for the average hour", "measure", *_ends(required), required.n),
        ("Bookings the average hour brought", "measure", *average, base.n_reps),
        ("Bookings one more hour brings", next_hour.kind, *_ends(next_hour), next_hour.n),
        (
            "… gross margin of that after commission",
            next_hour.kind,
            *(margin_after_commission * x for x in _ends(next_hour)),
            next_hour.n,
        ),
        ("Cost of an hour of selling", "measure", *_ends(cost_per_hour), cost_per_hour.n),
    ]
    return pd.DataFrame(rows, columns=["figure", "kind", "estimate", "low", "high", "n_reps"])


def more_hours(
    base: Basis, worth: Worth, *, gross_margin_rate: float, added: Sequence[float] = (1.0, 2.0)
) -> pd.DataFrame:
    """Return what giving every rep `added` hours of selling a week brings.

    One row a number of hours.

    Columns: ``added`` [h per rep and week], ``hours`` added in all [h/year], ``bookings`` with
    ``low`` and ``high`` [currency/year], ``margin`` after commission [currency/year], ``per_hour``
    bookings per hour added [currency/h].
    """
    rows = []
    for hours in added:
        ends = _valued(base, worth, (base.hours_per_week + hours) / base.hours_per_week, hours)
        total = hours * base.rep_weeks
        rows.append((hours, total, *(total * end for end in ends), ends[0]))
    table = pd.DataFrame(rows, columns=["added", "hours", "bookings", "low", "high", "per_hour"])
    return table.assign(margin=table["bookings"] * (gross_margin_rate - base.commission_rate))


def qualified_hours(
    base: Basis,
    worth: Worth,
    *,
    gross_margin_rate: float,
    target_share: float,
    assumed_shares: Sequence[float] = (0.6, 0.8),
    measured: Qualified | None = None,
) -> pd.DataFrame:
    """Return what spending `target_share` of the same hours on qualified opportunities brings.

    One row an assumption.

    `assumed_shares` are of hours on qualified opportunities today, where no record says so: of all
    of them, or of those that `measured` does not speak of.  Hours on unqualified ones are taken to
    bring nothing.  Where today's share is at the target already, nothing is moved.  Columns:
    ``assumed`` and ``today`` [0-1], ``hours`` moved [h/year], ``bookings`` with ``low`` and
    ``high``, ``margin`` after commission [currency/year].
    """
    rows: list[tuple[float, ...]] = []
    for assumed in assumed_shares:
        if not 0 < assumed <= target_share <= 1:
            raise ValueError(
                f"assumed_shares must lie above 0 and up to {target_share:g}, got {assumed!r}"
            )
        today = assumed
        if measured is not None and not math.isnan(measured.share):
            today = min(measured.linked * measured.share + (1 - measured.linked) * assumed, 1.0)
        if today >= target_share:
            rows.append((assumed, today, 0.0, 0.0, 0.0, 0.0))
            continue
        ratio = target_share / today
        ends = _valued(base, worth, ratio, (ratio - 1) * base.hours_per_week)
        moved = (target_share - today) * base.selling_hours
        total = (ratio - 1) * base.selling_hours
        rows.append((assumed, today, moved, *(total * end for end in ends)))
    table = pd.DataFrame(rows, columns=["assumed", "today", "hours", "bookings", "low", "high"])
    return table.assign(margin=table["bookings"] * (gross_margin_rate - base.commission_rate))


def hour_scenarios(
    base: Basis,
    worth: Worth,
    *,
    gross_margin_rate: float,
    target_share: float,
    measured: Qualified | None = None,
) -> pd.DataFrame:
    """Return `more_hours` and `qualified_hours` together: one row a scenario.

    Columns: ``scenario``, ``hours`` added or moved [h/year], ``bookings`` with ``low`` and
    ``high``, ``margin`` after commission [currency/year].
    """
    more = more_hours(base, worth, gross_margin_rate=gross_margin_rate)
    better = qualified_hours(
        base,
        worth,
        gross_margin_rate=gross_margin_rate,
        target_share=target_share,
        measured=measured,
    )
    more["scenario"] = [f"{hours:g} h more a week" for hours in more["added"]]
    better["scenario"] = [
        f"{today:.0%} to {target_share:.0%} of hours qualified"
        if hours
        else f"{today:.0%} of hours qualified already"
        for today, hours in zip(better["today"], better["hours"], strict=True)
    ]
    columns = ["scenario", "hours", "bookings", "low", "high", "margin"]
    return pd.concat([more[columns], better[columns]], ignore_index=True)


def what_if(
    base: Basis, worth: Worth, gross_margin_rate: float, added: float, elasticity: float
) -> pd.DataFrame:
    """Return `more_hours` of one number of hours at an elasticity of one's choice, for an analyst's
    sliders.
    """
    return more_hours(
        base,
        worth._replace(elasticity=elasticity),
        gross_margin_rate=gross_margin_rate,
        added=(added,),
    )


def hour_sentence(
    base: Basis,
    effect: HoursEffect,
    *,
    required: Result,
    cost_per_hour: Result,
    gross_margin_rate: float,
) -> str:
    """Return in two sentences what one more hour is worth, or that it cannot be told and what it
    takes.
    """

    def amount(value: float) -> str:
        return money.amount_text(value, base.currency)

    assumed = amount(required.estimate)
    is_not = f", only that it is not the {assumed} that quotas assume for the average hour"
    value = marginal_value(base, effect)
    if effect.elasticity.kind != "effect":
        return (
            f"We cannot tell what one more hour of selling is worth"
            f"{is_not if required.is_known else ''}: hours and opportunities are only known to go "
            f"together. It takes {effect.needs}."
        )
    if not value.is_known:
        return (
            "We cannot tell what one more hour of selling is worth: too few reps logged hours in "
            "the quarter."
        )
    margin, cost_amount = (
        value.estimate * (gross_margin_rate - base.commission_rate),
        cost_per_hour.estimate,
    )
    low, high = amount(value.low), amount(value.high)
    says = (
        f"One extra hour of selling brings {amount(value.estimate)} of bookings ({low} to {high})"
    )
    if not math.isnan(margin):
        says += f" and leaves {amount(margin)} of margin after commission"
        if cost_per_hour.is_known:
            beside = "more" if margin > cost_amount else "less"
            says += f", {beside} than the {amount(cost_amount)} an hour costs"
    says += "." if value.verdict == "found" else "; the interval is too wide to act on."
    if not required.is_known:
        return says
    is_short = value.estimate < required.estimate
    return (
        f"{says} Quotas assume {amount(required.estimate)} for the average hour"
        f"{', so more hours alone will not close the gap' if is_short else ''}."
    )


def _ends(result: Result) -> tuple[float, float, float]:
    return result.estimate, result.low, result.high


def _valued(base: Basis, worth: Worth, ratio: float, added: float) -> tuple[float, float, float]:
    """Return bookings per added hour with interval; delta method over elasticity and average."""
    per_hour = base.hours_per_week / added if added else 0.0
    factor = bookings_growth(ratio, worth.elasticity) * per_hour
    value = base.bookings_per_hour * factor
    by_elasticity = base.bookings_per_hour * per_hour * ratio**worth.elasticity * math.log(ratio)
    parts = (by_elasticity * worth.standard_error, factor * base.standard_error)
    if any(math.isnan(part) for part in parts) or worth.df < 1:
        return value, math.nan, math.nan
    reach = intervals.t_quantile(min(worth.df, base.df)) * math.hypot(*parts)
    return value, value - reach, value + reach
