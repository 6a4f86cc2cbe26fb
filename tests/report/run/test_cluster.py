"""A cluster is spoken to only where that is safe, and only if its workers run the same code."""

import gc
import importlib
import logging
import subprocess
import time

import pytest

from analysis.project.errors import ClusterError
from analysis.report.run import cluster, fan_out, worker_code

HAS_EXTRA = pytest.mark.skipif(
    "not __import__('importlib').util.find_spec('distributed')",
    reason="the extra `cluster` is not installed",
)
VERSION = worker_code.CodeVersion("c", "l", "pandas 3", "3.11")


@pytest.mark.parametrize(
    "address",
    ["tls://10.0.0.5:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:1"],
)
def test_a_scheduler_is_spoken_to_by_tls_or_on_this_machine(address):
    cluster.require_safe_address(address)


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("tcp://10.0.0.5:8786", "pay would travel in clear. Use tls://"),
        ("tcp://127.0.0.1.example.com:8786", "pay would travel in clear"),
        ("tcp://0.0.0.0:8786", "pay would travel in clear"),
        ("ucx://127.0.0.1:8786", "takes the address of a scheduler"),
        ("inproc://127.0.0.1:1", "takes the address of a scheduler"),
        ("127.0.0.1:8786", "takes the address of a scheduler"),
        ("tls://host", "takes the address of a scheduler"),
        ("tls://:8786", "takes the address of a scheduler"),
        ("tls://host:port", "takes the address of a scheduler"),
        ("tls://[::1:8786", "takes the address of a scheduler"),
        ("tcp://127.0.0.1:99999", "takes the address of a scheduler"),
        ("tcp://127.0.0.1:8786/x", "takes the address of a scheduler"),
        ("tcp://10.0.0.5:80@127.0.0.1:8786", "takes the address of a scheduler"),
        ("tcp://127.0.0.1:87\n86", "takes the address of a scheduler"),
        ("", "takes the address of a scheduler"),
        ("tcp://127.1:8786", "pay would travel in clear"),
    ],
)
def test_any_other_address_is_refused(address, match):
    with pytest.raises(ClusterError, match=match):
        cluster.require_safe_address(address)


@pytest.mark.skipif(
    "__import__('importlib').util.find_spec('distributed')",
    reason="the extra `cluster` is installed; without it this runs",
)
def test_without_the_extra_one_line_says_what_to_install():
    with pytest.raises(ClusterError, match="not installed: make cluster"):
        cluster.ClusterPool("tcp://127.0.0.1:1")


@HAS_EXTRA
def test_tls_without_certificates_says_where_they_are_named(capfd):
    with pytest.raises(ClusterError, match=r"needs certificates\. Name them in DASK_DISTRIBUTED"):
        cluster.ClusterPool("tls://127.0.0.1:1")
    gc.collect()  # a client left half made would complain, twenty seconds later
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lock": "m"}, "its lock is not this run's"),
        ({"code": "d", "packages": "pandas 4"}, "its code and packages are not this run's"),
    ],
)
def test_a_worker_that_differs_is_named_with_what_differs(change, words):
    differs = worker_code.differences(VERSION._replace(**change), VERSION)
    assert words in worker_code.mismatch_words("worker tcp://127.0.0.1:1", differs)
    assert worker_code.mismatch_words("worker tcp://127.0.0.1:1", differs).startswith("worker tcp")


def test_a_job_of_another_version_is_refused_by_the_machines_name():
    own = worker_code.code_version()
    worker_code.require_same(own)
    with pytest.raises(worker_code.WorkerMismatchError, match=r"worker on .*: its lock is not"):
        worker_code.require_same(own._replace(lock="another"))


@pytest.fixture
def here():
    """Return a cluster of one worker in this process."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        dashboard_address=None,
        protocol="tcp",
    ) as started:
        yield started


def jobs_of(here):
    """Return the jobs that the scheduler knows of."""
    return [key for key in here.scheduler.tasks if str(key).startswith("job-")]


@HAS_EXTRA
def test_a_job_is_done_on_a_worker_and_one_that_raises_says_what(here):
    """A cluster of one process on this machine: the same interface, the same errors."""
    with cluster.ClusterPool(here.scheduler_address) as pool:
        futures = [pool.submit(divmod, 7, 2), pool.submit(divmod, 7, 2), pool.submit(divmod, 7, 0)]
        assert [f.result(30) for f in futures[:2]] == [(3, 1), (3, 1)]
        with pytest.raises(ZeroDivisionError):
            futures[2].result(30)
        assert here.scheduler.allowed_failures == 1
        pool.check()


@HAS_EXTRA
def test_what_is_done_is_not_kept_by_the_cluster(here):
    """A worker that dies would have it made again, and holds every pack until then."""
    with cluster.ClusterPool(here.scheduler_address) as pool:
        futures = [pool.submit(divmod, n, 2) for n in range(3)]
        assert [f.result(30) for f in futures] == [(0, 0), (0, 1), (1, 0)]
        end = time.monotonic() + 10
        while jobs_of(here) and time.monotonic() < end:
            time.sleep(0.05)
        assert jobs_of(here) == []


@HAS_EXTRA
def test_a_worker_holds_one_job_at_a_time(here):
    """A death is counted against each job handed to the worker, so the others wait here."""
    with cluster.ClusterPool(here.scheduler_address) as pool:
        assert pool.n_places == 0
        futures = [pool.submit(time.sleep, 0.3) for _ in range(4)]
        assert pool.n_places == 1
        most = 0
        while not all(f.done() for f in futures):
            (worker,) = here.scheduler.workers.values()
            most = max(most, len(worker.processing))
            time.sleep(0.02)
        assert most == 1


@HAS_EXTRA
def test_a_worker_that_comes_later_and_differs_ends_the_run_by_its_name(here):
    """It would refuse one job after another, faster than the others do them."""
    with cluster.ClusterPool(here.scheduler_address) as pool:
        other = worker_code.code_version()._replace(lock="another")
        first = pool.submit(worker_code.require_same, other)
        with pytest.raises(worker_code.WorkerMismatchError, match="its lock is not this run's"):
            first.result(30)
        with pytest.raises(cluster.ClusterLostError, match="its lock is not this run's"):
            pool.submit(divmod, 7, 2).result(30)
        assert "its lock is not" in pool.gave_up


@HAS_EXTRA
def test_a_worker_without_this_package_ends_the_run_too(here):
    """Dask tells of it by an exception of no kind of its own."""
    with cluster.ClusterPool(here.scheduler_address) as pool:
        with pytest.raises(worker_code.WorkerMismatchError, match=r"lacks this package.*no_such"):
            pool.submit(importlib.import_module, "no_such").result(30)
        assert "lacks this package" in pool.gave_up


@HAS_EXTRA
def test_a_scheduler_here_that_workers_elsewhere_can_reach_is_refused():
    """It is asked at 127.0.0.1, and hands what it is sent to whoever joined it from outside."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        processes=False,
        dashboard_address=None,
        protocol="tcp",
        host="0.0.0.0",  # noqa: S104 - as `dask scheduler` listens unless a host is named
    ) as open_to_all:
        port = open_to_all.scheduler_address.rpartition(":")[2]
        if "//127." in open_to_all.scheduler_address:
            pytest.skip("this machine has no address but its own")
        with pytest.raises(ClusterError, match="open to other machines, and pay would travel"):
            cluster.ClusterPool(f"tcp://127.0.0.1:{port}")


@HAS_EXTRA
def test_a_scheduler_that_goes_away_is_one_message_and_no_log(here, capfd):
    """What is open ends at once, and so does what is handed in afterwards."""
    pool = cluster.ClusterPool(here.scheduler_address)
    open_job = pool.submit(time.sleep, 2)
    here.close()
    with pytest.raises(cluster.ClusterLostError, match=r"the cluster was lost\. Run it again"):
        open_job.result(20)
    with pytest.raises(cluster.ClusterLostError, match="the cluster was lost"):
        pool.submit(divmod, 7, 2).result(20)
    pool.shutdown()
    assert "Error" not in capfd.readouterr().err
    assert not logging.getLogger("distributed.client").isEnabledFor(logging.ERROR)


@HAS_EXTRA
def test_a_cluster_without_workers_is_not_waited_for_long(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "WORKERLESS_TIME", 0.5)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None, protocol="tcp") as empty,
        pytest.raises(
            ClusterError, match=r"no worker came within 0 s\. Start one: dask worker tcp"
        ),
    ):
        cluster.ClusterPool(empty.scheduler_address)


@pytest.mark.study
@HAS_EXTRA
def test_a_job_that_kills_its_worker_is_tried_twice_and_takes_no_other_with_it(tmp_path):
    """Two workers, each a process; the others are done, whichever worker they waited for."""
    from distributed import LocalCluster

    deaths = tmp_path / "deaths"
    kill = ["sh", "-c", 'echo one >> "$0"; kill -9 $PPID', str(deaths)]
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as two,
        cluster.ClusterPool(two.scheduler_address) as pool,
    ):
        futures = [pool.submit(time.sleep, 0.2) for _ in range(2)]
        poison = pool.submit(subprocess.run, kill)
        futures += [pool.submit(time.sleep, 0.2) for _ in range(6)]
        end = time.monotonic() + 60
        while not all(f.done() for f in (poison, *futures)) and time.monotonic() < end:
            time.sleep(0.1)
            pool.check()
        with pytest.raises(fan_out.WorkerDiedError, match="the process that ran it died"):
            poison.result(0)
        assert [f.exception(0) for f in futures] == [None] * 8
    assert deaths.read_text().split() == ["one", "one"]
