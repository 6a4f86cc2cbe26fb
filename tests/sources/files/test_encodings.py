"""An encoding is known or said to be a guess, and a file that may be cut says so."""

from __future__ import annotations

import pytest
from shared_session import undone_session

from analysis.sources import field_maps
from analysis.sources import intake as sources_intake
from analysis.sources.files import csv_dialect

KNOWN = [field_maps.ExportLayout("map", "thing", ("id", "name"), "accounts", ())]
MULLER = "id,name\n1,Müller\n"


def taken_in(folder, content: bytes) -> tuple[sources_intake.Intake, list[tuple[object, ...]]]:
    (folder / "thing.csv").write_bytes(content)
    with undone_session() as connection:
        intake = sources_intake.read_files(connection, [folder / "thing.csv"], KNOWN)
        return intake, connection.table("text_0").fetchall() if intake.exports else []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MULLER.encode(), "utf-8 (valid throughout), LF"),
        (b"\xef\xbb\xbf" + MULLER.encode(), "utf-8 (byte order mark), LF"),
        (b"\xff\xfe" + MULLER.encode("utf-16-le"), "utf-16-le (byte order mark), LF"),
        (b"\xfe\xff" + MULLER.encode("utf-16-be"), "utf-16-be (byte order mark), LF"),
        (MULLER.encode("cp1252"), "cp1252 (a guess: no UTF-8), LF"),
    ],
)
def test_quirk_9_however_it_is_encoded_the_table_is_the_same(tmp_path, content, said):
    intake, rows = taken_in(tmp_path, content)
    assert rows == [(2, "1", "Müller")]
    assert intake.exports[0].encoding == said


def test_quirk_9_cp1252_is_read_only_with_a_warning(tmp_path):
    intake, _ = taken_in(tmp_path, MULLER.encode("cp1252"))
    assert intake.exports[0].warnings == ("not UTF-8: 1 characters were read as Windows cp1252",)


def test_quirk_9_the_first_stray_byte_may_stand_anywhere(tmp_path):
    """Behind the first mebibyte, too."""
    intake, rows = taken_in(
        tmp_path, b"id,name\n" + b"1,a\n" * 300_000 + "2,Müller\n".encode("cp1252")
    )
    assert rows[-1] == (300_002, "2", "Müller")
    assert intake.exports[0].encoding.startswith("cp1252")


@pytest.mark.parametrize(
    ("name", "said"),
    [("Müller", "MÃ¼ller"), ("5°", "5Â°"), ("5 €", "5 â\u201a¬"), ("d\u2019or", "dâ€\u2122or")],
)
def test_quirk_9_mojibake_is_flagged_not_repaired(tmp_path, name, said):
    """A name in UTF-8 read as cp1252 and saved again."""
    intake, rows = taken_in(
        tmp_path, b"id,name\n1,a\n2," + name.encode().decode("cp1252").encode() + b"\n"
    )
    assert rows[1] == (3, "2", said)
    assert (
        "1 characters look like UTF-8 once read as cp1252 (Ã¼ for ü; first on line 3)"
        in intake.exports[0].warnings[0]
    )


@pytest.mark.parametrize("name", ["Ângela", "SÃO PAULO", "Âge", "naïve", "日本"])
def test_quirk_9_a_name_with_accents_is_no_mojibake(tmp_path, name):
    intake, _ = taken_in(tmp_path, f"id,name\n1,{name}\n".encode())
    assert intake.exports[0].warnings == ()


@pytest.mark.parametrize("n", [2_000, 65_535, 65_536, 1_048_575, 1_048_576])
def test_quirk_51_a_count_of_rows_at_a_known_limit_looks_capped(tmp_path, n):
    intake, _ = taken_in(tmp_path, b"id,name\n" + b"1,a\n" * n)
    assert [w.split(":")[0] for w in intake.exports[0].warnings] == ["looks capped"]
    assert f"{n:,} rows is where" in intake.exports[0].warnings[0]


@pytest.mark.parametrize(
    ("n", "warned"), [(0, ("it has no rows below its header",)), (1, ()), (1_999, ()), (2_001, ())]
)
def test_quirk_51_any_other_count_does_not(tmp_path, n, warned):
    intake, _ = taken_in(tmp_path, b"id,name\n" + b"1,a\n" * n)
    assert intake.exports[0].n_rows == n
    assert intake.exports[0].warnings == warned


def test_quirk_51_a_footer_hides_no_cap(tmp_path):
    """The 2,000 rows of a report with two lines of footer below them."""
    footer = b"\nCopyright (c) 2000-2026 salesforce.com\nAcme\n"
    intake, _ = taken_in(tmp_path, b"id,name\n" + b"1,a\n" * 2_000 + footer)
    assert intake.exports[0].n_rows == 2_002
    assert [w.split(":")[0] for w in intake.exports[0].warnings] == ["looks capped"]


def test_quirk_51_a_broken_line_that_ends_is_not_cut_off(tmp_path):
    intake, _ = taken_in(tmp_path, b"id,name\n1,a\n2\n")
    assert [b.line for b in intake.broken_lines] == [3]
    assert intake.exports[0].warnings == ()


@pytest.mark.parametrize("last", [b"2", b'2,"b'])
def test_quirk_51_a_last_line_cut_off_is_kept_aside_and_warned_of(tmp_path, last):
    intake, rows = taken_in(tmp_path, b"id,name\n1,a\n" + last)
    assert rows == [(2, "1", "a")]
    assert [b.line for b in intake.broken_lines] == [3]
    assert intake.exports[0].warnings == ("its last line is cut off: the export may be incomplete",)


def test_a_line_ends_at_a_line_end_and_nowhere_else():
    """A form feed or U+2028 within a cell is text."""
    assert csv_dialect.split_lines("a\x0cb\u2028c\r\nd\re\nf") == [
        "a\x0cb\u2028c\r\n",
        "d\r",
        "e\n",
        "f",
    ]


def test_line_ends_within_cells_survive_a_change_of_encoding(tmp_path):
    """Quirk 10: two records on three lines."""
    _, rows = taken_in(
        tmp_path, b"\xff\xfe" + 'id,name\r\n1,"a\r\nb"\r\n2,c\r\n'.encode("utf-16-le")
    )
    assert rows == [(2, "1", "a\nb"), (3, "2", "c")]
