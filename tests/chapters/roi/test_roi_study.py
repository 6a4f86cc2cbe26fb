"""The appraisal finds the worth that was planted, once; `benchmarks/roi.py` asks a thousand companies."""

import pandas as pd
import pytest
from roi_case import bookings
from studies import roi_study

from analysis.chapters.growth.panel import Panel
from analysis.chapters.roi import appraised_programme, mechanisms


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    return pd.DataFrame(
        [
            roi_study.interval_calibration(seed, channel, n_draws=1_500)
            for seed in range(12)
            for channel in ("hours", "leads")
        ]
    )


def test_the_true_npv_lies_where_the_intervals_say(drawn):
    """Of 24 draws 12 and 21.6 are expected; fewer than 6 or more than 18, and fewer than 17, have odds below 1%."""
    assert 6 <= drawn["covers_50"].sum() <= 18
    assert drawn["covers_90"].sum() >= 17
    assert 0.33 < drawn["rank"].mean() < 0.67


def test_the_prior_makes_the_answer_narrower_than_the_data_alone(drawn):
    assert (drawn["sd"] < drawn["flat_sd"]).all()


@pytest.mark.parametrize(
    ("channel", "way", "other"),
    [("hours", "by_hours", "by_leads"), ("leads", "by_leads", "by_hours")],
)
def test_the_effect_shows_in_the_way_it_came_by(drawn, channel, way, other):
    """Within 2 points of what was planted; nothing in the other way."""
    part = drawn[drawn["channel"] == channel]
    assert ((part[way] - part["lift"]).abs() < 0.02).all()
    assert (part[other].abs() < 0.02).all()


@pytest.mark.parametrize("channel", ["hours", "leads"])
def test_adding_the_ways_to_the_total_would_count_the_effect_twice(channel):
    """A lift of 15 points: once it is covered, twice it is not, in at least 5 and at most 3 of 8 companies."""
    table = pd.DataFrame(
        [roi_study.benefit_coverage(seed, channel, n_draws=1_500) for seed in range(8)]
    )
    assert table["once_90"].sum() >= 5
    assert table["twice_90"].sum() <= 3


def test_the_benefit_is_the_totals_whatever_the_ways_say():
    """Ways are no input of a case: the appraisal cannot count them."""
    made = roi_study.plant_company(3, "hours")
    parts = mechanisms.decompose_effect(
        made.case.effect, made.ways, bookings_amount=1_000.0
    ).set_index("role")
    assert parts.loc["total", "log_points"] == made.case.effect.estimate
    assert not {"ways", "hours", "leads"} & set(made.case._fields)


def test_starts_are_the_quarters_of_the_growth_panel():
    table = bookings().set_index(["team_id", "quarter"])["bookings_amount"].unstack()  # noqa: PD010 - no duplicates
    whole = Panel("x", table.to_numpy(), [4, 1 << 20], table.index, tuple(table.columns), {})
    assert appraised_programme.programme_starts(whole) == {"a": "2025Q1"}
