-- Days that lie off those around them.

-- name: days_between_rows
with following as (
  select day_of_row - lag(day_of_row) over (
    partition by source_file, team_id order by source_row
  ) as days
  from (
    select
      source_file,
      team_id,
      source_row,
      columns([$name]) as day_of_row
    from query_table($table)
  )
  where day_of_row is not null
)

select
  count(*) as n,
  count(*) filter (days < -$long_days) as n_back,
  count(*) filter (days > $long_days) as n_on
from following
where days is not null;

-- name: meetings_by_weekday
create or replace temp view meetings_by_weekday as
with weekdays as (
  select
    isodow(day) as weekday,
    sum(n) as n
  from activity_days
  group by weekday
)

select
  meeting_id,
  coalesce(w.n, 0) / (select median(n) from weekdays) as share_of_usual
from joint_meetings
left join weekdays as w on w.weekday = isodow(held_on);
