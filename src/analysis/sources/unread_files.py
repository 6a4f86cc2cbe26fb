"""Entries of a dataset's folder that are not exports.

Ours, or a file that must be named lest a table is missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from analysis.project.nearest_name import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

OWN_TOML = ("fields.toml", "alignment.toml", "growth.toml", "sales_ready.toml")
OWN_FOLDERS = ("rules", "reviews")
TRUTH = "truth.json"  # of a simulated company: for tests, never an export
PULLED = "pulled.json"  # what a pull wrote beside its files
_SAVE = "save it as XLSX or CSV"
REMEDIES = {
    **dict.fromkeys(
        (".xlsb", ".ods", ".fods", ".numbers", ".gsheet"),
        f"it is a spreadsheet of another kind; {_SAVE}",
    ),
    **dict.fromkeys(
        (".html", ".htm", ".mht"), f"it is a web page; open it in a spreadsheet and {_SAVE}"
    ),
    **dict.fromkeys(
        (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"),
        "it is an archive; unpack it and put the exports inside into the folder",
    ),
    **dict.fromkeys(
        (".pdf", ".doc", ".docx", ".png", ".jpg"),
        f"it is no table; export the rows themselves, or {_SAVE}",
    ),
    **dict.fromkeys(
        (".db", ".sqlite", ".mdb", ".accdb", ".sql"),
        "it is a database; export its tables as CSV or Parquet",
    ),
    ".xml": "it is XML; export it as CSV or JSON",
    "": "it is a file without a suffix; call it by what it is, such as .csv",
}


def is_ours(path: Path) -> bool:
    """Return whether an entry of a dataset's folder belongs to this package or to the system."""
    name = path.name.casefold()
    if name.startswith((".", "~$", "readme")) or name in {
        TRUTH,
        PULLED,
        "thumbs.db",
        "desktop.ini",
        "__macosx",
    }:
        return True
    if path.is_dir():
        return name in OWN_FOLDERS or not any(path.iterdir())
    return name in OWN_TOML


def _workbook_of_old(path: Path) -> str:
    """Say what a file called .xls is by how it begins."""
    with path.open("rb") as stream:
        start = stream.read(2_000)
    if start.startswith(b"PK"):
        return "it is an XLSX by its content; call it .xlsx"
    if b"<table" in start.lower() or b"<html" in start.lower() or start.lstrip().startswith(b"<"):
        return f"it is a web page's table under the name of a spreadsheet; open it and {_SAVE}"
    return f"it is a spreadsheet of the old kind; {_SAVE}"


def unread_remedy(path: Path) -> str:
    """Say why an entry of a dataset's folder is not read, and what to do."""
    suffix = path.suffix.casefold()
    if path.is_dir():
        n_files = sum(1 for f in path.rglob("*") if f.is_file())
        return (
            f"it is a folder ({n_files:,} files), and folders are not looked into; move exports "
            "of it up beside the others"
        )
    if suffix == ".toml":
        hint = did_you_mean(path.name, OWN_TOML, cutoff=0.0)
        return f"nothing reads it; settings and maps are called {', '.join(OWN_TOML)}.{hint}"
    if suffix == ".xls":
        return _workbook_of_old(path)
    return REMEDIES.get(suffix, f"nothing reads files called {suffix}; {_SAVE}")


def refuse_file(_connection: object, file: Path, _known: object, _table: str) -> NoReturn:
    """Refuse an entry of a dataset's folder that no loader reads.

    It stands where a loader would.
    """
    raise ValueError(unread_remedy(file))
