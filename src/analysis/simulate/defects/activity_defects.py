"""Defects of events and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate.exports import salesforce_format as sf

if TYPE_CHECKING:
    from analysis.simulate.defects.sheet import Rates, Sheet
    from analysis.simulate.world.calendar import Bools, Ints

EPOCH = np.datetime64("1970-01-01")
NOBODY = 9_000_000  # the number of the first user who does not exist
NIGHT = 12 * 3600  # seconds from working hours to a minute in which nobody calls
ODD = 7 * 60  # seconds that move a copy off the calendar's grid, so that it equals no other meeting


def soil_events(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Plant every defect of Event, all of them in timed events."""
    del files
    rng = sheet.rng
    timed: Bools = pc.equal(sheet.table["IsAllDayEvent"], "false").to_numpy()
    starts = (
        pc.utf8_slice_codeunits(sheet.table["StartDateTime"], 0, 10)
        .to_numpy()
        .astype("datetime64[D]")
    )
    last = starts[timed].max()
    settled = timed & (starts < last - 10)
    _extra_events(sheet, rates, timed, settled, last)

    rows = sheet.choose(rates.before_1990, timed)
    start, end = _seconds(sheet, "StartDateTime", rows), _seconds(sheet, "EndDateTime", rows)
    sheet.alter(
        "timestamp_before_1990", "quarantine", rows,
        StartDateTime=_milliseconds(start), EndDateTime=_milliseconds(end),
        DurationInMinutes=["0"] * len(rows),
    )  # fmt: skip
    rows = sheet.choose(rates.duration_disagrees, timed)
    longer = [str(int(text) + 45) for text in sheet.take("DurationInMinutes", rows)]
    sheet.alter("duration_disagrees", "quarantine", rows, DurationInMinutes=longer)
    rows = sheet.choose(rates.longer_than_8_hours, settled)
    minutes: Ints = 60 * rng.integers(12, 73, len(rows))
    _restretch(sheet, "longer_than_8_hours", rows, minutes)
    rows = sheet.choose(rates.ends_before_start, timed)
    _restretch(sheet, "ends_before_start", rows, -30 * rng.integers(1, 4, len(rows)))
    rows = sheet.choose(rates.unknown_rep, timed)
    nobody = sf.salesforce_ids("005", NOBODY + np.arange(len(rows)) % 5)
    sheet.alter("unknown_rep", "quarantine", rows, OwnerId=nobody.to_pylist())


def _extra_events(
    sheet: Sheet, rates: Rates, timed: Bools, settled: Bools, last: np.datetime64
) -> None:
    rng = sheet.rng
    for rule, rate in (("deleted_record", rates.deleted), ("cancelled", rates.cancelled)):
        rows = sheet.choose(rate, timed)
        start, end = (
            _seconds(sheet, name, rows) + ODD for name in ("StartDateTime", "EndDateTime")
        )
        changed = {"StartDateTime": _stamps(start), "EndDateTime": _stamps(end)}
        if rule == "deleted_record":
            changed["IsDeleted"] = ["true"] * len(rows)
        else:
            changed["Subject"] = [f"Canceled: {text}" for text in sheet.take("Subject", rows)]
        sheet.add(rule, "drop", rows, prefix="00U", **changed)
    sheet.add("repeated_record", "drop", sheet.choose(rates.repeated, timed))
    rows = sheet.choose(rates.double_logged, settled)
    noted = np.maximum(_seconds(sheet, "CreatedDate", rows), _seconds(sheet, "EndDateTime", rows))
    noted = noted + rng.integers(60, 5 * 86_400, len(rows))
    sheet.add("double_logged", "drop", rows, prefix="00U", CreatedDate=_stamps(noted))

    rows = sheet.choose(
        rates.series, settled & pc.equal(sheet.table["Subject"], "Internal meeting").to_numpy()
    )
    start = _seconds(sheet, "StartDateTime", rows) + ODD
    room = (last.astype(np.int64) * 86_400 - start) // (7 * 86_400)
    end = (
        start + 3600 + 7 * 86_400 * np.minimum(rng.integers(4, 26, len(rows)), np.maximum(room, 1))
    )
    sheet.add(
        "series_master", "drop", rows, prefix="00U",
        StartDateTime=_stamps(start), EndDateTime=_stamps(end), IsRecurrence=["true"] * len(rows),
        DurationInMinutes=[str(minutes) for minutes in ((end - start) // 60).tolist()],
    )  # fmt: skip
    rows = sheet.choose(rates.after_as_of, timed)
    start, end = _seconds(sheet, "StartDateTime", rows), _seconds(sheet, "EndDateTime", rows)
    weeks = (
        ((last.astype(np.int64) * 86_400 - start) // (7 * 86_400) + rng.integers(2, 6, len(rows)))
        * 7
        * 86_400
    )
    sheet.add(
        "after_as_of", "drop", rows, prefix="00U",
        StartDateTime=_stamps(start + weeks), EndDateTime=_stamps(end + weeks),
    )  # fmt: skip


def soil_tasks(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Plant every defect of Task."""
    del files
    rng = sheet.rng
    rows = sheet.choose(rates.deleted)
    sheet.add("deleted_record", "drop", rows, prefix="00T", IsDeleted=["true"] * len(rows))
    sheet.add("repeated_record", "drop", sheet.choose(rates.repeated))
    calls: Bools = pc.equal(sheet.table["TaskSubtype"], "Call").to_numpy()
    days = sheet.table["ActivityDate"].to_numpy()
    heads = sheet.choose(rates.bursts, calls & (days != max(days)))
    if len(heads):
        rows = np.repeat(heads, rates.burst_calls)
        minute = _seconds(sheet, "CompletedDateTime", rows) // 60 * 60 + NIGHT
        done = _stamps(minute + rng.integers(0, 60, len(rows)))
        length = [str(seconds) for seconds in rng.integers(60, 1200, len(rows)).tolist()]
        sheet.add(
            "import_burst", "drop", rows, prefix="00T",
            CompletedDateTime=done, CreatedDate=done, CallDurationInSeconds=length,
        )  # fmt: skip
    wanted = round(rates.call_without_duration * int(calls.sum()))
    rows = sheet.choose(wanted, calls)
    sheet.alter("call_without_duration", "flag", rows, CallDurationInSeconds=[None] * len(rows))


def _restretch(sheet: Sheet, rule: str, rows: Ints, minutes: Ints) -> None:
    """Give events another length, the end and the duration in agreement."""
    end = _stamps(_seconds(sheet, "StartDateTime", rows) + 60 * minutes)
    text = [str(value) for value in minutes.tolist()]
    sheet.alter(rule, "quarantine", rows, EndDateTime=end, DurationInMinutes=text)


def _seconds(sheet: Sheet, column: str, rows: Ints) -> Ints:
    """Return seconds since 1970."""
    text = np.array([value[:19] for value in sheet.take(column, rows)], "datetime64[s]")
    return text.astype(np.int64)


def _stamps(seconds: Ints) -> list[str | None]:
    return list(sf.utc_stamps(EPOCH, seconds).to_pylist())


def _milliseconds(seconds: Ints) -> list[str | None]:
    """Return the timestamps that come out when seconds are read as milliseconds."""
    whole = _stamps(seconds // 1000)
    return [
        f"{str(text)[:19]}.{rest:03d}Z"
        for text, rest in zip(whole, (seconds % 1000).tolist(), strict=True)
    ]
