"""Each other way to a gap is caught where it was planted, and not where it was not."""

import numpy as np
import pandas as pd
import pytest
from growth_panels import additive, teams

from analysis.chapters.growth import guards, imputation
from analysis.chapters.growth.panel import NEVER, team_panel


def _panel(**different):
    drawn, tables = teams(**different)
    return drawn, team_panel(tables.team_quarter, tables.programme)


def test_a_trend_before_the_start_is_measured_and_caught():
    """Adopters gain .1 a quarter on the others."""
    whole = additive([0.2])
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 0.005, whole.matrix.shape)
    assert guards.trend_guard(whole._replace(matrix=whole.matrix + quiet)).passed
    drifting = whole.matrix + np.where(whole.starts[:, None] < NEVER, 0.1 * np.arange(7), 0)
    got = guards.trend_guard(whole._replace(matrix=drifting + quiet))
    assert got.passed is False
    assert float(got.says.split()[0]) == pytest.approx(10.0, abs=0.6)


def test_too_short_a_history_passes_nor_fails():
    whole = additive([0.2], starts=(1, 1, 1, 1))
    assert guards.trend_guard(whole).passed is None
    assert guards.placebo_guard(whole, n_quarters=2).passed is None


def test_the_index_that_follows_growth_is_caught():
    for reverse, passed in ((0.0, True), (5.0, False)):
        drawn, whole = _panel(seed=1, reverse=reverse)
        assert guards.lead_guard(whole, drawn.team_quarter).passed is passed


def test_rerouted_deals_and_leads_are_caught():
    drawn, _ = _panel(seed=1, rerouted=0.15)
    by = {g.name: g.passed for g in guards.rerouting_guard(drawn.team_quarter, drawn.programme)}
    assert by == {
        "no deals rerouted to adopters": False,
        "no reps moved to adopters": True,
        "no leads reallocated to adopters": False,
    }


def test_what_no_column_tells_is_not_checked():
    drawn, _ = _panel(seed=1)
    bare = drawn.team_quarter[["team_id", "quarter", "is_partial", "bookings_amount"]]
    assert [g.passed for g in guards.rerouting_guard(bare, drawn.programme)] == [None, None, None]
    assert guards.logging_guard(bare, drawn.programme).says == "logging_change is not known"
    assert guards.announcement_guard(drawn.programme.drop(columns="announced_on")).passed is None
    shown = guards.guard_table([guards.logging_guard(bare, drawn.programme)])
    assert shown["passed"].tolist() == ["not checked"]


def test_logging_that_changes_with_the_start_is_caught():
    drawn, _ = _panel(seed=1)
    event = drawn.truth["event_time"].to_numpy()
    rows = drawn.team_quarter.assign(
        logging_change=pd.Series(np.where(event >= 0, "entries", None), dtype="str")
    )
    assert guards.logging_guard(drawn.team_quarter, drawn.programme).passed
    assert guards.logging_guard(rows, drawn.programme).passed is False


def test_a_start_announced_afterwards_is_caught():
    drawn, _ = _panel(seed=1)
    late = drawn.programme.assign(announced_on=drawn.programme["start_date"] + pd.Timedelta(days=1))
    assert guards.announcement_guard(drawn.programme).passed
    assert guards.announcement_guard(late).says == "16 of 16 announced afterwards"


def test_fewer_quarters_than_a_sales_cycle_are_caught():
    """Starts in quarters 3 and 4 of 7: 3.5 quarters at the median; 400 days are 4.4."""
    whole = additive([0.2])
    assert guards.sales_cycle(whole, 90.0).passed
    assert guards.sales_cycle(whole, 400.0).passed is False
    assert guards.sales_cycle(whole, None).passed is None


def test_one_team_that_decides_the_sign_is_named_so():
    whole = additive([0.0])
    matrix = whole.matrix.copy()
    matrix[0, 3:] += 1.0
    matrix[1:4, 4:] -= 0.1
    got = guards.single_team(imputation.estimate_effects(whole._replace(matrix=matrix)))
    assert got.passed is False
    assert got.needed_for == "found"


def test_placebo_dates_find_nothing_without_chance():
    got = guards.placebo_dates(additive([0.2]))
    assert got["quarters_earlier"].tolist() == [1, 2, 3]
    assert got["estimate"].to_numpy() == pytest.approx([0, 0, 0], abs=1e-12)


def test_more_leads_for_adopters_alone_are_no_move_of_leads():
    """Adopters' leads grow by a third, nobody else's fall: what a programme may well do."""
    drawn, _ = _panel(seed=3)
    table = drawn.team_quarter.copy()
    starts = table["team_id"].map(drawn.programme.set_index("team_id")["start_date"])
    joined = pd.PeriodIndex(table["quarter"], freq="Q").to_timestamp() >= pd.to_datetime(starts)
    table["n_leads"] = table["n_leads"] * (1 + joined / 3)
    got = guards.leads_guard(table, drawn.programme)
    assert got.passed
    assert "adopters' leads +3" in got.says
