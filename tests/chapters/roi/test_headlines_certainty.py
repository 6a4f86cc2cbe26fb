"""How sure the answer is: over lifts, assumptions and inputs, and what is not shown where growth is untold."""

import math

import numpy as np
import pandas as pd
import pytest
from roi_case import bookings, programme

from analysis.chapters.growth import assessment
from analysis.chapters.roi import (
    appraised_programme,
    costs,
    decision,
    headlines,
    simulation,
    uncertainty,
)
from analysis.chapters.roi.case import Uncertain
from analysis.project import settings
from analysis.project.errors import CrmDataError

UNTOLD = {"verdict": "cannot tell", "against": ("deals were rerouted",)}


def test_the_curve_is_zero_where_the_programme_breaks_even():
    case = programme()
    even = headlines.break_even_lift(case).estimate
    curve = simulation.by_lift(case, [0.0, even, 0.25])
    assert curve["p50"].tolist() == pytest.approx([-80.0, 0.0, 0.5 * 350 - 80], abs=0.1)


def test_the_curve_is_as_wide_as_all_but_the_effect_is_uncertain():
    """Four of eight quarters of 10 are still to come, give or take a tenth: 1.28 x 4 either way."""
    curve = simulation.by_lift(programme(error=5.0, cost_error=Uncertain(0.0, 0.1, 10**6)), [0.25])
    assert (curve["p90"] - curve["p10"]).item() == pytest.approx(2 * 1.2816 * 4, rel=0.15)


def test_a_lift_of_everything_away_has_no_worth():
    with pytest.raises(ValueError, match="lifts must be above -1, got -1"):
        simulation.by_lift(programme(), [-1.0, 0.1])


def test_the_curve_reaches_over_every_lift_that_matters():
    case = programme(lift=0.3, error=0.02)
    curve = headlines.worth_by_lift(case)
    assert curve["lift"].min() <= 0
    assert curve["lift"].max() > headlines.estimated_lift(case)[2]
    even = headlines.break_even_lift(case).estimate
    assert headlines.lifts_that_matter(case)["lift"].tolist() == [even]
    assert headlines.lifts_that_matter(programme(cost=10_000.0)).empty


def test_risk_is_taken_off_the_benefit_and_put_on_the_cost():
    """The median benefit less 20%, over 80 of cost and 10% more: 88."""
    case = programme(prior=None)
    appraisal = simulation.appraise_case(case, n_draws=101)
    benefit = np.sort(appraisal.pv_benefit)[50]
    assert appraisal.pv_cost == pytest.approx(80.0)
    rows = headlines.by_vendors_method(case, appraisal)
    assert rows["value"].tolist() == pytest.approx([0.8 * benefit - 88, (0.8 * benefit - 88) / 88])
    assert rows["unit"].tolist() == ["USD", "net benefit per unit of cost"]


def test_a_weak_input_is_not_drowned_by_a_strong_one():
    """Eight meeting hours at 2, give or take 0.1: NPV moves by 8 x 0.1 x 1.28 either way, beside an effect's tens."""
    case = programme(hours=1.0, error=0.3, prior=None, cost_per_hour=Uncertain(2.0, 0.1, 10**6))
    rows = simulation.npv_drivers(simulation.appraise_case(case)).set_index("name")
    ends = rows.loc["cost_per_hour", ["npv_low", "npv_high"]].astype(float)
    assert ends["npv_low"] - ends["npv_high"] == pytest.approx(2 * 1.2816 * 0.8, rel=0.05)


def test_what_is_drawn_together_is_not_taken_apart():
    """Two inputs that are one: either alone explains all that both do."""
    made = uncertainty.draw_inputs(programme(), n_draws=4_000)
    made["commission_rate"] = made["cost_per_hour"] = np.random.default_rng(0).normal(size=4_000)
    made["growth_effect"] = 0.1
    npv = made["commission_rate"].to_numpy()
    got = simulation.npv_drivers(simulation.Appraisal(made, npv, npv, npv, npv, pd.DataFrame()))
    assert got["share_of_variance"].tolist() == pytest.approx([1.0, 1.0])


def test_one_input_known_is_never_worth_more_than_all():
    case = programme(lift=0.05, error=0.1, prior=None)
    appraisal = simulation.appraise_case(case)
    worth = simulation.npv_drivers(appraisal)["worth_knowing"]
    assert (worth <= simulation.worth_of_certainty(appraisal)).all()
    assert worth.iloc[0] > 0


def test_an_error_of_cents_counts_as_none():
    case = programme(commission_rate=Uncertain(0.1, 1e-9, 100))
    assert "commission rate" in uncertainty.taken_as_known(case)
    assert simulation.npv_drivers(simulation.appraise_case(case))["input"].tolist() == [
        "effect on adopters' bookings"
    ]


def test_where_something_speaks_against_growth_no_money_that_rests_on_it_is_shown():
    case = programme(**UNTOLD)
    ruling = decision.decide_on_case(case)
    columns = headlines.answers_by_assumption(case, ruling).columns.tolist()
    assert columns == ["assumption", "break_even", "low", "high"]
    assert headlines.inputs_by_worth(ruling).empty


def test_where_nothing_does_its_worth_is_shown_under_every_assumption_and_without_the_prior():
    case = programme(error=0.02)
    ruling = decision.decide_on_case(case)
    rows = headlines.answers_by_assumption(case, ruling).set_index("assumption")
    assert rows.loc["Margin five points lower", "break_even"] > rows.loc["As stated", "break_even"]
    assert rows.loc["No prior: this company's data alone", "p50"] > rows.loc["As stated", "p50"]
    weighed = headlines.inputs_by_worth(ruling)
    assert weighed["worth_knowing"].max() <= simulation.worth_of_certainty(ruling.appraisal)
    assert {"npv_low", "npv_high"} <= set(weighed)


def unassessed():
    return programme()._replace(effect=appraised_programme.not_assessed(2, "2 teams joined"))


def test_where_nothing_could_be_estimated_the_prior_stands_alone_and_break_even_is_still_told():
    case = unassessed()
    middle = uncertainty.effect_quantiles(case.effect, case.prior, np.array([0.5]))
    assert middle.tolist() == pytest.approx([0.03])
    ruling = decision.decide_on_case(case)
    said = decision.decision_sentence(case, ruling)
    assert not ruling.is_shown
    assert "its effect could not be estimated. It breaks even if it raises bookings by" in said
    assert len(headlines.lifts_that_matter(case)) == 1
    assert headlines.worth_by_lift(case)["p50"].notna().all()


def test_the_ledger_has_what_the_appraisal_counts():
    """10 a quarter and one hour at 2, of which four quarters are known: 40 + 8; 30 of it spent on tools."""
    case = programme(hours=1.0)
    items = pd.DataFrame(
        {
            "cost_id": ["1", "2"], "kind": ["people", "tools"], "cost_amount": [10.0, 30.0],
            "period_start": pd.to_datetime(["2025-01-01", "2025-01-01"]),
            "period_end": pd.to_datetime(["2026-01-01", "2026-01-01"]),
        }
    )  # fmt: skip
    got = costs.programme_spending(case, items).set_index("item")
    assert got["cost_amount"].to_dict() == pytest.approx(
        {"Tools": 30.0, "People": 10.0, "Meetings of both sides": 8.0, "Together": 48.0}
    )
    assert got.loc["Together", ["hours", "share"]].tolist() == [4.0, 1.0]
    hired = case._replace(costs=case.costs.assign(hires_amount=5.0))
    assert costs.programme_spending(hired, items).set_index("item")["cost_amount"][
        "Pay of reps hired beyond the others"
    ] == pytest.approx(20.0)
    known = case.costs[case.costs["is_observed"]]
    assert case.initial_amount + known["cost_amount"].sum() == pytest.approx(40.0)


def test_what_the_appraisal_stands_on_is_said():
    said = costs.case_sentence(programme())
    assert said.startswith(
        "2 teams started, the first in 2025Q1. The appraisal runs over 8 quarters"
    )
    assert "of which 4 are known" in said
    one = programme()
    one = one._replace(effect=one.effect._replace(n_teams=1), costs=one.costs.iloc[:1])
    assert "1 team started, the first in 2025Q1. The appraisal runs over 1 quarter, 2025Q1" in (
        costs.case_sentence(one)
    )
    assert "gross margin of 60% less commission of 10.0%" in said
    assert said.endswith("Before looking at the data, we assumed +3%, give or take 4.")


PROGRAMME = pd.DataFrame(
    {"team_id": ["a", "b", "c"], "start_date": ["2025-01-01", "2025-07-02", "2026-04-01"]}
)


def test_a_team_starts_with_its_first_full_quarter_and_counts_once_that_began():
    assert appraised_programme.starts_by(PROGRAMME, "2025Q4") == {"a": "2025Q1", "b": "2025Q4"}


def test_a_programme_that_has_not_begun_is_refused():
    with pytest.raises(
        CrmDataError, match=r"some team must have started by 2024Q4, but 3 of 3 have not"
    ):
        appraised_programme.starts_by(PROGRAMME, "2024Q4")


def test_deals_won_after_the_quarter_do_not_set_its_sales_cycle():
    deals = pd.DataFrame(
        {
            "status": ["won", "won", "won", "lost"],
            "close_date": pd.to_datetime(["2025-12-30", "2025-12-31", "2026-01-01", "2025-06-01"]),
            "cycle_days": [10.0, 20.0, 90.0, 500.0],
        }
    )
    assert assessment.median_cycle_days(deals, end=pd.Timestamp("2026-01-01").date()) == 15.0


def test_a_company_of_two_teams_is_appraised_though_growth_cannot_be_assessed(raw):
    quarters = sorted(set(bookings()["quarter"]))
    reps = pd.DataFrame(
        {
            "rep_id": list("pqr"), "team_id": ["a", "a", "b"], "bookings_amount": 1000.0, "paid_hours": 100.0,
            "commission_amount": [90.0, 100.0, 110.0], "base_amount": 300.0, "fringe_amount": 0.0, "overhead_amount": 0.0,
        }
    ).merge(pd.DataFrame({"quarter": quarters}), how="cross")  # fmt: skip
    starts = PROGRAMME.iloc[:2].assign(start_date=pd.to_datetime(["2025-01-01", "2025-07-01"]))
    empty = {
        "activities": ["activity_id", "rep_id", "started_at", "minutes"],
        "attendees": ["activity_id", "person_key", "side", "rep_id"],
        "reps": ["rep_id", "role"],
        "opportunities": ["status", "close_date", "cycle_days"],
        "programme_costs": ["cost_id", "period_start", "period_end", "kind", "cost_amount"],
    }
    tables = {
        name: pd.DataFrame({c: pd.Series(dtype="object") for c in columns})
        for name, columns in empty.items()
    }
    tables |= {
        "team_quarter": bookings().assign(is_partial=False),
        "rep_quarter": reps,
        "programme": starts,
    }
    got = appraised_programme.company_programme(
        tables, quarter="2025Q4", house=settings.load_dataset_settings(raw.name)
    )
    assert got.growth.assessment is None
    assert got.starts == {"a": "2025Q1", "b": "2025Q3"}
    assert got.case.effect.verdict == "cannot tell"
    assert math.isnan(got.case.effect.estimate)
    assert got.case.n_periods == 12
    assert not decision.decide_on_case(got.case).is_shown
