"""What marketing makes for sales, and whether it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports.practice_scene import made_up_ids
from analysis.simulate.world.practice_level import draw_chance

if TYPE_CHECKING:
    from analysis.simulate.exports.practice_scene import Scene
    from analysis.simulate.world.calendar import Ints

ASSETS = 2.5  # expected by team and quarter
USES = (1.2, 5.0)  # expected of an asset: outside the library, in it
USE_DAYS = 60.0  # mean days from making to a use
ASSET_HOURS, HOURS_LOG_SD = 10.0, 0.6  # median hours of marketing, and their spread
RECENT = 40  # deals of the team, the latest, one of which an asset is used in


def content_files(scene: Scene) -> dict[str, pa.Table]:
    """Return both, by file name."""
    rng = scene.rng(9)
    team, quarter, level = scene.counted(rng.poisson(ASSETS, scene.level.size))
    n = len(team)
    made_on = scene.day_in(quarter, rng)
    in_library = draw_chance(rng, 0.15 + 0.8 * level)
    assets = pa.table(
        {
            "asset_id": pa.array(made_up_ids("asset", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "created_on": sf.day_texts(scene.start, made_on),
            "is_in_library": sf.flag_texts(in_library),
            "has_sales_input": sf.flag_texts(draw_chance(rng, 0.1 + 0.8 * level)),
            "production_hours": hours_texts(ASSET_HOURS, n, rng),
        }
    )
    times = rng.poisson(np.take(USES, in_library.astype(np.int64)))
    asset = np.repeat(np.arange(n), times)
    day = made_on[asset] + rng.exponential(USE_DAYS, len(asset)).astype(np.int64)
    asset, day = asset[day < scene.n_days], day[day < scene.n_days]
    uses = pa.table(
        {
            "use_id": pa.array(made_up_ids("use", len(asset))),
            "asset_id": assets["asset_id"].take(pa.array(asset)),
            "team_id": sf.pick_words(scene.keys.team, team[asset]),
            "used_on": sf.day_texts(scene.start, day),
            "opportunity_id": sf.pick_words(scene.keys.deal, _deals(scene, team[asset], day, rng)),
        }
    )
    return {"assets": assets, "asset_uses": uses}


def hours_texts(median: float, n: int, rng: np.random.Generator) -> pa.Array:
    """Return hours of marketing drawn around a median [h], as texts."""
    return pa.array(np.round(median * np.exp(HOURS_LOG_SD * rng.standard_normal(n)), 1)).cast(
        pa.string()
    )


def _deals(scene: Scene, team: Ints, day: Ints, rng: np.random.Generator) -> Ints:
    """Return a deal of the team that was open on the day; -1 where the one drawn was not."""
    deals = scene.tables.draws.deals.table
    of_team, created, closed = (deals[c].to_numpy() for c in ("team_created", "created", "closed"))
    order = np.lexsort((created, of_team))
    span = int(created.max()) - int(created.min()) + 1
    key = of_team[order] * span + created[order] - created.min()
    past = np.searchsorted(key, team * span + day - created.min(), "right")
    first = np.searchsorted(key, team * span)
    place = np.maximum(past - 1 - rng.integers(0, RECENT, len(team)), first)
    deal = order[np.minimum(place, len(order) - 1)]
    is_open = (past > first) & (closed[deal] > day)
    return np.where(is_open, deal, -1)
