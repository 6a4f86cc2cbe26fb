"""What is kept of practices beyond the bare record: who answers, what was presented, who read it.

Columns are added to tables drawn before, and a few tables stand alone.  All chance is of streams of
its own, so that nothing drawn before moves.  The trial of content does nothing to any deal: what
comes of it can only be chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports.practice_scene import made_up_ids
from analysis.simulate.exports.salesforce_deals import N_MARKETERS
from analysis.simulate.world.practice_level import draw_chance

if TYPE_CHECKING:
    from analysis.simulate.exports.practice_scene import Scene
    from analysis.simulate.world.calendar import Bools, Floats, Ints

STREAM = 40  # the first of these streams
SIDES = ("sales", "marketing")
STAGES = ("lead generation", "qualification", "first meeting", "proposal", "renewal")
ANSWERS = ("sales", "marketing", "both", "nobody")
OWNED_BY = (1, 1, 0, 0, 0)  # who answers for each stage where both sides agree
KINDS = ("case study", "blog", "brochure", "video")
DEAL_STAGES = ("discovery", "proposal", "negotiation")
SEGMENTS = ("SMB", "Enterprise")
REFRESH = (90, 180, 365)  # days
CHANNELS = ("web site", "newsletter", "blog", "trade press", "social media", "webinars")
TRIAL_PART, HELD_OUT = 0.5, 0.5  # of the accounts in the trial, and of those left out
TRIAL_QUARTERS = 3  # before the window's end at which the trial began
MEETING_MINUTES = (30, 45, 60)
READERS, ACT_DAYS = 120.0, 30.0  # means


def with_practice_details(scene: Scene, files: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the files with their details, and those that only tell of these."""
    more = dict(files)
    for name, details in (
        ("goals", _of_goals(scene, files["goals"])),
        ("metric_packs", _of_packs(scene, files["metric_packs"])),
        ("campaign_notices", _of_notices(scene, files["campaign_notices"], files["goals"])),
        ("assets", _of_assets(scene, files["assets"])),
        ("joint_meetings", _of_meetings(scene, files["joint_meetings"])),
        ("feedback", _of_feedback(scene, files["feedback"])),
    ):
        for column, values in details.items():
            more[name] = more[name].append_column(column, values)
    return {
        **more,
        "stage_owners": _stage_owners(scene),
        "campaign_milestones": _milestones(scene),
        "content_ideas": _ideas(scene, files["assets"]),
        "content_trials": _trial(scene),
        "channels": _channels(scene),
    }


def _rng(scene: Scene, number: int) -> np.random.Generator:
    return scene.rng(STREAM + number)


def _day_numbers(scene: Scene, column: pa.ChunkedArray) -> Ints:
    """Return days of the window; a missing one is the window's first."""
    texts = [text or str(scene.start) for text in column.to_pylist()]
    return (np.array(texts, "datetime64[D]") - scene.start).astype(np.int64)


def _levels(scene: Scene, table: pa.Table, day: Ints) -> Floats:
    """Return how well the row's team works with marketing on the day."""
    place = {name: i for i, name in enumerate(_team_ids(scene))}
    # a row without a team speaks for all of them: that of the first will do
    team = np.array([place.get(name, 0) for name in table["team_id"].to_pylist()])
    window = scene.tables.draws.window
    level: Floats = scene.level[team, window.quarter[np.clip(day, 0, scene.n_days - 1)]]
    return level


def _team_ids(scene: Scene) -> list[str]:
    return [str(name) for name in scene.keys.team]


def _counts(values: Ints, is_known: Bools) -> pa.Array:
    return sf.blank_out(pa.array(values).cast(pa.string()), ~is_known)


def _of_goals(scene: Scene, goals: pa.Table) -> dict[str, pa.Array]:
    """Return the goal above, the pipeline of the same team and quarter, and the value at first."""
    rng, n = _rng(scene, 0), len(goals)
    level = _levels(scene, goals, _day_numbers(scene, goals["period_start"]))
    above = np.arange(n) - np.arange(n) % 3 + 1  # the second of three is pipeline
    serves = draw_chance(rng, level) & (np.arange(n) % 3 != 1)
    start = rng.uniform(0.6, 1.0, n) * np.array(goals["target_value"].to_pylist(), float)
    names = goals["goal_id"].take(pa.array(np.minimum(above, n - 1))).combine_chunks()
    return {
        "parent_goal_id": sf.blank_out(names, ~serves),
        "baseline_value": sf.blank_out(sf.amount_texts(start), ~draw_chance(rng, level)),
    }


def _of_packs(scene: Scene, packs: pa.Table) -> dict[str, pa.Array]:
    rng, n = _rng(scene, 1), len(packs)
    level = _levels(scene, packs, _day_numbers(scene, packs["month_start"]))
    sent = rng.integers(8, 15, n)
    every = np.ones(n, bool)
    return {
        "n_recipients": _counts(sent, every),
        "n_opened": _counts(rng.binomial(sent, 0.2 + 0.7 * level), every),
    }


def _of_notices(scene: Scene, notices: pa.Table, goals: pa.Table) -> dict[str, pa.Array]:
    rng, n = _rng(scene, 2), len(notices)
    sent = _day_numbers(scene, notices["first_send_on"])
    level = _levels(scene, notices, sent)
    presented = scene.workday(sent - rng.integers(-5, 15, n))
    kit = rng.integers(4, 9, n)
    with_kit = draw_chance(rng, level)
    goal = goals["goal_id"].take(pa.array(rng.integers(0, len(goals), n))).combine_chunks()
    return {
        "presented_on": sf.day_texts(
            scene.start, presented, is_known=draw_chance(rng, level) & (presented < scene.n_days)
        ),
        "goal_id": sf.blank_out(goal, ~draw_chance(rng, level)),
        "n_reps_with_kit": _counts(kit, with_kit),
        "n_reps_posted": _counts(rng.binomial(kit, 0.1 + 0.6 * level), with_kit),
    }


def _of_assets(scene: Scene, assets: pa.Table) -> dict[str, pa.Array]:
    rng, n = _rng(scene, 3), len(assets)
    made_on = _day_numbers(scene, assets["created_on"])
    level = _levels(scene, assets, made_on)
    kind = rng.integers(0, len(KINDS), n)
    due = np.take(REFRESH, rng.integers(0, len(REFRESH), n))
    refreshed = made_on + rng.integers(30, 300, n)
    return {
        "kind": sf.pick_words(KINDS, kind),
        "stage": sf.pick_words(DEAL_STAGES, rng.integers(0, len(DEAL_STAGES), n)),
        "segment": sf.pick_words(SEGMENTS, rng.integers(0, len(SEGMENTS), n)),
        "refresh_days": _counts(due, rng.random(n) < 0.9),
        "refreshed_on": sf.day_texts(
            scene.start,
            refreshed,
            is_known=draw_chance(rng, level) & (refreshed < scene.n_days),
        ),
        "n_readers": _counts(rng.poisson(READERS * rng.gamma(1.0, 1.0, n)), kind == 1),
    }


def _of_meetings(scene: Scene, meetings: pa.Table) -> dict[str, pa.Array]:
    rng, n = _rng(scene, 4), len(meetings)
    level = _levels(scene, meetings, _day_numbers(scene, meetings["held_on"]))
    minutes = np.take(MEETING_MINUTES, rng.integers(0, len(MEETING_MINUTES), n))
    return {
        "planned_minutes": _counts(minutes, draw_chance(rng, 0.5 + 0.5 * level)),
        "n_topics": _counts(rng.binomial(3, 0.3 + 0.6 * level), np.ones(n, bool)),
        "host_side": sf.pick_words(SIDES, (rng.random(n) < 0.3).astype(np.int64)),
    }


def _of_feedback(scene: Scene, feedback: pa.Table) -> dict[str, pa.Array]:
    rng, n = _rng(scene, 5), len(feedback)
    day = _day_numbers(scene, feedback["reported_on"])
    level = _levels(scene, feedback, day)
    acted = day + 1 + rng.exponential(ACT_DAYS, n).astype(np.int64)
    is_known = draw_chance(rng, level) & (acted < scene.n_days)
    return {"acted_on": sf.day_texts(scene.start, acted, is_known=is_known)}


def _stage_owners(scene: Scene) -> pa.Table:
    """Return both sides' answers of the last quarter: agreed as often as the level says."""
    rng = _rng(scene, 6)
    team, stage, side = (
        index.ravel() for index in np.indices((scene.company.n_teams, len(STAGES), len(SIDES)))
    )
    n = len(team)
    agreed = np.repeat(draw_chance(rng, scene.level[team[::2], -1]), 2)
    answer = np.where(agreed, np.take(OWNED_BY, stage), rng.integers(0, len(ANSWERS), n))
    day = scene.n_days - 1 - rng.integers(30, 700, n)
    return pa.table(
        {
            "answer_id": pa.array(made_up_ids("answer", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "side": sf.pick_words(SIDES, side),
            "stage": sf.pick_words(STAGES, stage),
            "accountable": sf.pick_words(ANSWERS, answer),
            "agreed_on": sf.day_texts(scene.start, day, is_known=agreed),
        }
    )


def _milestones(scene: Scene) -> pa.Table:
    """Return three milestones of each campaign, done late or early by some days."""
    rng = _rng(scene, 7)
    campaigns = scene.tables.demand.campaigns
    campaign = np.repeat(np.arange(len(campaigns)), 3)
    n = len(campaign)
    sent = campaigns["start"].to_numpy()[campaign]
    due = scene.workday(sent - np.tile([30, 14, 3], len(campaigns)))
    level = scene.level.mean(axis=0)[campaigns["quarter"].to_numpy()[campaign]]
    in_time = draw_chance(rng, 0.3 + 0.6 * level)
    done = scene.workday(due + np.where(in_time, -rng.integers(0, 5, n), rng.integers(3, 25, n)))
    return pa.table(
        {
            "milestone_id": pa.array(made_up_ids("milestone", n)),
            "team_id": pa.nulls(n, pa.string()),
            "campaign_id": sf.pick_words(scene.keys.campaign, campaign),
            "due_on": sf.day_texts(scene.start, due),
            "done_on": sf.day_texts(scene.start, done, is_known=done < scene.n_days),
            "is_shared": sf.flag_texts(draw_chance(rng, level)),
        }
    )


def _ideas(scene: Scene, assets: pa.Table) -> pa.Table:
    """Return ideas of teams; some of the assets sales had a hand in came of one."""
    rng = _rng(scene, 8)
    people, window = scene.tables.draws.people, scene.tables.draws.window
    team, quarter, level = scene.counted(rng.poisson(2.0 * scene.level.ravel()))
    n, day = len(team), scene.day_in(quarter, rng)
    there = people.team[:, window.week_of(day)] == team  # seats x ideas
    seat = np.argmax(there * rng.random(there.shape), axis=0)
    rep = people.rep[seat, window.week_of(day)]
    made_on, of_team = _day_numbers(scene, assets["created_on"]), assets["team_id"].to_pylist()
    own = [np.flatnonzero(np.array(of_team) == name) for name in _team_ids(scene)]
    became = np.full(n, -1)
    for i in np.flatnonzero(draw_chance(rng, 0.2 + 0.6 * level)):
        fitting = own[team[i]][made_on[own[team[i]]] > day[i]]
        became[i] = fitting[0] if len(fitting) else -1
    return pa.table(
        {
            "idea_id": pa.array(made_up_ids("idea", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "rep_id": sf.pick_words(scene.keys.user, rep),
            "brought_on": sf.day_texts(scene.start, day),
            "asset_id": sf.pick_words(assets["asset_id"].to_pylist(), became),
        }
    )


def _trial(scene: Scene) -> pa.Table:
    """Return a trial by lot among half of the accounts, begun before the last quarters."""
    rng = _rng(scene, 9)
    n_all = scene.company.n_teams * scene.company.accounts_per_team
    account = np.flatnonzero(rng.random(n_all) < TRIAL_PART)
    n = len(account)
    quarter = max(scene.company.n_quarters - TRIAL_QUARTERS, 0)
    return pa.table(
        {
            "trial_id": sf.constant_column("trial-1", n),
            "account_id": sf.pick_words(scene.keys.account, account),
            "begins_on": sf.day_texts(scene.start, np.full(n, scene.edge[quarter])),
            "is_held_out": sf.flag_texts(rng.random(n) < HELD_OUT),
            "assigned_by": sf.constant_column("lot", n),
        }
    )


def _channels(scene: Scene) -> pa.Table:
    rng, n = _rng(scene, 10), len(CHANNELS)
    marketer = scene.manager(np.full(n, scene.company.n_teams)) + np.arange(n) % N_MARKETERS
    day = scene.n_days - 1 - rng.integers(5, 200, n)
    return pa.table(
        {
            "channel_id": pa.array(list(CHANNELS)),
            "owner_rep_id": sf.pick_words(
                scene.keys.user, np.where(np.arange(n) == n - 1, -1, marketer)
            ),
            "refresh_days": _counts(np.take(REFRESH, np.arange(n) % 3), np.arange(n) != n - 2),
            "refreshed_on": sf.day_texts(scene.start, day),
        }
    )
