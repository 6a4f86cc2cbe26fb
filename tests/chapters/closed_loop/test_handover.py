"""What sales did with leads: working hours, first touch, neglect, answers, delay."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.closed_loop import handover, lead_ledger

UNTIL = pd.Timestamp("2026-04-01", tz="UTC").as_unit("us")
NONE = np.zeros(0, "datetime64[D]")


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        ("2026-01-02 16:00", "2026-01-05 10:00", 2.0),  # Friday to Monday
        ("2026-01-03 12:00", "2026-01-04 12:00", 0.0),  # a weekend
        ("2026-01-05 08:00", "2026-01-05 18:00", 8.0),  # a whole day, from before to after
        ("2026-01-05 16:00", "2026-01-07 10:00", 2.0),  # the day between is off
        ("2025-12-31 16:30", "2026-01-02 09:30", 9.0),  # over the year's end
    ],
)
def test_working_hours_by_hand(begin, end, hours):
    off = np.array(["2026-01-06"], "datetime64[D]")
    at = handover.working_hours(
        pd.Series(pd.to_datetime([begin, end])), hours_per_day=8.0, holidays=off
    )
    assert at[1] - at[0] == hours


def handed(rows):
    """Return hand-overs of leads: (handed over, left, touched) as days into March 2026."""
    start = pd.Timestamp("2026-03-02", tz="UTC")  # a Monday
    names = [f"L{n}" for n in range(len(rows))]
    steps, touches = [], []
    for name, (begin, left, touched) in zip(names, rows, strict=True):
        steps.append((name, "mql", begin))
        if left is not None:
            steps.append((name, "disqualified", left))
        if touched is not None:
            touches.append((name, touched))
    history = pd.DataFrame(steps, columns=["lead_id", "lead_stage", "entered_at"])
    calls = pd.DataFrame(touches, columns=["lead_id", "started_at"])
    for table, column in ((history, "entered_at"), (calls, "started_at")):
        table[column] = start + pd.to_timedelta(table[column].astype(float), unit="D")
    leads = pd.DataFrame({"lead_id": names, "converted_on": pd.NaT})
    panel = pd.DataFrame(
        {"lead_id": names, "rep_id": None, "region": None, "created_on": pd.Timestamp("2026-03-01")}
    )
    found = lead_ledger.lead_stays(history, leads, UNTIL)
    return handover.handed_over(
        found, panel, calls, UNTIL, time_zone="UTC", hours_per_day=8.0, holidays={"": NONE}
    )


def test_a_first_touch_an_end_and_neither_by_hand():
    """Touched after a day; spoken to before the hand-over; closed untouched; neither, to April."""
    rows = handed([(0.375, None, 1.375), (2.0, None, 0.5), (1.0, 3.0, 5.0), (0.0, None, None)])
    assert rows["ending"].tolist() == [1, 1, 2, 0]
    assert rows["wait_hours"].tolist() == [8.0, 0.0, 16.0, 22 * 8.0]
    assert rows["wait_days"].tolist() == [1, 0, 2, 30]


def test_neglect_is_kaplan_meiers_by_hand(figure):
    """40 leads: 10 touched on day 2, 10 closed untouched on day 5, 10 watched for 10 days only.

    The rest is untouched for good: 1 - 3/4 x 20/30, then nobody else ends: half are left alone.
    """
    n = [10, 10, 10, 10]
    rows = pd.DataFrame(
        {
            "rep_id": None,
            "ending": np.repeat([1, 2, 0, 0], n),
            "wait_days": np.repeat([2, 5, 10, 60], n),
            "wait_hours": np.repeat([16.0, 24.0, 56.0, 340.0], n),
        }
    )
    got = handover.first_touch_times(rows, 8.0, 8.0)
    assert got.neglected[0] == pytest.approx(0.75 * 20 / 30)
    assert got.within[0] == 0.0  # sixteen hours are more than eight
    assert got.half == 16
    assert got.n_untouched == 20
    figure("002-02", f"neglected {got.neglected[0]:.2f} by Kaplan-Meier, by hand 0.50")


def test_answers_are_of_leads_that_are_due(figure):
    """500 due, 365 of them answered in a week; twenty handed over yesterday are not due yet."""
    at = pd.Timestamp("2026-01-05", tz="UTC")
    rows = pd.DataFrame({"handed_at": [at] * 500 + [UNTIL - pd.Timedelta(days=1)] * 20})
    answer = np.r_[np.repeat(3.0, 300), np.repeat(20.0, 135), np.repeat(7.0, 65), np.zeros(20)]
    rows["accepted_at"] = rows["handed_at"] + pd.to_timedelta(answer, unit="D")
    rows["left_at"] = pd.Series(pd.NaT, rows.index).dt.tz_localize("UTC")
    n, hits, share, low, high = handover.answered_share(rows, UNTIL, 7.0)
    assert (n, hits, share) == (500, 365, 0.73)
    assert (round(low, 3), round(high, 3)) == (0.689, 0.767)
    assert math.isnan(handover.answered_share(rows.iloc[:0], UNTIL, 7.0)[2])
    figure("002-01", f"365 of 500 due leads answered: {share:.2f}")


def delayed(ratio, *, n_groups=4, n=1200, seed=1):
    """Return leads of groups that differ, whose late ones convert `ratio` times as often."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, n_groups, n)
    rate = np.array([0.002, 0.005, 0.01, 0.02])[group]
    is_late = rng.random(n) < np.array([0.8, 0.6, 0.4, 0.2])[group]  # good leads answered first
    days = rng.exponential(1 / (rate * np.where(is_late, ratio, 1.0)))
    start = pd.Timestamp("2025-06-02", tz="UTC").as_unit("us")
    left = start + pd.to_timedelta(np.minimum(days + handover.LANDMARK_DAYS, 400), unit="D")
    return pd.DataFrame(
        {
            "rep_id": [f"r{k}" for k in rng.integers(0, 30, n)],
            "group": group,
            "handed_at": start,
            "left_at": pd.Series(left).where(days < 300),
            "opportunity_on": pd.Series(left.tz_localize(None).normalize()).where(days < 300),
            "ending": 1,
            "wait_hours": np.where(is_late, 30.0, 2.0),
        }
    )


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_the_planted_delay_is_found_within_alike_leads(ratio):
    """Late leads are the poorer ones: apart from the groups they seem to lose by delay alone."""
    rows = delayed(ratio)
    got = handover.delay_ratio(rows, UNTIL, 8.0)
    assert got.low < ratio < got.high
    assert got.verdict == ("found" if ratio < 1 else "cannot tell")
    blind = handover.delay_ratio(rows.assign(group=0), UNTIL, 8.0)
    assert blind.high < ratio


def test_delay_is_untold_without_owners_or_leads():
    alone = delayed(1.0, n=40).assign(rep_id="r1")
    assert math.isnan(handover.delay_ratio(alone, UNTIL, 8.0).ratio)
    assert handover.delay_ratio(alone.iloc[:0], UNTIL, 8.0).verdict == "cannot tell"


@pytest.mark.parametrize(
    ("accepted", "qualified", "verdict"),
    [(0.95, 0.3, True), (0.7, 0.3, False), (0.95, 0.7, False), (math.nan, 0.3, None)],
)
def test_sales_that_accepts_everything_and_converts_little_is_named(accepted, qualified, verdict):
    steps = pd.DataFrame(
        {
            "step": ["MQL to SAL", "SAL to SQL"],
            "low": [accepted, qualified],
            "high": [accepted, qualified],
        }
    )
    assert handover.accepts_everything(steps) is verdict
    assert handover.accepts_everything(steps.iloc[:1]) is None
