"""Reports of several companies in one run: one that fails stops no other, and each is accounted for."""

import pytest
from report_fixtures import notebook, project, run, small

from analysis.report.run.every_dataset import datasets_of_shard


@pytest.fixture(scope="module")
def holding(tmp_path_factory):
    """Return a project of two sound companies, one with a wrong setting and one without any deal, reported on at once."""
    root = small(tmp_path_factory.mktemp("holding") / "project", dataset="acme")
    notebook(root / "notebooks" / "1_x.ipynb", "# Why?", "## Answer")
    raw = root / "data" / "raw"
    for name in ("beta", "corp"):
        (raw / name).mkdir()
        for file in (raw / "acme").iterdir():
            (raw / name / file.name).write_bytes(file.read_bytes())
    (raw / "beta" / "alignment.toml").write_text("[company]\nnmae = 'Beta'\n", encoding="utf-8")
    (raw / "none").mkdir()
    return root, run(root, "report", "--all")


@pytest.mark.study
def test_one_company_that_fails_stops_no_other(holding):
    root, ran = holding
    made = {f.parts[-3] for f in (root / "reports").glob("*/*/alignment-roi.pdf")}
    assert made == {"acme", "corp"}
    assert ran.code == 3
    assert "nmae" in ran.err


@pytest.mark.study
def test_the_last_lines_say_what_became_of_each(holding):
    assert holding[1].out.splitlines()[-5:] == [
        "acme  done",
        "beta  not made: wrong usage, or a wrong file of its folder",
        "corp  done",
        "none  not made: its data were refused, or every question is withheld",
        "2 of 4 datasets done",
    ]


@pytest.mark.study
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["acme", "--all"], "a DATASET or --all, got both: acme and --all"),
        ([], "takes a DATASET, or --all"),
        (["acme", "--shard", "1/2"], "--shard goes with --all"),
        (["--all", "--shard", "3/2"], "i from 1 to n, such as 2/4, got '3/2'"),
        (["--all", "--shard", "0/2"], "got '0/2'"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(holding, arguments, message):
    ran = run(holding[0], "report", *arguments)
    assert (ran.code, message in ran.err) == (2, True)


def test_with_all_only_datasets_that_have_a_warehouse_are_pulled(tmp_path):
    """One lacks a warehouse and any deal: that it lacks deals is what stops it."""
    root = project(tmp_path / "project")
    for name in ("far", "near"):
        (root / "data" / "raw" / name).mkdir()
    own = root / "data" / "raw" / "far" / "alignment.toml"
    own.write_text('[pull]\nconnection = "nowhere"\n', encoding="utf-8")
    ran = run(root, "report", "--all", "--pull")
    assert ran.out.splitlines()[-3:] == [
        "far   not made: wrong usage, or a wrong file of its folder",
        "near  not made: its data were refused, or every question is withheld",
        "0 of 2 datasets done",
    ]
    assert "names no connection" not in ran.err


def test_without_a_dataset_all_says_how_to_make_one(tmp_path):
    ran = run(project(tmp_path / "project"), "report", "--all")
    assert ran.code == 2
    assert "`alignment-roi init NAME` makes one" in ran.err


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_each_dataset_is_in_exactly_one_shard(n):
    names = [f"c{i:02d}" for i in range(11)]
    parts = [datasets_of_shard(names[::-1], f"{i}/{n}") for i in range(1, n + 1)]
    assert sorted(name for part in parts for name in part) == names
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
