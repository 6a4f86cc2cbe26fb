"""How long each rep sells in a week: habit and skill, shifters, hot pipelines, chance.

Three kinds of shifter move hours without asking how the pipeline looks: they are instruments.
A hot pipeline does the opposite: demand nobody sees makes deals close and pulls hours to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Bools, Floats, Ints, Window
    from analysis.simulate.world.company_parameters import SimulatedCompany
    from analysis.simulate.world.people import Staff

KINDS = ("training", "outage", "assistant")
LASTS = (2, 3, 84)  # days
SELLING_STEP = 5  # logged selling time comes in steps of this many minutes


class WeeklyHours(NamedTuple):
    """Tables of seats x weeks, seats x pieces where said."""

    selling: Floats
    late: Floats  # the part spent on deals past proposal
    log_hours: Floats  # of a full week
    log_shift: Floats
    hot: Floats  # seats x quarters: unobserved demand, uniform with mean 0 and sd 1
    log_creation: (
        Floats  # log of opportunities a week before rate and team, -inf without a worked day
    )
    worked: Ints
    worked_piece: Ints  # seats x pieces
    shifted: tuple[Ints, ...]  # worked days under each of KINDS
    logged_minutes: Ints  # what the calendar will hold
    logged_late_minutes: Ints
    is_logged: Bools
    shifters: (
        pd.DataFrame
    )  # one row per shifter: kind, rep or team (-1: none), start and end day (half-open)


def simulate_hours(company: SimulatedCompany, window: Window, people: Staff) -> WeeklyHours:
    """Return every rep's selling hours by week."""
    rng = np.random.default_rng([company.seed, 2])
    n_seats, n_weeks = people.rep.shape
    week_first = np.flatnonzero(np.diff(window.week, prepend=-1))
    piece_first = np.flatnonzero(np.diff(window.piece, prepend=-1))
    worked = np.add.reduceat(people.worked, week_first, axis=1, dtype=np.int64)
    shifters = _shifters(company, window, people, rng)
    shifted = tuple(
        np.add.reduceat(
            _days(shifters, kind, window, people) & people.worked,
            week_first,
            axis=1,
            dtype=np.int64,
        )
        for kind in KINDS
    )
    effects = (company.training_log, company.outage_log, company.assistant_log)
    share = [days / np.maximum(worked, 1) for days in shifted]
    log_shift = sum((e * s for e, s in zip(effects, share, strict=True)), np.zeros(worked.shape))

    bound = np.sqrt(3.0)
    hot = rng.uniform(-bound, bound, (n_seats, company.n_quarters)) * company.hot_pipeline
    by_quarter = company.quarter_log_sd * rng.standard_normal((n_seats, company.n_quarters))
    by_week = company.week_log_sd * rng.standard_normal((n_seats, n_weeks))
    quarter = window.quarter[np.maximum(window.week_start, 0)]
    skill = people.skill[people.rep]
    log_regular = (
        np.log(company.selling_hours * people.fte[people.rep])
        + company.skill_on_hours_log * skill
        + people.habit[people.rep]
        + by_quarter[:, quarter]
        + by_week
        + log_shift
    )
    log_hot = company.hot_hours_log_sd * hot[:, quarter]
    with np.errstate(divide="ignore"):
        log_share = np.log(worked / 5)
    created_share = company.elasticity * np.log(
        np.maximum(worked, 1) / 5
    )  # a day off creates nothing at any elasticity
    regular = np.exp(log_regular + log_share)
    selling = regular * np.exp(log_hot)
    late = selling - (1 - company.late_share) * regular
    log_creation = (
        np.where(worked > 0, created_share, -np.inf)
        + company.elasticity * (log_regular - np.log(company.selling_hours))
        + company.skill_on_opportunities_log * skill
    )

    contacts = np.maximum(np.rint(selling), 1).astype(np.int64)
    captured = rng.binomial(contacts, company.capture_rate) / contacts
    error = np.exp(company.logging_error_log_sd * rng.standard_normal(selling.shape))
    logged = selling * captured * error
    is_logged = np.ones(selling.shape, bool)
    if company.late_logging_quarter and company.late_logging_quarter <= company.n_quarters:
        before = window.quarter[np.maximum(window.week_start, 0)] < company.late_logging_quarter - 1
        is_logged = ~((people.team == _late_team(people)) & before)
    minutes = SELLING_STEP * np.rint(logged * 60 / SELLING_STEP).astype(np.int64) * is_logged
    late_minutes = SELLING_STEP * np.rint(
        minutes / SELLING_STEP * late / np.maximum(selling, 1e-9)
    ).astype(np.int64)
    return WeeklyHours(
        selling, late, log_regular + log_hot, log_shift, hot, log_creation, worked,
        np.add.reduceat(people.worked, piece_first, axis=1, dtype=np.int64),
        shifted, minutes, late_minutes, is_logged, shifters,
    )  # fmt: skip


def _late_team(people: Staff) -> int:
    """Return the team whose logging comes late: the last of those that adopt last or never."""
    order = np.argsort(people.adopted, kind="stable")
    return int(order[-1])


def _shifters(
    company: SimulatedCompany, window: Window, people: Staff, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw who is sent to training, cut off or given an assistant, and when."""
    n_seats, n_teams = len(people.rep), len(people.team_names)
    seat, start = _starts(n_seats, 26, window, rng)
    training = {"kind": 0, "seat": seat, "team": -1, "start": start + rng.integers(0, 3, len(seat))}
    team, start = _starts(n_teams, 26, window, rng)
    outage = {"kind": 1, "seat": -1, "team": team, "start": start + 1}
    seat, start = _starts(n_seats, 52, window, rng)
    has_assistant = rng.random(len(seat)) < company.assistant_share
    assistant = {"kind": 2, "seat": seat[has_assistant], "team": -1, "start": start[has_assistant]}
    frames = [pd.DataFrame(columns) for columns in (training, outage, assistant)]
    table = pd.concat(frames, ignore_index=True)
    table["end"] = table["start"] + np.take(LASTS, table["kind"].to_numpy())
    seat = table["seat"].to_numpy()
    first, last = (
        window.week_of(table[name].to_numpy() - shift) for name, shift in (("start", 0), ("end", 1))
    )
    table["rep"] = np.where(seat < 0, -1, people.rep[seat, first])
    same = (seat < 0) | (people.rep[seat, first] == people.rep[seat, last])
    inside = (table["start"].to_numpy() >= 0) & (table["end"].to_numpy() <= window.n_days)
    inside_window: pd.DataFrame = table[same & inside]
    return inside_window.reset_index(drop=True)


def _starts(
    n_units: int, every: int, window: Window, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return a Monday in each whole run of `every` weeks, for each unit."""
    n_weeks = len(window.week_start)
    unit, run = (grid.ravel() for grid in np.indices((n_units, max(n_weeks // every, 1))))
    week = np.minimum(run * every + rng.integers(0, every, len(run)), n_weeks - 1)
    return unit, window.week_start[week]


def _days(shifters: pd.DataFrame, kind: str, window: Window, people: Staff) -> Bools:
    """Return seats x days: whether a shifter of this kind is on."""
    rows = shifters[shifters["kind"] == KINDS.index(kind)]
    by_team = bool(len(rows)) and int(rows["team"].iloc[0]) >= 0
    unit = rows["team" if by_team else "seat"].to_numpy()
    n_units = len(people.team_names) if by_team else len(people.rep)
    change = np.zeros((n_units, window.n_days + 1), np.int8)
    np.add.at(change, (unit, rows["start"].to_numpy()), 1)
    np.add.at(change, (unit, rows["end"].to_numpy()), -1)
    on = np.cumsum(change[:, :-1], axis=1, dtype=np.int8) > 0
    return np.asarray(on[people.team[:, window.week], np.arange(window.n_days)]) if by_team else on
