-- Panels of representatives and teams by week and quarter, from the days of `timed_stretches`.

-- name: macros
-- hours of a kind on logged days, missing where none was logged
create or replace macro logged_sum(hours, is_logged) as case
  when bool_or(is_logged) then round(coalesce(sum(hours) filter (is_logged), 0), 4)
end;

-- the same of hours on late stages, which nobody knows without a history of stages
create or replace macro logged_late_sum(hours, is_logged) as case
  when bool_or(is_logged)
    then round(
      coalesce(
        sum(hours) filter (is_logged), case when exists (from stage_history) then 0 end
      ), 4
    )
end;

-- weekdays under a kind of shifter, missing where no table of them is kept
create or replace macro shifted_weekdays(n) as case
  when exists (from hours_shifters) then sum(n)::bigint
end;

create or replace macro share_of_days(n, is_counted) as coalesce(
  (sum(n) filter (is_counted))::bigint / nullif(sum(n)::bigint, 0), 0
);

create or replace macro amount_of(cents, is_counted) as
coalesce(sum(cents) filter (is_counted), 0) / 100.0;

create or replace macro deals_by(keys) as table
  select
    columns(keys),
    amount_of(cents, is_booked) as bookings_amount,
    amount_of(cents, is_booked and opportunity_type = 'new') as new_bookings_amount,
    amount_of(cents, is_booked and opportunity_type = 'expansion') as expansion_bookings_amount,
    amount_of(cents, is_booked and opportunity_type = 'renewal') as renewal_bookings_amount,
    amount_of(
      cents, is_booked and coalesce(opportunity_type, '') not in ('new', 'expansion', 'renewal')
    ) as other_bookings_amount,
    count(*) filter (is_won) as n_won,
    count(*) filter (kind = 'closed' and status = 'lost') as n_lost,
    count(*) filter (kind = 'created') as n_created,
    amount_of(cents, kind = 'created') as pipeline_created_amount,
    count(*) filter (kind = 'pending') as n_open,
    amount_of(cents, kind = 'pending') as open_pipeline_amount
  from deals
  group by all;

-- Rounded far below a cent: what threads add up in another order must not differ.
create or replace macro pay_by(keys) as table
  select
    columns(keys),
    round(sum(n * base_amount / days_in_year), 6) as base_amount,
    round(sum(n * overhead_amount / days_in_year), 6) as overhead_amount,
    round(sum(n * commission_rate) / sum(n), 12) as commission_rate,
    round(sum(n * fringe_rate) / sum(n), 12) as fringe_rate,
    sum(n) as n_paid_days
  from pay_weeks
  group by all;

create or replace macro fringe_of(pay, bookings_amount) as
round(pay.fringe_rate * (pay.base_amount + pay.commission_rate * coalesce(bookings_amount, 0)), 2);

-- pay adds up only where all of it is known
create or replace macro whole_sum(amount) as case
  when count(amount) = count(*) then round(sum(amount), 2)
end;

-- name: rep_week
create or replace table rep_week as
select
  w.* exclude (n_workdays, n_days, is_logged, is_refused),
  q.is_partial,
  case
    when is_refused then 'refused_source'
    when not is_logged then 'no_logging'
    when n_workdays < 5 then 'partial_week'
    else 'ok'
  end as coverage,
  coalesce(bookings_amount, 0) as bookings_amount,
  coalesce(new_bookings_amount, 0) as new_bookings_amount,
  coalesce(expansion_bookings_amount, 0) as expansion_bookings_amount,
  coalesce(renewal_bookings_amount, 0) as renewal_bookings_amount,
  coalesce(other_bookings_amount, 0) as other_bookings_amount,
  coalesce(n_won, 0) as n_won,
  coalesce(n_lost, 0) as n_lost,
  coalesce(n_created, 0) as n_created,
  coalesce(pipeline_created_amount, 0) as pipeline_created_amount,
  round(p.base_amount, 2) as base_amount,
  round(p.commission_rate * coalesce(bookings_amount, 0), 2) as commission_amount,
  fringe_of(p, bookings_amount) as fringe_amount,
  round(p.overhead_amount, 2) as overhead_amount
from (
  select
    rep_id,
    week_start,
    arg_min(team_id, first_day) as team_id,
    any_value(role) as role,
    arg_min(region, first_day) as region,
    arg_min(segment, first_day) as segment,
    arg_min(quarter, first_day) as quarter,
    round(sum(paid_hours), 4) as paid_hours,
    round(sum(available_hours), 4) as available_hours,
    logged_sum(selling_hours, is_logged) as selling_hours,
    logged_sum(selling_preparation_hours, is_logged) as selling_preparation_hours,
    logged_sum(selling_prospecting_hours, is_logged) as selling_prospecting_hours,
    logged_sum(selling_class_hours, is_logged) as selling_class_hours,
    logged_sum(preparation_class_hours, is_logged) as preparation_class_hours,
    logged_sum(prospecting_class_hours, is_logged) as prospecting_class_hours,
    logged_sum(internal_class_hours, is_logged) as internal_class_hours,
    logged_sum(admin_class_hours, is_logged) as admin_class_hours,
    logged_sum(training_class_hours, is_logged) as training_class_hours,
    logged_sum(time_off_class_hours, is_logged) as time_off_class_hours,
    logged_sum(unclassified_class_hours, is_logged) as unclassified_class_hours,
    logged_late_sum(late_selling_hours, is_logged) as late_selling_hours,
    logged_sum(logged_hours, is_logged) as logged_hours,
    coalesce(sum(n_activities), 0)::bigint as n_activities,
    shifted_weekdays(training_days) as training_days,
    shifted_weekdays(outage_days) as outage_days,
    shifted_weekdays(assistant_days) as assistant_days,
    sum(n_days)::bigint as n_days,
    sum(n_weekdays)::bigint as n_workdays,
    bool_or(is_logged) as is_logged,
    bool_or(is_refused) as is_refused
  from timed_stretches
  group by rep_id, week_start
) as w
inner join quarters as q using (quarter)
left join deals_by(['rep_id', 'week_start']) using (rep_id, week_start)
left join pay_by(['rep_id', 'week_start']) as p
  on
    p.rep_id = w.rep_id
    and p.week_start = w.week_start
    and p.n_paid_days = w.n_days;

-- name: rep_quarter
create or replace table rep_quarter as
select
  w.*,
  q.is_partial,
  coalesce(bookings_amount, 0) as bookings_amount,
  coalesce(new_bookings_amount, 0) as new_bookings_amount,
  coalesce(expansion_bookings_amount, 0) as expansion_bookings_amount,
  coalesce(renewal_bookings_amount, 0) as renewal_bookings_amount,
  coalesce(other_bookings_amount, 0) as other_bookings_amount,
  coalesce(n_won, 0) as n_won,
  coalesce(n_lost, 0) as n_lost,
  coalesce(n_created, 0) as n_created,
  coalesce(pipeline_created_amount, 0) as pipeline_created_amount,
  round(quota_amount, 2) as quota_amount,
  round(p.base_amount, 2) as base_amount,
  round(p.commission_rate * coalesce(bookings_amount, 0), 2) as commission_amount,
  fringe_of(p, bookings_amount) as fringe_amount,
  round(p.overhead_amount, 2) as overhead_amount
from (
  select
    rep_id,
    team_id,
    any_value(role) as role,
    any_value(region) as region,
    any_value(segment) as segment,
    quarter,
    sum(n_days)::bigint as days_employed,
    round(sum(paid_hours), 4) as paid_hours,
    round(sum(available_hours), 4) as available_hours,
    sum(n_weekdays)::bigint / 5.0 as weeks_employed,
    share_of_days(n_weekdays, is_logged) as logged_share,
    logged_sum(selling_hours, is_logged) as selling_hours,
    logged_sum(selling_preparation_hours, is_logged) as selling_preparation_hours,
    logged_sum(selling_prospecting_hours, is_logged) as selling_prospecting_hours,
    logged_sum(selling_class_hours, is_logged) as selling_class_hours,
    logged_sum(preparation_class_hours, is_logged) as preparation_class_hours,
    logged_sum(prospecting_class_hours, is_logged) as prospecting_class_hours,
    logged_sum(internal_class_hours, is_logged) as internal_class_hours,
    logged_sum(admin_class_hours, is_logged) as admin_class_hours,
    logged_sum(training_class_hours, is_logged) as training_class_hours,
    logged_sum(time_off_class_hours, is_logged) as time_off_class_hours,
    logged_sum(unclassified_class_hours, is_logged) as unclassified_class_hours,
    logged_late_sum(late_selling_hours, is_logged) as late_selling_hours,
    logged_sum(logged_hours, is_logged) as logged_hours,
    shifted_weekdays(training_days) as training_days,
    shifted_weekdays(outage_days) as outage_days,
    shifted_weekdays(assistant_days) as assistant_days
  from timed_stretches
  group by rep_id, team_id, quarter
) as w
inner join quarters as q using (quarter)
left join deals_by(['rep_id', 'team_id', 'quarter']) using (rep_id, team_id, quarter)
left join target using (rep_id, team_id, quarter)
left join pay_by(['rep_id', 'team_id', 'quarter']) as p
  on
    p.rep_id = w.rep_id
    and p.team_id = w.team_id
    and p.quarter = w.quarter
    and p.n_paid_days = w.days_employed;

-- name: team_quarter
create or replace table team_quarter as
with stays as (
  select
    s.team_id,
    q.quarter,
    s.from_day >= q.from_day
    and s.from_day < q.until_day
    and exists (
      from stays_ever as b
      where b.rep_id = s.rep_id and b.until_day = s.from_day and b.team_id <> s.team_id
    ) as has_come,
    s.until_day >= q.from_day
    and s.until_day < q.until_day
    and exists (
      from stays_ever as n
      where n.rep_id = s.rep_id and n.from_day = s.until_day and n.team_id <> s.team_id
    ) as has_gone
  from stays_ever as s
  inner join quarters as q on s.from_day < q.until_day and s.until_day >= q.from_day
),

moves as (
  select
    team_id,
    quarter,
    count(*) filter (has_come) as n_reps_moved_in,
    count(*) filter (has_gone) as n_reps_moved_out
  from stays
  group by all
),

reps_of_team as (
  select
    team_id,
    quarter,
    count(distinct rep_id) as n_reps,
    sum(days_employed) as n_days,
    round(sum(logged_share * weeks_employed) / nullif(sum(weeks_employed), 0), 12) as logged_share,
    logged_sum(selling_hours, logged_share > 0) as selling_hours,
    logged_sum(selling_preparation_hours, logged_share > 0) as selling_preparation_hours,
    logged_sum(selling_prospecting_hours, logged_share > 0) as selling_prospecting_hours,
    logged_late_sum(late_selling_hours, logged_share > 0) as late_selling_hours,
    logged_sum(logged_hours, logged_share > 0) as logged_hours,
    round(sum(quota_amount), 6) as quota_amount,
    sum(training_days)::bigint as training_days,
    sum(outage_days)::bigint as outage_days,
    sum(assistant_days)::bigint as assistant_days,
    whole_sum(base_amount) as base_amount,
    whole_sum(commission_amount) as commission_amount,
    whole_sum(fringe_amount) as fringe_amount,
    whole_sum(overhead_amount) as overhead_amount
  from rep_quarter
  group by all
),

team_quarters as (
  select
    team_id,
    quarter
  from rep_quarter
  union
  select
    team_id,
    quarter
  from deals
  union
  select
    team_id,
    quarter
  from funnel
)

select
  k.team_id,
  t.team_name,
  t.region,
  t.segment,
  k.quarter,
  coalesce(n_reps, 0) as n_reps,
  coalesce(n_days / (q.until_day - q.from_day), 0) as average_reps,
  coalesce(n_reps_moved_in, 0) as n_reps_moved_in,
  coalesce(n_reps_moved_out, 0) as n_reps_moved_out,
  q.is_partial,
  logged_share,
  g.coverage,
  g.logging_change,
  g.entries_per_week,
  selling_hours,
  selling_preparation_hours,
  selling_prospecting_hours,
  late_selling_hours,
  logged_hours,
  training_days,
  outage_days,
  assistant_days,
  coalesce(bookings_amount, 0) as bookings_amount,
  coalesce(new_bookings_amount, 0) as new_bookings_amount,
  coalesce(expansion_bookings_amount, 0) as expansion_bookings_amount,
  coalesce(renewal_bookings_amount, 0) as renewal_bookings_amount,
  coalesce(other_bookings_amount, 0) as other_bookings_amount,
  coalesce(n_won, 0) as n_won,
  coalesce(n_lost, 0) as n_lost,
  coalesce(n_created, 0) as n_created,
  coalesce(pipeline_created_amount, 0) as pipeline_created_amount,
  coalesce(n_open, 0) as n_open,
  coalesce(open_pipeline_amount, 0) as open_pipeline_amount,
  n_won / nullif(n_won + n_lost, 0) as win_rate,
  r.rerouted_share,
  case when exists (from leads) then coalesce(n_leads, 0) end as n_leads,
  case when exists (from leads) then coalesce(n_mql, 0) end as n_mql,
  case when exists (from leads) then coalesce(n_sal, 0) end as n_sal,
  case when exists (from leads) then coalesce(n_sql, 0) end as n_sql,
  case when exists (from leads) then coalesce(n_converted, 0) end as n_converted,
  case when exists (from leads) then coalesce(n_recycled, 0) end as n_recycled,
  quota_amount,
  base_amount,
  commission_amount,
  fringe_amount,
  overhead_amount
from team_quarters as k
left join reps_of_team using (team_id, quarter)
left join deals_by(['team_id', 'quarter']) using (team_id, quarter)
left join funnel using (team_id, quarter)
left join rerouted as r using (team_id, quarter)
left join moves using (team_id, quarter)
left join team_logging as g using (team_id, quarter)
inner join quarters as q using (quarter)
left join teams as t using (team_id);

-- name: observed_days
create or replace table observed_days as
select
  s.rep_id,
  s.day,
  t.week_start,
  t.quarter,
  s.observed_hours,
  case
    when t.is_logged and not t.is_refused then round(coalesce(t.selling_hours, 0), 4)
  end as recorded_hours
from time_study as s
inner join timed_days as t on t.rep_id = s.rep_id and t.day = s.day;
