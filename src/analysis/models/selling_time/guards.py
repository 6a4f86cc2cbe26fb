"""What has to hold before hours that shifters moved may be called an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models.inference import instrument, poisson
from analysis.models.inference.estimates import joint_test
from analysis.models.inference.sample import sample
from analysis.models.selling_time import control, weeks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.inference.estimates import Estimates
    from analysis.models.selling_time.control import Controlled
    from analysis.models.selling_time.weeks import Weeks

LEVEL = 0.05  # chance that sound data fail a test among the guards, shared by the two of them


def of(selected: Weeks, made: Controlled, outcome: str) -> pd.DataFrame:
    """Return the guards of an effect: one row a guard, ``guard``, ``says``, ``p_value``, ``passed``."""
    shares = [weeks.share(name) for name in selected.shifters]
    is_strong = made.effective_f > instrument.STRONG_F
    rows = [
        ("the shifters move hours", f"effective F {made.effective_f:,.0f}", np.nan, is_strong),
        ("late deals left out", "hours on deals past proposal are known", np.nan, not selected.lacks),
        _ahead(selected, shares, made.first, outcome),
        *_agreement(selected, shares, outcome),
    ]
    return table(rows)


def table(rows: Sequence[tuple[str, str, float, bool]]) -> pd.DataFrame:
    """Return guards as a table, empty where there is no design to guard."""
    return pd.DataFrame(rows, columns=["guard", "says", "p_value", "passed"]).astype({"passed": bool})


def _ahead(selected: Weeks, shares: Sequence[str], first: Estimates, outcome: str) -> tuple[str, str, float, bool]:
    """Return whether the coming weeks' shift foretells today: then the shifter follows the pipeline."""
    rows = selected.rows
    shift = rows[list(shares)].to_numpy(float) @ first.estimate[: len(shares)]
    table = rows.assign(shift=shift)
    table["shift_ahead"] = weeks.window(table, "shift", 1, weeks.LEAD_WEEKS)
    guard = f"no shift of the next {weeks.LEAD_WEEKS} weeks foretells today"
    if not table["shift_ahead"].notna().any():
        return guard, "too few weeks in a row", np.nan, False
    whole = sample(
        table,
        outcome=outcome,
        regressors=["shift_ahead", "shift", "log_available"],
        absorb=control.ABSORB,
        cluster=selected.cluster,
    )
    term = poisson.pseudo_likelihood(whole).table().iloc[0]
    says = f"slope {term['estimate']:.2f} ({term['low']:.2f} to {term['high']:.2f})"
    return guard, says, float(term["p_value"]), bool(term["p_value"] > LEVEL / 2)


def _agreement(selected: Weeks, shares: Sequence[str], outcome: str) -> list[tuple[str, str, float, bool]]:
    """Return whether the shifters tell the same story: more of them than needed must add nothing."""
    if len(shares) < 2:
        return []
    first, second = control.stages(selected.rows, shares, outcome, selected.cluster, extra=shares[1:])
    got = joint_test(second(first.estimate), list(shares[1:]))
    return [
        (
            "the shifters agree",
            f"F({got.df}, {got.df_below}) = {got.f:.2f}",
            got.p_value,
            got.p_value > LEVEL / 2,
        )
    ]
