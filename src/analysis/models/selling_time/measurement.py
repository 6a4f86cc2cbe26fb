"""Logged hours are hours with error, and error pulls a slope towards zero by a factor that can be known.

Within rep and week, the variance of true hours over that of logged ones is the reliability; a least-
squares slope on logs is true slope x reliability.  Two measures of the same hours, kept apart, tell
it; a calendar synchronised with the CRM is one measure twice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scipy import stats

from analysis.models.inference import instrument, linear
from analysis.models.inference.sample import sample
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analysis.models.inference.estimates import Estimates

SAME = 0.98  # of the variance shared within rep and week: one measure is a copy of the other
ABSORB = ("rep_id", "week_start")


class Slope(NamedTuple):
    """A slope with its 95% interval and how it was had."""

    estimate: float
    standard_error: float
    low: float
    high: float
    method: str


def within_slope(
    rows: pd.DataFrame, outcome: str, regressor: str, controls: Sequence[str] = ("log_available",)
) -> Estimates:
    """Return the least-squares slope of `outcome` on `regressor` (both logs) within rep and week, first of the fit."""
    whole = sample(rows, outcome=outcome, regressors=[regressor, *controls], absorb=ABSORB, cluster="rep_id")
    return linear.least_squares(whole)


def reliability(rows: pd.DataFrame, measure: str, other: str, controls: Sequence[str] = ("log_available",)) -> Slope:
    """Return the within-rep reliability of the log hours in `measure` by a second measure [0-1].

    The slope of `other` on `measure`: covariance is that of true hours, variance that of `measure`, if
    the errors of the two have nothing to do with each other.

    Raises
    ------
    CrmDataError
        If the two are copies of each other: their errors are the same.
    """
    here, there = within_slope(rows, other, measure, controls), within_slope(rows, measure, other, controls)
    shared = float(here.estimate[0] * there.estimate[0])
    if shared > SAME:
        raise CrmDataError(
            f"rep_week: {measure} and {other} share {shared * 100:.1f}% of their variance, so one is a copy of the "
            "other and tells nothing of its error. Take a measure that is not synchronised with it."
        )
    return _slope(
        float(here.estimate[0]), float(here.standard_error[0]), here.df, "two measures, errors taken as unrelated"
    )


def calibrated(slope: Estimates, reliable: Slope) -> Slope:
    """Return the slope over the reliability of its regressor (regression calibration; Carroll et al. 2006)."""
    b, error = float(slope.estimate[0]), float(slope.standard_error[0])
    r = reliable.estimate
    if not r > 0:
        raise ValueError(f"reliability must be above 0, got {r:g}")
    spread = math.hypot(error / r, b / r**2 * reliable.standard_error)
    return _slope(b / r, spread, slope.df, f"regression calibration, reliability {r:.3f}")


def by_second_measure(
    rows: pd.DataFrame, outcome: str, measure: str, other: str, controls: Sequence[str] = ("log_available",)
) -> Slope:
    """Return the slope with the second measure as instrument: good against error in hours, not against demand.

    Raises
    ------
    CrmDataError
        If the two measures are copies of each other.
    """
    reliability(rows, measure, other, controls)
    whole = sample(
        rows, outcome=outcome, regressors=[measure, *controls], absorb=ABSORB, cluster="rep_id", endogenous=[measure],
        instruments=[other],
    )  # fmt: skip
    fit = instrument.two_stage(whole).fit
    place = fit.names.index(measure)
    return _slope(float(fit.estimate[place]), float(fit.standard_error[place]), fit.df, "second measure as instrument")


def _slope(estimate: float, error: float, df: int, method: str) -> Slope:
    reach = float(stats.t.ppf(0.975, df)) * error
    return Slope(estimate, error, estimate - reach, estimate + reach, method)
