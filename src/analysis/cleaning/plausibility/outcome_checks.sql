-- What dates an export by itself.

-- name: stamped_deals
-- Deals beside the last day on which a CRM noted anything by itself: that something was created, or
-- moved.
create or replace temp table last_stamps as
with active as (
  select
    day,
    sum(n) as n
  from activity_days
  where day <= getvariable('as_of')
  group by day
),

begun as (
  select
    day,
    n,
    sum(n) over (order by day desc) - (select count(*) // 50 from activities) as n_left
  from active
),

stamps as (
  select
    created_at::date as day,
    count(*) as n
  from opportunities
  group by all
  union all
  select
    created_at::date,
    count(*)
  from leads
  group by all
  union all
  select
    entered_at::date,
    count(*)
  from stage_history
  group by all
  union all
  select
    day,
    least(n, 20)
  from record_stamps
  where day <= getvariable('as_of') + 31
  union all
  select
    day,
    least(n, n_left)
  from begun
  where n_left > 0
),

latest as (
  select max(day) as last_stamp
  from stamps
)

select
  any_value(last_stamp) as last_stamp,
  coalesce(sum(n), 0) as n_recent,
  count(distinct day) as n_days
from latest left join stamps on day > last_stamp - 30;

create or replace temp view stamped_deals as
select
  o.*,
  s.*
from opportunities as o cross join last_stamps as s;
