"""Which practices moved the index: each its own points, and what was measured apart."""

import numpy as np
import pandas as pd
import pytest
from alignment_tables import BY_ID, periods, shares

from analysis.chapters.alignment import chapter, index, index_drivers

FIRST, SECOND = "2026Q1", "2026Q2"


def scored(rows):
    evidence = shares(rows)
    scores = index.index_scores(evidence, periods(), rng=np.random.default_rng(3))
    sides = pd.DataFrame(columns=["team_id", "quarter", "score", "standard_error"])
    return chapter.Scored("full", evidence, scores, sides, scores)


def all_at(share, quarter, **other):
    return [("A", quarter, f"E{i:02d}", other.get(f"E{i:02d}", share), 40.0) for i in range(1, 24)]


def test_a_practice_moves_the_index_by_its_points():
    """All at one half, then E01 at one: half of its points of 100."""
    got = index_drivers.index_drivers(
        scored(all_at(0.5, FIRST) + all_at(0.5, SECOND, E01=1.0)), FIRST, SECOND
    )
    item = BY_ID["E01"]
    assert got.change == pytest.approx(item.points / 2)
    assert got.parts[item.label] == pytest.approx(item.points / 2)
    assert sum(map(abs, got.parts.values())) == pytest.approx(item.points / 2)


def test_a_practice_no_longer_measured_is_a_part_by_itself():
    """E01 was at one, the rest at one half; now nobody knows of it: no practice got worse."""
    rows = all_at(0.5, FIRST, E01=1.0) + [r for r in all_at(0.5, SECOND) if r[2] != "E01"]
    got = index_drivers.index_drivers(scored(rows), FIRST, SECOND)
    assert got.change < 0
    assert got.parts[index_drivers.OBSERVED] == pytest.approx(got.change)


def test_a_team_that_joins_is_a_part_by_itself():
    """B joins at one where A stays at one half: the mean rises by a quarter of 100."""
    joined = [("B", q, e, 1.0, n) for _, q, e, _, n in all_at(0.5, SECOND)]
    got = index_drivers.index_drivers(
        scored(all_at(0.5, FIRST) + all_at(0.5, SECOND) + joined), FIRST, SECOND
    )
    assert got.parts[index_drivers.TEAMS] == pytest.approx(25.0)
    assert sum(got.parts.values()) == pytest.approx(got.change) == pytest.approx(25.0)


def test_a_quarter_without_an_index_is_not_split():
    assert index_drivers.index_drivers(scored(all_at(0.5, SECOND)), FIRST, SECOND) is None
