"""Clean tables → panels: a row a rep and week, a rep and quarter, a team and quarter.

A person's past is cut by the history of teams: hours and bookings belong to the team of the day,
so the teams' sums are the company's.  Weeks without any logging are unknown, not zero, and carry
no hours.  Only inputs stand here; models join their own results.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from analysis import quarters
from analysis.crm.engine import identifier, set_variable
from analysis.panel_schema import PANELS
from analysis.schema import ACTIVITY_CLASSES, SELLING_DEFINITIONS, SQL_TYPES

if TYPE_CHECKING:
    import duckdb

    from analysis.settings import Settings

UNASSIGNED = "unassigned"  # the team of deals whose owner was in none on the close date
SLACK_WORKING_DAYS = 5  # days without data at a quarter's start before it is called partial

MEASURES = (*SELLING_DEFINITIONS, *(f"{c}_class_hours" for c in ACTIVITY_CLASSES))


def quarter_rows(
    first_day: dt.date, as_of: dt.date, fiscal_year_start_month: int
) -> list[tuple[str, dt.date, dt.date, bool]]:
    """Return every fiscal quarter the data touch: name, first day, first day after, whether partial.

    A quarter is partial where a working day of it lies after `as_of`, or more than five before
    `first_day`.

    Examples
    --------
    >>> [row[0] for row in quarter_rows(dt.date(2017, 3, 1), dt.date(2017, 6, 30), 1) if row[3]]
    ['2017Q1']
    """
    month = fiscal_year_start_month
    quarter, last = quarters.containing(first_day, month), quarters.containing(as_of, month)
    rows = []
    while quarter <= last:
        start, end = quarter.start(month), quarter.end(month)
        before = quarters.working_days(start, max(start, first_day))
        after = quarters.working_days(min(end, as_of + dt.timedelta(days=1)), end)
        rows.append((str(quarter), start, end, before > SLACK_WORKING_DAYS or after > 0))
        quarter = quarter.shifted(1)
    return rows


def _sums(measures: tuple[str, ...], known: str) -> str:
    """Return the SQL of each measure's sum over the rows that are `known`; missing where none is."""
    return ", ".join(
        f"case when bool_or({known}) then round(coalesce(sum({m}) filter ({known}), 0), 4) end as {m}" for m in measures
    )


_EMPLOYMENT = """
create or replace temp table stays as
select h.rep_id, h.team_id, t.region, t.segment, coalesce(r.fte, 1.0) as fte,
  greatest(coalesce(h.valid_from, r.hired_on, getvariable('first_day')), coalesce(r.hired_on, getvariable('first_day')),
    getvariable('first_day')) as from_day,
  least(coalesce(h.valid_to, date '9999-12-31'), coalesce(r.left_on, date '9999-12-31'), getvariable('as_of') + 1) as until_day
from rep_team_history h join reps r using (rep_id) left join teams t using (team_id)
where r.role = 'rep';

create or replace temp table time_off as
select distinct rep_id, unnest(generate_series(started_at::date, greatest(started_at::date,
    least(coalesce(ended_at::date, started_at::date), getvariable('as_of'))), interval 1 day))::date as day
from activities where is_all_day and activity_class = 'time_off';

create or replace temp table rep_days as
select d.*, coalesce(c.is_workday, isodow(d.day) < 6) as is_workday, isodow(d.day) < 6 as is_weekday,
  o.day is not null as is_off, date_trunc('week', d.day)::date as week_start, fiscal_quarter(d.day) as quarter
from (select rep_id, team_id, region, segment, fte,
        unnest(generate_series(from_day, until_day - 1, interval 1 day))::date as day
      from stays where from_day < until_day) d
left join working_calendar c on c.date = d.day and c.region = d.region
left join time_off o on o.rep_id = d.rep_id and o.day = d.day;

create or replace temp table logged_weeks as
select coalesce(w.rep_id, a.rep_id) as rep_id, coalesce(w.week_start, a.week_start) as week_start
from (select rep_id, date_trunc('week', day)::date as week_start
      from rep_day_hours group by all having sum(n_activities - n_time_off) > 0) w
full join (select rep_id, week_start
      from rep_days group by all having bool_and(is_off or not is_workday) filter (is_weekday)) a using (rep_id, week_start);

create or replace temp table timed_days as
select d.*, w.week_start is not null as is_logged, h.* exclude (rep_id, day)
from rep_days d left join rep_day_hours h using (rep_id, day)
left join logged_weeks w on w.rep_id = d.rep_id and w.week_start = d.week_start;

create or replace temp table deals as
select o.opportunity_id, o.owner_rep_id as rep_id, o.status, o.deal_amount, e.kind, e.day, fiscal_quarter(e.day) as quarter,
  date_trunc('week', e.day)::date as week_start,
  coalesce((select min(s.team_id) from stays s where s.rep_id = o.owner_rep_id and s.from_day <= e.day and e.day < s.until_day),
    $unassigned) as team_id
from opportunities o, lateral (values ('closed', case when o.status <> 'open' then o.close_date end),
    ('created', o.created_at::date)) e(kind, day)
where e.day between getvariable('first_day') and getvariable('as_of');
"""

_DEALS = """round(coalesce(sum(round(deal_amount * 100)::bigint) filter (kind = 'closed' and status = 'won'), 0) / 100.0, 2) as bookings_amount,
  count(*) filter (kind = 'closed' and status = 'won') as n_won, count(*) filter (kind = 'closed' and status = 'lost') as n_lost,
  count(*) filter (kind = 'created') as n_created"""
_DEAL_COLUMNS = "coalesce(bookings_amount, 0) as bookings_amount, coalesce(n_won, 0) as n_won, coalesce(n_lost, 0) as n_lost, coalesce(n_created, 0) as n_created"


def _rep_week(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        create or replace table rep_week as
        select w.* exclude (n_workdays, is_logged), case when not is_logged then 'no_logging' when n_workdays < 5 then 'partial_week'
          else 'ok' end as coverage, {_DEAL_COLUMNS}
        from (select rep_id, week_start, arg_min(team_id, day) as team_id,
                round(sum(fte * getvariable('hours_per_day')) filter (is_workday and not is_off), 4) as available_hours,
                {_sums(MEASURES, "is_logged")}, coalesce(sum(n_activities), 0)::bigint as n_activities,
                count(*) filter (is_weekday) as n_workdays, bool_or(is_logged) as is_logged
              from timed_days group by rep_id, week_start) w
        left join (select rep_id, week_start, {_DEALS} from deals group by all) d using (rep_id, week_start)"""
    )


def _rep_quarter(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        create or replace temp table pay as
        select rep_id, team_id, quarter, sum(n * base_amount / days_in_year) as base_amount,
          sum(n * overhead_amount / days_in_year) as overhead_amount, sum(n * commission_rate) / sum(n) as commission_rate,
          sum(n * fringe_rate) / sum(n) as fringe_rate, sum(n) as n_paid_days
        from (select d.rep_id, d.team_id, d.quarter, c.base_amount, c.overhead_amount, c.commission_rate, c.fringe_rate,
                count(*) as n, dayofyear(make_date(year(min(d.day))::int, 12, 31)) as days_in_year
              from rep_days d join compensation c on c.rep_id = d.rep_id and c.valid_from <= d.day
                and (c.valid_to is null or d.day < c.valid_to)
              group by all)
        group by all;

        create or replace temp table target as
        select d.rep_id, d.team_id, d.quarter, sum(q.quota_amount / (q.period_end - q.period_start)) as quota_amount
        from rep_days d join quotas q on q.rep_id = d.rep_id and q.period_start <= d.day and d.day < q.period_end
        group by all;

        create or replace table rep_quarter as
        select w.*, {_DEAL_COLUMNS}, round(quota_amount, 2) as quota_amount,
          round(p.base_amount, 2) as base_amount,
          round(p.commission_rate * coalesce(bookings_amount, 0), 2) as commission_amount,
          round(p.fringe_rate * (p.base_amount + p.commission_rate * coalesce(bookings_amount, 0)), 2) as fringe_amount,
          round(p.overhead_amount, 2) as overhead_amount
        from (select rep_id, team_id, any_value(region) as region, any_value(segment) as segment, quarter,
                count(*) as days_employed,
                round(sum(fte * getvariable('hours_per_day')) filter (is_weekday), 4) as paid_hours,
                round(coalesce(sum(fte * getvariable('hours_per_day')) filter (is_workday and not is_off), 0), 4) as available_hours,
                count(*) filter (is_weekday) / 5.0 as weeks_employed,
                coalesce(count(*) filter (is_weekday and is_logged) / nullif(count(*) filter (is_weekday), 0), 0) as logged_share,
                {_sums(MEASURES, "is_logged")}
              from timed_days group by rep_id, team_id, quarter) w
        left join (select rep_id, team_id, quarter, {_DEALS} from deals group by all) d using (rep_id, team_id, quarter)
        left join target using (rep_id, team_id, quarter)
        left join (select * from pay p where n_paid_days = (select count(*) from rep_days r where r.rep_id = p.rep_id
            and r.team_id = p.team_id and r.quarter = p.quarter)) p using (rep_id, team_id, quarter)"""
    )


def _team_quarter(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        create or replace table team_quarter as
        select coalesce(w.team_id, d.team_id) as team_id, t.team_name, t.region, t.segment, q.quarter,
          coalesce(n_reps, 0) as n_reps, coalesce(n_days / (q.until_day - q.from_day), 0) as average_reps, q.is_partial,
          logged_share, {", ".join(SELLING_DEFINITIONS)}, {_DEAL_COLUMNS},
          n_won / nullif(n_won + n_lost, 0) as win_rate, quota_amount
        from (select team_id, quarter, count(distinct rep_id) as n_reps, sum(days_employed) as n_days,
                sum(logged_share * weeks_employed) / nullif(sum(weeks_employed), 0) as logged_share,
                {_sums(tuple(SELLING_DEFINITIONS), "logged_share > 0")}, sum(quota_amount) as quota_amount
              from rep_quarter group by all) w
        full join (select team_id, quarter, {_DEALS} from deals group by all) d using (team_id, quarter)
        join quarters q on q.quarter = coalesce(w.quarter, d.quarter)
        left join teams t on t.team_id = coalesce(w.team_id, d.team_id)"""
    )


def build(connection: duckdb.DuckDBPyConnection, first_day: dt.date, as_of: dt.date, settings: Settings) -> None:
    """Make the panels of `schema.PANELS`, and ``quarters``, from the clean tables in the database."""
    set_variable(connection, "first_day", first_day)
    set_variable(connection, "hours_per_day", settings.working_time.hours_per_day)
    connection.execute(
        "create or replace table quarters (quarter varchar, from_day date, until_day date, is_partial boolean)"
    )
    connection.executemany(
        "insert into quarters values (?, ?, ?, ?)",
        quarter_rows(first_day, as_of, settings.company.fiscal_year_start_month),
    )
    for statement in _EMPLOYMENT.split(";\n"):
        if statement.strip():
            values = {"unassigned": UNASSIGNED} if "$unassigned" in statement else None
            connection.execute(statement, values)
    for make in (_rep_week, _rep_quarter, _team_quarter):
        make(connection)
    for table in PANELS.values():
        columns = ", ".join(f"{identifier(c.name)}::{SQL_TYPES[c.kind]} as {identifier(c.name)}" for c in table.columns)
        order = ", ".join(map(identifier, table.key))
        connection.execute(
            f"create or replace table {identifier(table.name)} as select {columns} from {identifier(table.name)} order by {order}"
        )
