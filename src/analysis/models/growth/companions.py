"""The same gap by other means, side by side: what the headline leans on shows where they part.

Only the first is the answer, fixed beforehand; nobody picks from this table afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.models.growth import counterfactual, extrapolation, honest, weighted
from analysis.models.growth.panel import NEVER
from analysis.models.growth.verdict import percent
from analysis.models.inference import jackknife
from analysis.models.inference.estimates import LEVEL
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.models.growth.assessment import Assessment
    from analysis.models.growth.imputation import Effects
    from analysis.models.growth.panel import Panel
    from analysis.models.result import Kind

FORBIDDEN = "later_vs_earlier"  # teams that join held against teams that have joined


class _Row(NamedTuple):
    estimator: str
    percent: float
    low: float
    high: float
    n_teams: int
    kind: Kind
    convention: str


def companions(assessment: Assessment, segments: pd.Series[str] | None = None) -> pd.DataFrame:
    """Return the gap by each estimator: one row an estimator, the headline first.

    Parameters
    ----------
    assessment : what `assessment.assess` returns
    segments : Series, one entry a team_id
        For the weights; without, level and slope before the start alone.

    Returns
    -------
    DataFrame
        ``estimator``, ``percent``, ``low``, ``high`` [percent of the outcome], ``n_teams``, ``kind`` and
        ``convention``.  One the data cannot carry has no numbers, and says why in ``convention``.
    """
    whole, spec, kind = assessment.panel, assessment.specification, assessment.growth_gap.kind
    horizon, ahead = spec.horizon, spec.anticipation_quarters
    asked: list[tuple[str, Kind, Callable[[], Effects]]] = [
        ("Imputation (the answer)", kind, lambda: assessment.evidence.effects),
        ("Callaway-Sant'Anna", kind, lambda: assessment.evidence.companion),
        ("Never-joined weighted", kind,
         lambda: weighted.estimate(whole, segments, horizon=horizon, anticipation=ahead).effects),
        ("Trend before gone on", kind, lambda: extrapolation.estimate(whole, horizon=horizon, anticipation=ahead)),
    ]  # fmt: skip
    rows = []
    for name, of, get in asked:
        try:
            got = get()
        except CrmDataError as error:
            rows.append(_Row(name, np.nan, np.nan, np.nan, len(whole.teams), of, str(error)))
        else:
            ends = percent(got.estimate), percent(got.low), percent(got.high)
            rows.append(_Row(name, *ends, got.n_teams, of, got.convention))
    return pd.DataFrame([*rows, _two_way(whole)])


def _two_way(whole: Panel) -> _Row:
    """Return the row of a regression on team, quarter and having joined: a caution, not an answer."""
    n = len(whole.teams)
    joined = (np.arange(len(whole.quarters)) >= whole.starts[:, None]) & (whole.starts[:, None] < NEVER)
    used = (~np.isnan(whole.matrix) & counterfactual.leaving_out(n)[:, :, None]).astype(float)
    slope = counterfactual.slope(np.nan_to_num(whole.matrix), joined.astype(float), used)
    error = float(np.sqrt(jackknife.spread(slope[1:] - slope[0])))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error
    middle, low, high = (percent(float(each)) for each in (slope[0], slope[0] - reach, slope[0] + reach))
    convention = f"all quarters since the start; jackknife by team (G = {n}); t({n - 1}); {_forbidden(whole)}"
    return _Row("Two-way regression, a caution", middle, low, high, n, "association", convention)


def _forbidden(whole: Panel) -> str:
    try:
        table = honest.goodman_bacon(whole)
    except CrmDataError:
        return "weight on comparisons with teams that had joined before not known: the panel has gaps"
    share = float(table.loc[table["comparison"] == FORBIDDEN, "weight"].sum())
    return f"{share:.0%} of its weight on comparisons with teams that had joined before (Goodman-Bacon)"
