"""How often a true null is rejected: a smoke test of 100 panels; 1,000 in `benchmarks/size_of_tests.py`.

At nominal 5 % the Monte Carlo error is .0218, so a sound test lies below .05 + 3 x .0218 = .115.
"""

import numpy as np
import pytest
from studies import size_of_tests_study

N_PANELS = 100
SOUND = 0.05 + 3 * np.sqrt(0.05 * 0.95 / N_PANELS)


@pytest.mark.study
@pytest.mark.parametrize(("n_teams", "n_treated"), [(12, 6), (20, 3)])
def test_sound_tests_reject_a_placebo_in_about_5_percent(n_teams, n_treated):
    """And CRV1 with t(G - 1) does not when 3 of 20 are treated: .138 measured in statistics.md b4."""
    shares = size_of_tests_study.rejection_shares(N_PANELS, n_teams, n_treated)
    assert shares["wild bootstrap"] < SOUND
    assert shares["randomisation"] < SOUND
    assert shares["CR3"] < SOUND
    if n_treated == 3:
        assert shares["CRV1"] > SOUND
