"""The simulated company does what its parameters say, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.simulate.simulated_tables import draw_company, simulate_company, simulate_panels
from analysis.simulate.world.company_parameters import SimulatedCompany

SMALL = SimulatedCompany(n_teams=4, n_quarters=6, adoption=((3, 0.5),))
MANY = SimulatedCompany(n_teams=300, n_quarters=9, adoption=((5, 0.5),))
SEEDS = (1, 2, 3)


def within(values: pd.Series, group: pd.Series) -> pd.Series:
    return values - values.groupby(group).transform("mean")


def slope(y: pd.Series, x: pd.Series) -> float:
    return float((x * y).sum() / (x * x).sum())


def path(total: pd.DataFrame) -> pd.Series:
    """Return treated over never, against the quarters before the fifth, in logs."""
    gap = np.log(total[True] / total[False])
    return gap - gap.iloc[:4].mean()


def closings_by_group(company: SimulatedCompany, column: str) -> pd.DataFrame:
    drawn = draw_company(company)
    deals = drawn.deals.table
    deals = deals[deals["is_closed"]]
    deals = deals.assign(
        treated=drawn.people.adopted[deals["team"]] < company.n_quarters,
        bookings=deals["amount_usd"] * deals["is_won"],
    )
    return deals.pivot_table(index="quarter", columns="treated", values=column, aggfunc="sum")


def test_one_seed_is_one_company():
    """The same draws twice; others for another seed."""
    one, same, other = (
        simulate_panels(SMALL),
        simulate_panels(SMALL),
        simulate_panels(replace(SMALL, seed=8)),
    )
    for mine, yours in zip(one, same, strict=True):
        pd.testing.assert_frame_equal(mine, yours)
    assert one.team_quarter["bookings"].sum() != other.team_quarter["bookings"].sum()


@pytest.mark.parametrize("effect", [0.0, 0.18])
def test_bookings_by_close_quarter_follow_the_planted_path(effect):
    """Thirds of the effect in the quarters 5, 6 and 7, all of it from then on.

    300 teams win some 7,000 deals a quarter and group, so a log ratio has a standard error of about
    0.013 over three seeds; what is expected of those same deals is surer.
    """
    planted = effect * np.array([0, 0, 0, 0, 1 / 3, 2 / 3, 1, 1, 1])
    for column, tolerance in (("bookings", 0.045), ("win_probability", 0.02)):
        paths = [
            path(closings_by_group(replace(MANY, seed=seed, effect=effect), column))
            for seed in SEEDS
        ]
        assert np.abs(np.mean(paths, axis=0) - planted).max() < tolerance


def test_opportunities_created_carry_the_effect_at_once():
    """A deal created in the second quarter after adoption already counts in full."""
    frames = [simulate_panels(replace(MANY, seed=seed)).team_quarter for seed in SEEDS]
    table = pd.concat(frames)
    table["treated"] = table["event_time"].notna()
    total = table.pivot_table(
        index="quarter", columns="treated", values="opportunities_created", aggfunc="sum"
    )
    assert path(total).iloc[6:].mean() == pytest.approx(0.18, abs=0.02)


def test_enterprise_bookings_are_steady_from_the_first_quarter():
    """Deals of 548 days close from the start, because they were created before it."""
    company = SimulatedCompany(n_teams=60, n_quarters=8, enterprise_share=1.0, effect=0.0)
    table = simulate_panels(company).team_quarter
    won = table.groupby("quarter")["won"].sum()
    assert won.iloc[:4].sum() == pytest.approx(won.iloc[4:].sum(), rel=0.05)


def test_the_elasticity_is_the_one_planted():
    """Without team effects, log expected opportunities rise by 0.34 per log hour, for each rep."""
    company = replace(
        SMALL, effect=0.0, season_log=(0.0,) * 4, shock_log_sd=0.0, hot_pipeline=False
    )
    weeks = simulate_panels(company).rep_week.query("worked_days > 0")
    x = within(np.log(weeks["selling_hours"]), weeks["rep"])
    y = within(np.log(weeks["expected_opportunities"]), weeks["rep"])
    assert slope(y, x) == pytest.approx(0.34, abs=1e-9)


def test_pooling_reps_overstates_the_elasticity():
    """Skill sells longer and creates more: 0.10 x 0.15 over a variance of 0.06 adds some 0.25."""
    weeks = simulate_panels(SimulatedCompany(n_teams=60, n_quarters=4)).rep_week.query(
        "worked_days == 5"
    )
    x, y = np.log(weeks["selling_hours"]), np.log(weeks["expected_opportunities"])
    assert 0.42 < slope(y - y.mean(), x - x.mean()) < 0.75


def test_a_hot_pipeline_ties_hours_to_closings():
    """Closings run with hours within a rep when demand moves both, and hardly when it does not."""

    def association(*, hot: bool) -> float:
        company = SimulatedCompany(n_teams=60, n_quarters=8, hot_pipeline=hot)
        quarters = simulate_panels(company).rep_quarter.query("worked_days > 40")
        x = np.log(quarters["selling_hours"] / quarters["worked_days"])
        return slope(within(quarters["won"] / 6, quarters["rep"]), within(x, quarters["rep"]))

    assert association(hot=True) > association(hot=False) + 0.5


def test_late_hours_are_a_fixed_share_unless_pipelines_are_hot():
    """0.3 of the hours; with demand, a share that moves with it."""
    calm = simulate_panels(replace(SMALL, hot_pipeline=False)).rep_week.query("worked_days > 0")
    assert (calm["late_hours"] / calm["selling_hours"]).to_numpy() == pytest.approx(0.3)
    hot = simulate_panels(SMALL).rep_week.query("worked_days > 0")
    assert (hot["late_hours"] / hot["selling_hours"]).corr(hot["demand"]) > 0.99


def test_hours_vary_as_planned_and_shifters_move_them():
    """Full weeks of a rep vary by 0.20 in logs; shifters move them one for one, far above F = 10."""
    weeks = simulate_panels(SimulatedCompany()).rep_week.query("worked_days == 5")
    hours = within(np.log(weeks["selling_hours"]), weeks["rep"])
    shift = within(weeks["log_shift"], weeks["rep"])
    assert hours.std() == pytest.approx(0.20, abs=0.02)
    assert slope(hours, shift) == pytest.approx(1, abs=0.05)
    r2 = hours.corr(shift) ** 2
    assert r2 / (1 - r2) * len(weeks) > 1_000


def test_the_demo_company_has_the_size_it_was_given():
    """About 20 opportunities and 6 wins a rep and quarter, 71,000 USD, 75 and 548 days, 10.5 h."""
    company = replace(SimulatedCompany(), effect=0.0)
    drawn, made = draw_company(company), simulate_panels(company)
    active = made.rep_quarter["worked_days"].sum() / drawn.hours.worked.sum(axis=1).mean() * 12
    assert made.rep_quarter["opportunities_created"].sum() / active == pytest.approx(20, rel=0.05)
    assert made.rep_quarter["won"].sum() / active == pytest.approx(6, rel=0.05)
    deals = drawn.deals.table
    won = deals.loc[deals["is_won"], "amount_usd"]
    assert won.mean() == pytest.approx(71_000, rel=0.03)
    assert np.log(won).std() == pytest.approx(0.6, rel=0.03)
    new = deals[(deals["created"] >= 0) & (deals["created"] < 91)]
    cycle = (new["closed"] - new["created"]).groupby(
        drawn.people.team_segment[new["team_created"]] == 2
    )
    assert cycle.median().tolist() == pytest.approx([75, 548], rel=0.08)
    assert made.rep_week.query("worked_days == 5")["selling_hours"].mean() == pytest.approx(
        10.5, rel=0.05
    )


def test_records_sum_to_the_panels():
    """Meetings and calls to logged hours by rep and week; deals to wins and bookings by team."""
    made = simulate_company(SMALL)
    records = made.calendar.records
    selling = records[records["kind"] <= 2]
    logged = selling.groupby(["rep", "week"])["seconds"].sum() / 3600
    panel = made.panels.rep_week.set_index(["rep", "week"])["logged_hours"]
    assert logged.reindex(panel.index, fill_value=0).to_numpy() == pytest.approx(
        panel.fillna(0).to_numpy()
    )
    late = records[records["kind"] == 0].groupby(["rep", "week"])["seconds"].sum() / 3600
    panel = made.panels.rep_week.set_index(["rep", "week"])["logged_late_hours"]
    assert late.reindex(panel.index, fill_value=0).to_numpy() == pytest.approx(
        panel.fillna(0).to_numpy()
    )
    deals = made.draws.deals.table.query("is_won").groupby(["team", "quarter"])["amount_usd"].sum()
    panel = made.panels.team_quarter.set_index(["team", "quarter"])["bookings"]
    assert deals.reindex(panel.index, fill_value=0).to_numpy() == pytest.approx(panel.to_numpy())
    by_rep = made.panels.rep_quarter
    for column in ("opportunities_created", "won", "bookings"):
        assert by_rep[column].sum() == pytest.approx(made.panels.team_quarter[column].sum())
    assert by_rep["selling_hours"].sum() == pytest.approx(
        made.panels.rep_week["selling_hours"].sum()
    )


def test_nobody_is_in_two_meetings_or_works_on_a_day_off():
    """Records of a rep follow one another, on days worked, between 8:30 and 22:00."""
    made = simulate_company(SMALL)
    records = made.calendar.records.sort_values(["rep", "start"])
    end = records["start"] + records["seconds"] / 60
    after = records["start"].shift(-1)[records["rep"] == records["rep"].shift(-1)]
    assert (after >= end[after.index]).all()
    assert made.draws.people.worked[records["seat"], records["start"] // 1440].all()
    assert records["start"].mod(1440).min() >= 8 * 60 + 30
    assert (end - records["start"] // 1440 * 1440).max() < 22 * 60


def test_a_team_that_does_not_log_yet_is_unknown_not_idle():
    """No record before the switch, and a missing value rather than 0 in the panel."""
    made = simulate_company(replace(SMALL, late_logging_quarter=4))
    weeks = made.panels.rep_week
    silent = weeks[weeks["logged_hours"].isna()]
    assert len(set(silent["team"])) == 1
    assert silent["quarter"].max() == 2
    assert (silent["selling_hours"] > 0).any()
    records = made.calendar.records
    assert not set(zip(silent["rep"], silent["week"], strict=True)) & set(
        zip(records["rep"], records["week"], strict=True)
    )


def test_late_meetings_are_about_deals_in_negotiation():
    """The linked deal entered Negotiation by that Monday and was open when the week began."""
    made = simulate_company(SMALL)
    late = made.calendar.records.query("kind == 0 and deal >= 0")
    monday = made.draws.window.week_start[late["week"]]
    assert (made.calendar.stages["negotiation"].to_numpy()[late["deal"]] <= monday).all()
    assert (made.draws.deals.table["closed"].to_numpy()[late["deal"]] >= monday).all()
    assert len(late) > 0.95 * (made.calendar.records["kind"] == 0).sum()


def test_more_adopters_than_teams_is_refused():
    """Two thirds twice is more than everybody."""
    with pytest.raises(ValueError, match="shares must not pass 1"):
        SimulatedCompany(n_teams=6, adoption=((2, 2 / 3), (3, 2 / 3)))
