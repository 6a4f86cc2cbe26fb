"""A PostgreSQL server of a test's own, from the system's package, started as user postgres and stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# What an address would have to encode, and what looks encoded already.
PASSWORD = "p%40w@r:d/ x&y=z"  # noqa: S105
USER, DATABASE = "crm", "crm"


class PostgresServer(NamedTuple):
    """A server that listens on this machine."""

    port: int
    folder: Path
    binaries: Path

    def kill(self) -> None:
        """End the server at once, as a machine that loses its power."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(
            ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
        )
        for each in (pid, *map(int, children.stdout.split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


def server_binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs; None where it is not installed."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not there and not (on_path and Path(on_path).exists()):
        return None
    return there[-1].parent if there else Path(on_path or "").resolve().parent


def why_no_server() -> str | None:
    """Return why a server cannot be started here; None where it can."""
    if server_binaries() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if (
        os.geteuid() == 0
        and subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode
    ):
        return "there is no user postgres to start the server as"
    return None


@contextlib.contextmanager
def running_server(**settings: str) -> Iterator[PostgresServer]:
    """Start a server in a folder of its own; it is stopped and the folder removed at the end."""
    binaries = server_binaries()
    assert binaries is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="alignment-roi-pg-", dir="/tmp"))
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    (folder / "password").write_text(PASSWORD)
    if as_postgres:
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "password", "postgres")
    data, server = folder / "data", PostgresServer(port, folder, binaries)
    fast = {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "max_connections": "20",
    } | settings
    options = " ".join(f"-c {k}={v}" for k, v in fast.items())
    control = [*as_postgres, str(binaries / "pg_ctl"), "-D", str(data)]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    try:
        subprocess.run(
            [*as_postgres, str(binaries / "initdb"), "-D", str(data), "-U", USER, "-A", "scram-sha-256",
             f"--pwfile={folder / 'password'}", "-E", "UTF8", "--locale=C", "--no-sync"], check=True, **silent,
        )  # fmt: skip
        subprocess.run(
            [*control, "-l", str(folder / "log"), "-w", "-o",
             f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {options}", "start"], check=True, **silent,
        )  # fmt: skip
        yield server
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, **silent)
        shutil.rmtree(folder, ignore_errors=True)
