"""Why bookings and the win rate moved between two quarters: their drivers.

Bookings are heads x deals closed per head x win rate x size of a deal won.  The win rate is each
segment's own, weighed by the deals it closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.project.errors import require_columns
from analysis.stats.shapley import DriverSplit, shapley_split

if TYPE_CHECKING:
    import pandas as pd

HEADS, CLOSED_PER_HEAD, WIN_RATE, DEAL_SIZE = (
    "heads",
    "opportunities per rep",
    "win rate",
    "deal size",
)
CLOSED = "opportunities"
MIX, RATE_WITHIN = "mix of segments", "win rate within segments"
RATE_OF_ALL = "win rate of all"
NO_SEGMENT = "no segment"


def bookings_drivers(then: pd.DataFrame, now: pd.DataFrame) -> DriverSplit | None:
    """Return by how much heads, opportunities, win rate and deal size moved bookings.

    `then` and `now` are panel ``team_quarter`` of one quarter each.  Opportunities are those closed
    in the quarter, per rep; where no team's heads are known, all of them.  None where a quarter won
    nothing, so that a deal has no size.
    """
    quarters = [_sums(teams) for teams in (then, now)]
    if not all(q["won"] > 0 for q in quarters):
        return None
    has_heads = all(q["heads"] > 0 for q in quarters)
    heads = [q["heads"] if has_heads else 1.0 for q in quarters]
    factors = {
        **({HEADS: heads} if has_heads else {}),
        CLOSED_PER_HEAD if has_heads else CLOSED: [
            q["closed"] / h for q, h in zip(quarters, heads, strict=True)
        ],
        WIN_RATE: [q["won"] / q["closed"] for q in quarters],
        DEAL_SIZE: [q["bookings"] / q["won"] for q in quarters],
    }

    def figure(is_now: frozenset[str]) -> float:
        product = 1.0
        for name, ends in factors.items():
            product *= ends[name in is_now]
        return product

    return shapley_split(list(factors), figure)


def win_rate_drivers(then: pd.DataFrame, now: pd.DataFrame) -> DriverSplit | None:
    """Return by how much the mix of segments and their own win rates moved the win rate.

    A segment that closed nothing in one of the quarters counts as mix.  A company of one segment
    has its own win rate alone for a driver.  None where a quarter closed nothing.
    """
    tables = [_by_segment(teams) for teams in (then, now)]
    segments = tables[0].index.union(tables[1].index)
    old, new = (table.reindex(segments) for table in tables)
    if not all(table["closed"].sum() > 0 for table in (old, new)):
        return None
    weights = [(t["closed"] / t["closed"].sum()).fillna(0.0).to_numpy() for t in (old, new)]
    rates = [t["won"] / t["closed"].where(t["closed"] > 0) for t in (old, new)]
    both = [rates[0].fillna(rates[1]).to_numpy(), rates[1].fillna(rates[0]).to_numpy()]

    def figure(is_now: frozenset[str]) -> float:
        return float((weights[MIX in is_now] * both[RATE_WITHIN in is_now]).sum())

    split = shapley_split([MIX, RATE_WITHIN], figure)
    return split if len(segments) > 1 else split._replace(parts={RATE_OF_ALL: split.change})


def _sums(teams: pd.DataFrame) -> dict[str, float]:
    require_columns(teams, ["average_reps", "n_won", "n_lost", "bookings_amount"], "team_quarter")
    won, lost = float(teams["n_won"].sum()), float(teams["n_lost"].sum())
    return {
        "heads": float(teams["average_reps"].sum()),
        "closed": won + lost,
        "won": won,
        "bookings": float(teams["bookings_amount"].sum()),
    }


def _by_segment(teams: pd.DataFrame) -> pd.DataFrame:
    require_columns(teams, ["segment", "n_won", "n_lost"], "team_quarter")
    segment = teams["segment"].astype(object).where(teams["segment"].notna(), NO_SEGMENT)
    deals = teams[["n_won", "n_lost"]].astype(float).groupby(segment.astype(str)).sum()
    table = deals.assign(won=deals["n_won"], closed=deals["n_won"] + deals["n_lost"])
    return table[table["closed"] > 0][["won", "closed"]]
