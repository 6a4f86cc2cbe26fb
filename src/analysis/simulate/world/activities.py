"""What the calendars hold: every week's logged hours cut into meetings, calls and blocks.

The cut is made from the top: a class's minutes of a week are divided among its records without
remainder, and the records are laid one after another into the days the rep worked.  So they sum to
the week, never overlap, and leave nights, holidays and vacation alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.simulate.world import practice_level
from analysis.simulate.world.calendar import SATURDAY
from analysis.simulate.world.people import NEVER

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Bools, Floats, Ints
    from analysis.simulate.world.company_parameters import SimulatedCompany
    from analysis.simulate.world.draws import CompanyDraws

# kind of record: usual and longest length [min], hours of a full week
KINDS = (
    "late_meeting",
    "meeting",
    "call",
    "preparation",
    "prospecting",
    "internal",
    "admin",
    "training",
    "unclear",
    "cold_call",
)
LATE, MEETING, CALL, INTERNAL, COLD_CALL = 0, 1, 2, 5, 9
_USUAL = (82, 82, 28, 255, 255, 125, 255, 60, 30, 25)
_LONGEST = (90, 90, 60, 330, 330, 150, 330, 120, 60, 60)
_WEEKLY = {3: 5.0, 4: 4.0, 5: 4.0, 6: 5.0, 7: 0.3, 8: 0.13, 9: 1.0}
CALL_SHARE = 0.22  # of the selling time that is not on deals past proposal
STEP = 5  # minutes: the grid calendars live on
DAY_STARTS, DAY_LENGTH = 510, 540  # minutes after midnight, minutes
# Share of the cycle at which a deal enters Qualification, Proposal, Negotiation.
STAGE_AT = (0.15, 0.4, 0.6)
LINKED = 0.7  # share of the earlier contacts that name their deal
# of internal meetings with marketing, per -log(1 - level): weeks with one follow the level
JOINT_RATE = 0.07
LOST_IN = (
    0.2,
    0.5,
)  # below the first: in Qualification; below the second: in Proposal; else in Negotiation


class Calendar(NamedTuple):
    """Timed records, and days wholly taken."""

    records: (
        pd.DataFrame
    )  # one row per meeting, call or block; minutes since the window's first midnight, local
    all_day: pd.DataFrame  # one row per run of days: rep, seat, day, n_days, kind
    stages: pd.DataFrame  # one row per deal: last stage reached and the day each was entered


def simulate_activities(company: SimulatedCompany, drawn: CompanyDraws) -> Calendar:
    """Return all calendars of the reps; which lead a record is about is for `pursuits` to say."""
    rng = np.random.default_rng([company.seed, 4])
    people = drawn.people
    stages = _stages(drawn.deals.table, rng)
    records = _lay(drawn, rng, _cut(drawn, rng))
    seat, week = records["seat"].to_numpy(), records["week"].to_numpy()
    records["rep"], records["team"] = people.rep[seat, week], people.team[seat, week]
    records["deal"] = _linked(drawn, stages, records, rng)
    records["is_joint"] = _joint(
        drawn, practice_level.practice_levels(company, people), records, rng
    )
    return Calendar(records, _all_day(drawn), stages)


def _stages(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the days a deal enters each stage between the first and the last; NEVER if not."""
    created, closed = (table[name].to_numpy() for name in ("created", "closed"))
    entered = [
        created + np.maximum(((closed - created) * share).astype(np.int64), 1) for share in STAGE_AT
    ]
    lost = (table["is_closed"] & ~table["is_won"]).to_numpy()
    fate = np.where(lost, rng.random(len(table)), 1.0)
    return pd.DataFrame(
        {
            "qualification": entered[0],
            "proposal": np.where(fate < LOST_IN[0], NEVER, entered[1]),
            "negotiation": np.where(fate < LOST_IN[1], NEVER, entered[2]),
        }
    )


def _cut(drawn: CompanyDraws, rng: np.random.Generator) -> pd.DataFrame:
    """Return cell (seat and week), kind and length [s] of every record."""
    people, hours = drawn.people, drawn.hours
    shape = hours.selling.shape
    late = hours.logged_late_minutes
    calls = STEP * np.rint(CALL_SHARE * (hours.logged_minutes - late) / STEP).astype(np.int64)
    totals = {LATE: late, MEETING: hours.logged_minutes - late - calls, CALL: calls}
    full = hours.worked / 5 * people.fte[people.rep] * hours.is_logged
    for kind, weekly in _WEEKLY.items():
        usual, spread = (weekly * 60, 0.2) if weekly >= 1 else (_USUAL[kind], 0.2)
        some = full if weekly >= 1 else full * (rng.random(shape) < weekly * 60 / usual)
        minutes = usual * some * np.exp(spread * rng.standard_normal(shape))
        totals[kind] = STEP * np.rint(minutes / STEP).astype(np.int64)
    parts = []
    for kind, total in totals.items():
        step = 1 if kind == CALL else STEP * 60
        cell, length = _split(
            total.ravel() * 60 // step, _USUAL[kind] * 60 / step, _LONGEST[kind] * 60 / step, rng
        )
        parts.append((cell, np.full(len(cell), kind), length * step))
    names = ("cell", "kind", "seconds")
    columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    return pd.DataFrame(dict(zip(names, columns, strict=True)), copy=False)


def _split(
    total: Ints, usual: float, longest: float, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Divide each whole number into a random number of unequal parts that sum to it."""
    n = np.maximum(
        np.floor(total / usual + rng.random(len(total))), np.ceil(total / longest)
    ).astype(np.int64)
    n = np.where(total > 0, np.maximum(n, 1), 0)
    cell = np.repeat(np.arange(len(total)), n)
    weight = rng.uniform(0.85, 1.15, len(cell))
    end = np.cumsum(weight)
    last = np.cumsum(n) - 1
    before = np.concatenate([[0.0], end])[np.cumsum(n) - n]
    whole = end[np.maximum(last, 0)] - before
    edge = np.rint((end - before[cell]) / whole[cell] * total[cell]).astype(np.int64)
    first = np.zeros(len(cell), bool)
    first[(np.cumsum(n) - n)[n > 0]] = True
    return cell, edge - np.where(first, 0, np.concatenate([[0], edge[:-1]]))


def _lay(drawn: CompanyDraws, rng: np.random.Generator, cut: pd.DataFrame) -> pd.DataFrame:
    """Put the records into days: return them in order of time, with their start [min]."""
    window, people = drawn.window, drawn.people
    cell, kind, seconds = (cut[name].to_numpy() for name in ("cell", "kind", "seconds"))
    order = np.argsort(cell + rng.random(len(cell)))
    cell, kind, seconds = cell[order], kind[order], seconds[order]
    minutes = -(-seconds // (60 * STEP)) * STEP  # calls take whole steps of the day
    worked = drawn.hours.worked.ravel()
    taken = np.bincount(cell, minutes, len(worked))
    before = _running(cell, minutes)
    turn = np.minimum((before / taken[cell] * worked[cell]).astype(np.int64), worked[cell] - 1)
    all_days = np.flatnonzero(people.worked.ravel()) % window.n_days
    day = all_days[(np.cumsum(worked) - worked)[cell] + turn]
    group = cell * 5 + turn
    load, n = np.bincount(group, minutes), np.bincount(group)
    gap = np.maximum(DAY_LENGTH - load, 0) / (n + 1) // STEP * STEP
    rank = _running(group, np.ones(len(group), np.int64))
    start = DAY_STARTS + gap[group] * (rank + 1) + _running(group, minutes)
    seat, week = np.divmod(cell, people.rep.shape[1])
    columns = {"seat": seat, "week": week, "kind": kind, "seconds": seconds}
    return pd.DataFrame(columns | {"start": day * 1440 + start.astype(np.int64)}, copy=False)


def _running(group: Ints, values: Ints) -> Ints:
    """Return the sum of the values before each one within its group; `group` is sorted."""
    end = np.cumsum(values)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    base = np.repeat((end - values)[first], np.diff(np.append(first, len(group))))
    return np.asarray(end - values - base)


def _linked(
    drawn: CompanyDraws, stages: pd.DataFrame, records: pd.DataFrame, rng: np.random.Generator
) -> Ints:
    """Return the deal each client contact is about, -1 if none.

    Late meetings are about deals in Negotiation, the others about deals before Proposal.
    """
    window, table = drawn.window, drawn.deals.table
    n_weeks = len(window.week_start)
    seat, kind = records["seat"].to_numpy(), records["kind"].to_numpy()
    cell = seat * n_weeks + records["week"].to_numpy()
    closed = np.minimum(table["closed"].to_numpy(), window.n_days - 1)
    reached = stages["negotiation"].to_numpy() < NEVER
    ready = np.minimum(stages["proposal"].to_numpy(), closed)
    spans = {
        LATE: (np.where(reached, stages["negotiation"].to_numpy(), NEVER), closed),
        MEETING: (table["created"].to_numpy(), ready - 7),
    }
    deal = np.full(len(records), -1)
    for which, (first, last) in spans.items():
        lead = window.week_start[0]
        low, high = (
            np.maximum(-((lead - first) // 7), 0),
            (last - lead) // 7,
        )  # Mondays inside the span
        n = np.where(high >= low, high - low + 1, 0)
        candidate = np.repeat(np.arange(len(table)), n)
        week = low[candidate] + np.arange(len(candidate)) - (np.cumsum(n) - n)[candidate]
        key = table["seat"].to_numpy()[candidate] * n_weeks + week
        order = np.argsort(key, kind="stable")
        key, candidate = key[order], candidate[order]
        rows = np.flatnonzero(
            kind == which if which == LATE else (kind == CALL) | (kind == MEETING)
        )
        if which != LATE:
            rows = rows[rng.random(len(rows)) < LINKED]
        left, right = (np.searchsorted(key, cell[rows], side) for side in ("left", "right"))
        some = right > left
        pick = left + (rng.random(len(rows)) * (right - left)).astype(np.int64)
        deal[rows[some]] = candidate[pick[some]]
    return deal


def _joint(
    drawn: CompanyDraws, level: Floats, records: pd.DataFrame, rng: np.random.Generator
) -> Bools:
    """Return which internal meetings are joint with marketing.

    More where the two work well together.
    """
    window = drawn.window
    quarter = window.quarter[np.maximum(window.week_start, 0)][records["week"].to_numpy()]
    rate = -JOINT_RATE * np.log1p(-level)
    joint = rng.random(len(records)) < rate[records["team"].to_numpy(), quarter]
    return np.asarray((records["kind"] == INTERNAL).to_numpy() & joint)


def _all_day(drawn: CompanyDraws) -> pd.DataFrame:
    """Return vacations, public holidays and training as runs of days; none before a team logs."""
    window, people, hours, _ = drawn
    holiday = ~window.is_workday & (window.weekday(np.arange(window.n_days)) < SATURDAY)
    frames = []
    for kind, days in (("vacation", people.vacation), ("holiday", holiday[people.seat_region])):
        edge = np.diff(np.pad(days, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        seat, start = np.nonzero(edge == 1)
        end = np.nonzero(edge == -1)[1]
        frames.append(
            pd.DataFrame({"kind": kind, "seat": seat, "day": start, "n_days": end - start})
        )
    absences = hours.shifters[hours.shifters["kind"] == 0]
    lasts = absences["end"] - absences["start"]
    frames.append(
        pd.DataFrame(
            {
                "kind": "training",
                "seat": absences["seat"],
                "day": absences["start"],
                "n_days": lasts,
            }
        )
    )
    table = pd.concat(frames, ignore_index=True)
    seat, week = table["seat"].to_numpy(), window.week_of(table["day"].to_numpy())
    table["rep"] = people.rep[seat, week]
    return table[hours.is_logged[seat, week]].reset_index(drop=True)
