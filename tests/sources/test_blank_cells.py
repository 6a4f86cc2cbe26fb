"""A cell that says null is empty, one that guards an id from a spreadsheet is the id; a name stays a name."""

from __future__ import annotations

import pytest
from crm_tables import ADA, cleaned, deal_id, event, opportunity, user, write
from test_hubspot import company as hubspot_company
from test_hubspot import deal, meeting
from test_hubspot import user as owner

from analysis.sources import database


def notes(got, file: str) -> str:
    return "\n".join(
        line for f in got.audit.files if f.file == file for line in (*f.notes, *f.warnings)
    )


WRITTEN_OUT = [
    "null", "NULL", "None", "nan", "NaN", "NaT", "[null]", "(null)", "<NA>", "undefined", "\\N", "Select", "- None -", "--None--", "(not set)", "N/A",
]  # fmt: skip


NAMES = {  # of the accounts of a file, with what else its rows say
    "names": (("None", "Select", "Null & Sons"), ""),
    "so_written": (("None", "null"), "None"),
    "apostrophes": (("'s Lands Zeehuis", "'t Hof", "Acme"), ""),
    "guarded_names": (("'Acme & Co", "'Zeta", "'Beta"), ""),
}
GUARDS = ('="{0}"', '=T("{0}")', "'{0}", "\t{0}", "\u00a0{0}\u200b", '"{0}"')


def accounts(first: int, names: tuple[str, ...], parent: str) -> list[dict[str, str]]:
    return [
        {
            "Id": f"001{n:012d}AAA", "Name": name, "Industry": "", "MasterRecordId": "", "ParentId": parent,
        }
        for n, name in enumerate(names, first)
    ]  # fmt: skip


def guarded_ids(n: int) -> list[str]:
    """Return the plain ids of the three deals of a guard's file."""
    return [deal_id(100 * (n + 1) + k) for k in range(3)]


def write_company(raw) -> None:
    """Write a file a test, and for cells written out three deals of each token, a meeting and a user."""
    deals = [
        opportunity(3 * i + n, AccountId=token, CampaignId=token, Amount=token, Type=token)
        for i, token in enumerate(WRITTEN_OUT)
        for n in range(3)
    ]
    events = [
        event(i, WhatId=token, StartDateTime=f"2026-02-02T{i:02d}:00:00Z", EndDateTime=f"2026-02-02T{i + 1:02d}:00:00Z")
        for i, token in enumerate(WRITTEN_OUT)
    ]  # fmt: skip
    users = [
        user(f"005{i:012d}AAA", ManagerId=token, EndDate__c=token)
        for i, token in enumerate(WRITTEN_OUT, start=1)
    ]
    write(raw, Opportunity=deals, Event=events, User=users)
    for k, (name, (names, parent)) in enumerate(NAMES.items()):
        write(raw, **{name: accounts(10 * k, names, parent)})
    for n, guard in enumerate(GUARDS):
        rows = [
            opportunity(100 * (n + 1) + k) | {"Id": guard.format(i), "OwnerId": guard.format(ADA)}
            for k, i in enumerate(guarded_ids(n))
        ]
        write(raw, **{f"guard_{n}": rows})
    formulas = ['=HYPERLINK("http://x.example","1")', "=A1"]
    computed = [
        opportunity(901),
        *(opportunity(902 + n) | {"Id": f} for n, f in enumerate(formulas)),
    ]
    write(raw, formulas=computed)


@pytest.fixture(scope="module")
def company(clean_folder):
    return clean_folder(write_company)


def names_in(got, file: str) -> list[str]:
    """Return the names of a file's accounts, in the order of their ids."""
    clean = got.tables["accounts"]
    return clean.loc[clean["source_file"] == f"{file}.csv", "account_name"].fillna("").tolist()


def aside_in(got, file: str) -> dict[str, int]:
    """Return the rules that took rows of a file, with how many."""
    held = got.tables["set_aside"]
    return held.loc[held["source_file"] == f"{file}.csv", "rule"].value_counts().to_dict()


def test_an_empty_cell_that_is_written_out_is_empty(company):
    """In ids, numbers, days and words alike, and it is said how many: three deals of each token, a meeting, a user."""
    n_tokens = len(WRITTEN_OUT)
    table = company.rows("opportunities", *(deal_id(n) for n in range(3 * n_tokens)))
    assert (len(table), aside_in(company, "Opportunity")) == (3 * n_tokens, {})
    assert company.account("activities") == (n_tokens, n_tokens, 0, 0)
    assert company.account("reps") == (n_tokens, n_tokens, 0, 0)
    assert (
        table[["account_id", "campaign_id", "raw_amount", "opportunity_type"]].isna().all(axis=None)
    )
    for token in WRITTEN_OUT:
        assert f"{token}: 12 cells are missing (AccountId, CampaignId, Amount, Type)" in notes(
            company, "Opportunity.csv"
        ), token


def test_a_company_called_none_keeps_its_name(company):
    assert names_in(company, "names") == ["None", "Select", "Null & Sons"]


def test_where_the_file_writes_its_empty_cells_so_a_name_is_empty_too(company):
    """ParentId says None as well: that account has no name, the one called null keeps its own."""
    assert names_in(company, "so_written") == ["", "null"]


def test_an_analyst_says_what_else_is_empty_and_what_is_not(raw):
    """In every column of every file, or of one."""
    (raw / "fields.toml").write_text(
        '[reading]\nmissing = ["keine Angabe"]\nnot_missing = ["Select"]\n', encoding="utf-8"
    )
    write(
        raw,
        Opportunity=[opportunity(1, CampaignId="Keine Angabe", StageName="Select")],
        User=[user()],
    )
    table = cleaned().tables["opportunities"]
    assert table["campaign_id"].isna().all()
    assert table["stage"].tolist() == ["Select"]


@pytest.mark.parametrize("guard", GUARDS)
def test_an_id_guarded_from_a_spreadsheet_is_the_id(company, guard):
    n = GUARDS.index(guard)
    rows = company.rows("opportunities", *guarded_ids(n))
    if guard == '"{0}"':  # quotes inside a cell are no guard that any tool writes
        assert rows.empty
        assert aside_in(company, f"guard_{n}") == {"id_checksum": 3}
        return
    assert rows["opportunity_id"].tolist() == guarded_ids(n)
    assert set(rows["owner_rep_id"]) == {ADA}


def test_a_formula_that_computes_is_still_set_aside(company):
    assert aside_in(company, "formulas") == {"formula_text": 2}


def test_a_name_keeps_its_apostrophe_unless_all_have_one(company):
    assert names_in(company, "apostrophes") == ["'s Lands Zeehuis", "'t Hof", "Acme"]
    assert names_in(company, "guarded_names") == ["Acme & Co", "Zeta", "Beta"]


def test_an_id_that_went_through_a_table_of_floats_is_the_id(raw):
    """Owners, deals and the companies and deals that hang on them; of sixteen digits or more it may be another."""
    deals = [
        deal(1, hubspot_owner_id="72400000.0"),
        deal(2) | {"hs_object_id": "2.0", "Associated Company IDs": "501.0"},
    ]
    broken = deal(3) | {"hs_object_id": "12345678901234568.0"}
    meetings = [meeting(1, hubspot_owner_id="72400000.0") | {"Associated Deal IDs": "2.0;1.0"}]
    write(
        raw,
        users=[owner()],
        deals=[*deals, broken],
        companies=[hubspot_company(501)],
        meetings=meetings,
    )
    got = cleaned()
    table = got.tables["opportunities"].set_index("opportunity_id")
    assert table["owner_rep_id"].to_dict() == {"1": "72400000", "2": "72400000"}
    assert table["account_id"].to_dict() == {"1": "501", "2": "501"}
    assert got.aside() == {"unreadable_id": 1}
    assert got.tables["activities"]["opportunity_id"].tolist() == ["2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("00017", "00017"), ("17.0", "17"), ("17.00", "17"), ("17,0", "17"), ("17.5", "17.5"), ("12.000", "12.000"), ("v1.0", "v1.0")],
)  # fmt: skip
def test_only_a_whole_number_with_a_decimal_nought_loses_it(text, expected):
    with database.open_session() as connection:
        assert connection.execute("select plain_id(?)", [text]).fetchone() == (expected,)
