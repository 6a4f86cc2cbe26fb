"""One name in many spellings: merged where nothing is lost, put to the analyst where it is likely."""

from __future__ import annotations

import pytest
from crm_tables import deal_id, opportunity, user, write
from test_identity_merges import account

from analysis.cleaning import identity

NAMES = {  # of accounts by number: each test has some of its own
    1: "Acme, Ltd.", 2: "ACME Ltd", 3: "Acme",
    11: "Zenith", 12: "ZENITH",
    21: "Model 100", 22: "Model 1000",
    31: "Umbra Technolgy", 32: "Umbra Technology", 33: "Umbra Foods",
    41: "One", 42: "Two", 43: "Three",
    51: "Four", 52: "Five", 53: "Six",
    61: "=cmd Technolgy", 62: "=cmd Technology",
}  # fmt: skip
COUNTRIES = {11: "Italy", 12: "Peru"}
DECIDED = [
    {"table": "accounts", "variant": v, "canonical": c}
    for v, c in (
        ("umbra technolgy", "Umbra Technology"), ("One", "Two"), ("Two", "Three"), ("Four", "Five"), ("Four", "Six"),
    )
]  # fmt: skip


def account_id(n: int) -> str:
    return f"001{n:012d}AAA"


def write_company(raw, decided=DECIDED) -> None:
    """Write the accounts, a deal of each, and the analyst's decisions."""
    accounts = [
        account(account_id(n), Name=name, BillingCountry=COUNTRIES.get(n, ""))
        for n, name in NAMES.items()
    ]
    deals = [opportunity(n, AccountId=account_id(n)) for n in NAMES]
    write(raw, Account=accounts, Opportunity=deals, User=[user()], names=decided)


@pytest.fixture(scope="module")
def company(clean_folder):
    return clean_folder(write_company)


@pytest.fixture(scope="module")
def decided_again(clean_folder, company):
    """Return the next pass, with what the review of the first puts to the analyst of hostile names accepted."""
    more = [
        {"table": t, "variant": v, "canonical": c}
        for t, v, c, _ in company.tables["name_review"].values.tolist()
        if "cmd" in v
    ]
    return clean_folder(lambda raw: write_company(raw, [*DECIDED, *more]))


def accounts_of(got, *numbers: int) -> tuple[list[str], list[str]]:
    """Return which of these accounts are left, and the accounts of their deals."""
    left = got.rows("accounts", *map(account_id, numbers))["account_id"].tolist()
    deals = got.rows("opportunities", *map(deal_id, numbers))
    return left, deals["account_id"].tolist()


def test_names_equal_but_for_case_and_punctuation_are_one_account_quirk_39(company):
    a, b, c = map(account_id, (1, 2, 3))
    assert company.aside_of(a, b, c, table="accounts") == {"same_name": 1}
    assert accounts_of(company, 1, 2, 3) == ([a, c], [a, a, c])


def test_one_name_in_two_countries_is_two_accounts_quirk_39(company):
    assert accounts_of(company, 11, 12)[0] == [account_id(11), account_id(12)]


def test_model_100_is_not_model_1000_quirk_39(company):
    """Their sets of letter pairs are equal; their keys are not, nor are they put to the analyst."""
    assert {"100"[i : i + 2] for i in range(2)} == {"1000"[i : i + 2] for i in range(3)}
    assert len(accounts_of(company, 21, 22)[0]) == 2
    assert identity.likely_pairs(["Model 100", "Model 1000"]) == []


@pytest.mark.parametrize(("which", "n_names"), [("company", 3), ("decided_again", 4)])
def test_an_accepted_name_holds_every_time_quirk_39(request, which, n_names):
    """A typo the analyst accepted is counted at the right name, and its deal with it: the flag says so.

    Two other names are accepted too, and a hostile one the second time, each with a deal of 100; of five decisions
    or six two contradict each other.
    """
    got = request.getfixturevalue(which)
    a, b, c = map(account_id, (31, 32, 33))
    assert accounts_of(got, 31, 32, 33) == ([b, c], [b, b, c])
    flags = got.rows("opportunities", deal_id(31), deal_id(32))["flagged_by"].fillna("")
    assert flags.tolist() == ["accepted_name", ""]
    assert got.aside_of(a, table="accounts") == {"accepted_name": 1}
    assert got.effect("accounts", "accepted_name").n_rows == n_names
    effect = got.effect("opportunities", "accepted_name")
    assert effect[4:7] == (n_names, len(NAMES), 100.0 * n_names)
    assert got.account("accepted_names") == (n_names + 2, n_names, 2, 0)


def test_decisions_are_followed_to_their_end_quirk_39(company):
    c = account_id(43)
    assert accounts_of(company, 41, 42, 43) == ([c], [c, c, c])


def test_decisions_that_contradict_each_other_have_no_effect(company):
    assert company.aside("accepted_names") == {"conflicting_record": 2}
    assert len(accounts_of(company, 51, 52, 53)[0]) == 3


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


def test_a_hostile_name_can_be_reviewed_and_accepted_quirk_48(company, decided_again):
    """The ' in front does not keep the decision from its name."""
    a, b = account_id(61), account_id(62)
    assert accounts_of(company, 61, 62)[0] == [a, b]
    review = company.tables["name_review"]
    hostile = review[review["variant"].str.contains("cmd")]
    assert hostile[["variant", "canonical"]].values.tolist() == [
        ["'=cmd Technolgy", "'=cmd Technology"]
    ]
    assert accounts_of(decided_again, 61, 62)[0] == [b]
    assert not decided_again.tables["name_review"]["variant"].str.contains("cmd").any()
