"""One extra sale: arms by hand, what keeps an answer back, and how many accounts would tell."""

import datetime as dt
import math

import pandas as pd
import pytest

from analysis.chapters.joint_work import content_trial
from analysis.chapters.joint_work.content_trial import TrialArms

BEGIN = dt.date(2026, 1, 1)
LARGE = TrialArms(1000, 1000, 80, 40, 100, 100)


def test_arms_by_hand():
    """Won before, on the last day watched and after it; open before; a deal of no account in the trial."""
    trial = pd.DataFrame(
        {"account_id": list("abcd"), "begins_on": BEGIN, "is_held_out": [False, False, True, True]}
    )
    deals = pd.DataFrame(
        [
            ("a", "2025-12-01", "2025-12-31", "won"), ("b", "2025-12-01", "2026-01-30", "won"),
            ("c", "2026-01-02", "2026-01-31", "won"), ("d", "2025-11-01", "2026-08-01", "open"),
            ("x", "2026-01-02", "2026-01-03", "won"),
        ],
        columns=["account_id", "created_at", "close_date", "status"],
    ).assign(created_at=lambda t: pd.to_datetime(t["created_at"], utc=True))  # fmt: skip
    got = content_trial.trial_arms(trial, deals, 30)
    assert got == TrialArms(2, 2, 1, 0, 1, 1)


def test_an_effect_is_found_by_lot_and_only_called_a_difference_by_match(figure):
    """8 % and 4 % of a thousand: 4 points, 40 sales."""
    by_lot, by_match = (content_trial.extra_sales(LARGE, way, 180) for way in ("lot", "match"))
    assert (by_lot.verdict, by_lot.kind, by_match.kind) == ("found", "effect", "difference")
    assert by_lot.sales[0] == pytest.approx(40)
    assert 0 < by_lot.low < 0.04 < by_lot.high
    figure(
        "001-17",
        f"80 and 40 of 1,000: 40 extra sales ({by_lot.sales[1]:.0f} to {by_lot.sales[2]:.0f})",
    )


@pytest.mark.parametrize(
    ("arms", "way", "days", "why"),
    [
        (LARGE, "choice", 180, "nobody says"),
        (LARGE, "", 180, "nobody says"),
        (LARGE._replace(n_held=0, won_held=0, open_held=0), "lot", 180, "no account was left out"),
        (TrialArms(19, 500, 9, 9, 2, 50), "lot", 180, "fewer than 20"),
        (LARGE, "lot", 29, "watched for 29 days"),
        (LARGE._replace(open_given=200), "lot", 180, "more or fewer open deals"),
    ],
)
def test_without_a_fair_comparison_nothing_is_said(arms, way, days, why):
    """Twice as many won and still no word: what was used where deals were hot is no extra sale."""
    got = content_trial.extra_sales(arms, way, days)
    assert got.verdict == "cannot tell"
    assert why in got.why


def test_a_large_trial_without_difference_says_no_material_effect():
    """4 % of 20,000 each: 90 % of 0.3 points either way."""
    arms = TrialArms(20_000, 20_000, 800, 800, 2_000, 2_000)
    assert content_trial.extra_sales(arms, "lot", 180).verdict == "no material effect"


@pytest.mark.parametrize(("base", "n_each"), [(1.0, 500), (0.3, 1), (0.9, 2), (0.04, 0)])
def test_where_no_extra_can_be_found_none_is_named(base, n_each):
    """From 30% to 100%: 7.849 x .21 / .49 = 3.4 accounts an arm at least."""
    assert math.isnan(content_trial.smallest_extra(base, n_each))
    assert content_trial.smallest_extra(0.3, 4) == pytest.approx(0.66, abs=0.05)


def test_weeks_follow_the_pace_of_the_year():
    """52 accounts in 365 days are 0.997 a week: 100 take 101 weeks; none reached never get there."""
    days = pd.Series(pd.date_range("2026-01-01", periods=52, freq="D"))
    assert content_trial.weeks_needed(100, days, dt.date(2026, 6, 30)) == 101
    assert math.isnan(content_trial.weeks_needed(100, days[:0], dt.date(2026, 6, 30)))


def test_a_trial_is_watched_as_long_as_its_last_account_at_most_half_a_year():
    trial = pd.DataFrame({"begins_on": [dt.date(2026, 1, 1), dt.date(2026, 3, 1)]})
    assert content_trial.watched_days(trial, dt.date(2026, 3, 31)) == 31
    assert content_trial.watched_days(trial, dt.date(2027, 3, 31)) == 180
    assert content_trial.watched_days(trial[:0], dt.date(2027, 3, 31)) == 0
