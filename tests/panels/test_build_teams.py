"""What a team's quarter says of its deals, its leads, its people and its logging."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from crm_tables import ADA, BEN, NORTH, SOUTH
from test_build import JANUARY, PAY, STAYS, D, activity, built, by_team, deal, weeks

FALL = D(2025, 7, 1)  # two quarters before the last


def at(day: D, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC)


def quarter(got, team: str = NORTH, name: str = "2026Q1") -> pd.Series:
    rows = got["team_quarter"].set_index(["team_id", "quarter"])
    return rows.loc[(team, name)]


def test_bookings_of_each_kind_sum_to_all():
    """New 1, expansion 2, renewal 4, of no type 8 and a credit of -3."""
    kinds = (("new", 1.0), ("expansion", 2.0), ("renewal", 4.0), (None, 8.0), ("credit", -3.0))
    deals = [
        deal(n, D(2026, 1, 10), amount) | {"opportunity_type": kind}
        for n, (kind, amount) in enumerate(kinds)
    ]
    row = quarter(built(opportunities=deals))
    names = [f"{k}_bookings_amount" for k in ("new", "expansion", "renewal", "other")]
    assert row[names].tolist() == [1.0, 2.0, 4.0, 5.0]
    assert row["bookings_amount"] == 12.0


def test_quirk_15_a_close_date_is_no_time_and_a_creation_is_local(raw):
    """Closed on 31 March is the first quarter's everywhere; created at 2 o'clock UTC on 1 January is New York's December."""
    early = deal(1, D(2026, 3, 31)) | {"created_at": dt.datetime(2026, 1, 1, 2, tzinfo=dt.UTC)}
    got = built(
        first_day=D(2025, 10, 1),
        opportunities=[early],
        rep_team_history=[STAYS[1] | {"valid_from": None}],
    )
    sums = got["team_quarter"].groupby("quarter")[["n_created", "n_won"]].sum()
    assert sums.loc["2025Q4"].tolist() == [1, 0]
    assert sums.loc["2026Q1"].tolist() == [0, 1]


def test_a_deal_is_created_by_who_first_moved_it(raw):
    """Today Ada's, begun by Ben of South; then he left the deal to her: it was rerouted."""
    reps = [{"rep_id": r, "role": "rep"} for r in (ADA, BEN)]
    stays = [{"rep_id": ADA, "team_id": NORTH}, {"rep_id": BEN, "team_id": SOUTH}]
    moved = [
        {"opportunity_id": "1", "stage": s, "entered_at": at(day), "changed_by_rep_id": who}
        for s, day, who in (("Proposal", D(2026, 2, 1), ADA), ("Prospecting", D(2026, 1, 5), BEN))
    ]
    deals = [deal(1, D(2026, 3, 1)), deal(2, D(2026, 3, 1), 50.0)]
    got = built(reps=reps, rep_team_history=stays, opportunities=deals, stage_history=moved)
    assert by_team(got, "n_created") == {NORTH: 1, SOUTH: 1}
    assert by_team(got, "pipeline_created_amount") == {NORTH: 50.0, SOUTH: 100.0}
    assert by_team(got, "bookings_amount") == {NORTH: 150.0, SOUTH: 0.0}
    assert quarter(got)["rerouted_share"] == 0.5
    assert pd.isna(quarter(got, SOUTH)["rerouted_share"])


def test_a_rep_who_moves_takes_deals_along_and_that_shows(raw):
    """Created on 5 January in North, closed in South after Ada's move."""
    got = built(opportunities=[deal(1, D(2026, 3, 1))])
    assert quarter(got, SOUTH)["rerouted_share"] == 1.0
    assert quarter(got, SOUTH)[["n_reps_moved_in", "n_reps_moved_out"]].tolist() == [1, 0]
    assert quarter(got)[["n_reps_moved_in", "n_reps_moved_out"]].tolist() == [0, 1]


def test_open_pipeline_is_what_was_open_on_the_quarters_last_day(raw):
    """Made in January, 7 still open and 5 closed in April; what closed in March, 3, is gone."""
    deals = [
        deal(1, D(2026, 6, 1), 7.0, status="open"), deal(2, D(2026, 4, 2), 5.0), deal(3, D(2026, 3, 31), 3.0),
    ]  # fmt: skip
    got = built(as_of=D(2026, 5, 1), opportunities=deals, rep_team_history=[STAYS[1]])
    assert quarter(got, SOUTH)[["n_open", "open_pipeline_amount"]].tolist() == [2, 12.0]
    assert quarter(got, SOUTH, "2026Q2")[["n_open", "open_pipeline_amount"]].tolist() == [1, 7.0]


def test_leads_count_for_their_owners_team_on_the_day(raw):
    """One of Ada's from North's days, qualified in South's; one that nobody owns; two returns of one lead."""
    leads = [
        {
            "lead_id": "1",
            "owner_rep_id": ADA,
            "created_at": at(D(2026, 1, 10)),
            "sql_at": at(D(2026, 3, 1)),
        },
        {"lead_id": "2", "created_at": at(D(2026, 1, 10)), "converted_on": D(2026, 1, 20)},
    ]
    history = [
        {"lead_id": "1", "lead_status": "Nurture", "entered_at": at(day), "is_recycling": True}
        for day in (D(2026, 1, 20), D(2026, 1, 30))
    ]
    got = built(leads=leads, lead_status_history=history)
    assert by_team(got, "n_leads") == {NORTH: 1, SOUTH: 0, "unassigned": 1}
    assert by_team(got, "n_sql") == {NORTH: 0, SOUTH: 1, "unassigned": 0}
    assert by_team(got, "n_converted") == {NORTH: 0, SOUTH: 0, "unassigned": 1}
    assert by_team(got, "n_recycled") == {NORTH: 2, SOUTH: 0, "unassigned": 0}


def test_without_leads_the_funnel_is_unknown(raw):
    assert built()["team_quarter"][["n_leads", "n_recycled"]].isna().all(axis=None)


def test_days_under_a_shifter_are_weekdays_of_the_rep_or_the_team(raw):
    """Training Thursday 8 to Monday 12 January, an outage of North on the 9th; half-open, weekend out."""
    shifters = [
        {
            "shifter_id": "1",
            "kind": "Training",
            "rep_id": ADA,
            "start_date": D(2026, 1, 8),
            "end_date": D(2026, 1, 13),
        },
        {
            "shifter_id": "2",
            "kind": "outage",
            "team_id": NORTH,
            "start_date": D(2026, 1, 9),
            "end_date": D(2026, 1, 10),
        },
        {
            "shifter_id": "3",
            "kind": "outage",
            "team_id": SOUTH,
            "start_date": D(2026, 1, 9),
            "end_date": D(2026, 1, 10),
        },
    ]
    got = built(hours_shifters=shifters)
    rows = weeks(got)[["training_days", "outage_days", "assistant_days"]]
    assert rows.loc[D(2026, 1, 5)].tolist() == [2, 1, 0]
    assert rows.loc[D(2026, 1, 12)].tolist() == [1, 0, 0]
    assert by_team(got, "training_days", "rep_quarter") == {NORTH: 3, SOUTH: 0}
    assert built()["rep_week"]["training_days"].isna().all()


def test_a_weeks_pay_is_a_share_of_the_quarters(raw):
    """100 a day, 700 a week, and what the weeks sum to is what the stays do; a team's is its reps'."""
    got = built(
        compensation=[PAY | {"valid_from": D(2025, 1, 1)}],
        opportunities=[deal(1, D(2026, 3, 10), 1_000.0)],
    )
    assert weeks(got).loc[D(2026, 1, 12), ["base_amount", "overhead_amount"]].tolist() == [
        700.0,
        70.0,
    ]
    assert weeks(got).loc[D(2026, 3, 9), "commission_amount"] == 100.0
    for column in ("base_amount", "commission_amount", "fringe_amount", "overhead_amount"):
        sums = [got[n][column].sum() for n in ("rep_week", "rep_quarter", "team_quarter")]
        assert sums == pytest.approx([sums[1]] * 3, abs=0.05)


def test_a_teams_pay_is_unknown_where_one_reps_is(raw):
    reps = [{"rep_id": r, "role": "rep", "fte": 1.0} for r in (ADA, BEN)]
    stays = [{"rep_id": r, "team_id": NORTH} for r in (ADA, BEN)]
    got = built(
        reps=reps, rep_team_history=stays, compensation=[PAY | {"valid_from": D(2025, 1, 1)}]
    )
    assert pd.isna(quarter(got)["base_amount"])


def logged(first: D, last: D, *classes: str, per_week: int = 1):
    """Return entries of Ada's on the first days of each week of [first, last)."""
    mondays = pd.date_range(first, last, freq="W-MON", inclusive="left")
    return [
        activity(m.date() + dt.timedelta(days=n), 60.0, c)
        for m in mondays
        for n in range(per_week)
        for c in classes
    ]


def test_quirk_28_logging_switched_on_is_no_jump_in_selling(raw):
    """Nothing until 24 November; from then on an hour a week: both quarters are marked, and not the one after."""
    stays = [STAYS[0] | {"valid_to": None}]
    entries = logged(D(2025, 11, 24), D(2026, 6, 29), "selling", "internal")
    got = built(first_day=FALL, as_of=D(2026, 6, 30), rep_team_history=stays, activities=entries)
    rows = got["team_quarter"].set_index("quarter")
    assert rows["logging_change"].fillna("").to_dict() == {
        "2025Q3": "", "2025Q4": "coverage", "2026Q1": "coverage", "2026Q2": "",
    }  # fmt: skip
    assert rows["coverage"].to_dict() == {
        "2025Q3": "no_logging",
        "2025Q4": "low",
        "2026Q1": "ok",
        "2026Q2": "ok",
    }
    assert pd.isna(rows.loc["2025Q3", "selling_hours"])


@pytest.mark.parametrize(
    ("then", "marked"),
    [(("selling", "internal"), "entries"), (("selling",), ""), (("internal",), "")],
)
def test_a_jump_of_all_entries_is_logging_and_of_selling_alone_is_selling(raw, then, marked):
    """One entry of each a week, then three of what `then` says."""
    stays = [STAYS[0] | {"valid_to": None}]
    before = logged(D(2025, 9, 29), D(2026, 3, 30), "selling", "internal")
    more = [
        a
        | {
            "activity_id": a["activity_id"] + "x",
            "started_at": a["started_at"] + dt.timedelta(hours=h),
        }
        for h in (1, 2)
        for a in logged(D(2025, 12, 29), D(2026, 3, 30), *then)
    ]
    for n, a in enumerate(more):
        a["activity_id"] = f"more{n}"
    got = built(first_day=D(2025, 10, 1), rep_team_history=stays, activities=before + more)
    assert quarter(got)["logging_change"] == marked or (
        not marked and pd.isna(quarter(got)["logging_change"])
    )


def test_a_kind_of_entry_that_comes_is_a_change_of_logging(raw):
    """From January on calls are synced too."""
    stays = [STAYS[0] | {"valid_to": None}]
    entries = logged(D(2025, 9, 29), D(2026, 3, 30), "selling")
    calls = [
        a | {"activity_id": f"c{n}", "kind": "call"}
        for n, a in enumerate(logged(JANUARY, D(2026, 3, 30), "selling"))
    ]
    got = built(first_day=D(2025, 10, 1), rep_team_history=stays, activities=entries + calls)
    assert quarter(got)["logging_change"] == "kinds of entry"
