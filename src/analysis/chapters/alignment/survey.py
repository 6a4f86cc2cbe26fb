"""What both sides say of each other: ten items, scored apart, and the gap between the two.

No item asks for results, and an answer counts for the quarter it was given in, before that
quarter's results are known: people who won say that they get on.  A side with fewer than five
answers is not shown.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns
from analysis.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_A_SIDE = 5
LOWEST, HIGHEST = 1, 5
SIDES = ("sales", "marketing")
N_DRAWS = 500


class SurveyQuestion(NamedTuple):
    """An item of the survey; `other` in the wording stands for the other side's name."""

    item: int
    theme: str
    wording: str


QUESTIONS: tuple[SurveyQuestion, ...] = (
    SurveyQuestion(
        1,
        "common language",
        "We and {other} mean the same thing when we call a lead ready for sales.",
    ),
    SurveyQuestion(
        2,
        "common language",
        "I can follow what {other} reports without having the terms explained.",
    ),
    SurveyQuestion(3, "mutual trust", "When {other} promises something, I plan on getting it."),
    SurveyQuestion(
        4,
        "mutual trust",
        "I can tell {other} about a problem of ours without it being used against us.",
    ),
    SurveyQuestion(
        5,
        "no blame",
        "When something goes wrong between us, we look for the cause before the culprit.",
    ),
    SurveyQuestion(
        6, "no blame", "{other} and we speak well of each other when the other is not in the room."
    ),
    SurveyQuestion(
        7, "visibility of plans", "I know what {other} is going to do in the coming quarter."
    ),
    SurveyQuestion(
        8,
        "visibility of plans",
        "I hear of changes in the plans of {other} in time to act on them.",
    ),
    SurveyQuestion(9, "value of the other", "What {other} provides makes my own work better."),
    SurveyQuestion(
        10,
        "value of the other",
        "I would miss something I need if {other} stopped what it does for us.",
    ),
)


def survey_questions(side: str) -> pd.DataFrame:
    """Return the survey as one side reads it: columns ``item``, ``theme``, ``wording``."""
    if side not in SIDES:
        raise ValueError(f"side must be sales or marketing, got {side!r}")
    other = SIDES[1 - SIDES.index(side)]
    rows = [(q.item, q.theme, _sentence(q.wording.format(other=other))) for q in QUESTIONS]
    return pd.DataFrame(rows, columns=["item", "theme", "wording"])


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def in_rounds(answers: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """Return `answers` with ``quarter``, the one they were given in.

    Outside all of them they are left out.
    """
    require_columns(answers, ["answered_on"], "survey_answers")
    day = pd.to_datetime(answers["answered_on"])
    quarter = pd.Series(None, index=answers.index, dtype="str")
    for name, start, end in zip(
        periods["quarter"], periods["from_day"], periods["until_day"], strict=True
    ):
        quarter = quarter.mask((day >= pd.Timestamp(start)) & (day < pd.Timestamp(end)), name)
    return answers.assign(quarter=quarter)[quarter.notna()]


def survey_responses(answers: pd.DataFrame) -> pd.DataFrame:
    """Return each filled-in survey's mean score: one row a response, its items a column each."""
    require_columns(
        answers, ["response_id", "item", "team_id", "side", "quarter", "score"], "survey_answers"
    )
    who = ["response_id", "team_id", "side", "quarter"]
    wide = answers.pivot_table(index=who, columns="item", values="score", aggfunc="mean")
    return wide.assign(mean=wide.mean(axis="columns")).reset_index()


def survey_sides(
    answers: pd.DataFrame,
    *,
    rng: np.random.Generator,
    by: Sequence[str] = ("team_id", "quarter"),
    fewest_a_side: int = FEWEST_A_SIDE,
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Return what each side says and the gap between them: one row a group of `by`.

    Parameters
    ----------
    answers : DataFrame, one row a response and item
        ``response_id``, ``item``, ``team_id``, ``side``, ``quarter``, ``score`` [1-5].
    rng : seeded generator of the bootstrap, which draws people, not answers
    by : what to group by; ``["quarter"]`` for the company
    fewest_a_side : people a side below which neither mean nor gap is shown
    n_draws : draws of the bootstrap

    Returns
    -------
    DataFrame
        `by`; ``n_sales``, ``n_marketing`` [people]; ``sales``, ``marketing`` means and ``mean``,
        the two sides weighing the same [1-5]; ``gap``, sales less marketing, with ``gap_low`` and
        ``gap_high`` (95%); ``score`` [0-100] with ``standard_error``.  Missing where suppressed.
    """
    people = survey_responses(answers)
    rows = []
    for key, part in people.groupby(list(by), sort=True):
        means_by_side = {side: part.loc[part["side"] == side, "mean"].to_numpy() for side in SIDES}
        sizes = {f"n_{side}": len(values) for side, values in means_by_side.items()}
        is_shown = min(sizes.values()) >= fewest_a_side
        rows.append(
            dict(zip(by, key, strict=True))
            | sizes
            | (_gap_between_sides(means_by_side, rng, n_draws) if is_shown else {})
        )
    names = ["sales", "marketing", "mean", "gap", "gap_low", "gap_high", "score", "standard_error"]
    return pd.DataFrame(rows, columns=[*by, "n_sales", "n_marketing", *names]).astype(
        dict.fromkeys(names, "float64")
    )


def _gap_between_sides(
    means_by_side: dict[str, np.ndarray], rng: np.random.Generator, n_draws: int
) -> dict[str, float]:
    means = {side: float(values.mean()) for side, values in means_by_side.items()}
    drawn = {
        side: rng.choice(values, (n_draws, len(values))).mean(axis=1)
        for side, values in means_by_side.items()
    }
    low, high = np.quantile(drawn["sales"] - drawn["marketing"], intervals.ENDS)
    mean = (means["sales"] + means["marketing"]) / 2
    per_point = 100 / (HIGHEST - LOWEST)
    error = (
        math.sqrt(sum(values.var(ddof=1) / len(values) for values in means_by_side.values())) / 2
    )
    return means | {
        "mean": mean,
        "gap": means["sales"] - means["marketing"],
        "gap_low": float(low),
        "gap_high": float(high),
        "score": (mean - LOWEST) * per_point,
        "standard_error": error * per_point,
    }
