"""The numbers behind the report."""

import zipfile

import pytest
from python_calamine import CalamineWorkbook
from report_cells import AS_OF, HOSTILE
from report_sample import sample

from analysis.report import workbook


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workbook")
    workbook.write_workbook(sample(folder), folder / "a.xlsx", timestamp=AS_OF)
    return folder / "a.xlsx"


def rows(path, sheet):
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python()


def test_each_figure_and_table_has_a_sheet(path):
    names = CalamineWorkbook.from_path(str(path)).sheet_names
    figures_and_tables = [
        "Figure 1",
        "Figure 2",
        "Table 1",
        "Table 2",
        "Figure 3",
        "Table 3",
        "Table 4",
        "Table 5",
    ]
    assert names == ["Contents", "Key figures", *figures_and_tables]


def test_a_sheet_says_what_it_holds_and_where_from(path):
    top = [row[0] for row in rows(path, "Figure 1")[:4]]
    assert top == [
        "Figure 1. The fewer the hours, the more each must bring",
        "2026Q3 (fiscal), n = 118 reps.",
        "Source: CRM activities, quotas.",
        "Northwind Instruments · 2026Q3 (fiscal)",
    ]


def test_numbers_are_numbers_with_their_unit(path):
    head, first = rows(path, "Figure 1")[5:7]
    assert head == ["Selling hours per week [h]", "Required bookings per hour"]
    assert first == [5.0, 8333.0]


def test_what_is_hidden_in_the_report_is_hidden_here(path):
    assert rows(path, "Table 1")[7] == ["EMEA", "[c]", "[c]", "[c]", "[c]"]


def test_an_unknown_key_figure_is_not_a_zero(path):
    assert rows(path, "Key figures")[9][:4] == [
        "Net present value of the programme",
        "cannot tell",
        "–",  # noqa: RUF001
        "–",  # noqa: RUF001
    ]


def test_hostile_names_are_text_and_no_formula(path):
    names = [row[0] for row in rows(path, "Table 4")[6:]]
    assert names == HOSTILE
    with zipfile.ZipFile(path) as parts:
        sheets = [
            parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/worksheets/sheet")
        ]
    assert not any("<f>" in sheet for sheet in sheets)


def test_equal_documents_are_equal_files(path, tmp_path):
    workbook.write_workbook(sample(tmp_path), tmp_path / "b.xlsx", timestamp=AS_OF)
    assert (tmp_path / "b.xlsx").read_bytes() == path.read_bytes()
    assert not list(tmp_path.glob(".*"))
