"""Reps heard in small meetings, by hand."""

import pandas as pd

from analysis.chapters.joint_work import small_meetings


def test_an_owner_who_is_not_on_the_list_counts_once_and_one_who_is_not_twice():
    """Five on the list and the owner apart: six; six on the list, the owner among them: six."""
    there = pd.DataFrame(
        {
            "activity_id": ["a"] * 5 + ["b"] * 6, "person_key": [*"12345", *"123456"],
            "rep_id": [None] * 5 + ["r", *[None] * 5],
        }
    )  # fmt: skip
    acts = pd.DataFrame({"activity_id": ["a", "b"], "rep_id": ["r", "r"]})
    assert small_meetings.meeting_sizes(acts, there).to_dict() == {"a": 6, "b": 6}


def test_a_call_of_twenty_hears_nobody(figure):
    """Two of four reps sat among six; one was on the large call alone, one with a customer, one not at all."""
    seats = pd.DataFrame(
        {
            "activity_id": ["small", "small", "large", "field"], "rep_id": ["r", "s", "t", "t"],
            "is_field": [False, False, False, True],
        }
    )  # fmt: skip
    sizes = pd.Series({"small": 6, "large": 20, "field": 3})
    got = small_meetings.heard_share(seats, sizes, {"r", "s", "t", "u"})
    assert (got.hits, got.n) == (2, 4)
    figure("003-15", f"{got.hits} of {got.n} reps heard among six; a call of 20 does not count")


def test_meetings_far_ahead_are_of_those_put_in_before_they_began(figure):
    """30 days ahead, 29, after it began, and no day: one of the two that were planned."""
    start = pd.Timestamp("2026-03-31 10:00", tz="UTC")
    noted = [start - pd.Timedelta(days=30), start - pd.Timedelta(days=29), start, pd.NaT]
    got = small_meetings.ahead_share(pd.DataFrame({"started_at": start, "logged_at": noted}))
    assert (got.hits, got.n) == (1, 2)
    figure("004-06", "1 of 2 joint meetings put in 30 days ahead; one put in afterwards is neither")
