"""A name or e-mail address finds the user, team or account it is one's own of; otherwise nobody, and it is counted."""

from __future__ import annotations

import unicodedata

import pytest
from crm_tables import (
    ADA,
    BEN,
    NORTH,
    ROLES,
    SOUTH,
    cleaned,
    deal_id,
    event,
    opportunity,
    user,
    write,
)
from test_hubspot import deal
from test_hubspot import user as owner

USERS = [
    user(ADA, Name="Ada Lund", Email="ada@ours.example"),
    user(BEN, Name="Ben Osei", Email="ben@ours.example", UserRoleId=SOUTH),
]


def named(n: int, name: str, **other: str) -> dict[str, str]:
    """Return a row of a report on opportunities, which names its owner."""
    return {
        "Opportunity ID": f"006{n:012d}AAA", "Opportunity Name": f"Deal {n}", "Opportunity Owner": name, "Stage": "Closed Won",
        "Amount": "100", "Amount Currency": "USD", "Close Date": "2026-02-10", "Created Date": "2026-01-05",
    } | other  # fmt: skip


SPELLINGS = (
    "Ada Lund", "ADA LUND", " Ada  Lund", "Ada\u00a0Lund", "Ada\u200b Lund", "Lund, Ada", "Ada Lund (inactive)",
    "Ada Lund [Deactivated User]", "Ada Lund <ada@ours.example>", "ada@ours.example",
)  # fmt: skip
ZOE, FAY, KIM, OTHER_KIM = (f"005{n:012d}AAA" for n in range(11, 15))
PAY = {
    "valid_from": "2025-01-01",
    "base_amount": "100000",
    "base_period": "year",
    "currency": "USD",
}
QUOTA = {
    "period_start": "2026-01-01", "period_end": "2026-04-01", "quota_amount": "5", "currency": "USD",
}  # fmt: skip
STAY = {"valid_from": "2025-01-01", "valid_to": ""}


def without_owner(row, **other: str) -> dict[str, str]:
    return {k: v for k, v in row.items() if k != "OwnerId"} | other


def write_parents(raw) -> None:
    """Write what a query returns beside a lookup or in its place: the parent's id and name."""
    beside = [
        opportunity(61) | {"Owner.Id": ADA, "Owner.Name": "X"},
        opportunity(62, OwnerId="") | {"Owner.Id": BEN, "Owner.Name": "X"},
        opportunity(63) | {"Owner.Id": "", "Owner.Name": "X"},
    ]
    instead = [
        without_owner(opportunity(64), **{"Owner.Id": ADA, "Owner.Name": "X"}),
        without_owner(opportunity(65), **{"Owner.Id": BEN, "Owner.Name": "X"}),
    ]
    against = [
        opportunity(71) | {"Owner.Id": ADA},
        opportunity(72) | {"Owner.Id": BEN},
        opportunity(73) | {"Owner.Id": ADA[:15]},
    ]
    by_name = without_owner(opportunity(66), **{"Owner.Name": "Ben Osei"})
    write(raw, beside=beside, instead=instead, by_name=[by_name], queried=against)
    write(raw, Event=[without_owner(event(1), **{"Owner.Name": "Ada  Lund"})])


def write_company(raw) -> None:
    """Write files that name their people otherwise than by id: what is said of a file is counted in it."""
    names = {
        ZOE: (unicodedata.normalize("NFC", "Zoë Müller"), "", ""), FAY: ("", "Fay", "Orr"),
        KIM: ("Kim Roe", "", ""), OTHER_KIM: ("Kim Roe", "", ""),
    }  # fmt: skip
    users = [row | {"FirstName": "", "LastName": ""} for row in USERS]
    users += [
        user(i, Name=n, Email="", FirstName=first, LastName=last)
        for i, (n, first, last) in names.items()
    ]
    accounts = [
        {"Id": f"001{n:012d}AAA", "Name": name, "Industry": "", "MasterRecordId": ""}
        for n, name in ((1, "Acme, Ltd."), (2, "Zeta"))
    ]
    write(
        raw,
        User=users,
        UserRole=ROLES,
        Account=accounts,
        spelled=[*(named(n, name) for n, name in enumerate(SPELLINGS, 1)), named(11, "Ben Osei")],
        accents=[named(21, unicodedata.normalize("NFD", "Zoë Müller"))],
        two_columns=[named(22, "Fay Orr")],
        namesakes=[named(31, "Kim Roe"), named(32, "Ben Osei")],
        stranger=[named(41, "Nobody Known")],
        of_accounts=[
            named(51, "Ada Lund") | {"Account Name": "ACME Ltd"},
            named(52, "Ada Lund") | {"Account Name": "Noone"},
        ],
        Campaign=[
            {
                "Id": "701000000000001AAA",
                "Name": "Spring Fair",
                "ActualCost": "5",
                "ExpectedResponse": "",
            }
        ],
        campaign_notices=[
            {"notice_id": n, "team_id": NORTH, "campaign_id": name, "first_send_on": "2026-02-01"}
            for n, name in (("n1", "spring fair"), ("n2", "Autumn Fair"))
        ],
        compensation=[{"rep_id": "Ada@Ours.Example"} | PAY, {"rep_id": "Ben Osei"} | PAY],
        quotas=[{"rep_id": ADA[:15]} | QUOTA, {"rep_id": BEN} | QUOTA],
        rep_team_history=[
            {"rep_id": ADA, "team_id": "NORTH"} | STAY,
            {"rep_id": "ben@ours.example", "team_id": SOUTH[:15]} | STAY,
        ],
    )
    write_parents(raw)


@pytest.fixture(scope="module")
def company(clean_folder):
    return clean_folder(write_company)


def owners(got, *numbers: int) -> list[str]:
    return got.rows("opportunities", *map(deal_id, numbers))["owner_rep_id"].tolist()


def flags(got, *numbers: int) -> list[str]:
    rows = got.rows("opportunities", *map(deal_id, numbers))
    return rows["flagged_by"].fillna("").tolist()


def said(got, file: str) -> str:
    return "\n".join(
        line for f in got.audit.files if f.file == file for line in (*f.notes, *f.warnings)
    )


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_owner_named_otherwise_than_by_id_is_the_user(company, name):
    """Of the eleven rows one is Ben's; they spell Ada by name, by address and Ben by name."""
    n = SPELLINGS.index(name) + 1
    assert owners(company, n, 11) == [ADA, BEN]
    assert (
        "owner_rep_id: 11 of 11 rows name a user otherwise than by its id; matched through reps (3 names)"
        in said(company, "spelled.csv")
    )
    assert flags(company, n, 11) == ["", ""]


def test_accents_written_in_two_ways_are_one_name(company):
    """Composed in one export, decomposed in the other."""
    assert owners(company, 21) == [ZOE]


def test_first_and_last_name_will_do(company):
    assert owners(company, 22) == [FAY]


def test_a_name_that_two_users_bear_is_nobodys(company):
    """It is counted, and the other owner found all the same."""
    assert owners(company, 32) == [BEN]
    assert owners(company, 31)[0] not in (KIM, OTHER_KIM)
    assert "1 of 2 rows name a user whose name two of them bear" in said(company, "namesakes.csv")
    assert flags(company, 31, 32) == ["unknown_owner", ""]
    assert company.effect("opportunities", "unknown_owner").n_rows == 2  # and a stranger's


def test_where_no_name_is_known_it_is_said_what_to_export(raw):
    write(
        raw, opportunities=[named(1, "Ada Lund"), named(2, "Ben Osei")], User=[user(ADA), user(BEN)]
    )
    got = cleaned()
    assert "2 of 2 rows name their person by name or e-mail address, which is no user's" in said(
        got, "opportunities.csv"
    )
    assert "Export the users with Name (or FirstName and LastName) and Email" in said(
        got, "opportunities.csv"
    )
    assert got.effect("opportunities", "unknown_owner").n_rows == 2


def test_no_table_holds_what_anyone_is_called(company):
    assert flags(company, 41) == ["unknown_owner"]
    for table in company.tables.values():
        cells = "\n".join(map(str, table.to_numpy().ravel())).lower()
        assert not [name for name in ("lund", "nobody", "osei", "kim roe") if name in cells]


def test_pay_and_quotas_by_address_or_short_id_find_the_rep(company):
    """Pay names the e-mail address, quotas the 15 characters of the id, the history the team's name."""
    tables = company.tables
    assert sorted(tables["compensation"]["rep_id"]) == [ADA, BEN]
    assert sorted(tables["quotas"]["rep_id"]) == [ADA, BEN]
    history = tables["rep_team_history"].set_index("rep_id")["team_id"]
    assert history.loc[[ADA, BEN]].to_dict() == {ADA: NORTH, BEN: SOUTH}


def test_an_account_named_by_its_name_is_the_account(company):
    deals = company.rows("opportunities", deal_id(51), deal_id(52))
    assert deals["account_id"].tolist() == ["001000000000001AAA", "noone"]


def test_a_campaign_named_by_its_name_is_the_campaign(company):
    """One of a name that no campaign bears belongs to none, and is set aside."""
    notices = company.tables["campaign_notices"].set_index("notice_id")["campaign_id"]
    assert notices.to_dict() == {"n1": "701000000000001AAA"}


def test_hubspots_owners_by_name_or_address_find_the_owner(raw):
    users = [owner(hs_given_name="Ada", hs_family_name="Lund")]
    write(
        raw,
        users=users,
        deals=[deal(1, hubspot_owner_id="Ada Lund"), deal(2, hubspot_owner_id="ada@ours.example")],
    )
    assert cleaned().tables["opportunities"]["owner_rep_id"].tolist() == ["72400000", "72400000"]


def test_a_parents_id_is_the_lookup(company):
    """Beside the lookup, in its place, or blank in one of them: one owner. Owner.Name is not taken for it."""
    assert owners(company, 61, 62, 63) == [ADA, BEN, ADA]
    assert owners(company, 64, 65) == [ADA, BEN]


def test_a_parents_name_will_do_where_no_id_is(company):
    assert owners(company, 66) == [BEN]


def test_a_parents_id_that_contradicts_the_lookup_refuses_the_file(company):
    (refusal,) = company.audit.refusals
    assert refusal.file == "queried.csv"
    assert refusal.reason == (
        "its columns OwnerId and Owner.Id name the same record, but differ in 1 of 3 rows (rows 3): remove the one that is wrong"
    )


def test_an_activity_by_its_owners_name_is_the_users(company):
    assert company.tables["activities"]["rep_id"].tolist() == [ADA]
