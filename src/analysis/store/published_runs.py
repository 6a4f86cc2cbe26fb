"""What each report and pack that was published stood on, kept for as long as a copy may be about.

A report that is made again takes the place of the one before, and tables that are pulled again that
of those it was made from.  Whoever holds the earlier PDF can still ask whether it is ours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from analysis.project import paths
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.project.whole_file import write_whole
from analysis.store import pull_record

if TYPE_CHECKING:
    from analysis.store.run_record import Manifest

FOLDER = "editions"  # in history's folder of the quarter
# Of a manifest what `verify` compares; no figure.
KEPT = (
    "run_id", "dataset", "quarter", "team", "parameters", "as_of_given", "inputs", "pulled",
    "code_sha256", "lock_sha256", "settings_sha256", "packages", "started_at",
    "pdf_sha256", "html_sha256", "xlsx_sha256",
)  # fmt: skip


def pulled_files(dataset: str) -> dict[str, Any] | None:
    """Return when a dataset was pulled last and the SHA-256 of each file that wrote, by name."""
    record = pull_record.read_record(dataset)
    if record is None:
        return None
    return {"at": record.pulled_at, "files": {t.file: t.sha256 for t in record.tables}}


def keep_run(state: Manifest) -> None:
    """Keep what a report or pack stands on, under its run id."""
    history = private_folder(paths.history_folder(state["dataset"]))
    folder = private_folder(private_folder(history / state["quarter"]) / FOLDER)
    content = {key: state[key] for key in KEPT if key in state}  # type: ignore[literal-required]
    with write_whole(folder / f"{state['run_id']}.json", mode=FILE_OF_OWNER) as part:
        part.write_text(json.dumps(content) + "\n", encoding="utf-8")


def kept_run(run_id: str) -> Manifest | None:
    """Return what was kept of a run; None where nothing was."""
    for file in paths.project_root().glob(f"data/history/*/*/{FOLDER}/{run_id}.json"):
        return cast("Manifest", json.loads(file.read_text(encoding="utf-8")))
    return None
