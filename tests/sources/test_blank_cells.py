"""A cell that says null is empty, one that guards an id from a spreadsheet is the id; a name stays a name."""

from __future__ import annotations

import pytest
from crm_tables import ADA, cleaned, event, opportunity, user, write
from test_hubspot import company, deal, meeting
from test_hubspot import user as owner

from analysis.sources import database


def notes(got, file: str) -> str:
    return "\n".join(
        line for f in got.audit.files if f.file == file for line in (*f.notes, *f.warnings)
    )


WRITTEN_OUT = [
    "null", "NULL", "None", "nan", "NaN", "NaT", "[null]", "(null)", "<NA>", "undefined", "\\N", "Select", "- None -", "--None--", "(not set)", "N/A",
]  # fmt: skip


def test_an_empty_cell_that_is_written_out_is_empty(raw):
    """In ids, numbers, days and words alike, and it is said how many: three deals of each token, a meeting, a user."""
    n_tokens = len(WRITTEN_OUT)
    rows = [
        opportunity(3 * i + n, AccountId=token, CampaignId=token, Amount=token, Type=token)
        for i, token in enumerate(WRITTEN_OUT)
        for n in range(3)
    ]
    write(
        raw,
        Opportunity=rows,
        Event=[
            event(i, WhatId=token, StartDateTime=f"2026-02-02T{i:02d}:00:00Z", EndDateTime=f"2026-02-02T{i + 1:02d}:00:00Z")
            for i, token in enumerate(WRITTEN_OUT)
        ],
        User=[
            user(f"005{i:012d}AAA", ManagerId=token, EndDate__c=token)
            for i, token in enumerate(WRITTEN_OUT, start=1)
        ],
    )  # fmt: skip
    got = cleaned()
    assert got.account("opportunities") == (3 * n_tokens, 3 * n_tokens, 0, 0)
    assert got.account("activities") == (n_tokens, n_tokens, 0, 0)
    assert got.account("reps") == (n_tokens, n_tokens, 0, 0)
    table = got.tables["opportunities"]
    assert (
        table[["account_id", "campaign_id", "raw_amount", "opportunity_type"]].isna().all(axis=None)
    )
    for token in WRITTEN_OUT:
        assert f"{token}: 12 cells are missing (AccountId, CampaignId, Amount, Type)" in notes(
            got, "Opportunity.csv"
        ), token


def accounts(*names: str, **other: str) -> list[dict[str, str]]:
    return [
        {
            "Id": f"001{n:012d}AAA",
            "Name": name,
            "Industry": "",
            "MasterRecordId": "",
            "ParentId": "",
        }
        | other
        for n, name in enumerate(names)
    ]


def test_a_company_called_none_keeps_its_name(raw):
    write(
        raw,
        Opportunity=[opportunity(1)],
        User=[user()],
        Account=accounts("None", "Select", "Null & Sons"),
    )
    assert cleaned().tables["accounts"]["account_name"].tolist() == [
        "None",
        "Select",
        "Null & Sons",
    ]


def test_where_the_file_writes_its_empty_cells_so_a_name_is_empty_too(raw):
    """ParentId says None as well: that account has no name, the one called null keeps its own."""
    write(
        raw,
        Opportunity=[opportunity(1)],
        User=[user()],
        Account=accounts("None", "null", ParentId="None"),
    )
    got = cleaned()
    assert got.tables["accounts"]["account_name"].fillna("").tolist() == ["", "null"]


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


@pytest.mark.parametrize(
    "guarded", ['="{0}"', '=T("{0}")', "'{0}", "'{0}'", "\t{0}", "\u00a0{0}\u200b", '"{0}"']
)
def test_an_id_guarded_from_a_spreadsheet_is_the_id(raw, guarded):
    rows = [opportunity(n) for n in range(3)]
    plain = [r["Id"] for r in rows]
    write(
        raw,
        Opportunity=[
            r | {"Id": guarded.format(r["Id"]), "OwnerId": guarded.format(ADA)} for r in rows
        ],
        User=[user()],
    )
    got = cleaned()
    if guarded == '"{0}"':  # quotes inside a cell are no guard that any tool writes
        assert got.aside() == {"id_checksum": 3}
        return
    assert got.tables["opportunities"]["opportunity_id"].tolist() == plain
    assert set(got.tables["opportunities"]["owner_rep_id"]) == {ADA}


def test_a_formula_that_computes_is_still_set_aside(raw):
    rows = [
        opportunity(1),
        opportunity(2) | {"Id": '=HYPERLINK("http://x.example","1")'},
        opportunity(3) | {"Id": "=A1"},
    ]
    write(raw, Opportunity=rows, User=[user()])
    assert cleaned().aside() == {"formula_text": 2}


def test_a_name_keeps_its_apostrophe_unless_all_have_one(raw):
    write(
        raw,
        Opportunity=[opportunity(1)],
        User=[user()],
        Account=accounts("'s Lands Zeehuis", "'t Hof", "Acme"),
    )
    assert cleaned().tables["accounts"]["account_name"].tolist() == [
        "'s Lands Zeehuis",
        "'t Hof",
        "Acme",
    ]
    write(raw, Account=accounts("'Acme", "'Zeta", "'Beta"))
    assert cleaned().tables["accounts"]["account_name"].tolist() == ["Acme", "Zeta", "Beta"]


def test_an_id_that_went_through_a_table_of_floats_is_the_id(raw):
    """Owners, deals and the companies and deals that hang on them; of sixteen digits or more it may be another."""
    deals = [
        deal(1, hubspot_owner_id="72400000.0"),
        deal(2) | {"hs_object_id": "2.0", "Associated Company IDs": "501.0"},
    ]
    broken = deal(3) | {"hs_object_id": "12345678901234568.0"}
    meetings = [meeting(1, hubspot_owner_id="72400000.0") | {"Associated Deal IDs": "2.0;1.0"}]
    write(raw, users=[owner()], deals=[*deals, broken], companies=[company(501)], meetings=meetings)
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
