"""Kernels forked from a zygote that has the imports done, over sockets in a folder of their own.

A provisioner of jupyter_client, so papermill, nbval and JupyterLab start kernels by it alike.
Where no kernel can be forked (no Linux, another Python, a zygote that does not answer) it spawns
one, as jupyter_client does by itself.

A zygote is found by a name that stands for all a forked kernel takes over from it: code, packages,
the variables that imports read, and what a process inherits (user, limits, namespaces).  Where any
of it differs there is another zygote, so one is never older than its sources nor of another
project.  The name is an abstract socket: it leaves no file, and who binds it first has it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import errno
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from analysis.project import paths
from analysis.project.scratch_folder import scratch_folder
from analysis.report.run.kernel_zygote import is_own_user

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

NAME = "alignment-roi-forked"
LAUNCHER = ["-m", "ipykernel_launcher"]
PACKAGE = Path(paths.__file__).parents[1]
IMPORTS_READ = re.compile(
    r"PYTHON\w*|LC_\w+|LANG(UAGE)?|LD_\w+|(OPENBLAS|OMP|MKL)_\w+|MPL\w+|HOME|XDG_\w+"
)
INHERITED = re.compile(r"(Umask|Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp\w*|\w+_allowed_list):.*")
NAMESPACES = ("mnt", "pid", "user")
ANSWER_TIME = 60.0  # [s]; a zygote answers once its imports are done
ATTEMPTS = 5  # it may end just as it is asked
LONGEST_SOCKET = 107  # [bytes] of a local socket's path

socket_folders: set[str] = set()  # of the kernels that run now
_leases: dict[bytes, socket.socket] = {}  # the connection that keeps the zygote alive, by its name


def use_forked_kernels() -> None:
    """Let every kernel this process starts be forked, whether or not the entry point is there."""
    factory = KernelProvisionerFactory.instance()
    place = f"{__name__}:{ForkProvisioner.__name__}"
    factory.provisioners[NAME] = EntryPoint(NAME, place, factory.GROUP_NAME)
    factory.default_provisioner_name = NAME


def _import_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if IMPORTS_READ.fullmatch(name)}


def _zygote_name() -> bytes:
    """Return the name of the zygote whose kernels would be what this process spawned now."""
    lock = PACKAGE.parents[1] / paths.LOCK_FILE
    sources = [f for f in PACKAGE.rglob("*") if f.suffix != ".pyc" and f.is_file()]
    packages = Path(sysconfig.get_path("purelib"))
    stands_for = [
        sys.executable,
        sorted(_import_environment().items()),
        [
            (str(f), s.st_mtime_ns, s.st_size, s.st_ino)
            for f in sorted({*sources, lock, packages})
            if f.exists() and (s := f.stat())
        ],
        [str(Path(f"/proc/self/ns/{name}").readlink()) for name in NAMESPACES],
        [m[0] for m in INHERITED.finditer(Path("/proc/self/status").read_text(encoding="utf-8"))],
        Path("/proc/self/limits").read_text(encoding="utf-8"),
        Path("/proc/self/cgroup").read_text(encoding="utf-8"),
        os.nice(0),
    ]
    return b"\0alignment-roi-" + hashlib.sha256(repr(stands_for).encode()).hexdigest().encode()


def _start_zygote(name: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        try:
            listener.bind(name)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:  # another process was first: that one serves too
                time.sleep(0.01)
                return
            raise
        listener.listen(128)
        subprocess.run(
            [sys.executable, "-m", "analysis.report.run.kernel_zygote"],
            stdin=listener.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_import_environment(),
            start_new_session=True,
            check=False,
        )


def _connect(name: bytes) -> socket.socket:
    for _ in range(ATTEMPTS):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.connect(name)
        except ConnectionRefusedError:
            connection.close()
            _start_zygote(name)
            continue
        if is_own_user(connection):
            return connection
        connection.close()
        break
    raise ConnectionRefusedError(errno.ECONNREFUSED, "no zygote of this user answers")


def _is_open(lease: socket.socket) -> bool:
    try:
        return bool(lease.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def hold_zygote() -> bytes:
    """Return the name of the zygote to ask; it is started if need be, and lives as long as this
    process.

    Raises
    ------
    OSError
        If there is none and none can be started.
    """
    name = _zygote_name()
    if name not in _leases or not _is_open(_leases[name]):
        _end_leases()  # of sources that have changed since
        _leases[name] = _connect(name)
    return name


@atexit.register
def _end_leases() -> None:
    while _leases:
        _leases.popitem()[1].close()


class ForkedProcess:
    """A kernel that the zygote forked, with the interface of `subprocess.Popen` that is needed."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection

    def poll(self) -> int | None:
        """Return the exit code, None while the kernel runs."""
        if self.returncode is None:
            try:
                message = self._connection.recv(1024, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except ConnectionError:
                message = b""
            if not message:  # the zygote died: nobody watches the kernel any more
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            self.returncode = json.loads(message)["returncode"] if message else -signal.SIGKILL
            self._connection.close()
        return self.returncode

    def wait(self) -> int | None:
        """Return the exit code of a kernel that has ended."""
        return self.poll()

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel alone."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


async def _fork_kernel(command: list[str], folder: str | None, **kwargs: Any) -> ForkedProcess:
    """Return a kernel forked for this command.

    Raises
    ------
    OSError
        If the zygote cannot be asked, or does not answer (`TimeoutError` is one).
    """
    request = {
        "argv": command[1 + len(LAUNCHER) :],
        "cwd": str(kwargs.get("cwd") or Path.cwd()),
        "env": kwargs["env"],
        "sockets_folder": folder,
    }
    outputs = [_descriptor(kwargs.get("stdout"), 1), _descriptor(kwargs.get("stderr"), 2)]
    with contextlib.ExitStack() as unanswered:
        connection = unanswered.enter_context(_connect(hold_zygote()))
        socket.send_fds(connection, [json.dumps(request).encode()], outputs)
        connection.setblocking(False)  # noqa: FBT003 - its signature
        answer = asyncio.get_running_loop().sock_recv(connection, 1024)
        message = await asyncio.wait_for(answer, ANSWER_TIME)
        if not message:
            raise ConnectionResetError(errno.ECONNRESET, "the zygote ended before it answered")
        unanswered.pop_all()
    return ForkedProcess(json.loads(message)["pid"], connection)


def _descriptor(stream: Any, default: int) -> int:
    if stream is None:
        return default
    return int(stream if isinstance(stream, int) else stream.fileno())


class ForkProvisioner(LocalProvisioner):
    """Starts a notebook's kernel by a fork where it can, else as jupyter_client does."""

    folder: str | None = None
    scratch: contextlib.ExitStack | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give the kernel sockets that no other can take: with ports, two started at once may."""
        manager = self.parent
        if os.name == "posix" and manager and manager.transport == "tcp" and not manager.shell_port:
            scratch = contextlib.ExitStack()
            folder = str(scratch.enter_context(scratch_folder()))
            if len(os.fsencode(folder)) < LONGEST_SOCKET - len("/s-5"):
                self.folder, self.scratch = folder, scratch
                socket_folders.add(folder)
                manager.transport, manager.ip = "ipc", f"{folder}/s"
                manager.cache_ports = False
                manager.connection_file = manager.connection_file or f"{folder}/kernel.json"
            else:
                scratch.close()
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel, or spawn it where that cannot be."""
        if sys.platform == "linux" and cmd[: 1 + len(LAUNCHER)] == [sys.executable, *LAUNCHER]:
            try:
                process = await _fork_kernel(cmd, self.folder, **kwargs)
            except OSError as error:
                self.log.warning("The kernel is spawned, for it could not be forked: %s", error)
            else:
                self.process = process  # type: ignore[assignment]
                self.pid = self.pgid = process.pid
                self.cwd = kwargs.get("cwd") or Path.cwd()
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group, while there is one."""
        if await self.poll() is None:
            await super().send_signal(signum)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - its signature
        """Remove the folder of the sockets, unless the kernel comes back to it."""
        await super().cleanup(restart)
        if self.folder and self.scratch and not restart:
            self.scratch.close()
            socket_folders.discard(self.folder)
