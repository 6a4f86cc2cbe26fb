"""A name or e-mail address finds the user, team or account it is one's own of; otherwise nobody, and it is counted."""

from __future__ import annotations

import unicodedata

import pytest
from crm_tables import ADA, BEN, NORTH, ROLES, SOUTH, cleaned, event, opportunity, user, write
from test_hubspot import deal
from test_hubspot import user as owner

CY = "005000000000003AAA"
USERS = [
    user(ADA, Name="Ada Lund", Email="ada@ours.example"),
    user(BEN, Name="Ben Osei", Email="ben@ours.example", UserRoleId=SOUTH),
]


def named(n: int, name: str, **other: str) -> dict[str, str]:
    """Return a row of a report on opportunities, which names its owner."""
    return {
        "Opportunity ID": f"006{n:012d}AAA", "Opportunity Name": f"Deal {n}", "Opportunity Owner": name, "Stage": "Closed Won",
        "Amount": "100", "Close Date": "2026-02-10", "Created Date": "2026-01-05",
    } | other  # fmt: skip


def owners(got) -> list[str]:
    return got.tables["opportunities"].sort_values("opportunity_id")["owner_rep_id"].tolist()


def said(got, file: str) -> str:
    return "\n".join(
        line for f in got.audit.files if f.file == file for line in (*f.notes, *f.warnings)
    )


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lund", "ADA LUND", " Ada  Lund", "Ada\u00a0Lund", "Ada\u200b Lund", "Lund, Ada", "Ada Lund (inactive)",
        "Ada Lund [Deactivated User]", "Ada Lund <ada@ours.example>", "ada@ours.example",
    ],
)  # fmt: skip
def test_an_owner_named_otherwise_than_by_id_is_the_user(raw, name):
    write(raw, opportunities=[named(1, name), named(2, "Ben Osei")], User=USERS, UserRole=ROLES)
    got = cleaned()
    assert owners(got) == [ADA, BEN]
    assert (
        "owner_rep_id: 2 of 2 rows name a user otherwise than by its id; matched through reps (2 names)"
        in said(got, "opportunities.csv")
    )
    assert got.effect("opportunities", "unknown_owner").n_rows == 0


def test_accents_written_in_two_ways_are_one_name(raw):
    """Composed in one export, decomposed in the other."""
    users = [user(ADA, Name=unicodedata.normalize("NFC", "Zoë Müller"))]
    write(raw, opportunities=[named(1, unicodedata.normalize("NFD", "Zoë Müller"))], User=users)
    assert owners(cleaned()) == [ADA]


def test_first_and_last_name_will_do(raw):
    users = [user(ADA, FirstName="Ada", LastName="Lund")]
    write(raw, opportunities=[named(1, "Ada Lund")], User=users)
    assert owners(cleaned()) == [ADA]


def test_a_name_that_two_users_bear_is_nobodys(raw):
    """It is counted, and the other owner found all the same."""
    users = [*USERS, user(CY, Name="Ada Lund", Email="cy@ours.example")]
    write(raw, opportunities=[named(1, "Ada Lund"), named(2, "Ben Osei")], User=users)
    got = cleaned()
    assert owners(got)[1] == BEN
    assert owners(got)[0] not in (ADA, CY)
    assert "1 of 2 rows name a user whose name two of them bear" in said(got, "opportunities.csv")
    assert got.effect("opportunities", "unknown_owner").n_rows == 1


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


def test_no_table_holds_what_anyone_is_called(raw):
    write(raw, opportunities=[named(1, "Ada Lund"), named(2, "Nobody Known")], User=USERS)
    for table in cleaned().tables.values():
        assert not any(
            "lund" in str(cell).lower() or "nobody" in str(cell).lower()
            for cell in table.to_numpy().ravel()
        )


def test_pay_and_quotas_by_address_or_short_id_find_the_rep(raw):
    """Pay names the e-mail address, quotas the 15 characters of the id, the history the team's name."""
    pay = {
        "valid_from": "2025-01-01",
        "base_amount": "100000",
        "base_period": "year",
        "currency": "USD",
    }
    quota = {
        "period_start": "2026-01-01",
        "period_end": "2026-04-01",
        "quota_amount": "5",
        "currency": "USD",
    }
    stay = {"valid_from": "2025-01-01", "valid_to": ""}
    write(
        raw,
        Opportunity=[opportunity(1)],
        User=USERS,
        UserRole=ROLES,
        compensation=[{"rep_id": "Ada@Ours.Example"} | pay, {"rep_id": "Ben Osei"} | pay],
        quotas=[{"rep_id": ADA[:15]} | quota, {"rep_id": BEN} | quota],
        rep_team_history=[
            {"rep_id": ADA, "team_id": "NORTH"} | stay,
            {"rep_id": "ben@ours.example", "team_id": SOUTH[:15]} | stay,
        ],
    )
    tables = cleaned().tables
    assert sorted(tables["compensation"]["rep_id"]) == [ADA, BEN]
    assert sorted(tables["quotas"]["rep_id"]) == [ADA, BEN]
    history = tables["rep_team_history"].set_index("rep_id")["team_id"]
    assert history.to_dict() == {ADA: NORTH, BEN: SOUTH}


def test_an_account_named_by_its_name_is_the_account(raw):
    accounts = [
        {"Id": f"001{n:012d}AAA", "Name": name, "Industry": "", "MasterRecordId": ""}
        for n, name in ((1, "Acme, Ltd."), (2, "Zeta"))
    ]
    deals = [
        named(1, "Ada Lund") | {"Account Name": "ACME Ltd"},
        named(2, "Ada Lund") | {"Account Name": "Nobody"},
    ]
    write(raw, opportunities=deals, User=USERS, Account=accounts)
    assert cleaned().tables["opportunities"]["account_id"].tolist() == [
        "001000000000001AAA",
        "nobody",
    ]


def test_hubspots_owners_by_name_or_address_find_the_owner(raw):
    users = [owner(hs_given_name="Ada", hs_family_name="Lund")]
    write(
        raw,
        users=users,
        deals=[deal(1, hubspot_owner_id="Ada Lund"), deal(2, hubspot_owner_id="ada@ours.example")],
    )
    assert owners(cleaned()) == ["72400000", "72400000"]


def test_a_parents_id_is_the_lookup(raw):
    """Beside the lookup, in its place, or blank in one of them: one owner. Owner.Name is not taken for it."""
    rows = [
        opportunity(1) | {"Owner.Id": ADA, "Owner.Name": "X"},
        opportunity(2, OwnerId="") | {"Owner.Id": BEN, "Owner.Name": "X"},
        opportunity(3) | {"Owner.Id": "", "Owner.Name": "X"},
    ]
    write(raw, Opportunity=rows, User=USERS)
    assert owners(cleaned()) == [ADA, BEN, ADA]
    write(raw, Opportunity=[{k: v for k, v in row.items() if k != "OwnerId"} for row in rows[:2]])
    assert owners(cleaned()) == [ADA, BEN]


def test_a_parents_name_will_do_where_no_id_is(raw):
    row = {k: v for k, v in opportunity(1).items() if k != "OwnerId"} | {"Owner.Name": "Ben Osei"}
    write(raw, Opportunity=[row], User=USERS)
    assert owners(cleaned()) == [BEN]


def test_a_parents_id_that_contradicts_the_lookup_refuses_the_file(raw):
    rows = [
        opportunity(1) | {"Owner.Id": ADA},
        opportunity(2) | {"Owner.Id": BEN},
        opportunity(3) | {"Owner.Id": ADA[:15]},
    ]
    write(raw, queried=rows, Opportunity=[opportunity(9)], User=USERS)
    (refusal,) = cleaned().audit.refusals
    assert refusal.reason == (
        "its columns OwnerId and Owner.Id name the same record, but differ in 1 of 3 rows (rows 3): delete the one that is wrong"
    )


def test_an_activity_by_its_owners_name_is_the_users(raw):
    row = {k: v for k, v in event(1).items() if k != "OwnerId"} | {"Owner.Name": "Ada  Lund"}
    write(raw, Opportunity=[opportunity(1)], Event=[row], User=USERS)
    assert cleaned().tables["activities"]["rep_id"].tolist() == [ADA]
