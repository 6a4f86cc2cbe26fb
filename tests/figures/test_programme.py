"""Figures of the programme say what their tables hold."""

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis.figures import charts, programme
from analysis.project.errors import CrmDataError

CURVE = pd.DataFrame(
    {
        "lift": [0.0, 0.1, 0.2],
        "p10": [-3e6, 4e6, 9e6],
        "p50": [-2e6, 5e6, 11e6],
        "p90": [-1e6, 6e6, 13e6],
    }
)
MARKS = pd.DataFrame(
    {"lift": [0.03, 0.15], "label": ["breaks even at 3.0%", "the data find lifts from 15.0%"]}
)


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context():
        charts.use_style()
        yield


def drawn(estimate=(0.08, -0.02, 0.18)):
    return programme.pays_from(
        CURVE, MARKS, title="By lift", y_label="NPV [million USD]", estimate=estimate
    )


def test_the_lifts_that_matter_stand_at_their_lifts():
    ax = drawn()
    at = {text.get_text(): text.xy[0] for text in ax.texts}
    assert at["breaks even at 3.0%"] == 0.03
    assert at["the data find lifts from 15.0%"] == 0.15
    assert sorted(line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--") == [
        0.03,
        0.15,
    ]


def test_money_is_drawn_in_millions():
    assert drawn().lines[0].get_ydata().tolist() == [-2.0, 5.0, 11.0]


def test_an_interval_beyond_the_axis_ends_with_it():
    ends = drawn().collections[-1].get_segments()[0]
    assert ends[:, 0].tolist() == [0.0, 0.18]


def test_nothing_is_drawn_of_a_lift_that_was_not_estimated():
    ax = drawn(estimate=(math.nan, math.nan, math.nan))
    assert not [text for text in ax.texts if "estimate" in text.get_text()]
    assert drawn().texts[0].get_text() == "estimate +8%, 95% interval"


def test_no_words_leave_the_sheet_or_overlap():
    ax = drawn()
    ax.figure.draw_without_rendering()
    sheet = ax.figure.bbox
    boxes = [text.get_window_extent() for text in ax.texts]
    assert all(sheet.x0 <= box.x0 and box.x1 <= sheet.x1 and box.y1 <= sheet.y1 for box in boxes)
    assert not [1 for i, one in enumerate(boxes) for other in boxes[:i] if one.overlaps(other)]


def test_a_curve_without_its_band_is_refused():
    with pytest.raises(CrmDataError, match="p90"):
        programme.pays_from(
            CURVE.drop(columns="p90"), MARKS, title="", y_label="", estimate=(0.1, 0.0, 0.2)
        )


def test_a_worth_nobody_knows_is_said_not_drawn():
    """No amounts, no curve: words in place of axes that cannot be."""
    curve = pd.DataFrame({"lift": [0.0, 0.1], "p10": np.nan, "p50": np.nan, "p90": np.nan})
    marks = pd.DataFrame({"lift": [], "label": []})
    ax = programme.pays_from(curve, marks, title="t", y_label="NPV", estimate=(np.nan,) * 3)
    assert [t.get_text() for t in ax.texts] == ["We cannot tell what a lift is worth."]
