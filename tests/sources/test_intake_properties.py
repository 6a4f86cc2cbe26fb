"""No file makes the intake crash, whatever its bytes: it is read, or refused by name, and no row is lost."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import xlsxwriter
from crm_tables import ADA, cleaned, opportunity, user, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.cleaning.rules import INTAKE_RULES
from analysis.project.errors import CrmDataError
from analysis.sources import database, field_maps
from analysis.sources import intake as sources_intake
from analysis.sources.cells import reading
from analysis.sources.files import xlsx
from analysis.store import processed

KNOWN = [
    field_maps.ExportLayout(
        "map",
        "deal",
        ("id", "amount"),
        "opportunities",
        (
            reading.MappedColumn("opportunity_id", source="id"),
            reading.MappedColumn("raw_amount", source="amount", parser="number"),
        ),
        groups=("owner",),
    ),
    field_maps.ExportLayout(
        "map",
        "calendar",
        ("calendar_uid", "rep_id", "started_at", "ended_at", "is_all_day"),
        "activities",
        (),
    ),
]
LENIENT = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _workbook() -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    for i, row in enumerate(
        [["owner", "id", "amount"], ["Ada", 1, 2.5], ["", 2, 7], ["Total", "", 9.5], [], ["Footer"]]
    ):
        sheet.write_row(i, 0, row)
    book.close()
    return stream.getvalue()


@pytest.fixture(scope="module")
def session():
    """Return one database for all files: each reads its file into an empty one, by `emptied`."""
    with database.open_session() as connection:
        yield connection


def emptied(connection):
    """Return the database without the tables of the file before."""
    for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
        connection.execute(f'drop table "{name}"')
    return connection


CSV = 'Deals\n\nowner,id,amount\nAda,1,"1.200,50"\n,2,"a\nb"\nSubtotal,,130\n,,\n\nFooter\n'
ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260202T100000Z\r\nDTEND:20260202T110000Z\r\n"
    "RRULE:FREQ=WEEKLY;COUNT=5\r\nEXDATE:20260209T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
SEEDS = {
    ".csv": [
        CSV.encode(),
        CSV.replace("\n", "\r\n").encode("utf-16"),
        CSV.replace(",", ";").encode(),
    ],
    ".jsonl": [
        b"\n".join(
            json.dumps({"id": n, "amount": 1, "owner": {"name": "x"}}).encode() for n in range(3)
        )
    ],
    ".json": [
        json.dumps({"records": [{"id": 1, "amount": [1]}, {"id": 2, "amount": None}]}).encode()
    ],
    ".xlsx": [_workbook()],
    ".ics": [ICS.encode()],
    ".parquet": [b"PAR1PAR1"],
}


@st.composite
def mutated(draw, seed: bytes) -> bytes:
    """Return a valid file with pieces cut out, put in or doubled."""
    content = seed
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(content)))
        until = min(len(content), at + draw(st.integers(0, 20)))
        piece = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from([b"\0", b'"', b"'", b"\r", b"\n\n", b",", b"\xff", b"9" * 40]),
            )
        )
        content = (
            content[:at]
            + draw(st.sampled_from([piece, piece + content[at:until]]))
            + content[until:]
        )
    return content


def files(suffix: str) -> st.SearchStrategy[bytes]:
    seeds = st.sampled_from(SEEDS[suffix]).flatmap(mutated)
    return st.one_of(
        seeds,
        st.binary(max_size=200),
        st.text(max_size=100).map(lambda t: t.encode("utf-8", "replace")),
    )


@pytest.mark.parametrize("suffix", SEEDS)
def test_whatever_the_bytes_a_file_is_read_or_refused_and_no_row_is_lost(tmp_path, session, suffix):
    """Rows in are those of the table and those set aside, each with a rule that is known."""

    @LENIENT
    @given(files(suffix))
    def check(content: bytes) -> None:
        file = tmp_path / f"{ADA}{suffix}"
        file.write_bytes(content)
        connection = emptied(session)
        intake = sources_intake.read_files(connection, [file], KNOWN)
        assert bool(intake.exports) != bool(intake.refusals)
        for refusal in intake.refusals:
            assert refusal.file == file.name
            assert refusal.reason
        for export in intake.exports:
            (n,) = connection.execute(f'select count(*) from "{export.text_table}"').fetchone()
            aside = [b for b in intake.broken_lines if b.file == export.file]
            assert export.n_rows == n + len(aside)
            assert {b.rule for b in aside} <= set(INTAKE_RULES)

    check()


@settings(LENIENT, max_examples=6)
@given(st.sampled_from(sorted(SEEDS)).flatmap(lambda s: st.tuples(st.just(s), files(s))))
def test_whatever_the_bytes_a_dry_run_ends_in_an_audit_or_a_named_refusal(raw, file):
    """The pass itself asserts that rows in are clean, quarantined and dropped ones."""
    suffix, content = file
    write(raw, User=[user()], Opportunity=[opportunity(1)])
    for old in raw.glob("any.*"):
        old.unlink()
    (raw / f"any{suffix}").write_bytes(content)
    try:
        account = processed.dry_run("here")
    except CrmDataError:
        return
    assert all(
        t["n_in"] == t["n_clean"] + t["n_quarantined"] + t["n_dropped"] for t in account["tables"]
    )


@LENIENT
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12), min_size=1, max_size=5), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_cells_survive_every_delimiter_encoding_and_line_end(
    tmp_path, session, cells, encoding, delimiter, end
):
    """Whatever stands in them, if it is quoted; line ends within a cell become LF."""
    quoted = "".join(
        f'"k{i}"{delimiter}"{c.replace(chr(34), chr(34) * 2)}"{end}' for i, c in enumerate(cells)
    )
    (tmp_path / "t.csv").write_bytes(f"id{delimiter}amount{end}{quoted}".encode(encoding))
    connection = emptied(session)
    intake = sources_intake.read_files(connection, [tmp_path / "t.csv"], KNOWN)
    assert intake.refusals == []
    rows = connection.execute("select c0, c1 from text_0 order by source_row").fetchall()
    assert [(key, _lf(cell or "")) for key, cell in rows] == [
        (f"k{i}", _lf(c)) for i, c in enumerate(cells)
    ]


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_zip_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "LARGEST_XML", 100)
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "x" * 101)
    with database.open_session() as connection:
        intake = sources_intake.read_files(connection, [tmp_path / "t.xlsx"], KNOWN)
    assert intake.refusals[0].reason == (
        "it unpacks to 101 bytes, and at most 100 are read: save it as CSV"
    )


def test_a_refused_file_leaves_the_rest_of_the_folder_to_be_cleaned(raw):
    write(raw, User=[user()], Opportunity=[opportunity(1)])
    (raw / "broken.xlsx").write_bytes(b"no workbook")
    got = cleaned()
    assert got.account("opportunities") == (1, 1, 0, 0)
    assert [r.file for r in got.audit.refusals] == ["broken.xlsx"]
