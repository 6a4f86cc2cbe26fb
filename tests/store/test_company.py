"""One handle on a company: what a notebook and an analyst open first."""

import pytest
from crm_tables import ROLES, opportunity, user, write
from report_fixtures import at, project

from analysis.project.parameters import ParameterError
from analysis.store.company import TABLE_NAMES, open_company, quarter_named

AUDIT = {"as_of": "2026-08-15", "first_day": "2025-01-01"}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Yield the root of a project of one rep and two deals, of which one closed a year before."""
    root = project(tmp_path_factory.mktemp("company") / "project")
    raw = root / "data" / "raw" / "here"
    raw.mkdir(parents=True)
    deals = [opportunity(1), opportunity(2, CloseDate="2025-03-10")]
    write(raw, Opportunity=deals, User=[user()], UserRole=ROLES)
    with at(root):
        yield root


@pytest.mark.parametrize(
    ("name", "month", "expected"),
    [
        ("latest", 1, "2026Q2"),  # 15 August lies within Q3
        ("previous", 1, "2026Q1"),
        ("2026Q3", 1, "2026Q3"),
        ("latest", 2, "2027Q2"),  # May to July, of the year that ends in January 2027
    ],
)
def test_a_quarter_is_found_by_name(name, month, expected):
    assert str(quarter_named(name, AUDIT, month)) == expected


@pytest.mark.parametrize("name", ["2024Q4", "2026Q4"])
def test_a_quarter_without_data_is_refused_with_those_there_are(name):
    with pytest.raises(
        ValueError, match=rf"quarter {name} is not in the data, which run from 2025Q1 to 2026Q3"
    ):
        quarter_named(name, AUDIT, 1)


def test_opening_cleans_and_settles_quarter_settings_and_paths(exports):
    """Nothing was cleaned before: opening does it, and `latest` is a quarter the data cover."""
    company = open_company("here")
    assert company.settings.company.currency == "USD"
    assert company.quarter == str(quarter_named("latest", company.audit, 1))
    assert company.paths.raw == exports / "data" / "raw" / "here"
    assert company.paths.report == exports / "reports" / "here" / company.quarter
    assert company.first_day < company.day_after
    assert company.table("opportunities")["opportunity_id"].tolist() != []


def test_it_cannot_be_changed(exports):
    with pytest.raises(AttributeError, match="cannot assign to field"):
        open_company("here").quarter = "2020Q1"


def test_its_repr_tells_tables_and_rows(exports):
    words = repr(open_company("here")).splitlines()
    assert words[0].startswith("Company 'here', Calendar quarter 20")
    assert [line.split() for line in words[1:] if line.split()[0] == "opportunities"] == [
        ["opportunities", "2", "rows"]
    ]
    assert not any(line.split()[0] == "leads" for line in words[1:]), "an empty table has no line"


def test_an_unknown_table_gets_the_nearest_name(exports):
    with pytest.raises(ValueError, match=r"no table 'oportunities'\. Did you mean opportunities\?"):
        open_company("here").table("oportunities")


def test_names_complete_in_brackets(exports):
    company = open_company("here")
    assert set(company._ipython_key_completions_()) == set(TABLE_NAMES)
    assert company["reps"].equals(company.table("reps"))


def test_rows_of_the_quarter_are_those_of_no_other(exports):
    company = open_company("here")
    rows = company.rows_of_quarter("team_quarter")
    assert set(rows["quarter"]) == {company.quarter}
    assert len(rows) < len(company.table("team_quarter"))


def test_a_quarter_outside_the_data_is_one_line(exports):
    with pytest.raises(ParameterError, match=r"^quarter 2011Q1 is not in the data, which run"):
        open_company("here", quarter="2011Q1")
