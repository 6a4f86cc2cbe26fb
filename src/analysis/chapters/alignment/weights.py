"""How much the weights matter, and which practice would move a team's index most.

The weights are a proposal: nobody has measured them.  So they are shaken, and what stays the same
is what may be said.  A gain is counted to a level other teams of the company reach, not to 100%.

Which practice to change first in each team, and the hours and money that are in play with it.

What a practice would move of the index is arithmetic; what it would move of bookings is what growth
asks. In between lie hours: those the team's reps spend on what the practice's dimension is there to
spare.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.alignment import score_tiers
from analysis.chapters.alignment.index import Grid, combine_shares, evidence_grid
from analysis.chapters.alignment.items import ITEMS
from analysis.project.errors import require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.alignment.items import Item
    from analysis.stats.result import Result

CONCENTRATION = 20.0  # of the Dirichlet: weights vary by about a fifth to a half of themselves
BEST_QUANTILE = 0.75
N_DRAWS = 500
GAINS = dict.fromkeys(["team_id", "item", "label"], "str") | dict.fromkeys(
    ["share", "n", "target", "gain"], "float64"
)
GAINS |= {"rank": "int64"}
FEWEST = 3


def _of(evidence: pd.DataFrame, quarter: str, items: Sequence[Item] | str) -> Grid:
    cells = evidence_grid(evidence[evidence["quarter"] == quarter], items)
    has_evidence = (~np.isnan(cells.share)).any(axis=0)
    items_with_evidence = tuple(
        item for item, on in zip(cells.items, has_evidence, strict=True) if on
    )
    return cells._replace(
        items=items_with_evidence, share=cells.share[:, has_evidence], n=cells.n[:, has_evidence]
    )


def weight_sensitivity(
    evidence: pd.DataFrame,
    quarter: str,
    *,
    rng: np.random.Generator,
    items: Sequence[Item] | str = "full",
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Return what other weights would change in a quarter: one row a way of weighing.

    None where nothing was observed.

    Columns: ``weights``; ``correlation`` with our index; ``tier_agreement``, share of teams in the
    same criterion band, and ``norm_agreement``, in the same 20/50/30 place [0-1]; each the median
    over draws, with ``_p5``, the 5th percentile; ``largest_change`` of a team's index, the median
    over draws [points]; ``n`` teams.
    """
    cells = _of(evidence, quarter, items)
    if not cells.items:
        return pd.DataFrame(columns=["weights", "n"])
    dimension = [item.dimension for item in cells.items]
    worth = cells.points / cells.points.sum()
    own = combine_shares(cells.share, worth, dimension)
    sets = {
        f"drawn around ours, Dirichlet({CONCENTRATION:.0f} w)": rng.dirichlet(
            CONCENTRATION * worth, n_draws
        ),
        "all items equal": np.full((1, len(worth)), 1 / len(worth)),
    }
    rows = []
    for name, weights in sets.items():
        other = combine_shares(cells.share, weights, dimension)
        same = (score_tiers.tier_numbers(other) == score_tiers.tier_numbers(own)[:, None]).mean(
            axis=0
        )
        norm = (_ranks(other) == _ranks(own[:, None])).mean(axis=0)
        alike = _correlations(own, other)
        row: dict[str, object] = {"weights": name}
        for key, values in (
            ("correlation", alike),
            ("tier_agreement", same),
            ("norm_agreement", norm),
        ):
            row |= {key: float(np.median(values)), f"{key}_p5": float(np.quantile(values, 0.05))}
        rows.append(
            row
            | {
                "largest_change": float(np.median(np.abs(other - own[:, None]).max(axis=0))),
                "n": len(own),
            }
        )
    return pd.DataFrame(rows)


def _correlations(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the correlation of `own` with each column of `other`.

    Missing for fewer than three teams.
    """
    if len(own) < FEWEST or own.std() == 0:
        return np.full(other.shape[1], np.nan)
    a, b = own - own.mean(), other - other.mean(axis=0)
    spread = np.sqrt((a**2).sum() * (b**2).sum(axis=0))
    correlations: np.ndarray = a @ b / np.where(spread > 0, spread, np.nan)
    return correlations


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return 2 for the best fifth of each column, 0 for the last 30%, else 1; ties go lower."""
    top, _, laggard = score_tiers.norm_counts(len(values))
    ordered = np.sort(values, axis=0)
    best = values > ordered[-top - 1]
    last = values <= ordered[laggard - 1] if laggard else np.zeros_like(best)
    return np.where(last, 0, np.where(best, 2, 1))


def practice_gains(
    evidence: pd.DataFrame,
    quarter: str,
    *,
    items: Sequence[Item] | str = "full",
    reader: str | None = None,
    fewest: int = 1,
) -> pd.DataFrame:
    """Return what each practice would add to each team's index.

    One row a team and practice, largest first.

    The practice is brought to what the best quarter of the company's teams reach (the 75th
    percentile); a team that is there gains nothing.  An unobserved practice has no gain.  For a
    `reader`, a team that may know no other's figures, it is the mean of the best quarter of the
    others, of at least `fewest`, and only that team has rows; of fewer there is no target.

    Columns: ``team_id``, ``item``, ``label``, ``share`` today of ``n``, ``target`` [0-1], ``gain``
    [points of 100] and ``rank`` within the team, 1 the largest.
    """
    cells = _of(evidence, quarter, items)
    if not cells.items:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in GAINS.items()})
    dimension = [item.dimension for item in cells.items]
    own = combine_shares(cells.share, cells.points, dimension)
    teams = cells.units.get_level_values("team_id")
    if reader is None:
        targets = np.nanquantile(cells.share, BEST_QUANTILE, axis=0)
    else:
        targets = np.array([_mean_of_best(x, fewest) for x in cells.share[teams != reader].T])
    parts = []
    for i, item in enumerate(cells.items):
        raised = cells.share.copy()
        raised[:, i] = np.fmax(raised[:, i], np.where(np.isnan(raised[:, i]), np.nan, targets[i]))
        parts.append(
            pd.DataFrame(
                {
                    "team_id": teams,
                    "item": item.id,
                    "label": item.label,
                    "share": cells.share[:, i],
                    "n": cells.n[:, i],
                    "target": targets[i],
                    "gain": combine_shares(raised, cells.points, dimension) - own,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True).dropna(subset=["share"])
    table = table if reader is None else table[table["team_id"] == reader]
    table["gain"] = table["gain"].where(table["target"].notna())
    table = table.sort_values(
        ["team_id", "gain", "item"], ascending=[True, False, True], ignore_index=True
    )
    return table.assign(rank=table.groupby("team_id").cumcount() + 1)


def _mean_of_best(shares: np.ndarray, fewest: int) -> float:
    """Return the mean of the best quarter of `shares`, of at least `fewest`; NaN of fewer.

    Examples
    --------
    >>> _mean_of_best(np.array([0.2, np.nan, 0.9, 0.8, 0.7]), 3)
    0.8
    >>> _mean_of_best(np.array([0.2, np.nan, 0.9]), 3)
    nan
    """
    ranked_shares = np.sort(shares[~np.isnan(shares)])[::-1]
    n = max(fewest, math.ceil((1 - BEST_QUANTILE) * len(ranked_shares)))
    return round(float(ranked_shares[:n].mean()), 12) if len(ranked_shares) >= n else math.nan


def next_practice(gained: pd.DataFrame) -> pd.DataFrame:
    """Return the practice that would move each team's index most.

    One row a team that has any to gain.
    """
    return (
        gained[(gained["rank"] == 1) & (gained["gain"] > 0)]
        .drop(columns="rank")
        .reset_index(drop=True)
    )


# What a dimension is there to spare a rep.  An assumption of ours: no table links a practice to an
# hour.
SPARES: dict[str, tuple[str, ...]] = {
    "D1": ("prospecting_class_hours",),
    "D2": ("internal_class_hours",),
    "D3": ("internal_class_hours",),
    "D4": ("prospecting_class_hours",),
    "D5": ("preparation_class_hours", "admin_class_hours"),
}


def hours_in_play(
    first: pd.DataFrame,
    stays: pd.DataFrame,
    teams: pd.DataFrame,
    *,
    cost_of_hour: Result,
    smallest_cell: int,
) -> pd.DataFrame:
    """Return the practice to change first in each team, most money in play first: one row a team.

    At most that part of a dimension's hours is in play which the practice has of its points, times
    the gap to be closed.  It is an upper end, not an estimate of what will be saved.

    Parameters
    ----------
    first : what `weights.next_practice` returns
    stays : rows of ``rep_quarter`` of the quarter reported
    teams : clean table ``teams``
    cost_of_hour : of a working hour [currency/h]; missing where pay is not known
    smallest_cell : reps below which that cost would tell what each is paid, so that no amount is
        given

    Returns
    -------
    DataFrame
        ``team``, ``n_reps``, ``practice``, ``today`` and ``target`` [0-1], ``gain`` [points of the
        index], ``hours`` [h a quarter] and ``amount`` [currency a quarter], the most that is in
        play.
    """
    require_columns(first, ["team_id", "item", "label", "share", "target", "gain"], "practices")
    columns = sorted({name for several in SPARES.values() for name in several})
    require_columns(stays, ["team_id", "rep_id", *columns], "rep_quarter")
    spent = stays.groupby("team_id")[columns].sum(min_count=1)
    by_id = {item.id: item for item in ITEMS}
    points = pd.Series({item.id: item.points for item in ITEMS})
    whole = points.groupby({item.id: item.dimension for item in ITEMS}).sum()
    table = first.merge(
        stays.groupby("team_id")["rep_id"].nunique().rename("n_reps"), on="team_id", how="left"
    )
    table = table.merge(teams[["team_id", "team_name"]], on="team_id", how="left")
    dimension = table["item"].map(lambda name: by_id[name].dimension)
    at_hand = [
        spent.loc[team, list(SPARES[d])].sum(min_count=1) if team in spent.index else float("nan")
        for team, d in zip(table["team_id"], dimension, strict=True)
    ]
    part = table["item"].map(points).astype("float64") / dimension.map(whole).astype("float64")
    hours = (
        pd.Series(at_hand, table.index, dtype="float64") * part * (table["target"] - table["share"])
    )
    rows = pd.DataFrame(
        {
            "team": table["team_name"].fillna(table["team_id"]),
            "n_reps": table["n_reps"].fillna(0).astype("int64"),
            "practice": table["label"],
            "today": table["share"],
            "target": table["target"],
            "gain": table["gain"],
            "hours": hours,
            "amount": hours
            * (cost_of_hour.estimate if cost_of_hour.n >= smallest_cell else math.nan),
        }
    )
    return rows.sort_values(["hours", "team"], ascending=[False, True], ignore_index=True)
