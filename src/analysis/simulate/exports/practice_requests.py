"""What sales asks of marketing: how it is vetted, what is promised, what comes of it, and when.

Askers promise half as much again as there is to expect.  What was asked, vetted and begun is drawn
from one chance; everything else of a request from another, so that neither moves the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports.practice_content import hours_texts
from analysis.simulate.exports.practice_scene import made_up_ids
from analysis.simulate.world.marketing import CAMPAIGN_TYPES
from analysis.simulate.world.people import SEGMENTS
from analysis.simulate.world.practice_level import draw_chance

if TYPE_CHECKING:
    from analysis.simulate.exports.practice_scene import Scene
    from analysis.simulate.world.calendar import Floats, Ints

REQUESTS = 4.0  # expected by team and quarter
REQUEST_HOURS = 14.0  # median hours of marketing
TRIGGERS = ("competitor", "client", "gap", "plan", "other")
DECISIONS = ("approve", "table", "add to plan", "alternative")
QUESTIONS = 13
OPEN_RATE = 0.1  # of the requests nobody has decided on

OPTIMISM = 1.5  # what is promised over what is to be expected
TURNAROUND_DAYS, TURNAROUND_LOG_SD = 18.0, 0.6  # median from first hour to done, and its spread
WANTED_DAYS, WANTED_LOG_SD = 16.0, 0.7  # median from asked to wanted
BOOKINGS, BOOKINGS_LOG_SD = 12_000.0, 0.9  # median to be expected of a request [USD], its spread
LEADS = 12.0  # expected of a request that promises leads
OUTCOME_LOG_SD = 0.5  # of what comes around what was to be expected
MEASURED_DAYS = 60  # from done to its outcome
STATED, MEASURED, ANSWERED, SIGNED = 0.8, 0.75, 0.85, 0.6  # shares of requests
OUTLAY = 1_800.0  # median cost of a request that has any [USD]
KINDS = (
    "webinar",
    "trade show",
    "blog",
    "email drip campaign",
    "brochure",
    "microsite",
    "research",
)
ACTIVITY = (0, 1, 2, 3, 4, -1, -1)  # of `KINDS`, as campaigns call it
SKILLS = ("events", "events", "writing", "writing", "design", "web", "research")
SUBJECTS = (
    "price comparison", "launch", "case study", "security", "onboarding", "compliance",
    "renewals", "trade-in", "benchmarks", "service plan", "training", "starter kit",
)  # fmt: skip
GOALS = 6


def request_file(scene: Scene) -> dict[str, pa.Table]:
    """Return a row a request, by file name."""
    rng = scene.rng(10)
    team, quarter, level = scene.counted(rng.poisson(REQUESTS, scene.level.size))
    n = len(team)
    asked_on = scene.day_in(quarter, rng)
    vetted = draw_chance(rng, level)
    answered = np.where(vetted, QUESTIONS, rng.integers(0, QUESTIONS - 1, n))
    decision = np.where(
        draw_chance(rng, 0.85 - 0.35 * level), 0, rng.integers(1, len(DECISIONS), n)
    )
    decision = np.where(rng.random(n) < OPEN_RATE, -1, decision)
    begun = (decision == 0) | (
        (decision < 0) & ~vetted
    )  # work nobody decided on is begun where nobody asks
    started = asked_on + np.where(vetted, rng.integers(4, 15, n), rng.integers(0, 6, n))
    trigger = rng.choice(len(TRIGGERS), n, p=[0.2, 0.35, 0.25, 0.1, 0.1])
    begun &= started < scene.n_days
    table = pa.table(
        {
            "request_id": pa.array(made_up_ids("request", n)),
            "team_id": sf.pick_words(scene.keys.team, team),
            "asked_on": sf.day_texts(scene.start, asked_on),
            "trigger": sf.pick_words(TRIGGERS, trigger),
            "decision": sf.pick_words(DECISIONS, decision),
            "n_questions_answered": pa.array(answered).cast(pa.string()),
            "work_started_on": sf.day_texts(scene.start, started, is_known=begun),
            "marketing_hours": hours_texts(REQUEST_HOURS, n, rng),
            **_details(scene, team, asked_on, np.where(begun, started, -1)),
        }
    )
    return {"marketing_requests": table}


def _details(scene: Scene, team: Ints, asked_on: Ints, started: Ints) -> dict[str, Any]:
    """Return the columns on what is asked, promised and done; `started` is -1 where not begun."""
    rng, n = scene.rng(15), len(team)
    kind, subject = rng.integers(0, len(KINDS), n), rng.integers(0, len(SUBJECTS), n)
    segment = scene.tables.draws.people.team_segment[team]
    done = started + np.maximum(_around(rng, TURNAROUND_DAYS, TURNAROUND_LOG_SD, n), 1).astype(int)
    is_done = (started >= 0) & (done < scene.n_days)
    expected = _around(rng, BOOKINGS, BOOKINGS_LOG_SD, n)
    noise = np.exp(OUTCOME_LOG_SD * rng.standard_normal(n) - OUTCOME_LOG_SD**2 / 2)
    of_leads, is_stated = rng.random(n) < 0.3, rng.random(n) < STATED
    is_measured = is_done & (done + MEASURED_DAYS < scene.n_days) & (rng.random(n) < MEASURED)
    leads = np.maximum(1, rng.poisson(LEADS, n))
    promised_leads = np.round(OPTIMISM * leads).astype(np.int64)
    outcome_leads = rng.poisson(leads)
    answer = asked_on + rng.exponential(4.0, n).astype(np.int64)
    is_answered = (rng.random(n) < ANSWERED) & (answer < scene.n_days)
    signed = np.maximum(asked_on, started - rng.integers(0, 4, n))
    is_signed = (started >= 0) & (rng.random(n) < SIGNED)
    selling = np.where(rng.random(n) < 0.6, np.round(rng.uniform(1, 12, n), 1), 0.0)
    outlay = np.where(rng.random(n) < 0.5, _around(rng, OUTLAY, 0.7, n), 0.0)
    wanted = asked_on + _around(rng, WANTED_DAYS, WANTED_LOG_SD, n).astype(np.int64)
    goal = rng.integers(0, GOALS, n)
    follows = (rng.random(n) < 0.04) & (np.roll(team, 1) == team)
    is_longer = rng.random(n) < 0.3
    topics = [f"{word}{ending}" for word in SUBJECTS for ending in ("", " guide")]
    return {
        "topic": sf.pick_words(topics, 2 * subject + is_longer),
        "kind": sf.pick_words(KINDS, kind),
        "campaign_type": sf.pick_words(CAMPAIGN_TYPES, np.take(ACTIVITY, kind)),
        "audience": sf.pick_words(SEGMENTS, segment),
        "goal_id": sf.pick_words(made_up_ids("goal", GOALS), goal),
        "skill": sf.pick_words(SKILLS, kind),
        "selling_hours": pa.array(selling).cast(pa.string()),
        "cost_amount": sf.amount_texts(outlay),
        "promised_bookings_amount": sf.blank_out(
            sf.amount_texts(OPTIMISM * expected), ~is_stated | of_leads
        ),
        "outcome_bookings_amount": sf.blank_out(
            sf.amount_texts(expected * noise), ~is_measured | of_leads
        ),
        "currency": sf.constant_column("USD", n),
        "promised_leads": sf.blank_out(_counts(promised_leads), ~is_stated | ~of_leads),
        "outcome_leads": sf.blank_out(_counts(outcome_leads), ~is_measured | ~of_leads),
        "wanted_on": sf.day_texts(scene.start, wanted),
        "answered_on": sf.day_texts(scene.start, answer, is_known=is_answered),
        "sales_signed_on": sf.day_texts(scene.start, signed, is_known=is_signed),
        "done_on": sf.day_texts(scene.start, done, is_known=is_done),
        "after_request_id": sf.blank_out(
            pa.array(np.roll(made_up_ids("request", n), 1).tolist()), ~follows
        ),
    }


def request_truth() -> dict[str, float]:
    """Return what was put into the requests: what is promised over what is to be expected, days."""
    return {"optimism": OPTIMISM, "median_turnaround_days": TURNAROUND_DAYS}


def _around(rng: np.random.Generator, median: float, log_sd: float, n: int) -> Floats:
    return np.asarray(median * np.exp(log_sd * rng.standard_normal(n)))


def _counts(values: Ints) -> pa.Array:
    return pa.array(values).cast(pa.string())
