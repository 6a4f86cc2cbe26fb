"""Packs of all teams of a company against the same notebook run a team at a time.

The peer is what a scheduler without packs would do: papermill's command with a spawned kernel and
nbconvert for the PDF, one team after another; a few teams are run and taken for all.  Ours are
whole runs of the command line, data cleaned beforehand; shards run one after another here, so their
wall time is that of the longest.  All processes are counted, as in `report`; a cluster's CPU time
with its own start.  Memory is the most that all processes of a run hold at once, what they share
counted once (looked at each second).

After each way the packs are held against those of the first and, with `--by-hand`, against the
notebook run on the whole company with ``team`` named.  A company has as many teams as packs are
asked, 24 at least: the demo.

    python benchmarks/packs.py [--json] [--teams 6 24 96] [--peer-teams 3] [--by-hand] [--quick]
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cluster_commands
import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACK = report.HOUSE / "notebooks" / "9_team_pack.ipynb"
SHARDS, DEMO_TEAMS = 4, 24
EACH_TEAM = [*report.CLI, "report", "demo", "--force", "--each-team"]
LIST_TEAMS = """
from analysis.chapters.team_pack.company_side import packed_teams
from analysis.store.company import open_company
print(*packed_teams(open_company("demo")))
"""
BY_HAND = """
import json, sys
from pathlib import Path
from analysis.report import document, output
from analysis.report.run import notebooks
from analysis.report.run.notebook_jobs import Job
from analysis.store import manifest
for file in sorted(Path().glob("reports/demo/*/teams/*/manifest.json")):
    state = json.loads(file.read_text())
    (there,) = file.parent.glob("notebooks/*.ipynb")
    here = Path("by_hand.ipynb").absolute()
    root = Path().absolute()
    job = Job(root / "notebooks" / there.name, here, state["parameters"], root)
    assert notebooks.run_notebook(job).status == "ok"
    shown = document.make_document(
        [here], missing=[], **dict.fromkeys(("title", "company", "owner", "audience"), ""),
        quarter_label="", as_of="", notices=[], facts={})
    same = output.headline_metrics(shown["cover"]) == state["metrics"]
    cells = [json.loads(f.read_text())["cells"] for f in (there, here)]
    outputs = [[cell.get("outputs") for cell in each] for each in cells]
    print(state["team"], same, outputs[0] == outputs[1])
"""


class Way(NamedTuple):
    """A way to make packs: what it used, and what its packs are."""

    name: str
    use: report.Use
    mib: float
    packs: dict[str, dict[str, str]]


def peers_pack(root: Path, team: str) -> report.Use:
    """Return what one pack took the peer."""
    run = root / "peer.ipynb"
    commands = (
        ["-m", "papermill", "-k", "python3", str(PACK), str(run), "-p", "team", team],
        ["-m", "nbconvert", "--to", "alignment_pdf", str(run)],
    )
    uses = [report.measure_command(command, root) for command in commands]
    return report.Use(sum(u.cpu_s for u in uses), sum(u.wall_s for u in uses), "")


def measured(root: Path, name: str, run: Callable[[], report.Use]) -> Way:
    """Return a way with the most memory that its processes held at once, and its packs."""
    most, is_over = [0.0], threading.Event()

    def look() -> None:
        while not is_over.wait(1.0):
            most[0] = max(most[0], held_mib(root))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        use = run()
    finally:
        is_over.set()
        watch.join()
    return Way(name, use, most[0], cluster_commands.fingerprints(root))


def held_mib(root: Path) -> float:
    """Return the memory of all processes that work in a project, shared pages in equal parts."""
    mark, kib = f"ALIGNMENT_ROI_ROOT={root}".encode(), 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                lines = (process / "smaps_rollup").read_text().splitlines()
                kib += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return kib / 1024


def on_a_cluster(root: Path) -> report.Use:
    """Return what all packs took two workers on this machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with cluster_commands.Commands(root) as commands:
        port = cluster_commands.free_port()
        commands.scheduler(port)
        address = f"tcp://127.0.0.1:{port}"
        for _ in range(2):
            commands.worker(address)
        start = time.monotonic()
        process = commands.start(*cluster_commands.CLI, *EACH_TEAM[2:], "--dask", address)
        text, errors = process.communicate()
        wall = time.monotonic() - start
        assert process.returncode == 0, errors
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return report.Use(cpu, wall, text)


def in_shards(root: Path) -> report.Use:
    """Return what all packs took in four parts, one after another; wall is the longest part's."""
    uses = [
        report.measure_command([*EACH_TEAM, "--shard", f"{i}/{SHARDS}"], root)
        for i in range(1, SHARDS + 1)
    ]
    return report.Use(sum(u.cpu_s for u in uses), max(u.wall_s for u in uses), "")


def our_ways(root: Path, n_packs: int, teams: list[str], *, is_quick: bool) -> Iterator[Way]:
    """Yield each of our ways to make `n_packs` packs; all of them for the demo's teams."""
    named = [word for team in teams[:n_packs] for word in ("--team", team)]
    for workers in (2,) if is_quick or n_packs > DEMO_TEAMS else (1, 2):
        command = [*report.CLI, "report", "demo", "--force", "--workers", str(workers), *named]
        yield measured(
            root,
            f"{n_packs} packs, {workers} worker{'s' * (workers > 1)}",
            lambda command=command: report.measure_command(command, root),
        )
    if n_packs == len(teams) == DEMO_TEAMS:
        yield measured(root, f"{n_packs} packs, cluster of two", lambda: on_a_cluster(root))
        yield measured(root, f"{n_packs} packs, {SHARDS} shards", lambda: in_shards(root))


def new_project(root: Path, teams: int) -> list[str]:
    """Make a project whose company has so many teams, cleaned; return their ids."""
    root.mkdir()
    shutil.copy(report.HOUSE / "alignment.toml", root)
    shutil.copytree(report.HOUSE / "notebooks", root / "notebooks")
    (root / "tmp").mkdir()
    report.measure_command([*report.CLI, "demo", "--teams", str(teams)], root)
    report.measure_command([*report.CLI, "clean", "demo"], root)
    return report.measure_command(["-c", LIST_TEAMS], root).text.split()


def compared(ways: list[Way]) -> Iterator[str]:
    """Yield of each way how its packs stand to those of the first with as many."""
    for way in ways:
        first = next(w for w in ways if len(w.packs) == len(way.packs))
        same = sum(way.packs[t]["metrics"] == first.packs[t]["metrics"] for t in way.packs)
        pdfs = {each["pdf_sha256"] for each in way.packs.values()}
        whole = sum(way.packs[t] == first.packs[t] for t in way.packs)
        yield (
            f"{way.name}: {len(way.packs)} packs, {len(pdfs)} distinct PDFs; as {first.name}: "
            f"metrics of {same}, all files byte for byte of {whole}"
        )


def by_hand(root: Path) -> str:
    """Return of how many packs the notebook run by hand on the whole company shows the same."""
    ran = subprocess.run(
        [cluster_commands.CLI[0], "-c", BY_HAND], cwd=root, env=cluster_commands.environment(root),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split() for line in ran.stdout.splitlines()]
    metrics, cells = (sum(row[n] == "True" for row in rows) for n in (1, 2))
    return f"by hand: {len(rows)} packs, same metrics {metrics}, same outputs of every cell {cells}"


def main() -> None:
    """Print CPU and wall time and memory of each way to make packs, and how the packs compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--teams", type=int, nargs="+", default=[6, 24])
    parser.add_argument("--peer-teams", type=int, default=3)
    parser.add_argument("--by-hand", action="store_true")
    parser.add_argument("--quick", action="store_true", help="two workers alone")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(report.ADOPT_ORPHANS, 1)
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        rooms: dict[int, tuple[Path, list[str]]] = {}
        ways: list[Way] = []
        for n_packs in options.teams:
            n_teams = max(DEMO_TEAMS, n_packs)
            if n_teams not in rooms:
                root = Path(folder).resolve() / f"of{n_teams}"
                rooms[n_teams] = root, new_project(root, n_teams)
            root, teams = rooms[n_teams]
            if n_packs == options.teams[0] and options.peer_teams:
                peers = [peers_pack(root, team) for team in teams[: options.peer_teams]]
                cpu, wall = (sum(use[i] for use in peers) / len(peers) for i in (0, 1))
                _print("1 pack, papermill + nbconvert", report.Use(cpu, wall, ""), 0.0, options)
            shutil.rmtree(root / "reports", ignore_errors=True)
            for way in our_ways(root, n_packs, teams, is_quick=options.quick):
                ways.append(way)
                _print(way.name, way.use, way.mib, options)
            if options.by_hand:
                lines.append(f"{n_packs} packs {by_hand(root)}")
    for line in [*compared(ways), *lines]:
        print(json.dumps({"work": line}) if options.json else line)


def _print(work: str, use: report.Use, mib: float, options: Any) -> None:
    row = {"work": work, "cpu_s": use.cpu_s, "wall_s": use.wall_s, "mib": mib}
    plain = f"{work:32} {use.cpu_s:7.1f} CPU s {use.wall_s:7.1f} s {mib:7.0f} MiB"
    print(json.dumps(row) if options.json else plain, flush=True)


if __name__ == "__main__":
    main()
