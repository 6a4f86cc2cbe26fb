"""How well a team and marketing work together, quarter by quarter: the truth behind every practice.

A level is a share from 0 to 1: about how often a practice is kept that may be kept or not.  It
rises when a team adopts the programme and says nothing of the team's results, which follow
`Company.effect` alone: an index of practices that foretells results in here has found the programme
or chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Bools, Floats
    from analysis.simulate.world.company_parameters import SimulatedCompany
    from analysis.simulate.world.people import Staff

LOWEST, HIGHEST = 0.02, 0.98
GAIN_SPREAD = 0.3  # a team's gain is up to this share below or above the company's
SEED = 20  # of the levels; the tables take the numbers after it


def practice_levels(company: SimulatedCompany, people: Staff) -> Floats:
    """Return the level of each team and quarter [0-1]."""
    rng = np.random.default_rng([company.seed, SEED])
    start = company.practice_start + company.practice_start_sd * rng.standard_normal(
        company.n_teams
    )
    gain = company.practice_gain * rng.uniform(1 - GAIN_SPREAD, 1 + GAIN_SPREAD, company.n_teams)
    noise = company.practice_noise_sd * rng.standard_normal((company.n_teams, company.n_quarters))
    path = np.asarray(company.practice_path)
    event = np.arange(company.n_quarters) - people.adopted[:, None]
    risen = np.where(event < 0, 0.0, path[np.clip(event, 0, len(path) - 1)])
    return np.clip(start[:, None] + gain[:, None] * risen + noise, LOWEST, HIGHEST)


def draw_chance(rng: np.random.Generator, share: Floats) -> Bools:
    """Return true with each probability."""
    return np.asarray(rng.random(len(share)) < share)
