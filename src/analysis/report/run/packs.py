"""Packs of teams: each made from the team's own rows, put in place whole, and remembered.

What all packs take from the company is worked out once, before the first of them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import tempfile
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.chapters.data_quality import answerability
from analysis.chapters.team_pack import chapter, company_side
from analysis.project import disk_faults, paths
from analysis.project.private_files import make_private
from analysis.report import index_page
from analysis.report.run import cluster, fan_out, kernel_provisioner, notebooks, worker_code
from analysis.report.run.pack_job import PackJob, PackResult, make_pack
from analysis.store import manifest, needs, published_runs, team_view
from analysis.store.company import of_team
from analysis.store.run_record import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from analysis.project.terminal import Say
    from analysis.report.run.shards import ReportOrder
    from analysis.store.company import Company
    from analysis.store.run_record import Manifest, Parameter

AHEAD = 2  # jobs a worker that are packed and wait, so that memory does not grow with packs
LOOK_AGAIN = 5.0  # [s]
MADE, CURRENT, FAILED = "made", "up to date", "failed"


class PackEnd(NamedTuple):
    """How the pack of a team ended: `state` is made, up to date or failed; `why` of a failure."""

    team: str
    folder: Path
    state: str
    why: str = ""


def publish_packs(
    company: Company,
    teams: Sequence[str],
    parameters: Mapping[str, Parameter],
    order: ReportOrder,
    say: Say,
) -> list[PackEnd]:
    """Make the packs of `teams` and put each in place, unless it stands there already.

    `say` takes a plain line as each ends.
    """
    planned = [_planned(company, team, parameters) for team in teams]
    to_make = [each for each in planned if order.force or not _is_current(each)]
    ends = {each.team: PackEnd(each.team, each.folder, CURRENT) for each in planned}
    if to_make:
        paths.reports_folder().mkdir(exist_ok=True)
        say(f"{company.quarter}: reading the whole company for {_packs(len(to_make))}")
        open_jobs: dict[Future[PackResult], _PlannedPack] = {}
        with _pool(order, len(to_make)) as pool, pool.ended_by_interrupt(open_jobs):
            results = _results(pool, iter(to_make), _Jobs(company), open_jobs)
            for n, (each, result) in enumerate(results, 1):
                end = (
                    PackEnd(each.team, each.folder, FAILED, result)
                    if isinstance(result, str)
                    else _keep(company, each, result, order)
                )
                ends[each.team] = end
                done = f"{n} of {len(to_make)}"
                say(
                    f"{company.quarter} team {each.team}: {end.why or end.state} ({done})",
                    event="pack",
                    dataset=company.dataset,
                    quarter=company.quarter,
                    team=each.team,
                    status=end.state,
                    n=n,
                    of=len(to_make),
                )
        index_page.write_index()
    return [ends[each.team] for each in planned]


def ending_lines(ends: Sequence[PackEnd]) -> tuple[list[str], list[str]]:
    """Return where each pack lies with a line that counts, and what to complain of."""
    root, also = paths.project_root(), {CURRENT: " (up to date)"}
    lines = [
        f"{end.folder.relative_to(root) / paths.REPORT_PDF}{also.get(end.state, '')}"
        for end in ends
        if end.state != FAILED
    ]
    complaints = [
        f"{end.folder.relative_to(root)}: {end.why}\nNo pack was written of team {end.team}."
        for end in ends
        if end.state == FAILED
    ]
    n_made = sum(end.state == MADE for end in ends)
    return [
        *lines,
        f"{len(lines)} of {_packs(len(ends))} there, {n_made} of them made now",
    ], complaints


def _packs(n: int) -> str:
    return f"{n} pack{'' if n == 1 else 's'}"


class _PlannedPack(NamedTuple):
    company: Company
    team: str
    folder: Path
    run_id: str
    parameters: dict[str, Parameter]


def _planned(company: Company, team: str, own: Mapping[str, Parameter]) -> _PlannedPack:
    mine = of_team(company, team)
    parameters = {"dataset": company.dataset, "quarter": company.quarter, **own, "team": team}
    identifier = manifest.pack_run_id(mine, parameters)
    folder = paths.pack_folder(company.dataset, company.quarter, team)
    return _PlannedPack(mine, team, folder, identifier, parameters)


def _is_current(pack: _PlannedPack) -> bool:
    return manifest.is_current(pack.folder, pack.run_id)


class _Jobs:
    """What packs take from the whole company, read once; the job of each is packed in its turn."""

    def __init__(self, company: Company) -> None:
        self.dataset = company.dataset
        self.sides = company_side.company_sides(company)
        self.tables = team_view.SharedTables(company)
        (self.notebook,) = needs.pack_notebooks()
        self.code = worker_code.code_version()
        self.day = dt.datetime.combine(company.last_day, dt.time(), tzinfo=dt.UTC)

    def job_of(self, pack: _PlannedPack) -> PackJob:
        """Return the job that makes a pack."""
        view = team_view.view_of_team(
            pack.company, self.tables, self.sides[pack.team], self.notebook
        )
        return PackJob(
            self.dataset,
            pack.team,
            self.notebook.name,
            view,
            team_view.digest_of(view),
            pack.parameters,
            _about(pack),
            self.day,
            self.code,
        )


def _about(pack: _PlannedPack) -> dict[str, Any]:
    """Return what the pack's document says beside what its notebook shows."""
    company, house = pack.company, pack.company.settings
    return {
        "title": chapter.team_name(company),
        "company": house.company.name or company.dataset,
        "owner": house.report.owner,
        "audience": house.report.audience,
        "quarter_label": company.period.label(house.company.fiscal_year_start_month),
        "as_of": company.audit["as_of"],
        "notices": _notices(company),
        "facts": {
            "run_id": pack.run_id,
            "Team": pack.team,
            "Quarter": company.quarter,
            "Code SHA-256": manifest.code_sha256()[:16],
        },
    }


def _notices(company: Company) -> list[str]:
    """Return what a reader must know first; figures of the whole company are in none of it."""
    withheld = answerability.withheld_questions(company.audit)
    if not withheld:
        return []
    words = answerability.question_words(q for q in answerability.QUESTION_WORDS if q in withheld)
    return [f"Withheld, for reasons that the company's report gives: {words}."]


def _pool(order: ReportOrder, n_jobs: int) -> fan_out.SurvivingPool | cluster.ClusterPool:
    """Return who makes the packs: processes here, or the workers of a cluster."""
    if order.dask is not None:
        return cluster.ClusterPool(order.dask)
    with contextlib.suppress(OSError):  # it imports what packs need while the company is read
        kernel_provisioner.hold_zygote()
    return fan_out.SurvivingPool(min(order.workers, n_jobs))


def _results(
    pool: fan_out.SurvivingPool | cluster.ClusterPool,
    packs: Iterator[_PlannedPack],
    jobs: _Jobs,
    open_jobs: dict[Future[PackResult], _PlannedPack],
) -> Iterator[tuple[_PlannedPack, PackResult | str]]:
    """Yield each pack with its result as it ends, or with why the pool gave it up.

    Few jobs wait, the others are not packed yet.
    """
    while True:
        while not pool.gave_up and len(open_jobs) < AHEAD * max(1, pool.n_places):
            pack = next(packs, None)
            if pack is None:
                break
            open_jobs[pool.submit(make_pack, jobs.job_of(pack))] = pack
        if not open_jobs:
            yield from ((pack, pool.gave_up) for pack in packs)
            return
        ended, _ = wait(open_jobs, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
        pool.check()
        for future in ended:
            pack = open_jobs.pop(future)
            yield pack, _result_of(pack.team, future)


def _result_of(team: str, future: Future[PackResult]) -> PackResult | str:
    """Return what a job gave; whatever stops one pack, on whichever machine, stops no other."""
    try:
        return future.result()
    except cluster.ClusterLostError as error:
        return str(error)
    except (fan_out.WorkerDiedError, worker_code.WorkerMismatchError) as error:
        outcome = Outcome("team pack", "killed", 0.0, error=str(error))
    except Exception as error:  # noqa: BLE001 - a full disk of a worker, a bug of ours
        words = disk_faults.explain_fault(error) or f"{type(error).__name__}: {error}"
        words = notebooks.brief_error(f"who made it could not: {words}")
        outcome = Outcome("team pack", "failed", 0.0, error=words)
    return PackResult(team, outcome, {}, {}, str(outcome.error))


def _keep(company: Company, pack: _PlannedPack, result: PackResult, order: ReportOrder) -> PackEnd:
    """Put a pack in place; one that failed leaves the last good one where it is."""
    prefix = f".pack.{company.dataset}-{company.quarter}-"
    with tempfile.TemporaryDirectory(dir=paths.reports_folder(), prefix=prefix) as name:
        new = Path(name) / "new"
        (new / "notebooks").mkdir(parents=True)
        for file, content in result.files.items():
            place = new / "notebooks" if file.endswith(".ipynb") else new
            (place / file).write_bytes(content)
        make_private(new / "notebooks")
        state = _manifest(pack, result, order)
        if not result.is_ok:
            _keep_failed(pack.folder, new / "notebooks", state)
            return PackEnd(pack.team, pack.folder, FAILED, result.reason)
        state |= manifest.file_hashes(new)  # type: ignore[typeddict-item]
        manifest.write_manifest(new, state)
        published_runs.keep_run(state)
        pack.folder.parent.mkdir(parents=True, exist_ok=True)
        if pack.folder.exists():
            pack.folder.rename(Path(name) / "old")
        new.rename(pack.folder)
    return PackEnd(pack.team, pack.folder, MADE)


def _keep_failed(folder: Path, partial: Path, state: Manifest) -> None:
    before = manifest.read_manifest(folder)
    state["previous_run_id"] = before and (
        before["run_id"] if before["status"] == "ok" else before["previous_run_id"]
    )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "failed", ignore_errors=True)
    partial.rename(folder / "failed")
    manifest.write_manifest(folder, state)


def _manifest(pack: _PlannedPack, result: PackResult, order: ReportOrder) -> Manifest:
    """Return the manifest of a pack; it holds no count of the whole company's rows."""
    company, house = pack.company, pack.company.settings
    return {
        "run_id": pack.run_id,
        "status": "ok" if result.is_ok else "failed",
        "dataset": company.dataset,
        "company": house.company.name or company.dataset,
        "team": pack.team,
        "title": chapter.team_name(company),
        "quarter": company.quarter,
        "quarter_label": company.period.label(house.company.fiscal_year_start_month),
        "as_of": company.audit["as_of"],
        "as_of_given": order.as_of.isoformat() if order.as_of else None,
        "parameters": pack.parameters,
        "notebooks": manifest.outcome_entries([result.outcome]),
        "error": None if result.outcome.status != "ok" else result.reason or None,
        "metrics": result.metrics,
        "notices": _notices(company),
        "questions": answerability.question_statuses(company.audit),
        "inputs": [
            {"file": f["file"], "sha256": f["sha256"]} for f in pack.company.whole.audit["files"]
        ],
        "tables": [],
        "pulled": published_runs.pulled_files(company.dataset),
        "code_sha256": manifest.code_sha256(),
        "lock_sha256": manifest.lock_sha256(),
        "settings_sha256": manifest.settings_sha256(company),
        "packages": manifest.package_versions(),
        "owner": house.report.owner,
        "audience": house.report.audience,
        "pdf_sha256": None,
        "html_sha256": None,
        "xlsx_sha256": None,
        "previous_run_id": None,
        "started_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
        "wall_s": result.outcome.wall_s,
        "quarterly": {},
    }
