"""Which rows hold one of many ids."""

import pandas as pd
import pytest

from analysis.tables.membership import is_among

IDS = pd.Series(["a", None, "b", "a"], index=[7, 8, 9, 7])


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (pd.Series(["a", "c", "a"]), [True, False, False, True]),
        (["b"], [False, False, True, False]),
        (pd.Series([None, "b"]), [False, False, True, False]),  # missing is no id
        (pd.Series([], dtype=float), [False] * 4),
        (pd.Index(["b", "a"]), [True, False, True, True]),
    ],
)
def test_an_id_is_among_those_chosen_and_a_missing_one_is_none(chosen, expected):
    got = is_among(IDS, chosen)
    assert got.tolist() == expected
    assert got.index.tolist() == [7, 8, 9, 7]


def test_ids_that_no_row_has_are_among_none():
    assert is_among(pd.Series([None, None], dtype=object), ["a"]).tolist() == [False, False]
