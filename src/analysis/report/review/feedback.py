"""What clients keep saying, why, and which product it is about: the sentence both sides agree on.

Filled from what reps brought to the meetings; every slot is a computed value, and a slot without
one is an error, never a blank.

What clients say, for the page of findings: the narrative of the quarter's feedback.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis.project.errors import require_columns
from analysis.report import formats
from analysis.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.store.company import Company

SLOTS = ["segment", "theme", "trend", "product_id"]
TEMPLATE = (
    "Clients in {segment} most often report “{theme}” and give “{trend}” as the reason: {n} of "
    "{n_of} reports brought to the meetings ({share}; 95% {low} to {high}), by {n_reps} reps. They "
    "speak of {product}, which won {n_won} {deals} in {quarter}."
)


class NarrativeError(ValueError):
    """A slot of the narrative has no value."""


class Theme(NamedTuple):
    """The most frequent theme: `n` of `n_of` reports, by `n_reps` reps.

    `low` and `high` are Wilson's 95%.
    """

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


def feedback_themes(feedback: pd.DataFrame, *, smallest_cell: int) -> list[Theme]:
    """Return the themes of `feedback` (one row a report), most frequent first.

    Reports without segment, theme, trend or product count in `n_of` only.  What fewer than
    `smallest_cell` reps brought is left out.
    """
    require_columns(feedback, [*SLOTS, "rep_id", "feedback_id"], "feedback")
    whole = feedback.dropna(subset=SLOTS)
    counted = whole.groupby(SLOTS, observed=True).agg(
        n=("feedback_id", "nunique"), n_reps=("rep_id", "nunique")
    )
    counted = counted[counted["n_reps"] >= smallest_cell].reset_index()
    counted = counted.sort_values(["n", *SLOTS], ascending=[False, True, True, True, True])
    total = int(feedback["feedback_id"].nunique())
    theme_rows = []
    columns = [counted[c].tolist() for c in (*SLOTS, "n", "n_reps")]
    for segment, theme, trend, product_id, n, n_reps in zip(*columns, strict=True):
        low, high = intervals.share_interval(n, total)
        share = (n / total, low, high)
        theme_rows.append(
            Theme(str(segment), str(theme), str(trend), str(product_id), n, total, n_reps, *share)
        )
    return theme_rows


def fill_template(template: str, values: Mapping[str, Any]) -> str:
    """Return the template with every slot filled.

    Raises
    ------
    NarrativeError
        If a slot has no value: nothing, missing or blank.

    Examples
    --------
    >>> fill_template("{n} of {n_of}", {"n": 3, "n_of": 7})
    '3 of 7'
    """
    slots = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    empty = [
        s for s in slots if s not in values or pd.isna(values[s]) or not str(values[s]).strip()
    ]
    if empty:
        raise NarrativeError(f"the narrative has no value for {', '.join(dict.fromkeys(empty))}")
    return template.format_map({s: values[s] for s in slots})


def client_feedback(company: Company) -> dict[str, Any] | None:
    """Return what clients say in one sentence, every number of it computed.

    None where no feedback is recorded.

    Raises
    ------
    NarrativeError
        If a slot of the sentence has no value.
    """
    feedback, products, house = (
        company.table("feedback"),
        company.table("products"),
        company.settings,
    )
    names = products.dropna(subset="product_name").set_index("product_id")["product_name"]
    mine = feedback[_within(feedback["reported_on"], company)]
    if mine.empty:
        return None
    with_product = mine.assign(
        product_id=mine["product_id"].where(mine["product_id"].isin(names.index))
    )
    theme_list = feedback_themes(with_product, smallest_cell=house.people.smallest_cell)
    if not theme_list:
        why = (
            f"{len(mine)} reports were brought; none names segment, theme, trend and a known "
            f"product and comes from {house.people.smallest_cell} reps or more."
        )
        return {"sentence": "", "note": why}
    top = theme_list[0]
    opportunities = company.table("opportunities")
    won = (opportunities["status"] == "won") & (opportunities["product_id"] == top.product_id)
    n_won = int((won & _within(opportunities["close_date"], company)).sum())
    values = {
        **top._asdict(),
        **{k: formats.shorten_text(getattr(top, k)) for k in ("segment", "theme", "trend")},
        **{k: formats.cell_words(getattr(top, k), "percent0") for k in ("share", "low", "high")},
        "product": formats.shorten_text(names[top.product_id]),
        "quarter": company.quarter,
        "n_won": n_won,
        "deals": "deal" if n_won == 1 else "deals",
    }
    others = "; ".join(
        f"{formats.shorten_text(t.theme)} ({formats.shorten_text(t.segment, 30)}, "
        f"{formats.shorten_text(names[t.product_id], 30)}: {t.n})"
        for t in theme_list[1:4]
    )
    return {
        "sentence": fill_template(TEMPLATE, values),
        "note": (
            f"{f'Next: {others}. ' if others else ''}Source: feedback, products, opportunities, "
            f"{company.quarter}."
        ),
    }


def _within(days: pd.Series, company: Company) -> pd.Series[bool]:
    day = pd.to_datetime(days)
    return (day >= pd.Timestamp(company.first_day)) & (day < pd.Timestamp(company.day_after))
