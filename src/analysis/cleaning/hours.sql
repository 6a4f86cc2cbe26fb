-- Hours of a representative and day: entries cut at midnight, and united where they overlap.

-- name: client_activities
create or replace temp table client_activities as
select activity_id
from parsed_attendees
where activity_id is not null
  and is_deleted is not true
  and lower(answer) is distinct from 'declined'
  and coalesce(side, case when relation_id[1:3] in ('003', '00Q') then 'customer' end)
  = 'customer'
union distinct
select activity_id
from parsed_activities
where activity_id is not null
  and who_id[1:3] in ('003', '00Q');

-- name: other_script
select 1
from parsed_activities
where strlen(subject) <> length(subject)
  and not regexp_full_match(subject, $western)
limit 1;

-- name: late_stages
create macro is_late_stage(stage) as
list_contains(getvariable('late_stages'), name_key(stage));

-- name: timed
-- Clocks change on the half hour: one look at the zone serves all that begins in it.
create or replace macro slot_of(at_us) as at_us // (30 * 60 * 1000000);

create or replace macro slot_start(slot) as slot * (30 * 60 * 1000000);

-- what is left of an entry within a day, and what it adds to those before it
create or replace macro begin_of_day(day, zone) as epoch(timezone(zone, day::timestamp))::bigint;

create or replace macro seconds_of(seconds, is_counted) as
coalesce(sum(seconds) filter (is_counted), 0);

create or replace macro seconds_after(from_s, until_s, ended_s) as
greatest(0, until_s - greatest(from_s, coalesce(ended_s, from_s)));

create temp table if not exists refused_sources (source_file varchar, kind varchar);

create or replace temp table late_entries as
select a.activity_id
from (
  select *
  from activities
  where activity_class = 'selling'
    and minutes > 0
    and opportunity_id is not null
) as a
asof join stage_history as s
  on a.opportunity_id = s.opportunity_id and a.started_at >= s.entered_at
where is_late_stage(s.stage);

create or replace temp view placed as
select
  a.rep_id,
  a.kind,
  a.activity_class,
  a.source_file,
  a.minutes,
  a.is_all_day,
  epoch_us(a.started_at) as at_us,
  case
    when a.is_all_day then 'UTC'
    else coalesce(r.time_zone, getvariable('time_zone'))
  end as zone,
  l.activity_id is not null as is_late
from activities as a
left join reps as r using (rep_id)
left join late_entries as l using (activity_id)
where a.started_at is not null;

create or replace temp table dated as
with slots as (
  select distinct
    zone,
    slot_of(at_us) as slot
  from placed
),

offsets as (
  select
    zone,
    slot,
    epoch_us(timezone(zone, make_timestamptz(slot_start(slot)))) - slot_start(slot) as offset_us
  from slots
)

select
  *,
  local_at::date as day
from (
  select
    p.*,
    make_timestamp(at_us + offset_us) as local_at
  from placed as p
  inner join offsets as o on o.zone = p.zone and o.slot = slot_of(p.at_us)
);

-- An entry that ends by 23:00, counted from its day's midnight, crosses none, whatever the clock
-- does.
create or replace temp table timed as
with whole as (
  select
    * exclude (at_us, minutes, is_all_day),
    at_us // 1000000 as from_s,
    at_us // 1000000 + round(minutes * 60)::bigint as until_s,
    epoch(local_at) - epoch(day) + minutes * 60 > 23 * 3600 as is_long
  from dated as d
  anti join refused_sources as s
    on s.source_file is not distinct from d.source_file
    and s.kind is not distinct from d.kind
  where minutes > 0
    and not is_all_day
),

days_of_long as (
  select
    * replace (
      unnest(
        generate_series(day, timezone(zone, to_timestamp(until_s))::date, interval 1 day)
      )::date as day
    )
  from whole
  where is_long
)

select
  rep_id,
  day,
  kind,
  activity_class,
  source_file,
  is_late,
  from_s,
  until_s
from whole
where not is_long
union all
select
  rep_id,
  day,
  kind,
  activity_class,
  source_file,
  is_late,
  greatest(from_s, begin_of_day(day, zone)) as from_s,
  least(until_s, begin_of_day(day + 1, zone)) as until_s
from days_of_long
where least(until_s, begin_of_day(day + 1, zone)) > greatest(from_s, begin_of_day(day, zone));

-- name: rep_day_hours
-- Where no two entries of a day overlap the union is the sum; windows are for the other days alone.
create or replace temp table crowded_days as
select distinct
  rep_id,
  day
from (
  select
    *,
    max(until_s) over earlier as before_s
  from timed
  window earlier as (
    partition by rep_id, day order by from_s, until_s
    rows between unbounded preceding and 1 preceding
  )
)
where before_s > from_s;

create or replace temp table rep_day_seconds as
select
  rep_id,
  day,
  seconds_of(until_s - from_s, activity_class in ('selling')) as selling_hours,
  seconds_of(
    until_s - from_s, activity_class in ('selling', 'preparation')
  ) as selling_preparation_hours,
  seconds_of(
    until_s - from_s, activity_class in ('selling', 'preparation', 'prospecting')
  ) as selling_prospecting_hours,
  seconds_of(until_s - from_s, activity_class = 'selling') as selling_class_hours,
  seconds_of(until_s - from_s, activity_class = 'preparation') as preparation_class_hours,
  seconds_of(until_s - from_s, activity_class = 'prospecting') as prospecting_class_hours,
  seconds_of(until_s - from_s, activity_class = 'internal') as internal_class_hours,
  seconds_of(until_s - from_s, activity_class = 'admin') as admin_class_hours,
  seconds_of(until_s - from_s, activity_class = 'training') as training_class_hours,
  seconds_of(until_s - from_s, activity_class = 'time_off') as time_off_class_hours,
  seconds_of(until_s - from_s, activity_class = 'unclassified') as unclassified_class_hours,
  seconds_of(until_s - from_s, is_late) as late_selling_hours,
  seconds_of(until_s - from_s, true) as logged_hours
from timed
anti join crowded_days using (rep_id, day)
group by rep_id, day
union all
select
  rep_id,
  day,
  seconds_of(
    seconds_after(from_s, until_s, until_selling_hours), activity_class in ('selling')
  ) as selling_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_selling_preparation_hours),
    activity_class in ('selling', 'preparation')
  ) as selling_preparation_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_selling_prospecting_hours),
    activity_class in ('selling', 'preparation', 'prospecting')
  ) as selling_prospecting_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_selling_class_hours), activity_class = 'selling'
  ) as selling_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_preparation_class_hours), activity_class = 'preparation'
  ) as preparation_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_prospecting_class_hours), activity_class = 'prospecting'
  ) as prospecting_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_internal_class_hours), activity_class = 'internal'
  ) as internal_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_admin_class_hours), activity_class = 'admin'
  ) as admin_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_training_class_hours), activity_class = 'training'
  ) as training_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_time_off_class_hours), activity_class = 'time_off'
  ) as time_off_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_unclassified_class_hours), activity_class = 'unclassified'
  ) as unclassified_class_hours,
  seconds_of(
    seconds_after(from_s, until_s, until_late_selling_hours), is_late
  ) as late_selling_hours,
  seconds_of(seconds_after(from_s, until_s, until_logged_hours), true) as logged_hours
from (
  select
    *,
    max(until_s) filter (activity_class in ('selling')) over earlier as until_selling_hours,
    max(until_s) filter (
      activity_class in ('selling', 'preparation')
    ) over earlier as until_selling_preparation_hours,
    max(until_s) filter (
      activity_class in ('selling', 'preparation', 'prospecting')
    ) over earlier as until_selling_prospecting_hours,
    max(until_s) filter (activity_class = 'selling') over earlier as until_selling_class_hours,
    max(until_s) filter (
      activity_class = 'preparation'
    ) over earlier as until_preparation_class_hours,
    max(until_s) filter (
      activity_class = 'prospecting'
    ) over earlier as until_prospecting_class_hours,
    max(until_s) filter (activity_class = 'internal') over earlier as until_internal_class_hours,
    max(until_s) filter (activity_class = 'admin') over earlier as until_admin_class_hours,
    max(until_s) filter (activity_class = 'training') over earlier as until_training_class_hours,
    max(until_s) filter (activity_class = 'time_off') over earlier as until_time_off_class_hours,
    max(until_s) filter (
      activity_class = 'unclassified'
    ) over earlier as until_unclassified_class_hours,
    max(until_s) filter (is_late) over earlier as until_late_selling_hours,
    max(until_s) filter (true) over earlier as until_logged_hours
  from timed
  semi join crowded_days using (rep_id, day)
  window earlier as (
    partition by rep_id, day order by from_s, until_s
    rows between unbounded preceding and 1 preceding
  )
)
group by rep_id, day;

create or replace table rep_day_hours as
select
  rep_id,
  day,
  coalesce(n_activities, 0) as n_activities,
  coalesce(n_time_off, 0) as n_time_off,
  coalesce(n_selling, 0) as n_selling,
  coalesce(n_other, 0) as n_other,
  coalesce(n_event, 0) as n_event,
  coalesce(n_call, 0) as n_call,
  coalesce(n_email, 0) as n_email,
  coalesce(n_task, 0) as n_task,
  coalesce(selling_hours, 0) / 3600.0 as selling_hours,
  coalesce(selling_preparation_hours, 0) / 3600.0 as selling_preparation_hours,
  coalesce(selling_prospecting_hours, 0) / 3600.0 as selling_prospecting_hours,
  coalesce(selling_class_hours, 0) / 3600.0 as selling_class_hours,
  coalesce(preparation_class_hours, 0) / 3600.0 as preparation_class_hours,
  coalesce(prospecting_class_hours, 0) / 3600.0 as prospecting_class_hours,
  coalesce(internal_class_hours, 0) / 3600.0 as internal_class_hours,
  coalesce(admin_class_hours, 0) / 3600.0 as admin_class_hours,
  coalesce(training_class_hours, 0) / 3600.0 as training_class_hours,
  coalesce(time_off_class_hours, 0) / 3600.0 as time_off_class_hours,
  coalesce(unclassified_class_hours, 0) / 3600.0 as unclassified_class_hours,
  coalesce(logged_hours, 0) / 3600.0 as logged_hours,
  case
    when exists (from stage_history) then coalesce(late_selling_hours, 0) / 3600.0
  end as late_selling_hours
from (
  select
    rep_id,
    day,
    count(*) filter (true) as n_activities,
    count(*) filter (is_all_day and activity_class = 'time_off') as n_time_off,
    count(*) filter (activity_class = 'selling') as n_selling,
    count(*) filter (activity_class not in ('selling', 'time_off')) as n_other,
    count(*) filter (kind = 'event') as n_event,
    count(*) filter (kind = 'call') as n_call,
    count(*) filter (kind = 'email') as n_email,
    count(*) filter (kind = 'task') as n_task
  from dated
  group by rep_id, day
)
full join rep_day_seconds using (rep_id, day);

create or replace temp table meeting_starts as
select local_at
from dated
where kind = 'event'
  and not is_all_day;

drop table crowded_days;

drop table rep_day_seconds;

drop table dated;

-- name: source_rows
create or replace temp table source_rows as
with rows_aside as (
  select
    *,
    row_number() over () as n
  from set_aside
  where table_name = 'activities'
),

aside as (
  select
    s.source_file,
    any_value(p.kind) as kind,
    s.rule,
    s.minutes
  from rows_aside as s
  left join parsed_activities as p
    on p.source_file = s.source_file and p.source_row = s.source_row
  group by s.n, s.source_file, s.rule, s.minutes
),

entries as (
  select
    source_file,
    kind,
    case when is_all_day then 'all_day' end as rule,
    minutes
  from activities
  where is_all_day is not null
  union all by name
  select
    source_file,
    kind,
    rule,
    minutes
  from aside
)

select
  source_file,
  coalesce(kind, 'unknown') as kind,
  rule,
  count(*) as n_rows,
  round(coalesce(sum(greatest(minutes, 0)), 0) / 60, 4) as hours
from entries
group by all;

-- name: hours_by_source
select
  source_file,
  kind,
  sum(n_rows)::bigint as n_rows,
  sum(hours) as hours,
  coalesce(sum(hours) filter (list_contains($junk, rule)), 0) as junk_hours
from source_rows
where source_file is not null
group by all
having sum(hours) > 0
order by all;

-- name: refused_reps
create or replace temp table refused_reps as
select distinct p.rep_id
from parsed_activities as p
inner join refused_sources using (source_file, kind)
where p.rep_id is not null
  and p.minutes > 0;

-- name: united_hours
select
  source_file,
  kind,
  sum(seconds_after(from_s, until_s, ended_s)) / 3600.0 as hours
from (
  select
    *,
    max(until_s) over (
      partition by source_file, kind, rep_id, day order by from_s, until_s
      rows between unbounded preceding and 1 preceding
    ) as ended_s
  from timed
)
group by all;
