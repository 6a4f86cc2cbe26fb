"""How well a team and marketing work together, quarter by quarter: the truth behind every practice.

A level is a share from 0 to 1: about how often a practice is kept that may be kept or not.  It rises
when a team adopts the programme and says nothing of the team's results, which follow `Company.effect`
alone: an index of practices that foretells results in here has found the programme or chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.simulate.window import FRIDAY

if TYPE_CHECKING:
    from analysis.simulate.company import Company, Tables
    from analysis.simulate.people import People
    from analysis.simulate.records import Keys
    from analysis.simulate.window import Bools, Floats, Ints

LOWEST, HIGHEST = 0.02, 0.98
GAIN_SPREAD = 0.3  # a team's gain is up to this share below or above the company's
SEED = 20  # of the levels; the tables take the numbers after it


def levels(company: Company, people: People) -> Floats:
    """Return the level of each team and quarter [0-1]."""
    rng = np.random.default_rng([company.seed, SEED])
    start = company.practice_start + company.practice_start_sd * rng.standard_normal(company.n_teams)
    gain = company.practice_gain * rng.uniform(1 - GAIN_SPREAD, 1 + GAIN_SPREAD, company.n_teams)
    noise = company.practice_noise_sd * rng.standard_normal((company.n_teams, company.n_quarters))
    path = np.asarray(company.practice_path)
    event = np.arange(company.n_quarters) - people.adopted[:, None]
    risen = np.where(event < 0, 0.0, path[np.clip(event, 0, len(path) - 1)])
    return np.clip(start[:, None] + gain[:, None] * risen + noise, LOWEST, HIGHEST)


class Scene(NamedTuple):
    """What every table of practices is drawn from."""

    company: Company
    tables: Tables
    keys: Keys
    level: Floats  # teams x quarters
    edge: Ints  # first day of each quarter, and of the one after the last

    @property
    def start(self) -> np.datetime64:
        """Return the window's first day."""
        return self.tables.draws.window.start

    @property
    def n_days(self) -> int:
        """Return the days in the window."""
        return self.tables.draws.window.n_days

    def rng(self, number: int) -> np.random.Generator:
        """Return the chance of one table."""
        return np.random.default_rng([self.company.seed, SEED, number])

    def grid(self, each: int = 1) -> tuple[Ints, Ints, Floats]:
        """Return team, quarter and level of each team and quarter, each standing `each` times in a row."""
        team, quarter = (np.repeat(index.ravel(), each) for index in np.indices(self.level.shape))
        return team, quarter, self.level[team, quarter]

    def counted(self, n: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the same, each team and quarter standing as often as `n` says."""
        team, quarter, level = self.grid()
        return np.repeat(team, n), np.repeat(quarter, n), np.repeat(level, n)

    def day_in(self, quarter: Ints, rng: np.random.Generator) -> Ints:
        """Return a day of each quarter, drawn evenly."""
        first, last = self.edge[quarter], self.edge[quarter + 1]
        return np.asarray(first + (rng.random(len(quarter)) * (last - first)).astype(np.int64))

    def months(self) -> tuple[Ints, Ints]:
        """Return the first day of each month of the window, and its quarter."""
        window = self.tables.draws.window
        month = window.dates(np.arange(self.n_days)).astype("datetime64[M]").astype(np.int64)
        first = np.flatnonzero(np.diff(month, prepend=-1))
        return first, window.quarter[first]

    def manager(self, team: Ints) -> Ints:
        """Return the user who leads each team."""
        return len(self.tables.draws.people.rep_seat) + team

    def workday(self, day: Ints) -> Ints:
        """Return each day, or the Friday before it."""
        weekday = self.tables.draws.window.weekday(day)
        return day - np.maximum(weekday - FRIDAY, 0)


def scene(company: Company, tables: Tables, keys: Keys) -> Scene:
    """Return the scene of a simulated company."""
    window, people, _, _ = tables.draws
    edge = np.append(np.flatnonzero(np.diff(window.quarter, prepend=-1)), window.n_days)
    return Scene(company, tables, keys, levels(company, people), edge)


def chance(rng: np.random.Generator, share: Floats) -> Bools:
    """Return true with each probability."""
    return np.asarray(rng.random(len(share)) < share)


def names(stem: str, n: int) -> list[str]:
    """Return ids as people give them: goal-1, goal-2, ..."""
    return [f"{stem}-{i + 1}" for i in range(n)]
