"""In simulated companies the truth is found where six in ten leads are open, and wins logged late."""

import pandas as pd
import pytest
from studies import lead_study

from analysis.chapters.lead_funnel import activity_return, stages

N = 8  # of 500 in the benchmark


@pytest.mark.parametrize("late", [False, True])
def test_delayed_entry_finds_the_truth_where_others_fall_short(late):
    """Eight companies of 3,000 leads: within three errors of the mean; the naive share is far below."""
    table = pd.DataFrame([lead_study.shares_of_company(seed, late=late) for seed in range(N)])
    truth = lead_study.true_rate()
    error = table["delayed"].std() / N**0.5
    assert abs(table["delayed"].mean() - truth) < 3 * error
    assert table["naive"].mean() < 0.9 * truth
    assert table["open"].mean() > 0.6
    assert table["is_late"].tolist() == [float(late)] * N
    if late:
        assert table["censored"].mean() < 0.95 * truth
        covered = (table["delayed_low"] < truth) & (truth < table["delayed_high"])
        assert covered.mean() > 0.7


def test_the_leads_a_target_takes_are_found():
    table = pd.DataFrame([lead_study.plan_of_company(seed) for seed in range(4)])
    ratio = table["needed"] / table["truth"]
    assert abs(ratio.mean() - 1) < 3 * ratio.std() / 4**0.5
    assert ((table["low"] < table["truth"]) & (table["truth"] < table["high"])).mean() > 0.6


def test_where_all_activities_convert_alike_none_is_told_apart():
    alike = dict.fromkeys(lead_study.RATES, 0.2)
    drawn = lead_study.draw_leads(3, rates=alike)
    funnel = stages.lead_funnel(drawn.panel, lead_study.PERIODS, lead_study.AS_OF)
    table = activity_return.with_ranks(
        activity_return.conversion_by(funnel, "activity", "won", lead_study.HORIZON)
    )
    assert table["place"].tolist() == ["1 to 3"] * 3
