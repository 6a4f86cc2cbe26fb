"""Clean tables → panels: a row a rep and week, a rep and quarter, a team and quarter, a deal won, a lead.

A person's past is cut by the history of teams: hours and bookings belong to the team of the day,
so the teams' sums are the company's.  Weeks without any logging are unknown, not zero, and carry
no hours.  Only inputs stand here; models join their own results.

The fiscal quarters that the data touch, and which of them they cover whole.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from analysis.cleaning.hours import UNIONS
from analysis.panels import deals, employment, lead_dates, leads, logging, sales_ready
from analysis.project import quarters
from analysis.sources.database import insert_rows, quote_identifier, set_variable
from analysis.tables.canonical import SELLING_DEFINITIONS
from analysis.tables.columns import SQL_TYPES
from analysis.tables.panel_tables import PANELS, UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from analysis.project.settings import Settings
    from analysis.sources.own_definitions import Definition

TEAM_HOURS = (*SELLING_DEFINITIONS, "late_selling_hours", "logged_hours")
PAY = ("base_amount", "commission_amount", "fringe_amount", "overhead_amount")


def _sums(measures: tuple[str, ...], condition: str) -> str:
    """Return the SQL of each measure's sum over the rows that are `condition`.

    Missing where none is.

    Days without an entry in a known week are zero; a measure that is missing on all others stays
    so.
    """
    return ", ".join(
        f"case when bool_or({condition}) then round(coalesce(sum({m}) filter ({condition}), "
        f"{'case when exists (from stage_history) then 0 end' if m == 'late_selling_hours' else 0}), 4) end as {m}"
        for m in measures
    )


_TIME_AT_WORK = """round(coalesce(sum(fte * getvariable('hours_per_day')) filter (is_weekday), 0), 4) as paid_hours,
  round(coalesce(sum(fte * getvariable('hours_per_day')) filter (is_workday and not is_off), 0), 4) as available_hours"""


def _rep_week(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        create or replace table rep_week as
        select w.* exclude (n_workdays, n_days, is_logged, is_refused), q.is_partial,
          case when is_refused then 'refused_source' when not is_logged then 'no_logging' when n_workdays < 5 then 'partial_week'
          else 'ok' end as coverage, {deals.measure_columns(deals.MEASURES)}, {employment.PAY_COLUMNS}
        from (select rep_id, week_start, arg_min(team_id, day) as team_id, any_value(role) as role, arg_min(region, day) as region,
                arg_min(segment, day) as segment, arg_min(quarter, day) as quarter, {_TIME_AT_WORK},
                {_sums(tuple(UNIONS), "is_logged")}, coalesce(sum(n_activities), 0)::bigint as n_activities,
                {employment.shifter_sums()}, count(*) as n_days, count(*) filter (is_weekday) as n_workdays,
                bool_or(is_logged) as is_logged, bool_or(is_refused) as is_refused
              from timed_days group by rep_id, week_start) w
        join quarters q using (quarter)
        left join (select rep_id, week_start, {deals.measure_sums(deals.MEASURES)} from deals group by all) d using (rep_id, week_start)
        left join (select rep_id, week_start, {employment.PAID} from pay_weeks group by all) p
          on p.rep_id = w.rep_id and p.week_start = w.week_start and p.n_paid_days = w.n_days"""
    )


def _rep_quarter(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        create or replace table rep_quarter as
        select w.*, q.is_partial, {deals.measure_columns(deals.MEASURES)}, round(quota_amount, 2) as quota_amount, {employment.PAY_COLUMNS}
        from (select rep_id, team_id, any_value(role) as role, any_value(region) as region, any_value(segment) as segment, quarter,
                count(*) as days_employed, {_TIME_AT_WORK},
                count(*) filter (is_weekday) / 5.0 as weeks_employed,
                coalesce(count(*) filter (is_weekday and is_logged) / nullif(count(*) filter (is_weekday), 0), 0) as logged_share,
                {_sums(tuple(UNIONS), "is_logged")}, {employment.shifter_sums()}
              from timed_days group by rep_id, team_id, quarter) w
        join quarters q using (quarter)
        left join (select rep_id, team_id, quarter, {deals.measure_sums(deals.MEASURES)} from deals group by all) d using (rep_id, team_id, quarter)
        left join target using (rep_id, team_id, quarter)
        left join (select rep_id, team_id, quarter, {employment.PAID} from pay_weeks group by all) p on p.rep_id = w.rep_id
          and p.team_id = w.team_id and p.quarter = w.quarter and p.n_paid_days = w.days_employed"""
    )


def _team_quarter(connection: duckdb.DuckDBPyConnection) -> None:
    measures = deals.MEASURES | deals.OPEN
    pay = ", ".join(
        f"case when count({c}) = count(*) then round(sum({c}), 2) end as {c}" for c in PAY
    )
    shifters = ", ".join(f"sum({k}_days)::bigint as {k}_days" for k in employment.SHIFTERS)
    connection.execute(
        f"""
        create or replace table team_quarter as
        with moves as (
          select team_id, quarter, count(*) filter (came) as n_reps_moved_in, count(*) filter (went) as n_reps_moved_out
          from (select s.team_id, q.quarter,
              s.from_day >= q.from_day and s.from_day < q.until_day and exists (from stays_ever b where b.rep_id = s.rep_id
                and b.until_day = s.from_day and b.team_id <> s.team_id) as came,
              s.until_day >= q.from_day and s.until_day < q.until_day and exists (from stays_ever n where n.rep_id = s.rep_id
                and n.from_day = s.until_day and n.team_id <> s.team_id) as went
            from stays_ever s join quarters q on s.from_day < q.until_day and s.until_day >= q.from_day)
          group by all)
        select k.team_id, t.team_name, t.region, t.segment, k.quarter, coalesce(n_reps, 0) as n_reps,
          coalesce(n_days / (q.until_day - q.from_day), 0) as average_reps, coalesce(n_reps_moved_in, 0) as n_reps_moved_in,
          coalesce(n_reps_moved_out, 0) as n_reps_moved_out, q.is_partial, logged_share, g.coverage, g.logging_change,
          g.entries_per_week, {", ".join(TEAM_HOURS)}, {", ".join(f"{s}_days" for s in employment.SHIFTERS)}, {deals.measure_columns(measures)},
          n_won / nullif(n_won + n_lost, 0) as win_rate, r.rerouted_share, {leads.step_columns()}, quota_amount, {", ".join(PAY)}
        from (select distinct team_id, quarter from (select team_id, quarter from rep_quarter
            union all select team_id, quarter from deals union all select team_id, quarter from funnel)) k
        left join (select team_id, quarter, count(distinct rep_id) as n_reps, sum(days_employed) as n_days,
                round(sum(logged_share * weeks_employed) / nullif(sum(weeks_employed), 0), 12) as logged_share,
                {_sums(TEAM_HOURS, "logged_share > 0")}, round(sum(quota_amount), 6) as quota_amount, {shifters}, {pay}
              from rep_quarter group by all) w using (team_id, quarter)
        left join (select team_id, quarter, {deals.measure_sums(measures)} from deals group by all) d using (team_id, quarter)
        left join funnel f using (team_id, quarter)
        left join rerouted r using (team_id, quarter)
        left join moves m using (team_id, quarter)
        left join team_logging g using (team_id, quarter)
        join quarters q using (quarter)
        left join teams t using (team_id)"""
    )


def _observed_days(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``observed_days``; a day on which the rep was in no team is not in it."""
    connection.execute(
        """
        create or replace table observed_days as
        select s.rep_id, s.day, t.week_start, t.quarter, s.observed_hours,
          case when t.is_logged and not t.is_refused then round(coalesce(t.selling_hours, 0), 4) end as recorded_hours
        from time_study s join timed_days t on t.rep_id = s.rep_id and t.day = s.day"""
    )


def make_panels(
    connection: duckdb.DuckDBPyConnection,
    first_day: dt.date,
    as_of: dt.date,
    settings: Settings,
    *,
    definitions: Sequence[Definition] = (),
) -> None:
    """Make the panels of `panel_tables.PANELS`, and ``quarters``, from the clean tables in the
    database; `definitions` are the versions of what makes a lead sales-ready.
    """
    set_variable(connection, "first_day", first_day)
    set_variable(connection, "hours_per_day", settings.working_time.hours_per_day)
    make_quarters(connection, first_day, as_of, settings.company.fiscal_year_start_month)
    employment.make_employment(connection)
    deals.make_deals(connection)
    leads.make_lead_steps(connection, UNASSIGNED)
    lead_dates.make_lead_dates(connection)
    sales_ready.make_sales_ready(connection, definitions)
    logging.make_team_logging(connection, settings.hours.minimum_logged_share)
    for make in (_rep_week, _rep_quarter, _team_quarter, _observed_days):
        make(connection)
    for table in PANELS.values():
        columns = ", ".join(
            f"{quote_identifier(c.name)}::{SQL_TYPES[c.kind]} as {quote_identifier(c.name)}"
            for c in table.columns
        )
        order = ", ".join(map(quote_identifier, table.key))
        connection.execute(
            f"create or replace table {quote_identifier(table.name)} as select {columns} from {quote_identifier(table.name)} order by {order}"
        )


SLACK_WORKING_DAYS = 5  # days without data at a quarter's start before it is called partial


def quarter_rows(
    first_day: dt.date, as_of: dt.date, fiscal_year_start_month: int
) -> list[tuple[str, dt.date, dt.date, bool]]:
    """Return every fiscal quarter the data touch.

    Name, first day, first day after, whether partial.

    A quarter is partial where a working day of it lies after `assessment`, or more than five before
    `first_day`.

    Examples
    --------
    >>> [row[0] for row in quarter_rows(dt.date(2017, 3, 1), dt.date(2017, 6, 30), 1) if row[3]]
    ['2017Q1']
    """
    month = fiscal_year_start_month
    quarter, last = (
        quarters.quarter_containing(first_day, month),
        quarters.quarter_containing(as_of, month),
    )
    rows = []
    while quarter <= last:
        start, end = quarter.start(month), quarter.end(month)
        before = quarters.working_days(start, max(start, first_day))
        after = quarters.working_days(min(end, as_of + dt.timedelta(days=1)), end)
        rows.append((str(quarter), start, end, before > SLACK_WORKING_DAYS or after > 0))
        quarter = quarter.shifted(1)
    return rows


def make_quarters(
    connection: duckdb.DuckDBPyConnection,
    first_day: dt.date,
    as_of: dt.date,
    fiscal_year_start_month: int,
) -> None:
    """Make the table ``quarters``."""
    connection.execute(
        "create or replace table quarters (quarter varchar, from_day date, until_day date, is_partial boolean)"
    )
    insert_rows(connection, "quarters", quarter_rows(first_day, as_of, fiscal_year_start_month))
