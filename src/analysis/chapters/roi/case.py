"""What the appraisal of a programme stands on.

Adopters' bookings, costs, one effect, and their errors.

The benefit has a single estimand: what the programme adds to the bookings of the teams that adopted
it.  Quarters are counted from the first start.  Where bookings are known they hold the effect
already; where they are still to come, they are projected flat at the adopters' last four quarters
without it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project import quarters
from analysis.project.errors import CrmDataError, require_columns, require_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.stats.result import Kind, Verdict

QUARTERS_PER_YEAR = 4
BASE_QUARTERS = 4  # the last ones of which the mean is projected: one of each season
FEWEST_CHANGES = 3  # below, no spread can be told


class Uncertain(NamedTuple):
    """An estimate with its standard error and degrees of freedom of t; no error: taken as known."""

    estimate: float
    standard_error: float = 0.0
    df: int = 0


class GrowthEffect(NamedTuple):
    """What the programme adds to adopters' log bookings, on average over quarters 0 to `n_quarters`
    - 1.

    `estimate` and `standard_error`, drift allowed for, in log points; `drift_to_believe` is what
    adopters would have to gain unseen to make all of it, and `drift` what they were seen to gain
    before the start [log points a quarter].  `against` names what speaks against any answer, and
    `needs` says what would tell where nothing was estimated.  `not_counted` says why opportunities
    are no part of the estimate; "" where they are.
    """

    estimate: float
    standard_error: float
    df: int
    verdict: Verdict
    n_teams: int
    against: tuple[str, ...] = ()
    drift_to_believe: float = math.nan
    drift: float = math.nan
    needs: str = ""
    n_quarters: int = 5
    kind: Kind = "effect"
    not_counted: str = ""


class Prior(NamedTuple):
    """A normal belief about the effect before this company's data [points of bookings]."""

    mean_points: float
    sd_points: float

    @property
    def label(self) -> str:
        """The prior in words."""
        return f"{self.mean_points:+g}%, give or take {self.sd_points:g}"


class Assumptions(NamedTuple):
    """What is stated and not estimated: yearly rates and shares of bookings [0-1]."""

    gross_margin_rate: float
    discount_rate: float
    fade_rate: float


class Case(NamedTuple):
    """A programme to be appraised.

    `bookings` is what `bookings_timeline` returns, `costs` what `costs.cost_timeline` returns;
    `initial_amount` was spent before the first start.  `baseline_error` and `cost_error` are
    relative errors of what is projected.  `correlation` is that of `commission_rate` and
    `cost_per_hour`, estimated together.
    """

    bookings: pd.DataFrame
    costs: pd.DataFrame
    initial_amount: float
    effect: GrowthEffect
    commission_rate: Uncertain
    cost_per_hour: Uncertain
    baseline_error: Uncertain
    cost_error: Uncertain
    correlation: float
    assumptions: Assumptions
    prior: Prior | None
    currency: str

    @property
    def n_periods(self) -> int:
        """Quarters of the horizon."""
        return int(self.costs["period"].max()) + 1

    @property
    def horizon_words(self) -> str:
        """The horizon in words, such as "12 quarters"."""
        return f"{self.n_periods} quarter{'' if self.n_periods == 1 else 's'}"

    @property
    def teams_words(self) -> str:
        """The teams that started, in words."""
        return f"{self.effect.n_teams} team{'' if self.effect.n_teams == 1 else 's'}"

    @property
    def has_bookings(self) -> bool:
        """Whether some quarter's bookings are known of every cohort, up to the horizon's end."""
        return bool(self.bookings.groupby("start")["bookings_amount"].count().gt(0).all())


def bookings_timeline(
    bookings: pd.DataFrame, starts: Mapping[str, str], *, horizon_quarters: int
) -> pd.DataFrame:
    """Return adopters' bookings over the horizon.

    One row a cohort (teams of one start) and quarter.

    Parameters
    ----------
    bookings : DataFrame, a team and quarter
        ``team_id``, ``quarter``, ``bookings_amount``; with ``is_partial``, such rows do not count.
    starts : first quarter of the programme by team; teams that never started are not in it
    horizon_quarters : quarters appraised, from the first start

    Returns
    -------
    DataFrame
        ``start``, ``n_teams``, ``quarter``, ``period`` (0 is the first start; below, for the base
        alone), ``event_time``, ``bookings_amount`` (missing: still to come, or not known of every
        team of the cohort).

    Raises
    ------
    CrmDataError
        If no team of `starts` has bookings, or a cohort has none in any quarter.
    """
    require_columns(bookings, ["team_id", "quarter", "bookings_amount"], "team_quarter")
    rows = bookings[~bookings["is_partial"].astype(bool)] if "is_partial" in bookings else bookings
    rows = rows[rows["team_id"].isin(list(starts))]
    require_rows(rows, "team_quarter", "of a team that started the programme")
    first = quarters.parse_quarter(min(starts.values()))
    parts = []
    for start in sorted(set(starts.values())):
        teams = [team for team, when in starts.items() if when == start]
        by_quarter = (
            rows[rows["team_id"].isin(teams)]
            .groupby("quarter")["bookings_amount"]
            .agg(["sum", "count"])
        )
        sums = by_quarter.loc[by_quarter["count"] == len(teams), "sum"]
        if sums.empty:
            raise CrmDataError(
                "team_quarter: each cohort needs a quarter in which bookings of all its teams are "
                f"known, but 1 of {len(set(starts.values()))} cohorts has none (start {start}, "
                f"team_id {', '.join(teams[:3])}).\n"
                "Leave out the team without bookings before appraising."
            )
        names = [str(first.shifted(p)) for p in range(-BASE_QUARTERS, horizon_quarters)]
        ahead = quarters.parse_quarter(start)
        offset = (ahead.year - first.year) * QUARTERS_PER_YEAR + ahead.number - first.number
        period = np.arange(-BASE_QUARTERS, horizon_quarters)
        parts.append(
            pd.DataFrame(
                {
                    "start": start,
                    "n_teams": len(teams),
                    "quarter": names,
                    "period": period,
                    "event_time": period - offset,
                    "bookings_amount": sums.reindex(names).to_numpy(float),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def baseline_error(bookings: pd.DataFrame) -> Uncertain:
    """Return the relative error of projecting a year flat, from the company's past changes year on
    year.

    The root mean square of the changes of the four-quarter sums, so that a steady trend counts as
    error too; with fewer than three changes, of single quarters against the year before.
    """
    require_columns(bookings, ["quarter", "bookings_amount"], "team_quarter")
    rows = bookings[~bookings["is_partial"].astype(bool)] if "is_partial" in bookings else bookings
    total = rows.groupby("quarter")["bookings_amount"].sum().sort_index()
    yearly = (
        total.rolling(BASE_QUARTERS).sum().pct_change(QUARTERS_PER_YEAR, fill_method=None)
    ).dropna()
    changes = (
        yearly
        if len(yearly) >= FEWEST_CHANGES
        else total.pct_change(QUARTERS_PER_YEAR, fill_method=None).dropna()
    )
    if len(changes) < FEWEST_CHANGES:
        return Uncertain(0.0, math.nan, 0)
    return Uncertain(0.0, float(np.sqrt((changes**2).mean())), len(changes))


def by_rep(stays: pd.DataFrame) -> tuple[Uncertain, Uncertain, float]:
    """Return commission rate [0-1], cost per paid hour [currency/h] and their correlation, by
    jackknife.

    Both are ratios of sums over the same representatives, so they are estimated together: one of
    them is left out at a time.  `stays` are rows of ``rep_quarter`` of the quarters to learn from.
    An hour of a meeting is paid whatever it goes into, hence paid hours.
    """
    pay = ["base_amount", "commission_amount", "fringe_amount", "overhead_amount"]
    require_columns(stays, ["rep_id", "bookings_amount", "paid_hours", *pay], "rep_quarter")
    complete = stays.dropna(subset=[*pay, "bookings_amount", "paid_hours"])
    complete = complete.assign(cost=complete[pay].sum(axis="columns"))
    sums = complete.groupby("rep_id")[
        ["commission_amount", "bookings_amount", "cost", "paid_hours"]
    ].sum()
    require_rows(sums, "rep_quarter", "with pay, bookings and hours known")
    total, n = sums.sum(), len(sums)
    if not (total["bookings_amount"] > 0 and total["paid_hours"] > 0):
        raise CrmDataError(
            f"rep_quarter: the commission rate needs bookings and paid hours, but the {n} reps "
            "whose pay is known have "
            "none. Export opportunities with the same owner ids as the users and compensation."
        )
    rest = total - sums
    estimates = (
        total["commission_amount"] / total["bookings_amount"],
        total["cost"] / total["paid_hours"],
    )
    if n < FEWEST_CHANGES:
        unknown = [Uncertain(float(value), math.nan, 0) for value in estimates]
        return unknown[0], unknown[1], 0.0
    left = np.column_stack(
        [rest["commission_amount"] / rest["bookings_amount"], rest["cost"] / rest["paid_hours"]]
    )
    covariance = (n - 1) / n * (left - left.mean(axis=0)).T @ (left - left.mean(axis=0))
    errors = np.sqrt(np.diag(covariance))
    product = float(errors[0] * errors[1])
    correlation = float(covariance[0, 1]) / product if product > 0 else 0.0
    both = [
        Uncertain(float(value), float(error), n - 1)
        for value, error in zip(estimates, errors, strict=True)
    ]
    return both[0], both[1], correlation
