"""The questions asked of a marketing request before work begins: twelve, one for the leader alone,
then four of the big picture.

The wording is ours; the gist is that of the articles, and so is the order.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

CRITERIA = ("needed", "best action", "company interest", "sustainable", "not redundant")


class VettingQuestion(NamedTuple):
    """A vetting question: its text, which data answer it, and the criterion it serves."""

    number: int
    asks: str
    evidence: str
    criterion: str
    is_for_leader_only: bool = False


class VettingField(NamedTuple):
    """A field of the big picture: the question it belongs to, what is filled in, its key in a file.

    A field that `is_range` takes three amounts: low, middle and high.
    """

    question: str
    field: str
    key: str
    is_range: bool = False


QUESTIONS: tuple[VettingQuestion, ...] = (
    VettingQuestion(1, "Which goal of sales is this for?", "goal, its metric and target", "needed"),
    VettingQuestion(
        2,
        "Why do today's efforts miss it?",
        "funnel step with the largest shortfall on its target",
        "needed",
    ),
    VettingQuestion(
        3,
        "Is this the most sensible way to get there?",
        "two or more options by cost per opportunity",
        "best action",
    ),
    VettingQuestion(
        4,
        "What problems or risks does it bring?",
        "list of risks; narrative and consent checked",
        "company interest",
    ),
    VettingQuestion(
        5,
        "Is it short or long term, and can it be kept up?",
        "hours to run it against capacity over four quarters",
        "sustainable",
    ),
    VettingQuestion(
        6,
        "Is it the best use of what we have?",
        "rank by expected net benefit per marketing hour",
        "best action",
    ),
    VettingQuestion(
        7,
        "Can sales do it without marketing?",
        "rep hours at the cost of a selling hour against marketing hours",
        "needed",
    ),
    VettingQuestion(
        8,
        "Is there a cheaper way, or one that serves more teams?",
        "an alternative, written down",
        "best action",
    ),
    VettingQuestion(
        9, "Does it fit the marketing plan?", "objective it is linked to, or none", "not redundant"
    ),
    VettingQuestion(
        10,
        "Is it within budget and capacity, or extra?",
        "utilisation once it is approved",
        "sustainable",
    ),
    VettingQuestion(
        11,
        "Was it considered before and not done?",
        "similar requests of the past",
        "not redundant",
    ),
    VettingQuestion(
        12,
        "Does it change direction, and is that for now or the next plan?",
        "entry in the plan's log of changes",
        "company interest",
    ),
    VettingQuestion(
        13,
        "Who gains: the company or the one who asks?",
        "requester's share of the benefit; leader's note",
        "company interest",
        is_for_leader_only=True,
    ),
)

BIG_PICTURE: tuple[VettingField, ...] = (
    VettingField("Why does it matter?", "what is important", "important"),
    VettingField("Why does it matter?", "why it is", "why_important"),
    VettingField(
        "What is the impact?",
        "if it happens: low, middle and high [currency]",
        "if_it_happens",
        is_range=True,
    ),
    VettingField(
        "What is the impact?",
        "if it does not: low, middle and high [currency]",
        "if_it_does_not",
        is_range=True,
    ),
    VettingField("Who is concerned?", "who cares most", "who_cares_most"),
    VettingField("Who is concerned?", "who else is affected directly", "affected_directly"),
    VettingField("Who is concerned?", "who else is affected indirectly", "affected_indirectly"),
    VettingField("When must it be decided?", "when those who asked expect to know", "expected_by"),
)


PUBLIC: tuple[VettingQuestion, ...] = tuple(q for q in QUESTIONS if not q.is_for_leader_only)
LEADERS: VettingQuestion = QUESTIONS[-1]


def vetting_form(*, for_leader: bool) -> pd.DataFrame:
    """Return the vetting form in order: one row a question; the leader's own only `for_leader`.

    Columns: ``number``, ``asks``, ``evidence``, ``criterion``.
    """
    rows = [q[:4] for q in QUESTIONS if for_leader or not q.is_for_leader_only]
    return pd.DataFrame(rows, columns=["number", "asks", "evidence", "criterion"])
