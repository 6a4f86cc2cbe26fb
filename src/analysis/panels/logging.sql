-- How well a team logged its work in a quarter, and whether that changed.

-- name: team_logging
create or replace temp table team_logging as
with counted as (
  select
    team_id,
    quarter,
    share_of_days(n_weekdays, is_logged) as logged_share,
    bool_and(is_refused) as is_refused,
    nullif((sum(n_weekdays) filter (is_logged))::bigint / 5.0, 0) as weeks,
    coalesce(sum(n_selling), 0) as n_selling,
    coalesce(sum(n_other), 0) as n_other,
    coalesce(sum(n_selling + n_other), 0) as n_entries,
    coalesce(sum(n_event), 0) as n_event,
    coalesce(sum(n_call), 0) as n_call,
    coalesce(sum(n_email), 0) as n_email,
    coalesce(sum(n_task), 0) as n_task
  from timed_stretches
  group by all
),

rated as (
  select
    *,
    n_selling / weeks as selling,
    n_other / weeks as other,
    list_transform(
      [n_event, n_call, n_email, n_task],
      lambda n: n > $kind_share * n_entries
    ) as kinds
  from counted
),

ordered as (
  select
    r.*,
    lag(r) over (partition by team_id order by quarter) as before
  from rated as r
)

select
  team_id,
  quarter,
  case
    when before is null then null
    when abs(logged_share - before.logged_share) > $coverage_jump then 'coverage'
    when logged_share > 0 and before.logged_share > 0 and kinds <> before.kinds
      then 'kinds of entry'
    when
      (selling > $entries_jump * before.selling and other > $entries_jump * before.other)
      or (before.selling > $entries_jump * selling and before.other > $entries_jump * other)
      then 'entries'
  end as logging_change,
  n_entries / weeks as entries_per_week,
  case
    when is_refused then 'refused_source'
    when logged_share = 0 then 'no_logging'
    when logged_share < $minimum then 'low'
    else 'ok'
  end as coverage
from ordered;
