"""One name in many spellings: merged where nothing is lost, put to the analyst where it is likely."""

from __future__ import annotations

import pytest
from crm_tables import cleaned, opportunity, user, write
from test_identity_merges import A, B, C, account

from analysis.cleaning import identity


def company(raw, accounts, **files):
    deals = [opportunity(n, AccountId=a["Id"]) for n, a in enumerate(accounts)]
    write(raw, Account=accounts, Opportunity=deals, User=[user()], **files)
    return cleaned()


def test_names_equal_but_for_case_and_punctuation_are_one_account_quirk_39(raw):
    got = company(
        raw, [account(A, Name="Acme, Ltd."), account(B, Name="ACME Ltd"), account(C, Name="Acme")]
    )
    assert got.tables["accounts"]["account_id"].tolist() == [A, C]
    assert got.aside("accounts") == {"same_name": 1}
    assert got.tables["opportunities"]["account_id"].tolist() == [A, A, C]


def test_one_name_in_two_countries_is_two_accounts_quirk_39(raw):
    got = company(
        raw,
        [
            account(A, Name="Acme", BillingCountry="Italy"),
            account(B, Name="ACME", BillingCountry="Peru"),
        ],
    )
    assert got.tables["accounts"]["account_id"].tolist() == [A, B]


def test_model_100_is_not_model_1000_quirk_39(raw):
    """Their sets of letter pairs are equal; their keys are not, nor are they put to the analyst."""
    assert {"100"[i : i + 2] for i in range(2)} == {"1000"[i : i + 2] for i in range(3)}
    got = company(raw, [account(A, Name="Model 100"), account(B, Name="Model 1000")])
    assert len(got.tables["accounts"]) == 2
    assert identity.likely_pairs(["Model 100", "Model 1000"]) == []


def test_an_accepted_name_holds_every_time_quirk_39(raw):
    """A typo the analyst accepted is counted at the right name, and its deal with it: the flag says so."""
    decided = [{"table": "accounts", "variant": "acme technolgy", "canonical": "Acme Technology"}]
    accounts = [
        account(A, Name="Acme Technolgy"),
        account(B, Name="Acme Technology"),
        account(C, Name="Acme Foods"),
    ]
    for _ in range(2):
        got = company(raw, accounts, names=decided)
        assert got.tables["accounts"]["account_id"].tolist() == [B, C]
        assert got.tables["opportunities"]["account_id"].tolist() == [B, B, C]
        assert got.effect("accounts", "accepted_name").n_rows == 1
        assert got.effect("opportunities", "accepted_name")[4:7] == (1, 3, 100.0)
        assert got.account("accepted_names") == (1, 1, 0, 0)


def test_decisions_are_followed_to_their_end_quirk_39(raw):
    decided = [
        {"table": "accounts", "variant": v, "canonical": c}
        for v, c in (("One", "Two"), ("Two", "Three"))
    ]
    got = company(
        raw,
        [account(A, Name="One"), account(B, Name="Two"), account(C, Name="Three")],
        names=decided,
    )
    assert got.tables["accounts"]["account_id"].tolist() == [C]
    assert got.tables["opportunities"]["account_id"].tolist() == [C, C, C]


def test_decisions_that_contradict_each_other_have_no_effect(raw):
    decided = [{"table": "accounts", "variant": "One", "canonical": c} for c in ("Two", "Three")]
    got = company(
        raw,
        [account(A, Name="One"), account(B, Name="Two"), account(C, Name="Three")],
        names=decided,
    )
    assert got.aside("accepted_names") == {"conflicting_record": 2}
    assert len(got.tables["accounts"]) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Philipines Air", "Philippines Air"),
        ("Acme Inc.", "The Acme Corporation"),
        ("Foods Raven", "Raven Foods"),
    ],
)
def test_a_likely_pair_is_put_to_the_analyst_quirk_39(one, other):
    assert [{p.variant, p.canonical} for p in identity.likely_pairs([one, other, "Zebra"])] == [
        {one, other}
    ]


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "GTX Basic",
            "GTX Plus Basic",
            "GTX Plus Pro",
            "GTX Pro",
            "MG Advanced",
            "MG Special",
            "GTK 500",
        ],
        ["Total Energies", "General Electric"],
    ],
)
def test_other_names_are_no_pair_quirk_39(spellings):
    assert [p for p in identity.likely_pairs(spellings) if p.similarity > 0.7] == []


def test_pairs_are_found_whatever_the_order_and_among_many_quirk_47():
    """20,000 names of two words and one typo: it is found, the number of pairs stays bounded."""
    words = [f"{a}{b}{c}" for a in "bdfgkl" for b in "aeiou" for c in "mnprst"]
    many = [f"{a} {b}" for a in words for b in words][:20_000]
    got = identity.likely_pairs([*many, "Acme Technolgy", "Acme Technology"])
    assert ("Acme Technolgy", "Acme Technology") in {(p.variant, p.canonical) for p in got}
    assert len(got) <= identity.MOST_PAIRS


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_name_that_begins_like_a_formula_is_inert_quirk_48(text):
    assert identity.make_inert(text) == f"'{text}"
    assert identity.make_inert(f"a{text}") == f"a{text}"


def test_a_hostile_name_can_be_reviewed_and_accepted_quirk_48(raw):
    """The ' in front does not keep the decision from its name."""
    accounts = [account(A, Name="=cmd Technolgy"), account(B, Name="=cmd Technology")]
    got = company(raw, accounts)
    assert len(got.tables["accounts"]) == 2
    review = got.tables["name_review"]
    assert review[["variant", "canonical"]].values.tolist() == [
        ["'=cmd Technolgy", "'=cmd Technology"]
    ]
    decided = [{"table": t, "variant": v, "canonical": c} for t, v, c, _ in review.values.tolist()]
    again = company(raw, accounts, names=decided)
    assert again.tables["accounts"]["account_id"].tolist() == [B]
    assert again.tables["name_review"].empty
