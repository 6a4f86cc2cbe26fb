"""Commands of README run beside a benchmark: schedulers, workers, runs of the command line.

Each is a session of its own, killed with all it started when the benchmark is over.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

HOUSE = Path(__file__).parents[1]
CLI = [sys.executable, "-c", "from analysis.cli import main; main()"]
DASK = str(Path(sys.executable).with_name("dask"))
PATIENCE = 600.0  # [s] for one run


class Commands(contextlib.ExitStack):
    """Commands that run beside this one; each is a session of its own and ends with this."""

    def __init__(self, root: Path, extra: dict[str, str] | None = None) -> None:
        """Run them in a folder, with `extra` variables."""
        super().__init__()
        self.root, self.extra = root, extra or {}

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command."""
        process = subprocess.Popen(
            words, cwd=self.root, env=environment(self.root) | self.extra | variables, text=True,
            stdout=subprocess.PIPE, start_new_session=True,
            stderr=subprocess.PIPE if words[0] == CLI[0] else subprocess.STDOUT,
        )  # fmt: skip
        self.callback(kill, process)
        return process

    def scheduler(self, port: int, host: str = "127.0.0.1", **variables: str) -> Any:
        """Start a scheduler; it listens when this returns."""
        scheme = ["--protocol", "tls"] if self.extra else []
        process = self.start(
            DASK, "scheduler", "--port", str(port), "--no-dashboard", *scheme,
            *(["--host", host] if host else []), **variables,
        )  # fmt: skip
        wait_for(lambda: _listens(host or "127.0.0.1", port), "the scheduler to listen")
        return process

    def worker(self, address: str, *options: str, **variables: str) -> Any:
        """Start a worker of one thread; it is there when this returns."""
        process = self.start(
            "sh", "-c", 'ulimit -f $LIMIT; exec "$@"', "sh",
            DASK, "worker", address, "--nthreads", "1", "--no-dashboard", *options,
            **({"LIMIT": "unlimited"} | variables),
        )  # fmt: skip
        for line in process.stdout or ():
            if "Registered to:" in line:
                break
        else:
            raise RuntimeError(f"no worker: exit {process.wait()}")
        _drain(process)
        return process


def environment(root: Path) -> dict[str, str]:
    """Return what commands find in their environment."""
    return os.environ | {
        "ALIGNMENT_ROI_ROOT": str(root),
        "OPENBLAS_NUM_THREADS": "1",
        "TMPDIR": str(root / "tmp"),
    }


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a command with all it started, as a machine that is switched off."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(is_so: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def _drain(process: subprocess.Popen[str]) -> None:
    """Throw away what a command says from now on, so that it never waits for a reader."""
    threading.Thread(target=lambda: [None for _ in process.stdout or ()], daemon=True).start()


def free_port() -> int:
    """Return a port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Run(NamedTuple):
    """A run of the command line: exit code, events of packs, lines, complaints, wall time [s]."""

    code: int
    packs: list[dict[str, Any]]
    lines: list[str]
    errors: str
    wall_s: float


def report(
    commands: Commands, *options: str, after: int = 0, then: Callable[[], object] = lambda: None
) -> Run:
    """Make every team's pack; once `after` packs ended, do `then`."""
    start = time.monotonic()
    process = commands.start(*CLI, "report", "demo", "--each-team", "--progress", "json", *options)
    packs, lines = [], []
    for line in process.stdout or ():
        event = json.loads(line)
        lines.append(event["line"])
        if event["event"] == "pack":
            packs.append(event)
            if len(packs) == after:
                then()
    errors = process.stderr.read() if process.stderr else ""
    code = process.wait(PATIENCE)
    return Run(code, packs, lines, errors, time.monotonic() - start)


def fingerprints(root: Path) -> dict[str, dict[str, str]]:
    """Return of each pack its hashes and its metrics."""
    found = {}
    for file in sorted(root.glob("reports/demo/*/teams/*/manifest.json")):
        state = json.loads(file.read_text(encoding="utf-8"))
        if state["status"] != "ok":
            continue
        hashes = {k: state[k] for k in ("pdf_sha256", "html_sha256", "xlsx_sha256")}
        found[state["team"]] = hashes | {"metrics": json.dumps(state["metrics"], sort_keys=True)}
    return found


def certificates(root: Path) -> dict[str, str]:
    """Make README's certificates; return the variables that name them."""
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    (make,) = [line for line in text.splitlines() if line.startswith("openssl req ")]
    subprocess.run(make, shell=True, cwd=root, check=True, capture_output=True)  # noqa: S602
    lines = [line for line in text.splitlines() if "DASK_DISTRIBUTED__COMM__" in line]
    script = "\n".join([*lines, "env"])
    said = subprocess.run(
        ["/bin/bash", "-c", script], cwd=root, check=True, capture_output=True, text=True
    )
    pairs = [line.split("=", 1) for line in said.stdout.splitlines()]
    return {  # in README they are of the folder in which everything is started
        name: str(root / value) if value.endswith(".pem") else value
        for name, value in pairs
        if name.startswith("DASK_DISTRIBUTED__COMM__")
    }
