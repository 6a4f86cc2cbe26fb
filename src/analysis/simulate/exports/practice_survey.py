"""What people say: the two-sided survey, and what reps bring back from customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports import words
from analysis.simulate.exports.practice_agreements import SIDES
from analysis.simulate.exports.practice_scene import made_up_ids
from analysis.simulate.world.people import SEGMENTS

if TYPE_CHECKING:
    from analysis.simulate.exports.practice_scene import Scene
    from analysis.simulate.world.calendar import Floats, Ints

ITEMS = 10
ANSWERING = 0.8  # share of a team's reps who answer
MARKETERS = (5, 8)  # of those who serve a team: least and most answers
PERSON_SD, ITEM_SD = 0.55, 0.6  # spread of people and, beyond them, of their answers [points]
ROSIER = 0.35  # points that marketing sees the same practice above sales
FEEDBACK = (2.0, 5.0)  # expected by team and quarter: at level 0, and what level 1 adds
THEMES = (
    "reports take too long",
    "price above budget",
    "hard to connect to their systems",
    "security review stalls",
    "roll-out takes too long",
    "support answers late",
)
TRENDS = ("budgets are cut", "fewer suppliers", "new data rules", "staff is scarce")
TREND_OF = (3, 0, 1, 2, 3, 1)  # by theme
PRODUCT_OF = (1, 0, 2, 4, 5, 6)  # by theme, a place in words.PRODUCTS
RISING = 1  # the theme that grows from quarter to quarter
RISE = 0.08  # of its log weight, a quarter
NO_TREND, NO_PRODUCT, HOSTILE = 0.15, 0.1, 0.005


def voice_files(scene: Scene) -> dict[str, pa.Table]:
    """Return both, by file name."""
    return {"survey_answers": _survey(scene), "feedback": _feedback(scene)}


def bookings_halo(scene: Scene) -> Floats:
    """Return how far a team's bookings of the quarter before stood from what was usual, in standard
    deviations.

    Usual for the team and for the quarter, in logs; 0 in the first quarter.
    """
    panel = scene.tables.panels.team_quarter.sort_values(["team", "quarter"])
    log = np.log1p(panel["bookings"].to_numpy().reshape(scene.level.shape))
    odd = log - log.mean(axis=1, keepdims=True) - log.mean(axis=0, keepdims=True) + log.mean()
    before = np.roll(odd / max(odd.std(), 1e-9), 1, axis=1)
    before[:, 0] = 0.0
    return np.asarray(before, np.float64)


def _survey(scene: Scene) -> pa.Table:
    """Return a row per answer; everybody answers in the last three weeks of a quarter."""
    rng = scene.rng(12)
    size = np.rint(
        scene.tables.panels.team_quarter.sort_values(["team", "quarter"])["headcount"].to_numpy()
    )
    ours = rng.binomial(size.astype(np.int64), ANSWERING)
    theirs = rng.integers(MARKETERS[0], MARKETERS[1] + 1, scene.level.size)
    team, quarter, level = scene.counted(ours + theirs)
    n = len(team)
    place = np.arange(n) - np.repeat(np.cumsum(ours + theirs) - ours - theirs, ours + theirs)
    side = (place >= np.repeat(ours, ours + theirs)).astype(np.int64)
    view = (
        1
        + 4 * level
        + ROSIER * side
        + scene.company.survey_halo * bookings_halo(scene)[team, quarter]
    )
    view = view + PERSON_SD * rng.standard_normal(n)
    score = np.clip(
        np.rint(view[:, None] + ITEM_SD * rng.standard_normal((n, ITEMS))), 1, 5
    ).astype(np.int64)
    day = scene.edge[quarter + 1] - rng.integers(2, 21, n)
    row = np.repeat(np.arange(n), ITEMS)
    shuffled = rng.permutation(n)  # an id tells nothing of who or when
    return pa.table(
        {
            "response_id": pa.array([f"response-{i + 1}" for i in shuffled.tolist()]).take(
                pa.array(row)
            ),
            "item": pa.array(np.tile(np.arange(1, ITEMS + 1), n)).cast(pa.string()),
            "team_id": sf.pick_words(scene.keys.team, team[row]),
            "side": sf.pick_words(SIDES, side[row]),
            "answered_on": sf.day_texts(scene.start, day[row]),
            "score": pa.array(score.ravel()).cast(pa.string()),
        }
    )


def _feedback(scene: Scene) -> pa.Table:
    rng = scene.rng(13)
    people = scene.tables.draws.people
    team, quarter, _ = scene.counted(rng.poisson(FEEDBACK[0] + FEEDBACK[1] * scene.level.ravel()))
    n = len(team)
    day = scene.day_in(quarter, rng)
    weight = np.ones((scene.company.n_quarters, len(THEMES)))
    weight[:, RISING] = np.exp(RISE * np.arange(scene.company.n_quarters))
    edges = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    theme = np.minimum((rng.random(n)[:, None] > edges[quarter]).sum(axis=1), len(THEMES) - 1)
    hostile = rng.random(n) < HOSTILE
    narrative_index = np.where(hostile, len(THEMES) + rng.integers(0, len(words.HOSTILE), n), theme)
    return pa.table(
        {
            "feedback_id": pa.array(made_up_ids("feedback", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "rep_id": sf.pick_words(scene.keys.user, _reps(scene, team, day, rng)),
            "reported_on": sf.day_texts(scene.start, day),
            "theme": sf.pick_words([*THEMES, *words.HOSTILE], narrative_index),
            "trend": sf.pick_words(
                TRENDS, np.where(rng.random(n) < NO_TREND, -1, np.take(TREND_OF, theme))
            ),
            "product_id": sf.pick_words(
                scene.keys.product,
                np.where(rng.random(n) < NO_PRODUCT, -1, np.take(PRODUCT_OF, theme)),
            ),
            "segment": sf.pick_words(SEGMENTS, people.team_segment[team]),
        }
    )


def _reps(scene: Scene, team: Ints, day: Ints, rng: np.random.Generator) -> Ints:
    """Return a rep who was in the team that week."""
    window, people = scene.tables.draws.window, scene.tables.draws.people
    week = window.week_of(day)
    is_there = people.team[:, week] == team  # seats x reports
    seat = np.argmax(is_there * rng.random(is_there.shape), axis=0)
    return np.asarray(people.rep[seat, week])
