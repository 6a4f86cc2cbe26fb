"""From exports to clean tables: every row is accounted for, and nothing a CRM says is obeyed."""

from __future__ import annotations

import datetime as dt

import pytest
from crm_tables import (
    ADA,
    BEN,
    NORTH,
    ROLES,
    SOUTH,
    Pass,
    cleaned,
    deal_id,
    event,
    opportunity,
    user,
    write,
)

from analysis.project.errors import CrmDataError

HOSTILE = [
    "'; drop table reps; --", '=HYPERLINK("http://evil.example","x")', '#panic("x")', "<script>alert(1)</script>",
    "$x_1$", "\\input{/etc/passwd}", "a|b", "{{x}}", "株式会社", "', 1); drop table accounts; --",
]  # fmt: skip
WEST, EMPTY = "00E000000000003EAA", "00E000000000004EAA"
CY = "005000000000003AAA"
TITLES = [
    ("Account Executive", "Standard", "rep"),
    ("", "Standard", "rep"),
    ("Sales Manager", "Standard", "manager"),
    ("VP Sales", "Standard", "manager"),
    ("Marketing Director", "Standard", "marketing"),
    ("Account Executive", "CsnOnly", "integration"),
]
NAMES = ["Acme\nHoldings", 'Raven "Foods", Ltd', "Zebra;|\tInc"]
CALL = {
    "Id": "00T000000000001EAA", "Subject": "Call", "TaskSubtype": "Call", "CallDurationInSeconds": "420",
    "CompletedDateTime": "2026-02-02T10:07:00Z", "OwnerId": ADA, "WhatId": "", "IsDeleted": "false",
}  # fmt: skip
AGAIN = [opportunity(2, Amount="250"), opportunity(1)]  # in two files, turned round
PAY = {
    "rep_id": ADA, "valid_from": "2026-01-01", "valid_to": "", "base_amount": "5000", "base_period": "month",
    "currency": "USD", "commission_rate": "0.1", "fringe_rate": "0.2", "overhead_amount": "",
}  # fmt: skip


def account_row(n: int, name: str) -> dict[str, str]:
    return {"Id": f"001{n:012d}AAA", "Name": name, "Industry": "", "MasterRecordId": ""}


def write_deals(raw) -> None:
    """Write the deals: each test's have ids of their own, named where they are made."""
    deals = AGAIN[::-1]
    deals += [opportunity(11), opportunity(12, Amount="250")]  # written otherwise as 13 and 14
    deals += [opportunity(20 + n, Name=t, StageName=t) for n, t in enumerate(HOSTILE)]
    euros = {41: "2026-02-09", 42: "2026-02-10"}
    deals += [opportunity(n, CurrencyIsoCode="EUR", CloseDate=day) for n, day in euros.items()]
    deals += [opportunity(43, CurrencyIsoCode="USD"), opportunity(44, CurrencyIsoCode="")]
    deals += [
        opportunity(51, IsWon="false"), opportunity(52, IsWon="false", IsClosed="false"), opportunity(53),
        opportunity(54, IsWon="", IsClosed=""),
        opportunity(61), opportunity(62, CloseDate="2026-01-02"), opportunity(63, IsWon="false"),
    ]  # fmt: skip
    deals += [opportunity(80, OwnerId="005000000000012AAA")]  # of the user without a title
    autumn = {"CloseDate": "2025-11-10", "CreatedDate": "2025-10-05T09:00:00Z"}
    deals += [opportunity(71, **autumn), opportunity(72, IsWon="false", **autumn)]
    write(raw, Opportunity=deals, Again=AGAIN)
    other = [
        opportunity(n, Amount=a, CreatedDate="2026-01-05T10:00:00.000+0100")
        for n, a in ((14, "250"), (13, "100"))
    ]
    write(raw, other=[dict(reversed((r | {"Id": r["Id"][:15]}).items())) for r in other])
    text = (raw / "other.csv").read_text().replace(",", ";")
    (raw / "other.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    hostile = opportunity(30) | {'x"; drop table reps; --': "1"}
    write(raw, **{"deals'; drop table reps; --": [hostile]})


def write_company(raw) -> None:
    """Write the rows of the tests that read `company`."""
    write_deals(raw)
    users = [user(), user(BEN, UserRoleId=SOUTH)]
    users += [user(CY, UserRoleId=WEST, Title="Marketing Manager")]
    users += [
        user(f"005{n:012d}AAA", Title=title, UserType=kind)
        for n, (title, kind, _) in enumerate(TITLES, 11)
    ]
    users += [user("005000000000020AAA", TimeZoneSidKey="'; drop table reps; --")]
    roles = [
        {"Id": i, "Name": n, "ParentRoleId": ""} for i, n in ((WEST, "West"), (EMPTY, "Empty"))
    ]
    by_hand = [
        {"team_id": NORTH, "team_name": "Nord", "region": "EMEA", "segment": "SMB"},
        {"team_id": SOUTH, "team_name": "", "region": "", "segment": ""},
    ]
    rates = [
        {"IsoCode": code, "StartDate": a, "NextStartDate": b, "ConversionRate": r}
        for code, a, b, r in (
            ("USD", "2025-01-01", "9999-12-31", "1"),
            ("EUR", "2026-01-01", "2026-02-10", "0.8"),
            ("EUR", "2026-02-10", "9999-12-31", "0.5"),
        )
    ]
    events = [
        event(n, Subject=t, StartDateTime=f"2026-02-02T10:{n:02d}:00Z", DurationInMinutes="")
        for n, t in enumerate(HOSTILE)
    ]
    mail = {"Id": "00T000000000002", "TaskSubtype": "Email", "CallDurationInSeconds": ""}
    write(
        raw,
        User=users,
        UserRole=[*ROLES, *roles],
        teams=by_hand,
        Account=[account_row(n, t) for n, t in enumerate([*HOSTILE, *NAMES])],
        Event=events,
        Task=[CALL, CALL | mail],
        DatedConversionRate=rates,
        compensation=[PAY, PAY | {"rep_id": BEN, "base_period": "year"}],
        finance_bookings=[{"quarter": "2025Q4", "bookings_amount": "125", "currency": "USD"}],
        unknown=[{"a": "1", "b": "2"}],
    )


def write_broken(raw) -> None:
    """Write eight lines of opportunities, the last of them broken."""
    rows = [
        opportunity(1), opportunity(2, Amount=""), opportunity(2, Amount=""), opportunity(3, CloseDate="30/02/2026"),
        opportunity(4, CloseDate="2026-02-30"), opportunity(5, OwnerId=""), opportunity(6, IsDeleted="true"),
    ]  # fmt: skip
    write(raw, Opportunity=rows, User=[user()])
    with (raw / "Opportunity.csv").open("a") as stream:
        stream.write("006,too,short\n")


def write_dated(raw) -> None:
    """Write deals and meetings of which some lie after the day of the export."""
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
    deals = [
        opportunity(1), opportunity(2, IsWon="false", IsClosed="false", CloseDate="2026-06-30"),
        opportunity(3, CloseDate="2027-01-01"),
    ]  # fmt: skip
    stays = [
        {"rep_id": BEN, "team_id": SOUTH, "valid_from": "2025-01-01", "valid_to": "2026-02-01"},
        {"rep_id": BEN, "team_id": NORTH, "valid_from": "2026-02-01", "valid_to": ""},
    ]
    users = [user(), user(BEN)]
    write(raw, Opportunity=deals, User=users, Event=events, UserRole=ROLES, rep_team_history=stays)


@pytest.fixture(scope="module")
def company(clean_folder):
    return clean_folder(write_company)


@pytest.fixture(scope="module")
def broken(clean_folder):
    return clean_folder(write_broken)


@pytest.fixture(scope="module")
def dated(clean_folder):
    return clean_folder(write_dated, as_of=None, today=dt.date(2026, 11, 1))


def balanced(got: Pass) -> bool:
    """Return whether every table's rows in are its rows clean, quarantined and dropped."""
    return all(a.n_in == a.n_clean + a.n_quarantined + a.n_dropped for a in got.audit.tables)


def test_rows_in_are_clean_quarantined_or_dropped(broken, company):
    """Eight lines: two clean, four quarantined (a broken line, two bad dates, a blank owner), two dropped."""
    assert broken.account("opportunities") == (8, 2, 4, 2)
    assert broken.aside() == {
        "repeated_record": 1, "unreadable_date": 2, "missing_required": 1, "deleted_record": 1, "unreadable_line": 1,
    }  # fmt: skip
    assert balanced(broken)
    assert balanced(company)


def test_what_is_set_aside_says_where_it_stood(broken):
    """The bad date is line 5 of its file; the broken line is line 9."""
    rows = broken.tables["set_aside"]
    bad = rows[rows["record_key"] == deal_id(3)].iloc[0]
    assert bad[["rule", "source_file", "source_row", "column", "text", "money"]].tolist() == [
        "unreadable_date", "Opportunity.csv", 5, "close_date", "30/02/2026", 100.0,
    ]  # fmt: skip
    line = rows[rows["rule"] == "unreadable_line"].iloc[0]
    assert line[["source_file", "source_row", "text"]].tolist() == [
        "Opportunity.csv", 9, "missing columns",
    ]  # fmt: skip


def test_an_export_loaded_twice_counts_once(company):
    """Under another name, with its rows turned round: as if it were there once."""
    assert company.aside_of(deal_id(1), deal_id(2)) == {"repeated_record": 2}
    got = company.rows("opportunities", deal_id(1), deal_id(2))
    assert got["opportunity_id"].tolist() == [deal_id(1), deal_id(2)]
    assert got["deal_amount"].tolist() == [100.0, 250.0]
    assert got["close_date"].astype(str).tolist() == ["2026-02-10"] * 2


def test_how_a_file_is_written_does_not_change_the_table(company):
    """Another order of rows and columns, 15-character ids, another spelling of the zone, CRLF, BOM, semicolons."""
    plain, other = (
        company.rows("opportunities", *ids).drop(
            columns=["opportunity_id", "source_file", "source_row"]
        )
        for ids in ((deal_id(11), deal_id(12)), (deal_id(13), deal_id(14)))
    )
    assert other["deal_amount"].tolist() == [100.0, 250.0]
    assert other.equals(plain)


def test_hostile_text_passes_unharmed_and_does_no_harm(company):
    """It comes out as it went in; every table still stands."""
    accounts = company.rows("accounts", *(f"001{n:012d}AAA" for n in range(len(HOSTILE))))
    assert accounts["account_name"].tolist() == HOSTILE
    deals = company.rows("opportunities", *(deal_id(20 + n) for n in range(len(HOSTILE))))
    assert deals["stage"].tolist() == HOSTILE
    events = company.rows("activities", *(f"000{n:012d}AAA" for n in range(len(HOSTILE))))
    assert events["activity_class"].unique().tolist() == ["unclassified"]
    assert len(events) == len(HOSTILE)
    reps = company.tables["reps"].set_index("rep_id")
    assert reps.loc["005000000000020AAA", "flagged_by"] == "unknown_time_zone"


def test_a_hostile_header_or_file_name_is_only_a_name(company):
    (file,) = (f for f in company.audit.files if f.file == "deals'; drop table reps; --.csv")
    assert (file.n_rows, file.tables) == (1, ("opportunities",))
    assert len(company.rows("opportunities", deal_id(30))) == 1
    assert company.aside_of(deal_id(30)) == {}
    assert company.account("reps") == (10, 10, 0, 0)


def test_a_team_that_the_crm_and_a_file_by_hand_name_has_what_either_states(company):
    """UserRole knows no segment, teams.csv does; where both speak, the CRM's word stands."""
    got = company.tables["teams"].set_index("team_id")
    assert got.loc[NORTH, ["team_name", "region", "segment"]].tolist() == ["North", "EMEA", "SMB"]
    assert got.loc[SOUTH, "team_name"] == "South"
    assert got.loc[SOUTH, ["region", "segment"]].isna().all()


def test_marketing_is_no_sales_team(company):
    """A role that only marketing people hold, and one nobody holds, are dropped with their memberships."""
    assert company.tables["teams"]["team_id"].tolist() == [NORTH, SOUTH]
    assert company.aside_of(WEST, EMPTY, table="teams") == {"not_a_sales_team": 2}
    assert company.aside("rep_team_history") == {"unknown_team": 1}
    assert company.rows("reps", ADA, CY)["role"].tolist() == ["rep", "marketing"]


def test_a_team_that_reps_left_stays_a_team(dated):
    """Ben was in South before North; the history knows it, today's role does not."""
    assert dated.tables["teams"]["team_id"].tolist() == [NORTH, SOUTH]


def test_a_title_tells_the_role(company):
    """Machines are told by their type before their title; who sells without a title is a rep."""
    reps = company.rows("reps", *(f"005{n:012d}AAA" for n in range(11, 11 + len(TITLES))))
    assert reps["role"].tolist() == [role for _, _, role in TITLES]


def test_amounts_are_converted_at_the_rate_of_the_close_date(company):
    """Salesforce states units per corporate unit: 0.8 EUR a USD until 9 February, 0.5 from the 10th.

    Where others name theirs, a blank currency is none.
    """
    assert company.aside_of(deal_id(44)) == {"blank_currency": 1}
    got = company.rows("opportunities", *(deal_id(n) for n in (41, 42, 43, 44)))
    assert got["deal_amount"].tolist() == [125.0, 200.0, 100.0]
    assert got["raw_amount"].tolist() == [100.0, 100.0, 100.0]
    assert got["currency"].tolist() == ["EUR", "EUR", "USD"]


def test_pay_by_the_month_becomes_pay_by_the_year(company):
    got = company.tables["compensation"].set_index("rep_id")
    assert got["base_amount"].to_dict() == {ADA: 60_000.0, BEN: 5_000.0}
    assert got["overhead_amount"].isna().all()


def test_status_comes_from_the_flags_never_from_the_probability(company):
    """A lost deal at 100 % is lost; where neither flag nor stage says anything, the row has no status."""
    got = company.rows("opportunities", *(deal_id(n) for n in (51, 52, 53, 54)))
    assert got["status"].tolist() == ["lost", "open", "won"]
    assert got["probability"].tolist() == [1.0, 1.0, 1.0]
    assert company.aside_of(deal_id(54)) == {"unknown_outcome": 1}


def test_the_sales_cycle_is_missing_where_dates_contradict(company):
    """5 January to 10 February are 36 days."""
    got = company.rows("opportunities", *(deal_id(n) for n in (61, 62, 63)))
    assert got["cycle_days"].fillna(-1).tolist() == [36.0, -1, -1]
    assert got["flagged_by"].tolist()[1] == "closed_before_created"


def test_a_call_is_as_long_as_its_seconds(company):
    """420 seconds are 7 minutes, before its completion; an e-mail takes none."""
    got = company.tables["activities"]
    got = got[got["kind"] != "event"]
    assert got["kind"].tolist() == ["call", "email"]
    assert got["minutes"].tolist() == [7.0, 0.0]
    assert got["started_at"].iloc[0] == dt.datetime(2026, 2, 2, 10, tzinfo=dt.UTC)


def test_as_of_is_the_last_day_the_export_knows(dated):
    """Closed on 10 February, logged on 20 February: a meeting of 3 March was planned, not held."""
    assert dated.audit.as_of == dt.date(2026, 2, 19)
    assert dated.aside("activities") == {"after_as_of": 1}
    assert dated.audit.first_day == dt.date(2026, 2, 10)


def test_as_of_is_never_in_the_future(dated):
    """A deal typed as closed next year does not move it."""
    assert len(dated.rows("opportunities", deal_id(3))) == 1
    assert dated.audit.as_of == dt.date(2026, 2, 19)


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


def test_bookings_are_held_against_finances(company):
    """CRM 100, finance 125: a gap of -20 %."""
    assert company.audit.reconciliation == (("2025Q4", 100.0, 125.0, -0.2),)


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


def test_the_audit_says_how_each_file_was_understood(company):
    deals = next(f for f in company.audit.files if f.file == "Again.csv")
    assert (deals.n_rows, deals.delimiter, deals.layout) == (
        2,
        "comma",
        "Opportunity (Salesforce, API names)",
    )
    assert deals.tables == ("opportunities",)
    lines = [AGAIN[0].keys(), *(row.values() for row in AGAIN)]
    assert deals.n_bytes == sum(len(",".join(line)) + 1 for line in lines)
    assert [r.file for r in company.audit.refusals] == ["unknown.csv"]


def test_the_audit_counts_the_filled_cells_of_each_column(broken):
    """Two clean deals, one of them without an amount."""
    held = next(a for a in broken.audit.tables if a.table == "opportunities").columns
    assert (held["opportunity_id"], held["raw_amount"], held["lead_source"]) == (2, 1, 0)


def test_line_breaks_commas_and_quotes_stay_inside_their_cell_quirk_10(company):
    n = len(HOSTILE)
    accounts = company.rows("accounts", *(f"001{n + i:012d}AAA" for i in range(len(NAMES))))
    assert accounts["account_name"].tolist() == NAMES
    assert company.account("accounts") == (13, 13, 0, 0)  # ten hostile ones, three of these
