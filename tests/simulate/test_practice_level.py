"""Simulated practices follow the level that was drawn for them, and nothing else follows it."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.simulate.exports import (
    hand_kept_files,
    hubspot,
    practice_agreements,
    practice_content,
    practice_details,
    practice_meetings,
    practice_requests,
    practice_scene,
    practice_survey,
    salesforce_deals,
)
from analysis.simulate.simulated_tables import simulate_company, simulate_panels
from analysis.simulate.world import practice_level
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.simulate.world.people import NEVER

COMPANY = SimulatedCompany(n_teams=24, n_quarters=8, adoption=((3, 0.5),), late_logging_quarter=0)
EVEN = replace(COMPANY, adoption=(), practice_start_sd=0.0, practice_noise_sd=0.0)
ROOMS = (
    practice_agreements.agreement_files,
    practice_agreements.targeting_files,
    practice_content.content_files,
    practice_requests.request_file,
    practice_meetings.meeting_minutes,
    practice_survey.voice_files,
    hand_kept_files.programme_cost_file,
)


def scene_of(company: SimulatedCompany) -> practice_scene.Scene:
    made = simulate_company(company)
    return practice_scene.practice_scene(company, made, salesforce_deals.record_keys(company, made))


@pytest.fixture(scope="module")
def scene() -> practice_scene.Scene:
    return scene_of(COMPANY)


@pytest.fixture(scope="module")
def tables(scene) -> dict[str, pd.DataFrame]:
    files = {n: t for room in ROOMS for n, t in room(scene).items()}
    detailed = practice_details.with_practice_details(scene, files)
    return {n: t.to_pandas() for n, t in detailed.items()}


@pytest.fixture(scope="module")
def at_level():
    """Return all tables of a company whose every team stands at one level, by that level."""
    made = {}
    for level in (0.2, 0.8):
        there = scene_of(replace(EVEN, practice_start=level))
        made[level] = {n: t.to_pandas() for room in ROOMS for n, t in room(there).items()}
    return made


def test_the_level_rises_by_thirds_where_the_programme_begins_and_nowhere_else(scene):
    """From 0.25 by 0.15, 0.30 and 0.45 on average; 12 teams with a spread of 0.08 have a standard error of 0.03."""
    adopters = scene.tables.draws.people.adopted != NEVER
    assert adopters.sum() == 12
    path = scene.level[adopters].mean(axis=0) - scene.level[adopters, :2].mean()
    assert path == pytest.approx([0, 0, 0.15, 0.30, 0.45, 0.45, 0.45, 0.45], abs=0.06)
    assert scene.level[~adopters].std(axis=1).max() < 0.07
    assert scene.level[~adopters].mean() == pytest.approx(0.25, abs=0.06)
    assert scene.level.min() >= practice_level.LOWEST
    assert scene.level.max() <= practice_level.HIGHEST


def test_bookings_do_not_know_the_level():
    """Other practices, the same money to the cent: results follow `effect` alone."""
    one, other = (
        simulate_panels(replace(COMPANY, practice_start=start, practice_gain=0.0))
        for start in (0.1, 0.9)
    )
    pd.testing.assert_frame_equal(one.team_quarter, other.team_quarter)
    pd.testing.assert_frame_equal(one.rep_week, other.rep_week)


SHARES = {  # what share of a table's rows keeps the practice
    "goals": lambda t: t[["sales_owner_rep_id", "marketing_owner_rep_id"]].notna().all(axis=1),
    "activity_targets": lambda t: t[["volume_target", "conversion_target"]].notna().all(axis=1),
    "metric_packs": lambda t: t["n_metrics"].astype(int).between(3, 5) & t[["sent_to_sales_on", "sent_to_marketing_on"]].notna().all(axis=1),
    "plans": lambda t: (t["signed_by_sales_on"] < t["period_start"]) & (t["signed_by_marketing_on"] < t["period_start"]),
    "campaign_notices": lambda t: t["cites_agreed_narrative"] == "true",
    "marketing_requests": lambda t: t["n_questions_answered"].astype(int) == 13,
}  # fmt: skip


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("level", [0.2, 0.8])
def test_a_practice_is_kept_as_often_as_the_level_says(at_level, name, level):
    """At least 380 rows: three standard errors are 0.06; plans lack 5 % of their own signatures."""
    kept = SHARES[name](at_level[level][name])
    assert len(kept) >= 380
    assert kept.mean() == pytest.approx(level * (0.95 if name == "plans" else 1), abs=0.06)


def test_lists_share_as_many_accounts_as_the_level_says(at_level):
    """Each of sales' accounts stands on marketing's list with that probability."""
    key = ["team_id", "account_id", "valid_from"]
    for level, made in at_level.items():
        lists = made["target_accounts"]
        assert not lists.duplicated([*key, "side"]).any()
        sides = {side: rows.set_index(key).index for side, rows in lists.groupby("side")}
        assert sides["sales"].isin(sides["marketing"]).mean() == pytest.approx(level, abs=0.05)


def test_answers_rise_with_the_level_and_marketing_sees_it_rosier(at_level):
    """1 + 4 x level where the scale does not cut it off: 1.8 and 4.2; marketing stands 0.35 higher in the middle."""
    mean = {
        level: made["survey_answers"]
        .assign(score=lambda t: t["score"].astype(int))
        .groupby("side")["score"]
        .mean()
        for level, made in at_level.items()
    }
    assert mean[0.2]["sales"] == pytest.approx(1.9, abs=0.15)
    assert mean[0.8]["sales"] == pytest.approx(4.1, abs=0.15)
    assert all(0.1 < m["marketing"] - m["sales"] < 0.5 for m in mean.values())


def answers_on_halo(points: float) -> float:
    """Return how many points the mean answer of a team's quarter gains per unit of halo, at one level."""
    there = scene_of(replace(EVEN, practice_start=0.5, survey_halo=points))
    rows = practice_survey.voice_files(there)["survey_answers"].to_pandas()
    quarter = pd.PeriodIndex(pd.to_datetime(rows["answered_on"]), freq="Q")
    rows["score"] = rows["score"].astype(int)
    mean = rows.assign(quarter=quarter.astype(str)).pivot_table(
        index="team_id", columns="quarter", values="score"
    )
    mean = mean.loc[there.keys.team.to_pylist()[: there.company.n_teams]].to_numpy()
    return float(np.polyfit(practice_survey.bookings_halo(there).ravel(), mean.ravel(), 1)[0])


@pytest.mark.parametrize("points", [0.0, 0.3])
def test_results_colour_the_answers_by_the_halo_and_no_more(points):
    """192 team-quarters of some 100 answers: three standard errors are about 0.05 points."""
    assert answers_on_halo(points) == pytest.approx(points, abs=0.06)


def test_weekly_minutes_are_of_meetings_that_the_calendars_hold(scene, tables):
    """Each weekly meeting falls on a day on which a rep of the team has a joint meeting; one a week at most."""
    joint = scene.tables.calendar.records.query("is_joint")
    held = {
        (t, str(d))
        for t, d in zip(
            scene.keys.team.take(joint["team"].to_numpy()).to_pylist(),
            scene.tables.draws.window.dates(joint["start"].to_numpy() // 1440),
            strict=True,
        )
    }
    weekly = tables["joint_meetings"].query("kind == 'weekly'")
    assert set(zip(weekly["team_id"], weekly["held_on"], strict=True)) <= held
    week = pd.PeriodIndex(pd.to_datetime(weekly["held_on"]), freq="W-SUN")
    assert not pd.DataFrame({"team": weekly["team_id"].to_numpy(), "week": week}).duplicated().any()


@pytest.mark.parametrize("level", [0.2, 0.6])
def test_weeks_with_a_joint_meeting_are_as_many_as_the_level_says(level):
    made = simulate_company(replace(EVEN, practice_start=level))
    joint = made.calendar.records.query("is_joint").groupby(["team", "week"]).ngroups
    assert joint / (24 * len(made.draws.window.week_start)) == pytest.approx(level, abs=0.05)


def test_leads_are_answered_sooner_and_left_lying_less_at_a_higher_level():
    """Days from qualification to an answer, and the leads that end in no way at all."""
    median, lying = {}, {}
    for level in (0.1, 0.9):
        demand = simulate_company(replace(EVEN, practice_start=level)).demand
        moves = demand.history
        qualified = moves[moves["new"] == 1].groupby("lead")["day"].min()
        answered = moves[moves["new"].isin([2, 4, 5])].groupby("lead")["day"].min()
        median[level] = (answered - qualified).median()
        lying[level] = (demand.leads["status"] == 1).mean()
    assert median[0.9] <= 2
    assert median[0.1] > 7
    assert lying[0.9] < 0.6 * lying[0.1]


def test_only_adopters_cost_and_the_first_quarter_costs_most(scene, tables):
    """15,000 USD once and 5,000 a quarter: 20,000 in the first; 12 teams give each a standard error of 1 %."""
    spent = tables["programme_costs"].assign(cost_amount=lambda t: t["cost_amount"].astype(float))
    usd = spent[spent["currency"] == "USD"]
    by_quarter = (
        usd.groupby(["team_id", "period_start"])["cost_amount"].sum().groupby("period_start").mean()
    )
    assert by_quarter.tolist() == pytest.approx([20_000, *[5_000] * 5], rel=0.06)
    adopters = np.flatnonzero(scene.tables.draws.people.adopted != NEVER)
    assert set(spent["team_id"]) == set(scene.keys.team.take(adopters).to_pylist())


def test_nothing_is_dated_after_the_window(scene, tables):
    """What has happened has happened: only the end of a span and what is wanted may lie ahead."""
    last = str(scene.tables.draws.window.dates(np.array([scene.n_days - 1]))[0])
    spans = ("period_end", "valid_to", "wanted_on")
    for name, table in tables.items():
        for column in table.columns:
            if column.endswith(("_on", "_start", "_from")) and column not in spans:
                assert table[column].dropna().le(last).all(), (name, column)


def test_used_assets_exist_and_are_used_after_they_were_made(tables):
    uses = tables["asset_uses"].merge(
        tables["assets"], on="asset_id", how="left", suffixes=("", "_made")
    )
    assert (uses["used_on"] >= uses["created_on"]).all()
    assert (uses["team_id"] == uses["team_id_made"]).all()
    assert uses["opportunity_id"].notna().mean() > 0.5


def test_feedback_comes_from_a_rep_of_the_team(scene, tables):
    """On the day it was brought, by the memberships behind the panels."""
    window, people = scene.tables.draws.window, scene.tables.draws.people
    users, teams = scene.keys.user.to_pylist(), scene.keys.team.to_pylist()
    rows = tables["feedback"]
    day = (rows["reported_on"].to_numpy().astype("datetime64[D]") - window.start).astype(int)
    for rep, team, week in zip(rows["rep_id"], rows["team_id"], window.week_of(day), strict=True):
        seat = np.flatnonzero(people.rep[:, week] == users.index(rep))
        assert teams[int(people.team[seat[0], week])] == team


def test_reviews_are_valid_and_an_action_carried_over_keeps_its_id(scene):
    """Those of the two quarters before the last; what was open in the first is in the second."""
    files = {
        quarter: tomllib.loads(text)
        for quarter, text in practice_meetings.review_files(scene.tables.draws.window).items()
    }
    assert list(files) == ["2026Q1", "2026Q2"]
    assert str(files["2026Q2"]["held_on"]) == "2026-07-14"
    first, second = ({a["id"]: a for a in review["actions"]} for review in files.values())
    assert {i for i, a in first.items() if a["status"] == "open"} <= set(second)
    assert all(first[i]["text"] == second[i]["text"] for i in set(first) & set(second))
    assert all(
        (a["status"] == "dropped") == ("reason" in a) for a in [*first.values(), *second.values()]
    )
    assert all(3 <= len(actions) <= 4 for actions in (first, second))


def test_details_are_added_to_tables_whose_own_columns_stay_as_they_were(scene, tables):
    """Their chance is of streams of its own: not a cell of what was drawn before moves."""
    before = {n: t.to_pandas() for room in ROOMS for n, t in room(scene).items()}
    for name, table in before.items():
        pd.testing.assert_frame_equal(tables[name][table.columns], table)
    assert set(tables) - set(before) == {
        "stage_owners", "campaign_milestones", "content_ideas", "content_trials", "channels",
    }  # fmt: skip


def test_details_name_what_exists(tables):
    """Goals above goals, assets of ideas, goals of campaigns; no idea becomes an asset made before it."""
    goals, assets = tables["goals"], tables["assets"].set_index("asset_id")
    assert set(goals["parent_goal_id"].dropna()) <= set(goals["goal_id"])
    assert set(tables["campaign_notices"]["goal_id"].dropna()) <= set(goals["goal_id"])
    ideas = tables["content_ideas"].dropna(subset=["asset_id"])
    assert len(ideas) > 10
    assert (ideas["asset_id"].map(assets["created_on"]) > ideas["brought_on"]).all()
    assert (ideas["asset_id"].map(assets["team_id"]) == ideas["team_id"]).all()


def test_a_trial_of_content_leaves_out_half_of_its_accounts_by_lot(tables):
    """Of some 6,000 accounts half are in it: three standard errors are 0.03."""
    trial = tables["content_trials"]
    assert set(trial["assigned_by"]) == {"lot"}
    assert (trial["is_held_out"] == "true").mean() == pytest.approx(0.5, abs=0.03)
    assert trial["account_id"].is_unique


def test_hubspots_files_are_the_same_but_for_the_crms_ids(tables):
    """Every file of practices is written in that layout too."""
    assert set(hubspot.PRACTICES) == set(tables)
