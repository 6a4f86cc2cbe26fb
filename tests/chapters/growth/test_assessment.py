"""The one call: what it finds, what it will not say, and the sentence it ends in."""

import numpy as np
import pandas as pd
import pytest
from growth_panels import QUICK, additive, teams

from analysis.chapters.growth import (
    assessment,
    chapter,
    guards,
    imputation,
    power,
    specification,
    verdict,
)
from analysis.chapters.growth.parallel_trends import TrendBounds
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
    assert (large.guards()["passed"] == "no").sum() == 0
    assert chapter.growth_sentence(large) == (
        f"Teams that joined the programme book {got.estimate:.0f}% more for it "
        f"({got.low:.0f}% to {got.high:.0f}% more; 60 teams)."
    )


def test_each_look_is_kept_with_its_quarter_and_specification(large):
    assert [(each.quarter, each.verdict) for each in large.looks] == [
        ("2026Q2", "found"),
        ("2026Q3", "found"),
    ]
    assert {each.sha256 for each in large.looks} == {QUICK.sha256}
    assert not large.is_exploratory


def test_twelve_teams_cannot_tell_a_gap_of_five_and_say_how_many_could(small):
    assert small.growth_gap.verdict == "cannot tell"
    assert not small.power.is_answerable
    words = chapter.growth_sentence(small)
    assert words.startswith("Whether joining the programme changed bookings cannot be told")
    assert f"{small.power.n_teams_needed:,} teams: not answerable inside this company." in words
    assert words.endswith(
        "Exploratory: the specification was changed after the data had been seen."
    )


def test_what_was_found_for_the_first_time_is_not_yet_found():
    """Nothing for three quarters, then a leap in the last one: the look a quarter earlier saw none of it."""
    _, tables = teams(
        seed=1, n_teams=60, effect=0.5, effect_path=(0.0, 0.0, 0.0, 3.0), adoption=((9, 0.5),)
    )
    got = assessment.assess_growth(tables, spec=QUICK)
    failed = got.guards().set_index("guard")["passed"]
    assert failed["found two quarters in a row"] == "no"
    assert got.growth_gap.verdict == "cannot tell"


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
    assert any("sales cycle: no (6 quarters; median cycle 7.7)" in reason for reason in got.reasons)
    assert got.early.verdict == "found"
    assert "new opportunities for it" in chapter.growth_sentence(got)


def test_a_narrow_interval_around_nothing_is_no_material_effect():
    effects = imputation.estimate_effects(additive([0.0]))._replace(low=-0.02, high=0.03)
    got = verdict.rule_on_effect(effects, [guards.Guard("all is well", True, "")], QUICK)
    assert (got.verdict, got.kind) == ("no material effect", "effect")
    failed = verdict.rule_on_effect(effects, [guards.Guard("leads stay", False, "moved")], QUICK)
    assert (failed.verdict, failed.kind) == ("cannot tell", "association")
    assert failed.reasons[1] == "leads stay: no (moved)"


def test_a_guard_asked_of_findings_alone_leaves_the_word_effect():
    effects = imputation.estimate_effects(additive([0.2]))._replace(low=0.1, high=0.3)
    got = verdict.rule_on_effect(effects, [guards.Guard("bounds", False, "wide", "found")], QUICK)
    assert (got.verdict, got.kind) == ("cannot tell", "effect")


def test_the_number_of_teams_by_hand():
    """SE .05 at 25 teams, gap .0488 log: with normal quantiles 25 (2.8016 x .05 / .0488)^2 = 206; t asks a bit more."""
    effects = imputation.estimate_effects(additive([0.1]))._replace(
        standard_error=0.05, n_teams=25, df=24
    )
    got = power.detectable_gap(effects)
    assert 206 <= got.teams_for_interval <= 209
    assert got.detectable_percent == pytest.approx(
        100 * (2.71828 ** ((2.0639 + 0.8569) * 0.05) - 1), abs=0.01
    )
    bounds = TrendBounds(
        0.5, 0.2, 0.15, 0.25, 0.15 - 2.0639 * 0.05, 0.25 + 2.0639 * 0.05, 1.0, 0.05, ""
    )
    wide = power.detectable_gap(effects, bounds)
    # With .05 of slack: 25 ((2.8016 x .05 + .05) / .0488)^2 = 379.
    assert wide.n_teams_needed == wide.teams_for_bounds
    assert 379 <= wide.teams_for_bounds <= 382
    assert power.share_found(effects, 0.001) == pytest.approx(0.05, abs=0.001)
    with pytest.raises(ValueError, match="gap_percent must be above 0, got 0"):
        power.detectable_gap(effects, gap_percent=0)


def _settled(effects, *several):
    return power.detectable_gap(effects, several=several).settling


def test_what_would_settle_the_estimate_is_what_fails():
    """Estimate .1 log (+11%), SE .05 at 25 teams, all by t: 25 (2.9 x .05 / .1)^2 = 52, and about 50 at its own df."""
    effects = imputation.estimate_effects(additive([0.1]))._replace(
        estimate=0.1, standard_error=0.05, low=0.01, high=0.19, n_teams=25, df=24
    )
    again = guards.Guard("found two quarters in a row", False, "", "found", "quarters", 1)
    cycle = guards.Guard("as many quarters as a cycle", False, "", "any", "quarters", 3)
    bounds = guards.Guard("holds if trends part", False, "", "found", "teams")
    trend = guards.Guard("trends before the start run parallel", False, "")
    assert not _settled(effects, trend._replace(passed=True))
    assert _settled(effects, again) == "1 more quarter with the same answer would settle it."
    assert (
        _settled(effects, again, cycle) == "3 more quarters with the same answer would settle it."
    )
    assert _settled(effects, again, bounds) == (
        "Should the gap be what is now estimated (+11%), about 52 teams would settle it; there are 25."
    )
    assert _settled(effects, bounds, trend).endswith(
        "does not hold: trends before the start run parallel."
    )


def test_an_interval_that_holds_zero_takes_more_teams_or_is_about_nothing():
    """Of a gap of 1% no number of teams is told, as it is under the 5% that matter."""
    effects = imputation.estimate_effects(additive([0.1]))._replace(
        estimate=-0.1, standard_error=0.1, low=-0.3, high=0.1, n_teams=25, df=24
    )
    assert _settled(effects).startswith("Should the gap be what is now estimated (-10%), about 19")
    small = effects._replace(estimate=0.01)
    assert (
        _settled(small)
        == "The gap as now estimated (+1.0%) is smaller than the smallest that matters (5%)."
    )


def test_waiting_helps_by_what_it_fills_up():
    """3 joined, 3 not, 3 quarters before, 2 of 5 since: variance goes with 1/3 + 1/2, in the end 1/3 + 1/5; root .8."""
    whole = additive([0.1], starts=(3, 3, 3), n_quarters=5)
    effects = imputation.estimate_effects(whole)._replace(standard_error=0.05)
    now, later = (power.after_waiting(whole, effects, n) for n in (0, 3))
    assert np.log1p(later / 100) / np.log1p(now / 100) == pytest.approx(0.8)
    assert power.after_waiting(whole, effects, 6) == pytest.approx(later)
    with pytest.raises(ValueError, match="n_quarters must be at least 0, got -1"):
        power.after_waiting(whole, effects, -1)


@pytest.mark.parametrize(
    ("name", "estimate", "low", "high", "said", "words"),
    [
        ("growth_gap", -12.0, -20.0, -3.0, "found",
         "Teams that joined the programme book 12% less for it (3% to 20% less; 30 teams)."),
        ("growth_gap", 1.0, -3.0, 4.0, "no material effect",
         "Joining the programme made no difference to bookings that matters (\N{MINUS SIGN}3% to +4%; 30 teams)."),
        ("opportunities_gap", 17.0, 12.0, 22.0, "found",
         "Teams that joined the programme have 17% more new opportunities for it (12% to 22% more; 30 teams)."),
        ("growth_gap", 9.0, -3.0, 24.0, "cannot tell",
         "Whether joining the programme changed bookings cannot be told (\N{MINUS SIGN}3% to +24%; 30 teams)."),
    ],
)  # fmt: skip
def test_the_sentence_follows_the_verdict(name, estimate, low, high, said, words):
    result = Result(name, estimate, low, high, "percent", 30, "teams", "", "", "effect", said)
    assert chapter.of_result(result) == words


def test_a_gap_that_fails_a_check_is_told_with_the_check():
    result = Result(
        "growth_gap", 11.0, 2.0, 22.0, "percent", 24, "teams", "", "", "effect", "cannot tell"
    )
    assert chapter.of_result(result, failed=("found two quarters in a row",), n_guards=14) == (
        "Bookings of teams that joined the programme are 11% above what they would be (+2% to +22%; 24 teams), but "
        "whether that is the programme cannot be told: 1 of 14 checks does not hold (found two quarters in a row)."
    )


def test_the_vendors_gap_is_called_a_vendors():
    assert chapter.vendor_line().startswith(
        "Vendor survey, not ours: 24 points between best and laggards (Aberdeen"
    )
    assert "n = 453; grade D" in chapter.vendor_line()


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
        ("m_bar = 0.5", 'm_bar = "0.5"', "m_bar must be a number from 0 to 10, got '0.5'"),
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
    assert isinstance(got, pd.DataFrame)
