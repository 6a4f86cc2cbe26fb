"""One function a figure: a tidy table in, the axes drawn on out.

A figure says one thing: the caller gives it as `title`, the table what it rests on.  Series are
labelled where they are, numbers printed where they are read, and every distinction made by colour
is made by lightness too, so that a grey copy says the same.  Nothing here knows a model or a file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fontpkg_inter
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import font_manager, ticker
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.figures import style
from analysis.figures.style import BLUE, DASHED, INK, MILLION, MUTED, ORANGE, PALE, RULE
from analysis.project import money
from analysis.project.errors import require_columns
from analysis.project.money import signed_percent
from analysis.tables.canonical import ACTIVITY_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

TRENDS_MM = 48.0
NONE = "\N{EN DASH}"
SMALLEST_LABELLED = 0.045  # of the longest bar: a narrower part has no room for its hours
STYLE: dict[Any, Any] = {
    "font.family": "Inter",
    "font.size": 7.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 7.0,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "hatch.linewidth": 0.45,
    "figure.titlesize": 9.5,
    "figure.titleweight": 600,
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar is money, and CRM text is no formula
    "svg.hashsalt": "alignment-roi",
}


class TrendPanel(NamedTuple):
    """Quarters of one figure, oldest first: `last_in_words` the last one, `axis_words` any."""

    label: str
    last_in_words: str
    quarters: Sequence[str]
    points: Sequence[float]
    target: float | None
    axis_words: Callable[[float], str]


def use_style() -> None:
    """Set matplotlib up for the report: Inter, text kept as text, the same bytes on every run."""
    if "Inter" not in font_manager.get_font_names():
        for file in sorted((Path(fontpkg_inter.__file__).parent / "files").glob("*.ttf")):
            font_manager.fontManager.addfont(str(file))
        faces = [face for face in font_manager.fontManager.ttflist if face.name == "Inter"]
        heavier = [
            replace(face, weight=STYLE["figure.titleweight"]) for face in faces
        ]  # one file holds all weights
        font_manager.fontManager.ttflist.extend(heavier)
    mpl.rcParams.update(STYLE)


def draw_ranges(
    table: pd.DataFrame,
    *,
    title: str,
    label: str,
    x_label: str,
    reference: tuple[float, str] | None = None,
    currency: str = "",
) -> Axes:
    """Draw an estimate and its 95% interval for each row, first row on top.

    Parameters
    ----------
    table : DataFrame, a group
        `label`, ``estimate``, ``low``, ``high``; a missing estimate shows as "not shown".
    label : column that names the group
    reference : value and what it is, such as ``(399, "article, 2013: $399")``
    currency : of the estimates, where they are money
    """

    def number(value: float) -> str:
        return money.amount_text(value, currency) if currency else f"{value:,.0f}"

    require_columns(table, [label, "estimate", "low", "high"], "ranges")
    rows = np.arange(len(table))
    ax = style.blank_axes(title, 23 + 6 * len(table))
    style.label_rows(ax, table[label])
    if reference is not None:
        ax.axvline(reference[0], color=MUTED, linewidth=0.9, linestyle=DASHED, zorder=1)
        ax.annotate(
            reference[1], (reference[0], 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
            textcoords="offset points", color=MUTED, ha="center", va="bottom", fontsize=7,
        )  # fmt: skip
    ax.hlines(rows, table["low"], table["high"], color=BLUE, linewidth=1.6)
    ax.plot(
        table["estimate"],
        rows,
        "o",
        color=BLUE,
        markersize=5,
        markeredgecolor="white",
        markeredgewidth=0.7,
    )
    for row, (value, low, high) in enumerate(table[["estimate", "low", "high"]].to_numpy(float)):
        if np.isnan(value):
            style.write_beside(ax, row, 38, "not shown", colour=MUTED, align="left")
            continue
        style.write_beside(ax, row, 30, number(value))
        if not np.isnan(low):
            style.write_beside(
                ax, row, 38, f"{number(low)} to {number(high)}", colour=MUTED, align="left"
            )
    ax.set_xlabel(x_label)
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: number(x)))
    ax.grid(visible=True, axis="x")
    return ax


def draw_trends(panels: Sequence[TrendPanel], *, title: str) -> Figure:
    """Draw the quarters of each key figure on axes of its own, side by side, the last one named.

    A target is a dashed line; it says its value.
    """
    figure = Figure(
        figsize=(style.WIDTH_INCHES, TRENDS_MM / style.MM_PER_INCH), layout="constrained"
    )
    figure.suptitle(title, x=0.004, ha="left")
    for ax, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        x = np.arange(len(panel.quarters))
        ax.plot(x, panel.points, color=BLUE, linewidth=1.6)
        ax.plot(x[-1:], panel.points[-1:], "o", color=BLUE, markersize=5)
        if panel.target is not None:
            ax.axhline(panel.target, color=MUTED, linewidth=0.9, linestyle=DASHED, zorder=1)
        ax.set_title(f"{panel.label}\n{panel.last_in_words}", fontsize=8, loc="left", color=INK)
        ends = [0, len(x) - 1]
        ax.set_xticks(ends, [panel.quarters[i] for i in ends], fontsize=7)
        for tick, side in zip(ax.get_xticklabels(), ("left", "right"), strict=True):
            tick.set_ha(side)
        ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda y, _, p=panel: p.axis_words(y)))
        ax.yaxis.set_major_locator(ticker.MaxNLocator(4))
        ax.tick_params(axis="y", labelsize=7)
        ax.margins(x=0.04, y=0.15)
        ax.grid(visible=True, axis="y")
    return figure


def coverage_grid(table: pd.DataFrame, *, title: str) -> Axes:
    """Draw which teams logged their time in which quarter: the darker, the less.

    `table` has a row a team and quarter: ``team_name``, ``quarter``, ``logged_share`` (0 to 1) and
    ``is_partial`` (hatched: the data do not cover the quarter).  What has no row stays blank.
    """
    require_columns(table, ["team_name", "quarter", "logged_share", "is_partial"], "coverage_grid")
    teams, quarters = list(dict.fromkeys(table["team_name"])), sorted(table["quarter"].unique())
    shade = LinearSegmentedColormap.from_list("logging", [BLUE, "#8fb6da", "#f1f5f9"])
    ax = style.blank_axes(title, 19 + 6 * len(teams))
    size = style.row_size(len(teams))
    at = table["quarter"].map(quarters.index), table["team_name"].map(teams.index)
    for x, y, share, is_partial in zip(
        *at, table["logged_share"].astype(float), table["is_partial"], strict=True
    ):
        colour = "#ffffff" if np.isnan(share) else to_hex(tuple(shade([share])[0]))
        ink = style.ink_on(colour)
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour))
        if is_partial:  # hatched left and right of the number
            edge = MUTED if ink == INK else ink
            for left in (x - 0.5, x + 0.23):
                ax.add_patch(
                    Rectangle(
                        (left, y - 0.5),
                        0.27,
                        1,
                        facecolor="none",
                        hatch="/////",
                        edgecolor=edge,
                        linewidth=0,
                    )
                )
        text = NONE if np.isnan(share) else f"{share * 100:.0f}"
        ax.text(x, y, text, ha="center", va="center", fontsize=size, color=ink)
    style.label_rows(ax, pd.Series(teams))
    ax.set_xlim(-0.5, len(quarters) - 0.5)
    ax.set_ylim(len(teams) - 0.5, -0.5)
    ax.hlines(np.arange(1, len(teams)) - 0.5, *ax.get_xlim(), color="white", linewidth=0.8)
    ax.vlines(np.arange(1, len(quarters)) - 0.5, *ax.get_ylim(), color="white", linewidth=0.8)
    ax.set_xticks(range(len(quarters)), quarters)
    ax.tick_params(axis="x", length=0)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel(
        "Working days in weeks with logging [%]; hatched: the data do not cover the whole quarter"
    )
    return ax


def draw_ledger(table: pd.DataFrame, *, title: str) -> Axes:
    """Draw what became of each table's rows as shares of the rows read, with the counts beside.

    `table` has a row a table: ``table``, ``rows_in``, ``clean``, ``quarantined``, ``dropped``.
    """
    fates = {"clean": PALE, "quarantined": ORANGE, "dropped": BLUE}
    require_columns(table, ["table", "rows_in", *fates], "ledger")
    ax = style.blank_axes(title, 27 + 5.5 * len(table))
    read = table["rows_in"].where(table["rows_in"] > 0)
    style.draw_stack(ax, table[list(fates)].div(read, axis="index") * 100, fates)
    style.label_rows(ax, table["table"])
    for offset, name in zip((48, 96, 148, 190), ("rows_in", *fates), strict=True):
        ax.annotate(
            {"rows_in": "rows read", "quarantined": "set aside"}.get(name, name),
            (1, 1),
            xycoords="axes fraction",
            xytext=(offset, 3),
            textcoords="offset points",
            ha="right",
            color=MUTED,
        )
        if name in fates:
            ax.annotate(
                "■",
                (1, 1),
                xycoords="axes fraction",
                xytext=(offset, 12),
                textcoords="offset points",
                ha="right",
                color=fates[name],
            )
        for row, count in enumerate(table[name]):
            style.write_beside(ax, row, offset, f"{count:,}", colour=INK if count else MUTED)
    ax.set_xlim(0, 100)
    ax.set_xlabel("Share of rows read [%]")
    return ax


def _gap_text(gap: float) -> str:
    """Return a gap in percent; what rounds to nothing has no sign.

    Examples
    --------
    >>> _gap_text(0.0021), _gap_text(-0.0001)
    ('+0.2%', '0.0%')
    """
    return signed_percent(gap, 1)


def draw_reconciliation(table: pd.DataFrame, *, title: str, currency: str) -> Axes:
    """Draw each quarter's bookings in the CRM against what finance states, with the gap between.

    `table` has a row a quarter: ``quarter``, ``crm_amount``, ``finance_amount`` [currency].
    """
    require_columns(table, ["quarter", "crm_amount", "finance_amount"], "reconciliation")
    ax = style.blank_axes(title, 52)
    x = np.arange(len(table))
    crm, finance = (
        table[name].to_numpy(float) / MILLION for name in ("crm_amount", "finance_amount")
    )
    ax.bar(x, finance, width=0.62, color=PALE)
    ax.hlines(crm, x - 0.38, x + 0.38, color=BLUE, linewidth=2)
    for i, (ours, theirs) in enumerate(zip(crm, finance, strict=True)):
        gap = "no figure" if np.isnan(ours + theirs) else _gap_text(ours / theirs - 1)
        ax.annotate(
            gap,
            (i, np.nanmax([ours, theirs, 0])),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
        )
    for name, heights, colour, share in (("finance", finance, MUTED, 0.5), ("CRM", crm, BLUE, 1.0)):
        last = np.flatnonzero(~np.isnan(heights))[-1:]
        for i in last:
            ax.annotate(
                name,
                (x[-1] + 0.45, heights[i] * share),
                color=colour,
                va="center",
                annotation_clip=False,
            )
    ax.set_xticks(x, table["quarter"])
    ax.set_xlim(-0.6, len(table) - 0.55)
    ax.set_ylabel(f"Bookings [million {currency}]")
    ax.margins(y=0.12)
    ax.grid(visible=True, axis="y")
    ax.tick_params(axis="x", length=0)
    return ax


def draw_sensitivity(
    table: pd.DataFrame, points: pd.DataFrame, *, title: str, y_label: str
) -> Axes:
    """Draw the cost of an hour over the selling hours assumed, with known points marked on the
    curves.

    Parameters
    ----------
    table : DataFrame, a point of a curve
        ``series``, ``hours_per_week`` [h], ``estimate``; the first series is one's own, the rest
        grey.
    points : DataFrame, a known point of a curve
        ``series``, ``label``, ``hours_per_week`` [h], ``estimate``; names its curve.
    """
    require_columns(table, ["series", "hours_per_week", "estimate"], "sensitivity")
    require_columns(points, ["series", "label", "hours_per_week", "estimate"], "sensitivity")
    ax = style.blank_axes(title, 66)
    upper = table.groupby("series")["estimate"].max().idxmax()
    for i, name in enumerate(dict.fromkeys(table["series"])):
        colour, dash = (BLUE, "-") if i == 0 else (MUTED, DASHED)
        line = table[table["series"] == name].sort_values("hours_per_week")
        x, y = line["hours_per_week"].to_numpy(float), line["estimate"].to_numpy(float)
        ax.plot(x, y, color=colour, linestyle=dash, linewidth=1.6)
        side = ("left", "bottom", 6) if name == upper else ("right", "top", -6)
        for at in points[points["series"] == name].itertuples(index=False):
            ax.plot(
                [at.hours_per_week],
                [at.estimate],
                "o",
                color=colour,
                markersize=6,
                markeredgecolor="white",
            )
            ax.annotate(
                f"{name}\n{at.label}",
                (at.hours_per_week, at.estimate),
                xytext=(side[2], side[2] / 2),
                textcoords="offset points",
                color=colour,
                ha=side[0],
                va=side[1],
            )
    ax.set_xlabel("Selling hours per rep and week [h]")
    ax.set_ylabel(y_label)
    ax.set_xlim(table["hours_per_week"].min(), table["hours_per_week"].max())
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
    ax.grid(visible=True, axis="y")
    return ax


def draw_calibration(table: pd.DataFrame, *, title: str, x_label: str, y_label: str) -> Axes:
    """Draw how often forecasts of a given chance came true, with 95% intervals and n.

    `table` has a row a bin: ``predicted``, ``observed``, ``low``, ``high`` (0 to 1) and ``n_reps``.
    """
    require_columns(table, ["predicted", "observed", "low", "high", "n_reps"], "calibration")
    ax = style.blank_axes(title, 58)
    at = table[["predicted", "observed", "low", "high"]] * 100
    ax.plot([0, 100], [0, 100], color=MUTED, linewidth=0.9, linestyle=DASHED)
    ax.annotate(
        "as predicted", (100, 100), xytext=(5, 0), textcoords="offset points", color=MUTED,
        va="center", annotation_clip=False,
    )  # fmt: skip
    ax.vlines(at["predicted"], at["low"], at["high"], color=BLUE, linewidth=1.6)
    ax.plot(at["predicted"], at["observed"], "o", color=BLUE, markersize=5, markeredgecolor="white")
    for x, top, n in zip(at["predicted"], at["high"], table["n_reps"], strict=True):
        ax.annotate(
            f"n {n:.0f}",
            (x, top),
            xytext=(0, 5),  # clear of a point at the interval's end
            textcoords="offset points",
            ha="center",
            color=MUTED,
            fontsize=7,
        )
    if table.empty:
        ax.annotate("No chance could be given.", (50, 50), ha="center", color=MUTED)
    ax.set(xlim=(0, 100), ylim=(0, 110), xlabel=f"{x_label} [%]", ylabel=f"{y_label} [%]")
    ax.set_yticks(range(0, 101, 20))
    ax.grid(visible=True)
    return ax


def time_use(table: pd.DataFrame, *, title: str, label: str) -> Axes:
    """Draw where the week goes, one bar a group, by class of activity.

    `table` has a row a group: `label` and a column a class of `canonical.ACTIVITY_CLASSES`
    [h per rep and week]; absent classes are left out.
    """
    classes = {
        name: colour for name, colour in style.CLASS_COLOURS.items() if name in table.columns
    }
    require_columns(table, [label, *(classes or ACTIVITY_CLASSES)], "time_use")
    ax = style.blank_axes(title, 30 + 5.5 * len(table))
    style.draw_stack(ax, table[list(classes)], classes)
    style.label_rows(ax, table[label])
    smallest_width = SMALLEST_LABELLED * table[list(classes)].sum(axis="columns").max()
    for bars, colour in zip(ax.containers, classes.values(), strict=True):
        for bar in bars:
            if bar.get_width() >= smallest_width:
                ax.text(
                    bar.get_x() + bar.get_width() / 2,
                    bar.get_y() + bar.get_height() / 2,
                    f"{bar.get_width():.1f}",
                    ha="center",
                    va="center",
                    color=style.ink_on(colour),
                    fontsize=style.row_size(len(table)),
                    bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.8},
                )
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(classes),
        frameon=False,
        handlelength=0.9,
        handleheight=0.9,
        columnspacing=1.1,
        handletextpad=0.4,
        borderaxespad=0.2,
        borderpad=0.2,
    )
    ax.set_xlabel("Hours per rep and week [h]")
    return ax
