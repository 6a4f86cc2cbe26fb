"""Rows of few reps, and the rows that would give them away."""

import itertools

import pandas as pd
import pytest

from analysis.project.errors import CrmDataError
from analysis.stats.suppression import rounded_total, suppress_cells


def regions(*n: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"region": list("ABCDEF")[: len(n)], "n_reps": n, "cost": [100.0 * k for k in n]}
    )


def marks(*n: float) -> list[str]:
    return suppress_cells(regions(*n), smallest=5, keep=["region"])["suppressed"].tolist()


def test_a_table_of_large_rows_is_shown_whole():
    got = suppress_cells(regions(5, 9, 12), smallest=5, keep=["region"])
    assert got["suppressed"].tolist() == ["", "", ""]
    assert got["cost"].tolist() == [500, 900, 1200]


def test_the_total_of_one_person_is_not_what_that_person_is_paid():
    """123,456 for one: the step is 200,000. For thirty it is 5,000."""
    assert rounded_total(123_456.0, 1) == 200_000
    assert rounded_total(123_456.0, 30) == 125_000


def test_one_small_row_takes_the_next_smallest_with_it():
    """Of 4, 20, 8 the 4 is small; 8 is the next, for else total less shown would be the 4's."""
    got = suppress_cells(regions(4, 20, 8), smallest=5, keep=["region"])
    assert got["suppressed"].tolist() == ["<5", "", "[c]"]
    assert got["cost"].isna().tolist() == [True, False, True]
    assert got["region"].tolist() == ["A", "B", "C"]


def test_n_of_a_hidden_row_is_hidden_in_both():
    got = suppress_cells(regions(4, 20, 8), smallest=5, keep=["region"])
    assert got["n_reps"].isna().tolist() == [True, False, True]


def test_two_small_rows_of_enough_reps_protect_each_other():
    """3 + 4 = 7 reps are hidden together: nothing else need go."""
    assert marks(3, 4, 9) == ["<5", "<5", ""]


def test_two_small_rows_of_too_few_reps_together_take_a_third():
    """1 + 2 = 3 reps could be worked out as one cell of 3."""
    assert marks(1, 2, 9, 30) == ["<5", "<5", "[c]", ""]


def test_of_two_next_smallest_the_upper_goes():
    assert marks(2, 9, 9) == ["<5", "[c]", ""]


def test_a_row_without_anybody_hides_nothing_and_protects_nobody():
    assert marks(0, 4, 9, 30) == ["", "<5", "[c]", ""]


def test_an_unknown_n_counts_as_small():
    assert marks(float("nan"), 9, 30) == ["<5", "[c]", ""]


def test_every_group_with_a_total_is_protected_by_itself():
    """North 4 + 9 and south 3 + 8: in each the larger row goes too; east stays."""
    table = pd.DataFrame(
        {
            "region": ["n", "n", "s", "s", "e", "e"],
            "team": list("abcdef"),
            "n_reps": [4, 9, 3, 8, 7, 6],
            "cost": 1.0,
        }
    )
    got = suppress_cells(table, smallest=5, keep=["team"], within=["region"])
    assert got["suppressed"].tolist() == ["<5", "[c]", "<5", "[c]", "", ""]
    assert got["region"].tolist() == ["n", "n", "s", "s", "e", "e"]


@pytest.mark.parametrize("n", list(itertools.combinations_with_replacement([1, 3, 5, 8, 20], 4)))
def test_total_less_what_is_shown_is_never_one_row_nor_a_few_reps(n):
    table = regions(*n)
    got = suppress_cells(table, smallest=5, keep=["region"])
    hidden = got["cost"].isna()
    if hidden.any():
        assert hidden.sum() > 1
        assert table["n_reps"].sum() - got["n_reps"].sum() >= min(5, table["n_reps"].sum())
    assert (table["n_reps"][~hidden] >= 5).all()


def test_a_text_column_is_a_value_unless_it_is_kept():
    """An interval written as text would give the row away as well as a number."""
    table = regions(4, 9).assign(interval=["300 to 500", "800 to 1,000"])
    assert suppress_cells(table, smallest=5, keep=["region"])["interval"].isna().all()


def test_the_table_handed_over_stays_as_it_was():
    table = regions(4, 9)
    suppress_cells(table, smallest=5, keep=["region"])
    pd.testing.assert_frame_equal(table, regions(4, 9))


def test_a_missing_column_is_named():
    with pytest.raises(CrmDataError, match="suppression: needs n_reps, but has region"):
        suppress_cells(regions(4)[["region"]], smallest=5, keep=["region"])


def test_nothing_is_suppressed_twice():
    once = suppress_cells(regions(4, 9), smallest=5, keep=["region"])
    with pytest.raises(ValueError, match="suppress once"):
        suppress_cells(once, smallest=5, keep=["region"])


def test_a_negative_n_is_refused():
    with pytest.raises(ValueError, match="n_reps must not be below 0, got -1"):
        suppress_cells(regions(-1, 9), smallest=5, keep=["region"])
