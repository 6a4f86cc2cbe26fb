"""What clients say, for the page of findings: the narrative of the quarter's feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import prepare
from analysis.models import narrative
from analysis.report import formats

if TYPE_CHECKING:
    from analysis.quarters import Quarter
    from analysis.settings import Settings


def said(dataset: str, quarter: Quarter, house: Settings) -> dict[str, Any] | None:
    """Return what clients say in one sentence, every number of it computed; None where nobody kept feedback.

    Raises
    ------
    NarrativeError
        If a slot of the sentence has no value.
    """
    feedback, products = prepare.load(dataset, "feedback"), prepare.load(dataset, "products")
    names = products.dropna(subset="product_name").set_index("product_id")["product_name"]
    month = house.company.fiscal_year_start_month
    mine = feedback[_within(feedback["reported_on"], quarter, month)]
    if mine.empty:
        return None
    known = mine.assign(product_id=mine["product_id"].where(mine["product_id"].isin(names.index)))
    found = narrative.themes(known, smallest_cell=house.people.smallest_cell)
    if not found:
        why = (
            f"{len(mine)} reports were brought; none names segment, theme, trend and a known product "
            f"and comes from {house.people.smallest_cell} reps or more."
        )
        return {"sentence": "", "note": why}
    top = found[0]
    deals = prepare.load(dataset, "opportunities")
    won = (deals["status"] == "won") & (deals["product_id"] == top.product_id)
    values = {
        **top._asdict(),
        **{k: formats.shortened(getattr(top, k)) for k in ("segment", "theme", "trend")},
        **{k: formats.shown(getattr(top, k), "percent0") for k in ("share", "low", "high")},
        "product": formats.shortened(names[top.product_id]),
        "quarter": str(quarter),
        "n_won": int((won & _within(deals["close_date"], quarter, month)).sum()),
    }
    others = "; ".join(f"{formats.shortened(t.theme)} ({t.n})" for t in found[1:4])
    return {
        "sentence": narrative.filled(narrative.TEMPLATE, values),
        "note": f"{f'Next: {others}. ' if others else ''}Source: feedback, products, opportunities, {quarter}.",
    }


def _within(days: pd.Series, quarter: Quarter, month: int) -> pd.Series[bool]:
    day = pd.to_datetime(days)
    return (day >= pd.Timestamp(quarter.start(month))) & (day < pd.Timestamp(quarter.end(month)))
