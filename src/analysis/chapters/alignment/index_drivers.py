"""Why the alignment index moved between two quarters: which practices.

A team's index is its practices' shares, weighed by points; what was not observed gives its weight
to the rest of its dimension.  On the practices observed of a team in both quarters that is a sum,
so that each practice's part is its own; what the two sets of practices do to the figure beyond
that is a part by itself, and so are the survey and teams that only one quarter has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.chapters.alignment import chapter, index
from analysis.stats.shapley import DriverSplit

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from analysis.chapters.alignment.chapter import Scored
    from analysis.chapters.alignment.index import Grid

OBSERVED = "Practices newly or no longer measured"
SURVEY, TEAMS = "Survey answers", "Teams that joined or left"


def index_drivers(scored: Scored, then: str, now: str) -> DriverSplit | None:
    """Return by how much each practice moved the company's index between two quarters [points].

    The ends are what `chapter.company_index` gives for the two quarters, from `scored`, which knows
    both.  Parts carry the practices' labels.  None where no team has an index in one of them.
    """
    rows = scored.aligned[scored.aligned["index"].notna()]
    old, new = (rows[rows["quarter"] == q].set_index("team_id") for q in (then, now))
    if old.empty or new.empty:
        return None
    ends = [chapter.company_index(scored.aligned, q).estimate for q in (then, now)]
    column = "headline" if "headline" in rows else "index"
    both = old.index.intersection(new.index)
    grid = index.evidence_grid(scored.evidence, scored.profile)
    labels = [item.label for item in grid.items]
    parts = dict.fromkeys([*labels, OBSERVED, SURVEY], 0.0)
    for team in both:
        before, after = (_place(grid, team, q) for q in (then, now))
        by_practice, observed = _team_split(grid, grid.share[before], grid.share[after])
        # The evidence's weight in the headline differs where the survey came or went: half each.
        weights = [_evidence_weight(t, team) for t in (old, new)]
        weight = sum(weights) / 2
        for label, part in zip(labels, by_practice, strict=True):
            parts[label] += weight * part / len(both)
        parts[OBSERVED] += weight * observed / len(both)
        whole = float(new[column][team] - old[column][team])
        parts[SURVEY] += (whole - weight * (float(by_practice.sum()) + observed)) / len(both)
    of_both = float(new[column][both].mean() - old[column][both].mean()) if len(both) else 0.0
    parts[TEAMS] = ends[1] - ends[0] - of_both
    return DriverSplit(ends[0], ends[1], parts)


def _place(grid: Grid, team: str, quarter: str) -> int:
    return int(grid.units.get_loc((team, quarter)))  # type: ignore[arg-type]


def _evidence_weight(rows: pd.DataFrame, team: str) -> float:
    has_survey = "has_survey" in rows and bool(rows["has_survey"][team])
    return chapter.EVIDENCE_WEIGHT if has_survey else 1.0


def _team_split(
    grid: Grid, then: npt.NDArray[np.float64], now: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], float]:
    """Return a team's change by practice, and what the practices observed do beyond [points]."""
    dimension = [item.dimension for item in grid.items]
    common = ~np.isnan(then) & ~np.isnan(now)

    def score(shares: npt.NDArray[np.float64]) -> float:
        return float(index.combine_shares(shares, grid.points, dimension))

    whole = score(now) - score(then)
    parts = np.zeros(len(then))
    if common.any():
        base = np.where(common, then, np.nan)
        start = score(base)
        for i in np.flatnonzero(common & (then != now)):
            moved = base.copy()
            moved[i] = now[i]
            parts[i] = score(moved) - start
    return parts, whole - float(parts.sum())
