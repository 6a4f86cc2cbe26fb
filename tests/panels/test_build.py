"""Panels cut a person's past by the day, and say nothing where nothing is known."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from crm_tables import ADA, AS_OF, BEN, NORTH, SOUTH, frame, place
from shared_session import undone_house

from analysis.cleaning import hours
from analysis.panels import build
from analysis.project import settings
from analysis.sources import database
from analysis.sources.own_definitions import parse_definitions
from analysis.store import processed
from analysis.tables.panel_tables import PANELS

D = dt.date
JANUARY, MOVE = D(2026, 1, 1), D(2026, 2, 15)
STAYS = [
    {"rep_id": ADA, "team_id": NORTH, "valid_from": D(2025, 1, 1), "valid_to": MOVE},
    {"rep_id": ADA, "team_id": SOUTH, "valid_from": MOVE},
]
REPS = [{"rep_id": ADA, "role": "rep", "fte": 1.0}]
TEAMS = [
    {"team_id": NORTH, "team_name": "North", "region": "EMEA"},
    {"team_id": SOUTH, "team_name": "South"},
]


def deal(n: int, close: D, amount: float | None = 100.0, owner: str = ADA, status: str = "won"):
    made = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
    row = {"opportunity_id": str(n), "owner_rep_id": owner, "status": status, "created_at": made}
    return row | {"close_date": close, "deal_amount": amount}


def activity(day: D, minutes: float = 60.0, activity_class: str = "selling", **other):
    at = dt.datetime.combine(day, dt.time(15), tzinfo=dt.UTC)
    row = {
        "activity_id": f"{day}{activity_class}",
        "rep_id": ADA,
        "kind": "event",
        "is_all_day": False,
    }
    return row | {"activity_class": activity_class, "started_at": at, "minutes": minutes} | other


def day_off(day: D):
    at = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    return activity(day, 0.0, "time_off", is_all_day=True, started_at=at, ended_at=at)


def built(first_day=JANUARY, as_of=AS_OF, *, versions="", **tables) -> dict[str, pd.DataFrame]:
    """Return the panels of clean tables; Ada is in North until 15 February 2026, then in South."""
    tables = {"reps": REPS, "teams": TEAMS, "rep_team_history": STAYS} | tables
    with undone_house() as connection:
        place(connection, **tables)
        database.set_variable(connection, "as_of", as_of)
        hours.by_day(connection)
        house, definitions = settings.load_dataset_settings("here"), parse_definitions(versions)
        build.make_panels(connection, first_day, as_of, house, definitions=definitions)
        return {name: frame(connection, name) for name in (*PANELS, "quarters")}


def by_team(got, column, name="team_quarter"):
    return got[name].groupby("team_id")[column].sum().to_dict()


def test_quirk_30_bookings_are_cut_on_the_day_of_a_move(raw):
    """The 14th is North's, the 15th, first day of the new stay, South's: half-open."""
    got = built(
        opportunities=[deal(1, D(2026, 2, 14), 100.0), deal(2, MOVE, 30.0), deal(3, MOVE, 5.0)]
    )
    assert by_team(got, "bookings_amount") == {NORTH: 100.0, SOUTH: 35.0}
    assert by_team(got, "bookings_amount", "rep_quarter") == {NORTH: 100.0, SOUTH: 35.0}
    assert by_team(got, "n_won") == {NORTH: 1, SOUTH: 2}


def test_quirk_30_teams_and_unassigned_together_are_the_company(raw):
    """A deal of a manager, of nobody, and of a rep in a gap between stays belong to no team."""
    gap = [STAYS[0] | {"valid_to": D(2026, 2, 1)}, STAYS[1]]
    reps = [*REPS, {"rep_id": BEN, "role": "manager"}]
    stays = [*gap, {"rep_id": BEN, "team_id": NORTH, "valid_from": D(2025, 1, 1)}]
    deals = [
        deal(1, D(2026, 1, 10), 1.0), deal(2, D(2026, 2, 10), 2.0), deal(3, D(2026, 3, 1), 4.0),
        deal(4, D(2026, 3, 1), 8.0, BEN), deal(5, D(2026, 3, 1), 16.0, "nobody"),
    ]  # fmt: skip
    got = built(reps=reps, rep_team_history=stays, opportunities=deals)
    assert by_team(got, "bookings_amount") == {NORTH: 1.0, SOUTH: 4.0, "unassigned": 26.0}
    assert sum(by_team(got, "bookings_amount").values()) == 31.0


def test_open_lost_and_unpriced_deals_add_no_bookings(raw):
    """One won without an amount is a win; two of three closed are won; an open one is neither."""
    deals = [
        deal(1, D(2026, 1, 10)), deal(2, D(2026, 1, 10), None), deal(3, D(2026, 1, 10), 70.0, status="lost"),
        deal(4, D(2026, 1, 10), 50.0, status="open"),
    ]  # fmt: skip
    row = built(opportunities=deals)["team_quarter"].set_index("team_id").loc[NORTH]
    assert row[["bookings_amount", "n_won", "n_lost", "n_created"]].tolist() == [100.0, 2, 1, 4]
    assert row["win_rate"] == pytest.approx(2 / 3)


def test_a_team_that_closed_nothing_has_no_win_rate(raw):
    got = built()["team_quarter"].set_index("team_id")
    assert got["win_rate"].isna().all()
    assert got["bookings_amount"].tolist() == [0.0, 0.0]


def test_days_are_cut_on_the_day_of_a_move(raw):
    """31 January and 14 February days in North, 14 and 31 in South, of 90: both half a rep."""
    got = built()
    days = got["rep_quarter"].set_index("team_id")["days_employed"].to_dict()
    assert days == {NORTH: 45, SOUTH: 45}
    teams = got["team_quarter"].set_index("team_id")
    assert teams["average_reps"].to_dict() == {NORTH: 0.5, SOUTH: 0.5}
    assert teams["n_reps"].to_dict() == {NORTH: 1, SOUTH: 1}
    assert teams["team_name"].to_dict() == {NORTH: "North", SOUTH: "South"}


def test_a_quota_is_prorated_by_day(raw):
    """9,000 over 90 days is 100 a day: 45 days in each team; hired on 1 March it is 31 days.

    The quota of the quarter before ends with 31 December: nothing of it is left on 1 January.
    """
    quotas = [
        {
            "rep_id": ADA,
            "period_start": JANUARY,
            "period_end": D(2026, 4, 1),
            "quota_amount": 9_000.0,
        },
        {
            "rep_id": ADA,
            "period_start": D(2025, 10, 1),
            "period_end": JANUARY,
            "quota_amount": 9_200.0,
        },
    ]
    got = built(quotas=quotas)
    assert got["rep_quarter"].set_index("team_id")["quota_amount"].to_dict() == {
        NORTH: 4_500.0,
        SOUTH: 4_500.0,
    }
    assert by_team(got, "quota_amount") == {NORTH: 4_500.0, SOUTH: 4_500.0}
    late = built(quotas=quotas, reps=[REPS[0] | {"hired_on": D(2026, 3, 1)}])
    assert late["rep_quarter"][["team_id", "quota_amount"]].to_numpy().tolist() == [
        [SOUTH, 3_100.0]
    ]


def test_a_missing_quota_is_not_zero(raw):
    got = built()
    assert got["rep_quarter"]["quota_amount"].isna().all()
    assert got["team_quarter"]["quota_amount"].isna().all()


PAY = {
    "rep_id": ADA,
    "base_amount": 36_500.0,
    "overhead_amount": 3_650.0,
    "commission_rate": 0.1,
    "fringe_rate": 0.2,
}


def test_pay_is_by_the_day_and_fringe_on_cash(raw):
    """100 a day for 45 days, a raise to 200 a day from 1 March; commission 10 %, fringe 20 % of both.

    North 4,500, no bookings: fringe 900. South 14 days at 100 and 31 at 200 are 7,600; 1,000 booked
    bring 100, fringe 20 % of 7,700 = 1,540. Overhead 10 a day, 20 after the raise: 450; 140 + 620.
    """
    pay = [
        PAY | {"valid_from": D(2025, 1, 1), "valid_to": D(2026, 3, 1)},
        PAY | {"valid_from": D(2026, 3, 1), "base_amount": 73_000.0, "overhead_amount": 7_300.0},
    ]
    got = built(compensation=pay, opportunities=[deal(1, D(2026, 3, 10), 1_000.0)])[
        "rep_quarter"
    ].set_index("team_id")
    columns = ["base_amount", "commission_amount", "fringe_amount", "overhead_amount"]
    assert got.loc[NORTH, columns].tolist() == [4_500.0, 0.0, 900.0, 450.0]
    assert got.loc[SOUTH, columns].tolist() == [7_600.0, 100.0, 1_540.0, 760.0]


def test_pay_unknown_for_a_day_is_unknown_for_the_stay(raw):
    """From 2 January on it is known; the 1st is not, so North's is missing and South's is not."""
    got = built(compensation=[PAY | {"valid_from": D(2026, 1, 2)}])["rep_quarter"].set_index(
        "team_id"
    )
    assert got["base_amount"].fillna(-1).to_dict() == {NORTH: -1, SOUTH: 4_500.0}


def weeks(got) -> pd.DataFrame:
    return got["rep_week"].set_index("week_start")


def test_quirk_28_a_week_without_logging_is_unknown_not_zero(raw):
    """Logged on Monday 5 January, nothing in the week of the 12th, an internal meeting on the 19th."""
    got = weeks(
        built(activities=[activity(D(2026, 1, 5)), activity(D(2026, 1, 19), 60.0, "internal")])
    )
    assert got.loc[D(2026, 1, 5), ["coverage", "selling_hours"]].tolist() == ["ok", 1.0]
    assert got.loc[D(2026, 1, 12), "coverage"] == "no_logging"
    silent = got.loc[
        D(2026, 1, 12),
        [c for c in got if c.endswith("_hours") and c not in {"available_hours", "paid_hours"}],
    ]
    assert silent.isna().all()
    assert got.loc[
        D(2026, 1, 19), ["coverage", "selling_hours", "internal_class_hours"]
    ].tolist() == ["ok", 0.0, 1.0]


def test_a_day_off_alone_is_no_logging(raw):
    """A calendar filled with a public holiday by a sync says nothing of the week's other days."""
    got = weeks(built(activities=[activity(D(2026, 1, 5)), day_off(D(2026, 1, 14))]))
    assert got.loc[D(2026, 1, 12), "coverage"] == "no_logging"
    assert pd.isna(got.loc[D(2026, 1, 12), "selling_hours"])
    assert got.loc[D(2026, 1, 12), "available_hours"] == 32.0


def test_a_whole_week_off_is_known_to_be_without_selling(raw):
    """Five days of leave: 0 hours of 0 available, and the week counts as logged."""
    off = [day_off(D(2026, 1, 12 + i)) for i in range(5)]
    got = weeks(built(activities=[activity(D(2026, 1, 5)), *off]))
    row = got.loc[D(2026, 1, 12)]
    assert row[["coverage", "selling_hours"]].tolist() == ["ok", 0.0]
    assert pd.isna(row["available_hours"]) or row["available_hours"] == 0.0


def test_a_stay_never_logged_has_no_hours_at_all(raw):
    """North from 5 January, 1 of 7 weeks logged; South never: missing, not 0."""
    got = built(activities=[activity(D(2026, 1, 5))])
    stays = got["rep_quarter"].set_index("team_id")
    assert stays.loc[NORTH, "selling_hours"] == 1.0
    assert stays.loc[NORTH, "logged_share"] == pytest.approx(
        5 / 32
    )  # of the 32 weekdays from 1 January to 13 February
    assert stays.loc[SOUTH, "logged_share"] == 0.0
    assert pd.isna(stays.loc[SOUTH, "selling_hours"])
    teams = got["team_quarter"].set_index("team_id")
    assert teams.loc[NORTH, "selling_hours"] == 1.0
    assert pd.isna(teams.loc[SOUTH, "selling_hours"])


def test_available_hours_leave_out_holidays_and_leave(raw):
    """The week of 5 January: a holiday on Tuesday, leave on Wednesday, half time: 3 days of 4 hours."""
    calendar = [{"date": D(2026, 1, 6), "region": "EMEA", "is_workday": False}]
    activities = [activity(D(2026, 1, 5)), day_off(D(2026, 1, 7))]
    got = built(working_calendar=calendar, activities=activities, reps=[REPS[0] | {"fte": 0.5}])
    assert weeks(got).loc[D(2026, 1, 5), "available_hours"] == 12.0
    stay = got["rep_quarter"].set_index("team_id").loc[NORTH]
    assert stay["paid_hours"] == 32 * 4
    assert stay["available_hours"] == 30 * 4


def test_a_week_cut_by_hiring_is_partial(raw):
    """Hired on Wednesday 7 January; left on Thursday 26 March, the first day no longer employed."""
    reps = [REPS[0] | {"hired_on": D(2026, 1, 7), "left_on": D(2026, 3, 26)}]
    days = (D(2026, 1, 8), D(2026, 1, 13), D(2026, 3, 24))
    got = weeks(built(reps=reps, activities=[activity(d) for d in days]))
    assert got.index.min() == D(2026, 1, 5)
    assert got.index.max() == D(2026, 3, 23)
    assert got.loc[[D(2026, 1, 5), D(2026, 1, 12), D(2026, 3, 23)], "coverage"].tolist() == [
        "partial_week",
        "ok",
        "partial_week",
    ]


def test_a_week_of_a_move_belongs_to_the_team_of_its_first_day(raw):
    """Moved on Wednesday 18 February."""
    stays = [STAYS[0] | {"valid_to": D(2026, 2, 18)}, STAYS[1] | {"valid_from": D(2026, 2, 18)}]
    got = weeks(built(rep_team_history=stays))
    assert got.loc[[D(2026, 2, 16), D(2026, 2, 23)], "team_id"].tolist() == [NORTH, SOUTH]
    assert got.index.is_unique


def test_hours_are_cut_on_the_day_of_a_move(raw):
    """An hour on Friday 13 February in North, two on Monday 16 in South."""
    got = built(activities=[activity(D(2026, 2, 13)), activity(D(2026, 2, 16), 120.0)])
    assert by_team(got, "selling_hours", "rep_quarter") == {NORTH: 1.0, SOUTH: 2.0}


@pytest.mark.parametrize(
    ("first_day", "as_of", "month", "partial"),
    [
        (
            D(2017, 3, 1),
            D(2017, 12, 31),
            1,
            {"2017Q1": True, "2017Q2": False, "2017Q3": False, "2017Q4": False},
        ),
        (D(2026, 1, 9), D(2026, 3, 31), 1, {"2026Q1": True}),  # six working days before it
        (D(2026, 1, 8), D(2026, 3, 31), 1, {"2026Q1": False}),
        (D(2026, 1, 1), D(2026, 3, 30), 1, {"2026Q1": True}),  # a Tuesday is left
        (D(2025, 11, 3), D(2026, 4, 30), 2, {"2026Q4": False, "2027Q1": False}),
    ],
)
def test_quirk_19_a_quarter_not_covered_is_partial(first_day, as_of, month, partial):
    """Maven's first quarter holds March alone; five working days of slack, none at the end."""
    assert {
        name: is_partial for name, _, _, is_partial in build.quarter_rows(first_day, as_of, month)
    } == partial


def test_partial_quarters_are_marked_in_the_panel(raw):
    got = built(first_day=D(2025, 12, 1))
    assert got["team_quarter"].groupby("quarter")["is_partial"].all().to_dict() == {
        "2025Q4": True,
        "2026Q1": False,
    }
    assert got["quarters"]["quarter"].tolist() == ["2025Q4", "2026Q1"]


def test_quirk_18_a_fiscal_year_moves_every_cut(raw):
    """From February on, 31 January is in 2026Q4 and 1 February in 2027Q1."""
    (raw / "alignment.toml").write_text("[company]\nfiscal_year_start_month = 2\n")
    got = built(opportunities=[deal(1, D(2026, 1, 31), 1.0), deal(2, D(2026, 2, 1), 2.0)])
    sums = got["team_quarter"].groupby("quarter")["bookings_amount"].sum().to_dict()
    assert sums == {"2026Q4": 1.0, "2027Q1": 2.0}
    assert got["rep_quarter"].groupby("quarter")["days_employed"].sum().to_dict() == {
        "2026Q4": 31,
        "2027Q1": 59,
    }


def test_nothing_lies_after_the_day_of_the_export(raw):
    """A deal dated later is not booked, and nobody is employed later."""
    got = built(as_of=D(2026, 2, 28), opportunities=[deal(1, D(2026, 3, 1), 9.0)])
    assert got["team_quarter"]["bookings_amount"].sum() == 0.0
    assert got["rep_quarter"]["days_employed"].sum() == 59


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_is_what_its_schema_says(raw, name):
    """Columns in order, one row a key, sorted by it."""
    got = built(
        opportunities=[deal(1, MOVE)],
        activities=[activity(MOVE)],
        time_study=[{"rep_id": ADA, "day": MOVE, "observed_hours": 2.0}],
        leads=[{"lead_id": "l1", "created_at": dt.datetime(2026, 1, 10, tzinfo=dt.UTC)}],
        versions='definition = [{ name = "v1", valid_from = 2026-01-01, when = "true" }]',
    )[name]
    table = PANELS[name]
    assert list(got) == [c.name for c in table.columns]
    assert len(got) > 0
    keys = got[list(table.key)]
    assert not keys.duplicated().any()
    assert keys.equals(keys.sort_values(list(table.key)).reset_index(drop=True))


def test_an_observed_day_stands_beside_what_its_records_hold(raw):
    """An hour and a half recorded on the 16th of three observed; a day off the records in a logged
    week is zero, one in a week without any entry unknown.
    """
    logged, next_day, other_week = D(2026, 2, 16), D(2026, 2, 17), D(2026, 3, 2)
    study = [
        {"rep_id": ADA, "day": day, "observed_hours": 3.0} for day in (logged, next_day, other_week)
    ]
    got = built(activities=[activity(logged, 90.0)], time_study=study)["observed_days"]
    assert got["observed_hours"].tolist() == [3.0, 3.0, 3.0]
    assert got["recorded_hours"].fillna(-1).tolist() == [1.5, 0.0, -1]
    assert got["week_start"].tolist() == [logged, logged, other_week]


def test_sums_of_a_whole_company_agree(tiny):
    """Panels against the clean tables they are made from: bookings, days, hours."""
    deals = processed.load_table("tiny", "opportunities")
    won = deals[deals["status"] == "won"]
    teams, stays, weekly = (
        processed.load_table("tiny", n) for n in ("team_quarter", "rep_quarter", "rep_week")
    )
    assert teams["bookings_amount"].sum() == pytest.approx(won["deal_amount"].sum(), abs=0.01)
    assert teams["n_won"].sum() == len(won)
    assert stays["selling_hours"].sum() == pytest.approx(weekly["selling_hours"].sum(), abs=0.05)
    assert teams["selling_hours"].sum() == pytest.approx(stays["selling_hours"].sum(), abs=0.05)
    nested = weekly[
        ["selling_hours", "selling_preparation_hours", "selling_prospecting_hours"]
    ].dropna()
    assert nested.apply(lambda row: row.is_monotonic_increasing, axis="columns").all()
    classes = weekly[[c for c in weekly if c.endswith("_class_hours")]].dropna()
    assert len(classes) > 100
    assert (classes.sum(axis="columns") <= 24 * 7).all()
