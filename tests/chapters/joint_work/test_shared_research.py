"""Research on one account that both sides made."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.joint_work import shared_research

REPS = pd.DataFrame({"rep_id": ["m", "r", "q", "x"], "role": ["marketing", "rep", "manager", None]})
DEALS = pd.DataFrame({"opportunity_id": ["d"], "account_id": ["a"]})
NAMES = ["rep_id", "account_id", "opportunity_id", "started_at", "minutes", "activity_class"]
SINCE = pd.Timestamp("2026-01-01", tz="UTC")


def research(*rows, since=SINCE):
    """Return what was shared of entries (rep, account, deal, day from 2026-01-01, minutes, class)."""
    table = pd.DataFrame(rows, columns=NAMES).assign(is_all_day=False)
    table["started_at"] = SINCE + pd.to_timedelta(table["started_at"].astype(float), unit="D")
    return shared_research.shared_research(
        shared_research.research_entries(table, REPS, DEALS), since
    )


def test_the_shorter_of_two_researches_counts_once_by_hand(figure):
    """Account a: marketing 60 min, a rep 90 min ten days later on a deal of a: 60 min twice; marketing's next 45 min
    repeat the 30 min the rep had for itself.  b: 31 days apart.  c: two of sales.  A demo, an unknown user: none.
    """
    got = research(
        ("m", "a", None, 5, 60, "prospecting"), ("r", None, "d", 15, 90, "preparation"),
        ("m", "a", None, 20, 45, "preparation"),
        ("m", "b", None, 1, 60, "prospecting"), ("r", "b", None, 32.1, 60, "preparation"),
        ("r", "c", None, 3, 60, "preparation"), ("q", "c", None, 4, 60, "preparation"),
        ("r", "a", None, 16, 60, "selling"), ("x", "a", None, 17, 60, "preparation"),
        ("r", None, None, 18, 180, "prospecting"),
    )  # fmt: skip
    assert got.why == ""
    assert got.hours == {"marketing": 0.5, "sales": 1.0}
    assert (got.accounts.hits, got.accounts.n) == (1, 2)
    assert got.named == {"marketing": 1.0, "sales": pytest.approx(270 / 450)}
    figure("004-04", "planted: 60 + 30 minutes done twice on 1 of 2 accounts marketing researched")


def test_only_a_second_research_since_the_day_counts():
    rows = (("m", "a", None, -5, 60, "prospecting"), ("r", "a", None, -1, 60, "preparation"),
            ("r", "a", None, 9, 60, "preparation"), ("m", "b", None, 9, 30, "preparation"))  # fmt: skip
    assert research(*rows).hours == {"marketing": 0.0, "sales": 0.0}
    assert research(*rows[:1], *rows[2:]).hours == {"marketing": 0.0, "sales": 1.0}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((), "user of marketing"),
        ((("r", "a", None, 1, 60, "preparation"),), "user of marketing"),
        ((("m", None, None, 1, 60, "preparation"),), "user of marketing"),
        ((("m", "a", None, 1, 60, "preparation"),), "no rep"),
    ],
)
def test_a_side_that_logs_no_account_tells_nothing(rows, why):
    got = research(*rows)
    assert why in got.why
    assert got.accounts.n == 0
    assert np.isnan(got.accounts.share)
