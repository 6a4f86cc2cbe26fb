"""Figures of the alignment programme: what happened around its start, and from which lift it pays.

As in `figures`: a tidy table in, the axes drawn on out; nothing here knows a model or a file.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import ticker

from analysis.figures import style
from analysis.figures.style import BLUE, DASHED, INK, MILLION, MUTED, ORANGE, PALE
from analysis.project.errors import require_columns
from analysis.project.money import MINUS, signed_number, signed_percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

WHITE = {
    "facecolor": "white",
    "edgecolor": "none",
    "pad": 0.8,
}  # under words that a line would cross
PERCENT = ticker.FuncFormatter(lambda x, _: f"{signed_number(x)}%")
SHARE = ticker.FuncFormatter(lambda x, _: signed_percent(x))


def event_study(
    table: pd.DataFrame, *, title: str, y_label: str, reference: tuple[float, str] | None = None
) -> Axes:
    """Draw what joining goes with, quarter by quarter, before and since the start.

    Parameters
    ----------
    table : DataFrame, a quarter from the start
        ``event_time`` (0: the first in the programme), ``estimate``, ``low``, ``high`` [percent];
        ``low`` and ``high`` are a band over all quarters together.
    reference : value [percent] and what it is, drawn grey: somebody else's figure
    """
    require_columns(table, ["event_time", "estimate", "low", "high"], "event_study")
    if table.empty:
        return _nothing(title, "No comparison of teams can be made.")
    ax = style.blank_axes(title, 70)
    x, y = table["event_time"].to_numpy(float), table["estimate"].to_numpy(float)
    ends = table[["low", "high"]].to_numpy(float)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.axvline(-0.5, color=MUTED, linewidth=0.9, linestyle=DASHED)
    for part, colour in ((x < 0, MUTED), (x >= 0, BLUE)):
        ax.vlines(x[part], ends[part, 0], ends[part, 1], color=colour, linewidth=1.6)
        ax.plot(
            x[part],
            y[part],
            "o",
            color=colour,
            markersize=5,
            markeredgecolor="white",
            markeredgewidth=0.7,
        )
    for at, value, top in zip(x, y, ends[:, 1], strict=True):
        ax.annotate(
            _signed(value, 0),
            (at, top),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontsize=7,
            bbox=WHITE,
        )
    if reference is not None:
        ax.axhline(reference[0], color=MUTED, linewidth=0.9, linestyle=DASHED, zorder=1)
        ax.annotate(
            textwrap.fill(reference[1], 20),
            (1, reference[0]),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            color=MUTED,
            ha="left",
            va="center",
            fontsize=7,
            annotation_clip=False,
        )
    ax.annotate(
        "start",
        (-0.5, 0),
        xycoords=("data", "axes fraction"),
        xytext=(3, 4),
        textcoords="offset points",
        color=MUTED,
        ha="left",
        va="bottom",
        fontsize=7,
    )
    ax.set_xlim(x.min() - 0.6, x.max() + 0.6)
    ax.set_xticks(x)
    ax.margins(y=0.12)
    ax.set_xlabel("Quarters since the team's start")
    ax.set_ylabel(y_label)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.grid(visible=True, axis="y")
    return ax


def sorted_groups(table: pd.DataFrame, *, title: str, x_label: str) -> Axes:
    """Draw mean growth of groups, what sorting alone would show beside what was published.

    `table` has a row a group: ``label``, ``published`` and ``by_sorting`` [percent a year].
    """
    require_columns(table, ["label", "published", "by_sorting"], "sorted_groups")
    ax = style.blank_axes(title, 24 + 9 * len(table))
    rows = np.arange(len(table))
    style.label_rows(ax, table["label"])
    for offset, column, colour, name in (
        (-0.18, "published", MUTED, "published"),
        (0.18, "by_sorting", ORANGE, "sorting on growth alone, no effect at all"),
    ):
        values = table[column].to_numpy(float)
        ax.barh(rows + offset, values, height=0.34, color=colour, label=name)
        for row, value in zip(rows + offset, values, strict=True):
            ax.annotate(
                "not published" if np.isnan(value) else _signed(value, 1),
                (np.nan_to_num(value), row),
                va="center",
                fontsize=7,
                color=INK,
                xytext=(-3 if value < 0 else 3, 0),
                textcoords="offset points",
                ha="right" if value < 0 else "left",
            )
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.margins(x=0.14)
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel(x_label)
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
        borderaxespad=0.2,
        borderpad=0.2,
    )
    return ax


def pays_from(
    curve: pd.DataFrame,
    marks: pd.DataFrame,
    *,
    title: str,
    y_label: str,
    estimate: tuple[float, float, float],
) -> Axes:
    """Draw what the programme is worth over the lift it brings, and which lifts matter.

    Parameters
    ----------
    curve : DataFrame, a lift
        ``lift`` [0-1 of bookings], ``p10``, ``p50``, ``p90`` [currency]; drawn in millions.
    marks : DataFrame, a lift that matters
        ``lift`` [0-1], ``label``; such as the break-even.
    estimate : lift estimated with the ends of its interval [0-1]; NaN where none was
    """
    require_columns(curve, ["lift", "p10", "p50", "p90"], "pays_from")
    require_columns(marks, ["lift", "label"], "pays_from")
    ax = style.blank_axes(title, 50)
    lift = curve["lift"].to_numpy(float)
    ends = curve[["p10", "p50", "p90"]].to_numpy(float) / MILLION
    if not np.isfinite(ends).all():
        ax.annotate(
            "We cannot tell what a lift is worth.",
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
            color=MUTED,
        )
        return ax
    ax.fill_between(lift, ends[:, 0], ends[:, 2], color=PALE, linewidth=0)
    ax.plot(lift, ends[:, 1], color=BLUE, linewidth=1.6)
    ax.axhline(0, color=INK, linewidth=0.8)
    floor, top = float(ends.min()), float(ends.max())
    top = top if top > floor else floor + 1
    below = floor - 0.13 * (top - floor)
    ax.set_ylim(below - 0.07 * (top - floor), top + 0.05 * (top - floor))
    value, low, high = estimate
    if not np.isnan(value):
        ax.hlines(below, max(low, lift.min()), min(high, lift.max()), color=ORANGE, linewidth=2.4)
        ax.plot([value], [below], "o", color=INK, markersize=5, markeredgecolor="white")
        ax.annotate(
            f"estimate {signed_percent(value)}, 95% interval",
            (max(low, lift.min()), below),
            xytext=(0, 4),
            textcoords="offset points",
            ha="left",
            va="bottom",
            color=INK,
            fontsize=7,
            bbox=WHITE,
        )
    middle = (lift.min() + lift.max()) / 2
    for i, (at, label) in enumerate(zip(marks["lift"].astype(float), marks["label"], strict=True)):
        side, align = (3, "left") if at <= middle else (-3, "right")
        ax.axvline(at, color=MUTED, linewidth=0.9, linestyle=DASHED)
        ax.annotate(
            str(label), (at, 1), xycoords=("data", "axes fraction"), xytext=(side, -6 - 11 * i),
            textcoords="offset points", ha=align, va="center", color=INK, fontsize=7, bbox=WHITE,
        )  # fmt: skip
    ax.annotate(
        "middle outcome; four in five lie in the band",
        (1, 0.36),  # right and below a curve that rises
        xycoords="axes fraction",
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=MUTED,
        fontsize=7,
        bbox=WHITE,
    )
    ax.set_xlim(lift.min(), lift.max())
    ax.xaxis.set_major_formatter(SHARE)
    decimals = 0 if top - floor > 5 else 1 if top - floor > 0.5 else 2
    ax.yaxis.set_major_formatter(
        ticker.FuncFormatter(
            lambda x, _: f"{x:,.{decimals}f}".replace("-", MINUS) if round(x, decimals) else "0"
        )
    )
    ax.set_xlabel("Lift of adopters' bookings")
    ax.set_ylabel(y_label)
    ax.grid(visible=True, axis="y")
    return ax


def _nothing(title: str, why: str) -> Axes:
    ax = style.blank_axes(title, 24)
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    return ax


def _signed(percent: float, decimals: int) -> str:
    return f"{signed_number(percent, decimals)}%"
