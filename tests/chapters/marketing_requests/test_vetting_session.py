"""A session in the terminal: in the form's order, kept at once, taken up again, inert, the leader's apart."""

import datetime as dt

import pandas as pd
import pytest

from analysis.chapters.marketing_requests import vetting_session
from analysis.chapters.marketing_requests.vetting_form_widget import form_of_requests, keep_answer
from analysis.chapters.marketing_requests.vetting_session import Terminal, vet_requests
from analysis.store import request_records
from analysis.store.request_records import AmountRange, RequestRecord
from analysis.tables.vetting_form import BIG_PICTURE, QUESTIONS

TODAY = dt.date(2026, 11, 28)
REQUESTS = pd.DataFrame({"request_id": ["Q-1"], "kind": ["blog"]})
PLANTED = "the planted answer to the thirteenth"


class Typist:
    """Somebody who types what is on the list, then presses Ctrl-C; `screen` is what was seen."""

    def __init__(self, *typed: str) -> None:
        self.typed, self.screen = list(typed), []

    def ask(self, prompt: str) -> str:
        self.screen.append(prompt)
        if not self.typed:
            raise KeyboardInterrupt
        return self.typed.pop(0)

    def session(self, requests=REQUESTS, *, is_leader=False) -> None:
        terminal = Terminal(self.ask, self.screen.append)
        vet_requests("here", requests, terminal, today=TODAY, is_leader=is_leader)


ANSWERS = [word for n in range(1, 13) for word in (f"answer {n}", "1")]
PICTURE = ["a", "b", "0 20000 50000", "-10000 0 0", "c", "d", "e", "soon"]


def test_the_twelve_questions_come_in_the_articles_order_and_the_thirteenth_never(root, figure):
    """12 + 8 fields; then the record is vetted on the day, with 12 of 24 points."""
    typist = Typist(*ANSWERS, *PICTURE)
    typist.session()
    numbers = [line.split(".")[0] for line in typist.screen if line.split(".")[0].isdigit()]
    assert numbers == [str(n) for n in range(1, 13)]
    assert QUESTIONS[12].asks not in "".join(typist.screen)
    assert [f.question in "".join(typist.screen) for f in BIG_PICTURE] == [True] * 8
    record = request_records.read_record("here", "Q-1")
    assert (record.state, record.states[0].on, record.score) == ("vetted", TODAY, 12)
    figure("000-08", f"asked in the order {' '.join(numbers)}; {record.score} of 24 points")


@pytest.mark.parametrize("n_typed", [1, 2, 3, 7, 24, 27])
def test_nothing_is_lost_on_ctrl_c_wherever_it_comes(root, n_typed):
    """After each key the session is cut off; the next ones type the rest, and all of it is there."""
    everything = [*ANSWERS, *PICTURE]
    with pytest.raises(KeyboardInterrupt):
        Typist(*everything[:n_typed]).session()
    Typist(*everything[n_typed:]).session()
    record = request_records.read_record("here", "Q-1")
    assert [record.answers[str(n)].text for n in range(1, 13)] == [
        f"answer {n}" for n in range(1, 13)
    ]
    assert record.big_picture["if_it_happens"] == AmountRange(low=0, mid=20_000, high=50_000)
    assert record.state == "vetted"


def test_a_score_or_a_range_that_is_none_is_asked_for_again(root):
    typist = Typist("x", "3", "maybe", "2", "q")
    typist.session()
    assert request_records.read_record("here", "Q-1").answers["1"].score == 2
    assert sum("Please type 0, 1 or 2" in line for line in typist.screen) == 2


def test_a_question_left_open_leaves_the_request_unvetted(root):
    typist = Typist("", *ANSWERS[2:], *PICTURE)
    typist.session()
    assert "Open: 1. It is vetted once they are answered." in typist.screen
    assert request_records.read_record("here", "Q-1").state == "asked"


def test_what_comes_from_a_list_moves_no_cursor(root):
    hostile = pd.DataFrame(
        {"request_id": ["Q\x1b[2J\n1"], "topic": ["\x1b]0;x\x07\u202e"], "kind": [None]}
    )
    typist = Typist("q")
    typist.session(hostile)
    text = "\n".join(typist.screen)
    assert "\x1b" not in text
    assert "Q<U+001B>[2J<U+000A>1: a request, on <U+001B>]0;x<U+0007><U+202E>" in text


def test_the_leader_answers_apart_then_decides(root, figure):
    Typist(*ANSWERS, *PICTURE).session()
    typist = Typist(PLANTED, "2", "x", "a", "pays", "soon", "a", "pays", "2027-01-15")
    typist.session(is_leader=True)
    record = request_records.read_record("here", "Q-1")
    assert (record.state, record.states[-1].review_on) == ("approved", dt.date(2027, 1, 15))
    assert "   A review date is a day such as 2027-01-15." in typist.screen
    assert "If it happens, less if it does not: 23,333 (0 to 60,000)." in typist.screen
    files = [f for f in root.rglob("*") if f.is_file() and PLANTED in f.read_text(encoding="utf-8")]
    assert [f.parent.name for f in files] == ["leader"]
    figure("000-09", f"the leader's answer is in {len(files)} file, under {files[0].parent.name}")
    figure("000-11", "impact of both ways asked for: 23,333 (0 to 60,000) apart")


def test_no_decision_without_the_leaders_own_answer(root):
    Typist(*ANSWERS, *PICTURE).session()
    typist = Typist("", "a", "pays", "2027-01-15", "t", "later", "2027-01-15")
    typist.session(is_leader=True)
    assert any("needs all 12 answers and the leader's own" in line for line in typist.screen)
    assert request_records.read_record("here", "Q-1").state == "tabled"


def test_an_alternative_stands_beside_both_wishes_and_a_must_have_waits_on(root, figure):
    Typist(*ANSWERS, *PICTURE).session()
    Typist("own", "1", "m").session(is_leader=True)
    assert request_records.read_record("here", "Q-1").must_have_since == TODAY
    Typist("o", "a fair", "no fair", "a webinar", "both can", "2027-01-15").session(is_leader=True)
    record = request_records.read_record("here", "Q-1")
    assert record.state == "alternative"
    assert (record.wishes.sales, record.wishes.marketing, record.wishes.third) == (
        "a fair",
        "no fair",
        "a webinar",
    )
    figure("000-33", "the third way stands beside the wishes of sales and of marketing")


def test_nothing_waits_where_everything_is_vetted(root):
    Typist(*ANSWERS, *PICTURE).session()
    typist = Typist()
    typist.session()
    assert typist.screen == [
        "Nothing waits: all requests that could be vetted have an answer to every question."
    ]


def test_an_impact_is_unknown_until_both_branches_are_stated():
    assert vetting_session.impact_line(RequestRecord(request_id="Q")) == ""


def test_the_form_in_the_notebook_keeps_an_answer_and_asks_no_thirteenth(root):
    """Twelve rows of questions under the request's name; an answer taken back is gone."""
    form = form_of_requests("here", REQUESTS)
    rows = form.children[1].children
    assert len(rows) == 14
    assert QUESTIONS[12].asks not in str([r.children[0].description for r in rows[1:13]])
    rows[1].children[0].value = "a goal"
    rows[1].children[1].value = 2
    assert request_records.read_record("here", "Q-1").answers["1"].score == 2
    keep_answer("here", "Q-1", 1, "  ", None)
    assert request_records.read_record("here", "Q-1").answers == {}
