"""Figures say what their tables hold, in the report's size and type."""

import io
import math

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.figures import charts
from analysis.figures import style as figures_style
from analysis.project.errors import CrmDataError
from analysis.tables.canonical import ACTIVITY_CLASSES

TEAMS = [f"{region} {segment} {i}" for region in ("EMEA", "Americas", "APAC")
         for segment in ("Mid-market", "Enterprise", "SMB", "Public sector") for i in (1, 2)]  # fmt: skip


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context():
        charts.use_style()
        yield


@pytest.fixture
def costs() -> pd.DataFrame:
    """Three groups, the last too small to show."""
    return pd.DataFrame(
        {
            "segment": ["SMB", "Enterprise", "Public sector"],
            "estimate": [400.0, 520.0, math.nan],
            "low": [350.0, 480.0, math.nan],
            "high": [450.0, 560.0, math.nan],
        }
    )


@pytest.fixture
def coverage() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "team_name": ["North", "North", "South"],
            "quarter": ["2026Q2", "2026Q3", "2026Q3"],
            "logged_share": [0.95, 0.05, math.nan],
            "is_partial": [False, True, False],
        }
    )


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def svg(ax: Axes) -> str:
    file = io.StringIO()
    ax.figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def draw_ranges(table: pd.DataFrame) -> Axes:
    return charts.draw_ranges(
        table, title="t", label="segment", x_label="Cost [USD/h]", reference=(399, "article: $399")
    )


def test_ranges_put_each_interval_in_its_row(costs):
    """First row on top, dots at the estimates, lines from low to high."""
    ax = draw_ranges(costs)
    ends = [segment.tolist() for segment in ax.collections[0].get_segments()]
    assert ends[:2] == [[[350, 0], [450, 0]], [[480, 1], [560, 1]]]
    assert ax.lines[1].get_xdata()[:2].tolist() == [400, 520]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "SMB",
        "Enterprise",
        "Public sector",
    ]
    assert ax.yaxis_inverted()


def test_ranges_print_numbers_and_say_what_is_not_shown(costs):
    got = texts(draw_ranges(costs))
    assert got == ["article: $399", "400", "350 to 450", "520", "480 to 560", "not shown"]


def test_reference_stands_where_it_says(costs):
    ax = draw_ranges(costs)
    assert list(ax.lines[0].get_xdata()) == [399, 399]


def test_estimate_without_an_interval_prints_none(costs):
    costs[["low", "high"]] = math.nan
    assert "nan" not in " ".join(texts(draw_ranges(costs)))


def test_coverage_grid_prints_each_share(coverage):
    """95%, 5% and a dash where nothing is known, each in its team's row and quarter's column."""
    ax = charts.coverage_grid(coverage, title="t")
    got = {text.get_position(): text.get_text() for text in ax.texts}
    assert got == {(0, 0): "95", (1, 0): "5", (1, 1): "\N{EN DASH}"}


def test_coverage_grid_is_darker_where_less_is_logged(coverage):
    """White ink on the 5% cell, dark ink on the 95% one."""
    ink = {
        text.get_text(): text.get_color()
        for text in charts.coverage_grid(coverage, title="t").texts
    }
    assert ink["5"] == "white"
    assert ink["95"] == figures_style.INK


def test_coverage_grid_hatches_partial_quarters_alone(coverage):
    ax = charts.coverage_grid(coverage, title="t")
    hatched = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_hatch()]
    assert {patch.get_y() for patch in hatched} == {-0.5}
    assert all(0.5 <= patch.get_x() < 1.5 for patch in hatched)


def test_ledger_bars_are_shares_of_the_rows_read():
    """60, 30 and 10 of 100 rows; a table of no rows draws none and prints its zeros."""
    table = pd.DataFrame(
        {
            "table": ["activities", "quotas"], "rows_in": [100, 0], "clean": [60, 0], "quarantined": [30, 0],
            "dropped": [10, 0],
        }
    )  # fmt: skip
    ax = charts.draw_ledger(table, title="t")
    assert [bars[0].get_width() for bars in ax.containers] == [60, 30, 10]
    assert [bars[0].get_x() for bars in ax.containers] == [0, 60, 90]
    assert [bars[1].get_width() for bars in ax.containers] == [0, 0, 0]
    assert {"rows read", "100", "60", "30", "10", "0"} <= set(texts(ax))


def test_reconciliation_labels_each_gap():
    """41.0 against 40.0 million is +2.5%; a quarter without finance's figure says so."""
    table = pd.DataFrame(
        {
            "quarter": ["2026Q1", "2026Q2", "2026Q3"],
            "crm_amount": [41e6, 39e6, 40e6],
            "finance_amount": [40e6, 40e6, math.nan],
        }
    )
    ax = charts.draw_reconciliation(table, title="t", currency="EUR")
    assert texts(ax)[:3] == ["+2.5%", "\N{MINUS SIGN}2.5%", "no figure"]
    assert ax.get_ylabel() == "Bookings [million EUR]"
    assert ax.patches[0].get_height() == 40


def test_sensitivity_puts_points_on_their_curves():
    """The company's point first and in colour, the article's in grey, each named where it stands."""
    hours = np.array([10.0, 20.0])
    curves = pd.concat(
        [
            pd.DataFrame({"series": "company", "hours_per_week": hours, "estimate": 5_000 / hours}),
            pd.DataFrame({"series": "article", "hours_per_week": hours, "estimate": 4_389 / hours}),
        ]
    )
    points = pd.DataFrame(
        {
            "series": ["company", "article"], "label": ["12.5 h: $400", "11 h: $399"],
            "hours_per_week": [12.5, 11.0], "estimate": [400.0, 399.0],
        }
    )  # fmt: skip
    ax = charts.draw_sensitivity(curves, points, title="t", y_label="Cost [USD/h]")
    assert texts(ax) == ["company\n12.5 h: $400", "article\n11 h: $399"]
    assert [line.get_color() for line in ax.lines] == [figures_style.BLUE] * 2 + [
        figures_style.MUTED
    ] * 2
    assert (ax.lines[1].get_xydata()).tolist() == [[12.5, 400]]
    assert ax.get_ylim()[0] == 0
    assert ax.get_xlim() == (10, 20)


def test_calibration_draws_percent_with_n():
    table = pd.DataFrame(
        {"predicted": [0.25], "observed": [0.3], "low": [0.2], "high": [0.42], "n_reps": [40]}
    )
    ax = charts.draw_calibration(table, title="t", x_label="Predicted", y_label="Made quota")
    assert ax.lines[1].get_xydata().tolist() == [[25, 30]]
    assert ax.collections[0].get_segments()[0].tolist() == [[25, 20], [25, 42]]
    assert texts(ax) == ["as predicted", "n 40"]
    assert ax.get_xlabel() == "Predicted [%]"


def test_time_use_stacks_the_classes_it_is_given():
    """Selling 11 h, then internal 6 h from there on; half an hour of training is too narrow to print."""
    table = pd.DataFrame(
        {"team": ["Company"], "selling": [11.0], "internal": [6.0], "training": [0.5]}
    )
    ax = charts.time_use(table, title="t", label="team")
    assert [(bars.get_label(), bars[0].get_x(), bars[0].get_width()) for bars in ax.containers] == [
        ("selling", 0, 11), ("internal", 11, 6), ("training", 17, 0.5),
    ]  # fmt: skip
    assert texts(ax) == ["11.0", "6.0"]


def test_twenty_four_teams_fit_in_75_mm_without_touching():
    """Nothing leaves the sheet, and no row label covers the next."""
    table = pd.DataFrame({"team": TEAMS, "estimate": 400.0, "low": 350.0, "high": 450.0})
    quarters = [f"{year}Q{q}" for year in (2024, 2025, 2026) for q in (1, 2, 3, 4)]
    cells = [(team, quarter, 0.9, quarter == "2026Q4") for team in TEAMS for quarter in quarters]
    grid = pd.DataFrame(cells, columns=["team_name", "quarter", "logged_share", "is_partial"])
    drawn = [
        charts.draw_ranges(table, title="t", label="team", x_label="x"),
        charts.coverage_grid(grid, title="t"),
    ]
    for ax in drawn:
        figure = ax.figure
        figure.draw_without_rendering()
        assert figure.get_figheight() * 25.4 <= 75.001
        sheet, inked = figure.bbox, ax.get_tightbbox()
        assert sheet.x0 <= inked.x0
        assert inked.x1 <= sheet.x1
        boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
        points = 72 / figure.dpi
        pitch = np.diff([(box.y0 + box.y1) / 2 for box in boxes]) * points
        assert (abs(pitch) > 6).all()  # the size of the type [pt]


def test_long_title_is_wrapped_flush_left(costs):
    title = "Enterprise pays most for an hour with clients, and the segments cannot be told apart in this quarter"
    ax = charts.draw_ranges(costs, title=title, label="segment", x_label="x")
    (heading,) = ax.figure.texts
    assert heading.get_text().count("\n") == 1
    assert heading.get_ha() == "left"
    ax.figure.draw_without_rendering()
    assert heading.get_window_extent().x1 < ax.figure.bbox.x1


def test_text_stays_text_in_inter_and_runs_are_identical(costs):
    """The same table gives the same bytes, with words a reader can select, in the report's type alone."""
    first = svg(draw_ranges(costs))
    assert first == svg(draw_ranges(costs))
    assert "Public sector" in first
    assert "DejaVu" not in first


def test_style_finds_its_type_without_a_warning(costs, caplog):
    svg(draw_ranges(costs))
    assert caplog.text == ""


def test_classes_keep_apart_in_grey():
    """Neighbouring classes differ by at least 8% in luminance, or one is hatched."""
    colours = [figures_style.CLASS_COLOURS[name] for name in ACTIVITY_CLASSES]
    grey = [np.dot(mpl.colors.to_rgb(colour), [0.299, 0.587, 0.114]) for colour in colours]
    assert (abs(np.diff(grey)) > 0.08).all()
    assert figures_style.CLASS_COLOURS["unclassified"] == "#ffffff"


def test_missing_column_is_named(costs):
    with pytest.raises(CrmDataError, match="ranges: needs low, but has segment, estimate, high"):
        draw_ranges(costs.drop(columns="low"))
    with pytest.raises(CrmDataError, match="time_use: needs selling, preparation"):
        charts.time_use(pd.DataFrame({"team": ["a"]}), title="t", label="team")
