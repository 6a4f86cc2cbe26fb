"""How many more opportunities one percent more selling time creates, if anything can tell.

Counts are explained by the logarithm of hours with rep and week effects, so that a better rep and a
better week do not pass for the worth of an hour (Poisson pseudo-likelihood: logs of one or two
opportunities a week would ask another question).  Logged hours are hours with error, and demand may
move both: what moved hours by itself is used as instrument by a control function.  The residual of
hours on the shifters joins the regressors and takes both with it.  Errors are by team where a
shifter meets whole teams, else by rep.

In 1,000 simulated companies the 95% interval covered the planted elasticity 960 times; the plain
slope is held down by error in logged hours, the pooled one lifted by skill
(`benchmarks/selling_time.py`).  Source: Wooldridge (2015), "Control function methods in applied
econometrics", J. Human Resources 50; the first stage's errors enter as in Murphy and Topel (1985).

What has to hold before hours that shifters moved may be called an effect.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.selling_time import control_function, rep_weeks
from analysis.project.errors import CrmDataError
from analysis.stats import instruments, poisson
from analysis.stats.estimates import joint_test
from analysis.stats.few_clusters import FEW_CLUSTERS
from analysis.stats.result import Result
from analysis.stats.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.selling_time.control_function import Controlled
    from analysis.chapters.selling_time.rep_weeks import Weeks
    from analysis.stats.estimates import Estimates
    from analysis.stats.result import Kind, Verdict

SMALLEST_RELEVANT = 0.10  # elasticity below which an hour is not worth a decision
FEWEST_REPS = 10  # below, no interval is believed
UNITS = {
    "n_created": "percent of opportunities per percent of selling hours",
    "bookings_amount": "percent of bookings per percent of selling hours",
}
NEEDS_SHIFTER = (
    "weeks in which assigned training, an outage or an assistant moved hours (hours_shifters.csv)"
)
NEEDS_LATE = (
    "selling hours by deal stage, so that hours on deals past proposal can be left out "
    "(late_selling_hours)"
)


class HoursEffect(NamedTuple):
    """What selling time does to an outcome.

    `elasticity` is the answer, `plain` the same slope without instrument.  `elasticity` has a row a
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


def estimate_elasticity(
    selected: Weeks, *, outcome: str = "n_created", smallest_relevant: float = SMALLEST_RELEVANT
) -> HoursEffect:
    """Return the elasticity of `outcome` with respect to selling hours before proposal.

    Estimand: percent of `outcome` by one percent more hours in the weeks that shifters moved, deals
    past proposal apart, for reps like these.  It is an effect where shifters move hours enough
    (effective F above 10), no later shift foretells today, and the shifters agree; else an
    association, and the verdict is "cannot tell".

    Parameters
    ----------
    selected : what `rep_weeks.select_weeks` returns
    outcome : column of counts or amounts
    smallest_relevant : elasticity that would matter; an interval inside plus and minus it is "no
        material effect"
    """
    rows = selected.rows
    n_reps = int(rows["rep_id"].nunique())
    if n_reps < FEWEST_REPS or not rows[outcome].sum() > 0:
        return _nothing(outcome, n_reps, f"{n_reps} reps, {rows[outcome].sum():,.0f} {outcome}")
    try:
        plain = control_function.hours_association(rows, outcome, cluster=selected.cluster)
    except CrmDataError as error:
        if "does not vary within" not in str(error):
            raise
        raise CrmDataError(
            "rep_week: in hardly any week do reps have different hours to work, so what a further "
            f"hour brings cannot be told from {len(rows):,} weeks of {n_reps:,} reps. It takes "
            "weeks in which some are away or work part-time."
        ) from error
    base = _result(
        outcome, plain, n_reps, kind="association", verdict="cannot tell", note=left_out(selected)
    )
    lacking = {NEEDS_SHIFTER: not selected.shifters, NEEDS_LATE: rep_weeks.LATE in selected.lacks}
    needs = "; ".join(text for text, is_lacking in lacking.items() if is_lacking)
    if not selected.shifters:
        empty = _first_stage(rows, None, ())
        return HoursEffect(
            base,
            base,
            hours_guard_table([]),
            empty,
            0.0,
            float(plain.standard_error[0]),
            plain.df,
            needs,
        )
    shares = [rep_weeks.share_column(name) for name in selected.shifters]
    controlled = control_function.control_function(
        rows, shares, outcome=outcome, cluster=selected.cluster
    )
    is_few = controlled.fit.n_clusters[0] <= FEW_CLUSTERS
    fit = (
        control_function.jackknife_stages(
            rows, shares, controlled.fit, outcome=outcome, cluster=selected.cluster
        )
        if is_few
        else controlled.fit
    )
    guarded = guards_of_effect(selected, controlled, outcome)
    is_sound = bool(guarded["passed"].all())
    needs = needs or "; ".join(
        f"guard failed: {g}" for g in guarded.loc[~guarded["passed"], "guard"]
    )
    term = fit.table().iloc[0]
    verdict: Verdict = (
        _verdict(term["low"], term["high"], smallest_relevant) if is_sound else "cannot tell"
    )
    if is_sound and verdict == "cannot tell":
        needs = "more rep-weeks under a shifter: the interval still holds 0"
    answer = _result(
        outcome,
        fit,
        n_reps,
        kind="effect" if is_sound else "association",
        verdict=verdict,
        note=left_out(selected),
    )
    return HoursEffect(
        elasticity=answer,
        plain=base,
        guards=guarded,
        first_stage=_first_stage(rows, controlled.first, selected.shifters),
        effective_f=controlled.effective_f,
        standard_error=float(fit.standard_error[0]),
        df=fit.df,
        needs=needs,
    )


def _first_stage(
    rows: pd.DataFrame, first: Estimates | None, shifters: Sequence[str]
) -> pd.DataFrame:
    columns = ["shifter", "estimate", "low", "high", "n_rows", "n_reps"]
    if first is None:
        return pd.DataFrame(columns=columns)
    shares = [rep_weeks.share_column(name) for name in shifters]
    touched = [rows.loc[rows[name] > 0, "rep_id"] for name in shares]
    table = first.table().loc[shares, columns[1:4]].reset_index(drop=True).apply(np.expm1)
    table["shifter"] = [rep_weeks.SHIFTERS[name] for name in shifters]
    table["n_rows"], table["n_reps"] = (
        [len(each) for each in touched],
        [each.nunique() for each in touched],
    )
    return table[columns]


def _nothing(outcome: str, n_reps: int, why: str) -> HoursEffect:
    nan = math.nan
    result = Result(
        "selling_time_elasticity",
        nan,
        nan,
        nan,
        UNITS[outcome],
        n_reps,
        "reps",
        f"cannot tell: {why}",
        "rep_week",
        "association",
        "cannot tell",
    )
    needs = f"at least {FEWEST_REPS} reps with logged hours and an outcome"
    return HoursEffect(
        result,
        result,
        hours_guard_table([]),
        _first_stage(pd.DataFrame(), None, ()),
        nan,
        nan,
        0,
        needs,
    )


def _verdict(low: float, high: float, smallest_relevant: float) -> Verdict:
    if low > 0 or high < 0:
        return "found"
    return "no material effect" if max(-low, high) < smallest_relevant else "cannot tell"


def left_out(selected: Weeks) -> str:
    """Return in words how many rep-weeks are not among the rows, and why."""
    return ", ".join(f"{n:,} ({why})" for why, n in selected.left_out.items()) or "none"


def _result(
    outcome: str, fit: Estimates, n_reps: int, *, kind: Kind, verdict: Verdict, note: str
) -> Result:
    term = fit.table().iloc[0]
    return Result(
        name="selling_time_elasticity",
        estimate=float(term["estimate"]),
        low=float(term["low"]),
        high=float(term["high"]),
        unit=UNITS.get(outcome, f"percent of {outcome} per percent of selling hours"),
        n=n_reps,
        n_of="reps",
        method=f"{fit.method}; {fit.n_rows:,} rep-weeks; {fit.convention}; rep-weeks left out: {note}",  # noqa: E501
        source="rep_week",
        kind=kind,
        verdict=verdict,
    )


LEVEL = 0.05  # chance that sound data fail a test among the guards, shared by the two of them


def guards_of_effect(selected: Weeks, controlled: Controlled, outcome: str) -> pd.DataFrame:
    """Return the checks of an effect: one row a check.

    One row a guard, ``guard``, ``says``, ``p_value``, ``passed``.
    """
    shares = [rep_weeks.share_column(name) for name in selected.shifters]
    is_strong = controlled.effective_f > instruments.STRONG_F
    rows = [
        (
            "the shifters move hours",
            f"effective F {controlled.effective_f:,.0f}",
            np.nan,
            is_strong,
        ),
        (
            "late deals left out",
            "hours on deals past proposal are known",
            np.nan,
            not selected.lacks,
        ),
        _ahead(selected, shares, controlled.first, outcome),
        *_agreement(selected, shares, outcome),
    ]
    return hours_guard_table(rows)


def hours_guard_table(rows: Sequence[tuple[str, str, float, bool]]) -> pd.DataFrame:
    """Return the checks as a table; empty where no design was estimated."""
    return pd.DataFrame(rows, columns=["guard", "says", "p_value", "passed"]).astype(
        {"passed": bool}
    )


def _ahead(
    selected: Weeks, shares: Sequence[str], first: Estimates, outcome: str
) -> tuple[str, str, float, bool]:
    """Return whether the coming weeks' shift foretells today.

    Then the shifter follows the pipeline.
    """
    rows = selected.rows
    shift = rows[list(shares)].to_numpy(float) @ first.estimate[: len(shares)]
    table = rows.assign(shift=shift)
    table["shift_ahead"] = rep_weeks.window_mean(table, "shift", 1, rep_weeks.LEAD_WEEKS)
    guard = f"no shift of the next {rep_weeks.LEAD_WEEKS} weeks foretells today"
    if not table["shift_ahead"].notna().any():
        return guard, "too few weeks in a row", np.nan, False
    whole = make_sample(
        table,
        outcome=outcome,
        regressors=["shift_ahead", "shift", "log_available"],
        absorb=control_function.ABSORB,
        cluster=selected.cluster,
    )
    term = poisson.pseudo_likelihood(whole).table().iloc[0]
    says = f"slope {term['estimate']:.2f} ({term['low']:.2f} to {term['high']:.2f})"
    return guard, says, float(term["p_value"]), bool(term["p_value"] > LEVEL / 2)


def _agreement(
    selected: Weeks, shares: Sequence[str], outcome: str
) -> list[tuple[str, str, float, bool]]:
    """Return whether the shifters tell the same story.

    More of them than needed must add nothing.
    """
    if len(shares) < 2:
        return []
    first, second = control_function.two_stages(
        selected.rows, shares, outcome, selected.cluster, extra=shares[1:]
    )
    test = joint_test(second(first.estimate), list(shares[1:]))
    return [
        (
            "the shifters agree",
            f"F({test.df}, {test.df_below}) = {test.f:.2f}",
            test.p_value,
            test.p_value > LEVEL / 2,
        )
    ]
