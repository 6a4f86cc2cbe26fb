"""Vetting in a terminal: the open requests one by one, the form's questions in their order.

Each answer is written the moment it is given, so a session that is cut off anywhere goes on where
it stood.  What comes from a list of requests is shown inert; what is typed is kept as text.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.project.terminal_text import terminal_text
from analysis.store import request_records
from analysis.store.request_records import (
    AmountRange,
    RequestRecord,
    StateEntry,
    VettingAnswer,
    Wishes,
)
from analysis.tables.vetting_form import BIG_PICTURE, LEADERS, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analysis.tables.vetting_form import VettingField, VettingQuestion

SCORES = {"0": 0, "1": 1, "2": 2, "n": 0, "p": 1, "y": 2}
STOP = "q"
MUST = "m"
DECISION_WORDS: dict[str, request_records.State] = {
    "a": "approved",
    "t": "tabled",
    "p": "added to plan",
    "o": "alternative",
}
DECIDE = (
    "Decide: a approve, t table, p add to plan, o alternative, m must-have (decide later), "
    "Enter later: "
)
MOST_SHOWN = 80  # characters of a cell


class SessionStopped(Exception):  # noqa: N818 - the wish of who answers, no error
    """The person who answers has ended the session."""


class Terminal(NamedTuple):
    """Where a session speaks: `ask` shows a prompt and returns what was typed, `say` a line."""

    ask: Callable[[str], str]
    say: Callable[[str], None]


def vet_requests(
    dataset: str, requests: pd.DataFrame, terminal: Terminal, *, today: dt.date, is_leader: bool
) -> int:
    """Walk through the open requests of a log; return how many answers were given.

    The leader's session asks the leader's own question and decides; the other one asks the rest.
    """
    n_answers = 0
    waiting = _waiting(dataset, requests, is_leader=is_leader)
    done = "have an answer to every question" if not is_leader else "are decided"
    if not waiting:
        terminal.say(f"Nothing waits: all requests that could be vetted {done}.")
        return 0
    terminal.say(
        f"{_counted(len(waiting), 'request')} to vet. Enter leaves a question open, {STOP} stops; "
        "every answer is kept at once."
    )
    try:
        for place, row in enumerate(waiting, 1):
            terminal.say("")
            terminal.say(f"[{place} of {len(waiting)}] {describe_request(row)}")
            session = _leader_session if is_leader else _public_session
            n_answers += session(dataset, str(row["request_id"]), terminal, today)
    except (SessionStopped, EOFError):
        terminal.say("")
        terminal.say(
            f"Stopped, with {_counted(n_answers, 'answer')} kept. The next session goes on here."
        )
        return n_answers
    terminal.say("")
    terminal.say(f"Done, with {_counted(n_answers, 'answer')} kept.")
    return n_answers


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def describe_request(row: dict[str, object]) -> str:
    """Return a request in one line, every cell inert.

    Examples
    --------
    >>> describe_request({"request_id": "Q-5", "kind": "blog", "cost_amount": 12500.0})
    'Q-5: blog, outlay 12,500'
    """

    def cell(name: str) -> str:
        value = row.get(name)
        if value is None or pd.isna(value):  # type: ignore[call-overload]
            return ""
        text = f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else str(value)
        if isinstance(value, float):
            text = f"{value:,.1f}".removesuffix(".0")
        return terminal_text(text).replace("\n", "<U+000A>").replace("\t", " ")[:MOST_SHOWN]

    parts = [cell("kind") or "a request"]
    for name, words in (
        ("topic", "on {}"),
        ("audience", "for {}"),
        ("team_name", "asked by {}"),
        ("asked_on", "on {}"),
        ("wanted_on", "wanted by {}"),
        ("marketing_hours", "{} h of marketing"),
        ("cost_amount", "outlay {}"),
        ("promised_bookings_amount", "promises bookings of {}"),
        ("promised_leads", "promises {} leads"),
    ):
        if text := cell(name):
            parts.append(words.format(text))
    return f"{cell('request_id')}: {', '.join(parts)}"


def _waiting(dataset: str, requests: pd.DataFrame, *, is_leader: bool) -> list[dict[str, object]]:
    """Return the requests a session has something to ask about."""
    rows = []
    for row in requests.to_dict("records"):
        record = request_records.read_record(dataset, str(row["request_id"]))
        if not is_leader and record.state == "asked":
            rows.append(row)
        if is_leader and record.state in {"vetted", "tabled"}:
            rows.append(row)
    return rows  # type: ignore[return-value]


def _public_session(dataset: str, request_id: str, terminal: Terminal, today: dt.date) -> int:
    record = request_records.read_record(dataset, request_id)
    n_answers = 0
    for number in record.open_questions:
        question, key = PUBLIC[number - 1], str(number)
        for answer in _answered(question, terminal, record.answers.get(key)):
            record = _write_revision(dataset, record, answers=record.answers | {key: answer})
            n_answers += answer.score is not None
    for field in BIG_PICTURE:
        if field.key not in record.big_picture and (value := _filled(field, terminal)) is not None:
            record = _write_revision(
                dataset, record, big_picture=record.big_picture | {field.key: value}
            )
            n_answers += 1
    if record.open_questions:
        numbers = ", ".join(map(str, record.open_questions))
        terminal.say(f"Open: {numbers}. It is vetted once they are answered.")
        return n_answers
    entry = StateEntry(state="vetted", on=today)
    request_records.write_record(dataset, record.moved(entry, has_leader_answer=False))
    failed = ", ".join(record.failed_criteria) or "none"
    terminal.say(
        f"Vetted: {record.score} of {2 * len(PUBLIC)} points; criteria it fails: {failed}."
    )
    return n_answers


def _leader_session(dataset: str, request_id: str, terminal: Terminal, today: dt.date) -> int:
    record = request_records.read_record(dataset, request_id)
    failed = ", ".join(record.failed_criteria) or "none"
    terminal.say(f"{_points(record)}; criteria it fails: {failed}.")
    n_answers = 0
    before = request_records.read_leader_answer(dataset, request_id)
    if before is None or before.score is None:
        for answer in _answered(LEADERS, terminal, before):
            request_records.write_leader_answer(dataset, request_id, answer)
            n_answers += answer.score is not None
    has_own = request_records.has_leader_answer(dataset, request_id)
    if line := impact_line(record):
        terminal.say(line)
    while True:
        word = _typed(terminal, DECIDE).lower()
        if not word:
            return n_answers
        if word == MUST:
            _write_revision(dataset, record, must_have_since=today)
            terminal.say("It is in every choice from today, and still waits for a decision.")
            return n_answers + 1
        if word not in DECISION_WORDS:
            terminal.say("   Please type a, t, p, o or m.")
            continue
        try:
            moved = _decided(record, DECISION_WORDS[word], terminal, today, has_own=has_own)
        except ValueError as error:
            terminal.say(f"   {_first_line(error)}")
            continue
        request_records.write_record(dataset, moved)
        entry = moved.states[-1]
        terminal.say(f"{entry.state[:1].upper()}{entry.state[1:]}, reviewed on {entry.review_on}.")
        return n_answers + 1


def impact_line(record: RequestRecord) -> str:
    """Return the difference in money between doing a request and not doing it; empty where either
    is not stated.

    The middle counts four times, low and high once each; the ends are the worst and the best case.
    """
    happens, does_not = (record.big_picture.get(k) for k in ("if_it_happens", "if_it_does_not"))
    if not isinstance(happens, AmountRange) or not isinstance(does_not, AmountRange):
        return ""
    middle = _expected(happens) - _expected(does_not)
    low, high = happens.low - does_not.high, happens.high - does_not.low
    return f"If it happens, less if it does not: {middle:,.0f} ({low:,.0f} to {high:,.0f})."


def _expected(amounts: AmountRange) -> float:
    return (amounts.low + 4 * amounts.mid + amounts.high) / 6


def _points(record: RequestRecord) -> str:
    return f"{record.score} of {2 * len(PUBLIC)} points"


def _write_revision(dataset: str, record: RequestRecord, **changes: object) -> RequestRecord:
    changed = RequestRecord.model_validate(record.model_dump() | changes)
    request_records.write_record(dataset, changed)
    return changed


def _typed(terminal: Terminal, prompt: str) -> str:
    text = terminal_text(terminal.ask(prompt)).strip()
    if text.lower() == STOP:
        raise SessionStopped
    return text[: request_records.LONGEST]


def _answered(
    question: VettingQuestion, terminal: Terminal, before: VettingAnswer | None
) -> Iterator[VettingAnswer]:
    """Yield the answer to a question as far as it goes: in words, then how far it speaks for it.

    Nothing if it is left open.
    """
    prompt = f"{question.number}. {question.asks}\n   "
    if before is None:
        if not (text := _typed(terminal, prompt)):
            return
        yield VettingAnswer(text=text)
    else:
        text = before.text
        terminal.say(f"{prompt}{terminal_text(text)}")
    while True:
        word = _typed(terminal, "   Does this speak for doing it? 0 no, 1 in part, 2 yes: ").lower()
        if word in SCORES:
            yield VettingAnswer(text=text, score=SCORES[word])
            return
        if not word:
            return
        terminal.say("   Please type 0, 1 or 2.")


def _filled(field: VettingField, terminal: Terminal) -> str | AmountRange | None:
    """Return what is filled into a field of the big picture; None if left open."""
    while True:
        text = _typed(terminal, f"{field.question} ({field.field})\n   ")
        if not text or not field.is_range:
            return text or None
        try:
            low, mid, high = (float(t.replace(",", "")) for t in text.split())
            return AmountRange(low=low, mid=mid, high=high)
        except ValueError:
            terminal.say("   Please type three amounts, low, middle and high: 0 20000 50000.")


def _decided(
    record: RequestRecord,
    state: request_records.State,
    terminal: Terminal,
    today: dt.date,
    *,
    has_own: bool,
) -> RequestRecord:
    """Return the record with a decision, its reason and its review date.

    Raises
    ------
    ValueError
        If the form is not complete, or a reason or date is lacking.
    """
    if state == "alternative":
        wishes = Wishes(
            sales=_typed(terminal, "   What does sales want? "),
            marketing=_typed(terminal, "   What does marketing want? "),
            third=_typed(terminal, "   What is the third way? "),
        )
        record = record.model_copy(update={"wishes": wishes})
    reason = _typed(terminal, "   Why? ")
    day = _typed(terminal, "   Reviewed on (YYYY-MM-DD): ")
    try:
        review_on = dt.date.fromisoformat(day)
    except ValueError:
        raise ValueError("A review date is a day such as 2027-01-15.") from None
    entry = StateEntry(state=state, on=today, reason=reason, review_on=review_on)
    return record.moved(entry, has_leader_answer=has_own)


def _first_line(error: ValueError) -> str:
    """Return what is wrong in one line, a model's preamble aside."""
    lines = [line.strip() for line in str(error).splitlines()]
    first_line = next((line for line in lines if line.startswith("Value error, ")), lines[0])
    return first_line.removeprefix("Value error, ").partition(" [type=")[0]
