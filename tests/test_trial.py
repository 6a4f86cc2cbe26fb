"""Each folder of exports of a kind that once went wrong in silence is right now, or clearly refused."""

from __future__ import annotations

import re

import pytest
import trial

CASES = [c for c in trial.own_cases() if c.outcomes]
EACH = 3  # of three cases `make test` cleans one


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=pytest.mark.study if n % EACH else ())
        for n, case in enumerate(CASES)
    ],
)
def test_a_case_is_right_or_clearly_refused(case):
    got = trial.clean_verdict(case)
    assert got.verdict in {"right", "refused", "warned"}, got


def test_every_shared_case_has_its_expectation():
    """And says of each outcome which verdict it is, by what, and in patterns that compile."""
    expectations = trial.tomllib.loads(trial.SHARED_EXPECTATIONS.read_text(encoding="utf-8"))
    assert len(expectations) == 29
    for case in [
        *expectations.values(),
        *({"outcome": c.outcomes, **c.settings} for c in trial.own_cases()),
    ]:
        assert case.get("outcome") or case.get("report")
        for outcome in case.get("outcome", []):
            assert outcome["verdict"] in {"right", "refused", "warned"}
            assert set(outcome) - {"verdict"}, "an outcome that anything fits"
            for words in outcome.get("says", []):
                re.compile(words)


def test_a_case_that_no_outcome_fits_is_wrong_in_silence():
    """Two deals won are not three."""
    case = next(c for c in CASES if c.name == "company_reports_in_euros")
    outcome = {"verdict": "right", "won": [2, 12000]}
    assert trial.clean_verdict(case._replace(outcomes=[outcome])).verdict == trial.SILENT
