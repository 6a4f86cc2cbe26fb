"""Opportunities: who creates one on which day, when it closes, whether it is won and for how much.

Season, shocks and the programme multiply a team's creations by ``m`` of the quarter of creation.
A deal closing in quarter ``q`` is won with probability ``win_rate * m(q) / m(created)``, so that
expected bookings by close quarter follow ``m`` exactly, however long the sales cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.simulate.world.calendar import SATURDAY, SUNDAY, Floats, Ints, Window, quarter_of_year
from analysis.simulate.world.people import CYCLE_Z, ENTERPRISE, NEVER

if TYPE_CHECKING:
    from analysis.simulate.world.company_parameters import SimulatedCompany
    from analysis.simulate.world.people import Staff
    from analysis.simulate.world.weekly_hours import WeeklyHours


class Deals(NamedTuple):
    """The opportunities, and what the teams' quarters multiply them by."""

    table: pd.DataFrame  # one row per opportunity; days of the window, money in USD
    expected: Floats  # seats x weeks: opportunities expected to be created
    shock: Floats  # teams x quarters, log
    effect: Floats  # teams x quarters, log


def simulate_deals(
    company: SimulatedCompany, window: Window, people: Staff, hours: WeeklyHours
) -> Deals:
    """Return every opportunity that closes in the window or is still open at its end."""
    rng = np.random.default_rng([company.seed, 3])
    season = np.asarray(company.season_log)
    effect = planted_effects(company, people.adopted)
    shock = _shocks(company, rng)
    edges = np.flatnonzero(np.diff(window.quarter, prepend=-1))
    log_m = season[quarter_of_year(window.dates(edges))] + shock + effect

    rate = np.exp(hours.log_creation)
    rate *= company.opportunities_per_quarter / 13 / rate[:, hours.worked.any(axis=0)].mean()
    share = hours.worked_piece / np.maximum(hours.worked, 1)[:, window.piece_week]
    team = people.team[:, window.piece_week]
    expected = rate[:, window.piece_week] * share * np.exp(log_m[team, window.piece_quarter])
    if company.ramp_days:
        expected = expected * _ramp(company, window, people)
    n = rng.poisson(expected)
    seat, piece = (np.repeat(index.ravel(), n.ravel()) for index in np.indices(n.shape))
    day = _worked_day(people, hours, seat, piece, rng)
    log_created = log_m[people.team[seat, window.week[day]], window.piece_quarter[piece]]

    old_seat, old_day = _burn_in(window, people, rate.mean(axis=1), rng)
    seat, day = np.concatenate([seat, old_seat]), np.concatenate([day, old_day])
    old_log = season[quarter_of_year(window.dates(old_day))]
    table = _close(company, window, people, rng, pd.DataFrame({"seat": seat, "created": day}))
    log_created = np.concatenate([log_created, old_log])[table.index.to_numpy()]
    quarter = np.minimum(table["quarter"].to_numpy(), company.n_quarters - 1)
    log_gain = log_m[table["team"].to_numpy(), quarter] - log_created
    hot = hours.hot[table["seat"].to_numpy(), quarter]
    chance = np.minimum(company.win_rate * np.exp(log_gain) * _heat(company, hot), 1.0)
    table["win_probability"] = chance
    table["is_won"] = table["is_closed"] & (rng.random(len(table)) < chance)
    mean_log = np.log(company.deal_amount) - company.deal_log_sd**2 / 2
    amount = np.exp(mean_log + company.deal_log_sd * rng.standard_normal(len(table)))
    table["amount_usd"] = np.round(amount, 2)
    table = table.reset_index(drop=True)
    piece_first = np.flatnonzero(np.diff(window.piece_week, prepend=-1))
    return Deals(table, np.add.reduceat(expected, piece_first, axis=1), shock, effect)


def planted_effects(company: SimulatedCompany, adopted: Ints) -> Floats:
    """Return the planted effect by team and quarter [log]."""
    path = np.asarray(company.effect_path) * company.effect
    event = np.arange(company.n_quarters) - adopted[:, None]
    return np.where(event < 0, 0.0, path[np.clip(event, 0, len(path) - 1)])


def _ramp(company: SimulatedCompany, window: Window, people: Staff) -> Floats:
    """Return by seat and piece of the window how far its rep's ramp has come [0-1].

    Those there at the start are past it.
    """
    monday = window.week_start[window.piece_week]
    rep = people.rep[:, window.piece_week]
    begin = people.rep_start[rep]
    share = (monday + 7 - begin) / company.ramp_days
    return np.where(begin > window.week_start[0], np.clip(share, 0.0, 1.0), 1.0)


def _shocks(company: SimulatedCompany, rng: np.random.Generator) -> Floats:
    shock = np.empty((company.n_teams, company.n_quarters))
    fresh = company.shock_log_sd * rng.standard_normal(shock.shape)
    shock[:, 0] = fresh[:, 0]
    for quarter in range(1, company.n_quarters):
        carried_over = company.shock_rho * shock[:, quarter - 1]
        shock[:, quarter] = carried_over + np.sqrt(1 - company.shock_rho**2) * fresh[:, quarter]
    return shock


def _worked_day(
    people: Staff, hours: WeeklyHours, seat: Ints, piece: Ints, rng: np.random.Generator
) -> Ints:
    """Return a day for each opportunity, drawn from those its rep worked in that piece."""
    n_worked = hours.worked_piece.ravel()
    cell = seat * hours.worked_piece.shape[1] + piece
    before = np.cumsum(n_worked) - n_worked
    pick = (rng.random(len(cell)) * n_worked[cell]).astype(np.int64)
    return np.asarray(
        np.flatnonzero(people.worked.ravel())[before[cell] + pick] % people.worked.shape[1]
    )


def _burn_in(
    window: Window, people: Staff, rate: Floats, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return seat and day of opportunities created before the window, at each seat's mean rate."""
    weeks = people.burn_days[people.team[:, 0]] // 7
    seat = np.repeat(np.arange(len(rate)), rng.poisson(rate * weeks))
    back = 1 + (rng.random(len(seat)) * weeks[seat]).astype(np.int64)
    return seat, window.week_start[0] - 7 * back + rng.integers(0, 5, len(seat))


def _close(
    company: SimulatedCompany,
    window: Window,
    people: Staff,
    rng: np.random.Generator,
    born: pd.DataFrame,
) -> pd.DataFrame:
    """Return the deals that close in the window or later, by seat and day of creation."""
    seat, day = born["seat"].to_numpy(), born["created"].to_numpy()
    week = window.week_of(day)
    team = people.team[seat, week]
    enterprise = people.team_segment[team] == ENTERPRISE
    median = np.where(enterprise, company.enterprise_cycle_days, company.cycle_days)
    z = np.clip(rng.standard_normal(len(day)), -CYCLE_Z, CYCLE_Z)
    close = day + np.maximum(np.rint(median * np.exp(company.cycle_log_sd * z)), 3).astype(np.int64)
    weekday = window.weekday(close)
    close = close - (weekday == SATURDAY) + (weekday == SUNDAY)
    closing = window.week_of(close)
    is_closed = close < window.n_days
    table = born.assign(
        closed=close,
        creator=people.rep[seat, week],
        owner=people.rep[seat, closing],
        team_created=team,
        team=people.team[seat, closing],
        is_closed=is_closed,
        quarter=np.where(is_closed, window.quarter[np.clip(close, 0, window.n_days - 1)], NEVER),
    )
    closed: pd.DataFrame = table[close >= 0]
    return closed


def _heat(company: SimulatedCompany, hot: Floats) -> Floats:
    """Return what a rep's unobserved demand multiplies closings by: 1 on average."""
    strength = company.hot_closings_log_sd * company.hot_pipeline
    if not strength:
        return np.ones(len(hot))
    bound = np.sqrt(3) * strength
    return np.asarray(np.exp(strength * hot) * bound / np.sinh(bound))
