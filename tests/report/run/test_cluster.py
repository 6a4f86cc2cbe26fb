"""A cluster is spoken to only where that is safe, and only if its workers run the same code."""

import pytest

from analysis.project.errors import ClusterError
from analysis.report.run import cluster, worker_code

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


@HAS_EXTRA
def test_a_job_is_done_on_a_worker_and_one_that_raises_says_what():
    """A cluster of one process on this machine: the same interface, the same errors."""
    from distributed import LocalCluster

    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            protocol="tcp",
        ) as here,
        cluster.ClusterPool(here.scheduler_address) as pool,
    ):
        futures = [pool.submit(divmod, 7, 2), pool.submit(divmod, 7, 2), pool.submit(divmod, 7, 0)]
        assert [f.result(30) for f in futures[:2]] == [(3, 1), (3, 1)]
        with pytest.raises(ZeroDivisionError):
            futures[2].result(30)
        assert here.scheduler.allowed_failures == 1
        pool.check()
