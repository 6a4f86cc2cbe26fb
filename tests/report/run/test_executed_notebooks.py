"""Which notebooks run again and which stand: by what each follows from, and never on trust."""

import json
import os
import subprocess
import sys
import time

import pytest
from report_fixtures import cell, notebook

from analysis.project import paths, read_notes
from analysis.report.run import executed_notebooks, module_imports, notebook_key
from analysis.report.run.notebook_jobs import Job
from analysis.store import noted_account
from analysis.store.run_record import Outcome

PARAMETERS = 'quarter: str = "x"  # quarter\ndataset: str = "x"  # folder\nasks: int = 3  # asks'
GIVEN = {"dataset": "small", "quarter": "2026Q2", "asks": 3, "rate": 0.5}
ACCOUNT = {
    "as_of": "2026-07-01",
    "files": [{"sha256": "1"}],
    "gate": {"questions": {"cost": "answered"}},
}
READS_ONE = read_notes.ReadNotes(("reps",), ("{root}/data/reps",), (), (), ('["as_of"]',), ())


@pytest.fixture
def root(tmp_path):
    """Return a folder with a table, an account and a notebook that imports one chapter."""
    clean = tmp_path / "data" / "processed" / "small"
    clean.mkdir(parents=True)
    (clean / paths.AUDIT_FILE).write_text(json.dumps(ACCOUNT))
    (tmp_path / "data" / "reps").write_text("1")
    write(tmp_path, "from analysis.chapters.cost import cost")
    (tmp_path / "out.ipynb").write_text("as it ran")
    time.sleep(0.02)  # a file's time is coarser than the clock
    return tmp_path


def write(root, *cells):
    return notebook(root / "1_x.ipynb", "# X?", cell(PARAMETERS, "parameters"), *cells)


def keyed(root, **parameters):
    job = Job(root / "1_x.ipynb", root / "out.ipynb", GIVEN | parameters)
    key = notebook_key.key_notebook(job.notebook, job.parameters, root)
    return job, executed_notebooks.Keeping(root / "kept" / "1_x", key)


def keep(root, status="ok", notes=READS_ONE):
    job, keeping = keyed(root)
    files = tuple(name.format(root=root) for name in notes.files)
    executed_notebooks.keep_executed(
        job, keeping, Outcome("1_x", status, 1.0, error="E"), notes._replace(files=files)
    )


def why_not(root, **parameters):
    return executed_notebooks.find_standing(keyed(root, **parameters)[1]).why_not


def test_a_notebook_stands_while_nothing_it_follows_from_changes(root):
    """A parameter that it does not have, and parts of the account that it never read, count for nothing."""
    keep(root)
    audit = root / "data" / "processed" / "small" / paths.AUDIT_FILE
    audit.write_text(json.dumps(ACCOUNT | {"files": []}))
    standing = executed_notebooks.find_standing(keyed(root, rate=0.7)[1])
    assert standing.outcome == Outcome("1_x", "ok", 1.0, error="E", is_reused=True)
    assert {f.stat().st_mode & 0o77 for f in (root / "kept").rglob("*")} == {0}


def test_whatever_changed_is_named(root):
    keep(root)
    assert why_not(root, asks=4) == ["asks is 4, was 3"]
    (root / "data" / "reps").write_text("2")
    assert why_not(root) == ["reps changed"]
    write(root, "from analysis.chapters.cost import cost, chapter")
    assert why_not(root)[0] == "its cells changed"
    own = root / "data" / "raw" / "small" / "growth.toml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert any("own maps" in line for line in why_not(root))
    audit = root / "data" / "processed" / "small" / paths.AUDIT_FILE
    audit.write_text(json.dumps(ACCOUNT | {"as_of": "2026-07-02"}))
    assert why_not(root)[-1] == "the cleaning's account of as_of changed"


def test_a_changed_line_of_code_is_named(root):
    keep(root)
    record = root / "kept" / "1_x.json"
    content = json.loads(record.read_text())
    content["parts"]["code"]["chapters/cost/cost.py"] = "another"
    record.write_text(json.dumps(content))
    assert why_not(root) == ["code chapters/cost/cost.py changed"]


def test_what_is_not_sure_never_stands(root):
    assert why_not(root) == ["no run of it has ended yet"]
    keep(root, status="failed")
    assert why_not(root) == ["its last run ended as failed: E"]
    keep(root, notes=READS_ONE._replace(open_ended=("starts a command",)))
    assert why_not(root) == ["no key of it is sure: it starts a command"]
    keep(root)
    (root / "kept" / "1_x.ipynb").write_text("tampered")
    assert why_not(root) == ["what was kept of its last run is gone or changed"]
    (root / "kept" / "1_x.json").write_text("{")
    assert why_not(root) == ["what was kept of its last run cannot be read"]


def test_a_file_that_changed_while_it_ran_makes_it_run_again(root):
    job, keeping = keyed(root)
    time.sleep(0.02)
    (root / "data" / "reps").write_text("2")
    notes = READS_ONE._replace(files=(f"{root}/data/reps",))
    executed_notebooks.keep_executed(job, keeping, Outcome("1_x", "ok", 1.0), notes)
    assert why_not(root) == ["no key of it is sure: reps changed while it ran"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import pandas as pd", "it imports pandas"),
        ("import datetime", "it imports datetime"),
        ("eval('1')", "it calls eval"),
        ("!ls", "a cell is not plain Python"),
        ("import numpy", ""),
        ("token: Secret = Secret('token')", "it has a secret"),
    ],
)
def test_cells_that_may_read_unseen_or_know_the_day_are_never_sure(root, source, why):
    notebook(root / "1_x.ipynb", "# X?", cell(f"{PARAMETERS}\n{source}", "parameters"))
    assert keyed(root)[1].key.unsure == why


def test_imports_are_followed_and_what_is_for_the_type_checker_is_none():
    source = (
        "from analysis.stats import (\n    suppression,  # why\n)\nif TYPE_CHECKING:\n"
        "    from analysis.cleaning import rules\nimport analysis.project.paths\n"
    )
    assert module_imports.imported_names(source) == {
        "analysis.stats.suppression",
        "analysis.project.paths",
    }
    files = {f.name for f in module_imports.code_files({"analysis.report.show"})}
    assert {"show.py", "formats.py", "suppression.py"} <= files
    assert not files & {"page.css", "report.typ", "pdf.py"}
    assert "claims.toml" in {f.name for f in module_imports.code_files({"analysis.project.claims"})}


def test_a_kernel_notes_what_python_opens_lists_starts_and_writes(tmp_path):
    (tmp_path / paths.SETTINGS_FILE).touch()
    (tmp_path / "a.txt").touch()
    notes = tmp_path / "notes"
    program = (
        "import os, subprocess, sys; from analysis.project import read_notes; read_notes.watch_reads()\n"
        "open('a.txt').close(); os.listdir('.'); open('b.txt', 'w').close()\n"
        "subprocess.run([sys.executable, '-c', ''])"
    )
    environment = os.environ | {paths.LOADED_VARIABLE: str(notes)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    got = read_notes.read_notes(notes)
    assert str(tmp_path / "a.txt") in got.files
    assert got.folders == (str(tmp_path),)
    assert got.open_ended == ("starts a command", "writes b.txt")
    assert read_notes.read_notes(tmp_path / "none").open_ended == ("was not watched",)


def test_the_account_notes_which_of_its_parts_are_read(tmp_path, monkeypatch):
    notes = tmp_path / "notes"
    monkeypatch.setenv(paths.LOADED_VARIABLE, str(notes))
    account = noted_account.NotedAccount(ACCOUNT)
    assert account["gate"]["questions"]["cost"] == "answered"
    assert account.get("absent") is None
    got = read_notes.read_notes(notes).account
    assert {'["gate", "questions", "cost"]', '["absent"]'} <= set(got)
    assert not any("files" in name for name in got)
    assert noted_account.part_hash(ACCOUNT, '["absent"]') == noted_account.ABSENT
    assert len(account) == 3
    assert "[]" in read_notes.read_notes(notes).account
