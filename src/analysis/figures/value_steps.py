"""What more of a capacity is worth, step by step, with today's capacity marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import ticker

from analysis.figures import style
from analysis.figures.style import BLUE, DASHED, INK, MUTED
from analysis.project import money
from analysis.project.errors import require_columns

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_value_steps(
    curve: pd.DataFrame, *, today: float, title: str, x_label: str, currency: str
) -> Axes:
    """Draw the value of the best set over a capacity.

    `curve` has a row a limit: ``limit``, ``value_amount`` [currency]; missing where nothing fits.
    `today` is the capacity there is.
    """
    require_columns(curve, ["limit", "value_amount"], "value steps")
    ax = style.blank_axes(title, 62)
    limit, value = (curve[c].to_numpy(float) for c in ("limit", "value_amount"))
    if not np.isfinite(value).any():
        ax.annotate(
            "We cannot tell what more is worth.",
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
            color=MUTED,
        )
        return ax
    ax.step(limit, value, where="post", color=BLUE, linewidth=1.6)
    ax.axvline(today, color=MUTED, linewidth=0.9, linestyle=DASHED)
    ax.set_xlim(min(0.0, limit.min()), max(limit.max(), today))
    is_left = today <= (limit.min() + limit.max()) / 2
    ax.annotate(
        f"today {today:,.0f}", (today, 0.06), xycoords=("data", "axes fraction"),
        xytext=(4 if is_left else -4, 0), textcoords="offset points",
        ha="left" if is_left else "right", color=INK, fontsize=7,
    )  # fmt: skip
    ax.set_ylim(min(0.0, float(np.nanmin(value, initial=0.0))), None)
    ax.yaxis.set_major_formatter(
        ticker.FuncFormatter(lambda y, _: money.amount_text(float(y), currency))
    )
    ax.set_xlabel(x_label)
    ax.grid(visible=True, axis="y")
    return ax
