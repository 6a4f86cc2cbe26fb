"""Paths of the project's folders and files.

Every path of the project comes from here.  The root is the nearest folder at or above the working
directory that holds ``alignment.toml``; a run started elsewhere (cron, another folder) names it
in ``ALIGNMENT_ROI_ROOT``.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from analysis.project.errors import OwnMapError
from analysis.project.strange_files import why_strange

REVIEWS_FOLDER = "reviews"


SETTINGS_FILE = "alignment.toml"
LOCK_FILE = "requirements.lock"
AUDIT_FILE = "audit.json"  # of processed tables: the account of the cleaning pass
REQUESTS_FOLDER = "requests"  # of history: what was decided on each
REPORT_PDF = "alignment-roi.pdf"
REPORT_HTML = "alignment-roi.html"
REPORT_WORKBOOK = "alignment-roi.xlsx"
ROOT_VARIABLE = "ALIGNMENT_ROI_ROOT"
LOADED_VARIABLE = "ALIGNMENT_ROI_LOADED"  # names the file in which a run notes each table it loads
CODE_KINDS = {".py", ".toml", ".sql", ".typ", ".j2", ".css"}  # of the package's own files
DATASET_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TEAMS_FOLDER = "teams"  # of a quarter's report: the packs of its teams
HASH_DIGITS = 16
HASHED = re.compile(r"-[0-9a-f]{16}\Z")  # ends the folder of a team whose id is no plain name


def project_root() -> Path:
    """Return the project's folder.

    Raises
    ------
    FileNotFoundError
        If no ``alignment.toml`` stands at or above the working directory or in
        ``ALIGNMENT_ROI_ROOT``.
    """
    named = os.environ.get(ROOT_VARIABLE)
    here = Path(named) if named else Path.cwd()
    candidates = [here] if named else [here, *here.parents]
    for folder in candidates:
        if (folder / SETTINGS_FILE).is_file():
            return folder.resolve()
    raise FileNotFoundError(
        f"no {SETTINGS_FILE} in {here}{'' if named else ' or above'}. "
        "Start in the project's folder, or name it in ALIGNMENT_ROI_ROOT."
    )


def _dataset(name: str) -> str:
    # A dataset's name becomes a folder: nothing that could climb out of it is let through.
    if not DATASET_NAME.fullmatch(name):
        raise ValueError(
            f"dataset must be lower-case letters, digits, - or _ (at most 40), got {name!r}"
        )
    return name


def raw_folder(dataset: str) -> Path:
    """Return the folder of a dataset's exports as received."""
    return project_root() / "data" / "raw" / _dataset(dataset)


def own_file(dataset: str, name: str) -> Path | None:
    """Return a file of a dataset's own, such as its settings; None where there is none.

    Raises
    ------
    OwnMapError
        If it is no file of that folder: a link out of it, a pipe, a folder.
    """
    file = raw_folder(dataset) / name
    if not os.path.lexists(file):
        return None
    why = why_strange(file, raw_folder(dataset))
    if why is None and not file.is_file():
        why = "it is no file; move it away"
    if why:
        raise OwnMapError(f"data/raw/{dataset}/{name}: {why}.")
    return file


def own_files(dataset: str, folder: str) -> list[Path]:
    """Return the TOML files of a folder of a dataset's own, such as its rules, by name.

    Raises
    ------
    OwnMapError
        If it is no folder there: a link that leads out, of which not even the names are read.
    """
    place = raw_folder(dataset) / folder
    if not os.path.lexists(place):
        return []
    why = why_strange(place, raw_folder(dataset))
    if why is None and not place.is_dir():
        why = "it is no folder; move it away"
    if why:
        raise OwnMapError(f"data/raw/{dataset}/{folder}: {why}.")
    return sorted(place.glob("*.toml"))


def processed_folder(dataset: str) -> Path:
    """Return the folder of a dataset's clean tables and panels."""
    return project_root() / "data" / "processed" / _dataset(dataset)


def executed_folder(dataset: str, quarter: str) -> Path:
    """Return the folder of the notebooks as they ran for a quarter's report, with their keys."""
    return project_root() / "data" / "processed" / ".executed" / _dataset(dataset) / quarter


def history_folder(dataset: str) -> Path:
    """Return the folder with the inputs of a dataset's published reports."""
    return project_root() / "data" / "history" / _dataset(dataset)


def reports_folder() -> Path:
    """Return the folder of all reports."""
    return project_root() / "reports"


def report_folder(dataset: str, quarter: str) -> Path:
    """Return the folder of one dataset's report of one quarter."""
    return reports_folder() / _dataset(dataset) / quarter


def team_folder_name(team: str) -> str:
    """Return the name of a team's folder: its id where that is plain, else letters and a hash.

    A team's id is text of the data.  Two teams never share a folder, not even where a file system
    takes upper and lower case for the same.

    Examples
    --------
    >>> team_folder_name("emea-2")
    'emea-2'
    >>> team_folder_name("../../etc")
    'etc-74ccf3c5b4c19a81'
    """
    if DATASET_NAME.fullmatch(team) and not HASHED.search(team):
        return team
    digest = hashlib.sha256(team.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
    letters = re.sub(r"[^a-z0-9]+", "-", team.lower()).strip("-")[:23].strip("-")
    return f"{letters or 'team'}-{digest}"


def pack_folder(dataset: str, quarter: str, team: str) -> Path:
    """Return the folder of one team's pack, within the folder of the quarter's report."""
    return report_folder(dataset, quarter) / TEAMS_FOLDER / team_folder_name(team)


def notebooks_folder() -> Path:
    """Return the folder of the notebooks."""
    return project_root() / "notebooks"


def misnamed_folder(dataset: str) -> str | None:
    """Return a valid name for a folder of ``data/raw`` whose name no dataset can have."""
    folder = project_root() / "data" / "raw"
    if DATASET_NAME.fullmatch(dataset) or dataset not in {
        p.name for p in folder.glob("*") if p.is_dir()
    }:
        return None
    plain = re.sub(r"[^a-z0-9_-]+", "-", dataset.lower()).strip("-_")[:40]
    return plain if DATASET_NAME.fullmatch(plain) else "my-company"


def dataset_names() -> list[str]:
    """Return the datasets that have a folder in ``data/raw``."""
    folder = project_root() / "data" / "raw"
    return sorted(p.name for p in folder.glob("*") if p.is_dir() and DATASET_NAME.fullmatch(p.name))
