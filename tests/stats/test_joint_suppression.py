"""Published totals of all cuts, put into a linear solver: no small cell can be told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from published_totals import random_company, told_cells

from analysis.stats.joint_suppression import Cell, cells_to_hide, range_left

CUTS = ["team", "segment", "region"]


def test_a_team_of_two_left_over_in_its_region_takes_another_along():
    """Region n less team b is team a: b is hidden too."""
    people = pd.DataFrame(
        {"team": list("aabbbbbccccccdddddd"), "region": list("nnnnnnnssssssssssss")}
    )
    assert cells_to_hide(people, ["team", "region"], smallest=5) == {Cell("team", "a"), Cell("team", "b")}  # fmt: skip


def test_cells_that_are_large_enough_hide_nothing():
    people = pd.DataFrame({"team": list("aaaaabbbbb"), "region": list("nnnnnsssss")})
    assert cells_to_hide(people, ["team", "region"], smallest=5) == set()


def test_what_two_cuts_leave_over_is_hidden_though_neither_shows_it():
    """Of region n (8) all but 2 are of segment x, which has no others: n less x is those 2."""
    people = pd.DataFrame({"region": list("nnnnnnnnssssss"), "segment": list("xxxxxxyyyyyyyy")})
    hidden = cells_to_hide(people, ["region", "segment"], smallest=5)
    assert hidden
    told = told_cells(people.assign(value=1.0), ["region", "segment"], hidden, smallest=5)
    assert told == []


def test_a_small_group_that_may_be_three_to_twelve_is_not_told():
    """4 of region n in team C: n = 14, s = 9, B = 11, C = 12 leave them 3 to 12, so all is shown."""
    people = pd.DataFrame(
        {"region": list("n" * 14 + "s" * 9), "team": list("C" * 4 + "B" * 11 + "C" * 8)}
    )
    assert cells_to_hide(people, ["region", "team"], smallest=5) == set()


def test_a_single_sum_leaves_all_between_nothing_and_itself():
    """Of x + y = 7 each may be 0 to 7."""
    left = range_left(np.array([1.0, 0.0]), np.array([[1.0, 1.0]]), np.array([2.0, 5.0]))
    assert left == pytest.approx((0, 7))


@pytest.mark.parametrize("seed", range(20))
def test_no_small_cell_of_a_random_company_is_told_within_a_quarter(seed):
    people = random_company(np.random.default_rng(seed))
    hidden = cells_to_hide(people, CUTS, smallest=5)
    assert told_cells(people, CUTS, hidden, smallest=5) == []


def test_the_solver_finds_what_suppression_table_by_table_leaves_open():
    """Each cut alone hides its small cells and one more, and the attack must find some."""
    told = 0
    for seed in range(20):
        people = random_company(np.random.default_rng(seed))
        sizes = {c: people[c].value_counts() for c in CUTS}
        hidden = {Cell(c, v) for c in CUTS for v, n in sizes[c].items() if n < 5}
        for cut in CUTS:
            alone = [v for v, n in sizes[cut].sort_values().items()]
            if sum(cell.cut == cut for cell in hidden) == 1:
                hidden.add(Cell(cut, alone[1]))
        told += len(told_cells(people, CUTS, hidden, smallest=5))
    assert told > 0


def _people(sizes: dict[str, int], amount: float = 1.0) -> pd.DataFrame:
    rows = [(f"{team}{n}", team, amount, 1.0) for team, size in sizes.items() for n in range(size)]
    return pd.DataFrame(rows, columns=["person", "team", "amount", "weight"])


def test_who_joined_a_team_is_not_what_its_sum_grew_by():
    """Team a had 6 and has 7, all paid as before: its sum less the former is the newcomer's pay.

    Company less b and c would tell it too, so one of those goes along.
    """
    now = _people({"a": 7, "b": 9, "c": 9, "d": 3})
    then = now[~now["person"].isin(["a6", "d2"])]
    assert cells_to_hide(now, ["team"], smallest=5) == {Cell("team", "d"), Cell("team", "a")}
    larger = now[now["team"] != "d"]
    before = then[then["team"] != "d"].drop(index=[8])
    assert Cell("team", "a") in cells_to_hide(larger, ["team"], smallest=5, earlier=[before])


def test_where_pay_moves_a_newcomer_is_not_told_and_nothing_is_hidden():
    """Six others moved by a tenth each, which way a reader cannot know: 1 could be .4 to 1.6."""
    now, then = _people({"a": 7, "b": 9}), _people({"a": 6, "b": 8}, amount=1.1)
    assert cells_to_hide(now, ["team"], smallest=5, earlier=[then]) == set()


def test_two_people_are_not_told_by_two_quarters_in_which_the_others_count_differently():
    """Region n had A and half of B, 4.5, and has A and B, 7: so the two of a are paid 2.

    Nobody came or left; of people who count alike in both quarters nothing more is told.
    """
    now = _people({"a": 2, "b": 5, "c": 9}).assign(region=list("nnnnnnnsssssssss"))
    then = now.assign(weight=[1.0] * 2 + [0.5] * 5 + [0.2, 1.0, 0.2] * 3)
    few = {Cell("team", "a"), Cell("team", "b")}
    assert cells_to_hide(now, ["team", "region"], smallest=5, earlier=[now]) == few
    hidden = cells_to_hide(now, ["team", "region"], smallest=5, earlier=[then])
    assert hidden == few | {Cell("team", "c"), Cell("region", "n"), Cell("region", "s")}
