"""How often a true null is rejected: a smoke test; the study is in `benchmarks/`.

300 panels at nominal 5 %: Monte Carlo error .0126, so a sound test lies below .05 + 3 x .0126 = .088.
"""

import numpy as np
import pandas as pd
import pytest

from analysis.stats import jackknife, linear, randomisation, wild_bootstrap
from analysis.stats.sample import make_sample

N_PANELS = 300
SOUND = 0.05 + 3 * np.sqrt(0.05 * 0.95 / N_PANELS)


def placebo(rng, n_teams, n_treated, n_quarters=8) -> pd.DataFrame:
    """Return a panel whose programme does nothing; shocks are AR(1) with rho .8."""
    shock = rng.normal(size=(n_teams, n_quarters))
    for t in range(1, n_quarters):
        shock[:, t] = 0.8 * shock[:, t - 1] + 0.6 * shock[:, t]
    team, quarter = np.divmod(np.arange(n_teams * n_quarters), n_quarters)
    treated = np.isin(team, rng.permutation(n_teams)[:n_treated])
    return pd.DataFrame(
        {
            "team": team,
            "quarter": quarter,
            "y": shock.ravel(),
            "treated": (treated & (quarter >= n_quarters // 2)) * 1.0,
        }
    )


@pytest.mark.parametrize(("n_teams", "n_treated"), [(12, 6), (20, 3)])
def test_sound_tests_reject_a_placebo_in_about_5_percent(n_teams, n_treated):
    """And CRV1 with t(G - 1) does not when 3 of 20 are treated: .138 measured in statistics.md b4."""
    rng = np.random.default_rng(20)
    rejected = {"CRV1": 0, "CR3": 0, "wild bootstrap": 0, "randomisation": 0}
    for _ in range(N_PANELS):
        table = placebo(rng, n_teams, n_treated)
        whole = make_sample(
            table, outcome="y", regressors=["treated"], absorb=["team", "quarter"], cluster="team"
        )
        rejected["CRV1"] += linear.least_squares(whole).table()["p_value"].iloc[0] <= 0.05
        if n_treated > 3:
            rejected["CR3"] += jackknife.cr3(whole).table()["p_value"].iloc[0] <= 0.05
        rejected["wild bootstrap"] += (
            wild_bootstrap.wcr11(whole, "treated", rng=rng, n_draws=199).p_value <= 0.05
        )
        change = (
            table.assign(late=table["quarter"] >= 4)
            .pivot_table("y", "team", "late")
            .diff(axis=1)[True]
        )
        got = randomisation.randomisation_test(
            table.groupby("team")["treated"].max() > 0,
            randomisation.mean_gap(change),
            rng=rng,
            n_draws=99,
        )
        rejected["randomisation"] += got.p_value <= 0.05
    shares = {name: n / N_PANELS for name, n in rejected.items()}
    assert shares["wild bootstrap"] < SOUND
    assert shares["randomisation"] < SOUND
    assert shares["CR3"] < SOUND
    if n_treated == 3:
        assert shares["CRV1"] > SOUND
