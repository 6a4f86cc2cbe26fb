"""A process that has imported all the notebooks need, and forks a kernel on request.

`kernel_provisioner` starts it with a listening socket as standard input.  Whoever connects keeps
it alive; whoever sends a request gets a kernel, its pid at once and its exit code in the end.  A
connection that closes ends its kernel: no kernel outlives the process that asked for it.  The
zygote ends with the last connection, or after `IDLE` seconds without a kernel.

A kernel must show what a spawned one shows, so what an import decides by its surroundings is
decided here as in a kernel: pandas asks whether IPython runs, matplotlib which backend to draw on.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib.util
import json
import os
import pkgutil
import select
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IDLE = 600.0  # [s]; JupyterLab may stay open for weeks
LOOK_EVERY = 0.5  # [s]; whether anybody still waits for the imports
LARGEST_REQUEST = 1 << 20  # [bytes]; the environment is the most of it
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid of the other end of a socket
# Notebooks import from these rooms, whole ones first; the rest is the kernel itself.
ROOMS = ("analysis.chapters", "analysis.figures")
MODULES = ("analysis.report.show", "analysis.store.company", "ipykernel.ipkernel", "ipywidgets")


class Request(NamedTuple):
    """A kernel to start: its arguments, where, in which environment, and where its output goes."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    sockets_folder: str | None
    outputs: list[int]


class _ForkedKernel(NamedTuple):
    pid: int
    connection: socket.socket
    sockets_folder: str | None


def is_own_user(connection: socket.socket) -> bool:
    """Return whether the other end of a local socket is a process of this user."""
    sent = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return bool(CREDENTIALS.unpack(sent)[1] == os.getuid())


def _import_what_notebooks_import() -> dict[str, str]:
    """Import all that a notebook may, in the surroundings of a kernel; return the variables that
    imports set.
    """
    before = dict(os.environ)
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    rooms = [importlib.import_module(name) for name in ROOMS]
    for room in rooms:
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)
    for name in MODULES:
        importlib.import_module(name)
    # Its import opens a connection with threads, and a fork has none of them.
    importlib.import_module("duckdb").close()
    del builtins.get_ipython  # type: ignore[attr-defined]
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


class _Zygote:
    """Waits for requests, for the end of kernels, and for the end of those who asked for them."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)
        self.kernels: dict[int, _ForkedKernel] = {}  # by the descriptor that tells of its end
        self.connections: set[socket.socket] = set()

    def serve(self) -> Request | None:
        """Return a request in each kernel forked for it, None in the zygote when it may end."""
        while ready := self.selector.select(self._patience()):
            for key, _ in ready:
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fd in self.kernels:
                    self._reap(key.fd)
                elif key.fileobj in self.connections:  # not if it went with its kernel just now
                    request = self._answer(key.fileobj)
                    if request:
                        return request
        return None

    def _patience(self) -> float | None:
        if self.kernels:
            return None
        return IDLE if self.connections else 0.0

    def is_abandoned(self) -> bool:
        """Return whether everybody who has connected so far is gone, if anybody has."""
        while any(key.fileobj is self.listener for key, _ in self.selector.select(0)):
            self._accept()
        ends = select.poll()
        for connection in self.connections:
            ends.register(connection, 0)  # a hang-up is told unasked
        n_gone = sum(1 for _, event in ends.poll(0) if event & select.POLLHUP)
        return 0 < len(self.connections) == n_gone

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        if is_own_user(connection):
            self.connections.add(connection)
            self.selector.register(connection, selectors.EVENT_READ)
        else:
            connection.close()

    def _hang_up(self, connection: socket.socket) -> None:
        self.selector.unregister(connection)
        self.connections.discard(connection)
        connection.close()

    def _answer(self, connection: socket.socket) -> Request | None:
        """Return the request in the kernel that was forked for it; nothing here."""
        try:
            message, outputs, _, _ = socket.recv_fds(connection, LARGEST_REQUEST, 2)
        except ConnectionError:
            message, outputs = b"", []
        if not message:  # whoever asked is gone, and its kernel goes with it
            for kernel in self.kernels.values():
                if kernel.connection is connection:
                    with contextlib.suppress(ProcessLookupError):  # it may not lead a group yet
                        os.killpg(kernel.pid, signal.SIGKILL)
                    os.kill(kernel.pid, signal.SIGKILL)
            self._hang_up(connection)
            return None
        request = Request(**json.loads(message), outputs=outputs)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            self._forget()
            return request
        for output in outputs:
            os.close(output)
        with contextlib.suppress(OSError):  # it is gone already: the next message tells
            connection.send(json.dumps({"pid": pid}).encode())
        watch = os.pidfd_open(pid)
        self.kernels[watch] = _ForkedKernel(pid, connection, request.sockets_folder)
        self.selector.register(watch, selectors.EVENT_READ)
        return None

    def _reap(self, watch: int) -> None:
        kernel = self.kernels.pop(watch)
        self.selector.unregister(watch)
        os.close(watch)
        _, status = os.waitpid(kernel.pid, 0)
        if kernel.connection in self.connections:
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(OSError):
                kernel.connection.send(json.dumps({"returncode": code}).encode())
            self._hang_up(kernel.connection)
        elif kernel.sockets_folder:
            shutil.rmtree(kernel.sockets_folder, ignore_errors=True)

    def _forget(self) -> None:
        """Close in a kernel what is the zygote's: a connection held twice would never end."""
        self.selector.close()
        self.listener.close()
        for connection in self.connections:
            connection.close()
        for watch in self.kernels:
            os.close(watch)


@contextlib.contextmanager
def _ending_when(is_over: Callable[[], bool]) -> Iterator[None]:
    """End this process as soon as it is over: on a busy machine imports take half a minute."""

    def look(*_: object) -> None:
        if is_over():
            os._exit(0)

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY, LOOK_EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run_kernel(request: Request, variables: dict[str, str]) -> None:
    """Become the kernel that was asked for, and run until it is shut down."""
    import matplotlib as mpl  # noqa: PLC0415 - the zygote itself starts before these are loaded
    import numpy as np  # noqa: PLC0415
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415

    for output, place in zip(request.outputs, (1, 2), strict=True):
        os.dup2(output, place)
        os.close(output)
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(variables | request.env | {"JPY_PARENT_PID": str(os.getppid())})
    time.tzset()
    tempfile.tempdir = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    np.random.seed()  # noqa: NPY002 - notebooks may use it; Python's own generator reseeds itself
    launcher = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [str(launcher and launcher.origin), *request.argv]
    app = IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(request.argv)  # type: ignore[no-untyped-call]
    # Without a backend of its own pyplot would draw where no cell looks.
    mpl.rcParams["backend"] = os.environ["MPLBACKEND"]
    app.start()  # type: ignore[no-untyped-call]


def main() -> None:
    """Serve as the zygote of the socket that is standard input."""
    if os.fork():
        os._exit(0)  # whoever started it waits for this alone
    listener = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    if not sys.path[0] or Path(sys.path[0]) == Path.cwd():  # as ipykernel_launcher does
        del sys.path[0]
    zygote = _Zygote(listener)
    with _ending_when(zygote.is_abandoned):
        variables = _import_what_notebooks_import()
    os.chdir("/")
    gc.collect()
    gc.freeze()
    request = zygote.serve()
    if request:
        _run_kernel(request, variables)


if __name__ == "__main__":
    main()
