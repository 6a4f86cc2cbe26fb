"""Everything in a dataset's folder is read, ours, or named with what to do; a part of an export is no export."""

from __future__ import annotations

import gzip
import json

import pytest
from crm_tables import cleaned, opportunity, user, write
from shared_session import undone_session

from analysis.project.errors import CrmDataError
from analysis.report import audit_lines
from analysis.sources import field_maps, templates
from analysis.sources import intake as sources_intake
from analysis.sources.cells import reading
from analysis.store import processed

KNOWN = [
    field_maps.ExportLayout(
        "map",
        "thing",
        ("id", "name"),
        "accounts",
        (reading.MappedColumn("account_id", source="id"),),
    )
]
TEXT = "id,name\n1,a\n2,b\n"


def taken_in(folder):
    """Return the intake of all that lies in a folder, and the number of rows read."""
    with undone_session() as connection:
        intake = sources_intake.read_files(connection, sources_intake.files_of(folder), KNOWN)
        tables = [e.text_table for e in intake.exports]
        n_rows = sum(
            connection.execute(f'select count(*) from "{t}"').fetchone()[0] for t in tables
        )
    return intake, n_rows


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("Event.xls", b"<html><table><tr><td>x", "save it as XLSX or CSV"),
        ("Event.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as XLSX or CSV"),
        ("Event.xls", b"PK\x03\x04", "call it .xlsx"),
        ("Event.ods", b"PK\x03\x04", "save it as XLSX or CSV"),
        ("Event.numbers", b"PK\x03\x04", "save it as XLSX or CSV"),
        ("Event.zip", b"PK\x03\x04", "unpack it"),
        ("Event.csv.bz2", b"BZh9", "unpack it"),
        ("Event.tar.gz", b"\x1f\x8b", "unpack it"),
        ("Event.csv.gz", b"no gzip", "cannot be unpacked"),
        ("Event", b"id,name\n", "without a suffix"),
        ("Event.dat", b"id,name\n", "nothing reads files called .dat"),
        ("notes.txt", b"Call Ada at five.\nAnd Ben.\n", "looks like a header"),
        ("field.toml", b"", "Did you mean fields.toml?"),
    ],
)
def test_a_file_that_nothing_reads_is_named_with_what_to_do(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    intake, _ = taken_in(tmp_path)
    assert [r.file for r in intake.refusals] == [name]
    assert words in intake.refusals[0].reason


def test_a_folder_of_exports_is_named(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.csv").write_text(TEXT)
    intake, _ = taken_in(tmp_path)
    assert intake.refusals[0].file == "old"
    assert "a folder (1 files)" in intake.refusals[0].reason


def test_files_of_ours_and_of_the_system_are_not_named(tmp_path):
    for name in (".DS_Store", "README.md", "truth.json", "fields.toml", "growth.toml", "~$a.xlsx"):
        (tmp_path / name).touch()
    (tmp_path / "rules").mkdir()
    (tmp_path / "reviews").mkdir()
    assert sources_intake.files_of(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "pack"), [("t.txt", bytes), ("t.csv.gz", gzip.compress), ("T.CSV.GZ", gzip.compress)]
)
def test_a_text_or_packed_csv_is_read(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(TEXT.encode() + b"3\n"))
    intake, n_rows = taken_in(tmp_path)
    assert n_rows == 2
    assert [(b.file, b.line) for b in intake.broken_lines] == [(name, 4)]


def test_the_error_of_an_absent_table_names_the_files_that_lie_there(raw):
    write(raw, User=[user()])
    (raw / "Opportunity.xls").write_bytes(b"<table>")
    (raw / "more.zip").write_bytes(b"PK")
    with pytest.raises(
        CrmDataError,
        match=r"(?s)opportunities: .* Opportunity \(Salesforce, .*deals \(HubSpot .*\n  Opportunity\.xls: .*XLSX.*\n  more\.zip: ",
    ):
        cleaned()


def test_empty_templates_take_one_line(raw):
    n_templates = len(templates.hand_kept_templates())
    templates.write_templates(raw)
    write(raw, User=[user()], Opportunity=[opportunity(1)])
    lines = list(audit_lines.audit_lines(processed.dry_run("here")))
    told = next(line for line in lines if "still empty" in line)
    assert told.startswith(f"{n_templates} templates are still empty: ")
    assert not any("no rows below" in line for line in lines)


def page(ids, **said):
    return json.dumps(said | {"records": [{"id": str(i), "name": "a"} for i in ids]})


@pytest.mark.parametrize(
    "content",
    [
        page([1, 2], totalSize=5, done=False),
        page([1, 2], totalSize=5),
        page([1, 2], done=False, nextRecordsUrl="/x"),
        '{"results": [{"id": "1", "name": "a"}], "paging": {"next": {"after": "1"}}}',
        '{"paging": {"next": {"after": "1"}}, "results": [{"id": "1", "name": "a"}]}',
        '{"@odata.context": "c", "value": [{"id": "1", "name": "a"}], "@odata.nextLink": "u"}',
        '{"success": true, "data": [{"id": "1", "name": "a"}], "additional_data": {"pagination": {"more_items_in_collection": true}}}',
        '{"id": "1", "name": "a"}\n{"hasMore": true}\n',
        f'{{"status": 0, "result": {page([1, 2], done=False)}, "warnings": []}}',
        '{"data": {"deals": {"items": [{"id": "1", "name": "a"}], "pageInfo": {"hasNextPage": true}}}}',
        page([1], totalSize=3, done=False) + "\n" + page([2], totalSize=3, done=False),
    ],
)
def test_a_part_that_says_it_is_not_all_is_refused(tmp_path, content):
    (tmp_path / "t.json").write_text(content)
    intake, n_rows = taken_in(tmp_path)
    assert n_rows == 0
    assert "put all pages of the export into the folder" in intake.refusals[0].reason


def test_how_many_of_how_many_is_told(tmp_path):
    (tmp_path / "t.json").write_text(page(range(60), totalSize=5000, done=False))
    assert taken_in(tmp_path)[0].refusals[0].reason.startswith("it holds 60 of 5,000 records")


def test_all_pages_together_are_complete(tmp_path):
    """Three records on two pages, and the same page twice adds none."""
    (tmp_path / "a.json").write_text(page([1, 2], totalSize=3, done=False))
    (tmp_path / "b.json").write_text(page([3], totalSize=3, done=True))
    assert taken_in(tmp_path)[1] == 3
    (tmp_path / "b.json").write_text(page([1], totalSize=3, done=True))
    intake, n_rows = taken_in(tmp_path)
    assert n_rows == 0
    assert [r.reason[:32] for r in intake.refusals] == ["the folder holds 2 of 3 records:"] * 2


@pytest.mark.parametrize(
    "content",
    [
        page([1, 2], totalSize=2, done=True),
        page([1, 2]),
        page([1], totalSize=2, done=False) + "\n" + page([2], totalSize=2, done=True),
        page([1], paging={"next": {"after": "1"}}) + page([2], paging={}),
        '[{"id": "1", "name": "a"}]\n[{"id": "2", "name": "b"}]',
    ],
)
def test_an_answer_that_is_all_is_read_whole(tmp_path, content):
    """Pages one behind the other in one file, too: the second is not lost."""
    (tmp_path / "t.json").write_text(content)
    intake, n_rows = taken_in(tmp_path)
    assert intake.refusals == []
    assert n_rows == 2


def test_what_stands_behind_an_array_is_counted(tmp_path):
    (tmp_path / "t.json").write_text('[{"id": "1", "name": "a"}] and more')
    intake, n_rows = taken_in(tmp_path)
    assert n_rows == 1
    assert [b.line for b in intake.broken_lines] == [2]
