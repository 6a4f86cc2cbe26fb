"""Jobs on the workers of a dask cluster, behind the interface of `concurrent.futures`.

What travels is pay in clear, and who connects may run code on the workers: a scheduler on another
machine is only spoken to by TLS.  A job that kills its worker is tried as often as on this machine
and no more, though the cluster's own default would let it kill four.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import time
from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from analysis.project.errors import ClusterError
from analysis.report.run import worker_code
from analysis.report.run.fan_out import ATTEMPTS, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

TLS, TCP = "tls", "tcp"
CONNECT_TIME = 10.0  # [s]; also how long a scheduler may be gone
WORKERLESS_TIME = 60.0  # [s] without a worker after which nobody is waited for
LOST = "the cluster was lost. Run it again: packs that are done are not made again"
EXTRA = "--dask needs the package distributed, which is not installed: make cluster"


class ClusterLostError(RuntimeError):
    """The scheduler, or the last worker, went away while jobs were open."""


def require_safe_address(address: str) -> None:
    """Raise `ClusterError` unless the address is ``tls://``, or ``tcp://`` of this very machine.

    Examples
    --------
    >>> require_safe_address("tls://10.0.0.5:8786")
    >>> require_safe_address("tcp://127.0.0.1:8786")
    """
    parts = urlsplit(address)
    try:
        is_whole = bool(parts.hostname) and parts.port is not None
    except ValueError:
        is_whole = False
    if parts.scheme not in {TLS, TCP} or not is_whole:
        raise ClusterError(
            f"--dask takes the address of a scheduler, such as tls://10.0.0.5:8786, got {address!r}"
        )
    if parts.scheme == TCP and not _is_loopback(str(parts.hostname)):
        raise ClusterError(
            f"--dask {address}: pay would travel in clear. Use tls:// with certificates; without "
            "them only a scheduler on this machine (127.0.0.1) is spoken to."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may lead anywhere
        return False


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
        require_safe_address(address)
        try:
            from distributed import Client, Security  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise ClusterError(EXTRA) from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is lost is said once
        is_tls = urlsplit(address).scheme == TLS
        try:
            security = Security(require_encryption=True) if is_tls else Security()
            self.client = Client(
                address, security=security, timeout=CONNECT_TIME, set_as_default=False
            )
        except (OSError, TypeError, ValueError) as error:
            raise ClusterError(
                f"--dask {address}: no scheduler could be reached ({error})"
            ) from None
        self._remote: dict[Future[Any], Any] = {}
        self._without_worker_since: float | None = None
        self._is_lost = False
        try:
            self._require_same_workers()
            self.client.run_on_scheduler(_bound_attempts)
        except BaseException:
            self.client.close()
            raise

    def _require_same_workers(self) -> None:
        own = worker_code.code_version()
        try:
            answers = self.client.run(worker_code.code_version)
        except ImportError as error:
            raise ClusterError(f"a worker lacks this package: {error}") from None
        for place, version in sorted(answers.items()):
            differs = worker_code.differences(version, own)
            if differs:
                raise ClusterError(worker_code.mismatch_words(f"worker {place}", differs))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a job; it and its arguments must be ready to be pickled."""
        local: Future[Any] = Future()
        if self._is_lost:
            local.set_exception(ClusterLostError(LOST))
            return local
        start = time.monotonic()
        remote = self.client.submit(
            fn, *args, **kwargs, pure=False, retries=0, key=f"job-{uuid4().hex}"
        )
        self._remote[local] = remote
        remote.add_done_callback(partial(self._settle, local, start))
        return local

    def _settle(self, local: Future[Any], start: float, remote: Any) -> None:
        """Hand the end of a job on the cluster to the future that is waited for."""
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 - an optional extra

        if local.done():
            return
        try:
            if remote.status == "finished":
                local.set_result(remote.result())
                return
            error = remote.exception() if remote.status == "error" else None
        except Exception:  # noqa: BLE001 - whatever a lost cluster raises while it is asked
            error = None
        if isinstance(error, KilledWorker):
            error = WorkerDiedError(ATTEMPTS, round(time.monotonic() - start, 2))
        self._is_lost |= error is None
        local.set_exception(error or ClusterLostError(LOST))
        self._remote.pop(local, None)

    def check(self) -> None:
        """Give up every open job where no worker has been there for a minute."""
        if self.client.status == "running" and self.client.scheduler_info()["workers"]:
            self._without_worker_since = None
            return
        now = time.monotonic()
        self._without_worker_since = self._without_worker_since or now
        if now - self._without_worker_since > WORKERLESS_TIME:
            self._is_lost = True
            for local in [each for each in list(self._remote) if not each.done()]:
                local.set_exception(ClusterLostError(LOST))

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
