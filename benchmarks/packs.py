"""Packs of all teams of the demo company against the same notebook run a team at a time.

The peer is what a scheduler without packs would do: papermill's command with a spawned kernel and
nbconvert for the PDF, one team after another; a few teams are run and taken for all.  Ours are
whole runs of the command line, data cleaned beforehand; shards run one after another here, so their
wall time is that of the longest.  All processes are counted, as in `report`.

    python benchmarks/packs.py [--json] [--teams 6 24] [--peer-teams 3]
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import report

if TYPE_CHECKING:
    from collections.abc import Iterator

PACK = report.HOUSE / "notebooks" / "9_team_pack.ipynb"
SHARDS = 4
LIST_TEAMS = """
from analysis.chapters.team_pack.company_side import packed_teams
from analysis.store.company import open_company
print(*packed_teams(open_company("demo")))
"""


def peers_pack(root: Path, team: str) -> report.Use:
    """Return what one pack took the peer."""
    run = root / "peer.ipynb"
    commands = (
        ["-m", "papermill", "-k", "python3", str(PACK), str(run), "-p", "team", team],
        ["-m", "nbconvert", "--to", "alignment_pdf", str(run)],
    )
    uses = [report.measure_command(command, root) for command in commands]
    return report.Use(sum(u.cpu_s for u in uses), sum(u.wall_s for u in uses), "")


def our_runs(root: Path, teams: list[str], counts: list[int]) -> Iterator[tuple[str, report.Use]]:
    """Yield each of our ways with what it used."""
    for n_teams in counts:
        named = [word for team in teams[:n_teams] for word in ("--team", team)]
        for workers in (1, 2):
            command = [*report.CLI, "report", "demo", "--force", "--workers", str(workers), *named]
            yield f"{n_teams} packs, {workers} workers", report.measure_command(command, root)
    shards = [
        report.measure_command(
            [*report.CLI, "report", "demo", "--force", "--each-team", "--shard", f"{i}/{SHARDS}"],
            root,
        )
        for i in range(1, SHARDS + 1)
    ]
    longest = max(use.wall_s for use in shards)
    yield (
        f"{len(teams)} packs, {SHARDS} shards",
        report.Use(sum(use.cpu_s for use in shards), longest, ""),
    )


def main() -> None:
    """Print CPU and wall time of each way to make packs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--teams", type=int, nargs="+", default=[6, 24])
    parser.add_argument("--peer-teams", type=int, default=3)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(report.ADOPT_ORPHANS, 1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(report.HOUSE / "alignment.toml", root)
        shutil.copytree(report.HOUSE / "notebooks", root / "notebooks")
        report.measure_command([*report.CLI, "demo", "--teams", str(max(24, *options.teams))], root)
        report.measure_command([*report.CLI, "clean", "demo"], root)
        teams = report.measure_command(["-c", LIST_TEAMS], root).text.split()
        peers = [peers_pack(root, team) for team in teams[: options.peer_teams]]
        rows = {}
        for n_teams in options.teams:
            cpu, wall = (sum(use[i] for use in peers) / len(peers) * n_teams for i in (0, 1))
            rows[f"{n_teams} packs, papermill + nbconvert"] = report.Use(cpu, wall, "")
        rows |= dict(our_runs(root, teams, options.teams))
    for work, use in rows.items():
        if options.json:
            print(json.dumps({"work": work, "cpu_s": use.cpu_s, "wall_s": use.wall_s}))
        else:
            print(f"{work:45} {use.cpu_s:7.2f} CPU s {use.wall_s:7.2f} s")


if __name__ == "__main__":
    main()
