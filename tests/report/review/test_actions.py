"""Minutes of reviews: read, refused where wrong, carried until done or dropped."""

import datetime as dt

import pytest

from analysis.project.errors import CrmDataError
from analysis.report.review import actions

GOOD = """held_on = 2026-07-21
[[actions]]
id = "A1"
text = "Give teams an assistant."
owner = "Sales Operations"
due = 2026-09-01
metric = "selling_hours_per_week"
status = "open"
"""
AS_OF = dt.date(2026, 9, 30)


@pytest.fixture
def minutes(raw):
    (raw / "reviews").mkdir()

    def write(text, quarter="2026Q2"):
        file = raw / "reviews" / f"{quarter}.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_minutes_are_read_as_they_stand(minutes):
    (action,) = actions.read_review(minutes(GOOD)).actions
    assert (action.id, action.due, action.status) == ("A1", dt.date(2026, 9, 1), "open")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("held_on = 2026-07-21\n", "", r"held_on is missing"),
        (
            "owner",
            "ownr",
            r"action 1 \(A1\) ownr is no key of a review. Known: held_on, actions; of an action: id, text",
        ),
        (
            '"open"',
            '"opened"',
            r"action 1 \(A1\) status is 'opened': Input should be 'done', 'dropped' or 'open'",
        ),
        ('"open"', '"dropped"', r"action 1 \(A1\): a dropped action needs a reason"),
        ("due = 2026-09-01", 'due = "soon"', r"action 1 \(A1\) due is 'soon'"),
        (
            "Sales Operations",
            "jane@northwind.example",
            "an e-mail address has no place in a report: name a role",
        ),
        ("[[actions]]", "[actions", "2026Q2.toml: not valid TOML"),
        (GOOD, GOOD + GOOD.split("\n", 1)[1], "action A1 stands there twice"),
        ('"A1"', '"../../A1"', r"id is '../../A1'"),
    ],
)
def test_a_slip_is_named_with_its_place(minutes, old, new, says):
    with pytest.raises(CrmDataError, match=says):
        actions.read_review(minutes(GOOD.replace(old, new)))


def test_a_file_not_named_after_a_quarter_is_refused(minutes):
    minutes(GOOD, quarter="july")
    with pytest.raises(
        CrmDataError, match=r"reviews/july\.toml: a review is named after the quarter reviewed"
    ):
        actions.read_reviews("here", before="2026Q3")


def test_only_reviews_before_the_report_count(minutes):
    """The review of 2026Q3 is held on the report of 2026Q3: that report cannot know it."""
    for quarter in ("2026Q1", "2026Q2", "2026Q3"):
        minutes(GOOD, quarter)
    assert list(actions.read_reviews("here", before="2026Q3")) == ["2026Q1", "2026Q2"]


def test_actions_are_carried_to_done_dropped_or_open(minutes):
    """A1 was opened in Q1 and done in Q2; A2 was left open in Q1 and nobody spoke of it since; A3 is gone."""
    first = GOOD + GOOD.split("\n", 1)[1].replace("A1", "A2")
    first += GOOD.split("\n", 1)[1].replace("A1", "A3").replace('"open"', '"done"')
    minutes(first, "2026Q1")
    minutes(GOOD.replace('"open"', '"done"'), "2026Q2")
    held = actions.read_reviews("here", before="2026Q3")
    got = actions.carry_actions(held, AS_OF)
    assert [(c.action.id, c.action.status, c.since, c.is_overdue, c.is_forgotten) for c in got] == [
        ("A1", "done", "2026Q1", False, False),
        ("A2", "open", "2026Q1", True, True),
    ]
    said = actions.actions_sentence(got, held)
    assert (
        said
        == "Review of 2026Q2, held on 2026-07-21: 1 done, 0 dropped, 1 open, of which 1 overdue."
    )


@pytest.mark.parametrize(
    ("day", "is_overdue"), [(dt.date(2026, 9, 1), False), (dt.date(2026, 9, 2), True)]
)
def test_an_action_is_overdue_from_the_day_after(minutes, day, is_overdue):
    minutes(GOOD)
    assert (
        actions.carry_actions(actions.read_reviews("here", before="2026Q3"), day)[0].is_overdue
        == is_overdue
    )
