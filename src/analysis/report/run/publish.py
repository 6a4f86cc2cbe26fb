"""One quarter's report, from raw exports to published files.

Everything is made in a folder of its own and renamed into place at the end.  A notebook that fails
leaves the last good PDF where it was, its own partial notebook under ``failed/``, and a manifest
that says which cell and why.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.chapters.data_quality import answerability, hours_sources, restatements, won_deals
from analysis.project import paths
from analysis.project.private_files import make_private
from analysis.report import (
    answers_in_brief,
    audit_lines,
    document,
    html_report,
    index_page,
    output,
    pdf,
    workbook,
)
from analysis.report.review import actions, feedback, page
from analysis.report.review import forecasts as review_forecasts
from analysis.report.run import executed_notebooks, notebooks, plan, provenance
from analysis.report.run.notebook_jobs import Job
from analysis.store import editions, manifest, processed, published_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.project.settings import Settings
    from analysis.project.terminal import Say
    from analysis.report.document import Document
    from analysis.store.company import Company
    from analysis.store.run_record import Manifest, Outcome, Parameter

PDF = paths.REPORT_PDF
TITLE = "What selling costs, and whether alignment pays"


class Published(NamedTuple):
    """Outcome of one quarter's report; `is_new` is False where it was already there."""

    manifest: Manifest
    folder: Path
    is_new: bool


def reader_notices(account: Mapping[str, Any], quarter: str, tolerance_rate: float) -> list[str]:
    """Return what a reader must know before any figure.

    An unreconciled total, refused files and sources of hours.
    """
    notice_lines = []
    gaps = {r["quarter"]: r["gap_rate"] for r in account["reconciliation"]}
    if quarter not in gaps:
        notice_lines.append(
            "Not reconciled: finance's bookings of the quarter are not in the exports."
        )
    elif abs(gaps[quarter]) > tolerance_rate and "bookings" in answerability.withheld_questions(
        account
    ):
        notice_lines.append("Not reconciled: bookings in the CRM are not finance's total.")
    elif abs(gaps[quarter]) > tolerance_rate:
        notice_lines.append(
            f"Not reconciled: bookings in the CRM are {abs(gaps[quarter]):.1%} "
            f"{'above' if gaps[quarter] > 0 else 'below'} finance's total; "
            f"up to {tolerance_rate:.0%} is tolerated."
        )
    refused = [r["file"] for r in account["refusals"]]
    if refused:
        which = "1 file" if len(refused) == 1 else f"{len(refused)} files"
        notice_lines.append(
            f"Left out: {which} that could not be understood ({', '.join(refused[:3])})."
        )
    return notice_lines + hours_sources.refused_sources(account)


FEWEST_SHOWN = 3  # people, below which whoever knows one knows the other


def _small_cells_notice(house: Settings) -> list[str]:
    """Return that settings let figures of one or two people be shown, where they do."""
    smallest = house.people.smallest_cell
    if smallest >= FEWEST_SHOWN:
        return []
    people = "one person" if smallest == 1 else f"{smallest} people"
    return [f"Figures of as few as {people} are shown: people.smallest_cell is {smallest}."]


def _restated(company: Company) -> list[str]:
    """Return a notice for each quarter published before whose bookings are others today."""
    then, deals = (
        processed.frozen_rows(company.dataset, n, before=company.quarter)
        for n in ("team_quarter", "won_deals")
    )
    moved = restatements.deal_moves(deals, company.table("won_deals"), company.table("quarantine"))
    return restatements.restatement_notices(
        restatements.restatement_table(then, company.table("team_quarter"), moved),
        company.settings.reconciliation.tolerance_rate,
    )


def _large_deals(company: Company) -> list[str]:
    """Return a notice of bookings with and without deals that are far out of scale, where there are
    any.
    """
    house = company.settings
    won = won_deals.of_quarter(
        company.table("opportunities"), company.quarter, house.company.fiscal_year_start_month
    )
    total = float(company.rows_of_quarter("team_quarter")["bookings_amount"].sum())
    says = won_deals.large_deals_sentence(
        total, won, company.audit, company.quarter,
        currency=house.company.currency, tolerance_rate=house.reconciliation.tolerance_rate,
    )  # fmt: skip
    return [says] if says else []


def _reader_notices(company: Company) -> list[str]:
    """Return all that page one says before any figure."""
    house = company.settings
    notice_lines = (
        audit_lines.currency_notice(house)
        + _small_cells_notice(house)
        + reader_notices(company.audit, company.quarter, house.reconciliation.tolerance_rate)
        + _large_deals(company)
    )
    if "bookings" in answerability.withheld_questions(company.audit):
        return notice_lines
    return notice_lines + _restated(company)


def _document(
    company: Company,
    run_plan: plan.Plan,
    executed: Sequence[Path],
    notice_lines: list[str],
) -> Document:
    house = company.settings
    return document.make_document(
        executed,
        title=TITLE,
        company=house.company.name or company.dataset,
        owner=house.report.owner,
        audience=house.report.audience,
        quarter_label=company.period.label(house.company.fiscal_year_start_month),
        as_of=company.audit["as_of"],
        notices=notice_lines,
        facts=provenance.provenance_facts(company, run_plan),
        missing=run_plan.missing,
        earlier=run_plan.earlier,
        exports=answerability.page_one_lines(company.audit, house.company.currency),
    )


def _rendered(content: Document, day: dt.datetime) -> dict[str, bytes]:
    """Return what readers open, by the name of its file."""
    return {
        paths.REPORT_PDF: pdf.render_pdf(content, timestamp=day),
        paths.REPORT_HTML: html_report.render_html(content),
    }


def ending_lines(done: Sequence[Published]) -> tuple[list[str], list[str]]:
    """Return where each report lies, and what to complain of where one failed."""
    lines, complaints = [], []
    for publication in done:
        where = publication.folder.relative_to(paths.project_root())
        if publication.manifest["status"] == "ok":
            lines.append(f"{where / PDF}{'' if publication.is_new else ' (up to date)'}")
            continue
        broken = [
            n
            for n in publication.manifest["notebooks"]
            if n["status"] not in manifest.WITHOUT_FAILURE
        ]
        why = [f"{manifest.failure_line(n)} ({n['status']})" for n in broken] or [
            str(publication.manifest["error"])
        ]
        complaints.append("\n".join(f"{where}: {line}" for line in why))
        complaints.append(
            f"No PDF was written; the notebooks as far as they got are in {where / 'failed'}."
        )
    return lines, complaints


def _drop_stopped(jobs: Sequence[Job], run_plan: plan.Plan) -> None:
    """Remove notebooks that the data stopped halfway.

    A page says why, and half an answer is none.
    """
    for job in jobs:
        if job.notebook not in run_plan.notebooks:
            job.output.unlink()


def _keep_failed(folder: Path, scratch: Path, state: Manifest) -> None:
    """Keep a failed run's partial notebooks beside the last good report, which stays as it is."""
    before = manifest.read_manifest(folder)
    state["previous_run_id"] = before and (
        before["run_id"] if before["status"] == "ok" else before["previous_run_id"]
    )
    if before and state["previous_run_id"]:  # the index shows what the report in place answers
        state["answers"] = before.get("answers", [])
        state["key_metrics"] = before.get("key_metrics", [])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "failed", ignore_errors=True)
    make_private(scratch / "notebooks")  # an analyst's table may show pay
    (scratch / "notebooks").rename(folder / "failed")
    manifest.write_manifest(folder, state)


def _recover(folder: Path) -> None:
    """Clear away what a run that was killed left behind; what it had moved aside goes back."""
    for left in paths.reports_folder().glob(f"{_prefix(folder)}*"):
        if not folder.exists() and (left / "old").is_dir():
            (left / "old").rename(folder)
        shutil.rmtree(left)


def _prefix(folder: Path) -> str:
    return f".{folder.parent.name}-{folder.name}-"


def _put_in_place(new: Path, folder: Path, scratch: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    make_private(new / "notebooks")  # an analyst's table may show pay
    if folder.exists():
        folder.rename(scratch / "old")
        if (packs := scratch / "old" / paths.TEAMS_FOLDER).is_dir():
            packs.rename(new / paths.TEAMS_FOLDER)
    new.rename(folder)


def _remember(company: Company, state: Manifest, forecasts: Mapping[str, Any]) -> None:
    """Keep what the report stood on.

    Its manifest, and what the quarter's first edition stood on and foretold.
    """
    history_folder = editions.keep_edition(company.dataset, company.quarter, state)
    review_forecasts.keep_forecasts(history_folder, company.quarter, forecasts)
    published_runs.keep_run(state)
    manifest.write_manifest(history_folder, state)
    make_private(history_folder)


def is_whole(company: Company, folder: Path, run_id: str) -> bool:
    """Return whether a finished report of this run id stands in its folder and in history."""
    return manifest.is_current(folder, run_id) and manifest.is_kept(
        company.dataset, company.quarter, run_id
    )


def plan_jobs(
    company: Company, run_plan: plan.Plan, scratch: Path, started: dt.datetime
) -> tuple[list[Job], page.Past]:
    """Return the notebooks to run, and what of earlier quarters is to be computed again; each has
    the key of what it follows from.
    """
    kept_in = paths.executed_folder(company.dataset, company.quarter)
    for name in ("notebooks", "again"):
        (scratch / name).mkdir()
    jobs = [Job(n, scratch / "notebooks" / n.name, run_plan.parameters) for n in run_plan.notebooks]
    state = provenance.state_manifest(company, run_plan, [], started, [])
    past = page.past_quarters(company, state, run_plan.notebooks, scratch / "again")
    return (
        executed_notebooks.with_keys(jobs, scratch, kept_in),
        past._replace(jobs=executed_notebooks.with_keys(past.jobs, scratch, kept_in)),
    )


def _run_jobs(
    company: Company,
    jobs: Sequence[Job],
    *,
    workers: int,
    force: bool,
    say: Say,
) -> list[Outcome]:
    """Run those jobs of which no equal run stands; return how all of them ended."""
    quarter = company.quarter
    about = {"dataset": company.dataset, "quarter": quarter}
    standing = {} if force else executed_notebooks.take_standing(jobs)
    to_run = [job for job in jobs if job.output not in standing]
    if standing:
        say(
            f"{quarter}: {len(standing)} of {len(jobs)} notebooks stand as they ran before",
            event="standing",
            n=len(standing),
            of=len(jobs),
            **about,
        )
    ran = notebooks.run_all(
        to_run,
        workers=workers,
        done=lambda r, n: say(
            f"{quarter} {r.notebook}: {plan.end_in_words(r)} in {r.wall_s:.1f} s "
            f"({n} of {len(to_run)})",
            event="notebook",
            **{k: v for k, v in r._asdict().items() if k != "reads"},
            n=n,
            of=len(to_run),
            **about,
        ),
    )
    executed_notebooks.sweep_executed(paths.executed_folder(company.dataset, quarter), jobs)
    outcomes = standing | {job.output: r for job, r in zip(to_run, ran, strict=True)}
    return [outcomes[job.output] for job in jobs]


def publish_report(
    company: Company,
    parameters: Mapping[str, Parameter],
    *,
    workers: int,
    force: bool,
    say: Say,
    as_of: dt.date | None = None,
) -> Published:
    """Make a quarter's report and put it in place, unless it stands there already.

    `say` takes a plain line on what is going on; `as_of` is the day asked for, if one was.
    """
    quarter = company.quarter
    run_plan = plan.plan_report(company, parameters, as_of)
    folder = company.paths.report
    _recover(folder)
    standing = manifest.read_manifest(folder)
    if standing and not force and is_whole(company, folder, run_plan.run_id):
        return Published(standing, folder, is_new=False)
    # A wrong review is refused before a kernel starts.
    actions.read_reviews(company.dataset, before=quarter)
    started, clock = dt.datetime.now(tz=dt.UTC), time.monotonic()
    notice_lines = _reader_notices(company)
    paths.reports_folder().mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.reports_folder(), prefix=_prefix(folder)) as name:
        scratch = Path(name)
        new = scratch / "new"
        jobs, compared = plan_jobs(company, run_plan, scratch, started)
        if compared.jobs:
            say(f"{quarter}: computing again what was published, for what changed since")
        runs = _run_jobs(company, [*jobs, *compared.jobs], workers=workers, force=force, say=say)
        run_plan, ended = plan.without_unanswerable(run_plan, runs[: len(jobs)])
        company = replace(
            company,
            audit=answerability.with_stopped(company.audit, plan.stopped_by_the_data(run_plan)),
        )
        state = provenance.state_manifest(company, run_plan, ended, started, notice_lines)
        day = dt.datetime.combine(company.last_day, dt.time(), tzinfo=dt.UTC)
        if state["status"] == "ok":
            try:
                content = _document(
                    company,
                    run_plan,
                    [scratch / "notebooks" / n.name for n in run_plan.notebooks],
                    notice_lines,
                )
                quarterly_page = page.quarterly_pages(content, company, compared, runs[len(jobs) :])
                content["quarterly"] = quarterly_page.content
                rendered = _rendered(content, day)
            except (
                document.DocumentError,
                pdf.PdfError,
                html_report.HtmlError,
                feedback.NarrativeError,
            ) as error:
                state |= {"status": "failed", "error": str(error)}
        if state["status"] != "ok":
            _keep_failed(folder, scratch, state)
            index_page.write_index()
            return Published(state, folder, is_new=True)
        new.mkdir()
        for file_name, file_bytes in rendered.items():
            (new / file_name).write_bytes(file_bytes)
        workbook.write_workbook(content, new / paths.REPORT_WORKBOOK, timestamp=day)
        _drop_stopped(jobs, run_plan)
        (scratch / "notebooks").rename(new / "notebooks")
        state["metrics"] = output.headline_metrics(content["cover"])
        state["quarterly"] = quarterly_page.record
        state |= answers_in_brief.brief_answers(content) | manifest.file_hashes(new)  # type: ignore[typeddict-item]
        state["wall_s"] = round(time.monotonic() - clock, 2)
        manifest.write_manifest(new, state)
        _put_in_place(new, folder, scratch)
    _remember(company, state, quarterly_page.forecasts)
    index_page.write_index()
    if compared.first:
        say(f"{quarter}, since its first edition: {state['quarterly']['since_first_edition']}")
    return Published(state, folder, is_new=True)
