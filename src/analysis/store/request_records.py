"""What a company decides on marketing requests: a file a request, written whole or not at all.

``data/history/<dataset>/requests/<id>.toml`` holds the answers to the vetting questions and the
states a request went through, each dated: asked, vetted, then approved, tabled, added to plan or an
alternative, then done, then measured.  The leader's own answer stands in a folder beside it, in a
file of its own, and only `read_leader_answer` opens that: whether there is one is all that the rest
may know.  Ids come from whoever asks: a file is never named after one that could be a path.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.project import paths
from analysis.project.errors import OwnMapError
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.project.strange_files import why_strange
from analysis.project.whole_file import write_whole
from analysis.tables.vetting_form import BIG_PICTURE, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER, LEADERS_FOLDER = paths.REQUESTS_FOLDER, "leader"
State = Literal[
    "asked", "vetted", "approved", "tabled", "added to plan", "alternative", "done", "measured"
]
DECISIONS: tuple[State, ...] = ("approved", "tabled", "added to plan", "alternative")
NEEDS_ALL_ANSWERS: tuple[State, ...] = ("approved", "added to plan")
FOLLOWS: Mapping[State, tuple[State, ...]] = {
    "asked": ("vetted",),
    "vetted": DECISIONS,
    "tabled": DECISIONS,
    "approved": ("done",),
    "added to plan": ("done",),
    "alternative": ("done",),
    "done": ("measured",),
    "measured": (),
}
NUMBERS = {str(q.number) for q in PUBLIC}
FIELDS = {f.key: f.is_range for f in BIG_PICTURE}
LONGEST = 2_000  # characters of an answer
PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
Text = Annotated[str, Field(max_length=LONGEST)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VettingAnswer(_Part):
    """An answer in words, and its points: 0 no, 1 in part, 2 yes.

    Until that is said the question is open.
    """

    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    score: Annotated[int, Field(ge=0, le=2)] | None = None


class AmountRange(_Part):
    """What may come of it, low, middle and high [currency]."""

    low: float
    mid: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> AmountRange:
        if not self.low <= self.mid <= self.high:
            raise ValueError("low, mid and high must stand in this order")
        return self


class Wishes(_Part):
    """What sales wants, what marketing wants, and the third way found between them."""

    sales: Text = ""
    marketing: Text = ""
    third: Text = ""


class StateEntry(_Part):
    """A state and the day it was reached; a decision has its reason and the day it is reviewed."""

    state: State
    on: dt.date
    reason: Text = ""
    review_on: dt.date | None = None

    @model_validator(mode="after")
    def _says_why(self) -> StateEntry:
        if self.state in DECISIONS:
            if not self.reason.strip():
                raise ValueError(f"{self.state} needs a reason")
            if self.review_on is None or self.review_on < self.on:
                raise ValueError(f"{self.state} needs a review_on that is not before its own day")
        return self


class RequestRecord(_Part):
    """All that the company has decided on a request; `states` in the order they were reached."""

    request_id: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    must_have_since: dt.date | None = None
    answers: dict[str, VettingAnswer] = {}
    big_picture: dict[str, Text | AmountRange] = {}
    wishes: Wishes = Wishes()
    states: tuple[StateEntry, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> RequestRecord:
        if unknown := sorted(set(self.answers) - NUMBERS):
            raise ValueError(f"answers.{unknown[0]} is no public question; they are 1 to 12")
        for key, value in self.big_picture.items():
            if key not in FIELDS:
                raise ValueError(f"big_picture.{key} is none of {', '.join(FIELDS)}")
            if FIELDS[key] is not isinstance(value, AmountRange):
                wanted = "low, mid and high" if FIELDS[key] else "a text"
                raise ValueError(f"big_picture.{key} wants {wanted}")
        before: State = "asked"
        for at, entry in enumerate(self.states):
            if entry.state not in FOLLOWS[before]:
                allowed = ", ".join(FOLLOWS[before]) or "nothing"
                raise ValueError(
                    f"states: {entry.state} cannot follow {before}; allowed: {allowed}"
                )
            if at and entry.on < self.states[at - 1].on:
                raise ValueError(f"states: {entry.state} is dated before {before}")
            before = entry.state
        if self.states and (open_ones := self.open_questions):
            numbers = ", ".join(map(str, open_ones))
            raise ValueError(f"states: vetted needs all 12 answers, but {numbers} are open")
        return self

    @property
    def open_questions(self) -> list[int]:
        """Numbers of the public questions that are not answered in full, in the form's order."""
        return [q.number for q in PUBLIC if self._points(q.number) is None]

    @property
    def state(self) -> State:
        """The state it is in."""
        return self.states[-1].state if self.states else "asked"

    @property
    def score(self) -> int | None:
        """Points of the public questions, 0 to 24; None until all are answered."""
        points = [self._points(q.number) for q in PUBLIC]
        awarded = [p for p in points if p is not None]
        return sum(awarded) if len(awarded) == len(points) else None

    @property
    def failed_criteria(self) -> list[str]:
        """Criteria of which a question was answered with no."""
        failed = [q.criterion for q in PUBLIC if self._points(q.number) == 0]
        return list(dict.fromkeys(failed))

    def _points(self, number: int) -> int | None:
        answer = self.answers.get(str(number))
        return answer.score if answer else None

    def as_of(self, day_after: dt.date) -> RequestRecord:
        """Return the record as it stood before a day; answers count from the day it was vetted."""
        must = self.must_have_since
        states = tuple(entry for entry in self.states if entry.on < day_after)
        since = must if must and must < day_after else None
        if not states:
            return RequestRecord(request_id=self.request_id, must_have_since=since)
        return self.model_copy(update={"states": states, "must_have_since": since})

    def moved(self, entry: StateEntry, *, has_leader_answer: bool) -> RequestRecord:
        """Return the record with its next state added.

        Raises
        ------
        ValueError
            If that state cannot follow, or the form is not complete; the message says what is open.
        """
        if entry.state in NEEDS_ALL_ANSWERS and not has_leader_answer:
            raise ValueError(
                f"{entry.state} needs all 12 answers and the leader's own, which is open"
            )
        content = self.model_dump() | {"states": (*self.states, entry)}
        return RequestRecord.model_validate(content)


class LeaderAnswer(_Part):
    """The answer to the question that the leader asks nobody else."""

    request_id: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    answer: VettingAnswer


Kept = TypeVar("Kept", RequestRecord, LeaderAnswer)


class _Place(NamedTuple):
    file: Path
    name: str  # how a message calls it


def safe_name(request_id: str) -> str:
    """Return the name of a request's file: its id where that is a plain name, else letters and a
    hash.

    Examples
    --------
    >>> safe_name("Q-5")
    'Q-5'
    >>> safe_name("../../etc/passwd")
    'etc-passwd-3754d6cb3a38e118'
    """
    if PLAIN_ID.fullmatch(request_id):
        return request_id
    digest = hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    letters = re.sub(r"[^A-Za-z0-9]+", "-", request_id).strip("-")[:30]
    return f"{letters}-{digest}".lstrip("-")


def _place(dataset: str, request_id: str, *, is_leaders: bool = False) -> _Place:
    folder = paths.history_folder(dataset) / FOLDER
    folder_name = f"data/history/{dataset}/{FOLDER}"
    if is_leaders:
        folder, folder_name = folder / LEADERS_FOLDER, f"{folder_name}/{LEADERS_FOLDER}"
    name = f"{safe_name(request_id)}.toml"
    return _Place(folder / name, f"{folder_name}/{name}")


def read_record(dataset: str, request_id: str) -> RequestRecord:
    """Return the decisions on a request; an empty record where there are none.

    Raises
    ------
    OwnMapError
        If the file is none, no TOML, or says what cannot be; the message has file and key.
    """
    place = _place(dataset, request_id)
    if not place.file.exists() and not place.file.is_symlink():
        return RequestRecord(request_id=request_id)
    return _read(place, RequestRecord, request_id)


def read_records(dataset: str) -> dict[str, RequestRecord]:
    """Return every record of a dataset by request id."""
    folder = paths.history_folder(dataset) / FOLDER
    records = {}
    for file in sorted(folder.glob("*.toml")) if folder.is_dir() else []:
        if file.name.startswith("."):
            continue  # of a run that was killed
        record = _read(_Place(file, f"data/history/{dataset}/{FOLDER}/{file.name}"), RequestRecord)
        if f"{safe_name(record.request_id)}.toml" != file.name:
            raise OwnMapError(
                f"data/history/{dataset}/{FOLDER}/{file.name}: request_id is "
                f"{record.request_id!r}, whose file would be {safe_name(record.request_id)}.toml."
            )
        if record.state in NEEDS_ALL_ANSWERS and not has_leader_answer(dataset, record.request_id):
            raise OwnMapError(
                f"data/history/{dataset}/{FOLDER}/{file.name}: states: {record.state} needs the "
                "leader's own answer too, which has no file."
            )
        records[record.request_id] = record
    return records


def records_digest(records: Mapping[str, RequestRecord], day_after: dt.date) -> str:
    """Return the hash of all decisions before a day, leaving out what only the leader answered."""
    digest = hashlib.sha256()
    for _, record in sorted(records.items()):
        digest.update(record.as_of(day_after).model_dump_json().encode())
    return digest.hexdigest()


def write_record(dataset: str, record: RequestRecord) -> Path:
    """Write a record for its owner's eyes alone; return the file."""
    return _write(dataset, record, is_leaders=False)


def has_leader_answer(dataset: str, request_id: str) -> bool:
    """Return whether the leader has answered the question that is asked of nobody else."""
    answer = read_leader_answer(dataset, request_id)
    return answer is not None and answer.score is not None


def read_leader_answer(dataset: str, request_id: str) -> VettingAnswer | None:
    """Return the leader's own answer; for the leader's session alone."""
    place = _place(dataset, request_id, is_leaders=True)
    if not place.file.exists() and not place.file.is_symlink():
        return None
    return _read(place, LeaderAnswer, request_id).answer


def write_leader_answer(dataset: str, request_id: str, answer: VettingAnswer) -> Path:
    """Write the leader's own answer into a file of its own; return the file."""
    return _write(dataset, LeaderAnswer(request_id=request_id, answer=answer), is_leaders=True)


def _read(place: _Place, model: type[Kept], request_id: str | None = None) -> Kept:
    if why := why_strange(place.file, place.file.parent):
        raise OwnMapError(f"{place.name}: {why}.")
    if place.file.is_dir():
        raise OwnMapError(f"{place.name}: it is a folder, not a file.")
    try:
        content = tomllib.loads(place.file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise OwnMapError(f"{place.name}: not valid TOML: {error}.") from None
    try:
        record = model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        says = first["msg"].removeprefix("Value error, ")
        raise OwnMapError(f"{place.name}: {f'{key}: ' if key else ''}{says}.") from None
    if request_id is not None and record.request_id != request_id:
        raise OwnMapError(
            f"{place.name}: request_id is {record.request_id!r}, but the request is {request_id!r}."
        )
    return record


def _write(dataset: str, record: RequestRecord | LeaderAnswer, *, is_leaders: bool) -> Path:
    place = _place(dataset, record.request_id, is_leaders=is_leaders)
    private_folder(paths.history_folder(dataset))
    private_folder(paths.history_folder(dataset) / FOLDER)
    private_folder(place.file.parent)
    with write_whole(place.file, mode=FILE_OF_OWNER) as part:
        part.write_text(
            _toml(record.model_dump(exclude_none=True, exclude_defaults=True)), encoding="utf-8"
        )
    return place.file


def _toml(content: Mapping[str, Any], name: str = "") -> str:
    """Return a table as TOML: its values first, then the tables in it."""
    lines, tables = [], []
    for key, value in content.items():
        whole = f"{name}.{key}" if name else key
        if isinstance(value, dict):
            tables.append(_toml(value, whole))
        elif isinstance(value, list | tuple):
            tables += [f"\n[[{whole}]]\n{_toml(each).lstrip()}" for each in value]
        else:
            lines.append(f"{key} = {_toml_value(value)}\n")
    head = f"\n[{name}]\n" if name and lines else ""
    return head + "".join(lines) + "".join(tables)


def _toml_value(value: str | float | dt.date) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):  # JSON escapes all that TOML does, but for the last control
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
