"""Panels that the growth tests share: one made by hand, and simulated teams with what is asked of them."""

import numpy as np
import pandas as pd
from studies.team_panels import Drawn, Teams, draw_teams

from analysis.chapters.growth.assessment import AssessmentTables
from analysis.chapters.growth.panel import NEVER, Panel
from analysis.chapters.growth.specification import default_specification

QUICK = default_specification()._replace(randomisation_draws=499)


def of_matrix(matrix, starts) -> Panel:
    """Return the panel of a matrix, a row a team; a start of None never comes."""
    matrix = np.array(matrix, float)
    columns = np.array([NEVER if start is None else start for start in starts], np.intp)
    quarters = tuple(f"{2024 + k // 4}Q{k % 4 + 1}" for k in range(matrix.shape[1]))
    teams = pd.Index([f"T{i}" for i in range(len(matrix))], name="team_id")
    return Panel("bookings_amount", matrix, columns, teams, quarters, {})


def additive(taus, *, n_never: int = 3, starts=(3, 3, 4, 4), n_quarters: int = 7) -> Panel:
    """Return team plus quarter effect, and `taus` by quarters since the start on top: no chance at all."""
    several = [*starts, *[None] * n_never]
    matrix = np.add.outer(
        np.linspace(14, 15, len(several)), np.array([0.3, 0, 0.1, 0.5, 0.2, 0.4, 0.1])[:n_quarters]
    )
    for row, start in zip(matrix, several, strict=True):
        if start is not None:
            since = np.arange(n_quarters - start)
            row[start:] += np.array(taus)[np.minimum(since, len(taus) - 1)]
    return of_matrix(matrix, several)


def teams(**different) -> tuple[Drawn, AssessmentTables]:
    """Return simulated teams, and the tables of an assessment."""
    drawn = draw_teams(Teams(**different))
    return drawn, AssessmentTables(drawn.team_quarter, drawn.programme, None, 75.0)
