-- What was known of each lead within some days after it came: what a definition may ask for.
-- Nothing that sales did with it is here, so no definition can be true because a lead was won.
-- Needs lead_dates, and the variables time_zone and signal_days.

-- name: sales_ready_leads
create or replace table sales_ready_leads (
  definition varchar,
  metric varchar,
  side varchar,
  valid_from date,
  approval varchar,
  lead_id varchar,
  is_sales_ready boolean,
  is_in_force boolean
);

-- name: lead_signals
create or replace temp table lead_signals as
with responses as (
  select
    l.lead_id,
    t.campaign_id,
    t.touched_at,
    c.campaign_type
  from leads as l
  inner join lead_dates as d using (lead_id)
  inner join touches as t using (person_key)
  left join campaigns as c using (campaign_id)
  where
    t.is_response
    and local_day(t.touched_at) >= d.created_on
    and local_day(t.touched_at) <= d.created_on + getvariable('signal_days')::int
    and (d.opportunity_on is null or local_day(t.touched_at) <= d.opportunity_on)
),

counts as (
  select
    lead_id,
    count(*) as n_responses,
    count(distinct campaign_id) as n_campaigns,
    arg_min(campaign_type, (touched_at, campaign_id)) as campaign_type
  from responses
  group by lead_id
)

select
  d.lead_id,
  d.created_on,
  d.lead_source,
  d.segment,
  d.team_id,
  case when exists (from touches) then coalesce(c.n_responses, 0) end as n_responses,
  case when exists (from touches) then coalesce(c.n_campaigns, 0) end as n_campaigns,
  c.campaign_type,
  case
    when exists (from lead_dates where mql_on is not null)
      then coalesce(d.mql_on <= d.created_on + getvariable('signal_days')::int, false)
  end as is_mql
from lead_dates as d
left join counts as c using (lead_id);

-- name: versions
create or replace temp table versions_in_force (
  definition varchar,
  metric varchar,
  from_day date,
  until_day date
);

-- name: versions_in_force
create or replace temp table versions_in_force as
select
  definition,
  metric,
  from_day,
  lead(from_day, 1, date '2200-01-01') over (
    partition by metric order by from_day, definition
  ) as until_day
from versions_in_force;

-- name: ready_leads
insert into sales_ready_leads
select
  $name,
  $metric,
  $side,
  $valid_from,
  $approval,
  r.lead_id,
  r.is_ready,
  coalesce(f.definition = $name, false)
from judged_leads as r
left join versions_in_force as f
  on
    f.metric = $metric
    and r.created_on >= f.from_day
    and r.created_on < f.until_day;
