"""The alignment index: one score from 0 to 100 for a team and quarter, with its interval and its
coverage.

An unobserved item is left out and the rest of its dimension takes its weight; under 70% of the
points observed there is no tier.  The interval says how sure the *measurement* is: the counts are
drawn again, not the teams.  Draws are centred on the observed shares and spread as counts are:
Jeffreys' prior alone would pull an index of 23 small counts towards 50 and find it too sure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.alignment import score_tiers
from analysis.chapters.alignment.items import Item, profile_items, require_practices
from analysis.project.errors import require_columns, require_rows
from analysis.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

MINIMUM_COVERAGE = 0.7
N_DRAWS = 500
KEY = ["team_id", "quarter"]


class Grid(NamedTuple):
    """Evidence as arrays, a row a team and quarter (`units`) and a column an item."""

    units: pd.MultiIndex
    items: tuple[Item, ...]
    share: np.ndarray
    n: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """The items' points."""
        return np.array([item.points for item in self.items])


def evidence_grid(evidence: pd.DataFrame, items: Sequence[Item] | str = "full") -> Grid:
    """Return evidence as arrays; an item it does not hold is unobserved."""
    chosen = profile_items(items) if isinstance(items, str) else tuple(items)
    require_practices(chosen)
    require_columns(evidence, [*KEY, "item", "share", "n"], "alignment evidence")
    require_rows(evidence, "alignment evidence", "to score")
    names = [item.id for item in chosen]
    share, n = (
        evidence.pivot_table(
            index=KEY, columns="item", values=column, aggfunc="first", dropna=False
        ).reindex(columns=names)
        for column in ("share", "n")
    )
    return Grid(
        pd.MultiIndex.from_tuples(share.index.tolist(), names=KEY),
        chosen,
        share.to_numpy(dtype="float64"),
        n.fillna(0.0).to_numpy(dtype="float64"),
    )


def combine_shares(share: np.ndarray, points: np.ndarray, dimension: Sequence[str]) -> np.ndarray:
    """Return scores from 0 to 100.

    Shares weighted by points, an unobserved item's go to its dimension.

    Parameters
    ----------
    share : array, last axis the items
        Missing where unobserved.
    points : array of items, or of sets of weights by items
    dimension : dimension of each item

    Returns
    -------
    array, `share` without its last axis, then one axis of sets of weights if there are any
        Missing where nothing was observed.

    Examples
    --------
    Half of 2 points and nothing of 1, one item of that dimension unobserved; all of the other's 3.

    >>> float(combine_shares(np.array([0.5, 0.0, np.nan, 1.0]), np.array([2.0, 1.0, 3.0, 3.0]), ["A", "A", "A", "B"]))
    55.55555555555556
    """  # noqa: E501
    has_share = ~np.isnan(share)
    filled = np.where(has_share, share, 0.0)
    sets = np.atleast_2d(points)
    above = np.zeros((*share.shape[:-1], len(sets)))
    below = np.zeros_like(above)
    for name in dict.fromkeys(dimension):
        mine = np.array([d == name for d in dimension])
        worth = sets[:, mine]
        observed = has_share[..., mine] @ worth.T
        score = filled[..., mine] @ worth.T / np.where(observed > 0, observed, 1.0)
        total = np.where(observed > 0, worth.sum(axis=1), 0.0)
        above += total * score
        below += total
    with np.errstate(invalid="ignore"):
        scores = 100 * above / np.where(below > 0, below, np.nan)
    return scores if points.ndim > 1 else scores[..., 0]


def draw_shares(cells: Grid, rng: np.random.Generator, n_draws: int = N_DRAWS) -> np.ndarray:
    """Return simulated shares, ``draws x units x items``, centred on those observed.

    Their variance is c (1 - c) / n with c = (k + 1/2) / (n + 1), above 0 where nothing or all was
    done.
    """
    is_drawn = ~np.isnan(cells.share) & np.isfinite(cells.n) & (cells.n > 0)
    share, n = cells.share[is_drawn], cells.n[is_drawn]
    a, b = share * n + 0.5, (1 - share) * n + 0.5
    drawn = np.broadcast_to(cells.share, (n_draws, *cells.share.shape)).copy()
    drawn[:, is_drawn] += (rng.beta(a, b, (n_draws, len(a))) - a / (a + b)) * np.sqrt((n + 2) / n)
    return drawn


def index_scores(
    evidence: pd.DataFrame,
    periods: pd.DataFrame,
    *,
    rng: np.random.Generator,
    items: Sequence[Item] | str = "full",
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Return the index from evidence alone, which is what inference uses.

    One row a team and quarter.

    Parameters
    ----------
    evidence : what `evidence.table` returns
    periods : panel ``quarters``
        ``quarter``, ``from_day``, ``until_day``.
    rng : seeded generator of the bootstrap
    items : items, or the name of a profile; ``core`` is rescaled to 100 and says so in
        ``profile_items``
    n_draws : draws of the bootstrap

    Returns
    -------
    DataFrame
        ``team_id``, ``quarter``, ``index`` [points of 100] with ``low``, ``high`` (95%) and
        ``standard_error``; ``coverage``, the share of the profile's points observed [0-1];
        ``tier``, missing under 0.7 coverage, ``tier_probability``, ``tier_says``, ``p_<tier>``;
        ``measured_from``, ``measured_to``, the first day not measured; ``profile_items``.

    Raises
    ------
    ValueError
        If an item is an outcome or a survey item.
    CrmDataError
        If a column is missing.
    """
    require_columns(periods, ["quarter", "from_day", "until_day"], "quarters")
    cells = evidence_grid(evidence, items)
    dimension = [item.dimension for item in cells.items]
    own = combine_shares(cells.share, cells.points, dimension)
    drawn = np.clip(
        combine_shares(draw_shares(cells, rng, n_draws), cells.points, dimension), 0, 100
    ).T
    has_score = ~np.isnan(own)
    low, high, error = (np.full(len(own), np.nan) for _ in range(3))
    low[has_score], high[has_score] = np.quantile(drawn[has_score], intervals.ENDS, axis=1)
    error[has_score] = drawn[has_score].std(axis=1, ddof=1)
    table = pd.DataFrame(
        {"index": own, "low": low, "high": high, "standard_error": error}, index=cells.units
    )
    table["coverage"] = (~np.isnan(cells.share)) @ cells.points / cells.points.sum()
    names = score_tiers.tier_certainty(np.nan_to_num(drawn), np.nan_to_num(own)).set_axis(
        cells.units
    )
    names.insert(0, "tier", score_tiers.tier_names(table["index"]))
    table = table.join(names.where((table["coverage"] >= MINIMUM_COVERAGE) & has_score))
    span = periods.set_index("quarter")
    quarter = table.index.get_level_values("quarter")
    table["measured_from"] = span["from_day"].reindex(quarter).to_numpy()
    table["measured_to"] = span["until_day"].reindex(quarter).to_numpy()
    table["profile"] = items if isinstance(items, str) else "own"
    return table.reset_index()
