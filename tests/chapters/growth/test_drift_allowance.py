"""What drift does to an effect: by hand, and with its error counted."""

import math

import numpy as np
import pytest

from analysis.chapters.growth import drift_allowance
from analysis.chapters.growth.contrasts import TeamContrast
from analysis.chapters.growth.drift_allowance import DriftBeliefs, GradedInterval, OutcomeMoves

N = 4_000


def _contrast(estimate, error, seed):
    """Return a contrast of N teams with this error, unrelated to those of other seeds."""
    chance = np.random.default_rng(seed).standard_normal(N)
    chance *= error / math.sqrt((N - 1) / N * (chance**2).sum())
    return TeamContrast(np.r_[estimate, estimate + chance], N - 1)


def test_drift_is_taken_off_by_as_much_as_is_known_of_it():
    """Effect .20 (.03), slope .02 (.01), lever 5, believed 0 (.01): half of the slope, .01, is believed, and .05 comes off.

    What is left of the slope's error is .01 / sqrt(2); times 5 it is .0354 beside .03.
    """
    moves = OutcomeMoves(_contrast(0.20, 0.03, 1), _contrast(0.02, 0.01, 2))
    beliefs = DriftBeliefs(0.01, 1e-6, 0.05)
    got = drift_allowance.allow_for_drift(moves, None, 5.0, beliefs, is_evidence=False)
    assert got.estimate == pytest.approx(0.15, abs=0.003)
    assert got.error == pytest.approx(math.hypot(0.03, 5 * 0.01 / math.sqrt(2)), rel=0.03)
    assert got.df == N - 1


def test_opportunities_tell_of_drift_and_where_they_may_of_bookings():
    """Bookings .20 (.10), opportunities .10 (.02), no slope at all: as evidence they count .10 give or take .05 and .02."""
    none = (_contrast(0.0, 1e-4, 3), _contrast(0.0, 1e-4, 4))
    bookings = OutcomeMoves(_contrast(0.20, 0.10, 1), none[0])
    created = OutcomeMoves(_contrast(0.10, 0.02, 2), none[1])
    beliefs = DriftBeliefs(1e-5, 1e-5, 0.05)
    alone, both = (
        drift_allowance.allow_for_drift(bookings, created, 5.0, beliefs, is_evidence=each)
        for each in (False, True)
    )
    assert (alone.estimate, alone.error) == pytest.approx((0.20, 0.10), abs=0.003)
    weight = 0.10**-2 / (0.10**-2 + 1 / (0.05**2 + 0.02**2))
    assert both.estimate == pytest.approx(weight * 0.20 + (1 - weight) * 0.10, abs=0.003)
    assert both.error == pytest.approx((0.10**-2 + 1 / (0.05**2 + 0.02**2)) ** -0.5, rel=0.03)
    of_created = drift_allowance.allow_for_drift(
        bookings, created, 5.0, beliefs, is_evidence=False,
        of=drift_allowance.EFFECT_ON_OPPORTUNITIES,
    )  # fmt: skip
    assert (of_created.estimate, of_created.error) == pytest.approx((0.10, 0.02), abs=0.002)


def test_a_handful_of_adopters_has_the_plain_estimate_and_a_wider_error():
    """Error .04, lever 4, drift .03 and .04 together .05: sqrt(.04² + .2²); of opportunities sqrt(.04² + .12²)."""
    effect, beliefs = _contrast(0.1, 0.04, 1), DriftBeliefs(0.03, 0.04, 0.05)
    got, created = (
        drift_allowance.widen_for_drift(effect, 4.0, beliefs, of_bookings=each)
        for each in (True, False)
    )
    assert got == pytest.approx(GradedInterval(0.1, math.hypot(0.04, 0.2), N - 1))
    assert created.error == pytest.approx(math.hypot(0.04, 0.12))


def test_ends_by_hand():
    """t(10) at 95 % is 2.228, at 80 % 1.372."""
    got = GradedInterval(0.10, 0.05, 10)
    assert got.ends(0.95) == pytest.approx((0.10 - 0.1114, 0.10 + 0.1114), abs=1e-4)
    assert not got.excludes_zero(0.95)
    assert got.excludes_zero(0.80)
