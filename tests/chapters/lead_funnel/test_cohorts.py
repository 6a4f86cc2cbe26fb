"""Cohorts by the quarter leads came in, the steps at which they are lost, and who touched deals."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lead_panels import funnel, lead

from analysis.chapters.lead_funnel import cohorts, funnel_answer


def many(n, came=0, **other):
    return [lead(came, rep_id=f"R{k % 8}", **other) for k in range(n)]


def test_a_win_of_today_belongs_to_the_quarter_its_lead_came_in():
    """Came in January, won in October: a win of 2025Q1."""
    rows = funnel(*many(1, opportunity=9, won=290, outcome="won"), *many(1, 280)).rows
    counts = cohorts.funnel_counts(rows, "cohort")
    won = counts[counts["stage"] == "won"].set_index("group")["n_any"]
    assert won[won > 0].to_dict() == {"2025Q1": 1}


def test_a_young_cohort_has_no_final_share():
    """Of 40 in January, 10 won on day 60; 40 of November were not watched for 90 days."""
    leads = [*many(10, opportunity=30, won=60, outcome="won"), *many(30), *many(40, 310)]
    table = cohorts.cohort_shares(funnel(*leads)).set_index("cohort")
    assert table.loc["2025Q1", "opportunity"] == pytest.approx(0.25)
    assert math.isnan(table.loc["2025Q4", "opportunity"])
    assert math.isnan(table.loc["2025Q1", "won"])  # 364 days, not 365
    assert table["is_young"].tolist() == [True, True]


def test_of_a_hundred_leads_each_is_lost_once():
    """100 come, 60 become MQL, 30 of those an opportunity, 15 won: lost 40, 30 and 15.

    SAL and SQL stand in no export: the way goes from MQL to opportunity.
    """
    leads = [
        *many(15, mql=1, opportunity=5, won=20, outcome="won"),
        *many(15, mql=1, opportunity=5, lost=9, outcome="lost"),
        *many(30, mql=1, disqualified=3),
        *many(40, disqualified=2),
    ]
    steps = cohorts.stage_passages(funnel(*leads))
    assert steps["n"].tolist() == [100, 60, 30]
    assert steps["share"].tolist() == pytest.approx([0.6, 0.5, 0.5])
    assert steps["lost_per_100"].tolist() == pytest.approx([40, 30, 15])
    assert cohorts.largest_leak(steps)["step"] == "Lead to MQL"
    assert (steps["low"] <= steps["share"]).all()
    assert steps["n_ended"].tolist() == [40, 30, 15]


def test_leads_that_nobody_followed_have_no_step_and_no_leak():
    steps = cohorts.stage_passages(funnel(lead(), lead()))
    assert steps.empty
    assert cohorts.largest_leak(steps) is None


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        ([40.0, 30.0], "Begin at the step Lead to MQL, where most leads are lost: 40 of 100."),
        (
            [40.0, math.nan],
            "as far as can be told (40 of 100); the step MQL to Won cannot be told.",
        ),
        ([0.0, 0.0], "Hardly a lead is lost"),
        ([math.nan, math.nan], "We cannot tell yet"),
    ],
)
def test_most_are_lost_at_a_step_only_where_the_others_can_be_told(lost, says):
    steps = pd.DataFrame({"step": ["Lead to MQL", "MQL to Won"], "lost_per_100": lost, "days": 3.0})
    answer = SimpleNamespace(
        steps=steps, funnel=SimpleNamespace(stages=("mql", "opportunity", "won"))
    )
    assert says in funnel_answer.leak_step(answer)


def test_touched_revenue_sums_to_all(figure):
    """50 by both, 30 by marketing alone, 15 by sales alone, 5 by neither."""
    deals = pd.DataFrame({"opportunity_id": list("abcd"), "deal_amount": [50.0, 30.0, 15.0, 5.0]})
    table = cohorts.touched_by(deals, {"a", "b"}, {"a", "c"})
    assert table["share"].tolist() == [0.5, 0.3, 0.15, 0.05]
    assert table["share"].sum() == pytest.approx(1)
    figure("003", f"touched by both {table['share'][0]:.0%}, by neither {table['share'][3]:.0%}")


def test_where_one_side_was_not_exported_nobody_is_called_untouched():
    deals = pd.DataFrame({"opportunity_id": ["a"], "deal_amount": [1.0]})
    assert cohorts.touched_by(deals, None, {"a"}).empty
    assert cohorts.touched_by(deals, {"a"}, None).empty


def test_an_unknown_amount_is_no_deal_of_nothing():
    deals = pd.DataFrame({"opportunity_id": ["a"], "deal_amount": [np.nan]})
    assert math.isnan(cohorts.touched_by(deals, {"a"}, {"a"})["share"][0])
