"""What analysts see of growth beside the chapter: other dates, other means, bounds, weights, slopes, what would tell.

A table that the data cannot carry has one row that says why.  None of them is the answer, which was fixed beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models.alignment import bands
from analysis.models.growth import (
    association,
    chapter,
    companions,
    decomposition,
    guards,
    honest,
    power,
    staggered,
    tiers,
)
from analysis.quarters import quarter
from analysis.schema import CrmDataError, require_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.models.growth.assessment import Assessment
    from analysis.models.growth.association import Association
    from analysis.models.growth.chapter import Told
    from analysis.models.result import Result

GAPS = (5.0, 10.0, 15.0, 24.0)  # true gaps [percent] for which is shown how often they would be found
WAITED = (0, 1, 2, 4)  # quarters
PER_REP = {"n_leads": "leads_per_rep", "selling_hours": "selling_hours_per_rep"}  # what may part the groups


def tables(
    growth: Told, team_quarter: pd.DataFrame, scores: pd.DataFrame, last_quarter: str, *, reliability: float,
    low: float, high: float,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Return the tables of analysts by what they show.

    Parameters
    ----------
    growth : what `chapter.told` returns
    team_quarter : panel, a team and quarter
    scores : what `alignment.index.scores` returns
    last_quarter : end of the year of growth
    reliability : of the index across teams [0-1]; not above 0: not known
    low, high : cuts of the index, as `chapter.by_tier` takes them
    """
    if growth.made is None:
        return {"checks": chapter.reservations(growth)}
    made = growth.made
    before = str(quarter(last_quarter).shifted(-tiers.QUARTERS_IN_YEAR))
    index = scores[scores["quarter"] == before].set_index("team_id")["index"]
    segments = team_quarter.drop_duplicates("team_id").set_index("team_id")["segment"]
    named = bands.by_cut(index, low=low, high=high, names=tiers.TIERS)

    def yearly() -> pd.Series[float]:
        return tiers.yearly_growth(team_quarter, last_quarter)

    asked: dict[str, Callable[[], pd.DataFrame]] = {
        "the gap by other means [percent]": lambda: companions.companions(made, segments),
        "had the start come earlier [log points]": lambda: guards.placebo_dates(made.panel),
        "if trends part [log points]": lambda: honest.table(honest.periods(staggered.around_start(made.panel))),
        "weights of a two-way regression": lambda: honest.goodman_bacon(made.panel),
        "growth on the index of the year before": lambda: slopes(
            association.on_lagged_index(yearly(), index, reliability=reliability if reliability > 0 else None)
        ),
        "aligned less laggard teams, by what they have [log a year]": lambda: decomposed(
            yearly(), named, per_rep(team_quarter, before)
        ),
        "adopters by segment [log points]": lambda: association.by_segment(made.panel, segments),
    }
    return {
        "activity and wins [percent]": made.activity,
        "looks [percent]": pd.DataFrame(made.looks),
        "what would be found": what_would_tell(made),
        **{name: _or_why(table) for name, table in asked.items()},
    }


def what_would_tell(made: Assessment) -> pd.DataFrame:
    """Return how often gaps would be found now, and what could be found after waiting: one row a question.

    Columns: ``question``, ``value``, ``unit``; by the interval alone, whatever the other checks say.
    """
    effects, spec = made.evidence.effects, made.specification
    rows: list[tuple[str, float, str]] = [
        (f"a true gap of {gap:g}% would be found", power.share_found(effects, gap, alpha=spec.alpha), "probability")
        for gap in GAPS
    ]
    for n in WAITED:
        gap = power.after_waiting(
            made.panel, effects, n, wanted=spec.power, alpha=spec.alpha, last_event=spec.horizon[1]
        )
        rows.append((f"smallest gap found with power {spec.power:g} after {n} more quarters", gap, "percent"))
    return pd.DataFrame(rows, columns=["question", "value", "unit"])


def slopes(got: Association) -> pd.DataFrame:
    """Return the slope as measured and without error in the index: one row each, and how robust it is.

    Columns: those of a result that are of use, and ``robustness_value`` with ``robustness_value_alpha``: the share of
    what is left of index and growth that something unseen had to explain to bring the slope as measured to 0, or to
    make it insignificant [0-1].
    """
    several: list[Result] = [each for each in (got.measured, got.corrected) if each]
    table = pd.DataFrame(several)[["name", "estimate", "low", "high", "unit", "n", "n_of", "method", "kind"]]
    only_measured = table["name"] == got.measured.name
    return table.assign(
        robustness_value=np.where(only_measured, got.robustness.value, np.nan),
        robustness_value_alpha=np.where(only_measured, got.robustness.value_alpha, np.nan),
    )


def per_rep(team_quarter: pd.DataFrame, last_quarter: str) -> pd.DataFrame:
    """Return what teams had for each rep in the year up to `last_quarter`: one row a team, those of `PER_REP`.

    A column of which the panel holds nothing is left out.
    """
    require_columns(team_quarter, ["team_id", "quarter", "average_reps"], "team_quarter")
    names = {str(quarter(last_quarter).shifted(-k)) for k in range(tiers.QUARTERS_IN_YEAR)}
    rows = team_quarter[team_quarter["quarter"].isin(names)]
    held = [name for name in PER_REP if name in rows.columns and rows[name].notna().any()]
    sums = rows.groupby("team_id")[[*held, "average_reps"]].sum(min_count=1)
    shares: pd.DataFrame = sums[held].div(sums["average_reps"].where(sums["average_reps"] > 0), axis="index")
    return shares.rename(columns=PER_REP)


def decomposed(growth: pd.Series[float], tier: pd.Series[str], regressors: pd.DataFrame) -> pd.DataFrame:
    """Return what of the gap between aligned and laggard teams is what they have: a row a part and regressor.

    As many of `regressors`, a row a team, are taken as the smaller group can carry, at least one.  Columns: those of
    `decomposition.oaxaca_blinder`, and ``n_aligned`` and ``n_laggard`` teams.
    """
    rows = regressors.assign(growth=growth, tier=tier).dropna()
    rows = rows[rows["tier"].isin([tiers.TIERS[0], tiers.TIERS[2]])]
    is_aligned = rows["tier"] == tiers.TIERS[0]
    smaller = min(int(is_aligned.sum()), int((~is_aligned).sum()))
    n = max(smaller // decomposition.TEAMS_PER_REGRESSOR, 1)
    got = decomposition.oaxaca_blinder(
        rows.assign(is_aligned=is_aligned).reset_index(names="team_id"), outcome="growth",
        regressors=list(regressors.columns)[:n], group="is_aligned", cluster="team_id", rng=np.random.default_rng(0),
    )  # fmt: skip
    return got.parts.assign(n_aligned=got.n_teams[0], n_laggard=got.n_teams[1])


def _or_why(table: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    try:
        return table()
    except (CrmDataError, ValueError) as error:
        return pd.DataFrame({"cannot be told": [str(error)]})


def shown(several: dict[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the tables with their names in the corner, for a notebook to display."""
    return [table.rename_axis(columns=name) for name, table in several.items()]
