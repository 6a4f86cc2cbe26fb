"""Damages of a simulated company's exports, each done to a share of the rows that can have it.

A damage is what an export, a filter or a spreadsheet does to a file: cells blanked, shifted or
typed otherwise, rows dropped, doubled, given to another owner or day.  Those under `KEPT_BACK` were
not looked at while the limits of the gate were set.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Row = dict[str, str]
Change = "Callable[[list[Row], float, random.Random], list[Row]]"
DAY = dt.timedelta(days=1)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_STAMP = "%Y-%m-%dT%H:%M:%S.000Z"


class Damage(NamedTuple):
    """What is done to which file."""

    name: str
    file: str
    change: Callable[[list[Row], float, random.Random], list[Row]]


def apply(damage: Damage, source: Path, target: Path, share: float, seed: int) -> None:
    """Write `target`: the rows of `source` with a share of them damaged."""
    with source.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        rows, names = list(reader), list(reader.fieldnames or ())
    rows = damage.change(rows, share, random.Random(seed))  # noqa: S311 - a study's draws
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _each(alter: Callable[[Row], None], among: Callable[[Row], bool] = lambda _: True) -> Change:
    """Return the damage that alters each row with the share's chance."""

    def change(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
        for row in rows:
            if among(row) and rng.random() < share:
                alter(row)
        return rows

    return change


def _dropped(among: Callable[[Row], bool] = lambda _: True) -> Change:
    def change(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
        return [row for row in rows if not (among(row) and rng.random() < share)]

    return change


def _without_people(column: str) -> Change:
    """Return the damage that takes out all rows of a share of the people."""

    def change(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
        people = sorted({row[column] for row in rows})
        rng.shuffle(people)
        gone = set(people[: max(1, round(len(people) * share))])
        return [row for row in rows if row[column] not in gone]

    return change


def _repeated(key: str) -> Change:
    """Return the damage that imports a share of the rows once more under new ids."""

    def change(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
        again = [row for row in rows if rng.random() < share]
        ids = [row[key] for row in again]
        return rows + [row | {key: f"{i[:3]}9{i[4:15]}"} for row, i in zip(again, ids, strict=True)]

    return change


def _cut(rows: list[Row], share: float, rng: random.Random) -> list[Row]:  # noqa: ARG001 - a damage's signature
    return rows[: int(len(rows) * (1 - share))]


def _oldest_gone(column: str) -> Change:
    def change(rows: list[Row], share: float, rng: random.Random) -> list[Row]:  # noqa: ARG001
        gone = sorted(row[column] for row in rows)[int(len(rows) * share)] if share < 1 else ""
        return [row for row in rows if row[column] >= gone]

    return change


def _put(**cells: str) -> Callable[[Row], None]:
    return lambda row: row.update(cells)


def _is_won(row: Row) -> bool:
    return row["IsWon"].lower() == "true"


def _is_lost(row: Row) -> bool:
    return row["IsClosed"].lower() == "true" and not _is_won(row)


def _number(row: Row, column: str, factor: float) -> None:
    try:
        row[column] = f"{float(row[column]) * factor:.2f}"
    except ValueError:
        return


def _days(column: str, n: int) -> Callable[[Row], None]:
    def alter(row: Row) -> None:
        found = _ISO.match(row[column])
        if found:
            try:
                day = dt.date(*map(int, found.groups())) + n * DAY
            except ValueError:  # a date that no year has, as the company's own export holds some
                return
            row[column] = day.isoformat() + row[column][10:]

    return alter


def _hours(n: int) -> Callable[[Row], None]:
    def alter(row: Row) -> None:
        for column in ("StartDateTime", "EndDateTime"):
            try:
                at = dt.datetime.fromisoformat(row[column])
            except ValueError:
                continue
            row[column] = (at + dt.timedelta(hours=n)).strftime(_STAMP)

    return alter


def _day_and_month(row: Row) -> None:
    found = _ISO.fullmatch(row["CloseDate"])
    if found and int(found[3]) <= 12:
        row["CloseDate"] = f"{found[1]}-{found[3]}-{found[2]}"


def _month_of(column: str, *months: str) -> Callable[[Row], bool]:
    return lambda row: row[column][5:7] in months


def _one_owner(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
    owner = rows[0]["OwnerId"]
    return _each(_put(OwnerId=owner))(rows, share, rng)


def _one_day(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
    day = max(row["CloseDate"] for row in rows if _is_won(row) and _ISO.fullmatch(row["CloseDate"]))
    return _each(_put(CloseDate=day), lambda row: row["IsClosed"].lower() == "true")(
        rows, share, rng
    )


def _strangers(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
    for n, row in enumerate(rows):
        if rng.random() < share:
            row["OwnerId"] = f"005ZZ0000000{n % 999:03d}AAA"
    return rows


def _one_team(rows: list[Row], share: float, rng: random.Random) -> list[Row]:
    return _each(_put(team_id=rows[0]["team_id"]))(rows, share, rng)


DEALS, EVENTS, PAY, QUOTAS, STAYS = (
    "Opportunity.csv",
    "Event.csv",
    "compensation.csv",
    "quotas.csv",
    "rep_team_history.csv",
)

TRIED = (  # while the limits were set
    Damage("amount blank", DEALS, _each(_put(Amount=""))),
    Damage("lost deals dropped", DEALS, _dropped(_is_lost)),
    Damage("two months of closes dropped", DEALS, _dropped(_month_of("CloseDate", "03", "12"))),
    Damage(
        "amounts with a word",
        DEALS,
        _each(
            lambda row: row.update(Amount=row["Amount"] + " approx"),
            lambda row: bool(row["Amount"]),
        ),
    ),
    Damage("owners nobody knows", DEALS, _strangers),
    Damage("events without a start", EVENTS, _each(_put(StartDateTime=""))),
    Damage("won flag blank", DEALS, _each(_put(IsWon=""))),
    Damage("deals to one owner", DEALS, _one_owner),
    Damage("closed on one day", DEALS, _one_day),
    Damage("day and month turned round", DEALS, _each(_day_and_month)),
    Damage("deals cut short", DEALS, _cut),
    Damage("euro deals dropped", DEALS, _dropped(lambda row: row["CurrencyIsoCode"] == "EUR")),
    Damage("deals dropped evenly", DEALS, _dropped()),
    Damage("lost deals flagged open", DEALS, _each(_put(IsClosed="false"), _is_lost)),
    Damage(
        "currency blank",
        DEALS,
        _each(_put(CurrencyIsoCode=""), lambda row: row["CurrencyIsoCode"] != "USD"),
    ),
    Damage("reps without events", EVENTS, _without_people("OwnerId")),
    Damage(
        "subjects of another language",
        EVENTS,
        _each(lambda row: row.update(Subject="Termin " + row["Subject"][-3:])),
    ),
    Damage("last day in the team", STAYS, _each(_days("valid_to", -1))),
    Damage("pay of reps dropped", PAY, _without_people("rep_id")),
    Damage(
        "a month's pay as a year's", PAY, _each(lambda row: _number(row, "base_amount", 1 / 12))
    ),
    Damage("quotas of reps dropped", QUOTAS, _without_people("rep_id")),
    Damage("answers dropped", "survey_answers.csv", _dropped()),
)
KEPT_BACK = (
    Damage("all flagged won", DEALS, _each(_put(IsWon="true", IsClosed="true"))),
    Damage("won flagged lost", DEALS, _each(_put(IsWon="false"), _is_won)),
    Damage("amounts in thousands", DEALS, _each(lambda row: _number(row, "Amount", 1 / 1000))),
    Damage("amounts times a hundred", DEALS, _each(lambda row: _number(row, "Amount", 100.0))),
    Damage("currency of another", DEALS, _each(_put(CurrencyIsoCode="GBP"))),
    Damage("deals once more under new ids", DEALS, _repeated("Id")),
    Damage("closed a year later", DEALS, _each(_days("CloseDate", 365))),
    Damage("closed a quarter earlier", DEALS, _each(_days("CloseDate", -91))),
    Damage("oldest deals gone", DEALS, _oldest_gone("CreatedDate")),
    Damage("events dropped evenly", EVENTS, _dropped()),
    Damage("a month of events dropped", EVENTS, _dropped(_month_of("StartDateTime", "05"))),
    Damage("events ten hours later", EVENTS, _each(_hours(10))),
    Damage("events once more under new ids", EVENTS, _repeated("Id")),
    Damage("events without an end", EVENTS, _each(_put(EndDateTime="", DurationInMinutes=""))),
    Damage("events cut short", EVENTS, _cut),
    Damage("last day of pay", PAY, _each(_days("valid_to", -1))),
    Damage("pay left open", PAY, _each(_put(valid_to=""))),
    Damage("last day of the quota", QUOTAS, _each(_days("period_end", -1))),
    Damage("users dropped", "User.csv", _dropped()),
    Damage("stays all in one team", STAYS, _one_team),
    Damage("leads dropped", "Lead.csv", _dropped()),
    Damage("joint meetings a year earlier", "joint_meetings.csv", _each(_days("held_on", -365))),
)
DAMAGES = (*TRIED, *KEPT_BACK)
