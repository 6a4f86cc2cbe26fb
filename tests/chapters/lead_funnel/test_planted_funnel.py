"""What the simulator plants in a company's exports is what the funnel finds."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
from empty_project import REPOSITORY

from analysis.chapters.lead_funnel import cohorts, stages
from analysis.project.quarters import parse_quarter
from analysis.simulate.exports import write
from analysis.simulate.simulated_tables import draw_company
from analysis.simulate.world import marketing
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.store import processed

LIFT = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0)  # partners convert better, referrals worse
PLANTED = SimulatedCompany(
    n_teams=4, n_quarters=6, source_lift_log=LIFT, skipped_rate=0.2, wins_logged_quarter=3
)
LOGGED_FROM = parse_quarter(PLANTED.last_quarter).shifted(-3).start()  # the third of six quarters
KEPT = ("Lead", "LeadHistory", "Opportunity", "User", "UserRole", "Campaign", "CampaignMember")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return the panel, the deals and the quarters of the company, cleaned without its calendar."""
    root = tmp_path_factory.mktemp("planted")
    raw = root / "data" / "raw" / "here"
    raw.mkdir(parents=True)
    shutil.copy(REPOSITORY / "alignment.toml", root)
    write.write_exports(PLANTED, raw, dirt=None)
    for file in raw.glob("*.csv"):
        if file.stem not in KEPT:
            file.unlink()
    before = os.environ.get("ALIGNMENT_ROI_ROOT")
    os.environ["ALIGNMENT_ROI_ROOT"] = str(root)
    try:
        audit = processed.prepare_dataset("here")
    finally:
        os.environ.pop("ALIGNMENT_ROI_ROOT")
        if before is not None:
            os.environ["ALIGNMENT_ROI_ROOT"] = before
    folder = root / "data" / "processed" / "here"
    names = ("lead_dates", "opportunities", "quarters")
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
    return tables, pd.Timestamp(audit["as_of"]).date()


@pytest.fixture
def whole(planted):
    tables, as_of = planted
    return stages.lead_funnel(tables["lead_dates"], tables["quarters"], as_of)


def test_the_rates_of_sources_are_found(whole):
    """Of leads old enough to have converted, by the source itself."""
    rows = whole.rows[whole.rows["age"] >= marketing.LONGEST_LEAD]
    truth = marketing.conversion_rates(PLANTED)
    for source in ("Partner", "Referral", "Web"):
        mine = rows[rows["lead_source"] == source]
        share, n = mine["by_opportunity"].notna().mean(), len(mine)
        error = np.sqrt(truth[source] * (1 - truth[source]) / n)
        assert abs(share - truth[source]) < 4 * error + 0.03, source  # leads before the window lack
    assert truth["Partner"] > 0.5 > truth["Web"] > truth["Referral"]


def test_skipped_steps_are_found(whole):
    """A fifth of the SALs, and of SQLs, of leads that went further are not logged."""
    rows = whole.rows[whole.rows["by_opportunity"].notna()]
    assert rows["sal"].isna().mean() == pytest.approx(0.2, abs=0.04)
    assert rows["sql"].isna().mean() == pytest.approx(0.2, abs=0.04)
    assert rows[["by_mql", "by_sal", "by_sql"]].notna().all(axis=None)
    counts = cohorts.funnel_counts(whole.rows).set_index("stage")
    skipped = 1 - counts.loc["opportunity", "n_all"] / counts.loc["opportunity", "n_any"]
    assert skipped == pytest.approx(1 - 0.8**2, abs=0.05)


def test_wins_logged_half_a_year_late_are_noticed(planted, whole):
    tables, _ = planted
    deals = tables["opportunities"]
    first = pd.to_datetime(deals.loc[deals["status"] == "won", "close_date"]).min().date()
    assert first >= LOGGED_FROM
    assert stages.late_logging(whole, first) == first
    assert stages.passage(whole, "won").n_unknown > 50


def test_a_company_that_logs_all_its_wins_is_not_called_late(tiny):
    folder = tiny / "data" / "processed" / "tiny"
    panel, deals, periods = (
        pd.read_parquet(folder / f"{name}.parquet")
        for name in ("lead_dates", "opportunities", "quarters")
    )
    whole = stages.lead_funnel(panel, periods, pd.to_datetime(periods["until_day"]).max().date())
    first = pd.to_datetime(deals.loc[deals["status"] == "won", "close_date"]).min().date()
    assert stages.late_logging(whole, first) is None
    counts = cohorts.funnel_counts(whole.rows)
    assert counts["n_any"].tolist() == counts["n_all"].tolist()


def test_a_ramp_takes_half_of_what_a_new_rep_creates_in_it():
    """From nothing to the full rate over 120 days; who was there at the start has none."""
    companies = [SimulatedCompany(n_quarters=8, ramp_days=days) for days in (0.0, 120.0)]
    created = []
    for company in companies:
        window, people, _, deals = draw_company(company)
        new = people.rep_start > window.week_start[0]
        table = deals.table[deals.table["created"] >= 0]
        since = table["created"].to_numpy() - people.rep_start[table["creator"].to_numpy()]
        is_new = new[table["creator"].to_numpy()]
        created.append([(is_new & (since < 120)).sum(), (is_new & (since >= 120)).sum()])
    (young, old), (ramped, later) = created
    assert ramped / young == pytest.approx(0.5, abs=0.08)
    assert later / old == pytest.approx(1.0, abs=0.05)


def test_what_is_not_planted_moves_nothing():
    """The parameters at rest leave every draw where it was: no lift, no skip, no ramp."""
    company = SimulatedCompany(n_teams=2, n_quarters=4)
    leads = pd.DataFrame({"deal": [1, -1], "source": [3, 4]})
    assert marketing._with_lift(company, leads) is leads
    assert marketing._without_skipped(company, leads) is leads
