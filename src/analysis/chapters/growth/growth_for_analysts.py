"""Tables on growth that only analysts look at.

Other dates, other means, bounds, weights, slopes, how often a true gap would earn a word.

A table that these data cannot support has one row that says why. None of the tables is the answer:
that was fixed beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.alignment import score_tiers
from analysis.chapters.growth import (
    association,
    callaway_santanna,
    growth_answer,
    guards,
    other_estimators,
    parallel_trends,
    power,
    tier_contrast,
)
from analysis.project.errors import CrmDataError, require_columns
from analysis.project.quarters import parse_quarter

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.chapters.growth.association import Association
    from analysis.chapters.growth.growth_answer import GrowthAnswer
    from analysis.stats.result import Result

PER_REP = {
    "n_leads": "leads_per_rep",
    "selling_hours": "selling_hours_per_rep",
}  # what may part the groups


def growth_tables(
    growth: GrowthAnswer,
    team_quarter: pd.DataFrame,
    scores: pd.DataFrame,
    last_quarter: str,
    *,
    reliability: float,
    low: float,
    high: float,
) -> dict[str, pd.DataFrame]:
    """Return the tables of analysts by what they show.

    Parameters
    ----------
    growth : what `growth_answer.answer_growth` returns
    team_quarter : panel, a team and quarter
    scores : what `index.index_scores` returns
    last_quarter : end of the year of growth
    reliability : of the index across teams [0-1]; not above 0: not known
    low, high : cuts of the index, as `growth_answer.by_tier` takes them
    """
    if growth.assessment is None:
        return {"checks": growth_answer.checks_of_answer(growth)}
    assessment = growth.assessment
    before = str(parse_quarter(last_quarter).shifted(-tier_contrast.QUARTERS_IN_YEAR))
    index = scores[scores["quarter"] == before].set_index("team_id")["index"]
    segments = team_quarter.drop_duplicates("team_id").set_index("team_id")["segment"]
    named = score_tiers.by_cut(index, low=low, high=high, names=tier_contrast.TIERS)

    def yearly() -> pd.Series[float]:
        return tier_contrast.yearly_growth(team_quarter, last_quarter)

    table_makers: dict[str, Callable[[], pd.DataFrame]] = {
        "the gap by other means [percent]": lambda: other_estimators.compare_estimators(
            assessment, segments
        ),
        "had the start come earlier [log points]": lambda: guards.placebo_dates(assessment.panel),
        "does the index follow growth [points per log point]": lambda: guards.lead_table(
            assessment.panel, scores.rename(columns={"index": "alignment_index"})
        ),
        "if trends part [log points]": lambda: parallel_trends.bounds_table(
            parallel_trends.trend_periods(callaway_santanna.around_start(assessment.panel))
        ),
        "weights of a two-way regression": lambda: parallel_trends.goodman_bacon(assessment.panel),
        "growth on the index of the year before": lambda: index_slopes(
            association.on_lagged_index(
                yearly(), index, reliability=reliability if reliability > 0 else None
            )
        ),
        "aligned less laggard teams, by what they have [log a year]": lambda: decompose_gap(
            yearly(), named, per_rep(team_quarter, before)
        ),
        "adopters by segment [log points]": lambda: association.by_segment(
            assessment.panel, segments
        ),
    }
    return {
        "activity and wins [percent]": assessment.activity,
        "how often a true gap would earn a word": power.power_table(
            *assessment.graded.bookings[:2], assessment.specification
        ),
        **{name: _or_why(table) for name, table in table_makers.items()},
    }


def index_slopes(association: Association) -> pd.DataFrame:
    """Return the slope as measured, and corrected for error in the index.

    One row each, and how robust it is.

    Columns: those of a result that are of use, and ``robustness_value`` with
    ``robustness_value_alpha``: the share of what is left of index and growth that something unseen
    had to explain to bring the slope as measured to 0, or to make it insignificant [0-1].
    """
    several: list[Result] = [each for each in (association.measured, association.corrected) if each]
    table = pd.DataFrame(several)[
        ["name", "estimate", "low", "high", "unit", "n", "n_of", "method", "kind"]
    ]
    only_measured = table["name"] == association.measured.name
    return table.assign(
        robustness_value=np.where(only_measured, association.robustness.value, np.nan),
        robustness_value_alpha=np.where(only_measured, association.robustness.value_alpha, np.nan),
    )


def per_rep(team_quarter: pd.DataFrame, last_quarter: str) -> pd.DataFrame:
    """Return inputs and outcomes of teams per rep in the year up to `last_quarter`.

    One row a team, those of `PER_REP`.

    A column without any value in the panel is left out.
    """
    require_columns(team_quarter, ["team_id", "quarter", "average_reps"], "team_quarter")
    names = {
        str(parse_quarter(last_quarter).shifted(-k)) for k in range(tier_contrast.QUARTERS_IN_YEAR)
    }
    rows = team_quarter[team_quarter["quarter"].isin(names)]
    measured = [name for name in PER_REP if name in rows.columns and rows[name].notna().any()]
    sums = rows.groupby("team_id")[[*measured, "average_reps"]].sum(min_count=1)
    shares: pd.DataFrame = sums[measured].div(
        sums["average_reps"].where(sums["average_reps"] > 0), axis="index"
    )
    return shares.rename(columns=PER_REP)


def decompose_gap(
    growth: pd.Series[float], tier: pd.Series[str], regressors: pd.DataFrame
) -> pd.DataFrame:
    """Return how much of the gap between aligned and laggard teams their segments, reps and other
    inputs explain.

    A row a part and regressor.

    As many of `regressors`, a row a team, are taken as the smaller group can carry, at least one.
    Columns: those of `association.oaxaca_blinder`, and ``n_aligned`` and ``n_laggard`` teams.
    """
    rows = regressors.assign(growth=growth, tier=tier).dropna()
    rows = rows[rows["tier"].isin([tier_contrast.TIERS[0], tier_contrast.TIERS[2]])]
    is_aligned = rows["tier"] == tier_contrast.TIERS[0]
    smaller = min(int(is_aligned.sum()), int((~is_aligned).sum()))
    n = max(smaller // association.TEAMS_PER_REGRESSOR, 1)
    parts = association.oaxaca_blinder(
        rows.assign(is_aligned=is_aligned).reset_index(names="team_id"),
        outcome="growth",
        regressors=list(regressors.columns)[:n],
        group="is_aligned",
        cluster="team_id",
        rng=np.random.default_rng(0),
    )
    return parts.parts.assign(n_aligned=parts.n_teams[0], n_laggard=parts.n_teams[1])


def _or_why(table: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    try:
        return table()
    except (CrmDataError, ValueError) as error:
        return pd.DataFrame({"cannot be told": [str(error)]})


def captioned_tables(several: dict[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the tables with their names in the corner, for a notebook to display."""
    return [table.rename_axis(columns=name) for name, table in several.items()]
