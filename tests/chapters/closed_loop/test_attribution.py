"""Credit by six rules: each sums to the revenue, and the chain equals the sum over all its paths."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.closed_loop import attribution
from analysis.chapters.closed_loop.attribution import RULES, Paths, win_chance


def paths(*rows, names="ABC"):
    """Return paths of rows (touches, is won, revenue[, ages])."""
    path = [n for n, row in enumerate(rows) for _ in row[0]]
    activity = [names.index(t) for row in rows for t in row[0]]
    ages = [
        float(a) for row in rows for a in (row[3] if len(row) > 3 else range(len(row[0]), 0, -1))
    ]
    return Paths(
        np.array(path, np.int64),
        np.array(activity, np.int64),
        np.array(ages),
        np.array([row[1] for row in rows], bool),
        np.array([row[2] for row in rows], float),
        list(names),
    )


def sum_over_paths(counts: np.ndarray, without: int = -1, doublings: int = 15) -> float:
    """Return the chance to win, all paths of up to 32,768 steps summed."""
    n = len(counts) - 3
    chance = np.zeros((n + 1, n + 3))
    for state in range(n + 1):
        if counts[state].sum() and state != without:
            chance[state] = counts[state] / counts[state].sum()
    won, onward = chance[:, n + 1], chance[:, : n + 1]  # within one step; still on the way
    for _ in range(doublings):
        won, onward = won + onward @ won, onward @ onward
    return float(won[n])


def test_the_chain_equals_the_sum_over_all_its_paths_on_200_graphs(figure):
    """Circles, states that lead nowhere, circles without a way out, and graphs without a win."""
    rng = np.random.default_rng(8)
    n_null = n_trapped = 0
    for number in range(200):
        n = int(rng.integers(1, 5))
        counts = rng.integers(0, 4, (n + 3, n + 3)).astype(float)
        counts[n + 1 :] = 0.0
        counts[:, n] = 0.0  # nothing goes back to the start
        if number % 4 == 0:
            counts[0, n + 1 :] = 0.0
            counts[0, :n] = 0.0
            counts[0, 0] = 1.0  # a circle of one: the plain equations are singular
            n_trapped += 1
        if number % 10 == 1:
            counts[:, n + 1] = 0.0
            n_null += 1
        for without in range(-1, n):
            exact = win_chance(counts, without=without)
            assert exact == pytest.approx(sum_over_paths(counts, without), abs=1e-9)
            assert number % 10 != 1 or exact == 0.0
    assert (n_null, n_trapped) == (20, 50)
    figure("003-21", "chain = sum over paths on 200 graphs, 50 singular, 20 without a win")


def test_removal_by_hand():
    """A wins half of its paths, B none: without A nothing is won, without B all of it still is."""
    table = attribution.credit_by_activity(
        paths(("A", True, 100.0), ("A", False, 0.0), ("B", False, 0.0))
    ).set_index("activity")
    assert table.loc["A", list(RULES)].tolist() == [100.0] * 6
    assert table.loc["B", list(RULES)].tolist() == [0.0] * 6


def test_two_steps_by_hand():
    """A then B wins 90: first A, last B, half each by all other rules; removal of either loses all."""
    table = attribution.credit_by_activity(paths(("AB", True, 90.0, (30.0, 0.0)), names="AB"))
    got = table.set_index("activity")
    assert got.loc["A", list(RULES)].tolist() == [90.0, 0.0, 45.0, 45.0, 30.0, 45.0]
    assert got["n_deals"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("first", [1, 0, 0, 0]),
        ("last", [0, 0, 0, 1]),
        ("linear", [0.25] * 4),
        ("position", [0.4, 0.1, 0.1, 0.4]),
        ("time decay", [1 / 15, 2 / 15, 4 / 15, 8 / 15]),
    ],
)
def test_shares_of_one_path_by_hand(rule, expected):
    """Four touches, each a half-life after the one before."""
    got = attribution.touch_weights(paths(("ABCA", True, 1.0, (90, 60, 30, 0))), rule)
    assert got == pytest.approx(expected)


def test_old_paths_do_not_lose_their_weight():
    """Ten thousand days old: the weights still sum to 1."""
    got = attribution.touch_weights(paths(("AB", True, 1.0, (99_999, 99_969))), "time decay")
    assert got == pytest.approx([1 / 3, 2 / 3])


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="rule must be one of first, last"):
        attribution.touch_weights(paths(("A", True, 1.0)), "chain")


def test_each_rule_sums_to_the_revenue_to_the_cent_and_each_path_to_its_own():
    """Paths of any length with odd cents; some won without a touch, some of an unknown amount."""
    rng = np.random.default_rng(3)
    rows = []
    for _ in range(400):
        touches = "".join(rng.choice(list("ABC"), rng.integers(0, 6)))
        rows.append((touches, bool(rng.random() < 0.4), round(float(rng.lognormal(9, 1)), 2)))
    rows.append(("AB", True, float("nan")))
    many = paths(*rows)
    table = attribution.credit_by_activity(many)
    total = round(100 * sum(r[2] for r in rows[:-1] if r[1]))
    assert (100 * table[list(RULES)]).round().astype(int).sum().tolist() == [total] * 6
    assert attribution.UNTOUCHED in table["activity"].tolist()
    for rule in RULES[:-1]:
        per_path = np.bincount(many.path, attribution.touch_weights(many, rule))
        assert per_path[per_path > 0] == pytest.approx(1.0, abs=1e-9)


def test_paths_without_a_touch_move_no_share_of_the_chain():
    some = [("AB", True, 10.0), ("B", False, 0.0), ("CA", True, 5.0)]
    shares = [
        attribution.removal_shares(attribution.transition_counts(paths(*rows)))
        for rows in (some, [*some, ("", True, 7.0), ("", False, 0.0), ("", False, 0.0)])
    ]
    assert shares[0] == pytest.approx(shares[1])


def test_nothing_won_is_credited_to_nobody():
    table = attribution.credit_by_activity(paths(("AB", False, 0.0), ("C", False, 0.0)))
    assert (table[list(RULES)] == 0).all(axis=None)
    assert attribution.credit_by_activity(paths()).iloc[:, 1:].to_numpy().sum() == 0


def test_paths_of_deals_and_of_people_by_hand():
    """Two people of one deal share its path up to the close; a third's path leads to nothing.

    The answer after the close counts nowhere, a mail that nobody answered neither; a campaign no
    export holds has no type.
    """
    touches = pd.DataFrame(
        [
            ("p1", "c1", "2026-01-05", True), ("p2", "c2", "2026-01-03", True),
            ("p1", "c2", "2026-03-01", True), ("p3", "c9", "2026-01-09", True),
            ("p3", "c1", "2026-01-08", False),
        ],
        columns=["person_key", "campaign_id", "touched_at", "is_response"],
    )  # fmt: skip
    campaigns = pd.DataFrame({"campaign_id": ["c1", "c2"], "campaign_type": ["Web", "Fair"]})
    leads = pd.DataFrame(
        {"person_key": ["p1", "p2", "p3", "p4"], "opportunity_id": ["o1", "o1", None, None]}
    )
    deals = pd.DataFrame(
        {"opportunity_id": ["o1"], "close_date": ["2026-02-01"], "deal_amount": [50.0]}
    )
    got = attribution.deal_paths(touches, campaigns, leads, deals)
    assert [got.names[a] for a in got.activity] == ["Fair", "Web", attribution.UNTYPED]
    assert got.path.tolist() == [0, 0, 1]
    assert got.is_won.tolist() == [True, False, False]  # the fourth never answered anything
    assert got.age.tolist() == [30.0, 28.0, 0.0]
