"""Jobs on the workers of a dask cluster, behind the interface of `concurrent.futures`.

What travels is pay in clear, and who connects may run code on the workers: a scheduler on another
machine is only spoken to by TLS.  A job that kills its worker is tried as often as on this machine
and no more, though the cluster's own default would let it kill four.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import math
import time
from collections import deque
from concurrent.futures import Executor, Future
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from analysis.project.errors import ClusterError
from analysis.report.run import worker_code
from analysis.report.run.fan_out import ATTEMPTS, WorkerDiedError
from analysis.report.run.worker_code import WorkerMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

TLS, TCP = "tls", "tcp"
CONNECT_TIME = 10.0  # [s]; also how long a scheduler may be gone
LOOK_AGAIN = 1.0  # [s] between two looks at which workers there are
WORKERLESS_TIME = 60.0  # [s] without a worker after which nobody is waited for
LOST = "the cluster was lost. Run it again: packs that are done are not made again"
IN_CLEAR = (
    "{} of this cluster is open to other machines, and pay would travel to them in clear. Start "
    "the scheduler with --host 127.0.0.1, or with certificates and tls://."
)
NO_CERTIFICATES = (
    "tls:// needs certificates. Name them in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY."
)
LACKS = "the scheduler or a worker lacks this package, or has another version of it"
LOGGERS = ("distributed", "distributed.client", "tornado.application")  # each has its own level
EXTRA = "--dask needs the package distributed, which is not installed: make cluster"


class ClusterLostError(RuntimeError):
    """The scheduler or the last worker went away, or one that differs came; jobs were open."""


def require_safe_address(address: str) -> None:
    """Raise `ClusterError` unless the address is ``tls://``, or ``tcp://`` of this very machine.

    Examples
    --------
    >>> require_safe_address("tls://10.0.0.5:8786")
    >>> require_safe_address("tcp://127.0.0.1:8786")
    """
    if not _is_plain(address):
        raise ClusterError(
            f"--dask takes the address of a scheduler, such as tls://10.0.0.5:8786, got {address!r}"
        )
    if not _is_private(address):
        raise ClusterError(
            f"--dask {address}: pay would travel in clear. Use tls:// with certificates; without "
            "them only a scheduler on this machine (127.0.0.1) is spoken to."
        )


def _is_plain(address: str) -> bool:
    """Whether an address is a way to speak, a host and a port, and nothing else."""
    try:
        parts = urlsplit(address)
        plain = f"{parts.scheme}://{parts.netloc}"
        has_port = parts.port is not None
    except ValueError:
        return False
    is_bare = plain == address and "@" not in address
    return is_bare and parts.scheme in {TLS, TCP} and bool(parts.hostname) and has_port


def _is_private(address: str) -> bool:
    """Whether nobody between two machines can read what travels to an address."""
    parts = urlsplit(address)
    return parts.scheme == TLS or _is_loopback(str(parts.hostname))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may lead anywhere
        return False


def _connect(address: str) -> Any:
    """Return a client of the scheduler; pickles are exchanged with nobody else."""
    require_safe_address(address)
    try:
        from distributed import Client, Security  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise ClusterError(EXTRA) from None
    for name in LOGGERS:  # what is lost is said once, and by us
        logging.getLogger(name).setLevel(logging.CRITICAL)
    is_tls = urlsplit(address).scheme == TLS
    try:
        security = Security(require_encryption=True) if is_tls else Security()
        # asked here: a client that has none is left half made, and complains as it is thrown away
        certificates = security.get_connection_args("client").get("ssl_context")
        if is_tls and certificates is None:
            raise ClusterError(f"--dask {address}: {NO_CERTIFICATES}")
        return Client(address, security=security, timeout=CONNECT_TIME, set_as_default=False)
    except (OSError, TypeError, ValueError) as error:
        raise ClusterError(f"--dask {address}: nobody answers as asked ({error})") from None


class ClusterPool(Executor):
    """An executor on the workers of a cluster."""

    def __init__(self, address: str) -> None:
        """Connect to the scheduler and see to it that every worker runs what this process does.

        Raises
        ------
        ClusterError
            If the address is not safe, the package is not installed, nobody answers, or a worker
            differs.
        """
        self.client = _connect(address)
        self.gave_up = ""  # why nothing more is sent
        self.n_places = 0  # workers: each does one job at once, however many threads it has
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._remote: dict[Future[Any], Any] = {}
        self._turn = RLock()  # jobs end in a thread of the client's
        self._looked_at = self._worker_there_at = -math.inf
        try:
            self._require_same_workers(address)
            self.client.run_on_scheduler(_bound_attempts)
        except BaseException as error:
            self.client.close()
            if isinstance(error, ClusterError) or not isinstance(error, Exception):
                raise
            words = LOST if isinstance(error, OSError) else LACKS
            raise ClusterError(f"--dask {address}: {words} ({error})") from None

    def _require_same_workers(self, address: str) -> None:
        try:
            self.client.wait_for_workers(1, timeout=WORKERLESS_TIME)
        except TimeoutError:
            raise ClusterError(
                f"--dask {address}: no worker came within {WORKERLESS_TIME:.0f} s. Start one: "
                f"dask worker {address}"
            ) from None
        info = self.client.scheduler_info()
        for place in (info["address"], *info["workers"]):
            if not _is_private(place):
                raise ClusterError(IN_CLEAR.format(place))
        own = worker_code.code_version()
        for place, version in sorted(self.client.run(worker_code.code_version).items()):
            differs = worker_code.differences(version, own)
            if differs:
                raise ClusterError(worker_code.mismatch_words(f"worker {place}", differs))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a job; it and its arguments must be ready to be pickled."""
        local: Future[Any] = Future()
        with self._turn:
            self._waiting.append((local, partial(fn, *args, **kwargs)))
        self.check()
        return local

    def _send(self) -> None:
        """Send what waits while a worker is free.

        The cluster counts a worker's death against every job handed to it, begun or not: a job that
        waits here is not blamed for another's.
        """
        with self._turn:
            if self.gave_up:
                while self._waiting:
                    self._waiting.popleft()[0].set_exception(ClusterLostError(self.gave_up))
            while self._waiting and len(self._remote) < self.n_places:
                local, job = self._waiting.popleft()
                key = f"job-{uuid4().hex}"
                remote = self.client.submit(job, pure=False, retries=0, key=key)
                self._remote[local] = remote
                remote.add_done_callback(partial(self._settle, local, time.monotonic()))

    def _settle(self, local: Future[Any], start: float, remote: Any) -> None:
        """Hand the end of a job to the future that is waited for, and let the cluster forget it.

        What it kept would be made again whenever the worker that holds it dies.
        """
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 - an optional extra

        result: Any = None
        error: BaseException | None = ClusterLostError(LOST)
        with contextlib.suppress(Exception):  # whatever a lost cluster raises while it is asked
            if remote.status == "finished":
                result, error = remote.result(), None
            elif remote.status == "error":
                error = remote.exception()
        # a bare Exception is what dask makes of an answer that it has no code to read
        if isinstance(error, ImportError) or type(error) is Exception:
            error = WorkerMismatchError(f"{LACKS} ({error})")
        if isinstance(error, KilledWorker):
            error = WorkerDiedError(ATTEMPTS, round(time.monotonic() - start, 2))
        with self._turn:
            if isinstance(error, ClusterLostError | WorkerMismatchError):
                self.gave_up = self.gave_up or str(error)
            self._remote.pop(local, None)
            if local.done():
                return
            if error is None:
                local.set_result(result)
            else:
                local.set_exception(error)
            self._send()

    def check(self) -> None:
        """Send what waits; give up every open job where no worker has been there for a minute."""
        now = time.monotonic()
        if now - self._looked_at > LOOK_AGAIN:
            self._looked_at = now
            workers = {}
            if self.client.status == "running":
                workers = self.client.scheduler_info()["workers"]
            self.n_places = len(workers)
            if workers or self._worker_there_at < 0:
                self._worker_there_at = now
        with self._turn:
            if now - self._worker_there_at > WORKERLESS_TIME:
                self.gave_up = self.gave_up or LOST
                for local in [each for each in self._remote if not each.done()]:
                    local.set_exception(ClusterLostError(LOST))
            self._send()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002 - its signature
        """Leave the cluster; its workers stay for the next run."""
        with contextlib.suppress(OSError, TimeoutError):
            self.client.close()

    @contextlib.contextmanager
    def ended_by_interrupt(self, futures: Collection[Future[Any]]) -> Iterator[None]:
        """Call back what the cluster was asked to do on Ctrl-C."""
        try:
            yield
        except KeyboardInterrupt:
            self.client.cancel([self._remote[f] for f in futures if f in self._remote])
            raise


def _bound_attempts(dask_scheduler: Any) -> None:
    """Let a job be tried as often as on one machine; runs on the scheduler."""
    dask_scheduler.allowed_failures = ATTEMPTS - 1
