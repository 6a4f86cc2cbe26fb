"""Why a report would be made: what nothing else of these tests' reports shows."""

import json

from analysis.report.run import explain, plan


def test_another_value_of_a_parameter_is_named(tmp_path):
    before = {"status": "ok", "run_id": "a", "parameters": {"ask_reps": 3}}
    (tmp_path / "manifest.json").write_text(json.dumps(before))
    now = plan.Plan("b", {"ask_reps": 4}, [], [], {})
    assert explain._why_made(None, tmp_path, now) == "its parameters changed"
