"""A calendar's text → its entries, each read alone: a broken one costs only itself.

Clients disagree about the standard: times of an old client, zones nobody defines and days off
written from midnight to midnight are settled here, or the entry says what is wrong with it.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from icalendar import Event, Timezone, vDDDLists, vDDDTypes
from icalendar.timezone import tzp

from analysis.sources.files.ical_zones import zone_named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 64 << 20  # bytes: a calendar is read whole
MOST_ENTRIES = 100_000  # of one rep, ten a day for 30 years
MOST_ZONES = 200
LONGEST_ZONE = 100_000  # characters
LONGEST_LIST = 1_000_000  # characters of the days that one series lists: more than 50,000
BROKEN, NO_ZONE, CROWDED = "broken_entry", "unknown_zone", "crowded_series"
TIMES = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE")
_ONCE = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID")
_ALL_DAY = re.compile(r"X-.*ALL-?DAY(EVENT)?")
_NEVER_A_ZONE = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY|DAILY)|INTERVAL=0", re.IGNORECASE)
_READ = {
    *TIMES,
    *(
        "UID",
        "SEQUENCE",
        "SUMMARY",
        "STATUS",
        "TRANSP",
        "ORGANIZER",
        "CREATED",
        "DTSTAMP",
        "LAST-MODIFIED",
    ),
    *("X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-INTENDEDSTATUS"),
}
_MARKS = {  # what a line opens; everything else that begins and ends is passed over
    "BEGIN:VEVENT": "VEVENT",
    "BEGIN:VTIMEZONE": "VTIMEZONE",
    **dict.fromkeys(("END:VEVENT", "END:VTIMEZONE", "BEGIN:VCALENDAR", "END:VCALENDAR"), ""),
}
_DAY = dt.timedelta(days=1)
_ERRORS = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)


class Entry(NamedTuple):
    """An entry: which of its calendar it is, what it holds, and the rule it breaks and why."""

    place: int
    event: Any
    is_cancelled: bool = False  # its whole calendar is one of cancellations
    rule: str | None = None
    problem: str = ""


class Agenda(NamedTuple):
    """What a calendar file states about itself, and its entries."""

    name: str
    zone_name: str
    entries: list[Entry]
    is_open: bool  # it ends before it is closed

    @property
    def zone(self) -> dt.tzinfo | None:
        """The zone of its times that have none, where it names one."""
        return zone_named(self.zone_name) if self.zone_name else None


class _Block(NamedTuple):
    kind: str
    lines: list[str]
    calendar: int
    is_whole: bool


def _lines(file: Path) -> list[str]:
    """Return the lines of a calendar, those folded for length whole again."""
    if file.stat().st_size > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MiB, more than one rep's calendar")
    raw = file.read_bytes()
    if not raw.strip():
        raise ValueError("it is empty")
    try:  # a fold may cut a letter in two, so it is undone before
        text = re.sub(rb"\r?\n[ \t]", b"", raw).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8, as a calendar has to be") from None
    return [line for line in re.split(r"[\r\n]+", text) if line.strip()]


def _blocks(lines: list[str], heads: list[dict[str, str]]) -> Iterator[_Block]:
    """Yield entries and zones with their lines.

    What stands beside them in each calendar goes to `heads`.
    """
    kind, nested, lines_of_block = "", 0, list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        word, value = name.split(";")[0].strip().upper(), value.strip()
        mark = f"{word}:{value.upper()}"
        if mark in _MARKS:
            if kind:
                yield _Block(kind, lines_of_block, max(len(heads) - 1, 0), mark == f"END:{kind}")
            kind, nested, lines_of_block = _MARKS[mark], 0, []
            if mark == "BEGIN:VCALENDAR":
                heads.append({})
        elif kind == "VTIMEZONE" or (kind and nested <= 0 and word not in ("BEGIN", "END")):
            lines_of_block.append(line)
        elif word in ("BEGIN", "END"):  # an alarm within an entry, a task beside it
            nested += 1 if word == "BEGIN" else -1
        elif nested <= 0 and heads:
            heads[-1].setdefault(word, re.sub(r"\\(.)", r"\1", value))
    if kind:
        yield _Block(kind, lines_of_block, max(len(heads) - 1, 0), is_whole=False)


def _is_read(line: str) -> bool:
    """Return whether a line of an entry says anything that is read.

    Of those invited, only who refused or may come.
    """
    name, _, value = line.partition(":")
    word, *parameters = name.upper().split(";")
    if word == "ATTENDEE":
        return (
            any(p.strip(' "') in ("PARTSTAT=DECLINED", "PARTSTAT=TENTATIVE") for p in parameters)
            or "PARTSTAT" in value
        )
    return (word in _READ and bool(value.strip())) or _ALL_DAY.fullmatch(word) is not None


def _line(line: str) -> str:
    """Return a line as the standard has it: no blanks in a rule or a list of times."""
    if not line.upper().startswith(("RRULE", "EXDATE", "RDATE")):
        return line
    name, mark, value = line.rpartition(":")
    return name + mark + "".join(value.split())


def property_values(event: Any, name: str) -> list[Any]:
    """Return the values of one property of an entry; an entry may repeat it, or leave it out."""
    value = event.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def _dated(event: Any) -> Iterator[tuple[Any, str]]:
    """Yield every time of an entry that can have a zone, and the name of the zone it has."""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        yield from (
            (one, str(one.params.get("TZID") or "")) for one in property_values(event, name)
        )
    for name in ("EXDATE", "RDATE"):
        for listed in property_values(event, name):
            yield from ((one, str(listed.params.get("TZID") or "")) for one in listed.dts)


def is_marked_all_day(event: Any) -> bool:
    """Return whether a mark of its client says that an entry is whole days."""
    return any(
        _ALL_DAY.fullmatch(n.upper()) and str(v).strip().upper() in ("TRUE", "1")
        for n, v in event.items()
    )


def _nearest_day(value: dt.date) -> dt.date:
    """Return the day whose midnight a time is nearest to.

    Clients write midnights in whatever zone.
    """
    return (
        (value.replace(tzinfo=None) + _DAY / 2).date() if isinstance(value, dt.datetime) else value
    )


def _set_days(event: Any) -> None:
    """Write an entry of whole days by its days, as the standard has it."""
    start, ends = event["DTSTART"].dt, property_values(event, "DTEND")
    length = event["DURATION"].dt if "DURATION" in event else None
    if not isinstance(start, dt.datetime) and not any(isinstance(e.dt, dt.datetime) for e in ends):
        return
    end = ends[0].dt if ends else start + length if length is not None else start
    first, after = _nearest_day(start), _nearest_day(end)
    if isinstance(start, dt.datetime) and isinstance(end, dt.datetime):
        over = (end.replace(tzinfo=None) - start.replace(tzinfo=None)) % _DAY
        if min(over, _DAY - over) > dt.timedelta(
            hours=1
        ):  # no midnights: an hour is what clocks change by
            first, after = start.date(), (end - dt.timedelta(microseconds=1)).date() + _DAY
    event.pop("DURATION", None)
    event["DTSTART"], event["DTEND"] = vDDDTypes(first), vDDDTypes(max(after, first + _DAY))
    if "RECURRENCE-ID" in event:
        event["RECURRENCE-ID"] = vDDDTypes(_nearest_day(event["RECURRENCE-ID"].dt))
    for name in ("EXDATE", "RDATE"):
        days = [
            _nearest_day(d.dt[0] if isinstance(d.dt, tuple) else d.dt)
            for p in property_values(event, name)
            for d in p.dts
        ]
        if days:
            event[name] = vDDDLists(days)


def _is_midnight(value: Any) -> bool:
    return isinstance(value, dt.datetime) and value.time() == dt.time.min


def _is_whole_days(event: Any) -> bool:
    """Return whether an entry is of whole days.

    By its mark, or from midnight to midnight on its own clock.
    """
    start, ends = event["DTSTART"].dt, property_values(event, "DTEND")
    if is_marked_all_day(event):
        return True
    return (
        _is_midnight(start)
        and bool(ends)
        and _is_midnight(ends[0].dt)
        and ends[0].dt.date() > start.date()
    )


def has_no_zone(value: Any) -> bool:
    """Return whether a time names no zone."""
    return isinstance(value, dt.datetime) and value.tzinfo is None


def _unknown_zone(event: Any, agenda_zone: str) -> str | None:
    """Give every time of an entry its zone; return the name of one that nothing defines."""
    for one, own in _dated(event):
        times = one.dt if isinstance(one.dt, tuple) else (one.dt,)
        name = own.strip() or agenda_zone.strip()
        if not name or not any(has_no_zone(t) for t in times):
            continue
        if (zone := zone_named(name)) is None:
            return name
        if own:
            zoned = tuple(t.replace(tzinfo=zone) if has_no_zone(t) else t for t in times)
            one.dt = zoned if isinstance(one.dt, tuple) else zoned[0]
    return None


def _settled(place: int, event: Any, agenda_zone: str, *, is_cancelled: bool) -> Entry:
    """Return an entry with its times settled, or with what is wrong with it."""
    unreadable = [name for name, _ in event.errors if name in TIMES]
    unreadable += [name for name in _ONCE if isinstance(event.get(name), list)]
    if unreadable:
        return Entry(place, event, is_cancelled, BROKEN, f"its {unreadable[0]} cannot be read")
    if "DTSTART" not in event:
        return Entry(place, event, is_cancelled, BROKEN, "it has no DTSTART")
    if not isinstance(event["DTSTART"].dt, dt.date):
        return Entry(place, event, is_cancelled, BROKEN, "its DTSTART is no day or time")
    if _is_whole_days(event):
        _set_days(event)
    elif (name := _unknown_zone(event, agenda_zone)) is not None:
        return Entry(
            place,
            event,
            is_cancelled,
            NO_ZONE,
            f"its zone {re.sub(r'[^ -~]|@.*', '?', name)[:60]} is defined nowhere",
        )
    return Entry(place, event, is_cancelled)


def _entry(place: int, block: _Block, head: dict[str, str]) -> Entry:
    is_cancelled = head.get("METHOD", "").upper() == "CANCEL"
    if not block.is_whole:
        return Entry(place, None, is_cancelled, BROKEN, "it is cut off")
    listed = sum(len(x) for x in block.lines if x[:6].upper().startswith(("RDATE", "EXDATE")))
    if listed > LONGEST_LIST:
        why = f"its list of days has {listed:,} characters"
        return Entry(place, None, is_cancelled, CROWDED, why)
    try:
        event = Event.from_ical(
            "\r\n".join(
                ["BEGIN:VEVENT", *map(_line, filter(_is_read, block.lines)), "END:VEVENT", ""]
            )
        )
        return _settled(place, event, head.get("X-WR-TIMEZONE", ""), is_cancelled=is_cancelled)
    except _ERRORS as error:
        return Entry(
            place,
            None,
            is_cancelled,
            BROKEN,
            f"a time of it cannot be understood ({type(error).__name__})",
        )


def _define_zones(blocks: list[_Block]) -> None:
    """Let the zones that a calendar defines be known while it is read, and those of no other."""
    tzp.use_default()
    for block in [b for b in blocks if b.kind == "VTIMEZONE"][:MOST_ZONES]:
        text = "\n".join(block.lines)
        if block.is_whole and len(text) <= LONGEST_ZONE and not _NEVER_A_ZONE.search(text):
            try:
                zone = Timezone.from_ical(
                    "\r\n".join(["BEGIN:VTIMEZONE", *block.lines, "END:VTIMEZONE", ""])
                )
                tzp.cache_timezone_component(zone)
            except _ERRORS:
                continue  # its entries are then of a zone that nothing defines


def read_agenda(file: Path) -> Agenda:
    """Return the entries of a calendar file, each whole or with what is wrong with it.

    Raises
    ------
    ValueError
        If the file is no calendar at all.
    """
    lines, heads = _lines(file), list[dict[str, str]]()
    blocks = list(_blocks(lines, heads))
    if not heads:
        raise ValueError(
            "it cannot be read as a calendar (nothing in it begins with BEGIN:VCALENDAR)"
        )
    is_open = not any(line.strip().upper() == "END:VCALENDAR" for line in lines[-3:])
    events = [b for b in blocks if b.kind == "VEVENT"]
    if len(events) > MOST_ENTRIES:
        raise ValueError(
            f"it has {len(events):,} entries, and at most {MOST_ENTRIES:,} are read, more than one "
            "rep's calendar"
        )
    if is_open and not any(b.is_whole for b in events):
        raise ValueError(
            "it cannot be read as a calendar (it is cut off before its first entry ends)"
        )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a vendor's path before a zone's name is settled by `zone_named`
        _define_zones(blocks)
        entries = [_entry(n, block, heads[block.calendar]) for n, block in enumerate(events, 1)]
    return Agenda(
        heads[0].get("X-WR-CALNAME", ""), heads[0].get("X-WR-TIMEZONE", ""), entries, is_open
    )
