"""Hours are counted once, on the rep's own day, whatever claims them."""

from __future__ import annotations

import datetime as dt

import pytest
from crm_tables import ADA, BEN, cleaned, event, frame, opportunity, place, user, write
from shared_session import undone_house, undone_session

from analysis.cleaning import hours
from analysis.project.settings import ActivityRule, load_dataset_settings
from analysis.tables.canonical import ACTIVITY_CLASSES

MONDAY = dt.date(2026, 2, 2)


def entry(start: str, minutes: float | None = 60.0, activity_class: str = "selling", **other):
    """Return a clean activity of Ada's that begins at `start` UTC."""
    at = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)
    row = {
        "rep_id": ADA,
        "activity_class": activity_class,
        "started_at": at,
        "minutes": minutes,
        "is_all_day": False,
    }
    return {"activity_id": start + activity_class, "kind": "event"} | row | other


def counted(*activities, zone="UTC", **tables):
    """Return the rows of rep_day_hours by rep and day."""
    reps = [{"rep_id": ADA, "time_zone": zone}, {"rep_id": BEN, "time_zone": None}]
    with undone_house() as connection:
        place(connection, reps=reps, activities=list(activities), **tables)
        hours.by_day(connection)
        return frame(connection, "rep_day_hours").set_index(["rep_id", "day"])


def test_quirk_25_two_overlapping_meetings_count_their_union(raw):
    """10:00 to 11:00 and 10:30 to 11:30 are 90 minutes."""
    got = counted(entry("2026-02-02T10:00"), entry("2026-02-02T10:30")).loc[(ADA, MONDAY)]
    assert got["selling_hours"] == 1.5
    assert got["n_activities"] == 2


def test_a_meeting_within_another_adds_nothing(raw):
    """10 to 12 holds 10:30 to 11; what follows at 12 touches and does not overlap: 2 + 1 hours."""
    rows = (
        entry("2026-02-02T10:00", 120.0),
        entry("2026-02-02T10:30", 30.0),
        entry("2026-02-02T12:00"),
    )
    assert counted(*rows).loc[(ADA, MONDAY), "selling_hours"] == 3.0


def test_a_short_meeting_does_not_hide_the_end_of_a_long_one(raw):
    """10 to 13, 11 to 11:30, 12 to 13, 14 to 15: the third lies in the first though it follows the second: 3 + 1."""
    rows = [
        entry(f"2026-02-02T{hour}:00", minutes)
        for hour, minutes in ((10, 180.0), (11, 30.0), (12, 60.0), (14, 60.0))
    ]
    assert counted(*rows).loc[(ADA, MONDAY), "selling_hours"] == 4.0


def test_classes_nest_into_the_definitions(raw):
    """Selling 10 to 11, preparation 10:30 to 11:30, prospecting 13 to 14, internal 15 to 16.

    Selling 1; with preparation 10 to 11:30, 1.5; with prospecting 2.5; each class alone 1.
    """
    rows = [
        entry("2026-02-02T10:00"),
        entry("2026-02-02T10:30", 60.0, "preparation"),
        entry("2026-02-02T13:00", 60.0, "prospecting"),
        entry("2026-02-02T15:00", 60.0, "internal"),
    ]
    got = counted(*rows).loc[(ADA, MONDAY)]
    names = ["selling_hours", "selling_preparation_hours", "selling_prospecting_hours"]
    assert got[names].tolist() == [1.0, 1.5, 2.5]
    classes = {c: got[f"{c}_class_hours"] for c in ACTIVITY_CLASSES}
    alone = dict.fromkeys(("selling", "preparation", "prospecting", "internal"), 1.0)
    assert classes == dict.fromkeys(ACTIVITY_CLASSES, 0.0) | alone


def test_quirk_24_two_people_in_one_meeting_are_two_person_hours(raw):
    got = counted(entry("2026-02-02T10:00"), entry("2026-02-02T10:00", activity_id="b", rep_id=BEN))
    assert got["selling_hours"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", MONDAY), ("Europe/Paris", dt.date(2026, 2, 3)), ("America/Los_Angeles", MONDAY)],
)
def test_a_day_is_the_reps_own(raw, zone, day):
    """23:30 in London is half past midnight in Paris, and the afternoon in Los Angeles."""
    got = counted(entry("2026-02-02T23:30", 30.0), zone=zone)
    assert got.index.tolist() == [(ADA, day)]


def test_a_rep_without_a_zone_lives_in_the_companys(raw):
    """New York: 3 o'clock UTC is 22 o'clock of the day before."""
    got = counted(entry("2026-02-02T03:00", rep_id=BEN))
    assert got.index.tolist() == [(BEN, dt.date(2026, 2, 1))]


def test_hours_across_midnight_count_once_on_the_day_they_passed(raw):
    """23:00 to 01:00 and, the next day, 00:30 to 01:30: an hour on Monday, 00:00 to 01:30 on Tuesday."""
    got = counted(entry("2026-02-02T23:00", 120.0), entry("2026-02-03T00:30"))
    assert got["selling_hours"].to_dict() == {(ADA, MONDAY): 1.0, (ADA, dt.date(2026, 2, 3)): 1.5}


def test_a_day_on_which_only_a_meeting_of_the_day_before_ends_has_no_entry(raw):
    """23:00 to 01:00: an hour on Tuesday, and nothing that began on it."""
    got = counted(entry("2026-02-02T23:00", 120.0)).loc[(ADA, dt.date(2026, 2, 3))]
    assert got["logged_hours"] == 1
    assert got[["n_activities", "n_event", "n_call", "n_email", "n_task"]].tolist() == [0] * 5


def test_quirk_17_a_spring_night_has_an_hour_less(raw):
    """In New York clocks go from 2 to 3 on 8 March 2026: 1:30 to 3:30 by the wall is 6:30 to 7:30 UTC, an hour.

    It overlaps a call from 7:00 to 8:00 UTC (3:00 to 4:00 by the wall) by half an hour.
    """
    got = counted(entry("2026-03-08T06:30"), entry("2026-03-08T07:00"), zone="America/New_York")
    assert got["selling_hours"].to_dict() == {(ADA, dt.date(2026, 3, 8)): 1.5}


def test_quirk_22_an_all_day_entry_is_a_day_and_no_hours(raw):
    """On the day it is written for, in any zone; a day off is counted as one."""
    rows = [
        entry("2026-02-02T00:00", 1440.0, is_all_day=True),
        entry("2026-02-03T00:00", 0.0, "time_off", is_all_day=True),
    ]
    got = counted(*rows, zone="America/New_York")
    assert got.index.tolist() == [(ADA, MONDAY), (ADA, dt.date(2026, 2, 3))]
    assert got["selling_hours"].tolist() == [0.0, 0.0]
    assert got["n_activities"].tolist() == [1, 1]
    assert got["n_time_off"].tolist() == [0, 1]


@pytest.mark.parametrize("minutes", [None, 0.0])
def test_quirk_27_an_entry_without_length_is_counted_and_adds_no_hours(raw, minutes):
    got = counted(entry("2026-02-02T10:00", minutes)).loc[(ADA, MONDAY)]
    assert (got["n_activities"], got["selling_hours"]) == (1, 0.0)


def test_the_union_never_exceeds_the_sum(raw):
    """Five meetings begun a quarter of an hour apart: 5 hours of entries, 2 hours of time."""
    rows = [entry(f"2026-02-02T10:{m:02d}") for m in (0, 15, 30, 45)] + [entry("2026-02-02T11:00")]
    assert counted(*rows).loc[(ADA, MONDAY), "selling_hours"] == 2.0


def classified(subject, *pairs, has_client=False):
    table = [ActivityRule(activity_class=c, pattern=p) for c, p in pairs]
    return class_of(subject, table, has_client=has_client)


def class_of(subject, table, *, has_client):
    with undone_session() as connection:
        connection.execute(
            "create table parsed_activities as select ?::varchar as subject", [subject]
        )
        hours.define_classes(connection, table)
        return connection.execute("select activity_class(?, ?)", [subject, has_client]).fetchone()[
            0
        ]


PAIRS = (("internal", "^pipeline"), ("selling", "review|demo"))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Pipeline review", "internal"),
        ("PIPELINE", "internal"),
        ("Contract review", "selling"),
        ("Weekly Backup for SmartSalesCorp", "unclassified"),
        ("test", "unclassified"),
        ("Zoho CRM Demo", "selling"),
        ("", "unclassified"),
        (None, "unclassified"),
        ("'); drop table reps; --", "unclassified"),
    ],
)
def test_quirk_29_the_first_match_decides_and_the_rest_stays_unclassified(subject, expected):
    assert classified(subject, *PAIRS) == expected


HOUSE = load_dataset_settings("demo").activity_classes


@pytest.mark.parametrize(
    ("subject", "has_client", "expected"),
    [
        ("Intro call", False, "selling"),
        ("Northwind: onsite visit", False, "selling"),
        ("QBR", False, "selling"),
        ("Zoom", False, "unclassified"),
        ("Zoom", True, "selling"),
        ("Microsoft Teams meeting", False, "unclassified"),
        ("Microsoft Teams meeting", True, "selling"),
        ("Team meeting", True, "internal"),
        ("Prep for client call", False, "preparation"),
        ("Kundentermin Müller GmbH", False, "selling"),
        ("Besprechung", True, "selling"),
        ("Urlaub", False, "time_off"),
        ("Démo produit", False, "selling"),
        ("Réunion d'équipe", True, "internal"),
        ("Congés", False, "time_off"),
        ("Llamada: seguimiento", False, "selling"),
        ("Preparación oferta", False, "preparation"),
        ("Incontro con Rossi", False, "selling"),
        ("Klantbezoek Utrecht", False, "selling"),
        ("Reunião com fornecedor", False, "selling"),
        ("Recalling nothing", False, "unclassified"),
        ("Demotivated", False, "unclassified"),
    ],
)
def test_the_house_patterns_match_whole_words_in_seven_languages(subject, has_client, expected):
    assert class_of(subject, HOUSE, has_client=has_client) == expected


def test_a_word_ends_where_its_letters_end_in_any_alphabet():
    """The letter after Demo is one, though no English one."""
    assert classified("Demoá", ("selling", "demo")) == "unclassified"
    assert classified("(demo)", ("selling", "demo")) == "selling"
    assert classified("Demoя", ("selling", "demo")) == "unclassified"
    assert classified("商談 демо", ("selling", "демо")) == "selling"


def test_western_subjects_have_the_word_ends_that_any_subject_has():
    """Sign by sign: what the short class calls a letter or digit is what Unicode calls one."""
    signs = [
        *range(1, 0x250),
        *range(0x2000, 0x2070),
        *range(0x20A0, 0x20C0),
        *range(0x2190, 0x2200),
    ]
    with undone_session() as connection:
        row = connection.execute(
            f"""select count(*), count(*) filter (regexp_full_match(sign, '{hours.WESTERN}')),
              count(*) filter (regexp_matches(sign, '[{hours.WORD}]', 'i') <> regexp_matches(sign, '[{hours.WESTERN_WORD}]', 'i'))
            from (select chr(unnest(?::int[])) as sign)""",
            [signs],
        ).fetchone()
    assert row == (len(signs), len(signs), 0)


def test_order_decides_between_two_that_match():
    assert classified("Pipeline review", *reversed(PAIRS)) == "selling"


def test_without_a_table_all_is_unclassified():
    assert classified("Demo") == "unclassified"


def test_a_quote_in_a_pattern_is_a_quote():
    assert classified("Ada's demo", ("selling", "ada's")) == "selling"


def test_an_autumn_night_has_an_hour_more(raw):
    """In New York clocks go from 2 back to 1 on 1 November 2026: 0:30 to 3:30 by the wall are four hours."""
    got = counted(entry("2026-11-01T04:30", 240.0), zone="America/New_York")
    assert got["selling_hours"].to_dict() == {(ADA, dt.date(2026, 11, 1)): 4.0}


def test_an_entry_of_days_fills_each_of_them(raw):
    """From 22:00 on Monday for 30 hours: 2, 24 and 4; a rule of one's own let it through."""
    got = counted(entry("2026-02-02T22:00", 1800.0), entry("2026-02-03T10:00")).sort_index()
    assert got["logged_hours"].tolist() == [2.0, 24.0, 4.0]
    assert got["n_activities"].tolist() == [1, 1, 0]


STAGES = [
    {
        "opportunity_id": "hot",
        "stage": "Proposal",
        "entered_at": dt.datetime(2026, 1, 5, tzinfo=dt.UTC),
    },
    {
        "opportunity_id": "hot",
        "stage": "negotiation ",
        "entered_at": dt.datetime(2026, 2, 2, 11, tzinfo=dt.UTC),
    },
]


def test_hours_on_a_deal_past_proposal_are_kept_apart(raw):
    """The deal is in negotiation from 11 on: of 10 to 11, 11 to 12 and 11:30 to 12:30 the last two are late, 1.5 hours."""
    about = {"opportunity_id": "hot"}
    rows = (
        entry("2026-02-02T10:00", **about),
        entry("2026-02-02T11:00", **about),
        entry("2026-02-02T11:30", **about),
    )
    other = entry("2026-02-02T14:00"), entry("2026-02-02T16:00", 60.0, "internal", **about)
    got = counted(*rows, *other, stage_history=STAGES).loc[(ADA, MONDAY)]
    assert got[["late_selling_hours", "selling_hours"]].tolist() == [1.5, 3.5]


def test_without_a_history_of_stages_late_hours_are_unknown(raw):
    assert (
        counted(entry("2026-02-02T10:00", opportunity_id="hot"))["late_selling_hours"].isna().all()
    )


def test_entries_are_counted_by_what_they_say_about_logging(raw):
    """One of selling, one of other work, a day off in none of both."""
    rows = (
        entry("2026-02-02T10:00", kind="call"),
        entry("2026-02-02T12:00", 60.0, "admin"),
        entry("2026-02-02T00:00", 0.0, "time_off", is_all_day=True),
    )
    got = counted(*rows).loc[(ADA, MONDAY)]
    assert got[
        ["n_activities", "n_time_off", "n_selling", "n_other", "n_event", "n_call"]
    ].tolist() == [
        3,
        1,
        1,
        1,
        2,
        1,
    ]


def test_quirk_25_a_meeting_that_a_sync_wrote_beside_the_reps_own_is_dropped(raw):
    """Salesforce says who created each: Ada's hour at 10 and the sync's at 10:05 are one, at 15 there is no other."""
    sync = "005000000000009AAA"
    events = [
        event(1, CreatedById=ADA),
        event(2, CreatedById=sync, Subject="demo!", StartDateTime="2026-02-02T10:05:00Z", EndDateTime="2026-02-02T11:05:00Z"),
        event(3, CreatedById=sync, StartDateTime="2026-02-02T15:00:00Z", EndDateTime="2026-02-02T16:00:00Z"),
        event(4, CreatedById=sync, StartDateTime="2026-02-02T15:04:00Z", EndDateTime="2026-02-02T16:04:00Z"),
    ]  # fmt: skip
    write(raw, User=[user()], Opportunity=[opportunity(1)], Event=events)
    got = cleaned()
    assert got.aside("activities") == {"near_duplicate": 1}
    assert sorted(got.tables["activities"]["activity_id"]) == [
        e["Id"] for e in (events[0], *events[2:])
    ]


@pytest.mark.parametrize(
    ("person", "status", "expected"),
    [
        ("003000000000001AAA", "Accepted", "selling"),
        ("003000000000001AAA", "Declined", "unclassified"),
        (BEN, "Accepted", "unclassified"),
        (None, "", "unclassified"),
    ],
)
def test_a_zoom_is_selling_only_where_a_client_came(raw, person, status, expected):
    """A contact who accepted makes it one; one who declined, a colleague or nobody does not."""
    meeting = event(1, Subject="Zoom")
    invited = [
        {
            "Id": "0RE000000000001AAA", "EventId": meeting["Id"], "RelationId": person or BEN,
            "IsInvitee": "true", "Status": status, "IsDeleted": "false" if person else "true",
        }
    ]  # fmt: skip
    write(
        raw, User=[user(ADA), user(BEN)], Opportunity=[opportunity(1)], Event=[meeting],
        EventRelation=invited,
    )  # fmt: skip
    assert cleaned().tables["activities"]["activity_class"].tolist() == [expected]
