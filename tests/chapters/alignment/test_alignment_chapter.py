"""Alignment as of a quarter: which profile, what is unknown, and that nothing from after the quarter is in it."""

import datetime as dt
import math

import pandas as pd
import pytest
from alignment_tables import calendar, company, day, funnel, meetings, stamp

from analysis.chapters.alignment import chapter, items, scoring, weights
from analysis.chapters.growth import assessment
from analysis.chapters.roi import appraised_programme
from analysis.project import quarters, settings
from analysis.stats.result import Result
from analysis.store import processed

QUARTER = "2026Q1"
CALENDAR = calendar(
    [("A1", "2026-01-06 10:00", ["marketing"]), ("A9", "2026-05-05 10:00", ["marketing"])]
)
LEADS = [
    ("L1", "mql", "2026-02-02 10:00"),
    ("L1", "sal", "2026-02-03 10:00"),
    ("L2", "mql", "2026-05-04 10:00"),
]
NO_ANSWERS = pd.DataFrame(
    {
        name: pd.Series(dtype="object")
        for name in ("response_id", "item", "team_id", "side", "answered_on", "score")
    }
)
# What a row of each table is dated by; panels are cut by quarter.
DATED = {
    "rep_team_history": "valid_from", "activities": "started_at", "leads": "created_at",
    "lead_status_history": "entered_at", "opportunities": "created_at", "campaigns": "start_date",
    "sales_ready_definitions": "valid_from", "goals": "period_start", "plans": "period_start",
    "activity_targets": "period_start", "incentives": "period_start", "target_accounts": "valid_from",
    "campaign_notices": "first_send_on", "assets": "created_on", "asset_uses": "used_on", "marketing_requests": "asked_on",
    "joint_meetings": "held_on", "survey_answers": "answered_on", "programme": "start_date",
    "programme_costs": "period_start",
}  # fmt: skip


@pytest.fixture
def house(root):
    return settings.load_dataset_settings("here")


def as_it_was(tables, quarter):
    """Return the tables without any row dated after the quarter."""
    end = pd.Timestamp(quarters.parse_quarter(quarter).end(), tz="UTC")
    cut = {name: t[t["quarter"] <= quarter] if "quarter" in t else t for name, t in tables.items()}
    for name, column in DATED.items():
        if name in cut:
            cut[name] = cut[name][~(pd.to_datetime(cut[name][column], utc=True) >= end)]
    if "attendees" in cut:
        cut["attendees"] = cut["attendees"][
            cut["attendees"]["activity_id"].isin(cut["activities"]["activity_id"])
        ]
    return cut


def test_a_company_that_writes_no_practice_down_has_the_core_profile_and_is_told_so(house):
    tables = company(
        survey_answers=NO_ANSWERS,
        goals=pd.DataFrame(columns=["goal_id"]),
        **CALENDAR,
        **funnel(LEADS),
    )
    got = chapter.score_alignment(tables, QUARTER, house=house)
    assert got.profile == "core"
    assert set(got.evidence["item"]) == {item.id for item in items.profile_items("core")}
    assert chapter.company_index(got.aligned, QUARTER).method.startswith(
        "core profile: calendar, CRM and staff data"
    )
    assert "by calendar, CRM and staff data alone (core profile)" in chapter.index_sentence(
        got.aligned, QUARTER
    )
    assert chapter.profile_note(got.profile).startswith("Core profile")


def test_one_meeting_minuted_makes_it_the_full_profile(house):
    tables = company(
        survey_answers=NO_ANSWERS, joint_meetings=meetings([("A", day("2026-01-12"), "weekly")])
    )
    got = chapter.score_alignment(tables, QUARTER, house=house)
    assert got.profile == "full"
    assert len(got.evidence["item"].unique()) == len(items.ITEMS)
    assert chapter.company_index(got.aligned, QUARTER).method.startswith("full profile")


def test_where_nothing_can_be_observed_the_index_is_unknown_and_not_zero(house):
    got = chapter.score_alignment(company(survey_answers=NO_ANSWERS), QUARTER, house=house)
    index = chapter.company_index(got.aligned, QUARTER)
    assert math.isnan(index.estimate)
    assert index.method == f"no practice could be observed of any team in {QUARTER}"
    assert chapter.index_sentence(got.aligned, QUARTER).startswith(
        "We cannot tell how aligned sales and marketing are: "
    )
    first = weights.next_practice(weights.practice_gains(got.evidence, QUARTER, items=got.profile))
    assert first.empty
    hours = sorted({name for several in weights.SPARES.values() for name in several})
    stays = pd.DataFrame(columns=["team_id", "rep_id", *hours])
    teams = pd.DataFrame({"team_id": ["A"], "team_name": ["North"]})
    unpaid = Result(
        "cost_per_available_hour", math.nan, math.nan, math.nan, "USD per hour", 0, "reps", "", ""
    )
    assert weights.hours_in_play(first, stays, teams, cost_of_hour=unpaid, smallest_cell=5).empty


def test_a_quarter_of_weeks_has_three_months_though_it_touches_four_of_the_calendar():
    """25 January to 25 April: managers met on 28 January, 26 February, 26 March and 2 April, in 2 of its 3 months."""
    periods = pd.DataFrame(
        {"quarter": [QUARTER], "from_day": [day("2026-01-25")], "until_day": [day("2026-04-26")]}
    )
    held = [
        ("A", day(d), "managers") for d in ("2026-01-28", "2026-02-26", "2026-03-26", "2026-04-02")
    ]
    tables = company(quarters=periods, joint_meetings=meetings(held))
    rows = scoring.evidence_table(tables, time_zone="UTC").set_index(["team_id", "item"])
    assert rows.loc[("A", "E07"), ["share", "n"]].tolist() == [1.0, 3.0]
    tables["joint_meetings"] = meetings([held[0], ("A", day("2026-02-24"), "managers"), *held[2:]])
    rows = scoring.evidence_table(tables, time_zone="UTC").set_index(["team_id", "item"])
    assert rows.loc[("A", "E07"), "share"] == pytest.approx(2 / 3)


def test_a_quarter_that_is_not_over_is_measured_up_to_the_last_day_known(house):
    """One meeting in the two weeks known of 2026Q2; over all of it, one in thirteen."""
    tables = company(
        survey_answers=NO_ANSWERS, joint_meetings=meetings([("A", day("2026-04-07"), "weekly")])
    )
    row = ("A", "2026Q2", "E06")
    key = ["team_id", "quarter", "item"]
    known = chapter.practice_evidence(
        tables, "2026Q2", house=house, last_day="2026-04-19"
    ).set_index(key)
    whole = chapter.practice_evidence(tables, "2026Q2", house=house).set_index(key)
    assert known.loc[row, "share"] == pytest.approx(1 / 2)
    assert whole.loc[row, "share"] == pytest.approx(1 / 13)


def test_a_meeting_after_the_quarter_does_not_make_its_log_a_kept_one(house):
    """Minutes that begin in 2026Q2 say nothing of Q1, and Q1's index is the same with them."""
    later = company(
        survey_answers=NO_ANSWERS,
        joint_meetings=meetings([("A", day("2026-05-04"), "weekly")]),
        **CALENDAR,
    )
    got = chapter.score_alignment(later, QUARTER, house=house)
    assert got.scores["quarter"].unique().tolist() == [QUARTER]
    assert got.evidence.query("item == 'E10'")["share"].isna().all()


def test_rows_after_the_quarter_change_nothing_that_the_chapters_show(tiny):
    """Of the tiny company: the index, its evidence, the practices, and the costs and meetings of the programme."""
    house, quarter = settings.load_dataset_settings("tiny"), "2026Q2"
    names = {*appraised_programme.TABLES, *chapter.TABLES, "team_quarter", "rep_quarter"}
    whole = {name: processed.load_table("tiny", name) for name in names}
    cut = as_it_was(whole, quarter)
    assert sum(map(len, cut.values())) < 0.95 * sum(map(len, whole.values()))
    one, other = (chapter.score_alignment(each, quarter, house=house) for each in (whole, cut))
    pd.testing.assert_frame_equal(one.aligned, other.aligned)
    pd.testing.assert_frame_equal(one.evidence, other.evidence)
    pd.testing.assert_frame_equal(one.sides, other.sides)
    known = [assessment.tables_as_of(each, quarter) for each in (whole, cut)]
    pd.testing.assert_frame_equal(known[0].team_quarter, known[1].team_quarter)
    pd.testing.assert_frame_equal(known[0].programme, known[1].programme)
    programmes = [
        appraised_programme.company_programme(each, quarter=quarter, house=house)
        for each in (whole, cut)
    ]
    pd.testing.assert_frame_equal(programmes[0].case.costs, programmes[1].case.costs)
    pd.testing.assert_frame_equal(programmes[0].case.bookings, programmes[1].case.bookings)
    pd.testing.assert_frame_equal(programmes[0].joint_meetings, programmes[1].joint_meetings)
    assert (
        programmes[0].case._replace(bookings=None, costs=None).commission_rate
        == programmes[1].case.commission_rate
    )


def test_an_activity_is_cut_at_the_day_the_quarter_ends():
    acts = pd.DataFrame(
        {"started_at": [stamp("2026-03-31 23:59"), stamp("2026-04-01 00:00"), pd.NaT]}
    )
    assert appraised_programme.activities_until(acts, dt.date(2026, 4, 1)).index.tolist() == [0, 2]
