"""The time zone that a calendar's text names: IANA's, Windows' and Outlook's ways of writing one.

A name that resolves to nothing is nothing: it is never read as another clock.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

_OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?")
_OUTLOOK = re.compile(r"\((?:UTC|GMT)\s*(?:([+-]\d{1,2}):?(\d{2}))?\)\s*(.+)")
_OF_AMERICA = re.compile(r"(.+?) Time(?: \((?:US & Canada|Canada|US)\)| \(Mexico\))?")
_UTC_NAMES = {
    "utc",
    "z",
    "gmt",
    "coordinated universal time",
    "tzone://microsoft/utc",
    "microsoft/utc",
}
_WINTER = dt.datetime(2026, 1, 1)  # noqa: DTZ001  (a wall clock; Outlook names zones by their standard time)
_SUMMER = dt.datetime(2026, 7, 1)  # noqa: DTZ001


@functools.cache
def _spelled() -> dict[str, str]:
    """Return IANA's names by their small letters."""
    return {name.casefold(): name for name in zoneinfo.available_timezones()}


@functools.cache
def _cities() -> dict[str, list[str]]:
    """Return IANA's names by the city that each ends in."""
    by_city: dict[str, list[str]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        region, _, city = name.rpartition("/")
        if region and not region.startswith(("Etc", "SystemV", "posix", "right")):
            by_city.setdefault(city.replace("_", " ").casefold(), []).append(name)
    return by_city


def _of_iana(name: str) -> zoneinfo.ZoneInfo | None:
    """Return the zone of an IANA name, behind whatever a vendor puts before it."""
    parts = name.strip("/").split("/")
    for start in range(len(parts)):
        if (spelled := _spelled().get("/".join(parts[start:]).replace(" ", "_").casefold())) and (
            start == 0 or "/" in spelled
        ):
            return zoneinfo.ZoneInfo(spelled)
    return None


def _of_windows(name: str) -> zoneinfo.ZoneInfo | None:
    """Return the zone of a name of Windows, in CLDR's table of them."""
    for spelled in (name, name.replace("Daylight Time", "Standard Time"), f"{name} Standard Time"):
        if spelled in WINDOWS_TO_OLSON:
            return zoneinfo.ZoneInfo(WINDOWS_TO_OLSON[spelled])
    return None


def _standard_offset(zone: dt.tzinfo) -> dt.timedelta:
    offsets = [when.replace(tzinfo=zone).utcoffset() for when in (_WINTER, _SUMMER)]
    return min(offset for offset in offsets if offset is not None)


def _of_outlook(name: str) -> dt.tzinfo | None:
    """Return the zone of a label such as "(UTC+01:00) Amsterdam, Berlin".

    Its places and its offset agree.
    """
    if not (label := _OUTLOOK.fullmatch(name)):
        return None
    hours, minutes, places = label.groups()
    sign = -1 if (hours or "").startswith("-") else 1
    offset = dt.timedelta(hours=int(hours or 0), minutes=sign * int(minutes or 0))
    if places.casefold() in _UTC_NAMES:
        return dt.UTC
    named = [_of_windows(places)]
    if america := _OF_AMERICA.fullmatch(places):
        named.append(_of_windows(america[1]))
    named += [
        zoneinfo.ZoneInfo(city)
        for place in places.split(",")
        for city in _cities().get(place.strip().casefold(), [])
    ]
    fitting = [zone for zone in named if zone is not None and _standard_offset(zone) == offset]
    return fitting[0] if fitting else None


@functools.lru_cache(maxsize=4096)
def zone_named(name: str) -> dt.tzinfo | None:
    """Return the zone that a text names, or nothing.

    Examples
    --------
    >>> [str(zone_named(n)) for n in ("europe/berlin", "W. Europe Standard Time", "/x.org/Tz/Europe/Rome", "Client zone")]
    ['Europe/Berlin', 'Europe/Berlin', 'Europe/Rome', 'None']
    """
    text = " ".join(name.strip().strip('"').split())
    if text.casefold() in _UTC_NAMES:
        return dt.UTC
    if offset := _OFFSET.fullmatch(text):
        sign, hours, minutes = offset.groups()
        length = dt.timedelta(hours=int(hours), minutes=int(minutes or 0))
        return (
            dt.timezone(-length if sign == "-" else length)
            if length <= dt.timedelta(hours=14)
            else None
        )
    try:
        return _of_iana(text) or _of_windows(text) or _of_outlook(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
