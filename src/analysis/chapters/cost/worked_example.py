"""The articles' worked example, rebuilt.

$399 and $3,788 an hour from their stated and solved parts.

The preset `SEED_002` is what the articles give plus the one sum that makes their figure come out:
commission and fringe together, of which the split cannot be known.  Hours are said to be "less than
11", so both figures are lower bounds.  Nothing here is a default for a company's own figures.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project import claims
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMISSION_STEP = 0.005  # of quota: what people call a round rate
FRINGE_STEP = 0.005
LARGEST_FRINGE_RATE = 0.5  # above, no employer's fringe is


class Example(NamedTuple):
    """A representative's year as an article tells it [USD, weeks, h/week]."""

    base_amount: float
    loadings_amount: float
    weeks_per_year: float
    hours_per_week: float
    quota_amount: float
    status: str

    @property
    def selling_hours(self) -> float:
        """Selling hours [h/year]."""
        return self.weeks_per_year * self.hours_per_week

    @property
    def total_amount(self) -> float:
        """Base and loadings [USD/year]."""
        return self.base_amount + self.loadings_amount


SEED_002 = Example(
    base_amount=claims.EXAMPLE_BASE_USD,
    loadings_amount=claims.EXAMPLE_LOADINGS_USD,
    weeks_per_year=claims.WEEKS_PER_YEAR,
    hours_per_week=claims.SELLING_HOURS_PER_WEEK,
    quota_amount=claims.EXAMPLE_QUOTA_USD,
    status="loadings solved for, split unknown",
)


def rebuild_example(measure: str = "cost_per_selling_hour", example: Example = SEED_002) -> Result:
    """Return the article's figure, rebuilt: a lower bound, one sum without an interval.

    Examples
    --------
    >>> rebuild_example().estimate
    399.0
    >>> round(rebuild_example("required_bookings_per_selling_hour").estimate, 2)
    3787.88
    """
    sums = {
        "cost_per_selling_hour": example.total_amount,
        "required_bookings_per_selling_hour": example.quota_amount,
    }
    if measure not in sums:
        raise ValueError(f"measure must be one of {', '.join(sums)}, got {measure!r}")
    claim = claims.CLAIMS[measure]
    value = sums[measure] / example.selling_hours
    return Result(
        name=measure,
        estimate=value,
        low=math.nan,
        high=math.nan,
        unit=claim.unit,
        n=1,
        n_of="worked examples",
        method=f"one sum over {example.selling_hours:g} h a year; {example.status}; "
        f"hours are {claims.CLAIMS['selling_hours_per_week'].bound} {example.hours_per_week:g} a "
        "week, "
        "so a lower bound",
        source=f"{claim.source} ({claim.year})",
    )


def reference_line(currency: str) -> tuple[float, str] | None:
    """Return the article's figure as a line for a chart in dollars.

    In another currency it has no place.
    """
    figure = rebuild_example()
    return (
        (figure.estimate, f"article, 2013: ${figure.estimate:,.0f}") if currency == "USD" else None
    )


def reference_note(currency: str) -> str:
    """Return what a chart's caption says of that line."""
    return (
        " Dashed: a vendor's worked example, not a benchmark." if reference_line(currency) else ""
    )


def example_sensitivity(
    hours_per_week: Sequence[float] = (9, 10, 11, 12, 20, 40),
    weeks_per_year: Sequence[float] = (SEED_002.weeks_per_year,),
    example: Example = SEED_002,
) -> pd.DataFrame:
    """Return both figures over assumed weeks and hours: one row a pair.

    Columns: ``weeks_per_year``, ``hours_per_week``, ``cost_per_selling_hour`` and
    ``required_bookings_per_selling_hour`` [USD/h].
    """
    grid = [
        example._replace(weeks_per_year=w, hours_per_week=h)
        for w in weeks_per_year
        for h in hours_per_week
    ]
    for at in grid:
        if not at.selling_hours > 0:
            raise ValueError(
                f"weeks and hours must be above 0, got {at.weeks_per_year!r} weeks of "
                f"{at.hours_per_week!r} h"
            )
    rows = [
        (
            at.weeks_per_year,
            at.hours_per_week,
            at.total_amount / at.selling_hours,
            at.quota_amount / at.selling_hours,
        )
        for at in grid
    ]
    columns = [
        "weeks_per_year",
        "hours_per_week",
        "cost_per_selling_hour",
        "required_bookings_per_selling_hour",
    ]
    return pd.DataFrame(rows, columns=columns)


def sensitivity_table(example: Example = SEED_002) -> pd.DataFrame:
    """Return `example_sensitivity` as it is shown.

    Over hours at the example's weeks, then over weeks at its hours.
    """
    over_hours = example_sensitivity(example=example)
    over_weeks = example_sensitivity((example.hours_per_week,), (44, 46, 50, 52), example)
    return pd.concat([over_hours, over_weeks], ignore_index=True)


def round_splits(example: Example = SEED_002) -> pd.DataFrame:
    """Return every round split of the loadings that prints the article's figure: one row a split.

    Commission goes in half points of quota, fringe in half points up to 50%, of base or of base and
    commission.  Columns: ``fringe_on``, ``commission_rate`` (of quota), ``commission_amount``,
    ``fringe_rate``, ``total_amount`` [USD/year], ``cost_per_selling_hour`` [USD/h].
    """
    published_value = claims.CLAIMS["cost_per_selling_hour"].value
    commission_rate, fringe_rate = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(1, round(1 / COMMISSION_STEP)) * COMMISSION_STEP,
            np.arange(round(LARGEST_FRINGE_RATE / FRINGE_STEP) + 1) * FRINGE_STEP,
            indexing="ij",
        )
    )
    commission = commission_rate * example.quota_amount
    cash = example.base_amount + commission
    parts = []
    for fringe_on, fringed in (("base and commission", cash), ("base", example.base_amount)):
        total = cash + fringe_rate * fringed
        parts.append(
            pd.DataFrame(
                {
                    "fringe_on": fringe_on,
                    "commission_rate": commission_rate,
                    "commission_amount": commission,
                    "fringe_rate": fringe_rate,
                    "total_amount": total,
                    "cost_per_selling_hour": total / example.selling_hours,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    fits = (table["cost_per_selling_hour"] >= published_value - 0.5) & (
        table["cost_per_selling_hour"] < published_value + 0.5
    )
    return table[fits].reset_index(drop=True)


def line_of_splits(fringe_rates: Sequence[float], example: Example = SEED_002) -> pd.DataFrame:
    """Return the whole line (1 + fringe) x (base + commission) = total: one row a fringe rate.

    Columns: ``fringe_rate`` (of base and commission), ``commission_amount`` [USD/year],
    ``commission_rate`` (of quota).

    Examples
    --------
    >>> line_of_splits([0.17])["commission_amount"].round(2).item()  # 210,672 / 1.17 - 100,000
    80061.54
    """
    fringe = pd.Series(fringe_rates, dtype=float, name="fringe_rate")
    commission = example.total_amount / (1 + fringe) - example.base_amount
    return pd.DataFrame(
        {
            "fringe_rate": fringe,
            "commission_amount": commission,
            "commission_rate": commission / example.quota_amount,
        }
    )


def more_hours(
    hours_per_week: float,
    elasticities: Sequence[float] = (claims.CLAIMS["selling_elasticity"].value, 1.0),
    example: Example = SEED_002,
) -> pd.DataFrame:
    """Return what selling `hours_per_week` instead of the example's would add.

    One row an elasticity.

    Bookings grow as hours to the power of the elasticity; 1 is what "$3,788 an hour" takes for
    granted.  Columns: ``elasticity``, ``bookings_amount`` added [USD/year],
    ``bookings_per_added_hour`` [USD/h].

    Examples
    --------
    >>> more_hours(12)["bookings_amount"].round().tolist()
    [60052.0, 181818.0]
    """
    if not hours_per_week > 0:
        raise ValueError(f"hours_per_week must be above 0, got {hours_per_week!r}")
    elasticity = pd.Series(elasticities, dtype=float, name="elasticity")
    added = example.quota_amount * ((hours_per_week / example.hours_per_week) ** elasticity - 1)
    added_hours = (hours_per_week - example.hours_per_week) * example.weeks_per_year
    return pd.DataFrame(
        {
            "elasticity": elasticity,
            "bookings_amount": added,
            "bookings_per_added_hour": added / added_hours if added_hours else math.nan,
        }
    )
