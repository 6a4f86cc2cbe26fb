-- How many leads of a team came to each step in a quarter.

-- name: funnel
create or replace temp table funnel as
with moments as (
  select
    owner_rep_id as rep_id,
    'created' as step,
    created_at as moment
  from leads
  union all
  select
    owner_rep_id,
    'mql',
    mql_at
  from leads
  union all
  select
    owner_rep_id,
    'sal',
    sal_at
  from leads
  union all
  select
    owner_rep_id,
    'sql',
    sql_at
  from leads
  union all
  select
    l.owner_rep_id,
    'recycled',
    h.entered_at
  from lead_status_history as h inner join leads as l using (lead_id)
  where h.is_recycling
  union all
  select
    owner_rep_id,
    'recycled',
    recycled_at
  from leads
  where recycled_at is not null and not exists (from lead_status_history)
),

events as (
  select
    rep_id,
    step,
    timezone(getvariable('time_zone'), moment)::date as day
  from moments
  union all
  select
    owner_rep_id,
    'converted',
    converted_on
  from leads
),

steps as (
  select
    e.step,
    e.day,
    case when e.day < s.until_day then s.team_id else $unassigned end as team_id
  from events as e
  asof left join stays_ever as s on e.rep_id = s.rep_id and e.day >= s.from_day
)

select
  team_id,
  quarter,
  count(*) filter (step = 'created') as n_leads,
  count(*) filter (step = 'mql') as n_mql,
  count(*) filter (step = 'sal') as n_sal,
  count(*) filter (step = 'sql') as n_sql,
  count(*) filter (step = 'converted') as n_converted,
  count(*) filter (step = 'recycled') as n_recycled
from steps as e
inner join quarters as q on e.day >= q.from_day and e.day < q.until_day
where e.day between getvariable('first_day') and getvariable('as_of')
group by team_id, quarter;
