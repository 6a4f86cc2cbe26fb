"""Forked kernels: they show what spawned ones show, and leave nothing behind however a run ends."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from report_fixtures import at, kernels, notebook, project, until

from analysis.report.run import kernel_provisioner, kernel_zygote, notebooks
from analysis.report.run.notebook_jobs import Job

SPAWNED = "local-provisioner"
# What an import or the start of a process decides: each of these differed, or could.
TELLTALES = (
    "import sys, os, pandas as pd, numpy as np\npd.DataFrame(np.ones((3, 30)))",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
    "plt.get_backend(), plt.isinteractive()",
    "from analysis.figures import charts\ncharts.use_style()\nplt.figure(figsize=(1, 1)).gca().plot([1, 2]);",
    "print(sys.argv[0], sys.path, __name__, sys.flags)\nos.system('echo from below')",
    "import locale, logging, warnings\nwarnings.warn('careful')\nprint(sorted(os.environ), sorted(logging.root.handlers), locale.getlocale())",
    "import duckdb\nduckdb.sql('select sum(i) from range(1000000) t(i)').fetchall()",
    "import multiprocessing, signal\nmultiprocessing.current_process().name, signal.getsignal(signal.SIGINT)",
    "%timeit -n1 -r1 -o -q pass\n%pwd",
    "1 / 0",
)
OF_ONE_RUN = re.compile(r"0x[0-9a-f]+|ipykernel_\d+/|tmp/\w+")


@contextlib.contextmanager
def kernel():
    """Start a kernel as nbval and JupyterLab do; return its manager."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(Path.cwd()))
    try:
        yield manager
    finally:
        manager.shutdown_kernel(now=True)


def answer(manager, code):
    """Return what a cell prints."""
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    texts = []
    client.execute_interactive(
        code, output_hook=lambda m: texts.append(m["content"].get("text", "")), timeout=60
    )
    client.stop_channels()
    return "".join(texts).strip()


@pytest.fixture(autouse=True)
def root(tmp_path):
    folder = project(tmp_path / "project")
    with at(folder):
        yield folder


@pytest.fixture
def spawning(monkeypatch):
    """Start kernels as jupyter_client does by itself."""
    return lambda: monkeypatch.setattr(
        KernelProvisionerFactory.instance(), "default_provisioner_name", SPAWNED
    )


def shown(root, name):
    source = notebook(root / "notebooks" / "1_try.ipynb", *TELLTALES)
    output = root / f"{name}.ipynb"
    notebooks.run_notebook(Job(source, output, {}))
    texts = [
        json.dumps(c["outputs"])
        for c in json.loads(output.read_text())["cells"]
        if c["cell_type"] == "code"
    ]
    return [OF_ONE_RUN.sub("", text) for text in texts]


@pytest.mark.study
def test_a_forked_kernel_shows_what_a_spawned_one_shows(root, spawning):
    forked = shown(root, "forked")
    spawning()
    assert forked == shown(root, "spawned")
    assert "30 columns" in forked[0]
    assert "image/png" in forked[1]


def test_it_is_forked_with_the_imports_done_in_a_session_of_its_own():
    with kernel() as manager:
        said = answer(
            manager,
            "import os, sys\nprint('statsmodels' in sys.modules, os.getsid(0) == os.getpid(), os.getppid())",
        )
        loaded, is_leader, parent = said.split()
        assert (loaded, is_leader) == ("True", "True")
        assert "kernel_zygote" in Path(f"/proc/{parent}/cmdline").read_text()


def test_two_kernels_draw_different_random_numbers():
    draw = (
        "import random, numpy as np, uuid\nprint(random.random(), np.random.rand(), uuid.uuid4())"
    )
    with kernel() as one, kernel() as other:
        assert not set(answer(one, draw).split()) & set(answer(other, draw).split())


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGKILL, -9), (signal.SIGABRT, -6)])
def test_how_a_kernel_ended_is_told(signum, code):
    with kernel() as manager:
        process = manager.provisioner.process
        os.kill(process.pid, signum)
        until(lambda: process.poll() is not None)
        assert process.returncode == code
        assert not Path(f"/proc/{process.pid}").exists(), "it was not reaped"


def test_a_kernel_is_interrupted_and_restarted_in_place():
    with kernel() as manager:
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        asked = client.execute("import time; print('begun', flush=True); time.sleep(600)")
        until(lambda: client.get_iopub_msg(timeout=60)["msg_type"] == "stream")
        manager.interrupt_kernel()
        replies = iter(lambda: client.get_shell_msg(timeout=60), None)
        reply = next(r for r in replies if r["parent_header"]["msg_id"] == asked)
        client.stop_channels()
        assert reply["content"].get("ename") == "KeyboardInterrupt", reply["content"]
        first = manager.provisioner.pid
        manager.restart_kernel()
        assert int(answer(manager, "import os; print(os.getpid())")) != first


def test_no_kernel_and_no_socket_outlive_who_asked_for_them(root):
    """SIGKILL, so that nothing can be tidied up but by the zygote."""
    sockets = root / "tmp"
    sockets.mkdir()
    code = (
        "from analysis.report.run import kernel_provisioner\n"
        "kernel_provisioner.use_forked_kernels()\n"
        "from jupyter_client.manager import start_new_kernel\n"
        "manager, client = start_new_kernel()\n"
        "print(manager.provisioner.pid, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"TMPDIR": str(sockets)},
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as owner:  # fmt: skip
        owner.stdout.readline()
        assert kernels(root)
        assert list(sockets.glob("roi-*"))
        owner.kill()
    until(lambda: not kernels(root), seconds=5)
    until(lambda: not list(sockets.iterdir()), seconds=5)


@pytest.mark.study
def test_a_zygote_takes_its_kernels_along_and_ends_with_the_last_who_needs_it(monkeypatch):
    """Killed, its kernels go and the next start makes another; that one goes when let go."""
    monkeypatch.setenv("LC_ROI", "alone")  # imports may read it: no other test asks this zygote
    with kernel() as manager:
        process = manager.provisioner.process
        os.kill(int(answer(manager, "import os; print(os.getppid())")), signal.SIGKILL)
        until(lambda: process.poll() is not None)
        assert process.returncode == -signal.SIGKILL
        until(lambda: not Path(f"/proc/{process.pid}").exists(), seconds=5)
    with kernel() as manager:
        assert isinstance(manager.provisioner.process, kernel_provisioner.ForkedProcess)
        zygote = int(answer(manager, "import os; print(os.getppid())"))
    kernel_provisioner._end_leases()
    until(lambda: not Path(f"/proc/{zygote}").exists(), seconds=5)


def test_where_no_zygote_can_be_started_the_kernel_is_spawned(monkeypatch):
    """Its name is bound by a process that does not serve it."""
    name = b"\0alignment-roi-test-" + str(os.getpid()).encode()
    monkeypatch.setattr(kernel_provisioner, "_zygote_name", lambda: name)
    monkeypatch.setattr(kernel_provisioner, "_leases", {})
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        other.bind(name)
        with kernel() as manager:
            assert isinstance(manager.provisioner.process, subprocess.Popen)
            assert answer(manager, "print(6 * 7)") == "42"


def test_changed_sources_packages_or_variables_have_another_zygote(tmp_path, monkeypatch):
    names = [kernel_provisioner._zygote_name()]
    assert kernel_provisioner._zygote_name() == names[0]
    package = tmp_path / "src" / "analysis"
    package.mkdir(parents=True)
    monkeypatch.setattr(kernel_provisioner, "PACKAGE", package)
    names.append(kernel_provisioner._zygote_name())
    (package / "cost.py").write_text("RATE = 1")
    names.append(kernel_provisioner._zygote_name())
    (package / "cost.py").write_text("RATE = 12")
    names.append(kernel_provisioner._zygote_name())
    (tmp_path / "requirements.lock").write_text("numpy==2")
    names.append(kernel_provisioner._zygote_name())
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    names.append(kernel_provisioner._zygote_name())
    assert len(set(names)) == len(names)
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", "elsewhere")
    assert kernel_provisioner._zygote_name() == names[-1]


def test_a_folder_too_deep_for_a_local_socket_leaves_the_ports(root, monkeypatch):
    """Such a path may have 107 bytes."""
    deep = root / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with kernel() as manager:
        assert manager.transport == "tcp"
        assert answer(manager, "print(6 * 7)") == "42"
    assert list(deep.iterdir()) == []


@pytest.mark.study
def test_eight_kernels_at_once_take_nothing_from_each_other(root):
    """Each prints its own number, four at a time."""
    jobs = [
        Job(notebook(root / "notebooks" / f"{n}.ipynb", f"print({n})"), root / f"{n}.ipynb", {})
        for n in range(8)
    ]
    outcomes = notebooks.run_all(jobs, workers=4, done=lambda *_: None)
    assert {o.status for o in outcomes} == {"ok"}
    outputs = [json.loads(j.output.read_text())["cells"][0]["outputs"] for j in jobs]
    assert ["".join(o[0]["text"]) for o in outputs] == [f"{n}\n" for n in range(8)]
    assert kernels(root) == []


def test_imports_end_where_nobody_waits_for_them_any_more():
    name = f"\0alignment-roi-test-{os.getpid()}".encode()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with listener:
        listener.bind(name)
        listener.listen(4)
        zygote = kernel_zygote._Zygote(listener)
        assert not zygote.is_abandoned()  # nobody has come yet
        first, second = (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2))
        first.connect(name)
        assert not zygote.is_abandoned()
        second.connect(name)
        second.send(b"a request that nobody has read")
        first.close()
        assert not zygote.is_abandoned()
        second.close()
        assert zygote.is_abandoned()
        zygote._forget()
