"""How often tests reject a programme that does nothing: shares of simulated panels.

`benchmarks/size_of_tests.py` runs a thousand panels a design, the tests a hundred.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.stats import jackknife, linear, randomisation, wild_bootstrap
from analysis.stats.sample import make_sample

N_QUARTERS = 8
LEVEL = 0.05


def draw_placebo(rng: np.random.Generator, n_teams: int, n_treated: int) -> pd.DataFrame:
    """Return a panel whose programme does nothing; shocks are AR(1) with rho .8."""
    shock = rng.normal(size=(n_teams, N_QUARTERS))
    for t in range(1, N_QUARTERS):
        shock[:, t] = 0.8 * shock[:, t - 1] + 0.6 * shock[:, t]
    team, quarter = np.divmod(np.arange(n_teams * N_QUARTERS), N_QUARTERS)
    treated = np.isin(team, rng.permutation(n_teams)[:n_treated])
    return pd.DataFrame(
        {
            "team": team,
            "quarter": quarter,
            "y": shock.ravel(),
            "treated": (treated & (quarter >= N_QUARTERS // 2)) * 1.0,
        }
    )


def rejection_shares(n_panels: int, n_teams: int, n_treated: int) -> dict[str, float]:
    """Return by test the share of placebo panels that it rejects at 5 %.

    CR3 needs more than three treated teams; with fewer it is not tried.
    """
    rng = np.random.default_rng(20)
    rejected = {"CRV1": 0, "CR3": 0, "wild bootstrap": 0, "randomisation": 0}
    for _ in range(n_panels):
        table = draw_placebo(rng, n_teams, n_treated)
        whole = make_sample(
            table, outcome="y", regressors=["treated"], absorb=["team", "quarter"], cluster="team"
        )
        rejected["CRV1"] += linear.least_squares(whole).table()["p_value"].iloc[0] <= LEVEL
        if n_treated > 3:
            rejected["CR3"] += jackknife.cr3(whole).table()["p_value"].iloc[0] <= LEVEL
        rejected["wild bootstrap"] += (
            wild_bootstrap.wcr11(whole, "treated", rng=rng, n_draws=199).p_value <= LEVEL
        )
        change = (
            table.assign(late=table["quarter"] >= N_QUARTERS // 2)
            .pivot_table("y", "team", "late")
            .diff(axis=1)[True]
        )
        permuted = randomisation.randomisation_test(
            table.groupby("team")["treated"].max() > 0,
            randomisation.mean_gap(change),
            rng=rng,
            n_draws=99,
        )
        rejected["randomisation"] += permuted.p_value <= LEVEL
    return {name: float(n / n_panels) for name, n in rejected.items()}
