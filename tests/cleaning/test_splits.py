"""Bookings follow the shares of a split deal, and no cent is lost on the way."""

from __future__ import annotations

import pytest
from crm_tables import ADA, BEN, NORTH, SOUTH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_build import REPS, TEAMS, D, built, by_team, deal

CLOSE = D(2026, 2, 10)
BOTH = {
    "reps": [*REPS, {"rep_id": BEN, "role": "rep", "fte": 1.0}],
    "rep_team_history": [
        {"rep_id": ADA, "team_id": NORTH, "valid_from": D(2025, 1, 1)},
        {"rep_id": BEN, "team_id": SOUTH, "valid_from": D(2025, 1, 1)},
    ],
    "teams": TEAMS,
}


def shares(*rates: tuple[str, float], n: int = 1, kind: str = "revenue"):
    return [
        {"opportunity_id": str(n), "rep_id": rep, "split_type": kind, "split_rate": rate}
        for rep, rate in rates
    ]


def test_quirk_46_a_split_deals_money_goes_to_each_reps_team_and_the_deal_counts_once(raw):
    """Of 100.01 Ada has 60 %, 60.01 when rounded, and Ben the rest; the deal is Ada's."""
    got = built(
        **BOTH,
        opportunities=[deal(1, CLOSE, 100.01)],
        opportunity_splits=shares((ADA, 0.6), (BEN, 0.4)),
    )
    assert by_team(got, "bookings_amount") == {NORTH: 60.01, SOUTH: 40.0}
    assert by_team(got, "bookings_amount", "rep_quarter") == {NORTH: 60.01, SOUTH: 40.0}
    assert by_team(got, "bookings_amount", "rep_week") == {NORTH: 60.01, SOUTH: 40.0}
    assert by_team(got, "other_bookings_amount") == {NORTH: 60.01, SOUTH: 40.0}
    assert by_team(got, "n_won") == {NORTH: 1, SOUTH: 0}
    assert got["won_deals"][["team_id", "deal_amount"]].values.tolist() == [[NORTH, 100.01]]


def test_quirk_46_the_owner_without_a_share_books_nothing(raw):
    got = built(**BOTH, opportunities=[deal(1, CLOSE)], opportunity_splits=shares((BEN, 1.0)))
    assert by_team(got, "bookings_amount") == {NORTH: 0.0, SOUTH: 100.0}
    assert by_team(got, "n_won") == {NORTH: 1, SOUTH: 0}


def test_quirk_46_a_share_of_nobody_known_is_the_companys_and_no_teams(raw):
    got = built(
        **BOTH,
        opportunities=[deal(1, CLOSE)],
        opportunity_splits=shares((ADA, 0.7), ("nobody", 0.3)),
    )
    assert by_team(got, "bookings_amount") == {NORTH: 70.0, SOUTH: 0.0, "unassigned": 30.0}


@pytest.mark.parametrize(
    ("splits", "ada"),
    [
        ([], 100.0),
        (shares((ADA, 0.5), (BEN, 0.5), kind="Revenue") + shares((BEN, 1.0), kind="Overlay"), 50.0),
        (
            shares((ADA, 0.5), (BEN, 0.5), kind="a") + shares((BEN, 1.0), kind="b"),
            100.0,
        ),  # which holds cannot be told
        (shares((ADA, 0.5), kind="revenue"), 100.0),  # not whole: cleaning sets it aside
    ],
)
def test_quirk_46_only_a_whole_revenue_split_or_the_only_one_moves_money(raw, splits, ada):
    got = built(**BOTH, opportunities=[deal(1, CLOSE)], opportunity_splits=splits)
    assert by_team(got, "bookings_amount") == {NORTH: ada, SOUTH: 100.0 - ada}


def test_a_lost_or_open_deals_split_books_nothing(raw):
    deals = [deal(1, CLOSE, status="lost"), deal(2, CLOSE, status="open")]
    splits = [s for n in (1, 2) for s in shares((ADA, 0.5), (BEN, 0.5), n=n)]
    got = built(**BOTH, opportunities=deals, opportunity_splits=splits)
    assert by_team(got, "bookings_amount") == {NORTH: 0.0, SOUTH: 0.0}
    assert by_team(got, "n_lost") == {NORTH: 1, SOUTH: 0}


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=9)),
        max_size=8,
    )
)
def test_whatever_the_shares_their_cents_sum_to_the_deals(raw, drawn):
    """Any amounts in cents, split among up to nine reps in any proportion."""
    deals = [deal(n, CLOSE, cents / 100) for n, (cents, _) in enumerate(drawn)]
    splits = [
        s for n, (_, parts) in enumerate(drawn) for s in shares(*((f"r{i}", p / sum(parts)) for i, p in enumerate(parts)), n=n)
    ]  # fmt: skip
    got = built(**BOTH, opportunities=deals, opportunity_splits=splits)
    assert round(got["team_quarter"]["bookings_amount"].sum() * 100) == sum(
        cents for cents, _ in drawn
    )
    assert got["team_quarter"]["n_won"].sum() == len(drawn)
