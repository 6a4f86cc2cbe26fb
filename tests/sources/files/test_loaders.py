"""Workbooks, API records and Parquet become the same texts a CSV would hold."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from analysis.sources import database, field_maps
from analysis.sources import intake as sources_intake
from analysis.sources.cells import reading
from analysis.sources.files import text_table, xlsx

THING = field_maps.ExportLayout(
    "map", "thing", ("id", "name"), "accounts", (reading.MappedColumn("account_id", source="id"),)
)
PERSON = field_maps.ExportLayout("map", "person", ("rep", "team"), "reps", ())


def taken_in(file):
    """Return the intake of a file and the rows of each of its tables."""
    with database.open_session() as connection:
        intake = sources_intake.read_files(connection, [file], [THING, PERSON])
        rows = {
            e.file: connection.table(f'"{e.text_table}"').order("source_row").fetchall()
            for e in intake.exports
        }
    return intake, rows


def workbook(file, **sheets):
    """Write each list of rows as a sheet; a text that begins with = is a formula whose cached value is an error or 5."""
    book = xlsxwriter.Workbook(file, {"remove_timezone": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(i, j, cell, day)
                elif isinstance(cell, str) and cell.startswith("="):
                    sheet.write_formula(i, j, cell, None, "#REF!" if "REF" in cell else 5)
                elif cell is not None:
                    sheet.write(i, j, cell)
    book.close()


def test_a_cell_of_a_workbook_says_what_it_shows(tmp_path):
    """Whole numbers without a point, dates in ISO, formulas their cached value, errors their name (quirk 49)."""
    rows = [
        ["id", "name", "x"],
        [1, "a", dt.date(2026, 1, 2)],
        ["007", True, 0.5],
        [2, "b", "=1+4"],
        [3, "c", "=REF"],
    ]
    workbook(tmp_path / "t.xlsx", Things=rows)
    intake, got = taken_in(tmp_path / "t.xlsx")
    assert got == {
        "t.xlsx [Things]": [
            (2, "1", "a", "2026-01-02"), (3, "007", "true", "0.5"), (4, "2", "b", "5"), (5, "3", "c", "#REF!"),
        ]
    }  # fmt: skip
    assert intake.exports[0].n_rows == 4


@pytest.mark.parametrize(
    ("place", "part"),
    [
        (b'r="XFD1048576"', b"sheet1.xml"),
        (b'r="xfd1048576"', b"sheet1.xml"),
        (b'r  =\n"XFD1048576"', b"sheet1.xml"),
        (b'r="A4000000000"', b"sheet1.xml"),
        (b'r="XFD1048576"', b"SHEET1.XML"),
    ],
)
def test_a_cell_far_out_is_found_however_it_is_written(tmp_path, place, part):
    """A reader takes small letters, blanks, a row the cell contradicts, and a part's name in capitals."""
    workbook(tmp_path / "t.xlsx", Things=[["id", "name"]])
    with zipfile.ZipFile(tmp_path / "t.xlsx") as plain, zipfile.ZipFile(tmp_path / "far.xlsx", "w") as far:  # fmt: skip
        for name in plain.namelist():
            content = plain.read(name).replace(b'r="B1"', place)
            far.writestr(name, content.replace(b'"worksheets/sheet1.xml', b'"worksheets/' + part))
    with pytest.raises(ValueError, match=r"its sheet Things spans [0-9,]+ rows"):
        list(xlsx.read_sheets(tmp_path / "far.xlsx"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2.58e16, "2.58e+16"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53, "9.0071992547409920e+15"),
        (-3.0, "-3"),
        (1e22, "1e+22"),
    ],
)
def test_quirk_5_a_number_a_spreadsheet_rounded_keeps_scientific_notation(value, said):
    """So that it passes for no id: a double holds whole numbers below 2 to the 53rd."""
    assert xlsx.cell_text(value) == said


def test_every_sheet_that_is_known_is_read_and_the_others_are_named(tmp_path):
    workbook(
        tmp_path / "t.xlsx",
        Notes=[["made by Ada"]],
        Things=[["id", "name"], ["1", "a"]],
        People=[["Title of it"], [None], ["rep", "team"], ["Ada", "N"]],
    )
    intake, got = taken_in(tmp_path / "t.xlsx")
    assert got == {"t.xlsx [Things]": [(2, "1", "a")], "t.xlsx [People]": [(4, "Ada", "N")]}
    assert intake.exports[0].warnings == (
        "not read: its other sheets (Notes) are no export known here",
    )
    assert [(b.file, b.line, b.rule) for b in intake.broken_lines] == [
        ("t.xlsx [People]", 1, "report_title")
    ]


def parquet_of(**columns: pa.Array) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


NO_TEXT = parquet_of(id=pa.array(["1"]), name=pa.array([b"Ada\xff"]).view(pa.string()))


def test_quirk_1_a_footer_of_a_sheet_is_no_row(tmp_path):
    rows = [["id", "name"], ["1", "a"], [None, None], ["Confidential Information"], ["Acme"]]
    workbook(tmp_path / "t.xlsx", Things=rows)
    intake, got = taken_in(tmp_path / "t.xlsx")
    assert got["t.xlsx [Things]"] == [(2, "1", "a")]
    assert [(b.line, b.rule) for b in intake.broken_lines] == [
        (4, "report_footer"),
        (5, "report_footer"),
    ]
    assert intake.exports[0].n_rows == 3


def test_a_row_below_a_blank_one_is_a_row_if_others_follow(tmp_path):
    rows = [["id", "name"], ["1", "a"], [None, None], ["2"], ["3", "c"]]
    workbook(tmp_path / "t.xlsx", Things=rows)
    intake, got = taken_in(tmp_path / "t.xlsx")
    assert [row[0] for row in got["t.xlsx [Things]"]] == [2, 4, 5]
    assert intake.broken_lines == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("t.xlsx", b"PK\x03\x04 no zip", "it cannot be read as XLSX"),
        ("t.parquet", b"PAR1 and no more", "it cannot be read as Parquet"),
        ("t.parquet", NO_TEXT, "it cannot be read as Parquet (a text in it is not UTF-8)"),
        ("t.jsonl", b"", "it holds no record"),
        ("t.jsonl", b'{"a": "\xff"}', "it is not UTF-8"),
        ("t.json", b'{"idd": 1}', "its 1 columns (idd) are no export known here. Map it in"),
        ("t.json", b"[" * 100_000, "its records are nested too deeply"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    intake, _ = taken_in(tmp_path / name)
    assert intake.exports == []
    assert reason in intake.refusals[0].reason


RECORDS = [
    {
        "attributes": {"type": "Thing", "url": "/x"},
        "id": 1,
        "name": "a",
        "Account": {"attributes": {}, "Name": "Acme", "Owner": {"Name": "Ada"}},
    },
    {
        "id": 2,
        "name": None,
        "Account": None,
        "won": True,
        "amount": 12345678901234567890,
        "price": 1e2,
    },
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.jsonl", "\n".join(json.dumps(r) for r in RECORDS) + "\n"),
        ("t.ndjson", "\n\n".join(json.dumps(r) for r in RECORDS)),
        ("t.json", json.dumps(RECORDS, indent=2)),
        ("t.json", json.dumps({"totalSize": 2, "done": True, "records": RECORDS})),
        ("t.json", "\ufeff" + json.dumps({"results": RECORDS})),
        (
            "t.json",
            json.dumps({"status": 0, "result": {"records": RECORDS, "done": True}, "warnings": []}),
        ),
        ("t.json", json.dumps({"data": {"crm": {"items": RECORDS, "cursor": None}}})),
    ],
    ids=[
        "lines",
        "blank lines",
        "array",
        "Salesforce's answer",
        "HubSpot's answer with a mark",
        "Salesforce's command line",
        "GraphQL",
    ],
)
def test_quirk_54_records_of_an_api_are_flattened(tmp_path, name, content):
    """A parent that is null leaves its columns blank; attributes are dropped; an amount stays as written."""
    (tmp_path / name).write_text(content.replace("100.0", "100.50"), encoding="utf-8")
    intake, got = taken_in(tmp_path / name)
    header = (
        "id",
        "name",
        "Account.Name",
        "Account.Owner.Name",
        "Account",
        "won",
        "amount",
        "price",
    )
    assert intake.exports[0].header == header
    assert [row[1:] for row in got[name]] == [
        ("1", "a", "Acme", "Ada", None, None, None, None),
        ("2", None, None, None, None, "true", "12345678901234567890", "100.50"),
    ]


def test_hubspots_properties_are_columns_of_the_record(tmp_path):
    (tmp_path / "t.jsonl").write_text(
        '{"id": "1", "properties": {"name": "a"}, "archived": false}\n'
    )
    intake, got = taken_in(tmp_path / "t.jsonl")
    assert intake.exports[0].header == ("id", "name", "archived")
    assert got["t.jsonl"] == [(1, "1", "a", "false")]


@pytest.mark.parametrize(
    ("content", "kept", "aside"),
    [
        ('{"id": 1, "name": "a"}\nno record\n{"id": 2, "name": "b"}\n', 2, [2]),
        ('{"id": 1, "name": "a"}\n[1]\n7\n{"id": 2, "name": ', 1, [2, 3, 4]),
        ('[{"id": 1, "name": "a"}, 7, {"id": 2, "name": "b"', 1, [2, 3]),
        ('{"id": 1, "name": "a"}\n{"id": 2, "name": "\\ud800"}\n', 1, [2]),
    ],
)
def test_quirk_51_what_is_no_record_is_kept_aside_with_its_number(tmp_path, content, kept, aside):
    """Also where the file is cut off."""
    (tmp_path / "t.json").write_text(content)
    intake, got = taken_in(tmp_path / "t.json")
    assert len(got["t.json"]) == kept
    assert [b.line for b in intake.broken_lines] == aside
    assert intake.exports[0].n_rows == kept + len(aside)


def test_records_of_many_batches_share_their_columns(tmp_path, monkeypatch):
    """A column that first comes up in the third batch is blank before."""
    monkeypatch.setattr(text_table, "BATCH_ROWS", 2)
    lines = [{"id": n, "name": "a"} | ({"late": "x"} if n == 4 else {}) for n in range(5)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    _, got = taken_in(tmp_path / "t.jsonl")
    assert [row[3] for row in got["t.jsonl"]] == [None, None, None, None, "x"]


def test_an_array_longer_than_a_piece_is_read_piece_by_piece(tmp_path):
    """Three mebibytes of records, cut anywhere."""
    (tmp_path / "t.json").write_text(
        json.dumps([{"id": n, "name": "x" * 1_000} for n in range(3_000)])
    )
    intake, got = taken_in(tmp_path / "t.json")
    assert len(got["t.json"]) == 3_000
    assert intake.broken_lines == []


def test_parquet_is_read_as_texts(tmp_path):
    """A timestamp keeps its zone, a number its digits."""
    duckdb.sql(
        f"copy (select 1 as id, 'a' as name, timestamptz '2026-01-02 03:04:05Z' as at, 0.1::double as x, date '2026-01-02' as d) "
        f"to '{tmp_path}/t.parquet' (format parquet)"
    )
    _, got = taken_in(tmp_path / "t.parquet")
    assert got["t.parquet"] == [(1, "1", "a", "2026-01-02T03:04:05.000000Z", "0.1", "2026-01-02")]
