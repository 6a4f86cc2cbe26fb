"""Days and times: one notation a column, decided by its cells.

A cell that could be read both ways is read as those are that cannot: a day above 12 somewhere in
the column says which number is the day.  What contradicts the column is set aside, never turned.
A day without a time is a day wherever it is read; only moments are carried into a zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.cells.reading import Ambiguous, Hints, Reading, decided_by_cells, is_minority
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"  # without seconds no cast reads a zone
ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})"
STAMP = f"{DATE}[T ]{CLOCK}{ZONE}"
FAST = {
    "date": DATE,
    "midnight": DATE,
    "timestamp": STAMP,
}  # as APIs write them: read by a cast alone
CAST = {
    "date": "try_cast({x} as date)",
    "midnight": "timezone('UTC', try_cast({x} as timestamp))",
    "timestamp": "try_cast({x} as timestamptz)",
}

_N, _SEP = "[0-9]{1,2}", "[/.-]"
_TAIL = (
    "(?:[T ,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][.]?[Mm][.]?)?"
    "(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_YEAR = "(?:[0-9]{4}|[0-9]{2})"
_NEAR_YEAR = (
    "(?:(?:19|20)[0-9]{2}|[0-9]{2})"  # beside a month's name 2568 is a year of another calendar
)
TEXTS = {
    "iso": f"[0-9]{{4}}{_SEP}{_N}{_SEP}{_N}{_TAIL}",
    "numbers": f"{_N}{_SEP}{_N}{_SEP}{_YEAR}{_TAIL}",
    "named": f"{_N} m[0-9]{{2}} {_NEAR_YEAR}{_TAIL}",  # as `month_names` writes it
    "compact": "(?:19|20)[0-9]{6}",
}
# Whole numbers stand for days or moments only from 1990 to 2100; the three ranges do not meet.
COUNTED = {
    "serial": ("[0-9]{5}([.][0-9]+)?", "between 32874 and 73051"),
    "seconds": ("[0-9]{9,10}([.][0-9]+)?", "between 631152000 and 4102444800"),
    "milliseconds": ("[0-9]{12,13}([.][0-9]+)?", "between 631152000000 and 4102444800000"),
}
TAKES = {
    "iso": "year first",
    "numbers": "day and month in numbers",
    "named": "month by name",
    "compact": "eight digits",
    "serial": "a spreadsheet's day numbers",
    "epoch": "seconds or milliseconds since 1970",
}

# Years of the Buddhist calendar run 543 ahead: 2569 is 2026.  Where most of a column has such years
# it is of that calendar, and each is taken back before the cell is read, leap days and all.
BUDDHIST = "^(?:[0-9]{1,2}[/.-][0-9]{1,2}[/.-])?2[456][0-9]{2}(?:[^0-9]|$)"
SQL = read_statements(__name__)
_PARTS = {"day-first": r"'\3-\2-\1'", "month-first": r"'\3-\1-\2'", "year-first": r"'\1-\2-\3'"}


def _text(form: str, order: str) -> str:
    """Return the SQL of a cell of `form` as year, month and day, its clock behind."""
    return f"numbers_text({{x}}, {_PARTS[order]})" if form == "numbers" else f"{form}_text({{x}})"


def _is_possible(form: str, order: str = "day-first") -> str:
    """Return the SQL that says whether a cell has a form and is a day there is."""
    if form in COUNTED:
        pattern, interval = COUNTED[form]
        return f"coalesce(regexp_full_match({{x}}, '{pattern}') and try_cast({{x}} as double) {interval}, false)"
    return f"case when regexp_full_match({{x}}, '{TEXTS[form]}') then wall_clock({_text(form, order)}) is not null else false end"


def first_counts(kind: str) -> dict[str, str]:
    """Return SQL of the first counts: cells written as an API writes them."""
    return {
        "n_fast": f"count(*) filter (where regexp_full_match({{x}}, '{FAST[kind]}'))",
        "n_buddhist": f"count(*) filter (where not starts_with({{x}}, '20') and regexp_matches({{x}}, '{BUDDHIST}'))",
    }


def is_buddhist(column: str, n: Mapping[str, int]) -> bool:
    """Return whether a column's years are of the Buddhist calendar.

    Raises
    ------
    Ambiguous
        If a good part of them is, and the others are not.
    """
    others = n["n"] - n["n_buddhist"]
    if is_minority(n["n_buddhist"], others):
        return False
    if not is_minority(others, n["n_buddhist"]):
        raise Ambiguous(
            f"its column {column} mixes years of two calendars ({n['n_buddhist']:,} of {n['n']:,} "
            "are Buddhist, 543 years ahead); save it with one"
        )
    return True


def second_counts() -> dict[str, str]:
    """Return SQL of the second counts, over the cells written otherwise."""
    day, month = _is_possible("numbers"), _is_possible("numbers", "month-first")
    counts = {f"n_{form}": _is_possible(form) for form in ("iso", "named", "compact", *COUNTED)}
    counts |= {
        "n_day": f"{day} and not {month}",
        "n_month": f"{month} and not {day}",
        "n_either": f"{day} and {month}",
        "n_clock": "regexp_matches({x}, '[0-9]:[0-9]{2}')",
        "n_zone": "clock_zone({x}) <> ''",
        "n_midnight": "clock_zone({x}) <> '' and regexp_matches({x}, '[T ,](?:0?0:00(?::00(?:[.,]0+)?)?|12:00(?::00)? ?[Aa][.]?[Mm])[^0-9:]')",
        "n_fraction": f"{_is_possible('serial')} and try_cast({{x}} as double) % 1 <> 0",
        "n_day_epoch": "case when regexp_full_match({x}, '[0-9]{12,13}') then try_cast({x} as bigint) % 86400000 = 0 "
        "when regexp_full_match({x}, '[0-9]{9,10}') then try_cast({x} as bigint) % 86400 = 0 else false end",
    }
    spans = {
        f"{name}_{part}": f"{name}(try_cast(regexp_extract({{x}}, "
        f"'^([0-9]{{1,2}})[/.-][0-9]{{1,2}}[/.-]([0-9]{{2}})(?:$|[^0-9])', {group}) as int))"
        for name in ("min", "max")
        for part, group in (("first", 1), ("last", 2))
    }
    return {n: f"count(*) filter (where {sql})" for n, sql in counts.items()} | spans


def _order(column: str, n: Mapping[str, int], hint: str | None) -> tuple[str, str]:
    """Return the order of day and month of a column, and why."""
    days, months, either = n["n_day"], n["n_month"], n["n_either"]
    total = days + months + either
    remedy = (
        'say date_order = "day-first" or "month-first" under [reading] in the dataset\'s '
        "fields.toml"
    )
    order = decided_by_cells(
        {"month-first": months, "day-first": days},
        hint,
        none_tells=(
            f"its column {column} does not tell day from month: no day of its {total:,} is above "
            f"12; {remedy}"
        ),
        both_told=f"its column {column} has {days:,} days that can only stand first and {months:,} that can "
        "only stand second, "
        f"so its other {either:,} cannot be told; save it in one notation, or {remedy}",
    )
    if not days and not months:
        return order, f"{order}, as said (no day of {total:,} is above 12)"
    if hint == "year-first":
        order = hint
    if (
        hint is None
        and n["min_last"] is not None
        and n["max_last"] - n["min_last"] >= n["max_first"] - n["min_first"]
    ):
        raise Ambiguous(
            f"its column {column} has dates such as 26-01-05, whose first two digits could be the "
            f"year; {remedy} or "
            '"year-first"'
        )
    why = f"{order} ({max(days, months):,} days above 12 of {total:,}"
    return order, why + (
        f"; {min(days, months):,} contradict it and are set aside)" if min(days, months) else ")"
    )


def decide_dates(kind: str, column: str, n: Mapping[str, int], hints: Hints) -> Reading:
    """Return how a column of days or moments is read.

    Raises
    ------
    Ambiguous
        If its cells do not tell, and nothing was said.
    """
    unreadable = "unreadable_timestamp" if kind == "timestamp" else "unreadable_date"
    forms = {
        "iso": n["n_fast"] + n["n_iso"],
        "numbers": n["n_day"] + n["n_month"] + n["n_either"],
        "named": n["n_named"],
        "compact": n["n_compact"],
        "serial": n["n_serial"],
        "epoch": n["n_seconds"] + n["n_milliseconds"],
    }
    form, total = max(forms, key=lambda f: forms[f]), sum(forms.values())
    if not is_minority(total - forms[form], forms[form]):
        listed = ", ".join(f"{TAKES[f]} {count:,}" for f, count in forms.items() if count)
        raise Ambiguous(
            f"its column {column} mixes notations of dates ({listed}); save it with one"
        )
    order, why = "day-first", TAKES[form]
    if form == "numbers":
        order, why = _order(column, n, hints.date_order)
    elif total:
        why += f" ({forms[form]:,} of {n['n']:,})"
    possible = " or ".join(
        [*(_is_possible(f) for f in (*TEXTS, *COUNTED)), _is_possible("numbers", "month-first")]
    )
    contradicts = "'epoch_unit'" if form == "epoch" else "'contradictory_date'"
    same = (
        f"regexp_full_match({{x}}, '{TEXTS[form]}') and wall_clock({_text(form, order)}) is not null"
        if form in TEXTS
        else "false"
    )
    rule = f"case when {same} then '{unreadable}' when {possible} then {contradicts} else '{unreadable}' end"
    if n["n_fast"] == n["n"]:  # then what no cast reads is no day there is, whatever the notation
        rule = f"'{unreadable}'"
    if form == "iso" and not n["n_iso"]:
        guard = (
            ""
            if n["n_fast"] == n["n"]
            else f"case when regexp_full_match({{x}}, '{FAST[kind]}') then "
        )
        return Reading(
            guard + CAST[kind] + (" end" if guard else ""),
            rule,
            f"{column}: {why}" if total else "",
        )
    value, how = (
        _counted(kind, form, column, n, hints)
        if form not in TEXTS
        else _texts(kind, form, order, column, n, hints)
    )
    return Reading(value, rule, f"{column}: {why}{how}")


def _naive(column: str, hints: Hints, n_naive: int) -> tuple[str, str]:
    zone = hints.zone_sql()
    if zone is None:
        raise Ambiguous(
            f'its column {column} has {n_naive:,} times without a zone; say time_zone = "company" '
            "or a zone such as "
            '"Europe/Berlin" under [reading] in the dataset\'s fields.toml'
        )
    return zone, f"; times without a zone are of {hints.time_zone}"


def _texts(
    kind: str, form: str, order: str, column: str, n: Mapping[str, int], hints: Hints
) -> tuple[str, str]:
    text, how = _text(form, order), ""
    n_clock, n_zone = n["n_clock"], n["n_zone"]
    if kind == "timestamp":
        n_clock, n_zone = n_clock + n["n_fast"], n_zone + n["n_fast"]
        if not n_clock:
            value, how = (
                f"timezone('UTC', wall_clock({text}))",
                "; days without a time, taken as their midnight UTC",
            )
        else:
            n_naive = n_clock - n_zone
            naive = "null"
            if n_naive > n_zone or (n_naive and hints.time_zone):
                zone, how = _naive(column, hints, n_naive)
                naive = f"timezone({zone}, wall_clock({text}))"
            value = f"case when clock_zone({{x}}) <> '' then moment({text}) when contains({{x}}, ':') then {naive} end"
    else:
        value = f"wall_clock({text})::date"
        if n_zone > n["n_midnight"]:
            value = f"case when clock_zone({{x}}) <> '' then timezone(getvariable('time_zone'), moment({text}))::date else {value} end"
            how = "; moments, taken on their day in the company's time zone"
        elif n_zone:
            how = "; each at midnight, so days that no zone shifts"
        value = f"timezone('UTC', ({value})::timestamp)" if kind == "midnight" else value
    return f"case when regexp_full_match({{x}}, '{TEXTS[form]}') then {value} end", how


def _counted(
    kind: str, form: str, column: str, n: Mapping[str, int], hints: Hints
) -> tuple[str, str]:
    if form == "serial":
        at = "(timestamp '1899-12-30' + to_microseconds((round({x}::double * 86400) * 1000000)::bigint))"
        value, how = f"timezone('UTC', {at})", ""
        if kind == "timestamp" and n["n_fraction"]:
            zone, how = _naive(column, hints, n["n_fraction"])
            value = f"timezone({zone}, {at})"
        elif kind != "timestamp":
            value = f"{at}::date" if kind == "date" else f"timezone('UTC', date_trunc('day', {at}))"
    else:
        form = "seconds" if n["n_seconds"] > n["n_milliseconds"] else "milliseconds"
        at = f"to_timestamp({{x}}::double / {1 if form == 'seconds' else 1000})"
        value, how = at, f"; read as {form}"
        if kind != "timestamp":
            days = n["n_day_epoch"] >= n[f"n_{form}"]
            how += (
                "; each at midnight UTC, so days that no zone shifts"
                if days
                else "; taken on their day in the company's time zone"
            )
            zone = "'UTC'" if days else "getvariable('time_zone')"
            value = f"timezone({zone}, {at})::date"
            value = f"timezone('UTC', ({value})::timestamp)" if kind == "midnight" else value
    return f"case when {_is_possible(form)} then {value} end", how
