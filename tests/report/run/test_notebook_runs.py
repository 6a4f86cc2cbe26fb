"""Runs of notebooks: parameters checked before a kernel starts, and the truth about how each ended."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from queue import Empty

import pytest
from report_fixtures import PARAMETERS, at, cell, kernels, notebook, project, until

from analysis.report.run import notebooks
from analysis.report.run.notebook_jobs import Job
from analysis.store import needs


class DeafSocket:
    """A socket that holds a message and tells of it only when it is asked again."""

    def __init__(self):
        self.polls = []

    async def poll(self, timeout):  # noqa: ASYNC109 - its signature
        self.polls.append(timeout)
        return len(self.polls) > 1


DIE = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def root(tmp_path):
    """Return a project in which every process can be told from others'."""
    folder = project(tmp_path / "project")
    with at(folder):
        yield folder


@pytest.fixture
def ran(root):
    """Run a notebook of these cells; return its outcome and the notebook as it was kept."""

    def run(*cells, **parameters):
        source = notebook(root / "notebooks" / "1_try.ipynb", *cells)
        output = root / "out.ipynb"
        outcome = notebooks.run_notebook(Job(source, output, parameters))
        return outcome, json.loads(output.read_text())["cells"]

    return run


def test_what_a_notebook_shows_is_saved_once_and_not_with_every_cell(root, ran):
    """Saved with every cell, 40 outputs of half a megabyte took three times as long as the cells."""
    code = f"import os\nassert not os.path.exists({str(root / 'out.ipynb')!r})"
    outcome, cells = ran("print('shown' * 9)", code)
    assert outcome.status == "ok", outcome.error
    assert cells[0]["outputs"][0]["text"] == ["shown" * 9 + "\n"]


def channel_of(socket):
    channel = notebooks.WatchfulChannel.__new__(notebooks.WatchfulChannel)
    channel.socket, channel._recv = socket, lambda: asyncio.sleep(0, {"content": "there"})
    return channel


def test_a_message_nobody_told_of_is_found_a_second_later():
    """Not when the cell's time is over: asyncio misses that a message came where processes compete."""
    socket = DeafSocket()
    assert asyncio.run(channel_of(socket).get_msg(timeout=900)) == {"content": "there"}
    assert socket.polls == [1000, 1000]


def test_without_a_message_the_wait_ends_when_it_should(monkeypatch):
    socket = DeafSocket()
    with pytest.raises(Empty):
        asyncio.run(channel_of(socket).get_msg(timeout=0.5))
    assert len(socket.polls) == 1
    assert socket.polls[0] <= 500


def states(cells):
    return [
        c["metadata"]["papermill"]["status"]
        for c in cells
        if "status" in c["metadata"].get("papermill", {})
    ]


def texts(cells):
    return [
        "".join(o["text"])
        for c in cells
        for o in c.get("outputs", [])
        if o["output_type"] == "stream"
    ]


def test_a_notebook_says_its_question_and_its_needs(tmp_path):
    file = notebook(
        tmp_path / "1.ipynb", "# What for?\n\nMore.", "x = 1", needs={"quotas": ["quota_amount"]}
    )
    assert needs.read_requirements(file).question == "What for?"
    assert needs.read_requirements(file).needs == {"quotas": ["quota_amount"]}


def test_a_notebook_that_runs_is_ok_and_sees_its_parameters(ran):
    """Those it does not know are left out: one notebook's parameter is no other's."""
    outcome, cells = ran(
        cell(PARAMETERS, "parameters"), "print(asks, quarter)", asks=7, quarter="2026Q1", other=1
    )
    assert (outcome.notebook, outcome.status, outcome.cell, outcome.error) == (
        "1_try",
        "ok",
        None,
        None,
    )
    assert texts(cells) == ["7 2026Q1\n"]


def test_a_cell_that_raises_is_named_with_its_error(ran):
    """The third cell, counted from 1; what ran before it is kept, what came after it did not run."""
    outcome, cells = ran("# Why?", "print('before')", "1 / 0", "print('after')")
    assert outcome[1] == "failed"
    assert outcome.cell == 3
    assert outcome.error == "ZeroDivisionError: division by zero"
    assert texts(cells) == ["before\n"]
    assert states(cells)[-2:] == ["failed", "pending"]


def test_the_injected_parameters_count_as_a_cell(ran):
    outcome, cells = ran(cell(PARAMETERS, "parameters"), "1 / 0", asks=1)
    assert outcome.cell == 3
    assert any("".join(c["source"]) == "1 / 0" for c in cells)


def test_leaving_early_is_no_success(ran):
    """`sys.exit(0)` ends a notebook without an exception: papermill returns as if all had run."""
    outcome, cells = ran("print('before')", "import sys\nsys.exit(0)", "print('after')")
    assert (outcome.status, outcome.cell, outcome.error) == ("failed", 2, "SystemExit: 0")
    assert "after\n" not in texts(cells)


@pytest.mark.parametrize(
    "source",
    [
        "!false",
        "%%bash\nfalse | true",
        *(
            pytest.param(source, marks=pytest.mark.study)
            for source in (
                "!true; false",
                "lines = !false",
                "!!false",
                "%sx false",
                "%%bash\nfalse\necho behind",
                "%%sh\nfalse\necho behind",
                "%%script sh\nexit 3",
            )
        ),
    ],
)
def test_a_command_of_the_shell_that_fails_fails_its_cell(ran, source):
    outcome, cells = ran("print('before')", source, "print('after')")
    assert (outcome.status, outcome.cell) == ("failed", 2)
    assert not cells[-1]["outputs"]


def test_commands_that_succeed_or_may_fail_are_no_failure(ran):
    outcome, _ = ran(
        "!true", "!false || true", "lines = !echo a\nassert lines == ['a']", "%%bash\ntrue | cat"
    )
    assert outcome.status == "ok", outcome.error


def test_an_error_is_an_error_even_where_it_was_expected(ran):
    """A report has no place for a traceback, so the tag `raises-exception` does not excuse one."""
    outcome, cells = ran("x = 1", cell("1 / 0", "raises-exception"), "print('after')")
    assert (outcome.status, outcome.cell, outcome.error) == (
        "failed",
        2,
        "ZeroDivisionError: division by zero",
    )
    assert texts(cells) == ["after\n"]


def test_a_killed_kernel_is_told_as_killed(ran):
    """Papermill marks every cell of it completed; the kept notebook must not."""
    outcome, cells = ran("print('before')", DIE, "print('after')")
    assert (outcome.status, outcome.cell) == ("killed", 2)
    assert "the kernel died" in outcome.error
    assert texts(cells) == ["before\n"]
    assert states(cells) == ["completed", "failed", "pending"]


def test_a_stuck_cell_is_told_as_timeout(ran, monkeypatch):
    monkeypatch.setattr(notebooks, "CELL_TIMEOUT", 1)
    outcome, cells = ran("print('before')", "import time\ntime.sleep(600)", "print('after')")
    assert (outcome.status, outcome.cell, outcome.error) == (
        "timeout",
        2,
        "a cell ran longer than 1 s",
    )
    assert texts(cells) == ["before\n"]
    assert states(cells) == ["completed", "failed", "pending"]


def test_a_cell_that_shows_no_end_of_it_fails(ran, monkeypatch):
    """Its outputs would fill the memory of the run, and of every run tried after it."""
    monkeypatch.setattr(notebooks, "MOST_SHOWN", 1_000_000)
    outcome, _ = ran("print('before')", "while True: print('x' * 10_000)")
    assert (outcome.status, outcome.cell) == ("failed", 2)
    assert outcome.error == "it shows more than 1 MB"


def test_outputs_are_waited_for_as_long_as_their_cell(root, monkeypatch):
    """Not the four seconds of nbclient: a busy machine is no cell that ran too long."""
    asked = {}
    monkeypatch.setattr(
        notebooks, "execute_notebook", lambda *_, **more: asked.update(more) or {"cells": []}
    )
    notebooks.run_notebook(
        Job(notebook(root / "notebooks" / "1_x.ipynb", "1"), root / "x.ipynb", {})
    )
    assert asked["iopub_timeout"] == asked["execution_timeout"] == notebooks.CELL_TIMEOUT


@pytest.mark.parametrize(
    "source", ["1 / 0", *(pytest.param(s, marks=pytest.mark.study) for s in ("x = 1", DIE))]
)
def test_a_run_leaves_no_kernel_and_no_socket(root, ran, monkeypatch, source):
    """However it ended: the private folder of its sockets is gone, and so is the process."""
    sockets = root / "sockets"
    sockets.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(sockets))
    ran(source)
    assert list(sockets.glob("roi-*")) == []
    assert kernels(root) == []


def test_two_at_once_are_told_apart_and_in_the_order_asked_for(root):
    """One fails, the other goes on; `done` hears of each once."""
    slow = notebook(
        root / "notebooks" / "1_slow.ipynb", "import time\ntime.sleep(1)\nprint('slow')"
    )
    bad = notebook(root / "notebooks" / "2_bad.ipynb", "1 / 0")
    heard = []
    jobs = [Job(slow, root / "slow.ipynb", {}), Job(bad, root / "bad.ipynb", {})]
    outcomes = notebooks.run_all(
        jobs, workers=2, done=lambda outcome, n: heard.append((n, outcome))
    )
    assert [(o.notebook, o.status) for o in outcomes] == [("1_slow", "ok"), ("2_bad", "failed")]
    assert sorted(o.notebook for _, o in heard) == ["1_slow", "2_bad"]
    assert [n for n, _ in heard] == [1, 2]
    assert (root / "bad.ipynb").is_file()
    assert kernels(root) == []


@pytest.mark.study
@pytest.mark.parametrize(
    ("kills", "end"),
    [(1, ("ok", 2)), pytest.param(2, ("killed", 2), marks=pytest.mark.study)],
)
def test_a_notebook_whose_process_dies_is_tried_once_more_and_no_other_with_it(root, kills, end):
    """Two wait side by side; the process of one is killed, once or each time it is tried."""
    started, go_on = root / "started", root / "go_on"
    wait = (
        f"import pathlib, time\nwith open({str(started)!r}, 'a') as f: f.write('x')\n"
        f"while not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.1)"
    )
    jobs = [
        Job(notebook(root / "notebooks" / f"{i}_x.ipynb", wait), root / f"{i}.ipynb", {})
        for i in (1, 2)
    ]
    with ThreadPoolExecutor(1) as thread:
        run = thread.submit(notebooks.run_all, jobs, workers=2, done=lambda *_: None)
        others = []
        for n in range(2, 2 + kills):
            until(lambda n=n: started.exists() and len(started.read_text()) == n)
            workers = [w for w in active_children() if w not in others]
            others = workers[1:] or others
            workers[0].kill()
        if end[0] == "ok":
            until(lambda: len(started.read_text()) == 3)
        go_on.touch()
        ends = {(o.status, o.attempts) for o in run.result()}
    assert ends == {("ok", 1), end}
    assert kernels(root) == []


@pytest.mark.study
def test_one_at_a_time_gives_the_same(root):
    jobs = [
        Job(notebook(root / "notebooks" / f"{i}_x.ipynb", "x = 1"), root / f"{i}.ipynb", {})
        for i in (2, 1)
    ]
    heard = []
    outcomes = notebooks.run_all(
        jobs, workers=1, done=lambda outcome, n: heard.append((n, outcome))
    )
    assert [o.notebook for o in outcomes] == [o.notebook for _, o in heard] == ["2_x", "1_x"]


@pytest.mark.study
def test_no_kernel_outlives_a_run_that_was_killed(root):
    """SIGKILL to the process that started the workers: workers, kernels and sockets go by themselves."""
    sockets = root / "tmp"
    sockets.mkdir()
    for i in (1, 2):
        notebook(
            root / "notebooks" / f"{i}_x.ipynb",
            f"open({str(root / f'started{i}')!r}, 'w')",
            "import time\ntime.sleep(600)",
        )
    script = root / "go.py"
    script.write_text(
        "from pathlib import Path\n"
        "from analysis.report.run.notebook_jobs import Job; from analysis.report.run.notebooks import run_all\n"
        "if __name__ == '__main__':\n"
        f"    root = Path({str(root)!r})\n"
        "    jobs = [Job(n, root / n.name, {}) for n in sorted((root / 'notebooks').glob('*'))]\n"
        "    run_all(jobs, workers=2, done=print)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=root, env=os.environ | {"TMPDIR": str(sockets)}
    ) as runner:
        try:
            until(lambda: (root / "started1").exists() and (root / "started2").exists())
            assert len(kernels(root)) > 4  # this run, two workers, two kernels
            assert len(list(sockets.glob("roi-*"))) == 2
        finally:
            runner.kill()
    until(lambda: not kernels(root))
    assert list(sockets.glob("roi-*")) == []


def test_importing_the_runner_compiles_no_grammars():
    """jsonschema's check of IRIs costs 3 of papermill's 4 CPU seconds at import, and nothing here needs it."""
    code = "import sys, analysis.report.run.notebooks; sys.exit('lark' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]
        ).returncode
        == 0
    )
