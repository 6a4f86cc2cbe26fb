"""What an hour truly sold costs: a recorded hour's cost times the share of selling that is
recorded.

Records hold some of the hours that reps sell, so a recorded hour costs more than a sold one.  How
much of them they hold is measured by a time study (somebody observes a few rep-weeks), or assumed,
and then said to be an assumption.  The reps are all there are, so the error left is the study's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from analysis.chapters.cost import cost
from analysis.project import money, quarters
from analysis.project.errors import require_columns
from analysis.stats.result import Result

if TYPE_CHECKING:
    import pandas as pd

    from analysis.project.settings import HoursSettings

FEWEST_REPS = 5  # observed; fewer say nothing of the others
QUARTERS_VALID = 4  # a study counts for the quarter it was made in and the three after
NAME = "recorded_share_of_selling_hours"


class CaptureRange(NamedTuple):
    """Share of selling hours that is recorded [0-1], from `low` to `high`.

    `study` is what a time study measured; its estimate is NaN where there is none or too small a
    one, and the ends are then the settings' assumption.
    """

    low: float
    high: float
    study: Result
    n_days: int  # rep-days that were observed, whether or not they can be used

    @property
    def is_measured(self) -> bool:
        """Whether a time study stands behind the range."""
        return self.study.is_known


def recorded_share(observed_days: pd.DataFrame, quarter: str) -> Result:
    """Return the share of observed selling hours that the records hold [0-1].

    The ratio of sums over the rep-days observed in the quarter and the three before; its interval
    leaves out one rep at a time.  May exceed 1 where records overstate.  NaN, and `method` says
    why, where fewer than five reps were observed in logged weeks.

    Parameters
    ----------
    observed_days : panel ``observed_days``
    quarter : the one reported
    """
    require_columns(
        observed_days,
        ["rep_id", "week_start", "quarter", "observed_hours", "recorded_hours"],
        "observed_days",
    )
    first = str(quarters.parse_quarter(quarter).shifted(1 - QUARTERS_VALID))
    days = observed_days[
        (observed_days["quarter"] >= first)
        & (observed_days["quarter"] <= quarter)
        & observed_days["recorded_hours"].notna()
    ]
    reps = days.groupby("rep_id")[["recorded_hours", "observed_hours"]].sum()
    ends = (math.nan, math.nan, math.nan)
    why = f"a time study of {len(days)} days of {len(reps)} reps"
    if len(reps) < FEWEST_REPS:
        why = f"cannot tell: {why}; at least {FEWEST_REPS} reps must be observed"
    else:
        ends = cost.ratio_of_sums(reps["recorded_hours"], reps["observed_hours"])
        if math.isnan(ends[1]) or not ends[1] > 0:
            ends = (math.nan, math.nan, math.nan)
            why = f"cannot tell: {why}, whose hours differ too much"
    return Result(
        NAME, *ends, "share of selling hours", len(days), "days observed",
        f"{why}; recorded over observed hours, leaving out one rep at a time",
        f"time_study, {first} to {quarter}",
    )  # fmt: skip


def capture_range(
    observed_days: pd.DataFrame, quarter: str, settings: HoursSettings
) -> CaptureRange:
    """Return the share of selling hours that is recorded: measured, or assumed by the settings."""
    study = recorded_share(observed_days, quarter)
    n_days = len(observed_days)
    if study.is_known:
        return CaptureRange(study.low, study.high, study, n_days)
    return CaptureRange(settings.capture_low, settings.capture_high, study, n_days)


def sold_hour_cost(hour: Result, capture: CaptureRange) -> Result:
    """Return what an hour truly sold costs, from the cost of a recorded one.

    The estimate is NaN without a time study: an assumed range has no middle.  The ends are then
    those of the assumption, and `interval_name` says so.
    """
    measured = capture.is_measured
    return hour._replace(
        name="cost_per_sold_hour",
        estimate=hour.estimate * capture.study.estimate if measured else math.nan,
        low=hour.estimate * capture.low,
        high=hour.estimate * capture.high,
        unit=hour.unit.replace("recorded selling hour", "hour truly sold"),
        method=(
            f"cost of a recorded hour times the share of selling hours recorded; "
            f"{capture.study.method if measured else 'share assumed in alignment.toml'}"
        ),
        interval_name="95% interval" if measured else "assumed range",
    )


def capture_sentence(hour: Result, capture: CaptureRange, *, currency: str) -> str:
    """Return in a sentence what an hour truly sold costs; "" where the hour's cost is unknown."""
    if not hour.is_known:
        return ""
    sold = sold_hour_cost(hour, capture)
    ends = " to ".join(money.amount_text(end, currency) for end in (sold.low, sold.high))
    shares = f"{capture.low:.0%} to {capture.high:.0%}"
    if not capture.is_measured:
        same = capture.low == capture.high
        share = f"{capture.low:.0%}" if same else shares
        unused = (
            f" The time study cannot be used: of its {capture.n_days} days {capture.study.n} were "
            f"observed in the {QUARTERS_VALID} quarters up to this one and have records, and it "
            f"takes at least {FEWEST_REPS} reps whose hours agree."
            if capture.n_days
            else ""
        )
        return (
            f"We assume that records hold {share} of the hours sold: an hour truly sold then cost "
            f"{ends.split(' to ')[0] if same else ends}.{unused}"
        )
    doubt = (
        " That is more than was sold: look for double entries before this is used."
        if capture.low > 1
        else ""
    )
    return (
        f"A time study of {capture.study.n} days found {capture.study.estimate:.0%} of "
        f"selling hours in the records ({shares}), so an hour truly sold cost "
        f"{money.amount_text(sold.estimate, currency)} ({ends}).{doubt}"
    )
