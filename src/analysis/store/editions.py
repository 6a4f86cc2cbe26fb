"""Inputs of a quarter's first publication, kept so that a later report can say why a figure moved.

Beside the panels that `processed.freeze_panels` keeps: the manifest, the settings, and whatever
other tables the notebooks loaded.  Kept once, with the panels; a later edition of the same quarter
changes none of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from analysis.project import paths
from analysis.project.whole_file import write_whole
from analysis.store import processed as store_processed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analysis.store.run_record import Manifest

FIRST = "first.json"  # the manifest of the first edition
FORECASTS = "forecasts.json"
INPUTS = "inputs"  # further tables
SETTINGS = "*.toml"  # of a dataset: its settings, its maps, its specification of growth
OWN = "dataset"  # the folder of the dataset's own settings of then


class Edition(NamedTuple):
    """A quarter's first publication."""

    quarter: str
    manifest: Manifest
    folder: Path

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Return its headlines, by name."""
        return self.manifest["metrics"]


def first_edition(dataset: str, quarter: str) -> Edition | None:
    """Return a quarter's first edition, if one was kept."""
    folder = paths.history_folder(dataset) / quarter
    file = folder / FIRST
    if not file.is_file():
        return None
    return Edition(quarter, cast("Manifest", json.loads(file.read_text(encoding="utf-8"))), folder)


def kept_stamp(dataset: str, quarter: str) -> str | None:
    """Return the stamp of the tables that a quarter's first edition stood on, if it was kept."""
    file = paths.history_folder(dataset) / quarter / INPUTS / store_processed.AUDIT_FILE
    if not file.is_file():
        return None
    stamp: str = json.loads(file.read_text(encoding="utf-8"))["stamp"]
    return stamp


def own_edition(dataset: str, quarter: str) -> Edition | None:
    """Return the first edition of a quarter, against which later ones of the same quarter are
    compared.

    None while it is not over.
    """
    edition = first_edition(dataset, quarter)
    return None if edition is None or edition.manifest.get("is_partial") else edition


def first_published(dataset: str, *, before: str) -> dict[str, dict[str, float]]:
    """Return by quarter the headlines of the first edition of each before the quarter `before`."""
    folders = sorted(paths.history_folder(dataset).glob(f"*/{FIRST}"))
    quarters = [file.parent.name for file in folders if file.parent.name < before]
    published = {q: e.metrics for q in quarters if (e := first_edition(dataset, q))}
    return {
        quarter: {n: m["estimate"] for n, m in metrics.items() if m["estimate"] is not None}
        for quarter, metrics in published.items()
    }


def keep_edition(dataset: str, quarter: str, manifest: Manifest) -> Path:
    """Keep the inputs of a quarter just published, unless they were kept before.

    Return the folder.
    """
    folder = paths.history_folder(dataset) / quarter
    panel = folder / "team_quarter.parquet"
    before = panel.read_bytes() if panel.is_file() else b""
    history_folder = store_processed.freeze_panels(dataset, quarter)
    is_same = before == panel.read_bytes()
    is_todays = panel.read_bytes() == (paths.processed_folder(dataset) / panel.name).read_bytes()
    if is_todays and not ((folder / FIRST).is_file() and is_same):
        _keep_inputs(dataset, history_folder, manifest)
        (history_folder / FORECASTS).unlink(missing_ok=True)  # made while the quarter was not over
        teams = store_processed.load_table(dataset, "team_quarter")
        partial = teams.loc[teams["quarter"] == quarter, "is_partial"].astype(bool).any()
        write_json(history_folder / FIRST, {**manifest, "is_partial": bool(partial)})
    return history_folder


def write_json(file: Path, content: object) -> None:
    """Write JSON to a file, completely or not at all."""
    with write_whole(file) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _keep_inputs(dataset: str, folder: Path, manifest: Manifest) -> None:
    inputs = folder / INPUTS
    shutil.rmtree(inputs, ignore_errors=True)
    (inputs / OWN).mkdir(parents=True)
    loaded = {name for notebook in manifest["notebooks"] for name in notebook.get("reads", ())}
    for name in sorted(loaded - set(store_processed.FROZEN)):
        shutil.copyfile(
            paths.processed_folder(dataset) / f"{name}.parquet", inputs / f"{name}.parquet"
        )
    shutil.copyfile(
        paths.processed_folder(dataset) / store_processed.AUDIT_FILE,
        inputs / store_processed.AUDIT_FILE,
    )
    shutil.copyfile(paths.project_root() / paths.SETTINGS_FILE, inputs / paths.SETTINGS_FILE)
    for own in paths.raw_folder(dataset).glob(SETTINGS):
        if file := paths.own_file(dataset, own.name):
            shutil.copyfile(file, inputs / OWN / own.name)


def make_view(
    scratch: Path, then: Edition, dataset: str, *, is_data_of_then: bool, are_settings_of_then: bool
) -> Path:
    """Make a project's folder in `scratch` in which `dataset` is as it was then; return it.

    Everything else is today's, by links: nothing is copied, nothing of today's can be changed.
    """
    today, inputs = paths.project_root(), then.folder / INPUTS
    root = scratch / f"view-{int(is_data_of_then)}{int(are_settings_of_then)}"
    raw, processed = root / "data" / "raw" / dataset, root / "data" / "processed" / dataset
    for folder in (raw, processed):
        folder.mkdir(parents=True)
    (root / "notebooks").symlink_to(today / "notebooks")
    (root / "data" / "history").symlink_to(today / "data" / "history")
    settings, own = (
        (inputs, inputs / OWN) if are_settings_of_then else (today, paths.raw_folder(dataset))
    )
    shutil.copyfile(settings / paths.SETTINGS_FILE, root / paths.SETTINGS_FILE)
    for file in own.glob(SETTINGS):
        shutil.copyfile(file, raw / file.name)
    _link(
        paths.raw_folder(dataset),
        raw,
        skip={f.name for f in paths.raw_folder(dataset).glob(SETTINGS)},
    )
    if is_data_of_then:
        parquet_files = [
            *then.folder.glob("*.parquet"),
            *inputs.glob("*.parquet"),
            inputs / store_processed.AUDIT_FILE,
        ]
        for file in parquet_files:
            (processed / file.name).symlink_to(file)
    _link(paths.processed_folder(dataset), processed, skip={f.name for f in processed.iterdir()})
    return root


def _link(source: Path, target: Path, *, skip: set[str]) -> None:
    for file in source.iterdir():
        if file.name not in skip:
            (target / file.name).symlink_to(file)


def stood_on(dataset: str, *, before: str) -> str:
    """Return the hash of the first editions and forecasts of quarters before `before`.

    Later reports show them.
    """
    digest = hashlib.sha256()
    for name in (FIRST, FORECASTS):
        for file in sorted(paths.history_folder(dataset).glob(f"*/{name}")):
            if file.parent.name < before:
                content: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
                figures = content.get("metrics", content)
                digest.update(
                    json.dumps([file.parent.name, name, figures], sort_keys=True).encode()
                )
    return digest.hexdigest()
