"""Merges are followed to their end, and what hangs on a record keeps its money."""

from __future__ import annotations

import pytest
from crm_tables import cleaned, opportunity, user, write

from analysis.cleaning import identity

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
