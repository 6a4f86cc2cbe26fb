"""Notebooks run by papermill, with a true record of how each run ended.

Whether a run succeeded is what the run said, never what its output file looks like: papermill marks
the cells of a dead kernel completed.  Kernels are forked where they can be: `kernel_provisioner`.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import sys
import time
from concurrent.futures import as_completed
from queue import Empty
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from papermill.engines import NotebookExecutionManager

    from analysis.report.run.notebook_jobs import Job

# jsonschema's optional check of IRIs compiles 35 grammars at import: 3 of papermill's 4 CPU
# seconds.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.iorw import LocalHandler, papermill_io, write_ipynb
from traitlets import Type, default

from analysis.project import paths, read_notes
from analysis.project.hidden_secrets import hide_forms
from analysis.report.cell_tags import ANALYST_TAG
from analysis.report.run import fan_out, kernel_provisioner, own_parameters
from analysis.report.run.executed_notebooks import keep_executed
from analysis.sources.file_labels import ADDRESS
from analysis.store.run_record import Outcome, Status

LONGEST_ERROR = 400  # characters
# Written for a telephone: +49 171 5550100, (555) 010-0100, 0171/5550100, or ten digits and more.
NUMBER_OF_PHONE = re.compile(
    r"(?<![\w.])(?:\+|00)\d[\d\s().\u2010-\u2013/-]{5,18}\d\b"
    r"|(?<![\w./-])(?!\d\d[./-]\d\d[./-]\d{4}\b)(?:\(\d{2,5}\)|0\d{1,5}(?=[\s/.-]))"
    r"[\s/.-]?\d(?:[\s/.-]?\d){4,9}\b"
    r"|(?<![\w.-])\d{3}[\s.-]\d{3}[\s.-]\d{4}\b"
    r"|(?<![\w.])\d{10,15}(?![\w.])"
)
CELL_TIMEOUT = 900  # [s]; a cell that runs longer is stuck, not slow
LOOK_AGAIN = 1.0  # [s]
MOST_SHOWN = 200_000_000  # [bytes] of a notebook's outputs; without an end they would fill memory
# A failing `!command` fails its cell, and so does any line of %%bash; `!command || true` may fail.
SHELL_FAILS = (
    "--InteractiveShell.system_raise_on_error=True",
    "--ScriptMagics.script_paths=bash=bash -e -o pipefail",
    "--ScriptMagics.script_paths=sh=sh -e",
)
# The kernel notes what the notebook reads, from before its first cell.
WATCHED = (
    "--InteractiveShellApp.exec_lines="
    "__import__('analysis.project.read_notes', fromlist=['watch_reads']).watch_reads()"
)


class WatchfulChannel(AsyncZMQSocketChannel):
    """A kernel's channel that checks for messages by itself.

    Where processes compete, asyncio now and then misses that a message came.

    A cell that had ended was waited for until its timeout then, and what it had shown could be
    lost.
    """

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]  # noqa: ASYNC109 - its signature
        """Return the next message; raise `Empty` if none comes within `timeout` [s]."""
        last = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = last - time.monotonic()
            if await self.socket.poll(int(1000 * max(0.0, min(LOOK_AGAIN, left)))):
                return await self._recv()
            if left <= LOOK_AGAIN:
                raise Empty


class BoundedChannel(WatchfulChannel):
    """The channel of a notebook's outputs: a notebook whose output never ends loses its kernel."""

    n_bytes = 0

    async def _recv(self, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        frames = await self.socket.recv_multipart(**kwargs)
        self.n_bytes += sum(map(len, frames))
        manager: Any = self.session.parent
        if self.n_bytes > MOST_SHOWN and manager.provisioner:
            await manager.provisioner.kill()
        _, message = self.session.feed_identities(frames)
        return self.session.deserialize(message)


class WatchfulClient(AsyncKernelClient):
    """A kernel's client of such channels."""

    shell_channel_class = stdin_channel_class = Type(WatchfulChannel)
    control_channel_class, iopub_channel_class = Type(WatchfulChannel), Type(BoundedChannel)


class WatchfulKernelManager(AsyncKernelManager):
    """A manager whose clients have such channels."""

    @default("client_factory")
    def _client_factory(self) -> type[AsyncKernelClient]:
        return WatchfulClient


class KeepingEngine(NBClientEngine):  # type: ignore[misc]
    """Papermill's engine, which also keeps the notebook, truthfully marked, when its kernel dies or
    is stuck.
    """

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, *, keep_at: str, **more: Any
    ) -> None:
        """Run the notebook; if anything but an ordinary exception stops it, its outputs are saved
        to `keep_at`.
        """
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **more)
        except (RuntimeError, TimeoutError):
            reached = _cell_reached(nb_man.nb)
            if reached is not None:
                nb_man.cell_exception(nb_man.nb.cells[reached])
            write_ipynb(nb_man.nb, keep_at)
            raise


class HidingHandler(LocalHandler):  # type: ignore[misc]
    """Papermill's way to files, by which no secret of the environment reaches one."""

    def write(self, buf: str, path: str) -> None:
        """Write a notebook as it may be kept."""
        super().write(hide_forms(buf), path)


papermill_engines.register("keeping", KeepingEngine)
papermill_io.register("/", HidingHandler())
kernel_provisioner.use_forked_kernels()


def _cell_reached(notebook: Any) -> int | None:
    """Return the last cell of a notebook that was started."""
    started = [
        i
        for i, c in enumerate(notebook["cells"])
        if c["metadata"].get("papermill", {}).get("start_time")
    ]
    return max(started, default=None)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Let kernels started here find `variables` in their environment."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({name: value} if value is not None else {})


def _left_early(notebook: Any) -> tuple[int, str] | None:
    """Return the cell and exit that ended a notebook before its end.

    Papermill takes ``sys.exit(0)`` for success.
    """
    for position, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                return position, f"{output['ename']}: {output['evalue']}"
    return None


def brief_error(error: str) -> str:
    """Return the beginning of an error for manifest, index, terminal and mail, without addresses or
    telephone numbers.

    Its text may hold any cell of the CRM; the whole of it is in the notebook, for its owner alone.

    Examples
    --------
    >>> brief_error("KeyError: ada@acme.test")
    'KeyError: [address]'
    >>> brief_error("of 2026-07-01: (030) 555 0100, +49 171 5550100; 12,345,678.90 in row 1042")
    'of 2026-07-01: [number], [number]; 12,345,678.90 in row 1042'
    >>> len(brief_error("x" * 1_000))
    424
    """
    plain = NUMBER_OF_PHONE.sub("[number]", ADDRESS.sub("[address]", hide_forms(error)))
    rest = " … (the notebook has all)"
    return plain if len(plain) <= LONGEST_ERROR else plain[: LONGEST_ERROR - 1] + rest


def run_notebook(job: Job) -> Outcome:
    """Run one notebook; whatever happens inside it becomes the outcome, the partial notebook is
    kept.
    """
    loaded = job.output.with_suffix(".loaded")
    variables = {paths.LOADED_VARIABLE: str(loaded)} | (
        {paths.ROOT_VARIABLE: str(job.root)} if job.root else {}
    )
    with _environment(variables):
        outcome = _run(job)
    notes = read_notes.read_notes(loaded)
    loaded.unlink(missing_ok=True)
    outcome = outcome._replace(reads=notes.tables)
    if job.keeping:
        keep_executed(job, job.keeping, outcome, notes)
    return outcome


def _run(job: Job) -> Outcome:
    types = own_parameters.read_types(job.notebook)
    own = {name: value for name, value in job.parameters.items() if name in types}
    start = time.monotonic()

    def outcome(status: Status, cell: int | None = None, error: str | None = None) -> Outcome:
        number = None if cell is None else cell + 1
        wall_s = round(time.monotonic() - start, 2)
        return Outcome(job.notebook.stem, status, wall_s, number, error and brief_error(error))

    def reached() -> int | None:
        return _cell_reached(json.loads(job.output.read_text(encoding="utf-8")))

    try:
        executed = execute_notebook(
            str(job.notebook),
            str(job.output),
            parameters=own,
            engine_name="keeping",
            keep_at=str(job.output),
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=CELL_TIMEOUT,
            iopub_timeout=CELL_TIMEOUT,  # 4 s unless said: on a busy machine outputs take longer
            skip_cells_with_tag=ANALYST_TAG,
            kernel_manager_class=WatchfulKernelManager,
            extra_arguments=[
                "--log-level=CRITICAL",  # it would log its own ending as an error
                *SHELL_FAILS,
                WATCHED,
            ],
        )
    except PapermillExecutionError as error:
        return outcome("failed", error.cell_index, f"{error.ename}: {error.evalue}")
    except DeadKernelError:
        if job.output.stat().st_size > MOST_SHOWN / 2:
            return outcome("failed", reached(), f"it shows more than {MOST_SHOWN // 10**6} MB")
        return outcome("killed", reached(), "the kernel died: out of memory, or ended from outside")
    except CellTimeoutError:
        return outcome("timeout", reached(), f"a cell ran longer than {CELL_TIMEOUT} s")
    except RuntimeError as error:  # from jupyter_client: the kernel never answered
        return outcome("failed", None, f"no kernel: {error}")
    early = _left_early(executed)
    return outcome("failed", *early) if early else outcome("ok")


def run_all(
    jobs: Sequence[Job], *, workers: int, done: Callable[[Outcome, int], None]
) -> list[Outcome]:
    """Run `jobs` on up to `workers` processes; call `done` as each ends, with how many have.

    Return outcomes in the jobs' order.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if min(workers, len(jobs)) <= 1:
        outcomes = []
        for job in jobs:
            outcomes.append(run_notebook(job))
            done(outcomes[-1], len(outcomes))
        return outcomes
    with contextlib.suppress(OSError):  # it imports what notebooks need while the workers start
        kernel_provisioner.hold_zygote()
    with fan_out.SurvivingPool(min(workers, len(jobs))) as pool:
        futures = {pool.submit(run_notebook, job): job for job in jobs}
        with pool.ended_by_interrupt(futures):
            for n, future in enumerate(as_completed(futures), 1):
                done(_outcome_of(future, futures[future]), n)
            return [_outcome_of(future, job) for future, job in futures.items()]


def _outcome_of(future: Future[Outcome], job: Job) -> Outcome:
    """Return how a notebook ended, where its process died too."""
    try:
        return future.result()
    except fan_out.WorkerDiedError as death:
        return Outcome(
            job.notebook.stem, "killed", death.wall_s, error=str(death), attempts=death.attempts
        )
