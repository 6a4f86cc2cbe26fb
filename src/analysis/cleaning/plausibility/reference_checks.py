"""Ids that one table names and another should hold.

A join that matches nothing is a fault, not an answer.

A name that no row has, neither a clean one nor one that was set aside, is a wrong spelling of ids,
a second part of an export nobody read, or rows that are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import (
    DEALS,
    PAY,
    QUESTIONS,
    TARGETS,
    TEAMS,
    TIME,
    Bearing,
    bearing_of,
    is_answerable,
)
from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset


class Reference(NamedTuple):
    """A column whose ids are rows of another table."""

    table: str
    column: str
    parent: str
    key: str


SQL = read_statements(__name__)
REFERENCES = (
    Reference("activities", "opportunity_id", "opportunities", "opportunity_id"),
    Reference("leads", "opportunity_id", "opportunities", "opportunity_id"),
    Reference("asset_uses", "opportunity_id", "opportunities", "opportunity_id"),
    Reference("opportunities", "account_id", "accounts", "account_id"),
    Reference("activities", "account_id", "accounts", "account_id"),
    Reference("opportunities", "owner_rep_id", "reps", "rep_id"),
    Reference("leads", "owner_rep_id", "reps", "rep_id"),
    Reference("opportunities", "campaign_id", "campaigns", "campaign_id"),
    Reference("touches", "lead_id", "leads", "lead_id"),
)
_REPS_OF: dict[str, tuple[Bearing, str]] = {
    "rep_team_history": (TEAMS, "rep_id"),
    "compensation": (PAY, "rep_id"),
    "quotas": (TARGETS, "rep_id"),
    "activities": (TIME, "rep_id"),
}

DAYS_TO_FIRST_DEAL = 180  # employed: before, a rep may well own none
MOST_IN_ONE_TEAM = 0.8  # of reps in another team than their users' export says


def unknown_ids(data: Dataset) -> Iterator[CheckReading]:
    """Yield, for each column of ids, the share that is missing from the table the ids belong to."""
    for table, column, parent, key in REFERENCES:
        if not (data.n_clean.get(table) and data.n_in.get(parent) and data.filled(table, column)):
            continue
        columns = {"table": table, "name": column, "parent": parent, "key": key}
        n_rows, n_lost, n_ids, n_ids_lost = data.row(SQL["unknown_ids"], columns)
        ours: tuple[str, ...] = ()
        theirs: tuple[str, ...] = ()
        if n_ids_lost:
            ours = data.examples(SQL["strange_ids"], columns)
            theirs = data.examples(SQL["own_ids"], {"parent": parent, "key": key})
        yield CheckReading(
            f"unknown_{parent}",
            _bearing(table, parent),
            max(share_of(n_lost, n_rows), share_of(n_ids_lost, n_ids)),
            int(n_rows),
            f"{n_ids_lost:,} of {n_ids:,} ids that {table} names as {column} ({n_lost:,} of "
            f"{n_rows:,} rows) are in no row of {parent}{_sides(table, ours, parent, theirs)}.",
            table,
            (*ours, *theirs),
            int(n_lost),
        )


def _bearing(table: str, parent: str) -> Bearing:
    """Return what is in doubt: deals that are missing, or else the rows that name what is not
    there.
    """
    if parent == "opportunities":
        return DEALS
    if parent in ("accounts", "campaigns", "leads"):
        return Bearing((), ("index",))
    return bearing_of(table)


def _sides(table: str, ours: tuple[str, ...], parent: str, theirs: tuple[str, ...]) -> str:
    if not ours:
        return ""
    return f"; {table} says {', '.join(ours)}, {parent} {', '.join(theirs) or 'nothing'}"


# Reps who left: deals they closed, and how many their team's pace lets expect once a sales cycle was over.
MANY_CLOSES = 6  # by chance none comes of six once in four hundred


def unknown_parents(data: Dataset) -> Iterator[CheckReading]:
    """Yield, for each table, the rows set aside because the record they name is in no file."""
    for r in data.rows("select * from unknown_parents order by table_name, parent"):
        if not data.n_in.get(r.parent):
            continue  # no export of it at all: nothing was promised
        key = next(c.name for c in data.columns(r.parent) if c.is_required)
        theirs = data.examples(SQL["own_ids"], {"parent": r.parent, "key": key})
        ours = tuple(map(str, r.examples))
        bearing = bearing_of(r.table_name)
        if r.parent in ("opportunities", "activities"):
            bearing = bearing_of(r.parent)
        yield CheckReading(
            f"children_of_unknown_{r.parent}",
            bearing,
            share_of(r.n_rows, r.n_table),
            int(r.n_table),
            f"{r.n_rows:,} of {r.n_table:,} rows of {r.table_name} name {r.n_ids:,} {r.parent} "
            f"that no file holds{_sides(r.table_name, ours, r.parent, theirs)}.",
            r.table_name,
            (*ours, *theirs),
            int(r.n_rows),
        )


def reps_without(data: Dataset) -> Iterator[CheckReading]:
    """Yield how many reps have no team, pay, quota, activity or meeting where others have."""
    for table, (bearing, key) in _REPS_OF.items():
        if data.has("reps", table):
            yield data.odd_share(
                f"reps_without_{table}",
                bearing,
                table,
                source="reps",
                key="rep_id",
                odd="rep_id not in (" + query_text([key], quote_identifier(table)) + ")",
                among="role = 'rep' and coalesce(is_active, true)",
                sentence=f"{{}} active reps have no row in {table}.",
            )
    if data.has("reps", "opportunities"):
        yield data.odd_share(
            "reps_without_opportunities",
            DEALS,
            "opportunities",
            source="reps",
            key="rep_id",
            odd="rep_id not in (select id from (select unnest([owner_rep_id, owner_at_close_rep_id]) as id "
            "from opportunities) where id is not null) "
            "and rep_id not in (select rep_id from opportunity_splits where rep_id is not null)",
            among="role = 'rep' and coalesce(is_active, true) "
            f"and coalesce(hired_on <= getvariable('as_of') - {DAYS_TO_FIRST_DEAL}, true) "
            "and exists (select 1 from opportunities where owner_rep_id in (select rep_id from reps))",
            sentence=(
                "{} active reps own no deal, open or closed: the export may hold some owners' "
                "deals only."
            ),
        )
        if data.has("quotas"):
            data.connection.execute(SQL["leavers"])
            yield data.odd_share(
                "leavers_without_deals",
                Bearing(("growth", "pay"), ("bookings", "worth")),
                "opportunities",
                source="leavers",
                key="rep_id",
                odd="n_closed = 0",
                among=f"expected >= {MANY_CLOSES}",
                sentence="{} reps who left own not one closed deal, where their team's pace lets expect "
                f"{MANY_CLOSES} or more: their deals may have been given to others.",
            )
        yield data.odd_share(
            "two_users_of_a_person",
            Bearing(("growth", "pay"), ("bookings", "hours", "cost", "worth", "index")),
            "reps",
            source="reps",
            key="rep_id",
            odd="contains(coalesce(flagged_by, ''), 'two_users_of_a_person')",
            among="rep_id in (select owner_rep_id from opportunities)",
            sentence="{} owners of deals have a second user record with the same e-mail address.",
        )
    if data.has("reps", "activities"):
        data.connection.execute(SQL["reps_with_meetings"])
        yield data.odd_share(
            "reps_without_meetings",
            TIME,
            "activities",
            key="rep_id",
            odd="n_meetings = 0",
            among="n_with * 4 >= n_reps",
            source="reps_with_meetings",
            sentence=(
                "{} reps have calls or tasks and not one meeting: a calendar that was not exported."
            ),
        )


def people_without_users(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether people are only known from the rows that name them, not from a users' export."""
    files = data.account.files
    if data.has("reps") and files:
        yield CheckReading(
            "people_without_users",
            Bearing((), tuple(q for q in QUESTIONS if is_answerable(q, data.n_in))),
            float(all("reps" not in file.tables for file in files)),
            data.n_clean["reps"],
            f"No export of users: {data.n_clean['reps']:,} people whom deals and lists name stand "
            "for the reps, managers and machines among them.",
            "reps",
        )


def teams_of_users(data: Dataset) -> Iterator[CheckReading]:
    """Yield how many reps are in another team today than the users' export says, where it mostly
    says the same, or puts into several teams whom the stays put into one.
    """
    if not data.has("rep_team_history", "teams", "reps"):
        return
    n, n_odd, named, n_in_one, n_teams = data.row(
        """
        with compared as (
          select h.rep_id, h.team_id, u.team_id as users_team, h.team_id <> u.team_id as is_odd
          from rep_team_history h join teams_of_users u using (rep_id) join reps r using (rep_id)
          where h.valid_from <= getvariable('as_of') and coalesce(h.valid_to > getvariable('as_of'), true)
            and r.role = 'rep' and coalesce(r.is_active, true) and u.team_id in (select team_id from teams))
        select count(*), count(*) filter (is_odd), list(rep_id order by rep_id) filter (is_odd),
          count(*) filter (is_odd and team_id = (select mode(team_id) from compared where is_odd)),
          count(distinct users_team) filter (is_odd) from compared"""
    )
    is_heaped = n_teams > 1 and n_in_one >= MOST_IN_ONE_TEAM * n_odd
    if n_odd * 2 <= n or is_heaped:  # else users are sorted by something else than teams
        yield CheckReading(
            "teams_of_users",
            Bearing((), ("worth", *TEAMS.decides)),
            share_of(n_odd, n),
            int(n),
            (
                f"{n_odd:,} of {n:,} reps are in another team by rep_team_history than by the "
                "users' export."
            ),
            "rep_team_history",
            tuple((named or [])[:3]),
            int(n_odd),
        )


def bookings_without_team(data: Dataset) -> Iterator[CheckReading]:
    """Yield the share of bookings of the days on which their owner was in no team."""
    if not data.has("rep_team_history", "opportunities"):
        return
    lost, whole, n_lost, n = data.row(
        """
        select sum(deal_amount) filter (team_id = 'unassigned'), sum(deal_amount),
          count(*) filter (team_id = 'unassigned'), count(*)
        from won_deals"""
    )
    yield CheckReading(
        "bookings_without_team",
        Bearing(("growth", "pay"), ("cost", "worth")),
        share_of(lost, whole),
        int(n),
        f"{n_lost:,} of {n:,} won deals ({share_of(lost, whole):.1%} of bookings) belong to no "
        "team on the day they closed.",
        "rep_team_history",
        (),
        int(n_lost),
    )
