"""Whom the two sides aim at, and what sales is told before marketing sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate import salesforce as sf
from analysis.simulate.practice.agreements import SIDES
from analysis.simulate.practice.levels import chance, names

if TYPE_CHECKING:
    from analysis.simulate.practice.levels import Scene

LISTED = 12  # accounts on a side's list of half a year
NOTICE_RATE = (0.35, 0.6)  # of campaigns a team is told of: at level 0, and what level 1 adds


def tables(scene: Scene) -> dict[str, pa.Table]:
    """Return both, by file name."""
    return {"target_accounts": _lists(scene), "campaign_notices": _notices(scene)}


def _lists(scene: Scene) -> pa.Table:
    """Return both sides' lists of each half year; marketing's shares as many accounts as the level says."""
    rng = scene.rng(7)
    per_team = scene.company.accounts_per_team
    n_listed = min(LISTED, per_team // 2)
    opens = np.arange(0, scene.company.n_quarters, 2)
    team, half = (index.ravel() for index in np.indices((scene.company.n_teams, len(opens))))
    level, n = scene.level[team, opens[half]], len(team)
    order = np.argsort(rng.random((n, per_team)), axis=1)[:, : 2 * n_listed]
    ours, others = order[:, :n_listed], order[:, n_listed:]
    theirs = np.where(rng.random(ours.shape) < level[:, None], ours, others)
    agreed = np.repeat(chance(rng, level), n_listed)
    first = np.repeat(scene.edge[opens[half]], n_listed)
    last = np.repeat(scene.edge[np.minimum(opens[half] + 2, scene.company.n_quarters)], n_listed)
    still = np.repeat(opens[half] + 2 > scene.company.n_quarters - 1, n_listed)
    signed = first - np.repeat(rng.integers(2, 20, n), n_listed)
    frames = [
        pa.table(
            {
                "team_id": sf.pick(scene.keys.team, np.repeat(team, n_listed)),
                "side": sf.constant(side, n * n_listed),
                "account_id": sf.pick(scene.keys.account, (listed + team[:, None] * per_team).ravel()),
                "valid_from": sf.dates(scene.start, first),
                "valid_to": sf.dates(scene.start, last, known=~still),
                "approved_by_sales_on": sf.dates(scene.start, signed, known=agreed | (side == "sales")),
                "approved_by_marketing_on": sf.dates(scene.start, signed, known=agreed | (side == "marketing")),
            }
        )
        for side, listed in zip(SIDES, (ours, theirs), strict=True)
    ]
    return pa.concat_tables(frames)


def _notices(scene: Scene) -> pa.Table:
    rng = scene.rng(8)
    campaigns = scene.tables.demand.campaigns
    campaign, team = (index.ravel() for index in np.indices((len(campaigns), scene.company.n_teams)))
    sent = campaigns["start"].to_numpy()[campaign]
    level, n = scene.level[team, campaigns["quarter"].to_numpy()[campaign]], len(team)
    told = chance(rng, NOTICE_RATE[0] + NOTICE_RATE[1] * level)
    lead = np.where(chance(rng, level), rng.integers(8, 21, n), rng.integers(-2, 6, n))
    return pa.table(
        {
            "notice_id": pa.array(names("notice", n)),
            "team_id": sf.pick(scene.keys.team, team),
            "campaign_id": sf.pick(scene.keys.campaign, campaign),
            "first_send_on": sf.dates(scene.start, sent),
            "notified_on": sf.dates(scene.start, sent - lead, known=told),
            "has_talking_points": sf.flags(told & chance(rng, level)),
            "cites_agreed_narrative": sf.flags(chance(rng, level)),
        }
    )
