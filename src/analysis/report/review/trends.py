"""How cost, hours and bookings went over the quarters, in one figure of the body."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.figures import charts, style
from analysis.report import formats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.project.settings import KeyMetric
    from analysis.report.output import Payload

DRAWN = ("cost_per_selling_hour", "selling_hours_per_week", "bookings")
FEWEST_QUARTERS = 3  # fewer are no trend


def trend_figure(
    cards: Sequence[Payload],
    history: Mapping[str, Mapping[str, float]],
    watched: Sequence[KeyMetric],
    quarter: str,
) -> dict[str, Any] | None:
    """Return the figure as a document's node: ``svg``, ``alt``, ``title``, ``caption``, ``source``.

    None where no figure has three quarters.  `history` holds past quarters by name and quarter, by
    today's data and code, oldest first; `watched` the targets.
    """
    targets = {m.name: m.target for m in watched}
    by_name = {card["name"]: card for card in cards if card["estimate"] is not None}
    panels, texts = [], []
    for name in DRAWN:
        past = history.get(name, {})
        if name not in by_name or len(past) + 1 < FEWEST_QUARTERS:
            continue
        card = by_name[name]
        panels.append(
            charts.TrendPanel(
                label=card["label"],
                last_in_words=f"{card['shown']['value']} {card['shown']['unit']}".strip(),
                quarters=[*past, quarter],
                points=[*past.values(), card["estimate"]],
                target=targets.get(name),
                axis_words=partial(_axis_words, card=card),
            )
        )
        first = next(iter(past))
        then = formats.cell_words(past[first], card["format"], card["currency"])
        texts.append(f"{card['label']}: {then} in {first}, {card['shown']['value']} in {quarter}.")
    if not panels:
        return None
    charts.use_style()
    figure = charts.draw_trends(panels, title="")
    dashed = " Dashed: the target." if any(p.target is not None for p in panels) else ""
    return {
        "kind": "trend",
        "title": f"{panels[0].quarters[0]} to {quarter}, quarter by quarter",
        "alt": " ".join(texts),
        "caption": f"By today's data and code; quarters not logged alike are left out.{dashed}",
        "source": "rep_quarter, team_quarter",
        "svg": style.figure_svg(figure),
    }


def _axis_words(value: float, *, card: Payload) -> str:
    return formats.cell_words(value, card["format"], card["currency"])
