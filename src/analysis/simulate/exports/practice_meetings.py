"""Minutes of the joint meetings: the weekly ones are those of the reps' calendars.

What two quarterly reviews decided, as TOML: an action carried over keeps its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports.practice_scene import made_up_ids
from analysis.simulate.world.practice_level import draw_chance

if TYPE_CHECKING:
    from analysis.simulate.exports.practice_scene import Scene
    from analysis.simulate.world.calendar import Window

KINDS = ("weekly", "managers", "quarterly", "campaign")
MINUTED = 0.9  # share of the weekly meetings that somebody took minutes of
LATE_MINUTES = 14.0  # mean, at level 0


def meeting_minutes(scene: Scene) -> dict[str, pa.Table]:
    """Return the minutes, a row a meeting, in order of time."""
    rng = scene.rng(11)
    table = pd.concat(
        [_weekly(scene, rng), _monthly(scene, rng), _quarterly(scene, rng), _campaigns(scene, rng)]
    )
    table = table.sort_values(["day", "team", "kind"], ignore_index=True)
    team, day, kind = (table[c].to_numpy() for c in ("team", "day", "kind"))
    level, n = scene.level[team, scene.tables.draws.window.quarter[day]], len(table)
    late = np.rint(rng.exponential(LATE_MINUTES, n) * (1 - level)).astype(np.int64)
    minutes = pa.table(
        {
            "meeting_id": pa.array(made_up_ids("meeting", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "held_on": sf.day_texts(scene.start, day),
            "kind": sf.pick_words(KINDS, kind),
            "has_agenda": sf.flag_texts(draw_chance(rng, 0.25 + 0.7 * level)),
            "has_leader": sf.flag_texts(draw_chance(rng, 0.35 + 0.6 * level)),
            "minutes_late": pa.array(late).cast(pa.string()),
            "is_executive_present": sf.flag_texts(
                draw_chance(rng, np.where(kind == 2, 0.2 + 0.7 * level, 0.02))
            ),
        }
    )
    return {"joint_meetings": minutes}


def _weekly(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    """Return the first joint meeting of each team and week in which a calendar has one."""
    records = scene.tables.calendar.records
    joint = records[records["is_joint"]]
    joint_days = (
        joint.assign(day=joint["start"] // 1440)
        .groupby(["team", "week"], as_index=False)["day"]
        .min()
    )
    minuted: pd.DataFrame = joint_days[["team", "day"]].assign(kind=0)[
        rng.random(len(joint_days)) < MINUTED
    ]
    return minuted


def _monthly(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    first, of_quarter = scene.months()
    team, month = (index.ravel() for index in np.indices((scene.company.n_teams, len(first))))
    takes_place = draw_chance(rng, scene.level[team, of_quarter[month]])
    day = scene.workday(first[month] + rng.integers(7, 25, len(team)))
    return pd.DataFrame({"team": team, "day": day, "kind": 1})[takes_place]


def _quarterly(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    """Return the reviews of results, held in the last three weeks of the quarter."""
    team, quarter, level = scene.grid()
    day = scene.workday(scene.edge[quarter + 1] - rng.integers(3, 20, len(team)))
    return pd.DataFrame({"team": team, "day": day, "kind": 2})[draw_chance(rng, level)]


def _campaigns(scene: Scene, rng: np.random.Generator) -> pd.DataFrame:
    team, quarter, _ = scene.counted(rng.poisson(scene.level.ravel()))
    day = scene.workday(
        np.minimum(scene.edge[quarter] + rng.integers(7, 85, len(team)), scene.n_days - 1)
    )
    return pd.DataFrame({"team": team, "day": day, "kind": 3})


HELD_AFTER = 13  # days from the quarter's last day


class PlannedAction(NamedTuple):
    """Something a review decided; `due` in days after the review."""

    id: str
    text: str
    owner: str
    due: int
    metric: str
    status: str
    reason: str


FIRST = (
    PlannedAction(
        "A1",
        "Move pipeline reporting out of the reps' week",
        "Sales operations",
        78,
        "selling_hours_per_week",
        "open",
        "",
    ),
    PlannedAction(
        "A2",
        "Review the sales-ready definition with every team that has none",
        "Marketing",
        60,
        "alignment_index",
        "done",
        "",
    ),
    PlannedAction(
        "A3",
        "Stop the printed brochure",
        "Marketing",
        45,
        "alignment_index",
        "dropped",
        "the trade press asked for one more edition",
    ),
)
SECOND = (
    PlannedAction(
        "A1",
        "Move pipeline reporting out of the reps' week",
        "Sales operations",
        78,
        "selling_hours_per_week",
        "done",
        "",
    ),
    PlannedAction(
        "A4",
        "Answer handed-over leads within two working days",
        "Sales managers",
        70,
        "alignment_index",
        "open",
        "",
    ),
    PlannedAction(
        "A5",
        "Ask the 12 vetting questions before work on a request begins",
        "Marketing",
        50,
        "alignment_index",
        "open",
        "",
    ),
    PlannedAction(
        "A6",
        "Measure the growth gap again with two more quarters",
        "Revenue operations",
        90,
        "growth_gap",
        "open",
        "",
    ),
)


def review_files(window: Window) -> dict[str, str]:
    """Return the text of the reviews of the two quarters before the last, by quarter."""
    edge = np.flatnonzero(np.diff(window.quarter, prepend=-1))
    quarters = range(max(len(window.quarters) - 3, 0), len(window.quarters) - 1)
    texts = {}
    for quarter, actions in zip(quarters, (FIRST, SECOND), strict=False):
        review_day = window.start + np.timedelta64(int(edge[quarter + 1]) + HELD_AFTER, "D")
        texts[window.quarters[quarter]] = _text(review_day, actions)
    return texts


def _text(review_day: np.datetime64, actions: tuple[PlannedAction, ...]) -> str:
    parts = [f"held_on = {review_day}\n"]
    for action in actions:
        lines = [
            "[[actions]]",
            f'id = "{action.id}"',
            f'text = "{action.text}"',
            f'owner = "{action.owner}"',
            f"due = {review_day + np.timedelta64(action.due, 'D')}",
            f'metric = "{action.metric}"',
            f'status = "{action.status}"',
            *([f'reason = "{action.reason}"'] if action.reason else []),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
