"""A file is read as it stands, or refused by name with the reason; a broken line is never lost."""

from __future__ import annotations

import pytest

from analysis.sources import database, field_maps
from analysis.sources import intake as sources_intake
from analysis.sources.files.text_table import BrokenLine

KNOWN = [field_maps.ExportLayout("map", "thing", ("id", "name"), "accounts", ())]
SOUGHT = "id,name,note\n1,a,x\n2,b,y\n"
ROWS = [(2, "1", "a", "x"), (3, "2", "b", "y")]


def taken_in(folder, content: bytes | str, name="thing.csv"):
    """Return the intake of one file, and its rows as texts."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with database.open_session() as connection:
        intake = sources_intake.read_files(connection, [folder / name], KNOWN)
        rows = connection.table("text_0").fetchall() if intake.exports else []
    return intake, rows


def rows_of(folder, content: bytes | str):
    """Return the rows of a file that must not be refused, nor have a broken line."""
    intake, rows = taken_in(folder, content)
    assert intake.refusals == []
    assert intake.broken_lines == []
    return rows


@pytest.mark.parametrize(
    "content",
    [
        SOUGHT,
        SOUGHT.rstrip("\n"),
        SOUGHT.replace("\n", "\r\n"),
        SOUGHT.replace(",", ";"),
        SOUGHT.replace(",", "\t"),
        SOUGHT.replace(",", "|"),
        b"\xef\xbb\xbf" + SOUGHT.encode(),
        SOUGHT.replace("\n", "\r"),
        SOUGHT.replace("x\n", "x\r\n"),
        b"\xff\xfe" + SOUGHT.replace(",", "\t").encode("utf-16-le"),
        b"\xfe\xff" + SOUGHT.encode("utf-16-be"),
        "".join(";".join(f"'{c}'" for c in line.split(",")) + "\n" for line in SOUGHT.split()),
        SOUGHT.replace("id,name", '"Id ", NAME'),
        SOUGHT.replace("a", '"a"', 2).replace('n"a"me', "name"),
    ],
    ids=[
        "plain",
        "no last line end",
        "CRLF",
        "semicolon",
        "tab",
        "bar",
        "BOM",
        "CR",
        "mixed line ends",
        "UTF-16 LE",
        "UTF-16 BE",
        "single quotes",
        "case and blanks",
        "quoted",
    ],
)
def test_however_it_is_written_the_table_is_the_same(tmp_path, content):
    assert rows_of(tmp_path, content) == ROWS


def test_line_ends_commas_and_quotes_within_a_cell_stay(tmp_path):
    """Rows are numbered as records, so the second is 3 though it stands on line 4."""
    got = rows_of(tmp_path, 'id,name,note\r\n1,"a\nb, ""c""",x\r\n2,b,y\r\n')
    assert got == [(2, "1", 'a\nb, "c"', "x"), (3, "2", "b", "y")]


@pytest.mark.parametrize("old", ["\n", "x\n"], ids=["every line", "no header"])
def test_a_trailing_comma_is_no_column_of_its_own(tmp_path, old):
    """Quirk 10: on every line, or on the rows alone, whose header is then one short."""
    content = SOUGHT.replace("\n", ",\n") if old == "\n" else "id,name,note\n1,a,x,\n2,b,y,\n"
    assert [row[:4] for row in rows_of(tmp_path, content)] == ROWS


def test_a_header_that_is_one_blank_cell_longer_loses_no_row(tmp_path):
    assert rows_of(tmp_path, SOUGHT.replace("note", "note,")) == ROWS


@pytest.mark.parametrize("name", ["thing [1].csv", "thing*.csv", "th?ng.csv", "th'ing.csv"])
def test_a_files_name_is_no_pattern(tmp_path, name):
    """Another file that the pattern would match is not read along."""
    (tmp_path / "thing 1.csv").write_text(SOUGHT)
    (tmp_path / "thing-and-more.csv").write_text(SOUGHT)
    intake, rows = taken_in(tmp_path, SOUGHT, name)
    assert rows == ROWS
    assert [e.file for e in intake.exports] == [name]


def test_nothing_is_typed_or_made_missing(tmp_path):
    """NA is a sales region, None a name and leading zeros belong to an id."""
    assert rows_of(tmp_path, "id,name\n007,NA\n1e5,None\n") == [
        (2, "007", "NA"),
        (3, "1e5", "None"),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [("3,c", "missing columns"), ("3,c,z,zz", "too many columns"), ('3,"c"d,z', "unquoted value")],
)
def test_a_broken_line_is_kept_with_its_number(tmp_path, line, problem):
    """It stands on line 3, between two rows that are read."""
    intake, rows = taken_in(tmp_path, f"id,name,note\n1,a,x\n{line}\n2,b,y\n")
    assert [row[1:] for row in rows] == [row[1:] for row in ROWS]
    assert intake.broken_lines == [BrokenLine("thing.csv", 3, problem)]
    assert intake.exports[0].n_rows == 3


def test_every_line_behind_an_open_quote_is_counted(tmp_path):
    """Lines 3 to 5 are swallowed by the quote: three broken lines, not one."""
    intake, rows = taken_in(tmp_path, 'id,name,note\n1,a,x\n2,"b,y\n3,c,z\n4,d,w\n')
    assert rows == ROWS[:1]
    assert [b.line for b in intake.broken_lines] == [3, 4, 5]
    assert intake.exports[0].n_rows == 4


def test_a_quote_left_open_over_a_long_rest_refuses_the_file(tmp_path):
    """How much it swallowed cannot be told."""
    intake, _ = taken_in(tmp_path, 'id,name,note\n1,a,x\n2,"b,y\n' + "3,c,z\n" * 5_000)
    assert intake.exports == []
    assert "a quote that opens near line 3 is never closed" in intake.refusals[0].reason


def test_rows_below_broken_lines_keep_the_numbers_of_their_own_lines(tmp_path):
    """Lines 2, 4 and 5 of seven are broken: the rows stand on 3, 6 and 7."""
    intake, rows = taken_in(tmp_path, "id,name,note\nx\n1,a,x\n2,b,y,z,z\ny\n3,c,x\n4,d,y\n")
    assert [b.line for b in intake.broken_lines] == [2, 4, 5]
    assert [(row[0], row[1]) for row in rows] == [(3, "1"), (6, "3"), (7, "4")]


def test_where_cells_hold_line_breaks_records_are_numbered_broken_ones_too(tmp_path):
    """Record 2 stands on two lines, 3 is broken, 4 is the next row."""
    intake, rows = taken_in(tmp_path, 'id,name,note\n1,"a\nb",x\ny\n2,b,y\n')
    assert [b.line for b in intake.broken_lines] == [3]
    assert [(row[0], row[1]) for row in rows] == [(2, "1"), (4, "2")]


def test_quirk_9_a_row_of_another_encoding_is_broken_not_changed(tmp_path):
    """In a file that is UTF-8 otherwise, as the ü of its other row says; far below the first look."""
    far = "id,name,note\n1,ü,x\n" + "1,a,x\n" * 200_000
    intake, rows = taken_in(tmp_path, far.encode() + b"2,M\xfcller,y\n")
    assert len(rows) == 200_001
    assert intake.broken_lines == [BrokenLine("thing.csv", 200_003, "invalid encoding")]
    assert intake.exports[0].warnings == ("1 bytes in it are no UTF-8: their rows are set aside",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \r\n\n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (
            SOUGHT.encode("utf-16-le"),
            "it holds zero bytes, so it is no text (or UTF-16 without its mark)",
        ),
        (
            b"\xff\xfe" + SOUGHT.encode("utf-16-le") + b"\x00",
            "its mark says UTF-16-LE, but its bytes are not",
        ),
        (b"id,name,note\n1,M\xfc\x81ller,x\n", "its text is neither UTF-8 nor Windows cp1252"),
        ("id,name,ID\n1,a,x\n", "its header names id twice"),
        ("id,name, Name \n1,a,x\n", "its header names name twice"),
        (
            "id,nome\n1,a\n",
            "its 2 columns (id, nome) are no export known here; nearest is thing (map), which also needs name. Map it in",
        ),
    ],
)
def test_quirks_9_and_51_what_cannot_be_read_is_refused_with_the_reason(tmp_path, content, reason):
    intake, _ = taken_in(tmp_path, content)
    assert intake.exports == []
    assert intake.refusals[0].file == "thing.csv"
    assert reason in intake.refusals[0].reason


def test_a_cell_cut_in_two_by_the_first_look_is_no_other_encoding(tmp_path):
    """The first mebibyte ends within the two bytes of an ü."""
    head = "id,name,note\n"
    filler = "1,a," + "x" * ((1 << 20) - len(head) - 4 - 1)
    content = (head + filler + "ü\n").encode()
    assert content[: 1 << 20][-1:] == "ü".encode()[:1]
    assert rows_of(tmp_path, content)[0][3].endswith("xü")


def test_a_refused_file_does_not_stop_the_others(tmp_path):
    """Nor does the broken line of one become another's."""
    for name, content in (("a.csv", "id,name\n1\n"), ("b.csv", ""), ("c.csv", "id,name\n1,x\n")):
        (tmp_path / name).write_text(content)
    with database.open_session() as connection:
        intake = sources_intake.read_files(connection, sources_intake.files_of(tmp_path), KNOWN)
    assert [e.file for e in intake.exports] == ["a.csv", "c.csv"]
    assert [b.file for b in intake.broken_lines] == ["a.csv"]
    assert [r.file for r in intake.refusals] == ["b.csv"]
    assert [e.n_rows for e in intake.exports] == [1, 1]


def test_only_exports_of_the_folder_itself_are_read(tmp_path):
    for name in ("b.csv", "A.CSV", "c.xlsx", "d.jsonl", "e.ics", "f.parquet", "truth.json"):
        (tmp_path / name).touch()
    (tmp_path / "rules").mkdir()
    assert [f.name for f in sources_intake.files_of(tmp_path)] == [
        "A.CSV",
        "b.csv",
        "c.xlsx",
        "d.jsonl",
        "e.ics",
        "f.parquet",
    ]


def test_a_file_is_known_by_its_bytes(tmp_path):
    """SHA-256 of "abc" as in FIPS 180-2."""
    (tmp_path / "x").write_bytes(b"abc")
    assert (
        sources_intake.file_sha256(tmp_path / "x")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
