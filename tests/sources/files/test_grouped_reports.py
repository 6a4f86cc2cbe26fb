"""A grouped report is filled down where it shows that it is one, or refused; a flat one keeps its blanks."""

from __future__ import annotations

import pytest

from analysis.sources import database, field_maps
from analysis.sources import intake as sources_intake
from analysis.sources.cells import reading

DEAL = field_maps.ExportLayout(
    "map",
    "deal",
    ("id", "owner"),
    "opportunities",
    (
        reading.MappedColumn("opportunity_id", source="id"),
        reading.MappedColumn("owner_rep_id", source="owner"),
    ),
    groups=("owner", "stage"),
)


def owners(folder, content: str):
    """Return the owners of a report's rows as read, or why it is refused."""
    (folder / "report.csv").write_text(content, encoding="utf-8")
    with database.open_session() as connection:
        intake = sources_intake.read_files(connection, [folder / "report.csv"], [DEAL])
        if intake.refusals:
            return intake.refusals[0].reason
        return [
            row[0]
            for row in connection.execute("select c0 from text_0 order by source_row").fetchall()
        ]


BODY = "Ada,1\n,2\n,3\nBen,4\n,5\n"
FILLED = ["Ada", "Ada", "Ada", "Ben", "Ben"]


@pytest.mark.parametrize(
    "head",
    ["owner \u2191,id\n", "owner \u25bc,id\n", "Pipeline by owner\n\nowner,id\n"],
    ids=["arrow", "down", "title"],
)
def test_a_group_that_shows_itself_is_filled(tmp_path, head):
    assert owners(tmp_path, head + BODY) == FILLED


def test_groups_that_come_sorted_each_once_are_filled(tmp_path):
    """Three groups with blanks below each, without a title or an arrow."""
    assert owners(tmp_path, "owner,id\n" + BODY + "Cy,6\n,7\n") == [*FILLED, "Cy", "Cy"]


def test_one_owner_over_all_rows_of_a_formatted_report_is_filled(tmp_path):
    assert owners(tmp_path, "Pipeline\n\nowner,id\nAda,1\n,2\n,3\n") == ["Ada"] * 3


def test_groups_within_groups_are_filled(tmp_path):
    """The stage stands twice, once for each owner."""
    content = "owner \u2191,stage \u2191,id\nAda,Open,1\n,,2\n,Won,3\nBen,Open,4\n,,5\n,Won,6\n"
    (tmp_path / "report.csv").write_text(content, encoding="utf-8")
    with database.open_session() as connection:
        sources_intake.read_files(connection, [tmp_path / "report.csv"], [DEAL])
        rows = connection.execute("select c0, c1 from text_0 order by source_row").fetchall()
    assert rows == [("Ada", "Open")] * 2 + [("Ada", "Won")] + [("Ben", "Open")] * 2 + [
        ("Ben", "Won")
    ]


def test_what_looks_grouped_and_does_not_show_it_is_refused(tmp_path):
    """Two groups, unsorted, with no sign of a report: the blanks may be rows of nobody."""
    assert "export details only" in owners(tmp_path, "owner,id\nBen,1\n,2\n,3\nAda,4\n,5\n,6\n")


@pytest.mark.parametrize(
    "body",
    [
        "Ada,1\n,2\n",
        "Ada,1\nBen,2\nAda,3\n,4\n,5\n",
        ",1\nAda,2\n,3\n,4\n,5\n",
        "Ada,1\nBen,2\nCy,3\n,4\n,5\n",
    ],
    ids=["one of two", "an owner stands twice", "blank at first", "blank at last"],
)
def test_a_blank_owner_of_a_flat_report_stays_blank(tmp_path, body):
    expected = [line.split(",")[0] or None for line in body.split()]
    assert owners(tmp_path, "owner,id\n" + body) == expected
