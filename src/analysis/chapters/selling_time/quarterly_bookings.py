"""How bookings go with selling hours: of the same quarter, and over the sales cycle before.

Deals close a sales cycle after the hours that made them, and a deal about to close pulls hours.  So
the same quarter's hours are never an effect; hours of earlier quarters, and those a shifter moved,
come nearer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.selling_time import control_function, elasticity, rep_weeks
from analysis.project.errors import require_columns
from analysis.stats import jackknife, linear, poisson
from analysis.stats.estimates import linear_contrast
from analysis.stats.few_clusters import FEW_CLUSTERS
from analysis.stats.result import Result
from analysis.stats.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.selling_time.elasticity import HoursEffect
    from analysis.chapters.selling_time.rep_weeks import Weeks
    from analysis.stats.estimates import Estimates
    from analysis.stats.result import Kind, Verdict

FEEDBACK_LEVEL = 0.05
DAYS_PER_QUARTER = 365.25 / 4
CYCLE_QUANTILE = 0.75  # of won deals: by then so many have closed
MOST_LAGS = 3  # quarters back: further, too few rep-quarters are left
FEWEST_WEEKS = 8  # of a quarter with known hours
AHEAD, SUM = "the quarter after", "the same and those before, together"
MOVED = "hours that shifters moved"
UNIT = elasticity.UNITS["bookings_amount"]


class Feedback(NamedTuple):
    """Whether deals that are won pull hours to them.

    Slope of log wins on the share of late hours.
    """

    slope: float
    p_value: float
    is_detected: bool


class Bookings(NamedTuple):
    """A quarter's bookings and the hours of the same quarter: never more than an association."""

    same_quarter: Result
    feedback: Feedback


class Lagged(NamedTuple):
    """A quarter's bookings and the hours of the quarters around it.

    `terms` has a row a quarter of hours and way, and one a way for the sum over the same quarter
    and those before: ``hours_of``, ``way`` (logged hours, or hours that shifters moved),
    ``estimate``, ``low``, ``high``, ``n_reps``, ``n_rows``.  `total` is that sum by way of shifters
    where there are any, else of logged hours; `n_lags` says how many quarters go back and `covered`
    the share of won deals whose cycle they hold [0-1].
    """

    terms: pd.DataFrame
    total: Result
    n_lags: int
    covered: float


def same_quarter(stays: pd.DataFrame) -> Bookings:
    """Return how a rep's bookings go with selling hours of the same quarter, and why that is no
    effect.

    Where reps spend more of their time on late deals in quarters of more wins, hours follow the
    pipeline.  Poisson pseudo-likelihood, rep and quarter effects, clustered by rep.

    Parameters
    ----------
    stays : DataFrame, a rep's stay in a team within a quarter
        ``rep_quarter``, all quarters with logging.
    """
    has_late = rep_weeks.LATE in stays.columns and bool(stays[rep_weeks.LATE].notna().any())
    columns = ["selling_hours", "available_hours", "bookings_amount", "n_won"]
    columns += [rep_weeks.LATE] if has_late else []
    rows = (
        stays.dropna(subset=columns)
        .groupby(["rep_id", "quarter"], observed=True)[columns]
        .sum()
        .reset_index()
    )
    rows = rows[(rows["selling_hours"] > 0) & (rows["available_hours"] > 0)]
    for name in ("selling_hours", "available_hours"):
        rows[f"log_{name}"] = np.log(rows[name].astype(float))
    fit = _quarterly(rows, "bookings_amount", ["log_selling_hours", "log_available_hours"])
    term = fit.table().iloc[0]
    feedback = Feedback(np.nan, np.nan, is_detected=False)
    if has_late:
        rows["late_share"] = rows[rep_weeks.LATE] / rows["selling_hours"]
        late = _quarterly(rows, "n_won", ["late_share"]).table().iloc[0]
        is_detected = bool(late["p_value"] < FEEDBACK_LEVEL and late["estimate"] > 0)
        feedback = Feedback(float(late["estimate"]), float(late["p_value"]), is_detected)
    result = Result(
        name="bookings_elasticity_same_quarter",
        estimate=float(term["estimate"]),
        low=float(term["low"]),
        high=float(term["high"]),
        unit=UNIT,
        n=fit.n_clusters[0],
        n_of="reps",
        method=f"{fit.method}; {fit.convention}; deals about to close pull hours, so no cause",
        source="rep_quarter",
        kind="association",
        verdict="cannot tell",
    )
    return Bookings(result, feedback)


def over_cycle(
    selected: Weeks, stays: pd.DataFrame, cycle_days: pd.Series[float], hours_effect: HoursEffect
) -> Lagged:
    """Return how a quarter's bookings go with hours of the quarter after, the same and those
    before.

    Distributed lag as far back as three quarters of the won deals take to close: Poisson
    pseudo-likelihood of a rep's bookings on log hours per available hour (hours on deals past
    proposal apart) and log available hours of each quarter, rep and quarter effects.  Once with
    logged hours: an association.  Once with the part of log hours that shifters moved: an effect
    only where `hours_effect` is one and the quarter after finds nothing, for bookings cannot answer
    to hours not yet spent.

    Parameters
    ----------
    selected : what `rep_weeks.select_weeks` returns
    stays : DataFrame, a rep's stay in a team within a quarter
        ``rep_quarter``: bookings.
    cycle_days : of won deals [days]; missing ones are left out
    hours_effect : the effect of the same weeks on opportunities
    """
    cycles = cycle_days.dropna()
    wanted = (
        math.ceil(float(cycles.quantile(CYCLE_QUANTILE)) / DAYS_PER_QUARTER) if len(cycles) else 1
    )
    n_lags = min(max(wanted, 1), MOST_LAGS)
    covered = float((cycles <= n_lags * DAYS_PER_QUARTER).mean()) if len(cycles) else math.nan
    rows, names = _around(selected, stays, n_lags)
    n_reps = int(rows["rep_id"].nunique())
    ways = {"logged hours": "log_intensity"} | ({MOVED: "shift"} if selected.shifters else {})
    by_rep = rows.groupby("rep_id")["bookings_amount"].agg(["size", "sum"])
    n_compared = int(
        ((by_rep["size"] > 1) & (by_rep["sum"] > 0)).sum()
    )  # each with itself, in another quarter
    is_enough = n_compared >= elasticity.FEWEST_REPS
    tables = [
        _lagged(rows, column, names, selected.cluster).assign(way=way, n_reps=n_reps)
        for way, column in ways.items()
        if is_enough
    ]
    columns = ["hours_of", "way", "estimate", "low", "high", "n_reps", "n_rows"]
    terms = (
        pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    )
    return Lagged(terms, _total(tables, n_reps, n_lags, hours_effect), n_lags, covered)


def bookings_sentence(stays: pd.DataFrame) -> str:
    """Return in a sentence how bookings go with hours of the same quarter, and whether deals pull
    hours.
    """
    if stays["quarter"].nunique() < 2:  # a rep is compared with itself in another quarter
        return "How bookings go with the same quarter's hours cannot be told of one quarter."
    result = same_quarter(stays)
    pulled = (
        "but late deals pull hours" if result.feedback.is_detected else "which is no effect either"
    )
    one = result.same_quarter
    return (
        f"Bookings go with the same quarter's hours by {one.estimate:.2f} ({one.low:.2f} to "
        f"{one.high:.2f}), {pulled}."
    )


def lagged_sentence(lagged: Lagged) -> str:
    """Return a sentence on bookings and hours over the sales cycle, and whether it counts as an
    effect.
    """
    total = lagged.total
    if not total.is_known:
        return f"Over the sales cycle it cannot be told: {total.method}."
    by = "by way of shifters, " if "shifters" in total.method else ""
    return (
        f"Over the sales cycle ({lagged.n_lags} quarters back, {lagged.covered:.0%} of won deals): "
        f"{by}{total.estimate:.2f} ({total.low:.2f} to {total.high:.2f}), "
        f"{'an effect' if total.kind == 'effect' else 'an association'}."
    )


def _around(
    selected: Weeks, stays: pd.DataFrame, n_lags: int
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return a row a rep and quarter with bookings, and the hours of the quarters around it side by
    side.
    """
    require_columns(stays, ["rep_id", "quarter", "bookings_amount"], "rep_quarter")
    names = {-1: AHEAD, 0: "the same quarter"} | {
        k: f"{k} quarter{'s' if k > 1 else ''} before" for k in range(1, n_lags + 1)
    }
    rows = selected.rows.assign(hours=np.exp(selected.rows["log_hours"]), shift=_shift(selected))
    by = ["rep_id", "quarter"]
    quarters = rows.groupby(by, observed=True).agg(
        hours=("hours", "sum"), available=("available_hours", "sum"), shift=("shift", "mean"),
        n_weeks=("hours", "size"), team_id=("team_id", "first"),
    ).reset_index()  # fmt: skip
    quarters = quarters[quarters["n_weeks"] >= FEWEST_WEEKS]
    quarters["log_available"] = np.log(quarters["available"].astype(float))
    quarters["log_intensity"] = np.log(quarters["hours"].astype(float)) - quarters["log_available"]
    place = {q: i for i, q in enumerate(sorted(stays["quarter"].unique()))}
    quarters["place"] = quarters["quarter"].map(place)
    sums = (
        stays.dropna(subset=["bookings_amount"])
        .groupby(by, observed=True)["bookings_amount"]
        .sum()
        .reset_index()
    )
    out = quarters[["rep_id", "quarter", "place", "team_id"]].merge(sums, on=by)
    for k in names:
        near = quarters[["rep_id", "place", "log_intensity", "log_available", "shift"]]
        near = near.assign(place=near["place"] + k).rename(
            columns={c: f"{c}{k}" for c in ("log_intensity", "log_available", "shift")}
        )
        out = out.merge(near, on=["rep_id", "place"])
    return out, names


def _shift(selected: Weeks) -> np.ndarray | float:
    """Return what shifters did to each week's log hours, by the first stage."""
    if not selected.shifters:
        return 0.0
    shares = [rep_weeks.share_column(name) for name in selected.shifters]
    first = linear.least_squares(
        make_sample(
            selected.rows,
            outcome="log_hours",
            regressors=[*shares, "log_available"],
            absorb=control_function.ABSORB,
            cluster=selected.cluster,
        )
    )
    return np.asarray(selected.rows[shares].to_numpy(float) @ first.estimate[: len(shares)])


def _lagged(rows: pd.DataFrame, column: str, names: dict[int, str], cluster: str) -> pd.DataFrame:
    """Return a row a quarter of hours and one for the sum of all but the quarter after.

    Few clusters are jackknifed.
    """
    regressors = [f"{column}{k}" for k in names] + [f"log_available{k}" for k in names]

    def slopes(table: pd.DataFrame) -> pd.Series[float]:
        estimate = _quarterly(table, "bookings_amount", regressors, cluster).estimate[: len(names)]
        return pd.Series(
            [*estimate, estimate[1:].sum()], index=labels
        )  # the quarter after stands first

    labels = [*names.values(), SUM]
    fit = _quarterly(rows, "bookings_amount", regressors, cluster)
    if fit.n_clusters[0] <= FEW_CLUSTERS:
        left_out_estimate = jackknife.leave_one_out(
            rows, slopes, cluster=cluster, name="rep_quarter"
        )
        table, convention = left_out_estimate.table(), left_out_estimate.convention
    else:
        total = linear_contrast(fit, {f"{column}{k}": 1.0 for k in names if k >= 0})
        table, convention = fit.table().iloc[: len(names)], fit.convention
        table.loc[SUM, ["estimate", "low", "high", "p_value"]] = (
            total.estimate,
            total.low,
            total.high,
            total.p_value,
        )
    table = table.set_axis(labels, axis="index").rename_axis("hours_of").reset_index()
    return table.assign(n_rows=fit.n_rows, method=f"{fit.method}; {convention}")


def _total(
    tables: Sequence[pd.DataFrame], n_reps: int, n_lags: int, hours_effect: HoursEffect
) -> Result:
    """Return the sum over the same quarter and those before, by way of shifters where there are
    any.
    """
    name, source = "bookings_elasticity_over_cycle", "rep_week, rep_quarter"
    if not tables:
        nan = math.nan
        why = f"{n_reps} reps with hours in {n_lags + 2} quarters in a row"
        return Result(
            name, nan, nan, nan, UNIT, n_reps, "reps", why, source, "association", "cannot tell"
        )
    rows = tables[-1].set_index("hours_of")
    is_moved = bool((tables[-1]["way"] == MOVED).all())
    is_clean = bool(float(rows["p_value"][AHEAD]) > FEEDBACK_LEVEL)
    is_effect = is_moved and is_clean and hours_effect.elasticity.kind == "effect"
    estimate, low, high = (float(rows[end][SUM]) for end in ("estimate", "low", "high"))
    kind: Kind = "effect" if is_effect else "association"
    verdict: Verdict = "found" if is_effect and (low > 0 or high < 0) else "cannot tell"
    method = f"{rows['way'].iloc[0]}, sum of {n_lags + 1} quarters; {rows['method'].iloc[0]}"
    if is_moved and not is_clean:
        method += f"; {AHEAD} goes with today's bookings, so no cause"
    return Result(name, estimate, low, high, UNIT, n_reps, "reps", method, source, kind, verdict)


def _quarterly(
    rows: pd.DataFrame, outcome: str, regressors: Sequence[str], cluster: str = "rep_id"
) -> Estimates:
    absorb = ("rep_id", "quarter")
    whole = make_sample(
        rows,
        outcome=outcome,
        regressors=regressors,
        absorb=absorb,
        cluster=cluster,
        name="rep_quarter",
    )
    return poisson.pseudo_likelihood(whole)
