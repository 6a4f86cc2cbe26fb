"""What the simulator plants of the closed loop, and that nothing else moves by it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from studies.recycling_study import company_of

from analysis.simulate.simulated_tables import draw_company
from analysis.simulate.world import lead_handling, marketing

COMPANY = company_of(3, 0.3)


@pytest.fixture(scope="module")
def drawn():
    return draw_company(COMPANY)


def leads_of(drawn, company):
    rng = np.random.default_rng([company.seed, 5])
    leads = marketing._leads(drawn.window, drawn.people, drawn.deals.table, rng)
    return lead_handling.handle_leads(company, drawn.window, drawn.people, leads)


def test_a_prompt_answer_lifts_the_odds_as_planted(drawn):
    """Log odds ratio 1 of conversion by promptness, give or take three standard errors."""
    plain, lifted = (leads_of(drawn, replace(COMPANY, prompt_lift_log=x)) for x in (0.0, 1.0))
    pd.testing.assert_frame_equal(plain.drop(columns="is_prompt"), lifted.drop(columns="is_prompt"))
    for leads, truth in ((plain, 0.0), (lifted, 1.0)):
        table = pd.crosstab(leads["deal"] >= 0, leads["is_prompt"]).to_numpy(float)
        log_odds = np.log(table[1, 1] * table[0, 0] / (table[1, 0] * table[0, 1]))
        assert abs(log_odds - truth) < 3 * np.sqrt((1 / table).sum())


def test_the_yield_of_returned_leads_by_hand():
    """One lead in 2.8 has a deal, 8% of them come back; at level 0 so do 6% of 65% of the others."""
    got = marketing.recycled_yield(0.0, n_days=10**9)
    back, others = 0.08 / 2.8, 0.65 * 1.8 / 2.8
    assert got["returned"] == pytest.approx(back / (back + 0.06 * others), abs=1e-6)
    assert got["fresh"] == pytest.approx((0.92 / 2.8) / (1 / 2.8 + others), abs=1e-6)
    assert marketing.recycled_yield(1.0, 10**9)["returned"] < got["returned"]
