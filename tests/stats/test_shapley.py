"""A change split into its drivers sums to the change, and prefers no order."""

import math

import pytest

from analysis.stats.shapley import round_to_total, shapley_split


def quotient(old, new):
    """Return a / b at the old or the new value of each."""
    return lambda now: (
        new["a"] / new["b"]
        if len(now) == 2
        else ((new if "a" in now else old)["a"] / (new if "b" in now else old)["b"])
    )


def test_a_quotient_is_split_as_the_mean_of_both_orders():
    """12/4 = 3 becomes 10/2 = 5.

    a first: 10/4 - 3 = -0.5, then b: +2.5.  b first: 12/2 - 3 = +3, then a: -1.  Means -0.75, 2.75.
    """
    split = shapley_split(["a", "b"], quotient({"a": 12, "b": 4}, {"a": 10, "b": 2}))
    assert split.parts == pytest.approx({"a": -0.75, "b": 2.75})
    assert split.change == 2


def test_a_factor_that_did_not_move_gets_nothing():
    split = shapley_split(["a", "b"], quotient({"a": 12, "b": 4}, {"a": 12, "b": 2}))
    assert split.parts == pytest.approx({"a": 0.0, "b": 3.0})


def test_three_factors_sum_to_the_change():
    """2 x 3 x 5 = 30 becomes 3 x 4 x 6 = 72; the order they are named in changes nothing."""
    old, new = {"x": 2, "y": 3, "z": 5}, {"x": 3, "y": 4, "z": 6}

    def figure(now):
        return math.prod((new if k in now else old)[k] for k in old)

    split = shapley_split(["x", "y", "z"], figure)
    assert sum(split.parts.values()) == pytest.approx(42)
    # x: 1/3 x 15 + 1/6 (20 + 18) + 1/3 x 24
    assert split.parts["x"] == pytest.approx(15 / 3 + 38 / 6 + 24 / 3)
    assert shapley_split(["z", "x", "y"], figure).parts == pytest.approx(split.parts)


def test_too_many_factors_are_refused():
    with pytest.raises(ValueError, match="factors must be at most 12, got 13"):
        shapley_split([str(i) for i in range(13)], lambda _: 0.0)


@pytest.mark.parametrize(
    ("parts", "total", "expected"),
    [
        ([0.4, 0.4, 0.4], 1, [1, 0, 0]),
        ([-0.6, -0.6], -1, [0, -1]),
        ([10.2, -3.4], 7, [10, -3]),
        ([], 0, []),
    ],
)
def test_rounded_parts_sum_to_the_rounded_total(parts, total, expected):
    counts = round_to_total(parts, total)
    assert sum(counts) == total
    assert sorted(counts) == sorted(expected)
