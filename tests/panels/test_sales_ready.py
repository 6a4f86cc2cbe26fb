"""Versions of what makes a lead sales-ready, replayed on leads by what was known of them then."""

import datetime as dt

import pytest
from shared_session import undone_session

from analysis.panels import sales_ready
from analysis.project.errors import OwnMapError
from analysis.sources.own_definitions import Definition, parse_definitions

LEADS = [  # lead, person, source, days from 2026-01-01: came, became an opportunity
    ("L1", "p1", "Web", 0, None), ("L2", "p2", "Web", 40, None), ("L3", "p3", None, 40, 45),
]  # fmt: skip
TOUCHES = [  # person, campaign, day, responded
    ("p1", "c1", 3, True), ("p1", "c2", 5, True), ("p1", "c1", 31, True), ("p2", "c1", 41, False),
    ("p3", "c2", 50, True),
]  # fmt: skip
FIRST = dt.date(2026, 1, 1)


def day(number):
    return None if number is None else FIRST + dt.timedelta(days=number)


def replayed(*definitions: Definition, touches=TOUCHES):
    """Return (is ready, is in force) of each lead by version."""
    with undone_session() as connection:
        connection.execute("set variable time_zone = 'UTC'")
        connection.execute(
            """
            create macro local_day(moment) as timezone(getvariable('time_zone'), moment)::date;
            create table leads (lead_id varchar, person_key varchar);
            create table lead_dates (lead_id varchar, created_on date, lead_source varchar,
              segment varchar, team_id varchar, mql_on date, opportunity_on date);
            create table campaigns (campaign_id varchar, campaign_type varchar);
            create table touches (person_key varchar, campaign_id varchar, touched_at timestamptz,
              is_response boolean);
            create table reps (rep_id varchar, role varchar);
            insert into campaigns values ('c1', 'Webinar'), ('c2', 'Email');
            insert into reps values ('boss', 'manager'), ('mark', 'marketing')"""
        )
        for lead, person, source, came, deal in LEADS:
            connection.execute("insert into leads values (?, ?)", [lead, person])
            connection.execute(
                "insert into lead_dates values (?, ?, ?, 'SMB', 'T', null, ?)",
                [lead, day(came), source, day(deal)],
            )
        for person, campaign, number, responded in touches:
            connection.execute(
                "insert into touches values (?, ?, ?, ?)",
                [person, campaign, day(number), responded],
            )
        sales_ready.make_sales_ready(connection, definitions)
        rows = connection.execute(
            "select definition, approval, lead_id, is_sales_ready, is_in_force from sales_ready_leads order by all"
        ).fetchall()
    return {
        (name, approval): [(ready, force) for n, _, _, ready, force in rows if n == name]
        for name, approval, *_ in rows
    }


def version(name, when, *, since=0, by="boss", side="both"):
    text = f'[[definition]]\nname = "{name}"\nside = "{side}"\nvalid_from = {day(since)}\napproved_by = "{by}"\nwhen = "{when}"'
    return parse_definitions(text)[0]


def test_only_what_was_known_in_the_first_thirty_days_counts(figure):
    """L1's third answer came on day 31, L2 never answered, L3 answered after it was a deal."""
    got = replayed(version("v1", "n_responses >= 2"), version("v2", "n_responses = 3"))
    assert [ready for ready, _ in got["v1", "sales"]] == [True, False, False]
    assert [ready for ready, _ in got["v2", "sales"]] == [False, False, False]
    figure("002-15", "of 3 leads one would have qualified by two answers in 30 days, none by three")


def test_what_a_version_cannot_decide_stays_undecided():
    """L3 has no source; without any touches nobody knows who answered."""
    got = replayed(version("v1", "lead_source = 'Web'"))
    assert [ready for ready, _ in got["v1", "sales"]] == [True, True, None]
    blind = replayed(version("v1", "n_responses > 0"), touches=[])
    assert [ready for ready, _ in blind["v1", "sales"]] == [None, None, None]


def test_each_lead_has_the_agreed_version_of_its_day():
    """v2 replaced v1 on day 20; marketing's own and an unapproved one are never in force."""
    got = replayed(
        version("v1", "true"), version("v2", "true", since=20), version("own", "true", side="marketing"),
        version("draft", "true", since=30, by=""),
    )  # fmt: skip
    assert [force for _, force in got["v1", "sales"]] == [True, False, False]
    assert [force for _, force in got["v2", "sales"]] == [False, True, True]
    assert not any(force for _, force in got["own", "sales"] + got["draft", "nobody"])


def test_approval_of_marketing_or_of_a_stranger_is_rejected(figure):
    got = replayed(version("a", "true", by="mark"), version("b", "true", by="who"))
    assert set(got) == {("a", "not of sales"), ("b", "unknown")}
    assert not any(force for rows in got.values() for _, force in rows)
    figure(
        "002-15",
        "approved by a marketer: not of sales; by nobody known: unknown; neither is in force",
    )


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("is_won", r"definition v1: when cannot be replayed: .*is_won.*may ask for created_on"),
        ("n_responses", r"it is a bigint, neither true nor false"),
        ("count(*) > 1", r"definition v1: when cannot be replayed"),
        ("lead_source::int > 1", r"definition v1: when cannot be replayed"),
    ],
)
def test_a_version_that_asks_for_what_leads_do_not_have_is_refused(when, words):
    with pytest.raises(OwnMapError, match=words):
        replayed(version("v1", when))
