"""What clients keep saying, why, and which product it is about: the sentence both sides agree on.

Filled from what reps brought to the meetings; every slot is a computed value, and a slot without one
is an error, never a blank.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from analysis.schema import require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

SLOTS = ["segment", "theme", "trend", "product_id"]
TEMPLATE = (
    "Clients in {segment} report {theme} because of {trend}: {n} of {n_of} reports brought to the meetings "
    "({share}; 95% {low} to {high}), by {n_reps} reps. {product} is what they speak of; "
    "it won {n_won} deals in {quarter}."
)


class NarrativeError(ValueError):
    """A slot of the narrative has no value."""


class Theme(NamedTuple):
    """What was brought most often: `n` of `n_of` reports, by `n_reps` reps; `low` and `high` are Wilson's 95%."""

    segment: str
    theme: str
    trend: str
    product_id: str
    n: int
    n_of: int
    n_reps: int
    share: float
    low: float
    high: float


def themes(feedback: pd.DataFrame, *, smallest_cell: int) -> list[Theme]:
    """Return what `feedback` (one row a report) says, most frequent first.

    Reports without segment, theme, trend or product count in `n_of` only.  What fewer than
    `smallest_cell` reps brought is left out.
    """
    require_columns(feedback, [*SLOTS, "rep_id", "feedback_id"], "feedback")
    whole = feedback.dropna(subset=SLOTS)
    counted = whole.groupby(SLOTS, observed=True).agg(n=("feedback_id", "nunique"), n_reps=("rep_id", "nunique"))
    counted = counted[counted["n_reps"] >= smallest_cell].reset_index()
    counted = counted.sort_values(["n", *SLOTS], ascending=[False, True, True, True, True])
    total = int(feedback["feedback_id"].nunique())
    made = []
    columns = [counted[c].tolist() for c in (*SLOTS, "n", "n_reps")]
    for segment, theme, trend, product_id, n, n_reps in zip(*columns, strict=True):
        low, high = proportion_confint(n, total, method="wilson")
        share = (n / total, float(low), float(high))
        made.append(Theme(str(segment), str(theme), str(trend), str(product_id), n, total, n_reps, *share))
    return made


def filled(template: str, values: Mapping[str, Any]) -> str:
    """Return the template with every slot filled.

    Raises
    ------
    NarrativeError
        If a slot has no value: nothing, missing or blank.

    Examples
    --------
    >>> filled("{n} of {n_of}", {"n": 3, "n_of": 7})
    '3 of 7'
    """
    slots = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    empty = [s for s in slots if s not in values or pd.isna(values[s]) or not str(values[s]).strip()]
    if empty:
        raise NarrativeError(f"the narrative has no value for {', '.join(dict.fromkeys(empty))}")
    return template.format_map({s: values[s] for s in slots})
