"""A project of its own for a test, and a tiny simulated company cleaned once."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small fits wait for more threads than they use

import pytest
from crm_tables import cleaned
from empty_project import make_project

from analysis.simulate.exports import write
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.store import processed

if TYPE_CHECKING:
    from pathlib import Path

# What takes longest begins first: else one worker waits at the end while the other makes reports.
LONGEST = (
    "tests/test_report.py",
    "tests/simulate/test_resave.py",
    "tests/cleaning/test_rules.py",
    "tests/report/run/test_publish.py",
    "tests/store/test_processed.py",
    "tests/test_trial.py",
    "tests/chapters/selling_time/test_selling_time_study.py",
    "tests/test_schedule.py",
    "tests/sources/cells/test_notation.py",
    "tests/sources/test_hubspot.py",
    "tests/test_report_hostile.py",
    "tests/panels/test_build_properties.py",
    "tests/stats/test_size_of_tests.py",
    "notebooks/4_aligned_vs_laggard.ipynb",
    "notebooks/3_selling_time.ipynb",
    "notebooks/5_alignment_roi.ipynb",
)
TINY = SimulatedCompany(n_teams=4, n_quarters=6)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; within a file the order stays."""
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


@pytest.fixture
def figure(record_property):
    """Return what notes a figure that a test reached, under the id of what it shows."""
    return lambda name, words: record_property("acceptance", (name, words))


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the figures noted: id, test and figure."""
    rows = [
        (*value, report.nodeid.partition("::")[2])
        for report in terminalreporter.stats.get("passed", [])
        for kind, value in report.user_properties
        if kind == "acceptance"
    ]
    if rows:
        terminalreporter.section("figures shown")
        for name, words, test in sorted(rows):
            terminalreporter.write_line(f"{name:<8} {test[:70]:<70}  {words}")


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """Return the root of an empty project with the settings of the house."""
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(tmp_path))
    return make_project(tmp_path)


@pytest.fixture
def raw(root) -> Path:
    """Return the empty folder of the dataset "here"."""
    folder = root / "data" / "raw" / "here"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def shared_raw(tmp_path_factory):
    """Return the same for a file whose tests read one pass over one folder and change nothing."""
    root = make_project(tmp_path_factory.mktemp("shared"))
    folder = root / "data" / "raw" / "here"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALIGNMENT_ROI_ROOT", str(root))
        yield folder


@pytest.fixture(scope="module")
def clean_folder(tmp_path_factory):
    """Return what writes a folder of the dataset "here" and cleans it, once for the tests that read that pass."""

    def clean(write_files, **options):
        root = make_project(tmp_path_factory.mktemp("clean"))
        folder = root / "data" / "raw" / "here"
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ALIGNMENT_ROI_ROOT", str(root))
            write_files(folder)
            return cleaned(**options)

    return clean


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory) -> Path:
    """Return the root of a project that holds the simulated company "tiny", cleaned: 4 teams, 6 quarters, dirt.

    The first worker that asks makes it for all, which only read it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "tiny_company"
    with (shared / "tiny_company.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "data" / "processed" / "tiny" / processed.AUDIT_FILE).is_file():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that did not come to its end
            write.write_exports(TINY, make_project(folder) / "data" / "raw" / "tiny")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("ALIGNMENT_ROI_ROOT", str(folder))
                processed.prepare_dataset("tiny")
    return folder


@pytest.fixture
def tiny(tiny_root, monkeypatch) -> Path:
    """Return the same root with the project's paths leading to it."""
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(tiny_root))
    return tiny_root
