"""From ideas to deals, freshness, readers and reports from the field, by hand."""

import datetime as dt

import pandas as pd
import pytest

from analysis.chapters.joint_work import campaign_delivery, content_use

DAY = dt.date(2026, 9, 30)
START = pd.Timestamp("2026-01-05")


def assets(**columns):
    base = {
        "asset_id": list("abcd"), "created_on": dt.date(2026, 1, 1), "is_in_library": [True, True, False, True],
        "kind": ["blog", "blog", "video", None], "stage": ["offer", "offer", "first", None],
        "segment": ["SMB", "SMB", "Enterprise", "SMB"], "refresh_days": pd.array([90, 90, None, 1], "Int64"),
        "refreshed_on": [dt.date(2026, 7, 2), dt.date(2026, 7, 1), None, None],
        "n_readers": pd.array([100, 400, 110, None], "Int64"),
    }  # fmt: skip
    return pd.DataFrame(base | columns)


def uses(*rows):
    return pd.DataFrame(rows, columns=["asset_id", "opportunity_id"])


def test_each_step_of_ideas_is_a_part_of_the_one_before(figure):
    """Four ideas of two reps; two became assets, one of them was used in a deal, one without."""
    ideas = pd.DataFrame({"asset_id": ["a", "b", None, None], "rep_id": ["r", "s", "r", None]})
    got = content_use.idea_funnel(ideas, uses(("a", "o1"), ("b", None), ("c", "o2")))
    assert (got.n_ideas, got.became.hits, got.used.hits, got.used.n, got.n_reps) == (4, 2, 1, 2, 2)
    figure("000-19", "4 ideas, 2 became assets, 1 of these was used in a deal")
    figure("000-21", "4 ideas by 2 reps, each counted once")


def test_an_asset_is_fresh_on_its_ninetieth_day_and_stale_on_the_next(figure):
    """Refreshed 90 and 91 days ago; without an interval nothing is due; never refreshed: since made."""
    got = content_use.stale_assets(assets(), DAY)
    assert got.tolist()[:2] == [False, True]
    assert pd.isna(got[2])
    assert got[3]
    figure("003-09", "refreshed 90 days ago: fresh; 91: stale; no interval: unknown")


def test_coverage_shows_pairs_for_which_nothing_is_made():
    got = content_use.coverage_by(assets(), uses(("a", "o1"))).set_index(["stage", "segment"])
    assert got.loc[("offer", "SMB")].tolist() == [2, 2, 1]
    assert got.loc[("first", "Enterprise")].tolist() == [1, 0, 0]
    assert got.loc[("first", "SMB")].tolist() == [0, 0, 0]


def test_assets_whose_readers_cannot_be_told_apart_share_places(figure):
    """400 lies apart; 110 and 100 have intervals of 20 either way."""
    got = content_use.most_read(assets())
    assert got[["asset_id", "place"]].to_numpy().tolist() == [
        ["b", "1"],
        ["c", "2-3"],
        ["a", "2-3"],
    ]
    figure("004-11", "400, 110 and 100 readers: places 1, 2-3, 2-3")


def test_revenue_of_deals_with_content_is_only_what_it_is():
    won = pd.DataFrame({"opportunity_id": ["o1", "o2"], "deal_amount": [10.0, 30.0]})
    got = content_use.influenced_revenue(uses(("a", "o1"), ("b", "o1"), ("c", None)), won)
    assert (got.deals.hits, got.deals.n, got.amount, got.total) == (1, 2, 10.0, 40.0)


def test_days_from_a_report_to_action(figure):
    """After 10 and 30 days and not at all: 2 of 3, the middle 20 days; 2 of 4 reps."""
    rows = pd.DataFrame(
        {
            "reported_on": dt.date(2026, 1, 1), "rep_id": ["r", "r", "s"],
            "acted_on": [dt.date(2026, 1, 11), dt.date(2026, 1, 31), None],
        }
    )  # fmt: skip
    got = content_use.field_insight(rows, 4)
    assert (got.acted.hits, got.acted.n, got.median_days, got.reps.share) == (2, 3, 20.0, 0.5)
    figure(
        "003-17",
        f"acted on after 10 and 30 days, never: {got.acted.hits} of 3, {got.median_days:.0f} days",
    )


def test_channels_without_owner_or_refresh_are_counted(figure):
    """No owner; never refreshed: overdue; no interval: unknown."""
    rows = pd.DataFrame(
        {
            "owner_rep_id": ["m", "m", None], "refresh_days": pd.array([30, 30, None], "Int64"),
            "refreshed_on": [dt.date(2026, 9, 1), None, None],
        }
    )  # fmt: skip
    got = content_use.channel_care(rows, DAY)
    assert (got.owned.hits, got.owned.n, got.stale.hits, got.stale.n) == (2, 3, 1, 2)
    figure("003-08", "2 of 3 channels have an owner, 1 of 2 is overdue")


def test_requests_for_what_the_library_holds():
    """A blog for SMB lies there; one for Enterprise does not; a kind nobody makes is not asked about."""
    asked = pd.DataFrame(
        {"kind": ["Blog", "blog", "trade show"], "audience": ["SMB", "Enterprise", "SMB"]}
    )
    got = content_use.requests_the_library_holds(asked, assets())
    assert (got.hits, got.n) == (1, 2)
    assert got.share == pytest.approx(0.5)


def test_a_column_that_nobody_fills_says_nothing():
    """No day of action, no asset of an idea, no owner of a channel, no milestone's end: nothing is known, not none."""
    blank = pd.to_datetime([None, None])
    feedback = pd.DataFrame({"rep_id": ["r", "s"], "reported_on": START, "acted_on": blank})
    assert content_use.field_insight(feedback, 2).acted.n == 0
    ideas = pd.DataFrame({"rep_id": ["r", "s"], "asset_id": [None, None]})
    uses = pd.DataFrame({"asset_id": [], "opportunity_id": []})
    assert content_use.idea_funnel(ideas, uses).became.n == 0
    channels = pd.DataFrame(
        {"owner_rep_id": [None, None], "refresh_days": [30, 90], "refreshed_on": blank}
    )
    assert [s.n for s in content_use.channel_care(channels, dt.date(2026, 9, 30))] == [0, 0]
    due = pd.DataFrame({"due_on": [START] * 2, "done_on": blank, "is_shared": [None, True]})
    got = campaign_delivery.milestone_shares(due, START + pd.Timedelta(days=9))
    assert (got.on_time.n, got.shared.n) == (0, 1)
