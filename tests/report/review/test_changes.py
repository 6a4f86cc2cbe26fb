"""Why a figure moved: data, code, parameters or the quarter itself, each named and sized."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pikepdf
import pytest
from python_calamine import CalamineWorkbook
from report_cells import result
from report_fixtures import at, cell, manifest, notebook, run, small, squeezed
from report_text import pages

from analysis.report import output
from analysis.report.review import changes
from analysis.store import editions

PARAMETERS = (
    'quarter: str = "x"  # quarter\ndataset: str = "x"  # folder\nrate: float = 0.5  # share'
)
HEADLINE = """from analysis.store import processed
from analysis.stats.result import Result
from analysis.report import show
from analysis.store.company import open_company
show.use(open_company(dataset, quarter=quarter))
held = {name: processed.load_table(dataset, name) for name in (f"{one}s" for one in ("rep", "team"))}
teams = processed.load_table(dataset, "team_quarter")
won = teams[teams["quarter"] <= quarter]["bookings_amount"].sum()
FACTOR = 1
nan = float("nan")
show.kpi(Result("bookings", won * FACTOR * rate, nan, nan, "USD", 3, "deals", "sum", "team_quarter"), label="B", headline=True, format="money2")"""
# Closed on the first working day, so that 2026Q1 is there whole.
FIRST = "0065eZx00000VMdABM,C,0015eZx00005eg8ABA,0055eZx00000RFBAB2,New Business,Closed Lost,true,false,7.00,USD,0,2025-12-04T16:31:01.000Z,2026-01-01,,,,false\n"
THEN = {
    "code_sha256": "c", "lock_sha256": "l", "packages": {"numpy": "2"}, "settings_sha256": "s", "as_of": "2026-09-30",
    "parameters": {"dataset": "demo", "quarter": "2026Q2", "rate": 0.5}, "inputs": [{"file": "a", "sha256": "1"}],
    "metrics": {"npv": {"estimate": 100.0}},
}  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a project that published 2026Q1: bookings of 1,000 at a rate of 0.5."""
    root = small(tmp_path_factory.mktemp("published") / "project")
    notebook(
        root / "notebooks" / "1_fine.ipynb",
        "# Is it fine?",
        cell(PARAMETERS, "parameters"),
        HEADLINE,
    )
    deals = root / "data/raw/small/Opportunity.csv"
    deals.write_text(deals.read_text() + FIRST)
    ran = run(root, "report", "small", "--quarter", "2026Q1")
    assert (ran.code, ran.err) == (0, "")
    assert manifest(root, "small", "2026Q1")["metrics"]["bookings"]["estimate"] == 500
    return root


def edit(root, old, new, file="data/raw/small/Opportunity.csv"):
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.study
def test_each_cause_is_named_with_its_size(published, tmp_path):
    """Code doubles it, parameters halve the rate, 1% more data.

    Published for Q1: 1,000 x 1 x 0.5 = 500.  Today's code: 1,000 x 2 x 0.5, +500.  Today's rate of 0.25: -500.
    Today's data: 1,010 x 2 x 0.25 = 505, +5.  Q2 adds the deal of 200 that was won then: 1,210 x 0.5 = 605, +100.
    """
    root = Path(shutil.copytree(published, tmp_path / "project"))
    edit(root, "1000.00", "1010.00")
    edit(root, "Closed Lost,true,false,2000.00", "Closed Won,true,true,200.00")
    edit(root, "FACTOR = 1", "FACTOR = 2", "notebooks/1_fine.ipynb")
    edit(
        root,
        '\\"team_quarter\\"), label',
        '\\"team_quarter\\", verdict=\\"cannot tell\\"), label',
        "notebooks/1_fine.ipynb",
    )
    ran = run(root, "report", "small", "--quarter", "2026Q2", "-p", "rate=0.25")
    assert (ran.code, ran.err) == (0, "")
    (row,) = manifest(root, "small", "2026Q2")["quarterly"]["deltas"]
    assert {k: row[k] for k in ("then", "code", "parameters", "data", "movement", "now")} == {
        "then": 500, "code": 500, "parameters": -500, "data": 5, "movement": 100, "now": 605,
    }  # fmt: skip
    assert row["says"] == (
        "code +$500.00, parameters \N{MINUS SIGN}$500.00, data +$5.00, one more quarter +$100.00"
    )
    folder = root / "reports" / "small" / "2026Q2"
    with pikepdf.open(folder / "alignment-roi.pdf") as pdf:
        (page,) = (squeezed(p) for p in pages(pdf) if "Why they moved" in p)
    assert "$605.00cannottell$500.00+$105.00" in page, (
        "a figure that cannot be told says so beside its value"
    )
    book = CalamineWorkbook.from_path(str(folder / "alignment-roi.xlsx"))
    head, told = book.get_sheet_by_name("Since last quarter").to_python()[5:7]
    assert {k: told[head.index(k)] for k in ("This quarter", "Verdict now", "n now", "Source")} == {
        "This quarter": 605, "Verdict now": "cannot tell", "n now": "3 deals", "Source": "team_quarter",
    }  # fmt: skip


@pytest.mark.study
def test_an_identical_rerun_says_no_change(published, tmp_path):
    root = Path(shutil.copytree(published, tmp_path / "project"))
    before = (root / "reports" / "small" / "2026Q1" / "alignment-roi.pdf").read_bytes()
    ran = run(root, "report", "small", "--quarter", "2026Q1", "--force")
    assert "2026Q1, since its first edition: no change" in ran.out
    assert (root / "reports" / "small" / "2026Q1" / "alignment-roi.pdf").read_bytes() == before


@pytest.mark.study
@pytest.mark.parametrize(
    ("old", "new", "file", "cause"),
    [
        ("1000.00", "1010.00", "data/raw/small/Opportunity.csv", "data: B (data +$5.00)"),
        ("FACTOR = 1", "FACTOR = 1.01", "notebooks/1_fine.ipynb", "code: B (code +$5.00)"),
    ],
)
def test_a_later_edition_says_what_moved_it(published, tmp_path, old, new, file, cause):
    """A planted 1% of the data is named as data, an edited constant as code; the first edition stays the measure."""
    root = Path(shutil.copytree(published, tmp_path / "project"))
    first = (root / "data/history/small/2026Q1/first.json").read_bytes()
    edit(root, old, new, file)
    ran = run(root, "report", "small", "--quarter", "2026Q1")
    assert f"2026Q1, since its first edition: changed by {cause}" in ran.out
    assert "(up to date)" in run(root, "report", "small", "--quarter", "2026Q1").out
    assert (root / "data/history/small/2026Q1/first.json").read_bytes() == first


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ()),
        ({"inputs": [{"file": "a", "sha256": "2"}]}, ("data",)),
        ({"as_of": "2026-10-01"}, ("data",)),
        ({"code_sha256": "d"}, ("code",)),
        ({"packages": {"numpy": "3"}}, ("code",)),
        ({"settings_sha256": "t"}, ("parameters",)),
        ({"parameters": THEN["parameters"] | {"rate": 0.4}}, ("parameters",)),
        ({"parameters": THEN["parameters"] | {"quarter": "2026Q3"}}, ()),
        ({"code_sha256": "d", "as_of": "2026-10-01"}, ("code", "data")),
    ],
)
def test_what_differs_is_told_from_the_manifests(change, expected):
    assert changes.differing_causes(THEN, THEN | change) == expected


@pytest.mark.study
def test_a_quarter_that_was_not_over_is_measured_by_no_edition_of_its_own(published, tmp_path):
    root = Path(shutil.copytree(published, tmp_path / "project"))
    file = root / "data/history/small/2026Q1/first.json"
    with at(root):
        assert editions.own_edition("small", "2026Q1").metrics["bookings"]["estimate"] == 500
        file.write_text(file.read_text().replace('"is_partial": false', '"is_partial": true'))
        assert editions.own_edition("small", "2026Q1") is None


@pytest.mark.study
def test_a_forecast_from_a_quarter_that_was_not_over_is_made_again(published, tmp_path):
    """The first edition of 2026Q1 as if of a running quarter: the next one replaces it, and what it foretold."""
    root = Path(shutil.copytree(published, tmp_path / "project"))
    with at(root):
        said = manifest(root, "small", "2026Q1")
        kept = editions.keep_edition("small", "2026Q1", said)
        (kept / editions.FORECASTS).write_text("{}")
        assert (editions.keep_edition("small", "2026Q1", said) / editions.FORECASTS).is_file(), (
            "a whole quarter's stays"
        )
        panel = pd.read_parquet(kept / "team_quarter.parquet")
        panel.assign(is_partial=True).to_parquet(kept / "team_quarter.parquet")
        assert not (editions.keep_edition("small", "2026Q1", said) / editions.FORECASTS).exists()


def card(estimate):
    made = result("npv", estimate, float("nan"), float("nan"), unit="USD")
    return output.result_card(
        made, label="Net present value", note="", headline=True, format="money", currency="USD"
    )


def comparison(tmp_path, *differs, told=None, is_this_report=False):
    """Return a comparison with THEN whose runs, by cause, gave the values `told`."""
    runs = {}
    for cause, value in (told or {}).items():
        shown = {"kind": "kpis", "cards": [card(value)]}
        file = tmp_path / f"{cause}.ipynb"
        outputs = [{"output_type": "display_data", "metadata": {}, "data": {output.MIME: shown}}]
        file.write_text(
            json.dumps({"cells": [{"cell_type": "code", "source": "", "outputs": outputs}]})
        )
        runs[cause] = [file]
    return changes.QuarterComparison(
        editions.Edition("2026Q2", THEN, tmp_path), differs, runs, is_this_report
    )


def test_where_todays_code_does_not_run_on_what_was_kept_the_change_is_not_divided(tmp_path):
    made = comparison(tmp_path, "code", "data", told={"code": 110.0, "data": 120.0})
    (row,) = changes.change_rows(made, made.runs["code"], [card(150.0)], {})
    assert row["change"] == 50
    assert row["causes"] == []
    assert row["says"] == "cannot be divided: today's code does not give it on what was kept"
    assert changes.change_summary([row]) == f"changed: Net present value ({row['says']})"
    assert changes.changed_rows([row]) == [row]


def test_a_share_changes_by_percentage_points():
    """From +9.0% to +11.1% is 2.1 points, not 2.1% more."""
    made = output.result_card(
        result("npv", 0.111, float("nan"), float("nan"), unit="of bookings"), label="B", note="", headline=True,
        format="change", currency="USD",
    )  # fmt: skip
    (row,) = changes.change_rows(None, [], [made], {"npv": 0.09})
    assert row["shown"]["change"] == "+2.1 pp"


def test_a_change_without_a_cause_is_not_called_no_change(tmp_path):
    """The same data, code and parameters gave another figure: that is said, never hidden."""
    (row,) = changes.change_rows(comparison(tmp_path, is_this_report=True), [], [card(101.0)], {})
    assert row["says"] == "no cause found +$1"


@pytest.mark.parametrize(
    ("then", "now", "says"),
    [
        ({"npv": 100.0}, 100.0, "not divided: no first edition was kept"),
        ({}, 100.0, "new: not published before"),
    ],
)
def test_without_a_first_edition_the_published_figure_still_stands_beside(then, now, says):
    (row,) = changes.change_rows(None, [], [card(now)], then)
    assert row["says"] == says


def test_a_figure_that_can_be_told_in_one_quarter_only_says_so(tmp_path):
    (row,) = changes.change_rows(comparison(tmp_path), [], [card(float("nan"))], {})
    assert (row["change"], row["says"]) == (None, "could be told in one quarter only")


CELLS = [
    {"cell_type": "markdown", "source": "# Why?", "metadata": {}},
    cell("import pandas as pd"),
    cell("quarter = 'x'", "parameters"),
    {"cell_type": "markdown", "source": "## Answer", "metadata": {}},
    cell("chart = 1\nshow.figure(chart)"),
    cell("base = pd.load()\nbase['x'] = 1"),
    cell("base['y'] = 2"),
    cell("other = base"),
    cell("show.kpi(base, headline=True)"),
    cell("show.kpi(other, headline=True)", "analyst"),
]


def test_a_notebook_is_cut_to_its_headlines_and_what_they_need():
    """Also a cell that only changes what is needed; not charts, nor what analysts alone see."""
    got = changes.cut_to_headlines({"cells": CELLS, "metadata": {}})
    assert [c["source"] for c in got["cells"]] == [
        "import pandas as pd", "quarter = 'x'", "base = pd.load()\nbase['x'] = 1", "base['y'] = 2",
        "show.kpi(base, headline=True)",
    ]  # fmt: skip


def test_a_cell_is_not_needed_for_the_name_it_gives_to_what_it_runs_through():
    """The costly table calls its columns c, as the headline's cell does: neither reads the other's."""
    cells = [
        {"cell_type": "markdown", "source": "## Answer", "metadata": {}},
        cell("kinds = 'base'"),
        cell("costly = {c: c for c in 'abc'}"),
        cell("show.kpi([c for c in kinds], headline=True)"),
    ]
    got = changes.cut_to_headlines({"cells": cells, "metadata": {}})
    assert [c["source"] for c in got["cells"]] == [
        "kinds = 'base'",
        "show.kpi([c for c in kinds], headline=True)",
    ]


@pytest.mark.study
def test_every_table_that_was_loaded_is_kept_however_it_was_named(published):
    kept = published / "data/history/small/2026Q1"
    assert {f.stem for f in (kept / "inputs").glob("*.parquet")} == {"reps", "teams"}
    assert json.loads((kept / "first.json").read_text())["notebooks"][0]["reads"] == [
        "reps",
        "team_quarter",
        "teams",
    ]


@pytest.mark.study
def test_a_view_has_the_datasets_own_settings_of_then(published, tmp_path):
    """The specification of growth is read by a notebook: as it was then, not as it was written since."""
    root = Path(shutil.copytree(published, tmp_path / "project"))
    own = root / "data/raw/small/growth.toml"
    then = root / "data/history/small/2026Q1/inputs/dataset/growth.toml"
    with at(root):
        edition = editions.first_edition("small", "2026Q1")
        then.write_text("then = 1")
        own.write_text("now = 1")
        (tmp_path / "then").mkdir()
        (tmp_path / "now").mkdir()
        views = [
            editions.make_view(
                tmp_path / name,
                edition,
                "small",
                is_data_of_then=True,
                are_settings_of_then=name == "then",
            )
            for name in ("then", "now")
        ]
    assert [(v / "data/raw/small/growth.toml").read_text() for v in views] == [
        "then = 1",
        "now = 1",
    ]


def test_a_notebook_without_a_headline_need_not_run_again():
    assert changes.cut_to_headlines({"cells": CELLS[:7], "metadata": {}}) is None


@pytest.mark.study
def test_a_view_has_the_tables_of_then_and_changes_none_of_todays(published, tmp_path):
    root = Path(shutil.copytree(published, tmp_path / "project"))
    panel = root / "data/processed/small/team_quarter.parquet"
    panel.write_bytes(b"today's")
    with at(root):
        then = editions.first_edition("small", "2026Q1")
        seen = editions.make_view(
            tmp_path, then, "small", is_data_of_then=True, are_settings_of_then=True
        )
    assert (seen / "data/processed/small/team_quarter.parquet").read_bytes() != b"today's"
    assert (seen / "data/processed/small/reps.parquet").resolve().parent.name == "inputs"
    assert (seen / "data/processed/small/leads.parquet").resolve() == panel.with_name(
        "leads.parquet"
    ).resolve()
    assert panel.read_bytes() == b"today's"
