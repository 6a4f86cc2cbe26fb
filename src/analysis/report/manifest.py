"""What a report stood on and how its run ended: `manifest.json`, read by machines.

The run id is a hash of everything the report follows from: data, code, packages, settings, parameters
and the figures of the quarter before, which it shows beside its own.
Equal ids mean an equal report, so a finished one is not made again.
"""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from analysis import paths, prepare, quarters, settings
from analysis.report.quarterly import editions
from analysis.report.quarterly.actions import FOLDER as REVIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analysis.report.execute import Outcome, Parameter

FILE = "manifest.json"
LOCK = "requirements.lock"
WITHOUT_FAILURE = {"ok", "missing", "withheld"}  # ends of a chapter that leave a report whole
PACKAGES = ("duckdb", "matplotlib", "numpy", "pandas", "papermill", "scipy", "statsmodels", "typst")


class Manifest(TypedDict):
    """One run of one report."""

    run_id: str
    status: str  # ok or failed
    dataset: str
    quarter: str
    quarter_label: str
    as_of: str
    as_of_given: str | None  # the day asked for by --as-of
    parameters: dict[str, Parameter]
    notebooks: list[dict[str, Any]]  # the outcomes of execute.run; without data `missing`, or `withheld`
    error: str | None  # why no document could be made although every notebook ran
    metrics: dict[str, dict[str, Any]]
    notices: list[str]
    questions: NotRequired[dict[str, str]]  # answered, warned, withheld or not asked
    gate: NotRequired[list[dict[str, Any]]]  # the gate's findings
    inputs: list[dict[str, Any]]  # file, sha256, n_rows
    tables: list[dict[str, Any]]  # rows in = clean + quarantined + dropped
    code_sha256: str
    lock_sha256: str
    settings_sha256: str
    packages: dict[str, str]
    owner: str
    audience: str
    pdf_sha256: str | None
    previous_run_id: str | None  # of the report that a failed run left in place
    started_at: str
    wall_s: float
    quarterly: dict[str, Any]  # why figures moved, and forecasts scored; empty where no report was made


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def code_sha256() -> str:
    """Return the hash of package and notebooks; of a notebook only what it computes, not its outputs."""
    digest = hashlib.sha256(prepare.code_hash().encode())
    for file in sorted(paths.notebooks().glob("*.ipynb")):
        content = json.loads(file.read_text(encoding="utf-8"))
        cells = [[c["cell_type"], "".join(c["source"]), c["metadata"].get("tags", [])] for c in content["cells"]]
        digest.update(json.dumps([file.name, cells, content["metadata"].get("alignment_roi")]).encode())
    return digest.hexdigest()


def lock_sha256() -> str:
    """Return the hash of the lock, empty where the project runs without one."""
    lock = paths.root() / LOCK
    return _sha256(lock.read_bytes()) if lock.is_file() else ""


def settings_sha256(dataset: str) -> str:
    """Return the hash of a dataset's settings and of its own maps and rules; the minutes of reviews are none."""
    digest = hashlib.sha256(settings.load(dataset).model_dump_json().encode())
    folder = paths.raw(dataset)
    for file in sorted(folder.rglob("*.toml")):
        if file.name != paths.SETTINGS_FILE and file.parent.name != REVIEWS:
            digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def run_id(account: Mapping[str, Any], quarter: str, parameters: Mapping[str, Parameter]) -> str:
    """Return the id of the report that data, code, packages, parameters and earlier figures make: 16 hex digits."""
    code = [code_sha256(), lock_sha256(), packages()]
    before = sorted(published(account["dataset"], quarters.quarter(quarter).shifted(-1)).items())
    frozen = prepare.frozen_hash(account["dataset"], before=quarter)
    kept = editions.stood_on(account["dataset"], before=quarter)
    follows_from = [account["stamp"], *code, quarter, sorted(parameters.items()), before, frozen, kept]
    identifier = _sha256(json.dumps(follows_from).encode())[:16]
    first = editions.own(account["dataset"], quarter)
    if first is None or first.manifest["run_id"] == identifier:
        return identifier
    # A later edition says what changed since the first, so it follows from that one too.
    return _sha256(f"{identifier} {first.manifest['run_id']}".encode())[:16]


def packages() -> dict[str, str]:
    """Return the versions of the packages that figures depend on."""
    return {name: metadata.version(name) for name in PACKAGES}


def read(folder: Path) -> Manifest | None:
    """Return the manifest in a report's folder, if there is one."""
    file = folder / FILE
    if not file.is_file():
        return None
    content: Manifest = json.loads(file.read_text(encoding="utf-8"))
    return content


def published(dataset: str, quarter: quarters.Quarter) -> dict[str, float]:
    """Return the headline figures a quarter's report published, by name; history keeps no other."""
    found = read(paths.history(dataset) / str(quarter))
    metrics = found["metrics"].items() if found else ()
    return {name: figure["estimate"] for name, figure in metrics if figure["estimate"] is not None}


def looks(dataset: str, name: str, *, before: str) -> list[dict[str, Any]]:
    """Return what each quarter published before the quarter `before` said of a headline, oldest first."""
    kept = sorted(f for f in paths.history(dataset).glob(f"*/{FILE}") if f.parent.name < before)
    found = [read(file.parent) for file in kept]
    return [each["metrics"][name] for each in found if each and name in each["metrics"]]


def write(folder: Path, content: Manifest) -> None:
    """Write the manifest of the report in `folder`; a reader never sees half of it."""
    editions.write(folder / FILE, content)


def is_current(folder: Path, pdf: str, identifier: str) -> bool:
    """Return whether the folder holds the finished report of this run id, its PDF unchanged."""
    found = read(folder)
    file = folder / pdf
    return bool(
        found
        and found["status"] == "ok"
        and found["run_id"] == identifier
        and file.is_file()
        and _sha256(file.read_bytes()) == found["pdf_sha256"]
    )


def outcomes(runs: list[Outcome]) -> list[dict[str, Any]]:
    """Return outcomes as the manifest states them."""
    return [run._asdict() for run in runs]


def failure(entry: Mapping[str, Any]) -> str:
    """Return in one line where and why a notebook of a manifest failed."""
    cell = "" if entry["cell"] is None else f", cell {entry['cell']}"
    return f"{entry['notebook']}{cell}: {entry['error']}"
