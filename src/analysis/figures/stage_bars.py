"""The funnel: a bar a stage, with how many of the stage before went on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.style import BLUE, MUTED, PALE
from analysis.project.errors import require_columns

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

OUT, SHARE, COUNT = 44, 102, 160  # where columns of numbers end, right of the axes [pt]


def draw_stages(table: pd.DataFrame, *, title: str) -> Axes:
    """Draw how many leads got as far as each stage, first stage on top.

    `table` has a row a stage: ``label``, ``n_any`` (got as far) and ``n_all`` (by all stages in
    order), ``of_before`` and ``of_all`` [0-1]; what is missing shows as a dash.
    """
    require_columns(table, ["label", "n_any", "n_all", "of_before", "of_all"], "stages")
    rows, numbers = np.arange(len(table)), table[["n_any", "of_before", "of_all"]].to_numpy(float)
    ax = style.blank_axes(title, 30 + 6 * len(table))
    ax.barh(rows, table["n_any"], height=0.66, color=PALE)
    ax.barh(rows, table["n_all"], height=0.3, color=BLUE)
    style.label_rows(ax, table["label"])
    heads = {OUT: "leads", SHARE: "of the\nstage before", COUNT: "of all"}
    for offset, head in heads.items():
        ax.annotate(
            head, (1, 1), xycoords="axes fraction", xytext=(offset, 3),
            textcoords="offset points", ha="right", va="bottom", color=MUTED, fontsize=7,
        )  # fmt: skip
    for row, (count, *shares) in enumerate(numbers):
        style.write_beside(ax, row, OUT, f"{count:,.0f}")
        for offset, share in zip((SHARE, COUNT), shares, strict=True):
            text = "\N{EN DASH}" if np.isnan(share) else f"{share:.0%}"
            style.write_beside(ax, row, offset, text)
    ax.set_xlabel(
        "Leads that reached the stage (pale), and with a date for every stage before it (dark)"
    )
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_xlim(left=0)
    ax.grid(visible=True, axis="x")
    return ax
