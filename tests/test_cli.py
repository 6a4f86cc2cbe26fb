"""The command line: what it says, where it says it, and how it ends."""

import fcntl
import subprocess
import sys
from importlib import metadata

import pytest
from report_fixtures import cell, files, notebook, project, run, small

from analysis import cli

PARAMETERS = (
    'quarter: str = "x"  # quarter\ndataset: str = "x"  # folder\nask_reps: int = 3  # reps asked'
)


@pytest.fixture
def root(tmp_path):
    """Return a project of two deals whose one notebook fails in its last cell, should a kernel ever start."""
    folder = small(tmp_path / "project")
    notebook(folder / "notebooks" / "1_x.ipynb", "# Why?", cell(PARAMETERS, "parameters"), "1 / 0")
    return folder


@pytest.mark.parametrize(
    ("command", "does"),
    [
        ("demo", "Write a simulated company's exports"),
        ("init", "README and empty templates of what no CRM holds"),
        ("clean", "Clean a dataset's exports into data/processed"),
        ("report", "Write the quarterly report: PDF, workbook, executed notebooks and manifest"),
        ("verify", "Say whether a report still follows from data, code and parameters"),
    ],
)
def test_help_says_what_a_command_does(root, command, does):
    """By itself and in the list of commands."""
    ran = run(root, command, "--help")
    assert ran.code == 0
    assert does in " ".join(ran.out.split())
    assert command in run(root, "--help").out


def test_every_option_is_explained(root):
    ran = run(root, "report", "--help")
    for option in ("--quarter", "--parameter", "-p", "--as-of", "--workers", "--force"):
        assert option in ran.out
    assert "2026Q3" in ran.out


def test_help_needs_no_project(tmp_path):
    assert run(tmp_path, "--help").code == 0


def test_help_imports_neither_pandas_nor_papermill():
    code = "import sys, analysis.cli; sys.exit(bool({'pandas', 'papermill', 'duckdb'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_command_is_wrong_usage(root):
    assert run(root).code == 2
    assert run(root, "rapport").code == 2


def test_outside_a_project_it_says_where_to_go(tmp_path):
    ran = run(tmp_path, "clean", "demo")
    assert ran.code == 2
    assert "no alignment.toml in" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("command", ["clean", "report"])
def test_an_unknown_dataset_is_refused_with_the_nearest(root, command):
    ran = run(root, command, "smal")
    assert (ran.code, ran.out) == (2, "")
    assert (
        "no dataset 'smal': there is no such folder in data/raw. Did you mean small? Known: small."
        in ran.err
    )


@pytest.mark.parametrize("name", ["../raw", "/etc", "SMALL", "a b", "."])
def test_a_dataset_is_a_name_and_no_path(root, name):
    assert run(root, "report", name).code == 2
    ran = run(root, "demo", "--dataset", name)
    assert ran.code == 2
    assert "dataset must be lower-case letters" in ran.err


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--quarter", "2026q2"], "got '2026q2'. Did you mean 2026Q2?"),
        (["--quarter", "2026Q5"], "quarter must be latest, previous or a year and Q1 to Q4"),
        (
            ["-p", "quater=2026Q2"],
            "no notebook has a parameter 'quater'. Did you mean quarter? Known: ask_reps.",
        ),
        (["-p", "quarter=2026Q2"], "parameter quarter is set by the command line itself"),
        (["-p", "ask_reps=many"], "parameter ask_reps must be of type int, got 'many'"),
        (["-p", "ask_reps"], "a parameter is NAME=VALUE, got 'ask_reps'"),
        (["-p", "=3"], "a parameter is NAME=VALUE, got ''"),
        (["--workers", "0"], "--workers"),
        (["--as-of", "yesterday"], "--as-of"),
        (["--as-of", "9999-12-31"], "no CRM's exports speak of the year 9999"),
        (["--quarter"], "--quarter"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_done(root, arguments, match):
    """Not even cleaning: nothing is written at all."""
    before = files(root)
    ran = run(root, "report", "small", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert match in ran.err
    assert "Traceback" not in ran.err
    assert files(root) == before


def test_a_quarter_that_the_data_do_not_cover_starts_no_kernel(root):
    ran = run(root, "report", "small", "--quarter", "2031Q1")
    assert ran.code == 2
    assert "quarter 2031Q1 is not in the data, which run from 2026Q1 to 2026Q2" in ran.err
    assert not (root / "reports").exists()


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("smallest_cell = 5", 'smallest_cell = "few"', "people.smallest_cell is 'few'"),
        (
            "smallest_cell",
            "smalest_cell",
            "people.smalest_cell is not a setting. Did you mean smallest_cell?",
        ),
        ("[company]", "[company", "not valid TOML"),
    ],
)
@pytest.mark.parametrize("command", ["clean", "report"])
def test_broken_settings_are_wrong_usage(root, command, old, new, match):
    file = root / "alignment.toml"
    file.write_text(file.read_text().replace(old, new, 1))
    ran = run(root, command, "small")
    assert (ran.code, ran.out) == (2, "")
    assert match in ran.err


@pytest.mark.parametrize("command", ["clean", "report"])
def test_a_required_table_without_export_is_refused(root, command):
    """Exit 1; the message says which table, which files are there, and what to do."""
    (root / "data" / "raw" / "small" / "Opportunity.csv").unlink()
    ran = run(root, command, "small")
    assert ran.code == 1
    assert ran.err.startswith(
        "CrmDataError: opportunities: no export in data/raw/small fills this table"
    )
    assert not (root / "reports").exists()
    assert not (root / "data" / "processed" / "small").exists()


@pytest.mark.parametrize("command", ["clean", "report"])
def test_a_dataset_somebody_works_on_is_left_alone(root, command):
    """Exit 75, so that a scheduler tries again; the lock ends with its holder."""
    lock = root / "data" / "processed" / ".small.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ran = run(root, command, "small")
        assert (ran.code, ran.out) == (75, "")
        assert "another run works on small; try again when it is done" in ran.err
        assert run(root, "clean", "small", "--dry-run").code == 0
    assert run(root, "clean", "small").code == 0


@pytest.mark.study
def test_a_failing_notebook_is_told_on_stderr(root):
    ran = run(root, "report", "small")
    assert ran.code == 3
    assert (
        "reports/small/2026Q2: 1_x, cell 4: ZeroDivisionError: division by zero (failed)" in ran.err
    )
    assert (
        "No PDF was written; the notebooks as far as they got are in reports/small/2026Q2/failed."
        in ran.err
    )
    assert "ZeroDivisionError" not in ran.out


def test_cleaning_says_how_each_file_was_understood_and_what_became_of_its_rows(root):
    ran = run(root, "clean", "small")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert (
        lines[0]
        == "Opportunity.csv: 2 rows, comma, Opportunity (Salesforce, API names) -> opportunities"
    )
    assert "as of 2026-06-30; rows in = clean + quarantined + dropped" in lines
    assert "  opportunities: 2 = 2 + 0 + 0" in lines
    assert (root / "data" / "processed" / "small" / "audit.json").is_file()


def test_a_file_not_understood_is_named_and_the_rest_goes_on(root):
    (root / "data" / "raw" / "small" / "notes.csv").write_text("a,b\n1,2\n")
    ran = run(root, "clean", "small")
    assert ran.code == 0
    assert "notes.csv: refused, its 2 columns (a, b) are no export known here" in ran.out


def test_a_dry_run_writes_nothing(root):
    """No table, no key, no lock; and it says the same."""
    before = files(root), sorted(root.rglob("*"))
    ran = run(root, "clean", "small", "--dry-run")
    assert ran.code == 0
    assert (files(root), sorted(root.rglob("*"))) == before
    assert ran.out == run(root, "clean", "small").out


def test_as_of_is_the_day_the_exports_speak_of(root):
    """On 31 March the second deal is still open, and 2026Q1 is over."""
    ran = run(root, "clean", "small", "--as-of", "2026-03-31", "--dry-run")
    assert "as of 2026-03-31; rows in = clean + quarantined + dropped" in ran.out


def test_demo_writes_the_company_asked_for(tmp_path):
    root = project(tmp_path / "project")
    ran = run(root, "demo", "--dataset", "mine", "--teams", "4", "--quarters", "6", "--seed", "3")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "wrote data/raw/mine: 4 teams, 6 quarters, seed 3\n"
    assert (root / "data" / "raw" / "mine" / "truth.json").is_file()


@pytest.mark.parametrize("arguments", [["--teams", "3"], ["--quarters", "5"], ["--seed", "x"]])
def test_demo_refuses_a_company_too_small(tmp_path, arguments):
    root = project(tmp_path / "project")
    ran = run(root, "demo", *arguments)
    assert ran.code == 2
    assert arguments[0] in ran.err
    assert not list((root / "data" / "raw").iterdir())


def test_verifying_what_is_no_report_is_wrong_usage(root):
    (root / "other.pdf").write_bytes(b"%PDF-1.7\n")
    for name, match in (("other.pdf", "carries no run id"), ("nowhere.pdf", "no file")):
        ran = run(root, "verify", str(root / name))
        assert ran.code == 2
        assert match in ran.err


def test_our_own_bug_has_its_exit_code_and_its_traceback(root, monkeypatch):
    """A ValueError from somewhere inside is no wrong usage."""
    from analysis.store import processed

    monkeypatch.setattr(processed, "prepare_dataset", lambda *_, **__: int("x"))
    ran = run(root, "clean", "small")
    assert ran.code == 70
    assert "Traceback" in ran.err
    assert "this is a bug of alignment-roi, not of your data" in ran.err


def test_exit_codes_are_those_the_readme_promises():
    codes = (cli.DONE, cli.REFUSED, cli.USAGE, cli.FAILED, cli.BUG, cli.LOCKED)
    assert codes == (0, 1, 2, 3, 70, 75)


def test_the_version_is_the_packages(root):
    ran = run(root, "--version")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"alignment-roi {metadata.version('alignment-roi')}\n"
