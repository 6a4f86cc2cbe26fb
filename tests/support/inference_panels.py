"""Panels that the inference tests and their oracle draw alike (numpy's PCG64 is stable by seed)."""

import numpy as np
import pandas as pd


def panel(seed: int, n_units: int, n_periods: int, *, missing: float = 0.1) -> pd.DataFrame:
    """Return an unbalanced panel in which hours follow unit effects, and 40 % of units are treated.

    One row per unit and period: ``y``, ``count``, ``hours``, ``meetings``, ``treated``, ``shifter``
    (moves hours alone), ``weight``, and ``market``, of which units change now and then.
    """
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_units), n_periods)
    period = np.tile(np.arange(n_periods), n_units)
    n = unit.size
    skill, season = rng.normal(0, 1, n_units), rng.normal(0, 0.3, n_periods)
    shifter = (rng.random(n) < 0.2) * 1.0
    hours = 11 + 2 * skill[unit] + season[period] - 4 * shifter + rng.normal(0, 2.5, n)
    meetings = rng.poisson(1.5, n).astype(float)
    treated = ((unit < 0.4 * n_units) & (period >= n_periods // 2)) * 1.0
    shock = rng.normal(0, 0.6, (n_units, n_periods)).cumsum(axis=1).ravel() / 3
    y = 0.08 * hours + 0.15 * meetings + skill[unit] + season[period] + shock + rng.normal(0, 1, n)
    count = rng.poisson(
        np.exp(-1 + 0.04 * hours + 0.1 * meetings + 0.4 * skill[unit] + 0.5 * season[period])
    )
    table = pd.DataFrame(
        {
            "unit": unit,
            "period": period,
            "market": (unit + (rng.random(n) < 0.3)) % 5,
            "y": y,
            "count": count.astype(float),
            "hours": hours,
            "meetings": meetings,
            "treated": treated,
            "shifter": shifter,
            "weight": rng.uniform(0.5, 2, n),
        }
    )
    return table[rng.random(n) > missing].reset_index(drop=True)
