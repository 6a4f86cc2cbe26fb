"""The wild cluster bootstrap against brute force, pyfixest and itself."""

import itertools

import numpy as np
import pytest
from inference_oracle import PYFIXEST_WILD
from inference_panels import panel

from analysis.project.errors import CrmDataError
from analysis.stats import wild_bootstrap
from analysis.stats.sample import make_sample

X = ["treated", "hours", "meetings"]


def made(table, **changes):
    arguments = {"outcome": "y", "regressors": X, "absorb": ["unit", "period"], "cluster": "unit"}
    return make_sample(table, **(arguments | changes))


def brute_force(table, points, *, null=0.0, root=None):
    """Refit with all dummies for every draw: the algorithm as Cameron, Gelbach and Miller wrote it."""
    root = np.ones(len(table)) if root is None else root
    units, unit = np.unique(table["cluster"], return_inverse=True)
    dummies = [
        (table[c].to_numpy()[:, None] == np.unique(table[c])) * 1.0 for c in ("unit", "period")
    ]
    x = np.column_stack([table[X].to_numpy(), *dummies]) * root[:, None]
    y = table["y"].to_numpy() * root
    solver, kept = np.linalg.pinv(x), np.delete(x, 0, axis=1)

    def t(outcome, at):
        slopes = solver @ outcome
        sums = np.array(
            [solver[0, unit == g] @ (outcome - x @ slopes)[unit == g] for g in range(len(units))]
        )
        return (slopes[0] - at) / np.sqrt(sums @ sums)

    fitted = kept @ np.linalg.lstsq(kept, y - null * x[:, 0], rcond=None)[0] + null * x[:, 0]
    observed = abs(t(y, null))
    drawn = [
        abs(t(fitted + (y - fitted) * np.array(v)[unit], null))
        for v in itertools.product(points, repeat=len(units))
    ]
    return np.mean(np.array(drawn) >= observed * (1 - 1e-9))


@pytest.mark.parametrize("null", [0.0, 0.3])
def test_signs_at_seven_clusters_are_brute_force(rng, null):
    table = panel(11, 7, 6).assign(cluster=lambda t: t["unit"])
    got = wild_bootstrap.wcr11(made(table), "treated", rng=rng, null=null, points="rademacher")
    assert got.is_exact
    assert got.n_draws == 128
    assert got.p_value == pytest.approx(brute_force(table, (-1, 1), null=null), abs=1e-12)


def test_clusters_that_hold_several_units_and_weights_are_brute_force(rng):
    """Neither effect is the cluster's own: both have to be projected."""
    table = panel(12, 12, 6)
    table["cluster"] = table["unit"] % 4 + (table["period"] > 3)
    got = wild_bootstrap.wcr11(
        made(table, cluster="cluster", weights="weight"), "treated", rng=rng, points="rademacher"
    )
    assert got.n_draws == 32
    assert got.p_value == pytest.approx(
        brute_force(table, (-1, 1), root=np.sqrt(table["weight"].to_numpy())), abs=1e-12
    )


def test_webbs_points_at_four_clusters_are_brute_force(rng):
    table = panel(13, 4, 8).assign(cluster=lambda t: t["unit"])
    got = wild_bootstrap.wcr11(made(table), "treated", rng=rng)
    assert got.n_draws == 6**4
    assert "webb draws, all 1,296" in got.convention
    assert got.p_value == pytest.approx(
        brute_force(table, wild_bootstrap.POINTS["webb"]), abs=1e-12
    )


@pytest.mark.parametrize(("key", "n_extreme"), PYFIXEST_WILD.items())
def test_all_signs_at_12_clusters_are_pyfixests(rng, key, n_extreme):
    """Ties (the sample and its mirror) are ours by rule and pyfixest's by rounding."""
    seed, name = key
    got = wild_bootstrap.wcr11(made(panel(seed, 12, 20)), name, rng=rng)
    assert (got.n_draws, got.n_ties) == (4_096, 2)
    exp = got.n_above if seed == 6 else got.n_above + got.n_ties
    assert exp == n_extreme
    assert got.p_value == (got.n_above + 2) / 4_096


def test_the_interval_ends_where_the_test_begins_to_reject(rng):
    whole = made(panel(0, 12, 20))
    got = wild_bootstrap.wcr11(whole, "treated", rng=rng)
    width = got.high - got.low
    for end, outwards in ((got.low, -1), (got.high, 1)):
        kept = wild_bootstrap.wcr11(whole, "treated", rng=rng, null=end - outwards * 1e-6 * width)
        lost = wild_bootstrap.wcr11(whole, "treated", rng=rng, null=end + outwards * 1e-6 * width)
        assert lost.p_value <= 0.05 < kept.p_value


def test_too_few_clusters_have_an_endless_interval(rng):
    """With 5 clusters and signs the smallest p-value is 2 / 32 = 0.0625: nothing is rejected."""
    got = wild_bootstrap.wcr11(made(panel(14, 5, 10)), "hours", rng=rng, points="rademacher")
    assert got.p_value >= 0.0625
    assert (got.low, got.high) == (-np.inf, np.inf)


def test_a_sample_of_draws_comes_near_all_of_them(rng):
    """999 of 4,096: Monte Carlo error sqrt(.26 x .74 / 999) = .014; three of them."""
    whole = made(panel(0, 12, 20))
    exact = wild_bootstrap.wcr11(whole, "treated", rng=rng)
    some = wild_bootstrap.wcr11(whole, "treated", rng=rng, n_draws=999)
    assert not some.is_exact
    assert some.p_value == (1 + some.n_above + some.n_ties) / 1_000  # the sample is one draw more
    assert some.p_value == pytest.approx(exact.p_value, abs=3 * 0.014)
    again = wild_bootstrap.wcr11(whole, "treated", rng=np.random.default_rng(3), n_draws=999)
    assert again == wild_bootstrap.wcr11(
        whole, "treated", rng=np.random.default_rng(3), n_draws=999
    )


def test_order_names_and_units_do_not_matter(rng):
    table = panel(5, 12, 20)
    exp = wild_bootstrap.wcr11(made(table), "hours", rng=rng)
    for other in (
        table.sample(frac=1, random_state=1),
        table.assign(unit=(table["unit"] * 5 % 12).astype(str)),
    ):
        got = wild_bootstrap.wcr11(made(other), "hours", rng=rng)
        assert got.p_value == exp.p_value
        np.testing.assert_allclose([got.low, got.high], [exp.low, exp.high], rtol=1e-9)
    in_minutes = wild_bootstrap.wcr11(
        made(table.assign(hours=table["hours"] * 60)), "hours", rng=rng
    )
    assert in_minutes.p_value == exp.p_value
    np.testing.assert_allclose(
        [in_minutes.low * 60, in_minutes.high * 60], [exp.low, exp.high], rtol=1e-9
    )


def test_refusals(rng):
    table = panel(0, 12, 20)
    with pytest.raises(ValueError, match="cluster must name one column for the bootstrap, got 2"):
        wild_bootstrap.wcr11(made(table, cluster=["unit", "period"]), "hours", rng=rng)
    with pytest.raises(
        ValueError, match="name must be one of treated, hours, meetings, got 'skill'"
    ):
        wild_bootstrap.wcr11(made(table), "skill", rng=rng)
    with pytest.raises(CrmDataError, match="at least 2 clusters, but has 1"):
        wild_bootstrap.wcr11(made(table.assign(one=1), cluster="one"), "hours", rng=rng)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
