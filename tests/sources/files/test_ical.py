"""A rep's calendar becomes the meetings that took place, each once, at its own time."""

from __future__ import annotations

import datetime as dt

import pytest
from crm_tables import ADA, cleaned, event, opportunity, user, write
from shared_session import undone_session

from analysis.sources import field_maps
from analysis.sources import intake as sources_intake
from analysis.sources.files import ical_series

UNTIL = dt.date(2026, 3, 31)


def calendar(*events: str, head: str = "") -> str:
    body = "".join(f"BEGIN:VEVENT\n{e.strip()}\nEND:VEVENT\n" for e in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{body}END:VCALENDAR\n"


DEMO = "UID:1\nSUMMARY:Demo\nDTSTART:20260202T100000Z\nDTEND:20260202T110000Z"


def meetings(raw, text: str, name: str = f"{ADA}.ics", until: dt.date = UNTIL):
    """Return the intake of one calendar and its meetings: rep, start, end, all-day."""
    (raw / name).write_text(text, encoding="utf-8")
    with undone_session() as connection:
        intake = sources_intake.read_files(
            connection, sources_intake.files_of(raw), field_maps.exports_known("here"), until
        )
        found = [e for e in intake.exports if e.file == name]
        rows = (
            connection.execute(
                f"select c1, c3, c4, c5 from {found[0].text_table} order by c3"
            ).fetchall()
            if found
            else []
        )
    if found:
        assert found[0].n_rows == len(rows) + len(intake.broken_lines)
    return intake, rows


def starts(raw, *events: str, **other) -> list[str]:
    return [row[1] for row in meetings(raw, calendar(*events), **other)[1]]


def of_calendar(raw, *events: str, head: str = "", name: str = f"{ADA}.ics", users=None, **exports):
    """Return the pass over a company of one deal, whose only activities are of one calendar."""
    write(raw, User=users or [user()], Opportunity=[opportunity(1)], **exports)
    (raw / name).write_text(calendar(*events, head=head), encoding="utf-8")
    return cleaned()


def test_a_meeting_is_a_row_of_the_rep_whose_calendar_it_is(raw):
    _, rows = meetings(raw, calendar(DEMO))
    assert rows == [(ADA, "2026-02-02T10:00:00Z", "2026-02-02T11:00:00Z", "false")]


def test_a_change_of_this_and_all_following_meetings_keeps_each_of_them(raw):
    """Four Mondays of an hour; from the third on two hours each, under one slot for both."""
    series = DEMO + "\nRRULE:FREQ=WEEKLY;COUNT=4"
    longer = DEMO.replace("20260202", "20260216").replace("T110000", "T120000")
    got = of_calendar(raw, series, longer + "\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260216T100000Z")
    assert sorted(got.tables["activities"]["minutes"]) == [60, 60, 120, 120]


def test_quirk_23_a_series_is_written_out_without_the_dates_left_out(raw):
    """Weekly from 2 February: the 9th is left out, the 16th moved to the 17th at 15, then 23 February and five in March."""
    series = DEMO + "\nRRULE:FREQ=WEEKLY\nEXDATE:20260209T100000Z"
    moved = DEMO.replace("20260202T10", "20260217T15").replace("20260202T11", "20260217T16")
    got = starts(raw, series, moved + "\nRECURRENCE-ID:20260216T100000Z")
    assert got == [
        *(
            "2026-02-02T10:00:00Z",
            "2026-02-17T15:00:00Z",
            "2026-02-23T10:00:00Z",
            "2026-03-02T10:00:00Z",
        ),
        *(
            "2026-03-09T10:00:00Z",
            "2026-03-16T10:00:00Z",
            "2026-03-23T10:00:00Z",
            "2026-03-30T10:00:00Z",
        ),
    ]


def test_quirk_23_ten_times_is_ten_rows_wherever_the_months_end(raw):
    """Daily from 28 January at 22:00 for two hours, past midnight and past the month."""
    nightly = "UID:1\nDTSTART:20260128T220000Z\nDTEND:20260129T000000Z\nRRULE:FREQ=DAILY;COUNT=10"
    got = starts(raw, nightly)
    assert len(got) == len(set(got)) == 10
    assert got[-1] == "2026-02-06T22:00:00Z"


def test_quirk_17_a_series_keeps_its_hour_when_clocks_change(raw):
    """10:00 in New York is 15:00 UTC on 2 March and 14:00 on 9 March 2026."""
    series = "UID:1\nDTSTART;TZID=America/New_York:20260302T100000\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;COUNT=2"
    assert [row[1:3] for row in meetings(raw, calendar(series))[1]] == [
        ("2026-03-02T15:00:00Z", "2026-03-02T15:30:00Z"),
        ("2026-03-09T14:00:00Z", "2026-03-09T14:30:00Z"),
    ]


def test_quirk_27_a_cancelled_meeting_of_a_series_adds_nothing(raw):
    """Two of three remain; the third is counted by its rule."""
    series = DEMO + "\nRRULE:FREQ=DAILY;COUNT=3"
    off = (
        DEMO.replace("20260202", "20260203") + "\nRECURRENCE-ID:20260203T100000Z\nSTATUS:CANCELLED"
    )
    got = of_calendar(raw, series, off)
    assert got.tables["activities"]["started_at"].dt.day.tolist() == [2, 4]
    assert got.aside("activities") == {"cancelled_meeting": 1}


def test_quirk_22_free_time_is_dropped_and_a_day_off_stays_a_day(raw):
    """A day off is shown as free, too; it adds no hours but counts as a day."""
    free = DEMO.replace("UID:1", "UID:2") + "\nTRANSP:TRANSPARENT"
    day_off = "UID:3\nSUMMARY:Vacation\nDTSTART;VALUE=DATE:20260204\nDTEND;VALUE=DATE:20260205\nTRANSP:TRANSPARENT"
    assert of_calendar(raw, DEMO, free, day_off).aside("activities") == {"free_time": 1}
    assert meetings(raw, calendar(day_off))[1] == [
        (ADA, "2026-02-04T00:00:00Z", "2026-02-04T00:00:00Z", "true")
    ]


def test_a_time_without_a_zone_is_in_the_calendars_zone(raw):
    local = DEMO.replace("00Z", "00")
    assert (
        meetings(raw, calendar(local, head="X-WR-TIMEZONE:Europe/Berlin\n"))[1][0][1]
        == "2026-02-02T09:00:00Z"
    )
    assert meetings(raw, calendar(local))[1][0][1] == "2026-02-02T10:00:00"


@pytest.mark.parametrize(
    ("name", "head", "event"),
    [
        ("ada.ics", "", DEMO),
        ("x.ics", "X-WR-CALNAME:Ada's calendar\n", DEMO),
        ("x.ics", "", DEMO + "\nORGANIZER;CN=Ada:MAILTO:Ada@acme.test"),
    ],
)
def test_whose_calendar_it_is_says_the_analysts_file(raw, name, head, event):
    write(
        raw,
        whose=[{"calendar": c, "rep_id": ADA} for c in ("Ada", "Ada's Calendar", "ada@acme.test")],
    )
    assert meetings(raw, calendar(event, head=head), name=name)[1][0][0] == ADA


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (calendar(DEMO), "nothing says whose calendar it is: name the file in calendars.csv"),
        ("", "it is empty"),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\n",
            "it cannot be read as a calendar (it is cut off before its first entry ends)",
        ),
        ("nothing of the kind", "it cannot be read as a calendar"),
    ],
)
def test_a_calendar_that_cannot_be_read_is_refused_with_the_reason(raw, text, reason):
    intake, _ = meetings(raw, text, name="x.ics")
    assert reason in intake.refusals[0].reason


def test_a_rep_without_a_meeting_has_an_empty_calendar(raw):
    intake, rows = meetings(raw, calendar())
    assert rows == []
    assert intake.exports[0].warnings == ("it has no rows below its header",)


def test_meetings_of_a_calendar_become_activities(raw):
    """An hour's demo from the calendar beside one from the CRM."""
    write(raw, User=[user()], Opportunity=[opportunity(1)], Event=[event(1)])
    (raw / f"{ADA}.ics").write_text(
        calendar(DEMO.replace("0202T", "0203T"), DEMO + "\nSTATUS:CANCELLED")
    )
    got = cleaned()
    assert got.account("activities") == (3, 2, 0, 1)
    assert got.tables["activities"]["minutes"].tolist() == [60.0, 60.0]
    assert got.tables["activities"]["activity_class"].nunique() == 1


def test_a_floating_time_is_the_companys_wall_clock(raw):
    """Its map says so, so that it needs no word from the analyst."""
    write(raw, User=[user()], Opportunity=[opportunity(1)])
    (raw / f"{ADA}.ics").write_text(calendar(DEMO.replace("00Z", "00")))
    assert cleaned().account("activities") == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("RRULE:FREQ=DAILY\n" * 21, "it repeats by 21 rules"),
        ("RDATE:" + "20260202T100000Z," * 60_000, "its list of days has 1,020,006 characters"),
    ],
)
def test_an_entry_that_would_take_long_to_write_out_is_set_aside(raw, more, why):
    intake, rows = meetings(raw, calendar(f"{DEMO}\n{more}", DEMO.replace("UID:1", "UID:2")))
    assert len(rows) == 1
    (line,) = intake.broken_lines
    assert (line.rule, line.problem) == ("crowded_series", f"entry 1 of the calendar: {why}")


def test_a_calendar_whose_series_take_too_long_is_refused_by_its_entry(raw, monkeypatch):
    monkeypatch.setattr(ical_series, "MOST_SECONDS", 0.0)
    intake, _ = meetings(raw, calendar(f"{DEMO}\nRRULE:FREQ=DAILY;COUNT=3"))
    assert "take more than 0 seconds to write out (up to entry 1)" in intake.refusals[0].reason
