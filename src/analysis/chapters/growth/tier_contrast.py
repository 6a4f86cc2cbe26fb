"""Growth of aligned, middle and laggard teams, and what sorting alone would show.

What a plain comparison shows, and what sorting alone would show.

Tiers come from an index of practices measured before the growth they are held against.  Tiers made
from growth give a gap with no effect at all: growth sorted into 20, 50 and 30 of 100 gives the
articles' 20% and -4%.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.chapters.alignment.score_tiers import LAGGARD_SHARE, TOP_SHARE
from analysis.project.errors import CrmDataError, require_columns, require_rows
from analysis.project.quarters import parse_quarter
from analysis.stats import intervals
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Collection

SHARES = (TOP_SHARE, 1 - TOP_SHARE - LAGGARD_SHARE, LAGGARD_SHARE)  # best, middle, laggards
TIERS = ("aligned", "middle", "laggard")  # names for `bands.by_cut`
FEWEST_IN_TIER = 2
QUARTERS_IN_YEAR = 4


class NullSort(NamedTuple):
    """Mean growth of three groups sorted on growth itself, in the unit of `mean` and `sd`."""

    best: float
    middle: float
    laggard: float


def null_sort(mean: float, sd: float, shares: tuple[float, float, float] = SHARES) -> NullSort:
    """Return mean growth of three groups sorted by growth that is chance alone.

    Raises
    ------
    ValueError
        If `sd` is not above 0 or the shares do not sum to 1.

    Examples
    --------
    >>> best, middle, laggard = null_sort(6.87, 9.38)
    >>> round(best, 1), round(middle, 1), round(laggard, 1)
    (20.0, 8.1, -4.0)
    """
    if not sd > 0:
        raise ValueError(f"sd must be above 0, got {sd!r}")
    if abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0:
        raise ValueError(f"shares must be above 0 and sum to 1, got {shares!r}")
    upper, lower = stats.norm.ppf(1 - shares[0]), stats.norm.ppf(shares[2])
    density = stats.norm.pdf([lower, upper])
    standard = (
        density[1] / shares[0],
        (density[0] - density[1]) / shares[1],
        -density[0] / shares[2],
    )
    return NullSort(*(float(mean + sd * each) for each in standard))


def yearly_growth(
    team_quarter: pd.DataFrame, last_quarter: str, column: str = "bookings_amount"
) -> pd.Series[float]:
    """Return each team's log growth of the four quarters up to `last_quarter` on the four before
    [log a year].

    Raises
    ------
    CrmDataError
        If a quarter among the eight is partial or absent.
    """
    require_columns(team_quarter, ["team_id", "quarter", "is_partial", column], "team_quarter")
    last = parse_quarter(last_quarter)
    names = [str(last.shifted(-k)) for k in range(2 * QUARTERS_IN_YEAR)]
    rows = team_quarter[team_quarter["quarter"].isin(names)]
    require_rows(rows, "team_quarter", f"in the two years to {last_quarter}")
    partial = rows["is_partial"].to_numpy(bool)
    if partial.any():
        ids = ", ".join(rows.loc[partial, "team_id"].astype(str).unique()[:3])
        raise CrmDataError(
            f"team_quarter: a year's growth needs whole quarters, but {int(partial.sum())} of "
            f"{len(rows)} rows are partial (team_id {ids}). End at the last complete quarter."
        )
    wide = rows.set_index(["team_id", "quarter"])[column].unstack().reindex(columns=names)  # noqa: PD010
    this, before = (
        wide[part].sum(axis=1, min_count=QUARTERS_IN_YEAR) for part in (names[:4], names[4:])
    )
    both = (this > 0) & (before > 0)
    growth: pd.Series[float] = (this.where(both) / before.where(both)).transform("log")
    return growth.rename("growth")


def require_lagged(index_quarter: str, last_quarter: str) -> None:
    """Raise `ValueError` unless the index was measured before the year of growth it is held
    against.
    """
    first = parse_quarter(last_quarter).shifted(1 - QUARTERS_IN_YEAR)
    if parse_quarter(index_quarter) >= first:
        raise ValueError(
            f"index_quarter must be before {first}, where the growth begins, got {index_quarter}: "
            "an index measured within or after the growth it explains may follow from it"
        )


def require_apart(index_columns: Collection[str], outcome_columns: Collection[str]) -> None:
    """Raise `ValueError` if index and outcome are computed from a common column.

    That gap is arithmetic.
    """
    shared = sorted(set(index_columns) & set(outcome_columns))
    if shared:
        raise ValueError(f"index and outcome must share no column, got {', '.join(shared)} in both")


def require_not_growth(made_from: Collection[str]) -> None:
    """Raise `ValueError` if tiers would be made from an outcome.

    Sorting on growth is a gap by itself.
    """
    words = ("growth", "bookings", "won", "win_rate")
    outcomes = [name for name in sorted(made_from) if any(word in name for word in words)]
    if outcomes:
        raise ValueError(
            f"tiers must be made from practices, got {', '.join(outcomes)}: teams sorted by "
            "growth itself show 20% and -4% with no effect at all (tier_contrast.null_sort)"
        )


def growth_contrast(
    growth: pd.Series[float], tier: pd.Series[str], *, name: str = "tier_gap"
) -> Result:
    """Return growth of aligned less laggard teams.

    A difference, Welch's interval [percentage points].

    Parameters
    ----------
    growth : Series, one entry a team
        Log growth of a year.
    tier : Series, one entry a team
        ``aligned``, ``middle`` or ``laggard`` by the index of the year before.

    Raises
    ------
    CrmDataError
        If fewer than two teams are aligned, or laggards.
    """
    table = pd.DataFrame({"growth": growth, "tier": tier}).dropna()
    best, worst = (
        np.expm1(table.loc[table["tier"] == each, "growth"].to_numpy(float))
        for each in (TIERS[0], TIERS[2])
    )
    few = min(best.size, worst.size)
    if few < FEWEST_IN_TIER:
        raise CrmDataError(
            f"tiers: at least {FEWEST_IN_TIER} teams must be aligned and as many laggards, but "
            f"{best.size} and "
            f"{worst.size} of {len(table)} are. Show the teams by index instead of tiers."
        )
    interval = stats.ttest_ind(best, worst, equal_var=False).confidence_interval()
    return Result(
        name=name,
        estimate=100 * float(best.mean() - worst.mean()),
        low=100 * float(interval.low),
        high=100 * float(interval.high),
        unit="percentage points of yearly growth",
        n=len(table),
        n_of="teams",
        method=(
            f"mean growth of {best.size} aligned less {worst.size} laggard teams, Welch; tiers of "
            "the year before"
        ),
        source="team_quarter, alignment index",
        kind="difference",
    )


def table_by_tier(growth: pd.Series[float], tier: pd.Series[str]) -> pd.DataFrame:
    """Return one row a tier: ``tier``, ``n_teams``, mean ``growth`` with ``low`` and ``high``
    [percent a year]; without growth where it would be a single team's.
    """
    rows = []
    for each in TIERS:
        values = 100 * np.expm1(growth.where(tier == each).dropna().to_numpy(float))
        mean = float(values.mean()) if values.size >= FEWEST_IN_TIER else float("nan")
        reach = (
            intervals.t_quantile(values.size - 1)
            * float(values.std(ddof=1))
            / float(np.sqrt(values.size))
            if values.size > 1
            else float("nan")
        )
        rows.append((each, values.size, mean, mean - reach, mean + reach))
    return pd.DataFrame(rows, columns=["tier", "n_teams", "growth", "low", "high"])
