"""The same gap by other means, side by side: what the headline leans on shows where they part.

Only the first is the answer, fixed beforehand; nobody picks from this table afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth import (
    callaway_santanna,
    counterfactual,
    entropy_balancing,
    imputation,
    parallel_trends,
)
from analysis.chapters.growth.panel import NEVER
from analysis.chapters.growth.verdict import log_points_percent
from analysis.project.errors import CrmDataError
from analysis.stats import intervals, jackknife

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.chapters.growth.assessment import Assessment
    from analysis.chapters.growth.imputation import GrowthEffects
    from analysis.chapters.growth.panel import Panel
    from analysis.stats.result import Kind

FORBIDDEN = "later_vs_earlier"  # teams that join held against teams that have joined


class _Row(NamedTuple):
    estimator: str
    percent: float
    low: float
    high: float
    n_teams: int
    kind: Kind
    convention: str


def compare_estimators(
    assessment: Assessment, segments: pd.Series[str] | None = None
) -> pd.DataFrame:
    """Return the gap by each estimator: one row an estimator, the headline first.

    Parameters
    ----------
    assessment : what `assessment.assess_growth` returns
    segments : Series, one entry a team_id
        For the weights; without, level and slope before the start alone.

    Returns
    -------
    DataFrame
        ``estimator``, ``log_points_percent``, ``low``, ``high`` [percent of the outcome],
        ``n_teams``, ``kind`` and ``convention``.  One the data cannot carry has no numbers, and
        says why in ``convention``.
    """
    whole, spec, kind = assessment.panel, assessment.specification, assessment.growth_gap.kind
    horizon, ahead = spec.horizon, spec.anticipation_quarters
    estimators: list[tuple[str, Kind, Callable[[], GrowthEffects]]] = [
        ("Imputation, no allowance for drift", kind, lambda: assessment.effects),
        (
            "Callaway-Sant'Anna",
            kind,
            lambda: callaway_santanna.estimate_by_cohort(whole, horizon=horizon),
        ),
        (
            "Never-joined weighted",
            kind,
            lambda: (
                entropy_balancing.estimate_weighted(
                    whole, segments, horizon=horizon, anticipation=ahead
                ).effects
            ),
        ),
        (
            "Trend before gone on",
            kind,
            lambda: imputation.estimate_beyond_drift(whole, horizon=horizon, anticipation=ahead),
        ),
    ]
    rows = []
    for name, of, get in estimators:
        try:
            effects = get()
        except CrmDataError as error:
            rows.append(_Row(name, np.nan, np.nan, np.nan, len(whole.teams), of, str(error)))
        else:
            ends = (
                log_points_percent(effects.estimate),
                log_points_percent(effects.low),
                log_points_percent(effects.high),
            )
            rows.append(_Row(name, *ends, effects.n_teams, of, effects.convention))
    answer = assessment.growth_gap
    first = _Row(
        "The answer: drift allowed for", answer.estimate, answer.low, answer.high, answer.n, kind,
        answer.method,
    )  # fmt: skip
    return pd.DataFrame([first, *rows, _two_way(whole)])


def _two_way(whole: Panel) -> _Row:
    """Return the row of a regression on team, quarter and having joined.

    A caution, not an answer.
    """
    n = len(whole.teams)
    joined = (np.arange(len(whole.quarters)) >= whole.starts[:, None]) & (
        whole.starts[:, None] < NEVER
    )
    used = (~np.isnan(whole.matrix) & counterfactual.leaving_out(n)[:, :, None]).astype(float)
    slope = counterfactual.slope_on_regressor(
        np.nan_to_num(whole.matrix), joined.astype(float), used
    )
    error = float(np.sqrt(jackknife.jackknife_spread(slope[1:] - slope[0])))
    reach = intervals.t_quantile(n - 1) * error
    middle, low, high = (
        log_points_percent(float(each)) for each in (slope[0], slope[0] - reach, slope[0] + reach)
    )
    convention = (
        f"all quarters since the start; jackknife by team (G = {n}); t({n - 1}); "
        f"{_forbidden(whole)}"
    )
    return _Row("Two-way regression, a caution", middle, low, high, n, "association", convention)


def _forbidden(whole: Panel) -> str:
    try:
        table = parallel_trends.goodman_bacon(whole)
    except CrmDataError:
        return (
            "weight on comparisons with teams that had joined before not known: the panel has gaps"
        )
    share = float(table.loc[table["comparison"] == FORBIDDEN, "weight"].sum())
    return (
        f"{share:.0%} of its weight on comparisons with teams that had joined before "
        "(Goodman-Bacon)"
    )
