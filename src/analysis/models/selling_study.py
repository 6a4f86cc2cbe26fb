"""What the estimators of selling time make of companies whose truth is known.

Each function takes a simulated company's panels and returns one row of figures to be set beside
what was planted; `benchmarks/selling_time.py` runs a thousand companies, the tests forty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models import selling_checks, selling_effect, selling_measurement, selling_time, selling_value
from analysis.models.inference import poisson
from analysis.models.inference.sample import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.simulate.panels import Panels

HOURS_PER_DAY = 8.0
COMMISSION_RATE = 0.04
SECOND_ERROR_LOG_SD = 0.12  # of a second measure of the same hours, drawn here
BLOCK_WEEKS, FOLLOWING_WEEKS = 26, 8

Row = dict[str, float | str | bool]


def rep_weeks(panels: Panels) -> pd.DataFrame:
    """Return a simulated company's rep-weeks as ``rep_week`` of `panel_schema` has them.

    ``true_hours`` before proposal [h] and ``expected`` opportunities, which no record holds, stand beside.
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
            selling_time.LATE: week["logged_late_hours"],
            "coverage": np.where(week["logged_hours"].notna(), selling_time.LOGGED, "no_logging"),
            "n_created": week["opportunities_created"],
            "true_hours": week["selling_hours"] - week["late_hours"],
            "expected": week["expected_opportunities"],
        }
    )
    worked = np.maximum(week["worked_days"], 1)  # the panel counts weekdays, the simulation days worked
    for name in selling_time.SHIFTERS:
        frame[name] = selling_time.WEEKDAYS * week[name] / worked
    return frame


def rep_quarters(panels: Panels) -> pd.DataFrame:
    """Return a simulated company's rep-quarters: hours logged, bookings, and pay at a flat commission."""
    weeks = rep_weeks(panels)
    known = weeks[weeks["selling_hours"].notna() & (weeks["available_hours"] > 0)]
    sums = known.groupby(["rep_id", "quarter"]).agg(
        selling_hours=("selling_hours", "sum"), late_selling_hours=(selling_time.LATE, "sum"),
        available_hours=("available_hours", "sum"), weeks_employed=("week_start", "size"),
    ).reset_index()  # fmt: skip
    sales = panels.rep_quarter.rename(columns={"rep": "rep_id", "bookings": "bookings_amount", "won": "n_won"})
    out = sums.merge(sales[["rep_id", "quarter", "bookings_amount", "n_won"]], on=["rep_id", "quarter"])
    return out.assign(
        logged_share=1.0, paid_hours=out["weeks_employed"] * HOURS_PER_DAY * selling_time.WEEKDAYS,
        commission_amount=out["bookings_amount"] * COMMISSION_RATE,
    )  # fmt: skip


def planted(panels: Panels) -> Row:
    """Return the effect, the pooled and the plain slope, verdicts, and the worth of an hour."""
    table = rep_weeks(panels)
    weeks = selling_time.weeks(table)
    effect = selling_effect.effect(weeks)
    pooled = selling_effect.association(weeks.rows, absorb=["week_start"])
    alone = selling_effect.effect(selling_time.weeks(table.drop(columns=list(selling_time.SHIFTERS))))
    stays = rep_quarters(panels)
    base = selling_value.basis(
        stays[stays["quarter"] == stays["quarter"].max()], minimum_logged_share=0.5, currency="USD"
    )
    value = selling_value.marginal_value(base, effect)
    return {
        **verdict(effect),
        "pooled": float(pooled.estimate[0]),
        "plain": effect.plain.estimate,
        "verdict_without_shifter": str(alone.elasticity.verdict),
        "per_hour": base.bookings_per_hour,
        "per_week": base.hours_per_week,
        "value": value.estimate,
        "value_low": value.low,
        "value_high": value.high,
    }


def verdict(effect: selling_effect.Effect) -> Row:
    """Return an effect's figures as a row."""
    return {
        "estimate": effect.elasticity.estimate,
        "low": effect.elasticity.low,
        "high": effect.elasticity.high,
        "standard_error": effect.standard_error,
        "effective_f": effect.effective_f,
        "kind": effect.elasticity.kind,
        "verdict": str(effect.elasticity.verdict),
    }


def alone(panels: Panels) -> Row:
    """Return the effect and nothing else."""
    return verdict(selling_effect.effect(selling_time.weeks(rep_weeks(panels))))


def measurement(panels: Panels) -> Row:
    """Return the linear model in logs on true and on logged hours, and its correction."""
    weeks = selling_time.weeks(rep_weeks(panels))
    rng = np.random.default_rng(int(weeks.rows["n_created"].sum()))
    rows = weeks.rows.assign(
        log_expected=np.log(weeks.rows["expected"]),
        log_true=np.log(weeks.rows["true_hours"]),
    )
    rows["log_second"] = rows["log_true"] + SECOND_ERROR_LOG_SD * rng.standard_normal(len(rows))
    true = selling_measurement.within_slope(rows, "log_expected", "log_true")
    logged = selling_measurement.within_slope(rows, "log_expected", "log_hours")
    reliable = selling_measurement.reliability(rows, "log_hours", "log_second")
    corrected = selling_measurement.calibrated(logged, reliable)
    second = selling_measurement.by_second_measure(rows, "log_expected", "log_hours", "log_second")
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
    """Return what a quarter's bookings say of the hours of the same quarter, and whether feedback is seen."""
    stays = rep_quarters(panels)
    stays = stays[(stays["selling_hours"] > 0) & (stays["available_hours"] > 0)]
    rows = stays.assign(log_hours=np.log(stays["selling_hours"]), log_available=np.log(stays["available_hours"]))
    fit = poisson.pseudo_likelihood(
        sample(rows, outcome="bookings_amount", regressors=["log_hours", "log_available"], absorb=["rep_id", "quarter"],
               cluster="rep_id")
    )  # fmt: skip
    got = selling_checks.bookings(stays)
    term = fit.table().iloc[0]
    return {
        "estimate": float(term["estimate"]),
        "excludes_zero": bool(term["low"] > 0),
        "is_detected": got.feedback.is_detected,
        "kind": got.same_quarter.kind,
        "verdict": str(got.same_quarter.verdict),
    }


def following(panels: Panels) -> Row:
    """Return the effect where assistants are given to whoever has just had a good week: no instrument at all."""
    table = rep_weeks(panels).sort_values(["rep_id", "week_start"], ignore_index=True)
    place = table.groupby("rep_id").cumcount()
    block = place // BLOCK_WEEKS
    best = table.groupby(["rep_id", block])["n_created"].transform("idxmax")
    since = table.index - best
    given = (since > 0) & (since <= FOLLOWING_WEEKS)
    log_hours = np.log(table["selling_hours"].clip(lower=0.1)) + 0.22 * given
    table["selling_hours"] = np.exp(log_hours)
    table["assistant_days"] = selling_time.WEEKDAYS * given.astype(float)
    return verdict(selling_effect.effect(selling_time.weeks(table)))


STUDIES: dict[str, Callable[[Panels], Row]] = {
    "planted": planted,
    "alone": alone,
    "measurement": measurement,
    "same_quarter": same_quarter,
    "following": following,
}
