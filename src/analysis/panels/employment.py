"""Every day of every rep's employment.

Team, working time, hours, pay, quota and what shifted hours.

A person's past is cut by the history of teams.  A week without any logging is unknown, not zero,
and so is every week of a rep whose source of hours was refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SHIFTERS = ("training", "outage", "assistant")

_EMPLOYMENT = """
create or replace temp table stays_ever as
select * from (
  select h.rep_id, h.team_id, t.region, t.segment, r.role, coalesce(r.fte, 1.0) as fte,
    greatest(coalesce(h.valid_from, date '0001-01-01'), coalesce(r.hired_on, date '0001-01-01')) as from_day,
    least(coalesce(h.valid_to, date '9999-12-31'), coalesce(r.left_on, date '9999-12-31'), getvariable('as_of') + 1) as until_day
  from rep_team_history h join reps r using (rep_id) left join teams t using (team_id)
  where r.role = 'rep')
where from_day < until_day;

create or replace temp table time_off as
select distinct rep_id, unnest(generate_series(started_at::date, greatest(started_at::date,
    least(coalesce(ended_at::date, started_at::date), getvariable('as_of'))), interval 1 day))::date as day
from activities where is_all_day and activity_class = 'time_off';

create or replace temp table rep_days as
select d.* exclude (from_day, until_day), coalesce(c.is_workday, isodow(d.day) < 6) as is_workday, isodow(d.day) < 6 as is_weekday,
  o.day is not null as is_off, date_trunc('week', d.day)::date as week_start, q.quarter
from (select *, unnest(generate_series(greatest(from_day, getvariable('first_day')), until_day - 1, interval 1 day))::date as day
      from stays_ever where until_day > getvariable('first_day')) d
join (select quarter, unnest(generate_series(from_day, until_day - 1, interval 1 day))::date as day from quarters) q on q.day = d.day
left join working_calendar c on c.date = d.day and c.region = d.region
left join time_off o on o.rep_id = d.rep_id and o.day = d.day;

create or replace temp table logged_weeks as
select coalesce(w.rep_id, a.rep_id) as rep_id, coalesce(w.week_start, a.week_start) as week_start
from (select rep_id, date_trunc('week', day)::date as week_start
      from rep_day_hours group by all having sum(n_activities - n_time_off) > 0) w
full join (select rep_id, week_start
      from rep_days group by all having bool_and(is_off or not is_workday) filter (is_weekday)) a using (rep_id, week_start);
"""

_TIMED = """
create temp table if not exists refused_reps (rep_id varchar);
create or replace temp table timed_days as
select d.*, f.rep_id is not null as is_refused, w.week_start is not null and f.rep_id is null as is_logged,
  h.* exclude (rep_id, day), s.* exclude (rep_id, day)
from rep_days d left join rep_day_hours h using (rep_id, day)
left join refused_reps f on f.rep_id = d.rep_id
left join logged_weeks w on w.rep_id = d.rep_id and w.week_start = d.week_start
left join shifted_days s on s.rep_id = d.rep_id and s.day = d.day;
"""

# A rep's pay by the rates of the day; the days without any are counted by `n_paid_days` falling
# short.
_PAY = """
create or replace temp table pay_weeks as
select d.rep_id, d.team_id, d.quarter, d.week_start, c.base_amount, c.overhead_amount, c.commission_rate, c.fringe_rate,
  count(*) as n, dayofyear(make_date(year(min(d.day))::int, 12, 31)) as days_in_year
from rep_days d join compensation c on c.rep_id = d.rep_id and c.valid_from <= d.day
  and (c.valid_to is null or d.day < c.valid_to)
group by all;

create or replace temp table target as
select d.rep_id, d.team_id, d.quarter, round(sum(q.quota_amount / (q.period_end - q.period_start)), 6) as quota_amount
from rep_days d join quotas q on q.rep_id = d.rep_id and q.period_start <= d.day and d.day < q.period_end
group by all;
"""

# Rounded far below a cent: what threads add up in another order must not differ.
PAID = """round(sum(n * base_amount / days_in_year), 6) as base_amount, round(sum(n * overhead_amount / days_in_year), 6) as overhead_amount,
  round(sum(n * commission_rate) / sum(n), 12) as commission_rate, round(sum(n * fringe_rate) / sum(n), 12) as fringe_rate, sum(n) as n_paid_days"""
PAY_COLUMNS = """round(p.base_amount, 2) as base_amount,
  round(p.commission_rate * coalesce(bookings_amount, 0), 2) as commission_amount,
  round(p.fringe_rate * (p.base_amount + p.commission_rate * coalesce(bookings_amount, 0)), 2) as fringe_amount,
  round(p.overhead_amount, 2) as overhead_amount"""


def _shifted(connection: duckdb.DuckDBPyConnection) -> None:
    kinds = ", ".join(f"bool_or(kind = '{k}') as is_{k}" for k in SHIFTERS)
    days = "h.start_date <= d.day and (h.end_date is null or d.day < h.end_date)"
    connection.execute(
        f"""
        create or replace temp table shifted_days as
        with shifters as (select lower(trim(kind)) as kind, * exclude (kind) from hours_shifters)
        select rep_id, day, {kinds} from (
          select d.rep_id, d.day, h.kind from rep_days d join shifters h on h.rep_id = d.rep_id and {days}
          union all
          select d.rep_id, d.day, h.kind from rep_days d join shifters h on h.rep_id is null and h.team_id = d.team_id and {days}
          union all
          select d.rep_id, d.day, h.kind from rep_days d join shifters h on h.rep_id is null and h.team_id is null and {days})
        group by all"""
    )


def shifter_sums() -> str:
    """Return the SQL of the weekdays under each kind of shifter.

    Missing where no table of them is kept.
    """
    return ", ".join(
        f"case when exists (from hours_shifters) then count(*) filter (is_weekday and is_{k}) end as {k}_days"
        for k in SHIFTERS
    )


def make_employment(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``stays_ever``, ``rep_days``, ``timed_days``, ``pay_weeks`` and ``target``."""
    connection.execute(_EMPLOYMENT)
    _shifted(connection)
    connection.execute(_TIMED)
    connection.execute(_PAY)
