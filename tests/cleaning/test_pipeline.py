"""From exports to clean tables: every row is accounted for, and nothing a CRM says is obeyed."""

from __future__ import annotations

import datetime as dt

import pytest
from crm_tables import ADA, BEN, NORTH, ROLES, SOUTH, Pass, cleaned, event, opportunity, user, write

from analysis.project.errors import CrmDataError

HOSTILE = [
    "'; drop table reps; --", '=HYPERLINK("http://evil.example","x")', '#panic("x")', "<script>alert(1)</script>",
    "$x_1$", "\\input{/etc/passwd}", "a|b", "{{x}}", "株式会社", "', 1); drop table accounts; --",
]  # fmt: skip


def balanced(got: Pass) -> bool:
    """Return whether every table's rows in are its rows clean, quarantined and dropped."""
    return all(a.n_in == a.n_clean + a.n_quarantined + a.n_dropped for a in got.audit.tables)


def test_rows_in_are_clean_quarantined_or_dropped(raw):
    """Seven lines: two clean, three quarantined (a broken line, a bad date, a blank owner), two dropped."""
    rows = [
        opportunity(1), opportunity(2), opportunity(2), opportunity(3, CloseDate="2026-02-30"), opportunity(4, OwnerId=""),
        opportunity(5, IsDeleted="true"),
    ]  # fmt: skip
    write(raw, Opportunity=rows, User=[user()])
    with (raw / "Opportunity.csv").open("a") as stream:
        stream.write("006,too,short\n")
    got = cleaned()
    assert got.account("opportunities") == (7, 2, 3, 2)
    assert got.aside() == {
        "repeated_record": 1, "unreadable_date": 1, "missing_required": 1, "deleted_record": 1, "unreadable_line": 1,
    }  # fmt: skip
    assert balanced(got)


def test_what_is_set_aside_says_where_it_stood(raw):
    """The bad date is record 3 of its file; the broken line is line 4."""
    write(raw, Opportunity=[opportunity(1), opportunity(3, CloseDate="30/02/2026")], User=[user()])
    with (raw / "Opportunity.csv").open("a") as stream:
        stream.write("006,too,short\n")
    held = cleaned().tables["set_aside"].set_index("rule")
    assert held.loc["unreadable_date", ["source_file", "source_row", "column", "text", "money"]].tolist() == [
        "Opportunity.csv", 3, "close_date", "30/02/2026", 100.0,
    ]  # fmt: skip
    assert held.loc["unreadable_line", ["source_file", "source_row", "text"]].tolist() == [
        "Opportunity.csv", 4, "missing columns",
    ]  # fmt: skip


def test_an_export_loaded_twice_counts_once(raw):
    """Under another name, with its rows turned round: as if it were there once."""
    rows = [opportunity(1), opportunity(2, Amount="250")]
    write(raw, Opportunity=rows, User=[user()])
    once = cleaned()
    write(raw, Again=rows[::-1])
    twice = cleaned()
    assert twice.account("opportunities") == (4, 2, 0, 2)
    columns = ["opportunity_id", "deal_amount", "close_date"]
    assert twice.tables["opportunities"][columns].equals(once.tables["opportunities"][columns])


def test_how_a_file_is_written_does_not_change_the_table(raw):
    """Another order of rows and columns, 15-character ids, another spelling of the zone, CRLF, BOM, semicolons."""
    rows = [opportunity(1), opportunity(2, Amount="250")]
    write(raw, Opportunity=rows, User=[user()])
    plain = cleaned().tables["opportunities"].drop(columns="source_row")
    other = [
        dict(
            reversed(
                (r | {"Id": r["Id"][:15], "CreatedDate": "2026-01-05T10:00:00.000+0100"}).items()
            )
        )
        for r in rows[::-1]
    ]
    write(raw, Opportunity=other)
    text = (raw / "Opportunity.csv").read_text().replace(",", ";")
    (raw / "Opportunity.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert cleaned().tables["opportunities"].drop(columns="source_row").equals(plain)


def test_hostile_text_passes_unharmed_and_does_no_harm(raw):
    """It comes out as it went in; every table still stands."""
    accounts = [
        {"Id": f"001{n:012d}AAA", "Name": t, "Industry": "", "MasterRecordId": ""}
        for n, t in enumerate(HOSTILE)
    ]
    deals = [opportunity(n, Name=t, StageName=t) for n, t in enumerate(HOSTILE)]
    events = [
        event(n, Subject=t, StartDateTime=f"2026-02-02T10:{n:02d}:00Z", DurationInMinutes="")
        for n, t in enumerate(HOSTILE)
    ]
    write(
        raw,
        Account=accounts,
        Opportunity=deals,
        Event=events,
        User=[user(TimeZoneSidKey="'; drop table reps; --")],
    )
    got = cleaned()
    assert sorted(got.tables["accounts"]["account_name"]) == sorted(HOSTILE)
    assert sorted(got.tables["opportunities"]["stage"]) == sorted(HOSTILE)
    assert got.tables["activities"]["activity_class"].unique().tolist() == ["unclassified"]
    assert len(got.tables["activities"]) == len(HOSTILE)
    assert got.tables["reps"]["flagged_by"].tolist() == ["unknown_time_zone"]


def test_a_hostile_header_or_file_name_is_only_a_name(raw):
    rows = [opportunity(1) | {'x"; drop table reps; --': "1"}]
    write(raw, User=[user()], **{"deals'; drop table reps; --": rows})
    got = cleaned()
    assert got.account("opportunities") == (1, 1, 0, 0)
    assert len(got.tables["reps"]) == 1


def test_a_team_that_the_crm_and_a_file_by_hand_name_has_what_either_states(raw):
    """UserRole knows no segment, teams.csv does; where both speak, the CRM's word stands."""
    by_hand = [
        {"team_id": NORTH, "team_name": "Nord", "region": "EMEA", "segment": "SMB"},
        {"team_id": SOUTH, "team_name": "", "region": "", "segment": ""},
    ]
    users = [user(), user(BEN, UserRoleId=SOUTH)]
    write(raw, Opportunity=[opportunity(1)], User=users, UserRole=ROLES, teams=by_hand)
    got = cleaned().tables["teams"].set_index("team_id")
    assert got.loc[NORTH, ["team_name", "region", "segment"]].tolist() == ["North", "EMEA", "SMB"]
    assert got.loc[SOUTH, "team_name"] == "South"
    assert got.loc[SOUTH, ["region", "segment"]].isna().all()


def test_marketing_is_no_sales_team(raw):
    """A role that only marketing people hold, and one nobody holds, are dropped with their memberships."""
    third = "00E000000000003EAA"
    roles = [*ROLES, {"Id": third, "Name": "Empty", "ParentRoleId": ""}]
    users = [user(), user(BEN, UserRoleId=SOUTH, Title="Marketing Manager")]
    write(raw, Opportunity=[opportunity(1)], User=users, UserRole=roles)
    got = cleaned()
    assert got.tables["teams"]["team_id"].tolist() == [NORTH]
    assert got.aside("teams") == {"not_a_sales_team": 2}
    assert got.aside("rep_team_history") == {"unknown_team": 1}
    assert got.tables["reps"]["role"].tolist() == ["rep", "marketing"]


def test_a_team_that_reps_left_stays_a_team(raw):
    """Ben was in South before North; the history knows it, today's role does not."""
    stays = [
        {"rep_id": BEN, "team_id": SOUTH, "valid_from": "2025-01-01", "valid_to": "2026-02-01"},
        {"rep_id": BEN, "team_id": NORTH, "valid_from": "2026-02-01", "valid_to": ""},
    ]
    write(
        raw, Opportunity=[opportunity(1)], User=[user(BEN)], UserRole=ROLES, rep_team_history=stays
    )
    assert cleaned().tables["teams"]["team_id"].tolist() == [NORTH, SOUTH]


def test_a_title_tells_the_role(raw):
    """Machines are told by their type before their title."""
    told = [
        ("Account Executive", "Standard", "rep"),
        ("", "Standard", "rep"),
        ("Sales Manager", "Standard", "manager"),
        ("VP Sales", "Standard", "manager"),
        ("Marketing Director", "Standard", "marketing"),
        ("Account Executive", "CsnOnly", "integration"),
    ]
    users = [
        user(f"005{n:012d}AAA", Title=title, UserType=kind)
        for n, (title, kind, _) in enumerate(told)
    ]
    write(raw, Opportunity=[opportunity(1)], User=users)
    assert cleaned().tables["reps"]["role"].tolist() == [role for _, _, role in told]


def test_amounts_are_converted_at_the_rate_of_the_close_date(raw):
    """Salesforce states units per corporate unit: 0.8 EUR a USD until 9 February, 0.5 from the 10th.

    Where others name theirs, a blank currency is none.
    """
    rates = [
        {"IsoCode": code, "StartDate": a, "NextStartDate": b, "ConversionRate": r}
        for code, a, b, r in (
            ("USD", "2026-01-01", "9999-12-31", "1"),
            ("EUR", "2026-01-01", "2026-02-10", "0.8"),
            ("EUR", "2026-02-10", "9999-12-31", "0.5"),
        )
    ]
    days = {1: "2026-02-09", 2: "2026-02-10"}
    deals = [opportunity(n, CurrencyIsoCode="EUR", CloseDate=day) for n, day in days.items()]
    deals += [opportunity(3, CurrencyIsoCode="USD"), opportunity(4, CurrencyIsoCode="")]
    write(raw, Opportunity=deals, User=[user()], DatedConversionRate=rates)
    run = cleaned()
    assert run.aside() == {"blank_currency": 1}
    got = run.tables["opportunities"]
    assert got["deal_amount"].tolist() == [125.0, 200.0, 100.0]
    assert got["raw_amount"].tolist() == [100.0, 100.0, 100.0]
    assert got["currency"].tolist() == ["EUR", "EUR", "USD"]


def test_pay_by_the_month_becomes_pay_by_the_year(raw):
    pay = {
        "rep_id": ADA, "valid_from": "2026-01-01", "valid_to": "", "base_amount": "5000", "base_period": "month",
        "currency": "USD", "commission_rate": "0.1", "fringe_rate": "0.2", "overhead_amount": "",
    }  # fmt: skip
    write(
        raw,
        Opportunity=[opportunity(1)],
        User=[user(), user(BEN)],
        compensation=[pay, pay | {"rep_id": BEN, "base_period": "year"}],
    )
    got = cleaned().tables["compensation"].set_index("rep_id")
    assert got["base_amount"].to_dict() == {ADA: 60_000.0, BEN: 5_000.0}
    assert got["overhead_amount"].isna().all()


def test_status_comes_from_the_flags_never_from_the_probability(raw):
    """A lost deal at 100 % is lost; where neither flag nor stage says anything, the row has no status."""
    rows = [
        opportunity(1, IsWon="false"), opportunity(2, IsWon="false", IsClosed="false"), opportunity(3),
        opportunity(4, IsWon="", IsClosed=""),
    ]  # fmt: skip
    write(raw, Opportunity=rows, User=[user()])
    got = cleaned()
    assert got.tables["opportunities"]["status"].tolist() == ["lost", "open", "won"]
    assert got.tables["opportunities"]["probability"].tolist() == [1.0, 1.0, 1.0]
    assert got.aside() == {"unknown_outcome": 1}


def test_the_sales_cycle_is_missing_where_dates_contradict(raw):
    """5 January to 10 February are 36 days."""
    rows = [opportunity(1), opportunity(2, CloseDate="2026-01-02"), opportunity(3, IsWon="false")]
    write(raw, Opportunity=rows, User=[user()])
    got = cleaned().tables["opportunities"]
    assert got["cycle_days"].fillna(-1).tolist() == [36.0, -1, -1]
    assert got["flagged_by"].tolist()[1] == "closed_before_created"


def test_a_call_is_as_long_as_its_seconds(raw):
    """420 seconds are 7 minutes, before its completion; an e-mail takes none."""
    task = {
        "Id": "00T000000000001EAA", "Subject": "Call", "TaskSubtype": "Call", "CallDurationInSeconds": "420",
        "CompletedDateTime": "2026-02-02T10:07:00Z", "OwnerId": ADA, "WhatId": "", "IsDeleted": "false",
    }  # fmt: skip
    mail = task | {"Id": "00T000000000002", "TaskSubtype": "Email", "CallDurationInSeconds": ""}
    write(raw, Opportunity=[opportunity(1)], User=[user()], Task=[task, mail])
    got = cleaned().tables["activities"]
    assert got["kind"].tolist() == ["call", "email"]
    assert got["minutes"].tolist() == [7.0, 0.0]
    assert got["started_at"].iloc[0] == dt.datetime(2026, 2, 2, 10, tzinfo=dt.UTC)


def test_as_of_is_the_last_day_the_export_knows(raw):
    """Closed on 10 February, logged on 20 February: a meeting of 3 March was planned, not held."""
    events = [
        event(
            1,
            StartDateTime="2026-02-19T10:00:00Z",
            EndDateTime="2026-02-19T11:00:00Z",
            CreatedDate="2026-02-20T08:00:00Z",
        ),
        event(
            2,
            StartDateTime="2026-03-03T10:00:00Z",
            EndDateTime="2026-03-03T11:00:00Z",
            CreatedDate="2026-02-18T08:00:00Z",
        ),
    ]
    open_deal = opportunity(2, IsWon="false", IsClosed="false", CloseDate="2026-06-30")
    write(raw, Opportunity=[opportunity(1), open_deal], User=[user()], Event=events)
    got = cleaned(as_of=None, today=dt.date(2026, 11, 1))
    assert got.audit.as_of == dt.date(2026, 2, 19)
    assert got.aside("activities") == {"after_as_of": 1}
    assert got.audit.first_day == dt.date(2026, 2, 10)


def test_as_of_is_never_in_the_future(raw):
    """A deal typed as closed next year does not move it."""
    write(raw, Opportunity=[opportunity(1), opportunity(2, CloseDate="2027-01-01")], User=[user()])
    assert cleaned(as_of=None, today=dt.date(2026, 3, 1)).audit.as_of == dt.date(2026, 2, 10)


def test_without_any_closed_deal_the_day_must_be_named(raw):
    write(
        raw,
        Opportunity=[opportunity(1, IsWon="false", IsClosed="false", CloseDate="2026-06-30")],
        User=[user()],
    )
    with pytest.raises(
        CrmDataError, match=r"opportunities: no row has a close date .* name the day by --as-of"
    ):
        cleaned(as_of=None, today=dt.date(2026, 3, 1))


def test_bookings_are_held_against_finances(raw):
    """CRM 100, finance 125: a gap of -20 %."""
    finance = [{"quarter": "2026Q1", "bookings_amount": "125", "currency": "USD"}]
    lost = opportunity(2, IsWon="false")
    write(raw, Opportunity=[opportunity(1), lost], User=[user()], finance_bookings=finance)
    assert cleaned().audit.reconciliation == (("2026Q1", 100.0, 125.0, -0.2),)


@pytest.mark.parametrize("absent", ["Opportunity", "User"])
def test_a_required_table_without_export_stops_the_run(raw, absent):
    files = {"Opportunity": [opportunity(1)], "User": [user()]}
    table = {"Opportunity": "opportunities", "User": "reps"}[absent]
    files.pop(absent)
    write(raw, **files)
    (raw / "broken.csv").write_bytes(b"")
    with pytest.raises(
        CrmDataError,
        match=rf"(?s){table}: no export in data/raw/here fills this table.*\n  broken\.csv: it is empty",
    ):
        cleaned()


def test_years_of_a_calendar_that_is_not_read_are_refused(raw):
    """1447 is a year of the Islamic calendar, and read as it stands some six centuries ago."""
    islamic = {"CloseDate": "1447-08-20", "CreatedDate": "1447-07-01T09:00:00Z"}
    write(raw, Opportunity=[opportunity(1, **islamic), opportunity(2, **islamic)], User=[user()])
    with pytest.raises(CrmDataError, match=r"last of its dates is 1447-08-20: .* another calendar"):
        cleaned(as_of=None)


def test_the_audit_says_how_each_file_was_understood(raw):
    write(raw, Opportunity=[opportunity(1)], User=[user()], unknown=[{"a": "1", "b": "2"}])
    audit = cleaned().audit
    deals = next(f for f in audit.files if f.file == "Opportunity.csv")
    assert (deals.n_rows, deals.delimiter, deals.layout) == (
        1,
        "comma",
        "Opportunity (Salesforce, API names)",
    )
    assert deals.tables == ("opportunities",)
    assert deals.n_bytes == (raw / "Opportunity.csv").stat().st_size
    assert [r.file for r in audit.refusals] == ["unknown.csv"]


def test_the_audit_counts_the_filled_cells_of_each_column(raw):
    write(raw, Opportunity=[opportunity(1), opportunity(2, Amount="")], User=[user()])
    held = next(a for a in cleaned().audit.tables if a.table == "opportunities").columns
    assert (held["opportunity_id"], held["raw_amount"], held["lead_source"]) == (2, 1, 0)


def test_line_breaks_commas_and_quotes_stay_inside_their_cell_quirk_10(raw):
    names = ["Acme\nHoldings", 'Raven "Foods", Ltd', "Zebra;|\tInc"]
    accounts = [
        {"Id": f"001{n:012d}AAA", "Name": t, "Industry": "", "MasterRecordId": ""}
        for n, t in enumerate(names)
    ]
    write(raw, Account=accounts, Opportunity=[opportunity(1)], User=[user()])
    got = cleaned()
    assert got.tables["accounts"]["account_name"].tolist() == names
    assert got.account("accounts") == (3, 3, 0, 0)
