"""What the two sides agreed on paper: definitions, goals, plans, targets, incentives, key metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate import marketing
from analysis.simulate import salesforce as sf
from analysis.simulate.practice.levels import chance, names
from analysis.simulate.records import N_MARKETERS

if TYPE_CHECKING:
    from analysis.simulate.practice.levels import Scene
    from analysis.simulate.window import Bools, Ints

SIDES = ("sales", "marketing")
GOALS = ("qualified leads", "pipeline created", "first touch within two days")
GOAL_VALUE = (60.0, 4_000_000.0, 0.8)  # count, currency, share
REVIEW_RATE = 0.4  # a quarter, of a definition at level 1
SHARED_PAY = 0.4  # share of sales' variable pay on outcomes both sides share
DAYS_IN_FORCE_BEFORE = 500  # of marketing's own definition
OWN_SIGNATURE, LATE_SIGNATURE = 0.95, 0.4
VOLUME_ONLY = 0.5  # of the activities without both targets


def tables(scene: Scene) -> dict[str, pa.Table]:
    """Return all of them, by file name."""
    return {
        "sales_ready_definitions": _definitions(scene),
        "goals": _goals(scene),
        "plans": _plans(scene),
        "activity_targets": _targets(scene),
        "incentives": _incentives(scene),
        "metric_packs": _packs(scene),
    }


def _definitions(scene: Scene) -> pa.Table:
    """Return marketing's own definition for all, and the versions that teams agreed on with it."""
    rng = scene.rng(1)
    early = np.arange(-3, scene.company.n_quarters)  # a year of versions before the window
    team, quarter = (index.ravel() for index in np.indices((scene.company.n_teams, len(early))))
    agreed = chance(rng, REVIEW_RATE * scene.level[team, np.maximum(early[quarter], 0)])
    team, quarter = team[agreed], early[quarter[agreed]]
    valid = np.where(quarter < 0, 91 * quarter, scene.edge[np.maximum(quarter, 0)]) + rng.integers(0, 20, len(team))
    last = np.append(team[1:] != team[:-1], values=True)
    until = np.where(last, 0, np.roll(valid, -1))
    day = np.concatenate([[-DAYS_IN_FORCE_BEFORE], valid])
    n = len(day)
    return pa.table(
        {
            "definition_id": pa.array(names("definition", n)),
            "team_id": sf.pick(scene.keys.team, np.append(-1, team)),
            "valid_from": sf.dates(scene.start, day),
            "valid_to": sf.dates(scene.start, np.append(0, until), known=np.append(False, ~last)),
            "approved_by_sales_on": sf.dates(scene.start, day - rng.integers(1, 15, n), known=np.arange(n) > 0),
            "approved_by_marketing_on": sf.dates(scene.start, day - rng.integers(1, 15, n)),
        }
    )


def _period(scene: Scene, quarter: Ints) -> dict[str, pa.Array]:
    return {
        "period_start": sf.dates(scene.start, scene.edge[quarter]),
        "period_end": sf.dates(scene.start, scene.edge[quarter + 1]),
    }


def _goals(scene: Scene) -> pa.Table:
    rng = scene.rng(2)
    team, quarter, level = scene.grid(len(GOALS))
    n = len(team)
    both, ours = chance(rng, level), rng.random(n) < 0.6
    marketer = scene.manager(np.full(n, scene.company.n_teams)) + team % N_MARKETERS
    metric = np.arange(n) % len(GOALS)
    value = np.take(GOAL_VALUE, metric) * np.where(metric == len(GOALS) - 1, 1.0, rng.uniform(0.8, 1.3, n))
    return pa.table(
        {
            "goal_id": pa.array(names("goal", n)),
            "team_id": sf.pick(scene.keys.team, team),
            **_period(scene, quarter),
            "metric": sf.pick(GOALS, metric),
            "target_value": sf.money(value),
            "sales_owner_rep_id": sf.pick(scene.keys.user, np.where(both | ours, scene.manager(team), -1)),
            "marketing_owner_rep_id": sf.pick(scene.keys.user, np.where(both | ~ours, marketer, -1)),
        }
    )


def _plans(scene: Scene) -> pa.Table:
    rng = scene.rng(3)
    team, quarter, level = scene.grid(len(SIDES))
    n = len(team)
    side = np.arange(n) % len(SIDES)
    start = scene.edge[quarter]
    own = rng.random(n) < OWN_SIGNATURE
    in_time, late = chance(rng, level), rng.random(n) < LATE_SIGNATURE
    other_day = np.where(in_time, start - rng.integers(1, 20, n), start + rng.integers(3, 45, n))
    other = (in_time | late) & (other_day < scene.n_days)
    own_day = start - rng.integers(5, 25, n)

    def signed(by: int) -> pa.Array:
        return sf.dates(scene.start, np.where(side == by, own_day, other_day), known=np.where(side == by, own, other))

    return pa.table(
        {
            "plan_id": pa.array(names("plan", n)),
            "team_id": sf.pick(scene.keys.team, team),
            "side": sf.pick(SIDES, side),
            **_period(scene, quarter),
            "signed_by_sales_on": signed(0),
            "signed_by_marketing_on": signed(1),
        }
    )


def _targets(scene: Scene) -> pa.Table:
    """Return a row per team, quarter and kind of activity: its part of the campaigns' budgets."""
    rng = scene.rng(4)
    n_kinds = len(marketing.CAMPAIGN_TYPES)
    team, quarter, level = scene.grid(n_kinds)
    n = len(team)
    kind = np.arange(n) % n_kinds
    budget = scene.tables.demand.campaigns["budget"].to_numpy()[quarter * n_kinds + kind]
    both = chance(rng, level)
    volume = both | (rng.random(n) < VOLUME_ONLY)
    leads = pa.array(rng.integers(5, 40, n)).cast(pa.string())
    share = pa.array(np.round(rng.uniform(0.02, 0.15, n), 3)).cast(pa.string())
    return pa.table(
        {
            "target_id": pa.array(names("target", n)),
            "team_id": sf.pick(scene.keys.team, team),
            "campaign_type": sf.pick(marketing.CAMPAIGN_TYPES, kind),
            **_period(scene, quarter),
            "spend_amount": sf.money(budget / scene.company.n_teams * rng.uniform(0.7, 1.3, n)),
            "currency": sf.constant("USD", n),
            "volume_target": sf.blank(leads, ~volume),
            "conversion_target": sf.blank(share, ~both),
        }
    )


def _incentives(scene: Scene) -> pa.Table:
    """Return a row per team, side and calendar year: pay plans change in January."""
    rng = scene.rng(5)
    window = scene.tables.draws.window
    years = np.arange(int(window.quarters[0][:4]), int(window.quarters[-1][:4]) + 1)
    edges = ((np.append(years, years[-1] + 1) - 1970) * 12).astype("datetime64[M]").astype("datetime64[D]")
    day = (edges - scene.start).astype(np.int64)
    quarter = window.quarter[np.clip(day[:-1], 0, scene.n_days - 1)]
    shape = (scene.company.n_teams, len(years), len(SIDES))
    team, year, side = (index.ravel() for index in np.indices(shape))
    ours = np.repeat(SHARED_PAY * rng.uniform(0.75, 1.25, len(team) // 2), 2)
    share = np.where(
        side == 0, ours, ours * np.minimum(scene.level[team, quarter[year]] * rng.uniform(0.8, 1.2, len(team)), 1)
    )
    return pa.table(
        {
            "team_id": sf.pick(scene.keys.team, team),
            "side": sf.pick(SIDES, side),
            "period_start": sf.dates(scene.start, day[year]),
            "period_end": sf.dates(scene.start, day[year + 1]),
            "shared_outcome_rate": pa.array(np.round(share, 2)).cast(pa.string()),
        }
    )


def _packs(scene: Scene) -> pa.Table:
    rng = scene.rng(6)
    first, of_quarter = scene.months()
    team, month = (index.ravel() for index in np.indices((scene.company.n_teams, len(first))))
    n = len(team)
    good = chance(rng, scene.level[team, of_quarter[month]])
    short, long = rng.integers(3, 6, n), rng.integers(6, 15, n)

    def sent(rate: float) -> pa.Array:
        known: Bools = good | (rng.random(n) < rate)
        return sf.dates(scene.start, first[month] + rng.integers(22, 28, n), known=known)

    return pa.table(
        {
            "pack_id": pa.array(names("pack", n)),
            "team_id": sf.pick(scene.keys.team, team),
            "month_start": sf.dates(scene.start, first[month]),
            "n_metrics": pa.array(np.where(good, short, long)).cast(pa.string()),
            "sent_to_sales_on": sent(0.4),
            "sent_to_marketing_on": sent(0.7),
        }
    )
