"""Which p-value may stand in a headline when teams are few, and when none may.

Measured (reference/statistics.md b4, nominal 5 %): with 3 of 20 teams treated CRV1 with t(G - 1)
rejects a true null in 13.8 % of companies, CR3 in 8.1 %, the wild bootstrap in 2.7 %, randomisation
in 4.0 %.  So few treated: randomisation; few clusters: wild bootstrap; else CRV1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from analysis.stats.estimates import Estimates
    from analysis.stats.randomisation import RandomisationTest
    from analysis.stats.wild_bootstrap import WildTest

FEW_CLUSTERS = 40  # up to here CRV1 alone is not believed
FEW_TREATED = 5


class Headline(NamedTuple):
    """The p-value to lead with; `table` holds the others beside it, one row a method.

    `is_significant` is False wherever `refusal` says something.
    """

    p_value: float
    low: float
    high: float
    method: str
    why: str
    refusal: str
    is_significant: bool
    table: pd.DataFrame


def headline_test(
    fit: Estimates,
    name: str,
    *,
    n_treated: int | None = None,
    jackknife: Estimates | None = None,
    bootstrap: WildTest | None = None,
    randomisation: RandomisationTest | None = None,
    level: float = LEVEL,
) -> Headline:
    """Return which p-value leads for the slope `name`.

    Parameters
    ----------
    fit : CRV1 estimates
    n_treated : clusters treated, or not treated, whichever are fewer; None for a slope all share
    jackknife, bootstrap, randomisation : the same slope by `jackknife.cr3`, `wild_bootstrap.wcr11`,
        `randomisation.randomisation_test`

    Returns
    -------
    Headline
        With at most 5 treated clusters randomisation leads, and the interval is the jackknife's or
        CRV1's, whichever is wider; with at most 40 clusters the bootstrap leads; else CRV1.

    Raises
    ------
    ValueError
        If `fit` has no clusters, or the method that has to lead was not given.
    """
    if not fit.n_clusters:
        raise ValueError("fit must have clustered errors for a test with few clusters")
    g = min(fit.n_clusters)
    table = _table(fit, name, jackknife, bootstrap, randomisation, level)
    refusal = randomisation.refusal if randomisation else ""
    lead, why = "CRV1", f"{g} clusters are enough for t({fit.df})"
    if n_treated is not None and n_treated <= FEW_TREATED:
        lead, why = "randomisation", f"only {n_treated} clusters differ in treatment"
    elif g <= FEW_CLUSTERS:
        lead, why = "wild bootstrap", f"{g} clusters are too few for t({fit.df}) alone"
    if lead not in table.index:
        raise ValueError(f"{lead} must be given: {why}")
    rows = (
        [lead]
        if lead != "randomisation"
        else [each for each in ("CRV1", "CR3") if each in table.index]
    )
    low, high = float(table.loc[rows, "low"].min()), float(table.loc[rows, "high"].max())
    p = float(table.loc[[lead], "p_value"].sum())
    return Headline(p, low, high, lead, why, refusal, p <= 1 - level and not refusal, table)


def _table(
    fit: Estimates,
    name: str,
    jackknife: Estimates | None,
    bootstrap: WildTest | None,
    randomisation: RandomisationTest | None,
    level: float,
) -> pd.DataFrame:
    rows: dict[str, tuple[float, float, float, str]] = {}
    for method, each in (("CRV1", fit), ("CR3", jackknife)):
        if each is not None:
            row = each.table(level).loc[[name]].to_dict("records")[0]
            rows[method] = (row["p_value"], row["low"], row["high"], each.convention)
    if bootstrap is not None:
        rows["wild bootstrap"] = (
            bootstrap.p_value,
            bootstrap.low,
            bootstrap.high,
            bootstrap.convention,
        )
    if randomisation is not None:
        rows["randomisation"] = (
            randomisation.p_value,
            float("nan"),
            float("nan"),
            randomisation.convention,
        )
    columns = ["p_value", "low", "high", "convention"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")
