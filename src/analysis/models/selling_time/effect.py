"""How many more opportunities one percent more selling time creates, if anything can tell.

Counts are explained by the logarithm of hours with rep and week effects, so that a better rep and a
better week do not pass for the worth of an hour (Poisson pseudo-likelihood: logs of one or two
opportunities a week would ask another question).  Logged hours are hours with error, and demand may
move both: what moved hours by itself is used as instrument by a control function.  The residual of
hours on the shifters joins the regressors and takes both with it.  Errors are by team where a shifter
meets whole teams, else by rep.

In 1,000 simulated companies the 95% interval covered the planted elasticity 960 times; the plain
slope is held down by error in logged hours, the pooled one lifted by skill
(`benchmarks/selling_time.py`).  Source: Wooldridge (2015), "Control function methods in applied
econometrics", J. Human Resources 50; the first stage's errors enter as in Murphy and Topel (1985).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.models.inference.few_clusters import FEW_CLUSTERS
from analysis.models.result import Result
from analysis.models.selling_time import control, guards, weeks
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.inference.estimates import Estimates
    from analysis.models.result import Kind, Verdict
    from analysis.models.selling_time.weeks import Weeks

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


def estimate(selected: Weeks, *, outcome: str = "n_created", smallest_relevant: float = SMALLEST_RELEVANT) -> Effect:
    """Return the elasticity of `outcome` with respect to selling hours before proposal.

    Estimand: percent of `outcome` by one percent more hours in the weeks that shifters moved, deals
    past proposal apart, for reps like these.  It is an effect where shifters move hours enough
    (effective F above 10), no later shift foretells today, and the shifters agree; else an
    association, and the verdict is "cannot tell".

    Parameters
    ----------
    selected : what `weeks.select` returns
    outcome : column of counts or amounts
    smallest_relevant : elasticity that would matter; an interval inside plus and minus it is "no material effect"
    """
    rows = selected.rows
    n_reps = int(rows["rep_id"].nunique())
    if (rows.groupby("week_start")["log_available"].nunique() < 2).all():
        raise CrmDataError(
            "rep_week: in no week do reps have different hours to work, so what a further hour brings cannot be told "
            f"from {len(rows):,} weeks of {n_reps:,} reps. It takes weeks in which some are away or work part-time."
        )
    if n_reps < FEWEST_REPS or not rows[outcome].sum() > 0:
        return _nothing(outcome, n_reps, f"{n_reps} reps, {rows[outcome].sum():,.0f} {outcome}")
    plain = control.association(rows, outcome, cluster=selected.cluster)
    base = _result(outcome, plain, n_reps, kind="association", verdict="cannot tell", note=left_out(selected))
    lacking = {NEEDS_SHIFTER: not selected.shifters, NEEDS_LATE: weeks.LATE in selected.lacks}
    needs = "; ".join(text for text, is_lacking in lacking.items() if is_lacking)
    if not selected.shifters:
        empty = _first_stage(rows, None, ())
        return Effect(base, base, guards.table([]), empty, 0.0, float(plain.standard_error[0]), plain.df, needs)
    shares = [weeks.share(name) for name in selected.shifters]
    made = control.control_function(rows, shares, outcome=outcome, cluster=selected.cluster)
    is_few = made.fit.n_clusters[0] <= FEW_CLUSTERS
    fit = control.jackknifed(rows, shares, made.fit, outcome=outcome, cluster=selected.cluster) if is_few else made.fit
    guarded = guards.of(selected, made, outcome)
    is_sound = bool(guarded["passed"].all())
    needs = needs or "; ".join(f"guard failed: {g}" for g in guarded.loc[~guarded["passed"], "guard"])
    term = fit.table().iloc[0]
    verdict: Verdict = _verdict(term["low"], term["high"], smallest_relevant) if is_sound else "cannot tell"
    if is_sound and verdict == "cannot tell":
        needs = "more rep-weeks under a shifter: the interval still holds 0"
    answer = _result(
        outcome, fit, n_reps, kind="effect" if is_sound else "association", verdict=verdict, note=left_out(selected)
    )
    return Effect(
        elasticity=answer,
        plain=base,
        guards=guarded,
        first_stage=_first_stage(rows, made.first, selected.shifters),
        effective_f=made.effective_f,
        standard_error=float(fit.standard_error[0]),
        df=fit.df,
        needs=needs,
    )


def _first_stage(rows: pd.DataFrame, first: Estimates | None, shifters: Sequence[str]) -> pd.DataFrame:
    columns = ["shifter", "estimate", "low", "high", "n_rows", "n_reps"]
    if first is None:
        return pd.DataFrame(columns=columns)
    shares = [weeks.share(name) for name in shifters]
    touched = [rows.loc[rows[name] > 0, "rep_id"] for name in shares]
    table = first.table().loc[shares, columns[1:4]].reset_index(drop=True).apply(np.expm1)
    table["shifter"] = [weeks.SHIFTERS[name] for name in shifters]
    table["n_rows"], table["n_reps"] = [len(each) for each in touched], [each.nunique() for each in touched]
    return table[columns]


def _nothing(outcome: str, n_reps: int, why: str) -> Effect:
    nan = math.nan
    result = Result(
        "selling_time_elasticity", nan, nan, nan, UNITS[outcome], n_reps, "reps", f"cannot tell: {why}", "rep_week",
        "association", "cannot tell",
    )  # fmt: skip
    needs = f"at least {FEWEST_REPS} reps with logged hours and an outcome"
    return Effect(result, result, guards.table([]), _first_stage(pd.DataFrame(), None, ()), nan, nan, 0, needs)


def _verdict(low: float, high: float, smallest_relevant: float) -> Verdict:
    if low > 0 or high < 0:
        return "found"
    return "no material effect" if max(-low, high) < smallest_relevant else "cannot tell"


def left_out(selected: Weeks) -> str:
    """Return in words how many rep-weeks are not among the rows, and why."""
    return ", ".join(f"{n:,} ({why})" for why, n in selected.left_out.items()) or "none"


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
