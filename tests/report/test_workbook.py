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
    assert first == [5.0, pytest.approx(2e6 / 48 / 5, rel=1e-11)]


def test_numbers_are_those_before_rounding(path):
    """The report shows $412 and $96.10; the cell holds what stands behind, in the same format."""
    cost = rows(path, "Key figures")[6]
    assert cost[1:4] == [412.3, 396.1, 428.8]
    [america] = [row for row in rows(path, "Table 1") if row[0] == "North America"]
    assert america[2:4] == [401.2, 96.1]


def test_what_is_hidden_in_the_report_is_hidden_here(path):
    assert rows(path, "Table 1")[7] == ["EMEA", "[c]", "[c]", "[c]", "[c]"]


def test_an_unknown_key_figure_is_not_a_zero(path):
    assert rows(path, "Key figures")[9][:4] == [
        "Net present value of the programme",
        "cannot tell",
        "–",  # noqa: RUF001
        "–",  # noqa: RUF001
    ]


QUARTERLY = {
    "before": "2026Q2", "year_before": "2025Q3", "following": "2026Q4", "quarter": "2026Q3",
    "deltas": [
        {
            "name": "cost_per_selling_hour", "label": "Cost", "unit": "USD", "now": 412, "then": 418,
            "format": "money", "currency": "USD", "change": -6, "basis": "as published", "movement": -6,
            "code": None, "parameters": None, "data": None, "says": "=1+1", "verdict": None,
            "verdict_then": None, "n": "118 reps", "source": "x", "parts": [["Lower pay", -6.0]],
            "year": {"then": 430.25, "change": -17.95, "basis": "recomputed", "parts": []},
        }
    ],
    "restated": [], "actions": [], "forecast_note": "1 of 1 held.",
    "series": {"cost_per_selling_hour": {"2026Q1": 425.125, "2026Q2": 418.5, "2026Q3": 412.3}},
    "published": {"2026Q2": {"cost_per_selling_hour": 418.0, "growth_gap": 5.1}},
    "forecasts_scored": {
        "cost_per_selling_hour": {
            "estimate": 415.0, "low": 400.0, "high": 430.0, "came": 412, "is_inside": True,
            "interval_score": 30.0,
        }
    },
    "forecasts_made": {
        "cost_per_selling_hour": {
            "estimate": 410.0, "low": 395.0, "high": 425.0, "method": "last quarter's value", "n": 11,
        }
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def with_quarters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quarters")
    content = sample(folder) | {"quarterly": QUARTERLY}
    workbook.write_workbook(content, folder / "a.xlsx", timestamp=AS_OF)
    return folder / "a.xlsx"


def test_key_figures_stand_beside_the_quarter_and_the_year_before(with_quarters):
    """A headline that was not published has none."""
    head, cost, needed = rows(with_quarters, "Key figures")[5:8]
    earlier = slice(head.index("2026Q2"), head.index("2026Q2") + 6)
    assert head[earlier] == [
        "2026Q2", "Change since 2026Q2", "Basis of 2026Q2",
        "2025Q3", "Change since 2025Q3", "Basis of 2025Q3",
    ]  # fmt: skip
    assert cost[earlier] == [418, -6, "as published", 430.25, -17.95, "recomputed"]
    assert needed[earlier] == ["–"] * 6  # noqa: RUF001


def test_what_was_never_published_is_not_said_to_be_as_published(tmp_path):
    (delta,) = QUARTERLY["deltas"]
    new = delta | {"then": None, "change": None, "basis": "as published", "year": None}
    content = sample(tmp_path) | {"quarterly": QUARTERLY | {"deltas": [new]}}
    workbook.write_workbook(content, tmp_path / "a.xlsx", timestamp=AS_OF)
    head, cost = rows(tmp_path / "a.xlsx", "Key figures")[5:7]
    at = head.index("2026Q2")
    assert cost[at : at + 6] == ["–"] * 6  # noqa: RUF001


def test_series_are_numbers_with_a_chart_the_spreadsheet_draws(with_quarters):
    """Today's data above, with a chart of its cells; what each report published below."""
    sheet = rows(with_quarters, "Quarterly series")
    assert [row[:2] for row in sheet[6:9]] == [
        ["2026Q1", 425.125], ["2026Q2", 418.5], ["2026Q3", 412.3],
    ]  # fmt: skip
    below = [row for row in sheet[9:] if row[0] == "2026Q2"]
    assert [row[1:4] for row in below] == [[418, "–", 5.1]]  # noqa: RUF001
    with zipfile.ZipFile(with_quarters) as parts:
        charts = [parts.read(n).decode() for n in parts.namelist() if "/charts/chart" in n]
    assert len(charts) == 1
    assert "'Quarterly series'!$B$7:$B$9" in charts[0]


def test_forecasts_are_numbers_with_their_interval(with_quarters):
    head, cost = rows(with_quarters, "Forecasts")[5:7]
    assert head[2:8] == [
        "Forecast for 2026Q3", "Low", "High", "Came out", "Inside the interval", "Interval score",
    ]  # fmt: skip
    assert cost[2:] == [
        415, 400, 430, 412, "yes", 30, 410, 395, 425, "last quarter's value", 11,
    ]  # fmt: skip


def test_every_sheet_prints_as_wide_as_a_page_with_its_heads_repeated(with_quarters):
    """Landscape, one page wide, as many pages long as it takes."""
    with zipfile.ZipFile(with_quarters) as parts:
        names = [n for n in parts.namelist() if n.startswith("xl/worksheets/sheet")]
        sheets = [parts.read(n).decode() for n in names]
        book = parts.read("xl/workbook.xml").decode()
    assert len(sheets) == 13
    for sheet in sheets:
        assert '<pageSetUpPr fitToPage="1"/>' in sheet
        assert 'orientation="landscape"' in sheet
        assert 'fitToHeight="0"' in sheet
    assert book.count("_xlnm.Print_Titles") == book.count("_xlnm.Print_Area") == 13


def test_hostile_names_are_text_and_no_formula(path):
    names = [row[0] for row in rows(path, "Table 4")[6:]]
    assert names == HOSTILE
    with zipfile.ZipFile(path) as parts:
        sheets = [
            parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/worksheets/sheet")
        ]
    assert not any("<f>" in sheet for sheet in sheets)


def test_a_reason_that_looks_like_a_formula_is_text(with_quarters):
    told = [cell for row in rows(with_quarters, "Since last quarter") for cell in row]
    assert "=1+1" in told


def test_equal_documents_are_equal_files(path, tmp_path):
    workbook.write_workbook(sample(tmp_path), tmp_path / "b.xlsx", timestamp=AS_OF)
    assert (tmp_path / "b.xlsx").read_bytes() == path.read_bytes()
    assert not list(tmp_path.glob(".*"))
