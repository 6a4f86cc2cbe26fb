-- Every day of every representative's employment.

-- name: employment
create or replace temp table stays_ever as
select
  row_number() over () as stay,
  *
from (
  select
    h.rep_id,
    h.team_id,
    t.region,
    t.segment,
    r.role,
    coalesce(r.fte, 1.0) as fte,
    greatest(coalesce(h.valid_from, date '0001-01-01'), coalesce(r.hired_on, date '0001-01-01'))
      as from_day,
    least(
      coalesce(h.valid_to, date '9999-12-31'),
      coalesce(r.left_on, date '9999-12-31'),
      getvariable('as_of') + 1
    ) as until_day
  from rep_team_history as h
  inner join reps as r using (rep_id)
  left join teams as t using (team_id)
  where r.role = 'rep'
)
where from_day < until_day;

create or replace temp table time_off as
select distinct
  rep_id,
  unnest(generate_series(started_at::date, greatest(
    started_at::date,
    least(coalesce(ended_at::date, started_at::date), getvariable('as_of'))
  ), interval 1 day))::date
    as day
from activities where is_all_day and activity_class = 'time_off';

create or replace temp table rep_days as
with stays_of_quarter as (
  select
    s.*,
    q.quarter,
    greatest(s.from_day, q.from_day, getvariable('first_day')) as begun,
    least(s.until_day, q.until_day) as ended
  from stays_ever as s
  inner join quarters as q on s.from_day < q.until_day and s.until_day > q.from_day
),

days as (
  select
    stay,
    rep_id,
    team_id,
    region,
    quarter,
    begun + unnest(range(ended - begun))::int as day
  from stays_of_quarter
  where ended > begun
)

select
  d.* exclude (region),
  coalesce(c.is_workday, isodow(d.day) < 6) as is_workday,
  isodow(d.day) < 6 as is_weekday,
  o.day is not null as is_off,
  d.day - (isodow(d.day) - 1)::int as week_start
from days as d
left join working_calendar as c on c.date = d.day and c.region = d.region
left join time_off as o on o.rep_id = d.rep_id and o.day = d.day;

create or replace temp table logged_weeks as
select
  coalesce(w.rep_id, a.rep_id) as rep_id,
  coalesce(w.week_start, a.week_start) as week_start
from (
  select
    rep_id,
    date_trunc('week', day)::date as week_start
  from rep_day_hours group by all having sum(n_activities - n_time_off) > 0
) as w
full join (
  select
    rep_id,
    week_start
  from rep_days group by all having bool_and(is_off or not is_workday) filter (is_weekday)
) as a
  using (rep_id, week_start);

-- name: shifted_days
create or replace macro holds_on(shifter, day) as
shifter.start_date <= day and (shifter.end_date is null or day < shifter.end_date);

create or replace temp table shifted_days as
with shifters as (
  select
    lower(trim(kind)) as kind,
    * exclude (kind)
  from hours_shifters
),

shifts as (
  select
    d.rep_id,
    d.day,
    h.kind
  from rep_days as d inner join shifters as h on h.rep_id = d.rep_id and holds_on(h, d.day)
  union all
  select
    d.rep_id,
    d.day,
    h.kind
  from rep_days as d
  inner join shifters as h on h.rep_id is null and h.team_id = d.team_id and holds_on(h, d.day)
  union all
  select
    d.rep_id,
    d.day,
    h.kind
  from rep_days as d
  inner join shifters as h on h.rep_id is null and h.team_id is null and holds_on(h, d.day)
)

select
  rep_id,
  day,
  bool_or(kind = 'training') as is_training,
  bool_or(kind = 'outage') as is_outage,
  bool_or(kind = 'assistant') as is_assistant
from shifts
group by all;

-- name: timed_days
create temp table if not exists refused_reps (rep_id varchar);
create or replace temp view timed_days as
select
  d.*,
  f.rep_id is not null as is_refused,
  w.week_start is not null and f.rep_id is null as is_logged,
  h.* exclude (rep_id, day),
  s.* exclude (rep_id, day)
from rep_days as d left join rep_day_hours as h using (rep_id, day)
left join refused_reps as f on f.rep_id = d.rep_id
left join logged_weeks as w on w.rep_id = d.rep_id and w.week_start = d.week_start
left join shifted_days as s on s.rep_id = d.rep_id and s.day = d.day;

-- the days of a stay within a week and a quarter, which are logged or not together
create or replace temp table timed_stretches as
with counted as (
  select
    stay,
    quarter,
    week_start,
    any_value(rep_id) as rep_id,
    min(day) as first_day,
    count(*) as n_days,
    count(*) filter (is_weekday) as n_weekdays,
    count(*) filter (is_workday and not is_off) as n_available
  from rep_days
  group by stay, quarter, week_start
),

shifted as (
  select
    d.stay,
    d.quarter,
    d.week_start,
    count(*) filter (d.is_weekday and s.is_training) as training_days,
    count(*) filter (d.is_weekday and s.is_outage) as outage_days,
    count(*) filter (d.is_weekday and s.is_assistant) as assistant_days
  from rep_days as d inner join shifted_days as s using (rep_id, day)
  group by d.stay, d.quarter, d.week_start
),

entered as (
  select
    d.stay,
    d.quarter,
    d.week_start,
    (sum(columns('^n_(activities|selling|other|event|call|email|task)$')))::bigint as '\0',
    sum(columns('^.*_hours$')) as '\0'  -- noqa: AL08
  from rep_days as d inner join rep_day_hours using (rep_id, day)
  group by d.stay, d.quarter, d.week_start
),

summed as (
  select
    c.* exclude (rep_id),
    f.rep_id is not null as is_refused,
    w.week_start is not null and f.rep_id is null as is_logged,
    coalesce(s.training_days, 0) as training_days,
    coalesce(s.outage_days, 0) as outage_days,
    coalesce(s.assistant_days, 0) as assistant_days,
    e.* exclude (stay, quarter, week_start)
  from counted as c
  left join shifted as s using (stay, quarter, week_start)
  left join entered as e using (stay, quarter, week_start)
  left join refused_reps as f on f.rep_id = c.rep_id
  left join logged_weeks as w on w.rep_id = c.rep_id and w.week_start = c.week_start
)

select
  s.* exclude (from_day, until_day),
  d.* exclude (stay),
  s.fte * getvariable('hours_per_day') * d.n_weekdays as paid_hours,
  s.fte * getvariable('hours_per_day') * d.n_available as available_hours
from summed as d
inner join stays_ever as s using (stay);

-- name: pay
-- A rep's pay by the rates of the day; the days without any are counted by `n_paid_days` falling
-- short.
create or replace temp table pay_weeks as
select
  d.rep_id,
  d.team_id,
  d.quarter,
  d.week_start,
  c.base_amount,
  c.overhead_amount,
  c.commission_rate,
  c.fringe_rate,
  count(*) as n,
  dayofyear(make_date(year(min(d.day))::int, 12, 31)) as days_in_year
from rep_days as d inner join compensation as c
  on
    c.rep_id = d.rep_id and c.valid_from <= d.day
    and (c.valid_to is null or d.day < c.valid_to)
group by all;

create or replace temp table target as
select
  d.rep_id,
  d.team_id,
  d.quarter,
  round(sum(q.quota_amount / (q.period_end - q.period_start)), 6) as quota_amount
from rep_days as d
inner join quotas as q on q.rep_id = d.rep_id and q.period_start <= d.day and d.day < q.period_end
group by all;
