"""What versions of a sales-ready lead would have let through, and how far the sides' counts differ."""

import math

import pandas as pd
import pytest
from lead_panels import funnel, lead

from analysis.chapters.closed_loop import definition_replay


def replay(name, side, flags):
    return pd.DataFrame(
        {
            "definition": name, "metric": "MQL", "side": side, "valid_from": "2025-01-01",
            "approval": "sales", "lead_id": [f"L{n}" for n in range(len(flags))],
            "is_sales_ready": pd.array(flags, "boolean"), "is_in_force": False,
        }
    )  # fmt: skip


def test_what_became_of_leads_let_through_by_hand():
    """Of 40 let through 20 became opportunities, of 30 others 3; ten stay undecided."""
    rows = [lead(n % 5, opportunity=9 if n < 20 or 40 <= n < 43 else None) for n in range(80)]
    flags = [True] * 40 + [False] * 30 + [None] * 10
    got = definition_replay.replayed_versions(replay("v1", "both", flags), funnel(*rows)).iloc[0]
    assert got[["n_ready", "n_unready", "n_undecided"]].tolist() == [40, 30, 10]
    assert (got["share"], got["ready"], got["unready"]) == (40 / 70, 0.5, 0.1)
    assert got["ready_low"] < 0.5 < got["ready_high"]


def test_400_and_280_are_thirty_percent_apart(figure):
    flags = [[True] * 400, [True] * 280 + [False] * 120]
    both = pd.concat([replay("m", "marketing", flags[0]), replay("s", "sales", flags[1])])
    versions = both.drop_duplicates("definition")
    got = definition_replay.language_gaps(versions, both).iloc[0]
    assert got[["marketing", "sales", "both"]].tolist() == [400, 280, 280]
    assert got["gap"] == pytest.approx(0.30)
    figure("000-15", f"marketing 400, sales 280: gap {got['gap']:.2f}")


def test_a_metric_that_one_side_alone_defines_has_no_gap():
    rows = replay("m", "marketing", [True])
    assert definition_replay.language_gaps(rows, rows).empty
    assert definition_replay.relative_gap(0, 0) == 0.0
    assert math.isnan(definition_replay.relative_gap(math.nan, 1))
