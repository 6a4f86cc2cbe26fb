"""What the estimators of selling time make of companies whose truth is known.

Each function takes a simulated company's panels and returns one row of figures to be set beside
what was planted; `benchmarks/selling_time.py` runs a thousand companies, the tests five.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.selling_time import (
    capture,
    control_function,
    elasticity,
    quarterly_bookings,
    worth_of_an_hour,
)
from analysis.chapters.selling_time import rep_weeks as selling_time_rep_weeks
from analysis.stats import poisson
from analysis.stats.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.simulate.world.company_panels import Panels

HOURS_PER_DAY = 8.0
COMMISSION_RATE = 0.04
SECOND_ERROR_LOG_SD = 0.12  # of a second measure of the same hours, drawn here
CYCLE_DAYS = 102.0  # three quarters of the won deals close by then: median 75, log sd 0.45
BLOCK_WEEKS, FOLLOWING_WEEKS = 26, 8

Row = dict[str, float | str | bool]


def rep_weeks(panels: Panels) -> pd.DataFrame:
    """Return a simulated company's rep-weeks as ``rep_week`` of `panel_tables` has them.

    ``true_hours`` before proposal [h] and ``expected`` opportunities, which no record holds, stand
    beside.
    """
    week = panels.rep_week
    frame = pd.DataFrame(
        {
            "rep_id": week["rep"],
            "team_id": week["team"],
            "week_start": week["week_start"],
            "quarter": week["quarter"],
            "available_hours": week["worked_days"] * HOURS_PER_DAY,
            "selling_hours": week["logged_hours"],
            selling_time_rep_weeks.LATE: week["logged_late_hours"],
            "coverage": np.where(
                week["logged_hours"].notna(), selling_time_rep_weeks.LOGGED, "no_logging"
            ),
            "n_created": week["opportunities_created"],
            "true_hours": week["selling_hours"] - week["late_hours"],
            "expected": week["expected_opportunities"],
        }
    )
    worked = np.maximum(
        week["worked_days"], 1
    )  # the panel counts weekdays, the simulation days worked
    for name in selling_time_rep_weeks.SHIFTERS:
        frame[name] = selling_time_rep_weeks.WEEKDAYS * week[name] / worked
    return frame


def rep_quarters(panels: Panels) -> pd.DataFrame:
    """Return a simulated company's rep-quarters.

    Hours logged, bookings, and pay at a flat commission.
    """
    rows = rep_weeks(panels)
    complete = rows[rows["selling_hours"].notna() & (rows["available_hours"] > 0)]
    sums = (
        complete.groupby(["rep_id", "quarter"])
        .agg(
            selling_hours=("selling_hours", "sum"),
            late_selling_hours=(selling_time_rep_weeks.LATE, "sum"),
            available_hours=("available_hours", "sum"),
            weeks_employed=("week_start", "size"),
        )
        .reset_index()
    )
    sales = panels.rep_quarter.rename(
        columns={"rep": "rep_id", "bookings": "bookings_amount", "won": "n_won"}
    )
    out = sums.merge(
        sales[["rep_id", "quarter", "bookings_amount", "n_won"]], on=["rep_id", "quarter"]
    )
    return out.assign(
        logged_share=1.0,
        paid_hours=out["weeks_employed"] * HOURS_PER_DAY * selling_time_rep_weeks.WEEKDAYS,
        commission_amount=out["bookings_amount"] * COMMISSION_RATE,
    )


def estimate_planted(panels: Panels) -> Row:
    """Return the effect, the pooled and the plain slope, verdicts, and the worth of an hour."""
    table = rep_weeks(panels)
    selected = selling_time_rep_weeks.select_weeks(table)
    hours_effect = elasticity.estimate_elasticity(selected)
    pooled = control_function.hours_association(selected.rows, absorb=["week_start"])
    alone = elasticity.estimate_elasticity(
        selling_time_rep_weeks.select_weeks(
            table.drop(columns=list(selling_time_rep_weeks.SHIFTERS))
        )
    )
    stays = rep_quarters(panels)
    base = worth_of_an_hour.selling_basis(
        stays[stays["quarter"] == stays["quarter"].max()], minimum_logged_share=0.5, currency="USD"
    )
    worth = worth_of_an_hour.marginal_value(base, hours_effect)
    return {
        **effect_row(hours_effect),
        "pooled": float(pooled.estimate[0]),
        "plain": hours_effect.plain.estimate,
        "verdict_without_shifter": str(alone.elasticity.verdict),
        "per_hour": base.bookings_per_hour,
        "per_week": base.hours_per_week,
        "value": worth.estimate,
        "value_low": worth.low,
        "value_high": worth.high,
    }


def effect_row(hours_effect: elasticity.HoursEffect) -> Row:
    """Return an effect's figures as a row."""
    return {
        "estimate": hours_effect.elasticity.estimate,
        "low": hours_effect.elasticity.low,
        "high": hours_effect.elasticity.high,
        "standard_error": hours_effect.standard_error,
        "effective_f": hours_effect.effective_f,
        "kind": hours_effect.elasticity.kind,
        "verdict": str(hours_effect.elasticity.verdict),
    }


def estimate_alone(panels: Panels) -> Row:
    """Return the effect and nothing else."""
    return effect_row(
        elasticity.estimate_elasticity(selling_time_rep_weeks.select_weeks(rep_weeks(panels)))
    )


def error_in_hours(panels: Panels) -> Row:
    """Return the linear model in logs on true and on logged hours, and its correction."""
    selected = selling_time_rep_weeks.select_weeks(rep_weeks(panels))
    rng = np.random.default_rng(int(selected.rows["n_created"].sum()))
    rows = selected.rows.assign(
        log_expected=np.log(selected.rows["expected"]),
        log_true=np.log(selected.rows["true_hours"]),
    )
    rows["log_second"] = rows["log_true"] + SECOND_ERROR_LOG_SD * rng.standard_normal(len(rows))
    true = capture.within_slope(rows, "log_expected", "log_true")
    logged = capture.within_slope(rows, "log_expected", "log_hours")
    reliable = capture.hours_reliability(rows, "log_hours", "log_second")
    corrected = capture.calibrate_slope(logged, reliable)
    second = capture.by_second_measure(rows, "log_expected", "log_hours", "log_second")
    return {
        "true": float(true.estimate[0]),
        "attenuation": float(logged.estimate[0] / true.estimate[0]),
        "reliability": reliable.estimate,
        "corrected": corrected.estimate,
        "low": corrected.low,
        "high": corrected.high,
        "second": second.estimate,
    }


def same_quarter(panels: Panels) -> Row:
    """Return what a quarter's bookings say of the hours of the same quarter, and whether feedback
    is seen.
    """
    stays = rep_quarters(panels)
    stays = stays[(stays["selling_hours"] > 0) & (stays["available_hours"] > 0)]
    rows = stays.assign(
        log_hours=np.log(stays["selling_hours"]), log_available=np.log(stays["available_hours"])
    )
    fit = poisson.pseudo_likelihood(
        make_sample(
            rows,
            outcome="bookings_amount",
            regressors=["log_hours", "log_available"],
            absorb=["rep_id", "quarter"],
            cluster="rep_id",
        )
    )
    result = quarterly_bookings.same_quarter(stays)
    term = fit.table().iloc[0]
    return {
        "estimate": float(term["estimate"]),
        "excludes_zero": bool(term["low"] > 0),
        "is_detected": result.feedback.is_detected,
        "kind": result.same_quarter.kind,
        "verdict": str(result.same_quarter.verdict),
    }


def over_cycle(panels: Panels) -> Row:
    """Return what bookings say of hours over the sales cycle, by way of shifters and of logged
    hours.
    """
    selected = selling_time_rep_weeks.select_weeks(rep_weeks(panels))
    hours_effect = elasticity.estimate_elasticity(selected)
    result = quarterly_bookings.over_cycle(
        selected, rep_quarters(panels), pd.Series([CYCLE_DAYS]), hours_effect
    )
    logged = result.terms[result.terms["way"] != quarterly_bookings.MOVED].set_index("hours_of")[
        "estimate"
    ]
    return {
        "estimate": result.total.estimate,
        "low": result.total.low,
        "high": result.total.high,
        "kind": result.total.kind,
        "verdict": str(result.total.verdict),
        "logged": logged[quarterly_bookings.SUM],
        "logged_ahead": logged[quarterly_bookings.AHEAD],
    }


def estimate_following(panels: Panels) -> Row:
    """Return the effect where assistants are given to whoever has just had a good week.

    No instrument at all.
    """
    table = rep_weeks(panels).sort_values(["rep_id", "week_start"], ignore_index=True)
    place = table.groupby("rep_id").cumcount()
    block = place // BLOCK_WEEKS
    best = table.groupby(["rep_id", block])["n_created"].transform("idxmax")
    since = table.index - best
    is_following = (since > 0) & (since <= FOLLOWING_WEEKS)
    log_hours = np.log(table["selling_hours"].clip(lower=0.1)) + 0.22 * is_following
    table["selling_hours"] = np.exp(log_hours)
    table["assistant_days"] = selling_time_rep_weeks.WEEKDAYS * is_following.astype(float)
    return effect_row(elasticity.estimate_elasticity(selling_time_rep_weeks.select_weeks(table)))


STUDIES: dict[str, Callable[[Panels], Row]] = {
    "planted": estimate_planted,
    "alone": estimate_alone,
    "measurement": error_in_hours,
    "same_quarter": same_quarter,
    "over_cycle": over_cycle,
    "following": estimate_following,
}
