"""Minutes of the joint meetings: the weekly ones are those of the reps' calendars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.simulate import salesforce as sf
from analysis.simulate.practice.levels import chance, names

if TYPE_CHECKING:
    from analysis.simulate.practice.levels import Scene

KINDS = ("weekly", "managers", "quarterly", "campaign")
MINUTED = 0.9  # share of the weekly meetings that somebody took minutes of
LATE_MINUTES = 14.0  # mean, at level 0


def tables(scene: Scene) -> dict[str, pa.Table]:
    """Return the minutes, a row a meeting, in order of time."""
    rng = scene.rng(11)
    table = pd.concat([_weekly(scene, rng), _monthly(scene, rng), _quarterly(scene, rng), _campaigns(scene, rng)])
    table = table.sort_values(["day", "team", "kind"], ignore_index=True)
    team, day, kind = (table[c].to_numpy() for c in ("team", "day", "kind"))
    level, n = scene.level[team, scene.tables.draws.window.quarter[day]], len(table)
    late = np.rint(rng.exponential(LATE_MINUTES, n) * (1 - level)).astype(np.int64)
    minutes = pa.table(
        {
            "meeting_id": pa.array(names("meeting", n)),
            "team_id": sf.pick(scene.keys.team, team),
            "held_on": sf.dates(scene.start, day),
            "kind": sf.pick(KINDS, kind),
            "has_agenda": sf.flags(chance(rng, 0.25 + 0.7 * level)),
            "has_leader": sf.flags(chance(rng, 0.35 + 0.6 * level)),
            "minutes_late": pa.array(late).cast(pa.string()),
            "is_executive_present": sf.flags(chance(rng, np.where(kind == 2, 0.2 + 0.7 * level, 0.02))),
        }
    )
    return {"joint_meetings": minutes}


def _weekly(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    """Return the first joint meeting of each team and week in which a calendar has one."""
    records = scene.tables.calendar.records
    joint = records[records["is_joint"]]
    held = joint.assign(day=joint["start"] // 1440).groupby(["team", "week"], as_index=False)["day"].min()
    minuted: pd.DataFrame = held[["team", "day"]].assign(kind=0)[rng.random(len(held)) < MINUTED]
    return minuted


def _monthly(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    first, of_quarter = scene.months()
    team, month = (index.ravel() for index in np.indices((scene.company.n_teams, len(first))))
    held = chance(rng, scene.level[team, of_quarter[month]])
    day = scene.workday(first[month] + rng.integers(7, 25, len(team)))
    return pd.DataFrame({"team": team, "day": day, "kind": 1})[held]


def _quarterly(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    """Return the reviews of results, held in the last three weeks of the quarter."""
    team, quarter, level = scene.grid()
    day = scene.workday(scene.edge[quarter + 1] - rng.integers(3, 20, len(team)))
    return pd.DataFrame({"team": team, "day": day, "kind": 2})[chance(rng, level)]


def _campaigns(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    team, quarter, _ = scene.counted(rng.poisson(scene.level.ravel()))
    day = scene.workday(np.minimum(scene.edge[quarter] + rng.integers(7, 85, len(team)), scene.n_days - 1))
    return pd.DataFrame({"team": team, "day": day, "kind": 3})
