"""A team's pack from the command line: made of its rows alone, put in place whole, verified."""

import io
import itertools
import json
import shutil

import pandas as pd
import pikepdf
import pytest
from python_calamine import CalamineWorkbook
from report_fixtures import HOUSE, run

from analysis.chapters.cost import chapter as cost_chapter
from analysis.chapters.team_pack import chapter, company_side
from analysis.project import paths
from analysis.report.run import shards
from analysis.store.company import open_company

# Large, and a pack's page rests on none of them: practices written by hand make an index too.
NOT_NEEDED = ("activities", "attendees", "lead_status_history", "survey_answers", "touches")


@pytest.fixture(scope="module")
def project(tiny_root, tmp_path_factory):
    """Return a project of the tiny company whose second team has a hostile name, and two packs."""
    root = tmp_path_factory.mktemp("packs") / "project"
    shutil.copytree(tiny_root, root)
    (root / "notebooks").mkdir()
    shutil.copy(HOUSE / "notebooks" / "9_team_pack.ipynb", root / "notebooks")
    folder = root / "data" / "processed" / "tiny"
    for name in NOT_NEEDED:
        pd.read_parquet(folder / f"{name}.parquet").iloc[:0].to_parquet(folder / f"{name}.parquet")
    teams = pd.read_parquet(folder / "teams.parquet").sort_values("team_id", ignore_index=True)
    teams.loc[1, "team_name"] = "=HYPERLINK(1)<script>#panic()$x$"
    teams.to_parquet(folder / "teams.parquet")
    ids = teams["team_id"].tolist()
    ran = run(root, "report", "tiny", "--team", ids[0], "--team", ids[1], "--workers", "1")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == "2 of 2 packs there, 2 of them made now"
    return root, ids


def pack_of(project, at):
    root, ids = project
    (folder,) = (root / "reports" / "tiny").glob(f"*/teams/{paths.team_folder_name(ids[at])}")
    return folder


def text_of(folder):
    """Return all that a pack's files say."""
    with pikepdf.open(folder / paths.REPORT_PDF) as pdf:
        assert len(pdf.pages) == 2
    book = CalamineWorkbook.from_filelike(io.BytesIO((folder / paths.REPORT_WORKBOOK).read_bytes()))
    sheets = [str(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    files = [
        f.read_text("utf-8") for f in folder.rglob("*") if f.suffix in {".html", ".ipynb", ".json"}
    ]
    return "\n".join([*sheets, *files])


@pytest.mark.study
def test_a_pack_holds_nothing_of_another_team(project):
    """Neither ids nor names of the other three, in workbook, page, notebook and manifest."""
    root, ids = project
    teams = pd.read_parquet(root / "data" / "processed" / "tiny" / "teams.parquet")
    names = dict(zip(teams["team_id"], teams["team_name"], strict=True))
    for at in (0, 1):
        text = text_of(pack_of(project, at))
        assert ids[at] in text
        others = [team for team in ids if team != ids[at]]
        assert not [word for t in others for word in (t, names[t]) if word in text]


@pytest.mark.study
def test_a_pack_has_the_figures_of_its_notebook_run_by_hand(project, monkeypatch):
    """And cost and hours are those of the chapter on cost, run for the team."""
    root, ids = project
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(root))
    company = open_company("tiny", team=ids[0])
    pack = chapter.read_pack(company)
    metrics = json.loads((pack_of(project, 0) / "manifest.json").read_text())["metrics"]
    by_hand = (
        chapter.bookings(pack)[0], chapter.win_rate(pack), chapter.alignment_index(pack), chapter.hour_cost(pack),
        chapter.weekly_hours(pack), chapter.lead_share(pack),
    )  # fmt: skip
    assert set(metrics) == {result.name for result in by_hand}
    for result in by_hand:
        assert metrics[result.name]["estimate"] == pytest.approx(result.estimate, rel=0.01)
        assert metrics[result.name]["n"] == result.n
    costs = cost_chapter.quarter_costs(company)
    assert (costs.hour, costs.weekly) == (chapter.hour_cost(pack), chapter.weekly_hours(pack))


@pytest.mark.study
def test_a_pack_is_not_made_again_and_can_be_verified(project):
    root, ids = project
    before = (pack_of(project, 0) / "manifest.json").read_bytes()
    ran = run(root, "report", "tiny", "--team", ids[0])
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 of 1 pack there, 0 of them made now")
    assert (pack_of(project, 0) / "manifest.json").read_bytes() == before
    ran = run(root, "verify", str(pack_of(project, 0) / paths.REPORT_PDF))
    assert (ran.code, f"of team {ids[0]} follows from" in ran.out) == (0, True)
    page = pack_of(project, 1) / paths.REPORT_HTML
    content = page.read_bytes()
    page.write_bytes(content + b" ")
    assert run(root, "verify", str(page)).code == 1
    page.write_bytes(content)


@pytest.mark.study
def test_the_index_lists_packs_under_their_report(project):
    page = (project[0] / "reports" / "index.html").read_text("utf-8")
    assert "2 packs of teams" in page
    assert f"teams/{paths.team_folder_name(project[1][0])}/alignment-roi.pdf" in page
    assert "=HYPERLINK(1)&lt;script&gt;" in page
    assert "<script>" not in page


@pytest.mark.study
def test_a_packs_files_are_as_private_as_a_reports(project):
    notebooks = pack_of(project, 0) / "notebooks"
    assert notebooks.stat().st_mode & 0o777 == 0o700
    assert [f.stat().st_mode & 0o777 for f in notebooks.iterdir()] == [0o600]


@pytest.mark.study
@pytest.mark.parametrize(
    ("options", "match"),
    [
        (
            ["tiny", "--team", "T", "--each-team"],
            "--team names some teams and --each-team means all",
        ),
        (["tiny", "--team", "../../x"], r"team '../../x' is not in the data"),
        (["tiny", "--each-team", "--shard", "3/2"], "shard must be i/n"),
        (["tiny", "--shard", "1/2"], "--shard goes with --all or packs"),
        (["tiny", "--dask", "tls://host:1"], "--dask spreads packs over a cluster"),
        (
            ["tiny", "--each-team", "--force", "--dask", "tcp://10.0.0.1:1"],
            "pay would travel in clear",
        ),
        (["tiny", "--each-team", "-p", "asks=3"], "no notebook has a parameter 'asks'"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(project, options, match):
    ran = run(project[0], "report", *options)
    assert ran.code == 2
    assert match in ran.err


@pytest.mark.study
def test_every_team_is_in_exactly_one_shard(project, monkeypatch):
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(project[0]))
    company = open_company("tiny")
    parts = [shards.TeamChoice((), True, f"{i}/3").choose(company)[1] for i in (1, 2, 3)]
    assert sorted(itertools.chain(*parts)) == company_side.packed_teams(company)
