"""Whatever stops one pack stops no other, and a cluster that is lost is asked for no more."""

import datetime as dt
import errno
import platform
import tempfile
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from analysis.report.run import cluster, fan_out, pack_job, packs, worker_code

FULL = OSError(errno.ENOSPC, "No space left on device", "roi-x/view")


def ended(error):
    future = Future()
    future.set_exception(error)
    return future


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (FULL, "failed", "could not: roi-x/view: No space left on device. Free some space"),
        (ZeroDivisionError("of a@b.example"), "failed", "ZeroDivisionError: of [address]"),
        (fan_out.WorkerDiedError(2, 1.0), "killed", "the process that ran it died"),
        (worker_code.WorkerMismatchError("worker on x: its lock"), "killed", "worker on x"),
    ],
)
def test_a_job_that_raises_is_a_pack_that_failed(error, status, words):
    result = packs._result_of("T1", ended(error))
    assert (result.team, result.outcome.status, result.is_ok) == ("T1", status, False)
    assert words in result.reason


def test_a_machine_whose_disk_takes_nothing_is_named(monkeypatch, tmp_path):
    """And it is a pack that failed, not the end of the run."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    day = dt.datetime(2026, 9, 30, tzinfo=dt.UTC)
    code = worker_code.code_version()
    job = pack_job.PackJob("demo", "T1", "9_team_pack.ipynb", b"", "", {}, {}, day, code)
    result = pack_job.make_pack(job)
    assert (result.is_ok, result.outcome.status) == (False, "failed")
    assert result.reason.startswith(f"on {platform.node()}: ")
    assert "No such file or directory" in result.reason


class LosingPool:
    """A pool that is lost with the second job it is handed; it notes what it was handed."""

    n_places, gave_up, handed = 1, "", ()

    def submit(self, _, job):
        self.handed = (*self.handed, job)
        if len(self.handed) == 2:
            self.gave_up = cluster.LOST
            return ended(cluster.ClusterLostError(cluster.LOST))
        future = Future()
        future.set_result(f"pack of {job}")
        return future

    def check(self):
        pass


def test_no_view_is_packed_for_a_cluster_that_is_lost():
    """Of five packs one is done; three views are not packed for nobody, and all are accounted for."""
    pool, jobs = LosingPool(), SimpleNamespace(job_of=lambda pack: pack.team)
    teams = [SimpleNamespace(team=f"T{n}") for n in range(1, 6)]
    got = {p.team: result for p, result in packs._results(pool, iter(teams), jobs, {})}
    assert pool.handed == ("T1", "T2")
    assert got == {"T1": "pack of T1"} | dict.fromkeys(("T2", "T3", "T4", "T5"), cluster.LOST)
