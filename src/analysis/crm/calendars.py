"""Calendar files → one row per meeting that took place, recurring ones written out.

A calendar is one rep's: whose, says the analyst's ``calendars.csv`` by its file name, its name or its
organizer.  Only when, how long, all-day and the subject are read; who else was invited is not.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import recurring_ical_events
from icalendar import Calendar

from analysis.crm.text_tables import BrokenLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HEADER = ("calendar_uid", "rep_id", "subject", "started_at", "ended_at", "is_all_day", "created_at")
LARGEST = 64 << 20  # bytes: a calendar is read whole
MOST_MEETINGS = 200_000  # of one calendar
YEARS_BACK = 15  # a series is written out over so many years before the last day
SUB_DAILY = {"SECONDLY", "MINUTELY", "HOURLY"}
CANCELLED, FREE = "cancelled_meeting", "free_time"
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?|[0-9]+")


class Meeting(NamedTuple):
    """An occurrence: its line in the calendar (which entry of it) and its cells, or the rule that takes it."""

    number: int
    cells: tuple[str | None, ...]
    rule: str | None


def owner(file: Path, calendar: Calendar, owners: Mapping[str, str]) -> str:
    """Return the rep whose calendar it is; ValueError where nothing says so."""
    organizers = {str(e.get("ORGANIZER", "")) for e in calendar.walk("VEVENT")}
    names = [file.stem, file.name, str(calendar.get("X-WR-CALNAME", ""))]
    names += [o.casefold().removeprefix("mailto:") for o in organizers if len(organizers) == 1]
    for name in names:
        if (rep := owners.get(name.strip().casefold())) is not None:
            return rep
    if _ID.fullmatch(file.stem):
        return file.stem
    raise ValueError(
        "nothing says whose calendar it is: name the file in calendars.csv (columns calendar, rep_id), or call it as the rep's id"
    )


def _calendar(file: Path) -> Calendar:
    if file.stat().st_size > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MiB, more than one rep's calendar")
    raw = file.read_bytes()
    if not raw.strip():
        raise ValueError("it is empty")
    try:
        return Calendar.from_ical(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8, as a calendar has to be") from None
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it cannot be read as a calendar ({str(error)[:100]})") from None


def _zone(calendar: Calendar) -> ZoneInfo | None:
    try:
        return ZoneInfo(str(calendar["X-WR-TIMEZONE"]))
    except (KeyError, ValueError, ZoneInfoNotFoundError, OSError):
        return None


def _when(value: dt.date | None, zone: ZoneInfo | None) -> str | None:
    """Return a time as UTC text; one without a zone, in a calendar without one, stays without."""
    if value is None:
        return None
    if not isinstance(value, dt.datetime):
        return f"{value.isoformat()}T00:00:00Z"
    if value.tzinfo is None and zone is None:
        return value.isoformat()
    aware = value if value.tzinfo else value.replace(tzinfo=zone)
    return aware.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _value(event: Any, name: str) -> Any:
    found = event.get(name)
    return getattr(found, "dt", None)


def _meeting(number: int, event: Any, rep: str, zone: ZoneInfo | None) -> Meeting:
    start, end, length = _value(event, "DTSTART"), _value(event, "DTEND"), _value(event, "DURATION")
    is_all_day = start is not None and not isinstance(start, dt.datetime)
    if end is None and start is not None and isinstance(length, dt.timedelta):
        end = start + length
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        rule = CANCELLED
    elif str(event.get("TRANSP", "")).upper() == "TRANSPARENT" and not is_all_day:
        rule = FREE
    else:
        rule = None
    started = _when(start, zone)
    subject = str(event.get("SUMMARY", "")) or None
    cells = (f"{event.get('UID', number)}|{started}", rep, subject, started, _when(end, zone), str(is_all_day).lower())
    return Meeting(number, (*cells, _when(_value(event, "CREATED") or _value(event, "DTSTAMP"), zone)), rule)


def _day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _occurrences(calendar: Calendar, until: dt.date) -> Iterator[Any]:
    """Yield every occurrence that begins by `until`, moved ones where they were moved to."""
    events = calendar.walk("VEVENT")
    if any(set(map(str, rule.get("FREQ", []))) & SUB_DAILY for e in events for rule in _rules(e)):
        raise ValueError("a series of it repeats within the day")
    days = [_day(d) for e in events if isinstance(d := _value(e, "DTSTART"), dt.date)]
    if not days:
        return
    floor = dt.date(until.year - YEARS_BACK, 1, 1)
    series = {str(e.get("UID")) for e in events if _rules(e) or e.get("RDATE") or e.get("RECURRENCE-ID")}
    yield from (e for e in events if str(e.get("UID")) not in series)
    known = recurring_ical_events.of(calendar, skip_bad_series=True)
    first = max(min(days), floor)
    seen = set()
    while first <= until:
        after = dt.date(first.year + (first.month == 12), first.month % 12 + 1, 1)
        for event in known.between(first, min(after, until + dt.timedelta(days=1))):
            key = (str(event.get("UID")), str(_value(event, "DTSTART")), str(_value(event, "RECURRENCE-ID")))
            if str(event.get("UID")) in series and key not in seen:
                seen.add(key)
                yield event
        first = after


def _rules(event: Any) -> list[Any]:
    rule = event.get("RRULE")
    return rule if isinstance(rule, list) else [rule] if rule else []


def rows(
    file: Path, name: str, owners: Mapping[str, str], until: dt.date, broken: list[BrokenLine]
) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    """Yield the meetings of a calendar up to the day `until`; cancelled and free ones go to `broken`."""
    calendar = _calendar(file)
    rep, zone = owner(file, calendar, owners), _zone(calendar)
    try:
        for number, event in enumerate(_occurrences(calendar, until), 1):
            if number > MOST_MEETINGS:
                raise ValueError(f"it holds more than {MOST_MEETINGS:,} meetings")
            meeting = _meeting(number, event, rep, zone)
            if meeting.rule:
                broken.append(BrokenLine(name, number, "as its organizer says", meeting.rule))
            else:
                yield number, meeting.cells
    except (
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OverflowError,
        recurring_ical_events.InvalidCalendar,
    ) as error:
        raise ValueError(f"a time or a series in it cannot be understood ({type(error).__name__})") from None
