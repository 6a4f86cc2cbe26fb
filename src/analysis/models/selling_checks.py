"""How far the worth of selling time holds: other estimators, other weeks, other hours, other reps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.models import selling_effect, selling_time
from analysis.models.inference import linear, poisson
from analysis.models.inference.estimates import contrast
from analysis.models.inference.robustness import Robustness, robustness_value
from analysis.models.inference.sample import Sample, sample
from analysis.models.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.inference.estimates import Estimates
    from analysis.models.selling_effect import Effect
    from analysis.models.selling_time import Weeks

WINDOWS = {"4 weeks before": (-4, -1), "the same week": (0, 0), "4 weeks after": (1, 4)}  # of the shift, from today
KNOTS = (0.1, 0.5, 0.9)  # quantiles of log hours
DOSES = (0.25, 0.5, 0.75)
FEEDBACK_LEVEL = 0.05


class Feedback(NamedTuple):
    """Whether deals that are won pull hours to them: slope of log wins on the share of late hours."""

    slope: float
    p_value: float
    is_detected: bool


class Bookings(NamedTuple):
    """A quarter's bookings and the hours of the same quarter: never more than an association."""

    same_quarter: Result
    feedback: Feedback


def estimators(weeks: Weeks, effect: Effect) -> pd.DataFrame:
    """Return the same elasticity by other means: one row a way to estimate.

    Columns: ``estimator``, ``kind``, ``estimate``, ``low``, ``high``, ``n_reps``, ``n_rows``, ``convention``.
    """
    rows, shares = weeks.rows, [selling_time.share(name) for name in weeks.shifters]
    fits: list[tuple[str, str, Estimates, int]] = [
        ("All reps together: skill passes for hours", "association",
         selling_effect.association(rows, absorb=["week_start"]), 0),
        ("Within rep and week, logged hours", "association", selling_effect.association(rows), 0),
    ]  # fmt: skip
    if selling_time.LATE not in weeks.lacks:
        whole = rows.assign(log_hours=np.log(rows["selling_hours"].astype(float)))
        fits.append(("… hours on late deals included", "association", selling_effect.association(whole), 0))
    if shares:
        kind = effect.elasticity.kind
        by_rep = selling_effect.control_function(rows, shares).fit
        both = selling_effect.control_function(rows, shares, cluster=["rep_id", "week_start"]).fit
        fits += [
            ("Hours that training, outages and assistants moved", kind, by_rep, 0),
            ("… errors by rep and by week", kind, both, 0),
        ]
    if "quarter" in rows.columns:
        fits.append(("Quarters instead of weeks, logs", "association", linear.least_squares(_log_quarters(rows)), 0))
    columns = ["estimate", "low", "high"]
    return pd.DataFrame(
        [
            (name, kind, *fit.table().iloc[place][columns], fit.n_clusters[0], fit.n_rows, fit.convention)
            for name, kind, fit, place in fits
        ],
        columns=["estimator", "kind", *columns, "n_reps", "n_rows", "convention"],
    )


def robustness(weeks: Weeks) -> Robustness:
    """Return how strong something unseen must be to undo the slope of the rep-quarter model in logs."""
    return robustness_value(_log_quarters(weeks.rows), "log_hours")


def leads_and_lags(weeks: Weeks) -> pd.DataFrame:
    """Return what a shift of hours goes with before, in and after its week: one row a window of `WINDOWS`.

    Slopes are elasticities by way of the shifters (reduced form over first stage).  Something "4 weeks
    before" the outcome is a lag; "4 weeks after" it must find nothing.  Columns: ``window``,
    ``estimate``, ``low``, ``high``, ``n_reps``.  Empty without shifters.
    """
    columns = ["window", "estimate", "low", "high", "n_reps"]
    if not weeks.shifters:
        return pd.DataFrame(columns=columns)
    rows, shares = weeks.rows, [selling_time.share(name) for name in weeks.shifters]
    first = linear.least_squares(
        sample(rows, outcome="log_hours", regressors=[*shares, "log_available"], absorb=selling_effect.ABSORB,
               cluster="rep_id")
    )  # fmt: skip
    table = rows.assign(shift=rows[shares].to_numpy(float) @ first.estimate[: len(shares)])
    for name, (start, end) in WINDOWS.items():
        table[name] = selling_time.window(table, "shift", start, end)
    whole = sample(
        table,
        outcome="n_created",
        regressors=[*WINDOWS, "log_available"],
        absorb=selling_effect.ABSORB,
        cluster="rep_id",
    )
    fit = poisson.pseudo_likelihood(whole)
    got = fit.table().loc[list(WINDOWS)].rename_axis("window").reset_index()
    return got.assign(n_reps=fit.n_clusters[0])[columns]


def bookings(stays: pd.DataFrame) -> Bookings:
    """Return how a rep's bookings go with selling hours of the same quarter, and why that is no effect.

    Deals close a sales cycle after the hours that made them, and a deal about to close pulls hours:
    where reps spend more of their time on late deals in quarters of more wins, hours follow the
    pipeline.  Poisson pseudo-likelihood, rep and quarter effects, clustered by rep.

    Parameters
    ----------
    stays : DataFrame, a rep's stay in a team within a quarter
        ``rep_quarter``, all quarters with logging.
    """
    has_late = selling_time.LATE in stays.columns and bool(stays[selling_time.LATE].notna().any())
    columns = ["selling_hours", "available_hours", "bookings_amount", "n_won"]
    columns += [selling_time.LATE] if has_late else []
    rows = stays.dropna(subset=columns).groupby(["rep_id", "quarter"], observed=True)[columns].sum().reset_index()
    rows = rows[(rows["selling_hours"] > 0) & (rows["available_hours"] > 0)]
    for name in ("selling_hours", "available_hours"):
        rows[f"log_{name}"] = np.log(rows[name].astype(float))
    hours = ["log_selling_hours", "log_available_hours"]
    fit = _quarterly(rows, "bookings_amount", hours)
    term = fit.table().iloc[0]
    seen = Feedback(np.nan, np.nan, is_detected=False)
    if has_late:
        rows["late_share"] = rows[selling_time.LATE] / rows["selling_hours"]
        late = _quarterly(rows, "n_won", ["late_share"]).table().iloc[0]
        is_detected = bool(late["p_value"] < FEEDBACK_LEVEL and late["estimate"] > 0)
        seen = Feedback(float(late["estimate"]), float(late["p_value"]), is_detected)
    result = Result(
        name="bookings_elasticity_same_quarter", estimate=float(term["estimate"]), low=float(term["low"]),
        high=float(term["high"]), unit=selling_effect.UNITS["bookings_amount"], n=fit.n_clusters[0], n_of="reps",
        method=f"{fit.method}; {fit.convention}; deals about to close pull hours, so no cause", source="rep_quarter",
        kind="association", verdict="cannot tell",
    )  # fmt: skip
    return Bookings(result, seen)


def guards_sentence(effect: Effect) -> str:
    """Return in words which guards of an effect hold and which fail."""
    if effect.guards.empty:
        return f"No design to guard: needs {effect.needs}."
    held, failed = (effect.guards.loc[effect.guards["passed"] == passed, "guard"] for passed in (True, False))
    fails = f" Fails: {'; '.join(failed)}." if len(failed) else ""
    return f"Holds: {'; '.join(held)} (effective F {effect.effective_f:,.0f}).{fails}"


def bookings_sentence(stays: pd.DataFrame) -> str:
    """Return in a sentence how bookings go with hours of the same quarter, and whether deals pull hours."""
    got = bookings(stays)
    pulled = "but late deals pull hours" if got.feedback.is_detected else "which is no effect either"
    one = got.same_quarter
    return (
        f"Bookings go with the same quarter's hours by {one.estimate:.2f} ({one.low:.2f} to {one.high:.2f}), {pulled}."
    )


def dose_response(weeks: Weeks) -> tuple[pd.DataFrame, float]:
    """Return the elasticity at a few, a usual and many hours, and the p-value that it is the same at all.

    Natural cubic spline of log hours with three knots (Hastie, Tibshirani and Friedman 2009, 5.2.1); by
    way of the shifters where there are any.  Columns: ``hours`` a week, ``estimate``, ``low``, ``high``,
    ``n_reps``.  A constant elasticity below 1 is diminishing returns already.
    """
    rows = weeks.rows
    x = rows["log_hours"].to_numpy(float)
    knots = np.quantile(x, KNOTS)
    table = rows.assign(bend=_bend(x, knots))
    controls = ["log_available"]
    if weeks.shifters:
        shares = [selling_time.share(name) for name in weeks.shifters]
        first = linear.least_squares(
            sample(rows, outcome="log_hours", regressors=[*shares, "log_available"], absorb=selling_effect.ABSORB,
                   cluster="rep_id")
        )  # fmt: skip
        table["residual"] = x - rows[list(first.names)].to_numpy(float) @ first.estimate
        controls.append("residual")
    whole = sample(
        table, outcome="n_created", regressors=["log_hours", "bend", *controls], absorb=selling_effect.ABSORB,
        cluster="rep_id",
    )  # fmt: skip
    fit = poisson.pseudo_likelihood(whole)
    out = []
    for at in np.quantile(x, DOSES):
        got = contrast(fit, {"log_hours": 1.0, "bend": float(_bend(np.array([at]), knots, slope=True)[0])})
        out.append((float(np.exp(at)), got.estimate, got.low, got.high, fit.n_clusters[0]))
    names = ["hours", "estimate", "low", "high", "n_reps"]
    return pd.DataFrame(out, columns=names), float(fit.table()["p_value"]["bend"])


def by_group(weeks: Weeks, column: str) -> pd.DataFrame:
    """Return the elasticity of each group of reps, drawn towards that of all by how much chance is in it.

    Each group is estimated alone as the whole is; the spread between groups (Paule and Mandel 1982)
    says how far to believe them (empirical Bayes).  Groups of fewer than ten reps, or that no shifter
    moves, get what all have.
    Columns: ``group``, ``n_reps``, ``alone``, ``estimate``, ``low``, ``high``.
    """
    shares = [selling_time.share(name) for name in weeks.shifters]
    rows = []
    for group, part in weeks.rows.groupby(column, sort=True, observed=True):
        n_reps = int(part["rep_id"].nunique())
        ends = (np.nan, np.nan)
        moving = [name for name in shares if selling_time.varies(part, name)]
        if n_reps >= selling_effect.FEWEST_REPS and part["n_created"].sum() > 0 and bool(moving) == bool(shares):
            fit = selling_effect.control_function(part, moving).fit if moving else selling_effect.association(part)
            ends = float(fit.estimate[0]), float(fit.standard_error[0])
        rows.append((str(group), n_reps, *ends))
    table = pd.DataFrame(rows, columns=["group", "n_reps", "alone", "error"])
    estimate, error = pooled(table["alone"].to_numpy(float), table["error"].to_numpy(float))
    reach = float(stats.norm.ppf(0.975)) * error
    return table.drop(columns="error").assign(estimate=estimate, low=estimate - reach, high=estimate + reach)


def pooled(estimate: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates drawn towards their mean, and their errors; NaN ones get the mean.

    Examples
    --------
    >>> drawn, _ = pooled(np.array([0.2, 0.3]), np.array([0.1, 0.1]))  # no more apart than chance
    >>> drawn.round(6).tolist()
    [0.25, 0.25]
    """
    known = ~np.isnan(estimate)
    if not known.any():
        return np.full(estimate.shape, np.nan), np.full(estimate.shape, np.nan)
    b, v = estimate[known], error[known] ** 2
    between = _between(b, v)
    weight = 1 / (v + between)
    mean, mean_variance = float((weight * b).sum() / weight.sum()), float(1 / weight.sum())
    trust = between / (between + v)  # in the group's own
    drawn, variance = np.full(estimate.shape, mean), np.full(estimate.shape, mean_variance + between)
    drawn[known] = trust * b + (1 - trust) * mean
    variance[known] = trust * v + (1 - trust) ** 2 * mean_variance
    return drawn, np.sqrt(variance)


def _between(b: np.ndarray, v: np.ndarray) -> float:
    """Return the variance between groups at which the spread is what chance and it would make."""
    low, high = 0.0, float(max(np.var(b) * 4, 1e-12))
    if _excess(b, v, 0.0) <= 0:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _excess(b, v, middle) > 0 else (low, middle)
    return (low + high) / 2


def _excess(b: np.ndarray, v: np.ndarray, between: float) -> float:
    weight = 1 / (v + between)
    mean = (weight * b).sum() / weight.sum()
    return float((weight * (b - mean) ** 2).sum() - (b.size - 1))


def _quarterly(rows: pd.DataFrame, outcome: str, regressors: Sequence[str]) -> Estimates:
    absorb = ("rep_id", "quarter")
    whole = sample(rows, outcome=outcome, regressors=regressors, absorb=absorb, cluster="rep_id", name="rep_quarter")
    return poisson.pseudo_likelihood(whole)


def _bend(x: np.ndarray, knots: Sequence[float] | np.ndarray, *, slope: bool = False) -> np.ndarray:
    power, factor = (2, 3.0) if slope else (3, 1.0)
    a, b, c = (factor * np.clip(x - k, 0, None) ** power for k in knots)
    return np.asarray((a - c) / (knots[2] - knots[0]) - (b - c) / (knots[2] - knots[1]))


def _log_quarters(rows: pd.DataFrame) -> Sample:
    sums = (
        rows.assign(hours=np.exp(rows["log_hours"]))
        .groupby(["rep_id", "quarter"], observed=True)[["hours", "available_hours", "n_created"]].sum().reset_index()
    )  # fmt: skip
    sums = sums[sums["n_created"] > 0]
    for log, name in (("log_hours", "hours"), ("log_available", "available_hours"), ("log_created", "n_created")):
        sums[log] = np.log(sums[name].astype(float))
    return sample(
        sums, outcome="log_created", regressors=["log_hours", "log_available"], absorb=["rep_id", "quarter"],
        cluster="rep_id", name="rep-quarters",
    )  # fmt: skip
