"""The articles' figures, rebuilt to the cent."""

import math

import pytest

from analysis.chapters.cost import worked_example


def test_seed_002_gives_the_articles_figures():
    """210,672 / 528 = 399.00 and 2,000,000 / 528 = 3,787.88, shown as $3,788."""
    assert worked_example.SEED_002.selling_hours == 528
    assert worked_example.rebuild_example().estimate == 399.0
    bookings = worked_example.rebuild_example("required_bookings_per_selling_hour").estimate
    assert round(bookings, 2) == 3_787.88
    assert round(bookings) == 3_788


def test_articles_figures_are_said_to_be_lower_bounds():
    """Hours are "less than 11", so a cost per hour is at least what 11 gives."""
    got = worked_example.rebuild_example()
    assert "lower bound" in got.method
    assert "loadings solved for, split unknown" in got.method
    assert math.isnan(got.low)
    assert math.isnan(got.high)


@pytest.mark.parametrize(
    ("weeks", "hours", "cost", "bookings"),
    [
        (48, 9, 487.67, 4_629.63),
        (48, 10, 438.90, 4_166.67),
        (48, 11, 399.00, 3_787.88),
        (48, 12, 365.75, 3_472.22),
        (48, 20, 219.45, 2_083.33),
        (48, 40, 109.72, 1_041.67),  # 109.725 in exact arithmetic
        (44, 11, 435.27, 4_132.23),
        (46, 11, 416.35, 3_952.57),
        (50, 11, 383.04, 3_636.36),
        (52, 11, 368.31, 3_496.50),
    ],
)
def test_sensitivity_to_the_cent(weeks, hours, cost, bookings):
    got = worked_example.example_sensitivity([hours], [weeks])
    assert got["cost_per_selling_hour"].item() == pytest.approx(cost, abs=0.0051)
    assert got["required_bookings_per_selling_hour"].item() == pytest.approx(bookings, abs=0.0051)


def test_sensitivity_refuses_no_hours():
    with pytest.raises(
        ValueError, match=r"weeks and hours must be above 0, got 48\.0 weeks of 0 h"
    ):
        worked_example.example_sensitivity([11, 0])


def test_nine_round_splits_print_399():
    """Four with fringe on base and commission, five on base alone; none is *the* split."""
    got = worked_example.round_splits()
    on_both = got[got["fringe_on"] == "base and commission"]
    on_base = got[got["fringe_on"] == "base"]
    assert on_both["commission_amount"].round().tolist() == [50_000, 70_000, 80_000, 90_000]
    assert on_both["fringe_rate"].round(3).tolist() == [0.405, 0.24, 0.17, 0.11]
    assert on_both["total_amount"].round().tolist() == [210_750, 210_800, 210_600, 210_900]
    assert on_base["commission_amount"].round().tolist() == [
        70_000,
        80_000,
        90_000,
        100_000,
        110_000,
    ]
    assert on_base["fringe_rate"].round(3).tolist() == [0.405, 0.305, 0.205, 0.105, 0.005]
    assert (got["cost_per_selling_hour"].round() == 399).all()


def test_line_of_splits_holds_the_total():
    """Official non-cash fringe of 18.8%: 210,672 / 1.188 - 100,000 = 77,333, 3.87% of quota."""
    got = worked_example.line_of_splits([0.0, 0.188])
    assert got["commission_amount"].round().tolist() == [110_672, 77_333]
    assert got["commission_rate"].round(4).tolist() == [0.0553, 0.0387]


def test_one_more_hour_is_worth_a_third_of_the_average():
    """2,000,000 x ((12/11)^0.34 - 1) = 60,052, over 48 hours 1,251; at elasticity 1 181,818 and 3,788."""
    got = worked_example.more_hours(12)
    assert got["elasticity"].tolist() == [0.34, 1.0]
    assert got["bookings_amount"].round().tolist() == [60_052, 181_818]
    assert got["bookings_per_added_hour"].round().tolist() == [1_251, 3_788]


def test_no_added_hour_adds_nothing():
    got = worked_example.more_hours(11)
    assert got["bookings_amount"].tolist() == [0, 0]
    assert got["bookings_per_added_hour"].isna().all()


def test_unknown_measure_is_named():
    with pytest.raises(
        ValueError, match=r"measure must be one of cost_per_selling_hour, .* got 'price'"
    ):
        worked_example.rebuild_example("price")
    with pytest.raises(ValueError, match="hours_per_week must be above 0, got 0"):
        worked_example.more_hours(0)
