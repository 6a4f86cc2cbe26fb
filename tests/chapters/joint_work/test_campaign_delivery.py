"""Campaigns as sales saw them: notice, milestones, text to post and leads, by hand."""

import datetime as dt

import pandas as pd
import pytest

from analysis.chapters.alignment import score_plans
from analysis.chapters.joint_work import campaign_delivery

SENT = dt.date(2026, 9, 14)  # a Monday


def notices(**columns):
    """Return three notices of one campaign: a week ahead, three days late, never."""
    told = [dt.date(2026, 9, 7), dt.date(2026, 9, 17), None]
    base = {
        "notice_id": list("abc"), "team_id": ["n", "s", "e"], "campaign_id": "c",
        "first_send_on": SENT, "notified_on": told, "has_talking_points": [True, False, False],
        "cites_agreed_narrative": None, "presented_on": [dt.date(2026, 9, 11), SENT, None],
        "goal_id": None, "n_reps_with_kit": pd.array([8, 2, None], "Int64"),
        "n_reps_posted": pd.array([5, 0, None], "Int64"),
    }  # fmt: skip
    return pd.DataFrame(base | columns)


def delivered(**columns):
    rows = notices(**columns)
    ahead = score_plans.notice_days(rows, pd.Series("Americas", rows.index), None)
    return campaign_delivery.with_delivery(rows, ahead, 5)


def test_notice_is_in_working_days_and_below_nothing_after_the_launch(figure):
    """Monday to Monday are 5 working days; Monday to Thursday after it -3; never is not in time."""
    got = delivered()
    assert got["ahead"].tolist()[:2] == [5.0, -3.0]
    assert pd.isna(got["ahead"][2])
    assert got["is_in_time"].tolist() == [True, False, False]
    figure("000-23", "told 5 working days before, 3 after, never: 1 of 3 in time, the middle 1 day")


def test_a_campaign_presented_on_the_day_of_its_launch_was_not_presented_before(figure):
    got = delivered()
    assert got["is_presented"].tolist() == [True, False, False]
    figure("000-18", "presented before, on the day, never: 1 of 3")


def test_what_nobody_fills_in_is_no_share():
    """Narrative and goals are blank in every row: their shares are missing, not nothing."""
    rows = delivered()
    assert campaign_delivery.untold_columns(rows) == ["cites_agreed_narrative", "has_goal"]
    table = campaign_delivery.delivery_by(rows, "campaign_id").iloc[0]
    assert table[["n", "median_ahead", "is_in_time"]].tolist() == [3, 1.0, pytest.approx(1 / 3)]
    assert table[["cites_agreed_narrative", "has_goal"]].isna().all()
    assert not campaign_delivery.untold_columns(delivered(goal_id=["g", None, None]))[1:]


def test_only_reps_with_a_kit_count(figure):
    """5 of 8 and 0 of 2 posted: a half; a team without a kit is no team that did not post."""
    got = campaign_delivery.kit_share(notices())
    assert (got.hits, got.n, got.share) == (5, 10, 0.5)
    none = campaign_delivery.kit_share(notices(n_reps_with_kit=pd.array([None] * 3, "Int64")))
    assert pd.isna(none.share)
    figure(
        "000-25", f"{got.hits} of {got.n} reps with text to post posted it; without kits missing"
    )


def test_milestones_that_are_due_and_not_done_are_late(figure):
    """On the day, five working days late, never; one due after the quarter does not count."""
    due = [SENT, SENT, SENT, dt.date(2026, 10, 5)]
    rows = pd.DataFrame(
        {
            "due_on": due,
            "done_on": [SENT, dt.date(2026, 9, 21), None, None],
            "is_shared": [True, False, None, True],
        }
    )
    got = campaign_delivery.milestone_shares(rows, pd.Timestamp("2026-10-01"))
    assert (got.on_time.hits, got.on_time.n) == (1, 3)
    assert (got.shared.hits, got.shared.n, got.median_slip) == (1, 2, 2.5)
    figure(
        "001-35", "done on the day, 5 days late, never: 1 of 3 on time, the middle slip 2.5 days"
    )


def test_a_lead_belongs_to_the_first_campaign_it_responded_to():
    """A second response elsewhere and a mere mailing do not count; a team without a row is left out."""
    handed = pd.DataFrame({"lead_id": ["l1", "l2"], "team_id": ["n", "nowhere"]})
    touches = pd.DataFrame(
        {
            "lead_id": ["l1", "l1", "l1", "l2"], "campaign_id": ["d", "c", "d", "c"],
            "touched_at": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-02"], utc=True),
            "is_response": [False, True, True, True],
        }
    )  # fmt: skip
    got = campaign_delivery.leads_by_notice(handed, touches, delivered())
    assert got[["lead_id", "campaign_id", "is_in_time"]].to_numpy().tolist() == [["l1", "c", True]]
