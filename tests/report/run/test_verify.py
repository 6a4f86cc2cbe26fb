"""What a report is refused for before it runs, and whether it can be verified afterwards."""

import fcntl
import hashlib
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from delivered_project import publish_small, pull_again, pull_small
from report_fixtures import at, cell, manifest, notebook, run, small

from analysis.store import manifest as manifests
from analysis.store import published_runs
from analysis.store.company import open_company

PARAMETERS = 'quarter: str = "x"  # quarter\ndataset: str = "x"  # folder'
FINE = "## Answer\n\nFine."  # words only: its kernel need not load the package


@pytest.fixture
def root(tmp_path):
    """Return a project of two deals and one notebook that says `Fine.`"""
    folder = small(tmp_path / "project")
    notebook(
        folder / "notebooks" / "1_fine.ipynb", "# Is it fine?", cell(PARAMETERS, "parameters"), FINE
    )
    return folder


def test_a_wrong_review_is_refused_before_a_kernel_starts(root):
    folder = root / "data" / "raw" / "small" / "reviews"
    folder.mkdir()
    (folder / "2026Q1.toml").write_text("held_on = 2026-04-21\nactoins = []\n")
    ran = run(root, "report", "small")
    assert ran.code == 1
    assert "reviews/2026Q1.toml: 1 entry is wrong\n  actoins is no key of a review." in ran.err
    assert "1_fine" not in ran.out


def test_a_report_as_of_a_day_can_be_verified(root):
    """The manifest keeps the day asked for: the exports of then are not those of the latest date."""
    ran = run(root, "report", "small", "--quarter", "2026Q1", "--as-of", "2026-05-15")
    assert (ran.code, ran.err) == (0, "")
    pdf = str(root / "reports" / "small" / "2026Q1" / "alignment-roi.pdf")
    assert manifest(root, "small", "2026Q1")["as_of_given"] == "2026-05-15"
    assert run(root, "verify", pdf).code == 0
    page = root / "reports" / "small" / "2026Q1" / "alignment-roi.html"
    assert run(root, "verify", str(page)).code == 0
    copy = Path(shutil.copytree(page.parent, root.parent / "copy"))
    book = copy / "alignment-roi.xlsx"
    book.chmod(0o400)
    copy.chmod(0o500)
    assert run(root, "verify", str(book)).code == 0
    page.write_bytes(page.read_bytes().replace(b"Fine.", b"Bad."))
    ran = run(root, "verify", str(page))
    assert ran.code == 1
    assert "the file is not the one that was published" in ran.out
    with (root / "data" / "processed" / ".small.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = run(root, "verify", pdf)
    assert ran.code == 75
    assert "another run works on small" in ran.err


@pytest.fixture(scope="module")
def once_pulled(tmp_path_factory):
    """Return a project whose deals were pulled, with a report."""
    folder = small(tmp_path_factory.mktemp("pulled") / "project")
    pull_small(folder).close()
    publish_small(folder)
    return folder


@pytest.fixture
def of_pull(once_pulled, tmp_path):
    """Return a copy of that project, a session that changes its deals, and a copy of its report."""
    folder = Path(shutil.copytree(once_pulled, tmp_path / "project"))
    house = folder / "alignment.toml"
    house.write_text(house.read_text().replace(str(once_pulled), str(folder)))
    report = folder / "reports" / "small" / "2026Q2" / "alignment-roi.pdf"
    session = sqlite3.connect(folder / "crm.sqlite")
    yield folder, session, Path(shutil.copy(report, tmp_path / "first.pdf"))
    session.close()


def change(root: Path, session: sqlite3.Connection, amount: float) -> None:
    """Change the deal won in the warehouse, and pull."""
    session.execute(
        "update opportunity set amount = ?, _fivetran_synced = '2026-07-01' where stage_name = 'Closed Won'",
        (amount,),
    )
    session.commit()
    pull_again(root)


def test_a_report_made_from_pulled_tables_holds_as_long_as_nothing_changed(of_pull):
    root, _, first = of_pull
    pull_again(root)
    ran = run(root, "verify", str(first))
    assert (ran.code, "follows from today's data and code" in ran.out) == (0, True)


def test_a_report_made_before_a_pull_holds_by_what_history_keeps(of_pull):
    """Also once two later editions stand in its place, and the second of the three does too."""
    root, session, first = of_pull
    change(root, session, 7.0)
    second = Path(shutil.copy(publish_small(root), first.with_name("second.pdf")))
    change(root, session, 8.0)
    publish_small(root)
    for copy in (first, second):
        ran = run(root, "verify", str(copy))
        assert ran.code == 0, ran.out
        assert "small 2026Q2 follows from the tables pulled 2" in ran.out
        assert "history keeps their hashes, as the pull of 2" in ran.out


def test_a_pack_made_before_a_pull_holds_by_what_history_keeps(of_pull):
    """It names its team, and no figure of an earlier report stands in it."""
    root, session, first = of_pull
    with at(root):
        company = open_company("small", quarter="2026Q2")
        parameters = {"dataset": "small", "quarter": "2026Q2", "team": "north"}
        run_id = manifests.pack_run_id(replace(company, team="north"), parameters)
        pack = first.with_name("pack.pdf")
        pack.write_bytes(f"%PDF run:{run_id}".encode())
        state = manifests.read_manifest(company.paths.report)
        digest = hashlib.sha256(pack.read_bytes()).hexdigest()
        about = {"run_id": run_id, "team": "north", "parameters": parameters, "pdf_sha256": digest}
        published_runs.keep_run(state | about)
    change(root, session, 7.0)
    ran = run(root, "verify", str(pack))
    assert (ran.code, "small 2026Q2 of team north follows from the tables" in ran.out) == (0, True)


def spoil(root: Path, what: str) -> None:
    """Change something that no pull changes."""
    raw = root / "data" / "raw" / "small"
    if what == "an export of another hand":
        (raw / "User.csv").write_text((raw / "User.csv").read_text().replace("Yuki", "Yoko"))
    elif what == "a pulled file":
        deals = pd.read_parquet(raw / "opportunity.parquet")
        deals.assign(amount="9").to_parquet(raw / "opportunity.parquet")
    elif what == "a setting":
        house = root / "alignment.toml"
        house.write_text(house.read_text().replace("hours_per_day = 8.0", "hours_per_day = 7.0"))
    else:
        shutil.rmtree(root / "data" / "history")
        shutil.rmtree(root / "reports")  # another edition stands there


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("an export of another hand", "exports changed since"),
        ("a pulled file", "exports changed since"),
        ("a setting", "settings, rules or decisions on requests changed since"),
        ("history", "what it stood on is unknown"),
    ],
)
def test_what_else_changed_is_not_laid_to_a_pull(of_pull, what, says):
    root, session, first = of_pull
    change(root, session, 7.0)
    spoil(root, what)
    ran = run(root, "verify", str(first))
    assert (ran.code, says in ran.out) == (1, True), ran.out + ran.err
