"""What past reviews decided to do, carried until it is done or dropped.

A review's minutes are one file by hand, ``data/raw/<dataset>/reviews/<quarter>.toml``, named after
the quarter whose report was reviewed.  A wrong file stops the report and says which line of it is
wrong.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.project import paths, quarters
from analysis.project.errors import CrmDataError
from analysis.project.paths import REVIEWS_FOLDER
from analysis.project.settings import NO_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
Status = Literal["done", "dropped", "open"]


Words = Annotated[str, Field(min_length=1, max_length=300), NO_ADDRESS]


class ReviewAction(BaseModel):
    """Something a review decided to do; `metric` is the headline it is to move."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$")]
    text: Words
    owner: Words
    due: dt.date
    metric: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")] | None = None
    status: Status
    reason: Annotated[str, Field(max_length=300), NO_ADDRESS] = ""

    @model_validator(mode="after")
    def _says_why(self) -> ReviewAction:
        if self.status == "dropped" and not self.reason.strip():
            raise ValueError("a dropped action needs a reason")
        return self


class ReviewMinutes(BaseModel):
    """A quarterly meeting's minutes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_on: dt.date
    actions: tuple[ReviewAction, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> ReviewMinutes:
        ids = [a.id for a in self.actions]
        twice = next((i for i in ids if ids.count(i) > 1), None)
        if twice:
            raise ValueError(f"action {twice} stands there twice")
        return self


class CarriedAction(NamedTuple):
    """An action as it stands at a report.

    From the review of `since`, last told at that of `told`.
    """

    action: ReviewAction
    since: str
    last_review: str
    is_overdue: bool
    is_forgotten: bool  # open, and the last review did not speak of it


def read_review(file: Path) -> ReviewMinutes:
    """Return a review's minutes.

    Raises
    ------
    CrmDataError
        If the file is no TOML, a key unknown or missing, or a value not allowed; each is named.
    """
    name = f"{REVIEWS_FOLDER}/{file.name}"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CrmDataError(
            f"{name}: not valid TOML: {error}.\nMend the file, then report again."
        ) from None
    try:
        return ReviewMinutes(**content)
    except ValidationError as error:
        lines = "\n".join(f"  {_complaint(dict(p), content)}" for p in error.errors())
        n = error.error_count()
        raise CrmDataError(
            f"{name}: {n} {'entry is' if n == 1 else 'entries are'} wrong\n{lines}\n"
            f"A review holds held_on and [[actions]] with {', '.join(ReviewAction.model_fields)}."
        ) from None
    except TypeError as error:  # a key that is no name
        raise CrmDataError(f"{name}: {error}.\nMend the file, then report again.") from None


def _complaint(problem: dict[str, Any], content: dict[str, Any]) -> str:
    where = list(problem["loc"])
    if len(where) > 1 and where[0] == "actions" and isinstance(where[1], int):
        action = content["actions"][where[1]]
        named = action.get("id", "without id") if isinstance(action, dict) else "that is no table"
        where[:2] = [f"action {where[1] + 1} ({named})"]
    place = " ".join(map(str, where)) or "the file"
    if problem["type"] == "missing":
        return f"{place} is missing."
    if problem["type"] == "extra_forbidden":
        return (
            f"{place} is no key of a review. Known: held_on, actions; of an action: "
            f"{', '.join(ReviewAction.model_fields)}."
        )
    value_phrase = "" if problem["type"] == "value_error" else f" is {problem['input']!r}"
    return f"{place}{value_phrase}: {problem['msg'].removeprefix('Value error, ')}."


def read_reviews(dataset: str, *, before: str) -> dict[str, ReviewMinutes]:
    """Return the reviews of reports of quarters before the quarter `before`, oldest first."""
    by_quarter: dict[str, ReviewMinutes] = {}
    for file in paths.own_files(dataset, REVIEWS_FOLDER):
        if not quarters.QUARTER.fullmatch(file.stem):
            raise CrmDataError(
                f"{REVIEWS_FOLDER}/{file.name}: a review is named after the quarter reviewed, "
                "such as 2026Q2.toml.\n"
                "Rename the file."
            )
        own = paths.own_file(dataset, f"{REVIEWS_FOLDER}/{file.name}")
        if own and file.stem < before:
            by_quarter[file.stem] = read_review(own)
    return by_quarter


def carry_actions(review_of: dict[str, ReviewMinutes], as_of: dt.date) -> list[CarriedAction]:
    """Return the last review's actions, and those of earlier ones still open.

    The order is that of the reviews.
    """
    if not review_of:
        return []
    last = max(review_of)
    newest: dict[str, tuple[ReviewAction, str, str]] = {}
    for quarter, review in review_of.items():
        for action in review.actions:
            since = newest[action.id][1] if action.id in newest else quarter
            newest[action.id] = (action, since, quarter)
    return [
        CarriedAction(
            a,
            since,
            status,
            a.status == "open" and a.due < as_of,
            a.status == "open" and status < last,
        )
        for a, since, status in newest.values()
        if status == last or a.status == "open"
    ]


def actions_sentence(actions: Sequence[CarriedAction], review_of: dict[str, ReviewMinutes]) -> str:
    """Return in one sentence what became of the actions.

    Examples
    --------
    >>> actions_sentence([], {})
    'No review before this report is on file.'
    """
    if not review_of:
        return "No review before this report is on file."
    last = max(review_of)
    count = {s: sum(a.action.status == s for a in actions) for s in ("done", "dropped", "open")}
    overdue = sum(a.is_overdue for a in actions)
    counts_phrase = ", ".join(f"{n} {s}" for s, n in count.items())
    return (
        f"Review of {last}, held on {review_of[last].held_on}: "
        f"{counts_phrase}{f', of which {overdue} overdue' if overdue else ''}."
    )
