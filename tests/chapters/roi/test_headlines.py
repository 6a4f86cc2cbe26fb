"""What leadership sees, and what it must not see where growth cannot be told."""

import math

import numpy as np
import pandas as pd
import pytest
from roi_case import programme

from analysis.chapters.roi import appraised_programme, decision, headlines, simulation, sliders
from analysis.chapters.roi.case import Uncertain
from analysis.chapters.roi.further_teams import FurtherTeams, further_teams

EIGHT = FurtherTeams(8, 0.009)


def seen(case, further=EIGHT):
    ruling = decision.decide_on_case(case)
    heads = headlines.roi_headlines(case, ruling)
    step = decision.next_step(case, ruling, further)
    return heads, decision.decision_sentence(case, ruling), step.sentence


@pytest.mark.parametrize(
    ("lift", "verdict", "further", "first"),
    [
        (0.3, "found", EIGHT, "Choose the teams that begin"),
        (0.3, "found", FurtherTeams(0, 0.0), ""),
        (-0.15, "found", EIGHT, "Tell the teams that joined that it pauses"),
    ],
)
def test_a_decision_names_its_first_step_where_there_is_one(lift, verdict, further, first):
    case = programme(lift=lift, error=0.02, verdict=verdict)
    step = decision.next_step(case, decision.decide_on_case(case), further)
    assert step.first.startswith(first)
    assert bool(step.first) is bool(first)


AGAINST = ("adopters were given more reps (+22.3 points of the team's reps)",)


def test_names_are_those_of_the_contract():
    heads, _, _ = seen(programme())
    assert list(heads) == ["npv", "probability_npv_positive", "payback_months", "break_even_lift"]
    assert all(result.name == name for name, result in heads.items())


def test_a_programme_that_pays_is_said_to_be_likely_to_and_is_extended():
    heads, said, step = seen(programme(lift=0.3, error=0.02))
    assert heads["npv"].verdict == "likely pays"
    assert 0 < heads["npv"].low < heads["npv"].estimate < heads["npv"].high
    assert said.startswith(
        "The alignment programme likely pays: the chance that it does is above 99%"
    )
    assert " and brings $1" in said
    assert said.endswith(" over 8 quarters on average.")
    assert "loses" not in said
    assert step == (
        "Start the programme in the 8 teams that do not have it, on announced dates and in turns: "
        "there it breaks even if it raises bookings by 0.9%."
    )


def test_where_every_team_has_it_no_further_one_is_started():
    pays = programme(lift=0.3, error=0.02)
    assert seen(pays, FurtherTeams(0, math.nan))[2] == (
        "Keep the programme where it runs: every team has it."
    )
    assert seen(pays, FurtherTeams(1, math.nan))[2] == (
        "Start the programme in the team that does not have it, on announced dates and in turns."
    )


def test_no_verdict_speaks_of_further_teams_where_none_is_left():
    """Nine ways to decide, and nobody waits to be told."""
    cases = [
        programme(lift=-0.15, error=0.03),
        programme(lift=0.05, error=0.04, verdict="cannot tell", cost=0.5),
        programme(lift=0.0, error=0.03, verdict="cannot tell", cost=2.0),
        programme(lift=0.3, error=0.02, prior=None, cost=60.0),
        programme(lift=0.3, error=0.02, verdict="cannot tell", against=AGAINST),
        programme(lift=-0.3, error=0.02, verdict="cannot tell", against=AGAINST),
        *(unassessed(cost=cost) for cost in (0.5, 20.0, 10_000.0)),
    ]
    for case in cases:
        step = decision.next_step(case, decision.decide_on_case(case), FurtherTeams(0, math.nan))
        assert "urther team" not in step.sentence
        assert step.first in {"", decision.PAUSE}
        assert step.sentence[0].isupper()


def test_the_lift_at_which_further_teams_break_even_by_hand():
    """40 spent over 4 + 2 quarters of teams a and b; c books 100 a quarter, of which half is left: 40 / 6 / 50."""
    panel = pd.DataFrame(
        {
            "team_id": ["a", "c", "c", "d", "unassigned"],
            "quarter": ["2025Q4", "2025Q3", "2025Q4", "2025Q2", "2025Q4"],
            "bookings_amount": [900.0, 80.0, 120.0, 7.0, 500.0],
            "is_partial": False,
        }
    )
    further = further_teams(programme(), panel, ["a", "b"], quarter="2025Q4")
    assert further.n_teams == 1
    assert further.break_even == pytest.approx(40 / 6 / 50)


def test_further_teams_without_bookings_have_no_break_even():
    panel = pd.DataFrame(
        {
            "team_id": ["c"],
            "quarter": ["2025Q4"],
            "bookings_amount": [math.nan],
            "is_partial": False,
        }
    )
    further = further_teams(programme(), panel, ["a", "b"], quarter="2025Q4")
    assert further.n_teams == 1
    assert math.isnan(further.break_even)


def test_a_programme_that_costs_more_than_it_brings_says_so():
    """A lift of 35 % for 60 a quarter, where 80 a quarter is half of what it brings: no harm, but no gain."""
    heads, said, step = seen(programme(lift=0.3, error=0.02, prior=None, cost=60.0))
    assert heads["npv"].verdict == "likely does not pay"
    assert heads["npv"].high < 0
    assert said.startswith(
        "The alignment programme likely does not pay: the chance that it does is below 1%"
    )
    assert math.isnan(heads["payback_months"].estimate)
    assert "never pays back in 100% of draws" in heads["payback_months"].method
    assert step.startswith("Start no further team, and end what costs most")


def test_a_harm_says_stop_or_change_and_never_keep():
    for verdict in ("found", "likely", "cannot tell"):
        heads, said, step = seen(programme(lift=-0.15, error=0.03, verdict=verdict))
        assert heads["npv"].verdict == "likely does not pay"
        assert said.startswith("The alignment programme likely does not pay")
        assert step.startswith("Stop the programme, or change it before it goes on")
        assert "eep" not in step


def test_a_likely_harm_says_stop_though_the_belief_beforehand_still_hopes():
    """Wide enough that +3 % assumed beforehand leaves a chance above one in ten."""
    heads, _, step = seen(programme(lift=-0.06, error=0.045, verdict="likely", cost=0.1))
    assert heads["npv"].verdict == "cannot tell"
    assert step.startswith("Stop the programme, or change it")


def test_what_leans_to_paying_goes_on_and_what_does_not_waits():
    _, said, step = seen(programme(lift=0.05, error=0.04, verdict="likely", cost=0.5))
    assert said.startswith(
        "The alignment programme may or may not pay: the chance that it does is "
    )
    assert "if we start from the +3% we assumed before looking" in said
    assert step.startswith("Keep the programme where it runs, and start further teams in turns")
    assert "Do not spend more than $" in step
    _, _, other = seen(programme(lift=0.0, error=0.04, verdict="cannot tell", cost=0.5))
    assert other.startswith("Start no further team, and decide next quarter")
    _, _, doubtful = seen(programme(lift=0.0, error=0.03, verdict="cannot tell", cost=2.0))
    assert "more likely than not it does not pay" in doubtful


def test_a_lift_that_may_be_chance_reaches_no_further_team():
    """The later of two teams was watched for 2 of 5 quarters; with 2 of 2 watched, waiting tells nothing."""
    case = programme(lift=0.05, error=0.04, verdict="cannot tell", cost=0.5)
    assert seen(case)[2].startswith(
        "Keep the programme where it runs, and start no further team yet: it may pay, but the "
        "change in bookings may be chance. Decide in 3 quarters: by then all teams that joined "
        "have been watched for 5 quarters. Do not spend more than $"
    )
    assert "further team" not in seen(case, FurtherTeams(0, math.nan))[2]
    watched = case._replace(effect=case.effect._replace(n_quarters=2))
    assert "To know, start a few further teams in turns" in seen(watched)[2]
    assert "further team" not in seen(watched, FurtherTeams(0, math.nan))[2]
    without_costs = case._replace(costs=case.costs.assign(is_observed=False))
    assert decision._quarters_to_watch(without_costs) == 3  # bookings say how long, not costs


def test_the_chance_under_both_beliefs_by_hand():
    """Estimate 4 % (.04), prior 3 or 0 (.04), break-even about 0: halfway, 3.5 and 2 %, sd .0283: .89 and .76."""
    ruling = decision.decide_on_case(programme(lift=0.04, error=0.04, cost=1e-6))
    assert ruling.chance == pytest.approx(0.89, abs=0.015)
    assert ruling.chance_from_zero == pytest.approx(0.76, abs=0.015)
    assert ruling.verdict == "cannot tell"


def test_both_sides_of_the_stake_by_hand():
    appraisal = simulation.appraise_case(programme(), n_draws=4)
    got = decision.money_at_stake(appraisal._replace(npv=np.array([10.0, 30.0, -5.0, 0.0])))
    assert got == (20.0, -2.5)
    assert decision.money_at_stake(appraisal._replace(npv=np.array([1.0]))) == (1.0, 0.0)


def test_where_something_speaks_against_growth_no_chance_is_given():
    case = programme(lift=0.3, error=0.02, verdict="cannot tell", against=AGAINST)
    heads, said, step = seen(case)
    for name in ("npv", "probability_npv_positive", "payback_months"):
        assert math.isnan(heads[name].estimate)
        assert heads[name].verdict == "cannot tell"
        assert AGAINST[0] in heads[name].method
    assert heads["break_even_lift"].is_known
    assert said.startswith(
        f"Whether the alignment programme pays stays open: {AGAINST[0]}, so we cannot put a "
        "chance on it. It breaks even if it raises bookings by "
    )
    # 350 of bookings known at +25 %, half of it kept; at 5 % either way 8 quarters of two teams: +-35 and 80 of cost.
    assert ", is worth \N{MINUS SIGN}$" in said
    assert said.count(" if it raises them by 5%, and ") == 1
    assert said.endswith(" if it lowers them by 5%.")
    assert step.startswith("Start no further team on the strength of this figure")
    rows = decision.decision_table(case, decision.decide_on_case(case))
    assert not rows["figure"].str.contains("Chance|measuring").any()
    harm = case._replace(effect=case.effect._replace(estimate=-0.3))
    assert seen(harm)[2].startswith("Start no further team, and look into why teams that joined")


def test_the_decision_in_figures_has_both_chances_and_the_drift_one_would_have_to_believe():
    case = programme(lift=0.3, error=0.02)
    effect = case.effect._replace(drift_to_believe=0.024, drift=-0.006)
    case = case._replace(effect=effect)
    rows = decision.decision_table(case, decision.decide_on_case(case)).set_index("figure")["value"]
    assert rows["Chance that it pays, 3% assumed beforehand"] == "above 99%"
    assert rows["… no effect assumed beforehand"] == "above 99%"
    assert rows.filter(like="Unseen gain").item() == "+2.4 points"
    assert rows["… gain seen before the start"] == "\N{MINUS SIGN}0.6 points"


def test_a_programme_that_no_lift_pays_for_is_said_to_be_one():
    case = unassessed(cost=10_000.0)
    heads, said, step = seen(case)
    assert not heads["break_even_lift"].is_known
    assert "No lift of bookings that we searched would pay for it: it is worth " in said
    assert step.startswith("Start no further team: no lift searched")
    dear = programme(lift=0.3, error=0.02, cost=10_000.0)
    said = seen(dear)[1]
    assert "would pay for it: it is worth \N{MINUS SIGN}$" in said
    assert said.endswith(" over 8 quarters in the middle of its outcomes.")
    rows = decision.decision_table(dear, decision.decide_on_case(dear)).set_index("figure")["value"]
    assert rows["It breaks even from a lift of"] == "none up to 172%"


def test_money_that_does_not_follow_the_estimate_says_so():
    """Found 45% less, three errors below nothing: the +3% +- 4 assumed beforehand outweighs it 27 to 1."""
    harm = programme(lift=-0.6, error=0.2, verdict="found", cost=0.1)
    said = seen(harm)[1]
    assert "they alone say \N{MINUS SIGN}45%, which the +3% assumed draws to +1%" in said
    assert "On the data alone it is worth \N{MINUS SIGN}$" in said
    assert said.endswith("the chance that it pays is below 1%.")
    for follows in (
        programme(lift=0.3, error=0.02),
        programme(lift=0.05, error=0.04, verdict="cannot tell", cost=0.5),
        harm._replace(prior=None),
    ):
        assert "data alone" not in seen(follows)[1]


def test_a_horizon_that_ended_before_the_data_begin_tells_nothing():
    """Neither a sentence nor a cell shows the word nan, and no lift is said not to pay."""
    assert programme().has_bookings
    old = programme(lift=0.3, error=0.02)
    old = old._replace(bookings=old.bookings.assign(bookings_amount=math.nan))
    assert not old.has_bookings
    case = appraised_programme.without_bookings(old)
    heads, said, step = seen(case)
    assert not any(result.is_known for result in heads.values())
    assert said.endswith(
        "stays open: the horizon, 2025Q1 to 2026Q4, ended before the bookings known of the teams "
        "that joined begin, so we cannot put a chance on it."
    )
    assert "State a longer horizon" in step
    ruling = decision.decide_on_case(case)
    assert decision.decision_table(case, ruling)["value"].tolist() == ["not known"]
    assert headlines.worth_by_lift(case)["p50"].isna().all()  # the chart says that we cannot tell
    assert headlines.inputs_by_worth(ruling).empty


def unassessed(**different):
    return programme(**different)._replace(
        effect=appraised_programme.not_assessed(2, "2 teams joined")
    )


def test_without_an_estimate_the_break_even_is_held_against_what_was_assumed():
    """What was only assumed starts no further team."""
    cheap = seen(unassessed(cost=0.5))[2]
    assert cheap.startswith("Keep the programme where it runs, and start no further team yet")
    assert "nothing shows that it brings as much here" in cheap
    dear = seen(unassessed(cost=20.0))[2]
    assert dear.startswith("Start no further team yet")
    assert "Its effect is not known: 2 teams joined." in dear


def test_the_prior_and_what_is_taken_as_known_are_named():
    method = seen(programme(cost_error=Uncertain(0.0, 0.1, 3)))[0]["npv"].method
    assert "assumed beforehand +3%, give or take 4" in method
    assert "taken as known: bookings to come without the programme" in method


def test_sliders_move_what_they_say():
    case = programme()
    stated = {
        "lift": 0.25,
        "gross_margin_rate": 0.6,
        "discount_rate": 0.0,
        "fade_rate": 0.0,
        "cost_factor": 1.0,
    }
    same, dearer = (
        sliders.what_if(case, **stated),
        sliders.what_if(case, **stated | {"cost_factor": 2.0}),
    )
    assert (same.appraisal.npv == simulation.appraise_case(case, n_draws=sliders.N_DRAWS).npv).all()
    assert (same.appraisal.npv - dearer.appraisal.npv).tolist() == pytest.approx(
        [80.0] * sliders.N_DRAWS
    )
    assert dearer.break_even > same.break_even


def test_where_nothing_was_estimated_the_slider_moves_the_prior():
    """3 points believed beforehand; 10% is a prior of 9.5 log points."""
    case = programme()._replace(effect=appraised_programme.not_assessed(2, "2 teams joined"))
    box = sliders.assumption_sliders(case)
    assert box.children[0].value == pytest.approx(math.expm1(0.03))
    stated = {"gross_margin_rate": 0.6, "discount_rate": 0.0, "fade_rate": 0.0, "cost_factor": 1.0}
    other = sliders.move_assumptions(case, lift=0.1, **stated)
    assert other.prior.mean_points == pytest.approx(100 * math.log(1.1))
    assert math.isnan(other.effect.estimate)
    assert (
        sliders.what_if(case, lift=0.1, **stated).appraisal.npv.mean()
        > simulation.appraise_case(case).npv.mean()
    )


def test_a_lift_of_everything_away_is_refused():
    with pytest.raises(ValueError, match="lift must be above -1, got -1"):
        sliders.move_assumptions(
            programme(), lift=-1, gross_margin_rate=1, discount_rate=0, fade_rate=0, cost_factor=1
        )


def test_the_picture_follows_a_slider():
    box = sliders.assumption_sliders(programme(cost_error=Uncertain(0.0, 0.1, 3)))
    before = bytes(box.children[-1].value)
    box.children[0].value = 0.05
    assert before.startswith(b"\x89PNG")
    assert bytes(box.children[-1].value) != before
