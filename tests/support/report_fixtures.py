"""A project of its own in a temporary folder, the command line run in it, and what its reports hold."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from python_calamine import CalamineWorkbook

from analysis import cli
from analysis.report.output import MIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUSE = Path(__file__).parents[2]
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
PARAMETERS = 'quarter: str = "2026Q2"  # quarter\ndataset: str = "demo"  # folder\nasks: int = 3  # asks\nrate: float = 0.5  # share\nis_short: bool = False  # short\n'
USERS = """Id,Name,Email,Title,UserRoleId,IsActive,ManagerId,TimeZoneSidKey,UserType,CreatedDate,StartDate__c,EndDate__c,FTE__c
0055eZx00000RFBAB2,Yuki Lopez,yuki@northwind.example,Account Executive,,true,,UTC,Standard,2020-02-24T10:00:00.000Z,2020-02-24,,1
"""
DEALS = """Id,Name,AccountId,OwnerId,Type,StageName,IsClosed,IsWon,Amount,CurrencyIsoCode,Probability,CreatedDate,CloseDate,LeadSource,CampaignId,Primary_Product__c,IsDeleted
0065eZx00000RFBAB2,A,0015eZx00005eg8ABA,0055eZx00000RFBAB2,New Business,Closed Won,true,true,1000.00,USD,100,2026-01-04T16:31:01.000Z,2026-03-30,,,,false
0065eZx00000TIuABM,B,0015eZx00005eg8ABA,0055eZx00000RFBAB2,New Business,Closed Lost,true,false,2000.00,USD,0,2026-04-04T16:31:01.000Z,2026-06-30,,,,false
"""


class Ran(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def cell(source: str, *tags: str) -> dict[str, object]:
    """Return a code cell that was not run."""
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "execution_count": None,
        "outputs": [],
    }


def notebook(
    file: Path, *cells: dict[str, object] | str, needs: dict[str, list[str]] | None = None
) -> Path:
    """Write a notebook of these cells: a text that starts with # is markdown, any other code."""
    made = [
        {"cell_type": "markdown", "metadata": {}, "source": c}
        if isinstance(c, str) and c.startswith("#")
        else (cell(c) if isinstance(c, str) else c)
        for c in cells
    ]
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": KERNEL | {"alignment_roi": {"needs": needs or {}}},
        "cells": [c | {"id": f"c{i}"} for i, c in enumerate(made)],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def project(root: Path, *, notebooks: bool = False) -> Path:
    """Make a project with the house's settings and, if asked, its notebooks."""
    (root / "data" / "raw").mkdir(parents=True)
    (root / "notebooks").mkdir()
    shutil.copy(HOUSE / "alignment.toml", root)
    if notebooks:
        for file in (HOUSE / "notebooks").glob("*.ipynb"):
            shutil.copy(file, root / "notebooks")
    return root


def small(root: Path, dataset: str = "small") -> Path:
    """Make a project with a dataset of one rep and two deals, won in 2026Q1 and lost in 2026Q2."""
    folder = project(root) / "data" / "raw" / dataset
    folder.mkdir()
    (folder / "User.csv").write_text(USERS, encoding="utf-8")
    (folder / "Opportunity.csv").write_text(DEALS, encoding="utf-8")
    return root


@contextlib.contextmanager
def at(root: Path) -> Iterator[None]:
    """Work in this project: its root stands in the environment and is where kernels start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALIGNMENT_ROI_ROOT", str(root))
        patch.chdir(root)
        yield


def run(root: Path, *arguments: str) -> Ran:
    """Run `alignment-roi` in this process, as the console script does."""
    out, err = io.StringIO(), io.StringIO()
    with (
        at(root),
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["alignment-roi", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
    return Ran(int(end.value.code or 0), out.getvalue(), err.getvalue())


def manifest(root: Path, dataset: str, quarter: str) -> dict[str, object]:
    """Return the manifest of a report."""
    return json.loads(
        (root / "reports" / dataset / quarter / "manifest.json").read_text(encoding="utf-8")
    )


def files(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder, by its path there, locks aside."""
    found = sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix != ".lock")
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in found}


def kernels(root: Path) -> list[int]:
    """Return the kernels and workers a run in this project left.

    They carry its root in their environment; a forked kernel works in its folder.
    """
    mark = f"ALIGNMENT_ROI_ROOT={root}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            is_forked = b"kernel_zygote" in command and (process / "cwd").readlink() == root
            is_ours = is_forked or mark in (process / "environ").read_bytes().split(b"\0")
            # Python's own tracker of shared resources stays with the process that asked for workers.
            if is_ours and b"resource_tracker" not in command:
                found.append(int(process.name))
    return found


def until(happened, seconds=60):
    """Wait until it has happened; fail if it has not by then."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def squeezed(content):
    """Return a text without blanks, and without the places where a line may break."""
    return re.sub(r"[\s\u200b\u00ad]", "", content)


def rewrite(file: Path, change: Callable[[int, dict[str, str]], dict[str, str]]) -> None:
    """Change every row of a CSV file, given its number and itself."""
    with file.open(newline="", encoding="utf-8") as stream:
        rows = [change(i, row) for i, row in enumerate(csv.DictReader(stream))]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def cells_of(workbook):
    """Return every cell of every sheet."""
    book = CalamineWorkbook.from_path(str(workbook))
    return [
        cell
        for name in book.sheet_names
        for row in book.get_sheet_by_name(name).to_python()
        for cell in row
    ]


def payloads(folder):
    """Return what the executed notebooks of a report showed."""
    shown = []
    for file in sorted((folder / "notebooks").glob("*.ipynb")):
        for cell in json.loads(file.read_text())["cells"]:
            shown += [o["data"] for o in cell.get("outputs", []) if "data" in o]
    return shown


def tables_of(folder):
    """Return the cells of every table and of the data of every figure."""
    return [
        p.get("data", p)
        for p in (d[MIME] for d in payloads(folder) if MIME in d)
        if p["kind"] in {"table", "figure"}
    ]


def smallest_shown(folder):
    """Return the fewest reps behind any row or card that shows a value."""
    counted = [t for t in tables_of(folder) if "n_reps" in [c["key"] for c in t["columns"]]]
    assert len(counted) >= 6
    shown = []
    for table in counted:
        n = [c["key"] for c in table["columns"]].index("n_reps")
        shown += [row[n] for row in table["values"] if row[n]]
    cards = [
        c
        for p in (d[MIME] for d in payloads(folder) if MIME in d)
        if p["kind"] == "kpis"
        for c in p["cards"]
    ]
    return min(shown + [c["n"] for c in cards if c["n_of"] == "reps" and c["n"]])
