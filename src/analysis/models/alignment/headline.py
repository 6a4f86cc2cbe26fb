"""What leadership is shown: the company's index, its five dimensions, and the practice to change next.

The headline adds the survey to the evidence; anything inferred from the index uses evidence alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.models.alignment import bands
from analysis.models.alignment.index import MINIMUM_COVERAGE, Grid, combine, draws, grid
from analysis.models.alignment.items import DIMENSIONS, profile
from analysis.models.result import Result
from analysis.schema import require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.models.alignment.items import Item, Profile

EVIDENCE_WEIGHT, SURVEY_WEIGHT = 0.8, 0.2
UNIT = "points of 100"
Z = float(stats.norm.ppf(0.975))
PROFILE_WORDS = {"core": " by calendar, CRM and staff data alone (core profile)"}
PROFILE_LABELS = {"core": "core profile: calendar, CRM and staff data, rescaled to 100", "full": "full profile"}


def with_survey(scores: pd.DataFrame, sides: pd.DataFrame) -> pd.DataFrame:
    """Return `scores` with the headline index, 0.8 evidence and 0.2 survey: one row a team and quarter.

    Adds ``survey`` [0-100], ``headline``, ``headline_low``, ``headline_high``, ``headline_tier`` and
    ``has_survey``.  Where the survey is missing or suppressed the headline is the evidence alone.

    Parameters
    ----------
    scores : what `index.scores` returns
    sides : what `survey.sides` returns by team and quarter
    """
    key = ["team_id", "quarter"]
    said = sides[[*key, "score", "standard_error"]].rename(
        columns={"score": "survey", "standard_error": "survey_error"}
    )
    both = scores.merge(said, on=key, how="left", validate="one_to_one")
    has = both["survey"].notna()
    mixed = EVIDENCE_WEIGHT * both["index"] + SURVEY_WEIGHT * both["survey"]
    error = np.hypot(EVIDENCE_WEIGHT * both["standard_error"], SURVEY_WEIGHT * both["survey_error"])
    both["headline"] = both["index"].where(~has, mixed)
    both["headline_low"] = both["low"].where(~has, (mixed - Z * error).clip(lower=0))
    both["headline_high"] = both["high"].where(~has, (mixed + Z * error).clip(upper=100))
    both["headline_tier"] = bands.tiers(both["headline"]).where(both["coverage"] >= MINIMUM_COVERAGE)
    both["has_survey"] = has
    return both.drop(columns="survey_error")


def company(scores: pd.DataFrame, quarter: str) -> Result:
    """Return the company's ``alignment_index`` for a quarter: the mean of its teams, each weighing the same.

    The interval is of measurement: the teams are all there are.  Each team's counts are drawn apart, so
    that it is too narrow where rows that name no team, and speak for all, make up much of the evidence.
    With ``headline`` in `scores` the survey is in it, else evidence alone.  NaN, and `method` says why,
    where no team has a score.
    """
    require_columns(scores, ["team_id", "quarter", "index", "standard_error", "coverage", "profile"], "alignment index")
    mine = scores[(scores["quarter"] == quarter) & scores["index"].notna()]
    if mine.empty:
        nan, why = math.nan, f"no practice could be observed of any team in {quarter}"
        return Result("alignment_index", nan, nan, nan, UNIT, 0, "teams", why, f"alignment evidence {quarter}")
    column = "headline" if "headline" in mine else "index"
    half = (mine["headline_high"] - mine["headline_low"]) / 2 / Z if column == "headline" else mine["standard_error"]
    estimate, error = float(mine[column].mean()), math.sqrt(float((half**2).sum())) / len(mine)
    n_survey = int(mine["has_survey"].sum()) if column == "headline" else 0
    parts = f"0.8 evidence + 0.2 survey for {n_survey} of {len(mine)} teams" if n_survey else "evidence alone"
    return Result(
        name="alignment_index",
        estimate=estimate,
        low=max(0.0, estimate - Z * error),
        high=min(100.0, estimate + Z * error),
        unit=UNIT,
        n=len(mine),
        n_of="teams",
        method=(
            f"{PROFILE_LABELS.get(str(mine['profile'].iloc[0]), 'own items')}; {parts}; mean of teams; "
            f"{mine['coverage'].mean() * 100:.0f}% of points observed; interval: bootstrap of counts, "
            "each team's apart, also where one row speaks for all teams"
        ),
        source=f"alignment evidence {quarter}",
    )


def note(profile: Profile) -> str:
    """Return what stands under the index of a profile."""
    return "Practices kept, of 100 points." if profile == "full" else "Core profile: calendar and CRM alone."


def by_dimension(
    evidence: pd.DataFrame,
    quarter: str,
    *,
    rng: np.random.Generator,
    items: Sequence[Item] | str = "full",
) -> pd.DataFrame:
    """Return the company's index by dimension, its teams weighing the same: at most five rows.

    Columns: ``dimension``, ``label``; ``points`` reached of ``possible`` (which sum to 100 over the
    profile), with ``low`` and ``high`` (95%); ``coverage`` [0-1]; ``best`` and ``weakest``, the
    practices with the highest and lowest share over teams, the latter missing where only one was
    observed.  A dimension nothing was observed of has missing points.
    """
    held = _in(grid(evidence, items), quarter)
    drawn = draws(held, rng)
    total = held.points.sum()
    rows = []
    for name in dict.fromkeys(item.dimension for item in held.items):
        mine = np.array([item.dimension == name for item in held.items])
        points = held.points[mine]
        possible = 100 * points.sum() / total
        own = combine(held.share[:, mine], points, [name] * len(points))
        spread = combine(drawn[..., mine], points, [name] * len(points))
        seen = ~np.isnan(own)
        row = {"dimension": name, "label": DIMENSIONS[name], "points": math.nan, "possible": possible}
        row |= {"low": math.nan, "high": math.nan, "coverage": float((~np.isnan(held.share[:, mine]) @ points).mean())}
        row["coverage"] /= points.sum()
        if seen.any():
            means = np.clip(spread[:, seen].mean(axis=1), 0, 100)
            low, high = np.quantile(means, [0.025, 0.975])
            row |= {"points": own[seen].mean() / 100 * possible, "low": low / 100 * possible}
            row["high"] = high / 100 * possible
        rows.append(row | _ends(held, mine))
    return pd.DataFrame(rows)


def _in(held: Grid, quarter: str) -> Grid:
    """Return the units of one quarter."""
    mine = held.units.get_level_values("quarter") == quarter
    if not mine.any():
        raise ValueError(f"quarter {quarter!r} has no evidence")
    return held._replace(units=held.units[mine], share=held.share[mine], n=held.n[mine])


def _ends(held: Grid, mine: np.ndarray) -> dict[str, str | None]:
    """Return the practices of a dimension with the highest and the lowest mean share."""
    seen = (~np.isnan(held.share)).any(axis=0) & mine
    if not seen.any():
        return {"best": None, "weakest": None}
    order = sorted(np.flatnonzero(seen), key=lambda i: float(np.nanmean(held.share[:, i])))
    best, weakest = held.items[order[-1]].label, held.items[order[0]].label
    return {"best": best, "weakest": weakest if len(order) > 1 else None}


def sentence(scores: pd.DataFrame, quarter: str) -> str:
    """Return in one sentence how aligned the company is; without a tier where too little was observed."""
    result = company(scores, quarter)
    if not result.is_known:
        return f"How aligned sales and marketing are cannot be told: {result.method}."
    mine = scores[(scores["quarter"] == quarter) & scores["index"].notna()]
    coverage, of = float(mine["coverage"].mean()), PROFILE_WORDS.get(str(mine["profile"].iloc[0]), "")
    low, tier, high = bands.tiers(pd.Series([result.low, result.estimate, result.high]))
    says = f"which is {tier}" if low == high else f"between {low} and {high}"
    if coverage < MINIMUM_COVERAGE:
        says = f"of which {coverage * 100:.0f}% could be observed: too little to name a tier"
    return (
        f"In {quarter} sales and marketing reached {result.estimate:.0f} of 100 points of alignment{of} "
        f"({result.low:.0f} to {result.high:.0f}; n = {result.n} teams), {says}."
    )


def unobserved(evidence: pd.DataFrame, quarter: str, items: Sequence[Item] | str = "full") -> pd.DataFrame:
    """Return the items no team has evidence for in a quarter, and the tables that would hold it: one row an item.

    Columns: ``item``, ``label``, ``points``, ``needs``.
    """
    chosen = profile(items) if isinstance(items, str) else tuple(items)
    mine = evidence[(evidence["quarter"] == quarter) & evidence["share"].notna()]
    lacking = [item for item in chosen if item.id not in set(mine["item"])]
    rows = [(i.id, i.label, i.points, " or ".join(", ".join(sorted(n)) for n in i.needs)) for i in lacking]
    return pd.DataFrame(rows, columns=["item", "label", "points", "needs"])
