"""Why each notebook of a report would run, or not; nothing runs and nothing is written."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from analysis.project import paths
from analysis.project.scratch_folder import scratch_folder
from analysis.report.run import executed_notebooks, plan, publish, verify
from analysis.store import manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analysis.report.run.notebook_jobs import Job
    from analysis.report.run.shards import ReportOrder
    from analysis.store.company import Company
    from analysis.store.run_record import Parameter


def explain_report(
    company: Company, parameters: Mapping[str, Parameter], order: ReportOrder
) -> list[str]:
    """Return a line on the report of a quarter, then one a notebook where it would be made."""
    run_plan = plan.plan_report(company, parameters, order.as_of)
    folder, quarter = company.paths.report, company.quarter
    if not order.force and publish.is_whole(company, folder, run_plan.run_id):
        return [f"{quarter}: up to date, nothing would run"]
    with scratch_folder() as scratch:
        jobs, compared = publish.plan_jobs(company, run_plan, scratch, dt.datetime.now(tz=dt.UTC))
        all_jobs = [*jobs, *compared.jobs]
        reasons = [_reason(job, is_forced=order.force) for job in all_jobs]
        names = [_name(job, scratch) for job in all_jobs]
    width = max(map(len, names), default=0)
    why = "--force" if order.force else _why_made(company, folder, run_plan)
    return [
        f"{quarter}: would be made, for {why}",
        *(f"  {n:<{width}}  {reason}" for n, reason in zip(names, reasons, strict=True)),
    ]


def _reason(job: Job, *, is_forced: bool) -> str:
    if is_forced or job.keeping is None:
        return "runs: --force"
    standing = executed_notebooks.find_standing(job.keeping)
    if standing.outcome:
        return "stands: nothing that it follows from changed"
    return f"runs: {'; '.join(standing.why_not)}"


def _name(job: Job, scratch: Path) -> str:
    place = job.output.relative_to(scratch).with_suffix("")
    again = "" if place.parts[0] == "notebooks" else f"{place.parts[1]}, "
    return f"{again}{job.notebook.stem}"


def _why_made(company: Company, folder: Path, run_plan: plan.Plan) -> str:
    before, run_id = manifest.read_manifest(folder), run_plan.run_id
    if before is None:
        return "it is not there"
    if before["status"] != "ok":
        return "its last run failed"
    if before["parameters"] != run_plan.parameters:
        return "its parameters changed"
    if before["run_id"] != run_id:
        return f"{verify.changed_words(before, company)} changed"
    if not manifest.is_current(folder, run_id):
        return f"a file of {folder.relative_to(paths.project_root())} is gone or changed"
    return "history does not hold it"
