"""Whether quotas can be met with the selling time there is."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.cost import attainability
from analysis.chapters.cost.attainability import Attainability
from analysis.project.errors import CrmDataError

QUARTERS = ["2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"]
OPTIONS = {"quarter": "2026Q3", "minimum_logged_share": 0.5}


def company(
    n_reps: int = 300, spread: float = 0.5, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return stays and deals of reps whose own pace varies (gamma, variance `spread`) around the segment's."""
    rng = np.random.default_rng(seed)
    segment = np.where(np.arange(n_reps) % 2, "Enterprise", "SMB")
    pace = np.where(segment == "SMB", 0.05, 0.02)
    if spread:
        pace *= rng.gamma(1 / spread, spread, n_reps)
    hours = rng.lognormal(np.log(140), 0.3, n_reps)
    quota = np.where(segment == "SMB", 140_000.0, 280_000.0) * rng.choice([0.4, 1.0, 1.8], n_reps)
    stays, deals = [], []
    for quarter, start in zip(
        QUARTERS, pd.date_range("2025-07-01", periods=5, freq="QS"), strict=True
    ):
        wins = rng.poisson(hours * pace)
        owner = np.repeat(np.arange(n_reps), wins)
        size = rng.lognormal(np.log(np.where(segment[owner] == "SMB", 17_000, 85_000)), 0.6)
        stays.append(
            pd.DataFrame(
                {
                    "rep_id": [f"r{i}" for i in range(n_reps)], "segment": segment, "quarter": quarter,
                    "weeks_employed": 13.0, "logged_share": 1.0, "selling_hours": hours, "n_won": wins,
                    "n_lost": wins, "quota_amount": quota,
                    "bookings_amount": np.bincount(owner, size, minlength=n_reps),
                }
            )
        )  # fmt: skip
        deals.append(
            pd.DataFrame(
                {
                    "status": "won",
                    "close_date": start,
                    "deal_amount": size,
                    "segment": segment[owner],
                }
            )
        )
    return pd.concat(stays, ignore_index=True), pd.concat(deals, ignore_index=True)


@pytest.fixture(scope="module")
def forecast() -> Attainability:
    return attainability.quota_attainability(*company(), **OPTIONS)


def test_forecast_beats_the_base_rate(forecast):
    """The Brier score is below that of always saying last year's share, beyond its interval."""
    assert forecast.brier_gain.low > 0
    assert forecast.brier.estimate < 0.2


def test_chances_come_true_as_often_as_they_say(forecast):
    """Predicted and observed differ by no more than chance over all tenths: chi-square below its 99% point."""
    bins = forecast.calibration
    variance = bins["predicted"] * (1 - bins["predicted"]) / bins["n_reps"]
    assert bins["n_reps"].sum() == 300
    assert (
        (bins["observed"] - bins["predicted"]) ** 2 / variance
    ).sum() < 23.2  # chi-square, 10 degrees


def test_reps_who_differ_are_found_and_reps_who_do_not_are_not(forecast):
    """A planted variance of 0.5 is found; with none, chance is enough."""
    assert forecast.dispersion.variance == pytest.approx(0.5, abs=0.2)
    alike = attainability.quota_attainability(*company(spread=0.0), **OPTIONS)
    assert alike.dispersion.variance == 0
    assert "reps differ by chance alone" in alike.share_out_of_reach.method


def test_shares_and_medians_are_those_of_the_table(forecast):
    share, chance = forecast.share_out_of_reach, forecast.reps["chance"]
    assert share.estimate == (chance < 0.2).mean()
    assert forecast.median_chance.estimate == chance.median()
    assert (share.n, share.kind, share.verdict) == (300, "measure", None)


def test_a_count_of_all_reps_has_no_interval_of_chance(forecast):
    for each in (forecast.share_out_of_reach, forecast.median_chance):
        assert np.isnan([each.low, each.high]).all()
        assert each.method.endswith("all reps, no interval")


def test_pace_by_hand():
    """20 wins and as many losses over 400 hours: 0.1 closed an hour, half of them won."""
    stays, deals = company(n_reps=2, spread=0.0)
    stays = stays.assign(segment="SMB", selling_hours=50.0, n_won=2.5, n_lost=2.5)
    got = attainability.quota_attainability(stays, deals.assign(segment="SMB"), **OPTIONS).rates
    assert got[["closed_per_hour", "win_rate", "wins_per_hour"]].iloc[0].tolist() == [
        0.1,
        0.5,
        0.05,
    ]


def test_half_logged_hours_stand_for_the_whole_stay():
    """Half the hours in half the weeks make the same pace and the same chances."""
    stays, deals = company(n_reps=40)
    half = stays.assign(selling_hours=stays["selling_hours"] / 2, logged_share=0.5)
    pd.testing.assert_frame_equal(
        attainability.quota_attainability(stays, deals, **OPTIONS).reps,
        attainability.quota_attainability(half, deals, **OPTIONS).reps,
    )


def test_outcome_of_the_quarter_does_not_leak_into_its_forecast():
    """Wins, hours and deals of the quarter itself may change; the chances may not."""
    stays, deals = company(n_reps=40)
    now = stays["quarter"] == "2026Q3"
    other = stays.assign(
        n_won=stays["n_won"].mask(now, 50), selling_hours=stays["selling_hours"].mask(now, 1.0)
    )
    late = deals.assign(
        deal_amount=deals["deal_amount"].mask(deals["close_date"] >= "2026-07-01", 9e9)
    )
    before = attainability.quota_attainability(stays, deals, **OPTIONS).reps["chance"]
    after = attainability.quota_attainability(other, late, **OPTIONS).reps["chance"]
    pd.testing.assert_series_equal(before, after)


def test_a_quota_of_a_deal_a_quarter_is_reached_as_often_as_one_deal_is_won():
    """Every deal is 100 and so is quota: the chance of at least one win at a mean of 2 is 1 - exp(-2) = 0.865."""
    stays, deals = company(n_reps=200, spread=0.0)
    stays = stays.assign(segment="SMB", selling_hours=100.0, n_won=2, n_lost=2, quota_amount=100.0)
    deals = deals.assign(segment="SMB", deal_amount=100.0)
    got = attainability.quota_attainability(stays, deals, **OPTIONS)
    assert got.median_chance.estimate == pytest.approx(0.865, abs=0.01)


def test_same_seed_gives_the_same_chances():
    stays, deals = company(n_reps=30)
    first, second = (
        attainability.quota_attainability(stays, deals, **OPTIONS, seed=5) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.reps, second.reps)


def test_new_rep_takes_the_pace_of_the_segment():
    """A rep with no history is expected to sell and win as the segment does, and is not dropped."""
    stays, deals = company(n_reps=40)
    stays = stays[(stays["rep_id"] != "r1") | (stays["quarter"] == "2026Q3")]
    got = attainability.quota_attainability(stays, deals, **OPTIONS)
    rate = got.rates.set_index("segment").loc["Enterprise"]
    new = got.reps.set_index("rep_id").loc["r1"]
    assert new["hours"] == pytest.approx(13 * rate["hours_per_week"])
    assert new["expected_wins"] == pytest.approx(new["hours"] * rate["wins_per_hour"])


def test_rep_without_quota_is_left_out_and_counted():
    stays, deals = company(n_reps=40)
    stays.loc[(stays["rep_id"] == "r1") & (stays["quarter"] == "2026Q3"), "quota_amount"] = math.nan
    got = attainability.quota_attainability(stays, deals, **OPTIONS)
    assert got.share_out_of_reach.n == 39
    assert "reps left out: 1 (" in got.share_out_of_reach.method


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda s, d: (s[s["quarter"] != "2025Q4"], d), "no logged hours of 2025Q4"),
        (lambda s, d: (s.assign(quota_amount=math.nan), d), "no rep has a quota in 2026Q3"),
        (lambda s, d: (s, d.assign(status="lost")), "no deal won in the four quarters before"),
    ],
)
def test_too_little_data_cannot_tell(spoil, why):
    got = attainability.quota_attainability(*spoil(*company(n_reps=40)), **OPTIONS)
    assert not got.share_out_of_reach.is_known
    assert not got.median_chance.is_known
    assert got.share_out_of_reach.method == f"cannot tell: {why}"
    assert got.reps.empty
    assert list(got.calibration) == ["bin", "n_reps", "predicted", "observed", "low", "high"]
    assert (
        attainability.next_step(got, "2026Q3", smallest=5)
        == f"Judge no quota by its chance in 2026Q3: {why}."
    )


def test_missing_column_is_named():
    stays, deals = company(n_reps=4)
    with pytest.raises(CrmDataError, match="opportunities: needs segment, but has"):
        attainability.quota_attainability(stays, deals.drop(columns="segment"), **OPTIONS)


def test_quotas_out_of_reach_are_counted_in_what_to_do():
    got = attainability.quota_attainability(*company(n_reps=40), **OPTIONS)
    for share, says in (
        (0.25, "Review the quotas of 25% of reps (about 10): in 2026Q3 each of them had less"),
        (0.05, "Review the quotas of 5% of reps: in 2026Q3 each of them had less"),
        (0.0, "Keep the quotas of 2026Q3: no rep has less than a one-in-five chance"),
    ):
        of_forty = got.share_out_of_reach._replace(estimate=share, n=40)
        assert attainability.next_step(
            got._replace(share_out_of_reach=of_forty), "2026Q3", smallest=5
        ).startswith(says)


def test_company_without_segments_is_one_segment():
    """A CRM that keeps no segments still tells each rep's chance, at the company's pace."""
    stays, deals = company()
    blank = attainability.quota_attainability(
        stays.assign(segment=None), deals.assign(segment=None), **OPTIONS
    )
    whole = attainability.quota_attainability(
        stays.assign(segment="SMB"), deals.assign(segment="SMB"), **OPTIONS
    )
    assert len(blank.rates) == 1
    assert blank.share_out_of_reach.n == 300
    assert blank.median_chance.estimate == whole.median_chance.estimate


@pytest.mark.filterwarnings("error")
def test_no_hours_of_any_seller_leave_no_chance_and_no_warning():
    """Weeks logged without an hour of selling give no pace: cannot tell, and nothing divides by zero."""
    stays, deals = company(n_reps=12)
    forecast = attainability.quota_attainability(stays.assign(selling_hours=0.0), deals, **OPTIONS)
    assert math.isnan(forecast.share_out_of_reach.estimate)
