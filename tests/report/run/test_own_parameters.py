"""Parameters of the command line become values of the notebooks' types, or are refused in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from report_fixtures import PARAMETERS, cell, notebook

from analysis.report.run import own_parameters

RESERVED = ("dataset", "quarter", "team")


@pytest.fixture
def asked(tmp_path):
    """Return the typed parameters of a notebook that knows those of `PARAMETERS`."""
    known = [notebook(tmp_path / "1_try.ipynb", cell(PARAMETERS, "parameters"))]
    return lambda given: own_parameters.check_parameters(known, given, RESERVED)


def test_parameters_become_values_of_their_type(asked):
    given = {"asks": "5", "rate": "0.25", "is_short": "Yes"}
    assert asked(given) == {"asks": 5, "rate": 0.25, "is_short": True}


def test_nothing_given_is_nothing_to_check(asked):
    assert asked({}) == {}


def test_an_unknown_parameter_is_refused_with_the_nearest_name(asked):
    """Papermill would log a warning and run with the default."""
    with pytest.raises(
        ValueError, match=r"no notebook has a parameter 'quater'\. Did you mean quarter\?"
    ):
        asked({"quater": "2026Q1"})


def test_the_names_offered_are_those_that_can_be_given(asked):
    with pytest.raises(ValueError, match=r"Known: asks, is_short, rate\.$"):
        asked({"zzz": "1"})


@pytest.mark.parametrize("name", ["quarter", "dataset"])
def test_what_the_command_line_sets_is_no_free_parameter(asked, name):
    with pytest.raises(ValueError, match=f"parameter {name} is set by the command line itself"):
        asked({name: "x"})


@pytest.mark.parametrize(
    ("name", "text", "wants"),
    [
        ("asks", "2.5", "of type int"),
        ("asks", "", "of type int"),
        ("rate", "half", "of type float"),
        ("rate", "nan", "a finite number"),
        ("rate", "inf", "a finite number"),
        ("is_short", "maybe", "true or false"),
    ],
)
def test_a_value_of_another_type_is_refused(asked, name, text, wants):
    with pytest.raises(ValueError, match=f"parameter {name} must be {wants}, got '{text}'"):
        asked({name: text})


def test_a_wrong_parameter_is_told_without_papermill():
    """Its import takes longer than the answer; pandas' too."""
    program = "import sys; from analysis.report.run import own_parameters; print(sorted({'papermill', 'pandas', 'nbclient'} & set(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
