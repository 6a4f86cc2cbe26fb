"""Each other way to a gap speaks where it was planted, and not where it was not."""

import numpy as np
import pandas as pd
import pytest
from growth_panels import QUICK, additive, teams

from analysis.chapters.growth import assessment, contrasts, guards
from analysis.chapters.growth.contrasts import Clusters, TeamContrast
from analysis.chapters.growth.panel import NEVER, team_panel
from analysis.project.errors import CrmDataError


def _basis(whole, sign=1.0, level=0.01):
    clusters = Clusters(np.arange(whole.starts.size), is_region=False)
    return guards.CheckBasis(clusters, np.arange(5), 0, sign, level)


def _speaking(**different):
    """Return which checks speak, by name, of simulated teams."""
    _, tables = teams(**different)
    got = assessment.assess_growth(tables, spec=QUICK)
    return {each.name: each.speaks for each in got.guards}


def _quiet(whole, seed=0, size=0.01):
    rng = np.random.default_rng(seed)
    return whole._replace(matrix=whole.matrix + rng.normal(0, size, whole.matrix.shape))


def test_a_difference_just_before_the_start_speaks_and_says_what_would_have_shown():
    """Adopters fall by .2 in the quarter before they join."""
    whole = _quiet(additive([0.2], starts=(4, 4, 4, 5), n_never=4))
    quiet = guards.placebo_guard(whole, _basis(whole), "bookings", n_quarters=2)
    assert quiet.speaks is False
    assert quiet.would_show.startswith("+")
    dip = whole.matrix.copy()
    dip[np.arange(4), whole.starts[:4] - 1] -= 0.2
    dipped = whole._replace(matrix=dip)
    assert guards.placebo_guard(dipped, _basis(whole), "bookings", n_quarters=2).speaks


def test_too_short_a_history_is_not_checked():
    whole = additive([0.2], starts=(1, 1, 1, 1))
    got = guards.placebo_guard(whole, _basis(whole), "bookings", n_quarters=2)
    assert (got.speaks, got.says) == (None, "too few quarters before the start")


def test_a_shift_shown_four_times_in_five_by_hand():
    """Estimates without each of 25 teams .01 off theirs: error .01 x sqrt(24) = .049; t(24) .995 is 2.797, .8 is .857."""
    got = TeamContrast(np.r_[0.0, np.tile([0.01, -0.01], 13)[:25]], 24)
    assert got.error == pytest.approx(0.01 * np.sqrt(24))
    assert got.shows_from(0.01) == pytest.approx((2.797 + 0.857) * got.error, rel=1e-3)


def test_rerouted_deals_and_leads_speak():
    got = _speaking(seed=1, effect=0.0, rerouted=0.15)
    assert got["deals were rerouted to adopters"]
    assert got["leads were taken from the other teams"]
    assert got["adopters were given more reps"] is False


def test_more_reps_of_adopters_speak():
    """Ten reps where eight were, bookings a rep unchanged."""
    _, tables = teams(seed=2, effect=0.0, hires=0.25)
    got = assessment.assess_growth(tables, spec=QUICK)
    assert {each.name for each in got.against} >= {"adopters were given more reps"}
    assert got.growth_gap.verdict == "cannot tell"
    assert got.heads.estimate == pytest.approx(25, abs=4)
    assert got.per_rep.low < 0 < got.per_rep.high


def test_deals_held_back_to_the_start_speak():
    got = _speaking(seed=1, n_teams=60, effect=0.0, held_back=0.3)
    assert got["much of it is in the quarters around the start alone"]


def test_nothing_speaks_where_nothing_was_planted():
    got = _speaking(seed=1, n_teams=60, effect=0.3)
    assert not any(got.values())


def test_what_no_column_tells_is_not_checked():
    drawn, tables = teams(seed=1)
    bare = drawn.team_quarter[["team_id", "quarter", "is_partial", "bookings_amount"]]
    got = assessment.assess_growth(tables._replace(team_quarter=bare), spec=QUICK)
    by_name = {each.name: each for each in got.guards}
    for name in (
        "deals were rerouted to adopters", "reps were moved to adopters",
        "leads were taken from the other teams", "adopters log more since the start",
        "adopters were given more reps", "whole regions joined, too few to tell it from their fortunes",
    ):  # fmt: skip
        assert by_name[name].speaks is None, name
    assert got.early.verdict == "cannot tell"
    assert not got.early.is_known
    assert guards.announcement_guard(drawn.programme.drop(columns="announced_on")).speaks is None
    assert set(guards.guard_table(got.guards)["speaks"]) <= {"yes", "no", "not checked"}


def test_opportunities_of_too_few_quarters_leave_bookings_as_they_are():
    """Created is known of the last three quarters alone: no comparison of it, and none of its evidence."""
    _, tables = teams(seed=1)
    late = tables.team_quarter.assign(
        n_created=tables.team_quarter["n_created"].where(tables.team_quarter["quarter"] > "2025Q4")
    )
    got = assessment.assess_growth(tables._replace(team_quarter=late), spec=QUICK)
    assert got.early.verdict == "cannot tell"
    assert not got.early.is_known
    assert got.growth_gap.is_known


def test_logging_that_changes_with_the_start_bars_opportunities_alone():
    drawn, tables = teams(seed=1)
    event = drawn.truth["event_time"].to_numpy()
    changes = pd.Series(np.where(event >= 0, "entries", None), dtype="str")
    rows = drawn.team_quarter.assign(logging_change=changes)
    got = assessment.assess_growth(tables._replace(team_quarter=rows), spec=QUICK)
    logging = next(each for each in got.guards if each.name == "adopters log more since the start")
    assert (logging.speaks, logging.bars) == (True, "opportunities")
    assert got.graded.bookings.with_evidence == got.graded.bookings.effect
    assert got.early.verdict == "cannot tell"
    assert logging not in got.against


def test_a_start_announced_afterwards_speaks():
    drawn, _ = teams(seed=1)
    late = drawn.programme.assign(announced_on=drawn.programme["start_date"] + pd.Timedelta(days=1))
    assert guards.announcement_guard(drawn.programme).speaks is False
    assert guards.announcement_guard(late).says == "16 of 16 announced afterwards"


def test_fewer_quarters_than_a_sales_cycle_speak():
    """Starts in quarters 3 and 4 of 7: 3.5 quarters at the median; 400 days are 4.4."""
    whole = additive([0.2])
    assert guards.sales_cycle(whole, 90.0).speaks is False
    assert guards.sales_cycle(whole, 400.0).speaks
    assert guards.sales_cycle(whole, None).speaks is None


def test_one_team_that_decides_the_sign_bars_a_direction():
    effect = TeamContrast(np.array([0.01, 0.02, -0.01, 0.01]), 2)
    got = guards.single_team(effect, 1.0)
    assert (got.speaks, got.bars) == (True, "direction")
    assert guards.single_team(effect._replace(estimates=np.full(4, 0.01)), 1.0).speaks is False


def test_an_answer_of_another_sign_than_the_plain_estimate_bars_a_direction():
    """Drift taken off turned the sign."""
    assert guards.single_team(TeamContrast(np.full(4, 0.01), 2), -1.0).speaks


def test_placebo_dates_find_nothing_without_chance():
    got = guards.placebo_dates(additive([0.2]))
    assert got["quarters_earlier"].tolist() == [1, 2, 3]
    assert got["estimate"].to_numpy() == pytest.approx([0, 0, 0], abs=1e-12)


def test_more_leads_for_adopters_alone_are_no_move_of_leads():
    """Adopters' leads grow by a third, nobody else's fall: what a programme may well do."""
    drawn, tables = teams(seed=3)
    table = drawn.team_quarter
    starts = table["team_id"].map(drawn.programme.set_index("team_id")["start_date"])
    joined = pd.PeriodIndex(table["quarter"], freq="Q").to_timestamp() >= pd.to_datetime(starts)
    table = table.assign(n_leads=table["n_leads"] * (1 + joined / 3))
    whole = team_panel(table, tables.programme, outcome="n_leads")
    got = guards.leads_guard(whole, _basis(whole))
    assert got.speaks is False
    assert "adopters' leads +3" in got.says


def test_the_index_that_follows_growth_has_a_slope_above_zero():
    for reverse, follows in ((0.0, False), (5.0, True)):
        drawn, tables = teams(seed=1, reverse=reverse)
        whole = team_panel(tables.team_quarter, tables.programme)
        got = guards.lead_table(whole, drawn.team_quarter)
        assert bool((got["low"] > 0).item()) is follows
    few = drawn.team_quarter.iloc[:2]
    with pytest.raises(CrmDataError, match="3 teams and 3 quarters in a row"):
        guards.lead_table(whole, few)


def test_regions_that_join_as_one_are_left_out_as_one():
    starts = np.repeat([4, 4, 6, 6, NEVER, NEVER, NEVER, NEVER], 3)
    regions = np.repeat(np.arange(8.0), 3)
    got = contrasts.clusters_of(starts, regions)
    assert (got.is_region, got.n) == (True, 8)
    alone = contrasts.clusters_of(starts, np.where(regions == 7, np.nan, regions))
    assert alone.n == 10  # three teams of no known region are each their own
    by_chance = contrasts.clusters_of(starts, np.tile(np.arange(3.0), 8))
    assert (by_chance.is_region, by_chance.n) == (False, 24)
    assert not contrasts.clusters_of(starts, None).is_region
