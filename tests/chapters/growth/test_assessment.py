"""The one call: what it finds, what it will not say, and the sentence it ends in."""

import pandas as pd
import pytest
from growth_panels import QUICK, teams

from analysis.chapters.growth import (
    assessment,
    growth_answer,
    guards,
    power,
    specification,
    verdict,
)
from analysis.chapters.growth.drift_allowance import GradedInterval
from analysis.stats.result import Result


@pytest.fixture(scope="module")
def large() -> assessment.Assessment:
    """60 teams, bookings up by a third."""
    _, tables = teams(seed=1, n_teams=60, effect=0.3)
    return assessment.assess_growth(tables, spec=QUICK)


@pytest.fixture(scope="module")
def small() -> assessment.Assessment:
    """12 teams, a true gap of 5%."""
    _, tables = teams(seed=4, n_teams=12, effect=0.0488, effect_path=(1.0,))
    return assessment.assess_growth(tables, spec=QUICK, earlier_hashes=("another",))


def test_a_large_effect_in_many_teams_is_found(large):
    """True mean over quarters 0 to 4: .24 log, 27%."""
    got = large.growth_gap
    assert (got.verdict, got.kind, got.n, got.unit) == (
        "found",
        "effect",
        60,
        "percent of bookings",
    )
    assert got.low < 27.1 < got.high
    assert large.against == ()
    assert not large.is_exploratory
    assert growth_answer.growth_sentence(large) == (
        f"Joining the programme raised bookings by {got.estimate:.0f}% "
        f"({got.low:.0f}% to {got.high:.0f}%; 60 teams)."
    )


def test_a_harm_as_large_is_found_with_its_sign():
    """True change -22 %."""
    _, tables = teams(seed=1, n_teams=60, effect=-0.25, effect_path=(1.0,))
    got = assessment.assess_growth(tables, spec=QUICK)
    assert got.growth_gap.verdict == "found"
    assert got.growth_gap.low < -22.1 < got.growth_gap.high < 0
    assert growth_answer.growth_sentence(got).startswith(
        "Joining the programme lowered bookings by 2"
    )


def test_twelve_teams_cannot_tell_a_gap_of_five_and_say_how_seldom_they_would(small):
    assert small.growth_gap.verdict == "cannot tell"
    words = growth_answer.growth_sentence(small)
    assert words.startswith("Joining the programme may or may not have changed bookings")
    assert words.endswith(
        "Exploratory: the specification was changed after the data had been seen."
    )
    assert "one of 5% in 2." in growth_answer.GrowthAnswer(small).needs()


def test_five_adopters_have_the_plain_estimate_with_a_wider_interval():
    """Fewer than six tell no drift of their own: its sd, sqrt(1 + 4) points, times 6 less 1.5 quarters, is .1006."""
    _, tables = teams(seed=1, adoption=((5, 5 / 24),))
    got = assessment.assess_growth(tables, spec=QUICK)
    interval = got.graded.bookings.effect
    assert interval.estimate == pytest.approx(got.effects.estimate)
    assert interval.error == pytest.approx(
        (got.effects.standard_error**2 + 0.1006**2) ** 0.5, abs=1e-4
    )
    assert got.graded.bookings.with_evidence == interval
    assert got.graded.not_counted == "fewer than 6 joined"


@pytest.mark.parametrize(("n_last", "because"), [(1, "5 of their 40"), (9, "40 of their 40")])
def test_a_collapse_is_not_told_as_growth(n_last, because):
    """A log leaves quarters of nothing out: without them adopters seem to grow."""
    _, tables = teams(seed=1, adoption=((5, 5 / 24),))
    team = tables.team_quarter.merge(tables.programme[["team_id", "start_date"]], how="left")
    last = sorted(team["quarter"].unique())[-n_last:]
    begun = pd.PeriodIndex(team["quarter"], freq="Q").start_time >= team["start_date"]
    team.loc[begun & team["quarter"].isin(last), "bookings_amount"] = 0.0
    answer = growth_answer.answer_growth(
        tables._replace(team_quarter=team), last[-1], own_specification=None, looks=()
    )
    assert answer.verdict == "cannot tell"
    assert f"booked nothing in {because} quarters since the start" in answer.sentence()


def test_two_regions_that_joined_of_four_cannot_tell():
    """Six ways to pick two of four regions: fortunes of regions cannot be told from the programme's."""
    _, tables = teams(seed=1, n_regions=4, effect=0.3, adoption=((5, 0.5),))
    got = assessment.assess_growth(tables, spec=QUICK)
    assert got.growth_gap.verdict == "cannot tell"
    assert "6 possible assignments are fewer than the 400" in got.against[0].says
    assert got.graded.clusters.n == 4


def test_a_logging_change_alone_is_activity_and_no_growth():
    """Entries and opportunities up by a third, wins flat: the early outcome is not found either."""
    _, tables = teams(seed=3, effect=0.0, logging_log=0.3)
    got = assessment.assess_growth(tables, spec=QUICK)
    activity = got.activity.set_index("outcome")
    assert activity.loc["n_created", "low"] > 20
    assert activity.loc["n_won", "low"] < 0 < activity.loc["n_won", "high"]
    assert got.early.verdict == "cannot tell"
    assert got.early.kind == "association"
    assert got.growth_gap.verdict == "cannot tell"


def test_a_sales_cycle_longer_than_the_programme_leaves_bookings_open():
    _, tables = teams(seed=5, n_teams=60, effect=0.3)
    got = assessment.assess_growth(tables._replace(median_cycle_days=700.0), spec=QUICK)
    assert got.growth_gap.verdict == "cannot tell"
    assert [each.says for each in got.against] == ["6 quarters since; a deal takes 7.7 quarters"]
    assert got.early.verdict == "found"
    assert "It raised new opportunities by" in growth_answer.growth_sentence(got)


SURE, WIDE = GradedInterval(0.10, 0.03, 60), GradedInterval(0.05, 0.03, 60)
NOTHING = GradedInterval(0.0, 0.025, 60)


def ruled(effect, *several, with_evidence=None):
    ruling = verdict.rule_on_effect(effect, with_evidence or effect, several, QUICK)
    return ruling.verdict, ruling.kind


def test_the_word_follows_the_intervals():
    """t(60): .10 +- .060 and .05 +- .060 at 95 %, .05 +- .039 at 80 %; 0 +- .042 at 90 %, inside 5 %."""
    assert ruled(SURE) == ("found", "effect")
    assert ruled(WIDE) == ("likely", "effect")
    assert ruled(NOTHING) == ("no material effect", "effect")
    assert ruled(NOTHING._replace(error=0.031)) == ("cannot tell", "effect")
    harm = SURE._replace(estimate=-0.10)
    assert ruled(harm) == ("found", "effect")


def test_opportunities_make_an_effect_likely_but_never_found():
    unsure = GradedInterval(0.03, 0.04, 60)
    assert ruled(unsure, with_evidence=SURE) == ("likely", "effect")
    assert ruled(unsure, with_evidence=SURE._replace(estimate=-0.10)) == ("cannot tell", "effect")


def test_what_speaks_bars_as_far_as_it_may():
    assert ruled(SURE, guards.Guard("x", True, "")) == ("cannot tell", "association")
    assert ruled(NOTHING, guards.Guard("x", True, "")) == ("cannot tell", "association")
    assert ruled(SURE, guards.Guard("x", None, ""), guards.Guard("y", False, ""))[0] == "found"
    assert ruled(SURE, guards.Guard("x", True, "", bars="found"))[0] == "likely"
    assert ruled(SURE, guards.Guard("x", True, "", bars="direction"))[0] == "cannot tell"
    assert ruled(NOTHING, guards.Guard("x", True, "", bars="direction"))[0] == "no material effect"
    assert ruled(SURE, guards.Guard("x", True, "", bars="opportunities"))[0] == "found"


def test_chances_of_a_word_by_hand():
    """Error .05, very many teams: a gap of 1.96 errors, 10.3 %, is found half of the time, none on its side in .025."""
    effect = GradedInterval(0.0, 0.05, 10**6)
    assert power.chance_to_exclude_zero(effect, 10.2957, 0.95) == pytest.approx(0.5, abs=0.001)
    assert power.chance_to_exclude_zero(effect, 1e-9, 0.95) == pytest.approx(0.025, abs=0.001)
    table = power.power_table(effect, effect, QUICK)
    assert (table["is_at_least_likely"] > table["is_found"]).all()
    assert "one of 5% in 4." in power.power_sentence(effect, effect, QUICK)  # P(z > 1.282 - .976)


@pytest.mark.parametrize(
    ("name", "estimate", "low", "high", "said", "words"),
    [
        ("growth_gap", -12.0, -20.0, -3.0, "found",
         "Joining the programme lowered bookings by 12% (3% to 20%; 30 teams)."),
        ("growth_gap", 9.0, -3.0, 24.0, "likely",
         "Joining the programme probably raised bookings, by about 9% (\N{MINUS SIGN}3% to +24%; 30 teams)."),
        ("growth_gap", -9.0, -24.0, 3.0, "likely",
         "Joining the programme probably lowered bookings, by about 9% (\N{MINUS SIGN}24% to +3%; 30 teams)."),
        ("growth_gap", 1.0, -3.0, 4.0, "no material effect",
         "Joining the programme made no difference to bookings that matters (\N{MINUS SIGN}3% to +4%; 30 teams)."),
        ("opportunities_gap", 17.0, 12.0, 22.0, "found",
         "Joining the programme raised new opportunities by 17% (12% to 22%; 30 teams)."),
        ("growth_gap", 9.0, -3.0, 24.0, "cannot tell",
         "Joining the programme may or may not have changed bookings (\N{MINUS SIGN}3% to +24%; 30 teams)."),
    ],
)  # fmt: skip
def test_the_sentence_follows_the_verdict(name, estimate, low, high, said, words):
    result = Result(name, estimate, low, high, "percent", 30, "teams", "", "", "effect", said)
    assert growth_answer.result_sentence(result) == words


def test_a_gap_that_a_check_speaks_against_is_told_with_the_check():
    result = Result(
        "growth_gap", 11.0, 2.0, 22.0, "percent", 24, "teams", "", "", "association", "cannot tell"
    )
    more = guards.Guard("adopters were given more reps", True, "+22.3 points of the team's reps")
    assert growth_answer.result_sentence(result, [more]) == (
        "Teams that joined the programme have 11% more bookings than expected (+2% to +22%; 24 teams), but "
        "that may not be its doing: adopters were given more reps (+22.3 points of the team's reps)."
    )


def test_the_vendors_gap_is_called_a_vendors():
    assert growth_answer.vendor_line().startswith(
        "Vendor survey, not ours: 24 points between best and laggards (Aberdeen"
    )
    assert "n = 453; grade D" in growth_answer.vendor_line()


def test_a_changed_specification_has_another_hash_and_is_exploratory():
    text = "x = 1\n"
    with pytest.raises(ValueError, match="x is unknown; estimand is missing"):
        specification.parse_specification(text)
    own = specification.default_specification()
    assert not specification.is_exploratory(own, [own.sha256])
    assert specification.is_exploratory(own, [own.sha256, "0" * 64])


@pytest.mark.parametrize(
    ("line", "value", "match"),
    [
        ("alpha = 0.05", "alpha = 0.5", "alpha must be a number from 0.001 to 0.2, got 0.5"),
        (
            "likely_level = 0.8 ",
            'likely_level = "0.8"',
            "likely_level must be a number from 0.5 to 0.99, got '0.8'",
        ),
        (
            "horizon = [0, 4]",
            "horizon = [4, 0]",
            r"horizon must be \[first, last\] quarters from 0",
        ),
        (
            'method = "imputation"',
            'method = "regression"',
            "method must be one of imputation, got 'regression'",
        ),
        (
            "placebo_quarters = 3",
            "placebo_quarters = 2.5",
            "placebo_quarters must be a whole number from 1 to 8",
        ),
    ],
)
def test_a_value_that_no_specification_can_have_is_named(line, value, match):
    text = (
        specification.resources.files("analysis.chapters.growth") / "specification.toml"
    ).read_text(encoding="utf-8")
    assert line in text
    with pytest.raises(ValueError, match=match):
        specification.parse_specification(text.replace(line, value))


def test_more_than_the_last_known_quarter_cannot_be_asked_for():
    _, tables = teams(seed=1)
    with pytest.raises(ValueError, match="quarter must be one of 2023Q4 to 2026Q3, got '2027Q1'"):
        assessment.assess_growth(tables, quarter="2027Q1", spec=QUICK)


def test_activity_lists_what_is_known():
    _, tables = teams(seed=1)
    bare = tables._replace(
        team_quarter=tables.team_quarter.drop(columns=["n_created", "entries_per_week"])
    )
    got = assessment.activity_and_wins(bare, "2026Q3")
    assert got["outcome"].tolist() == ["n_won", "bookings_amount"]
