"""What leadership sees, and what it must not see where growth cannot be told."""

import math

import pytest
from roi_case import PRIOR, programme

from analysis.chapters.roi import chapter, headlines, simulation, sliders
from analysis.chapters.roi.case import Uncertain


def seen(case):
    appraisal = simulation.appraise_case(case, n_draws=4_000)
    heads = headlines.roi_headlines(case, appraisal)
    return heads, headlines.roi_sentence(case, heads), headlines.next_step(case, appraisal, heads)


def test_names_are_those_of_the_contract():
    heads, _, _ = seen(programme())
    assert list(heads) == ["npv", "probability_npv_positive", "payback_months", "break_even_lift"]
    assert all(result.name == name for name, result in heads.items())


def test_a_programme_that_pays_says_so_and_extends():
    heads, said, step = seen(programme(lift=0.3, error=0.02, prior=None))
    assert heads["npv"].verdict == "found"
    assert 0 < heads["npv"].low < heads["npv"].estimate < heads["npv"].high
    assert said.startswith("The alignment programme pays: its NPV over 8 quarters is $")
    assert "above 99%" in said
    assert step.startswith("Start the programme in the teams that do not have it")


def test_a_programme_that_costs_more_than_it_brings_says_so():
    heads, said, step = seen(programme(lift=0.3, error=0.02, prior=None, cost=60.0))
    assert heads["npv"].verdict == "found"
    assert heads["npv"].high < 0
    assert said.startswith(
        "The alignment programme does not pay: its NPV over 8 quarters is \N{MINUS SIGN}$"
    )
    assert math.isnan(heads["payback_months"].estimate)
    assert "never pays back in 100% of draws" in heads["payback_months"].method
    assert step.startswith("Start no further team, and end what costs most")


def test_an_interval_across_zero_cannot_tell_but_names_what_to_measure():
    heads, said, step = seen(programme(lift=0.1, error=0.08, prior=None))
    assert heads["npv"].verdict == "cannot tell"
    assert heads["npv"].low < 0 < heads["npv"].high
    assert "cannot be told: NPV is $" in said
    assert step.startswith(
        "Start no further team before the effect on adopters' bookings is measured better"
    )


def test_where_growth_cannot_be_told_neither_can_money_and_break_even_takes_its_place():
    heads, said, step = seen(programme(lift=0.05, error=0.02, verdict="cannot tell"))
    for name in ("npv", "probability_npv_positive", "payback_months"):
        assert math.isnan(heads[name].estimate)
        assert heads[name].verdict == "cannot tell"
        assert "It takes 30 teams." in heads[name].method
    assert heads["break_even_lift"].is_known
    assert said.startswith(
        "Whether the alignment programme pays cannot be told yet: it pays from a lift of "
    )
    assert said.endswith("these data find only lifts above 10.5%.")  # exp(0.10) - 1
    assert "30 teams" in step


def test_a_change_that_a_check_holds_back_is_said_to_be_one():
    """35% where 10.5% would be found: it is not the data that lack power."""
    _, said, _ = seen(programme(lift=0.3, error=0.02, verdict="cannot tell"))
    assert said.endswith("and the change seen at adopters may not be the programme's doing.")


def test_a_cheap_programme_goes_on_while_growth_cannot_be_told():
    """Break-even far below the 3 points that may be expected."""
    _, _, step = seen(programme(verdict="cannot tell", cost=0.5))
    assert step.startswith("Keep the programme where it runs and start further teams in turns")


def test_a_dear_programme_waits_while_growth_cannot_be_told():
    _, _, step = seen(programme(verdict="cannot tell", cost=20.0))
    assert step.startswith("Start no further team yet")
    assert f"({PRIOR.mean_points:.1f}%)" in step


def test_a_programme_that_no_lift_pays_for_is_said_to_be_one():
    heads, said, step = seen(programme(verdict="cannot tell", cost=10_000.0))
    assert not heads["break_even_lift"].is_known
    assert "no lift of adopters' bookings searched would pay" in said
    assert step.startswith("Start no further team: no lift searched")


def test_the_prior_and_what_is_taken_as_known_are_named():
    method = seen(programme(cost_error=Uncertain(0.0, 0.1, 3)))[0]["npv"].method
    assert "sceptical prior N(3, 4²) points" in method
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
    case = programme()._replace(effect=chapter.not_assessed(2, "2 teams joined"))
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
