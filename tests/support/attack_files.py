"""Files as an attacker would send them."""

from __future__ import annotations

import gzip
import os
import shutil
import zipfile
from typing import TYPE_CHECKING

import pyarrow as pa
import xlsxwriter
from crm_tables import event
from pyarrow import parquet
from report_fixtures import DEALS, HOUSE, USERS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

REP = "0055eZx00000RFBAB2"
SCRIPTS = {
    "Japanese": "東京営業部", "Arabic": "فريق المبيعات", "Hebrew": "צוות מכירות", "Thai": "ทีมขาย",
    "emoji": "🚀🏴‍☠️👩🏽‍💻", "Hindi": "बिक्री टीम", "Korean": "영업 1팀", "Cyrillic": "Отдел продаж", "Georgian": "გაყიდვები",
    "Latin": "Ünïcödé & <b>$x$",
}  # fmt: skip
_ENTRY = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART:20260105T100000Z\n"
    "DTEND:20260105T110000Z\nSUMMARY:Demo\n{}\nEND:VEVENT\nEND:VCALENDAR\n"
)
_ALL = ",".join(map(str, range(60)))
CALENDARS = [
    _ENTRY.format(rule)
    for rule in (
        "RRULE:FREQ=DAILY;INTERVAL=0",
        "RRULE:FREQ=SECONDLY",
        "RRULE:FREQ=MINUTELY;COUNT=999999999",
        f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE={_ALL};BYSECOND={_ALL}",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=DAILY;UNTIL=99991231T000000Z",
        "RRULE:FREQ=YEARLY;BYDAY=53MO;BYWEEKNO=53;BYYEARDAY=366",
        "RRULE:FREQ=WEEKLY;BYSETPOS=-366",
        "RRULE:FREQ=DAILY\n" * 500,
        "RDATE:" + ",".join(f"2026{m:02}{d:02}T100000Z" for m in range(1, 13) for d in range(1, 28)) * 50,
        "EXDATE:" + ",".join(f"2026{m:02}{d:02}T100000Z" for m in range(1, 13) for d in range(1, 28)) * 50,
        "DURATION:P999999999D",
        "ATTENDEE:mailto:a@b.example\n" * 20_000,
        "X-LONG:" + "x" * 2_000_000,
        "BEGIN:VEVENT\n" * 3_000,
        "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\n" * 5_000,
        "RDATE:" + "20260105T100000Z," * 200_000,
        "SEQUENCE:" + "9" * 5_000,
        "DURATION:P" + "9" * 30 + "W",
    )
] + [
    f"BEGIN:VCALENDAR\nVERSION:2.0\n{body}END:VCALENDAR\n"
    for body in (
        "".join(f"BEGIN:VEVENT\nUID:{n}\nDTSTART:00010101T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=19800101T000000Z\nEND:VEVENT\n" for n in range(2_000)),
        "".join(f"BEGIN:VEVENT\nUID:{n}\nDTSTART:20260105T100000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n" for n in range(20_000)),
        "BEGIN:VEVENT\nEND:VEVENT\n" * 150_000,
        "BEGIN:VTIMEZONE\nTZID:Z\nBEGIN:STANDARD\nDTSTART:20000101T000000\nRDATE:" + "20000105T100000," * 200_000
        + "\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:STANDARD\nEND:VTIMEZONE\n"
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Z:20260105T100000\nEND:VEVENT\n",
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=../../../etc/passwd:20260105T100000\nEND:VEVENT\n",
    )
]  # fmt: skip


def minimal_project(root: Path) -> Path:
    """Make a project with a dataset "small" of one rep and two deals."""
    folder = root / "data" / "raw" / "small"
    folder.mkdir(parents=True)
    (root / "notebooks").mkdir()
    shutil.copy(HOUSE / "alignment.toml", root)
    (folder / "User.csv").write_text(USERS, encoding="utf-8")
    (folder / "Opportunity.csv").write_text(DEALS, encoding="utf-8")
    return root


def damaged_csv(rng: random.Random) -> tuple[bytes, list[str]]:
    """Return a CSV of events, each with a mark of its own, damaged in one to three places."""
    header = list(event(0))
    marks = [f"MARK{rng.randrange(10**9):09}" for _ in range(rng.randrange(1, 12))]
    rows = [list((event(i, OwnerId=REP) | {"Subject": mark}).values()) for i, mark in enumerate(marks)]  # fmt: skip
    lines = [",".join(header), *(",".join(row) for row in rows)]
    text = rng.choice(["\n", "\r\n", "\r"]).join(lines) + rng.choice(["\n", "", "\r\n"])
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines[0]), len(text))
        piece = rng.choice(['"', '""', ",", ";", "\t", "\n", "\r", "\r\n", "'", "\\", "\n\n", ",,,", '"\n"', "é", "\u2028", "=", " ", "\ufeff"])  # fmt: skip
        while text[max(0, at - 12) : at + 12].count("MARK"):  # a mark must not be cut itself
            at = rng.randrange(len(lines[0]), len(text))
            if rng.random() < 0.02:
                break
        text = text[:at] + piece + text[at:]
    kept = [mark for mark in marks if mark in text]
    encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-8", "utf-8"])
    return text.encode(encoding, "replace"), kept


def random_file(rng: random.Random) -> tuple[str, bytes]:
    """Return a file's name and random bytes, some behind the beginning that its kind has."""
    suffix = rng.choice([".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".parquet", ".ics", ".csv.gz", ".xls"])  # fmt: skip
    start = {
        ".xlsx": b"PK\x03\x04",
        ".parquet": b"PAR1",
        ".json": b'[{"Id":',
        ".jsonl": b'{"Id": ',
        ".ics": b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:",
        ".csv": b"Id,Subject,OwnerId,StartDateTime\n",
        ".csv.gz": b"\x1f\x8b\x08",
    }.get(suffix, b"")
    body = rng.randbytes(rng.randrange(0, 2_000))
    end = b"PAR1" if suffix == ".parquet" and rng.random() < 0.5 else b""
    return f"a{suffix}", (start if rng.random() < 0.6 else b"") + body + end


_PART = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _workbook(file: Path, sheet: str, target: str = "sheet1.xml") -> None:
    """Write a workbook of one sheet's XML, which its relations call as they do."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>')  # fmt: skip
        z.writestr("_rels/.rels", f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{_PART}/officeDocument" Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
        z.writestr("xl/workbook.xml", f'<workbook xmlns:r="{_PART}"><sheets><sheet name="Event" sheetId="1" r:id="rId1"/></sheets></workbook>')  # fmt: skip
        z.writestr("xl/_rels/workbook.xml.rels", f'<Relationships><Relationship Id="rId1" Type="{_PART}/worksheet" Target="worksheets/{target}"/></Relationships>')  # fmt: skip
        z.writestr("xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{sheet}</sheetData></worksheet>")  # fmt: skip


def _far_cell(raw: Path) -> None:
    with xlsxwriter.Workbook(str(raw / "Event.xlsx"), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Event")
        for i in range(20_000):
            sheet.write_row(i, 0, list(event(i).values())[:8])
        sheet.write(20_000, 16_383, "x")


def _many_sheets(raw: Path) -> None:
    with xlsxwriter.Workbook(str(raw / "many.xlsx")) as book:
        for i in range(500):
            book.add_worksheet(f"s{i}").write(0, 0, "x")


def _gzip_bomb(raw: Path) -> None:
    with gzip.open(raw / "Event.csv.gz", "wb") as stream:
        for _ in range(300):
            stream.write(bytes(1 << 20))


def _parquet_bomb(raw: Path) -> None:
    with parquet.ParquetWriter(raw / "Event.parquet", pa.schema([("Id", pa.string())])) as writer:
        for _ in range(30):
            writer.write_table(pa.table({"Id": pa.array(["x"] * 1_000_000)}))


def bombs() -> dict[str, Callable[[Path], object]]:
    """Return what to put into a folder, by name: small files that ask for much."""
    wide = ",".join(f"c{i}" for i in range(100_000))
    known = event(1, OwnerId=REP)
    return {
        "cell in the last column": _far_cell,
        "cells without a place": lambda raw: _workbook(
            raw / "Event.xlsx", f"<row>{'<c/>' * 16_384}</row>{'<row/>' * 1_000_000}"
        ),
        "tags never closed": lambda raw: _workbook(raw / "Event.xlsx", '<c r="A1" t="e"><f' * 1_000_000),
        "packed a thousandfold": lambda raw: _workbook(raw / "Event.xlsx", " " * (100 << 20)),
        **{
            f"far cell {kind}": lambda raw, cell=cell, target=target: _workbook(
                raw / "Event.xlsx", f'<row r="1"><c r="A1"><v>1</v></c></row><row r="2">{cell}</row>', target
            )
            for kind, cell, target in (
                ("in small letters", '<c r="xfd1048576"><v>1</v></c>', "sheet1.xml"),
                ("behind blanks", '<c r\n = "XFD1048576"><v>1</v></c>', "sheet1.xml"),
                ("in no row there is", '<c r="A4000000000"><v>1</v></c>', "sheet1.xml"),
                ("in a part by another name", '<c r="XFD1048576"><v>1</v></c>', "SHEET1.XML"),
                ("in a tag of 20 MB", f'<c x="{"y" * 20_000_000}" r="XFD1048576"/>', "sheet1.xml"),
            )
        },
        "500 sheets": _many_sheets,
        "gzip bomb": _gzip_bomb,
        "parquet bomb": _parquet_bomb,
        "100,000 columns": lambda raw: (raw / "Event.csv").write_text(f"{wide}\n{wide}\n"),
        "20,000 columns beside known ones": lambda raw: (raw / "Event.csv").write_text(
            f"{','.join(known)},{wide[:200_000]}x\n{','.join(known.values())}\n"
        ),
        "cell of 50 MB": lambda raw: (raw / "Event.csv").write_text(
            ",".join(known) + "\n" + ",".join((known | {"Subject": "x" * 50_000_000}).values()) + "\n"
        ),
        "3 million quotes": lambda raw: (raw / "Event.csv").write_text(",".join(known) + "\n" + '"' * 3_000_001),
        "deep JSON": lambda raw: (raw / "Event.json").write_text("[" * 200_000 + "]" * 200_000),
        "5,000 files": lambda raw: [(raw / f"e{i}.csv").write_text("Id\n1\n") for i in range(5_000)],
        "deep TOML": lambda raw: (raw / "fields.toml").write_text("a = " + "[" * 5_000),
    }  # fmt: skip


def plant_people(raw: Path) -> list[str]:
    """Write names and addresses nobody else has into every place a person may stand; return them."""
    planted, rows = [], []
    forms = ("{0}@planted-{1}.example", "{0}@plánted-{1}.例え", "{0}\uff20planted-{1}.example", "{0}%40planted-{1}.example")  # fmt: skip
    for n in range(200):
        name, address = f"Zyxq{n:03} Wvut{n:03}", forms[n % 4].format(f"zq{n:03}", n)
        planted += [name, f"zq{n:03}"]
        rows.append(event(n, OwnerId=REP, Subject=f"Demo {address} for you"))
        with (raw / "User.csv").open("a", encoding="utf-8") as stream:
            stream.write(f"0055eZx{n:05}RFBAB,{name},zq{n:03}@northwind.example,Account Executive,,true,,UTC,Standard,2020-02-24T10:00:00.000Z,2020-02-24,,1\n")  # fmt: skip
    with (raw / "Event.csv").open("w", encoding="utf-8") as stream:
        stream.write(",".join(rows[0]) + "\n")
        stream.writelines(",".join(row.values()) + "\n" for row in rows)
    (raw / f"{planted[1]}@planted.example.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    os.utime(raw)
    return planted
