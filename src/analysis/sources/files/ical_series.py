"""An entry and its changes → each occurrence, within limits of days and of number.

A series goes on up to and with what its UNTIL says: a day is that day's meeting too, a time without
a zone is one on the series' own clock.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import recurring_ical_events
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from icalendar import Calendar, vRecur

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.sources.files.ical_entries import Entry

FIRST_DAY = dt.date(1990, 1, 1)  # no CRM's records are older (rule timestamp_before_1990)
MOST_OF_A_SERIES = 50_000  # a meeting a day for 136 years
MOST_A_DAY = 24
MOST_RULES = 20
MOST_SECONDS = 15.0  # of CPU that the series of one calendar may take
_SUB_DAILY = {"SECONDLY", "MINUTELY", "HOURLY"}
_CHOICES = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYDAY")
# a leap year from which a rule that never comes true soon runs out of years, on every weekday
_LATE = 9952


class Series(NamedTuple):
    """The entries of one id: those that stand alone, and the series with its changes."""

    single: list[Entry]
    recurring: list[Entry]


def rules_of(event: Any) -> list[Any]:
    """Return the rules by which an entry repeats."""
    rule = event.get("RRULE")
    return rule if isinstance(rule, list) else [rule] if rule else []


def _repeats(event: Any) -> bool:
    return bool(rules_of(event) or event.get("RDATE"))


def _one(rule: Any, name: str) -> Any:
    value = rule.get(name)
    return (value[0] if value else None) if isinstance(value, list) else value


def _stamp(entry: Entry) -> tuple[int, str]:
    """Return which version an entry is: its number, then when it was last changed."""
    changed = entry.event.get("LAST-MODIFIED")
    try:
        number = int(entry.event.get("SEQUENCE", 0))
    except (TypeError, ValueError):
        number = 0
    return number, changed.to_ical().decode() if changed is not None and hasattr(
        changed, "dt"
    ) else ""


def latest_versions(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return the entries that no later version replaces, and the replaced ones.

    Two entries of one id and slot are versions where they are numbered differently, or begin alike
    and were changed at different times; otherwise nothing says that one replaces the other.
    """
    if len(entries) == 1:
        return list(entries), []
    by_slot: dict[str, list[Entry]] = {}
    for entry in entries:
        slot = entry.event.get("RECURRENCE-ID")
        by_slot.setdefault("" if slot is None else str(slot.dt), []).append(entry)
    latest: list[Entry] = []
    older: list[Entry] = []
    for versions in by_slot.values():
        last = max(versions, key=_stamp)
        for entry in versions:
            is_alike = entry.event["DTSTART"].dt == last.event["DTSTART"].dt
            number, changed = (a != b for a, b in zip(_stamp(entry), _stamp(last), strict=True))
            (older if number or (changed and is_alike) else latest).append(entry)
    return latest, older


def group_series(entries: Sequence[Entry]) -> Series:
    """Return the entries of one id as what stands alone and what belongs to a series."""
    if any(_repeats(e.event) for e in entries):
        masters = [e for e in entries if "RECURRENCE-ID" not in e.event]
        if len([e for e in masters if _repeats(e.event)]) == len(masters) == 1:
            return Series([], list(entries))
        changes = [e for e in entries if "RECURRENCE-ID" in e.event]
        recurring = [e for e in masters if _repeats(e.event)]
        return Series([e for e in masters if e not in recurring], [*recurring, *changes])
    return Series(list(entries), [])


def _last_instant(until: dt.date, start: dt.date, clock: dt.tzinfo) -> dt.date:
    """Return the UNTIL of a series as its start is written.

    A day or a midnight without a zone is the whole day.
    """
    if not isinstance(start, dt.datetime):
        if isinstance(until, dt.datetime):
            return (until.astimezone(clock) if until.tzinfo else until).date()
        return until
    if not isinstance(until, dt.datetime) or (until.tzinfo is None and until.time() == dt.time.min):
        until = dt.datetime.combine(until, dt.time(23, 59, 59))
    if start.tzinfo is None:
        return until.astimezone(clock).replace(tzinfo=None) if until.tzinfo else until
    return (until if until.tzinfo else until.replace(tzinfo=start.tzinfo)).astimezone(dt.UTC)


def _n_of(rule: Any, name: str) -> int:
    value = rule.get(name)
    return len(value) if isinstance(value, list) and value else 1


def _excess(rule: Any, start: dt.date, until: dt.date) -> str | None:
    """Say why a rule would be written out without end, or too often to be meetings."""
    if str(_one(rule, "FREQ")).upper() in _SUB_DAILY:
        return "it repeats within the day"
    a_day = _n_of(rule, "BYHOUR") * _n_of(rule, "BYMINUTE") * _n_of(rule, "BYSECOND")
    if a_day > MOST_A_DAY:
        return f"it repeats {a_day:,} times a day"
    first = max(_day(start), FIRST_DAY)
    most = ((until - first).days + 1) * a_day
    count = _one(rule, "COUNT")
    if min(most, count if isinstance(count, int) and count > 0 else most) > MOST_OF_A_SERIES:
        return f"it repeats more than {MOST_OF_A_SERIES:,} times"
    return None


def _never(rule: Any, start: dt.date) -> bool:
    """Return whether a rule names no day there is, such as the 30 February.

    Looking for one would take long.
    """
    if not any(rule.get(name) for name in _CHOICES):
        return False
    parts: Any = vRecur({k: v for k, v in rule.items() if k in ("FREQ", "WKST", *_CHOICES)})
    bare = parts.to_ical().decode()
    return (
        next(iter(rrulestr(bare, dtstart=dt.datetime(_LATE, start.month, start.day))), None) is None  # noqa: DTZ001
    )


def _fault(rule: Any, start: dt.date, until: dt.date) -> tuple[str, str] | None:
    """Return the rule of intake that a rule of recurrence breaks, and why."""
    if (why := _excess(rule, start, until)) is not None:
        return "crowded_series", why
    if str(_one(rule, "RSCALE") or "GREGORIAN").upper() != "GREGORIAN":
        return "broken_entry", "it repeats by another calendar than the Gregorian"
    if isinstance(interval := _one(rule, "INTERVAL"), int) and interval < 1:
        return "broken_entry", "it repeats at an interval below one"
    return ("broken_entry", "it repeats on a day that no year has") if _never(rule, start) else None


def settle_rules(event: Any, until: dt.date, clock: dt.tzinfo) -> tuple[str, str] | None:
    """Write the recurrence rules of an entry in the form of its start.

    Return the rule of intake it breaks and why, where it does.
    """
    start, end = event["DTSTART"].dt, event.get("DTEND")
    if end is not None and type(end.dt) is type(start) and end.dt < start:
        return "broken_entry", "its series' meetings end before they begin"
    settled = []
    if (n_rules := len(rules_of(event))) > MOST_RULES:
        return "crowded_series", f"it repeats by {n_rules:,} rules"
    for rule in rules_of(event):
        if (fault := _fault(rule, start, until)) is not None:
            return fault
        settled.append(vRecur(rule))
        if isinstance(last := _one(rule, "UNTIL"), dt.date):
            final = _last_instant(last, start, clock)
            settled[-1]["UNTIL"] = [final]
            if final < (
                start.astimezone(dt.UTC)
                if isinstance(start, dt.datetime) and start.tzinfo
                else start
            ):
                return "broken_entry", "its series ends before it begins"
    if settled:
        event["RRULE"] = settled if len(settled) > 1 else settled[0]
    return None


def _day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def series_occurrences(events: Sequence[Any], zone_name: str, until: dt.date) -> Iterator[Any]:
    """Yield every occurrence of a series that begins by `until`, moved ones where they were moved
    to.
    """
    calendar = Calendar()
    if zone_name:
        calendar.add("X-WR-TIMEZONE", zone_name)
    for event in events:
        calendar.add_component(event)
    first = min(_day(e["DTSTART"].dt) for e in events)
    calendar_of_events = recurring_ical_events.of(calendar)
    for event in calendar_of_events.between(
        max(first, FIRST_DAY) - dt.timedelta(days=1), until + dt.timedelta(days=2)
    ):
        if FIRST_DAY <= _day(event["DTSTART"].dt) <= until:
            yield event
