"""Published figures, each once, with unit, source and grade.

A vendor's number is shown as a vendor's number: the grade travels with it.  Grades: A peer-reviewed
and quantitative, B peer-reviewed and qualitative or a described method, C official statistics,
D vendor survey with n, E vendor claim without a method.  Nothing here is ever a default for a
company's own figures; the constants below belong to the articles' worked example only.  The figures
stand in ``claims.toml``; every number in a notebook's prose is one of them, or computed.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Literal, NamedTuple

Grade = Literal["A", "B", "C", "D", "E"]


class Claim(NamedTuple):
    """One published figure: `value` in `unit`, who says so, and what it is not."""

    id: str
    value: float
    unit: str
    says: str
    source: str
    year: int
    n: int | None
    grade: Grade
    bound: Literal["exact", "at most", "at least", "mean"]
    is_not: str


def _read() -> dict[str, Claim]:
    text = resources.files("analysis.project").joinpath("claims.toml").read_text(encoding="utf-8")
    return {
        name: Claim(id=name, **{"n": None, **figure})
        for name, figure in tomllib.loads(text).items()
    }


CLAIMS: dict[str, Claim] = _read()

# The articles' worked example: the preset `seed_002` of models.cost.
SELLING_HOURS_PER_WEEK = CLAIMS["selling_hours_per_week"].value  # [h]
WEEKS_PER_YEAR = 48.0  # the only quarter-hour grid point with 11 h that gives $3,788
EXAMPLE_BASE_USD = 100_000.0  # [USD/year]
EXAMPLE_LOADINGS_USD = 110_672.0  # commission and fringe together, solved for; split unknown
EXAMPLE_QUOTA_USD = 2_000_000.0  # [USD/year]
