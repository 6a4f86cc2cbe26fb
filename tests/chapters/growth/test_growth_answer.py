"""What the growth chapter tells, and what it says in place of what it cannot."""

import math
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from growth_panels import teams

from analysis.chapters.growth import assessment, growth_answer, specification
from analysis.chapters.growth.assessment import AssessmentTables
from analysis.stats.result import Result

LAST = "2026Q3"
TEXT = (resources.files("analysis.chapters.growth") / "specification.toml").read_text(
    encoding="utf-8"
)
QUICK = TEXT.replace("randomisation_draws = 9999", "randomisation_draws = 499")


@pytest.fixture(scope="module")
def tables() -> AssessmentTables:
    """60 teams, bookings up by a third."""
    return teams(seed=1, n_teams=60, effect=0.3)[1]


@pytest.fixture(scope="module")
def told(tables) -> growth_answer.GrowthAnswer:
    return growth_answer.answer_growth(tables, LAST, own_specification=QUICK, looks=())


def untold(programme: pd.DataFrame) -> growth_answer.GrowthAnswer:
    """Return what 24 teams can say with another programme."""
    _, tables = teams(seed=1, n_teams=24)
    return growth_answer.answer_growth(
        tables._replace(programme=programme), LAST, own_specification=None, looks=()
    )


NOBODY = pd.DataFrame(
    {"team_id": pd.Series(dtype="str"), "start_date": pd.Series(dtype="datetime64[us]")}
)


def test_a_gap_in_percent_is_told_as_a_share(told):
    made = told.assessment.growth_gap
    assert (told.growth_gap.estimate, told.growth_gap.unit) == (made.estimate / 100, "of bookings")
    assert (
        told.growth_gap.low < 0.271 < told.growth_gap.high
    )  # the true mean over quarters 0 to 4, exp(.24) - 1
    assert told.early.unit == "of opportunities created"
    assert told.per_rep.low < 0.271 < told.per_rep.high
    assert told.heads_note() == "Adopters have as many reps as before they joined."
    assert told.verdict == made.verdict


def test_the_path_stands_around_the_start_in_percent(told):
    """Nothing before the start, about a third once the programme is in full swing."""
    path = growth_answer.effect_path(told).set_index("event_time")
    assert path.index.min() < 0 <= path.index.max()
    assert (path["low"] <= path["estimate"]).all()
    assert path.loc[-1, "low"] < 0 < path.loc[-1, "high"]
    assert path.loc[3, "low"] > 10


def test_every_check_is_a_reservation_in_words(told):
    rows = growth_answer.checks_of_answer(told)
    assert len(rows) == len(told.assessment.guards)
    assert set(rows["speaks"]) <= {"yes", "no", "not checked"}
    assert rows["check"].str[0].str.isupper().all()
    assert rows["says"].str.len().gt(0).all()


def test_what_it_stands_on_names_cohorts_and_specification(told, tables):
    said = growth_answer.data_sentence(told)
    n_joined = len(tables.programme)
    assert (
        f"60 teams over {len(told.assessment.panel.quarters)} quarters up to {LAST}; {n_joined} started"
        in said
    )
    needs = told.needs()
    assert specification.parse_specification(QUICK).sha256[:12] in needs
    assert "to make all of the estimate it would take +" in needs


def test_an_earlier_look_by_another_specification_makes_it_exploratory(tables):
    looks = [{"method": "imputation; specification 0123456789ab"}]
    got = growth_answer.answer_growth(tables, LAST, own_specification=QUICK, looks=looks)
    assert got.assessment.is_exploratory
    assert "Exploratory" in got.sentence()


def test_a_company_without_a_programme_is_told_so_and_what_to_enter():
    got = untold(NOBODY)
    assert (got.assessment, got.verdict) == (None, "cannot tell")
    assert math.isnan(got.growth_gap.estimate)
    assert (got.growth_gap.verdict, got.early.verdict) == ("cannot tell", "cannot tell")
    assert got.sentence() == (
        "We cannot tell whether joining the alignment programme changes bookings: no team is known to have started by "
        "the quarter reported."
    )
    assert "programme.csv" in got.needs()
    assert growth_answer.effect_path(got).empty
    assert growth_answer.checks_of_answer(got)["speaks"].tolist() == ["yes"]
    assert not got.per_rep.is_known
    assert got.heads_note() == "How many reps adopters have is not known."
    assert growth_answer.data_sentence(got).startswith(
        "No comparison of teams that joined with others: no team is known"
    )


def test_two_adopters_are_too_few_and_are_counted():
    start = pd.to_datetime(["2025-04-01", "2025-04-01"])
    _, tables = teams(seed=1, n_teams=24)
    two = pd.DataFrame(
        {"team_id": tables.team_quarter["team_id"].unique()[:2], "start_date": start}
    )
    got = untold(two)
    assert got.assessment is None
    assert got.reason.startswith(
        "a comparison takes 3 teams that joined, 2 of them in the same quarter, with quarters "
    )
    assert got.sentence().endswith(f"changes bookings: {got.reason}.")


def tiered() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two years of six teams, and their index of the year before: a, b grow by 19 and 21%, c, d by 10 and 12%, e, f by -1 and 1%."""
    quarters = [f"{year}Q{q}" for year in (2025, 2026) for q in (1, 2, 3, 4)]
    rows = [
        (team, name, False, 100 * (growth if name > "2026" else 1.0))
        for team, growth in zip("abcdef", (1.19, 1.21, 1.1, 1.12, 0.99, 1.01), strict=True)
        for name in quarters
    ]
    index = pd.DataFrame(
        {"team_id": list("abcdef"), "quarter": "2025Q4", "index": [80.0, 70, 60, 50, 40, 20]}
    )
    return pd.DataFrame(
        rows, columns=["team_id", "quarter", "is_partial", "bookings_amount"]
    ), index


def test_tiers_come_from_the_index_of_the_year_before():
    """Above 60 aligned, up to 40 laggards: 20, 11 and 0% a year."""
    rows, gap = growth_answer.by_tier(*tiered(), "2026Q4", low=40, high=60)
    assert rows["growth"].tolist() == pytest.approx([20.0, 11.0, 0.0])
    assert rows["n_teams"].tolist() == [2, 2, 2]
    assert gap.estimate == pytest.approx(20.0)
    assert gap.kind == "difference"


def test_a_year_that_is_not_there_gives_no_gap_and_says_why():
    panel, index = tiered()
    rows, gap = growth_answer.by_tier(
        panel[panel["quarter"] < "2020"], index, "2026Q4", low=40, high=60
    )
    assert rows["growth"].isna().all()
    assert math.isnan(gap.estimate)
    assert growth_answer.gap_sentence(gap).startswith(
        "No gap is given: team_quarter: no row in the two years to 2026Q4"
    )


def test_a_gap_without_laggards_is_not_given():
    _, gap = growth_answer.by_tier(*tiered(), "2026Q4", low=10, high=60)
    assert growth_answer.gap_sentence(gap).startswith(
        "No gap is given: it takes at least 2 aligned and 2 laggard teams, and there are "
    )


def test_a_known_gap_is_called_a_difference():
    gap = Result(
        "tier_gap", 12.0, -1.0, 25.0, growth_answer.POINTS, 9, "teams", "", "", "difference"
    )
    assert growth_answer.gap_sentence(gap) == (
        "Aligned less laggard teams: +12.0 percentage points (\N{MINUS SIGN}1.0 to +25.0; n = 9 teams), a difference and not an effect."
    )


def test_sorting_alone_gives_the_published_groups():
    """20% and -4% published; 20.0, 8.1 and -4.0 by sorting."""
    rows = growth_answer.sorting_contrast()
    assert rows["published"].tolist()[::2] == [20.0, -4.0]
    assert np.isnan(rows["published"].iloc[1])
    assert rows["by_sorting"].tolist() == pytest.approx([20.0, 8.1, -4.0], abs=0.05)
    assert growth_answer.vendor_points()[0] == pytest.approx(24.0)


def later(tables: AssessmentTables, end: str) -> dict[str, pd.DataFrame]:
    """Return the tables with what came after `end` altogether gone."""
    start = pd.to_datetime(tables.programme["start_date"])
    return {
        "team_quarter": tables.team_quarter[tables.team_quarter["quarter"] <= "2025Q4"],
        "programme": tables.programme[start < pd.Timestamp(end)],
    }


def test_rows_after_the_quarter_change_nothing_of_growth(tables):
    """As of 2025Q4, with three quarters more in the tables and without them."""
    deals = pd.DataFrame(
        {
            "status": "won",
            "close_date": pd.to_datetime(["2025-01-01", "2026-02-01"]),
            "cycle_days": [70.0, 500.0],
        }
    )
    stays = pd.DataFrame({"quarter": ["2025Q4", "2026Q1"]})
    whole = {
        "team_quarter": tables.team_quarter, "programme": tables.programme, "opportunities": deals, "rep_quarter": stays,
    }  # fmt: skip
    assert len(later(tables, "2026-01-01")["team_quarter"]) < len(tables.team_quarter)
    cut = (
        whole
        | later(tables, "2026-01-01")
        | {"opportunities": deals.iloc[:1], "rep_quarter": stays.iloc[:1]}
    )
    one, other = (assessment.tables_as_of(each, "2025Q4") for each in (whole, cut))
    assert (one.median_cycle_days, other.median_cycle_days) == (70.0, 70.0)
    pd.testing.assert_frame_equal(one.rep_quarter, other.rep_quarter)
    pd.testing.assert_frame_equal(one.programme, other.programme)
    pd.testing.assert_frame_equal(one.team_quarter, other.team_quarter)
    told = [
        growth_answer.answer_growth(
            each._replace(rep_quarter=None), "2025Q4", own_specification=QUICK, looks=()
        )
        for each in (one, tables._replace(median_cycle_days=70.0))
    ]
    assert told[0].growth_gap.estimate == pytest.approx(told[1].growth_gap.estimate)
    assert told[0].growth_gap.n == told[1].growth_gap.n


def test_a_start_without_a_date_is_refused_and_not_taken_for_a_late_one(tables):
    whole = {
        "team_quarter": tables.team_quarter,
        "rep_quarter": tables.team_quarter,
        "opportunities": pd.DataFrame(),
    }
    unknown = pd.DataFrame({"team_id": ["T1"], "start_date": pd.to_datetime([None])})
    deals = pd.DataFrame({"status": [], "close_date": pd.to_datetime([]), "cycle_days": []})
    got = assessment.tables_as_of(whole | {"programme": unknown, "opportunities": deals}, LAST)
    assert len(got.programme) == 1
    assert (
        "start_date must be known"
        in growth_answer.answer_growth(got, LAST, own_specification=None, looks=()).needs()
    )


def test_a_team_whose_start_was_set_aside_is_on_neither_side(tables):
    """Its key stands in the quarantine; one of which another row is clean has a start."""
    programme, lost = tables.programme.iloc[1:], tables.programme["team_id"].iloc[0]
    keys = [lost, programme["team_id"].iloc[0], None]
    aside = pd.DataFrame({"table_name": "programme", "record_key": keys})
    deals = pd.DataFrame({"status": [], "close_date": pd.to_datetime([]), "cycle_days": []})
    whole = {
        "team_quarter": tables.team_quarter, "rep_quarter": tables.team_quarter,
        "programme": programme, "opportunities": deals, "quarantine": aside,
    }  # fmt: skip
    got = assessment.tables_as_of(whole, LAST)._replace(rep_quarter=None)
    assert got.start_unknown == (lost,)
    panel = assessment.team_panel_of(got, "bookings_amount")
    assert lost not in panel.teams
    assert panel.left_out[assessment.START_UNREADABLE] == 1


def test_no_text_of_the_data_gets_into_the_prose():
    """An id is any text, and prose is markdown: this one would be a link, or an image that stops the report."""
    _, tables = teams(seed=1, n_teams=24)
    ids = tables.programme["team_id"].iloc[1:3]  # of one quarter
    hostile = dict(zip(ids, ["![x](y)", "[pay](http://evil.example) (b)"], strict=True))
    started = tables.programme[tables.programme["team_id"].isin(ids)].replace({"team_id": hostile})
    panel = tables.team_quarter.replace({"team_id": hostile})
    got = growth_answer.answer_growth(
        tables._replace(programme=started, team_quarter=panel, rep_quarter=None),
        LAST,
        own_specification=None,
        looks=(),
    )
    assert "![x](y)" in got.why
    for said in (got.sentence(), growth_answer.data_sentence(got)):
        assert "2 of the 24 teams qualify" in said
        assert not {"[", "]", "(", "!"} & set(said)
