"""An activity against its targets and its cost: stop, keep or learn, and nothing where a cost lacks."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from lead_panels import funnel, lead

from analysis.chapters.lead_funnel import activity_return
from analysis.chapters.lead_funnel.lead_yield import LeadYield
from analysis.stats.intervals import share_interval


def brings(**rates: float) -> LeadYield:
    """Return leads won at a rate within a month, worth 100 each, nearly sure."""
    names, rate = list(rates), np.array(list(rates.values()))
    draws = np.concatenate([[1.0], 1 + 0.01 * np.linspace(-1, 1, 101)])
    won = (draws[:, None] * rate)[:, :, None]
    return LeadYield(names, won, np.full((102, len(names)), 100.0), np.ones((102, 1)), pd.Index([]), 30, np.ones(2))  # fmt: skip


def test_a_cohorts_conversion_is_the_share_of_its_leads(figure):
    """8 of 10 within 90 days: 80%, Wilson 49% to 94%; an opportunity on day 91 is none of them."""
    rows = [lead(opportunity=d) for d in (5, 9, 12, 20, 30, 45, 60, 90)] + [
        lead(opportunity=91),
        lead(),
    ]
    (row,) = activity_return.conversion_by(funnel(*rows), "activity").to_dict("records")
    assert row["share"] == pytest.approx(0.8)
    assert row["n_leads"] == 10
    low, high = share_interval(8, 10)
    assert (round(low, 2), round(high, 2)) == (0.49, 0.94)
    assert row["low"] < 0.8 < row["high"]
    figure(
        "001-32",
        f"8 of 10 leads by day 90: {row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})",
    )


def test_targets_are_those_in_force_and_weighed_by_volume(figure):
    """40 leads at 10% and 60 at 20% are 100 at 16%; one without conversion target adds volume alone."""
    day = [dt.date(2025, 1, 1), dt.date(2025, 4, 1), dt.date(2026, 1, 1)]
    targets = pd.DataFrame(
        [
            ("Webinar", day[0], day[1], 40, 0.1), ("Webinar", day[0], day[1], 60, 0.2),
            ("Webinar", day[1], day[2], 50, None), ("Email", day[0], day[1], None, None),
            ("Webinar", day[2], dt.date(2026, 4, 1), 999, 0.9),
        ],
        columns=["campaign_type", "period_start", "period_end", "volume_target", "conversion_target"],
    ).astype({"volume_target": "float64", "conversion_target": "float64"})  # fmt: skip
    table = activity_return.targets_of(targets, day[0], day[2]).set_index("activity")
    assert table.loc["Webinar", ["volume_target", "conversion_target"]].tolist() == [150, 0.16]
    assert table.loc["Email"].isna().all()
    both = activity_return.share_with_targets(table.reset_index(), ["Webinar", "Email"])
    assert both == 0.5
    figure("001-31", f"{both:.0%} of activities have a target of volume and of conversion (1 of 2)")


SPEND = pd.DataFrame(
    [("c1", "Webinar", 60e3), ("c2", "Brochure", 30e3), ("c3", "Brochure", 10e3)],
    columns=["campaign_id", "campaign_type", "cost_amount"],
)


def test_measurable_is_what_has_a_response_or_a_holdout(figure):
    """60k of 100k has a response: 0.60; with brochures tested by a holdout all is measurable."""
    touches = pd.DataFrame({"campaign_id": ["c1", "c2"], "is_response": [True, False]})
    table = activity_return.spend_by_activity(SPEND, touches)
    assert activity_return.measurable_share(table) == 0.6
    assert activity_return.measurable_share(table, frozenset({"Brochure"})) == 1
    mix = table.set_index("activity")["spend"] / table["spend"].sum()
    assert mix.to_dict() == {"Brochure": 0.4, "Webinar": 0.6}
    assert table.set_index("activity")["n_silent"].to_dict() == {"Brochure": 2, "Webinar": 0}
    figure("001-11", f"measurable: {activity_return.measurable_share(table):.2f} of spend")
    figure("001-10", f"mix sums to {mix.sum():.0%}; without any response {mix['Brochure']:.0%}")


def test_an_unknown_cost_makes_the_sum_unknown_and_no_responses_make_no_trace():
    lacking = SPEND.assign(cost_amount=[60e3, None, 10e3])
    table = activity_return.spend_by_activity(
        lacking, pd.DataFrame({"campaign_id": ["c1"], "is_response": [True]})
    ).set_index("activity")
    assert math.isnan(table.loc["Brochure", "spend"])
    assert table.loc["Webinar", "spend"] == 60e3
    nobody = activity_return.spend_by_activity(
        SPEND, pd.DataFrame({"campaign_id": [], "is_response": pd.Series([], dtype=bool)})
    )
    assert nobody["traceable"].isna().all()
    assert math.isnan(activity_return.measurable_share(nobody))


def test_the_return_with_and_without_hours_differs_by_the_hours_cost(figure):
    """100 leads at 20% of 100 bring 2,000, at 50% margin 1,000; spend 300, half an hour each at 8: 400."""
    returns = activity_return.activity_returns(
        brings(Webinar=0.2), pd.Series({"Webinar": 100}), pd.Series({"Webinar": 300.0}),
        pd.Series({"Webinar": 0.5}), margin_rate=0.5, hour_cost=8.0,
    )  # fmt: skip
    (row,) = returns.to_dict("records")
    assert (row["margin"], row["net"], row["net_of_hours"]) == pytest.approx((1000, 700, 300))
    assert row["net"] - row["net_of_hours"] == pytest.approx(100 * 0.5 * 8)
    assert row["per_win"] == pytest.approx(700 / 20)
    assert row["must_be_extra"] == pytest.approx(0.7)
    assert row["low"] < 300 < row["high"]
    figure(
        "002-30",
        f"return {row['net']:.0f} without, {row['net_of_hours']:.0f} with rep hours: hours x cost/h = {row['hours_cost']:.0f}",
    )


def test_stop_keep_and_learn():
    """Costs ten times its leads: stop; pays and converts: keep; below its target, or no spend: learn."""
    names = ["Stop", "Keep", "Below", "Unknown"]
    returns = activity_return.activity_returns(
        brings(**dict.fromkeys(names, 0.2)), pd.Series(dict.fromkeys(names, 100)),
        pd.Series({"Stop": 10e3, "Keep": 300.0, "Below": 300.0}),
        pd.Series(dict.fromkeys(names, 0.1)), margin_rate=0.5, hour_cost=8.0,
    )  # fmt: skip
    table = returns.assign(
        conversion_high=[0.3] * 4, conversion_target=[0.1, None, 0.5, 0.1]
    ).astype({"conversion_target": "float64"})
    advised = activity_return.with_advice(table)
    assert advised["advice"].tolist() == ["stop", "keep", "learn", "learn"]
    assert advised["why"].tolist()[2:] == ["below its target", "cost unknown"]


def test_ranks_say_which_places_an_activity_may_have(figure):
    """Products of three owners: A 60%, B 30%, C 10%, alike for each owner: places 1, 2, 3."""
    deals = pd.DataFrame(
        {
            "owner_rep_id": np.repeat([f"R{n}" for n in range(6)], 3),
            "product_id": ["A", "B", "C"] * 6,
            "deal_amount": [60.0, 30.0, 10.0] * 6,
        }
    )
    table = activity_return.bookings_ranking(deals, "product_id")
    assert table["product_id"].tolist() == ["A", "B", "C"]
    assert table["place"].tolist() == ["1", "2", "3"]
    assert table["share"].tolist() == [0.6, 0.3, 0.1]
    figure("004-13", "three products told apart: places " + ", ".join(table["place"]))
    assert activity_return.bookings_ranking(deals.iloc[:0], "product_id").empty
