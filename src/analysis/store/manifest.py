"""Inputs of a report and how its run ended: `manifest.json`, read by machines.

The run id is a hash of everything the report follows from: data, code, packages, settings,
parameters and the figures of the quarter before, which it shows beside its own. Equal ids mean an
equal report, so a finished one is not made again.
"""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

from analysis.project import paths, quarters
from analysis.project.errors import CrmDataError
from analysis.project.paths import REVIEWS_FOLDER as REVIEWS
from analysis.store import editions, needs, processed, request_records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analysis.store.company import Company
    from analysis.store.run_record import Manifest, Outcome, Parameter

FILE = "manifest.json"
FILE_HASHES = {
    paths.REPORT_PDF: "pdf_sha256",
    paths.REPORT_HTML: "html_sha256",
    paths.REPORT_WORKBOOK: "xlsx_sha256",
}
WITHOUT_FAILURE = {"ok", "missing", "withheld"}  # ends of a chapter that leave a report whole
PACKAGES = ("duckdb", "matplotlib", "numpy", "pandas", "papermill", "scipy", "statsmodels", "typst")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def code_sha256() -> str:
    """Return the hash of package and notebooks.

    Of a notebook only what it computes, not its outputs.
    """
    digest = hashlib.sha256(processed.code_hash().encode())
    for file in [*needs.chapter_notebooks(), *needs.pack_notebooks()]:
        content = json.loads(file.read_text(encoding="utf-8"))
        cells = [
            [c["cell_type"], "".join(c["source"]), c["metadata"].get("tags", [])]
            for c in content["cells"]
        ]
        digest.update(
            json.dumps([file.name, cells, content["metadata"].get("alignment_roi")]).encode()
        )
    return digest.hexdigest()


def lock_sha256() -> str:
    """Return the hash of the lock, empty where the project runs without one."""
    lock = paths.project_root() / paths.LOCK_FILE
    return _sha256(lock.read_bytes()) if lock.is_file() else ""


def settings_sha256(company: Company) -> str:
    """Return the hash of a company's settings, its own maps and rules, and what it decided on
    requests.

    The minutes of reviews are not part of it.
    """
    digest = hashlib.sha256(company.settings.model_dump_json().encode())
    folder = company.paths.raw
    for file in sorted(folder.rglob("*.toml")):
        if file.name != paths.SETTINGS_FILE and file.parent.name != REVIEWS:
            digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    digest.update(_decisions_sha256(company).encode())
    return digest.hexdigest()


def _decisions_sha256(company: Company) -> str:
    """Return the hash of what was decided on requests by the quarter's end, empty without any."""
    records = request_records.read_records(company.dataset)
    return request_records.records_digest(records, company.day_after) if records else ""


def run_id(company: Company, parameters: Mapping[str, Parameter]) -> str:
    """Return the id of the report that data, code, packages, parameters and earlier figures make.

    16 hex digits.
    """
    code = [code_sha256(), lock_sha256(), package_versions()]
    dataset, quarter = company.dataset, company.quarter
    before = sorted(published_figures(dataset, company.period.shifted(-1)).items())
    frozen = processed.frozen_hash(dataset, before=quarter)
    first_editions = editions.stood_on(dataset, before=quarter)
    follows_from = [
        company.audit["stamp"],
        *code,
        quarter,
        sorted(parameters.items()),
        before,
        frozen,
        first_editions,
        _decisions_sha256(company),
    ]
    identifier = _sha256(json.dumps(follows_from).encode())[:16]
    first = editions.own_edition(dataset, quarter)
    if first is None or first.manifest["run_id"] == identifier:
        return identifier
    # A later edition says what changed since the first, so it follows from that one too.
    return _sha256(f"{identifier} {first.manifest['run_id']}".encode())[:16]


def pack_run_id(company: Company, parameters: Mapping[str, Parameter]) -> str:
    """Return the id of the pack of `company.team`: of its data, code, packages and parameters.

    16 hex digits.  No figure of an earlier report stands in a pack.
    """
    follows_from = [
        company.audit["stamp"],
        *(code_sha256(), lock_sha256(), package_versions()),
        company.quarter,
        company.team,
        sorted(parameters.items()),
        _decisions_sha256(company),
    ]
    return _sha256(json.dumps(follows_from).encode())[:16]


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that figures depend on."""
    return {name: metadata.version(name) for name in PACKAGES}


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in a report's folder, if there is one that can be read.

    A damaged one is none: what it stood for is made again.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return cast("Manifest", content) if isinstance(content, dict) else None


def _manifest_of_history(folder: Path) -> Manifest | None:
    """Return a manifest that history keeps; nothing makes a damaged one again."""
    content = read_manifest(folder)
    if content is None and (folder / FILE).is_file():
        raise CrmDataError(
            f"history: {folder.name}/{FILE} cannot be read, so what was published of "
            f"{folder.name} is unknown. Restore it from a backup, or remove it: the quarter then "
            "counts as not published."
        )
    return content


def published_figures(dataset: str, quarter: quarters.Quarter) -> dict[str, float]:
    """Return the headline figures a quarter's report published, by name; history keeps no other."""
    content = _manifest_of_history(paths.history_folder(dataset) / str(quarter))
    metrics = content["metrics"].items() if content else ()
    return {name: figure["estimate"] for name, figure in metrics if figure["estimate"] is not None}


def earlier_looks(dataset: str, name: str, *, before: str) -> list[dict[str, Any]]:
    """Return one headline as each earlier quarter published it, oldest first."""
    files = sorted(
        f for f in paths.history_folder(dataset).glob(f"*/{FILE}") if f.parent.name < before
    )
    manifests = [_manifest_of_history(file.parent) for file in files]
    return [each["metrics"][name] for each in manifests if each and name in each["metrics"]]


def write_manifest(folder: Path, content: Manifest) -> None:
    """Write the manifest of the report in `folder`; a reader never sees half of it."""
    editions.write_json(folder / FILE, content)


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the hashes of the files that readers are given, by their key in the manifest."""
    return {key: _sha256((folder / name).read_bytes()) for name, key in FILE_HASHES.items()}


def is_current(folder: Path, identifier: str) -> bool:
    """Return whether the folder holds the finished report of this run id, its files unchanged.

    The notebooks are there; they may have been run further by who opened them.
    """
    content = read_manifest(folder)
    return bool(
        content
        and content["status"] == "ok"
        and content["run_id"] == identifier
        and all((folder / name).is_file() for name in FILE_HASHES)
        and all(content.get(key) == digest for key, digest in file_hashes(folder).items())
        and all(
            (folder / "notebooks" / f"{each['notebook']}.ipynb").is_file()
            for each in content["notebooks"]
            if each["status"] == "ok"
        )
    )


def is_kept(dataset: str, quarter: str, identifier: str) -> bool:
    """Return whether history holds all of a published report.

    Its manifest is written there last: a run that was killed before is made again.
    """
    content = _manifest_of_history(paths.history_folder(dataset) / quarter)
    return bool(content and content["run_id"] == identifier)


def outcome_entries(runs: list[Outcome]) -> list[dict[str, Any]]:
    """Return outcomes as the manifest states them."""
    return [run._asdict() for run in runs]


def failure_line(entry: Mapping[str, Any]) -> str:
    """Return in one line where and why a notebook of a manifest failed."""
    cell = "" if entry["cell"] is None else f", cell {entry['cell']}"
    return f"{entry['notebook']}{cell}: {entry['error']}"
