"""A small company whose clean tables are plausible throughout, made in the database; what a test changes, it takes back.

Six reps in two teams, who change teams on 1 July 2025; 300 deals (a third each won, lost and open), a meeting of
each rep on every weekday of 2025, pay, quotas, rates, the deals' history and finance's totals.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from typing import TYPE_CHECKING

import pytest
from crm_tables import define, stand
from empty_project import make_project

from analysis.cleaning import hours, pipeline, reconciliation, second_entries, set_aside_spread
from analysis.cleaning.plausibility import gate
from analysis.cleaning.plausibility.checks import reading_severity
from analysis.cleaning.plausibility.dataset import Dataset
from analysis.panels import build
from analysis.project import settings
from analysis.sources import database
from analysis.sources.database import quote_identifier
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import duckdb

    from analysis.cleaning.plausibility.checks import CheckReading

AS_OF = dt.date(2025, 12, 31)

COMPANY = """
insert into reps by name
select 'R' || i as rep_id, 'rep' as role, date '2024-01-01' as hired_on, 1.0 as fte, true as is_active, 'UTC' as time_zone
from range(6) t(i);

insert into teams by name select 'T' || i as team_id, 'Team ' || i as team_name from range(2) t(i);

insert into rep_team_history by name
select 'R' || i as rep_id, 'T' || i % 2 as team_id, date '2024-01-01' as valid_from, date '2025-07-01' as valid_to from range(6) t(i)
union all
select 'R' || i, 'T' || (i + 1) % 2, date '2025-07-01', null from range(6) t(i);

insert into compensation by name
select 'R' || i as rep_id, date '2024-01-01' as valid_from, date '2025-04-10' as valid_to, 100000 + 1000 * i as base_amount,
  0.1 as commission_rate, 0.2 as fringe_rate from range(6) t(i)
union all
select 'R' || i, date '2025-04-10', null, 104000 + 1000 * i, 0.1, 0.2 from range(6) t(i);

insert into quotas by name
select 'R' || i as rep_id, make_date(2025, 3 * q + 1, 1) as period_start, make_date(2025, 3 * q + 1, 1) + interval 3 month as period_end,
  40000 as quota_amount from range(6) t(i), range(4) s(q);

insert into fx_rates by name
select 'EUR' as currency, date '2024-01-01' as valid_from, date '2025-05-15' as valid_to, 1.2 as rate_to_reporting
union all select 'EUR', date '2025-05-15', null, 1.1;

insert into accounts by name select 'A' || i as account_id, 'Account ' || i as account_name from range(30) t(i);

insert into opportunities by name
select 'D' || lpad(i::varchar, 3, '0') as opportunity_id, 'A' || i % 30 as account_id, 'R' || i % 6 as owner_rep_id, 'USD' as currency,
  1.0 as fx_rate, 10000 + 100 * (i % 7) as raw_amount, 10000 + 100 * (i % 7) as deal_amount, 'new' as opportunity_type,
  ['won', 'lost', 'open'][(i * 7) // 3 % 3 + 1] as status,
  ['Closed Won', 'Closed Lost', 'Discovery'][(i * 7) // 3 % 3 + 1] as stage,
  [1.0, 0.0, 0.4][(i * 7) // 3 % 3 + 1] as probability, timestamptz '2025-01-01 09:00:00Z' + i * interval 1 day as created_at,
  date '2025-01-01' + i::int + 60 as close_date, 'Opportunity.csv' as source_file, i + 2 as source_row
from range(300) t(i);

insert into stage_history by name
select opportunity_id, 'Qualification' as stage, created_at as entered_at, 1 as stage_order, raw_amount, close_date from opportunities
union all
select opportunity_id, stage, close_date::timestamptz, 9, raw_amount, close_date from opportunities where status <> 'open'
union all
select opportunity_id, stage, created_at + interval 1 day, 2, raw_amount, close_date from opportunities where status = 'open';

insert into activities by name
select 'E' || lpad(row_number() over (order by day, i)::varchar, 4, '0') as activity_id, 'R' || i as rep_id, 'event' as kind,
  'selling' as activity_class, timezone('UTC', day + interval 10 hour) as started_at, timezone('UTC', day + interval 11 hour) as ended_at,
  60 as minutes, false as is_all_day,
  'D' || lpad((row_number() over (order by day, i) % 300)::varchar, 3, '0') as opportunity_id, 'Event.csv' as source_file
from range(6) t(i), (select unnest(generate_series(timestamp '2025-01-01', timestamp '2025-12-31', interval 1 day)) as day)
where isodow(day) < 6;

insert into leads by name
select 'L' || i as lead_id, 'R' || i % 6 as owner_rep_id, timestamptz '2025-01-01 09:00:00Z' + i * interval 1 day as created_at,
  'D' || lpad(i::varchar, 3, '0') as opportunity_id from range(300) t(i);

insert into attendees by name select activity_id, 'P' || rep_id as person_key, 'customer' as side from activities;

insert into finance_bookings by name
select '2025Q' || quarter(close_date) as quarter, sum(deal_amount) as bookings_amount
from opportunities where status = 'won' group by 1;
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield the database of the whole company, panels and all."""
    root = make_project(tmp_path_factory.mktemp("plausible"))
    with pytest.MonkeyPatch.context() as patch, database.open_session() as connection:
        patch.setitem(os.environ, "ALIGNMENT_ROI_ROOT", str(root))
        stand(connection)
        define(connection)
        database.set_variable(connection, "as_of", AS_OF)
        set_aside_spread.define_tables(connection, {})
        second_entries.define_tables(connection)
        connection.execute(COMPANY)
        hours.by_day(connection)
        build.make_panels(
            connection, dt.date(2025, 1, 1), AS_OF, settings.load_dataset_settings("here")
        )
        yield connection


def account(connection: duckdb.DuckDBPyConnection, **parts: object) -> pipeline.Audit:
    """Return the account of the tables as they stand: what was set aside came in too."""
    n_aside = dict(
        connection.execute("select table_name, count(*) from set_aside group by 1").fetchall()
    )
    every = " union all ".join(
        f"select '{name}', count(*) from {quote_identifier(name)}" for name in TABLES
    )
    tables = []
    for name, n_clean in connection.execute(every).fetchall():
        names = [c.name for c in TABLES[name].columns]
        filled = ", ".join(f"count({quote_identifier(column)})" for column in names)
        counts = (
            connection.execute(f"select {filled} from {quote_identifier(name)}").fetchone()
            if n_clean
            else ()
        )
        n = n_aside.get(name, 0)
        columns = dict(zip(names, counts or [0] * len(names), strict=True))
        tables.append(pipeline.TableAudit(name, n_clean + n, n_clean, n, 0, columns))
    reconciled = reconciliation.reconcile_quarters(connection, 1)
    whole = pipeline.Audit(
        "here", AS_OF, dt.date(2025, 1, 1), (), (), tuple(tables), (), reconciled, (), (), 0
    )
    return whole._replace(**parts)


@contextlib.contextmanager
def changed(
    connection: duckdb.DuckDBPyConnection, sql: str, *, panels: bool = False
) -> Iterator[None]:
    """Let the company be another one by some SQL, its panels made anew where they are asked for; then take it back."""
    connection.execute("begin")
    try:
        connection.execute(sql)
        if panels:
            hours.by_day(connection)
            build.make_panels(
                connection, dt.date(2025, 1, 1), AS_OF, settings.load_dataset_settings("here")
            )
        yield
    finally:
        connection.execute("rollback")


def dataset(connection: duckdb.DuckDBPyConnection, **parts: object) -> Dataset:
    """Return what the checks stand on, parts of the account as given."""
    return Dataset(connection, account(connection, **parts), settings.load_dataset_settings("here"))


def alarms(
    connection: duckdb.DuckDBPyConnection,
    reads: Callable[[Dataset], Iterable[CheckReading]] = gate.read_checks,
    **parts: object,
) -> dict[str, str]:
    """Return which checks warn or withhold, echoes included: all, or those of one function."""
    found: dict[str, str] = {}
    for reading in reads(dataset(connection, **parts)):
        level = reading_severity(reading)
        if level and found.get(reading.check) != "withhold":
            found[reading.check] = level
    return found
