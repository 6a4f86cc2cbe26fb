"""Forty simulated companies: found where planted, and only there (1,000 in benchmarks/selling_time.py).

Smaller than the benchmark's, so that they take seconds: 6 teams and 4 quarters, about 55 reps.
"""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from analysis.simulate.company import Company

N = 40
SMALL = {"n_teams": 6, "n_quarters": 4}


ONE = """
import json, sys
from analysis.models import selling_study
from analysis.simulate.company import Company, panels
study, n, different = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
print(json.dumps([selling_study.STUDIES[study](panels(Company(seed=s, **different))) for s in range(n)]))
"""


def rows(study: str, n: int, **different) -> pd.DataFrame:
    """Return a row a company, computed in a process with one BLAS thread: small fits wait for more of them."""
    command = [sys.executable, "-c", ONE, study, str(n), json.dumps(SMALL | different)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return pd.DataFrame(json.loads(done.stdout))


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return rows("planted", N)


def test_the_interval_covers_the_planted_elasticity(planted):
    """At least 34 of 40: fewer has a chance of 1 in 70 at 0.95."""
    truth = Company().elasticity
    assert ((planted["low"] < truth) & (truth < planted["high"])).sum() >= 34
    error = planted["estimate"].std() / N**0.5
    assert abs(planted["estimate"].mean() - truth) < 3 * error


def test_skill_lifts_the_pooled_slope_and_error_holds_the_plain_one_down(planted):
    assert planted["pooled"].mean() > Company().elasticity + 0.05
    assert planted["plain"].mean() < Company().elasticity - 0.05


def test_without_a_shifter_no_company_can_tell(planted):
    assert (planted["verdict_without_shifter"] == "cannot tell").all()


def test_nothing_is_found_where_nothing_was_planted():
    """At most 6 of 40: 5% and three Monte Carlo errors are 6.1."""
    got = rows("alone", N, elasticity=1e-9)
    assert (got["verdict"] == "found").sum() <= 6


def test_attenuation_is_the_reliability_and_its_correction_removes_it():
    got = rows("measurement", 10)
    assert abs((got["attenuation"] - got["reliability"]).mean()) < 0.02
    assert abs((got["corrected"] - got["true"]).mean()) < 0.02


def test_bookings_of_hot_pipelines_look_like_an_effect_and_are_not_called_one():
    """Nearly every interval excludes zero, and the slope is far above what was planted."""
    got = rows("same_quarter", 10)
    assert got["estimate"].mean() > Company().elasticity + 0.1
    assert ((got["kind"] == "association") & (got["verdict"] == "cannot tell")).all()


def test_a_shifter_that_follows_the_pipeline_is_caught():
    got = rows("following", 10)
    assert (got["verdict"] == "cannot tell").sum() >= 9
