"""Which rep-weeks an estimate stands on, and what the answer is where it cannot be told."""

import math

import numpy as np
import pandas as pd
import pytest
from studies import selling_time_study

from analysis.chapters.selling_time import (
    control_function,
    elasticity,
    quarterly_bookings,
    rep_weeks,
    robustness,
)
from analysis.project.errors import CrmDataError
from analysis.simulate.simulated_tables import simulate_panels
from analysis.simulate.world.company_parameters import SimulatedCompany


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the rep-weeks of a company of about 100 reps and two years."""
    return selling_time_study.rep_weeks(
        simulate_panels(SimulatedCompany(seed=3, n_teams=10, n_quarters=8))
    )


def week(**changed) -> dict[str, object]:
    row = {"rep_id": "a", "week_start": "2026-01-05", "team_id": "t", "available_hours": 40.0, "selling_hours": 10.0,
           "late_selling_hours": 3.0, "coverage": "ok", "n_created": 1}  # fmt: skip
    return row | changed


def test_hours_on_late_deals_are_left_out_and_every_row_is_accounted_for():
    """10 - 3 = 7 h count; each of the other rows is out for one reason."""
    panel = pd.DataFrame(
        [
            week(),
            week(coverage="no_logging"),
            week(selling_hours=math.nan),
            week(available_hours=0.0),
            week(late_selling_hours=10.0),
        ]
    )
    got = rep_weeks.select_weeks(panel)
    assert np.exp(got.rows["log_hours"]).round(9).tolist() == [7.0]
    assert got.left_out == {
        "not a whole week with logging": 1,
        "hours or outcome unknown": 1,
        "no working day available": 1,
        "no selling hour before proposal": 1,
    }


def test_a_panel_without_logged_hours_is_refused():
    with pytest.raises(CrmDataError, match="no row has logged selling hours"):
        rep_weeks.select_weeks(pd.DataFrame([week(coverage="no_logging")]))


def test_a_panel_without_hours_is_refused():
    with pytest.raises(CrmDataError, match="rep_week: needs selling_hours"):
        rep_weeks.select_weeks(pd.DataFrame([week()]).drop(columns="selling_hours"))


def test_a_window_counts_weeks_on_the_calendar():
    """Week 3 is missing: the two weeks after week 1 are not known, nor those after week 2."""
    mondays = pd.to_datetime(["2026-01-05", "2026-01-12", "2026-01-26", "2026-02-02"])
    rows = pd.DataFrame({"rep_id": "a", "week_start": mondays, "x": [1.0, 2.0, 4.0, 6.0]})
    assert rep_weeks.window_mean(rows, "x", 0, 1).fillna(-1).tolist() == [1.5, -1, 5.0, -1]
    assert rep_weeks.window_mean(rows, "x", -1, -1).fillna(-1).tolist() == [-1, 1.0, -1, 4.0]


def test_with_a_shifter_the_answer_is_an_effect(table):
    got = elasticity.estimate_elasticity(rep_weeks.select_weeks(table))
    assert got.elasticity.kind == "effect"
    assert got.elasticity.verdict == "found"
    assert got.elasticity.low < SimulatedCompany().elasticity < got.elasticity.high
    assert got.effective_f > 10
    assert got.guards["passed"].all()
    assert got.needs == ""
    assert got.elasticity.n == table.loc[table["coverage"] == "ok", "rep_id"].nunique()
    assert "CR3 jackknife" in got.elasticity.method  # outages meet teams, and there are ten
    assert "team_id" in got.elasticity.method


def test_errors_are_by_team_only_where_a_shifter_meets_whole_teams(table):
    """Outages meet teams; training and assistants meet reps, so without outages the rep is the unit."""
    assert rep_weeks.select_weeks(table).cluster == "team_id"
    by_rep = rep_weeks.select_weeks(table.assign(outage_days=0))
    assert by_rep.cluster == "rep_id"
    assert by_rep.shifters == ("training_days", "assistant_days")
    assert "CRV1 by rep_id" in elasticity.estimate_elasticity(by_rep).elasticity.method


@pytest.mark.parametrize(("n_teams", "is_used"), [(2, False), (3, True)])
def test_an_outage_says_something_where_each_team_may_be_left_out(table, n_teams, is_used):
    """Of two teams one is left when the other is out: nothing is there to compare it with."""
    teams = sorted(table.loc[table["outage_days"] > 0, "team_id"].unique())[:n_teams]
    few = table[table["team_id"].isin(teams)]
    chosen = rep_weeks.select_weeks(few)
    assert ("outage_days" in chosen.shifters) is is_used
    assert {"training_days", "assistant_days"} <= set(chosen.shifters)
    assert elasticity.estimate_elasticity(chosen).elasticity.is_known


def test_without_a_shifter_it_cannot_be_told_and_says_what_it_takes(table):
    got = elasticity.estimate_elasticity(
        rep_weeks.select_weeks(table.drop(columns=list(rep_weeks.SHIFTERS)))
    )
    assert (got.elasticity.kind, got.elasticity.verdict) == ("association", "cannot tell")
    assert "hours_shifters.csv" in got.needs


def test_shifters_nobody_recorded_are_no_shifters(table):
    """A company without hours_shifters has the columns, all missing."""
    unknown = table.assign(**dict.fromkeys(rep_weeks.SHIFTERS, math.nan))
    assert (
        elasticity.estimate_elasticity(rep_weeks.select_weeks(unknown)).elasticity.verdict
        == "cannot tell"
    )


def test_without_hours_by_stage_it_cannot_be_told(table):
    got = elasticity.estimate_elasticity(rep_weeks.select_weeks(table.drop(columns=rep_weeks.LATE)))
    assert (got.elasticity.kind, got.elasticity.verdict) == ("association", "cannot tell")
    assert "late_selling_hours" in got.needs


def test_a_shifter_that_moves_nothing_is_no_design(table):
    """Days drawn by lot move no hours: the effective F stays far below 10."""
    rng = np.random.default_rng(0)
    drawn = table.assign(
        training_days=rng.integers(0, 2, len(table)), outage_days=0, assistant_days=0
    )
    got = elasticity.estimate_elasticity(rep_weeks.select_weeks(drawn))
    assert got.effective_f < 10
    assert (got.elasticity.kind, got.elasticity.verdict) == ("association", "cannot tell")
    assert "the shifters move hours" in got.needs


def test_a_few_reps_are_not_estimated_from(table):
    few = table[table["rep_id"].isin(sorted(table["rep_id"].unique())[:9])]
    got = elasticity.estimate_elasticity(rep_weeks.select_weeks(few))
    assert math.isnan(got.elasticity.estimate)
    assert got.elasticity.verdict == "cannot tell"
    assert "at least 10 reps" in got.needs


def test_forty_reps_and_fewer_get_the_jackknifes_error():
    small = selling_time_study.rep_weeks(
        simulate_panels(SimulatedCompany(seed=1, n_teams=3, n_quarters=4))
    )
    got = elasticity.estimate_elasticity(rep_weeks.select_weeks(small))
    assert "jackknife" in got.elasticity.method
    assert got.elasticity.low < got.elasticity.estimate < got.elasticity.high


def test_row_order_and_names_of_reps_do_not_matter(table):
    small = table[table["rep_id"] < 40]
    selected = rep_weeks.select_weeks(small)
    mixed = small.assign(rep_id="r" + small["rep_id"].astype(str)).sample(frac=1, random_state=0)
    shares = [rep_weeks.share_column(name) for name in selected.shifters]
    one = control_function.control_function(selected.rows, shares).fit
    other = control_function.control_function(rep_weeks.select_weeks(mixed).rows, shares).fit
    np.testing.assert_allclose(one.estimate, other.estimate, rtol=1e-6)


def test_the_pooled_slope_is_above_and_the_plain_one_below_the_effect(table):
    selected = rep_weeks.select_weeks(table)
    got = robustness.elasticity_estimators(
        selected, elasticity.estimate_elasticity(selected)
    ).set_index("estimator")["estimate"]
    assert (
        got["Within rep and week, logged hours"] < got["All reps together: skill passes for hours"]
    )
    assert (
        got["… errors by rep and by week"]
        == got["Hours that training, outages and assistants moved"]
    )


def test_feedback_from_hot_pipelines_is_seen_and_never_called_an_effect():
    stays = selling_time_study.rep_quarters(
        simulate_panels(SimulatedCompany(seed=3, n_teams=10, n_quarters=8))
    )
    got = quarterly_bookings.same_quarter(stays)
    assert got.feedback.is_detected
    assert (got.same_quarter.kind, got.same_quarter.verdict) == ("association", "cannot tell")


def test_without_hot_pipelines_no_feedback_is_seen():
    stays = selling_time_study.rep_quarters(
        simulate_panels(SimulatedCompany(seed=3, n_teams=10, n_quarters=8, hot_pipeline=False))
    )
    assert not quarterly_bookings.same_quarter(stays).feedback.is_detected


def test_weeks_in_which_all_have_the_same_hours_to_work_are_told_in_plain_words(table):
    same = table.assign(available_hours=40.0)
    with pytest.raises(
        CrmDataError, match=r"in hardly any week do reps have different hours to work"
    ):
        elasticity.estimate_elasticity(rep_weeks.select_weeks(same))
