"""What becomes of packs on a dask cluster when something goes wrong, each road as a user starts it.

Schedulers and workers are the commands of README, on this machine; the company is a small one.
Printed is how each run ended, and whether that is as it should be.

    python benchmarks/cluster_roads.py [--json] [--teams 6] [--only ROAD ...] [--address HOST]

`--address` is another address of this machine than 127.0.0.1, for the roads that leave it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cluster_commands import (
    CLI,
    HOUSE,
    Commands,
    Run,
    certificates,
    fingerprints,
    free_port,
    kill,
    report,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = "requirements.lock"
POISON = """
import os
from analysis.report.run import pack_job
def make_pack(job, whole=pack_job.make_pack):
    if job.team == os.environ["POISON"]:
        with open(os.environ["DEATHS"], "a") as file:
            file.write("one\\n")
        os._exit(1)
    return whole(job)
pack_job.make_pack = make_pack
"""


class Ended(NamedTuple):
    """How a road ended: exit code, last words, what came of it, and whether that is right."""

    road: str
    code: int
    wall_s: float
    says: str
    facts: str
    is_right: bool


def forget_packs(root: Path) -> None:
    """Remove every pack."""
    for folder in root.glob("reports/demo/*/teams"):
        shutil.rmtree(folder)


def left_behind(root: Path) -> list[str]:
    """Return names of folders with a team's rows that lie in TMPDIR."""
    return [f.name for f in (root / "tmp").glob("roi-*")]


def _times_done(address: str) -> dict[str, int]:
    """Return how often the scheduler saw each job done."""
    from distributed import Client  # noqa: PLC0415 - an optional extra

    def count(dask_scheduler: Any) -> dict[str, int]:
        times: dict[str, int] = {}
        for key, start, finish, *_ in dask_scheduler.transition_log:
            if str(key).startswith("job-") and (start, finish) == ("processing", "memory"):
                times[str(key)] = times.get(str(key), 0) + 1
        return times

    with Client(address, set_as_default=False) as client:
        return dict(client.run_on_scheduler(count))


class Roads:
    """The roads, on a project with a small company and what packs made by processes here are."""

    def __init__(self, root: Path, teams: int, address: str) -> None:
        """Write the company and make its packs once."""
        self.root, self.teams, self.address = root, teams, address
        with Commands(root) as commands:
            words = ["demo", "--teams", str(teams), "--quarters", "6"]
            assert commands.start(*CLI, *words).wait() == 0
            ran = report(commands, "--workers", "2")
        assert ran.code == 0, ran.errors
        self.here = fingerprints(root)

    @contextlib.contextmanager
    def cluster(self, n_workers: int = 2) -> Iterator[tuple[Commands, str, Any, list[Any]]]:
        """Start a scheduler and workers, as README has them."""
        with Commands(self.root) as commands:
            port = free_port()
            scheduler = commands.scheduler(port)
            address = f"tcp://127.0.0.1:{port}"
            workers = [commands.worker(address) for _ in range(n_workers)]
            yield commands, address, scheduler, workers

    def _ended(self, road: str, ran: Run, *, is_right: bool, **facts: object) -> Ended:
        last = (ran.errors.strip() or ran.lines[-1]).splitlines()
        words = ", ".join(f"{name.replace('_', ' ')}: {fact}" for name, fact in facts.items())
        return Ended(road, ran.code, round(ran.wall_s, 1), last[0][:150], words, is_right)

    def same(self) -> Ended:
        """The packs of a cluster are those of processes here, byte for byte."""
        forget_packs(self.root)
        with self.cluster() as (commands, address, _, _):
            ran = report(commands, "--dask", address)
        there = fingerprints(self.root)
        n_same = sum(self.here[team] == there.get(team) for team in self.here)
        return self._ended(
            "two workers", ran, is_right=ran.code == 0 and n_same == self.teams,
            equal_to_processes_here=f"{n_same} of {self.teams}", left=len(left_behind(self.root)),
        )  # fmt: skip

    def worker_killed(self) -> Ended:
        """One of two workers is switched off after two packs."""
        forget_packs(self.root)
        with self.cluster() as (commands, address, _, workers):
            ran = report(commands, "--dask", address, after=2, then=lambda: kill(workers[0]))
            done = _times_done(address)
            left = len(left_behind(self.root))
        n_same = sum(self.here[t] == got for t, got in fingerprints(self.root).items())
        each_once = sorted(p["team"] for p in ran.packs) == sorted(self.here)
        again = sum(n > 1 for n in done.values())
        return self._ended(
            "a worker killed", ran,
            is_right=(ran.code, n_same, again, left) == (0, self.teams, 0, 0) and each_once,
            packs=f"{n_same} of {self.teams}", each_once=each_once, finished_run_again=again,
            left=left,
        )  # fmt: skip

    def scheduler_killed(self) -> Ended:
        """The scheduler is switched off after two packs; the next run makes what is missing."""
        forget_packs(self.root)
        with self.cluster() as (commands, address, scheduler, _):
            ran = report(commands, "--dask", address, after=2, then=lambda: kill(scheduler))
        n_before = len(fingerprints(self.root))
        with Commands(self.root) as commands:
            again = report(commands, "--workers", "2")
        n_same = sum(self.here[t] == got for t, got in fingerprints(self.root).items())
        return self._ended(
            "the scheduler killed", ran,
            is_right=(ran.code, again.code, n_same) == (3, 0, self.teams)
            and n_before + len(again.packs) == self.teams,
            packs_before=n_before, made_by_the_next_run=len(again.packs),
            traceback="Traceback" in ran.errors,
        )  # fmt: skip

    def all_workers_killed(self) -> Ended:
        """Both workers are switched off after two packs, and none comes back."""
        forget_packs(self.root)
        with self.cluster() as (commands, address, _, workers):
            ran = report(
                commands, "--dask", address, after=2, then=lambda: [kill(w) for w in workers]
            )
        return self._ended(
            "both workers killed", ran,
            is_right=ran.code == 3 and "cluster was lost" in ran.errors,
            packs=len(fingerprints(self.root)),
        )  # fmt: skip

    def no_worker(self) -> Ended:
        """A scheduler to which no worker ever came."""
        with self.cluster(n_workers=0) as (commands, address, _, _):
            ran = report(commands, "--dask", address, "--force")
        return self._ended("no worker at all", ran, is_right=ran.code in (2, 3))

    def other_lock(self) -> Ended:
        """A second worker comes from the same code with another lock."""
        with self.cluster(n_workers=1) as (commands, address, _, _):
            other = self._other_install(LOCK)
            commands.worker(address, "--name", "other", PYTHONPATH=str(other / "src"))
            ran = report(commands, "--dask", address, "--force")
        named = "lock is not this run's" in ran.errors
        return self._ended("a worker of another lock", ran, is_right=ran.code == 2 and named)

    def other_lock_later(self) -> Ended:
        """The only worker dies after two packs and one of another lock takes its place."""
        forget_packs(self.root)
        other = self._other_install(LOCK)
        with self.cluster(n_workers=1) as (commands, address, _, workers):

            def exchange() -> None:
                kill(workers[0])
                commands.worker(address, PYTHONPATH=str(other / "src"))

            ran = report(commands, "--dask", address, after=2, then=exchange)
        n_same = sum(self.here[t] == got for t, got in fingerprints(self.root).items())
        named = "lock is not this run's" in ran.errors
        return self._ended(
            "a worker of another lock joins", ran, is_right=ran.code == 3 and named, packs=n_same
        )

    def other_code(self) -> Ended:
        """The only worker runs other code."""
        other = self._other_install("src/analysis/project/quarters.py")
        with self.cluster(n_workers=0) as (commands, address, _, _):
            commands.worker(address, PYTHONPATH=str(other / "src"))
            ran = report(commands, "--dask", address, "--force")
        named = "code is not this run's" in ran.errors
        return self._ended("a worker of other code", ran, is_right=ran.code == 2 and named)

    def without_package(self) -> Ended:
        """Scheduler and worker know nothing of this package."""
        stub = self.root / "stub" / "analysis"
        stub.mkdir(parents=True, exist_ok=True)
        (stub / "__init__.py").touch()
        with Commands(self.root) as commands:
            port = free_port()
            commands.scheduler(port, PYTHONPATH=str(stub.parent))
            address = f"tcp://127.0.0.1:{port}"
            commands.worker(address, PYTHONPATH=str(stub.parent))
            only_worker = report(commands, "--dask", address, "--force")
        with Commands(self.root) as commands:
            port = free_port()
            commands.scheduler(port, PYTHONPATH=str(stub.parent))
            commands.worker(f"tcp://127.0.0.1:{port}")
            ran = report(commands, "--dask", f"tcp://127.0.0.1:{port}", "--force")
        return self._ended(
            "a scheduler without this package", ran,
            is_right=(only_worker.code, ran.code) == (2, 2),
            worker_without_it=f"exit {only_worker.code}, {only_worker.errors.strip()[:100]}",
        )  # fmt: skip

    def _other_install(self, altered: str) -> Path:
        other = self.root / "other"
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(HOUSE / "src", other / "src")
        shutil.copy(HOUSE / LOCK, other)
        with (other / altered).open("a", encoding="utf-8") as stream:
            stream.write("# another\n")
        return other

    def in_clear(self) -> Ended:
        """A scheduler at another address of this machine, spoken to without TLS."""
        with Commands(self.root) as commands:
            port = free_port()
            commands.scheduler(port, self.address)
            ran = report(commands, "--dask", f"tcp://{self.address}:{port}", "--force")
        named = "pay would travel in clear" in ran.errors
        return self._ended("another address in clear", ran, is_right=ran.code == 2 and named)

    def open_to_all(self) -> Ended:
        """A scheduler asked at 127.0.0.1 that listens at every address, as dask does by itself."""
        with Commands(self.root) as commands:
            port = free_port()
            commands.scheduler(port, host="")
            commands.worker(f"tcp://{self.address}:{port}")
            ran = report(commands, "--dask", f"tcp://127.0.0.1:{port}", "--force")
        named = "open to other machines" in ran.errors
        return self._ended("a worker from elsewhere", ran, is_right=ran.code == 2 and named)

    def tls_without_certificate(self) -> Ended:
        """``tls://`` is asked of this machine without certificates."""
        with Commands(self.root) as commands:
            port = free_port()
            commands.scheduler(port, self.address)
            ran = report(commands, "--dask", f"tls://{self.address}:{port}", "--force")
        return self._ended("TLS without certificates", ran, is_right=ran.code == 2)

    def by_tls(self) -> Ended:
        """TLS to another address of this machine, with the certificates of README."""
        forget_packs(self.root)
        with Commands(self.root, certificates(self.root)) as commands:
            port = free_port()
            commands.scheduler(port, self.address)
            address = f"tls://{self.address}:{port}"
            for _ in range(2):
                commands.worker(address, "--host", self.address)
            ran = report(commands, "--dask", address)
        n_same = sum(self.here[t] == got for t, got in fingerprints(self.root).items())
        return self._ended(
            "TLS to another address", ran, is_right=(ran.code, n_same) == (0, self.teams),
            equal_to_processes_here=f"{n_same} of {self.teams}",
        )  # fmt: skip

    def stranger(self) -> Ended:
        """A run with a certificate of its own making asks a scheduler that has README's."""
        with Commands(self.root, certificates(self.root)) as commands:
            port = free_port()
            commands.scheduler(port, self.address)
            address = f"tls://{self.address}:{port}"
            commands.worker(address, "--host", self.address)
            (self.root / "theirs").mkdir(exist_ok=True)
            theirs = certificates(self.root / "theirs")
            with Commands(self.root, theirs) as foreign:
                ran = report(foreign, "--dask", address, "--force")
        return self._ended("TLS with a stranger's certificate", ran, is_right=ran.code == 2)

    def poison(self) -> Ended:
        """One team's job kills whatever worker takes it; dask starts them again."""
        forget_packs(self.root)
        team = sorted(self.here)[1]
        deaths = self.root / "deaths"
        deaths.write_text("")
        preload = self.root / "poison.py"
        preload.write_text(POISON)
        with self.cluster(n_workers=0) as (commands, address, _, _):
            for _ in range(2):
                commands.worker(address, "--preload", str(preload), POISON=team, DEATHS=str(deaths))
            ran = report(commands, "--dask", address)
        n_deaths = len(deaths.read_text().splitlines())
        others = {t: got for t, got in fingerprints(self.root).items() if t != team}
        n_same = sum(self.here[t] == got for t, got in others.items())
        return self._ended(
            "a job that kills its worker", ran,
            is_right=(ran.code, n_same, n_deaths) == (3, self.teams - 1, 2),
            workers_it_killed=n_deaths, packs_of_the_others=f"{n_same} of {self.teams - 1}",
        )  # fmt: skip

    def full_disk(self) -> Ended:
        """The disk of one of two workers is full (its TMPDIR is a device that takes nothing)."""
        forget_packs(self.root)
        small = self.root / "full"
        small.mkdir(exist_ok=True)
        with self.cluster(n_workers=1) as (commands, address, _, _):
            commands.worker(address, TMPDIR=str(small), LIMIT="64")
            ran = report(commands, "--dask", address)
        n_same = sum(self.here[t] == got for t, got in fingerprints(self.root).items())
        return self._ended(
            "a worker's disk is full", ran,
            is_right=ran.code == 3 and len(ran.packs) == self.teams,
            traceback="Traceback" in ran.errors, packs=f"{n_same} of {self.teams}",
        )  # fmt: skip


ROADS = (
    "same", "worker_killed", "scheduler_killed", "all_workers_killed", "no_worker", "other_lock",
    "other_lock_later", "other_code", "without_package", "in_clear", "open_to_all",
    "tls_without_certificate",
    "by_tls", "stranger", "poison", "full_disk",
)  # fmt: skip


def own_address() -> str:
    """Return the address by which this machine is reached from others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])


def main() -> None:
    """Print how each road ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--teams", type=int, default=6)
    parser.add_argument("--only", nargs="+", choices=ROADS, default=ROADS)
    parser.add_argument("--address", default=None)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    ended: list[Ended] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        shutil.copy(HOUSE / "alignment.toml", root)
        (root / "notebooks").mkdir()
        shutil.copy(HOUSE / "notebooks" / "9_team_pack.ipynb", root / "notebooks")
        (root / "tmp").mkdir()
        roads = Roads(root, options.teams, options.address or own_address())
        for name in [n for n in options.only for _ in range(options.times)]:
            ended.append(getattr(roads, name)())
            print(json.dumps(ended[-1]._asdict()) if options.json else _line(ended[-1]), flush=True)
    print(f"{sum(e.is_right for e in ended)} of {len(ended)} as they should be")


def _line(end: Ended) -> str:
    right = "as it should" if end.is_right else "NOT AS IT SHOULD"
    return f"{end.road}: exit {end.code}, {end.wall_s} s, {right}; {end.facts}\n    {end.says}"


if __name__ == "__main__":
    main()
