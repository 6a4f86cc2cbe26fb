"""What a pack takes from the whole company: nothing that tells of a team or of few people."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest

from analysis.chapters.team_pack import chapter, company_side, pack_answer
from analysis.chapters.team_pack.company_side import COST, HOURS, PEOPLE
from analysis.project.parameters import ParameterError
from analysis.store.company import Company, open_company

EVERYTHING = {*company_side.OF_PEOPLE, "alignment_index"}
QUARTER = "latest"


# Large, and nothing here rests on them: practices written down by hand make an index too.
NOT_NEEDED = ("activities", "attendees", "lead_status_history", "survey_answers", "touches")


@pytest.fixture
def with_teams(tiny, tmp_path, monkeypatch):
    """Return the tiny company cut to its first teams, the first with fewer paid reps or reps."""

    def cut(n_teams, *, n_paid=None, n_reps=None) -> Company:
        root = tmp_path / "cut"
        folder = root / "data" / "processed" / "tiny"
        shutil.copytree(tiny / "data" / "processed" / "tiny", folder)
        shutil.copy(tiny / "alignment.toml", root)
        monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(root))
        teams = sorted(pd.read_parquet(folder / "teams.parquet")["team_id"])[:n_teams]
        stays = pd.read_parquet(folder / "rep_quarter.parquet")
        first = stays[stays["team_id"] == teams[0]]["rep_id"].unique()
        if n_reps is not None:
            stays = stays[~stays["rep_id"].isin(first[n_reps:])]
        if n_paid is not None:
            is_unpaid = stays["rep_id"].isin(first[n_paid:])
            stays["base_amount"] = stays["base_amount"].mask(is_unpaid)
        stays.to_parquet(folder / "rep_quarter.parquet")
        for name in ("teams", "rep_team_history", "rep_quarter", "team_quarter", "lead_dates"):
            rows = pd.read_parquet(folder / f"{name}.parquet")
            rows[rows["team_id"].isin(teams)].to_parquet(folder / f"{name}.parquet")
        for name in NOT_NEEDED:
            pd.read_parquet(folder / f"{name}.parquet").iloc[:0].to_parquet(
                folder / f"{name}.parquet"
            )
        return open_company("tiny", quarter=QUARTER)

    return cut


def first_side(company):
    return company_side.company_sides(company)[company_side.packed_teams(company)[0]]


def test_a_figure_of_the_company_needs_three_other_teams(with_teams):
    """Of four teams each has three others. What the best of them reach is beside it too."""
    side = first_side(with_teams(4))
    assert set(side["beside"]) == EVERYTHING
    assert side["week"]
    assert any(row["target"] is not None for row in side["practices"])


@pytest.mark.parametrize("n_teams", [2, 3])
def test_of_two_or_three_teams_nothing_of_the_others_is_to_be_had_by_subtraction(
    with_teams, n_teams
):
    """Company less own would be one other team, or the sum of two."""
    for side in company_side.company_sides(with_teams(n_teams)).values():
        assert (side["beside"], side["week"]) == ({}, {})
        assert all(row["target"] is row["gain"] is None for row in side["practices"])
        assert side["index"] is not None  # the team's own stays


@pytest.mark.study
def test_fewer_than_five_paid_reps_show_hours_and_no_cost(with_teams):
    """Nor does a team whose cost, taken off the total, would tell that of the four."""
    small, *others = company_side.company_sides(with_teams(4, n_paid=4)).values()
    assert small["shows"] == {PEOPLE: True, HOURS: True, COST: False}
    assert False in [side["shows"][COST] for side in others]


def test_a_team_of_few_people_shows_no_figure_of_them(with_teams):
    """Whoever knows one of four knows too much: no bookings, hours, cost, leads or practices."""
    company = with_teams(4, n_reps=4)
    team = company_side.packed_teams(company)[0]
    pack = chapter.read_pack(open_company("tiny", quarter=QUARTER, team=team))
    assert pack.side["shows"] == {PEOPLE: False, HOURS: False, COST: False}
    results = [
        chapter.hour_cost(pack), chapter.weekly_hours(pack), chapter.win_rate(pack), chapter.bookings(pack)[0],
        chapter.alignment_index(pack), chapter.lead_share(pack),
    ]  # fmt: skip
    assert not any(result.is_known for result in results)
    assert {result.n for result in results} == {0}
    tables = (chapter.measures(pack), chapter.week(pack), chapter.practices(pack))
    assert all(table.frame.empty for table in tables)
    assert chapter.leads_and_requests(pack).frame["count"].str.startswith("Requests").all()
    assert pack_answer.team_verdict(pack) == "cannot tell"
    assert pack_answer.data_sentence(pack).startswith("Fewer than 5 reps")


@pytest.mark.study
def test_a_withheld_question_is_no_measure_of_a_pack(with_teams):
    """The sentence, the table and the week leave out what the company's report withholds."""
    company = with_teams(4)
    team = company_side.packed_teams(company)[0]
    pack = chapter.read_pack(open_company("tiny", quarter=QUARTER, team=team))
    verdict = {"status": "withheld", "checks": []}
    gate = {"questions": dict.fromkeys(("bookings", "cost", "hours"), verdict), "findings": []}
    gated = pack._replace(company=replace(pack.company, audit={**pack.company.audit, "gate": gate}))
    assert set(chapter.measures(gated).frame["measure"]) == {
        "Win rate", "Leads that became an opportunity within 90 days", "Alignment index",
    }  # fmt: skip
    assert chapter.week(gated).frame.empty
    assert pack_answer.team_sentence(gated).startswith("The team won ")


@pytest.mark.study
def test_without_a_team_a_pack_is_the_first_ones(with_teams):
    """So that the notebook opens on any company, and names no team of another."""
    company = with_teams(2)
    assert chapter.read_pack(company).company.team == company_side.packed_teams(company)[0]


def test_a_team_that_is_not_there_is_named_with_the_nearest(tiny):
    company = open_company("tiny", quarter=QUARTER)
    team = company_side.packed_teams(company)[0]
    with pytest.raises(ParameterError, match=rf"is not in the data\. Did you mean {team}\?"):
        open_company("tiny", quarter=QUARTER, team=f"{team}x")
