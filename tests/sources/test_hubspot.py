"""HubSpot's ways: stages by id, lengths in milliseconds, days at midnight UTC, merges, many companies a deal."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from crm_tables import cleaned, write
from typer.testing import CliRunner

from analysis import cli
from analysis.simulate.exports import write as exports_write
from analysis.simulate.exports.hubspot_ids import Ids
from analysis.simulate.world.company_parameters import SimulatedCompany

REPOSITORY = Path(__file__).parents[2]
ADA = "72400000"
_USER = {
    "hs_object_id": "1", "hubspot_owner_id": ADA, "hs_job_title": "Account Executive",
    "hs_standard_time_zone": "America/New_York", "hs_deactivated": "false", "hs_email": "ada@ours.example",
}  # fmt: skip
_DEAL = {
    "hs_object_id": "", "dealname": "Deal", "pipeline": "default", "dealstage": "closedwon", "dealtype": "newbusiness",
    "amount": "100", "deal_currency_code": "USD", "hs_is_closed": "true", "hs_is_closed_won": "true",
    "hs_deal_stage_probability": "1.0", "createdate": "2026-01-05T09:00:00.000Z", "closedate": "2026-02-10T17:00:00.000Z",
    "hubspot_owner_id": ADA, "Associated Company IDs": "501", "hs_merged_object_ids": "", "archived": "false",
}  # fmt: skip
_MEETING = {
    "hs_object_id": "", "hs_meeting_title": "Demo", "hs_meeting_start_time": "2026-02-02T15:00:00.000Z",
    "hs_meeting_end_time": "2026-02-02T16:00:00.000Z", "hs_meeting_outcome": "COMPLETED", "hubspot_owner_id": ADA,
    "hs_createdate": "2026-02-01T10:00:00.000Z", "Associated Deal IDs": "", "Associated Company IDs": "", "archived": "false",
}  # fmt: skip
_CALL = {
    "hs_object_id": "", "hs_call_title": "Call with client", "hs_timestamp": "1770044400000", "hs_call_duration": "420000",
    "hubspot_owner_id": ADA, "hs_createdate": "2026-02-02T15:10:00.000Z", "archived": "false",
}  # fmt: skip


def user(**other):
    return _USER | other


def deal(n, **other):
    return _DEAL | {"hs_object_id": str(n), "dealname": f"Deal {n}"} | other


def meeting(n, **other):
    return _MEETING | {"hs_object_id": str(n)} | other


def call(n, **other):
    return _CALL | {"hs_object_id": str(n)} | other


def company(n, **other):
    return {"hs_object_id": str(n), "name": f"Firm {n}", "industry": "Energy", "numberofemployees": "5"} | {
        "hs_merged_object_ids": "", "archived": "false",
    } | other  # fmt: skip


STAGES = [
    {"pipelineId": p, "pipelineLabel": name, "stageId": s, "label": label, "displayOrder": "0"}
    | {"metadata.isClosed": "false", "metadata.probability": "0.5"}
    for p, name, s, label in (
        ("default", "Sales Pipeline", "closedwon", "Closed Won"),
        ("77", "Renewals", "1001", "Signed"),
        ("default", "Sales Pipeline", "1001", "Proposal"),
    )
]


def test_quirk_12_archived_records_are_dropped_and_counted(raw):
    write(
        raw,
        users=[user()],
        deals=[deal(1), deal(2, archived="true")],
        meetings=[meeting(8), meeting(9, archived="true")],
    )
    got = cleaned()
    assert got.aside() == {"deleted_record": 1}
    assert got.aside("activities") == {"deleted_record": 1}


def test_quirk_13_a_deal_of_a_merged_company_keeps_its_money(raw):
    """501 and 502 became 503: deals of all three hang on 503, 300 USD in all."""
    write(
        raw,
        users=[user()],
        companies=[company(503, hs_merged_object_ids="501;502")],
        deals=[deal(i, **{"Associated Company IDs": str(500 + i)}) for i in (1, 2, 3)],
    )
    deals = cleaned().tables["opportunities"]
    assert deals["account_id"].tolist() == ["503"] * 3
    assert deals["deal_amount"].sum() == 300


def test_quirk_15_a_close_date_is_the_companys_day_and_midnight_utc_is_never_shifted(raw):
    """01:09 UTC is the evening before in New York; a day typed in is kept as midnight UTC."""
    days = {
        "2026-04-01T01:09:44.000Z": dt.date(2026, 3, 31),
        "2026-04-01T00:00:00.000Z": dt.date(2026, 4, 1),
        "2026-03-31T23:00:00.000Z": dt.date(2026, 3, 31),
    }
    write(raw, users=[user()], deals=[deal(n, closedate=day) for n, day in enumerate(days, 1)])
    deals = cleaned(as_of=dt.date(2026, 4, 30)).tables["opportunities"]
    assert deals.sort_values("opportunity_id")["close_date"].tolist() == list(days.values())


def test_quirk_16_seconds_read_as_milliseconds_are_set_aside_with_the_factor(raw):
    """1,580,000,000 seconds are 2020; as milliseconds they are 19 January 1970."""
    early = {
        "hs_meeting_start_time": "1970-01-19T06:53:20.000Z",
        "hs_meeting_end_time": "1970-01-19T06:53:23.600Z",
    }
    write(raw, users=[user()], deals=[deal(1)], meetings=[meeting(8), meeting(9, **early)])
    got = cleaned()
    assert got.aside("activities") == {"timestamp_before_1990": 1}
    assert "epoch times 1000" in got.effect("activities", "timestamp_before_1990").reason


def test_quirk_20_a_call_of_420000_milliseconds_is_7_minutes(raw):
    """hs_call_duration is in milliseconds: 420 thousand minutes would be ten months."""
    write(raw, users=[user()], deals=[deal(1)], calls=[call(8), call(9, hs_call_duration="")])
    got = cleaned().tables["activities"].set_index("activity_id")
    assert got.loc["8", "minutes"] == 7
    assert got.loc["9", "flagged_by"] == "call_without_duration"
    assert got.loc["8", "started_at"] == dt.datetime(2026, 2, 2, 15, tzinfo=dt.UTC)


def test_quirk_22_a_meeting_from_midnight_to_midnight_is_a_day_not_24_hours(raw):
    day = {"hs_meeting_title": "Vacation", "hs_meeting_start_time": "2026-02-03T00:00:00.000Z"}
    write(
        raw,
        users=[user()],
        deals=[deal(1)],
        meetings=[meeting(8, **day, hs_meeting_end_time="2026-02-05T00:00:00.000Z")],
    )
    (row,) = cleaned().tables["activities"].to_dict("records")
    assert (row["is_all_day"], row["minutes"], row["activity_class"]) == (True, 0, "time_off")


def test_quirk_27_a_meeting_cancelled_by_its_outcome_did_not_take_place(raw):
    outcomes = ("COMPLETED", "CANCELED", "NO_SHOW", "SCHEDULED")
    rows = [
        meeting(i, hs_meeting_outcome=o, hs_meeting_title=f"Demo {o}")
        for i, o in enumerate(outcomes, 8)
    ]
    write(raw, users=[user()], deals=[deal(1)], meetings=rows)
    assert cleaned().aside("activities")["cancelled"] == 2


def test_quirk_36_a_lifecycle_stage_set_back_is_a_second_cycle(raw):
    """MQL, back to nurture, MQL again: two cycles, recycled once; another property's change is none of them."""
    contact = {
        "hs_object_id": "7", "lifecyclestage": "marketingqualifiedlead", "createdate": "2026-01-01T00:00:00.000Z",
        "hubspot_owner_id": ADA, "email": "x@buyer.example", "archived": "false",
    }  # fmt: skip
    steps = [
        ("lifecyclestage", s)
        for s in ("marketingqualifiedlead", "nurture", "marketingqualifiedlead")
    ]
    history = [
        {
            "contactId": "7",
            "property": p,
            "value": v,
            "timestamp": str(1768000000000 + i * 86_400_000),
            "updatedByUserId": "",
        }
        for i, (p, v) in enumerate([*steps, ("email", "new")])
    ]
    write(
        raw,
        users=[user()],
        deals=[deal(1)],
        contacts=[contact],
        contact_property_history=history[::-1],
    )
    got = cleaned()
    (lead,) = got.tables["leads"].to_dict("records")
    assert (lead["n_cycles"], lead["is_recycled"], lead["lead_stage"]) == (2, True, "mql")
    steps_held = got.tables["lead_status_history"].sort_values("entered_at")
    assert steps_held["cycle"].tolist() == [1, 1, 2]
    assert steps_held["is_recycling"].tolist() == [False, True, False]
    assert got.aside("lead_status_history") == {"other_field": 1}


def test_quirk_44_a_stage_id_means_what_its_own_pipeline_says(raw):
    """1001 is Proposal in one pipeline and Signed in the other; an id no export explains stays as it is."""
    rows = [
        deal(1),
        deal(2, pipeline="77", dealstage="1001"),
        deal(3, dealstage="1001"),
        deal(4, dealstage="2002"),
    ]
    write(raw, users=[user()], deals=rows, deal_pipelines=STAGES)
    got = cleaned().tables["opportunities"]
    assert got["stage"].tolist() == ["Closed Won", "Signed", "Proposal", "2002"]
    assert got["pipeline"].tolist() == [
        "Sales Pipeline",
        "Renewals",
        "Sales Pipeline",
        "Sales Pipeline",
    ]


def test_quirk_45_a_deal_of_two_companies_counts_once_for_the_first(raw):
    write(raw, users=[user()], deals=[deal(1, **{"Associated Company IDs": "501; 502"})])
    deals = cleaned().tables["opportunities"]
    assert deals[["account_id", "deal_amount"]].values.tolist() == [["501", 100.0]]


def test_quirk_14_a_property_history_newest_first_gives_the_same_stays(raw):
    """Two stays of one deal; amounts changed in between are no stays."""
    rows = [
        {
            "dealId": "1",
            "property": p,
            "value": v,
            "timestamp": str(1767700000000 + i * 86_400_000),
            "updatedByUserId": "1",
        }
        for i, (p, v) in enumerate(
            [("dealstage", "1001"), ("amount", "50"), ("dealstage", "closedwon")]
        )
    ]
    write(
        raw,
        users=[user()],
        deals=[deal(1)],
        deal_pipelines=STAGES,
        deal_property_history=rows[::-1],
    )
    got = cleaned()
    stays = got.tables["stage_history"].sort_values("entered_at")
    assert stays["changed_by_rep_id"].tolist() == [ADA, ADA]
    assert stays["exited_at"].isna().tolist() == [False, True]
    assert stays["stage"].tolist()[1] == "Closed Won"
    assert got.aside("stage_history") == {"other_field": 1}


def test_owners_stand_in_where_no_user_is_exported(raw):
    """Owners say who there is; whether a user was exported too decides which of the two is read."""
    owner = {
        "id": ADA,
        "email": "a@ours.example",
        "type": "PERSON",
        "firstName": "A",
        "lastName": "B",
        "userId": "1",
    }
    write(raw, owners=[owner | {"archived": "true", "primaryTeamId": "31"}], deals=[deal(1)])
    (rep,) = cleaned().tables["reps"].to_dict("records")
    assert (rep["rep_id"], rep["role"], rep["is_active"]) == (ADA, "rep", False)
    write(raw, users=[user(hs_job_title="Sales Manager")])
    (rep,) = cleaned().tables["reps"].to_dict("records")
    assert (rep["role"], rep["is_active"]) == ("manager", True)


def test_owners_of_the_api_say_which_team_they_are_in(raw):
    """As the owners' endpoint answers: of two teams the primary one, of two without one none."""
    west, east = {"id": "178588", "name": "West Coast"}, {"id": "178589", "name": "East Coast"}
    teams = {
        "1": [west | {"primary": False}, east | {"primary": True}],
        "2": [west | {"primary": False}],
        "3": [west | {"primary": False}, east | {"primary": False}],
        "4": None,
    }
    results = [
        {"id": i, "email": f"{i}@ours.example", "type": "PERSON", "firstName": "A", "lastName": "B",
         "userId": 1, "archived": False} | ({"teams": listed} if listed else {})
        for i, listed in teams.items()
    ]  # fmt: skip
    write(raw, deals=[deal(n, hubspot_owner_id=str(n)) for n in (1, 2, 3, 4)])
    (raw / "owners.json").write_text(json.dumps({"results": results}), encoding="utf-8")
    got = cleaned()
    stays = got.tables["rep_team_history"].set_index("rep_id")["team_id"].to_dict()
    assert stays == {"1": "178589", "2": "178588"}
    assert got.tables["teams"].set_index("team_id")["team_name"].to_dict() == {
        "178588": "West Coast",
        "178589": "East Coast",
    }
    assert got.aside("teams") == {"owner_without_team": 2}


def test_ids_are_in_the_order_of_those_they_stand_for():
    """So that whatever is broken by id is broken alike; 15 characters tell records apart."""
    import pyarrow as pa

    ids = Ids(100, pa.array(["00B000000000002AAA", "00A000000000001AAA", "00A000000000001AAA"]))
    assert ids.pairs() == {"00A000000000001AAA": "100", "00B000000000002AAA": "117"}
    assert ids.of(pa.array(["00B000000000002", None, "00C000000000003AAA"])).to_pylist() == [
        "117",
        None,
        None,
    ]
    assert np.array_equal(ids.rank(pa.array(["00B000000000002"])), [1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("hubspot")
    exports_write.write_exports(SimulatedCompany(n_teams=4, n_quarters=6), there, layout="hubspot")
    return there


@pytest.mark.study
def test_every_planted_defect_is_found_by_its_rule(folder, monkeypatch, tmp_path):
    """Each id that truth.json lists is set aside by its rule, or flagged by it."""
    from analysis.store import processed

    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "data" / "raw" / "here").symlink_to(folder)
    shutil.copy(REPOSITORY / "alignment.toml", tmp_path)
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(tmp_path))
    defects = json.loads((folder / "truth.json").read_text())["defects"]
    processed.prepare_dataset("here")
    aside = processed.load_table("here", "quarantine")
    assert len(defects) >= 28
    for name, defect in defects.items():
        if defect["action"] == "flag":
            table = processed.load_table("here", defect["table"])
            key = {"opportunities": "opportunity_id", "activities": "activity_id"}[defect["table"]]
            marked = table.loc[table["flagged_by"].fillna("").str.contains(defect["rule"]), key]
            assert set(defect["ids"]) <= set(marked), name
            continue
        ours = aside[aside["table_name"] == defect["table"]]
        rule = (
            ours.set_index("record_key")["rule"]
            if not defect["rule"].startswith("unreadable")
            else None
        )
        if rule is None:
            assert defect["action"] == "quarantine"
            assert (ours["action"] == "quarantine").sum() >= len(defect["ids"]), name
            continue
        # What was logged twice goes before any burst is looked for.
        taken_by = (
            {defect["rule"], "double_logged"}
            if defect["rule"] == "import_burst"
            else {defect["rule"]}
        )
        assert set(defect["ids"]) <= set(rule[rule.isin(taken_by)].index), name


def test_the_other_layout_is_not_written_on_top(root):
    """Both in one folder would count every deal twice."""
    runner = CliRunner()
    small = ["--teams", "4", "--quarters", "6"]
    assert (
        runner.invoke(cli.app, ["demo", "--dataset", "x", "--layout", "hubspot", *small]).exit_code
        == 0
    )
    assert (root / "data" / "raw" / "x" / "deals.csv").is_file()
    again = runner.invoke(cli.app, ["demo", "--dataset", "x", *small])
    assert again.exit_code == cli.USAGE
    assert "holds the hubspot exports" in again.output
    assert (
        runner.invoke(cli.app, ["demo", "--dataset", "x", "--layout", "hubspot", *small]).exit_code
        == 0
    )
