"""How much of reps' selling the records capture, and what that does to every figure.

Two sources that were kept apart (a calendar and a CRM) see some of the same meetings: from how
many, capture-recapture says how many neither saw.  With one source nothing can be said.

Logged hours are hours with error, and error pulls a slope towards zero by a factor that can be
known.

Within rep and week, the variance of true hours over that of logged ones is the reliability; a
least- squares slope on logs is true slope x reliability.  Two measures of the same hours, kept
apart, tell it; a calendar synchronised with the CRM is one measure twice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.project.errors import CrmDataError, require_columns
from analysis.stats import instruments, intervals, linear
from analysis.stats.result import Result
from analysis.stats.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from analysis.stats.estimates import Estimates

NAME = "capture_rate"
UNIT = "share of client contacts"
ASSUMPTION = (
    "Chapman's estimate; assumes that a contact's place in one source says nothing of its place "
    "in the other"
)
CALENDAR_FILES = (".ics", ".ical")
TOLERANCE_MINUTES = 15


def capture_rate(n_calendar: int, n_crm: int, n_both: int, *, source: str = "activities") -> Result:
    """Return the share of contacts that at least one of two sources records.

    Chapman (1951): N = (n1 + 1)(n2 + 1) / (m + 1) - 1, with Seber's (1970) variance; the interval
    is of the logarithm of what neither saw, so it cannot leave 0 to 1.

    Raises
    ------
    ValueError
        If the overlap is larger than one of the sources.

    Examples
    --------
    >>> round(capture_rate(80, 50, 40).estimate, 3)  # N = 81 x 51 / 41 - 1 = 99.76 of which 90 were seen
    0.902
    """  # noqa: E501
    if not 0 <= n_both <= min(n_calendar, n_crm):
        raise ValueError(f"n_both must be 0 to {min(n_calendar, n_crm)}, got {n_both}")
    n_recorded = n_calendar + n_crm - n_both
    if not n_both:
        return unknown_capture("the two sources share no contact", source)
    total = (n_calendar + 1) * (n_crm + 1) / (n_both + 1) - 1
    above = (n_calendar + 1) * (n_crm + 1) * (n_calendar - n_both) * (n_crm - n_both)
    error = math.sqrt(above / ((n_both + 1) ** 2 * (n_both + 2)))
    missed = max(total - n_recorded, 0.0)
    low, high = 1.0, 1.0
    if missed > 0 and error > 0:
        reach = math.exp(intervals.Z * math.sqrt(math.log1p((error / missed) ** 2)))
        low, high = (
            n_recorded / (n_recorded + missed * reach),
            n_recorded / (n_recorded + missed / reach),
        )
    return Result(
        NAME,
        n_recorded / (n_recorded + missed),
        low,
        high,
        UNIT,
        n_recorded,
        "contacts",
        ASSUMPTION,
        source,
    )


def unknown_capture(why: str, source: str = "activities") -> Result:
    """Return a capture rate without a value, where it cannot be measured."""
    nan = math.nan
    return Result(NAME, nan, nan, nan, UNIT, 0, "contacts", f"cannot tell: {why}", source)


def from_activities(activities: pd.DataFrame) -> Result:
    """Return the capture rate of client contacts in a calendar and a CRM, matched by rep and start.

    Contacts of class selling with a start; a match starts within 15 minutes.  With one source, or a
    calendar of which all is in the CRM to the second (they were synchronised), it cannot be told.
    """
    require_columns(
        activities, ["rep_id", "activity_class", "started_at", "source_file"], "activities"
    )
    contacts = activities[
        (activities["activity_class"] == "selling") & activities["started_at"].notna()
    ]
    is_calendar = contacts["source_file"].astype(str).str.lower().str.endswith(CALENDAR_FILES)
    calendar, crm = contacts[is_calendar], contacts[~is_calendar]
    if calendar.empty or crm.empty:
        return unknown_capture(
            f"activities come from one kind of source ({'CRM' if calendar.empty else 'calendar'})"
        )
    gaps = _gaps(calendar, crm)
    if len(gaps) and (gaps == 0).mean() > 0.99:
        return unknown_capture("calendar and CRM were synchronised: one is a copy of the other")
    return capture_rate(len(calendar), len(crm), len(gaps))


def _gaps(
    calendar: pd.DataFrame, crm: pd.DataFrame
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the minutes between the starts of contacts that match, each contact used once."""
    left = calendar[["rep_id", "started_at"]].sort_values("started_at").reset_index(drop=True)
    right = crm[["rep_id", "started_at"]].sort_values("started_at").reset_index(drop=True)
    right = right.assign(other=right.index, other_at=right["started_at"])
    tolerance = pd.Timedelta(minutes=TOLERANCE_MINUTES)
    met = pd.merge_asof(
        left, right, on="started_at", by="rep_id", direction="nearest", tolerance=tolerance
    )
    met = met[met["other"].notna()]
    gap = (met["started_at"] - met["other_at"]).abs().dt.total_seconds() / 60
    first = met.assign(gap=gap).sort_values("gap").drop_duplicates("other")
    return first["gap"].to_numpy(float)


def corrected_figures(
    figures: Sequence[Result], rates: Sequence[float] = (1.0, 0.9, 0.8, 0.6)
) -> pd.DataFrame:
    """Return each figure as it would be if records held a given share of selling.

    One row a figure.

    Hours grow by 1 / rate, so what is divided by hours shrinks by the rate.  Columns: ``figure``,
    ``unit`` and one a rate, such as ``at_80``.
    """
    rows = []
    for result in figures:
        is_per_hour = result.unit.endswith("selling hour")
        scaled = {
            f"at_{rate * 100:.0f}": result.estimate * (rate if is_per_hour else 1 / rate)
            for rate in rates
        }
        rows.append({"figure": result.name.replace("_", " "), "unit": result.unit, **scaled})
    return pd.DataFrame(rows)


SAME = 0.98  # of the variance shared within rep and week: one measure is a copy of the other
ABSORB = ("rep_id", "week_start")


class Slope(NamedTuple):
    """A slope with its 95% interval and the method behind it."""

    estimate: float
    standard_error: float
    low: float
    high: float
    method: str


def within_slope(
    rows: pd.DataFrame, outcome: str, regressor: str, controls: Sequence[str] = ("log_available",)
) -> Estimates:
    """Return the least-squares slope of `outcome` on `regressor` (both logs) within rep and week,
    first of the fit.
    """
    whole = make_sample(
        rows, outcome=outcome, regressors=[regressor, *controls], absorb=ABSORB, cluster="rep_id"
    )
    return linear.least_squares(whole)


def hours_reliability(
    rows: pd.DataFrame, measure: str, other: str, controls: Sequence[str] = ("log_available",)
) -> Slope:
    """Return the within-rep reliability of the log hours in `measure` by a second measure [0-1].

    The slope of `other` on `measure`: covariance is that of true hours, variance that of `measure`,
    if the errors of the two have nothing to do with each other.

    Raises
    ------
    CrmDataError
        If the two are copies of each other: their errors are the same.
    """
    here, there = (
        within_slope(rows, other, measure, controls),
        within_slope(rows, measure, other, controls),
    )
    shared = float(here.estimate[0] * there.estimate[0])
    if shared > SAME:
        raise CrmDataError(
            f"{measure} and {other} share {shared * 100:.1f}% of their variance, so one "
            "is a copy of the "
            "other and tells nothing of its error. Take a measure that is not synchronised with it."
        )
    return _slope(
        float(here.estimate[0]),
        float(here.standard_error[0]),
        here.df,
        "two measures, errors taken as unrelated",
    )


def calibrate_slope(slope: Estimates, reliable: Slope) -> Slope:
    """Return the slope over the reliability of its regressor (regression calibration; Carroll et
    al. 2006).
    """
    b, error = float(slope.estimate[0]), float(slope.standard_error[0])
    r = reliable.estimate
    if not r > 0:
        raise ValueError(f"reliability must be above 0, got {r:g}")
    spread = math.hypot(error / r, b / r**2 * reliable.standard_error)
    return _slope(b / r, spread, slope.df, f"regression calibration, reliability {r:.3f}")


def by_second_measure(
    rows: pd.DataFrame,
    outcome: str,
    measure: str,
    other: str,
    controls: Sequence[str] = ("log_available",),
) -> Slope:
    """Return the slope with the second measure as instrument.

    Good against error in hours, not against demand.

    Raises
    ------
    CrmDataError
        If the two measures are copies of each other.
    """
    hours_reliability(rows, measure, other, controls)
    whole = make_sample(
        rows,
        outcome=outcome,
        regressors=[measure, *controls],
        absorb=ABSORB,
        cluster="rep_id",
        endogenous=[measure],
        instruments=[other],
    )
    fit = instruments.two_stage(whole).fit
    place = fit.names.index(measure)
    return _slope(
        float(fit.estimate[place]),
        float(fit.standard_error[place]),
        fit.df,
        "second measure as instrument",
    )


def _slope(estimate: float, error: float, df: int, method: str) -> Slope:
    reach = intervals.t_quantile(df) * error
    return Slope(estimate, error, estimate - reach, estimate + reach, method)
