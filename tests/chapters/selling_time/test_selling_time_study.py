"""Five simulated companies: found where planted, and only there (1,000 in benchmarks/selling_time.py).

Smaller than the benchmark's, so that they take seconds: 6 teams and 4 quarters, about 55 reps.
"""

import numpy as np
import pandas as pd
import pytest
from studies import selling_time_study

from analysis.simulate.simulated_tables import simulate_panels
from analysis.simulate.world.company_parameters import SimulatedCompany

N = 5
SMALL = {"n_teams": 6, "n_quarters": 4}


def rows(name: str, n: int, **different) -> pd.DataFrame:
    """Return a row a company."""
    return pd.DataFrame(
        [
            selling_time_study.STUDIES[name](
                simulate_panels(SimulatedCompany(seed=s, **SMALL | different))
            )
            for s in range(n)
        ]
    )


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return rows("planted", N)


def test_the_interval_covers_the_planted_elasticity(planted):
    """At least 4 of 5: fewer has a chance of 1 in 44 at 0.95."""
    truth = SimulatedCompany().elasticity
    assert ((planted["low"] < truth) & (truth < planted["high"])).sum() >= 4
    error = planted["estimate"].std() / N**0.5
    assert abs(planted["estimate"].mean() - truth) < 3 * error


def test_skill_lifts_the_pooled_slope_and_error_holds_the_plain_one_down(planted):
    assert planted["pooled"].mean() > SimulatedCompany().elasticity + 0.05
    assert planted["plain"].mean() < SimulatedCompany().elasticity - 0.05


def test_without_a_shifter_no_company_can_tell(planted):
    assert (planted["verdict_without_shifter"] == "cannot tell").all()


@pytest.mark.study
def test_nothing_is_found_where_nothing_was_planted():
    """At most 1 of 5: more has a chance of 1 in 44 at 0.05."""
    got = rows("alone", N, elasticity=0.0)
    assert (got["verdict"] == "found").sum() <= 1


@pytest.mark.study
def test_attenuation_is_the_reliability_and_its_correction_removes_it():
    got = rows("measurement", 5)
    assert abs((got["attenuation"] - got["reliability"]).mean()) < 0.02
    assert abs((got["corrected"] - got["true"]).mean()) < 0.02


@pytest.mark.study
def test_bookings_of_hot_pipelines_look_like_an_effect_and_are_not_called_one():
    """Nearly every interval excludes zero, and the slope is far above what was planted."""
    got = rows("same_quarter", 5)
    assert got["estimate"].mean() > SimulatedCompany().elasticity + 0.1
    assert ((got["kind"] == "association") & (got["verdict"] == "cannot tell")).all()


@pytest.mark.study
def test_a_shifter_that_follows_the_pipeline_is_caught():
    got = rows("following", 5)
    assert (got["verdict"] == "cannot tell").sum() >= 4


def test_at_elasticity_zero_hours_create_nothing():
    """A week without a working day creates no deal (0 times the log of 0 is no number); weeks cut short as many as others."""
    made = simulate_panels(SimulatedCompany(**SMALL, elasticity=0.0)).rep_week
    assert np.isfinite(made["expected_opportunities"]).all()
    worked = made["worked_days"] > 0
    assert (made.loc[~worked, "expected_opportunities"] == 0).all()
    short = made[worked].groupby(made["log_shift"] < -0.2)["expected_opportunities"].mean()
    assert short[True] == pytest.approx(short[False], rel=0.05)
