"""Calendars as clients really write them: no meeting is lost, moved or counted without a word."""

from __future__ import annotations

import datetime as dt

import pytest
from crm_tables import ADA, opportunity, user, write
from test_ical import DEMO, calendar, meetings, of_calendar, starts

from analysis.sources.files.ical_zones import zone_named


def rules(intake) -> list[str]:
    return [b.rule for b in intake.broken_lines]


REP = [f"005{n:012d}AAA" for n in range(13)]  # each test has some of its own
IDS = ("7f3k@google.com", "ada@acme.test", "040000008200E00074C5B7101A82E008")
DECLINED = "\nORGANIZER:mailto:x@client.test\nATTENDEE;PARTSTAT=DECLINED{}:{}\nATTENDEE;PARTSTAT=ACCEPTED:mailto:x@client.test"
WAYS = (
    ("", "mailto:fay@acme.test"),
    ("", "MAILTO:Fay@Acme.test"),
    (";EMAIL=fay@acme.test", "/o=Exchange/cn=fay"),
    (";CN=Fay", "invalid:nomail"),
)
SHOWN_AS = {
    "X-MICROSOFT-CDO-BUSYSTATUS:BUSY": ("selling", ""),
    "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE": ("selling", ""),
    "X-MICROSOFT-CDO-BUSYSTATUS:FREE": None,
    "X-MICROSOFT-CDO-INTENDEDSTATUS:FREE": None,
    "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE": ("selling", "tentative_meeting"),
    "STATUS:TENTATIVE": ("selling", "tentative_meeting"),
    "X-MICROSOFT-CDO-BUSYSTATUS:OOF": ("time_off", ""),
}
SUBJECTS = (
    "Abgesagt: Demo", "Annulé : Démo", "Cancelado: Demo", "Canceled: Demo", "Abgesagte Aufträge",
)  # fmt: skip


def of_days(*lines: str) -> list[str]:
    """Return a demo a line, which is added to it: the first on 2 February, the next on the 3rd."""
    return [
        DEMO.replace("UID:1", f"UID:{n}").replace("20260202", f"202602{n + 1:02}") + f"\n{line}"
        for n, line in enumerate(lines, 1)
    ]


def calendar_files() -> dict[str, str]:
    """Return the calendars of the tests that read `company`, by file name."""
    ids = [
        DEMO.replace("UID:1", f"UID:{i}").replace("T10", f"T1{n}").replace("T11", f"T1{n + 1}")
        for n, i in enumerate(IDS)
    ]
    longer = DEMO.replace("T110000Z", "T113000Z") + "\nLAST-MODIFIED:20260102T000000Z"
    listed = DEMO + DECLINED.format("", "mailto:ada@acme.test")
    elses = (
        DEMO
        + "\nATTENDEE;PARTSTAT=DECLINED:mailto:x@client.test\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:hal@acme.test"
    )
    away = "UID:1\nSUMMARY:Fair\nDTSTART:20260202T090000Z\nDTEND:20260204T170000Z\nX-MICROSOFT-CDO-BUSYSTATUS:OOF"
    off = [
        event.replace("SUMMARY:Demo", f"SUMMARY:{subject}")
        for event, subject in zip(of_days(*[""] * 5), SUBJECTS, strict=True)
    ]
    return {
        REP[1]: calendar(*ids),
        REP[2]: calendar(DEMO),
        REP[3]: calendar(DEMO),
        "one": calendar(DEMO + "\nLAST-MODIFIED:20260101T000000Z"),
        "two": calendar(longer),
        "x": calendar(listed, head="X-WR-CALNAME:Ada's\n"),
        "y": calendar(listed, head="X-WR-CALNAME:ada@acme.test\n"),
        "gil@acme.test": calendar(DEMO),
        REP[6]: calendar(*of_days(*(DECLINED.format(*way).strip() for way in WAYS))),
        REP[7]: calendar(elses),
        REP[8]: calendar(DEMO) + calendar(DEMO.replace("UID:1", "UID:2"), head="METHOD:CANCEL\n"),
        REP[9]: calendar("UID:1\nSUMMARY:Demo\nDTSTART:20260202T100000Z\nRRULE:FREQ=DAILY;COUNT=2"),
        REP[10]: calendar(*of_days(*SHOWN_AS)),
        REP[11]: calendar(away),
        REP[12]: calendar(*off),
    }


def write_calendars(raw) -> None:
    """Write them, the users' addresses, and the analyst's list of whose a calendar is."""
    addresses = {REP[0]: "gil@acme.test", REP[6]: "fay@acme.test", REP[7]: "hal@acme.test"}
    users = [user(r, Email=addresses.get(r, "")) for r in REP]
    whose = {"one": REP[4], "two": REP[4], "Ada's": REP[5], "ada@acme.test": REP[5]}
    listed = [{"calendar": name, "rep_id": rep} for name, rep in whose.items()]
    write(raw, User=users, Opportunity=[opportunity(1)], calendars=listed)
    for name, text in calendar_files().items():
        (raw / f"{name}.ics").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def company(clean_folder):
    return clean_folder(write_calendars)


def rows_of(got, rep: str):
    """Return the clean meetings of a rep, in their order."""
    rows = got.tables["activities"]
    return rows[rows["rep_id"] == rep].sort_values("started_at", ignore_index=True)


def aside_in(got, *names: str) -> dict[str, int]:
    """Return the rules that took rows of these calendars, with how many."""
    rows = got.tables["set_aside"]
    own = rows["source_file"].isin([f"{name}.ics" for name in names])
    return rows.loc[own, "rule"].value_counts().to_dict()


# Ids


def test_an_id_that_holds_an_address_is_kept_as_a_pseudonym(company):
    """Google's ids end in @google.com, an old client's is the address of who invited."""
    rows = rows_of(company, REP[1])
    assert (len(rows), aside_in(company, REP[1])) == (3, {})
    assert not rows["activity_id"].str.contains("@").any()
    assert rows["activity_id"].is_unique


def test_one_meeting_in_two_reps_calendars_is_an_hour_of_each(company):
    """Both were there; neither's entry is a version of the other's."""
    assert aside_in(company, REP[2], REP[3]) == {}
    assert [len(rows_of(company, rep)) for rep in REP[2:4]] == [1, 1]


def test_a_calendar_exported_twice_counts_once(company):
    """In the second, the demo was made longer."""
    assert aside_in(company, "one", "two") == {"older_version": 1}
    assert rows_of(company, REP[4])["minutes"].tolist() == [90.0]


def test_of_two_versions_in_one_calendar_the_later_holds(raw):
    moved = DEMO.replace("T10", "T14").replace("T11", "T15") + "\nSEQUENCE:1"
    intake, rows = meetings(raw, calendar(DEMO + "\nSEQUENCE:0", moved))
    assert [row[1] for row in rows] == ["2026-02-02T14:00:00Z"]
    assert rules(intake) == ["older_version"]


def test_two_meetings_under_one_id_are_two_meetings(raw):
    """Nothing says that one of them replaces the other."""
    assert len(starts(raw, DEMO, DEMO.replace("0202T", "0203T"))) == 2


# Zones


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT) Dublin, Edinburgh, Lisbon, London", "Europe/Dublin"),
        (
            "/mozilla.org/20050126_1/America/Argentina/Buenos_Aires",
            "America/Argentina/Buenos_Aires",
        ),
        ("tzone://Microsoft/Utc", "UTC"),
        ("GMT+0200", "UTC+02:00"),
        ("Customized Time Zone", "None"),
        ("tzone://Microsoft/Custom", "None"),
        ("(UTC+05:00) Berlin", "None"),
        ("Client time", "None"),
    ],
)
def test_a_zone_is_known_by_the_names_that_clients_write(name, zone):
    """Where a label's places contradict its offset, it is none."""
    assert str(zone_named(name)) == zone


@pytest.mark.parametrize("name", ["Customized Time Zone", "Unser Büro", "tzone://Microsoft/Custom"])
def test_a_meeting_in_a_zone_that_nothing_defines_is_set_aside(raw, name):
    """It is not read as the company's clock."""
    away = f'UID:2\nDTSTART;TZID="{name}":20260203T130000\nDTEND;TZID="{name}":20260203T140000'
    intake, rows = meetings(raw, calendar(DEMO, away))
    assert len(rows) == 1
    assert rules(intake) == ["unknown_zone"]
    assert "entry 2 of the calendar: its zone" in intake.broken_lines[0].problem


def test_a_calendar_in_a_zone_that_nothing_defines_has_no_clock(raw):
    intake, rows = meetings(
        raw, calendar(DEMO.replace("00Z", "00"), head="X-WR-TIMEZONE:Our office\n")
    )
    assert rows == []
    assert rules(intake) == ["unknown_zone"]


def test_a_zone_is_what_its_own_calendar_defines(raw):
    """Two hours ahead in the one; the other calendar uses the name and defines nothing."""
    zone = "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0200\nEND:STANDARD\nEND:VTIMEZONE\n"
    local = "UID:1\nDTSTART;TZID=Ours:20260202T100000\nDTEND;TZID=Ours:20260202T110000"
    assert meetings(raw, calendar(local, head=zone))[1][0][1] == "2026-02-02T08:00:00Z"
    assert rules(meetings(raw, calendar(local))[0]) == ["unknown_zone"]


def test_a_broken_zone_costs_only_its_own_entries(raw):
    zone = "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nTZOFFSETTO:nonsense\nEND:STANDARD\nEND:VTIMEZONE\n"
    local = "UID:2\nDTSTART;TZID=Ours:20260202T100000\nDTEND;TZID=Ours:20260202T110000"
    intake, rows = meetings(raw, calendar(DEMO, local, head=zone))
    assert (len(rows), rules(intake)) == (1, ["unknown_zone"])


def test_a_time_without_a_zone_is_noted(raw):
    intake, _ = meetings(raw, calendar(DEMO.replace("00Z", "00"), DEMO.replace("UID:1", "UID:2")))
    assert (
        "1 entries have no zone: their times are on the company's clock" in intake.exports[0].notes
    )


# Entries that are broken


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (
            "UID:2\nDTSTART;TZID=tzone://Microsoft/Custom:20260203T130000",
            "its DTSTART cannot be read",
        ),
        ("UID:2\nDTSTART:03/02/2026 13:00", "its DTSTART cannot be read"),
        ("UID:2\nSUMMARY:Lunch", "it has no DTSTART"),
        ("UID:2\nDTSTART:20260203T130000Z\nDURATION:an hour", "its DURATION cannot be read"),
        ("UID:2\nDTSTART:20260203T130000Z\nDTSTART:20260204T130000Z", "its DTSTART cannot be read"),
        ("UID:2\nDTSTART:20260203T130000Z\nRRULE:FREQ=OFTEN", "its RRULE cannot be read"),
        (
            "UID:2\nDTSTART:20260203T130000Z\nRRULE:FREQ=DAILY;INTERVAL=0",
            "it repeats at an interval below one",
        ),
        (
            "UID:2\nDTSTART:20260203T130000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            "it repeats on a day that no year has",
        ),
        (
            "UID:2\nDTSTART:20260203T130000Z\nRRULE:FREQ=WEEKLY;UNTIL=20260101",
            "its series ends before it begins",
        ),
        (
            "UID:2\nDTSTART:20260203T130000Z\nRRULE:FREQ=DAILY\nEXDATE:someday",
            "its EXDATE cannot be read",
        ),
    ],
)
def test_one_broken_entry_costs_only_itself(raw, event, problem):
    """The others of its calendar stay, and it is named by its place and nothing private."""
    intake, rows = meetings(raw, calendar(DEMO, event, DEMO.replace("UID:1", "UID:3")))
    assert len(rows) == 2
    assert [(b.rule, b.problem) for b in intake.broken_lines] == [
        ("broken_entry", f"entry 2 of the calendar: {problem}")
    ]


def test_a_calendar_that_is_cut_off_keeps_what_is_whole(raw):
    intake, rows = meetings(raw, calendar(DEMO, "UID:2\nSUMMARY:Call").split("SUMMARY:Call")[0])
    assert (len(rows), rules(intake)) == (1, ["broken_entry"])
    assert intake.exports[0].warnings == (
        "its last entry is cut off: the export may be incomplete",
    )


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MINUTELY",
        "FREQ=SECONDLY;COUNT=5",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR="
        + ",".join(map(str, range(24)))
        + ";BYMINUTE="
        + ",".join(map(str, range(60))),
    ],
)
def test_a_series_within_the_day_is_set_aside(raw, rule):
    """It would be a row a minute for ever; the other meetings stay."""
    intake, rows = meetings(raw, calendar(DEMO, DEMO.replace("UID:1", "UID:2") + f"\nRRULE:{rule}"))
    assert (len(rows), rules(intake)) == (1, ["crowded_series"])


def test_two_calendars_in_one_file_are_both_read(company):
    assert aside_in(company, REP[8]) == {"cancelled_meeting": 1}
    assert len(rows_of(company, REP[8])) == 1


# Series


@pytest.mark.parametrize(
    "until",
    [
        "20260216",
        "20260216T090000",
        "20260216T000000",
        "20260216T080000Z",
        "20260216T235959",
        "20260222T225959Z",
    ],
)
def test_a_series_goes_on_up_to_and_with_its_last_day(raw, until):
    """Mondays at 9 in Berlin, 8 UTC: the 2nd, 9th and 16th, however its last day is written."""
    series = f"UID:1\nDTSTART;TZID=Europe/Berlin:20260202T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL={until}"
    assert [s[:10] for s in starts(raw, series)] == ["2026-02-02", "2026-02-09", "2026-02-16"]


@pytest.mark.parametrize("until", ["20260204", "20260204T000000Z", "20260204T225959Z"])
def test_a_series_of_days_goes_on_up_to_and_with_its_last_day(raw, until):
    series = f"UID:1\nDTSTART;VALUE=DATE:20260202\nRRULE:FREQ=DAILY;UNTIL={until}"
    assert [s[8:10] for s in starts(raw, series)] == ["02", "03", "04"]


def test_a_series_without_a_zone_ends_by_the_companys_clock(raw):
    """Daily at 9 in Berlin; the last one ends by 8:00 UTC on 4 February."""
    (raw.parents[2] / "alignment.toml").write_text(
        (raw.parents[2] / "alignment.toml")
        .read_text()
        .replace('time_zone = "America/New_York"', 'time_zone = "Europe/Berlin"')
    )
    series = "UID:1\nSUMMARY:Demo\nDTSTART:20260202T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260204T080000Z"
    assert of_calendar(raw, series).account("activities") == (3, 3, 0, 0)


def test_a_series_of_twenty_years_is_written_out_from_its_start(raw):
    """From 2 February 2006: 241 months up to 2 February 2026, and March."""
    assert len(starts(raw, DEMO.replace("20260202", "20060202") + "\nRRULE:FREQ=MONTHLY")) == 242


def test_a_series_from_before_any_crm_says_so(raw):
    intake, rows = meetings(
        raw, calendar(DEMO.replace("20260202", "16010202") + "\nRRULE:FREQ=YEARLY")
    )
    assert len(rows) == 37
    assert "1 series began before 1990 and are written out from then on" in intake.exports[0].notes


def test_a_meeting_of_a_series_without_an_end_has_no_length(company):
    """It is counted as a meeting and adds no hours."""
    rows = rows_of(company, REP[9])
    assert rows["minutes"].isna().all()
    assert rows["flagged_by"].tolist() == ["event_without_duration"] * 2
    assert company.effect("activities", "event_without_duration").n_rows == 2


# What its owner answered


def test_a_meeting_its_owner_declined_is_dropped(company):
    """By the address of the user export; the last of them, of the 5th, names nobody."""
    assert aside_in(company, REP[6]) == {"declined_meeting": 3}
    assert rows_of(company, REP[6])["started_at"].dt.day.tolist() == [5]


def test_somebody_elses_refusal_says_nothing(company):
    assert (len(rows_of(company, REP[7])), aside_in(company, REP[7])) == (1, {})


@pytest.mark.parametrize("name", ["x", "y"])
def test_the_analysts_list_says_whose_address_it_is(company, name):
    """The calendar x is called Ada's, y by her address, which no user has."""
    assert aside_in(company, name) == {"declined_meeting": 1}


def test_a_calendar_called_by_a_users_address_is_that_users(company):
    rows = rows_of(company, REP[0])
    assert rows["source_file"].tolist() == ["[address 1].ics"]


def test_where_no_address_is_known_refusals_are_noted(raw):
    intake, rows = meetings(raw, calendar(DEMO + DECLINED.format("", "mailto:ada@acme.test")))
    assert len(rows) == 1
    assert any(
        note.startswith("1 entries were declined by somebody; the owner's address is not known")
        for note in intake.exports[0].notes
    )


# What it is shown as


def test_an_entry_counts_by_what_it_is_shown_as(company):
    """What is free, on the 4th and 5th, is dropped."""
    assert aside_in(company, REP[10]) == {"free_time": 2}
    rows = rows_of(company, REP[10])
    counted = zip(rows["activity_class"], rows["flagged_by"].fillna(""), strict=True)
    assert dict(zip(rows["started_at"].dt.day, counted, strict=True)) == {
        day: counts for day, counts in enumerate(SHOWN_AS.values(), 2) if counts
    }


def test_days_out_of_the_office_are_days_and_no_long_meeting(company):
    """From Monday at 9 to Wednesday at 17: three days off."""
    (row,) = (row for _, row in rows_of(company, REP[11]).iterrows())
    assert (row["is_all_day"], row["activity_class"], row["flagged_by"]) == (
        True,
        "time_off",
        "all_day",
    )
    assert (row["started_at"].day, row["ended_at"].day) == (2, 4)


@pytest.mark.parametrize(
    ("start", "end", "mark"),
    [
        (
            ";TZID=Eastern Standard Time:20260202T000000",
            ";TZID=Eastern Standard Time:20260203T000000",
            "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
        ),
        (":20260201T230000Z", ":20260202T230000Z", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"),
        (":20260202T050000Z", ":20260203T050000Z", "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT:TRUE"),
        (";TZID=Nobody's:20260202T000000", ";TZID=Nobody's:20260203T000000", "X-FUNAMBOL-ALLDAY:1"),
        (":20260202T000000", ":20260203T000000", "CLASS:PUBLIC"),
        (";VALUE=DATE:20260202", ";VALUE=DATE:20260203", "CLASS:PUBLIC"),
    ],
)
def test_a_whole_day_is_a_day_however_it_is_written(raw, start, end, mark):
    """Exchange writes midnights, of its own zone or of UTC; the day is 2 February in all."""
    _, rows = meetings(
        raw, calendar(f"UID:1\nSUMMARY:Vacation\nDTSTART{start}\nDTEND{end}\n{mark}")
    )
    assert rows == [(ADA, "2026-02-02T00:00:00Z", "2026-02-02T00:00:00Z", "true")]


def test_a_meeting_called_off_in_its_subject_is_dropped(company):
    """One whose subject only begins like that, on the 6th, stays."""
    assert aside_in(company, REP[12]) == {"cancelled": 4}
    assert rows_of(company, REP[12])["started_at"].dt.day.tolist() == [6]


def test_a_series_is_written_out_up_to_the_last_day_and_no_further(raw):
    assert len(starts(raw, DEMO + "\nRRULE:FREQ=DAILY", until=dt.date(2026, 2, 3))) == 2
