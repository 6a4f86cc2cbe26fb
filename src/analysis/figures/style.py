"""The sheet a figure is drawn on: its size, its colours, its labelled rows.

Every figure is as wide as the report's column and at most 75 mm high, twenty-four rows included.
Colours keep their order of lightness in grey.
"""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from analysis.tables.canonical import ACTIVITY_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

INK, MUTED, RULE = "#1f2933", "#5f6b7a", "#dde2e8"
BLUE, ORANGE, PALE = "#0b4f93", "#e58a1f", "#c6d8ea"
CLASS_COLOURS = dict(
    zip(
        ACTIVITY_CLASSES,
        ("#0b4f93", "#4f8fca", "#a9cbe9", "#6b7785", "#9aa5b1", "#c3cad2", "#e2e6ea", "#ffffff"),
        strict=True,
    )
)
DASHED = (0, (4, 2))
WIDTH_INCHES = 6.6
TALLEST_MM = 75.0
MM_PER_INCH = 25.4
MILLION = 1e6
TITLE_CHARACTERS = 84  # that fit on one line at the title's size
MANY_ROWS = 14  # above, row labels are set smaller


def blank_axes(title: str, height_mm: float) -> Axes:
    """Return empty axes under a title set flush left; at most `TALLEST_MM` high."""
    figure = Figure(
        figsize=(WIDTH_INCHES, min(height_mm, TALLEST_MM) / MM_PER_INCH), layout="constrained"
    )
    figure.suptitle(textwrap.fill(title, TITLE_CHARACTERS), x=0.004, ha="left")
    return figure.add_subplot()


def figure_svg(figure: Figure) -> str:
    """Return a figure as SVG whose text stays text, the same bytes on every run."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "alignment-roi"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def row_size(n_rows: int) -> float:
    """Return the size of type that `n_rows` leave room for [pt]."""
    return 7.0 if n_rows <= MANY_ROWS else 6.0


def label_rows(ax: Axes, labels: pd.Series) -> None:
    """Name the rows of `ax`, first on top."""
    ax.set_yticks(
        np.arange(len(labels)), [str(label) for label in labels], fontsize=row_size(len(labels))
    )
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def write_beside(
    ax: Axes, row: float, offset: float, text: str, *, colour: str = INK, align: str = "right"
) -> None:
    """Write `text` right of the axes at `row`, `offset` [pt] from the edge."""
    low, high = sorted(ax.get_ylim())
    ax.annotate(
        text,
        (1, row),
        xycoords=("axes fraction", "data"),
        xytext=(offset, 0),
        textcoords="offset points",
        ha=align,
        va="center",
        color=colour,
        fontsize=row_size(round(high - low)),
        annotation_clip=False,
    )


def draw_stack(ax: Axes, parts: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Draw one stacked bar a row, a part a column; white parts get a hatch."""
    rows, left = np.arange(len(parts)), np.zeros(len(parts))
    for name, colour in colours.items():
        width = parts[name].fillna(0.0).to_numpy(float)
        is_white = colour == CLASS_COLOURS["unclassified"]
        ax.barh(
            rows,
            width,
            left=left,
            height=0.66,
            color=colour,
            label=name.replace("_", " "),
            linewidth=0.5,
            edgecolor=MUTED if is_white else "white",
            hatch="////" if is_white else None,
        )
        left += width


def ink_on(colour: str) -> str:
    """Return the colour of text, white or ink, that stands out more from `colour`.

    Examples
    --------
    >>> ink_on("#000000"), ink_on("#ffffff")
    ('white', '#1f2933')
    """
    under = _luminance(colour) + 0.05
    return "white" if 1.05 / under > under / (_luminance(INK) + 0.05) else INK


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2, 0 (black) to 1 (white)."""
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
