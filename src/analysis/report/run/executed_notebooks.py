"""Executed notebooks kept with their keys: one whose key is unchanged is not run again.

They lie in ``data/processed/.executed``, for their owner's eyes alone, each put there whole by the
process that ran it, the moment it ended: a run that is killed loses none of those before.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.project import paths, read_notes
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.project.whole_file import write_whole
from analysis.report.run import notebook_key
from analysis.report.run.notebook_jobs import Keeping
from analysis.store.run_record import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from analysis.project.read_notes import ReadNotes
    from analysis.report.run.notebook_jobs import Job
    from analysis.report.run.notebook_key import NotebookKey


class Standing(NamedTuple):
    """A kept run of a notebook: how it ended if it is still valid, else why it is not."""

    outcome: Outcome | None
    why_not: list[str]


def with_keys(jobs: Iterable[Job], scratch: Path, folder: Path) -> list[Job]:
    """Return jobs with their keys and with the places in `folder` where their runs are kept.

    A job is known by the place of its output in `scratch`.
    """
    root = paths.project_root()
    return [
        job._replace(
            keeping=Keeping(
                folder / job.output.relative_to(scratch).with_suffix(""),
                notebook_key.key_notebook(job.notebook, job.parameters, job.root or root),
            )
        )
        for job in jobs
    ]


def keep_executed(job: Job, keeping: Keeping, outcome: Outcome, notes: ReadNotes) -> None:
    """Keep a notebook's outcome and what it read; its outputs only where they may be used again."""
    key, copy = keeping.key, keeping.place.with_suffix(".ipynb")
    private_folder(keeping.place.parent)
    reads = notebook_key.read_parts(key, notes, _account(key))
    unsure = notebook_key.why_uncertain(key, job.notebook, notes, reads)
    stands = outcome.status == "ok" and not unsure
    record = {
        "outcome": outcome._asdict(),
        "parts": key.parts,
        "reads": reads,
        "unsure": unsure,
        "executed": _sha256(job.output) if stands else None,
    }
    keeping.place.with_suffix(".json").unlink(missing_ok=True)  # of the notebook replaced now
    copy.unlink(missing_ok=True)
    if stands:
        with write_whole(copy, mode=FILE_OF_OWNER) as part:
            shutil.copyfile(job.output, part)
    with write_whole(keeping.place.with_suffix(".json"), mode=FILE_OF_OWNER) as part:
        part.write_text(json.dumps(record), encoding="utf-8")


def _account(key: NotebookKey) -> Mapping[str, Any]:
    file = key.root / "data" / "processed" / key.dataset / paths.AUDIT_FILE
    content: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {}
    return content


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def find_standing(keeping: Keeping) -> Standing:
    """Return whether a kept run equals what a new run would give."""
    try:
        record = json.loads(keeping.place.with_suffix(".json").read_bytes())
        outcome = Outcome(**record["outcome"])
        why_not = _why_not(keeping, record)
    except FileNotFoundError:
        return Standing(None, ["no run of it has ended yet"])
    except (ValueError, TypeError, KeyError):  # torn by a disk that failed, or of another version
        return Standing(None, ["what was kept of its last run cannot be read"])
    if why_not:
        return Standing(None, why_not)
    return Standing(outcome._replace(reads=tuple(outcome.reads), is_reused=True), [])


def _why_not(keeping: Keeping, record: Mapping[str, Any]) -> list[str]:
    key, outcome = keeping.key, record["outcome"]
    if unsure := key.unsure or record["unsure"]:
        return [f"no key of it is sure: {unsure}"]
    if outcome["status"] != "ok":
        return [f"its last run ended as {outcome['status']}: {outcome['error']}"]
    now = key.parts | notebook_key.read_parts(key, _noted(record["reads"]), _account(key))
    if differs := notebook_key.differences(record["parts"] | record["reads"], now):
        return differs
    copy = keeping.place.with_suffix(".ipynb")
    if copy.is_file() and _sha256(copy) == record["executed"]:
        return []
    return ["what was kept of its last run is gone or changed"]


def _noted(reads: Mapping[str, Mapping[str, str]]) -> ReadNotes:
    files, folders, account = (tuple(reads[kind]) for kind in ("file", "folder", "account"))
    return read_notes.ReadNotes((), files, folders, (), account, ())


def take_standing(jobs: Iterable[Job]) -> dict[Path, Outcome]:
    """Return outcomes of the jobs that need not run, by output file, which is put in place."""
    outcomes = {}
    for job in jobs:
        if job.keeping and (outcome := find_standing(job.keeping).outcome):
            shutil.copyfile(job.keeping.place.with_suffix(".ipynb"), job.output)
            outcomes[job.output] = outcome
    return outcomes


def sweep_executed(folder: Path, jobs: Iterable[Job]) -> None:
    """Remove what is kept in `folder` of notebooks that a report no longer has."""
    places = {job.keeping.place for job in jobs if job.keeping}
    for file in [f for f in folder.rglob("*") if f.is_file()]:
        if file.with_suffix("") not in places:
            file.unlink()
    for empty in sorted((f for f in folder.rglob("*") if f.is_dir()), reverse=True):
        if not any(empty.iterdir()):
            empty.rmdir()
