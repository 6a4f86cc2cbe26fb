"""What moved a headline, in words whose amounts add up as shown."""

import pandas as pd
import pytest
from report_cells import result

from analysis.chapters.cost import cost_drivers
from analysis.chapters.cost.cost_drivers import HOURS_TO_WORK, MIX, SHARE_SOLD
from analysis.project import quarters, settings
from analysis.report import output
from analysis.report.review import changes, drivers
from analysis.stats.shapley import DriverSplit
from analysis.tables.canonical import SELLING_DEFINITIONS

HOUR = "cost_per_selling_hour"
SUMMER = DriverSplit(
    488.9, 544.7, {MIX: -0.02, "pay": -12.27, HOURS_TO_WORK: 64.22, SHARE_SOLD: 3.87}
)
YEAR = DriverSplit(523.8, 544.7, {MIX: 0.0, "pay": 18.9, HOURS_TO_WORK: -2.8, SHARE_SOLD: 4.8})
SPLITS = drivers.HeadlineSplits(
    "2026Q2", "2025Q3", {"2026Q2": {HOUR: SUMMER}, "2025Q3": {HOUR: YEAR}},
    {HOUR: DriverSplit(465.0, 523.8, {})}, {"2026Q2": "summer leave"}, {},
)  # fmt: skip


@pytest.fixture
def card():
    hour = result(HOUR, 544.7, 525.0, 565.0, unit="USD per recorded selling hour")
    return output.result_card(
        hour, label="Cost", note="", headline=True, format="money", currency="USD"
    )


def test_page_one_says_it_as_one_would_in_a_meeting(card):
    """64.22 + 3.87 = 68.09 by hours sold, -12.27 by pay: +56 as shown."""
    (reason,) = drivers.page_one_reasons(SPLITS, [card]).values()
    assert reason == (
        "Since 2026Q2 (+$56): Fewer hours sold (mostly summer leave): +$68. "
        "Lower pay per paid hour: \N{MINUS SIGN}$12. "
        "Since 2025Q3 (+$21): Higher pay per paid hour: +$19. Smaller share of working time sold: +$5. "
        "More hours to work: \N{MINUS SIGN}$3."
    )


def test_a_published_figure_that_was_restated_since_has_that_as_a_part(card):
    """Published 520, today's data 524: +4 restated, +21 drivers, +25 in all."""
    row = drivers.compared_row(card, YEAR, 520.0, "")
    assert (row["then"], row["change"], row["basis"]) == (520.0, 25, "as published")
    assert row["parts"][0] == (drivers.RESTATED, 4)
    assert sum(amount for _, amount in row["parts"]) == 25


def test_a_quarter_without_a_report_is_recomputed_and_says_so(card):
    row = drivers.year_rows(SPLITS, [card], {})[HOUR]
    assert (row["then"], row["change"]) == (524, 21)
    assert row["basis"] == "recomputed on today's data"


def test_a_headline_not_published_last_quarter_is_recomputed_in_the_table_of_changes(card):
    (row,) = changes.change_rows(None, [], [card], {}, SPLITS)
    assert (row["then"], row["basis"]) == (489, "recomputed on today's data")
    assert row["says"].startswith(
        "Fewer hours to work (summer leave): +$64. Lower pay per paid hour"
    )


def test_a_split_of_something_else_explains_nothing():
    """The figure moved by 100, its drivers by 56."""
    assert drivers.named_parts(HOUR, SUMMER, 100.0, "money", "", size=545.0) is None


def test_what_is_not_named_is_counted_and_summed():
    """Six parts of 1.0 to 6.0 of a cost: four named, two others."""
    split = DriverSplit(0.0, 21.0, {f"d{i}": float(i) for i in range(1, 7)})
    got = drivers.named_parts(HOUR, split, 21.0, "money", "", size=21.0)
    assert got == [("d6", 6), ("d5", 5), ("d4", 4), ("d3", 3), ("2 others", 3)]


def test_the_same_step_a_year_before_stands_beside_it(card):
    assert drivers.usual_step(SPLITS, card) == "A year before it moved by +$59."


def test_a_waterfall_ends_where_the_figure_does(card):
    w = drivers.waterfall(card, SUMMER, "2026Q2", "2026Q3", "summer leave")
    assert [(b["kind"], b["shown"]) for b in w["bars"]] == [
        ("end", "$489"), ("up", "+$64"), ("down", "\N{MINUS SIGN}$12"), ("up", "+$4"),
        ("end", "$545"),
    ]  # fmt: skip
    assert w["bars"][-2]["high"] == 545


@pytest.mark.parametrize(
    ("quarter", "zone", "expected"),
    [
        ("2026Q3", "Europe/Berlin", "summer"),
        ("2026Q4", "America/New_York", "autumn"),
        ("2026Q1", "Europe/Berlin", "winter"),
        ("2026Q3", "Australia/Sydney", "winter"),
    ],
)
def test_a_season_is_that_of_the_middle_month_where_the_company_is(root, quarter, zone, expected):
    house = settings.load_dataset_settings("here")
    house = house.model_copy(
        update={"company": house.company.model_copy(update={"time_zone": zone})}
    )
    assert drivers.season_name(quarters.parse_quarter(quarter), house) == expected


def stays(leave_by_quarter):
    return pd.DataFrame(
        [
            {
                "quarter": q, "is_partial": False, "logged_share": 1.0, "paid_hours": 100.0,
                "available_hours": 100.0 * (1 - leave),
            }
            for q, leave in leave_by_quarter.items()
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.20, 0.10, 0.20, 0.10), {"2026Q2": "summer leave"}),
        ((0.20, 0.10, 0.10, 0.10), {"2026Q2": "more leave", "2025Q3": "more leave"}),
        ((0.101, 0.10, 0.10, 0.10), {}),
        ((0.50, 0.10, 0.20, 0.10), {"2026Q2": "more leave", "2025Q3": "more leave"}),
    ],
)
def test_leave_is_the_seasons_where_it_came_the_year_before_too(root, shares, expected):
    names = ("2026Q3", "2026Q2", "2025Q3", "2025Q2")
    panel = stays(dict(zip(names, shares, strict=True)))
    got = drivers._leave_words(
        {"rep_quarter": panel}, quarters.parse_quarter("2026Q3"),
        settings.load_dataset_settings("here"),
    )  # fmt: skip
    assert got == expected


def test_leave_is_not_named_for_hours_that_it_did_not_take(card):
    """20 by fewer hours to work, 36 by a smaller share of them sold: leave is no word for both."""
    split = DriverSplit(488.9, 544.7, {HOURS_TO_WORK: 19.8, SHARE_SOLD: 36.0})
    splits = SPLITS._replace(against={"2026Q2": {HOUR: split}, "2025Q3": {}})
    (reason,) = drivers.page_one_reasons(splits, [card]).values()
    assert reason == "Since 2026Q2 (+$56): Fewer hours sold: +$56."


def paid(segments, pay):
    """Return a quarter's stays, a rep each: 100 paid hours, all to work, 20 of them sold."""
    n = len(segments)
    return pd.DataFrame(
        {
            "rep_id": [f"r{i}" for i in range(n)], "segment": list(segments), "quarter": "2026Q3",
            "is_partial": False, "logged_share": 1.0, "paid_hours": 100.0, "available_hours": 100.0,
            "weeks_employed": 13.0, "base_amount": [pay[s] for s in segments], "commission_amount": 0.0,
            "fringe_amount": 0.0, "overhead_amount": 0.0, "quota_amount": 1.0,
        }
        | dict.fromkeys(SELLING_DEFINITIONS, 20.0)
    )  # fmt: skip


def test_a_segment_of_few_has_no_part_of_a_change_for_itself(root):
    """Of ten reps two and then three are dear: mix of segments would say what one of them is paid."""
    house, pay = settings.load_dataset_settings("here"), {"a": 1_000.0, "b": 3_000.0}
    then, now = paid("aaaaaaaabb", pay), paid("aaaaaaabbb", pay)
    open_split = cost_drivers.hour_drivers(then, now, "cost_per_selling_hour", minimum_logged_share=0.5)  # fmt: skip
    assert open_split.parts[MIX] == pytest.approx(10.0)  # 160/2 less 140/2
    split = drivers._hourly(then, now, "cost_per_selling_hour", house)
    assert split.parts[MIX] == 0
    assert split.change == pytest.approx(10.0)
