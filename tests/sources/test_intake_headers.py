"""Whatever stands beside a quote, no row is lost uncounted: lines and rows agree, or the file is refused."""

from __future__ import annotations

import itertools

import pytest

from analysis.sources import database, field_maps
from analysis.sources import intake as sources_intake

KNOWN = [field_maps.ExportLayout("map", "thing", ("id", "name"), "accounts", ())]
BODY = "1,a,x\n2,b,y\n"
ROWS = [("1", "a", "x"), ("2", "b", "y")]


def taken_in(folder, content: str | bytes, known=KNOWN):
    """Return the intake of one file, and its rows as texts."""
    (folder / "thing.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with database.open_session() as connection:
        intake = sources_intake.read_files(connection, [folder / "thing.csv"], known)
        rows = (
            connection.execute("select * exclude (source_row) from text_0").fetchall()
            if intake.exports
            else []
        )
    return intake, rows


@pytest.mark.parametrize(
    "header",
    [
        'id,name,"note" (free text)',
        '"id","name","note";',
        'id,"name"\u00a0,note',
        'id,name,"Show \\"As\\""',
        'id,"name,note',
        'id,name",note',
        'id,name,"note',
        '"id"x,name,note',
        "\ufeff\ufeff\ufeffid,name,note",
        '"id" ,"name"\t,"note"',
        'id,name,""note""',
    ],
)
def test_a_stray_character_in_the_header_costs_no_row(tmp_path, header):
    intake, rows = taken_in(tmp_path, f"{header}\n{BODY}")
    assert rows == ROWS
    assert intake.refusals == []
    assert intake.broken_lines == []
    assert intake.exports[0].header[:2] == ("id", "name")


def test_a_header_of_several_lines_is_one_record(tmp_path):
    """The rows below it are numbered by their lines: the header ends on line 2."""
    intake, rows = taken_in(tmp_path, f'id,name,"note\n(long)"\n{BODY}')
    assert rows == ROWS
    assert intake.exports[0].n_rows == 2


def test_rows_in_a_cell_are_set_aside_each(tmp_path):
    """A quote opens on line 2 and another closes it on line 4: to the reader one row of three cells."""
    intake, rows = taken_in(tmp_path, 'id,name,note\n1,"a,x\n2,b,y\n3,c",z\n4,d,w\n')
    assert rows == [("4", "d", "w")]
    assert [b.line for b in intake.broken_lines] == [2, 3, 4]


def test_a_note_of_two_lines_is_no_row_in_a_cell(tmp_path):
    """It has as many commas as a row, but what follows the line end is no id."""
    _, rows = taken_in(tmp_path, 'id,name,note\n1,a,"Dear Ada, Ben,\nplease call"\n2,b,y\n')
    assert [row[0] for row in rows] == ["1", "2"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_and_line_ends_in_cells_are_accounted_for(tmp_path, end):
    content = 'id,name,note\n\n1,"a\n\nb",x\n\n\n2,b,"\ny\n"\n\n'.replace("\n", end)
    intake, rows = taken_in(tmp_path, content)
    assert len(rows) == 2
    assert intake.broken_lines == []


def test_a_file_of_which_no_line_is_a_row_is_refused(tmp_path):
    """A semicolon behind the last quote of every line."""
    intake, _ = taken_in(tmp_path, '"id","name";\n"1","a";\n"2","b";\n')
    assert "none of its 2 lines below the header can be read as a row" in intake.refusals[0].reason


def test_zero_bytes_anywhere_refuse_a_file(tmp_path):
    """Behind the first mebibyte, too."""
    intake, _ = taken_in(tmp_path, "id,name,note\n" + "1,a,x\n" * 200_000 + "2,\0,y\n")
    assert "it holds zero bytes" in intake.refusals[0].reason


@pytest.mark.parametrize("first", ["sep=,", '"sep=,"'])
def test_a_line_that_names_the_delimiter_is_no_row(tmp_path, first):
    intake, rows = taken_in(tmp_path, f"{first}\nid,name,note\n{BODY}")
    assert rows == ROWS
    assert [b.rule for b in intake.broken_lines] == ["report_title"]


def test_a_header_with_thousands_of_blank_cells_is_read(tmp_path):
    _, rows = taken_in(tmp_path, f"id,name{',' * 3_000}\n1,a{',' * 3_000}\n")
    assert rows[0][:2] == ("1", "a")


def test_two_encodings_in_one_file_are_warned_of(tmp_path):
    """Two bytes of cp1252 beside one letter of UTF-8."""
    intake, _ = taken_in(tmp_path, b"id,name\n1,M\xc3\xbcller\n2,M\xfcller\n3,\xfc\n")
    assert "export it in one encoding" in intake.exports[0].warnings[0]


@pytest.mark.parametrize(
    "content",
    [
        "Ada Lund,100000\nBen Osei,90000\n",
        "Ada Lund,Rep\nBen Osei,Rep\n",
        "7;Ada Lund\n8;Ben Osei\n",
    ],
)
def test_a_refusal_never_shows_a_row(tmp_path, content):
    """A file without a header: its first row may hold a name and a pay."""
    intake, _ = taken_in(tmp_path, content)
    reason = intake.refusals[0].reason
    assert "Ada" not in reason
    assert "100000" not in reason
    assert "looks like a header" in reason


def test_a_refusal_shows_the_header_and_what_is_lacking(tmp_path):
    intake, _ = taken_in(tmp_path, "Title of it\n\nid,nome,pay\n1,Ada Lund,90000\n")
    reason = intake.refusals[0].reason
    assert (
        "its 3 columns (id, nome, pay) are no export known here; nearest is thing (map), which also needs name"
        in reason
    )
    assert "Ada" not in reason


STRAYS = ['"', "'", ";", "\u00a0", '""', '\\"', " x"]


def test_no_stray_anywhere_loses_a_row_uncounted(tmp_path):
    """A stray beside every quote and comma of header and rows: rows and broken lines are all lines, or a refusal."""
    lines = ['"id","name","note"', '"1","a","x, y"', '"2","b","y"', '"3","c",""']
    with database.open_session() as connection:
        for n, (row, stray) in enumerate(itertools.product(range(4), STRAYS)):
            places = [i for i, c in enumerate(lines[row] + "\n") if c in '",\n']
            at = places[n * 7 % len(places)]
            text = "\n".join(
                [*lines[:row], lines[row][:at] + stray + lines[row][at:], *lines[row + 1 :], ""]
            )
            (tmp_path / "thing.csv").write_text(text, encoding="utf-8")
            intake = sources_intake.read_files(connection, [tmp_path / "thing.csv"], KNOWN)
            n_rows = intake.exports[0].n_rows if intake.exports else 3
            assert n_rows >= 3, text
            connection.execute("drop table if exists text_0")
