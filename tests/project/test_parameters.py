"""A notebook run by hand stops in one line where a parameter cannot be meant."""

import pytest

from analysis.project import parameters
from analysis.project.parameters import ParameterError


def test_what_is_meant_gives_the_datasets_settings(raw):
    assert (
        parameters.load_settings(
            "here", "2026Q3", "", ask_minutes=30.0, ask_reps=20
        ).company.currency
        == "USD"
    )


@pytest.mark.parametrize(
    ("dataset", "quarter", "team", "numbers", "match"),
    [
        (
            2024,
            "2026Q3",
            "",
            {},
            r"dataset must be text, got 2024: papermill's `-r dataset 2024` keeps it",
        ),
        ("here", 2026, "", {}, r"quarter must be text, got 2026"),
        ("here", "2026", "", {}, r"2026"),
        (
            "hear",
            "2026Q3",
            "",
            {},
            r"'hear' has no folder in data/raw\. Did you mean here\? Known: here\.",
        ),
        ("../x", "2026Q3", "", {}, r"dataset must be lower-case letters"),
        ("here", "2026Q3", 7, {}, r"team must be text, got 7"),
        (
            "here",
            "2026Q3",
            "",
            {"ask_minutes": "30,5"},
            r"ask_minutes must be a number, got '30,5': write 30\.5",
        ),
        ("here", "2026Q3", "", {"ask_reps": "many"}, r"ask_reps must be a number, got 'many'$"),
        ("here", "2026Q3", "", {"ask_reps": True}, r"ask_reps must be a number, got True"),
        (
            "here",
            "2026Q3",
            "",
            {"hours_freed": float("nan")},
            r"hours_freed must be a number, got nan",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line(raw, dataset, quarter, team, numbers, match):
    with pytest.raises(ParameterError, match=match) as stopped:
        parameters.load_settings(dataset, quarter, team, **numbers)
    assert "\n" not in str(stopped.value)
    assert stopped.value._render_traceback_() == [f"ParameterError: {stopped.value}"]
