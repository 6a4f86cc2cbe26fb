"""How robust the worth of selling time is.

Other estimators, other weeks, other hours, other reps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.selling_time import control_function, elasticity, rep_weeks
from analysis.stats import linear, poisson, pooling
from analysis.stats.estimates import linear_contrast
from analysis.stats.sample import Sample, make_sample
from analysis.stats.unobserved_confounding import Robustness, robustness_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.selling_time.elasticity import HoursEffect
    from analysis.chapters.selling_time.rep_weeks import Weeks
    from analysis.stats.estimates import Estimates

WINDOWS = {
    "4 weeks before": (-4, -1),
    "the same week": (0, 0),
    "4 weeks after": (1, 4),
}  # of the shift, from today
MOVED = "Hours that training, outages and assistants moved"
OTHER_ERRORS = "… errors by "
KNOTS = (0.1, 0.5, 0.9)  # quantiles of log hours
DOSES = (0.25, 0.5, 0.75)
FEWEST_CLUSTERS = 5  # below, a group has no error of its own


def elasticity_estimators(selected: Weeks, hours_effect: HoursEffect) -> pd.DataFrame:
    """Return the same elasticity by other means: one row a way to estimate.

    Columns: ``estimator``, ``kind``, ``estimate``, ``low``, ``high``, ``n_reps``, ``n_rows``,
    ``convention``.
    """
    rows, shares = selected.rows, [rep_weeks.share_column(name) for name in selected.shifters]
    n_reps = int(rows["rep_id"].nunique())
    fits: list[tuple[str, str, Estimates, int]] = [
        (
            "All reps together: skill passes for hours",
            "association",
            control_function.hours_association(rows, absorb=["week_start"]),
            0,
        ),
        (
            "Within rep and week, logged hours",
            "association",
            control_function.hours_association(rows),
            0,
        ),
    ]
    if rep_weeks.LATE not in selected.lacks:
        whole = rows.assign(log_hours=np.log(rows["selling_hours"].astype(float)))
        fits.append(
            (
                "… hours on late deals included",
                "association",
                control_function.hours_association(whole),
                0,
            )
        )
    if shares:
        kind = hours_effect.elasticity.kind
        by_rep = control_function.control_function(rows, shares).fit
        both = control_function.control_function(rows, shares, cluster=["rep_id", "week_start"]).fit
        fits += [
            (f"{OTHER_ERRORS}rep", kind, by_rep, 0),
            (f"{OTHER_ERRORS}rep and by week", kind, both, 0),
        ]
    if "quarter" in rows.columns and len(rows["quarter"].unique()) > 1:
        fits.append(
            (
                "Quarters instead of weeks, logs",
                "association",
                linear.least_squares(_log_quarters(rows)),
                0,
            )
        )
    columns = ["estimate", "low", "high"]
    table = [
        (name, kind, *fit.table().iloc[place][columns], n_reps, fit.n_rows, fit.convention)
        for name, kind, fit, place in fits
    ]
    if shares:  # the answer itself, before its other errors
        of = hours_effect.elasticity
        answer = (MOVED, of.kind, of.estimate, of.low, of.high, of.n, len(rows), of.method)
        table.insert([row[0] for row in table].index(f"{OTHER_ERRORS}rep"), answer)
    return pd.DataFrame(
        table, columns=["estimator", "kind", *columns, "n_reps", "n_rows", "convention"]
    )


def without_repeats(estimators: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the rows without those that repeat the answer's figures by another error, and a
    sentence on them.
    """
    displayed = estimators[["estimate", "low", "high"]].round(2)
    is_other = estimators["estimator"].str.startswith(OTHER_ERRORS)
    answer = displayed[estimators["estimator"] == MOVED]
    if answer.empty:
        return estimators, ""
    repeats = is_other & (displayed == answer.iloc[0]).all(axis="columns")
    words = " and ".join(n.removeprefix("… ") for n in estimators.loc[repeats, "estimator"])
    return estimators[~repeats], f"The same with {words}. " if words else ""


def slope_robustness(selected: Weeks) -> Robustness:
    """Return how strong an unobserved confounder must be to undo the slope of the rep-quarter
    model.

    NaN of one quarter.
    """
    if selected.rows["quarter"].nunique() < 2:
        return Robustness(
            "log_hours",
            np.nan,
            np.nan,
            np.nan,
            0,
            "a rep is compared with itself in another quarter",
        )
    return robustness_value(_log_quarters(selected.rows), "log_hours")


def leads_and_lags(selected: Weeks) -> pd.DataFrame:
    """Return the outcome before, in and after the week in which hours were shifted.

    One row a window of `WINDOWS`.

    Slopes are elasticities by way of the shifters (reduced form over first stage).  Something "4
    weeks before" the outcome is a lag; "4 weeks after" it must find nothing.  Columns: ``window``,
    ``estimate``, ``low``, ``high``, ``n_reps``.  Empty without shifters.
    """
    columns = ["window", "estimate", "low", "high", "n_reps"]
    if not selected.shifters:
        return pd.DataFrame(columns=columns)
    rows, shares = selected.rows, [rep_weeks.share_column(name) for name in selected.shifters]
    first = linear.least_squares(
        make_sample(
            rows,
            outcome="log_hours",
            regressors=[*shares, "log_available"],
            absorb=control_function.ABSORB,
            cluster=selected.cluster,
        )
    )
    table = rows.assign(shift=rows[shares].to_numpy(float) @ first.estimate[: len(shares)])
    for name, (start, end) in WINDOWS.items():
        table[name] = rep_weeks.window_mean(table, "shift", start, end)
    whole = make_sample(
        table,
        outcome="n_created",
        regressors=[*WINDOWS, "log_available"],
        absorb=control_function.ABSORB,
        cluster=selected.cluster,
    )
    fit = poisson.pseudo_likelihood(whole)
    coefficients = fit.table().loc[list(WINDOWS)].rename_axis("window").reset_index()
    return coefficients.assign(n_reps=rows["rep_id"].nunique())[columns]


def guards_sentence(hours_effect: HoursEffect) -> str:
    """Return in words which guards of an effect hold and which fail."""
    if hours_effect.guards.empty:
        return f"No design to guard: needs {hours_effect.needs}."
    passed_guards, failed = (
        hours_effect.guards.loc[hours_effect.guards["passed"] == passed, "guard"]
        for passed in (True, False)
    )
    fails = f" Fails: {'; '.join(failed)}." if len(failed) else ""
    return (
        f"Holds: {'; '.join(passed_guards)} (effective F {hours_effect.effective_f:,.0f}).{fails}"
    )


def dose_response(selected: Weeks) -> tuple[pd.DataFrame, float]:
    """Return the elasticity at a few, a usual and many hours, and the p-value that it is the same
    at all.

    Natural cubic spline of log hours with three knots (Hastie, Tibshirani and Friedman 2009,
    5.2.1); by way of the shifters where there are any.  Columns: ``hours`` a week, ``estimate``,
    ``low``, ``high``, ``n_reps``.  A constant elasticity below 1 is diminishing returns already.
    """
    rows = selected.rows
    x = rows["log_hours"].to_numpy(float)
    knots = np.quantile(x, KNOTS)
    table = rows.assign(bend=_bend(x, knots))
    controls = ["log_available"]
    if selected.shifters:
        shares = [rep_weeks.share_column(name) for name in selected.shifters]
        first = linear.least_squares(
            make_sample(
                rows,
                outcome="log_hours",
                regressors=[*shares, "log_available"],
                absorb=control_function.ABSORB,
                cluster=selected.cluster,
            )
        )
        table["residual"] = x - rows[list(first.names)].to_numpy(float) @ first.estimate
        controls.append("residual")
    whole = make_sample(
        table,
        outcome="n_created",
        regressors=["log_hours", "bend", *controls],
        absorb=control_function.ABSORB,
        cluster=selected.cluster,
    )
    fit = poisson.pseudo_likelihood(whole)
    out = []
    for at in np.quantile(x, DOSES):
        slope_at = linear_contrast(
            fit, {"log_hours": 1.0, "bend": float(_bend(np.array([at]), knots, slope=True)[0])}
        )
        out.append(
            (
                float(np.exp(at)),
                slope_at.estimate,
                slope_at.low,
                slope_at.high,
                rows["rep_id"].nunique(),
            )
        )
    names = ["hours", "estimate", "low", "high", "n_reps"]
    return pd.DataFrame(out, columns=names), float(fit.table()["p_value"]["bend"])


def by_group(selected: Weeks, column: str) -> pd.DataFrame:
    """Return the elasticity of each group of reps, shrunk towards that of all.

    Each group is estimated alone as the whole is; the spread between groups (Paule and Mandel 1982)
    says how far to believe them (empirical Bayes).  Groups of fewer than ten reps or five treated
    units, or that no shifter moves, get what all have.
    Columns: ``group``, ``n_reps``, ``alone``, ``estimate``, ``low``, ``high``.
    """
    shares = [rep_weeks.share_column(name) for name in selected.shifters]
    rows = []
    for group, part in selected.rows.groupby(column, sort=True, observed=True):
        n_reps = int(part["rep_id"].nunique())
        ends = (np.nan, np.nan)
        moving = [name for name in shares if rep_weeks.is_varying(part, name)]
        is_enough = (
            n_reps >= elasticity.FEWEST_REPS
            and len(part[selected.cluster].unique()) >= FEWEST_CLUSTERS
        )
        if is_enough and part["n_created"].sum() > 0 and bool(moving) == bool(shares):
            controlled = (
                control_function.control_function(part, moving, cluster=selected.cluster)
                if moving
                else None
            )
            fit = (
                controlled.fit
                if controlled
                else control_function.hours_association(part, cluster=selected.cluster)
            )
            ends = float(fit.estimate[0]), float(fit.standard_error[0])
        rows.append((str(group), n_reps, *ends))
    table = pd.DataFrame(rows, columns=["group", "n_reps", "alone", "error"])
    return pooling.with_interval(table)


def _bend(x: np.ndarray, knots: Sequence[float] | np.ndarray, *, slope: bool = False) -> np.ndarray:
    power, factor = (2, 3.0) if slope else (3, 1.0)
    a, b, c = (factor * np.clip(x - k, 0, None) ** power for k in knots)
    return np.asarray((a - c) / (knots[2] - knots[0]) - (b - c) / (knots[2] - knots[1]))


def _log_quarters(rows: pd.DataFrame) -> Sample:
    sums = (
        rows.assign(hours=np.exp(rows["log_hours"]))
        .groupby(["rep_id", "quarter"], observed=True)[["hours", "available_hours", "n_created"]]
        .sum()
        .reset_index()
    )
    sums = sums[sums["n_created"] > 0]
    for log, name in (
        ("log_hours", "hours"),
        ("log_available", "available_hours"),
        ("log_created", "n_created"),
    ):
        sums[log] = np.log(sums[name].astype(float))
    return make_sample(
        sums,
        outcome="log_created",
        regressors=["log_hours", "log_available"],
        absorb=["rep_id", "quarter"],
        cluster="rep_id",
        name="rep-quarters",
    )
