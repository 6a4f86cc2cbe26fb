"""How far a team has come on the articles' four steps: meet, share figures, tell one story, keep at it.

A step is reached when the evidence says so, not when somebody does, and only with the step before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.schema import require_columns

KEPT_UP = 2  # quarters in a row that the first three steps must hold for the fourth


class Step(NamedTuple):
    """A step: its number, what it is, and the least share of each item that ends it."""

    number: int
    says: str
    exits: tuple[tuple[str, float], ...]


STEPS: tuple[Step, ...] = (
    Step(1, "short and regular meetings, with agenda and leader", (("E06", 0.75), ("E10", 0.5))),
    Step(2, "three to five key metrics, shared every month", (("E15", 1.0),)),
    Step(3, "one narrative, agreed and used", (("E18", 0.75),)),
    Step(4, "kept up two quarters in a row", ()),
)


def reached(evidence: pd.DataFrame) -> pd.DataFrame:
    """Return the step each team has completed: one row a team and quarter.

    Columns: ``team_id``, ``quarter``; ``step`` 0 to 4; ``missing``, what the next step still lacks, and
    None after the last.  An unobserved item does not end a step: it is named as such.
    """
    require_columns(evidence, ["team_id", "quarter", "item", "share"], "alignment evidence")
    wide = evidence.pivot_table(
        index=["team_id", "quarter"], columns="item", values="share", aggfunc="first", dropna=False
    )
    rows: list[tuple[str, str, int, str | None]] = []
    before: tuple[str | None, int] = (None, 0)  # team, quarters in a row with three steps
    for key, shares in wide.iterrows():
        team, quarter = key if isinstance(key, tuple) else (key, "")
        lacks = [(step.number, _lacking(step, shares)) for step in STEPS[:-1]]
        done = next((number - 1 for number, lack in lacks if lack), len(lacks))
        run = (before[1] if before[0] == team else 0) + 1 if done == len(lacks) else 0
        before = (str(team), run)
        if run >= KEPT_UP:
            rows.append((team, quarter, len(STEPS), None))
        else:
            lack = f"held {run} of {KEPT_UP} quarters in a row" if run else next(lack for _, lack in lacks if lack)
            rows.append((team, quarter, done, lack))
    return pd.DataFrame(rows, columns=["team_id", "quarter", "step", "missing"])


def _lacking(step: Step, shares: pd.Series) -> str:
    """Return what a step still lacks; empty if nothing."""
    parts = []
    for item, least in step.exits:
        share = float(shares.get(item, np.nan))
        if np.isnan(share):
            parts.append(f"{item} not observed, at least {least:.0%} needed")
        elif share < least:
            parts.append(f"{item} at {share:.0%}, at least {least:.0%} needed")
    return "; ".join(parts)
