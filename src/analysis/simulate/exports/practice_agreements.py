"""What the two sides agreed on paper: definitions, goals, plans, targets, incentives, key metrics.

Whom the two sides aim at, and what sales is told before marketing sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports.practice_scene import made_up_ids
from analysis.simulate.exports.salesforce_activities import CONTACTS_PER_ACCOUNT
from analysis.simulate.exports.salesforce_deals import N_MARKETERS
from analysis.simulate.world import marketing
from analysis.simulate.world.practice_level import draw_chance

if TYPE_CHECKING:
    from analysis.simulate.exports.practice_scene import Scene
    from analysis.simulate.world.calendar import Bools, Floats, Ints

SIDES = ("sales", "marketing")
GOALS = ("qualified leads", "pipeline created", "first touch within two days")
GOAL_VALUE = (60.0, 4_000_000.0, 0.8)  # count, currency, share
REVIEW_RATE = 0.4  # a quarter, of a definition at level 1
SHARED_PAY = 0.4  # share of sales' variable pay on outcomes both sides share
DAYS_IN_FORCE_BEFORE = 500  # of marketing's own definition
OWN_SIGNATURE, LATE_SIGNATURE = 0.95, 0.4
VOLUME_ONLY = 0.5  # of the activities without both targets


def agreement_files(scene: Scene) -> dict[str, pa.Table]:
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
    agreed = draw_chance(rng, REVIEW_RATE * scene.level[team, np.maximum(early[quarter], 0)])
    team, quarter = team[agreed], early[quarter[agreed]]
    valid = np.where(quarter < 0, 91 * quarter, scene.edge[np.maximum(quarter, 0)]) + rng.integers(
        0, 20, len(team)
    )
    last = np.append(team[1:] != team[:-1], values=True)
    until = np.where(last, 0, np.roll(valid, -1))
    day = np.concatenate([[-DAYS_IN_FORCE_BEFORE], valid])
    n = len(day)
    return pa.table(
        {
            "definition_id": pa.array(made_up_ids("definition", n)),
            "team_id": sf.pick_words(scene.keys.team, np.append(-1, team)),
            "valid_from": sf.day_texts(scene.start, day),
            "valid_to": sf.day_texts(
                scene.start, np.append(0, until), is_known=np.append(False, ~last)
            ),
            "approved_by_sales_on": sf.day_texts(
                scene.start, day - rng.integers(1, 15, n), is_known=np.arange(n) > 0
            ),
            "approved_by_marketing_on": sf.day_texts(scene.start, day - rng.integers(1, 15, n)),
        }
    )


def _period(scene: Scene, quarter: Ints) -> dict[str, pa.Array]:
    return {
        "period_start": sf.day_texts(scene.start, scene.edge[quarter]),
        "period_end": sf.day_texts(scene.start, scene.edge[quarter + 1]),
    }


def _goals(scene: Scene) -> pa.Table:
    rng = scene.rng(2)
    team, quarter, level = scene.grid(len(GOALS))
    n = len(team)
    both, ours = draw_chance(rng, level), rng.random(n) < 0.6
    marketer = scene.manager(np.full(n, scene.company.n_teams)) + team % N_MARKETERS
    metric = np.arange(n) % len(GOALS)
    value = np.take(GOAL_VALUE, metric) * np.where(
        metric == len(GOALS) - 1, 1.0, rng.uniform(0.8, 1.3, n)
    )
    return pa.table(
        {
            "goal_id": pa.array(made_up_ids("goal", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            **_period(scene, quarter),
            "metric": sf.pick_words(GOALS, metric),
            "target_value": sf.amount_texts(value),
            "sales_owner_rep_id": sf.pick_words(
                scene.keys.user, np.where(both | ours, scene.manager(team), -1)
            ),
            "marketing_owner_rep_id": sf.pick_words(
                scene.keys.user, np.where(both | ~ours, marketer, -1)
            ),
        }
    )


def _plans(scene: Scene) -> pa.Table:
    rng = scene.rng(3)
    team, quarter, level = scene.grid(len(SIDES))
    n = len(team)
    side = np.arange(n) % len(SIDES)
    start = scene.edge[quarter]
    own = rng.random(n) < OWN_SIGNATURE
    in_time, late = draw_chance(rng, level), rng.random(n) < LATE_SIGNATURE
    other_day = np.where(in_time, start - rng.integers(1, 20, n), start + rng.integers(3, 45, n))
    other = (in_time | late) & (other_day < scene.n_days)
    own_day = start - rng.integers(5, 25, n)

    def signed(by: int) -> pa.Array:
        return sf.day_texts(
            scene.start,
            np.where(side == by, own_day, other_day),
            is_known=np.where(side == by, own, other),
        )

    return pa.table(
        {
            "plan_id": pa.array(made_up_ids("plan", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "side": sf.pick_words(SIDES, side),
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
    both = draw_chance(rng, level)
    volume = both | (rng.random(n) < VOLUME_ONLY)
    leads = pa.array(rng.integers(5, 40, n)).cast(pa.string())
    share = pa.array(np.round(rng.uniform(0.02, 0.15, n), 3)).cast(pa.string())
    return pa.table(
        {
            "target_id": pa.array(made_up_ids("target", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "campaign_type": sf.pick_words(marketing.CAMPAIGN_TYPES, kind),
            **_period(scene, quarter),
            "spend_amount": sf.amount_texts(
                budget / scene.company.n_teams * rng.uniform(0.7, 1.3, n)
            ),
            "currency": sf.constant_column("USD", n),
            "volume_target": sf.blank_out(leads, ~volume),
            "conversion_target": sf.blank_out(share, ~both),
        }
    )


def _incentives(scene: Scene) -> pa.Table:
    """Return a row per team, side and calendar year: pay plans change in January."""
    rng = scene.rng(5)
    window = scene.tables.draws.window
    years = np.arange(int(window.quarters[0][:4]), int(window.quarters[-1][:4]) + 1)
    edges = (
        ((np.append(years, years[-1] + 1) - 1970) * 12)
        .astype("datetime64[M]")
        .astype("datetime64[D]")
    )
    day = (edges - scene.start).astype(np.int64)
    quarter = window.quarter[np.clip(day[:-1], 0, scene.n_days - 1)]
    shape = (scene.company.n_teams, len(years), len(SIDES))
    team, year, side = (index.ravel() for index in np.indices(shape))
    ours = np.repeat(SHARED_PAY * rng.uniform(0.75, 1.25, len(team) // 2), 2)
    share = np.where(
        side == 0,
        ours,
        ours * np.minimum(scene.level[team, quarter[year]] * rng.uniform(0.8, 1.2, len(team)), 1),
    )
    return pa.table(
        {
            "team_id": sf.pick_words(scene.keys.team, team),
            "side": sf.pick_words(SIDES, side),
            "period_start": sf.day_texts(scene.start, day[year]),
            "period_end": sf.day_texts(scene.start, day[year + 1]),
            "shared_outcome_rate": pa.array(np.round(share, 2)).cast(pa.string()),
        }
    )


def _packs(scene: Scene) -> pa.Table:
    rng = scene.rng(6)
    first, of_quarter = scene.months()
    team, month = (index.ravel() for index in np.indices((scene.company.n_teams, len(first))))
    n = len(team)
    good = draw_chance(rng, scene.level[team, of_quarter[month]])
    short, long = rng.integers(3, 6, n), rng.integers(6, 15, n)

    def sent(rate: float) -> pa.Array:
        is_sent: Bools = good | (rng.random(n) < rate)
        return sf.day_texts(scene.start, first[month] + rng.integers(22, 28, n), is_known=is_sent)

    return pa.table(
        {
            "pack_id": pa.array(made_up_ids("pack", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "month_start": sf.day_texts(scene.start, first[month]),
            "n_metrics": pa.array(np.where(good, short, long)).cast(pa.string()),
            "sent_to_sales_on": sent(0.4),
            "sent_to_marketing_on": sent(0.7),
        }
    )


LISTED = 12  # accounts on a side's list of half a year
UNNAMED = 4  # of so many accounts one names no executive
SEEN_SEED, LATE_SIGHT = 31, 0.5  # a stream of its own; share of what is not seen in time, seen late
NOTICE_RATE = (0.35, 0.6)  # of campaigns a team is told of: at level 0, and what level 1 adds


def targeting_files(scene: Scene) -> dict[str, pa.Table]:
    """Return both, by file name."""
    return {"target_accounts": _lists(scene), "campaign_notices": _notices(scene)}


def _lists(scene: Scene) -> pa.Table:
    """Return both sides' lists of each half year.

    Marketing's shares as many accounts as the level says.
    """
    rng = scene.rng(7)
    per_team = scene.company.accounts_per_team
    n_listed = min(LISTED, per_team // 2)
    opens = np.arange(0, scene.company.n_quarters, 2)
    team, half = (index.ravel() for index in np.indices((scene.company.n_teams, len(opens))))
    level, n = scene.level[team, opens[half]], len(team)
    order = np.argsort(rng.random((n, per_team)), axis=1)[:, : 2 * n_listed]
    ours, others = order[:, :n_listed], order[:, n_listed:]
    theirs = np.where(rng.random(ours.shape) < level[:, None], ours, others)
    agreed = np.repeat(draw_chance(rng, level), n_listed)
    first = np.repeat(scene.edge[opens[half]], n_listed)
    last = np.repeat(scene.edge[np.minimum(opens[half] + 2, scene.company.n_quarters)], n_listed)
    still = np.repeat(opens[half] + 2 > scene.company.n_quarters - 1, n_listed)
    signed = first - np.repeat(rng.integers(2, 20, n), n_listed)
    frames = [
        pa.table(
            {
                "team_id": sf.pick_words(scene.keys.team, np.repeat(team, n_listed)),
                "side": sf.constant_column(side, n * n_listed),
                "account_id": sf.pick_words(
                    scene.keys.account, (listed + team[:, None] * per_team).ravel()
                ),
                "valid_from": sf.day_texts(scene.start, first),
                "valid_to": sf.day_texts(scene.start, last, is_known=~still),
                "approved_by_sales_on": sf.day_texts(
                    scene.start, signed, is_known=agreed | (side == "sales")
                ),
                "approved_by_marketing_on": sf.day_texts(
                    scene.start, signed, is_known=agreed | (side == "marketing")
                ),
                "executive_contact_id": _executives(listed + team[:, None] * per_team),
            }
        )
        for side, listed in zip(SIDES, (ours, theirs), strict=True)
    ]
    return pa.concat_tables(frames)


def _executives(account: Ints) -> pa.Array:
    """Return the contact named as the executive to meet: the first one of most accounts."""
    listed = account.ravel()
    first_contact = sf.salesforce_ids("003", listed * CONTACTS_PER_ACCOUNT)
    return sf.blank_out(first_contact, listed % UNNAMED == 0)


def _notices(scene: Scene) -> pa.Table:
    rng = scene.rng(8)
    campaigns = scene.tables.demand.campaigns
    campaign, team = (
        index.ravel() for index in np.indices((len(campaigns), scene.company.n_teams))
    )
    sent = campaigns["start"].to_numpy()[campaign]
    level, n = scene.level[team, campaigns["quarter"].to_numpy()[campaign]], len(team)
    is_notified = draw_chance(rng, NOTICE_RATE[0] + NOTICE_RATE[1] * level)
    lead = np.where(draw_chance(rng, level), rng.integers(8, 21, n), rng.integers(-2, 6, n))
    return pa.table(
        {
            "notice_id": pa.array(made_up_ids("notice", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "campaign_id": sf.pick_words(scene.keys.campaign, campaign),
            "first_send_on": sf.day_texts(scene.start, sent),
            "notified_on": sf.day_texts(scene.start, sent - lead, is_known=is_notified),
            "has_talking_points": sf.flag_texts(is_notified & draw_chance(rng, level)),
            "cites_agreed_narrative": sf.flag_texts(draw_chance(rng, level)),
            **_seen_by_sales(scene, campaigns["kind"].to_numpy()[campaign], sent, level),
        }
    )


def _seen_by_sales(scene: Scene, kind: Ints, event: Ints, level: Floats) -> dict[str, pa.Array]:
    """Return when sales saw an event's list of invitees and schedule: in time as often as the
    level says, else in its last two months or never.
    """
    rng = scene.rng(SEEN_SEED)
    is_event = kind == marketing.CAMPAIGN_TYPES.index("Trade Show")
    columns = {}
    for name in ("target_list_seen_on", "schedule_seen_on"):
        in_time = draw_chance(rng, level)
        before = np.where(in_time, rng.integers(60, 80, len(kind)), rng.integers(5, 60, len(kind)))
        is_seen = in_time | (rng.random(len(kind)) < LATE_SIGHT)
        columns[name] = sf.day_texts(
            scene.start,
            event - before,
            is_known=is_event & is_seen & (event - before < scene.n_days),
        )
    return columns
