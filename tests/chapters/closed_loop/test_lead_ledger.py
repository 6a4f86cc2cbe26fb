"""The ledger of leads: what was handed over is somewhere, whatever order steps were written in."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.chapters.closed_loop import lead_ledger, recycling
from analysis.chapters.closed_loop.lead_ledger import STAGE_ORDER

UNTIL = pd.Timestamp("2026-01-01", tz="UTC").as_unit("us")
START = pd.Timestamp("2025-01-01", tz="UTC")


def stays(steps, n_leads=3, converted=()):
    """Return stays of steps (lead, stage, day into 2025)."""
    history = pd.DataFrame(steps, columns=["lead_id", "lead_stage", "entered_at"])
    history["entered_at"] = START + pd.to_timedelta(history["entered_at"].astype(float), unit="D")
    leads = pd.DataFrame({"lead_id": [f"L{n}" for n in range(n_leads)]})
    days = {f"L{n}": pd.Timestamp("2025-12-01") for n in converted}
    leads["converted_on"] = pd.to_datetime(leads["lead_id"].map(days))
    return lead_ledger.lead_stays(history, leads, UNTIL)


STEP = st.tuples(
    st.sampled_from(["L0", "L1", "L2", "deleted"]),
    st.sampled_from([*STAGE_ORDER, None]),
    st.integers(0, 400),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, max_size=20))
def test_the_ledger_is_conserved_over_any_history(steps):
    """Out of order, of one second, of deleted leads, of no known status, after the day looked at."""
    got = stays(steps)
    table = lead_ledger.ledger_by_round(got)
    sides = table[["converted", "disqualified", "returned", "with_sales"]].sum(axis=1)
    assert (table["handed_over"] == sides).all()
    ends = table[["requalified", "closed_in_nurture", "in_nurture"]].sum(axis=1)
    assert (table["returned"] == ends).all()
    entries = lead_ledger.entries_to_sales(got)
    assert sum(entries.values()) == table["handed_over"].sum()
    assert entries["with marketing"] <= 3
    assert len(table) == lead_ledger.MOST_ROUNDS
    n_open = sum(s[1] == "open" and s[0] != "deleted" and s[2] < 365 for s in steps)
    n_steps = got.n_unknown + got.n_nameless + got.n_later + n_open
    assert len(steps) >= n_steps + len(got.rows)
    by_lead = got.rows.groupby("lead_id")["went_to"]
    assert (by_lead.apply(lambda g: (g == -1).sum()) == 1).all()  # each lead is in one place
    again = stays(sorted(steps, key=lambda s: (s[2], str(s[1]))))
    pd.testing.assert_frame_equal(table, lead_ledger.ledger_by_round(again))


def test_a_lead_that_came_back_twice_by_hand(figure):
    """L0: sales, back, sales, back, sales, won.  L1: sales, back, gone.  L2: never handed over."""
    steps = [
        ("L0", "mql", 1), ("L0", "sal", 2), ("L0", "nurture", 5), ("L0", "mql", 40),
        ("L0", "nurture", 50), ("L0", "sql", 80), ("L0", "converted", 90),
        ("L1", "mql", 3), ("L1", "nurture", 9), ("L1", "disqualified", 30), ("L2", "nurture", 3),
    ]  # fmt: skip
    table = lead_ledger.ledger_by_round(stays(steps))
    assert table["handed_over"].tolist() == [2, 1, 1]
    assert table["returned"].tolist() == [2, 1, 0]
    assert table["requalified"].tolist() == [1, 1, 0]
    assert table["closed_in_nurture"].tolist() == [1, 0, 0]
    assert table["converted"].tolist() == [0, 0, 1]
    few = lead_ledger.ledger_by_round(stays(steps), most_rounds=2)
    assert few["handed_over"].tolist() == [2, 2]  # no lead goes round unseen
    figure("002-17", "4 hand-overs: 3 returned, 1 won; returned: 2 back with sales, 1 gone")


def test_a_conversion_that_the_history_lacks_is_dated_by_the_lead():
    """L0 has steps and a day of conversion; L1 has no step at all and is in no round."""
    got = stays([("L0", "mql", 1)], converted=(0, 1))
    assert lead_ledger.ledger_by_round(got)["converted"].tolist() == [1, 0, 0]
    assert got.rows["lead_id"].unique().tolist() == ["L0"]


def test_a_lead_that_qualified_again_goes_back_to_its_rep(figure):
    """L0 was r1's and is again; L1 went from r1 to r2; nobody logged a contact with L2 since."""
    steps = [
        (lead, *s) for lead in ("L0", "L1", "L2") for s in (("mql", 1), ("nurture", 5), ("mql", 40))
    ]
    contacts = pd.DataFrame(
        [("L0", "r0", 1), ("L0", "r1", 3), ("L0", "r1", 45), ("L1", "r1", 2), ("L1", "r2", 41), ("L2", "r1", 2)],
        columns=["lead_id", "rep_id", "started_at"],
    )  # fmt: skip
    contacts["started_at"] = START + pd.to_timedelta(contacts["started_at"].astype(float), unit="D")
    got = recycling.routed_back(stays(steps), contacts).set_index("lead_id")
    assert got["is_back"].astype(object).where(got["is_back"].notna(), None).tolist() == [
        True,
        False,
        None,
    ]
    assert got["credited_rep"].tolist() == ["r0", "r1", "r1"]
    assert got.index.is_unique  # credit once
    figure("002-18", "1 of 2 leads with contacts on both sides went back; credit once a lead")
