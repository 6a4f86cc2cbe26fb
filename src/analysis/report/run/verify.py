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

from analysis.project import paths
from analysis.project.parameters import ParameterError
from analysis.store import manifest, processed
from analysis.store.company import open_company

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.store.company import Company
    from analysis.store.run_record import Manifest

RUN_ID = re.compile(rb"run:([0-9a-f]{16})")
PROPERTIES = "docProps/core.xml"  # of a workbook
LONGEST_PROPERTIES = 100_000  # [bytes]


class Verification(NamedTuple):
    """Whether a report holds, and why in one sentence."""

    holds: bool
    says: str


def _run(run_id: str) -> Manifest | None:
    places = [
        *paths.reports_folder().glob(f"[!.]*/[!.]*/{manifest.FILE}"),
        *paths.reports_folder().glob(f"[!.]*/[!.]*/{paths.TEAMS_FOLDER}/[!.]*/{manifest.FILE}"),
        *paths.project_root().glob(f"data/history/*/*/{manifest.FILE}"),
    ]
    manifests = (manifest.read_manifest(file.parent) for file in places)
    return next((m for m in manifests if m and m["run_id"] == run_id and m["pdf_sha256"]), None)


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
    as_of_day = run.get("as_of_given")
    processed.prepare_dataset(
        run["dataset"], as_of=dt.date.fromisoformat(as_of_day) if as_of_day else None
    )
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


def _what(run: Manifest) -> str:
    team = run.get("team", "")
    return f"{run['dataset']} {run['quarter']}{team and f' of team {team}'}"


def changed_words(run: Manifest, company: Company) -> str:
    """Return what changed since a run, in words: data, code or parameters."""
    now = {
        "exports": {f["file"]: f["sha256"] for f in company.whole.audit["files"]},
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
