"""What only a typed row still says, and the clean tables do not keep.

Names, days of change, sources.

Measured right after a table was judged, for `plausibility`: closed deals that stand there a second
time under another id, days on which a CRM noted anything by itself, and meetings that two sources
logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.database import quote_identifier, quote_literal

if TYPE_CHECKING:
    import duckdb

STAMPS = ("modified_at", "logged_at")
REPEATED_ENTRIES = ("double_logged", "near_duplicate")


def define_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty tables that `measure_entries` fills.

    ``same_deals``: closed deals that another one agrees with in name, account, amount, date and
    outcome. ``record_stamps``: rows by the day on which they were logged or changed.
    ``repeats_across``: repeats that another source, or the same one at another time, wrote.
    """
    connection.execute(
        """
        create temp table if not exists teams_of_users (rep_id varchar, team_id varchar);
        create or replace temp table same_deals (opportunity_id varchar, status varchar, money double);
        create or replace temp table record_stamps (table_name varchar, day date, n bigint);
        create or replace temp table repeats_across (table_name varchar, n bigint)"""
    )


def measure_entries(connection: duckdb.DuckDBPyConnection, table: str, source: str) -> None:
    """Measure a table that was just judged, while its typed rows stand in `source`."""
    there = {
        name for name, *_ in connection.execute(f"describe {quote_identifier(source)}").fetchall()
    }
    for column in STAMPS:
        if column in there:
            connection.execute(
                f"""
                insert into record_stamps
                select {quote_literal(table)}, {column}::date, count(*) from {quote_identifier(source)}
                where {column} is not null group by 2"""
            )
    if table == "opportunities":
        _same_deals(connection, source, has_names="record_name" in there)
    elif table == "activities" and _has_rows(connection, "activities"):
        _repeats_across(connection)


def _has_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return whether a row of a table was judged: ``candidates`` are another's otherwise."""
    judged = "select 1 from set_aside where table_name = ? and record_key is not null limit 1"
    return connection.execute(judged, [table]).fetchone() is not None


def _same_deals(connection: duckdb.DuckDBPyConnection, source: str, *, has_names: bool) -> None:
    """Keep each closed deal beyond the first of those that agree.

    Without a name the account has to be there.
    """
    names = (
        f"(select source_file, source_row, any_value(nullif(name_key(record_name), '')) as name "
        f"from {quote_identifier(source)} group by all)"
        if has_names
        else "(select null::varchar as source_file, null::bigint as source_row, null::varchar as name where false)"
    )
    connection.execute(
        f"""
        insert into same_deals
        with closed as (
          select o.*, n.name, coalesce(nullif(name_key(a.account_name), ''), o.account_id) as account
          from opportunities o left join {names} n using (source_file, source_row)
          left join accounts a on a.account_id = o.account_id
          where status in ('won', 'lost') and raw_amount <> 0 and close_date is not null
            and (n.name is not null or o.account_id is not null))
        select opportunity_id, status, coalesce(deal_amount, 0) from closed
        qualify row_number() over (
          partition by name, account, raw_amount, currency, close_date, status order by created_at, opportunity_id) > 1
        or name is not null and created_at is not null and row_number() over (
          partition by name, owner_rep_id, raw_amount, currency, close_date, status, created_at order by opportunity_id) > 1"""
    )


def _repeats_across(connection: duckdb.DuckDBPyConnection) -> None:
    """Count the meetings dropped as repeats that were written at another time or by another source
    than the one kept.
    """
    connection.execute(
        """
        insert into repeats_across
        select 'activities', count(*) from (
          select v.rule,
            first_value((source_file, origin, logged_at)) over (
              partition by rep_id, kind, subject, started_at, minutes order by v.rule is not null, logged_at, activity_id)
              is distinct from (source_file, origin, logged_at) as is_another
          from candidates left join verdicts v using (rid) where kind = 'event')
        where rule = 'near_duplicate' or (rule = 'double_logged' and is_another)"""
    )
