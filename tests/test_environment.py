"""The ways to install the project name the same packages: pyproject, conda, lock."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
ON_CONDA = {"python-duckdb": "duckdb"}  # where conda-forge has another name for it
LOCKS = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["test"]],
    "requirements-lint.lock": EXTRAS["lint"],
    "requirements-oracle.lock": EXTRAS["oracle"],
    "requirements-cluster.lock": EXTRAS["cluster"],
    "requirements-warehouse.lock": [r for r in EXTRAS["warehouse"] if r not in EXTRAS["test"]],
}
ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?P<rest>.*\n(?: {4}--hash=.*\n)*)",
    re.MULTILINE,
)


def _ranges(requirements: list[str]) -> dict[str, str]:
    """Return the version range of each package, its parts in one order."""
    found = [Requirement(r) for r in requirements]
    return {
        ON_CONDA.get(canonicalize_name(r.name), canonicalize_name(r.name)): str(r.specifier)
        for r in found
    }


def _entries(lock: str) -> list[re.Match[str]]:
    return list(ENTRY.finditer((ROOT / lock).read_text(encoding="utf-8")))


def test_conda_and_pyproject_name_the_same_packages_and_ranges():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    by_pip = next(entry["pip"] for entry in conda if isinstance(entry, dict))
    assert "-e ." in by_pip
    named = [e for e in conda if isinstance(e, str) and e != "pip"] + [
        e for e in by_pip if e != "-e ."
    ]
    python = f"python{PROJECT['requires-python']}"
    assert _ranges(named) == _ranges([python, *PROJECT["dependencies"], *EXTRAS["test"]])


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_every_dependency_within_its_range(lock):
    held: dict[str, list[str]] = {}
    for entry in _entries(lock):
        held.setdefault(canonicalize_name(entry["name"]), []).append(entry["version"])
    for requirement in map(Requirement, LOCKS[lock]):
        versions = held.get(canonicalize_name(requirement.name), [])
        assert versions, f"{lock} lacks {requirement.name}; CONTRIBUTING.md says how to refresh it"
        assert all(requirement.specifier.contains(v) for v in versions), (
            f"{lock}: {requirement.name} {versions}"
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_complete_hashed_and_names_no_host(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = _entries(lock)
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(entries) == len(lines), "a line that is no pinned package"
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", e["rest"]) for e in entries)
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url |--find-links|--trusted-host", text)


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock != "requirements.lock"])
def test_a_further_lock_holds_only_what_it_adds(lock):
    """Linting must not bring in another version of what runs; what runs on one system alone it may add elsewhere."""
    base = {e["name"]: e for e in _entries("requirements.lock")}
    shared = [(e, base[e["name"]]) for e in _entries(lock) if e["name"] in base]
    assert all(mine["version"] == theirs["version"] for mine, theirs in shared)
    assert all("sys_platform" in theirs["rest"].partition("--hash")[0] for _, theirs in shared)


@pytest.mark.parametrize(
    "requirement",
    [*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["lint"], *EXTRAS["warehouse"]],
)
def test_contributing_says_version_licence_weight_and_reason_of_each_package(requirement):
    """The version is the lock's; the other three are there."""
    name = Requirement(requirement).name
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [line] = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
    version, *rest = (cell.strip() for cell in line.strip("|").split("|")[1:])
    locked = {e["version"] for lock in LOCKS for e in _entries(lock) if e["name"] == name}
    assert set(re.findall(r"\d[\w.]*", version.replace("from Python 3.12", ""))) == locked
    assert all(rest)
