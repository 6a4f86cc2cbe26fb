"""Whether a report in hand (PDF, HTML, workbook) is the one that data, code and parameters make
today.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import zipfile
from typing import TYPE_CHECKING, NamedTuple

from analysis.project import paths, settings
from analysis.project.parameters import ParameterError
from analysis.sources import intake
from analysis.store import editions, manifest, processed, published_runs, pull_record
from analysis.store.company import Company, open_company

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analysis.store.run_record import Manifest

RUN_ID = re.compile(rb"run:([0-9a-f]{16})")
PROPERTIES = "docProps/core.xml"  # of a workbook
LONGEST_PROPERTIES = 100_000  # [bytes]


class Verification(NamedTuple):
    """Whether a report holds, and why in one sentence; `is_of_today` is False where other tables
    were pulled since: it holds, but is out of date.
    """

    holds: bool
    says: str
    is_of_today: bool = True


def _run(run_id: str) -> Manifest | None:
    places = [
        *paths.reports_folder().glob(f"[!.]*/[!.]*/{manifest.FILE}"),
        *paths.reports_folder().glob(f"[!.]*/[!.]*/{paths.TEAMS_FOLDER}/[!.]*/{manifest.FILE}"),
        *paths.project_root().glob(f"data/history/*/*/{manifest.FILE}"),
    ]
    manifests = (manifest.read_manifest(file.parent) for file in places)
    standing = (m for m in manifests if m and m["run_id"] == run_id and m["pdf_sha256"])
    return next(standing, None) or published_runs.kept_run(run_id)


def run_of(report: Path) -> tuple[str, Manifest | None]:
    """Return the run id a report carries, and the manifest of that run if it is here.

    Raises
    ------
    ValueError
        If the file is no report of this project.
    """
    if not report.is_file():
        raise ValueError(f"no file {report}")
    stamped = RUN_ID.search(_stamped_part(report.read_bytes()))
    if not stamped:
        raise ValueError(f"{report.name} carries no run id: it is not a report of alignment-roi")
    run_id = stamped[1].decode()
    return run_id, _run(run_id)


def _stamped_part(content: bytes) -> bytes:
    """Return where the run id of a report stands: of a workbook its properties, else all of it."""
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book, book.open(PROPERTIES) as part:
            return part.read(LONGEST_PROPERTIES)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, OSError, RuntimeError):
        return b""  # a zip file of somebody else


def verify_report(report: Path) -> Verification:
    """Return whether `report` still follows from what stands in the project, as of the day it was
    made for.

    Raises
    ------
    ValueError
        If the file is no report of this project.
    """
    run_id, run = run_of(report)
    if run is None:
        return Verification(
            holds=False,
            says=f"run {run_id}: no manifest of it here, so what it stood on is unknown",
        )
    digest = hashlib.sha256(report.read_bytes()).hexdigest()
    if digest not in {run.get(key) for key in manifest.FILE_HASHES.values()}:
        return Verification(
            holds=False, says=f"run {run_id}: the file is not the one that was published"
        )
    pull_record.finish_exchange(run["dataset"])
    if (exports := _with_tables_of_then(run)) is not None:
        return _verify_before_pull(run, exports)
    processed.prepare_dataset(run["dataset"], as_of=_as_of(run))
    try:
        company = open_company(run["dataset"], quarter=run["quarter"], team=run.get("team", ""))
    except ParameterError as error:
        return Verification(holds=False, says=f"run {run_id}: {error}")
    identify = manifest.pack_run_id if company.team else manifest.run_id
    if identify(company, run["parameters"]) == run_id:
        return Verification(
            holds=True,
            says=(f"run {run_id}: {_what(run)} follows from today's data and code"),
        )
    return Verification(
        holds=False,
        says=f"run {run_id}: {changed_words(run, company)} changed since; make the report again",
    )


def _as_of(run: Manifest) -> dt.date | None:
    day = run.get("as_of_given")
    return dt.date.fromisoformat(day) if day else None


def _with_tables_of_then(run: Manifest) -> dict[str, str] | None:
    """Return the hashes of today's exports with the tables that were pulled when a report was made;
    None where they are today's, or are others by another hand than a pull's.
    """
    then, now = run.get("pulled"), published_runs.pulled_files(run["dataset"])
    if not then or not now or then["files"] == now["files"]:
        return None
    today = processed.export_hashes(intake.files_of(paths.raw_folder(run["dataset"])))
    if any(today.get(file) != digest for file, digest in now["files"].items()):
        return None
    others = {file: digest for file, digest in today.items() if file not in now["files"]}
    return {**others, **then["files"]}


def _verify_before_pull(run: Manifest, exports: Mapping[str, str]) -> Verification:
    """Return whether a report follows from tables in whose place a pull has put others."""
    dataset, quarter, team = run["dataset"], run["quarter"], run.get("team", "")
    stamp = processed.stamp_of(dataset, exports, _as_of(run))
    house = settings.load_dataset_settings(dataset)
    company = Company(dataset, quarter, house, {"stamp": stamp}, team)
    identify = manifest.pack_run_id if team else manifest.run_id
    if identify(company, run["parameters"]) != run["run_id"]:
        words = changed_words(run, company, exports)
        return Verification(holds=False, says=f"run {run['run_id']}: {words} changed since")
    then, now = (run["pulled"] or {}), published_runs.pulled_files(dataset) or {}
    remains = "its panels" if editions.kept_stamp(dataset, quarter) == stamp else "their hashes"
    return Verification(
        holds=True,
        says=(
            f"run {run['run_id']}: {_what(run)} follows from the tables pulled {then['at']} and "
            f"today's code; history keeps {remains}, as the pull of {now['at']} brought others"
        ),
        is_of_today=False,
    )


def _what(run: Manifest) -> str:
    team = run.get("team", "")
    return f"{run['dataset']} {run['quarter']}{team and f' of team {team}'}"


def changed_words(run: Manifest, company: Company, exports: Mapping[str, str] | None = None) -> str:
    """Return what changed since a run, in words: data, code or parameters.

    `exports` are the hashes of the last pass, those of the company where none are given.
    """
    if exports is None:
        exports = {f["file"]: f["sha256"] for f in company.whole.audit["files"]}
    now = {
        "exports": exports,
        "code": manifest.code_sha256(),
        "lock": manifest.lock_sha256(),
        "settings, rules or decisions on requests": manifest.settings_sha256(company),
    }
    then = {
        "exports": {f["file"]: f["sha256"] for f in run["inputs"]},
        "code": run["code_sha256"],
        "lock": run["lock_sha256"],
        "settings, rules or decisions on requests": run.get("settings_sha256"),
    }
    return (
        ", ".join(name for name in now if now[name] != then[name])
        or "packages, a review or the figures of the quarter before"
    )
