"""Exports of Pipedrive, Dynamics 365 and Zoho as their documentation has them: few rows, one of which must be set aside."""

import json

import pytest

from analysis.store import processed


def put(raw, **files):
    for name, content in files.items():
        (raw / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


PIPEDRIVE_USERS = [
    {"id": 7, "name": "Ada B", "email": "ada@ours.example", "active_flag": True, "timezone_name": "Europe/Berlin"},
    {"id": 8, "name": "Cy D", "email": "cy@ours.example", "active_flag": False, "timezone_name": "Europe/Berlin"},
]  # fmt: skip


def pipedrive_deal(n, **other):
    """Return a deal as version 2 of the API answers."""
    return {
        "id": n, "title": f"Deal {n}", "owner_id": 7, "org_id": 3, "person_id": None, "pipeline_id": 1, "stage_id": 5,
        "value": 1000.5, "currency": "USD", "add_time": "2026-01-05T09:00:00Z", "update_time": "2026-02-10T17:00:00Z",
        "status": "won", "is_deleted": False, "probability": None, "lost_reason": None, "visible_to": 3,
        "close_time": "2026-02-10T17:00:00Z", "won_time": "2026-02-10T17:00:00Z", "lost_time": None,
        "expected_close_date": "2026-03-01",
    } | other  # fmt: skip


def write_pipedrive(raw) -> None:
    """Write four deals, five activities, two users and a company, as the API answers."""
    old = pipedrive_deal(
        4,
        status="lost",
        won_time=None,
        lost_time="2026-02-11 08:00:00",
        close_time="2026-02-11 08:00:00",
    )
    for column, value in {"owner_id": None, "is_deleted": None}.items():
        del old[column]
        old |= {} if value is None else {column: value}
    old |= {"user_id": {"id": 8, "name": "Cy D", "email": "cy@ours.example"}, "org_id": {"value": 3, "name": "Firm"},
            "deleted": False, "add_time": "2026-01-06 09:00:00", "update_time": "2026-02-11 08:00:00"}  # fmt: skip
    activity = {
        "id": 1, "subject": "Demo", "type": "meeting", "owner_id": 7, "deal_id": 1, "org_id": 3, "lead_id": None,
        "is_deleted": False, "done": True, "due_date": "2026-02-02", "due_time": "15:00", "duration": "01:30",
        "add_time": "2026-02-01T10:00:00Z", "update_time": "2026-02-02T16:30:00Z",
    }  # fmt: skip
    put(
        raw,
        users={"success": True, "data": PIPEDRIVE_USERS},
        stages={"success": True, "data": [{"id": 5, "name": "Negotiation", "pipeline_id": 1, "order_nr": 3}]},
        organizations={"success": True, "data": [{"id": 3, "name": "Firm", "owner_id": 7, "address": {"country": "DE"}, "visible_to": 3}]},
        deals={"success": True, "data": [
            pipedrive_deal(1), pipedrive_deal(2, status="open", won_time=None, close_time=None),
            pipedrive_deal(3, is_deleted=True),
        ], "additional_data": {"next_cursor": None}},
        deals_of_version_1={"success": True, "data": [old]},
        activities={"success": True, "data": [
            activity, activity | {"id": 2, "done": False}, activity | {"id": 3, "type": "call", "duration": "00:20"},
            activity | {"id": 4, "due_time": None, "duration": None}, activity | {"id": 5, "type": "task", "duration": None},
            activity | {"id": 6, "type": "call", "due_time": None, "duration": "00:20"},
        ]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def pipedrive(clean_folder):
    return clean_folder(write_pipedrive)


def test_pipedrives_status_says_what_became_of_a_deal(pipedrive):
    deals = pipedrive.tables["opportunities"].set_index("opportunity_id").sort_index()
    assert deals["status"].to_dict() == {"1": "won", "2": "open", "4": "lost"}
    assert deals["close_date"].astype(str).tolist() == ["2026-02-10", "2026-03-01", "2026-02-11"]
    assert deals["owner_rep_id"].tolist() == ["7", "7", "8"]  # version 1 has the whole user
    assert deals["account_id"].tolist() == ["3", "3", "3"]
    assert deals["deal_amount"].tolist() == [1000.5] * 3
    assert set(deals["stage"]) == {"Negotiation"}
    assert pipedrive.aside("opportunities") == {"deleted_record": 1}


def test_a_deal_lost_in_the_stage_where_others_are_won_is_no_contradiction_in_pipedrive(raw):
    """Its status stands beside the stage: 20 won and 20 lost there, and nothing of it to warn of."""
    lost = {"status": "lost", "won_time": None, "lost_time": "2026-02-10T17:00:00Z"}
    put(
        raw,
        users={"success": True, "data": PIPEDRIVE_USERS},
        deals={
            "success": True,
            "data": [pipedrive_deal(n, **(lost if n % 2 else {})) for n in range(1, 41)],
        },
    )
    account = processed.dry_run("here")
    assert "stage_with_two_outcomes" not in {f["check"] for f in account["gate"]["findings"]}
    assert next(t for t in account["tables"] if t["table"] == "opportunities")["n_clean"] == 40


def test_pipedrives_activities_have_a_clock_and_a_length_of_hours_and_minutes(pipedrive):
    """One not done was not held; one without time and length is a day; a length without a time has no start."""
    rows = pipedrive.tables["activities"].set_index("activity_id").sort_index()
    assert rows["minutes"].to_dict() == {"1": 90.0, "3": 20.0, "4": 0.0, "5": 0.0}
    assert rows["kind"].tolist() == ["event", "call", "event", "task"]
    assert str(rows.loc["1", "started_at"]) == "2026-02-02 15:00:00+00:00"
    assert rows["is_all_day"].tolist() == [False, False, True, False]
    assert pipedrive.aside("activities") == {"cancelled": 1, "missing_start": 1}


def test_pipedrives_users_are_active_or_not(pipedrive):
    reps = pipedrive.tables["reps"].set_index("rep_id").sort_index()
    assert reps["is_active"].tolist() == [True, False]
    assert reps["time_zone"].tolist() == ["Europe/Berlin"] * 2


UNIT, OWNER, ACCOUNT = (f"{n}0000000-0000-0000-0000-000000000000" for n in "abc")


def write_dynamics(raw) -> None:
    """Write four opportunities, an appointment that took place and one that was called off, and a call."""
    deal = {
        "opportunityid": "1", "name": "Deal", "statecode": 1, "statuscode": 3, "estimatedvalue": 1200.0, "actualvalue": 1000.0,
        "actualclosedate": "2026-02-10", "estimatedclosedate": "2026-03-01", "createdon": "2026-01-05T09:00:00Z",
        "modifiedon": "2026-02-10T17:00:00Z", "_ownerid_value": OWNER, "_parentaccountid_value": ACCOUNT,
        "closeprobability": None, "stepname": "3-Propose", "transactioncurrencyid": {"isocurrencycode": "USD"},
    }  # fmt: skip
    meeting = {
        "activityid": "1", "subject": "Demo", "scheduledstart": "2026-02-02T15:00:00Z", "scheduledend": "2026-02-02T16:00:00Z",
        "statecode": 1, "isalldayevent": False, "_ownerid_value": OWNER, "_regardingobjectid_value": "1",
        "createdon": "2026-02-01T10:00:00Z", "modifiedon": "2026-02-02T16:00:00Z",
    }  # fmt: skip
    call = {
        "activityid": "9", "subject": "Call", "phonenumber": "1", "directioncode": True, "actualdurationminutes": 25,
        "actualstart": "2026-02-03T15:00:00Z", "statecode": 1, "_ownerid_value": OWNER, "_regardingobjectid_value": "1",
        "createdon": "2026-02-03T16:00:00Z", "modifiedon": "2026-02-03T16:00:00Z",
    }  # fmt: skip
    put(
        raw,
        systemusers={"value": [{"systemuserid": OWNER, "internalemailaddress": "ada@ours.example", "isdisabled": False,
                                "title": "Account Executive", "_businessunitid_value": UNIT}]},
        businessunits={"value": [{"businessunitid": UNIT, "name": "North", "isdisabled": False}]},
        accounts={"value": [{"accountid": ACCOUNT, "name": "Firm", "_ownerid_value": OWNER, "numberofemployees": 12}]},
        opportunities={"value": [
            deal, deal | {"opportunityid": "2", "statecode": 0, "actualvalue": None, "actualclosedate": None},
            deal | {"opportunityid": "3", "statecode": 2, "actualvalue": 0.0}, deal | {"opportunityid": "4", "statecode": 7},
        ]},
        appointments={"value": [meeting, meeting | {"activityid": "2", "statecode": 2}]},
        phonecalls={"value": [call]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def dynamics(clean_folder):
    return clean_folder(write_dynamics)


def test_dynamics_state_says_what_became_of_an_opportunity_and_which_amount_and_day_are_its(
    dynamics,
):
    """Won: what it brought on the day it closed; open and lost: what was hoped for; a state unknown: set aside."""
    deals = dynamics.tables["opportunities"].set_index("opportunity_id").sort_index()
    assert deals["status"].to_dict() == {"1": "won", "2": "open", "3": "lost"}
    assert deals["deal_amount"].tolist() == [1000.0, 1200.0, 1200.0]
    assert deals["close_date"].astype(str).tolist() == ["2026-02-10", "2026-03-01", "2026-02-10"]
    assert dynamics.aside("opportunities") == {"unmapped_value": 1}


def test_dynamics_appointments_called_off_took_no_time_and_its_units_are_teams(dynamics):
    rows = dynamics.tables["activities"].set_index("activity_id").sort_index()
    assert rows["minutes"].to_dict() == {"1": 60.0, "9": 25.0}
    assert dynamics.aside("activities") == {"cancelled": 1}
    assert dynamics.tables["teams"]["team_name"].tolist() == ["North"]
    assert dynamics.tables["rep_team_history"]["team_id"].tolist() == [UNIT]


def write_zoho(raw) -> None:
    """Write four deals, a meeting and a call that was missed, as the API and as bulk read write them."""
    deal = {
        "id": "111000000000001", "Deal_Name": "Deal", "Stage": "Closed Won", "Amount": 1000, "Closing_Date": "2026-02-10",
        "Created_Time": "2026-01-05T10:00:00+01:00", "Modified_Time": "2026-02-10T18:00:00+01:00", "Currency": "USD",
        "Owner": {"name": "Ada B", "id": "7", "email": "ada@ours.example"}, "Account_Name": {"name": "Firm", "id": "3"},
        "Probability": 100, "Type": "New Business", "Lead_Source": "Trade Show", "Campaign_Source": None,
    }  # fmt: skip
    bulk = deal | {
        "id": "4",
        "Stage": "Negotiation/Review",
        "Probability": 90,
        "Owner": "7",
        "Account_Name": "3",
    }
    put(
        raw,
        users={"users": [{"id": "7", "full_name": "Ada B", "email": "ada@ours.example", "status": "active",
                          "time_zone": "Europe/Berlin", "role": {"name": "Sales Manager", "id": "1"}}]},
        accounts={"data": [{"id": "3", "Account_Name": "Firm", "Industry": None, "Employees": 12}]},
        deals={"data": [
            deal, deal | {"id": "2", "Stage": "Closed Lost", "Probability": 0},
            deal | {"id": "3", "Closing_Date": "soon"},
        ], "info": {"more_records": False}},
        events={"data": [{"id": "1", "Event_Title": "Demo", "Start_DateTime": "2026-02-02T15:00:00+01:00", "What_Id": {"id": "2"},
                          "End_DateTime": "2026-02-02T16:15:00+01:00", "All_day": False, "Owner": {"id": "7"}}]},
        calls={"data": [
            {"id": "8", "Subject": "Call", "Call_Start_Time": "2026-02-03T15:00:00+01:00", "Call_Type": kind,
             "Call_Duration_in_seconds": 600, "Owner": {"id": "7"}} | {"id": n}
            for n, kind in (("8", "Outbound"), ("9", "Missed"))
        ]},
        bulk={"data": [bulk]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def zoho(clean_folder):
    return clean_folder(write_zoho)


def test_zohos_deals_are_told_by_stage_and_probability(zoho):
    deals = zoho.tables["opportunities"].set_index("opportunity_id").sort_index()
    assert deals["status"].to_dict() == {"111000000000001": "won", "2": "lost", "4": "open"}
    assert deals["owner_rep_id"].tolist() == ["7"] * 3
    assert deals["account_id"].tolist() == ["3"] * 3
    assert zoho.aside("opportunities") == {"unreadable_date": 1}


def test_zohos_meetings_and_calls_have_their_minutes_and_a_missed_call_none(zoho):
    rows = zoho.tables["activities"].set_index("activity_id").sort_index()
    assert rows["minutes"].to_dict() == {"1": 75.0, "8": 10.0}
    assert zoho.aside("activities") == {"cancelled": 1}
    assert zoho.tables["reps"]["role"].tolist() == ["manager"]


def write_close(raw) -> None:
    """Write four deals, two companies and two users, as the API answers, with its sums before the records."""
    deal = {
        "id": "oppo_1", "lead_id": "lead_1", "lead_name": "Firm", "user_id": "user_1", "user_name": "Ada B", "contact_id": None,
        "status_id": "stat_1", "status_label": "Signed", "status_type": "won", "pipeline_id": "pipe_1", "pipeline_name": "Sales",
        "confidence": 75, "value": 300050, "value_period": "one_time", "value_currency": "USD", "value_formatted": "$3,000.50",
        "annualized_value": 300050, "expected_value": 225038, "annualized_expected_value": 225038, "note": "", "note_html": "",
        "date_created": "2026-01-05T09:00:00.321000+00:00", "date_updated": "2026-02-10T17:00:00.583000+00:00",
        "date_won": "2026-02-10", "date_lost": None, "organization_id": "orga_1", "created_by": "user_1", "updated_by": None,
    }  # fmt: skip
    monthly = {"value": 5000, "value_period": "monthly", "annualized_value": 60000}
    lead = {
        "id": "lead_1", "name": "Firm", "display_name": "Firm", "status_id": "stat_9", "status_label": "Potential",
        "description": "", "url": None, "html_url": "https://app.close.com/lead/lead_1/", "source": "Trade show",
        "contact_ids": ["cont_1"], "addresses": [{"country": "DE", "city": None}], "organization_id": "orga_1", "created_by": None,
        "primary_email": {"email": "bo@firm.example", "type": "office", "is_unsubscribed": False}, "updated_by": None,
        "date_created": "2026-01-04T23:30:00.333000+00:00", "date_updated": "2026-02-06T20:53:01.977000+00:00",
    }  # fmt: skip
    user = {
        "id": "user_1", "email": "ada@ours.example", "first_name": "Ada", "last_name": "B", "organizations": ["orga_1"],
        "image": "https://secure.gravatar.com/avatar/1", "date_created": "2025-08-29T00:33:22.720000+00:00",
        "date_updated": "2026-01-08T01:57:15.204000+00:00",
    }  # fmt: skip
    put(
        raw,
        users={"data": [user, user | {"id": "user_2", "email": "cy@ours.example", "first_name": "Cy"}], "has_more": False},
        leads=[lead, lead | {"id": "lead_2", "display_name": "Other firm", "source": None}],  # as its JSON export writes them
        opportunities={"count_by_value_period": {"monthly": 1, "one_time": 3}, "data": [
            deal, deal | {"id": "oppo_2", "status_type": "active", "status_label": "Proposal", "date_won": "2026-04-30"} | monthly,
            deal | {"id": "oppo_3", "status_type": "lost", "status_label": "Gone", "date_lost": "2026-02-11T08:00:00.000000+00:00"},
            deal | {"id": "oppo_4", "status_type": "paused", "status_label": "Asleep"},
        ], "has_more": False, "total_results": 4},
    )  # fmt: skip


@pytest.fixture(scope="module")
def close(clean_folder):
    return clean_folder(write_close)


def test_closes_status_type_says_what_became_of_a_deal_and_on_which_day(close):
    """A lost deal keeps the day it was hoped for, and closed on another; a type unknown is set aside."""
    deals = close.tables["opportunities"].set_index("opportunity_id").sort_index()
    assert deals["status"].to_dict() == {"oppo_1": "won", "oppo_2": "open", "oppo_3": "lost"}
    assert deals["close_date"].astype(str).tolist() == ["2026-02-10", "2026-04-30", "2026-02-11"]
    assert deals["owner_rep_id"].tolist() == ["user_1"] * 3
    assert deals["account_id"].tolist() == ["lead_1"] * 3
    assert close.aside("opportunities") == {"unmapped_value": 1}


def test_closes_amounts_are_cents_and_a_monthly_deal_counts_for_a_year(close):
    """50 dollars a month are 600 a year."""
    deals = close.tables["opportunities"].set_index("opportunity_id").sort_index()
    assert deals["deal_amount"].tolist() == [3000.5, 600.0, 3000.5]


def test_closes_lead_is_an_account_and_a_lead(close):
    assert sorted(close.tables["accounts"]["account_name"]) == ["Firm", "Other firm"]
    leads = close.tables["leads"].set_index("lead_id").sort_index()
    assert leads["account_id"].tolist() == ["lead_1", "lead_2"]
    assert leads["lead_status"].tolist() == ["Potential"] * 2
    assert leads.loc["lead_1", "lead_source"] == "Trade show"
    assert close.tables["reps"]["rep_id"].tolist() == ["user_1", "user_2"]


def test_closes_csv_of_opportunities_is_named_and_not_read_for_nothing_says_its_amounts_are_cents(
    raw,
):
    columns = (
        "confidence,contact_id,date_created,date_updated,date_won,id,lead_id,lead_name,note,"
        "status_id,status_label,status_type,user_id,user_name,value,value_period"
    )
    cells = "75,,2026-02-01,2026-02-01,2026-02-10,o,l,Firm,,s,Won,won,u,Ada,500,one_time"
    write_close(raw)
    (raw / "opportunities.csv").write_text(f"{columns}\n{cells}\n", encoding="utf-8")
    account = processed.dry_run("here")
    assert next(f for f in account["files"] if f["file"] == "opportunities.csv")["tables"] == []
    assert next(t for t in account["tables"] if t["table"] == "opportunities")["n_clean"] == 3
