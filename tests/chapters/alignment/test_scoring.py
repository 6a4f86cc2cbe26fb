"""What was done, of how much: every item worked by hand, and unknown where there is nothing to count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from alignment_tables import MONDAYS, calendar, company, day, funnel, meetings, scored, stamp

from analysis.chapters.alignment import score_leads, scoring
from analysis.project.errors import CrmDataError
from analysis.project.settings import Standards


def test_365_of_500_leads_answered_in_time_and_leads_younger_than_that_left_out():
    """500 due: 365 accepted on the third day, 135 on the twentieth; 20 handed over on the last day are not due."""
    rows = []
    for i in range(520):
        at = "2026-02-02T09:00" if i < 500 else "2026-06-30T09:00"
        answer = "2026-02-05T09:00" if i < 365 else "2026-02-22T09:00"
        rows.append((f"L{i}", "mql", at))
        if i < 500:
            rows.append((f"L{i}", "sal", answer))
    tables = company(**funnel(rows))
    got = scored(tables, "E02")
    assert (got["k"], got["n"], got["share"]) == (365, 500, 0.73)
    assert scored(tables, "E02", quarter="2026Q2")["n"] == 0


def test_a_lead_that_went_back_to_open_was_not_answered():
    rows = [("L1", "mql", "2026-02-02T09:00"), ("L1", "open", "2026-02-03T09:00")]
    assert scored(company(**funnel(rows)), "E02")["share"] == 0


def test_a_status_renamed_within_a_stage_is_one_hand_over():
    """MQL and "MQL, contacted" are one stage: one lead due, answered on the second day."""
    rows = [("L1", "mql", "2026-02-02T09:00"), ("L1", "mql", "2026-02-03T09:00"),
            ("L1", "disqualified", "2026-02-04T09:00")]  # fmt: skip
    got = scored(company(**funnel(rows)), "E02")
    assert (got["k"], got["n"]) == (1, 1)


def test_first_touch_censors_leads_the_quarter_ends_on():
    """Touched after 2 and 30 h; one never, but seen for days; one seen for 12 h of the 24 only.

    At risk at 2 h: four, so S = 3/4; nobody else is touched within 24 h: 1 - 3/4 = 0.25.
    """
    rows = [(f"L{i}", "mql", "2026-02-02T10:00") for i in range(3)]
    rows.append(("L3", "mql", "2026-03-31T12:00"))
    acts = pd.DataFrame(
        {
            "activity_id": ["T1", "T2"],
            "rep_id": "A1",
            "started_at": [stamp("2026-02-02T12:00"), stamp("2026-02-03T16:00")],
            "is_all_day": False,
            "lead_id": ["L0", "L1"],
        }
    )
    got = scored(company(**funnel(rows), activities=acts), "E03")
    assert got["share"] == pytest.approx(0.25)
    assert got["n"] == pytest.approx(4.0)


def test_kaplan_meier_by_hand():
    """Events at 1 h (5 at risk) and 3 h (2 at risk): 1 - 4/5 x 1/2 = 0.6."""
    waited, event = np.array([1.0, 2.0, 2.5, 3.0, 9.0]), np.array([True, False, False, True, False])
    assert score_leads.chance_within(waited, event, 24.0)[0] == pytest.approx(0.6)


def test_without_a_link_between_leads_and_activities_first_touch_is_unknown():
    rows = [("L0", "mql", "2026-02-02T10:00")]
    acts = calendar([("A1", "2026-02-02T12:00", ("customer",))])
    assert np.isnan(scored(company(**funnel(rows), **acts), "E03")["share"])


def test_a_lead_in_contact_before_it_was_handed_over_was_contacted_at_once():
    rows = [("L0", "mql", "2026-02-02T10:00")]
    links = calendar([("A1", "2026-01-30T12:00", ("customer",))])
    links["activities"]["lead_id"] = "L0"
    tables = company(**funnel(rows, created_at=[stamp("2026-01-20T00:00")]), **links)
    assert scored(tables, "E03")["share"] == 1


@pytest.mark.parametrize(("n", "share"), [(4, np.nan), (5, 0.6)])
def test_under_five_returned_leads_say_nothing(n, share):
    """Three of five were nurtured by the seventh day, two on the ninth."""
    rows = []
    for i in range(n):
        taken = "2026-02-09T08:00" if i < 3 else "2026-02-11T09:00"
        steps = [("sal", "2026-01-30T09:00"), ("open", "2026-02-02T09:00"), ("nurture", taken)]
        rows += [(f"L{i}", stage, at) for stage, at in steps]
    np.testing.assert_equal(scored(company(**funnel(rows)), "E04")["share"], share)


def test_a_returned_lead_left_open_or_dropped_without_nurture_counts_against():
    """L0 and L1 go to nurture at once, L2 lies open, L3 is disqualified, L4 disqualified and nurtured a day later: 3/5.

    L5 was disqualified before it was handed over and L6 is sold to still: neither was given back.
    """
    last = [("nurture",), ("nurture",), ("open",), ("disqualified",), ("disqualified", "nurture")]
    rows = []
    for i, stages in enumerate(last):
        rows += [(f"L{i}", "mql", "2026-02-02T09:00"), (f"L{i}", "sql", "2026-02-03T09:00")]
        rows += [(f"L{i}", stage, f"2026-02-{10 + day}T09:00") for day, stage in enumerate(stages)]
    rows += [("L5", "open", "2026-02-02T09:00"), ("L5", "disqualified", "2026-02-03T09:00")]
    rows += [("L6", "mql", "2026-02-02T09:00"), ("L6", "sal", "2026-02-03T09:00")]
    got = scored(company(**funnel(rows)), "E04")
    assert (got["k"], got["n"]) == (pytest.approx(3), 5)


def test_200_of_250_closed_opportunities_lead_back_to_a_campaign():
    n = 260
    deals = pd.DataFrame(
        {
            "opportunity_id": [f"O{i}" for i in range(n)],
            "status": ["won", "lost"] * 125 + ["open"] * 10,
            "close_date": day("2026-03-01"),
            "owner_rep_id": "A1",
            "owner_at_close_rep_id": None,
            "campaign_id": ["C1"] * 150 + [None] * 110,
        }
    )
    touches = pd.DataFrame({"opportunity_id": [f"O{i}" for i in range(140, 200)]})
    leads = funnel(
        [(f"L{i}", "mql", "2026-01-05T09:00") for i in range(n)],
        opportunity_id=deals["opportunity_id"],
    )
    got = scored(company(opportunities=deals, touches=touches, **leads), "E05")
    assert (got["k"], got["n"], got["share"]) == (200, 250, 0.8)


def test_leads_handed_over_under_an_approved_definition():
    """Version 1 was approved in January 2025: a year later it no longer counts.  Version 2 never was."""
    versions = pd.DataFrame(
        {
            "team_id": ["A", None],
            "valid_from": [day("2025-01-10"), day("2026-03-01")],
            "valid_to": [day("2026-03-01"), None],
            "approved_by_sales_on": [day("2025-01-20"), None],
        }
    )
    rows = [("L1", "mql", "2026-01-19T09:00"), ("L2", "mql", "2026-01-20T09:00"),
            ("L3", "mql", "2026-03-05T09:00")]  # fmt: skip
    got = scored(company(**funnel(rows), sales_ready_definitions=versions), "E01")
    assert (got["k"], got["n"]) == (1, 3)


def test_11_of_13_weeks_with_a_meeting_by_the_minutes():
    held = meetings(
        [("A", d, "weekly") for d in MONDAYS[:11]] + [("A", d, "weekly") for d in MONDAYS[:3]]
    )
    got = scored(company(joint_meetings=held), "E06")
    assert (got["k"], got["n"]) == (11, 13)
    assert round(got["share"], 3) == 0.846


def test_the_calendar_counts_weeks_marketing_met_sales_without_customers():
    """Three meetings in two weeks, and one with a customer, which is field time."""
    rows = [("A1", f"2026-01-{d:02d}T09:00", ("marketing",)) for d in (5, 6, 14)]
    tables = company(**calendar([*rows, ("A1", "2026-01-21T09:00", ("marketing", "customer"))]))
    got = scored(tables, "E06")
    assert (got["k"], got["n"]) == (2, 13)


def test_a_week_without_a_working_day_is_not_missed():
    days = pd.date_range("2026-01-01", "2026-06-30")
    off = (days >= "2026-01-05") & (days < "2026-01-12")
    calendars = [
        pd.DataFrame(
            {"date": days.date, "region": region, "is_workday": (days.day_of_week < 5) & ~off}
        )
        for region in ("EMEA", "APAC")
    ]
    held = meetings([("A", d, "weekly") for d in MONDAYS])
    got = scored(company(joint_meetings=held, working_calendar=pd.concat(calendars)), "E06")
    assert (got["k"], got["n"]) == (12, 12)


def test_before_a_log_begins_no_meeting_is_unknown_and_not_none():
    """Minutes begin in 2026Q2: 2026Q1 is unknown, and team B, which met nobody since, has none of 13."""
    tables = company(joint_meetings=meetings([("A", day("2026-04-07"), "weekly")]))
    assert np.isnan(scored(tables, "E06")["share"])
    assert scored(tables, "E06", team="B", quarter="2026Q2")["share"] == 0


def test_2_of_3_months_with_a_managers_review():
    held = meetings([("A", day(d), "managers") for d in ("2026-01-08", "2026-01-20", "2026-03-03")])
    got = scored(company(joint_meetings=held), "E07")
    assert (got["k"], got["n"], round(got["share"], 3)) == (2, 3, 0.667)


def test_new_reps_met_marketing_within_their_first_month():
    """A1 met marketing on its 29th day, A9 is no rep, A2 on its 31st; none of B was hired."""
    tables = company(
        **calendar(
            [
                ("A1", "2026-01-05T09:00", ("marketing",)),
                ("A1", "2026-02-08T09:00", ("marketing",)),
                ("A2", "2026-02-11T09:00", ("marketing",)),
            ]
        )
    )
    tables["reps"] = pd.DataFrame(
        {
            "rep_id": ["A1", "A2", "M1"],
            "role": ["rep", "rep", "marketing"],
            "hired_on": [day("2026-01-10"), day("2026-01-12"), None],
        }
    )
    tables["rep_team_history"] = pd.DataFrame(
        {
            "rep_id": ["A1", "A2", "B1"],
            "team_id": ["A", "A", "B"],
            "valid_from": None,
            "valid_to": None,
        }
    )
    got = scored(tables, "E08")
    assert (got["k"], got["n"]) == (1, 2)
    assert np.isnan(scored(tables, "E08", team="B")["share"])


def test_objectives_review_and_executive_are_a_third_each():
    goal = {"goal_id": "G1", "team_id": "A", "period_start": day("2026-01-01"), "period_end": day("2026-04-01"),
            "sales_owner_rep_id": "A9", "marketing_owner_rep_id": None}  # fmt: skip
    held = meetings([("A", day("2026-03-20"), "quarterly"), ("B", day("2026-03-20"), "quarterly")])
    held["is_executive_present"] = [False, True]
    tables = company(goals=pd.DataFrame([goal]), joint_meetings=held)
    assert scored(tables, "E09")["share"] == pytest.approx(2 / 3)
    assert scored(tables, "E09", team="B")["share"] == pytest.approx(2 / 3)


def test_a_meeting_counts_with_agenda_leader_and_on_time():
    """Of four, one has no agenda, one began late; of one it is not known whether it had a leader."""
    held = meetings([("A", day("2026-02-02"), "weekly")] * 4)
    held["has_agenda"] = [True, False, True, True]
    held["minutes_late"] = [0.0, 0.0, 12.0, 0.0]
    held["has_leader"] = pd.Series([True, True, True, None], dtype="object")
    got = scored(company(joint_meetings=held), "E10")
    assert (got["k"], got["n"]) == (1, 3)


def test_an_as_of_day_cuts_the_last_quarter_short():
    held = meetings([("A", d, "weekly") for d in MONDAYS])
    got = scored(company(joint_meetings=held), "E06", as_of=MONDAYS[3])
    assert (got["k"], got["n"]) == (4, 4)


def test_a_timestamp_falls_on_the_day_of_the_companys_zone():
    """One in the morning of 1 April UTC is still March in New York."""
    rows = [("A1", "2026-04-01T01:00", ("marketing",))]
    tables = company(**calendar(rows))
    got = scoring.evidence_table(tables, time_zone="America/New_York", items="core")
    week = got[(got["team_id"] == "A") & (got["item"] == "E06") & (got["quarter"] == "2026Q1")]
    assert week["k"].tolist() == [1.0]


def test_odd_and_even_weeks_share_a_quarter_between_them():
    tables = company(joint_meetings=meetings([("A", d, "weekly") for d in MONDAYS[:11]]))
    halves = [scored(tables, "E06", half=half) for half in ("odd", "even")]
    assert sorted(h["n"] for h in halves) == [6, 7]
    assert sum(h["k"] for h in halves) == 11


def test_core_looks_at_no_hand_kept_table():
    """Minutes are held, but core asks the calendar, and there is none."""
    tables = company(joint_meetings=meetings([("A", d, "weekly") for d in MONDAYS]))
    got = scoring.evidence_table(tables, time_zone="UTC", items="core")
    assert got["share"].isna().all()
    assert set(got["item"]) == {"E02", "E03", "E04", "E05", "E06", "E07", "E08"}


def test_an_error_is_above_zero_at_the_ends():
    """0 of 13 has a chance of 0.5 / 14: the error is sqrt(0.0357 x 0.9643 / 13)."""
    errors = scoring.standard_error(
        pd.Series([0.0, 1.0, 0.5, np.nan]), pd.Series([13.0, 13.0, np.inf, 0.0])
    )
    assert errors[:2].tolist() == pytest.approx([0.0515, 0.0515], abs=5e-5)
    assert errors[2] == 0
    assert np.isnan(errors[3])


def test_a_table_without_a_column_is_named():
    tables = company(plans=pd.DataFrame({"plan_id": ["P1"], "team_id": ["A"]}))
    with pytest.raises(CrmDataError, match=r"plans: needs period_start, period_end"):
        scored(tables, "E12")


def test_standards_are_the_companys_to_set():
    rows = [("L1", "mql", "2026-02-02T09:00"), ("L1", "sal", "2026-02-12T09:00")]
    tables = company(**funnel(rows))
    assert scored(tables, "E02")["share"] == 0
    assert scored(tables, "E02", standards=Standards(disposition_days=14))["share"] == 1
