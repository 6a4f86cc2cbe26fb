"""What schedule/ promises: the jobs run where and as schedulers run them."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import report_fixtures
import yaml

from analysis import cli

ROOT = Path(__file__).parents[1]
SCHEDULE = ROOT / "schedule"
EXIT_CODES = [cli.DONE, cli.REFUSED, cli.USAGE, cli.FAILED, cli.BUG, cli.LOCKED]
CRON_MAKES_A_NEWLINE_OF_IT = "%"


def _crontab() -> tuple[dict[str, str], str, str]:
    """Return the crontab's variables, the time fields and the command."""
    lines = [
        line
        for line in (SCHEDULE / "crontab").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    variables = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    [job] = [line for line in lines if not re.match(r"[A-Z_]+=", line)]
    *when, command = job.split(" ", 5)
    return variables, " ".join(when), command


def _unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(SCHEDULE / name)
    return unit


def _workflow() -> dict:
    return yaml.safe_load((SCHEDULE / "github-workflow.yml").read_text())


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A company of two deals in a project of its own, in a folder whose name has a blank.

    A notebook of words is enough: that the house's own run and are set is shown by `test_report`
    and by the notebooks' own tests.
    """
    root = report_fixtures.small(tmp_path_factory.mktemp("a project"), "tiny")
    shutil.copy(ROOT / "requirements.lock", root)
    report_fixtures.notebook(
        root / "notebooks" / "1_fine.ipynb",
        "# Is it fine?",
        report_fixtures.cell(report_fixtures.PARAMETERS, "parameters"),
        "## Answer\n\nFine.",
    )
    (root / ".venv").symlink_to(sys.prefix)
    return root


def _as_cron_would(project: Path, home: Path, dataset: str) -> subprocess.CompletedProcess[str]:
    variables, _, command = _crontab()
    own = {"ALIGNMENT_ROI_ROOT": str(project), "DATASET": dataset}
    given = {
        **variables,
        **own,
        "HOME": str(home),
        "LOGNAME": "somebody",
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
    }
    return subprocess.run(
        [
            "env",
            "-i",
            *(f"{name}={value}" for name, value in given.items()),
            "/bin/sh",
            "-c",
            command,
        ],
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
        timeout=300,
    )


@pytest.mark.study
def test_the_crontab_line_makes_a_report_in_crons_bare_environment(project, tmp_path):
    """No terminal, another folder, an empty environment: exit 0, a PDF, and nothing for cron to mail."""
    run = _as_cron_would(project, tmp_path, "tiny")
    log = (tmp_path / "alignment-roi.log").read_text()
    assert run.returncode == cli.DONE, log
    assert run.stdout + run.stderr == ""
    [pdf] = (project / "reports" / "tiny").glob("*/alignment-roi.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert str(pdf.relative_to(project)) in log


@pytest.mark.study
def test_a_second_morning_makes_nothing_again(project, tmp_path):
    """The report of the same exports stands: the file is not written once more."""
    if not list((project / "reports" / "tiny").glob("*/alignment-roi.pdf")):  # run by itself
        _as_cron_would(project, tmp_path, "tiny")
    [pdf] = (project / "reports" / "tiny").glob("*/alignment-roi.pdf")
    before = pdf.stat()
    run = _as_cron_would(project, tmp_path, "tiny")
    assert run.returncode == cli.DONE
    assert (pdf.stat().st_mtime_ns, pdf.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert "(up to date)" in (tmp_path / "alignment-roi.log").read_text()


@pytest.mark.study
def test_cron_mails_the_exit_code_of_a_run_that_ends_badly(project, tmp_path):
    """A dataset that does not exist is wrong usage: code 2, one line for the mail, the rest in the log."""
    run = _as_cron_would(project, tmp_path, "nowhere")
    assert run.returncode == cli.USAGE
    assert run.stdout == "report of nowhere ended with exit code 2; see alignment-roi.log\n"
    assert "no dataset 'nowhere'" in (tmp_path / "alignment-roi.log").read_text()


def test_the_crontab_is_one_that_cron_reads():
    """Five time fields, an absolute root, a last line that ends, and no % in the command."""
    variables, when, command = _crontab()
    assert re.fullmatch(r"\d+ \d+ [\d,-]+ 1,4,7,10 \*", when)
    assert variables["ALIGNMENT_ROI_ROOT"].startswith("/")
    assert CRON_MAKES_A_NEWLINE_OF_IT not in command
    assert (SCHEDULE / "crontab").read_text().endswith("\n")


def test_the_service_runs_the_command_from_absolute_paths():
    service = _unit("alignment-roi.service")["Service"]
    root = service["WorkingDirectory"]
    assert service["Type"] == "oneshot"
    assert service["Environment"] == f"ALIGNMENT_ROI_ROOT={root}"
    assert service["ExecStart"].startswith(f"{root}/.venv/bin/alignment-roi report ")


def test_the_service_tries_again_only_what_waiting_mends():
    """Another run's lock goes away; a refused table, wrong usage, a failed notebook or a bug do not."""
    service = _unit("alignment-roi.service")["Service"]
    assert service["Restart"] == "on-failure"
    assert {int(code) for code in service["RestartPreventExitStatus"].split()} == {*EXIT_CODES} - {
        cli.DONE,
        cli.LOCKED,
    }


def test_the_timer_starts_each_quarter():
    timer = _unit("alignment-roi.timer")
    assert re.match(r"\*-01,04,07,10-\d\d", timer["Timer"]["OnCalendar"])
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_both_units(tmp_path):
    """Checked with a command and a user that every machine has."""
    service = (SCHEDULE / "alignment-roi.service").read_text()
    here = re.sub(
        r"(?m)^User=.*$", "User=root", re.sub(r"(?m)^ExecStart=.*$", "ExecStart=/bin/true", service)
    )
    (tmp_path / "alignment-roi.service").write_text(here)
    shutil.copy(SCHEDULE / "alignment-roi.timer", tmp_path)
    units = [str(tmp_path / "alignment-roi.service"), str(tmp_path / "alignment-roi.timer")]
    run = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "alignment-roi" not in run.stderr


def test_the_workflow_keeps_the_exit_code_and_the_data():
    """It calls alignment-roi itself, not through make, and checkout leaves exports and history alone."""
    job = _workflow()["jobs"]["report"]
    steps = {step.get("name", step.get("uses")): step for step in job["steps"]}
    assert (
        steps["Report"]["run"] == '.venv/bin/alignment-roi report "$DATASET" --quarter "$QUARTER"'
    )
    assert steps["actions/checkout@v4"]["with"]["clean"] is False
    assert "self-hosted" in job["runs-on"]


def test_the_workflow_runs_when_the_crontab_does():
    on = _workflow()[True]  # YAML 1.1 reads the key `on` as true
    assert [entry["cron"] for entry in on["schedule"]] == [_crontab()[1]]


def test_no_input_of_the_workflow_reaches_a_shell_as_text():
    """An input goes into a variable first: as text in `run` it would be code."""
    assert all("${{" not in step.get("run", "") for step in _workflow()["jobs"]["report"]["steps"])


@pytest.mark.parametrize("file", ["crontab", "alignment-roi.service", "github-workflow.yml"])
@pytest.mark.parametrize("code", EXIT_CODES)
def test_each_schedule_explains_every_exit_code(file, code):
    comments = " ".join(
        line for line in (SCHEDULE / file).read_text().splitlines() if line.startswith("#")
    )
    assert re.search(rf"(?<!\d){code} +(done|a |wrong|another)", comments)
