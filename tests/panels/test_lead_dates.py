"""A lead's days, the activity that brought it and the hours it took; what nobody says stays missing."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from crm_tables import ADA, NORTH
from test_build import D, activity, built, deal

CAMPAIGNS = [
    {"campaign_id": "c1", "campaign_type": "Webinar"},
    {"campaign_id": "c2", "campaign_type": "Email"},
    {"campaign_id": "c3"},
]


def at(day: D, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC)


def lead(name: str, **other):
    row = {"lead_id": name, "person_key": f"p-{name}", "created_at": at(D(2026, 1, 10))}
    return row | {"owner_rep_id": ADA, "lead_source": "Web"} | other


def touch(name: str, campaign: str, day: D, *, is_response: bool = True):
    row = {"person_key": f"p-{name}", "campaign_id": campaign, "touched_at": at(day)}
    return row | {"is_response": is_response}


LEADS = [
    lead("first"),
    lead("sent"),
    lead("late", converted_on=D(2026, 2, 1), opportunity_id="1"),
    lead("untyped"),
    lead("shared", converted_on=D(2026, 2, 1), opportunity_id="1"),
    lead("gone", converted_on=D(2026, 2, 1), opportunity_id="9"),
    lead("out", lead_stage="disqualified", lead_source=None),
]
TOUCHES = [
    touch("first", "c2", D(2026, 2, 9)),
    touch("first", "c1", D(2026, 1, 20)),
    touch("sent", "c1", D(2026, 1, 20), is_response=False),
    touch("late", "c1", D(2026, 2, 2)),  # the day after it converted
    touch("untyped", "c3", D(2026, 1, 20)),
]
MOVES = [
    {
        "lead_id": "out",
        "lead_status": "Out",
        "lead_stage": "disqualified",
        "entered_at": at(D(2026, 1, 12)),
        "exited_at": at(D(2026, 1, 15)),
    },
    {
        "lead_id": "out",
        "lead_status": "Out",
        "lead_stage": "disqualified",
        "entered_at": at(D(2026, 1, 30)),
    },
]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    worked = [
        activity(D(2026, 1, 12), 30.0, lead_id="first"),
        activity(D(2026, 1, 13), 60.0, opportunity_id="1"),
    ]
    got = built(
        leads=LEADS,
        touches=TOUCHES,
        campaigns=CAMPAIGNS,
        lead_status_history=MOVES,
        opportunities=[deal(1, D(2026, 3, 1))],
        activities=worked,
    )
    return got["lead_dates"].set_index("lead_id")


def test_the_activity_is_that_of_the_first_response_else_the_source(rows):
    """The earlier of two responses; being sent something is none, nor is what came after the conversion."""
    assert rows.loc[["first", "sent", "late"], "activity"].tolist() == ["Webinar", "Web", "Web"]
    assert rows.loc["first", "activity_basis"] == "first response"
    assert rows.loc["sent", "activity_basis"] == "lead source"


def test_a_response_to_a_campaign_without_a_type_is_no_source(rows):
    assert pd.isna(rows.loc["untyped", "activity"])
    assert rows.loc["untyped", "activity_basis"] == "response to a campaign without type"
    assert pd.isna(rows.loc["out", "activity_basis"])


def test_two_leads_of_one_deal_share_its_amount_and_its_hours(rows):
    """100 and one hour between two; the half hour about a lead is that lead's."""
    assert rows.loc[["late", "shared"], "deal_amount"].tolist() == [50.0, 50.0]
    assert rows.loc[["late", "shared", "first", "sent"], "rep_hours"].tolist() == [0.5, 0.5, 0.5, 0]


def test_a_deal_in_no_export_has_no_outcome(rows):
    assert rows.loc["gone", "outcome"] == "not exported"
    assert rows.loc["late", "outcome"] == "won"
    assert pd.isna(rows.loc["gone", "won_on"])
    assert str(rows.loc["gone", "opportunity_on"])[:10] == "2026-02-01"


def test_only_the_disqualification_that_holds_ends_a_lead(rows):
    """Disqualified on the 12th, back on the 15th, again on the 30th."""
    assert str(rows.loc["out", "disqualified_on"])[:10] == "2026-01-30"
    assert rows["disqualified_on"].notna().sum() == 1


def test_team_is_that_of_the_owner_on_the_day_it_came(rows):
    assert rows["team_id"].eq(NORTH).all()


def test_without_touches_no_lead_has_an_activity():
    """Nobody exported who responded, so a source does not stand in for it."""
    got = built(leads=[lead("first")], campaigns=CAMPAIGNS)["lead_dates"]
    assert got["activity"].isna().all()
    assert got["activity_basis"].isna().all()
    assert got["lead_source"].tolist() == ["Web"]
    assert got["rep_hours"].isna().all()
