"""The making of one team's pack: a pure function from bytes to bytes.

All it needs travels in the job: the team's view of the project, and what the document says of
itself.  So a job can be done by any process of any machine that has the same code, and who does it
never meets another team's rows.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - of a job that is pickled
import platform
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.project import disk_faults, paths
from analysis.project.scratch_folder import scratch_folder, sweep_scratch
from analysis.report import document, html_report, output, pdf, workbook
from analysis.report.run import notebooks, worker_code
from analysis.report.run.notebook_jobs import Job
from analysis.store import team_view
from analysis.store.run_record import Outcome, Parameter

if TYPE_CHECKING:
    from pathlib import Path

_ONE_AT_A_TIME = Lock()  # a notebook finds its project in the environment, which a process has once


class PackJob(NamedTuple):
    """A pack to make: the team's `view` with its digest, and what stands around it.

    `about` are arguments of `document.make_document`; `code` is what the worker must run too.
    """

    dataset: str
    team: str
    notebook: str
    view: bytes
    digest: str
    parameters: dict[str, Parameter]
    about: dict[str, Any]
    day: dt.datetime
    code: worker_code.CodeVersion


class PackResult(NamedTuple):
    """What became of a pack: its files by name, or why there are none.

    `reason` is a sentence where the data have no pack of the team, or no document could be made.
    """

    team: str
    outcome: Outcome
    files: dict[str, bytes]
    metrics: dict[str, dict[str, Any]]
    reason: str = ""
    attempts: int = 1

    @property
    def is_ok(self) -> bool:
        """Whether the pack was made."""
        return bool(self.files) and not self.reason


def make_pack(job: PackJob) -> PackResult:
    """Run the pack's notebook on the team's rows and set what it shows.

    Raises
    ------
    WorkerMismatchError
        If this process has other code or packages than the job asks for.
    """
    worker_code.require_same(job.code)
    sweep_scratch()  # of workers of this machine that were killed: a team's rows are in them
    try:
        with _ONE_AT_A_TIME, scratch_folder() as scratch:
            return _pack_result(job, scratch)
    except OSError as error:  # of one machine among many: its name says whose disk is full
        words = f"on {platform.node()}: {disk_faults.explain_fault(error) or error}"
        outcome = Outcome("team pack", "failed", 0.0, error=notebooks.brief_error(words))
        return PackResult(job.team, outcome, {}, {}, str(outcome.error))


def _pack_result(job: PackJob, scratch: Path) -> PackResult:
    root = team_view.unpack_view(job.view, job.digest, scratch / "view")
    executed = scratch / job.notebook
    outcome = notebooks.run_notebook(
        Job(root / "notebooks" / job.notebook, executed, job.parameters, root)
    )
    partial = {job.notebook: executed.read_bytes()} if executed.is_file() else {}
    if outcome.status != "ok":
        return PackResult(job.team, outcome, partial, {}, outcome.error or outcome.status)
    try:
        return _rendered(job, executed, outcome)
    except (document.DocumentError, pdf.PdfError, html_report.HtmlError) as error:
        return PackResult(job.team, outcome, partial, {}, str(error))


def _rendered(job: PackJob, executed: Path, outcome: Outcome) -> PackResult:
    content = document.make_document([executed], missing=[], **job.about)
    book = executed.with_name(paths.REPORT_WORKBOOK)
    workbook.write_workbook(content, book, timestamp=job.day)
    files = {
        paths.REPORT_PDF: pdf.render_pdf(content, timestamp=job.day, template=pdf.PACK),
        paths.REPORT_HTML: html_report.render_html(content, template=pdf.PACK),
        paths.REPORT_WORKBOOK: book.read_bytes(),
        job.notebook: executed.read_bytes(),
    }
    return PackResult(job.team, outcome, files, output.headline_metrics(content["cover"]))
