"""How many more opportunities one percent more selling time creates, if anything can tell.

Counts are explained by the logarithm of hours with rep and week effects, so that a better rep and a
better week do not pass for the worth of an hour (Poisson pseudo-likelihood: logs of one or two
opportunities a week would ask another question).  Logged hours are hours with error, and demand may
move both: what moved hours by itself is used as instrument by a control function.  The residual of
hours on the shifters joins the regressors and takes both with it.

In 1,000 simulated companies the 95% interval covered the planted elasticity 953 times; the plain
slope is held down by error in logged hours, the pooled one lifted by skill
(`benchmarks/selling_time.py`).  Source: Wooldridge (2015), "Control function methods in applied
econometrics", J. Human Resources 50; the first stage's errors enter as in Murphy and Topel (1985).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.models import selling_time
from analysis.models.inference import instrument, jackknife, linear, poisson
from analysis.models.inference.estimates import joint_test
from analysis.models.inference.few_clusters import FEW_CLUSTERS
from analysis.models.inference.sample import sample
from analysis.models.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analysis.models.inference.estimates import Estimates
    from analysis.models.inference.within import Vector
    from analysis.models.result import Kind, Verdict
    from analysis.models.selling_time import Weeks

ABSORB = ("rep_id", "week_start")
GUARDS_LEVEL = 0.05  # chance that sound data fail a test among the guards, shared by the two of them
SMALLEST_RELEVANT = 0.10  # elasticity below which an hour is not worth a decision
FEWEST_REPS = 10  # below, no interval is believed
UNITS = {
    "n_created": "percent of opportunities per percent of selling hours",
    "bookings_amount": "percent of bookings per percent of selling hours",
}
NEEDS_SHIFTER = "what moved hours for reasons of its own: assigned training, outages, assistants (hours_shifters.csv)"
NEEDS_LATE = "selling hours by deal stage, so that hours on deals past proposal can be left out (late_selling_hours)"


class Effect(NamedTuple):
    """What selling time does to an outcome.

    `elasticity` is the answer, `plain` the same slope without instrument.  `guards` has a row a
    guard: ``guard``, ``says``, ``p_value``, ``passed``.  `first_stage` has a row a shifter: by what
    share a week wholly under it changes hours.  `needs` says what would make the answer an effect.
    """

    elasticity: Result
    plain: Result
    guards: pd.DataFrame
    first_stage: pd.DataFrame
    effective_f: float
    standard_error: float
    df: int
    needs: str


class Controlled(NamedTuple):
    """A control function: second stage (``log_hours`` first), first stage, strength of the shifters."""

    fit: Estimates
    first: Estimates
    effective_f: float


def effect(weeks: Weeks, *, outcome: str = "n_created", smallest_relevant: float = SMALLEST_RELEVANT) -> Effect:
    """Return the elasticity of `outcome` with respect to selling hours before proposal.

    Estimand: percent of `outcome` by one percent more hours in the weeks that shifters moved, deals
    past proposal apart, for reps like these.  It is an effect where shifters move hours enough
    (effective F above 10), no later shift foretells today, and the shifters agree; else an
    association, and the verdict is "cannot tell".

    Parameters
    ----------
    weeks : what `selling_time.weeks` returns
    outcome : column of counts or amounts
    smallest_relevant : elasticity that would matter; an interval inside plus and minus it is "no material effect"
    """
    rows = weeks.rows
    n_reps = int(rows["rep_id"].nunique())
    if n_reps < FEWEST_REPS or not rows[outcome].sum() > 0:
        return _nothing(outcome, n_reps, f"{n_reps} reps, {rows[outcome].sum():,.0f} {outcome}")
    plain = association(rows, outcome)
    base = _result(outcome, plain, n_reps, kind="association", verdict="cannot tell", note=left_out(weeks))
    lacking = {NEEDS_SHIFTER: not weeks.shifters, NEEDS_LATE: selling_time.LATE in weeks.lacks}
    needs = "; ".join(text for text, is_lacking in lacking.items() if is_lacking)
    if not weeks.shifters:
        empty = _first_stage(rows, None, ())
        return Effect(base, base, _guards([]), empty, 0.0, float(plain.standard_error[0]), plain.df, needs)
    shares = [selling_time.share(name) for name in weeks.shifters]
    made = control_function(rows, shares, outcome=outcome)
    fit = made.fit if n_reps > FEW_CLUSTERS else _jackknifed(rows, shares, outcome, made.fit)
    is_strong = made.effective_f > instrument.STRONG_F
    guards = _guards(
        [
            ("the shifters move hours", f"effective F {made.effective_f:,.0f}", np.nan, is_strong),
            ("late deals left out", "hours on deals past proposal are known", np.nan, not weeks.lacks),
            _lead_guard(rows, shares, made.first, outcome),
            *_agreement_guard(rows, shares, outcome),
        ]
    )  # fmt: skip
    is_sound = bool(guards["passed"].all())
    needs = needs or "; ".join(f"guard failed: {g}" for g in guards.loc[~guards["passed"], "guard"])
    term = fit.table().iloc[0]
    verdict: Verdict = _verdict(term["low"], term["high"], smallest_relevant) if is_sound else "cannot tell"
    if is_sound and verdict == "cannot tell":
        needs = "more rep-weeks under a shifter: the interval still holds 0"
    answer = _result(
        outcome, fit, n_reps, kind="effect" if is_sound else "association", verdict=verdict, note=left_out(weeks)
    )
    return Effect(
        elasticity=answer,
        plain=base,
        guards=guards,
        first_stage=_first_stage(rows, made.first, weeks.shifters),
        effective_f=made.effective_f,
        standard_error=float(fit.standard_error[0]),
        df=fit.df,
        needs=needs,
    )


def association(
    rows: pd.DataFrame,
    outcome: str = "n_created",
    *,
    absorb: Sequence[str] = ABSORB,
    cluster: str | Sequence[str] = "rep_id",
) -> Estimates:
    """Return how `outcome` goes with ``log_hours``, the first slope: no instrument, no cause."""
    whole = sample(
        rows,
        outcome=outcome,
        regressors=["log_hours", "log_available"],
        absorb=absorb,
        cluster=cluster,
        name="rep_week",
    )
    return poisson.pseudo_likelihood(whole)


def control_function(
    rows: pd.DataFrame,
    shares: Sequence[str],
    *,
    outcome: str = "n_created",
    cluster: str | Sequence[str] = "rep_id",
) -> Controlled:
    """Return the elasticity by way of `shares` of the week under a shifter.

    `rows` are those of `Weeks`; `cluster` is one column or two.
    """
    first, second = _stages(rows, shares, outcome, cluster)
    fit = second(first.estimate)
    steps = np.diag(first.standard_error)
    slopes = [(second(first.estimate + step).estimate - fit.estimate) / step.sum() for step in steps]
    by_first = np.stack(slopes, axis=1)
    strength = sample(
        rows, outcome=outcome, regressors=["log_hours", "log_available"], absorb=ABSORB, cluster=cluster,
        endogenous=["log_hours"], instruments=list(shares), name="rep_week",
    )  # fmt: skip
    full = fit._replace(
        covariance=fit.covariance + by_first @ first.covariance @ by_first.T,
        method="control function on Poisson pseudo-likelihood, effects of rep_id and week_start absorbed",
        convention=f"{fit.convention}; first stage's errors added",
    )
    return Controlled(full, first, instrument.two_stage(strength).effective_f)


def _stages(
    rows: pd.DataFrame, shares: Sequence[str], outcome: str, cluster: str | Sequence[str], extra: Sequence[str] = ()
) -> tuple[Estimates, Callable[[Vector], Estimates]]:
    """Return the first stage, and the second as a function of the first's slopes."""
    first = linear.least_squares(
        sample(rows, outcome="log_hours", regressors=[*shares, "log_available"], absorb=ABSORB, cluster=cluster)
    )
    moved = rows[list(first.names)].to_numpy(float)
    hours = rows["log_hours"].to_numpy(float)

    def second(slopes: Vector) -> Estimates:  # effects the residual still holds are absorbed
        whole = sample(
            rows.assign(residual=hours - moved @ slopes), outcome=outcome, absorb=ABSORB, cluster=cluster,
            regressors=["log_hours", "residual", "log_available", *extra], name="rep_week",
        )  # fmt: skip
        return poisson.pseudo_likelihood(whole)

    return first, second


def _jackknifed(rows: pd.DataFrame, shares: Sequence[str], outcome: str, fit: Estimates) -> Estimates:
    """Return the fit with the jackknife's error of both stages for its first slope: few reps need it."""

    def slope(table: pd.DataFrame) -> pd.Series[float]:
        first, second = _stages(table, shares, outcome, "rep_id")
        return pd.Series({"log_hours": second(first.estimate).estimate[0]})

    got = jackknife.leave_one_out(rows, slope, cluster="rep_id", name="rep_week")
    covariance = fit.covariance.copy()
    covariance[0, 0] = float(got.standard_error.iloc[0]) ** 2
    return fit._replace(covariance=covariance, df=got.df, convention=got.convention)


def _lead_guard(
    rows: pd.DataFrame, shares: Sequence[str], first: Estimates, outcome: str
) -> tuple[str, str, float, bool]:
    """Return whether the coming weeks' shift foretells today: then the shifter follows the pipeline."""
    shift = rows[list(shares)].to_numpy(float) @ first.estimate[: len(shares)]
    table = rows.assign(shift=shift)
    table["shift_ahead"] = selling_time.window(table, "shift", 1, selling_time.LEAD_WEEKS)
    guard = f"no shift of the next {selling_time.LEAD_WEEKS} weeks foretells today"
    if not table["shift_ahead"].notna().any():
        return guard, "too few weeks in a row", np.nan, False
    whole = sample(
        table, outcome=outcome, regressors=["shift_ahead", "shift", "log_available"], absorb=ABSORB, cluster="rep_id"
    )
    term = poisson.pseudo_likelihood(whole).table().iloc[0]
    says = f"slope {term['estimate']:.2f} ({term['low']:.2f} to {term['high']:.2f})"
    return guard, says, float(term["p_value"]), bool(term["p_value"] > GUARDS_LEVEL / 2)


def _agreement_guard(rows: pd.DataFrame, shares: Sequence[str], outcome: str) -> list[tuple[str, str, float, bool]]:
    """Return whether the shifters tell the same story: more of them than needed must add nothing."""
    if len(shares) < 2:
        return []
    first, second = _stages(rows, shares, outcome, "rep_id", extra=shares[1:])
    got = joint_test(second(first.estimate), list(shares[1:]))
    return [
        (
            "the shifters agree",
            f"F({got.df}, {got.df_below}) = {got.f:.2f}",
            got.p_value,
            got.p_value > GUARDS_LEVEL / 2,
        )
    ]


def _guards(rows: Sequence[tuple[str, str, float, bool]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["guard", "says", "p_value", "passed"]).astype({"passed": bool})


def _first_stage(rows: pd.DataFrame, first: Estimates | None, shifters: Sequence[str]) -> pd.DataFrame:
    columns = ["shifter", "estimate", "low", "high", "n_rows", "n_reps"]
    if first is None:
        return pd.DataFrame(columns=columns)
    shares = [selling_time.share(name) for name in shifters]
    touched = [rows.loc[rows[name] > 0, "rep_id"] for name in shares]
    table = first.table().loc[shares, columns[1:4]].reset_index(drop=True).apply(np.expm1)
    table["shifter"] = [selling_time.SHIFTERS[name] for name in shifters]
    table["n_rows"], table["n_reps"] = [len(each) for each in touched], [each.nunique() for each in touched]
    return table[columns]


def _nothing(outcome: str, n_reps: int, why: str) -> Effect:
    nan = math.nan
    result = Result(
        "selling_time_elasticity", nan, nan, nan, UNITS[outcome], n_reps, "reps", f"cannot tell: {why}", "rep_week",
        "association", "cannot tell",
    )  # fmt: skip
    needs = f"at least {FEWEST_REPS} reps with logged hours and an outcome"
    return Effect(result, result, _guards([]), _first_stage(pd.DataFrame(), None, ()), nan, nan, 0, needs)


def _verdict(low: float, high: float, smallest_relevant: float) -> Verdict:
    if low > 0 or high < 0:
        return "found"
    return "no material effect" if max(-low, high) < smallest_relevant else "cannot tell"


def left_out(weeks: Weeks) -> str:
    """Return in words how many rep-weeks are not among the rows, and why."""
    return ", ".join(f"{n:,} ({why})" for why, n in weeks.left_out.items()) or "none"


def _result(outcome: str, fit: Estimates, n_reps: int, *, kind: Kind, verdict: Verdict, note: str) -> Result:
    term = fit.table().iloc[0]
    return Result(
        name="selling_time_elasticity",
        estimate=float(term["estimate"]),
        low=float(term["low"]),
        high=float(term["high"]),
        unit=UNITS.get(outcome, f"percent of {outcome} per percent of selling hours"),
        n=n_reps,
        n_of="reps",
        method=f"{fit.method}; {fit.n_rows:,} rep-weeks; {fit.convention}; rep-weeks left out: {note}",
        source="rep_week",
        kind=kind,
        verdict=verdict,
    )
