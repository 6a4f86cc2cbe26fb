"""Which commit the code is, asked of real work trees."""

import shutil
import subprocess

import pytest

from analysis.project.code_revision import code_revision

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="install git to run this")


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@ours.example"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def package(tmp_path):
    """Return the package's folder in a work tree with one commit."""
    folder = tmp_path / "tree" / "src" / "analysis"
    folder.mkdir(parents=True)
    (folder / "cost.py").write_text("x = 1\n")
    git(tmp_path / "tree", "init", "-q")
    git(tmp_path / "tree", "add", "-A")
    git(tmp_path / "tree", "commit", "-qm", "first")
    return folder


def test_a_commit_is_named_and_is_changed_once_code_differs(package):
    first = code_revision(package)
    assert len(first.commit) == 40
    assert not first.is_changed
    (package / "cost.py").write_text("x = 2\n")
    assert code_revision(package) == (first.commit, True)
    git(package, "commit", "-qam", "second")
    second = code_revision(package)
    assert second.commit != first.commit
    assert not second.is_changed


def test_code_that_git_does_not_know_is_a_change_and_data_are_none(package):
    tree = package.parents[1]
    (tree / "reports").mkdir()
    (tree / "reports" / "x.pdf").write_text("x")
    assert not code_revision(package).is_changed
    (package / "new.py").write_text("")
    assert code_revision(package).is_changed


def test_without_a_work_tree_of_its_own_there_is_no_revision(package, tmp_path):
    """A package installed into somebody else's repository is not of its commits."""
    other = package.parents[1] / "lib" / "analysis"
    other.mkdir(parents=True)
    assert code_revision(other) is None
    (tmp_path / "bare" / "src" / "analysis").mkdir(parents=True)
    assert code_revision(tmp_path / "bare" / "src" / "analysis") is None
