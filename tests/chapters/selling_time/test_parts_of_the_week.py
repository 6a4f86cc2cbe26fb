"""Hours on leads by what became of them, cold calls apart from list building: by hand, and as simulated."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.selling_time import parts_of_the_week, time_use
from analysis.project.errors import CrmDataError
from analysis.simulate.simulated_tables import simulate_company
from analysis.simulate.world import marketing
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.stats.result import Result
from analysis.store import processed

HALF = {"minimum_logged_share": 0.5}
DOLLAR = Result("cost", 1.0, math.nan, math.nan, "USD per hour", 2, "reps", "", "")
COSTS = HALF | {
    "cost_of_hour": DOLLAR._replace(estimate=100.0),
    "cost_of_selling_hour": DOLLAR._replace(estimate=400.0),
}


def entry(number: int, minutes: float = 60.0, **changed) -> dict[str, object]:
    row = {"activity_id": f"e{number}", "rep_id": "a", "kind": "event", "activity_class": "selling",
           "started_at": pd.Timestamp("2026-07-01"), "minutes": minutes, "opportunity_id": None, "lead_id": None}  # fmt: skip
    return row | changed


@pytest.fixture
def activities() -> pd.DataFrame:
    """Rep a sells 4 h by minutes: on a deal, on a lead thrown out, on one still open, on nothing named."""
    prospecting = {"activity_class": "prospecting"}
    return pd.DataFrame(
        [
            entry(1, opportunity_id="d"),
            entry(2, lead_id="out"),
            entry(2, lead_id="out"),  # the same meeting in two exports
            entry(3, lead_id="open"),
            entry(4),
            entry(5, kind="call", lead_id="out", **prospecting),
            entry(6, minutes=180, **prospecting),
            entry(7, minutes=0, lead_id="out", kind="email"),
        ]
    )


@pytest.fixture
def leads() -> pd.DataFrame:
    return pd.DataFrame({"lead_id": ["out", "open"], "lead_stage": ["disqualified", "mql"]})


@pytest.fixture
def stays() -> pd.DataFrame:
    """The ledger holds 2 h of selling, for records overlap, and 4 h of prospecting."""
    rep = dict.fromkeys(
        [
            f"{c}_class_hours"
            for c in ("preparation", "internal", "admin", "training", "unclassified")
        ],
        0.0,
    )
    rep |= {"quarter": "2026Q3", "weeks_employed": 2.0, "paid_hours": 80.0, "available_hours": 70.0, "logged_share": 1.0,
            "selling_hours": 2.0, "selling_class_hours": 2.0, "prospecting_class_hours": 4.0}  # fmt: skip
    return pd.DataFrame([rep | {"rep_id": "a"}, rep | {"rep_id": "c", "logged_share": 0.1}])


def test_records_sum_to_the_ledger_and_count_once(stays, activities, leads):
    """4 h of records are 2 h on the clock: half an hour each; the second copy and the e-mail add nothing."""
    got = parts_of_the_week.hours_by_record(stays, activities, leads, **HALF)
    assert got.groupby("activity_class")["hours"].sum().to_dict() == {
        "prospecting": 4.0,
        "selling": 2.0,
    }
    assert got.loc[got["activity_class"] == "selling", "hours"].tolist() == [0.5, 0.5, 0.5, 0.5]
    assert got["fate"].tolist() == [
        "qualified",
        "disqualified",
        "open",
        "unlinked",
        "disqualified",
        "unlinked",
    ]


def test_hours_on_disqualified_leads_and_cold_calls_by_hand(stays, activities, leads):
    """Half a meeting hour and a cold call of 1 h: 1.5 h, $150, $600; 1 h of cold calls beside 3 h of lists."""
    got = parts_of_the_week.parts_of_week(
        stays, parts_of_the_week.hours_by_record(stays, activities, leads, **HALF), **COSTS
    ).set_index("label")
    out = got.loc["On leads later disqualified"]
    assert (out["total_hours"], out["hours"], out["amount"], out["selling_amount"]) == (
        1.5,
        0.75,
        150.0,
        600.0,
    )
    assert (out["n_leads"], out["n_activities"], out["paid"]) == (1, 2, 1.5 / 80)
    assert got.loc["Cold calls", "total_hours"] == 1.0
    assert got.loc["List building, research", "total_hours"] == 3.0


def test_parts_stand_behind_their_class_and_leads_at_the_end(stays, activities, leads):
    week = time_use.week_by_activity(stays, **HALF)
    parts = parts_of_the_week.parts_of_week(
        stays, parts_of_the_week.hours_by_record(stays, activities, leads, **HALF), **COSTS
    )
    labels = parts_of_the_week.week_with_parts(week, parts)["label"].tolist()
    at = labels.index("List building, cold calls")
    assert labels[at + 1 : at + 3] == ["… cold calls", "… list building, research"]
    assert labels[-1] == "Of all these, on leads later disqualified"
    assert len(labels) == len(week) + 3


def test_the_qualified_share_is_of_hours_whose_fate_is_known(stays, activities, leads):
    """Half an hour on the deal, half on the lead thrown out: 0.5 of 1 h, which is half of all 2 h."""
    got = parts_of_the_week.qualified_share(
        parts_of_the_week.hours_by_record(stays, activities, leads, **HALF)
    )
    assert (got.share, got.linked, got.n_reps) == (0.5, 0.5, 1)


def test_without_links_nothing_is_measured(stays, activities, leads):
    """Hours on leads are unknown, not none."""
    bare = parts_of_the_week.hours_by_record(stays, activities.assign(lead_id=None), leads, **HALF)
    assert math.isnan(parts_of_the_week.qualified_share(bare).share)
    assert "assumed" in parts_of_the_week.qualified_sentence(
        parts_of_the_week.qualified_share(bare)
    )
    assert (
        parts_of_the_week.parts_of_week(stays, bare, **COSTS)
        .set_index("label")
        .loc["On leads later disqualified", ["total_hours"]]
        .isna()
        .all()
    )
    assert "records that name a lead" in time_use.not_held(activities.assign(lead_id=None))
    assert "records that name a lead" not in time_use.not_held(activities)


def test_two_quarters_are_refused(stays, activities, leads):
    two = pd.concat([stays, stays.assign(quarter="2026Q2")])
    with pytest.raises(CrmDataError, match="hours by record need one quarter, but it holds 2"):
        parts_of_the_week.hours_by_record(two, activities, leads, **HALF)


def test_a_quarter_begins_on_its_first_day_and_ends_before_the_next(activities):
    days = activities.assign(
        started_at=pd.to_datetime(
            ["2026-06-30 23:59"] * 2 + ["2026-07-01 00:00"] * 3 + ["2026-10-01 00:00"] * 3
        )
    )
    assert (
        len(parts_of_the_week.activities_within(days, dt.date(2026, 7, 1), dt.date(2026, 10, 1)))
        == 3
    )


def test_simulated_hours_on_leads_later_disqualified_are_found(tiny):
    """Within 5% of the hours drawn for the last quarter but one, dirt planted and all."""
    made = simulate_company(SimulatedCompany(n_teams=4, n_quarters=6))
    records, window = made.calendar.records, made.draws.window
    day = records["start"].to_numpy() // 1440
    status = made.demand.leads["status"].to_numpy()[records["lead"].to_numpy()]
    is_out = (records["lead"] >= 0) & (status == marketing.OUT) & (window.quarter[day] == 4)
    truth = records.loc[is_out, "seconds"].sum() / 3600
    stays = processed.load_table("tiny", "rep_quarter").query("quarter == '2026Q2'")
    recent = parts_of_the_week.activities_within(
        processed.load_table("tiny", "activities"), dt.date(2026, 4, 1), dt.date(2026, 7, 1)
    )
    entries = parts_of_the_week.hours_by_record(
        stays, recent, processed.load_table("tiny", "leads"), minimum_logged_share=0.0
    )
    parts = parts_of_the_week.parts_of_week(
        stays, entries, **COSTS | {"minimum_logged_share": 0.0}
    ).set_index("label")
    assert parts.loc["On leads later disqualified", "total_hours"] == pytest.approx(truth, rel=0.05)
    assert truth > 50
    classes = time_use.week_by_activity(stays, minimum_logged_share=0.0).set_index("label")["hours"]
    both = parts.loc[["Cold calls", "List building, research"], "hours"].sum()
    assert both == pytest.approx(classes["List building, cold calls"], rel=0.01)
    assert 0.1 < parts.loc["Cold calls", "hours"] / both < 0.35


def test_a_lead_is_pursued_only_while_it_is_one():
    """From the day after it came until the day before it converts or is disqualified; never beside a deal."""
    made = simulate_company(SimulatedCompany(n_teams=4, n_quarters=4))
    records = made.calendar.records.query("lead >= 0")
    lead, day = records["lead"].to_numpy(), records["start"].to_numpy() // 1440
    ends = made.demand.history.query(f"new in ({marketing.OUT}, {marketing.CONVERTED})").set_index(
        "lead"
    )["day"]
    last = ends.reindex(lead).fillna(np.inf).to_numpy()
    assert (day >= made.demand.leads["created"].to_numpy()[lead] + 1).all()
    assert (day < last).all()
    assert (records["deal"] < 0).all()
    assert (made.demand.leads["seat"].to_numpy()[lead] == records["seat"]).all()
    assert len(records) > 500
