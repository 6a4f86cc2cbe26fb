"""Who works there: teams, the seats in them, and the reps who hold a seat one after another.

A seat is never empty.  When its rep leaves on a Friday, the successor starts on the Monday and
takes over the open deals; when two reps change places, both take their deals along, and so the
seats change team.
Everything downstream is therefore a full table of seats x weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.simulate.world.calendar import REGIONS, Bools, Floats, Ints, Window

if TYPE_CHECKING:
    from analysis.simulate.world.company_parameters import SimulatedCompany

SEGMENTS = ("SMB", "Mid-market", "Enterprise")
ENTERPRISE = 2
NEVER = 1 << 20  # a quarter or a day that does not come
CYCLE_Z = 2.33  # the longest sales cycle is this many log standard deviations above the median


class Staff(NamedTuple):
    """Teams, seats and reps; weeks and days are those of the `Window`."""

    team_region: Ints
    team_segment: Ints
    team_names: list[str]
    adopted: Ints  # quarter of adoption by team, counted from 0; NEVER if none
    burn_days: Ints  # by team: days of earlier pipeline needed for a steady start
    seat_region: Ints
    team: Ints  # seats x weeks
    rep: Ints  # seats x weeks
    worked: Bools  # seats x days
    vacation: Bools  # seats x days
    rep_seat: Ints
    rep_start: Ints  # day of the first, and
    rep_end: Ints  # of the first no longer worked; NEVER if none
    skill: Floats  # standard normal, by rep
    habit: Floats  # log hours that have nothing to do with skill, by rep
    fte: Floats


def hire_people(company: SimulatedCompany, window: Window) -> Staff:
    """Return teams, seats and reps."""
    rng = np.random.default_rng([company.seed, 1])
    region, segment, names = _teams(company)
    adopted = _adoption(company, rng)
    median = np.where(segment == ENTERPRISE, company.enterprise_cycle_days, company.cycle_days)
    longest = median * np.exp(CYCLE_Z * company.cycle_log_sd)
    burn = (np.ceil(longest / 7) * 7 + 7).astype(np.int64)

    size = company.team_size + rng.integers(-1, 2, company.n_teams)
    seat_team = np.repeat(np.arange(company.n_teams), size)
    n_seats, n_weeks = len(seat_team), len(window.week_start)
    weeks = np.arange(n_weeks)
    mean_stay = 52 / max(company.turnover_rate, 1e-9)
    first = 4 + rng.exponential(mean_stay, n_seats).astype(np.int64)
    second = first + 26 + rng.exponential(mean_stay, n_seats).astype(np.int64)
    exits = np.stack([first, second])
    exits[exits > n_weeks - 8] = NEVER
    has_left = exits != NEVER
    joiner = np.full(exits.shape, -1)
    joiner[has_left] = n_seats + np.arange(has_left.sum())
    rep = np.broadcast_to(np.arange(n_seats)[:, None], (n_seats, n_weeks)).copy()
    for leave, new in zip(exits, joiner, strict=True):
        rep = np.where(weeks >= leave[:, None], new[:, None], rep)

    rep_seat = np.concatenate([np.arange(n_seats), np.nonzero(has_left)[1]])
    n_reps = len(rep_seat)
    monday = np.append(window.week_start, NEVER)
    leave_day = monday[np.minimum(exits, n_weeks)]
    hired = window.week_start[0] - burn[seat_team] - 7 * rng.integers(0, 260, n_seats)
    rep_start = np.concatenate([hired, leave_day[has_left]])
    rep_end = np.full(n_reps, NEVER)
    rep_end[:n_seats] = leave_day[0]
    rep_end[joiner[0][has_left[0]]] = leave_day[1][has_left[0]]

    team = _swap(company, rng, seat_team, region, weeks)
    vacation = _vacation(window, rng, n_seats)
    seat_region = region[seat_team]
    workday = window.is_workday[seat_region]
    return Staff(
        region, segment, names, adopted, burn, seat_region, team, rep,
        workday & ~vacation, vacation & workday,
        rep_seat, rep_start, rep_end,
        rng.standard_normal(n_reps),
        company.habit_log_sd * rng.standard_normal(n_reps),
        np.where(rng.random(n_reps) < company.part_time_share, 0.8, 1.0),
    )  # fmt: skip


def _teams(company: SimulatedCompany) -> tuple[Ints, Ints, list[str]]:
    number = np.arange(company.n_teams)
    region = number % len(REGIONS)
    segment = number // len(REGIONS) % 2
    n_enterprise = round(company.enterprise_share * company.n_teams)
    segment[np.linspace(0, company.n_teams - 1, n_enterprise).astype(np.int64)] = ENTERPRISE
    counts: dict[str, int] = {}
    names = []
    for r, s in zip(region.tolist(), segment.tolist(), strict=True):
        kind = f"{REGIONS[r]} {SEGMENTS[s]}"
        counts[kind] = counts.get(kind, 0) + 1
        names.append(f"{kind} {counts[kind]}")
    return region, segment, names


def _adoption(company: SimulatedCompany, rng: np.random.Generator) -> Ints:
    adopted = np.full(company.n_teams, NEVER)
    order = rng.permutation(company.n_teams)
    taken = 0
    for quarter, share in company.adoption:
        n = round(share * company.n_teams)
        if quarter <= company.n_quarters:
            adopted[order[taken : taken + n]] = quarter - 1
        taken += n
    return adopted


def _swap(
    company: SimulatedCompany, rng: np.random.Generator, seat_team: Ints, region: Ints, weeks: Ints
) -> Ints:
    team = np.broadcast_to(seat_team[:, None], (len(seat_team), len(weeks))).copy()
    n_swaps = round(company.move_rate * company.n_quarters / 4 * len(seat_team) / 2)
    order = np.lexsort((rng.random(len(seat_team)), region[seat_team]))
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    one, other = seat_team[pairs[:, 0]], seat_team[pairs[:, 1]]
    able = pairs[(region[one] == region[other]) & (one != other)]
    chosen = able[rng.permutation(len(able))[:n_swaps]]
    since = rng.integers(8, max(len(weeks) - 8, 9), len(chosen))[:, None]
    for mine, yours in (chosen.T, chosen.T[::-1]):
        team[mine] = np.where(weeks >= since, seat_team[yours][:, None], team[mine])
    return team


def _vacation(window: Window, rng: np.random.Generator, n_seats: int) -> Bools:
    """Return the days off: two weeks in summer, one in any season, and five single days a year."""
    off = np.zeros((n_seats, window.n_days), bool)
    first = int(str(window.start)[:4])
    for year in range(first, first + window.n_days // 365 + 2):
        opens = int((np.datetime64(f"{year}-01-01") - window.start).astype(np.int64))
        monday = opens + (7 - window.weekday(np.array([opens]))[0]) % 7
        starts = np.column_stack(
            [
                monday + 7 * rng.integers(25, 35, n_seats),
                monday + 7 * rng.choice([*range(1, 24), *range(38, 51)], n_seats),
                monday + rng.integers(0, 360, (n_seats, 5)),
            ]
        )
        lengths = np.array([12, 5, 1, 1, 1, 1, 1])
        for column, length in enumerate(lengths.tolist()):
            days = starts[:, column, None] + np.arange(length)
            seat = np.broadcast_to(np.arange(n_seats)[:, None], days.shape)
            inside = (days >= 0) & (days < window.n_days)
            off[seat[inside], days[inside]] = True
    return off
