"""What the alignment programme costs a team: once when it begins, and every quarter from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate import salesforce as sf
from analysis.simulate.people import NEVER
from analysis.simulate.practice.levels import names
from analysis.simulate.records import CURRENCIES

if TYPE_CHECKING:
    from analysis.simulate.practice.levels import Scene

KINDS = ("people", "tools", "content", "incentives")
ONCE = (9_000.0, 3_000.0, 3_000.0, 0.0)  # [USD a team]: training and facilitation, set-up, first material
RUNNING = (2_200.0, 1_200.0, 1_000.0, 600.0)  # [USD a team and quarter]
EMEA, EURO = 1, 1  # places of the region that pays in the currency


def tables(scene: Scene) -> dict[str, pa.Table]:
    """Return a row per team, quarter and kind; the first quarter holds what is paid once too."""
    rng = scene.rng(14)
    people = scene.tables.draws.people
    team, quarter, _ = scene.grid(len(KINDS))
    kind = np.arange(len(team)) % len(KINDS)
    since = quarter - people.adopted[team]
    on = (people.adopted[team] != NEVER) & (since >= 0)
    team, quarter, kind, since = team[on], quarter[on], kind[on], since[on]
    usd = (np.take(RUNNING, kind) + np.where(since == 0, np.take(ONCE, kind), 0.0)) * rng.uniform(0.85, 1.15, len(team))
    currency = np.where(people.team_region[team] == EMEA, EURO, 0)
    table = pa.table(
        {
            "cost_id": pa.array(names("cost", len(team)), pa.string()),
            "team_id": sf.pick(scene.keys.team, team),
            "period_start": sf.dates(scene.start, scene.edge[quarter]),
            "period_end": sf.dates(scene.start, scene.edge[quarter + 1]),
            "kind": sf.pick(KINDS, kind),
            "cost_amount": sf.money(np.round(usd * scene.keys.rates[quarter, currency], 2)),
            "currency": sf.pick(CURRENCIES, currency),
        }
    )
    return {"programme_costs": table}
