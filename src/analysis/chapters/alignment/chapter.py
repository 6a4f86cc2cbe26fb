"""What the chapter shows of alignment as of a quarter.

Evidence, scores, the survey and the profile they are of.

Tables are cut where the quarter ends, so that an index computed later equals the one computed then.
Where no practice is written down anywhere, the index is of calendar, CRM and staff data alone and
says so.

What leadership is shown: the company's index, its five dimensions, and the practice to change next.

The headline adds the survey to the evidence; anything inferred from the index uses evidence alone.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.alignment import index, items, score_tiers, scoring, survey
from analysis.chapters.alignment.index import (
    MINIMUM_COVERAGE,
    Grid,
    combine_shares,
    draw_shares,
    evidence_grid,
)
from analysis.chapters.alignment.items import DIMENSIONS, profile_items
from analysis.project import quarters
from analysis.project.errors import require_columns
from analysis.stats import intervals
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.chapters.alignment.items import Item, Profile
    from analysis.chapters.alignment.team_quarters import Half
    from analysis.project.settings import Settings

TABLES = tuple(sorted({*items.READS, "survey_answers"}))
INDEX_SEED, SURVEY_SEED = 4, 5


class Scored(NamedTuple):
    """Alignment of every team and quarter up to the one reported.

    ``scoring`` is what `scoring.evidence_table` returns, ``scores`` those by evidence alone,
    ``aligned`` the same with the survey, ``sides`` what both sides said by team and quarter.
    """

    profile: Profile
    evidence: pd.DataFrame
    scores: pd.DataFrame
    sides: pd.DataFrame
    aligned: pd.DataFrame


def score_alignment(
    tables: Mapping[str, pd.DataFrame], quarter: str, *, house: Settings, last_day: str = ""
) -> Scored:
    """Return alignment as of `quarter`.

    Parameters
    ----------
    tables : those of `TABLES` by name; an empty one switches off what needs it
    quarter : last quarter that counts
    house : the dataset's settings
    last_day : last day the data know (ISO), where the quarter reported may not be over; empty: it
        is over
    """
    profile = items.profile_held(tables)
    practised, scores = by_evidence(tables, quarter, house=house, last_day=last_day)
    answers = survey.in_rounds(tables["survey_answers"], _periods(tables, quarter))
    fewest = max(survey.FEWEST_A_SIDE, house.people.smallest_cell)
    sides = survey.survey_sides(
        answers, rng=np.random.default_rng(SURVEY_SEED), fewest_a_side=fewest
    )
    return Scored(profile, practised, scores, sides, with_survey(scores, sides))


def by_evidence(
    tables: Mapping[str, pd.DataFrame], quarter: str, *, house: Settings, last_day: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the evidence up to `quarter` and the scores from it alone, by the items of the profile
    that the company's tables allow.

    See `score_alignment`.
    """
    practised = practice_evidence(tables, quarter, house=house, last_day=last_day)
    rng, profile = np.random.default_rng(INDEX_SEED), items.profile_held(tables)
    return practised, index.index_scores(
        practised, _periods(tables, quarter), rng=rng, items=profile
    )


def _periods(tables: Mapping[str, pd.DataFrame], quarter: str) -> pd.DataFrame:
    return tables["quarters"][tables["quarters"]["quarter"] <= quarter]


def practice_evidence(
    tables: Mapping[str, pd.DataFrame], quarter: str, *, house: Settings, last_day: str = "",
    profile: Profile | None = None, half: Half | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return the evidence up to `quarter` by the items of `profile`; without one, of the profile
    that the company's tables allow.

    See `scoring.evidence_table`.

    `half` is of weeks: ``odd`` or ``even``, for the split-half reliability.
    """
    end = quarters.parse_quarter(quarter).end(house.company.fiscal_year_start_month) - dt.timedelta(
        days=1
    )
    until_day = dt.date.fromisoformat(last_day) if last_day else end
    return scoring.evidence_table(
        tables, time_zone=house.company.time_zone, items=profile or items.profile_held(tables),
        standards=house.alignment, as_of=min(end, until_day), half=half,
    )  # fmt: skip


EVIDENCE_WEIGHT, SURVEY_WEIGHT = 0.8, 0.2
UNIT = "points of 100"
PROFILE_WORDS = {"core": " by calendar, CRM and staff data alone (core profile)"}
PROFILE_LABELS = {
    "core": "core profile: calendar, CRM and staff data, rescaled to 100",
    "full": "full profile",
}


def with_survey(scores: pd.DataFrame, sides: pd.DataFrame) -> pd.DataFrame:
    """Return `scores` with the headline index, 0.8 evidence and 0.2 survey.

    One row a team and quarter.

    Adds ``survey`` [0-100], ``headline``, ``headline_low``, ``headline_high``, ``headline_tier``
    and ``has_survey``.  Where the survey is missing or suppressed the headline is the evidence
    alone.

    Parameters
    ----------
    scores : what `index.index_scores` returns
    sides : what `survey.survey_sides` returns by team and quarter
    """
    key = ["team_id", "quarter"]
    survey_rows = sides[[*key, "score", "standard_error"]].rename(
        columns={"score": "survey", "standard_error": "survey_error"}
    )
    both = scores.merge(survey_rows, on=key, how="left", validate="one_to_one")
    has = both["survey"].notna()
    mixed = EVIDENCE_WEIGHT * both["index"] + SURVEY_WEIGHT * both["survey"]
    error = np.hypot(EVIDENCE_WEIGHT * both["standard_error"], SURVEY_WEIGHT * both["survey_error"])
    both["headline"] = both["index"].where(~has, mixed)
    both["headline_low"] = both["low"].where(~has, (mixed - intervals.Z * error).clip(lower=0))
    both["headline_high"] = both["high"].where(~has, (mixed + intervals.Z * error).clip(upper=100))
    both["headline_tier"] = score_tiers.tier_names(both["headline"]).where(
        both["coverage"] >= MINIMUM_COVERAGE
    )
    both["has_survey"] = has
    return both.drop(columns="survey_error")


def company_index(scores: pd.DataFrame, quarter: str) -> Result:
    """Return the company's ``alignment_index`` for a quarter.

    The mean of its teams, each weighing the same.

    The interval is of measurement: the teams are all there are.  Each team's counts are drawn
    apart, so that it is too narrow where rows that name no team, and speak for all, make up much of
    the evidence. With ``headline`` in `scores` the survey is in it, else evidence alone.  NaN, and
    `method` says why, where no team has a score.
    """
    require_columns(
        scores,
        ["team_id", "quarter", "index", "standard_error", "coverage", "profile"],
        "alignment index",
    )
    mine = scores[(scores["quarter"] == quarter) & scores["index"].notna()]
    if mine.empty:
        nan, why = math.nan, f"no practice could be observed of any team in {quarter}"
        return Result(
            "alignment_index", nan, nan, nan, UNIT, 0, "teams", why, f"alignment evidence {quarter}"
        )
    column = "headline" if "headline" in mine else "index"
    half = (
        (mine["headline_high"] - mine["headline_low"]) / 2 / intervals.Z
        if column == "headline"
        else mine["standard_error"]
    )
    estimate, error = float(mine[column].mean()), math.sqrt(float((half**2).sum())) / len(mine)
    n_survey = int(mine["has_survey"].sum()) if column == "headline" else 0
    parts = (
        f"0.8 evidence + 0.2 survey for {n_survey} of {len(mine)} teams"
        if n_survey
        else "evidence alone"
    )
    return Result(
        name="alignment_index",
        estimate=estimate,
        low=max(0.0, estimate - intervals.Z * error),
        high=min(100.0, estimate + intervals.Z * error),
        unit=UNIT,
        n=len(mine),
        n_of="teams",
        method=(
            f"{PROFILE_LABELS.get(str(mine['profile'].iloc[0]), 'own items')}; {parts}; mean of "
            f"teams; {mine['coverage'].mean() * 100:.0f}% of points observed; interval: bootstrap "
            "of counts, each team's apart, also where one row speaks for all teams"
        ),
        source=f"alignment evidence {quarter}",
    )


def profile_note(profile: Profile) -> str:
    """Return what stands under the index of a profile."""
    return (
        "Practices kept, of 100 points."
        if profile == "full"
        else "Core profile: calendar and CRM alone."
    )


def by_dimension(
    evidence: pd.DataFrame,
    quarter: str,
    *,
    rng: np.random.Generator,
    items: Sequence[Item] | str = "full",
) -> pd.DataFrame:
    """Return the company's index by dimension, each team with the same weight: at most five rows.

    Columns: ``dimension``, ``label``; ``points`` reached of ``possible`` (which sum to 100 over the
    profile), with ``low`` and ``high`` (95%); ``coverage`` [0-1]; ``best`` and ``weakest``, the
    practices with the highest and lowest share over teams, the latter missing where only one was
    observed.  A dimension nothing was observed of has missing points.
    """
    cells = _in(evidence_grid(evidence, items), quarter)
    drawn = draw_shares(cells, rng)
    total = cells.points.sum()
    rows = []
    for name in dict.fromkeys(item.dimension for item in cells.items):
        mine = np.array([item.dimension == name for item in cells.items])
        points = cells.points[mine]
        possible = 100 * points.sum() / total
        own = combine_shares(cells.share[:, mine], points, [name] * len(points))
        spread = combine_shares(drawn[..., mine], points, [name] * len(points))
        has_score = ~np.isnan(own)
        row = {
            "dimension": name,
            "label": DIMENSIONS[name],
            "points": math.nan,
            "possible": possible,
        }
        row |= {
            "low": math.nan,
            "high": math.nan,
            "coverage": float((~np.isnan(cells.share[:, mine]) @ points).mean()),
        }
        row["coverage"] /= points.sum()
        if has_score.any():
            means = np.clip(spread[:, has_score].mean(axis=1), 0, 100)
            low, high = np.quantile(means, intervals.ENDS)
            row |= {"points": own[has_score].mean() / 100 * possible, "low": low / 100 * possible}
            row["high"] = high / 100 * possible
        rows.append(row | _ends(cells, mine))
    return pd.DataFrame(rows)


def _in(cells: Grid, quarter: str) -> Grid:
    """Return the units of one quarter."""
    mine = cells.units.get_level_values("quarter") == quarter
    if not mine.any():
        raise ValueError(f"quarter {quarter!r} has no evidence")
    return cells._replace(units=cells.units[mine], share=cells.share[mine], n=cells.n[mine])


def _ends(cells: Grid, mine: np.ndarray) -> dict[str, str | None]:
    """Return the practices of a dimension with the highest and the lowest mean share."""
    has_evidence = (~np.isnan(cells.share)).any(axis=0) & mine
    if not has_evidence.any():
        return {"best": None, "weakest": None}
    order = sorted(np.flatnonzero(has_evidence), key=lambda i: float(np.nanmean(cells.share[:, i])))
    best, weakest = cells.items[order[-1]].label, cells.items[order[0]].label
    return {"best": best, "weakest": weakest if len(order) > 1 else None}


def index_sentence(scores: pd.DataFrame, quarter: str) -> str:
    """Return in one sentence how aligned the company is.

    Without a tier where too little was observed.
    """
    result = company_index(scores, quarter)
    if not result.is_known:
        return f"We cannot tell how aligned sales and marketing are: {result.method}."
    mine = scores[(scores["quarter"] == quarter) & scores["index"].notna()]
    coverage, of = (
        float(mine["coverage"].mean()),
        PROFILE_WORDS.get(str(mine["profile"].iloc[0]), ""),
    )
    low, tier, high = score_tiers.tier_names(pd.Series([result.low, result.estimate, result.high]))
    says = f"which is {tier}" if low == high else f"between {low} and {high}"
    if coverage < MINIMUM_COVERAGE:
        says = f"of which {coverage * 100:.0f}% could be observed: too little to name a tier"
    return (
        f"In {quarter} sales and marketing reached {result.estimate:.0f} of 100 points of "
        f"alignment{of} ({result.low:.0f} to {result.high:.0f}; n = {result.n} teams), {says}."
    )


def unobserved_items(
    evidence: pd.DataFrame, quarter: str, items: Sequence[Item] | str = "full"
) -> pd.DataFrame:
    """Return the items no team has evidence for in a quarter, and the tables that would hold it.

    One row an item.

    Columns: ``item``, ``label``, ``points``, ``needs``.
    """
    chosen = profile_items(items) if isinstance(items, str) else tuple(items)
    mine = evidence[(evidence["quarter"] == quarter) & evidence["share"].notna()]
    lacking = [item for item in chosen if item.id not in set(mine["item"])]
    rows = [
        (i.id, i.label, i.points, " or ".join(", ".join(sorted(n)) for n in i.needs))
        for i in lacking
    ]
    return pd.DataFrame(rows, columns=["item", "label", "points", "needs"])
