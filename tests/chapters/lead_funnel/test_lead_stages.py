"""A lead's way: what it skipped, where it turned back, when it was watched, and where it stood."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_panels import funnel, lead

from analysis.chapters.lead_funnel import cohorts, funnel_answer, stages
from analysis.project.errors import CrmDataError


def test_a_skipped_stage_takes_the_earlier_of_its_own_and_later_dates():
    """MQL on day 3, SQL never, opportunity on 20, SAL logged only on 25: SAL and SQL are of day 20."""
    (row,) = funnel(lead(mql=3, sal=25, opportunity=20)).rows.to_dict("records")
    assert [row[f"by_{s}"] for s in ("mql", "sal", "sql", "opportunity")] == [3, 20, 20, 20]
    assert row["sal"] == 25


def test_all_stages_want_every_date_in_order_any_stages_want_none():
    """One by the book, one that skipped SAL, one whose SQL lies before its SAL."""
    rows = funnel(
        lead(mql=1, sal=2, sql=3, opportunity=4),
        lead(mql=1, sql=3, opportunity=4),
        lead(mql=1, sal=3, sql=2, opportunity=4),
        lead(),
    ).rows
    counts = cohorts.funnel_counts(rows).set_index("stage")
    assert counts["n_any"].tolist() == [4, 3, 3, 3, 3, 0]
    assert counts["n_all"].tolist() == [4, 3, 2, 1, 1, 0]
    assert counts.loc["mql", ["of_before", "of_all"]].tolist() == [0.75, 0.75]
    assert counts.loc["sal", ["of_before", "of_all"]].tolist() == [1.0, 0.75]


def test_a_stage_that_nobody_exported_is_unknown_and_not_unreached():
    """No deals, and no SAL in this CRM: the funnel has neither, and nobody is said to win nothing."""
    rows = [lead(mql=1, sql=3, opportunity=4, outcome="not exported") for _ in range(12)]
    got = funnel(*rows, lead())
    assert got.stages == ("mql", "sql", "opportunity")
    counts = cohorts.funnel_counts(got.rows, stages=got.stages)
    assert counts["stage"].tolist() == ["lead", "mql", "sql", "opportunity"]
    assert counts["n_all"].tolist() == [13, 12, 12, 12]
    assert cohorts.stage_passages(got)["step"].tolist()[-1] == "SQL to Opportunity"
    assert cohorts.cohort_shares(got)["won"].isna().all()
    assert counts["amount"].isna().all()
    assert funnel(lead(opportunity=4, outcome="lost")).stages == ("opportunity", "won")


def test_a_date_before_the_lead_came_puts_it_in_no_figure_but_a_days_slack():
    got = funnel(lead(mql=-2), lead(mql=-1), lead(mql=0))
    assert (len(got.rows), got.n_contradictory) == (2, 1)
    assert got.rows["mql"].tolist() == [0, 0]


def test_leads_that_came_after_they_got_further_leave_no_share_to_tell():
    """Imported leads: 2 of 20 that got further are left out for their dates, and 2 of 19."""
    few = [lead(opportunity=3)] * 18 + [lead(opportunity=-9)] * 2
    funnel_answer._require_dates(funnel(*few))
    with pytest.raises(CrmDataError, match="2 of 19 that got further have a date before the day"):
        funnel_answer._require_dates(funnel(*few[1:]))


def test_what_happens_after_the_day_is_not_known_on_it():
    """On 31 January the first was no MQL yet, the second had not come."""
    got = funnel(lead(mql=40), lead(60), as_of=dt.date(2025, 1, 31))
    assert got.rows["age"].tolist() == [30]
    assert got.rows["by_mql"].isna().all()


def test_a_lead_is_open_won_lost_or_unknown():
    """Won on 50, lost on 40, disqualified on 9, open for 364 days; a deal in no export is left out."""
    got = funnel(
        lead(opportunity=20, won=50, outcome="won"),
        lead(opportunity=20, lost=40, outcome="lost"),
        lead(disqualified=9),
        lead(),
        lead(opportunity=20, outcome="not exported"),
    )
    way = stages.passage(got, "won")
    assert way.days.tolist() == [50, 40, 9, 364]
    assert way.ending.tolist() == [1, 2, 2, 0]
    assert way.n_unknown == 1
    assert stages.passage(got, "opportunity").ending.tolist() == [1, 1, 2, 0, 1]


def test_where_wins_are_logged_late_a_lead_is_watched_from_then_on():
    """Logged from day 100: the first is watched from its day 100 on, the second from 40; the lead
    that was lost on day 30 was never seen, and one that came later is watched from the start.
    """
    got = funnel(lead(), lead(60), lead(disqualified=30), lead(150, outcome="open"))
    way = stages.passage(got, "won", wins_since=dt.date(2025, 4, 11))
    assert way.entry.tolist() == [100, 40, 0]
    assert len(way.rows) == 3


def test_a_first_win_is_late_only_if_earlier_ones_had_to_be_expected():
    """Half of the leads win after 10 days; a hundred that came 100 days before the first win should
    have brought some fifty, two of them one.
    """
    later = [lead(110 + n, opportunity=5, won=10, outcome="won") for n in range(20)]
    later += [lead(110 + n) for n in range(20)]
    first = dt.date(2025, 1, 1) + dt.timedelta(days=120)
    old = [lead(20) for _ in range(100)]
    assert stages.late_logging(funnel(*old, *later), first) == first
    assert stages.late_logging(funnel(*old[:2], *later), first) is None
    assert stages.late_logging(funnel(*old, *later), None) is None


HISTORY = pd.DataFrame(
    [
        ("L0", "mql", "2025-01-03"), ("L0", "nurture", "2025-01-20"), ("L0", "mql", "2025-02-10"),
        ("L1", "mql", "2025-01-05"), ("L1", "sal", "2025-01-09"),
    ],
    columns=["lead_id", "lead_stage", "entered_at"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("day", "state"), [("2025-01-02", "lead"), ("2025-01-31", "nurture"), ("2025-02-28", "mql")]
)
def test_a_lead_that_moved_back_stood_there(day, state):
    """MQL on 3 January, handed back on the 20th, MQL again on 10 February; the other won on day 30."""
    got = funnel(
        lead(mql=2, recycled=19), lead(mql=4, sal=8, opportunity=20, won=30, outcome="won")
    )
    on = stages.states_on(got, HISTORY, dt.date.fromisoformat(day))
    assert on[state] >= 1
    assert on.sum() == 2
    assert stages.states_on(got, HISTORY, dt.date(2025, 2, 28))["won"] == 1


_DAYS = st.one_of(st.none(), st.integers(0, 200))
_LEADS = st.lists(
    st.fixed_dictionaries(
        {
            "came": st.integers(0, 364), "mql": _DAYS, "sal": _DAYS, "sql": _DAYS, "opportunity": _DAYS,
            "won": _DAYS, "lost": _DAYS, "disqualified": _DAYS, "recycled": _DAYS,
            "outcome": st.sampled_from([None, "won", "lost", "open", "not exported"]),
        }
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(deadline=None, max_examples=20)
@given(_LEADS, st.integers(0, 364))
def test_of_the_leads_that_came_each_is_somewhere(drawn, days):
    """Per cohort won + lost + unknown + disqualified + handed back + open = leads, and so on any
    past day; as many or fewer get to each later stage, whatever order their dates are in.
    """
    got = funnel(*(lead(**row) for row in drawn))
    became = cohorts.what_became(got.rows)
    sizes = got.rows.groupby("cohort", observed=False).size()
    assert became.set_index("cohort")["n_leads"].to_dict() == sizes.to_dict()
    day = dt.date(2025, 1, 1) + dt.timedelta(days=days)
    on = stages.states_on(got, HISTORY, day)
    assert on.sum() == (got.rows["created_on"] <= pd.Timestamp(day)).sum()
    counts = cohorts.funnel_counts(got.rows)
    assert (counts["n_any"].diff().dropna() <= 0).all()
    assert (counts["n_all"] <= counts["n_any"]).all()
    way = stages.passage(got, "won")
    assert len(way.rows) + way.n_unknown == (len(got.rows) if "won" in got.stages else 0)


def test_the_property_of_conservation_is_shown(figure):
    """The rule of every cohort, on 60 leads of four quarters."""
    rows = [
        lead(6 * n, mql=2, opportunity=9 if n % 2 else None, won=40 if n % 4 == 1 else None,
             lost=50 if n % 4 == 3 else None, disqualified=30 if n % 6 == 0 else None)
        for n in range(60)
    ]  # fmt: skip
    became = cohorts.what_became(funnel(*rows).rows)
    rest = became["n_leads"] - became.drop(columns=["cohort", "n_leads"]).sum(axis=1)
    assert rest.tolist() == [0, 0, 0, 0]
    figure(
        "000-30",
        f"in = won + lost + disqualified + handed back + open per cohort: off by {rest.abs().sum()}",
    )
