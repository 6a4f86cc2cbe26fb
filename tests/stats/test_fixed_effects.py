"""Effects taken out of columns."""

import numpy as np
import pytest

from analysis.stats import fixed_effects


def dummies(*codes: np.ndarray) -> np.ndarray:
    return np.column_stack([(each[:, None] == np.arange(each.max() + 1)) * 1.0 for each in codes])


def residual(column, weights, *codes):
    """Least squares on dummies, the long way."""
    root = np.sqrt(weights)
    x = dummies(*codes)
    return column - x @ np.linalg.lstsq(x * root[:, None], column * root, rcond=None)[0]


def test_a_balanced_panel_by_hand():
    """1 2 / 3 8: grand mean 3.5, row means 1.5 and 5.5, column means 2 and 5."""
    codes = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    got = fixed_effects.take_out_effects(
        fixed_effects.absorb_effects(codes), np.array([1.0, 2.0, 3.0, 8.0])
    )
    np.testing.assert_allclose(got, [1, -1, -1, 1], atol=1e-12)


def test_a_column_of_nothing_stays_nothing():
    codes = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    got = fixed_effects.take_out_effects(fixed_effects.absorb_effects(codes), np.zeros(4))
    assert got.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("n_factors", [1, 2, 3])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_transform_is_least_squares_on_dummies(n_factors, is_weighted):
    rng = np.random.default_rng(n_factors)
    codes = [rng.permutation(np.arange(200) % n).astype(np.intp) for n in (23, 11, 4)][:n_factors]
    weights = rng.uniform(0.1, 3, 200)
    column = rng.normal(5, 2, 200)
    absorbed = fixed_effects.absorb_effects(codes, weights if is_weighted else None)
    exp = residual(column, weights if is_weighted else np.ones(200), *codes)
    np.testing.assert_allclose(fixed_effects.take_out_effects(absorbed, column), exp, atol=1e-11)


def test_many_levels_are_solved_on_sparse_matrices_to_the_same_end(monkeypatch):
    """Above `MOST_DENSE` levels no dense matrix is made."""
    rng = np.random.default_rng(0)
    codes = [
        np.r_[np.arange(n), rng.integers(0, n, 3_000 - n)].astype(np.intp) for n in (150, 90, 40)
    ]
    column = rng.normal(0, 1, 3_000)
    direct = fixed_effects.take_out_effects(fixed_effects.absorb_effects(codes), column)
    monkeypatch.setattr(fixed_effects, "MOST_DENSE", 0)
    indirect = fixed_effects.absorb_effects(codes)
    assert not isinstance(indirect.left, np.ndarray)
    np.testing.assert_allclose(fixed_effects.take_out_effects(indirect, column), direct, atol=1e-9)


def test_a_chain_of_units_that_alternating_projections_crawl_along_is_absorbed():
    """Unit i is seen in periods i and i + 1 alone: the worst connected panel there is."""
    unit = np.repeat(np.arange(300), 2)
    period = unit + np.tile([0, 1], 300)
    column = np.random.default_rng(0).normal(0, 1, 600)
    got = fixed_effects.take_out_effects(fixed_effects.absorb_effects([unit, period]), column)
    # 600 rows, 300 + 301 effects less one: nothing can be left.
    assert np.abs(got).max() < 1e-9


def test_sets_that_no_row_connects_are_counted():
    """Units 0 and 1 share period 0; unit 2 has period 1 to itself."""
    absorbed = fixed_effects.absorb_effects([np.array([0, 1, 2, 2]), np.array([0, 0, 1, 1])])
    assert fixed_effects.connected_sets(absorbed) == 2
    assert fixed_effects.connected_sets(fixed_effects.absorb_effects([np.array([0, 0, 1, 1])])) == 1


def test_unconnected_sets_are_absorbed_all_the_same():
    rng = np.random.default_rng(1)
    unit, period = np.repeat(np.arange(20), 6), np.tile(np.arange(6), 20)
    period = period + 6 * (unit >= 10)
    column = rng.normal(0, 1, 120)
    got = fixed_effects.take_out_effects(fixed_effects.absorb_effects([unit, period]), column)
    np.testing.assert_allclose(got, residual(column, np.ones(120), unit, period), atol=1e-11)


def test_what_cannot_be_absorbed_is_refused(monkeypatch):
    monkeypatch.setattr(fixed_effects, "MOST_SWEEPS", 1)
    codes = [np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])]
    with pytest.raises(ValueError, match="effects could not be absorbed"):
        fixed_effects.take_out_effects(
            fixed_effects.absorb_effects(codes), np.array([1.0, 2.0, 3.0, 8.0])
        )
