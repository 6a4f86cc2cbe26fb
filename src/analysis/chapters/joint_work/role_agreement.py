"""Who answers for what: stages with one owner, the agreement of both sides, goals that lead to
revenue.

Each side answers for itself, so that a stage which both leave to the other shows up. A blank answer
counts as no answer: neither as "nobody" nor as agreement.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa

from analysis.chapters.alignment import score_plans

if TYPE_CHECKING:
    import datetime as dt

SIDES = ("sales", "marketing")
KEY = ["team_id", "stage"]
SEVERAL = "several"  # owners named by one side
FEWEST_RATED = 2
STALE_DAYS = 365  # a role not looked at for longer is due for review
REVENUE = re.compile(  # "sales" alone: not sales calls, nor sales-accepted leads
    r"\b(revenues?|bookings?|turnover|arr|mrr|umsatz\w*|umsätze|erlöse?|auftragseingang|"
    r"chiffre d.affaires|ingresos|facturación|fatturato|omzet|faturamento|receita)\b"
    r"|\bsales\b(?![\s-]*(ready|accept|qualif|call|lead|meeting|cycle|team|rep|hire|train|activit))",
    re.IGNORECASE,
)
SPECIFICS = ("metric", "baseline_value", "target_value", "period_end", "owner")


class Kappa(NamedTuple):
    """Cohen's kappa with its 95% interval, over `n` stages that both sides answered for.

    Missing where fewer than two were, or where a side gives one word to all: chance alone agrees.
    """

    kappa: float
    low: float
    high: float
    n: int


def stage_ownership(answers: pd.DataFrame) -> pd.DataFrame:
    """Return how each stage of each team is owned: a row a team and stage.

    Parameters
    ----------
    answers : ``team_id``, ``side``, ``stage``, ``accountable``; several rows of one side and stage
        name several owners

    Columns: ``sales`` and ``marketing``, what each side says (missing: not answered, ``several``:
    more than one), ``has_one_owner`` (both say the same one side; missing where one did not answer)
    and ``is_hole`` (a side says nobody, or both leave it to the other; missing where one did not
    answer and the other names somebody).  Stages that differ in case or blanks are one.
    """
    stage = answers["stage"].astype(object).str.split().str.join(" ")
    spelling = stage.groupby(stage.str.casefold()).transform("first")
    every = answers.assign(team_id=answers["team_id"].fillna(""), stage=spelling)
    named = every.dropna(subset=["accountable"]).drop_duplicates([*KEY, "side", "accountable"])
    index = pd.MultiIndex.from_frame(every[KEY].drop_duplicates()).sort_values()
    said_by = {
        side: rows.groupby(KEY)["accountable"].agg(list) for side, rows in named.groupby("side")
    }
    wide = pd.DataFrame(
        {
            side: [
                None if not isinstance(words, list) else words[0] if len(words) == 1 else SEVERAL
                for words in said_by.get(side, pd.Series(dtype=object)).reindex(index)
            ]
            for side in SIDES
        },
        index=index,
    )
    sales, marketing = wide["sales"], wide["marketing"]
    names_a_side = sales.isin(SIDES)
    left_to_other = sales.eq("marketing") & marketing.eq("sales")
    has_both = sales.notna() & marketing.notna()
    is_hole = sales.eq("nobody") | marketing.eq("nobody") | left_to_other
    return wide.assign(
        has_one_owner=(names_a_side & sales.eq(marketing)).astype("boolean").where(has_both),
        is_hole=is_hole.astype("boolean").where(has_both | is_hole),
    ).reset_index()


def cohen_kappa(one: pd.Series, other: pd.Series) -> Kappa:
    """Return how far two raters agree beyond chance, of the rows both answered.

    Examples
    --------
    >>> answers = pd.Series(["sales", "marketing", "both", "sales"])
    >>> cohen_kappa(answers, answers).kappa
    1.0
    """
    both = one.notna() & other.notna()
    words = sorted({*one[both], *other[both]})
    n = int(both.sum())
    if n < FEWEST_RATED or min(one[both].nunique(), other[both].nunique()) < FEWEST_RATED:
        return Kappa(math.nan, math.nan, math.nan, n)
    table = pd.crosstab(one[both], other[both]).reindex(index=words, columns=words, fill_value=0)
    rated = cohens_kappa(table.to_numpy())
    return Kappa(
        float(rated.kappa), max(float(rated.kappa_low), -1.0), min(float(rated.kappa_upp), 1.0), n
    )


def stale_share(answers: pd.DataFrame, day: dt.date) -> tuple[int, int]:
    """Return how many stages were never reviewed, or too long ago, and of how many; 0 of 0 where no
    day is recorded.
    """
    if answers["agreed_on"].isna().all():
        return 0, 0
    latest = answers.assign(
        agreed_on=pd.to_datetime(answers["agreed_on"]), team_id=answers["team_id"].fillna("")
    )
    when = latest.groupby(["team_id", "stage"])["agreed_on"].max()
    is_fresh = when >= pd.Timestamp(day) - pd.Timedelta(days=STALE_DAYS)
    return int((~is_fresh).sum()), len(when)


def goal_paths(goals: pd.DataFrame) -> pd.Series:
    """Return where the goals above each goal lead: ``revenue``, ``nowhere`` or ``circle``.

    Parameters
    ----------
    goals : ``goal_id``, ``metric``, ``parent_goal_id``

    Examples
    --------
    >>> goals = pd.DataFrame(
    ...     {
    ...         "goal_id": ["a", "b", "c"],
    ...         "metric": ["leads", "pipeline", "revenue"],
    ...         "parent_goal_id": ["b", "c", None],
    ...     }
    ... )
    >>> goal_paths(goals).tolist()
    ['revenue', 'revenue', 'revenue']
    """
    above = dict(zip(goals["goal_id"], goals["parent_goal_id"], strict=True))
    is_root = {
        name: bool(REVENUE.search(str(metric)))
        for name, metric in zip(goals["goal_id"], goals["metric"], strict=True)
    }
    return pd.Series([_path_end(name, above, is_root) for name in goals["goal_id"]], goals.index)


def _path_end(name: str, above: dict[str, object], is_root: dict[str, bool]) -> str:
    passed: set[object] = set()
    at: object = name
    while isinstance(at, str) and at in above:
        if is_root[at]:
            return "revenue"
        if at in passed:
            return "circle"
        passed.add(at)
        at = above[at]
    return "nowhere"


def goal_specificity(goals: pd.DataFrame) -> pd.Series[float]:
    """Return the share of metric, start, target, date and owner that each goal states [0-1]."""
    owner = goals[["sales_owner_rep_id", "marketing_owner_rep_id"]].notna().any(axis="columns")
    filled = [owner if name == "owner" else goals[name].notna() for name in SPECIFICS]
    return pd.Series(np.mean(filled, axis=0), goals.index, dtype="float64")


def in_force_on(rows: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Return the rows whose period holds a day."""
    start, end = (pd.to_datetime(rows[name]) for name in ("period_start", "period_end"))
    at = pd.Timestamp(day)
    return rows[(start <= at) & (end > at)]


def parity_by_team(incentives: pd.DataFrame) -> pd.Series[float]:
    """Return the parity of pay on shared outcomes by team [0-1], see `score_plans.share_parity`.

    A row without a team is a team of its own.
    """
    rows = incentives.assign(team_id=incentives["team_id"].fillna(""))
    wide = rows.pivot_table(
        index="team_id", columns="side", values="shared_outcome_rate", aggfunc="mean"
    )
    return score_plans.share_parity(wide.reindex(columns=list(SIDES)))
