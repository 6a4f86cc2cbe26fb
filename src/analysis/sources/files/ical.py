"""Calendar files → one row per meeting, recurring ones written out.

A calendar is one rep's: whose, says the analyst's ``calendars.csv`` by its file name, its name or
its organizer, or the user export by the address that it is called by.  Only when, how long,
all-day, the subject and the owner's own answer are read; who else was invited is not.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import recurring_ical_events

from analysis.sources.files import ical_entries, ical_series
from analysis.sources.files.text_table import BrokenLine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from analysis.sources.files.ical_entries import Agenda, Entry

HEADER = (
    *("calendar_uid", "rep_id", "subject", "started_at", "ended_at", "is_all_day", "created_at"),
    *("modified_at", "shown_as"),
)
MOST_MEETINGS = 200_000  # of one calendar
A_WORKING_DAY = dt.timedelta(hours=8)
OLDER = "older_version"
OUT_OF_OFFICE = "out_of_office"
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?|[0-9]+")
_BUSY = {"FREE": "free", "TENTATIVE": "tentative", "OOF": OUT_OF_OFFICE}
_MEETING_ERRORS = (
    *(ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError),
    recurring_ical_events.InvalidCalendar,
)


class CalendarOwners(NamedTuple):
    """Whose calendars they are: by a name of the calendar, and the addresses of each rep."""

    by_name: dict[str, str]
    addresses: dict[str, set[str]]

    def addresses_of(self, rep: str) -> set[str]:
        """Return every address that is known to be a rep's."""
        listed = {name for name, owner in self.by_name.items() if "@" in name and _same(owner, rep)}
        return listed | {a for owner, of in self.addresses.items() if _same(owner, rep) for a in of}

    def called(self, name: str) -> str | None:
        """Return the rep whom a calendar's name stands for.

        In the analyst's list, else as an address in the user export.
        """
        key = name.strip().casefold()
        if key in self.by_name:
            return self.by_name[key]
        reps = {rep for rep, addresses in self.addresses.items() if key in addresses}
        return next(iter(reps)) if len(reps) == 1 else None


def _same(one: str, other: str) -> bool:
    """Return whether two texts are one id, with a Salesforce id's suffix or without."""
    return one == other or ({len(one), len(other)} == {15, 18} and one[:15] == other[:15])


def _address(value: Any) -> set[str]:
    """Return the addresses by which a person stands in an entry."""
    named = {str(value), str(getattr(value, "params", {}).get("EMAIL", ""))}
    return {n.strip().casefold().removeprefix("mailto:") for n in named if n.strip()}


def find_owner(file: Path, agenda: Agenda, people: CalendarOwners) -> str:
    """Return the rep whose calendar it is; ValueError where nothing says so."""
    organizers = {
        a
        for e in agenda.entries
        if e.event
        for o in ical_entries.property_values(e.event, "ORGANIZER")
        for a in _address(o)
    }
    names = [file.stem, file.name, agenda.name]
    names += [o for o in organizers if len(organizers) == 1]
    for name in names:
        if (rep := people.called(name)) is not None:
            return rep
    if _ID.fullmatch(file.stem):
        return file.stem
    raise ValueError(
        "nothing says whose calendar it is: name the file in calendars.csv (columns calendar, "
        "rep_id), or call it as the rep's id"
    )


def _when(value: Any, zone: dt.tzinfo | None) -> str | None:
    """Return a time as UTC text; one without a zone, in a calendar without one, stays without."""
    if not isinstance(value, dt.date):
        return None
    if not isinstance(value, dt.datetime):
        return f"{value.isoformat()}T00:00:00Z"
    if value.tzinfo is None and zone is None:
        return value.isoformat()
    aware = value if value.tzinfo else value.replace(tzinfo=zone)
    return aware.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _value(event: Any, name: str) -> Any:
    entry = event.get(name)
    try:
        return getattr(entry, "dt", None)
    except ValueError:  # a property that cannot be read
        return None


def _answers(event: Any, addresses: Collection[str]) -> set[str]:
    """Return what the calendar's owner answered to an invitation."""
    return {
        str(person.params.get("PARTSTAT", "")).upper()
        for person in ical_entries.property_values(event, "ATTENDEE")
        if hasattr(person, "params") and _address(person) & set(addresses)
    }


def _shown_as(event: Any, addresses: Collection[str], *, is_cancelled: bool) -> str | None:
    """Return what an entry is shown as where it is not simply busy: the owner's own word first."""
    busy = str(
        event.get("X-MICROSOFT-CDO-BUSYSTATUS") or event.get("X-MICROSOFT-CDO-INTENDEDSTATUS") or ""
    ).upper()
    answers, status = _answers(event, addresses), str(event.get("STATUS", "")).upper()
    if is_cancelled or status == "CANCELLED":
        return "cancelled"
    if "DECLINED" in answers:
        return "declined"
    if busy in _BUSY:
        return _BUSY[busy]
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return "free"
    return "tentative" if "TENTATIVE" in answers or status == "TENTATIVE" else None


def _span(event: Any) -> tuple[dt.date, dt.date | None]:
    """Return when an entry begins and ends; no end where it does not say one."""
    start, end, length = (_value(event, name) for name in ("DTSTART", "DTEND", "DURATION"))
    if end is None and isinstance(length, dt.timedelta):
        end = start + length
    return start, end if isinstance(end, dt.date) else None


def _days_of(start: dt.date, end: dt.date | None) -> tuple[dt.date, dt.date]:
    """Return the first and the last of the days that an all-day entry covers."""
    first = start.date() if isinstance(start, dt.datetime) else start
    if end is None:
        return first, first
    if isinstance(end, dt.datetime):
        return first, max(first, (end - dt.timedelta(microseconds=1)).date())
    return first, max(first, end - dt.timedelta(days=1))


def _cells(
    event: Any, rep: str, zone: dt.tzinfo | None, place: int, shown_as: str | None
) -> tuple[str | None, ...]:
    start, end = _span(event)
    is_all_day = not isinstance(start, dt.datetime)
    if (
        shown_as == OUT_OF_OFFICE
        and isinstance(end, dt.datetime)
        and isinstance(start, dt.datetime)
    ):
        is_all_day = end - start >= A_WORKING_DAY
    if is_all_day:
        start, end = _days_of(start, end)
    slot = _value(event, "RECURRENCE-ID")
    if slot is not None and event["RECURRENCE-ID"].params.get("RANGE"):
        slot = _span(event)[0]  # one change for all that follow: each meeting has the same slot
    uid = str(event.get("UID") or f"entry {place}")
    key = f"{rep}|{uid}|{_when(slot, zone) or ''}"
    created = _value(event, "CREATED") or _value(event, "DTSTAMP")
    return (
        *(key, rep, str(event.get("SUMMARY", "")) or None, _when(start, zone), _when(end, zone)),
        *(
            str(is_all_day).lower(),
            _when(created, zone),
            _when(_value(event, "LAST-MODIFIED"), zone),
            shown_as,
        ),
    )


class MeetingReader:
    """Meetings of one calendar, those set aside, and notes on it."""

    def __init__(
        self, file: Path, name: str, people: CalendarOwners, until: dt.date, clock: dt.tzinfo
    ) -> None:
        self.agenda = ical_entries.read_agenda(file)
        self.rep, self.name, self.until = find_owner(file, self.agenda, people), name, until
        self.addresses, self.clock = people.addresses_of(self.rep), self.agenda.zone or clock
        self.broken: list[BrokenLine] = []
        self.counts: Counter[str] = Counter()
        self.number, self.began = 0, time.process_time()

    def _next(self) -> int:
        self.number += 1
        if self.number > MOST_MEETINGS:
            raise ValueError(f"it holds more than {MOST_MEETINGS:,} meetings")
        return self.number

    def _aside(self, entry: Entry, rule: str, problem: str) -> None:
        self.broken.append(
            BrokenLine(
                self.name, self._next(), f"entry {entry.place} of the calendar: {problem}", rule
            )
        )

    def _row(self, event: Any, entry: Entry) -> tuple[int, tuple[str | None, ...]]:
        shown_as = _shown_as(event, self.addresses, is_cancelled=entry.is_cancelled)
        return self._next(), _cells(event, self.rep, self.agenda.zone, entry.place, shown_as)

    def _require_time(self, entry: Entry) -> None:
        """Refuse a calendar whose series take too long, such as thousands that begin in the year 1."""
        if time.process_time() - self.began > ical_series.MOST_SECONDS:
            raise ValueError(
                f"its series take more than {ical_series.MOST_SECONDS:.0f} seconds to write out (up "
                f"to entry {entry.place}): remove those that ended long ago"
            )

    def _fault(self, entry: Entry) -> tuple[str, str] | None:
        try:
            return ical_series.settle_rules(entry.event, self.until, self.clock)
        except _MEETING_ERRORS as error:
            return ical_entries.BROKEN, f"its series cannot be understood ({type(error).__name__})"

    def _of_series(self, entries: Sequence[Entry]) -> Iterator[tuple[int, tuple[str | None, ...]]]:
        places = {str(_value(e.event, "RECURRENCE-ID")): e for e in entries}
        first = entries[0]
        for entry in entries:
            self._require_time(entry)
            if (fault := self._fault(entry)) is not None:
                self._aside(entry, *fault)
                for other in entries:
                    if other is not entry:
                        self._aside(
                            other, fault[0], f"it belongs to the series of entry {entry.place}"
                        )
                return
        lengthless = {e.place for e in entries if not {"DTEND", "DURATION"} & set(e.event)}
        start = first.event["DTSTART"].dt
        if (start.date() if isinstance(start, dt.datetime) else start) < ical_series.FIRST_DAY:
            self.counts["old_series"] += 1
        try:
            meetings = list(
                ical_series.series_occurrences(
                    [e.event for e in entries], self.agenda.zone_name, self.until
                )
            )
        except _MEETING_ERRORS as error:
            for entry in entries:
                self._aside(
                    entry,
                    ical_entries.BROKEN,
                    f"its series cannot be understood ({type(error).__name__})",
                )
            return
        self.counts["outside"] += not meetings
        for event in meetings:
            entry = places.get(str(_value(event, "RECURRENCE-ID")), first)
            if entry.place in lengthless and _value(event, "DTEND") == _value(event, "DTSTART"):
                event.pop("DTEND")
            yield self._row(event, entry)

    def rows(self) -> Iterator[tuple[int, tuple[str | None, ...]]]:
        """Yield the meetings one after the other, each with its number."""
        by_uid: dict[str, list[Entry]] = {}
        for entry in self.agenda.entries:
            if entry.rule:
                self._aside(entry, entry.rule, entry.problem)
                continue
            self.counts["floating"] += ical_entries.has_no_zone(entry.event["DTSTART"].dt)
            self.counts["refused"] += not self.addresses and "DECLINED" in {
                str(p.params.get("PARTSTAT", "")).upper()
                for p in ical_entries.property_values(entry.event, "ATTENDEE")
            }
            by_uid.setdefault(str(entry.event.get("UID") or f"entry {entry.place}"), []).append(
                entry
            )
        for entries in by_uid.values():
            latest, older = ical_series.latest_versions(entries)
            for entry in older:
                self._aside(entry, OLDER, "a later version of it stands in the calendar")
            parts = ical_series.group_series(latest)
            for entry in parts.single:
                yield self._row(entry.event, entry)
            if parts.recurring:
                yield from self._of_series(parts.recurring)

    def notes(self) -> list[str]:
        """Return what was decided about the calendar as a whole."""
        counts, sentences = self.counts, []
        if counts["floating"] and self.agenda.zone is None:
            sentences.append(
                f"{counts['floating']:,} entries have no zone: their times are on the "
                "company's clock"
            )
        if counts["old_series"]:
            sentences.append(
                f"{counts['old_series']:,} series began before {ical_series.FIRST_DAY.year} "
                "and are written out from then on"
            )
        if counts["refused"]:
            sentences.append(
                f"{counts['refused']:,} entries were declined by somebody; the owner's address is "
                "not known, so whether by "
                "the owner cannot be told: put it into calendars.csv or the user export"
            )
        return sentences
