"""What every file on how sales and marketing work together refers to.

Teams, quarters, names, chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.simulate.world.calendar import FRIDAY
from analysis.simulate.world.practice_level import SEED, practice_levels

if TYPE_CHECKING:
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.calendar import Floats, Ints
    from analysis.simulate.world.company_parameters import SimulatedCompany


class Scene(NamedTuple):
    """What every table of practices is drawn from."""

    company: SimulatedCompany
    tables: SimulatedTables
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
        """Return the random generator of one table."""
        return np.random.default_rng([self.company.seed, SEED, number])

    def grid(self, each: int = 1) -> tuple[Ints, Ints, Floats]:
        """Return team, quarter and level of each team and quarter, each standing `each` times in a
        row.
        """
        team, quarter = (np.repeat(index.ravel(), each) for index in np.indices(self.level.shape))
        return team, quarter, self.level[team, quarter]

    def counted(self, n: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the same columns, each team and quarter repeated as often as `n` says."""
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


def practice_scene(company: SimulatedCompany, tables: SimulatedTables, keys: Keys) -> Scene:
    """Return the scene of a simulated company."""
    window, people, _, _ = tables.draws
    edge = np.append(np.flatnonzero(np.diff(window.quarter, prepend=-1)), window.n_days)
    return Scene(company, tables, keys, practice_levels(company, people), edge)


def made_up_ids(stem: str, n: int) -> list[str]:
    """Return ids as people give them: goal-1, goal-2, ..."""
    return [f"{stem}-{i + 1}" for i in range(n)]
