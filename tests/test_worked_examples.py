"""What CONTRIBUTING shows of how to add a source, a rule and a chapter works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```\w+ (\S+\.\w+)( \+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = """
import json
from analysis.store import processed
audit = processed.prepare_dataset("tidydesk")
exec(compile(open("cells.py").read(), "cells.py", "exec"))
(file,) = [f for f in audit["files"] if f["file"] == "deals.csv"]
rules = {r["rule"]: r["n_rows"] for r in audit["rules"] if r["table"] == "opportunities"}
(deals,) = [t for t in audit["tables"] if t["table"] == "opportunities"]
won = chapter.won_deals(company).frame.to_dict("records")
middle = chapter.middle_deal(company)
print(json.dumps([file["layout"], rules["pilot_won"], deals["n_quarantined"], won, middle[:2]]))
"""


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """Return what the project says once the examples are put in place: one run for all tests."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "alignment.toml", root)
    for path, is_added, text in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8")):
        file = root / ("cells.py" if path.endswith(".ipynb") else path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if is_added or path.endswith(".ipynb") else "x") as stream:
            stream.write(f"\n{text}" if is_added else text)
    house = {"PYTHONPATH": str(root / "src"), "ALIGNMENT_ROI_ROOT": str(root)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN],
        cwd=root, env=os.environ | house, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_source_is_recognised_and_its_odd_row_is_set_aside(answer):
    layout, _, n_aside, *_ = answer
    assert "Tidydesk" in layout
    assert n_aside == 1


def test_the_rule_marks_the_one_deal_it_is_about(answer):
    assert answer[1] == 1


def test_the_chapter_counts_the_deals_won_and_names_the_middle_one(answer):
    """12,000, 0 and 4,000 were won in the second quarter of 2026."""
    assert answer[4] == ["middle_deal", 4000.0]
    assert answer[3] == [{"quarter": "2026Q2", "n": 3, "middle": 4000.0}]
