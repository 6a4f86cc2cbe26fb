"""Jobs on several processes, behind the interface of `concurrent.futures`.

Each thread of the pool has a process of its own, so that one that dies takes no other with it.  Its
job is tried once more in a new one, and no more often: a job that kills its process would kill
every other too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from threading import Event, Thread, local
from typing import TYPE_CHECKING, Any

from analysis.report.run import kernel_provisioner

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

ATTEMPTS = 2  # of a job whose process died
DIED = "the process that ran it died: out of memory, or ended from outside"


class WorkerDiedError(RuntimeError):
    """The processes that ran a job died in each of the `attempts`, after `wall_s` [s]."""

    def __init__(self, attempts: int, wall_s: float) -> None:
        """Keep what a record of the run needs."""
        super().__init__(DIED)
        self.attempts, self.wall_s = attempts, wall_s


def prepare_worker() -> None:
    """End this process and its kernel when the run that started it is gone.

    Ctrl-C on a terminal reaches every process of the run: it is the parent's to answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            for folder in kernel_provisioner.socket_folders:
                shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)

    Thread(target=watch, daemon=True).start()


class _Worker(local):
    """A process of each thread's own that does its jobs: none dies with another."""

    def __init__(self, processes: contextlib.ExitStack, is_interrupted: Event) -> None:
        self.processes = processes
        self.is_interrupted = is_interrupted
        self.pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return self.processes.enter_context(
            ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=prepare_worker)
        )

    def call(self, job: Callable[[], Any]) -> Any:
        """Do one job; if the process dies (out of memory, a signal) once more in a new one.

        A result says on which attempt it came.
        """
        start = time.monotonic()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                result = self.pool.submit(job).result()
            except BrokenProcessPool:
                if self.is_interrupted.is_set():
                    break
                self.pool = self._start()
            else:
                return result._replace(attempts=attempt)
        raise WorkerDiedError(attempt, round(time.monotonic() - start, 2))


class SurvivingPool(Executor):
    """An executor of processes that outlives the death of any of them.

    A job's result is a named tuple with ``attempts``; one whose processes died raises
    `WorkerDiedError`.
    """

    gave_up = ""  # nothing stops it from being handed more

    def __init__(self, workers: int) -> None:
        """Start threads for up to `workers` jobs at once, and their processes with their first."""
        self.n_places = workers
        self._processes = contextlib.ExitStack()
        self._is_interrupted = Event()
        self._threads = ThreadPoolExecutor(workers)
        self._worker = _Worker(self._processes, self._is_interrupted)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a job; it and its arguments must be ready to be pickled."""
        with _no_interrupt():  # a worker that starts just now would print a traceback
            return self._threads.submit(self._worker.call, partial(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - its signature
        """Wait for the jobs that were handed in and end the processes."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            self._processes.close()

    def check(self) -> None:
        """Nothing to give up: a process that died is an end of its job already."""

    @contextlib.contextmanager
    def ended_by_interrupt(self, futures: Collection[Future[Any]]) -> Iterator[None]:
        """End every process of `futures` at once on Ctrl-C."""
        try:
            yield
        except KeyboardInterrupt:
            self._is_interrupted.set()
            self._threads.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures):  # `wait` never sees cancelled ones
                for process in active_children():
                    process.terminate()
                time.sleep(0.05)
            raise


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold Ctrl-C back for a moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
