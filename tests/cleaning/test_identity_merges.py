"""Merges are followed to their end, and what hangs on a record keeps its money."""

from __future__ import annotations

import pandas as pd
import pytest
from crm_tables import ADA, cleaned, opportunity, user, write
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.chapters.closed_loop import lead_ledger
from analysis.cleaning import identity
from analysis.sources import database

A, B, C, D = (f"001{n:012d}AAA" for n in range(1, 5))


def account(record, master="", **other):
    return {
        "Id": record,
        "Name": f"Name {record}",
        "Industry": "",
        "MasterRecordId": master,
        "BillingCountry": "",
    } | other


@pytest.mark.parametrize(
    ("pairs", "ends"),
    [
        ([("a", "b"), ("b", "c")], {"a": "c", "b": "c"}),
        ([("a", "b"), ("a", "c"), ("b", "c")], {"a": "c", "b": "c"}),
        ([("a", "a")], {}),
        ([("a", "c"), ("b", "c")], {"a": "c", "b": "c"}),
        (
            [(f"n{i:04d}", f"n{i + 1:04d}") for i in range(5000)],
            {f"n{i:04d}": "n5000" for i in range(5000)},
        ),
    ],
)
def test_a_chain_of_merges_ends_at_its_last_survivor_quirk_13(pairs, ends):
    """In whatever order it is told."""
    for told in (pairs, pairs[::-1]):
        assert {r: f.survivor for r, f in identity.resolve_merges(told).items()} == ends


@pytest.mark.parametrize(
    ("pairs", "fates"),
    [
        ([("a", "b"), ("b", "a")], {"a": "merge_cycle", "b": "merge_cycle"}),
        ([("a", "b"), ("b", "c"), ("c", "b")], dict.fromkeys("abc", "merge_cycle")),
        ([("a", "b"), ("a", "c")], {"a": "merge_conflict"}),
        ([("x", "a"), ("a", "b"), ("a", "c")], {"x": "merge_conflict", "a": "merge_conflict"}),
        (
            [("a", "b"), ("b", "a"), ("x", "y")],
            {"a": "merge_cycle", "b": "merge_cycle", "x": "merged_record"},
        ),
    ],
)
def test_merges_without_one_end_move_nothing_quirk_13(pairs, fates):
    for told in (pairs, pairs[::-1]):
        got = identity.resolve_merges(told)
        assert {r: f.rule for r, f in got.items()} == fates
        assert all(f.survivor is None for f in got.values() if f.rule != "merged_record")


def test_deals_of_merged_accounts_hang_on_the_survivor_with_their_money_quirk_13(raw):
    """A into B into C: one account of three stays, both deals are C's, 300 in all."""
    deals = [opportunity(1, AccountId=A), opportunity(2, AccountId=B, Amount="200")]
    write(raw, Account=[account(A, B), account(B, C), account(C)], Opportunity=deals, User=[user()])
    got = cleaned()
    assert got.tables["accounts"]["account_id"].tolist() == [C]
    assert got.aside("accounts") == {"merged_record": 2}
    assert got.tables["opportunities"]["account_id"].tolist() == [C, C]
    assert got.tables["opportunities"]["deal_amount"].sum() == 300.0
    assert got.effect("opportunities", "merged_parent")[4:7] == (2, 2, 300.0)


def test_a_circle_of_merges_is_quarantined_and_moves_no_deal_quirk_13(raw):
    write(
        raw,
        Account=[account(A, B), account(B, A), account(C)],
        Opportunity=[opportunity(1, AccountId=A)],
        User=[user()],
    )
    got = cleaned()
    assert got.aside("accounts") == {"merge_cycle": 2}
    assert got.tables["opportunities"]["account_id"].tolist() == [A]


def test_a_record_merged_into_one_that_no_export_holds_stays(raw):
    write(
        raw,
        Account=[account(A, D), account(C)],
        Opportunity=[opportunity(1, AccountId=A)],
        User=[user()],
    )
    got = cleaned()
    assert got.tables["accounts"]["flagged_by"].fillna("").tolist() == ["survivor_absent", ""]
    assert got.tables["opportunities"]["account_id"].tolist() == [A]


def lead(n, day, master="", status="MQL"):
    return {
        "Id": f"00Q{n:012d}", "Status": status, "IsConverted": "false", "ConvertedDate": "", "LeadSource": "Web",
        "ConvertedOpportunityId": "", "CreatedDate": f"{day}T09:00:00Z", "OwnerId": ADA, "IsDeleted": "false",
        "MasterRecordId": f"00Q{master:012d}" if master else "",
    }  # fmt: skip


def step(n, day, old, new):
    return {
        "LeadId": f"00Q{n:012d}", "Field": "Status", "OldValue": old, "NewValue": new, "CreatedDate": f"{day}T10:00:00Z",
    }  # fmt: skip


def test_a_lead_returned_and_merged_into_a_later_one_is_one_lead_with_both_histories(raw, figure):
    """1 came in January, was returned in February, and was merged into 2, which came in March and is with
    sales; what was done to 1 from then on is no step of 2.
    """
    steps = [
        step(1, "2026-01-05", "Open", "MQL"), step(1, "2026-01-07", "MQL", "SAL"),
        step(1, "2026-02-02", "SAL", "Nurture"), step(1, "2026-03-11", "Nurture", "Disqualified"),
        step(2, "2026-03-10", "Open", "MQL"),
    ]  # fmt: skip
    leads = [lead(1, "2026-01-04", master=2, status="Disqualified"), lead(2, "2026-03-09")]
    write(raw, Lead=leads, LeadHistory=steps, Opportunity=[opportunity(1)], User=[user()])
    got = cleaned()
    (one,) = got.tables["leads"].to_dict("records")
    assert one["created_at"] == pd.Timestamp("2026-01-04T09:00Z")
    assert (one["is_recycled"], one["n_cycles"]) == (True, 2)
    history = got.tables["lead_status_history"]
    assert set(history["lead_id"]) == {one["lead_id"]}
    assert history["merged_from"].notna().sum() == 3
    assert history.sort_values("entered_at")["cycle"].tolist() == [1, 1, 1, 2]
    assert got.aside("lead_status_history") == {"overlapping_merge": 1}
    assert got.aside("leads") == {"merged_record": 1}
    until = pd.Timestamp("2026-04-01", tz="UTC").as_unit("us")
    table = lead_ledger.ledger_by_round(lead_ledger.lead_stays(history, got.tables["leads"], until))
    assert table["handed_over"].tolist() == [1, 1, 0]
    assert table["returned"].tolist() == [1, 0, 0]
    assert table["requalified"].tolist() == [1, 0, 0]
    assert table["with_sales"].tolist() == [0, 1, 0]
    figure(
        "002-17",
        "merged: 1 lead, 2 hand-overs, 1 return; a step after its survivor's first left out",
    )


IDS = ("a", "b", "c", "d")
STEPS = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(lead_ledger.STAGE_ORDER), st.integers(0, 30)),
    max_size=16,
)
MERGES = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), max_size=4)


def joined_history(connection, steps, merges):
    """Return the steps by lead after the merges, as cleaning joins them."""
    connection.execute(
        "create or replace temp table parsed_lead_status_history (lead_id varchar, merged_from varchar,"
        " lead_stage varchar, lead_status varchar, field_name varchar, entered_at timestamptz, is_deleted boolean,"
        " is_overlap boolean, source_file varchar, source_row bigint);"
        "create or replace temp table parsed_leads as select unnest($ids) as lead_id, now() as created_at",
        {"ids": list(IDS)},
    )
    start = pd.Timestamp("2025-01-01", tz="UTC")
    rows = [
        (
            name,
            None,
            stage,
            stage,
            None,
            (start + pd.Timedelta(days=day)).to_pydatetime(),
            False,
            None,
            "f",
            n,
        )
        for n, (name, stage, day) in enumerate(steps)
    ]
    database.insert_rows(connection, "parsed_lead_status_history", rows)
    identity.define_survivors(connection)
    fates = {r: f for r, f in identity.resolve_merges(merges).items() if f.survivor}
    database.insert_rows(
        connection, "survivors", [("leads", r, f.survivor, f.rule) for r, f in fates.items()]
    )
    connection.execute(identity.SQL["new_values"], {"table": "leads"})
    identity._join_histories(connection)
    told = connection.execute("from parsed_lead_status_history").to_arrow_table()
    return told.to_pandas(), set(IDS) - set(fates)


@pytest.fixture(scope="module")
def session():
    with database.open_session() as connection:
        yield connection


@settings(max_examples=25, deadline=None)
@given(STEPS, MERGES)
def test_the_ledger_is_conserved_whatever_leads_were_merged(session, steps, merges):
    """Every step is a lead's that stands or overlaps; each lead is in one place, where its own last step says."""
    history, standing = joined_history(session, steps, merges)
    assert len(history) == len(steps)
    mine = history[history["is_overlap"].isna()]
    assert set(mine["lead_id"]) <= standing
    leads = pd.DataFrame({"lead_id": sorted(standing), "converted_on": pd.NaT})
    until = pd.Timestamp("2026-01-01", tz="UTC").as_unit("us")
    got = lead_ledger.lead_stays(mine, leads, until)
    table = lead_ledger.ledger_by_round(got)
    sides = table[["converted", "disqualified", "returned", "with_sales"]].sum(axis=1)
    assert (table["handed_over"] == sides).all()
    assert got.n_unknown == 0
    now_in = got.rows[got.rows["went_to"].eq(-1)].set_index("lead_id")["state"]
    assert now_in.index.is_unique
    place = {name: n for n, name in enumerate(lead_ledger.STAGE_ORDER)}
    for name, rows in mine[mine["merged_from"].isna()].groupby("lead_id"):
        last = max(zip(rows["entered_at"], rows["lead_stage"].map(place), strict=True))[1]
        if last:  # "open" is no stay
            stage = lead_ledger.STAGE_ORDER[last]
            assert now_in[name] == lead_ledger.OF_STAGE[stage]
