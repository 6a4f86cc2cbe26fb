"""Runs killed at random moments: what stands, what is left, and what the next run does again.

A small company is reported, and cleaned, and each time the command is killed (SIGKILL) somewhere
between its start and its end.  Then: every published file whole or absent, no kernel after five
seconds; after the next run nothing left in TMPDIR or beside the reports, history complete, and
only those notebooks run that had not ended.

    python benchmarks/kills.py [--kills 20] [--work report clean] [--notebooks 10] [--seed 7]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

HOUSE = Path(__file__).parents[1]
CLI = [sys.executable, "-c", "from analysis.cli import main; main()"]
COMPANY = ["demo", "--teams", "4", "--quarters", "6"]
HASHES = {"alignment-roi.pdf": "pdf", "alignment-roi.html": "html", "alignment-roi.xlsx": "xlsx"}
GONE_WITHIN = 5.0  # [s]; kernels after a kill


class Ended(NamedTuple):
    """What became of a kill and of the run after it."""

    work: str
    killed_s: float
    whole_s: float  # until the kill and after it: what a run takes just now
    was_over: bool
    reports: str  # whole, absent or torn
    kernels: int
    n_kept: int  # notebooks that had ended before the kill
    n_run: int  # notebooks that the next run ran
    left: int  # in TMPDIR and beside the reports, after the next run
    is_whole: bool  # the next run's report and history

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, left or done twice."""
        fine = self.reports != "torn" and not self.kernels and not self.left and self.is_whole
        return fine and (self.was_over or self.work == "clean" or self.n_run + self.n_kept == N_ALL)


N_ALL = 0  # notebooks of a whole report; counted by the first run


def run(root: Path, *arguments: str, seconds: float | None = None) -> tuple[bool, str, float]:
    """Run a command, killed after `seconds`; return whether it ended by itself, its lines, how
    long it took.
    """
    environment = os.environ | {
        "ALIGNMENT_ROI_ROOT": str(root),
        "OPENBLAS_NUM_THREADS": "1",
        "TMPDIR": str(root / "tmp"),
    }
    start = time.monotonic()
    with subprocess.Popen(
        [*CLI, *arguments], cwd=root, env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        try:
            lines, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            lines, _ = process.communicate()
            return False, lines, time.monotonic() - start
    assert process.returncode == 0, lines
    return True, lines, time.monotonic() - start


def state_of_reports(root: Path) -> str:
    """Return whether the published reports are whole, absent or torn."""
    folders = [f for f in root.glob("reports/demo/*") if not f.name.startswith(".")]
    for folder in folders:
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            for name, kind in HASHES.items():
                digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
                assert digest == manifest[f"{kind}_sha256"]
            for each in manifest["notebooks"]:
                if each["status"] == "ok":
                    file = folder / "notebooks" / f"{each['notebook']}.ipynb"
                    json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, AssertionError):
            return "torn"
    return "whole" if folders else "absent"


def are_tables_whole(root: Path) -> bool:
    """Return whether the clean tables are all there, or none of them."""
    folder = root / "data" / "processed" / "demo"
    if not folder.is_dir():
        return True
    try:
        json.loads((folder / "audit.json").read_text(encoding="utf-8"))
        for file in folder.glob("*.parquet"):
            pq.read_metadata(file)
    except (OSError, ValueError):
        return False
    return True


def is_history_whole(root: Path) -> bool:
    """Return whether history holds all that a published report stands on."""
    folder = max((root / "data" / "history" / "demo").glob("2*"), default=None)
    names = ("manifest.json", "first.json", "forecasts.json", "team_quarter.parquet")
    return bool(folder) and all((folder / name).is_file() for name in names)


def kernels_after(root: Path) -> int:
    """Return how many processes of this project are left five seconds after a kill."""
    end, mark = time.monotonic() + GONE_WITHIN, f"ALIGNMENT_ROI_ROOT={root}".encode()
    while time.monotonic() < end:
        if not _processes(root, mark):
            return 0
        time.sleep(0.1)
    return len(_processes(root, mark))


def _processes(root: Path, mark: bytes) -> list[str]:
    names = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            is_forked = b"kernel_zygote" in command and (process / "cwd").readlink() == root
            is_ours = mark in (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if (is_forked or is_ours) and b"resource_tracker" not in command:
            names.append(process.name)
    return names


def left_behind(root: Path) -> list[Path]:
    """Return what lies in TMPDIR and beside the published files that no run may leave."""
    places = [*(root / "tmp").glob("*"), *(root / "reports").glob(".*")]
    places += [*(root / "data" / "processed").glob(".demo-*"), *root.rglob(".*.part")]
    return [f for f in places if not f.name.startswith("pymp-")]


def n_run(lines: str) -> int:
    """Return how many notebooks a run ran to their end."""
    return lines.count('"event": "notebook"')


def n_kept(root: Path) -> int:
    """Return how many notebooks are kept with their key."""
    return len(list((root / "data" / "processed" / ".executed").rglob("*.json")))


def kill_once(root: Path, work: str, moment: float) -> Ended:
    """Kill a run after `moment` seconds and let another one follow."""
    published = [root / "reports" / "demo", root / "data" / "processed" / ".executed"]
    for folder in [*published, *(root / "data" / "history" / "demo").glob("2*")]:
        shutil.rmtree(folder, ignore_errors=True)
    if work == "clean":
        shutil.rmtree(root / "data" / "processed" / "demo", ignore_errors=True)
        arguments = ["clean", "demo"]
    else:
        arguments = ["report", "demo", "--progress", "json"]
    was_over, _, took = run(root, *arguments, seconds=moment)
    kernels = kernels_after(root)
    reports = state_of_reports(root) if are_tables_whole(root) else "torn"
    kept = n_kept(root)
    _, lines, after = run(root, *arguments)
    whole = are_tables_whole(root)
    if work == "report":
        whole &= state_of_reports(root) == "whole" and is_history_whole(root)
    return Ended(
        work, round(took, 1), round(took + after, 1), was_over, reports, kernels, kept,
        n_run(lines), len(left_behind(root)), whole,
    )  # fmt: skip


def main() -> None:
    """Print what became of each kill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--work", nargs="+", default=["report", "clean"])
    parser.add_argument("--notebooks", type=int, default=99, help="the first so many, as a report")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    global N_ALL  # noqa: PLW0603 - counted once
    draw = random.Random(options.seed)  # noqa: S311 - moments of kills
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        shutil.copy(HOUSE / "alignment.toml", root)
        (root / "notebooks").mkdir()
        for file in sorted(HOUSE.glob("notebooks/[1-9]_*.ipynb"))[: options.notebooks]:
            shutil.copy(file, root / "notebooks")
        if options.notebooks > 9:
            shutil.copy(HOUSE / "notebooks" / "10_joint_work.ipynb", root / "notebooks")
        (root / "tmp").mkdir()
        run(root, *COMPANY)
        length = {}
        _, _, length["clean"] = run(root, "clean", "demo")
        if "report" in options.work:
            _, lines, length["report"] = run(root, "report", "demo", "--progress", "json")
            N_ALL = n_run(lines)
        if not options.json:
            seconds = ", ".join(f"{work} {s:.1f} s" for work, s in length.items())
            print(f"whole: {seconds}, {N_ALL} notebooks")
        ends: list[Ended] = []
        for work in options.work:
            while sum(e.work == work and not e.was_over for e in ends) < options.kills:
                end = kill_once(root, work, draw.uniform(0.3, length[work]))
                length[work] = end.killed_s if end.was_over else end.whole_s
                ends.append(end)
                print(json.dumps(end._asdict()) if options.json else _line(end), flush=True)
    print(f"{sum(e.is_good for e in ends)} of {len(ends)} as they should be")


def _line(end: Ended) -> str:
    over = "ended before" if end.was_over else "killed"
    return (
        f"{end.work:<7} {over:<12} {end.killed_s:6.1f} s  reports {end.reports:<6} "
        f"kernels {end.kernels}  ended before {end.n_kept}, run after {end.n_run}  "
        f"left {end.left}  {'whole' if end.is_whole else 'NOT WHOLE'}"
    )


if __name__ == "__main__":
    main()
