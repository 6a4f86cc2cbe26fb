"""How much the weights matter, and which practice would move a team's index most.

The weights are a proposal: nobody has measured them.  So they are shaken, and what stays the same
is what may be said.  A gain is counted to a level other teams of the company reach, not to 100%.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models.alignment import bands
from analysis.models.alignment.index import Grid, combine, grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.alignment.items import Item

CONCENTRATION = 20.0  # of the Dirichlet: weights vary by about a fifth to a half of themselves
BEST_QUANTILE = 0.75
N_DRAWS = 500
GAINS = dict.fromkeys(["team_id", "item", "label"], "str") | dict.fromkeys(["share", "n", "target", "gain"], "float64")
GAINS |= {"rank": "int64"}
FEWEST = 3


def _of(evidence: pd.DataFrame, quarter: str, items: Sequence[Item] | str) -> Grid:
    held = grid(evidence[evidence["quarter"] == quarter], items)
    seen = (~np.isnan(held.share)).any(axis=0)
    kept = tuple(item for item, on in zip(held.items, seen, strict=True) if on)
    return held._replace(items=kept, share=held.share[:, seen], n=held.n[:, seen])


def sensitivity(
    evidence: pd.DataFrame,
    quarter: str,
    *,
    rng: np.random.Generator,
    items: Sequence[Item] | str = "full",
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Return what other weights would change in a quarter: one row a way of weighing; none where nothing was observed.

    Columns: ``weights``; ``correlation`` with our index; ``tier_agreement``, share of teams in the
    same criterion band, and ``norm_agreement``, in the same 20/50/30 place [0-1]; each the median over
    draws, with ``_p5``, the 5th percentile; ``largest_change`` of a team's index, the median
    over draws [points]; ``n`` teams.
    """
    held = _of(evidence, quarter, items)
    if not held.items:
        return pd.DataFrame(columns=["weights", "n"])
    dimension = [item.dimension for item in held.items]
    worth = held.points / held.points.sum()
    own = combine(held.share, worth, dimension)
    sets = {
        f"drawn around ours, Dirichlet({CONCENTRATION:.0f} w)": rng.dirichlet(CONCENTRATION * worth, n_draws),
        "all items equal": np.full((1, len(worth)), 1 / len(worth)),
    }
    rows = []
    for name, weights in sets.items():
        other = combine(held.share, weights, dimension)
        same = (bands.place(other) == bands.place(own)[:, None]).mean(axis=0)
        norm = (_ranks(other) == _ranks(own[:, None])).mean(axis=0)
        alike = _correlations(own, other)
        row: dict[str, object] = {"weights": name}
        for key, values in (("correlation", alike), ("tier_agreement", same), ("norm_agreement", norm)):
            row |= {key: float(np.median(values)), f"{key}_p5": float(np.quantile(values, 0.05))}
        rows.append(row | {"largest_change": float(np.median(np.abs(other - own[:, None]).max(axis=0))), "n": len(own)})
    return pd.DataFrame(rows)


def _correlations(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the correlation of `own` with each column of `other`; missing for fewer than three teams."""
    if len(own) < FEWEST or own.std() == 0:
        return np.full(other.shape[1], np.nan)
    a, b = own - own.mean(), other - other.mean(axis=0)
    spread = np.sqrt((a**2).sum() * (b**2).sum(axis=0))
    correlations: np.ndarray = a @ b / np.where(spread > 0, spread, np.nan)
    return correlations


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return 2 for the best fifth of each column, 0 for the last 30%, else 1; ties go lower."""
    top, _, laggard = bands.norm_counts(len(values))
    ordered = np.sort(values, axis=0)
    best = values > ordered[-top - 1]
    last = values <= ordered[laggard - 1] if laggard else np.zeros_like(best)
    return np.where(last, 0, np.where(best, 2, 1))


def gains(evidence: pd.DataFrame, quarter: str, *, items: Sequence[Item] | str = "full") -> pd.DataFrame:
    """Return what each practice would add to each team's index: one row a team and practice, largest first.

    The practice is brought to what the best quarter of the company's teams reach (the 75th
    percentile); a team that is there gains nothing.  An unobserved practice has no gain.

    Columns: ``team_id``, ``item``, ``label``, ``share`` today of ``n``, ``target`` [0-1], ``gain`` [points of
    100] and ``rank`` within the team, 1 the largest.
    """
    held = _of(evidence, quarter, items)
    if not held.items:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in GAINS.items()})
    dimension = [item.dimension for item in held.items]
    own = combine(held.share, held.points, dimension)
    targets = np.nanquantile(held.share, BEST_QUANTILE, axis=0)
    parts = []
    for i, item in enumerate(held.items):
        raised = held.share.copy()
        raised[:, i] = np.fmax(raised[:, i], np.where(np.isnan(raised[:, i]), np.nan, targets[i]))
        parts.append(
            pd.DataFrame(
                {
                    "team_id": held.units.get_level_values("team_id"),
                    "item": item.id,
                    "label": item.label,
                    "share": held.share[:, i],
                    "n": held.n[:, i],
                    "target": targets[i],
                    "gain": combine(raised, held.points, dimension) - own,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True).dropna(subset=["share"])
    table = table.sort_values(["team_id", "gain", "item"], ascending=[True, False, True], ignore_index=True)
    return table.assign(rank=table.groupby("team_id").cumcount() + 1)


def next_practice(gained: pd.DataFrame) -> pd.DataFrame:
    """Return the practice that would move each team's index most: one row a team that has any to gain."""
    return gained[(gained["rank"] == 1) & (gained["gain"] > 0)].drop(columns="rank").reset_index(drop=True)
