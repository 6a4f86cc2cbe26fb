"""What is left of the gap if adopters' trend before the start had gone on in a straight line.

By how much those who join later gain on the others each quarter is fitted on untreated team-quarters, beside
team and quarter effects, and taken on over the quarters since the start.  It is Rambachan and Roth's smoothness
bound at 0: trends may part, but not bend.  A slope is a poor forecast, so its interval is wide; it is asked for
a sign, not for an estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from analysis.models.growth import counterfactual
from analysis.models.growth.imputation import HORIZON, Effects, summary
from analysis.models.growth.panel import NEVER
from analysis.models.inference import jackknife
from analysis.models.inference.estimates import LEVEL
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from analysis.models.growth.panel import Panel, Vector


class Drift(NamedTuple):
    """What adopters gained on the others each quarter before the start [log a quarter], by jackknife."""

    estimate: float
    low: float
    high: float
    standard_error: float
    df: int
    level: float

    @property
    def excludes_zero(self) -> bool:
        """Whether there was a drift."""
        return self.low > 0 or self.high < 0

    def detectable(self, wanted: float = 0.8) -> float:
        """Return the drift whose interval would leave zero out with probability `wanted` [log a quarter]."""
        factor = stats.t.ppf((1 + self.level) / 2, self.df) + stats.t.ppf(wanted, self.df)
        return float(factor) * self.standard_error


def drift(whole: Panel, *, anticipation: int = 0, level: float = LEVEL) -> Drift:
    """Return the slope of adopters' outcomes before the start, against teams that are not in the programme.

    Raises
    ------
    CrmDataError
        If quarters before the start tell no slope of adopters' own, or none without one of the teams.
    """
    slope = _slopes(whole, _line(whole), counterfactual.leaving_out(len(whole.teams)), anticipation)
    df = slope.size - 2
    error = float(np.sqrt(jackknife.spread(slope[1:] - slope[0])))
    reach = float(stats.t.ppf((1 + level) / 2, df)) * error
    return Drift(float(slope[0]), float(slope[0]) - reach, float(slope[0]) + reach, error, df, level)


def estimate(
    whole: Panel, *, horizon: tuple[int, int] = HORIZON, anticipation: int = 0, level: float = LEVEL
) -> Effects:
    """Return the average effect over `horizon` beyond what the drift before the start comes to by then.

    Raises
    ------
    CrmDataError
        As `drift` and `imputation.estimate` do.
    """
    line, include = _line(whole), counterfactual.leaving_out(len(whole.teams))
    slope = _slopes(whole, line, include, anticipation)
    starts = np.broadcast_to(whole.starts, include.shape)
    events = np.arange(horizon[0], horizon[1] + 1)
    path, n_cells = counterfactual.paths(whole.matrix, starts, include, events, anticipation)
    gone_on = np.where(np.isnan(whole.matrix), np.nan, line)
    ahead, _ = counterfactual.paths(gone_on, starts, include, events, anticipation)
    method = "imputation, adopters' trend before the start taken on"
    return summary(whole, events, path - slope[:, None] * ahead, n_cells[0], method, level)


def _line(whole: Panel) -> Vector:
    """Return quarters since the middle one for adopters, 0 for others."""
    columns = np.arange(len(whole.quarters))
    return np.where(whole.starts[:, None] < NEVER, columns - columns.mean(), 0.0)


def _slopes(whole: Panel, line: Vector, include: npt.NDArray[np.bool_], anticipation: int) -> Vector:
    untreated = ~np.isnan(whole.matrix) & (np.arange(len(whole.quarters)) < (whole.starts - anticipation)[:, None])
    used = (untreated & include[:, :, None]).astype(float)
    slope = counterfactual.slope(np.nan_to_num(whole.matrix), line, used)
    if not np.isfinite(slope).all():
        n_joined = int((whole.starts < NEVER).sum())
        raise CrmDataError(
            f"{whole.outcome}: a drift needs 2 quarters before the start and teams that had not joined, but "
            f"{n_joined} of {len(whole.teams)} teams joined and tell none, or none without one of them.\n"
            "Compare again with a longer history."
        )
    return slope
